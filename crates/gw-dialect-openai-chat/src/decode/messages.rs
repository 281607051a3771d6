//! Messages of a client request.

use gw_core::{GatewayError, Message, OpaqueState, Part, PartBody, Role, StateKind, ToolKind};
use gw_spi::Fields;
use gw_wire::{Json, Kind};

use super::{Reader, parts, reasoning};
use crate::ID;
use crate::carrier::{Carried, google_signature, open};

const KNOWN: &[&str] = &[
    "role",
    "content",
    "name",
    "refusal",
    "tool_calls",
    "tool_call_id",
    "function_call",
    "audio",
    "images",
    "reasoning",
    "reasoning_content",
    "reasoning_details",
    "thinking_blocks",
    "extra_content",
    "cache_control",
];

/// Legacy function calls have no ids: calls whose result has not come yet, oldest first.
#[derive(Default)]
struct LegacyCalls {
    open: Vec<(String, String)>,
    made: usize,
}

/// Decodes `messages`.
pub(super) fn decode(body: &Fields<'_>, reader: &mut Reader<'_>) -> Result<Vec<Message>, GatewayError> {
    let list = body.array("messages")?.ok_or_else(|| body.missing("messages"))?;
    let mut legacy = LegacyCalls::default();
    let mut messages = Vec::new();
    for (at, item) in (0u32..).zip(list.items()) {
        let fields = Fields::new(item, format!("messages[{at}]"))?;
        messages.push(message(&fields, at, reader, &mut legacy)?);
    }
    if messages.is_empty() {
        return Err(GatewayError::bad_field("messages", "'messages' must not be empty; send at least one message"));
    }
    Ok(messages)
}

fn message(
    fields: &Fields<'_>,
    at: u32,
    reader: &mut Reader<'_>,
    legacy: &mut LegacyCalls,
) -> Result<Message, GatewayError> {
    let role_name = fields.required_string("role")?;
    let role = match role_name.as_str() {
        "system" => Role::System,
        "developer" => Role::Developer,
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "tool" | "function" => Role::Tool,
        _ => {
            let message = format!(
                "'{}' has the unknown role '{}'; use system, developer, user, assistant or tool",
                fields.param("role"),
                role_name.chars().take(40).collect::<String>()
            );
            return Err(GatewayError::bad_field(fields.param("role"), message));
        }
    };
    let mut name = fields.string("name")?;
    let mut parts = match role {
        Role::Assistant => assistant(fields, at, reader, legacy)?,
        Role::Tool => vec![tool_result(fields, &role_name, &mut name, at, reader, legacy)?],
        Role::System | Role::Developer | Role::User => parts::content(fields, at, reader)?,
    };
    if let Some(mark) = parts::cache_mark(fields)?
        && let Some(last) = parts.last_mut()
    {
        last.cache.get_or_insert(mark);
    }
    Ok(Message { role, name, parts, extras: fields.unknown(KNOWN, ID) })
}

/// Parts of an assistant turn: reasoning, content, refusal, then calls.
fn assistant(
    fields: &Fields<'_>,
    at: u32,
    reader: &mut Reader<'_>,
    legacy: &mut LegacyCalls,
) -> Result<Vec<Part>, GatewayError> {
    let mut found = reasoning::decode(fields, at, reader)?;
    let have_reasoning = !found.is_empty();
    let content = parts::content(fields, at, reader)?;
    found.extend(content.into_iter().filter(|part| {
        // Reasoning that is repeated inside the content would be replayed twice.
        !(have_reasoning && matches!(part.body, PartBody::Reasoning { .. }))
    }));
    if let Some(signature) = google_signature(fields.json())
        && let Some(state) = google_state(&signature, at, reader)
    {
        let texts = found.iter_mut().rev();
        match texts.into_iter().find(|part| matches!(part.body, PartBody::Text { .. })) {
            Some(part) => part.state = Some(state),
            None => found.push(Part { state: Some(state), ..Part::text("") }),
        }
    }
    if let Some(refusal) = fields.string("refusal")?.filter(|text| !text.is_empty()) {
        found.push(Part::new(PartBody::Refusal(refusal)));
    }
    if let Some(audio) = fields.object("audio")? {
        let raw = audio.json().to_raw();
        found.push(Part::new(PartBody::Opaque { dialect: ID, type_name: "audio".to_owned(), raw }));
    }
    if let Some(images) = fields.array("images")? {
        for (image_at, image) in images.items().enumerate() {
            let image = Fields::new(image, format!("{}[{image_at}]", fields.param("images")))?;
            found.push(parts::part(&image, at, reader)?);
        }
    }
    if let Some(calls) = fields.array("tool_calls")? {
        for (call_at, call) in calls.items().enumerate() {
            let call = Fields::new(call, format!("{}[{call_at}]", fields.param("tool_calls")))?;
            found.push(tool_call(&call, at, call_at, reader)?);
        }
    }
    if let Some(call) = fields.object("function_call")? {
        let name = call.required_string("name")?;
        let call_id = format!("call_function_{}", legacy.made);
        legacy.made += 1;
        legacy.open.push((name.clone(), call_id.clone()));
        let arguments = arguments(&call, "arguments");
        found.push(Part::new(PartBody::ToolCall { call_id, name, arguments, kind: ToolKind::Function }));
    }
    Ok(found)
}

