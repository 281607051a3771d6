#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| irongate_fuzz::reply(&irongate_fuzz::ANTHROPIC, data));
