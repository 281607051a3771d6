//! What one answer does besides being right: delays, chunking, faults; written as `key=value` options.

use std::time::Duration;

/// How one answer is delivered. The default is an immediate, well-behaved answer.
///
/// Positions (`cut_at`, `stall_at`, ...) count whole events for streams and bytes for answers sent in one piece.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Behaviour {
    /// `delay`: waits this long before the response head.
    pub first_byte_delay: Duration,
    /// `early_head=1`: the head is sent at once and `delay` is waited for before the first body byte.
    pub early_head: bool,
    /// `chunk_delay`: the pause between two events of a stream (or two pieces, with `bytes`).
    pub chunk_delay: Duration,
    /// `bytes`: cuts the body into pieces of this many bytes, regardless of event borders; each is written on its own.
    pub chunk_bytes: Option<usize>,
    /// `chunks`: length of the answer text in chunks (tokens); shorter answers are filled up, longer ones cut.
    pub tokens: Option<usize>,
    /// `body` or `size`: length of the answer text in bytes.
    pub answer_bytes: Option<usize>,
    /// `status`: answers with this HTTP status and the vendor's error body.
    pub status: Option<u16>,
    /// `retry_after`: sent with `status` as `retry-after` (and `retry-after-ms` or `RetryInfo`).
    pub retry_after: Option<Duration>,
    /// `fail_times`: `status`, `html`, `reset` and `error_first` hit only the first so many requests of one model name.
    pub fail_times: Option<u64>,
    /// `html=1`: answers 502 with an HTML page, as a proxy in front of the vendor would.
    pub html: bool,
    /// `reset=1`: drops the connection without an answer.
    pub reset: bool,
    /// `cut`: breaks the connection after this many events, without a terminal event.
    pub cut_at: Option<usize>,
    /// `eof`: ends the body cleanly after this many events, without a terminal event.
    pub eof_at: Option<usize>,
    /// `error_at`: sends the vendor's in-stream error after this many events and ends (`error_first=1` is `error_at=0`).
    pub error_at: Option<usize>,
    /// `error_status`: which error `error_at` reports; default 503 (529 for Anthropic): overloaded.
    pub error_status: Option<u16>,
    /// `stall_at`: after this many events nothing more is ever sent; the connection stays open.
    pub stall_at: Option<usize>,
    /// `garbage`: a malformed event is put in after this many events.
    pub garbage_at: Option<usize>,
    /// `ping=1`: a keep-alive (Anthropic `ping`, else an SSE comment) after every event.
    pub ping: bool,
    /// `usage=none`: no usage anywhere in the answer.
    pub omit_usage: bool,
    /// `refusal=1`: the model declines in the vendor's own way.
    pub refusal: bool,
    /// `blocked=1`: Gemini reports a blocked prompt; the others answer 400 with a content policy error.
    pub blocked: bool,
    /// `strict=1`: unknown top-level request fields are refused, as the vendors do.
    pub strict: bool,
}

/// A malformed option: names the option and says what would be accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OptionError {
    /// No option has this name.
    #[error("unknown mock option {0:?}; see the crate README for the list")]
    Unknown(String),
    /// The option exists but not with this value.
    #[error("mock option {key:?} does not accept {value:?}: expected {expected}")]
    Value {
        /// The option's name.
        key: String,
        /// What was given.
        value: String,
        /// What is accepted.
        expected: &'static str,
    },
}

impl Behaviour {
    /// Reads a list such as `delay=50ms;chunks=100;status=429`; `;`, `,` and white space separate.
    ///
    /// # Errors
    /// The first unknown option or unusable value.
    pub fn parse(list: &str) -> Result<Self, OptionError> {
        let mut behaviour = Self::default();
        behaviour.apply_list(list)?;
        Ok(behaviour)
    }

    /// Lays the options of `list` over this behaviour; the form is that of [`Behaviour::parse`].
    ///
    /// # Errors
    /// The first unknown option or unusable value; earlier options stay applied.
    pub fn apply_list(&mut self, list: &str) -> Result<(), OptionError> {
        for option in list.split([';', ',', ' ']).filter(|option| !option.is_empty()) {
            let (key, value) = option.split_once('=').unwrap_or((option, "1"));
            self.apply(key.trim(), value.trim())?;
        }
        Ok(())
    }

