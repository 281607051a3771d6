//! Messages requests: checked as Anthropic checks them, then understood.

use serde_json::Value;

use crate::failure::Failure;
use crate::fields::{items, present, text};
use crate::prompt::{Choice, Format, Prompt};
use crate::signature;

/// A checked request.
#[derive(Debug)]
pub(crate) struct MessagesRequest {
    pub(crate) prompt: Prompt,
    pub(crate) stream: bool,
    /// `thinking.display` is `omitted`: the block comes with its signature and no text.
    pub(crate) hide_thinking: bool,
}

/// The kind under which thinking is signed.
pub(crate) const SIGNED: &str = "anthropic-thinking";

const KNOWN: &[&str] = &[
    "cache_control",
    "container",
    "context_management",
    "diagnostics",
    "inference_geo",
    "max_tokens",
    "mcp_servers",
    "messages",
    "metadata",
    "model",
    "output_config",
    "output_format",
    "service_tier",
    "speed",
    "stop_sequences",
    "stream",
    "system",
    "temperature",
    "thinking",
    "tool_choice",
    "tools",
    "top_k",
    "top_p",
];

/// Who asks, as far as the rules depend on it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Rules<'a> {
    /// The model name from the path, where the body has none (Vertex, Bedrock).
    pub(crate) path_model: Option<&'a str>,
    /// `anthropic-version` is 2026-10-21 or later: no sampling parameters.
    pub(crate) no_sampling: bool,
    /// Counting tokens needs no `max_tokens`.
    pub(crate) counting: bool,
    pub(crate) strict: bool,
}

/// Reads a request body.
pub(crate) fn parse(body: &Value, rules: Rules<'_>) -> Result<MessagesRequest, Failure> {
    if !body.is_object() {
        return Err(Failure::invalid("Input should be a valid dictionary"));
    }
    if rules.strict {
        crate::fields::only(body, KNOWN, |name| format!("{name}: Extra inputs are not permitted"))?;
    }
    let model = match (body.get("model"), rules.path_model) {
        (Some(Value::String(model)), _) if !model.is_empty() => model.clone(),
        (_, Some(model)) => model.to_owned(),
        (None, None) => return Err(required("model")),
        _ => return Err(Failure::invalid("model: Input should be a valid string")),
    };
    let mut prompt = Prompt { model, ..Prompt::default() };
    limits(body, rules, &mut prompt)?;
    match present(body, "system") {
        None => {}
        Some(Value::String(system)) => prompt.add_text(system),
        Some(Value::Array(blocks)) => blocks.iter().for_each(|block| prompt.add_text(text(block, "text"))),
        Some(_) => return Err(Failure::invalid("system: Input should be a valid list or string")),
    }
    tools(body, &mut prompt)?;
    let messages = match body.get("messages") {
        Some(Value::Array(messages)) => messages,
        None => return Err(required("messages")),
        Some(_) => return Err(Failure::invalid("messages: Input should be a valid list")),
    };
    if messages.is_empty() {
        return Err(Failure::invalid("messages: at least one message is required"));
    }
    let mut open = Vec::new();
    for (index, entry) in messages.iter().enumerate() {
        message(entry, index, &mut open, &mut prompt)?;
    }
    if !open.is_empty() {
        return Err(unanswered(messages.len() - 1, &open));
    }
    tool_choice(body, &mut prompt)?;
    let hide_thinking = thinking(body, &mut prompt)?;
    if let Some(schema) = body.pointer("/output_config/format/schema").or_else(|| body.pointer("/output_format/schema"))
    {
        prompt.format = Format::Schema(schema.clone());
    }
    let stream = match body.get("stream") {
        None | Some(Value::Null) => false,
        Some(Value::Bool(stream)) => *stream,
        Some(_) => return Err(Failure::invalid("stream: Input should be a valid boolean")),
    };
    Ok(MessagesRequest { prompt, stream, hide_thinking })
}

