//! Messages for a server: regrouped where the source is another format, message by message where it is this one.

use std::collections::VecDeque;

use gw_core::{Extra, Field, GatewayError, LossClass, Message, Part, PartBody, Place, Role};
use gw_spi::{GroupRole, group};
use gw_wire::JsonWriter;

use super::{Plan, assistant, own_extras, parts, results};
use crate::ID;

/// Who speaks in a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speaker {
    System,
    Developer,
    User,
    Assistant,
}

/// Parts that become one message, or tool messages and a message.
struct Unit<'r> {
    speaker: Speaker,
    /// Stands after the first user or assistant message.
    inline: bool,
    name: Option<&'r str>,
    extras: &'r [Extra],
    at: u32,
    parts: Vec<(Place, &'r Part)>,
}

/// Media taken out of tool results, to be shown in a user message after them.
#[derive(Default)]
pub(super) struct Hoisted<'r> {
    /// (label, the part)
    pub(super) media: Vec<(String, Place, &'r Part)>,
}

/// Calls that have no result yet, for results whose format has no ids.
#[derive(Default)]
pub(super) struct OpenCalls {
    calls: VecDeque<(String, String)>,
}

impl OpenCalls {
    /// Remembers a call.
    pub(super) fn made(&mut self, id: &str, name: &str) {
        self.calls.push_back((id.to_owned(), name.to_owned()));
    }

    /// Pairs a result: by id, else by name, else in order.
    pub(super) fn answered(&mut self, id: &str, name: Option<&str>) -> Option<String> {
        let by_id = self.calls.iter().position(|(known, _)| !id.is_empty() && known == id);
        let by_name = || self.calls.iter().position(|(_, known)| id.is_empty() && Some(known.as_str()) == name);
        let position = by_id.or_else(by_name).or((id.is_empty() && name.is_none()).then_some(0))?;
        self.calls.remove(position).map(|(known, _)| known)
    }
}

/// Writes the `messages` array.
pub(super) fn encode(plan: &mut Plan<'_>) -> Result<Vec<u8>, GatewayError> {
    let request = plan.request;
    let units = if plan.target.own { own_units(&request.messages) } else { foreign_units(plan) };
    if units.is_empty() && plan.schema_instructions.is_none() {
        return Err(GatewayError::bad_field("messages", "the request has no messages"));
    }
    prefill(plan);
    let mut writer = JsonWriter::new();
    let mut hoisted = Hoisted::default();
    let mut open = OpenCalls::default();
    let mut instructions = plan.schema_instructions.take();
    writer.array(|array| {
        for unit in &units {
            let leading = matches!(unit.speaker, Speaker::System | Speaker::Developer) && !unit.inline;
            if !leading && let Some(text) = instructions.take() {
                write_plain(array, "system", &text);
            }
            write_unit(plan, array, unit, &mut hoisted, &mut open);
        }
        flush(plan, array, &mut hoisted);
        if let Some(text) = instructions.take() {
            write_plain(array, "system", &text);
        }
    });
    Ok(writer.finish())
}

fn write_plain(array: &mut JsonWriter, role: &str, text: &str) {
    array.object(|message| {
        message.field_str("role", role);
        message.field_str("content", text);
    });
}

/// A trailing assistant message asks to be continued, which few servers do.
fn prefill(plan: &mut Plan<'_>) {
    let request = plan.request;
    let Some(last) = request.messages.last().filter(|last| last.role == Role::Assistant) else { return };
    let asked = last.extras.iter().any(|extra| {
        extra.dialect == ID && matches!(extra.name.as_str(), "prefix" | "partial") && extra.value.as_str() == "true"
    });
    if !plan.capabilities.prefill && (asked || !plan.target.own) {
        let at = u32::try_from(request.messages.len().saturating_sub(1)).unwrap_or(u32::MAX);
        let place = Place { message: Some(at), ..Place::default() };
        plan.drop_at(place, Field::Prefill, LossClass::Semantic, "the target does not continue an assistant message");
    }
}

fn own_units(messages: &[Message]) -> Vec<Unit<'_>> {
    let mut spoken = false;
    (0u32..)
        .zip(messages)
        .map(|(at, message)| {
            let speaker = match message.role {
                Role::System => Speaker::System,
                Role::Developer => Speaker::Developer,
                Role::User | Role::Tool => Speaker::User,
                Role::Assistant => Speaker::Assistant,
            };
            let inline = spoken;
            spoken |= !matches!(speaker, Speaker::System | Speaker::Developer);
            Unit {
                speaker,
                inline,
                name: message.name.as_deref(),
                extras: &message.extras,
                at,
                parts: (0u32..)
                    .zip(&message.parts)
                    .map(|(part_at, part)| (Place { message: Some(at), part: Some(part_at), tool: None }, part))
                    .collect(),
            }
        })
        .collect()
}

