//! Assistant messages: content, reasoning in the server's carrier, and tool calls.

use gw_core::{Extra, Field, LossClass, OpaqueState, Part, PartBody, Place, StateKind, ToolKind};
use gw_wire::JsonWriter;

use super::messages::OpenCalls;
use super::parts::{self, Planned};
use super::{Plan, own_extras};
use crate::ID;
use crate::carrier::{write_details, write_google_signature};
use crate::target::ReasoningCarrier;

/// A tool call ready to write.
struct Call {
    id: String,
    name: String,
    arguments: String,
    custom: bool,
    signature: Option<String>,
    extras: Vec<Extra>,
}

/// An assistant message ready to write.
#[derive(Default)]
struct Turn {
    content: Vec<Planned>,
    refusal: Option<String>,
    reasoning: Vec<Part>,
    raw_details: Vec<String>,
    calls: Vec<Call>,
    signature: Option<String>,
    audio: Option<String>,
    images: Vec<Planned>,
}

/// Writes one assistant message.
pub(super) fn write(
    plan: &mut Plan<'_>,
    array: &mut JsonWriter,
    parts: &[(Place, &Part)],
    name: Option<&str>,
    extras: &[Extra],
    place: Place,
    open: &mut OpenCalls,
) {
    let mut turn = Turn::default();
    for (place, part) in parts {
        add(plan, &mut turn, *place, part, open);
    }
    if !plan.target.own {
        join_texts(&mut turn.content);
    }
    let extras: Vec<&Extra> = message_extras(plan, extras, place);
    let carrier = plan.target.reasoning;
    let replay = plan.capabilities.reasoning_replay_required;
    let vendor = plan.context.vendor;
    array.object(|message| {
        message.field_str("role", "assistant");
        let chunks = carrier == ReasoningCarrier::Chunks && !turn.reasoning.is_empty();
        message.key("content");
        if chunks {
            write_chunks(message, &turn);
        } else if turn.content.is_empty() && (!turn.calls.is_empty() || turn.refusal.is_some() || turn.audio.is_some())
        {
            message.null();
        } else {
            parts::write_content(message, &turn.content, true);
        }
        if let Some(refusal) = &turn.refusal {
            message.field_str("refusal", refusal);
        }
        let text = reasoning_text(&turn.reasoning);
        if carrier == ReasoningCarrier::Content && (replay || !text.is_empty()) {
            message.field_str("reasoning_content", &text);
        }
        if carrier == ReasoningCarrier::Details && !(turn.reasoning.is_empty() && turn.raw_details.is_empty()) {
            message.field_array("reasoning_details", |details| {
                for (index, part) in (0u64..).zip(&turn.reasoning) {
                    write_details(details, part, index, vendor, true, |state| state.payload.clone());
                }
                for raw in &turn.raw_details {
                    details.raw(raw);
                }
            });
        }
        if let Some(audio) = &turn.audio {
            message.key("audio").raw(audio);
        }
        if !turn.images.is_empty() {
            message.key("images");
            parts::write_list(message, &turn.images);
        }
        if !turn.calls.is_empty() {
            message.field_array("tool_calls", |calls| {
                for call in &turn.calls {
                    write_call(calls, call);
                }
            });
        }
        if let Some(signature) = &turn.signature {
            write_google_signature(message, signature);
        }
        if let Some(name) = name {
            message.field_str("name", name);
        }
        for extra in extras {
            message.field_raw(&extra.name, &extra.value);
        }
    });
}

/// Unknown fields of the message; Mistral's `prefix` is known to it although it reads strictly.
fn message_extras<'e>(plan: &mut Plan<'_>, extras: &'e [Extra], place: Place) -> Vec<&'e Extra> {
    let (prefix, others): (Vec<&Extra>, Vec<&Extra>) =
        extras.iter().partition(|extra| plan.target.mistral && extra.dialect == ID && extra.name == "prefix");
    let mut kept = prefix;
    for extra in others {
        kept.extend(own_extras(plan, std::slice::from_ref(extra), place));
    }
    kept
}

