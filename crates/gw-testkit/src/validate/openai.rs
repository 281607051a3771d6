//! OpenAI Chat Completions as a client reads it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Constant, Seen, SeenCall, SeenCandidate, ensure, parse, sse_frames, text};

#[derive(Default)]
struct Reader {
    seen: Seen,
    id: Constant,
    created: Constant,
    model: Constant,
    started: BTreeSet<u64>,
    finished: BTreeSet<u64>,
    usage_sent: bool,
    done: bool,
}

/// Reads a stream strictly.
///
/// # Errors
/// The rule that the stream breaks.
pub fn stream(bytes: &[u8], include_usage: bool) -> Result<Seen, String> {
    let mut reader = Reader::default();
    for frame in sse_frames(bytes)? {
        ensure(!reader.done, || "a frame after [DONE]".to_owned())?;
        ensure(frame.event.is_empty(), || "an event name".to_owned())?;
        if frame.data == "[DONE]" {
            reader.done = true;
            continue;
        }
        ensure(reader.seen.error.is_none(), || "a chunk after the error".to_owned())?;
        let chunk = parse(&frame.data)?;
        reader.chunk(&chunk, include_usage).map_err(|rule| format!("{rule} in {chunk}"))?;
    }
    ensure(reader.done, || "no [DONE]".to_owned())?;
    if reader.seen.error.is_none() {
        ensure(reader.started == reader.finished, || "a choice without finish_reason".to_owned())?;
    }
    Ok(reader.seen)
}

impl Reader {
    fn chunk(&mut self, chunk: &Value, include_usage: bool) -> Result<(), String> {
        if let Some(error) = chunk.get("error") {
            ensure(error["message"].is_string() && error["type"].is_string(), || "an error without text".to_owned())?;
            self.seen.error = Some(text(error, "message").to_owned());
            return Ok(());
        }
        ensure(chunk["object"] == "chat.completion.chunk", || "wrong object".to_owned())?;
        ensure(chunk["created"].is_i64(), || "created is no integer".to_owned())?;
        self.id.check("id", &chunk["id"])?;
        self.created.check("created", &chunk["created"])?;
        self.model.check("model", &chunk["model"])?;
        let choices = chunk["choices"].as_array().ok_or("choices is no array")?;
        match chunk.get("usage") {
            None => {}
            Some(Value::Null) => ensure(include_usage, || "usage:null that nobody asked for".to_owned())?,
            Some(usage) => {
                ensure(include_usage, || "usage that nobody asked for".to_owned())?;
                ensure(choices.is_empty(), || "usage on a chunk with choices".to_owned())?;
                ensure(!self.usage_sent, || "usage sent twice".to_owned())?;
                ensure(self.started == self.finished, || "usage before the finish".to_owned())?;
                self.usage_sent = true;
                self.seen.usage = Some(read_usage(usage)?);
            }
        }
        let head = ["id", "object", "created", "model", "choices", "usage"];
        let more = chunk.as_object().is_some_and(|chunk| chunk.keys().any(|key| !head.contains(&key.as_str())));
        let useful = !choices.is_empty() || !chunk["usage"].is_null() || more;
        ensure(useful, || "a chunk with nothing in it".to_owned())?;
        choices.iter().try_for_each(|choice| self.choice(choice))
    }

    fn choice(&mut self, choice: &Value) -> Result<(), String> {
        let index = choice["index"].as_u64().ok_or("a choice without index")?;
        ensure(!self.finished.contains(&index), || "a delta after finish_reason".to_owned())?;
        ensure(!self.usage_sent, || "a delta after usage".to_owned())?;
        let delta = choice["delta"].as_object().ok_or("a choice without delta")?;
        if self.started.insert(index) {
            ensure(choice["delta"]["role"] == "assistant", || "the first delta has no role".to_owned())?;
        }
        let seen = self.seen.candidate(index);
        let delta = Value::Object(delta.clone());
        seen.text += text(&delta, "content");
        seen.refusal += text(&delta, "refusal");
        seen.reasoning += text(&delta, "reasoning_content");
        read_states(&delta, seen);
        for call in delta["tool_calls"].as_array().into_iter().flatten() {
            read_fragment(call, seen)?;
        }
        if let Some(call) = delta.get("function_call") {
            if call["name"].is_string() {
                seen.calls.push(SeenCall::default());
            }
            let last = seen.calls.last_mut().ok_or("function_call without name")?;
            last.name += text(call, "name");
            last.arguments += text(call, "arguments");
        }
        if !choice["finish_reason"].is_null() {
            seen.stop = Some(text(choice, "finish_reason").to_owned());
            self.finished.insert(index);
        }
        Ok(())
    }
}

