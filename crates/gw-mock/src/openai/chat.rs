//! Chat completions, whole and streamed.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::chat_request::ChatRequest;
use super::chat_usage;
use crate::answer::{Answer, Call, Reply, Stop};
use crate::script::Script;

pub(crate) use super::chat_request::parse;

/// The whole answer as one JSON object.
pub(crate) fn whole(request: &ChatRequest, reply: &Reply, with_usage: bool) -> Value {
    let choices: Vec<Value> = reply
        .answers
        .iter()
        .enumerate()
        .map(|(index, answer)| {
            json!({
                "index": index,
                "message": message(answer, request.legacy_functions),
                "logprobs": request.logprobs.then(|| logprobs(&answer.text)),
                "finish_reason": finish_reason(answer, request.legacy_functions),
            })
        })
        .collect();
    let mut body = envelope(request, reply, "chat.completion");
    body.insert("choices".to_owned(), Value::Array(choices));
    if with_usage {
        body.insert("usage".to_owned(), chat_usage(&reply.usage));
    }
    Value::Object(body)
}

/// The same answer as a stream of chunks.
pub(crate) fn stream(request: &ChatRequest, reply: &Reply, with_usage: bool) -> Script {
    let mut chunks = Chunks { request, reply, with_usage, frames: Vec::new() };
    for (index, answer) in reply.answers.iter().enumerate() {
        chunks.delta(index, json!({"role": "assistant", "content": "", "refusal": null}), Value::Null, None);
        for piece in &answer.reasoning {
            chunks.delta(index, json!({"reasoning_content": piece}), Value::Null, None);
        }
        let key = if answer.stop == Stop::Refusal { "refusal" } else { "content" };
        for piece in &answer.text {
            let logprobs = request.logprobs.then(|| logprobs(std::slice::from_ref(piece)));
            chunks.delta(index, json!({key: piece}), Value::Null, logprobs);
        }
        for (at, call) in answer.calls.iter().enumerate() {
            chunks.call(index, at, call);
        }
        let reason = json!(finish_reason(answer, request.legacy_functions));
        chunks.delta(index, json!({}), reason, None);
    }
    if request.include_usage && with_usage {
        let mut chunk = envelope(request, reply, "chat.completion.chunk");
        chunk.insert("choices".to_owned(), json!([]));
        chunk.insert("usage".to_owned(), chat_usage(&reply.usage));
        chunks.frames.push(frame(&Value::Object(chunk)));
    }
    chunks.frames.push(Bytes::from_static(b"data: [DONE]\n\n"));
    Script::sse(chunks.frames)
}

struct Chunks<'a> {
    request: &'a ChatRequest,
    reply: &'a Reply,
    with_usage: bool,
    frames: Vec<Bytes>,
}

impl Chunks<'_> {
    fn delta(&mut self, index: usize, delta: Value, finish_reason: Value, logprobs: Option<Value>) {
        let mut chunk = envelope(self.request, self.reply, "chat.completion.chunk");
        let choice = json!({"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish_reason});
        chunk.insert("choices".to_owned(), json!([choice]));
        if self.request.include_usage && self.with_usage {
            chunk.insert("usage".to_owned(), Value::Null);
        }
        self.frames.push(frame(&Value::Object(chunk)));
    }

    /// Name and id first, then the arguments in fragments that only carry the index.
    fn call(&mut self, index: usize, at: usize, call: &Call) {
        if self.request.legacy_functions {
            self.delta(index, json!({"function_call": {"name": call.name, "arguments": ""}}), Value::Null, None);
            for fragment in call.argument_fragments() {
                self.delta(index, json!({"function_call": {"arguments": fragment}}), Value::Null, None);
            }
            return;
        }
        let (kind, key) = if call.custom { ("custom", "input") } else { ("function", "arguments") };
        let opening = json!({"index": at, "id": call_id(call), "type": kind, kind: {"name": call.name, key: ""}});
        self.delta(index, json!({"tool_calls": [opening]}), Value::Null, None);
        for fragment in call.argument_fragments() {
            let fragment = json!({"index": at, kind: {key: fragment}});
            self.delta(index, json!({"tool_calls": [fragment]}), Value::Null, None);
        }
    }
}

/// One SSE event without a name.
pub(crate) fn frame(value: &Value) -> Bytes {
    Bytes::from(format!("data: {value}\n\n"))
}

fn envelope(request: &ChatRequest, reply: &Reply, object: &str) -> Map<String, Value> {
    let body = json!({
        "id": format!("chatcmpl-{}", reply.id),
        "object": object,
        "created": reply.created,
        "model": request.prompt.model,
        "service_tier": "default",
        "system_fingerprint": "fp_mock",
    });
    match body {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn message(answer: &Answer, legacy_functions: bool) -> Value {
    let text = answer.text.concat();
    let mut message = json!({"role": "assistant", "content": text, "refusal": null, "annotations": []});
    let Some(fields) = message.as_object_mut() else { return message };
    if answer.stop == Stop::Refusal {
        fields.insert("content".to_owned(), Value::Null);
        fields.insert("refusal".to_owned(), json!(text));
    } else if text.is_empty() && !answer.calls.is_empty() {
        fields.insert("content".to_owned(), Value::Null);
    }
    if !answer.reasoning.is_empty() {
        fields.insert("reasoning_content".to_owned(), json!(answer.reasoning.concat()));
    }
    if let (true, Some(call)) = (legacy_functions, answer.calls.first()) {
        fields.insert("function_call".to_owned(), json!({"name": call.name, "arguments": call.arguments_text()}));
    } else if !answer.calls.is_empty() {
        let calls: Vec<Value> = answer
            .calls
            .iter()
            .map(|call| {
                let (kind, key) = if call.custom { ("custom", "input") } else { ("function", "arguments") };
                json!({"id": call_id(call), "type": kind, kind: {"name": call.name, key: call.arguments_text()}})
            })
            .collect();
        fields.insert("tool_calls".to_owned(), Value::Array(calls));
    }
    message
}

fn call_id(call: &Call) -> String {
    format!("call_{}", call.id)
}

fn finish_reason(answer: &Answer, legacy_functions: bool) -> &'static str {
    match answer.stop {
        Stop::End | Stop::Sequence(_) | Stop::Refusal => "stop",
        Stop::MaxTokens => "length",
        Stop::Calls if legacy_functions => "function_call",
        Stop::Calls => "tool_calls",
    }
}

fn logprobs(pieces: &[String]) -> Value {
    let content: Vec<Value> = pieces
        .iter()
        .map(|piece| json!({"token": piece, "logprob": -0.25, "bytes": piece.as_bytes(), "top_logprobs": []}))
        .collect();
    json!({"content": content, "refusal": null})
}