fn foreign_units<'r>(plan: &mut Plan<'r>) -> Vec<Unit<'r>> {
    let request = plan.request;
    for (at, message) in (0u32..).zip(&request.messages) {
        let place = Place { message: Some(at), ..Place::default() };
        let _ = own_extras(plan, &message.extras, place);
        if message.name.is_some() {
            plan.drop_at(place, Field::Name, LossClass::Approximated, "participant names are not sent");
        }
    }
    let (system, groups) = group(request);
    let unit = |speaker, inline, parts: Vec<(Place, &'r Part)>| Unit {
        speaker,
        inline,
        name: None,
        extras: &[],
        at: parts.first().and_then(|(place, _)| place.message).unwrap_or(0),
        parts,
    };
    let mut units = Vec::new();
    if !system.is_empty() {
        units.push(unit(Speaker::System, false, system));
    }
    for found in groups {
        let (speaker, inline) = match found.role {
            GroupRole::InlineSystem => (Speaker::System, true),
            GroupRole::User => (Speaker::User, true),
            GroupRole::Assistant => (Speaker::Assistant, true),
        };
        units.push(unit(speaker, inline, found.parts));
    }
    units
}

fn write_unit<'r>(
    plan: &mut Plan<'_>,
    array: &mut JsonWriter,
    unit: &Unit<'r>,
    hoisted: &mut Hoisted<'r>,
    open: &mut OpenCalls,
) {
    let (results, rest): (Vec<_>, Vec<_>) =
        unit.parts.iter().copied().partition(|(_, part)| matches!(part.body, PartBody::ToolResult { .. }));
    for (number, (place, part)) in results.iter().enumerate() {
        // A tool message has no other parts, so its own unknown fields go with its first result.
        let extras = if number == 0 && rest.is_empty() { unit.extras } else { &[] };
        results::write(plan, array, *place, part, extras, hoisted, open);
    }
    if !results.is_empty() && rest.is_empty() {
        return;
    }
    flush(plan, array, hoisted);
    let place = Place { message: Some(unit.at), ..Place::default() };
    let name = unit.name.filter(|_| {
        let keep = !plan.capabilities.strict_fields;
        if !keep {
            plan.drop_at(place, Field::Name, LossClass::Approximated, "participant names are not sent");
        }
        keep
    });
    match unit.speaker {
        Speaker::Assistant => assistant::write(plan, array, &rest, name, unit.extras, place, open),
        Speaker::User => speech(plan, array, "user", &rest, name, unit.extras, place),
        Speaker::System | Speaker::Developer if unit.inline && !plan.capabilities.inline_system => {
            plan.approximate_at(place, Field::SystemPosition, "sent as a marked user message at the same place");
            marked_losses(plan, unit, &rest, name, place);
            write_plain(array, "user", &marked_instructions(&rest));
        }
        Speaker::Developer if plan.capabilities.developer_role => {
            speech(plan, array, "developer", &rest, name, unit.extras, place);
        }
        Speaker::System | Speaker::Developer => speech(plan, array, "system", &rest, name, unit.extras, place),
    }
}

/// What marked instructions cannot carry: they are one text without a speaker's name.
fn marked_losses(plan: &mut Plan<'_>, unit: &Unit<'_>, parts: &[(Place, &Part)], name: Option<&str>, place: Place) {
    let note = "marked instructions are plain text";
    if name.is_some() {
        plan.drop_at(place, Field::Name, LossClass::Approximated, note);
    }
    let of_parts = parts.iter().flat_map(|(at, part)| part.extras.iter().map(move |extra| (*at, extra)));
    for (at, extra) in unit.extras.iter().map(|extra| (place, extra)).chain(of_parts) {
        plan.drop_at(at, Field::Unknown, LossClass::Approximated, format!("'{}' is not sent: {note}", extra.name));
    }
    for (at, part) in parts {
        if part.cache.is_some() {
            plan.drop_at(*at, Field::CacheMark, LossClass::Performance, note);
        }
        if part.state.is_some() {
            plan.drop_at(*at, Field::ReasoningState, LossClass::Approximated, note);
        }
        if !matches!(part.body, PartBody::Text { .. }) {
            plan.drop_at(*at, Field::SystemPosition, LossClass::Semantic, note);
        }
    }
}

/// Operator instructions inside a conversation for servers that take them only at its head.
fn marked_instructions(parts: &[(Place, &Part)]) -> String {
    let mut text = String::from("<system-instructions>\n");
    for (_, part) in parts {
        if let PartBody::Text { text: more, .. } = &part.body {
            text.push_str(more);
            text.push('\n');
        }
    }
    text.push_str("</system-instructions>");
    text
}

/// A system or user message.
fn speech(
    plan: &mut Plan<'_>,
    array: &mut JsonWriter,
    role: &str,
    parts: &[(Place, &Part)],
    name: Option<&str>,
    extras: &[Extra],
    place: Place,
) {
    let planned = parts::plan(plan, parts);
    let extras = own_extras(plan, extras, place);
    array.object(|message| {
        message.field_str("role", role);
        parts::write_content(message.key("content"), &planned, false);
        if let Some(name) = name {
            message.field_str("name", name);
        }
        for extra in extras {
            message.field_raw(&extra.name, &extra.value);
        }
    });
}

/// Shows media of tool results in a user message of its own.
fn flush(plan: &mut Plan<'_>, array: &mut JsonWriter, hoisted: &mut Hoisted<'_>) {
    let media = std::mem::take(&mut hoisted.media);
    if media.is_empty() {
        return;
    }
    let mut planned = Vec::new();
    for (label, place, part) in &media {
        planned.push(parts::Planned::text(label.clone()));
        planned.extend(parts::plan(plan, &[(*place, *part)]));
    }
    array.object(|message| {
        message.field_str("role", "user");
        parts::write_content(message.key("content"), &planned, false);
    });
}
