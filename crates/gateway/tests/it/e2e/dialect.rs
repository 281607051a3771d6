//! What a client of each dialect sends and understands: one question in three languages, one meaning of three answers.

use serde_json::{Map, Value, json};

use super::client::{Answer, Request};

/// A smallest PNG.
pub(crate) const PNG: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    OpenAi,
    Anthropic,
    Gemini,
}

pub(crate) const ALL: [Dialect; 3] = [Dialect::OpenAi, Dialect::Anthropic, Dialect::Gemini];

/// What is asked for, whatever the dialect.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ask {
    pub(crate) prompt: String,
    pub(crate) tools: bool,
    pub(crate) image: bool,
    pub(crate) schema: bool,
    pub(crate) thinking: bool,
    pub(crate) max_tokens: Option<u64>,
    pub(crate) stop: Option<&'static str>,
}

/// What an answer means, whatever the dialect.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Meaning {
    pub(crate) thinking: String,
    pub(crate) text: String,
    pub(crate) calls: Vec<(String, Value)>,
    /// `end`, `length`, `tools` or `stop`.
    pub(crate) stop: String,
    pub(crate) input: u64,
    pub(crate) output: u64,
}

impl Dialect {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
        }
    }

    /// A model of this dialect's provider that can do everything that is asked for here.
    pub(crate) fn model(self) -> &'static str {
        match self {
            Self::OpenAi => "openai/gpt-4o",
            Self::Anthropic => "anthropic/claude-sonnet-4-5",
            Self::Gemini => "gemini/gemini-2.5-flash",
        }
    }

    /// A model of this dialect's provider that thinks.
    pub(crate) fn thinker(self) -> &'static str {
        match self {
            Self::OpenAi => "openai/gpt-5",
            Self::Anthropic => "anthropic/claude-sonnet-4-5",
            Self::Gemini => "gemini/gemini-2.5-flash",
        }
    }

    /// Path of the call.
    pub(crate) fn path(self, model: &str, stream: bool) -> String {
        match (self, stream) {
            (Self::OpenAi, _) => "/v1/chat/completions".to_owned(),
            (Self::Anthropic, _) => "/v1/messages".to_owned(),
            (Self::Gemini, false) => format!("/v1beta/models/{model}:generateContent"),
            (Self::Gemini, true) => format!("/v1beta/models/{model}:streamGenerateContent?alt=sse"),
        }
    }

    /// A request for `ask`.
    pub(crate) fn request(self, model: &str, stream: bool, ask: &Ask) -> Request {
        self.post(model, stream, &self.body(model, stream, ask))
    }

    /// A request with this body.
    pub(crate) fn post(self, model: &str, stream: bool, body: &Value) -> Request {
        let request = Request::post(&self.path(model, stream)).json(body);
        if self == Self::Anthropic { request.header("anthropic-version", "2023-06-01") } else { request }
    }

    /// A plain question.
    pub(crate) fn say(self, model: &str, stream: bool, prompt: &str) -> Request {
        self.request(model, stream, &Ask { prompt: prompt.to_owned(), ..Ask::default() })
    }

    pub(crate) fn body(self, model: &str, stream: bool, ask: &Ask) -> Value {
        match self {
            Self::OpenAi => openai_body(model, stream, ask),
            Self::Anthropic => anthropic_body(model, stream, ask),
            Self::Gemini => gemini_body(ask),
        }
    }

    /// The next request of a conversation: the answer that was got, then either results for its calls or a new question.
    pub(crate) fn reply_to(self, mut body: Value, answer: &Value, next: Result<&[&str], &str>) -> Value {
        match self {
            Self::OpenAi => {
                let message = answer["choices"][0]["message"].clone();
                let messages = body["messages"].as_array_mut().unwrap();
                let calls = message["tool_calls"].as_array().cloned().unwrap_or_default();
                messages.push(message);
                match next {
                    Ok(results) => {
                        messages.extend(calls.iter().zip(results).map(
                            |(call, result)| json!({"role": "tool", "tool_call_id": call["id"], "content": result}),
                        ))
                    }
                    Err(prompt) => messages.push(json!({"role": "user", "content": prompt})),
                }
            }
            Self::Anthropic => {
                let messages = body["messages"].as_array_mut().unwrap();
                messages.push(json!({"role": "assistant", "content": answer["content"]}));
                let content = match next {
                    Ok(results) => {
                        let calls =
                            answer["content"].as_array().unwrap().iter().filter(|part| part["type"] == "tool_use");
                        let parts = calls.zip(results).map(|(call, result)| {
                            json!({"type": "tool_result", "tool_use_id": call["id"], "content": result})
                        });
                        Value::Array(parts.collect())
                    }
                    Err(prompt) => json!(prompt),
                };
                messages.push(json!({"role": "user", "content": content}));
            }
            Self::Gemini => {
                let turn = answer["candidates"][0]["content"].clone();
                let contents = body["contents"].as_array_mut().unwrap();
                let parts = match next {
                    Ok(results) => {
                        let calls =
                            turn["parts"].as_array().unwrap().iter().filter(|part| part.get("functionCall").is_some());
                        calls
                            .zip(results)
                            .map(|(call, result)| {
                                json!({"functionResponse": {"name": call["functionCall"]["name"], "response": {"result": result}}})
                            })
                            .collect()
                    }
                    Err(prompt) => vec![json!({"text": prompt})],
                };
                contents.push(turn);
                contents.push(json!({"role": "user", "parts": parts}));
            }
        }
        body
    }

    /// Understands a whole answer.
    pub(crate) fn read(self, answer: &Value) -> Meaning {
        match self {
            Self::OpenAi => openai_meaning(answer),
            Self::Anthropic => anthropic_meaning(answer),
            Self::Gemini => gemini_meaning(answer),
        }
    }

    /// Puts a stream together to what the whole answer would have been.
    pub(crate) fn fold(self, stream: &str) -> Value {
        match self {
            Self::OpenAi => openai_fold(stream),
            Self::Anthropic => anthropic_fold(stream),
            Self::Gemini => gemini_fold(stream),
        }
    }

    /// Whether a stream ended the way this dialect ends.
    pub(crate) fn ended(self, stream: &str) -> bool {
        match self {
            Self::OpenAi => stream.trim_end().ends_with("data: [DONE]"),
            Self::Anthropic => events(stream).last().is_some_and(|(name, _)| name == "message_stop"),
            Self::Gemini => {
                !stream.contains("[DONE]")
                    && events(stream).last().is_some_and(|(_, data)| data.contains("\"finishReason\""))
            }
        }
    }

    /// The message of an error in this dialect's envelope; panics when it is not one.
    pub(crate) fn error(self, body: &Value) -> String {
        let error = &body["error"];
        match self {
            Self::OpenAi => {
                assert!(
                    error["type"].is_string() && error.get("param").is_some() && error.get("code").is_some(),
                    "{body}"
                );
            }
            Self::Anthropic => {
                assert_eq!(body["type"], "error", "{body}");
                assert!(error["type"].is_string(), "{body}");
            }
            Self::Gemini => {
                assert!(error["code"].is_u64() && error["status"].is_string(), "{body}");
            }
        }
        error["message"].as_str().unwrap_or_else(|| panic!("no message in {body}")).to_owned()
    }

    /// The error event that a stream ends with; panics when there is none.
    pub(crate) fn error_event(self, stream: &str) -> String {
        let mut found = events(stream).into_iter().filter_map(|(name, data)| {
            let data: Value = serde_json::from_str(&data).ok()?;
            (data.get("error").is_some()).then_some((name, data))
        });
        let (name, data) = found.next_back().unwrap_or_else(|| panic!("no error event in {stream}"));
        if self == Self::Anthropic {
            assert_eq!(name, "error", "{stream}");
        }
        self.error(&data)
    }

    /// Asserts the error envelope, its status and that it carries the request id.
    pub(crate) fn assert_error(self, answer: &Answer, status: u16) -> String {
        assert_eq!(answer.status(), status, "{self:?}: {}", answer.text());
        let body = answer.json();
        if self == Self::Gemini {
            assert_eq!(body["error"]["code"], status, "{body}");
        }
        self.error(&body)
    }
}

