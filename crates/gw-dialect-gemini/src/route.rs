//! Which paths this format serves, and what they name.

use gw_core::Operation;
use gw_spi::{Framing, Route};
use http::{HeaderMap, Method};

/// The edge sets this header when it removed a path prefix that selects a dialect.
const PREFIX_HEADER: &str = "x-irongate-prefix";

const VERSIONS: [&str; 4] = ["v1beta", "v1", "v1alpha", "v1beta1"];

/// Recognises a path, its prefix already removed.
pub(crate) fn route(method: &Method, path: &str, query: Option<&str>, headers: &HeaderMap) -> Option<Route> {
    let (version, rest) = path.strip_prefix('/')?.split_once('/')?;
    if !VERSIONS.contains(&version) {
        return None;
    }
    // `/v1/models` and `/v1/models/{id}` are OpenAI's unless the caller chose this dialect by prefix.
    let prefixed = headers.get(PREFIX_HEADER).is_some_and(|value| value.as_bytes() == b"gemini");
    let shared = version == "v1" && !prefixed;
    if matches!(rest, "models" | "models/") {
        return (!shared).then(|| listing(Operation::ListModels, None));
    }
    let (keep, named) = match rest.strip_prefix("models/") {
        Some(named) => ("", named),
        None => ("tunedModels/", rest.strip_prefix("tunedModels/")?),
    };
    let decoded = percent_decoded(named);
    let named = decoded.strip_prefix("models/").unwrap_or(&decoded);
    if named.is_empty() {
        return None;
    }
    if let Some((model, action)) = named.rsplit_once(':')
        && !model.is_empty()
        && !action.is_empty()
        && action.bytes().all(|letter| letter.is_ascii_alphabetic())
    {
        let model = format!("{keep}{model}");
        if *method == Method::POST {
            return Some(called(model, action, query));
        }
        if !shared && known(action) {
            // A known call by the wrong method: the route says which one it takes.
            return Some(called(model, action, query));
        }
    }
    (!shared && *method != Method::POST).then(|| listing(Operation::GetModel, Some(format!("{keep}{named}"))))
}

fn known(action: &str) -> bool {
    matches!(
        action,
        "generateContent" | "streamGenerateContent" | "countTokens" | "embedContent" | "batchEmbedContents"
    )
}

fn called(model: String, action: &str, query: Option<&str>) -> Route {
    let server_sent = query.is_some_and(|query| query.split('&').any(|pair| matches!(pair, "alt=sse" | "$alt=sse")));
    let (operation, stream, stream_framing) = match action {
        "generateContent" => (Operation::Chat, None, Framing::Sse),
        "streamGenerateContent" if server_sent => (Operation::Chat, Some(true), Framing::Sse),
        "streamGenerateContent" => (Operation::Chat, Some(true), Framing::JsonArray),
        "countTokens" => (Operation::CountTokens, Some(false), Framing::Json),
        _ => (Operation::Native, None, if server_sent { Framing::Sse } else { Framing::Json }),
    };
    Route { operation, method: Method::POST, model: Some(model), stream, stream_framing }
}

fn listing(operation: Operation, model: Option<String>) -> Route {
    Route { operation, method: Method::GET, model, stream: Some(false), stream_framing: Framing::Json }
}

/// Undoes `%XX`; what is not valid stays as written.
fn percent_decoded(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match hex.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if *first == b'%' => {
                out.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            _ => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::route;
    use gw_core::Operation;
    use gw_spi::Framing;
    use http::{HeaderMap, HeaderValue, Method};

    fn of(
        method: &Method,
        path: &str,
        query: Option<&str>,
    ) -> Option<(Operation, Option<String>, Option<bool>, Framing)> {
        route(method, path, query, &HeaderMap::new())
            .map(|route| (route.operation, route.model, route.stream, route.stream_framing))
    }

    #[test]
    fn actions_are_split_from_the_model_at_the_last_colon() {
        let post = Method::POST;
        let chat = |model: &str, stream, framing| Some((Operation::Chat, Some(model.to_owned()), stream, framing));
        assert_eq!(of(&post, "/v1beta/models/m:generateContent", None), chat("m", None, Framing::Sse));
        assert_eq!(of(&post, "/v1/models/a/b:c%2Fd:generateContent", None), chat("a/b:c/d", None, Framing::Sse));
        assert_eq!(
            of(&post, "/v1beta/models/m:streamGenerateContent", Some("key=x&alt=sse")),
            chat("m", Some(true), Framing::Sse)
        );
        assert_eq!(of(&post, "/v1/models/m:streamGenerateContent", None), chat("m", Some(true), Framing::JsonArray));
        assert_eq!(of(&post, "/v1beta/tunedModels/t:generateContent", None), chat("tunedModels/t", None, Framing::Sse));
        assert_eq!(of(&post, "/v1beta/models/m:countTokens", None).unwrap().0, Operation::CountTokens);
        assert_eq!(of(&post, "/v1beta/models/m:batchEmbedContents", None).unwrap().0, Operation::Native);
        assert_eq!(of(&post, "/v1beta/models/m:predict", None).unwrap().0, Operation::Native);
    }

    #[test]
    fn shared_paths_stay_with_the_other_dialects() {
        let get = Method::GET;
        assert_eq!(of(&get, "/v1/models", None), None);
        assert_eq!(of(&get, "/v1/models/gpt-x", None), None);
        assert_eq!(of(&get, "/v1/models/llama3:latest", None), None);
        assert_eq!(of(&Method::POST, "/v1/models/llama3", None), None);
        assert_eq!(of(&get, "/v1beta/models", None).unwrap().0, Operation::ListModels);
        assert_eq!(of(&get, "/v1beta/models/llama3:8b", None).unwrap().1.as_deref(), Some("llama3:8b"));
        let mut headers = HeaderMap::new();
        headers.insert("x-irongate-prefix", HeaderValue::from_static("gemini"));
        assert_eq!(route(&get, "/v1/models", None, &headers).unwrap().operation, Operation::ListModels);
        assert_eq!(route(&get, "/v1/models/m", None, &headers).unwrap().operation, Operation::GetModel);
        assert_eq!(of(&Method::POST, "/v1/messages", None), None);
        assert_eq!(of(&Method::POST, "/v1/chat/completions", None), None);
    }

    #[test]
    fn a_known_call_by_the_wrong_method_names_the_right_one() {
        let found = route(&Method::GET, "/v1beta/models/m:generateContent", None, &HeaderMap::new()).unwrap();
        assert_eq!((found.operation, found.method), (Operation::Chat, Method::POST));
    }
}