fn read_fragment(call: &Value, seen: &mut SeenCandidate) -> Result<(), String> {
    let at = usize::try_from(call["index"].as_u64().ok_or("a tool call without index")?).unwrap_or(usize::MAX);
    let body = if call["custom"].is_object() { &call["custom"] } else { &call["function"] };
    if at == seen.calls.len() {
        ensure(!text(call, "id").is_empty(), || "the first fragment has no id".to_owned())?;
        ensure(call["type"].is_string(), || "the first fragment has no type".to_owned())?;
        ensure(body["name"].is_string(), || "the first fragment has no name".to_owned())?;
        seen.calls.push(SeenCall {
            id: text(call, "id").to_owned(),
            name: text(body, "name").to_owned(),
            arguments: String::new(),
        });
    } else {
        ensure(at < seen.calls.len(), || format!("tool index {at} was skipped to"))?;
        ensure(call.get("id").is_none() && body.get("name").is_none(), || {
            "a later fragment repeats id or name".to_owned()
        })?;
    }
    seen.calls[at].arguments += text(body, if call["custom"].is_object() { "input" } else { "arguments" });
    Ok(())
}

fn read_states(message: &Value, seen: &mut SeenCandidate) {
    for detail in message["reasoning_details"].as_array().into_iter().flatten() {
        for key in ["signature", "data"] {
            if let Some(state) = detail[key].as_str() {
                seen.states.push(state.to_owned());
            }
        }
    }
}

fn read_usage(usage: &Value) -> Result<(u64, u64), String> {
    let input = usage["prompt_tokens"].as_u64().ok_or("usage without prompt_tokens")?;
    let output = usage["completion_tokens"].as_u64().ok_or("usage without completion_tokens")?;
    ensure(usage["total_tokens"] == input + output, || "total_tokens is not the sum".to_owned())?;
    Ok((input, output))
}

/// Reads a whole reply.
///
/// # Errors
/// What is missing.
pub fn reply(bytes: &[u8]) -> Result<Seen, String> {
    let body = parse(bytes)?;
    ensure(body["object"] == "chat.completion", || "wrong object".to_owned())?;
    ensure(body["id"].is_string() && body["created"].is_i64() && body["model"].is_string(), || {
        format!("head of {body}")
    })?;
    let mut seen = Seen::default();
    for choice in body["choices"].as_array().ok_or("no choices")? {
        let candidate = seen.candidate(choice["index"].as_u64().ok_or("a choice without index")?);
        let message = &choice["message"];
        ensure(message["role"] == "assistant", || "a message without role".to_owned())?;
        ensure(message.get("content").is_some(), || "a message without content".to_owned())?;
        candidate.text += text(message, "content");
        candidate.refusal += text(message, "refusal");
        candidate.reasoning += text(message, "reasoning_content");
        read_states(message, candidate);
        for call in message["tool_calls"].as_array().into_iter().flatten() {
            let custom = call["type"] == "custom";
            let part = if custom { &call["custom"] } else { &call["function"] };
            ensure(!text(call, "id").is_empty() && part["name"].is_string(), || format!("a bad call {call}"))?;
            candidate.calls.push(SeenCall {
                id: text(call, "id").to_owned(),
                name: text(part, "name").to_owned(),
                arguments: text(part, if custom { "input" } else { "arguments" }).to_owned(),
            });
        }
        if let Some(call) = message.get("function_call").filter(|call| call.is_object()) {
            candidate.calls.push(SeenCall {
                id: String::new(),
                name: text(call, "name").to_owned(),
                arguments: text(call, "arguments").to_owned(),
            });
        }
        ensure(choice["finish_reason"].is_string(), || "a choice without finish_reason".to_owned())?;
        candidate.stop = Some(text(choice, "finish_reason").to_owned());
    }
    if body["usage"].is_object() {
        seen.usage = Some(read_usage(&body["usage"])?);
    }
    Ok(seen)
}