/// Name and data of every SSE event that has data.
pub(crate) fn events(stream: &str) -> Vec<(String, String)> {
    let normal = stream.replace("\r\n", "\n");
    let field = |block: &str, name: &str| {
        let lines = block.lines().filter_map(|line| line.strip_prefix(name)).map(|rest| rest.trim_start().to_owned());
        lines.collect::<Vec<_>>().join("\n")
    };
    normal
        .split("\n\n")
        .map(|block| (field(block, "event:"), field(block, "data:")))
        .filter(|(_, data)| !data.is_empty())
        .collect()
}

fn datas(stream: &str) -> Vec<Value> {
    let events = events(stream).into_iter().filter(|(_, data)| data != "[DONE]");
    events.map(|(_, data)| serde_json::from_str(&data).unwrap_or_else(|fault| panic!("{fault}: {data}"))).collect()
}

/// The tool that is offered everywhere.
fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
        "required": ["city", "days"],
        "additionalProperties": false
    })
}

fn openai_body(model: &str, stream: bool, ask: &Ask) -> Value {
    let content = if ask.image {
        json!([
            {"type": "text", "text": ask.prompt},
            {"type": "image_url", "image_url": {"url": format!("data:image/png;base64,{PNG}")}}
        ])
    } else {
        json!(ask.prompt)
    };
    let mut body = json!({"model": model, "messages": [{"role": "user", "content": content}]});
    let fields = body.as_object_mut().unwrap();
    if stream {
        fields.insert("stream".into(), json!(true));
        fields.insert("stream_options".into(), json!({"include_usage": true}));
    }
    if ask.tools {
        let tool = |name: &str| json!({"type": "function", "function": {"name": name, "description": "d", "parameters": schema()}});
        fields.insert("tools".into(), json!([tool("get_weather"), tool("get_time")]));
    }
    if ask.schema {
        let format =
            json!({"type": "json_schema", "json_schema": {"name": "answer", "strict": true, "schema": schema()}});
        fields.insert("response_format".into(), format);
    }
    if ask.thinking {
        fields.insert("reasoning_effort".into(), json!("medium"));
    }
    insert_if(fields, "max_completion_tokens", ask.max_tokens.map(Value::from));
    insert_if(fields, "stop", ask.stop.map(|stop| json!([stop])));
    body
}

