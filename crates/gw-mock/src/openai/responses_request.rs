//! Responses requests: checked as OpenAI checks them, then understood.

use serde_json::Value;

use super::chat_request::{add_tool, model};
use crate::failure::Failure;
use crate::fields::{boolean, items, missing, not_one_of, only, present, range, text, whole, wrong_type};
use crate::prompt::{Choice, Format, Prompt};
use crate::signature;

/// A checked request.
#[derive(Debug)]
pub(crate) struct ResponsesRequest {
    pub(crate) prompt: Prompt,
    pub(crate) stream: bool,
    /// Reasoning summaries were asked for.
    pub(crate) summary: bool,
    /// `include` has `reasoning.encrypted_content`.
    pub(crate) encrypted: bool,
    /// The request, for the fields that the response repeats.
    pub(crate) body: Value,
}

/// The kind under which reasoning items are signed.
pub(crate) const SIGNED: &str = "responses-reasoning";

const ROLES: &str = "'assistant', 'system', 'developer', and 'user'";
const KNOWN: &[&str] = &[
    "background",
    "context_management",
    "conversation",
    "include",
    "input",
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "metadata",
    "model",
    "moderation",
    "parallel_tool_calls",
    "previous_response_id",
    "prompt",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "reasoning",
    "safety_identifier",
    "service_tier",
    "store",
    "stream",
    "stream_options",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "truncation",
    "user",
];

/// Reads a request body.
pub(crate) fn parse(body: &Value, strict: bool) -> Result<ResponsesRequest, Failure> {
    if strict {
        only(body, KNOWN, |name| format!("Unknown parameter: '{name}'."))?;
    }
    let mut prompt = Prompt { model: model(body, None)?, ..Prompt::default() };
    if let Some(id) = present(body, "previous_response_id").and_then(Value::as_str) {
        let message = format!("Previous response with id '{id}' not found.");
        return Err(Failure::field("previous_response_id", "previous_response_not_found", message));
    }
    prompt.add_text(text(body, "instructions"));
    match body.get("input") {
        Some(Value::String(input)) => {
            prompt.begin_user();
            prompt.add_user_text(input);
        }
        Some(Value::Array(input)) => {
            let mut calls = Vec::new();
            for (index, item) in input.iter().enumerate() {
                self::item(item, &format!("input[{index}]"), &mut calls, &mut prompt)?;
            }
        }
        None | Some(Value::Null) => return Err(missing("input")),
        Some(other) => return Err(wrong_type("input", "a string or an array of objects", other)),
    }
    tools(body, &mut prompt)?;
    text_format(body, &mut prompt)?;
    range(body, "temperature", 0.0, 2.0)?;
    range(body, "top_p", 0.0, 1.0)?;
    prompt.max_tokens = whole(body, "max_output_tokens", 16)?;
    prompt.single_call = present(body, "parallel_tool_calls").and_then(Value::as_bool) == Some(false);
    let reasoning = present(body, "reasoning").cloned().unwrap_or_default();
    prompt.thinking = match text(&reasoning, "effort") {
        "" => present(&reasoning, "summary").is_some(),
        "none" => false,
        "minimal" | "low" | "medium" | "high" | "xhigh" | "max" => true,
        other => {
            return Err(not_one_of(
                "reasoning.effort",
                other,
                "'none', 'minimal', 'low', 'medium', 'high', and 'xhigh'",
            ));
        }
    };
    Ok(ResponsesRequest {
        prompt,
        stream: boolean(body, "stream")?,
        summary: present(&reasoning, "summary").is_some(),
        encrypted: items(body, "include").any(|include| include == "reasoning.encrypted_content"),
        body: body.clone(),
    })
}

