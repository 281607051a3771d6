//! Chat completion requests: checked as OpenAI checks them, then understood.

use serde_json::Value;

use crate::failure::Failure;
use crate::fields::{boolean, items, missing, not_one_of, only, present, range, text, whole, wrong_type};
use crate::prompt::{Choice, Format, Prompt};

/// A checked request.
#[derive(Debug)]
pub(crate) struct ChatRequest {
    pub(crate) prompt: Prompt,
    pub(crate) stream: bool,
    pub(crate) include_usage: bool,
    pub(crate) logprobs: bool,
    /// The client still uses `functions`: it wants `function_call` back.
    pub(crate) legacy_functions: bool,
}

const ROLES: &str = "'system', 'assistant', 'user', 'function', 'tool', and 'developer'";
const PARTS: &str = "'text', 'image_url', 'input_audio', 'refusal', and 'file'";
const KNOWN: &[&str] = &[
    "audio",
    "frequency_penalty",
    "function_call",
    "functions",
    "logit_bias",
    "logprobs",
    "max_completion_tokens",
    "max_tokens",
    "messages",
    "metadata",
    "modalities",
    "model",
    "moderation",
    "n",
    "parallel_tool_calls",
    "prediction",
    "presence_penalty",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "reasoning_effort",
    "response_format",
    "safety_identifier",
    "seed",
    "service_tier",
    "stop",
    "store",
    "stream",
    "stream_options",
    "temperature",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "user",
    "verbosity",
    "web_search_options",
];

/// Reads a request body; `model` is the name from the path, if it has one.
pub(crate) fn parse(body: &Value, path_model: Option<&str>, strict: bool) -> Result<ChatRequest, Failure> {
    if !body.is_object() {
        return Err(Failure::invalid(
            "Invalid body: failed to parse JSON value. Please check the value to ensure it is valid JSON.",
        ));
    }
    if strict {
        only(body, KNOWN, |name| format!("Unknown parameter: '{name}'."))?;
    }
    let mut prompt = Prompt { model: model(body, path_model)?, ..Prompt::default() };
    messages(body, &mut prompt)?;
    tools(body, &mut prompt)?;
    tool_choice(body, &mut prompt)?;
    response_format(body, &mut prompt)?;
    range(body, "temperature", 0.0, 2.0)?;
    range(body, "top_p", 0.0, 1.0)?;
    range(body, "presence_penalty", -2.0, 2.0)?;
    range(body, "frequency_penalty", -2.0, 2.0)?;
    prompt.stops = stops(body)?;
    let (new, old) = (whole(body, "max_completion_tokens", 1)?, whole(body, "max_tokens", 1)?);
    if let (Some(new), Some(old)) = (new, old)
        && new != old
    {
        let message = "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.";
        return Err(Failure::field("max_tokens", "invalid_parameter_combination", message));
    }
    prompt.max_tokens = new.or(old);
    prompt.candidates = whole(body, "n", 1)?.and_then(|n| usize::try_from(n).ok()).unwrap_or(1);
    prompt.single_call = present(body, "parallel_tool_calls").and_then(Value::as_bool) == Some(false);
    prompt.thinking = thinking(body)?;
    let stream = boolean(body, "stream")?;
    let options = present(body, "stream_options");
    if options.is_some() && !stream {
        let message = "The 'stream_options' parameter is only allowed when 'stream' is enabled.";
        return Err(Failure::field("stream_options", "invalid_value", message));
    }
    let include_usage = options.map_or(Ok(false), |options| boolean(options, "include_usage"))?;
    let logprobs = boolean(body, "logprobs")?;
    Ok(ChatRequest { prompt, stream, include_usage, logprobs, legacy_functions: body.get("functions").is_some() })
}

/// The model name of an OpenAI-style body.
pub(crate) fn model(body: &Value, path_model: Option<&str>) -> Result<String, Failure> {
    match (present(body, "model"), path_model) {
        (Some(Value::String(model)), _) if !model.is_empty() => Ok(model.clone()),
        (Some(Value::String(_)) | None, Some(model)) => Ok(model.to_owned()),
        (Some(Value::String(_)) | None, None) => {
            Err(Failure { param: Some("model".to_owned()), ..Failure::invalid("you must provide a model parameter") })
        }
        (Some(other), _) => Err(wrong_type("model", "a string", other)),
    }
}

