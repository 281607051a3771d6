//! Errors that a provider answers with.

use std::time::Duration;

use gw_core::{Code, GatewayError, Retry};
use gw_spi::UpstreamFault;
use gw_wire::{Document, Json, Kind, Limits};
use http::HeaderMap;

/// Longest message that is kept, in bytes.
const LONGEST: usize = 2_000;

/// What an error body says.
#[derive(Debug, Default)]
struct Said {
    kind: Option<String>,
    message: String,
}

/// Reads an error answer of whatever shape.
pub(crate) fn decode(upstream: &UpstreamFault<'_>) -> GatewayError {
    let status = upstream.status.as_u16();
    let said = read(upstream.body);
    let code = classify(said.kind.as_deref(), Some(status), &said.message);
    let retry = retry(code, upstream.headers);
    made(code, said, retry, Some(status))
}

/// Reads an error object inside a stream, or in place of an answer.
pub(crate) fn in_stream(json: Json<'_>) -> GatewayError {
    let said = object(json);
    let code = classify(said.kind.as_deref(), None, &said.message);
    made(code, said, usual_retry(code), None)
}

fn made(code: Code, said: Said, retry: Retry, status: Option<u16>) -> GatewayError {
    let said_anything = !said.message.is_empty();
    let message = match code {
        // Whose account it is, and why it was refused, is the operator's business.
        Code::UpstreamAuth => "the provider refused the gateway's credential or account".to_owned(),
        _ if said_anything => scrubbed(&said.message),
        _ => match status {
            Some(status) => format!("the provider answered with status {status} and no message"),
            None => "the provider reported an error without a message".to_owned(),
        },
    };
    let mut error = GatewayError::new(code, message).with_retry(retry);
    if code == Code::UpstreamAuth && said_anything {
        error = error.with_cause(scrubbed(&said.message));
    }
    error.upstream_status = status;
    error.upstream_code = said.kind;
    error
}

fn read(body: &[u8]) -> Said {
    if let Ok(document) = Document::from_bytes(body, Limits::default()) {
        return object(document.root());
    }
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    if text.starts_with('<') {
        return Said { kind: None, message: title(text) };
    }
    Said { kind: None, message: text.to_owned() }
}

/// `{"error":{...}}`, `{"error":"..."}`, `{"message":...}`, `{"detail":...}`, or a list of one of them.
fn object(json: Json<'_>) -> Said {
    let text = |object: Json<'_>, name: &str| object.get_some(name).and_then(|value| value.string());
    match json.kind() {
        Kind::String => return Said { kind: None, message: json.string().unwrap_or_default() },
        Kind::Array => return json.items().next().map(object).unwrap_or_default(),
        Kind::Object => {}
        Kind::Null | Kind::Bool | Kind::Number => return Said::default(),
    }
    if let Some(error) = json.get_some("error") {
        if error.kind() == Kind::Object {
            let kind = text(error, "type").or_else(|| text(error, "code")).or_else(|| text(error, "status"));
            let message = text(error, "message").or_else(|| text(error, "detail")).unwrap_or_default();
            return Said { kind, message };
        }
        let message = error.string().or_else(|| text(json, "message")).unwrap_or_default();
        return Said { kind: text(json, "type").filter(|kind| kind != "error"), message };
    }
    let detail = json.get_some("detail");
    let message = text(json, "message")
        .or_else(|| text(json, "Message"))
        .or_else(|| detail.and_then(|detail| detail.string()))
        .or_else(|| detail.and_then(|detail| detail.items().next()).and_then(|first| text(first, "msg")))
        .unwrap_or_default();
    Said { kind: text(json, "code").or_else(|| text(json, "__type")), message }
}

/// The title of an HTML page: proxies answer with pages.
fn title(page: &str) -> String {
    let lower = page.to_ascii_lowercase();
    let inner = lower.find("<title>").and_then(|start| {
        let from = start + "<title>".len();
        let length = lower.get(from..)?.find("</title>")?;
        page.get(from..from + length)
    });
    inner.map_or_else(String::new, |inner| inner.trim().to_owned())
}

