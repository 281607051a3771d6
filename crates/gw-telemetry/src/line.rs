//! One log line: the same fields in the same order, as JSON or as text.

use std::io::Write as _;

use jiff::Timestamp;
use tracing::Level;

use crate::scrub::scrub;

/// Longest text of a field in bytes.
pub(crate) const TEXT_LIMIT: usize = 2000;
/// Longest stack in bytes.
pub(crate) const STACK_LIMIT: usize = 32 * 1024;

/// Shape of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// One JSON object per line.
    #[default]
    Json,
    /// For human eyes: time, level, message, then `name=value`.
    Text,
}

/// Appends one line to a buffer. Every text passes the net against secrets and a bound on its length.
pub(crate) struct LineBuilder<'a> {
    out: &'a mut Vec<u8>,
    format: LogFormat,
}

impl<'a> LineBuilder<'a> {
    pub(crate) fn begin(out: &'a mut Vec<u8>, format: LogFormat, at: Timestamp, level: Level) -> Self {
        // Writing to a vector cannot fail.
        let _ = match format {
            LogFormat::Json => write!(out, r#"{{"timestamp":"{at:.3}","level":"{}""#, level_name(level)),
            LogFormat::Text => write!(out, "{at:.3} {level:<5}"),
        };
        Self { out, format }
    }

    pub(crate) fn message(&mut self, message: &str) -> &mut Self {
        match self.format {
            LogFormat::Json => self.text("message", message),
            LogFormat::Text => {
                self.out.push(b' ');
                push_printable(self.out, bounded(&scrub(message), TEXT_LIMIT));
                self
            }
        }
    }

    pub(crate) fn text(&mut self, name: &str, value: &str) -> &mut Self {
        self.bounded_text(name, value, TEXT_LIMIT)
    }

    /// Text that neither clients nor providers write: it needs no search for secrets.
    pub(crate) fn trusted(&mut self, name: &str, value: &str) -> &mut Self {
        self.name(name);
        match self.format {
            LogFormat::Text if is_plain(value) => self.out.extend_from_slice(value.as_bytes()),
            LogFormat::Json | LogFormat::Text => push_json(self.out, bounded(value, TEXT_LIMIT)),
        }
        self
    }

    pub(crate) fn bounded_text(&mut self, name: &str, value: &str, limit: usize) -> &mut Self {
        self.name(name);
        let value = scrub(value);
        let value = bounded(&value, limit);
        match self.format {
            LogFormat::Json => push_json(self.out, value),
            LogFormat::Text if is_plain(value) => self.out.extend_from_slice(value.as_bytes()),
            LogFormat::Text => push_json(self.out, value),
        }
        self
    }

    /// Leaves the field out when there is nothing to tell.
    pub(crate) fn text_if_any(&mut self, name: &str, value: &str) -> &mut Self {
        if value.is_empty() { self } else { self.text(name, value) }
    }

    /// A number or a truth value; its `Display` must be valid JSON.
    pub(crate) fn plain(&mut self, name: &str, value: impl std::fmt::Display) -> &mut Self {
        self.name(name);
        let _ = write!(self.out, "{value}");
        self
    }

    pub(crate) fn texts(&mut self, name: &str, values: &[String]) -> &mut Self {
        if self.format == LogFormat::Text {
            return self.text(name, &values.join(","));
        }
        self.name(name);
        self.out.push(b'[');
        for (index, value) in values.iter().enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            push_json(self.out, bounded(&scrub(value), TEXT_LIMIT));
        }
        self.out.push(b']');
        self
    }

    pub(crate) fn end(&mut self) {
        if self.format == LogFormat::Json {
            self.out.push(b'}');
        }
        self.out.push(b'\n');
    }

    fn name(&mut self, name: &str) {
        match self.format {
            LogFormat::Json => {
                self.out.push(b',');
                push_json(self.out, name);
                self.out.push(b':');
            }
            LogFormat::Text => {
                self.out.push(b' ');
                push_printable(self.out, name);
                self.out.push(b'=');
            }
        }
    }
}

const fn level_name(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warn",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    }
}

fn bounded(text: &str, limit: usize) -> &str {
    if text.len() <= limit { text } else { text.get(..text.floor_char_boundary(limit)).unwrap_or("") }
}

fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'=' | b'\\'))
}

fn push_json(out: &mut Vec<u8>, text: &str) {
    // A string always serializes, and a vector takes every byte.
    let _ = serde_json::to_writer(out, text);
}

/// Text that can neither begin another line nor drive a terminal.
fn push_printable(out: &mut Vec<u8>, text: &str) {
    for character in text.chars() {
        if character.is_control() {
            let _ = write!(out, "{}", character.escape_default());
        } else {
            let _ = write!(out, "{character}");
        }
    }
}

#[cfg(test)]
mod tests;