fn anthropic_body(model: &str, stream: bool, ask: &Ask) -> Value {
    let content = if ask.image {
        json!([
            {"type": "text", "text": ask.prompt},
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}
        ])
    } else {
        json!(ask.prompt)
    };
    let limit = ask.max_tokens.unwrap_or(4096);
    let mut body = json!({"model": model, "max_tokens": limit, "messages": [{"role": "user", "content": content}]});
    let fields = body.as_object_mut().unwrap();
    insert_if(fields, "stream", stream.then_some(json!(true)));
    if ask.tools {
        let tool = |name: &str| json!({"name": name, "description": "d", "input_schema": schema()});
        fields.insert("tools".into(), json!([tool("get_weather"), tool("get_time")]));
    }
    if ask.schema {
        fields.insert("output_config".into(), json!({"format": {"type": "json_schema", "schema": schema()}}));
    }
    if ask.thinking {
        fields.insert("thinking".into(), json!({"type": "enabled", "budget_tokens": 2048}));
    }
    insert_if(fields, "stop_sequences", ask.stop.map(|stop| json!([stop])));
    body
}

fn gemini_body(ask: &Ask) -> Value {
    let mut parts = vec![json!({"text": ask.prompt})];
    if ask.image {
        parts.push(json!({"inlineData": {"mimeType": "image/png", "data": PNG}}));
    }
    let mut config = Map::new();
    if ask.schema {
        config.insert("responseMimeType".into(), json!("application/json"));
        config.insert("responseJsonSchema".into(), schema());
    }
    if ask.thinking {
        config.insert("thinkingConfig".into(), json!({"includeThoughts": true, "thinkingBudget": 2048}));
    }
    insert_if(&mut config, "maxOutputTokens", ask.max_tokens.map(Value::from));
    insert_if(&mut config, "stopSequences", ask.stop.map(|stop| json!([stop])));
    let mut body = json!({"contents": [{"role": "user", "parts": parts}]});
    if !config.is_empty() {
        body["generationConfig"] = Value::Object(config);
    }
    if ask.tools {
        let tool = |name: &str| json!({"name": name, "description": "d", "parametersJsonSchema": schema()});
        body["tools"] = json!([{"functionDeclarations": [tool("get_weather"), tool("get_time")]}]);
    }
    body
}

fn insert_if(fields: &mut Map<String, Value>, name: &str, value: Option<Value>) {
    if let Some(value) = value {
        fields.insert(name.to_owned(), value);
    }
}

fn openai_meaning(answer: &Value) -> Meaning {
    let choice = &answer["choices"][0];
    let message = &choice["message"];
    let calls = message["tool_calls"].as_array().cloned().unwrap_or_default();
    let stop = match choice["finish_reason"].as_str().unwrap_or_else(|| panic!("no finish reason: {answer}")) {
        "stop" => "end",
        "length" => "length",
        "tool_calls" => "tools",
        other => other,
    };
    Meaning {
        thinking: message["reasoning_content"].as_str().unwrap_or_default().to_owned(),
        text: message["content"].as_str().unwrap_or_default().to_owned(),
        calls: calls
            .iter()
            .map(|call| {
                assert!(call["id"].as_str().is_some_and(|id| !id.is_empty()), "{answer}");
                assert_eq!(call["type"], "function", "{answer}");
                let arguments = call["function"]["arguments"].as_str().unwrap();
                (call["function"]["name"].as_str().unwrap().to_owned(), serde_json::from_str(arguments).unwrap())
            })
            .collect(),
        stop: stop.to_owned(),
        input: answer["usage"]["prompt_tokens"].as_u64().unwrap_or_default(),
        output: answer["usage"]["completion_tokens"].as_u64().unwrap_or_default(),
    }
}

