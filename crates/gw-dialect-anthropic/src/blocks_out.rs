//! Content blocks for a client of this format.

use gw_core::{Citation, OpaqueState, Part, PartBody, StateKind, ToolKind};
use gw_spi::ReplyContext;
use gw_wire::JsonWriter;

use crate::encode::{client_input, legal_id};
use crate::{ID, VENDOR, citation};

/// How a reasoning part is shown.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Thought {
    /// A `thinking` block with this signature.
    Thinking(String),
    /// A `redacted_thinking` block with this data.
    Redacted(String),
    /// Not at all.
    Nothing,
}

/// Decides by what is readable and by the state. A signature is never empty: an empty one could be given back to the
/// vendor as if it were genuine.
pub(crate) fn thought(has_text: bool, state: Option<&OpaqueState>, context: &ReplyContext) -> Thought {
    let Some(state) = state else {
        let unsigned = OpaqueState {
            vendor: context.vendor.clone(),
            model: None,
            kind: StateKind::Signature,
            payload: String::new(),
        };
        return if has_text { Thought::Thinking(context.sealer.seal(&unsigned)) } else { Thought::Nothing };
    };
    let carried = carried(state, context);
    match state.kind {
        StateKind::Redacted | StateKind::Encrypted if !has_text => Thought::Redacted(carried),
        StateKind::Redacted | StateKind::Encrypted | StateKind::Signature => Thought::Thinking(carried),
    }
}

fn carried(state: &OpaqueState, context: &ReplyContext) -> String {
    if state.vendor == VENDOR && !state.payload.is_empty() {
        return state.payload.clone();
    }
    context.sealer.seal(state)
}

/// The envelope of state that is bound to a text or a call; it travels in a `redacted_thinking` block after it.
pub(crate) fn bound_state(state: Option<&OpaqueState>, context: &ReplyContext) -> Option<String> {
    state.filter(|state| state.vendor != VENDOR && !state.payload.is_empty()).map(|state| context.sealer.seal(state))
}

/// `{"type":"redacted_thinking",...}`.
pub(crate) fn redacted(w: &mut JsonWriter, data: &str) {
    w.object(|w| {
        w.field_str("type", "redacted_thinking");
        w.field_str("data", data);
    });
}

/// `{"type":"thinking",...}`.
pub(crate) fn thinking(w: &mut JsonWriter, text: &str, signature: &str) {
    w.object(|w| {
        w.field_str("type", "thinking");
        w.field_str("thinking", text);
        w.field_str("signature", signature);
    });
}

/// `{"type":"text",...}`.
pub(crate) fn text(w: &mut JsonWriter, text: &str, citations: &[Citation]) {
    w.object(|w| {
        w.field_str("type", "text");
        w.field_str("text", text);
        if citations.iter().any(citation::expressible) {
            w.field_array("citations", |w| {
                citations.iter().for_each(|known| {
                    citation::write(w, known);
                });
            });
        } else {
            w.field_null("citations");
        }
    });
}

/// `{"type":"tool_use",...}` with the given argument object.
pub(crate) fn tool_use(w: &mut JsonWriter, call_id: &str, name: &str, input: &str) {
    w.object(|w| {
        w.field_str("type", "tool_use");
        w.field_str("id", &legal_id(call_id));
        w.field_str("name", name);
        w.key("input").raw(input);
        w.field_object("caller", |w| w.field_str("type", "direct"));
    });
}

/// Writes a finished part as no, one or two blocks. Images and other vendors' blocks have no shape here.
pub(crate) fn part(w: &mut JsonWriter, part: &Part, context: &ReplyContext) {
    match &part.body {
        PartBody::Text { text: words, citations } => {
            if !words.is_empty() {
                text(w, words, citations);
            }
        }
        PartBody::Refusal(words) => {
            if !words.is_empty() {
                text(w, words, &[]);
            }
        }
        PartBody::Reasoning { text: words, .. } => {
            let words = if context.hide_reasoning { "" } else { words.as_str() };
            match thought(!words.is_empty(), part.state.as_ref(), context) {
                Thought::Thinking(signature) => thinking(w, words, &signature),
                Thought::Redacted(data) => redacted(w, &data),
                Thought::Nothing => {}
            }
            return;
        }
        PartBody::ToolCall { call_id, name, arguments, kind } => {
            let input = client_input(arguments, matches!(kind, ToolKind::Custom { .. }));
            tool_use(w, call_id, name, &input);
        }
        PartBody::Opaque { dialect, raw, .. } if *dialect == ID => {
            w.raw(raw.as_str());
            return;
        }
        PartBody::Opaque { .. }
        | PartBody::Image { .. }
        | PartBody::Audio { .. }
        | PartBody::Video { .. }
        | PartBody::File { .. }
        | PartBody::SearchResult { .. }
        | PartBody::ToolResult { .. } => return,
    }
    if let Some(data) = bound_state(part.state.as_ref(), context) {
        redacted(w, &data);
    }
}