    /// Lays the `+key=value` options inside a model name over this behaviour and returns the name without them.
    ///
    /// A `+` segment without `=` belongs to the name: `command-r+` is a model, not an option.
    ///
    /// # Errors
    /// The first unknown option or unusable value.
    pub fn apply_model<'a>(&mut self, model: &'a str) -> Result<&'a str, OptionError> {
        let Some(first) = model.find('=') else { return Ok(model) };
        let Some(plus) = model.get(..first).and_then(|head| head.rfind('+')) else { return Ok(model) };
        let (name, options) = model.split_at(plus);
        for option in options.split('+').filter(|option| !option.is_empty()) {
            let (key, value) = option.split_once('=').unwrap_or((option, "1"));
            self.apply(key, value)?;
        }
        Ok(name)
    }

    /// Sets one option.
    ///
    /// # Errors
    /// The option is unknown, or the value is not one that it accepts.
    pub fn apply(&mut self, key: &str, value: &str) -> Result<(), OptionError> {
        match key {
            "delay" => self.first_byte_delay = duration(key, value)?,
            "early_head" => self.early_head = flag(key, value)?,
            "chunk_delay" => self.chunk_delay = duration(key, value)?,
            "bytes" => self.chunk_bytes = Some(number::<usize>(key, value)?.max(1)),
            "chunks" => self.tokens = Some(number(key, value)?),
            "body" | "size" => self.answer_bytes = Some(number(key, value)?),
            "status" => self.status = Some(status(key, value)?),
            "retry_after" => self.retry_after = Some(duration(key, value)?),
            "fail_times" => self.fail_times = Some(number(key, value)?),
            "html" => self.html = flag(key, value)?,
            "reset" => self.reset = flag(key, value)?,
            "cut" => self.cut_at = Some(number(key, value)?),
            "eof" => self.eof_at = Some(number(key, value)?),
            "error_at" => self.error_at = Some(number(key, value)?),
            "error_first" => self.error_at = flag(key, value)?.then_some(0),
            "error_status" => self.error_status = Some(status(key, value)?),
            "stall_at" => self.stall_at = Some(number(key, value)?),
            "garbage" => self.garbage_at = Some(number(key, value)?),
            "ping" => self.ping = flag(key, value)?,
            "usage" => {
                self.omit_usage = match value {
                    "none" => true,
                    "full" => false,
                    _ => return Err(bad(key, value, "`none` or `full`")),
                }
            }
            "refusal" => self.refusal = flag(key, value)?,
            "blocked" => self.blocked = flag(key, value)?,
            "strict" => self.strict = flag(key, value)?,
            _ => return Err(OptionError::Unknown(key.to_owned())),
        }
        Ok(())
    }

    /// Takes the faults away that `fail_times` limits, once their number is used up.
    pub(crate) fn heal(&mut self) {
        self.status = None;
        self.html = false;
        self.reset = false;
        if self.error_at == Some(0) {
            self.error_at = None;
        }
    }
}

fn bad(key: &str, value: &str, expected: &'static str) -> OptionError {
    OptionError::Value { key: key.to_owned(), value: value.to_owned(), expected }
}

fn number<N: std::str::FromStr>(key: &str, value: &str) -> Result<N, OptionError> {
    value.parse().map_err(|_| bad(key, value, "a whole number"))
}

fn status(key: &str, value: &str) -> Result<u16, OptionError> {
    let status = number(key, value)?;
    if (400..600).contains(&status) { Ok(status) } else { Err(bad(key, value, "an HTTP error status, 400 to 599")) }
}

fn flag(key: &str, value: &str) -> Result<bool, OptionError> {
    match value {
        "1" | "true" => Ok(true),
        "0" | "false" => Ok(false),
        _ => Err(bad(key, value, "0 or 1")),
    }
}

/// `50ms`, `2s`, `1.5s`, `20us`; a bare number is seconds, as in `retry-after`.
fn duration(key: &str, value: &str) -> Result<Duration, OptionError> {
    let (digits, unit) = match value.find(|c: char| c.is_ascii_alphabetic()) {
        Some(at) => value.split_at(at),
        None => (value, "s"),
    };
    let scale = match unit {
        "us" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        _ => return Err(bad(key, value, "a duration such as 50ms or 2s")),
    };
    let seconds = digits.parse::<f64>().map_err(|_| bad(key, value, "a duration such as 50ms or 2s"))? * scale;
    Duration::try_from_secs_f64(seconds).map_err(|_| bad(key, value, "a duration such as 50ms or 2s"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn options_inside_a_model_name_are_read_and_taken_off() {
        let mut behaviour = Behaviour::default();
        let name = behaviour.apply_model("gpt-4o+delay=50ms+chunks=100+status=429+retry_after=2+usage=none").unwrap();
        assert_eq!(name, "gpt-4o");
        assert_eq!(behaviour.first_byte_delay, Duration::from_millis(50));
        assert_eq!(behaviour.tokens, Some(100));
        assert_eq!(behaviour.status, Some(429));
        assert_eq!(behaviour.retry_after, Some(Duration::from_secs(2)));
        assert!(behaviour.omit_usage);
    }

    #[test]
    fn a_plus_in_a_plain_name_is_not_an_option() {
        let mut behaviour = Behaviour::default();
        assert_eq!(behaviour.apply_model("command-r+").unwrap(), "command-r+");
        assert_eq!(behaviour.apply_model("command-r++cut=3").unwrap(), "command-r+");
        assert_eq!(behaviour.cut_at, Some(3));
    }

    #[test]
    fn wrong_options_are_named() {
        assert_eq!(Behaviour::parse("speed=9").unwrap_err(), OptionError::Unknown("speed".to_owned()));
        let error = Behaviour::parse("delay=1s;status=200").unwrap_err().to_string();
        assert_eq!(error, "mock option \"status\" does not accept \"200\": expected an HTTP error status, 400 to 599");
        assert!(Behaviour::parse("delay=-3s").is_err());
        assert!(Behaviour::parse("delay=fast").is_err());
        assert!(Behaviour::parse("usage=some").is_err());
    }
}
