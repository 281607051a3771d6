//! A provider's error, however it is shaped, to the gateway's own.

use std::time::Duration;

use gw_core::{Code, GatewayError, Retry};
use gw_spi::UpstreamFault;
use gw_wire::{Document, Json, Limits};
use http::HeaderMap;

/// Longest message that is passed on, in characters.
const MOST_TEXT: usize = 2_000;

/// Words by which providers say that the prompt is too long.
const TOO_LONG: &[&str] = &[
    "exceeds the maximum number of tokens",
    "input token count",
    "maximum context length",
    "prompt is too long",
    "input is too long",
    "context window",
    "token limit",
];

/// Error reasons that concern the gateway's own credential or project.
const CREDENTIAL: &[&str] = &[
    "API_KEY_INVALID",
    "API_KEY_EXPIRED",
    "API_KEY_SERVICE_BLOCKED",
    "API_KEY_HTTP_REFERRER_BLOCKED",
    "API_KEY_IP_ADDRESS_BLOCKED",
    "ACCESS_TOKEN_EXPIRED",
    "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
    "CREDENTIALS_MISSING",
    "SERVICE_DISABLED",
    "BILLING_DISABLED",
    "CONSUMER_SUSPENDED",
    "CONSUMER_INVALID",
    "USER_PROJECT_DENIED",
];

/// What a body says.
#[derive(Default)]
struct Said {
    message: String,
    status: String,
    code: Option<u16>,
    reason: String,
    delay: Option<Duration>,
    daily: bool,
}

/// Reads an error answer.
pub(crate) fn decode(fault: &UpstreamFault<'_>) -> GatewayError {
    let said = read(fault.body);
    classify(fault.status.as_u16(), &said, fault.headers)
}

/// Reads an error inside a stream: an object with `error`.
pub(crate) fn in_stream(root: Json<'_>) -> GatewayError {
    let mut said = Said::default();
    read_error(root, &mut said);
    classify(said.code.filter(|code| *code >= 400).unwrap_or(500), &said, &HeaderMap::new())
}

fn read(body: &[u8]) -> Said {
    let mut said = Said::default();
    let text = String::from_utf8_lossy(body);
    match Document::parse(text.trim(), Limits::default()) {
        Ok(document) => {
            let root = document.root();
            let first = root.items().next().unwrap_or(root);
            read_error(first, &mut said);
        }
        Err(_) => said.message = without_markup(&text),
    }
    said
}

fn read_error(root: Json<'_>, said: &mut Said) {
    let error = root.get("error").unwrap_or(root);
    if let Some(text) = error.str() {
        said.message = text.into_owned();
        return;
    }
    let text = |name: &str| error.get(name).and_then(|value| value.string()).unwrap_or_default();
    said.message = text("message");
    if said.message.is_empty() {
        said.message = text("detail");
    }
    said.status = text("status");
    let code = error.get("code");
    said.code = code.and_then(|code| code.u64()).and_then(|code| u16::try_from(code).ok());
    if said.status.is_empty() {
        said.status = code.and_then(|code| code.string()).unwrap_or_else(|| text("type"));
    }
    for detail in error.get("details").into_iter().flat_map(|list| list.items()) {
        if let Some(reason) = detail.get("reason").and_then(|reason| reason.string()) {
            said.reason = reason;
        }
        if let Some(delay) = detail.get("retryDelay").and_then(|delay| delay.str()) {
            said.delay = delay.strip_suffix('s').and_then(duration);
        }
        for violation in detail.get("violations").into_iter().flat_map(|list| list.items()) {
            let quota = violation.get("quotaId").and_then(|id| id.string()).unwrap_or_default();
            let none = violation.get("quotaValue").and_then(|value| value.string()).as_deref() == Some("0");
            said.daily |= quota.contains("PerDay") || none;
        }
    }
}

/// Seconds with an optional fraction.
fn duration(text: &str) -> Option<Duration> {
    let seconds = text.trim().parse::<f64>().ok().filter(|seconds| (0.0..=86_400.0).contains(seconds))?;
    Duration::try_from_secs_f64(seconds).ok()
}