/// `stop`: a string or up to four of them.
pub(crate) fn stops(body: &Value) -> Result<Vec<String>, Failure> {
    match present(body, "stop") {
        None => Ok(Vec::new()),
        Some(Value::String(stop)) => Ok(vec![stop.clone()]),
        Some(Value::Array(stops)) if stops.len() <= 4 => stops
            .iter()
            .map(|stop| stop.as_str().map(str::to_owned).ok_or_else(|| wrong_type("stop", "a string", stop)))
            .collect(),
        Some(Value::Array(_)) => Err(Failure::field(
            "stop",
            "array_above_max_length",
            "Invalid 'stop': array too long. Expected an array with maximum length 4.",
        )),
        Some(other) => Err(wrong_type("stop", "a string or an array of strings", other)),
    }
}

fn messages(body: &Value, prompt: &mut Prompt) -> Result<(), Failure> {
    let messages = match body.get("messages") {
        Some(Value::Array(messages)) => messages,
        None | Some(Value::Null) => return Err(missing("messages")),
        Some(other) => return Err(wrong_type("messages", "an array of objects", other)),
    };
    if messages.is_empty() {
        let message =
            "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.";
        return Err(Failure::field("messages", "empty_array", message));
    }
    // Calls of the last assistant message that no tool message has answered yet.
    let mut open: Vec<String> = Vec::new();
    for (index, message) in messages.iter().enumerate() {
        let path = format!("messages[{index}]");
        let role = match message.get("role") {
            Some(Value::String(role)) => role.as_str(),
            None => return Err(missing(&format!("{path}.role"))),
            Some(other) => return Err(wrong_type(&format!("{path}.role"), "a string", other)),
        };
        if role != "tool" && !open.is_empty() {
            return Err(unanswered(&open));
        }
        match role {
            "system" | "developer" => {
                let said = content(message, &path, prompt_media(prompt))?;
                prompt.add_text(&said);
            }
            "user" => {
                prompt.begin_user();
                let said = content(message, &path, prompt_media(prompt))?;
                prompt.add_user_text(&said);
            }
            "assistant" => {
                prompt.tool_result = None;
                let said = content(message, &path, prompt_media(prompt))?;
                prompt.add_text(&said);
                open = calls(message, &path, prompt)?;
            }
            "tool" => {
                let id = text(message, "tool_call_id");
                if id.is_empty() {
                    return Err(missing(&format!("{path}.tool_call_id")));
                }
                let known = open.len();
                open.retain(|call| call != id);
                if open.len() == known {
                    let message = "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.";
                    return Err(Failure { param: Some(format!("{path}.role")), ..Failure::invalid(message) });
                }
                let result = content(message, &path, prompt_media(prompt))?;
                prompt.add_tool_result(&result);
            }
            "function" => prompt.add_tool_result(text(message, "content")),
            other => return Err(not_one_of(&format!("{path}.role"), other, ROLES)),
        }
    }
    if open.is_empty() { Ok(()) } else { Err(unanswered(&open)) }
}

fn unanswered(open: &[String]) -> Failure {
    let message = format!(
        "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: {}",
        open.join(", ")
    );
    Failure { param: Some("messages".to_owned()), ..Failure::invalid(message) }
}

/// Borrows only what counts media, so that the text can be added afterwards.
fn prompt_media(prompt: &mut Prompt) -> impl FnMut(&str) + use<'_> {
    |mime| prompt.add_media(mime)
}

/// The text of a message; media are reported by type.
fn content(message: &Value, path: &str, mut media: impl FnMut(&str)) -> Result<String, Failure> {
    let parts = match message.get("content") {
        Some(Value::String(text)) => return Ok(text.clone()),
        Some(Value::Array(parts)) => parts,
        None | Some(Value::Null) if text(message, "role") == "assistant" => return Ok(String::new()),
        None | Some(Value::Null) => {
            return Err(Failure::field(
                format!("{path}.content"),
                "invalid_type",
                format!("Invalid value for 'content': expected a string, got null. ({path})"),
            ));
        }
        Some(other) => return Err(wrong_type(&format!("{path}.content"), "a string or an array of objects", other)),
    };
    let mut texts: Vec<&str> = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        let path = format!("{path}.content[{index}]");
        match text(part, "type") {
            "text" => match part.get("text") {
                Some(Value::String(text)) => texts.push(text),
                None => return Err(missing(&format!("{path}.text"))),
                Some(other) => return Err(wrong_type(&format!("{path}.text"), "a string", other)),
            },
            "refusal" => texts.push(text(part, "refusal")),
            "image_url" => media(image(part, &path)?),
            "input_audio" => media("audio/wav"),
            "file" => media("application/pdf"),
            "" => return Err(missing(&format!("{path}.type"))),
            other => return Err(not_one_of(&format!("{path}.type"), other, PARTS)),
        }
    }
    Ok(texts.join(" "))
}

