//! Which endpoint of which vendor a path means, wherever it is mounted.

use http::{HeaderMap, Method};

use crate::failure::{Failure, Vendor};

/// An endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    Chat { deployment: Option<String> },
    Completions,
    Responses,
    ResponsesInputTokens,
    Embeddings,
    Images,
    Speech,
    Transcription,
    Moderations,
    Rerank,
    VideoJob,
    VideoStatus(String),
    VideoContent,
    Messages { model: Option<String>, stream: Option<bool> },
    CountTokens,
    Gemini { model: String, action: String },
    Models,
    Model(String),
    Token,
    Health,
}

/// An endpoint and the wire format of its answers, errors included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) target: Target,
    pub(crate) vendor: Vendor,
}

/// Finds the endpoint; an unknown path is a 404, a known one with the wrong method a 405, in the likeliest dialect.
pub(crate) fn route(method: &Method, path: &str, headers: &HeaderMap) -> Result<Route, (Vendor, Failure)> {
    let path = path.trim_end_matches('/');
    let found = find(path, headers);
    let Some((route, expected)) = found else {
        let vendor = guess(path, headers);
        let message = match vendor {
            Vendor::Anthropic => "Not found".to_owned(),
            _ => format!("Invalid URL ({method} {path})"),
        };
        return Err((vendor, Failure::new(404, message)));
    };
    let fits = method == expected || (expected == Method::GET && method == Method::HEAD);
    if fits {
        return Ok(route);
    }
    let message = match route.vendor {
        Vendor::Anthropic => "Method Not Allowed".to_owned(),
        _ => format!("Not allowed to {method} on {path}. (HINT: Perhaps you meant to use a different HTTP method?)"),
    };
    Err((route.vendor, Failure::new(405, message)))
}

fn find(path: &str, headers: &HeaderMap) -> Option<(Route, Method)> {
    let vendor_of_list = guess(path, headers);
    if path.is_empty() || path.ends_with("/health") {
        return Some((Route { target: Target::Health, vendor: vendor_of_list }, Method::GET));
    }
    if let Some(found) = by_action(path) {
        return Some((found, Method::POST));
    }
    let posts = [
        ("/completions", Target::Completions),
        ("/responses", Target::Responses),
        ("/responses/input_tokens", Target::ResponsesInputTokens),
        ("/embeddings", Target::Embeddings),
        ("/images/generations", Target::Images),
        ("/images/edits", Target::Images),
        ("/images/variations", Target::Images),
        ("/audio/speech", Target::Speech),
        ("/audio/transcriptions", Target::Transcription),
        ("/audio/translations", Target::Transcription),
        ("/moderations", Target::Moderations),
        ("/rerank", Target::Rerank),
        ("/videos", Target::VideoJob),
        ("/token", Target::Token),
    ];
    if path.ends_with("/chat/completions") {
        let target = Target::Chat { deployment: between(path, "/deployments/", "/") };
        return Some((Route { target, vendor: Vendor::OpenAi }, Method::POST));
    }
    if path.ends_with("/messages/count_tokens") {
        return Some((Route { target: Target::CountTokens, vendor: Vendor::Anthropic }, Method::POST));
    }
    if path.ends_with("/messages") {
        let target = Target::Messages { model: None, stream: None };
        return Some((Route { target, vendor: Vendor::Anthropic }, Method::POST));
    }
    if path.ends_with("/invoke")
        && let Some(model) = between(path, "/model/", "/invoke")
    {
        let target = Target::Messages { model: Some(model), stream: Some(false) };
        return Some((Route { target, vendor: Vendor::Anthropic }, Method::POST));
    }
    if let Some((_, target)) = posts.into_iter().find(|(suffix, _)| path.ends_with(suffix)) {
        return Some((Route { target, vendor: Vendor::OpenAi }, Method::POST));
    }
    if let Some((_, rest)) = path.split_once("/videos/") {
        let (id, action) = rest.split_once('/').unwrap_or((rest, ""));
        let (target, method) = match action {
            "remix" => (Target::VideoJob, Method::POST),
            "content" => (Target::VideoContent, Method::GET),
            "" => (Target::VideoStatus(id.to_owned()), Method::GET),
            _ => return None,
        };
        return Some((Route { target, vendor: Vendor::OpenAi }, method));
    }
    if path.ends_with("/models") {
        return Some((Route { target: Target::Models, vendor: vendor_of_list }, Method::GET));
    }
    let (_, name) = path.split_once("/models/")?;
    Some((Route { target: Target::Model(decode(name)), vendor: vendor_of_list }, Method::GET))
}