fn classify(status: u16, said: &Said, headers: &HeaderMap) -> GatewayError {
    let lower = said.message.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let credential = CREDENTIAL.contains(&said.reason.as_str())
        || has(&["api key not valid", "api key expired", "api_key_invalid", "user location is not supported"]);
    let code = match (status, said.status.as_str()) {
        _ if credential => Code::UpstreamAuth,
        (401..=403, _) | (_, "UNAUTHENTICATED" | "PERMISSION_DENIED") => Code::UpstreamAuth,
        (429, _) | (_, "RESOURCE_EXHAUSTED") if said.daily || has(&["limit: 0"]) => Code::QuotaExhausted,
        (429, _) | (_, "RESOURCE_EXHAUSTED") => Code::RateLimited,
        (404, _) | (_, "NOT_FOUND") => Code::NotFound,
        (409, _) | (_, "ABORTED" | "ALREADY_EXISTS") => Code::Conflict,
        (413, _) => Code::PayloadTooLarge,
        (400 | 422, "FAILED_PRECONDITION") if has(&["billing", "free tier"]) => Code::UpstreamAuth,
        (400 | 422, _) if has(TOO_LONG) => Code::ContextTooLong,
        (400 | 422, _) if has(&["content policy", "prohibited content", "blocked by safety"]) => Code::ContentPolicy,
        (400 | 422, _) => Code::BadRequest,
        (408 | 504 | 524, _) | (_, "DEADLINE_EXCEEDED") => Code::UpstreamTimeout,
        (503 | 529, _) | (_, "UNAVAILABLE") => Code::UpstreamOverloaded,
        _ => Code::UpstreamError,
    };
    let message = if said.message.trim().is_empty() {
        format!("the provider answered with status {status} and no message")
    } else {
        scrub(&said.message)
    };
    let upstream_code = [&said.reason, &said.status].into_iter().find(|text| !text.is_empty()).cloned();
    GatewayError::new(code, message).with_retry(retry(code, said, headers)).with_upstream(status, upstream_code)
}

fn retry(code: Code, said: &Said, headers: &HeaderMap) -> Retry {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let own = match code {
        Code::RateLimited | Code::UpstreamTimeout | Code::UpstreamOverloaded | Code::UpstreamError | Code::Conflict => {
            Retry::SameTarget
        }
        Code::UpstreamAuth | Code::QuotaExhausted => Retry::OtherTarget,
        _ => Retry::Never,
    };
    match header("x-should-retry") {
        Some("false") => return Retry::Never,
        Some("true") if own == Retry::Never => return Retry::SameTarget,
        _ => {}
    }
    if own != Retry::SameTarget {
        return own;
    }
    let milliseconds = header("retry-after-ms").and_then(|text| text.parse::<u64>().ok()).map(Duration::from_millis);
    // An HTTP date needs a clock, which this crate does not have.
    let seconds = header("retry-after").and_then(duration);
    milliseconds.or(seconds).or(said.delay).map_or(own, Retry::After)
}

/// Cuts secrets and account numbers out of a message, and its length.
fn scrub(message: &str) -> String {
    let mut out = String::with_capacity(message.len());
    let mut bearer = false;
    for piece in message.split_inclusive(|letter: char| letter.is_whitespace() || "\"'`,;()<>&?".contains(letter)) {
        let word = piece.trim_end_matches(|letter: char| letter.is_whitespace() || "\"'`,;()<>&?".contains(letter));
        let tail = piece.get(word.len()..).unwrap_or_default();
        let bare = word.trim_end_matches(['.', ':']);
        if let Some(at) = ["key=", "token=", "api_key:", "secret="]
            .iter()
            .find_map(|mark| word.to_ascii_lowercase().find(mark).map(|at| at + mark.len()))
        {
            out.push_str(word.get(..at).unwrap_or_default());
            out.push_str("[redacted]");
        } else if secret(bare) || (bearer && bare.len() >= 8) {
            out.push_str("[redacted]");
        } else {
            out.push_str(&without_project(word));
        }
        bearer = !word.is_empty() && bare.eq_ignore_ascii_case("bearer") || (bearer && word.is_empty());
        out.push_str(tail);
    }
    if out.chars().count() > MOST_TEXT {
        out = out.chars().take(MOST_TEXT - 1).collect();
        out.push('…');
    }
    out
}

fn secret(word: &str) -> bool {
    ["sk-", "sk_", "AIza", "ya29.", "AKIA", "ghp_", "gw-", "eyJ"]
        .iter()
        .any(|head| word.starts_with(head) && word.len() >= 12)
}

/// `projects/123456` without the number.
fn without_project(word: &str) -> String {
    for mark in ["projects/", "project_number:"] {
        let Some(at) = word.find(mark).map(|at| at + mark.len()) else { continue };
        let (head, rest) = word.split_at(at);
        let end = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
        if end >= 4 {
            return format!("{head}[redacted]{}", rest.get(end..).unwrap_or_default());
        }
    }
    word.to_owned()
}

/// The words of an HTML page, for errors of proxies.
fn without_markup(text: &str) -> String {
    if !text.trim_start().starts_with('<') {
        return text.trim().to_owned();
    }
    let mut out = String::new();
    let mut inside = false;
    for letter in text.chars().take(20_000) {
        match letter {
            '<' => {
                inside = true;
                out.push(' ');
            }
            '>' => inside = false,
            _ if !inside => out.push(letter),
            _ => {}
        }
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