/// By the provider's code, then by status; the message only tells apart what these leave open.
fn classify(kind: Option<&str>, status: Option<u16>, message: &str) -> Code {
    let lower = message.to_ascii_lowercase();
    let has = |patterns: &[&str]| patterns.iter().any(|pattern| lower.contains(pattern));
    let billing =
        || has(&["credit balance", "billing", "purchase credits", "insufficient balance", "insufficient_quota"]);
    let too_long = || {
        has(&[
            "prompt is too long",
            "input is too long",
            "maximum context length",
            "context window",
            "exceed context limit",
            "exceeds the maximum number of tokens",
        ])
    };
    let code = match kind {
        Some("authentication_error" | "permission_error" | "billing_error") => Some(Code::UpstreamAuth),
        Some("not_found_error") => Some(Code::NotFound),
        Some("request_too_large") => Some(Code::PayloadTooLarge),
        Some("rate_limit_error") => Some(Code::RateLimited),
        Some("overloaded_error") => Some(Code::UpstreamOverloaded),
        Some("timeout_error") => Some(Code::UpstreamTimeout),
        Some("conflict_error") => Some(Code::Conflict),
        Some("api_error") => Some(Code::UpstreamError),
        Some("invalid_request_error") => Some(Code::BadRequest),
        Some(_) | None => None,
    };
    let code = code.unwrap_or(match status {
        Some(400 | 422) => Code::BadRequest,
        Some(401..=403) => Code::UpstreamAuth,
        Some(404) => Code::NotFound,
        Some(409) => Code::Conflict,
        Some(413) => Code::PayloadTooLarge,
        Some(429) => Code::RateLimited,
        Some(408 | 504) => Code::UpstreamTimeout,
        Some(503 | 529) => Code::UpstreamOverloaded,
        Some(405..=499) => Code::BadRequest,
        Some(_) | None => Code::UpstreamError,
    });
    match code {
        Code::BadRequest if billing() => Code::UpstreamAuth,
        Code::BadRequest | Code::PayloadTooLarge if too_long() => Code::ContextTooLong,
        Code::BadRequest if has(&["content filter", "content policy", "safety policy"]) => Code::ContentPolicy,
        Code::RateLimited if billing() || has(&["spend limit", "usage limits", "monthly limit"]) => {
            Code::QuotaExhausted
        }
        other => other,
    }
}

fn retry(code: Code, headers: &HeaderMap) -> Retry {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let delay = text("retry-after-ms")
        .and_then(|value| value.parse::<f64>().ok())
        .map(|milliseconds| milliseconds / 1_000.0)
        .or_else(|| text("retry-after").and_then(|value| value.parse::<f64>().ok()))
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    match (text("x-should-retry"), delay) {
        (Some("false"), _) => Retry::Never,
        (Some("true"), None) => Retry::SameTarget,
        (Some("true"), Some(delay)) => Retry::After(delay),
        (_, Some(delay)) if may_wait(code) => Retry::After(delay),
        _ => usual_retry(code),
    }
}

fn may_wait(code: Code) -> bool {
    matches!(
        code,
        Code::RateLimited | Code::UpstreamOverloaded | Code::UpstreamError | Code::UpstreamTimeout | Code::Conflict
    )
}

fn usual_retry(code: Code) -> Retry {
    match code {
        Code::UpstreamError | Code::UpstreamTimeout | Code::Conflict => Retry::SameTarget,
        Code::RateLimited | Code::UpstreamOverloaded | Code::UpstreamAuth | Code::QuotaExhausted | Code::NotFound => {
            Retry::OtherTarget
        }
        _ => Retry::Never,
    }
}

/// The message without what looks like a credential, cut to a bearable length.
fn scrubbed(message: &str) -> String {
    let mut out = String::with_capacity(message.len().min(LONGEST));
    let mut hide_next = false;
    for piece in message.split_inclusive(|letter: char| letter.is_whitespace() || matches!(letter, ',' | '"' | '\'')) {
        let word = piece.trim_end_matches(|letter: char| letter.is_whitespace() || matches!(letter, ',' | '"' | '\''));
        let tail = piece.get(word.len()..).unwrap_or_default();
        if hide_next && !word.is_empty() {
            out.push_str("[hidden]");
            hide_next = false;
        } else {
            out.push_str(&hidden(word));
        }
        hide_next |= word.eq_ignore_ascii_case("bearer");
        out.push_str(tail);
    }
    if out.len() > LONGEST {
        let end = (0..=LONGEST).rev().find(|end| out.is_char_boundary(*end)).unwrap_or(0);
        out.truncate(end);
    }
    out
}

/// A word with the part from a credential's beginning on replaced.
fn hidden(word: &str) -> String {
    const SECRETS: &[&str] = &["sk-", "AIza", "ya29.", "eyJ"];
    const NAMES: &[&str] = &["key=", "token=", "api-key:", "api_key=", "secret="];
    let named = NAMES.iter().filter_map(|name| word.find(name).map(|at| at + name.len())).min();
    let bare = SECRETS.iter().filter_map(|prefix| {
        let at = word.find(prefix)?;
        // Only at the start of a token: "task-list" is no key.
        let before = word.get(..at).and_then(|head| head.chars().next_back());
        let alone = before.is_none_or(|letter| !letter.is_ascii_alphanumeric());
        (alone && word.len() - at > prefix.len() + 6).then_some(at)
    });
    match named.into_iter().chain(bare).min() {
        Some(at) => format!("{}[hidden]", word.get(..at).unwrap_or_default()),
        None => word.to_owned(),
    }
}

#[cfg(test)]
mod tests;