fn tool_call(call: &Fields<'_>, at: u32, call_at: usize, reader: &mut Reader<'_>) -> Result<Part, GatewayError> {
    let call_id = call.string("id")?.filter(|id| !id.is_empty());
    let call_id = call_id.unwrap_or_else(|| format!("call_{at}_{call_at}"));
    let kind_name = call.str("type")?;
    let function = call.object("function")?;
    let custom = kind_name.as_deref() == Some("custom") || (function.is_none() && call.get("custom").is_some());
    let body = if custom {
        let custom = call.object("custom")?.ok_or_else(|| call.missing("custom"))?;
        let name = custom.required_string("name")?;
        PartBody::ToolCall {
            call_id,
            name,
            arguments: custom.string("input")?.unwrap_or_default(),
            kind: ToolKind::Custom { grammar: None },
        }
    } else {
        let function = function.ok_or_else(|| call.missing("function"))?;
        let name = function.required_string("name")?;
        PartBody::ToolCall { call_id, name, arguments: arguments(&function, "arguments"), kind: ToolKind::Function }
    };
    let mut part = Part::new(body);
    part.extras = call.unknown(&["id", "type", "function", "custom", "index", "extra_content", "cache_control"], ID);
    part.cache = parts::cache_mark(call)?;
    if let Some(signature) = google_signature(call.json()) {
        part.state = google_state(&signature, at, reader);
    }
    Ok(part)
}

/// Argument text exactly as sent; servers that write an object instead of its text are understood too.
fn arguments(holder: &Fields<'_>, name: &str) -> String {
    match holder.get(name) {
        Some(value) if value.kind() == Kind::String => value.string().unwrap_or_default(),
        Some(value) => value.raw().to_owned(),
        None => String::new(),
    }
}

fn google_state(signature: &str, at: u32, reader: &mut Reader<'_>) -> Option<OpaqueState> {
    match open(signature, "gemini", StateKind::Signature, reader.sealer) {
        Carried::State(state) => Some(state),
        Carried::Unreadable => {
            reader.unreadable_state(at);
            None
        }
    }
}

fn tool_result(
    fields: &Fields<'_>,
    role: &str,
    name: &mut Option<String>,
    at: u32,
    reader: &mut Reader<'_>,
    legacy: &mut LegacyCalls,
) -> Result<Part, GatewayError> {
    let content = match fields.get("content").filter(is_plain_json) {
        // Some clients put the result's object here directly.
        Some(value) => vec![Part::text(value.raw())],
        None => parts::content(fields, at, reader)?,
    };
    let name = name.take();
    let call_id = if role == "function" {
        let wanted = name.clone().ok_or_else(|| fields.missing("name"))?;
        let position = legacy.open.iter().position(|(known, _)| *known == wanted);
        match position {
            Some(position) => legacy.open.remove(position).1,
            None => String::new(),
        }
    } else {
        fields.required_string("tool_call_id")?
    };
    Ok(Part::new(PartBody::ToolResult { call_id, name, content, json: None, is_error: false }))
}

fn is_plain_json(value: &Json<'_>) -> bool {
    matches!(value.kind(), Kind::Object | Kind::Number | Kind::Bool)
}
