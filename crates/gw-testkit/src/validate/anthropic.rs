//! Anthropic Messages as a client reads it.

use serde_json::Value;

use super::{Seen, SeenCall, SeenCandidate, UNREAD, ensure, parse, sse_frames, text};

#[derive(Default)]
struct Reader {
    seen: Seen,
    started: bool,
    next_block: u64,
    /// Type of the open block and whether it has a signature yet.
    open: Option<(String, bool)>,
    delta_sent: bool,
    stopped: bool,
    input_tokens: u64,
}

/// Reads a stream strictly.
///
/// # Errors
/// The rule that the stream breaks.
pub fn stream(bytes: &[u8]) -> Result<Seen, String> {
    let mut reader = Reader::default();
    for frame in sse_frames(bytes)? {
        let data = parse(&frame.data)?;
        ensure(frame.event == text(&data, "type").as_bytes(), || format!("event name and type differ in {data}"))?;
        ensure(!reader.stopped && reader.seen.error.is_none(), || format!("an event after the end: {data}"))?;
        reader.event(&data).map_err(|rule| format!("{rule} in {data}"))?;
    }
    ensure(reader.stopped || reader.seen.error.is_some(), || "neither message_stop nor error".to_owned())?;
    Ok(reader.seen)
}

impl Reader {
    fn event(&mut self, data: &Value) -> Result<(), String> {
        match text(data, "type") {
            "error" => {
                let error = &data["error"];
                ensure(error["type"].is_string() && error["message"].is_string(), || "a bad error".to_owned())?;
                self.seen.error = Some(text(error, "message").to_owned());
                return Ok(());
            }
            "ping" => return Ok(()),
            "message_start" => return self.start(&data["message"]),
            _ => ensure(self.started, || "an event before message_start".to_owned())?,
        }
        match text(data, "type") {
            "content_block_start" => self.block_start(data),
            "content_block_delta" => self.block_delta(data),
            "content_block_stop" => {
                let (kind, signed) = self.open.take().ok_or("content_block_stop without a block")?;
                ensure(data["index"] == self.next_block, || "wrong index".to_owned())?;
                ensure(kind != "thinking" || signed, || "a thinking block without signature".to_owned())?;
                self.next_block += 1;
                Ok(())
            }
            "message_delta" => self.message_delta(data),
            "message_stop" => {
                ensure(self.delta_sent, || "message_stop without message_delta".to_owned())?;
                self.stopped = true;
                Ok(())
            }
            other => Err(format!("unknown event {other}")),
        }
    }

    fn start(&mut self, message: &Value) -> Result<(), String> {
        ensure(!self.started, || "a second message_start".to_owned())?;
        self.started = true;
        ensure(message["type"] == "message" && message["role"] == "assistant", || "a bad message".to_owned())?;
        ensure(message["content"].as_array().is_some_and(Vec::is_empty), || "content is not empty".to_owned())?;
        ensure(message.get("stop_reason").is_some_and(Value::is_null), || "stop_reason is not null".to_owned())?;
        ensure(!text(message, "id").is_empty() && message["model"].is_string(), || "no id or model".to_owned())?;
        let usage = &message["usage"];
        ensure(usage["output_tokens"].is_u64(), || "no output_tokens".to_owned())?;
        self.input_tokens = usage["input_tokens"].as_u64().ok_or("no input_tokens")?;
        self.seen.candidate(0);
        Ok(())
    }

    fn block_start(&mut self, data: &Value) -> Result<(), String> {
        ensure(!self.delta_sent, || "a block after message_delta".to_owned())?;
        ensure(self.open.is_none(), || "two open blocks".to_owned())?;
        ensure(data["index"] == self.next_block, || "indices have a gap".to_owned())?;
        let block = &data["content_block"];
        let kind = text(block, "type").to_owned();
        if kind == "tool_use" {
            ensure(block["input"] == serde_json::json!({}), || "tool_use starts with input".to_owned())?;
        }
        read_block(block, self.seen.candidate(0))?;
        if kind == "tool_use"
            && let Some(call) = self.seen.candidate(0).calls.last_mut()
        {
            call.arguments.clear();
        }
        self.open = Some((kind, false));
        Ok(())
    }

