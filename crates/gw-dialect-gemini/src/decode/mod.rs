//! A client's request to the canonical model.

mod config;
mod contents;
mod tools;

use gw_core::{ChatRequest, Extra, GatewayError, Loss, Message, Role};
use gw_spi::DecodeContext;
use gw_wire::{Document, Json, Kind};

use crate::ID;
use crate::parts::object_of;
use crate::view::View;

const KNOWN: &[&str] = &[
    "contents",
    "systemInstruction",
    "tools",
    "toolConfig",
    "safetySettings",
    "generationConfig",
    "cachedContent",
    "labels",
    "serviceTier",
    "store",
    "modelArmorConfig",
    "continuationToken",
    "model",
    "stream",
];

/// Decodes a generate or count-tokens request.
///
/// # Errors
/// `bad_request` naming the field.
pub(crate) fn decode(
    body: &Document<'_>,
    context: &DecodeContext<'_>,
) -> Result<(ChatRequest, Vec<Loss>), GatewayError> {
    let outer = View::new(body.root(), "")?;
    let view = outer.view("generateContentRequest")?.unwrap_or(outer);
    let mut losses = Vec::new();
    let mut request = ChatRequest::new(ID, model(&view, context)?);
    request.include_usage = true;
    request.stream = match context.path_stream {
        Some(stream) => stream,
        None => view.bool("stream")?.unwrap_or(false),
    };
    if let Some(instruction) = view.get("systemInstruction") {
        request.messages.push(system(instruction, &view.param("systemInstruction"))?);
    }
    contents::decode(&view, context, &mut request, &mut losses)?;
    tools::decode(&view, &mut request)?;
    if let Some(config) = view.view("generationConfig")? {
        config::decode(&config, &mut request)?;
    }
    // Google shows no thoughts unless they are asked for.
    if request.reasoning.visibility == gw_core::Visibility::Default {
        request.reasoning.visibility = gw_core::Visibility::Hidden;
    }
    safety(&view, &mut request)?;
    request.cache.handle = view.string("cachedContent")?;
    request.service.tier = view.string("serviceTier")?;
    request.state.store = view.bool("store")?;
    if let Some(token) = view.get("continuationToken") {
        let extra = Extra { dialect: ID, name: "continuationToken".to_owned(), value: token.to_raw() };
        request.state.fields.push(extra);
    }
    if let Some(labels) = view.view("labels")? {
        request.identity.metadata = Some(labels.json().to_raw());
    }
    request.extras.extend(view.unknown(KNOWN, ""));
    Ok((request, losses))
}

fn model(view: &View<'_>, context: &DecodeContext<'_>) -> Result<String, GatewayError> {
    let written = view.string("model")?;
    let model = context.path_model.map(str::to_owned).or(written).unwrap_or_default();
    Ok(model.strip_prefix("models/").map(str::to_owned).unwrap_or(model))
}

fn system(instruction: Json<'_>, path: &str) -> Result<Message, GatewayError> {
    if let Some(text) = instruction.str() {
        return Ok(Message::new(Role::System, vec![gw_core::Part::text(text)]));
    }
    let view = View::new(instruction, path)?;
    let mut parts = Vec::new();
    for (item, path) in view.list("parts")? {
        parts.extend(crate::parts::read_part(item, path, &mut |_| None)?);
    }
    if let Some(text) = view.string("text")? {
        // A lone part in place of a content.
        parts.push(gw_core::Part::text(text));
    }
    let mut message = Message::new(Role::System, parts);
    message.extras = view.unknown(&["role", "parts", "text"], "");
    Ok(message)
}

fn safety(view: &View<'_>, request: &mut ChatRequest) -> Result<(), GatewayError> {
    for (item, path) in view.list("safetySettings")? {
        let setting = View::new(item, path)?;
        let threshold = setting.str("threshold")?;
        let loosens =
            matches!(threshold.as_deref(), Some("BLOCK_NONE" | "OFF" | "HARM_BLOCK_THRESHOLD_UNSPECIFIED") | None);
        request.safety.push((ID, item.to_raw(), !loosens));
    }
    if let Some(armor) = view.get("modelArmorConfig") {
        if armor.kind() != Kind::Object {
            return Err(view.wrong("modelArmorConfig", "an object"));
        }
        request.safety.push((ID, object_of("modelArmorConfig", armor.raw()), true));
    }
    Ok(())
}
