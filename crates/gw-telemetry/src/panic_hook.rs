//! The report of a panic: one log line with its place and stack.

use std::any::Any;
use std::backtrace::Backtrace;
use std::panic::PanicHookInfo;

use jiff::Timestamp;
use tracing::Level;

use crate::line::{LineBuilder, LogFormat, STACK_LIMIT};
use crate::sink::LogSink;

/// Replaces the process-wide panic hook: every panic becomes one `error` line with `message`, `location`, `thread` and
/// `stack`, and `on_panic` is called (to count it). What looks like a secret in the panic's text is masked. Whether the
/// process survives is decided by whoever catches the panic.
pub fn install_panic_hook(format: LogFormat, sink: LogSink, on_panic: impl Fn() + Send + Sync + 'static) {
    std::panic::set_hook(Box::new(move |info| {
        on_panic();
        sink.write_in_panic(&report(format, info, &Backtrace::force_capture().to_string()));
    }));
}

fn report(format: LogFormat, info: &PanicHookInfo<'_>, stack: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let location = info.location().map(ToString::to_string).unwrap_or_default();
    LineBuilder::begin(&mut out, format, Timestamp::now(), Level::ERROR)
        .message(&format!("panic: {}", text_of(info.payload())))
        .text_if_any("location", &location)
        .text_if_any("thread", std::thread::current().name().unwrap_or(""))
        .bounded_text("stack", stack, STACK_LIMIT)
        .end();
    out
}

fn text_of(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&'static str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
