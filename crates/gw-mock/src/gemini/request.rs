//! generateContent requests: checked as Gemini checks them, then understood. Camel and snake case are both accepted.

use serde_json::Value;

use crate::failure::Failure;
use crate::fields::{either, items, present, text};
use crate::prompt::{Choice, Format, Prompt};
use crate::signature;

/// A checked request.
#[derive(Debug)]
pub(crate) struct GenerateRequest {
    pub(crate) prompt: Prompt,
    /// Thought parts are wanted in the answer.
    pub(crate) include_thoughts: bool,
    /// Answers carry thought signatures: thinking is on, or the model always thinks.
    pub(crate) signs: bool,
}

/// The kinds under which calls and texts are signed.
pub(crate) const CALL: &str = "gemini-call";
pub(crate) const TEXT: &str = "gemini-text";

/// The documented stand-in for a signature that was lost, plain and as base64.
const SKIP: [&str; 2] = ["skip_thought_signature_validator", "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I="];

const KNOWN: &[&str] = &[
    "cachedContent",
    "cached_content",
    "contents",
    "generationConfig",
    "generation_config",
    "labels",
    "model",
    "modelArmorConfig",
    "safetySettings",
    "safety_settings",
    "serviceTier",
    "store",
    "systemInstruction",
    "system_instruction",
    "toolConfig",
    "tool_config",
    "tools",
];

/// Reads a request body for `model`, the name from the path.
pub(crate) fn parse(body: &Value, model: &str, strict: bool) -> Result<GenerateRequest, Failure> {
    if !body.is_object() {
        return Err(Failure::invalid("Invalid JSON payload received. Root element must be a message."));
    }
    if strict {
        crate::fields::only(body, KNOWN, |name| {
            format!("Invalid JSON payload received. Unknown name \"{name}\": Cannot find field.")
        })?;
    }
    let mut prompt = Prompt { model: model.to_owned(), ..Prompt::default() };
    let always_signs = requires_signatures(model);
    if let Some(system) = either(body, "systemInstruction", "system_instruction") {
        match system {
            Value::String(said) => prompt.add_text(said),
            _ => items(system, "parts").for_each(|part| prompt.add_text(text(part, "text"))),
        }
    }
    tools(body, &mut prompt)?;
    let contents = match present(body, "contents") {
        Some(Value::Array(contents)) if !contents.is_empty() => contents,
        Some(Value::Array(_)) | None => {
            return Err(field("contents", "* GenerateContentRequest.contents: contents is not specified"));
        }
        Some(_) => return Err(bad_value("contents")),
    };
    let turn_start = current_turn(contents);
    let mut pending: usize = 0;
    for (index, content) in contents.iter().enumerate() {
        self::content(content, index, index >= turn_start && always_signs, &mut pending, &mut prompt)?;
        if index >= turn_start {
            signatures(content, index)?;
        }
    }
    tool_config(body, &mut prompt)?;
    let empty = Value::Null;
    let config = either(body, "generationConfig", "generation_config").unwrap_or(&empty);
    let include_thoughts = generation(config, &mut prompt)?;
    let signs = prompt.thinking || always_signs;
    Ok(GenerateRequest { prompt, include_thoughts, signs })
}

fn field(name: &str, message: &str) -> Failure {
    Failure { param: Some(name.to_owned()), ..Failure::invalid(message) }
}

fn bad_value(name: &str) -> Failure {
    field(name, &format!("Invalid value at '{name}': the value has the wrong type"))
}

/// Gemini 3 and later refuse calls of the current turn that come back without a signature.
fn requires_signatures(model: &str) -> bool {
    let name = model.rsplit('/').next().unwrap_or(model);
    let generation = name.strip_prefix("gemini-").and_then(|rest| rest.chars().next());
    generation.is_some_and(|digit| ('3'..='9').contains(&digit))
}

/// The index of the last user content that is more than function responses: what follows is the current turn.
fn current_turn(contents: &[Value]) -> usize {
    let starts = |content: &Value| {
        text(content, "role") != "model"
            && items(content, "parts").any(|part| either(part, "functionResponse", "function_response").is_none())
    };
    contents.iter().rposition(starts).unwrap_or(0)
}

