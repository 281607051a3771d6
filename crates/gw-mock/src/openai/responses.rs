//! The Responses API, whole and as the full event lifecycle.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::responses_request::{ResponsesRequest, SIGNED};
use crate::answer::{Answer, Call, Reply, Stop};
use crate::failure::{Failure, Vendor};
use crate::script::{Framing, Script};
use crate::signature;

pub(crate) use super::responses_request::parse;

/// The finished response object.
pub(crate) fn whole(request: &ResponsesRequest, reply: &Reply, with_usage: bool) -> Value {
    let answer = reply.first();
    let output: Vec<Value> =
        parts(request, &answer).iter().enumerate().map(|(at, part)| item(request, reply, at, part, true)).collect();
    let status = if answer.stop == Stop::MaxTokens { "incomplete" } else { "completed" };
    let mut response = skeleton(request, reply, status);
    response.insert("output".to_owned(), Value::Array(output));
    response.insert("completed_at".to_owned(), json!(reply.created));
    if answer.stop == Stop::MaxTokens {
        response.insert("incomplete_details".to_owned(), json!({"reason": "max_output_tokens"}));
    }
    if with_usage {
        response.insert("usage".to_owned(), usage(reply));
    }
    Value::Object(response)
}

/// Every event from `response.created` to the terminal one, numbered from 0.
pub(crate) fn stream(request: &ResponsesRequest, reply: &Reply, with_usage: bool) -> Script {
    let mut events = Events { frames: Vec::new(), summaries: request.summary };
    for name in ["response.created", "response.in_progress"] {
        let mut response = skeleton(request, reply, "in_progress");
        response.insert("output".to_owned(), json!([]));
        events.push(name, json!({"response": response}));
    }
    let answer = reply.first();
    for (at, part) in parts(request, &answer).iter().enumerate() {
        let opened = item(request, reply, at, part, false);
        events.push("response.output_item.added", json!({"output_index": at, "item": opened}));
        part_events(&mut events, reply, at, part);
        let done = item(request, reply, at, part, true);
        events.push("response.output_item.done", json!({"output_index": at, "item": done}));
    }
    let terminal = if answer.stop == Stop::MaxTokens { "response.incomplete" } else { "response.completed" };
    events.push(terminal, json!({"response": whole(request, reply, with_usage)}));
    Script { events: events.frames, framing: Framing::Responses }
}

/// What a failure on demand looks like inside a Responses stream: an `error` event.
pub(crate) fn error_event(failure: &Failure, position: usize) -> Bytes {
    let body = failure.body(Vendor::OpenAi, "");
    let code = body.pointer("/error/code").filter(|code| !code.is_null()).cloned().unwrap_or(json!("server_error"));
    let event = json!({"type": "error", "code": code, "message": failure.message, "param": failure.param, "sequence_number": position});
    Bytes::from(format!("event: error\ndata: {event}\n\n"))
}

/// One output item to be.
enum Part<'a> {
    Reasoning(&'a [String]),
    Message(&'a [String], bool),
    Call(&'a Call),
}

fn parts<'a>(request: &ResponsesRequest, answer: &'a Answer) -> Vec<Part<'a>> {
    let mut parts = Vec::new();
    if request.prompt.thinking {
        parts.push(Part::Reasoning(&answer.reasoning));
    }
    if !answer.text.is_empty() || answer.calls.is_empty() {
        parts.push(Part::Message(&answer.text, answer.stop == Stop::Refusal));
    }
    parts.extend(answer.calls.iter().map(Part::Call));
    parts
}

fn item_id(reply: &Reply, at: usize, part: &Part<'_>) -> String {
    let prefix = match part {
        Part::Reasoning(_) => "rs",
        Part::Message(..) => "msg",
        Part::Call(call) if call.custom => "ctc",
        Part::Call(_) => "fc",
    };
    format!("{prefix}_{}{at:04}", reply.id)
}

/// The item as it opens (`done` false: empty) or as it ends.
fn item(request: &ResponsesRequest, reply: &Reply, at: usize, part: &Part<'_>, done: bool) -> Value {
    let id = item_id(reply, at, part);
    let status = if done { "completed" } else { "in_progress" };
    match part {
        Part::Reasoning(pieces) => {
            let text = pieces.concat();
            let summary =
                if done && request.summary { json!([{"type": "summary_text", "text": text}]) } else { json!([]) };
            let sealed = (done && request.encrypted).then(|| signature::sign(SIGNED, &text));
            json!({"id": id, "type": "reasoning", "summary": summary, "encrypted_content": sealed})
        }
        Part::Message(pieces, refusal) => {
            let content = if done { json!([content_part(&pieces.concat(), *refusal)]) } else { json!([]) };
            let status = if done && reply.first().stop == Stop::MaxTokens { "incomplete" } else { status };
            json!({"id": id, "type": "message", "status": status, "role": "assistant", "content": content})
        }
        Part::Call(call) => {
            let arguments = if done { call.arguments_text() } else { String::new() };
            let (kind, key) = if call.custom { ("custom_tool_call", "input") } else { ("function_call", "arguments") };
            json!({"id": id, "type": kind, "status": status, "call_id": format!("call_{}", call.id), "name": call.name, key: arguments})
        }
    }
}

