//! A client's Messages request becomes the canonical request.

mod blocks;
mod controls;

use std::collections::HashMap;

use gw_core::{ChatRequest, GatewayError, Loss, Message, Part, PartBody, Place, Role};
use gw_spi::{DecodeContext, Fields};
use gw_wire::{Document, Kind};

use crate::ID;
use blocks::BlockReader;

/// Version of the API that has no sampling fields.
const VERSION_WITHOUT_SAMPLING: &str = "2026-10-21";

/// Top-level members that are read; everything else is an extra.
const KNOWN: &[&str] = &[
    "model",
    "max_tokens",
    "messages",
    "system",
    "stream",
    "stop_sequences",
    "temperature",
    "top_p",
    "top_k",
    "tools",
    "tool_choice",
    "thinking",
    "output_config",
    "output_format",
    "metadata",
    "service_tier",
    "speed",
    "inference_geo",
    "cache_control",
    "container",
    "context_management",
    "mcp_servers",
    "thread",
    "compaction",
    "fallbacks",
];

/// Decodes a Messages or count-tokens body. `max_tokens` is checked by `peek`, which knows the operation.
pub(crate) fn decode(
    body: &Document<'_>,
    context: &DecodeContext<'_>,
) -> Result<(ChatRequest, Vec<Loss>), GatewayError> {
    let root = Fields::new(body.root(), "")?;
    let model = match context.path_model {
        Some(model) => model.to_owned(),
        // The configuration may name a model for requests that name none.
        None => root.string("model")?.unwrap_or_default(),
    };
    let mut request = ChatRequest::new(ID, model);
    request.stream =
        context.path_stream.map_or_else(|| root.bool("stream"), |stream| Ok(Some(stream)))?.unwrap_or(false);
    request.include_usage = true;
    if context.headers.get("anthropic-version").is_some_and(|version| version == VERSION_WITHOUT_SAMPLING) {
        refuse_sampling(&root)?;
    }
    let mut reader = BlockReader { sealer: context.sealer, losses: Vec::new(), place: Place::default() };
    if let Some(system) = system(&root, &mut reader)? {
        request.messages.push(system);
    }
    messages(&root, &mut reader, &mut request)?;
    name_results(&mut request.messages);
    controls::read(&root, &mut request)?;
    request.extras.extend(root.unknown(KNOWN, ID));
    Ok((request, reader.losses))
}

fn refuse_sampling(root: &Fields<'_>) -> Result<(), GatewayError> {
    match ["temperature", "top_p", "top_k"].into_iter().find(|name| root.get(name).is_some()) {
        Some(name) => Err(GatewayError::bad_field(
            name,
            format!("{name}: Extra inputs are not permitted with anthropic-version {VERSION_WITHOUT_SAMPLING}"),
        )),
        None => Ok(()),
    }
}

/// Top-level instructions as the first canonical message.
fn system(root: &Fields<'_>, reader: &mut BlockReader<'_>) -> Result<Option<Message>, GatewayError> {
    let Some(value) = root.get("system") else { return Ok(None) };
    reader.place = Place { message: Some(0), ..Place::default() };
    let parts = match value.kind() {
        Kind::String => vec![Part::text(value.string().unwrap_or_default())],
        Kind::Array => reader.blocks(value, "system")?,
        _ => return Err(root.wrong("system", "a string or an array of text blocks")),
    };
    Ok((!parts.is_empty()).then(|| Message::new(Role::System, parts)))
}

fn messages(root: &Fields<'_>, reader: &mut BlockReader<'_>, request: &mut ChatRequest) -> Result<(), GatewayError> {
    let list = root.array("messages")?.ok_or_else(|| root.missing("messages"))?;
    for (index, item) in list.items().enumerate() {
        let fields = Fields::new(item, format!("messages[{index}]"))?;
        let role = match fields.str("role")?.as_deref() {
            Some("user") => Role::User,
            Some("assistant") => Role::Assistant,
            Some("system") => Role::System,
            Some(other) => {
                let param = fields.param("role");
                let message = format!("'{param}' must be 'user', 'assistant' or 'system', not '{other}'");
                return Err(GatewayError::bad_field(param, message));
            }
            None => return Err(fields.missing("role")),
        };
        reader.place = Place { message: u32::try_from(request.messages.len()).ok(), ..Place::default() };
        let content = fields.get("content").ok_or_else(|| fields.missing("content"))?;
        let parts = match content.kind() {
            Kind::String => vec![Part::text(content.string().unwrap_or_default())],
            Kind::Array => reader.blocks(content, &fields.param("content"))?,
            _ => return Err(fields.wrong("content", "a string or an array of content blocks")),
        };
        let extras = fields.unknown(&["role", "content"], ID);
        request.messages.push(Message { role, name: None, parts, extras });
    }
    if list.items().next().is_none() {
        return Err(GatewayError::bad_field("messages", "'messages' must hold at least one message"));
    }
    Ok(())
}

/// Results carry only the id of their call; other formats want the tool's name too.
fn name_results(messages: &mut [Message]) {
    let mut names: HashMap<String, String> = HashMap::new();
    for part in messages.iter_mut().flat_map(|message| &mut message.parts) {
        match &mut part.body {
            PartBody::ToolCall { call_id, name, .. } => {
                names.insert(call_id.clone(), name.clone());
            }
            PartBody::ToolResult { call_id, name, .. } if name.is_none() => *name = names.get(call_id).cloned(),
            _ => {}
        }
    }
}