fn content(
    content: &Value,
    index: usize,
    must_sign: bool,
    pending: &mut usize,
    prompt: &mut Prompt,
) -> Result<(), Failure> {
    let role = text(content, "role");
    if !matches!(role, "" | "user" | "model" | "function") {
        return Err(Failure::invalid("Please use a valid role: user, model."));
    }
    let model = role == "model";
    let parts = items(content, "parts");
    if parts.len() == 0 {
        let message = format!("* GenerateContentRequest.contents[{index}].parts: contents.parts must not be empty.");
        return Err(field("contents", &message));
    }
    let is_response = |part: &Value| either(part, "functionResponse", "function_response").is_some();
    let responses = parts.clone().filter(|part| is_response(part)).count();
    if model {
        prompt.tool_result = None;
        *pending = 0;
    } else {
        if *pending != 0 && responses != *pending || *pending == 0 && responses != 0 {
            return Err(Failure::invalid(
                "Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.",
            ));
        }
        *pending = 0;
        if responses == 0 {
            prompt.begin_user();
        }
    }
    let mut unsigned_call = None;
    for (at, part) in parts.enumerate() {
        if let Some(call) = either(part, "functionCall", "function_call") {
            if *pending == 0 && either(part, "thoughtSignature", "thought_signature").is_none() {
                unsigned_call = Some(text(call, "name"));
            }
            *pending += 1;
            prompt.add_text(&format!("{} {}", text(call, "name"), call.get("args").unwrap_or(&Value::Null)));
        } else if let Some(response) = either(part, "functionResponse", "function_response") {
            prompt.add_tool_result(&result_text(response));
        } else {
            self::part(part, index, at, model, prompt)?;
        }
    }
    match unsigned_call.filter(|_| must_sign) {
        Some(name) => Err(Failure::invalid(format!(
            "Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly, and missing thought_signature may lead to degraded model performance. Additional data, function call `{name}`, position {index}."
        ))),
        None => Ok(()),
    }
}

fn part(part: &Value, index: usize, at: usize, model: bool, prompt: &mut Prompt) -> Result<(), Failure> {
    if let Some(said) = part.get("text").and_then(Value::as_str) {
        if part.get("thought") == Some(&Value::Bool(true)) {
            return Ok(());
        }
        if model {
            prompt.add_text(said)
        } else {
            prompt.add_user_text(said)
        }
        return Ok(());
    }
    let media = either(part, "inlineData", "inline_data").or_else(|| either(part, "fileData", "file_data"));
    if let Some(media) = media {
        let mime = either(media, "mimeType", "mime_type").and_then(Value::as_str).unwrap_or("application/octet-stream");
        prompt.add_media(mime);
        return Ok(());
    }
    let known =
        ["executableCode", "codeExecutionResult", "toolCall", "toolResponse", "thoughtSignature", "thought_signature"];
    if known.iter().any(|key| part.get(*key).is_some()) {
        return Ok(());
    }
    let message = format!(
        "* GenerateContentRequest.contents[{index}].parts[{at}].data: required oneof field 'data' must have one initialized field"
    );
    Err(field("contents", &message))
}

/// Refuses changed signatures on calls of the current turn.
fn signatures(content: &Value, index: usize) -> Result<(), Failure> {
    for part in items(content, "parts") {
        let Some(call) = either(part, "functionCall", "function_call") else { continue };
        let Some(signature) = either(part, "thoughtSignature", "thought_signature").and_then(Value::as_str) else {
            continue;
        };
        let name = text(call, "name");
        if !SKIP.contains(&signature) && !signature::verifies(CALL, Some(name), signature) {
            return Err(Failure::invalid(format!(
                "Thought signature is not valid for function call `{name}`, position {index}."
            )));
        }
    }
    Ok(())
}

/// The text of a result: the single `output` or `result` string, else the whole object.
fn result_text(response: &Value) -> String {
    let Some(body) = response.get("response") else { return String::new() };
    let single = body.as_object().filter(|fields| fields.len() == 1).and_then(|fields| fields.values().next());
    single.and_then(Value::as_str).map_or_else(|| body.to_string(), str::to_owned)
}