    fn block_delta(&mut self, data: &Value) -> Result<(), String> {
        let (kind, signed) = self.open.as_mut().ok_or("a delta without a block")?;
        ensure(data["index"] == self.next_block, || "wrong index".to_owned())?;
        let delta = &data["delta"];
        let seen = self.seen.candidates.entry(0).or_default();
        match (kind.as_str(), text(delta, "type")) {
            ("text", "text_delta") => seen.text += text(delta, "text"),
            ("text", "citations_delta") => ensure(delta["citation"].is_object(), || "a bad citation".to_owned())?,
            ("thinking", "thinking_delta") => {
                ensure(!*signed, || "thinking after its signature".to_owned())?;
                seen.reasoning += text(delta, "thinking");
            }
            ("thinking", "signature_delta") => {
                ensure(!*signed, || "two signatures".to_owned())?;
                ensure(!text(delta, "signature").is_empty(), || "an empty signature".to_owned())?;
                *signed = true;
                seen.states.push(text(delta, "signature").to_owned());
            }
            ("tool_use", "input_json_delta") => {
                let call = seen.calls.last_mut().ok_or("no call")?;
                call.arguments += delta["partial_json"].as_str().ok_or("no partial_json")?;
            }
            ("server_tool_use", "input_json_delta") => {}
            (kind @ ("text" | "thinking" | "tool_use" | "redacted_thinking"), delta) => {
                return Err(format!("{delta} in a {kind} block"));
            }
            (kind, delta) => return Err(format!("{UNREAD}{delta} in a {kind} block")),
        }
        Ok(())
    }

    fn message_delta(&mut self, data: &Value) -> Result<(), String> {
        ensure(self.open.is_none(), || "message_delta with an open block".to_owned())?;
        ensure(!self.delta_sent, || "a second message_delta".to_owned())?;
        self.delta_sent = true;
        let seen = self.seen.candidate(0);
        seen.stop = Some(data["delta"]["stop_reason"].as_str().ok_or("no stop_reason")?.to_owned());
        for call in seen.calls.iter_mut().filter(|call| call.arguments.is_empty()) {
            call.arguments.push_str("{}");
        }
        let output = data["usage"]["output_tokens"].as_u64().ok_or("no output_tokens")?;
        let input = data["usage"]["input_tokens"].as_u64().unwrap_or(self.input_tokens);
        self.seen.usage = Some((input, output));
        Ok(())
    }
}

fn read_block(block: &Value, seen: &mut SeenCandidate) -> Result<(), String> {
    match text(block, "type") {
        "text" => seen.text += text(block, "text"),
        "thinking" => {
            seen.reasoning += text(block, "thinking");
            let signature = text(block, "signature");
            if !signature.is_empty() {
                seen.states.push(signature.to_owned());
            }
        }
        "redacted_thinking" => {
            ensure(!text(block, "data").is_empty(), || "redacted_thinking without data".to_owned())?;
            seen.states.push(text(block, "data").to_owned());
        }
        "tool_use" => {
            let id = text(block, "id");
            let legal = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
            ensure(!id.is_empty() && id.chars().all(legal), || format!("illegal tool_use id '{id}'"))?;
            seen.calls.push(SeenCall {
                id: id.to_owned(),
                name: text(block, "name").to_owned(),
                arguments: block["input"].to_string(),
            });
        }
        "" => return Err(format!("{UNREAD}a block without type")),
        _ => {}
    }
    Ok(())
}

/// Reads a whole reply.
///
/// # Errors
/// What is missing.
pub fn reply(bytes: &[u8]) -> Result<Seen, String> {
    let body = parse(bytes)?;
    ensure(body["type"] == "message" && body["role"] == "assistant", || format!("head of {body}"))?;
    ensure(body["id"].is_string() && body["model"].is_string(), || format!("head of {body}"))?;
    let mut seen = Seen::default();
    let candidate = seen.candidate(0);
    for block in body["content"].as_array().ok_or("no content")? {
        if block["type"] == "thinking" {
            ensure(!text(block, "signature").is_empty(), || format!("thinking without signature: {block}"))?;
        }
        read_block(block, candidate)?;
    }
    candidate.stop = Some(body["stop_reason"].as_str().ok_or("no stop_reason")?.to_owned());
    let usage = &body["usage"];
    let count = |key: &str| usage[key].as_u64().ok_or(format!("no {key}"));
    seen.usage = Some((count("input_tokens")?, count("output_tokens")?));
    Ok(seen)
}
