//! Paths of the Messages API.

use gw_core::Operation;
use gw_spi::{Framing, Route};
use http::{HeaderMap, Method};

/// Recognises a path. `/v1/models` is shared with another format: the `anthropic-version` header decides,
/// or the path prefix, which the edge announces in `x-irongate-prefix`.
pub(crate) fn route(path: &str, headers: &HeaderMap) -> Option<Route> {
    let path = path.strip_suffix('/').unwrap_or(path);
    let path = path.strip_prefix("/v1").filter(|rest| rest.starts_with('/')).unwrap_or(path);
    let prefixed = headers.get("x-irongate-prefix").is_some_and(|prefix| prefix == "anthropic");
    match path {
        "/messages" => Some(made(Operation::Chat, Method::POST, None, Framing::Sse)),
        "/messages/count_tokens" => Some(made(Operation::CountTokens, Method::POST, None, Framing::Json)),
        _ if !headers.contains_key("anthropic-version") && !prefixed => None,
        "/models" => Some(made(Operation::ListModels, Method::GET, None, Framing::Json)),
        _ => {
            let id = path.strip_prefix("/models/").filter(|id| !id.is_empty())?;
            Some(made(Operation::GetModel, Method::GET, Some(percent_decoded(id)), Framing::Json))
        }
    }
}

fn made(operation: Operation, method: Method, model: Option<String>, stream_framing: Framing) -> Route {
    Route { operation, method, model, stream: None, stream_framing }
}

/// Undoes `%XX`; text that is not a valid escape, or not UTF-8 afterwards, stays as it is.
fn percent_decoded(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at).copied() {
        let escape = (byte == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        match escape.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(decoded) => {
                out.push(decoded);
                at += 3;
            }
            None => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]
mod tests {
    use super::route;
    use gw_core::Operation;
    use http::{HeaderMap, HeaderValue};

    #[test]
    fn paths_are_told_apart() {
        let bare = HeaderMap::new();
        let mut versioned = HeaderMap::new();
        versioned.insert("anthropic-version", HeaderValue::from_static("2023-06-01"));
        let operation = |path: &str, headers: &HeaderMap| route(path, headers).map(|route| route.operation);
        for path in ["/v1/messages", "/messages", "/v1/messages/"] {
            assert_eq!(operation(path, &bare), Some(Operation::Chat));
        }
        assert_eq!(operation("/v1/messages/count_tokens", &bare), Some(Operation::CountTokens));
        assert_eq!(operation("/v1/models", &bare), None);
        assert_eq!(operation("/v1/models", &versioned), Some(Operation::ListModels));
        assert_eq!(route("/v1/models/a%2Fb:c", &versioned).unwrap().model.as_deref(), Some("a/b:c"));
        assert_eq!(operation("/v1/messages/batches", &versioned), None);
        assert_eq!(operation("/v1messages", &bare), None);
    }
}