fn tools(body: &Value, prompt: &mut Prompt) -> Result<(), Failure> {
    for (index, tool) in items(body, "tools").enumerate() {
        let Some(declarations) =
            either(tool, "functionDeclarations", "function_declarations").and_then(Value::as_array)
        else {
            continue;
        };
        for (at, declaration) in declarations.iter().enumerate() {
            let name = text(declaration, "name");
            let letters = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte);
            let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
            if !starts || name.len() > 128 || !name.bytes().all(letters) {
                let message = format!(
                    "* GenerateContentRequest.tools[{index}].function_declarations[{at}].name: Invalid function name. Must start with a letter or an underscore."
                );
                return Err(field("tools", &message));
            }
            let schema = either(declaration, "parametersJsonSchema", "parameters_json_schema")
                .or_else(|| present(declaration, "parameters"));
            prompt.add_tool(
                name,
                declaration.get("description").and_then(Value::as_str),
                schema.cloned().unwrap_or_default(),
                false,
            );
        }
    }
    Ok(())
}

fn tool_config(body: &Value, prompt: &mut Prompt) -> Result<(), Failure> {
    let calling = either(body, "toolConfig", "tool_config")
        .and_then(|config| either(config, "functionCallingConfig", "function_calling_config"));
    let Some(calling) = calling else { return Ok(()) };
    let names = either(calling, "allowedFunctionNames", "allowed_function_names").and_then(Value::as_array);
    let names: Vec<String> = names.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    prompt.choice = match text(calling, "mode").to_ascii_uppercase().as_str() {
        "" | "AUTO" | "MODE_UNSPECIFIED" | "VALIDATED" => Choice::Auto,
        "NONE" => Choice::None,
        "ANY" if names.is_empty() => Choice::Any,
        "ANY" => Choice::Named(names),
        _ => return Err(bad_value("tool_config.function_calling_config.mode")),
    };
    Ok(())
}

/// Reads `generationConfig`; returns whether thoughts are to be included.
fn generation(config: &Value, prompt: &mut Prompt) -> Result<bool, Failure> {
    let whole = |camel: &str, snake: &str| match either(config, camel, snake) {
        None => Ok(None),
        Some(value) => match value.as_u64().filter(|number| *number > 0) {
            Some(number) => Ok(Some(number)),
            None => Err(bad_value(&format!("generation_config.{snake}"))),
        },
    };
    prompt.max_tokens = whole("maxOutputTokens", "max_output_tokens")?;
    prompt.candidates =
        whole("candidateCount", "candidate_count")?.map_or(1, |count| usize::try_from(count).unwrap_or(1));
    if either(config, "temperature", "temperature")
        .is_some_and(|value| !value.as_f64().is_some_and(|t| (0.0..=2.0).contains(&t)))
    {
        return Err(bad_value("generation_config.temperature"));
    }
    let stops = either(config, "stopSequences", "stop_sequences").and_then(Value::as_array);
    prompt.stops = stops.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    let schema = either(config, "responseJsonSchema", "response_json_schema")
        .or_else(|| either(config, "responseSchema", "response_schema"));
    let json =
        either(config, "responseMimeType", "response_mime_type").and_then(Value::as_str) == Some("application/json");
    prompt.format = match schema {
        Some(schema) => Format::Schema(schema.clone()),
        None if json => Format::JsonObject,
        None => Format::Text,
    };
    let Some(thinking) = either(config, "thinkingConfig", "thinking_config") else { return Ok(false) };
    let budget = either(thinking, "thinkingBudget", "thinking_budget");
    let level = either(thinking, "thinkingLevel", "thinking_level");
    if budget.is_some() && level.is_some() {
        return Err(Failure::invalid("You can only set only one of thinking budget and thinking level."));
    }
    let include = either(thinking, "includeThoughts", "include_thoughts") == Some(&Value::Bool(true));
    let off = budget.and_then(Value::as_i64) == Some(0);
    prompt.thinking = !off && (include || budget.is_some() || level.is_some());
    Ok(include && prompt.thinking)
}