fn anthropic_meaning(answer: &Value) -> Meaning {
    let parts = answer["content"].as_array().unwrap_or_else(|| panic!("no content: {answer}"));
    let text = |kind: &str| -> String {
        parts.iter().filter(|part| part["type"] == kind).map(|part| part[kind].as_str().unwrap()).collect()
    };
    let usage = &answer["usage"];
    let count = |name: &str| usage[name].as_u64().unwrap_or_default();
    let stop = match answer["stop_reason"].as_str().unwrap_or_else(|| panic!("no stop reason: {answer}")) {
        "end_turn" => "end",
        "max_tokens" => "length",
        "tool_use" => "tools",
        "stop_sequence" => "stop",
        other => other,
    };
    Meaning {
        thinking: text("thinking"),
        text: text("text"),
        calls: parts
            .iter()
            .filter(|part| part["type"] == "tool_use")
            .map(|part| {
                assert!(part["id"].as_str().is_some_and(|id| !id.is_empty()), "{answer}");
                (part["name"].as_str().unwrap().to_owned(), part["input"].clone())
            })
            .collect(),
        stop: stop.to_owned(),
        input: count("input_tokens") + count("cache_read_input_tokens") + count("cache_creation_input_tokens"),
        output: count("output_tokens"),
    }
}

fn gemini_meaning(answer: &Value) -> Meaning {
    let candidate = &answer["candidates"][0];
    let parts = candidate["content"]["parts"].as_array().cloned().unwrap_or_default();
    let text = |thought: bool| -> String {
        let told = parts.iter().filter(|part| part["thought"].as_bool().unwrap_or_default() == thought);
        told.filter_map(|part| part["text"].as_str()).collect()
    };
    let calls: Vec<(String, Value)> = parts
        .iter()
        .filter_map(|part| part.get("functionCall"))
        .map(|call| (call["name"].as_str().unwrap().to_owned(), call["args"].clone()))
        .collect();
    let usage = &answer["usageMetadata"];
    let count = |name: &str| usage[name].as_u64().unwrap_or_default();
    let stop = match candidate["finishReason"].as_str().unwrap_or_else(|| panic!("no finish reason: {answer}")) {
        "STOP" if calls.is_empty() => "end",
        "STOP" => "tools",
        "MAX_TOKENS" => "length",
        other => other,
    };
    Meaning {
        thinking: text(true),
        text: text(false),
        calls,
        stop: stop.to_owned(),
        input: count("promptTokenCount") + count("toolUsePromptTokenCount"),
        output: count("candidatesTokenCount") + count("thoughtsTokenCount"),
    }
}

fn openai_fold(stream: &str) -> Value {
    assert!(stream.trim_end().ends_with("data: [DONE]"), "{stream}");
    let (mut message, mut calls) = (json!({"role": "assistant", "content": null}), Vec::<Value>::new());
    let (mut finish, mut usage) = (Value::Null, Value::Null);
    let append = |slot: &mut Value, more: &Value| {
        if let Some(more) = more.as_str() {
            *slot = json!(slot.as_str().unwrap_or_default().to_owned() + more);
        }
    };
    for chunk in datas(stream) {
        assert_eq!(chunk["object"], "chat.completion.chunk", "{stream}");
        if chunk["usage"].is_object() {
            usage = chunk["usage"].clone();
        }
        for choice in chunk["choices"].as_array().unwrap() {
            let delta = &choice["delta"];
            for name in ["content", "reasoning_content"] {
                append(&mut message[name], &delta[name]);
            }
            for call in delta["tool_calls"].as_array().into_iter().flatten() {
                let index = usize::try_from(call["index"].as_u64().expect("calls of a stream have an index")).unwrap();
                if calls.len() <= index {
                    calls.push(json!({"id": call["id"], "type": call["type"], "function": {"name": call["function"]["name"], "arguments": ""}}));
                    for extra in ["extra_content"] {
                        if let Some(value) = call.get(extra) {
                            calls[index][extra] = value.clone();
                        }
                    }
                }
                append(&mut calls[index]["function"]["arguments"], &call["function"]["arguments"]);
            }
            // Fields that carry opaque state come whole.
            for (name, value) in delta.as_object().unwrap() {
                if !["role", "content", "reasoning_content", "tool_calls", "refusal"].contains(&name.as_str())
                    && !value.is_null()
                {
                    message[name] = value.clone();
                }
            }
            if choice["finish_reason"].is_string() {
                assert!(finish.is_null(), "two finish reasons: {stream}");
                finish = choice["finish_reason"].clone();
            }
        }
    }
    if !calls.is_empty() {
        message["tool_calls"] = Value::Array(calls);
    }
    json!({"choices": [{"index": 0, "message": message, "finish_reason": finish}], "usage": usage})
}

