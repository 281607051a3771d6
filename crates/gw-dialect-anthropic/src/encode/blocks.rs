//! Parts become content blocks.

use gw_core::{Field, LossClass, PartBody, RawJson};
use gw_wire::JsonWriter;

use super::Encoder;
use super::reasoning::replaces_text;
use super::turns::{Item, TurnRole};
use crate::marks::{lifetime_loss, write_mark};
use crate::raw::{with_parsed, write_with_member};
use crate::{ID, VENDOR};

/// Around instructions that the target takes only as user text.
pub(super) const SYSTEM_OPEN: &str = "<system_message>\n";
/// See [`SYSTEM_OPEN`].
pub(super) const SYSTEM_CLOSE: &str = "\n</system_message>";

/// The loss field of a kind of content.
pub(super) fn field_of(body: &PartBody) -> Field {
    match body {
        PartBody::Text { .. } => Field::Text,
        PartBody::Refusal(_) => Field::Refusal,
        PartBody::Image { .. } => Field::Image,
        PartBody::Audio { .. } => Field::Audio,
        PartBody::Video { .. } => Field::Video,
        PartBody::File { .. } => Field::File,
        PartBody::SearchResult { .. } => Field::SearchResult,
        PartBody::Reasoning { .. } => Field::ReasoningText,
        PartBody::ToolCall { .. } => Field::ToolCallArguments,
        PartBody::ToolResult { .. } => Field::ToolResultMedia,
        PartBody::Opaque { .. } => Field::ServerToolHistory,
    }
}

impl<'r> Encoder<'r> {
    /// Writes one block; `false` when nothing was written.
    pub(super) fn block(&mut self, w: &mut JsonWriter, item: &Item<'r>, role: TurnRole) -> bool {
        let part = item.part;
        let written = match &part.body {
            PartBody::Text { text, .. } => self.text(w, item, text),
            PartBody::Refusal(text) => {
                self.changed_at(Field::Refusal, LossClass::Advisory, item.place, "a refusal is sent as text");
                self.text(w, item, text)
            }
            PartBody::Image { source, detail } => self.image(w, item, source, detail.as_deref(), role),
            PartBody::Audio { .. } | PartBody::Video { .. } => {
                let note = "the target takes neither sound nor video";
                self.lose_at(field_of(&part.body), LossClass::Semantic, item.place, note);
                false
            }
            PartBody::File { .. } => self.document(w, item, role),
            PartBody::SearchResult { raw, text } => self.search_result(w, item, raw, text),
            PartBody::Reasoning { text, .. } => {
                if role == TurnRole::Assistant {
                    return self.reasoning(w, item, text);
                }
                let note = "reasoning outside the model's turn";
                self.lose_at(Field::ReasoningText, LossClass::Approximated, item.place, note);
                if part.state.is_some() {
                    self.lose_at(Field::ReasoningState, LossClass::Approximated, item.place, note);
                }
                return false;
            }
            PartBody::ToolCall { .. } if role != TurnRole::Assistant => {
                let note = "a tool call outside the model's turn";
                self.lose_at(Field::ToolCallArguments, LossClass::Semantic, item.place, note);
                self.lose_link(item);
                false
            }
            PartBody::ToolCall { call_id, name, arguments, kind } => {
                let input = self.input(arguments, matches!(kind, gw_core::ToolKind::Custom { .. }), item);
                w.object(|w| {
                    w.field_str("type", "tool_use");
                    w.field_str("id", self.ids.wire(item.place, call_id));
                    w.field_str("name", self.names.wire(name));
                    w.key("input").raw(&input);
                    self.trailer(w, item);
                });
                true
            }
            PartBody::ToolResult { .. } => {
                let note = "a tool result outside the user's turn";
                self.lose_at(Field::ToolResultMedia, LossClass::Semantic, item.place, note);
                self.lose_link(item);
                false
            }
            PartBody::Opaque { dialect, raw, .. } if *dialect == ID => {
                self.raw_block(w, item, raw);
                true
            }
            PartBody::Opaque { type_name, .. } => {
                let note = format!("'{type_name}' belongs to another vendor");
                self.lose_at(Field::ServerToolHistory, LossClass::Semantic, item.place, note);
                false
            }
        };
        if part.state.is_some() {
            let note = "state of another vendor cannot be verified by the target";
            self.lose_at(Field::ReasoningState, LossClass::Approximated, item.place, note);
        }
        for extra in part.extras.iter().filter(|extra| extra.dialect != ID) {
            self.lose_at(Field::Unknown, LossClass::Approximated, item.place, format!("part field '{}'", extra.name));
        }
        if !written && self.marks.kept(part.cache.as_ref(), item.place, item.inner).is_some() {
            self.lose_at(Field::CacheMark, LossClass::Performance, item.place, "the marked part is not sent");
        }
        written
    }

    /// Own extras and the cache mark of a block.
    pub(super) fn trailer(&mut self, w: &mut JsonWriter, item: &Item<'r>) {
        let replaced = matches!(item.part.body, PartBody::File { .. });
        for extra in item.part.extras.iter().filter(|extra| extra.dialect == ID) {
            if !(replaced && extra.name == "source") {
                w.field_raw(&extra.name, &extra.value);
            }
        }
        let mark = item.part.cache.as_ref();
        self.losses.extend(lifetime_loss(self.marks.kept(mark, item.place, item.inner), item.place));
        self.marks.write(w, mark, item.place, item.inner);
    }