/// The media type of an image part; `image/*` behind a URL.
fn image<'a>(part: &'a Value, path: &str) -> Result<&'a str, Failure> {
    let url = part.pointer("/image_url/url").and_then(Value::as_str);
    let url = url.ok_or_else(|| missing(&format!("{path}.image_url.url")))?;
    if url.starts_with("https://") || url.starts_with("http://") {
        return Ok("image/*");
    }
    match Prompt::data_url_type(url) {
        Some(mime @ ("image/png" | "image/jpeg" | "image/gif" | "image/webp")) => Ok(mime),
        Some(_) => Err(Failure::invalid(
            "You uploaded an unsupported image. Please make sure your image has of one the following formats: ['png', 'jpeg', 'gif', 'webp'].",
        )
        .with_code("invalid_image_format")),
        None => Err(Failure::field(format!("{path}.image_url.url"), "invalid_image_url", "Invalid image URL: expected an http(s) or data URL.")),
    }
}

/// Counts an assistant's calls as text and returns their ids.
fn calls(message: &Value, path: &str, prompt: &mut Prompt) -> Result<Vec<String>, Failure> {
    let mut ids = Vec::new();
    for (index, call) in items(message, "tool_calls").enumerate() {
        let path = format!("{path}.tool_calls[{index}]");
        let id = text(call, "id");
        if id.is_empty() {
            return Err(missing(&format!("{path}.id")));
        }
        let (name, arguments) = match text(call, "type") {
            "function" => (call.pointer("/function/name"), call.pointer("/function/arguments")),
            "custom" => (call.pointer("/custom/name"), call.pointer("/custom/input")),
            other => return Err(not_one_of(&format!("{path}.type"), other, "'function' and 'custom'")),
        };
        let Some(name) = name.and_then(Value::as_str) else {
            return Err(missing(&format!("{path}.function.name")));
        };
        match arguments {
            Some(Value::String(arguments)) => prompt.add_text(&format!("{name} {arguments}")),
            None => return Err(missing(&format!("{path}.function.arguments"))),
            Some(other) => return Err(wrong_type(&format!("{path}.function.arguments"), "a string", other)),
        }
        ids.push(id.to_owned());
    }
    Ok(ids)
}

fn tools(body: &Value, prompt: &mut Prompt) -> Result<(), Failure> {
    for (index, tool) in items(body, "tools").enumerate() {
        let path = format!("tools[{index}]");
        let (definition, custom) = match text(tool, "type") {
            "function" => (tool.get("function"), false),
            "custom" => (tool.get("custom"), true),
            "" => return Err(missing(&format!("{path}.type"))),
            other => return Err(not_one_of(&format!("{path}.type"), other, "'function' and 'custom'")),
        };
        let definition = definition.ok_or_else(|| missing(&format!("{path}.function")))?;
        add_tool(definition, "parameters", &format!("{path}.function"), custom, prompt)?;
    }
    for (index, function) in items(body, "functions").enumerate() {
        add_tool(function, "parameters", &format!("functions[{index}]"), false, prompt)?;
    }
    Ok(())
}

/// Checks a tool's name and schema as OpenAI does and offers it.
pub(crate) fn add_tool(
    definition: &Value,
    schema: &str,
    path: &str,
    custom: bool,
    prompt: &mut Prompt,
) -> Result<(), Failure> {
    let name = text(definition, "name");
    if name.is_empty() {
        return Err(missing(&format!("{path}.name")));
    }
    if name.len() > 64 || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-') {
        let message = format!(
            "Invalid '{path}.name': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'."
        );
        return Err(Failure::field(format!("{path}.name"), "invalid_value", message));
    }
    let schema = present(definition, schema).cloned().unwrap_or_default();
    if !custom && !schema.is_null() && schema.get("type").and_then(Value::as_str) != Some("object") {
        let message = format!(
            "Invalid schema for function '{name}': schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{}\"'.",
            text(&schema, "type")
        );
        return Err(Failure::field(format!("{path}.parameters"), "invalid_function_parameters", message));
    }
    prompt.add_tool(name, definition.get("description").and_then(Value::as_str), schema, custom);
    Ok(())
}