fn item(item: &Value, path: &str, calls: &mut Vec<String>, prompt: &mut Prompt) -> Result<(), Failure> {
    match text(item, "type") {
        "" | "message" => message(item, path, prompt),
        "function_call" | "custom_tool_call" => {
            if text(item, "call_id").is_empty() {
                return Err(missing(&format!("{path}.call_id")));
            }
            prompt.tool_result = None;
            calls.push(text(item, "call_id").to_owned());
            prompt.add_text(&format!("{} {}{}", text(item, "name"), text(item, "arguments"), text(item, "input")));
            Ok(())
        }
        "function_call_output" | "custom_tool_call_output" => {
            let id = text(item, "call_id");
            if !calls.iter().any(|call| call == id) {
                let message = format!("No tool call found for function call output with call_id {id}.");
                return Err(Failure { param: Some("input".to_owned()), ..Failure::invalid(message) });
            }
            let output = match item.get("output") {
                Some(Value::String(output)) => output.clone(),
                Some(Value::Array(parts)) => content(parts, path, prompt)?,
                _ => return Err(missing(&format!("{path}.output"))),
            };
            prompt.add_tool_result(&output);
            Ok(())
        }
        "reasoning" => match present(item, "encrypted_content").and_then(Value::as_str) {
            Some(sealed) if !signature::verifies(SIGNED, None, sealed) => {
                let id = text(item, "id");
                let message = format!(
                    "The encrypted content for item {id} could not be verified. Reason: Encrypted content could not be decrypted or parsed."
                );
                Err(Failure::invalid(message).with_code("invalid_encrypted_content"))
            }
            _ => Ok(()),
        },
        // Items of hosted tools: the mock runs none, so their content only counts as input.
        _ => {
            prompt.add_text(&item.to_string());
            Ok(())
        }
    }
}

fn message(message: &Value, path: &str, prompt: &mut Prompt) -> Result<(), Failure> {
    let role = text(message, "role");
    if !matches!(role, "user" | "assistant" | "system" | "developer") {
        return Err(not_one_of(&format!("{path}.role"), role, ROLES));
    }
    let user = role == "user";
    if user {
        prompt.begin_user();
    } else if role == "assistant" {
        prompt.tool_result = None;
    }
    let said = match message.get("content") {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => content(parts, path, prompt)?,
        None | Some(Value::Null) => return Err(missing(&format!("{path}.content"))),
        Some(other) => return Err(wrong_type(&format!("{path}.content"), "a string or an array of objects", other)),
    };
    if user {
        prompt.add_user_text(&said)
    } else {
        prompt.add_text(&said)
    }
    Ok(())
}

fn content(parts: &[Value], path: &str, prompt: &mut Prompt) -> Result<String, Failure> {
    let mut texts = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        match text(part, "type") {
            "input_text" | "output_text" => texts.push(text(part, "text")),
            "refusal" => texts.push(text(part, "refusal")),
            "input_image" => prompt.add_media("image/*"),
            "input_file" => prompt.add_media("application/pdf"),
            "input_audio" => prompt.add_media("audio/wav"),
            other => {
                let supported =
                    "'input_text', 'input_image', 'output_text', 'refusal', 'input_file', and 'input_audio'";
                return Err(not_one_of(&format!("{path}.content[{index}]"), other, supported));
            }
        }
    }
    Ok(texts.join(" "))
}

fn tools(body: &Value, prompt: &mut Prompt) -> Result<(), Failure> {
    for (index, tool) in items(body, "tools").enumerate() {
        match text(tool, "type") {
            "function" => add_tool(tool, "parameters", &format!("tools[{index}]"), false, prompt)?,
            "custom" => add_tool(tool, "parameters", &format!("tools[{index}]"), true, prompt)?,
            "" => return Err(missing(&format!("tools[{index}].type"))),
            // Hosted tools are accepted and never used.
            _ => {}
        }
    }
    let named = |choice: &Value| vec![text(choice, "name").to_owned()];
    prompt.choice = match present(body, "tool_choice") {
        None => Choice::Auto,
        Some(Value::String(mode)) => match mode.as_str() {
            "auto" => Choice::Auto,
            "none" => Choice::None,
            "required" => Choice::Any,
            other => return Err(not_one_of("tool_choice", other, "'none', 'auto', and 'required'")),
        },
        Some(choice) => match text(choice, "type") {
            "function" | "custom" => Choice::Named(named(choice)),
            "allowed_tools" => {
                let names: Vec<String> = items(choice, "tools").flat_map(named).collect();
                if text(choice, "mode") == "required" {
                    Choice::Named(names)
                } else {
                    prompt.tools.retain(|tool| names.contains(&tool.name));
                    Choice::Auto
                }
            }
            _ => Choice::Auto,
        },
    };
    Ok(())
}

fn text_format(body: &Value, prompt: &mut Prompt) -> Result<(), Failure> {
    let Some(format) = body.pointer("/text/format").filter(|format| !format.is_null()) else { return Ok(()) };
    prompt.format = match text(format, "type") {
        "text" => Format::Text,
        "json_object" => Format::JsonObject,
        "json_schema" => {
            if text(format, "name").is_empty() {
                return Err(missing("text.format.name"));
            }
            Format::Schema(format.get("schema").cloned().ok_or_else(|| missing("text.format.schema"))?)
        }
        other => return Err(not_one_of("text.format.type", other, "'json_object', 'json_schema', and 'text'")),
    };
    Ok(())
}