    fn text(&mut self, w: &mut JsonWriter, item: &Item<'r>, text: &str) -> bool {
        // The target refuses blank text; it says nothing, so nothing is lost.
        if text.trim().is_empty() {
            return false;
        }
        let citations = match &item.part.body {
            PartBody::Text { citations, .. } => citations.as_slice(),
            _ => &[],
        };
        let own: Vec<&RawJson> = citations
            .iter()
            .filter_map(|citation| citation.raw.as_ref())
            .filter(|(dialect, _)| *dialect == ID && self.context.vendor == VENDOR)
            .map(|(_, raw)| raw)
            .collect();
        if own.len() < citations.len() {
            let note = "citations of another vendor are not sent";
            self.lose_at(Field::Citations, LossClass::Approximated, item.place, note);
        }
        w.object(|w| {
            w.field_str("type", "text");
            if item.wrapped {
                w.field_str("text", &format!("{SYSTEM_OPEN}{text}{SYSTEM_CLOSE}"));
            } else {
                w.field_str("text", text);
            }
            if !own.is_empty() {
                w.field_array("citations", |w| own.iter().for_each(|raw| w.raw(raw.as_str())));
            }
            self.trailer(w, item);
        });
        true
    }

    /// Thinking that the target can verify goes back as it came; all other reasoning stays out, for it must not become
    /// visible text.
    fn reasoning(&mut self, w: &mut JsonWriter, item: &Item<'r>, text: &str) -> bool {
        let capabilities = self.context.capabilities;
        let unsigned = capabilities.reasoning_replay_required && self.context.vendor != VENDOR;
        let class = LossClass::Approximated;
        for extra in item.part.extras.iter().filter(|extra| extra.dialect != ID) {
            self.lose_at(Field::Unknown, class, item.place, format!("part field '{}'", extra.name));
        }
        if item.part.cache.is_some() {
            self.lose_at(Field::CacheMark, LossClass::Performance, item.place, "reasoning cannot be marked");
        }
        let state = item.part.state.as_ref();
        let verifiable = state.filter(|state| state.vendor == self.context.vendor);
        if state.is_some() && verifiable.is_none() {
            let note = "reasoning of another vendor cannot be verified by the target";
            self.lose_at(Field::ReasoningState, class, item.place, note);
        }
        let signature = match verifiable {
            Some(state) if replaces_text(state.kind) && text.is_empty() => {
                w.object(|w| {
                    w.field_str("type", "redacted_thinking");
                    w.field_str("data", &state.payload);
                });
                return true;
            }
            Some(state) => state.payload.as_str(),
            None if unsigned && !text.is_empty() => "",
            None => {
                if !text.is_empty() {
                    let note = "the target takes reasoning only with its own signature";
                    self.lose_at(Field::ReasoningText, class, item.place, note);
                }
                return false;
            }
        };
        w.object(|w| {
            w.field_str("type", "thinking");
            w.field_str("thinking", text);
            w.field_str("signature", signature);
            for extra in item.part.extras.iter().filter(|extra| extra.dialect == ID) {
                w.field_raw(&extra.name, &extra.value);
            }
        });
        true
    }

    /// The argument object of a call.
    fn input(&mut self, arguments: &str, free_text: bool, item: &Item<'r>) -> String {
        if free_text {
            return wrapped("input", arguments);
        }
        match object_text(arguments) {
            Some(object) => object.to_owned(),
            None => {
                let note = "arguments that are no JSON object are sent inside one";
                self.changed_at(Field::ToolCallArguments, LossClass::Approximated, item.place, note);
                wrapped(RAW_ARGUMENTS, arguments)
            }
        }
    }

    /// A block of this format, with its mark put back.
    pub(super) fn raw_block(&mut self, w: &mut JsonWriter, item: &Item<'r>, raw: &RawJson) {
        let Some(mark) = self.marks.kept(item.part.cache.as_ref(), item.place, item.inner) else {
            w.raw(raw.as_str());
            return;
        };
        self.losses.extend(lifetime_loss(Some(mark), item.place));
        let mut value = JsonWriter::new();
        write_mark(&mut value, mark);
        let value = value.into_raw();
        with_parsed(raw.as_str(), |json| write_with_member(w, json, "cache_control", value.as_str()));
    }

    fn search_result(&mut self, w: &mut JsonWriter, item: &Item<'r>, raw: &RawJson, text: &str) -> bool {
        let is_own = with_parsed(raw.as_str(), |json| {
            json.get_some("type").and_then(|kind| kind.str()).is_some_and(|kind| kind == "search_result")
        });
        if is_own == Some(true) {
            self.raw_block(w, item, raw);
            return true;
        }
        let note = "a search result is sent as text";
        self.changed_at(Field::SearchResult, LossClass::Approximated, item.place, note);
        self.text(w, item, text)
    }
}

/// Member that holds arguments which are no JSON object.
const RAW_ARGUMENTS: &str = "_raw_arguments";

/// The object that argument text stands for: `{}` for nothing, the text itself when it is one object.
fn object_text(arguments: &str) -> Option<&str> {
    let trimmed = arguments.trim();
    if trimmed.is_empty() {
        return Some("{}");
    }
    let is_object = with_parsed(trimmed, |json| json.kind() == gw_wire::Kind::Object)?;
    is_object.then_some(trimmed)
}

fn wrapped(name: &str, text: &str) -> String {
    let mut writer = JsonWriter::new();
    writer.object(|w| w.field_str(name, text));
    writer.into_raw().as_str().to_owned()
}

/// The argument object that a client of this format gets for whatever an upstream wrote.
pub(crate) fn client_input(arguments: &str, free_text: bool) -> String {
    if free_text {
        return wrapped("input", arguments);
    }
    object_text(arguments).map_or_else(|| wrapped(RAW_ARGUMENTS, arguments), str::to_owned)
}
