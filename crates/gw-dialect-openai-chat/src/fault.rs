//! Providers' errors: liberal reading, then classification by their own code, status and wording.

use std::time::Duration;

use gw_core::{Code, GatewayError, Retry};
use gw_spi::UpstreamFault;
use gw_wire::{Document, Json, Kind, Limits};
use http::HeaderMap;

/// Longest message kept.
const LONGEST_MESSAGE: usize = 2_000;

/// What an error body says.
#[derive(Debug, Default, PartialEq, Eq)]
struct Said {
    message: String,
    kind: String,
    code: String,
    param: Option<String>,
    /// Status named inside the body.
    status: Option<u16>,
    /// `RetryInfo.retryDelay`.
    delay: Option<Duration>,
}

/// Reads a provider's error answer; see [`gw_spi::Egress::decode_fault`].
pub(crate) fn decode(fault: &UpstreamFault<'_>) -> GatewayError {
    let said = read_body(fault.body);
    classify(said, fault.status.as_u16(), Some(fault.headers))
}

/// Reads an error object inside a stream or a 200 answer.
pub(crate) fn decode_inline(error: Json<'_>, holder: Json<'_>) -> GatewayError {
    let mut said = Said::default();
    read_error(error, &mut said);
    if said.message.is_empty() {
        "the provider reported an error inside its answer".clone_into(&mut said.message);
    }
    let named = |object: Json<'_>| object.get_some("status_code").and_then(|status| status.u64());
    let status = said.status.or_else(|| named(holder).and_then(|status| u16::try_from(status).ok())).unwrap_or(500);
    classify(said, status, None)
}

fn read_body(body: &[u8]) -> Said {
    let mut said = Said::default();
    match Document::from_bytes(body, Limits::default()) {
        Ok(document) => {
            let root = document.root();
            let root = if root.kind() == Kind::Array { root.items().next().unwrap_or(root) } else { root };
            match root.get_some("error") {
                Some(error) => read_error(error, &mut said),
                None => read_error(root, &mut said),
            }
        }
        Err(_) => said.message = plain_text(body),
    }
    said
}

fn read_error(error: Json<'_>, said: &mut Said) {
    let text = |holder: Json<'_>, name: &str| holder.get_some(name).and_then(words);
    if error.kind() != Kind::Object {
        said.message = words(error).unwrap_or_default();
        return;
    }
    said.message = text(error, "message")
        .or_else(|| text(error, "Message"))
        .or_else(|| text(error, "error_description"))
        .or_else(|| error.get_some("detail").map(detail_text))
        .or_else(|| text(error, "msg"))
        .unwrap_or_default();
    said.kind = text(error, "type").or_else(|| text(error, "status")).unwrap_or_default();
    said.code = text(error, "code").unwrap_or_default();
    said.param = text(error, "param").filter(|param| !param.is_empty());
    let status = ["status_code", "code", "status", "http_status"].iter().find_map(|name| {
        let value = error.get_some(name)?;
        value.u64().or_else(|| value.str()?.parse().ok()).and_then(|status| u16::try_from(status).ok())
    });
    said.status = status.filter(|status| (400..600).contains(status));
    if let Some(inner) = error.get_some("innererror").and_then(|inner| text(inner, "code")) {
        said.kind.push(' ');
        said.kind.push_str(&inner);
    }
    // An aggregator puts the provider's own words below.
    if let Some(raw) = error.get_some("metadata").and_then(|metadata| text(metadata, "raw")) {
        said.message.push_str(": ");
        said.message.push_str(&raw);
    }
    if let Some(details) = error.get_some("details") {
        said.delay = details.items().find_map(|item| {
            let delay = text(item, "retryDelay")?;
            delay.strip_suffix('s')?.parse::<f64>().ok().and_then(|delay| Duration::try_from_secs_f64(delay).ok())
        });
    }
}

/// Text of a string or number.
fn words(value: Json<'_>) -> Option<String> {
    match value.kind() {
        Kind::String => value.string(),
        Kind::Number => Some(value.raw().to_owned()),
        _ => None,
    }
}

