//! Reader of recorded provider traffic. The recordings stay outside the repository.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::value::RawValue;

/// One recorded HTTP exchange.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// Short id, for messages.
    pub id: String,
    /// Provider, for example `openai`.
    pub provider: String,
    /// Endpoint, for example `chat.completions`.
    pub endpoint: String,
    /// Request method.
    pub method: String,
    /// Request path with query.
    pub path: String,
    /// Request body.
    pub request: Option<Vec<u8>>,
    /// Response status.
    pub status: u16,
    /// Response headers.
    pub response_headers: BTreeMap<String, String>,
    /// Response body after content decoding.
    pub response: Vec<u8>,
    /// Whether the response is a stream.
    pub is_stream: bool,
    /// `sse`, `json-array`, ... of a stream.
    pub stream_format: Option<String>,
    /// What the exchange shows, for example `parallel_tool_calls`.
    pub features: Vec<String>,
    /// How faithful the bytes are.
    pub raw: String,
    /// Model.
    pub model: Option<String>,
}

#[derive(Deserialize)]
struct Line {
    id: String,
    provider: String,
    endpoint: String,
    #[serde(default)]
    method: Option<String>,
    #[serde(default)]
    path: Option<String>,
    #[serde(default)]
    request_json: Option<Box<RawValue>>,
    #[serde(default)]
    request_text: Option<String>,
    #[serde(default)]
    request_b64: Option<String>,
    status: Option<u16>,
    #[serde(default)]
    response_headers: BTreeMap<String, String>,
    #[serde(default)]
    response_body: Option<String>,
    #[serde(default)]
    response_b64: Option<String>,
    is_stream: bool,
    stream_format: Option<String>,
    #[serde(default)]
    features: Vec<String>,
    raw: String,
    model: Option<String>,
}

impl Exchange {
    /// Whether the recording shows this feature.
    #[must_use]
    pub fn has(&self, feature: &str) -> bool {
        self.features.iter().any(|known| known == feature)
    }

    /// Whether the provider answered with success.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether the exchange is in OpenAI's Chat Completions format, whoever the provider is.
    #[must_use]
    pub fn is_openai_chat(&self) -> bool {
        self.endpoint == "chat.completions"
    }

    /// Whether the exchange is in Anthropic's Messages format.
    #[must_use]
    pub fn is_anthropic(&self) -> bool {
        self.endpoint == "messages"
    }

    /// Whether the exchange is in Gemini's generateContent format.
    #[must_use]
    pub fn is_gemini(&self) -> bool {
        matches!(self.endpoint.as_str(), "generateContent" | "streamGenerateContent")
    }
}

/// The folder with the recordings: `IRONGATE_CORPUS`, else `../shared/corpus` of the workspace or of a folder above.
#[must_use]
pub fn folder() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("IRONGATE_CORPUS") {
        return Some(PathBuf::from(named)).filter(|folder| folder.join("core.jsonl").is_file());
    }
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|above| above.join("shared/corpus"))
        .find(|folder| folder.join("core.jsonl").is_file())
}

/// All recordings; `None`, and a line that says so, where there are none.
///
/// # Panics
/// When a line of the recordings cannot be read.
#[must_use]
pub fn load() -> Option<Vec<Exchange>> {
    let Some(folder) = folder() else {
        println!("skipped: corpus not found (set IRONGATE_CORPUS to the folder that holds core.jsonl)");
        return None;
    };
    let text = std::fs::read_to_string(folder.join("core.jsonl")).expect("the corpus is readable");
    Some(text.lines().filter(|line| !line.trim().is_empty()).map(read_line).collect())
}

fn read_line(line: &str) -> Exchange {
    let line: Line = serde_json::from_str(line).expect("a corpus line follows its README");
    let request = match (line.request_json, line.request_text, line.request_b64) {
        // RawValue keeps the text of the line, so that numbers and key order stay.
        (Some(json), _, _) if json.get() != "null" => Some(json.get().as_bytes().to_vec()),
        (_, Some(text), _) => Some(text.into_bytes()),
        (_, _, Some(base64)) => decode_base64(&base64),
        _ => None,
    };
    let response = match (line.response_body, line.response_b64) {
        (Some(text), _) => text.into_bytes(),
        (None, Some(base64)) => decode_base64(&base64).expect("valid base64"),
        (None, None) => Vec::new(),
    };
    Exchange {
        id: line.id,
        provider: line.provider,
        endpoint: line.endpoint,
        method: line.method.unwrap_or_default(),
        path: line.path.unwrap_or_default(),
        request,
        status: line.status.unwrap_or(200),
        response_headers: line.response_headers,
        response,
        is_stream: line.is_stream,
        stream_format: line.stream_format,
        features: line.features,
        raw: line.raw,
        model: line.model,
    }
}

/// Decodes standard base64; `None` for other letters.
#[must_use]
pub fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut held) = (0u32, 0u32);
    for letter in text.bytes().filter(|letter| !letter.is_ascii_whitespace() && *letter != b'=') {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push(u8::try_from((bits >> held) & 0xff).unwrap_or_default());
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::decode_base64;

    #[test]
    fn base64_is_decoded() {
        assert_eq!(decode_base64("aGVsbG8=").unwrap(), b"hello");
        assert_eq!(decode_base64("a b"), Some(vec![0x69]));
        assert_eq!(decode_base64("?"), None);
    }
}