fn add(plan: &mut Plan<'_>, turn: &mut Turn, place: Place, part: &Part, open: &mut OpenCalls) {
    match &part.body {
        PartBody::Reasoning { .. } => reasoning(plan, turn, place, part),
        PartBody::ToolCall { call_id, name, arguments, kind } => {
            if part.cache.is_some() {
                plan.drop_at(place, Field::CacheMark, LossClass::Performance, "calls take no cache mark");
            }
            let id = if call_id.is_empty() {
                format!("call_{}_{}", place.message.unwrap_or(0), place.part.unwrap_or(0))
            } else {
                call_id.clone()
            };
            open.made(&id, name);
            let id = plan.call_id(&id, place);
            let signature = state_payload(plan, place, part.state.as_ref());
            let custom = matches!(kind, ToolKind::Custom { .. });
            let native_custom = plan.target.openai || plan.target.own;
            let arguments = if custom && !native_custom {
                let mut wrapped = JsonWriter::new();
                wrapped.object(|object| object.field_str("input", arguments));
                String::from_utf8_lossy(&wrapped.finish()).into_owned()
            } else if arguments.trim().is_empty() && !custom {
                "{}".to_owned()
            } else {
                arguments.clone()
            };
            let extras = own_extras(plan, &part.extras, place).into_iter().cloned().collect();
            let name = plan.names.wire(name).to_owned();
            turn.calls.push(Call { id, name, arguments, custom: custom && native_custom, signature, extras });
        }
        PartBody::Refusal(text) => {
            if plan.target.openai || plan.target.lenient_own {
                turn.refusal = Some(turn.refusal.take().unwrap_or_default() + text);
            } else {
                plan.approximate_at(place, Field::Refusal, "sent as text");
                turn.content.push(Planned::text(text.clone()));
            }
        }
        PartBody::Opaque { dialect, type_name, raw } if *dialect == ID => match type_name.as_str() {
            "audio" if plan.target.openai || plan.target.lenient_own => {
                turn.audio = Some(audio_reference(raw.as_str()))
            }
            "reasoning_details" if plan.target.aggregator => turn.raw_details.push(raw.as_str().to_owned()),
            "audio" => plan.drop_at(place, Field::Audio, LossClass::Semantic, "the target has no earlier audio answer"),
            "reasoning_details" => {
                plan.drop_at(place, Field::ReasoningState, LossClass::Approximated, "not the target's own reasoning");
            }
            _ => turn.content.extend(parts::plan(plan, &[(place, part)])),
        },
        PartBody::Image { .. } if plan.target.aggregator => turn.images.extend(parts::plan(plan, &[(place, part)])),
        PartBody::Image { .. } => {
            plan.drop_at(place, Field::Image, LossClass::Semantic, "assistant messages hold no images");
        }
        PartBody::Audio { .. } => {
            plan.drop_at(place, Field::Audio, LossClass::Semantic, "assistant messages hold no audio");
        }
        PartBody::Video { .. } => {
            plan.drop_at(place, Field::Video, LossClass::Semantic, "assistant messages hold no video");
        }
        PartBody::File { .. } => {
            plan.drop_at(place, Field::File, LossClass::Semantic, "assistant messages hold no files");
        }
        PartBody::Text { text, .. } => {
            if let Some(signature) = state_payload(plan, place, part.state.as_ref()) {
                turn.signature = Some(signature);
            }
            if !text.is_empty() && !turn.calls.is_empty() {
                plan.approximate_at(place, Field::PartOrder, "text after a tool call is sent before it");
            }
            turn.content.extend(parts::plan(plan, &[(place, part)]));
        }
        PartBody::SearchResult { .. } | PartBody::ToolResult { .. } | PartBody::Opaque { .. } => {
            turn.content.extend(parts::plan(plan, &[(place, part)]));
        }
    }
}

/// An audio answer goes back as its id alone.
fn audio_reference(raw: &str) -> String {
    let document = gw_wire::Document::parse(raw, gw_wire::Limits::default());
    let id = document.ok().and_then(|audio| audio.root().get_some("id").and_then(|id| id.string()));
    match id {
        Some(id) => {
            let mut writer = JsonWriter::new();
            writer.object(|object| object.field_str("id", &id));
            String::from_utf8_lossy(&writer.finish()).into_owned()
        }
        None => raw.to_owned(),
    }
}