/// `detail` as text, or as a list of `{loc, msg}`.
fn detail_text(detail: Json<'_>) -> String {
    if let Some(text) = detail.string() {
        return text;
    }
    let lines: Vec<String> = detail
        .items()
        .filter_map(|item| {
            let message = item.get_some("msg").and_then(|text| text.string())?;
            let place: Vec<String> =
                item.get_some("loc").map(|place| place.items().filter_map(words).collect()).unwrap_or_default();
            Some(if place.is_empty() { message } else { format!("{}: {message}", place.join(".")) })
        })
        .collect();
    lines.join("; ")
}

/// Readable text of a body that is not JSON: tags out, white space joined.
fn plain_text(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body.get(..body.len().min(16_384)).unwrap_or_default());
    let mut plain = String::new();
    let mut in_tag = false;
    for letter in text.chars() {
        match letter {
            '<' => in_tag = true,
            '>' => {
                in_tag = false;
                plain.push(' ');
            }
            _ if in_tag => {}
            other => plain.push(other),
        }
    }
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Words of providers' own codes and types, most telling first.
const BY_CODE: &[(&str, Code)] = &[
    ("context_length_exceeded", Code::ContextTooLong),
    ("too_many_prompt_tokens", Code::ContextTooLong),
    ("content_filter", Code::ContentPolicy),
    ("content_policy_violation", Code::ContentPolicy),
    ("ResponsibleAIPolicyViolation", Code::ContentPolicy),
    ("DataInspectionFailed", Code::ContentPolicy),
    ("data_inspection_failed", Code::ContentPolicy),
    ("insufficient_quota", Code::QuotaExhausted),
    ("credit_balance_exhausted", Code::QuotaExhausted),
    ("spend_limit_exceeded", Code::QuotaExhausted),
    ("usage_limit_exceeded", Code::QuotaExhausted),
    ("billing_hard_limit_reached", Code::QuotaExhausted),
    ("Arrearage", Code::UpstreamAuth),
    ("invalid_api_key", Code::UpstreamAuth),
    ("authentication_error", Code::UpstreamAuth),
    ("UNAUTHENTICATED", Code::UpstreamAuth),
    ("PERMISSION_DENIED", Code::UpstreamAuth),
    ("model_not_found", Code::UnknownModel),
    ("DeploymentNotFound", Code::UnknownModel),
    ("rate_limit", Code::RateLimited),
    ("RateLimitReached", Code::RateLimited),
    ("RESOURCE_EXHAUSTED", Code::RateLimited),
    ("Throttling", Code::RateLimited),
    ("slow_down", Code::RateLimited),
    ("server_is_overloaded", Code::UpstreamOverloaded),
    ("overloaded", Code::UpstreamOverloaded),
    ("engine_overloaded", Code::UpstreamOverloaded),
];

/// Phrases that tell a kind of failure when neither code nor status does.
const BY_WORDS: &[(&str, Code)] = &[
    ("maximum context length", Code::ContextTooLong),
    ("max context length", Code::ContextTooLong),
    ("context length exceeded", Code::ContextTooLong),
    ("context window", Code::ContextTooLong),
    ("prompt is too long", Code::ContextTooLong),
    ("input is too long", Code::ContextTooLong),
    ("total length of all messages is too long", Code::ContextTooLong),
    ("exceeds the maximum number of tokens", Code::ContextTooLong),
    ("token limit", Code::ContextTooLong),
    ("content management policy", Code::ContentPolicy),
];

fn classify(said: Said, status: u16, headers: Option<&HeaderMap>) -> GatewayError {
    let status_in_body = said.status.filter(|_| status < 400 || status == 500);
    let effective = status_in_body.unwrap_or(status);
    let code = code_for(&said, effective);
    let kept_code = [said.code.as_str(), said.kind.as_str()].into_iter().find(|word| !word.is_empty());
    let mut message = scrub(&said.message);
    if message.is_empty() {
        message = format!("the provider answered with status {effective}");
    }
    if code == Code::UpstreamAuth {
        // The provider's text speaks of the gateway's own account, which is not the caller's business.
        message = format!("the provider refused the gateway's credential or account (status {effective})");
    }
    let mut error = GatewayError::new(code, shorten(message)).with_upstream(effective, kept_code.map(str::to_owned));
    error.param = said.param.filter(|_| error.code == Code::BadRequest);
    error.cause = (code == Code::UpstreamAuth).then(|| shorten(scrub(&said.message)));
    error.retry = retry(&error, said.delay, headers);
    error
}

