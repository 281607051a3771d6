//! Which paths belong to this format. Knows nothing of prefixes: the edge has removed them.

use gw_core::Operation;
use gw_spi::{Framing, Route};
use http::{HeaderMap, Method};

/// Native calls that are relayed untouched: path and the methods it takes, the usual one first.
const NATIVE: &[(&str, Method)] = &[
    ("/completions", Method::POST),
    ("/embeddings", Method::POST),
    ("/moderations", Method::POST),
    ("/images/generations", Method::POST),
    ("/images/edits", Method::POST),
    ("/images/variations", Method::POST),
    ("/audio/speech", Method::POST),
    ("/audio/transcriptions", Method::POST),
    ("/audio/translations", Method::POST),
];

/// Native trees that take several methods.
const NATIVE_TREES: &[&str] = &["/responses", "/videos"];

/// Method names of the Gemini format, which shares `/v1/models/`.
const GEMINI_ACTIONS: &[&str] = &[
    ":generateContent",
    ":streamGenerateContent",
    ":countTokens",
    ":embedContent",
    ":batchEmbedContents",
    ":predict",
    ":predictLongRunning",
    ":rawPredict",
    ":streamRawPredict",
];

/// Recognises a path; see [`gw_spi::Ingress::route`].
pub(crate) fn route(method: &Method, path: &str, headers: &HeaderMap) -> Option<Route> {
    let path = path.strip_suffix('/').unwrap_or(path);
    let path = path.strip_prefix("/openai").filter(|rest| rest.starts_with('/')).unwrap_or(path);
    let rest = path.strip_prefix("/v1").filter(|rest| rest.starts_with('/')).unwrap_or(path);
    if let Some(deployment) = rest.strip_prefix("/deployments/") {
        let (name, call) = deployment.split_once('/')?;
        let model = percent_decode(name).filter(|model| !model.is_empty())?;
        let mut found = call_route(method, &format!("/{call}"))?;
        found.model = Some(model);
        return Some(found);
    }
    if rest == "/models" || rest.starts_with("/models/") {
        return models(rest, headers);
    }
    call_route(method, rest)
}

fn call_route(method: &Method, rest: &str) -> Option<Route> {
    if rest == "/chat/completions" {
        return Some(plain(Operation::Chat, Method::POST));
    }
    if let Some((_, takes)) = NATIVE.iter().find(|(path, _)| *path == rest) {
        return Some(plain(Operation::Native, takes.clone()));
    }
    for tree in NATIVE_TREES {
        let Some(below) = rest.strip_prefix(tree) else { continue };
        if below.is_empty() || below.starts_with('/') {
            let several = [Method::GET, Method::POST, Method::DELETE];
            let usual = if below.is_empty() { Method::POST } else { Method::GET };
            let takes = if several.contains(method) { method.clone() } else { usual };
            return Some(plain(Operation::Native, takes));
        }
    }
    None
}

fn models(rest: &str, headers: &HeaderMap) -> Option<Route> {
    // The Anthropic format shares these paths and always names its version.
    if headers.contains_key("anthropic-version") {
        return None;
    }
    let Some(id) = rest.strip_prefix("/models/") else { return Some(plain(Operation::ListModels, Method::GET)) };
    if id.is_empty() || GEMINI_ACTIONS.iter().any(|action| id.ends_with(action)) {
        return None;
    }
    let mut route = plain(Operation::GetModel, Method::GET);
    route.model = Some(percent_decode(id)?);
    Some(route)
}

fn plain(operation: Operation, method: Method) -> Route {
    Route { operation, method, model: None, stream: None, stream_framing: Framing::Sse }
}

/// Undoes percent-encoding; `None` when the result is not UTF-8. A stray `%` stays as it is.
fn percent_decode(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let digits = tail.get(..2).and_then(|pair| std::str::from_utf8(pair).ok());
        let byte = digits.filter(|_| *first == b'%').and_then(|pair| u8::from_str_radix(pair, 16).ok());
        out.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { tail.get(2..).unwrap_or_default() } else { tail };
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use gw_core::Operation;
    use http::{HeaderMap, HeaderValue, Method};

    use super::route;

    fn find(method: &Method, path: &str) -> Option<(Operation, Method, Option<String>)> {
        route(method, path, &HeaderMap::new()).map(|found| (found.operation, found.method, found.model))
    }

    #[test]
    fn chat_is_found_with_and_without_version() {
        for path in
            ["/v1/chat/completions", "/chat/completions", "/openai/v1/chat/completions", "/v1/chat/completions/"]
        {
            assert_eq!(find(&Method::GET, path), Some((Operation::Chat, Method::POST, None)), "{path}");
        }
        let azure = find(&Method::POST, "/deployments/my%2Fdep/chat/completions");
        assert_eq!(azure, Some((Operation::Chat, Method::POST, Some("my/dep".into()))));
    }

    #[test]
    fn models_take_slashes_and_colons_but_not_gemini_actions() {
        let found = find(&Method::GET, "/v1/models/meta/llama:8b%20x").unwrap();
        assert_eq!(found, (Operation::GetModel, Method::GET, Some("meta/llama:8b x".into())));
        assert_eq!(find(&Method::POST, "/v1/models"), Some((Operation::ListModels, Method::GET, None)));
        assert_eq!(find(&Method::POST, "/v1/models/g:generateContent"), None);
        let mut headers = HeaderMap::new();
        headers.insert("anthropic-version", HeaderValue::from_static("2023-06-01"));
        assert_eq!(route(&Method::GET, "/v1/models", &headers), None);
        assert_eq!(route(&Method::GET, "/v1/models/x", &headers), None);
    }

    #[test]
    fn native_calls_are_a_closed_list() {
        assert_eq!(find(&Method::POST, "/v1/embeddings"), Some((Operation::Native, Method::POST, None)));
        assert_eq!(find(&Method::GET, "/v1/videos/v_1/content"), Some((Operation::Native, Method::GET, None)));
        assert_eq!(find(&Method::PUT, "/v1/responses"), Some((Operation::Native, Method::POST, None)));
        assert_eq!(find(&Method::POST, "/v1/files"), None);
        assert_eq!(find(&Method::POST, "/v1/responsesx"), None);
    }
}
