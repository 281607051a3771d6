//! The mock from outside: wire shapes, streams against whole answers, every fault, sockets.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    reason = "tests"
)]

mod anthropic;
mod faults;
mod gemini;
mod openai;
mod published;
mod sockets;
mod support;
