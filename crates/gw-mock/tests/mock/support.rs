//! Sending requests to the mock in this process, and reading its streams.

use bytes::Bytes;
use gw_mock::{MockBody, MockService, Settings};
use http::{HeaderMap, Method, Request, Response};
use http_body_util::BodyExt;
use serde_json::Value;

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) broken: bool,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Name and data of every SSE event.
    pub(crate) fn events(&self) -> Vec<(String, String)> {
        let text = self.text();
        assert!(text.is_empty() || text.ends_with("\n\n"), "the last event is not closed: {text}");
        let blocks = text.split("\n\n").filter(|block| !block.is_empty() && !block.starts_with(':'));
        let field = |block: &str, name: &str| {
            block.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().to_owned()
        };
        blocks.map(|block| (field(block, "event: "), field(block, "data: "))).collect()
    }

    /// The JSON of every event but `[DONE]`.
    pub(crate) fn data(&self) -> Vec<Value> {
        let events = self.events();
        let data = events.iter().map(|(_, data)| data).filter(|data| *data != "[DONE]");
        data.map(|data| serde_json::from_str(data).unwrap_or_else(|error| panic!("{error}: {data}"))).collect()
    }
}

pub(crate) fn service() -> MockService {
    MockService::new(Settings::recording())
}

pub(crate) fn request(method: Method, path: &str, headers: &[(&str, &str)], body: Bytes) -> Request<Bytes> {
    let mut builder = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    builder.body(body).unwrap()
}

pub(crate) fn post_request(path: &str, body: &Value) -> Request<Bytes> {
    let mut headers = vec![("content-type", "application/json")];
    if path.contains("/messages") {
        headers.push(("anthropic-version", "2023-06-01"));
    }
    request(Method::POST, path, &headers, Bytes::from(body.to_string()))
}

pub(crate) async fn collect(response: Response<MockBody>) -> Answer {
    let (head, mut body) = response.into_parts();
    let mut bytes = Vec::new();
    let mut broken = false;
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => bytes.extend_from_slice(&frame.into_data().unwrap()),
            Err(_) => {
                broken = true;
                break;
            }
        }
    }
    Answer { status: head.status.as_u16(), headers: head.headers, body: Bytes::from(bytes), broken }
}

pub(crate) async fn post(path: &str, body: &Value) -> Answer {
    collect(service().respond(post_request(path, body)).await).await
}

pub(crate) async fn get(path: &str, headers: &[(&str, &str)]) -> Answer {
    collect(service().respond(request(Method::GET, path, headers, Bytes::new())).await).await
}

/// Posts and expects 200 with JSON.
pub(crate) async fn ok(path: &str, body: &Value) -> Value {
    let answer = post(path, body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// The body with one more field.
pub(crate) fn with(body: &Value, key: &str, value: Value) -> Value {
    let mut body = body.clone();
    body.as_object_mut().unwrap().insert(key.to_owned(), value);
    body
}

/// A tool as a name, description and schema.
pub(crate) fn weather_schema() -> Value {
    serde_json::json!({
        "type": "object",
        "properties": {
            "city": {"type": "string"},
            "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
            "days": {"type": "integer", "minimum": 1, "maximum": 7},
        },
        "required": ["city"],
    })
}