/// A signature that stands on text or on a call: only Google's servers take one.
fn state_payload(plan: &mut Plan<'_>, place: Place, state: Option<&OpaqueState>) -> Option<String> {
    let state = state?;
    if plan.context.vendor == "gemini" && state.vendor == "gemini" {
        return Some(state.payload.clone());
    }
    plan.drop_at(place, Field::ReasoningState, LossClass::Approximated, "state of another vendor was left out");
    None
}

fn reasoning(plan: &mut Plan<'_>, turn: &mut Turn, place: Place, part: &Part) {
    let PartBody::Reasoning { text, .. } = &part.body else { return };
    let _ = own_extras(plan, &part.extras, place);
    if part.cache.is_some() {
        plan.drop_at(place, Field::CacheMark, LossClass::Performance, "reasoning takes no cache mark");
    }
    let carrier = plan.target.reasoning;
    let carries_state = match carrier {
        ReasoningCarrier::Details => true,
        ReasoningCarrier::Chunks => part.state.as_ref().is_some_and(|state| state.kind == StateKind::Signature),
        ReasoningCarrier::None | ReasoningCarrier::Content => false,
    };
    let takes =
        part.state.as_ref().is_some_and(|state| carries_state && plan.target.takes_state(state, plan.context.vendor));
    if part.state.is_some() && !takes {
        plan.drop_at(place, Field::ReasoningState, LossClass::Approximated, "state of another vendor was left out");
    }
    if carrier == ReasoningCarrier::None {
        if !text.is_empty() {
            plan.drop_at(place, Field::ReasoningText, LossClass::Approximated, "the target takes no reasoning back");
        }
        return;
    }
    if text.is_empty() && !takes {
        return;
    }
    let state = part.state.clone().filter(|_| takes);
    turn.reasoning.push(Part { state, ..Part::new(part.body.clone()) });
}

fn reasoning_text(parts: &[Part]) -> String {
    let texts: Vec<&str> = parts
        .iter()
        .filter_map(|part| match &part.body {
            PartBody::Reasoning { text, .. } if !text.is_empty() => Some(text.as_str()),
            _ => None,
        })
        .collect();
    texts.join("\n")
}

/// Content as a list with thinking chunks before the rest (Mistral).
fn write_chunks(message: &mut JsonWriter, turn: &Turn) {
    message.array(|list| {
        for part in &turn.reasoning {
            let PartBody::Reasoning { text, .. } = &part.body else { continue };
            list.object(|chunk| {
                chunk.field_str("type", "thinking");
                chunk.field_array("thinking", |inner| {
                    inner.object(|item| {
                        item.field_str("type", "text");
                        item.field_str("text", text);
                    });
                });
                if let Some(state) = &part.state {
                    chunk.field_str("signature", &state.payload);
                }
            });
        }
        for planned in &turn.content {
            parts::write_one(list, planned);
        }
    });
}

/// Joins plain texts that another format kept apart.
fn join_texts(content: &mut Vec<Planned>) {
    if content.len() > 1 && content.iter().all(|one| one.mark.is_none() && one.as_text().is_some()) {
        let joined = content.iter().filter_map(Planned::as_text).collect::<String>();
        *content = vec![Planned::text(joined)];
    }
}

fn write_call(calls: &mut JsonWriter, call: &Call) {
    calls.object(|object| {
        object.field_str("id", &call.id);
        let (holder, arguments) = if call.custom { ("custom", "input") } else { ("function", "arguments") };
        object.field_str("type", holder);
        object.field_object(holder, |inner| {
            inner.field_str("name", &call.name);
            inner.field_str(arguments, &call.arguments);
        });
        if let Some(signature) = &call.signature {
            write_google_signature(object, signature);
        }
        for extra in &call.extras {
            object.field_raw(&extra.name, &extra.value);
        }
    });
}