fn anthropic_fold(stream: &str) -> Value {
    let mut message = Value::Null;
    let mut arguments: Vec<String> = Vec::new();
    let mut open = None;
    let mut stopped = false;
    for (name, data) in events(stream) {
        let event: Value = serde_json::from_str(&data).unwrap();
        assert_eq!(event["type"], name, "{stream}");
        assert!(!stopped, "an event after message_stop: {stream}");
        match name.as_str() {
            "message_start" => message = event["message"].clone(),
            "content_block_start" => {
                assert_eq!(open, None, "two open blocks: {stream}");
                let index = event["index"].as_u64().unwrap();
                assert_eq!(index, arguments.len() as u64, "{stream}");
                open = Some(index);
                arguments.push(String::new());
                message["content"].as_array_mut().unwrap().push(event["content_block"].clone());
            }
            "content_block_delta" => {
                let index = event["index"].as_u64().unwrap();
                assert_eq!(open, Some(index), "{stream}");
                let index = usize::try_from(index).unwrap();
                let (delta, block) = (&event["delta"], &mut message["content"][index]);
                match delta["type"].as_str().unwrap() {
                    "input_json_delta" => arguments[index].push_str(delta["partial_json"].as_str().unwrap()),
                    kind => {
                        let field = match kind {
                            "text_delta" => "text",
                            "thinking_delta" => "thinking",
                            "signature_delta" => "signature",
                            other => panic!("unknown delta {other}"),
                        };
                        let so_far = block[field].as_str().unwrap_or_default().to_owned();
                        block[field] = json!(so_far + delta[field].as_str().unwrap());
                    }
                }
            }
            "content_block_stop" => {
                let index = event["index"].as_u64().unwrap();
                assert_eq!(open.take(), Some(index), "{stream}");
                let index = usize::try_from(index).unwrap();
                if !arguments[index].is_empty() {
                    message["content"][index]["input"] = serde_json::from_str(&arguments[index]).unwrap();
                }
            }
            "message_delta" => {
                for (name, value) in event["delta"].as_object().unwrap() {
                    message[name] = value.clone();
                }
                for (name, value) in event["usage"].as_object().unwrap() {
                    message["usage"][name] = value.clone();
                }
            }
            "message_stop" => stopped = true,
            "ping" => {}
            other => panic!("unknown event {other}: {stream}"),
        }
    }
    assert!(stopped, "{stream}");
    message
}

fn gemini_fold(stream: &str) -> Value {
    let chunks = if stream.trim_start().starts_with('[') {
        serde_json::from_str::<Vec<Value>>(stream).unwrap_or_else(|fault| panic!("{fault}: {stream}"))
    } else {
        datas(stream)
    };
    let mut parts: Vec<Value> = Vec::new();
    let (mut finish, mut usage) = (Value::Null, Value::Null);
    for chunk in &chunks {
        if let Some(counts) = chunk.get("usageMetadata") {
            usage = counts.clone();
        }
        let candidate = &chunk["candidates"][0];
        for part in candidate["content"]["parts"].as_array().into_iter().flatten() {
            let text = |part: &Value| part.get("text").is_some();
            match parts.last_mut() {
                Some(last) if text(last) && text(part) && last.get("thought") == part.get("thought") => {
                    last["text"] = json!(last["text"].as_str().unwrap().to_owned() + part["text"].as_str().unwrap());
                    if let Some(signature) = part.get("thoughtSignature") {
                        last["thoughtSignature"] = signature.clone();
                    }
                }
                _ => parts.push(part.clone()),
            }
        }
        if candidate["finishReason"].is_string() {
            finish = candidate["finishReason"].clone();
        }
    }
    json!({
        "candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": finish}],
        "usageMetadata": usage
    })
}
