//! Tool results.

use gw_core::{Field, LossClass, PartBody, RawJson};
use gw_wire::{JsonWriter, Kind};

use super::Encoder;
use super::turns::{Item, TurnRole};
use crate::ID;
use crate::raw::with_parsed;

/// Stands in a result for media that follow after all results.
const HOISTED: &str = "[The attachment of this result follows after the tool results.]";

impl<'r> Encoder<'r> {
    /// Writes a result. Media that the target does not take inside results are put into `hoisted`.
    pub(super) fn tool_result(&mut self, w: &mut JsonWriter, item: &Item<'r>, hoisted: &mut Vec<Item<'r>>) -> bool {
        let PartBody::ToolResult { call_id, content, json, is_error, .. } = &item.part.body else { return false };
        let mut blocks = JsonWriter::new();
        let mut written = 0_usize;
        blocks.array(|w| {
            if let Some(json) = json {
                text_block(w, &result_text(json));
                written += 1;
            }
            for (index, part) in (0u32..).zip(content) {
                let inner = Item { place: item.place, inner: Some(index), part, wrapped: false };
                written += usize::from(self.inner(w, &inner, hoisted));
            }
        });
        w.object(|w| {
            w.field_str("type", "tool_result");
            w.field_str("tool_use_id", self.ids.wire(item.place, call_id));
            if written > 0 {
                w.key("content").raw(blocks.into_raw().as_str());
            }
            if *is_error {
                w.field_bool("is_error", true);
            }
            self.trailer(w, item);
        });
        let foreign = item.part.extras.iter().filter(|extra| extra.dialect != ID);
        for extra in foreign {
            self.lose_at(Field::Unknown, LossClass::Approximated, item.place, format!("part field '{}'", extra.name));
        }
        if item.part.state.is_some() {
            let note = "state of another vendor cannot be verified by the target";
            self.lose_at(Field::ReasoningState, LossClass::Approximated, item.place, note);
        }
        true
    }

    fn inner(&mut self, w: &mut JsonWriter, inner: &Item<'r>, hoisted: &mut Vec<Item<'r>>) -> bool {
        match &inner.part.body {
            PartBody::Image { .. } | PartBody::File { .. } if !self.context.capabilities.media_in_tool_results => {
                let note = "media of a tool result follow after the results";
                self.changed_at(Field::ToolResultMedia, LossClass::Approximated, inner.place, note);
                hoisted.push(*inner);
                text_block(w, HOISTED);
                true
            }
            PartBody::Opaque { dialect, raw, .. } if *dialect != ID => {
                let note = "another vendor's block is sent as JSON text";
                self.changed_at(Field::ToolResultMedia, LossClass::Approximated, inner.place, note);
                text_block(w, raw.as_str());
                true
            }
            PartBody::Reasoning { .. } | PartBody::ToolCall { .. } | PartBody::ToolResult { .. } => {
                let note = "a part that cannot stand in a tool result";
                self.lose_at(Field::ToolResultMedia, LossClass::Approximated, inner.place, note);
                self.lose_attachments(inner);
                false
            }
            _ => self.block(w, inner, TurnRole::User),
        }
    }

    /// Writes media taken out of results; returns how many blocks.
    pub(super) fn hoisted(&mut self, w: &mut JsonWriter, hoisted: &mut Vec<Item<'r>>) -> usize {
        let items = std::mem::take(hoisted);
        items.iter().filter(|item| self.block(w, item, TurnRole::User)).count()
    }
}

fn text_block(w: &mut JsonWriter, text: &str) {
    w.object(|w| {
        w.field_str("type", "text");
        w.field_str("text", text);
    });
}

/// Text of a result object: the string when it has one member `output` or `result` that is one, else the JSON.
fn result_text(json: &RawJson) -> String {
    let unwrapped = with_parsed(json.as_str(), |value| {
        let mut members = value.members();
        match (members.next(), members.next()) {
            (Some((name, only)), None) if matches!(name.as_ref(), "output" | "result") => {
                (only.kind() == Kind::String).then(|| only.string()).flatten()
            }
            _ => None,
        }
    });
    unwrapped.flatten().unwrap_or_else(|| json.as_str().to_owned())
}