fn required(field: &str) -> Failure {
    Failure::invalid(format!("{field}: Field required"))
}

fn limits(body: &Value, rules: Rules<'_>, prompt: &mut Prompt) -> Result<(), Failure> {
    match body.get("max_tokens") {
        None if rules.counting => {}
        None => return Err(required("max_tokens")),
        Some(value) => match value.as_u64() {
            Some(most) => prompt.max_tokens = Some(most),
            None if value.as_i64().is_some() => {
                return Err(Failure::invalid("max_tokens: must be greater than or equal to 1"));
            }
            None => return Err(Failure::invalid("max_tokens: Input should be a valid integer")),
        },
    }
    for name in ["temperature", "top_p", "top_k"] {
        let Some(value) = body.get(name) else { continue };
        if rules.no_sampling {
            return Err(Failure::invalid(format!("{name}: Extra inputs are not permitted")));
        }
        match value.as_f64() {
            None => return Err(Failure::invalid(format!("{name}: Input should be a valid number"))),
            Some(number) if name != "top_k" && !(0.0..=1.0).contains(&number) => {
                return Err(Failure::invalid(format!("{name}: range: 0..1")));
            }
            Some(_) => {}
        }
    }
    for stop in items(body, "stop_sequences") {
        match stop.as_str() {
            Some(stop) if !stop.trim().is_empty() => prompt.stops.push(stop.to_owned()),
            Some(_) => return Err(Failure::invalid("stop_sequences: each stop sequence must contain non-whitespace")),
            None => return Err(Failure::invalid("stop_sequences: Input should be a valid string")),
        }
    }
    Ok(())
}

fn message(message: &Value, index: usize, open: &mut Vec<String>, prompt: &mut Prompt) -> Result<(), Failure> {
    let role = text(message, "role");
    let path = format!("messages.{index}");
    match role {
        "user" => {
            // Results alone do not start a new question: the one before them is what the model still answers.
            let blocks = message.get("content").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            let only_results = !blocks.is_empty() && blocks.iter().all(|block| text(block, "type") == "tool_result");
            if only_results {
                prompt.tool_result = None;
            } else {
                prompt.begin_user();
            }
        }
        "assistant" => prompt.tool_result = None,
        "system" => {}
        _ if message.get("role").is_none() => return Err(required(&format!("{path}.role"))),
        _ => {
            return Err(Failure::invalid(format!(
                "messages: Unexpected role \"{role}\". Allowed roles are \"user\" or \"assistant\"."
            )));
        }
    }
    let pending = std::mem::take(open);
    let blocks = match message.get("content") {
        Some(Value::String(said)) if said.is_empty() && role == "user" => {
            return Err(Failure::invalid(format!("{path}: user messages must have non-empty content")));
        }
        Some(Value::String(said)) => {
            if !pending.is_empty() {
                return Err(unanswered(index - 1, &pending));
            }
            add(role, said, prompt);
            return Ok(());
        }
        Some(Value::Array(blocks)) => blocks,
        None => return Err(required(&format!("{path}.content"))),
        Some(_) => return Err(Failure::invalid(format!("{path}.content: Input should be a valid list"))),
    };
    let mut pending = pending;
    for (at, block) in blocks.iter().enumerate() {
        self::block(block, &format!("{path}.content.{at}"), role, &mut pending, open, prompt)?;
    }
    if pending.is_empty() { Ok(()) } else { Err(unanswered(index.saturating_sub(1), &pending)) }
}

fn unanswered(index: usize, ids: &[String]) -> Failure {
    Failure::invalid(format!(
        "messages.{index}: `tool_use` ids were found without `tool_result` blocks immediately after: {}. Each `tool_use` block must have a corresponding `tool_result` block in the next message.",
        ids.join(", ")
    ))
}

fn add(role: &str, said: &str, prompt: &mut Prompt) {
    if role == "user" { prompt.add_user_text(said) } else { prompt.add_text(said) }
}

