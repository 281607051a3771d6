//! Reasoning of an answer: typed details, plain text, thinking chunks.

use gw_core::{Delta, Event, StateKind};
use gw_wire::Json;

use super::{Assembler, OpenKind};
use crate::carrier::{Detail, thinking_chunk};

impl Assembler {
    /// Reads the reasoning fields of a message or delta; details win over the text that repeats them.
    pub(super) fn reasoning_fields(&mut self, at: usize, message: Json<'_>, out: &mut Vec<Event>) {
        let mut told = false;
        if let Some(list) = message.get_some("reasoning_details") {
            for item in list.items() {
                if let Some(detail) = Detail::read(item) {
                    told |= self.detail(at, detail, out);
                }
            }
        }
        if told {
            return;
        }
        let plain = ["reasoning_content", "reasoning"]
            .iter()
            .find_map(|name| message.get_some(name).and_then(|text| text.string()).filter(|text| !text.is_empty()));
        if let Some(text) = plain {
            let part = self.ensure(at, OpenKind::Reasoning { summary: false, index: None }, out);
            out.push(Event::PartDelta { part, delta: Delta::Text(text) });
        }
    }

    /// Takes a detail; returns whether it said anything.
    fn detail(&mut self, at: usize, detail: Detail<'_>, out: &mut Vec<Event>) -> bool {
        let Detail { text, summary, state, format, index } = detail;
        if text.is_empty() && state.is_none() {
            return false;
        }
        if !text.is_empty() {
            let part = self.ensure(at, OpenKind::Reasoning { summary, index }, out);
            out.push(Event::PartDelta { part, delta: Delta::Text(text.into_owned()) });
        }
        let Some((kind, payload)) = state else { return true };
        let state = self.state(kind, &payload, format);
        // State without text belongs to the part before it, unless it replaces readable text.
        let open = self.choices.get(at).and_then(|choice| choice.open.as_ref());
        let joins = kind != StateKind::Redacted
            && open.is_some_and(|open| match open.kind {
                OpenKind::Reasoning { index: open_index, .. } => {
                    !open.has_state && (open_index == index || open_index.is_none() || index.is_none())
                }
                OpenKind::Text { .. } | OpenKind::Refusal => false,
            });
        if !joins {
            self.close_open(at, out);
            self.ensure(at, OpenKind::Reasoning { summary, index }, out);
        }
        if let Some(open) = self.choices.get_mut(at).and_then(|choice| choice.open.as_mut()) {
            open.has_state = true;
            out.push(Event::PartDelta { part: open.part, delta: Delta::State(state) });
        }
        true
    }

    /// A thinking chunk inside a content list.
    pub(super) fn thinking(&mut self, at: usize, chunk: Json<'_>, out: &mut Vec<Event>) {
        let (text, signature) = thinking_chunk(chunk);
        if text.is_empty() && signature.is_none() {
            return;
        }
        let part = self.ensure(at, OpenKind::Reasoning { summary: false, index: None }, out);
        if !text.is_empty() {
            out.push(Event::PartDelta { part, delta: Delta::Text(text) });
        }
        if let Some(signature) = signature {
            let state = self.state(StateKind::Signature, &signature, None);
            out.push(Event::PartDelta { part, delta: Delta::State(state) });
            if let Some(open) = self.choices.get_mut(at).and_then(|choice| choice.open.as_mut()) {
                open.has_state = true;
            }
        }
    }
}