fn tool_choice(body: &Value, prompt: &mut Prompt) -> Result<(), Failure> {
    let Some(choice) = present(body, "tool_choice").or_else(|| present(body, "function_call")) else { return Ok(()) };
    if prompt.tools.is_empty() {
        let message = "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.";
        return Err(Failure { param: Some("tool_choice".to_owned()), ..Failure::invalid(message) });
    }
    prompt.choice = match choice {
        Value::String(mode) => match mode.as_str() {
            "auto" => Choice::Auto,
            "none" => Choice::None,
            "required" => Choice::Any,
            other => return Err(not_one_of("tool_choice", other, "'none', 'auto', and 'required'")),
        },
        Value::Object(_) => {
            let allowed = items(choice.get("allowed_tools").unwrap_or(&Value::Null), "tools");
            let mut names: Vec<&str> = allowed.filter_map(tool_name).collect();
            let automatic = choice.pointer("/allowed_tools/mode").and_then(Value::as_str) == Some("auto");
            names.extend(tool_name(choice));
            if let Some(unknown) = names.iter().find(|name| !prompt.tools.iter().any(|tool| tool.name == **name)) {
                let message = format!("Tool choice '{unknown}' not found in 'tools' parameter.");
                return Err(Failure { param: Some("tool_choice".to_owned()), ..Failure::invalid(message) });
            }
            if automatic {
                prompt.tools.retain(|tool| names.contains(&tool.name.as_str()));
                Choice::Auto
            } else {
                Choice::Named(names.into_iter().map(str::to_owned).collect())
            }
        }
        other => return Err(wrong_type("tool_choice", "a string or an object", other)),
    };
    Ok(())
}

/// The name inside a `tool_choice` object, nested (chat) or flat (responses, legacy).
fn tool_name(choice: &Value) -> Option<&str> {
    let places = ["/function/name", "/custom/name", "/name"];
    places.iter().find_map(|place| choice.pointer(place)).and_then(Value::as_str)
}

fn response_format(body: &Value, prompt: &mut Prompt) -> Result<(), Failure> {
    let Some(format) = present(body, "response_format") else { return Ok(()) };
    match text(format, "type") {
        "text" => {}
        "json_object" => {
            if !prompt.text.to_ascii_lowercase().contains("json") {
                let message = "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.";
                return Err(Failure { param: Some("messages".to_owned()), ..Failure::invalid(message) });
            }
            prompt.format = Format::JsonObject;
        }
        "json_schema" => {
            let definition = format.get("json_schema").ok_or_else(|| missing("response_format.json_schema"))?;
            if text(definition, "name").is_empty() {
                return Err(missing("response_format.json_schema.name"));
            }
            let schema = definition.get("schema").ok_or_else(|| missing("response_format.json_schema.schema"))?;
            prompt.format = Format::Schema(schema.clone());
        }
        other => return Err(not_one_of("response_format.type", other, "'json_object', 'json_schema', and 'text'")),
    }
    Ok(())
}

/// Reasoning asked for, in OpenAI's way or in one of the ways of the compatible servers.
fn thinking(body: &Value) -> Result<bool, Failure> {
    if let Some(effort) = present(body, "reasoning_effort") {
        return match effort.as_str() {
            Some("none") => Ok(false),
            Some("minimal" | "low" | "medium" | "high" | "xhigh" | "max") => Ok(true),
            Some(other) => {
                Err(not_one_of("reasoning_effort", other, "'none', 'minimal', 'low', 'medium', 'high', and 'xhigh'"))
            }
            None => Err(wrong_type("reasoning_effort", "a string", effort)),
        };
    }
    let deepseek = body.pointer("/thinking/type").and_then(Value::as_str) == Some("enabled");
    let qwen = body.get("enable_thinking").and_then(Value::as_bool) == Some(true);
    let router = body.pointer("/reasoning/effort").and_then(Value::as_str).is_some_and(|effort| effort != "none");
    Ok(deepseek || qwen || router)
}
