//! Text to typed scalar, one `Kind` per sort of value, shared by the file, the environment and the command line.

use std::time::Duration;

use crate::config::{Fidelity, Http2, LogFormat, LogLevel};

/// How to read one sort of scalar and what to say when it cannot be read.
pub(crate) struct Kind<T: 'static> {
    pub(crate) parse: fn(&str) -> Option<T>,
    /// Completes "... is not".
    pub(crate) expected: &'static str,
    /// What to write instead.
    pub(crate) remedy: &'static str,
}

pub(crate) const TEXT: Kind<String> =
    Kind { parse: |text| Some(text.to_owned()), expected: "a text", remedy: "write a plain text" };
pub(crate) const BOOLEAN: Kind<bool> =
    Kind { parse: parse_boolean, expected: "a yes/no value", remedy: "write true or false" };
pub(crate) const PORT: Kind<u16> = Kind {
    parse: |text| text.trim().parse().ok(),
    expected: "a port number",
    remedy: "write a whole number from 0 to 65535 (0 lets the system choose)",
};
pub(crate) const COUNT: Kind<u64> = Kind {
    parse: |text| text.trim().parse().ok(),
    expected: "a whole number",
    remedy: "write a whole number such as 100",
};
pub(crate) const POSITIVE: Kind<u32> = Kind {
    parse: |text| text.trim().parse().ok().filter(|number| *number > 0),
    expected: "a whole number above zero",
    remedy: "write a whole number such as 100",
};
pub(crate) const DURATION: Kind<Duration> = Kind {
    parse: |text| parse_duration(text, Duration::from_secs(1)),
    expected: "a duration",
    remedy: "write something like 5m, 120s, 1h30m, 500ms or a whole number of seconds",
};
pub(crate) const TIMEOUT: Kind<Duration> = Kind {
    parse: |text| parse_duration(text, Duration::from_secs(1)).filter(|duration| !duration.is_zero()),
    expected: "a duration above zero",
    remedy: "write something like 5m, 120s, 1h30m, 500ms or a whole number of seconds",
};
pub(crate) const MILLISECONDS: Kind<Duration> = Kind {
    parse: |text| parse_duration(text, Duration::from_millis(1)),
    expected: "a number of milliseconds",
    remedy: "write a whole number of milliseconds such as 100",
};
pub(crate) const SIZE: Kind<u64> = Kind {
    parse: |text| parse_size(text).filter(|bytes| *bytes > 0),
    expected: "a size above zero",
    remedy: "write a number of bytes or something like 512KB, 10MB, 1GB",
};
pub(crate) const LOG_LEVEL: Kind<LogLevel> =
    Kind { parse: parse_log_level, expected: "a log level", remedy: "write one of error, warn, info, debug, trace" };
pub(crate) const LOG_FORMAT: Kind<LogFormat> =
    Kind { parse: parse_log_format, expected: "a log format", remedy: "write json or text" };
pub(crate) const FIDELITY: Kind<Fidelity> =
    Kind { parse: parse_fidelity, expected: "a fidelity", remedy: "write default, strict or lenient" };
pub(crate) const HTTP2: Kind<Http2> =
    Kind { parse: parse_http2, expected: "an HTTP/2 policy", remedy: "write auto or never" };

fn parse_boolean(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Some(true),
        "false" | "no" | "off" | "0" => Some(false),
        _ => None,
    }
}

fn parse_log_level(text: &str) -> Option<LogLevel> {
    match text.trim().to_ascii_lowercase().as_str() {
        "error" | "fatal" | "critical" => Some(LogLevel::Error),
        "warn" | "warning" => Some(LogLevel::Warn),
        "info" | "notice" => Some(LogLevel::Info),
        "debug" => Some(LogLevel::Debug),
        "trace" => Some(LogLevel::Trace),
        _ => None,
    }
}

fn parse_log_format(text: &str) -> Option<LogFormat> {
    match text.trim().to_ascii_lowercase().as_str() {
        "json" => Some(LogFormat::Json),
        "text" | "console" => Some(LogFormat::Text),
        _ => None,
    }
}

fn parse_fidelity(text: &str) -> Option<Fidelity> {
    match text.trim() {
        "default" => Some(Fidelity::Default),
        "strict" => Some(Fidelity::Strict),
        "lenient" => Some(Fidelity::Lenient),
        _ => None,
    }
}

fn parse_http2(text: &str) -> Option<Http2> {
    match text.trim() {
        "auto" => Some(Http2::Auto),
        "never" => Some(Http2::Never),
        _ => None,
    }
}

/// Reads `1h30m`, `1.5s`, `500ms` or a whole number of `unit`s; at most ten years.
pub(crate) fn parse_duration(text: &str, unit: Duration) -> Option<Duration> {
    const LIMIT: Duration = Duration::from_secs(10 * 366 * 24 * 3600);
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    if let Ok(number) = rest.parse::<u32>() {
        return unit.checked_mul(number).filter(|total| *total <= LIMIT);
    }
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let number_end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(number_end);
        let unit_end = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (suffix, tail) = tail.split_at(unit_end);
        let seconds = match suffix {
            "ms" => 0.001,
            "s" | "sec" => 1.0,
            "m" | "min" => 60.0,
            "h" => 3600.0,
            "d" => 86400.0,
            _ => return None,
        };
        let number: f64 = number.parse().ok()?;
        total = total.checked_add(Duration::try_from_secs_f64(number * seconds).ok()?)?;
        rest = tail;
    }
    Some(total).filter(|total| *total <= LIMIT)
}

/// Reads `10MB`, `512 KiB`, `1g` or plain bytes; all suffixes are powers of 1024.
pub(crate) fn parse_size(text: &str) -> Option<u64> {
    let text = text.trim();
    let number_end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, suffix) = text.split_at(number_end);
    let number: u64 = number.parse().ok()?;
    let factor: u64 = match suffix.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        _ => return None,
    };
    number.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let seconds = Duration::from_secs(1);
        for (text, expected) in [
            ("5m", Some(300_000)),
            ("120s", Some(120_000)),
            ("1h30m", Some(5_400_000)),
            ("500ms", Some(500)),
            ("1.5h", Some(5_400_000)),
            (" 42 ", Some(42_000)),
            ("0", Some(0)),
            ("", None),
            ("5", Some(5_000)),
            ("5x", None),
            ("m", None),
            ("-5s", None),
            ("5m 3s", None),
            ("1..5s", None),
            ("99999999999h", None),
            ("4294967295", None),
        ] {
            let expected = expected.map(Duration::from_millis);
            assert_eq!(parse_duration(text, seconds), expected, "{text}");
        }
        assert_eq!(parse_duration("100", Duration::from_millis(1)), Some(Duration::from_millis(100)));
    }

    #[test]
    fn sizes() {
        for (text, expected) in [
            ("10MB", Some(10 << 20)),
            ("10 mib", Some(10 << 20)),
            ("512k", Some(512 << 10)),
            ("7", Some(7)),
            ("1GB", Some(1 << 30)),
            ("MB", None),
            ("1.5MB", None),
            ("99999999999999999999", None),
            ("18446744073709551615GB", None),
        ] {
            assert_eq!(parse_size(text), expected, "{text}");
        }
    }
}