/// `.../models/{model}:{action}`, split at the last colon, as Google's services have it.
fn by_action(path: &str) -> Option<Route> {
    let (head, action) = path.rsplit_once(':')?;
    let (_, model) = head.split_once("/models/").or_else(|| head.split_once("/tunedModels/"))?;
    let model = decode(model);
    let target = match action {
        "generateContent" | "streamGenerateContent" | "countTokens" | "embedContent" | "batchEmbedContents" => {
            return Some(Route { target: Target::Gemini { model, action: action.to_owned() }, vendor: Vendor::Gemini });
        }
        "rawPredict" if model == "count-tokens" => Target::CountTokens,
        "rawPredict" => Target::Messages { model: Some(model), stream: None },
        "streamRawPredict" => Target::Messages { model: Some(model), stream: Some(true) },
        _ => return None,
    };
    Some(Route { target, vendor: Vendor::Anthropic })
}

/// Whose dialect a shared or unknown path most likely is.
fn guess(path: &str, headers: &HeaderMap) -> Vendor {
    if headers.contains_key("anthropic-version") || path.contains("/anthropic/") {
        Vendor::Anthropic
    } else if path.contains("/v1beta") || headers.contains_key("x-goog-api-key") {
        Vendor::Gemini
    } else {
        Vendor::OpenAi
    }
}

fn between(path: &str, start: &str, end: &str) -> Option<String> {
    let (_, rest) = path.split_once(start)?;
    let (name, _) = rest.split_once(end)?;
    Some(decode(name))
}

/// Percent-decodes a path segment; broken escapes stay as they are.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let escaped = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match (first, escaped.and_then(|hex| u8::from_str_radix(hex, 16).ok())) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn target(path: &str) -> Target {
        route(&Method::POST, path, &HeaderMap::new()).unwrap().target
    }

    #[test]
    fn endpoints_are_found_wherever_they_are_mounted() {
        for path in [
            "/v1/chat/completions",
            "/chat/completions",
            "/openai/v1/chat/completions",
            "/compatible-mode/v1/chat/completions/",
        ] {
            assert_eq!(target(path), Target::Chat { deployment: None }, "{path}");
        }
        assert_eq!(
            target("/openai/deployments/my-gpt/chat/completions"),
            Target::Chat { deployment: Some("my-gpt".to_owned()) }
        );
        let gemini = |model: &str| Target::Gemini { model: model.to_owned(), action: "generateContent".to_owned() };
        assert_eq!(target("/v1beta/models/gemini-2.5-pro:generateContent"), gemini("gemini-2.5-pro"));
        assert_eq!(target("/v1/models/a:b%2Bdelay%3D1s:generateContent"), gemini("a:b+delay=1s"));
        assert_eq!(
            target("/v1/projects/p/locations/l/publishers/google/models/gemini-3-pro:generateContent"),
            gemini("gemini-3-pro")
        );
        assert_eq!(
            target("/v1/projects/p/locations/l/publishers/anthropic/models/claude:streamRawPredict"),
            Target::Messages { model: Some("claude".to_owned()), stream: Some(true) }
        );
        assert_eq!(target("/anthropic/v1/messages"), Target::Messages { model: None, stream: None });
    }

    #[test]
    fn wrong_paths_and_methods_fail_in_the_likeliest_dialect() {
        let (vendor, failure) = route(&Method::POST, "/v1beta/nothing", &HeaderMap::new()).unwrap_err();
        assert_eq!((vendor, failure.status), (Vendor::Gemini, 404));
        let (vendor, failure) = route(&Method::GET, "/v1/messages", &HeaderMap::new()).unwrap_err();
        assert_eq!((vendor, failure.status), (Vendor::Anthropic, 405));
    }
}
