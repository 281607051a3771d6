//! Diagnostic log lines: `tracing` events in the same shape and to the same place as the request log.

use std::fmt;

use jiff::Timestamp;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::{LookupSpan, Registry};

use crate::line::{LineBuilder, LogFormat};
use crate::sink::LogSink;

/// Beginnings of the targets that are ours. Libraries log headers and SQL at `debug`, so of them only warnings and
/// errors are ever written.
const OWN_TARGETS: [&str; 3] = ["gw_", "gateway", "irongate"];

/// Names that a field may not take because the line has them already.
const RESERVED: [&str; 4] = ["timestamp", "level", "message", "target"];

/// Why logging could not be set up.
#[derive(Debug)]
#[non_exhaustive]
pub enum LoggingError {
    /// The process has a `tracing` subscriber already.
    AlreadySet,
}

impl fmt::Display for LoggingError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlreadySet => formatter.write_str("logging is set up already; set it up once per process"),
        }
    }
}

impl std::error::Error for LoggingError {}

/// Sends all `tracing` events of the process to the sink: `timestamp` (RFC 3339, UTC), `level`, `message`, `target`, then
/// the fields of the event and of the spans around it (such as `request_id`).
///
/// # Errors
/// [`LoggingError::AlreadySet`] on the second call.
pub fn init_logging(level: Level, format: LogFormat, sink: LogSink) -> Result<(), LoggingError> {
    let subscriber = Registry::default().with(layer(level, format, sink));
    tracing::subscriber::set_global_default(subscriber).map_err(|_| LoggingError::AlreadySet)
}

/// The layer of [`init_logging`], for a subscriber put together elsewhere.
pub fn layer<S>(level: Level, format: LogFormat, sink: LogSink) -> impl Layer<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    LineLayer { level, format, sink }
}

struct LineLayer {
    level: Level,
    format: LogFormat,
    sink: LogSink,
}

#[derive(Default)]
struct Fields {
    message: String,
    others: Vec<(&'static str, Value)>,
}

enum Value {
    Text(String),
    Plain(String),
}

impl<S> Layer<S> for LineLayer
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        let own = OWN_TARGETS.iter().any(|prefix| metadata.target().starts_with(prefix));
        let most = if own { self.level } else { self.level.min(Level::WARN) };
        *metadata.level() <= most
    }

    fn max_level_hint(&self) -> Option<tracing_subscriber::filter::LevelFilter> {
        Some(self.level.into())
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, ctx: Context<'_, S>) {
        if let Some(span) = ctx.span(id) {
            let mut fields = Fields::default();
            attributes.record(&mut fields);
            span.extensions_mut().replace(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, ctx: Context<'_, S>) {
        if let Some(span) = ctx.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, ctx: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let metadata = event.metadata();
        let mut out = Vec::with_capacity(256);
        let mut line = LineBuilder::begin(&mut out, self.format, Timestamp::now(), *metadata.level());
        line.message(&fields.message).text("target", metadata.target());
        let mut written: Vec<&str> = RESERVED.to_vec();
        fields.write(&mut line, &mut written);
        // Inner spans first: the nearest value of a name is the one that is shown.
        for span in ctx.event_scope(event).into_iter().flatten() {
            if let Some(fields) = span.extensions().get::<Fields>() {
                fields.write(&mut line, &mut written);
            }
        }
        line.end();
        self.sink.write(&out);
    }
}

impl Fields {
    fn write(&self, line: &mut LineBuilder<'_>, written: &mut Vec<&'static str>) {
        // Backwards, because a field that was recorded twice has its last value.
        for (name, value) in self.others.iter().rev() {
            if written.contains(name) {
                continue;
            }
            match value {
                Value::Text(text) => line.text(name, text),
                Value::Plain(text) => line.plain(name, text),
            };
            written.push(name);
        }
    }

    fn push(&mut self, field: &Field, value: Value) {
        match (field.name(), value) {
            ("message", Value::Text(text) | Value::Plain(text)) => self.message = text,
            (name, value) => self.others.push((name, value)),
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.push(field, Value::Text(format!("{value:?}")));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.push(field, Value::Text(value.to_owned()));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.push(field, Value::Plain(value.to_string()));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.push(field, Value::Plain(value.to_string()));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.push(field, Value::Plain(value.to_string()));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        // JSON has neither infinities nor NaN.
        let text = value.to_string();
        self.push(field, if value.is_finite() { Value::Plain(text) } else { Value::Text(text) });
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let mut text = value.to_string();
        let mut cause = value.source();
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        self.push(field, Value::Text(text));
    }
}

#[cfg(test)]
mod tests;