fn code_for(said: &Said, status: u16) -> Code {
    let spoken = [said.code.as_str(), said.kind.as_str()];
    let known = BY_CODE.iter().find(|(word, _)| spoken.iter().any(|text| text.contains(word)));
    if let Some((_, code)) = known {
        // A 401 or 403 is about the gateway's account whatever the code says.
        if !matches!(status, 401..=403) || *code == Code::QuotaExhausted || *code == Code::ContentPolicy {
            return *code;
        }
    }
    let wording = said.message.to_ascii_lowercase();
    let phrase = BY_WORDS.iter().find(|(phrase, _)| wording.contains(phrase)).map(|(_, code)| *code);
    match status {
        400 | 413 | 422 if phrase.is_some() => phrase.unwrap_or(Code::BadRequest),
        400 | 405 | 406 | 415 | 422 => Code::BadRequest,
        401..=403 => Code::UpstreamAuth,
        404 if wording.contains("model") || wording.contains("deployment") => Code::UnknownModel,
        404 => Code::NotFound,
        408 | 504 => Code::UpstreamTimeout,
        409 => Code::Conflict,
        413 => Code::PayloadTooLarge,
        429 if wording.contains("quota") && wording.contains("billing") => Code::QuotaExhausted,
        429 => Code::RateLimited,
        503 | 529 => Code::UpstreamOverloaded,
        400..=499 => Code::BadRequest,
        _ => phrase.unwrap_or(Code::UpstreamError),
    }
}

fn retry(error: &GatewayError, delay: Option<Duration>, headers: Option<&HeaderMap>) -> Retry {
    let header = |name: &str| headers?.get(name)?.to_str().ok().map(str::trim);
    let by_code = match error.code {
        Code::RateLimited => Retry::SameTarget,
        Code::UpstreamOverloaded | Code::UpstreamTimeout | Code::UpstreamError | Code::Conflict => Retry::SameTarget,
        Code::UpstreamAuth | Code::QuotaExhausted => Retry::OtherTarget,
        _ => Retry::Never,
    };
    if header("x-should-retry").is_some_and(|word| word.eq_ignore_ascii_case("false")) {
        return match by_code {
            Retry::Never => Retry::Never,
            _ => Retry::OtherTarget,
        };
    }
    let told = header("x-should-retry").is_some_and(|word| word.eq_ignore_ascii_case("true"));
    let millis = header("retry-after-ms").and_then(|text| text.parse::<f64>().ok()).map(|value| value / 1_000.0);
    let seconds = millis.or_else(|| header("retry-after").and_then(|text| text.parse::<f64>().ok()));
    // A date in `retry-after` needs a clock, which codecs do not have; the retry policy then backs off by itself.
    let asked = seconds.and_then(|value| Duration::try_from_secs_f64(value).ok()).or(delay);
    match (by_code, asked) {
        (Retry::SameTarget, Some(delay)) => Retry::After(delay),
        (Retry::Never, Some(delay)) if told => Retry::After(delay),
        (Retry::Never, None) if told => Retry::SameTarget,
        (other, _) => other,
    }
}

fn shorten(message: String) -> String {
    match message.char_indices().nth(LONGEST_MESSAGE) {
        Some((cut, _)) => message.get(..cut).unwrap_or_default().to_owned() + "...",
        None => message,
    }
}

/// Removes what looks like a credential.
pub(crate) fn scrub(message: &str) -> String {
    const PREFIXES: &[&str] =
        &["sk-", "gsk_", "xai-", "AIza", "ya29.", "Bearer ", "bearer ", "key=", "api_key=", "token="];
    let mut out = String::with_capacity(message.len());
    let mut rest = message;
    while !rest.is_empty() {
        let boundary = out.chars().next_back().is_none_or(|letter| !letter.is_ascii_alphanumeric());
        let found = PREFIXES.iter().find(|prefix| boundary && rest.starts_with(**prefix));
        if let Some(prefix) = found {
            let tail = rest.get(prefix.len()..).unwrap_or_default();
            let length = tail.find(|letter: char| !secret_letter(letter)).unwrap_or(tail.len());
            if length >= 6 {
                out.push_str(prefix.trim_end());
                out.push_str("[redacted]");
                rest = tail.get(length..).unwrap_or_default();
                continue;
            }
        }
        let mut letters = rest.chars();
        out.extend(letters.next());
        rest = letters.as_str();
    }
    out
}

fn secret_letter(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.' | '*' | '/' | '+' | '=' | '~')
}