fn block(
    block: &Value,
    path: &str,
    role: &str,
    pending: &mut Vec<String>,
    open: &mut Vec<String>,
    prompt: &mut Prompt,
) -> Result<(), Failure> {
    match text(block, "type") {
        "text" => match block.get("text").and_then(Value::as_str) {
            Some("") => return Err(Failure::invalid("messages: text content blocks must be non-empty")),
            Some(said) => add(role, said, prompt),
            None => return Err(required(&format!("{path}.text.text"))),
        },
        "image" => media(block, path, "image/*", prompt)?,
        "document" => media(block, path, "application/pdf", prompt)?,
        "thinking" => {
            let (thinking, signature) = (text(block, "thinking"), text(block, "signature"));
            let content = (!thinking.is_empty()).then_some(thinking);
            if !signature::verifies(SIGNED, content, signature) {
                return Err(Failure::invalid(format!("{path}: Invalid `signature` in `thinking` block")));
            }
        }
        "tool_use" => {
            let id = text(block, "id");
            if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-') {
                return Err(Failure::invalid(format!(
                    "{path}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'"
                )));
            }
            if !block.get("input").is_some_and(Value::is_object) {
                return Err(Failure::invalid(format!("{path}.tool_use.input: Input should be a valid dictionary")));
            }
            prompt.add_text(&format!("{} {}", text(block, "name"), block.get("input").unwrap_or(&Value::Null)));
            open.push(id.to_owned());
        }
        "tool_result" => {
            let id = text(block, "tool_use_id");
            let known = pending.len();
            pending.retain(|call| call != id);
            if pending.len() == known {
                return Err(Failure::invalid(format!(
                    "{path}: unexpected `tool_use_id` found in `tool_result` blocks: {id}. Each `tool_result` block must have a corresponding `tool_use` block in the previous message."
                )));
            }
            let result = result_text(block, path, prompt)?;
            prompt.add_tool_result(&result);
        }
        "" => return Err(required(&format!("{path}.type"))),
        "redacted_thinking"
        | "search_result"
        | "server_tool_use"
        | "web_search_tool_result"
        | "container_upload"
        | "web_fetch_tool_result"
        | "code_execution_tool_result" => prompt.add_text(&block.to_string()),
        other => {
            return Err(Failure::invalid(format!(
                "{path}: Input tag '{other}' found using 'type' does not match any of the expected tags: 'document', 'image', 'redacted_thinking', 'search_result', 'server_tool_use', 'text', 'thinking', 'tool_result', 'tool_use', 'web_search_tool_result'"
            )));
        }
    }
    Ok(())
}

fn media(block: &Value, path: &str, fallback: &str, prompt: &mut Prompt) -> Result<(), Failure> {
    let Some(source) = block.get("source") else { return Err(required(&format!("{path}.source"))) };
    match text(source, "type") {
        "base64" => {
            if text(source, "data").is_empty() {
                return Err(required(&format!("{path}.source.base64.data")));
            }
            let mime = text(source, "media_type");
            let image = matches!(mime, "image/jpeg" | "image/png" | "image/gif" | "image/webp");
            if fallback == "image/*" && !image {
                return Err(Failure::invalid(format!(
                    "{path}.image.source.base64.media_type: Input should be 'image/jpeg', 'image/png', 'image/gif' or 'image/webp'"
                )));
            }
            prompt.add_media(mime);
        }
        "url" | "file" | "content" => prompt.add_media(fallback),
        "text" => {
            prompt.add_text(text(source, "data"));
            prompt.add_media("text/plain");
        }
        other => {
            return Err(Failure::invalid(format!(
                "{path}.source: Input tag '{other}' found using 'type' does not match any of the expected tags: 'base64', 'file', 'text', 'url'"
            )));
        }
    }
    Ok(())
}