fn content_part(text: &str, refusal: bool) -> Value {
    if refusal {
        json!({"type": "refusal", "refusal": text})
    } else {
        json!({"type": "output_text", "text": text, "annotations": [], "logprobs": []})
    }
}

/// What happens between an item's `added` and its `done`.
fn part_events(events: &mut Events, reply: &Reply, at: usize, part: &Part<'_>) {
    let id = item_id(reply, at, part);
    let place = json!({"item_id": id, "output_index": at});
    match part {
        // Without a summary asked for, the text stays hidden.
        Part::Reasoning(pieces) => {
            if pieces.is_empty() || !events.summaries {
                return;
            }
            let index = json!({"summary_index": 0});
            let text = pieces.concat();
            let empty = json!({"part": {"type": "summary_text", "text": ""}});
            events.at("response.reasoning_summary_part.added", &[&place, &index, &empty]);
            for piece in *pieces {
                events.at("response.reasoning_summary_text.delta", &[&place, &index, &json!({"delta": piece})]);
            }
            events.at("response.reasoning_summary_text.done", &[&place, &index, &json!({"text": text})]);
            let full = json!({"part": {"type": "summary_text", "text": text}});
            events.at("response.reasoning_summary_part.done", &[&place, &index, &full]);
        }
        Part::Message(pieces, refusal) => {
            let index = json!({"content_index": 0});
            let text = pieces.concat();
            let key = if *refusal { "refusal" } else { "output_text" };
            let extra = if *refusal { json!({}) } else { json!({"logprobs": []}) };
            let done = if *refusal { json!({"refusal": text}) } else { json!({"text": text, "logprobs": []}) };
            events.at("response.content_part.added", &[&place, &index, &json!({"part": content_part("", *refusal)})]);
            for piece in *pieces {
                events.at(&format!("response.{key}.delta"), &[&place, &index, &extra, &json!({"delta": piece})]);
            }
            events.at(&format!("response.{key}.done"), &[&place, &index, &done]);
            events.at("response.content_part.done", &[&place, &index, &json!({"part": content_part(&text, *refusal)})]);
        }
        Part::Call(call) => {
            let (name, done) = if call.custom {
                ("custom_tool_call_input", json!({"input": call.arguments_text()}))
            } else {
                ("function_call_arguments", json!({"arguments": call.arguments_text(), "name": call.name}))
            };
            for fragment in call.argument_fragments() {
                events.at(&format!("response.{name}.delta"), &[&place, &json!({"delta": fragment})]);
            }
            events.at(&format!("response.{name}.done"), &[&place, &done]);
        }
    }
}

struct Events {
    frames: Vec<Bytes>,
    summaries: bool,
}

impl Events {
    fn at(&mut self, name: &str, fields: &[&Value]) {
        let mut merged = Map::new();
        for field in fields {
            merged.extend(field.as_object().cloned().unwrap_or_default());
        }
        self.push(name, Value::Object(merged));
    }

    fn push(&mut self, name: &str, mut event: Value) {
        if let Some(fields) = event.as_object_mut() {
            fields.insert("type".to_owned(), json!(name));
            fields.insert("sequence_number".to_owned(), json!(self.frames.len()));
        }
        self.frames.push(Bytes::from(format!("event: {name}\ndata: {event}\n\n")));
    }
}

/// The response object without output and usage, with the request's own fields repeated.
fn skeleton(request: &ResponsesRequest, reply: &Reply, status: &str) -> Map<String, Value> {
    let mut response = json!({
        "id": format!("resp_{}", reply.id), "object": "response", "created_at": reply.created, "status": status,
        "background": false, "completed_at": null, "error": null, "incomplete_details": null, "instructions": null,
        "max_output_tokens": null, "max_tool_calls": null, "metadata": {}, "model": request.prompt.model,
        "parallel_tool_calls": true, "previous_response_id": null, "prompt_cache_key": null,
        "reasoning": {"effort": null, "summary": null}, "safety_identifier": null, "service_tier": "default",
        "store": true, "temperature": 1.0, "text": {"format": {"type": "text"}, "verbosity": "medium"},
        "tool_choice": "auto", "tools": [], "top_logprobs": 0, "top_p": 1.0, "truncation": "disabled", "usage": null,
        "user": null,
    });
    let Some(fields) = response.as_object_mut() else { return Map::new() };
    let repeated = [
        "instructions",
        "max_output_tokens",
        "max_tool_calls",
        "metadata",
        "parallel_tool_calls",
        "prompt_cache_key",
        "safety_identifier",
        "store",
        "temperature",
        "text",
        "tool_choice",
        "tools",
        "top_logprobs",
        "top_p",
        "truncation",
        "user",
    ];
    for name in repeated {
        if let Some(value) = request.body.get(name).filter(|value| !value.is_null()) {
            fields.insert(name.to_owned(), value.clone());
        }
    }
    if let Some(Value::Object(asked)) = request.body.get("reasoning")
        && let Some(reasoning) = fields.get_mut("reasoning").and_then(Value::as_object_mut)
    {
        reasoning.extend(asked.clone());
    }
    std::mem::take(fields)
}

fn usage(reply: &Reply) -> Value {
    let usage = &reply.usage;
    json!({
        "input_tokens": usage.input,
        "input_tokens_details": {"cached_tokens": usage.cache_read, "cache_write_tokens": usage.cache_write},
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.input + usage.output,
    })
}
