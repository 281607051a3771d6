//! Gemini generateContent as a client reads it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Constant, Seen, SeenCall, UNREAD, ensure, parse, sse_frames, text};

#[derive(Default)]
struct Reader {
    seen: Seen,
    id: Constant,
    model: Constant,
    finished: BTreeSet<u64>,
    blocked: bool,
    last_has_usage: bool,
}

/// Reads a server-sent stream strictly.
///
/// # Errors
/// The rule that the stream breaks.
pub fn stream(bytes: &[u8]) -> Result<Seen, String> {
    let mut chunks = Vec::new();
    for frame in sse_frames(bytes)? {
        ensure(frame.event.is_empty(), || "an event name".to_owned())?;
        chunks.push(parse(&frame.data)?);
    }
    read(&chunks)
}

/// Reads a streamed JSON array strictly.
///
/// # Errors
/// The rule that the stream breaks.
pub fn array(bytes: &[u8]) -> Result<Seen, String> {
    match parse(bytes)? {
        Value::Array(chunks) => read(&chunks),
        other => Err(format!("not an array: {other}")),
    }
}

fn read(chunks: &[Value]) -> Result<Seen, String> {
    let mut reader = Reader::default();
    for chunk in chunks {
        ensure(reader.seen.error.is_none(), || "a chunk after the error".to_owned())?;
        reader.chunk(chunk).map_err(|rule| format!("{rule} in {chunk}"))?;
    }
    if reader.seen.error.is_none() {
        let all_finished = reader.seen.candidates.keys().all(|index| reader.finished.contains(index));
        ensure(all_finished, || "a candidate without finishReason".to_owned())?;
        ensure(reader.blocked || !reader.finished.is_empty(), || "an empty stream".to_owned())?;
        ensure(reader.seen.usage.is_none() || reader.last_has_usage, || "no usage on the last chunk".to_owned())?;
    }
    Ok(reader.seen)
}

impl Reader {
    fn chunk(&mut self, chunk: &Value) -> Result<(), String> {
        if let Some(error) = chunk.get("error") {
            let whole = error["code"].is_u64() && error["message"].is_string() && error["status"].is_string();
            ensure(whole, || "a bad error".to_owned())?;
            self.seen.error = Some(text(error, "message").to_owned());
            return Ok(());
        }
        self.id.check("responseId", &chunk["responseId"])?;
        self.model.check("modelVersion", &chunk["modelVersion"])?;
        let feedback = chunk.get("promptFeedback").is_some_and(|feedback| !feedback.is_null());
        self.blocked |= feedback;
        let candidates = chunk["candidates"].as_array().map(Vec::as_slice).unwrap_or_default();
        let useful = !candidates.is_empty() || feedback || chunk["usageMetadata"].is_object();
        ensure(useful, || "a chunk with nothing in it".to_owned())?;
        candidates.iter().try_for_each(|candidate| self.candidate(candidate))?;
        self.last_has_usage = chunk["usageMetadata"].is_object();
        if self.last_has_usage {
            self.seen.usage = Some(read_usage(&chunk["usageMetadata"])?);
        }
        Ok(())
    }

    fn candidate(&mut self, candidate: &Value) -> Result<(), String> {
        let index = candidate["index"].as_u64().unwrap_or(0);
        ensure(!self.finished.contains(&index), || "content after finishReason".to_owned())?;
        let seen = self.seen.candidate(index);
        if let Some(content) = candidate.get("content") {
            ensure(content["role"] == "model", || "content without role".to_owned())?;
            for part in content["parts"].as_array().into_iter().flatten() {
                let object = part.as_object().ok_or(format!("{UNREAD}a part that is no object"))?;
                ensure(!object.is_empty(), || format!("{UNREAD}an empty part"))?;
                if let Some(state) = part["thoughtSignature"].as_str() {
                    ensure(!state.is_empty(), || "an empty signature".to_owned())?;
                    seen.states.push(state.to_owned());
                }
                if let Some(words) = part["text"].as_str() {
                    let target = if part["thought"] == true { &mut seen.reasoning } else { &mut seen.text };
                    target.push_str(words);
                }
                if let Some(call) = part.get("functionCall") {
                    ensure(call["name"].is_string(), || format!("{UNREAD}a call without name"))?;
                    let arguments = call.get("args").map_or_else(|| "{}".to_owned(), Value::to_string);
                    ensure(arguments.starts_with('{'), || format!("{UNREAD}args is no object"))?;
                    let (id, name) = (text(call, "id").to_owned(), text(call, "name").to_owned());
                    seen.calls.push(SeenCall { id, name, arguments });
                }
            }
        }
        if let Some(stop) = candidate["finishReason"].as_str() {
            seen.stop = Some(stop.to_owned());
            self.finished.insert(index);
        }
        Ok(())
    }
}

fn read_usage(usage: &Value) -> Result<(u64, u64), String> {
    let count = |key: &str| usage[key].as_u64().unwrap_or(0);
    let (prompt, tools) = (count("promptTokenCount"), count("toolUsePromptTokenCount"));
    let output = count("candidatesTokenCount") + count("thoughtsTokenCount");
    ensure(count("totalTokenCount") == prompt + tools + output, || "totalTokenCount is not the sum".to_owned())?;
    Ok((prompt + tools, output))
}

/// Reads a whole reply.
///
/// # Errors
/// What is missing.
pub fn reply(bytes: &[u8]) -> Result<Seen, String> {
    read(&[parse(bytes)?])
}
