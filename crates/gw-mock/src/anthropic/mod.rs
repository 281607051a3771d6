//! Anthropic Messages, whole and streamed.

mod request;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::answer::{Answer, Call, Reply, Stop};
use crate::script::Script;
use crate::signature;

pub(crate) use request::{MessagesRequest, Rules, SIGNED, parse};

/// The whole message.
pub(crate) fn whole(request: &MessagesRequest, reply: &Reply, with_usage: bool) -> Value {
    let answer = reply.first();
    let mut content = Vec::new();
    if !answer.reasoning.is_empty() {
        let thinking = answer.reasoning.concat();
        let signature = signature::sign(SIGNED, &thinking);
        let shown = if request.hide_thinking { String::new() } else { thinking };
        content.push(json!({"type": "thinking", "thinking": shown, "signature": signature}));
    }
    if !answer.text.is_empty() || answer.calls.is_empty() {
        content.push(json!({"type": "text", "text": answer.text.concat(), "citations": null}));
    }
    content.extend(answer.calls.iter().map(|call| tool_use(call, call.arguments.clone())));
    let mut message = message(request, reply);
    if let Some(fields) = message.as_object_mut() {
        fields.insert("content".to_owned(), Value::Array(content));
        fields.insert("stop_reason".to_owned(), json!(stop_reason(&answer)));
        fields.insert("stop_sequence".to_owned(), json!(stop_sequence(&answer)));
        fields.insert("stop_details".to_owned(), stop_details(&answer));
        fields.insert("usage".to_owned(), usage(reply, reply.usage.output, with_usage));
    }
    message
}

/// The same message as events; a `ping` follows the first `content_block_start`, as from the real service.
pub(crate) fn stream(request: &MessagesRequest, reply: &Reply, with_usage: bool) -> Script {
    let answer = reply.first();
    let mut events = Events::default();
    let mut opening = message(request, reply);
    if let Some(fields) = opening.as_object_mut() {
        fields.insert("usage".to_owned(), usage(reply, 1, with_usage));
    }
    events.push("message_start", json!({"message": opening}));
    if !answer.reasoning.is_empty() {
        events.open(json!({"type": "thinking", "thinking": "", "signature": ""}));
        if !request.hide_thinking {
            for piece in &answer.reasoning {
                events.delta(json!({"type": "thinking_delta", "thinking": piece}));
            }
        }
        let signature = signature::sign(SIGNED, &answer.reasoning.concat());
        events.delta(json!({"type": "signature_delta", "signature": signature}));
        events.close();
    }
    if !answer.text.is_empty() || answer.calls.is_empty() {
        events.open(json!({"type": "text", "text": "", "citations": null}));
        for piece in &answer.text {
            events.delta(json!({"type": "text_delta", "text": piece}));
        }
        events.close();
    }
    for call in &answer.calls {
        events.open(tool_use(call, json!({})));
        // The service opens with an empty fragment and sends nothing more for a call without arguments.
        events.delta(json!({"type": "input_json_delta", "partial_json": ""}));
        if call.arguments.as_object().is_some_and(|arguments| !arguments.is_empty()) {
            for fragment in call.argument_fragments() {
                events.delta(json!({"type": "input_json_delta", "partial_json": fragment}));
            }
        }
        events.close();
    }
    let delta = json!({
        "stop_reason": stop_reason(&answer), "stop_sequence": stop_sequence(&answer), "stop_details": stop_details(&answer),
        "container": null,
    });
    let usage = if with_usage { delta_usage(reply) } else { json!({"output_tokens": 0}) };
    events.push("message_delta", json!({"delta": delta, "usage": usage}));
    events.push("message_stop", json!({}));
    Script::sse(events.frames)
}

#[derive(Default)]
struct Events {
    frames: Vec<Bytes>,
    index: usize,
}

impl Events {
    fn push(&mut self, name: &str, mut event: Value) {
        if let Some(fields) = event.as_object_mut() {
            fields.insert("type".to_owned(), json!(name));
        }
        self.frames.push(Bytes::from(format!("event: {name}\ndata: {event}\n\n")));
    }

    fn open(&mut self, block: Value) {
        self.push("content_block_start", json!({"index": self.index, "content_block": block}));
        if self.index == 0 {
            self.frames.push(Bytes::from_static(b"event: ping\ndata: {\"type\": \"ping\"}\n\n"));
        }
    }

    fn delta(&mut self, delta: Value) {
        self.push("content_block_delta", json!({"index": self.index, "delta": delta}));
    }

    fn close(&mut self) {
        self.push("content_block_stop", json!({"index": self.index}));
        self.index += 1;
    }
}

/// A message that has not said anything yet.
fn message(request: &MessagesRequest, reply: &Reply) -> Value {
    json!({
        "id": format!("msg_{}", reply.id), "type": "message", "role": "assistant", "model": request.prompt.model,
        "content": [], "stop_reason": null, "stop_sequence": null, "stop_details": null, "container": null,
    })
}

fn tool_use(call: &Call, input: Value) -> Value {
    json!({"type": "tool_use", "id": format!("toolu_{}", call.id), "name": call.name, "input": input, "caller": {"type": "direct"}})
}

fn usage(reply: &Reply, output: u64, with_usage: bool) -> Value {
    let usage = if with_usage { reply.usage } else { crate::answer::Usage::default() };
    let output = if with_usage { output } else { 0 };
    json!({
        "input_tokens": usage.input - usage.cache_read - usage.cache_write,
        "cache_creation_input_tokens": usage.cache_write,
        "cache_read_input_tokens": usage.cache_read,
        "cache_creation": {"ephemeral_5m_input_tokens": usage.cache_write, "ephemeral_1h_input_tokens": 0},
        "output_tokens": output,
        "output_tokens_details": {"thinking_tokens": usage.reasoning.min(output)},
        "server_tool_use": null,
        "service_tier": "standard",
        "inference_geo": "not_available",
    })
}

/// The cumulative counts of `message_delta`.
fn delta_usage(reply: &Reply) -> Value {
    let usage = &reply.usage;
    json!({
        "input_tokens": usage.input - usage.cache_read - usage.cache_write,
        "cache_creation_input_tokens": usage.cache_write,
        "cache_read_input_tokens": usage.cache_read,
        "output_tokens": usage.output,
        "output_tokens_details": {"thinking_tokens": usage.reasoning},
        "server_tool_use": null,
    })
}

fn stop_reason(answer: &Answer) -> &'static str {
    match answer.stop {
        Stop::End => "end_turn",
        Stop::Sequence(_) => "stop_sequence",
        Stop::MaxTokens => "max_tokens",
        Stop::Calls => "tool_use",
        Stop::Refusal => "refusal",
    }
}

fn stop_sequence(answer: &Answer) -> Option<&str> {
    match &answer.stop {
        Stop::Sequence(sequence) => Some(sequence),
        _ => None,
    }
}

fn stop_details(answer: &Answer) -> Value {
    if answer.stop == Stop::Refusal {
        json!({"type": "refusal", "category": "general_harms", "explanation": "Made by the mock on demand."})
    } else {
        Value::Null
    }
}
