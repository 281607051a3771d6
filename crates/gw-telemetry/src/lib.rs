//! Metrics with fixed labels, logs with fixed field names.
//!
//! Everything that an operator can observe goes through here: `/metrics`, the request log, diagnostic log lines and the
//! report of a panic. Names of metrics and fields are an interface; they change only with a changelog entry. Nothing here
//! knows HTTP, dialects, providers or stores; callers hand over plain values.

mod line;
mod logging;
mod metrics;
mod panic_hook;
mod request_log;
mod scrub;
mod sink;

pub use line::LogFormat;
pub use logging::{LoggingError, init_logging, layer};
pub use metrics::{
    BuildInfo, JournalReadings, METRICS_CONTENT_TYPE, Metrics, Outcome, Read, RouteMetrics, TokenCounts,
};
pub use panic_hook::install_panic_hook;
pub use request_log::{RequestEntry, RequestLog, RequestLogSettings, RequestLogWriter, request_level};
pub use scrub::scrub;
pub use sink::LogSink;