fn result_text(block: &Value, path: &str, prompt: &mut Prompt) -> Result<String, Failure> {
    let blocks = match block.get("content") {
        None | Some(Value::Null) => return Ok(String::new()),
        Some(Value::String(said)) => return Ok(said.clone()),
        Some(Value::Array(blocks)) => blocks,
        Some(_) => return Err(Failure::invalid(format!("{path}.tool_result.content: Input should be a valid list"))),
    };
    let mut texts = Vec::new();
    for part in blocks {
        match text(part, "type") {
            "text" => texts.push(text(part, "text")),
            "image" => media(part, path, "image/*", prompt)?,
            "document" => media(part, path, "application/pdf", prompt)?,
            _ => {}
        }
    }
    Ok(texts.join(" "))
}

fn tools(body: &Value, prompt: &mut Prompt) -> Result<(), Failure> {
    for (index, tool) in items(body, "tools").enumerate() {
        // Tools with a dated type run at the vendor; the mock accepts and never uses them.
        if present(tool, "type").is_some_and(|kind| kind != "custom") {
            continue;
        }
        let name = text(tool, "name");
        if name.is_empty() {
            return Err(required(&format!("tools.{index}.custom.name")));
        }
        if name.len() > 128 || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-') {
            return Err(Failure::invalid(format!(
                "tools.{index}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'"
            )));
        }
        let Some(schema) = tool.get("input_schema") else {
            return Err(required(&format!("tools.{index}.custom.input_schema")));
        };
        if schema.get("type").and_then(Value::as_str) != Some("object") {
            return Err(Failure::invalid(format!("tools.{index}.custom.input_schema.type: Input should be 'object'")));
        }
        prompt.add_tool(name, tool.get("description").and_then(Value::as_str), schema.clone(), false);
    }
    Ok(())
}

fn tool_choice(body: &Value, prompt: &mut Prompt) -> Result<(), Failure> {
    let Some(choice) = present(body, "tool_choice") else { return Ok(()) };
    prompt.single_call = choice.get("disable_parallel_tool_use") == Some(&Value::Bool(true));
    prompt.choice = match text(choice, "type") {
        "auto" => Choice::Auto,
        "none" => Choice::None,
        "any" => Choice::Any,
        "tool" => {
            let name = text(choice, "name").to_owned();
            if !prompt.tools.iter().any(|tool| tool.name == name) {
                return Err(Failure::invalid(format!("Tool '{name}' not found in provided tools")));
            }
            Choice::Named(vec![name])
        }
        other => {
            return Err(Failure::invalid(format!(
                "tool_choice: Input tag '{other}' found using 'type' does not match any of the expected tags: 'auto', 'any', 'tool', 'none'"
            )));
        }
    };
    let budgeted = body.pointer("/thinking/type").and_then(Value::as_str) == Some("enabled");
    if budgeted && matches!(prompt.choice, Choice::Any | Choice::Named(_)) {
        return Err(Failure::invalid("Thinking may not be enabled when tool_choice forces tool use."));
    }
    Ok(())
}

/// Returns whether thinking is to be shown without text.
fn thinking(body: &Value, prompt: &mut Prompt) -> Result<bool, Failure> {
    let Some(thinking) = present(body, "thinking") else { return Ok(false) };
    prompt.thinking = match text(thinking, "type") {
        "adaptive" => true,
        "disabled" | "between_tools" => false,
        "enabled" => {
            let Some(budget) = thinking.get("budget_tokens").and_then(Value::as_u64) else {
                return Err(required("thinking.enabled.budget_tokens"));
            };
            if budget < 1024 {
                return Err(Failure::invalid(
                    "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024",
                ));
            }
            if prompt.max_tokens.is_some_and(|most| most <= budget) {
                return Err(Failure::invalid("`max_tokens` must be greater than `thinking.budget_tokens`."));
            }
            true
        }
        other => {
            return Err(Failure::invalid(format!(
                "thinking: Input tag '{other}' found using 'type' does not match any of the expected tags: 'adaptive', 'disabled', 'enabled'"
            )));
        }
    };
    Ok(text(thinking, "display") == "omitted")
}
