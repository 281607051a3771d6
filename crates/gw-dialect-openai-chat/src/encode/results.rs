//! Tool results as tool messages; media that tool messages cannot hold is shown afterwards.

use gw_core::{Extra, Field, LossClass, Part, PartBody, Place, RawJson};
use gw_wire::{Document, JsonWriter, Limits};

use super::messages::{Hoisted, OpenCalls};
use super::{Plan, own_extras, parts};

/// Writes one tool message.
pub(super) fn write<'r>(
    plan: &mut Plan<'_>,
    array: &mut JsonWriter,
    place: Place,
    part: &'r Part,
    extras: &[Extra],
    hoisted: &mut Hoisted<'r>,
    open: &mut OpenCalls,
) {
    let PartBody::ToolResult { call_id, name, content, json, is_error } = &part.body else { return };
    let paired = open.answered(call_id, name.as_deref());
    let id = match paired {
        Some(id) => id,
        None if !call_id.is_empty() => call_id.clone(),
        None => {
            plan.drop_at(place, Field::ToolCallId, LossClass::Semantic, "the result belongs to no call");
            "call_unknown".to_owned()
        }
    };
    let id = plan.call_id(&id, place);
    if *is_error {
        plan.approximate_at(place, Field::ToolResultError, "the result is sent without its error flag");
    }
    if part.state.is_some() {
        plan.drop_at(place, Field::ReasoningState, LossClass::Approximated, "results carry no state");
    }
    let mut planned = Vec::new();
    if let Some(json) = json {
        planned.push(parts::Planned::text(json_text(json)));
    }
    for (number, inner) in content.iter().enumerate() {
        planned.extend(inner_part(plan, place, inner, number, &id, hoisted));
    }
    if let Some(mark) = &part.cache
        && let Some(mark) = parts::planned_mark(plan, mark, place, !planned.is_empty())
        && let Some(last) = planned.last_mut()
    {
        last.mark.get_or_insert(mark);
    }
    let foreign = own_extras(plan, &part.extras, place);
    let own = own_extras(plan, extras, place);
    let lists = plan.target.openai || plan.target.aggregator || plan.capabilities.media_in_tool_results;
    if !lists && planned.len() > 1 && planned.iter().all(|one| one.mark.is_none() && one.as_text().is_some()) {
        // Servers that read strictly take a string only.
        let texts: Vec<&str> = planned.iter().filter_map(parts::Planned::as_text).collect();
        planned = vec![parts::Planned::text(texts.join("\n"))];
    }
    array.object(|message| {
        message.field_str("role", "tool");
        message.field_str("tool_call_id", &id);
        parts::write_content(message.key("content"), &planned, true);
        for extra in foreign.into_iter().chain(own) {
            message.field_raw(&extra.name, &extra.value);
        }
    });
}

fn inner_part<'r>(
    plan: &mut Plan<'_>,
    place: Place,
    inner: &'r Part,
    number: usize,
    id: &str,
    hoisted: &mut Hoisted<'r>,
) -> Vec<parts::Planned> {
    match &inner.body {
        PartBody::Image { .. } | PartBody::Audio { .. } | PartBody::Video { .. } | PartBody::File { .. } => {
            if plan.capabilities.media_in_tool_results {
                return parts::plan(plan, &[(place, inner)]);
            }
            let kind = match &inner.body {
                PartBody::Image { .. } => "image",
                PartBody::Audio { .. } => "audio",
                PartBody::Video { .. } => "video",
                _ => "file",
            };
            let label = format!("{kind} {} of tool result {id}", number + 1);
            plan.approximate_at(place, Field::ToolResultMedia, "shown in a user message after the tool results");
            hoisted.media.push((format!("[{label}]"), place, inner));
            vec![parts::Planned::text(format!("[{label}: see the next user message]"))]
        }
        _ => parts::plan(plan, &[(place, inner)]),
    }
}

/// A JSON result as text: what stands alone under `output` or `result` is the text itself.
fn json_text(json: &RawJson) -> String {
    if let Ok(document) = Document::parse(json.as_str(), Limits::default()) {
        let mut members = document.root().members();
        if let (Some((name, value)), None) = (members.next(), members.next())
            && matches!(name.as_ref(), "output" | "result")
            && let Some(text) = value.string()
        {
            return text;
        }
    }
    json.as_str().to_owned()
}
