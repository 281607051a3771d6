//! `systemInstruction` and `contents`.

use std::collections::BTreeMap;

use gw_core::{
    Code, Field, GatewayError, LossAction, LossClass, OpaqueState, Part, PartBody, Place, RawJson, ToolKind,
};
use gw_spi::ReasoningStyle;
use gw_wire::{Document, JsonWriter, Kind, Limits};

use super::turns::{Item, Turn, call_names, turns};
use super::{MARK_NOTE, Plan, under, unknown};
use crate::{ID, VENDOR};

/// Stands in for a signature that the history does not have; documented by Google for histories from elsewhere.
const PLACEHOLDER: &str = "skip_thought_signature_validator";

impl<'a> Plan<'a> {
    /// `systemInstruction`: one part for each leading system part.
    pub(super) fn system(&mut self, writer: &mut JsonWriter) {
        let (system, _) = turns(self.request);
        for (place, part) in &system {
            self.common_losses(*place, part);
            if !matches!(&part.body, PartBody::Text { .. } | PartBody::Refusal(_)) {
                let note = "a system instruction holds text only";
                self.lose_at(*place, Field::SystemPosition, LossClass::Semantic, LossAction::Dropped, note);
            }
        }
        let texts: Vec<&str> =
            system.iter().filter_map(|(_, part)| plain(part)).filter(|text| !text.is_empty()).collect();
        if texts.is_empty() {
            return;
        }
        writer.field_object("systemInstruction", |writer| {
            writer.field_array("parts", |writer| {
                for text in texts {
                    writer.object(|writer| writer.field_str("text", text));
                }
            });
        });
    }

    /// `contents`.
    ///
    /// # Errors
    /// No turn at all, or calls and results that do not belong together.
    pub(super) fn contents(&mut self, writer: &mut JsonWriter) -> Result<(), GatewayError> {
        self.message_losses();
        let names = call_names(self.request)?;
        let (_, turns) = turns(self.request);
        let mut written: Vec<Written<'a>> = Vec::new();
        let mut kept = Vec::new();
        for turn in &turns {
            let mut parts = Vec::new();
            let mut hoisted = Vec::new();
            // In every turn, not in the current one only: what was sent stays as it was when the conversation grows.
            let mut unsigned = turn.model && self.wants_signature(turn);
            for item in &turn.items {
                let (place, part) = match item {
                    Item::System(place, part) => {
                        self.inline_system(*place, part, &mut parts);
                        continue;
                    }
                    Item::Part(place, part) => (*place, *part),
                };
                self.common_losses(place, part);
                let placeholder = unsigned && item.is_call();
                unsigned &= !item.is_call();
                self.part(place, part, placeholder, &names, &mut parts, &mut hoisted)?;
            }
            // Media of results stand after all results of the turn.
            let results = parts.iter().take_while(|part| part.as_str().starts_with("{\"functionResponse\"")).count();
            let rest = parts.split_off(results);
            parts.extend(hoisted);
            parts.extend(rest);
            if parts.is_empty() {
                continue;
            }
            match written.last_mut() {
                // A turn in between may have had nothing to say.
                Some(last) if last.model == turn.model => last.parts.extend(parts),
                _ => {
                    let (message, extras) = self.content_extras(turn);
                    kept.extend(message);
                    written.push(Written { model: turn.model, parts, extras });
                }
            }
        }
        self.extras_not_kept(&kept);
        self.prefill(&written);
        if written.is_empty() {
            let message = "Gemini needs at least one message besides the system instruction; add a user message";
            return Err(GatewayError::new(Code::Unsupported, message).with_param("messages"));
        }
        writer.field_array("contents", |writer| {
            for Written { model, parts, extras } in &written {
                writer.object(|writer| {
                    writer.field_str("role", if *model { "model" } else { "user" });
                    writer.field_array("parts", |writer| parts.iter().for_each(|part| writer.raw(part.as_str())));
                    extras.iter().for_each(|(name, value)| writer.field_raw(name, value));
                });
            }
        });
        Ok(())
    }

    fn message_losses(&mut self) {
        for (message_at, message) in (0u32..).zip(&self.request.messages) {
            let place = Place { message: Some(message_at), ..Place::default() };
            if message.name.is_some() {
                let note = "Gemini has no participant names";
                self.lose_at(place, Field::Name, LossClass::Advisory, LossAction::Dropped, note);
            }
            for _ in message.extras.iter().filter(|extra| extra.dialect != ID) {
                self.losses.push(unknown(place));
            }
        }
    }

    /// Cache marks and foreign unknown fields, whatever the part is.
    fn common_losses(&mut self, place: Place, part: &Part) {
        if part.cache.is_some() {
            self.lose_at(place, Field::CacheMark, LossClass::Performance, LossAction::Dropped, MARK_NOTE);
        }
        for _ in part.extras.iter().filter(|extra| extra.dialect != ID) {
            self.losses.push(unknown(place));
        }
    }

    /// The first message of a turn, whose unknown fields the turn keeps.
    fn content_extras(&self, turn: &Turn<'_>) -> (Option<u32>, Vec<(&'a str, &'a RawJson)>) {
        let first = turn.items.iter().find_map(|item| match item {
            Item::Part(place, _) | Item::System(place, _) => place.message,
        });
        let message = first.and_then(|at| self.request.messages.get(at as usize));
        let own = message.into_iter().flat_map(|message| &message.extras).filter(|extra| extra.dialect == ID);
        (first, own.map(|extra| (extra.name.as_str(), &extra.value)).collect())
    }

    /// Unknown fields of messages that are no turn of their own.
    fn extras_not_kept(&mut self, kept: &[u32]) {
        for (at, message) in (0u32..).zip(&self.request.messages).filter(|(at, _)| !kept.contains(at)) {
            let place = Place { message: Some(at), ..Place::default() };
            for _ in message.extras.iter().filter(|extra| extra.dialect == ID) {
                self.losses.push(unknown(place));
            }
        }
    }

    fn prefill(&mut self, written: &[Written<'_>]) {
        let trailing = written.last().is_some_and(|last| last.model);
        if trailing && !self.own() && !self.context.capabilities.prefill {
            let note = "the target does not continue a trailing assistant message";
            self.lose(Field::Prefill, LossClass::Semantic, LossAction::Approximated, note);
        }
    }

    /// Gemini has no system role between turns: the text stays in place, marked, in a user turn.
    fn inline_system(&mut self, place: Place, part: &Part, parts: &mut Vec<RawJson>) {
        self.common_losses(place, part);
        let Some(text) = plain(part) else {
            let note = "a system message holds text only";
            self.lose_at(place, Field::SystemPosition, LossClass::Semantic, LossAction::Dropped, note);
            return;
        };
        if text.is_empty() {
            return;
        }
        parts.push(object(|writer| writer.field_str("text", &format!("<system>\n{text}\n</system>"))));
        let note = "a system message between turns was sent as marked user text";
        self.lose_at(place, Field::SystemPosition, LossClass::Approximated, LossAction::Approximated, note);
    }

    /// Whether the first call of this model turn lacks the signature that the target insists on.
    fn wants_signature(&self, turn: &Turn<'_>) -> bool {
        let signed = |part: &Part| part.state.as_ref().is_some_and(|state| self.replayable(state));
        let first = turn.items.iter().find(|item| item.is_call());
        let unsigned = matches!(first, Some(Item::Part(_, part)) if !signed(part));
        unsigned && self.context.capabilities.reasoning == ReasoningStyle::Level
    }

    fn replayable(&self, state: &OpaqueState) -> bool {
        state.vendor == self.context.vendor && state.vendor == VENDOR
    }

    /// The signature to send with a part; foreign state is a loss.
    fn signature<'p>(&mut self, place: Place, part: &'p Part) -> Option<&'p str> {
        let state = part.state.as_ref()?;
        if self.replayable(state) {
            return Some(&state.payload);
        }
        let note = "reasoning state of another vendor cannot be replayed here";
        self.lose_at(place, Field::ReasoningState, LossClass::Approximated, LossAction::Dropped, note);
        None
    }

    fn part(
        &mut self,
        place: Place,
        part: &Part,
        placeholder: bool,
        names: &BTreeMap<&str, &str>,
        parts: &mut Vec<RawJson>,
        hoisted: &mut Vec<RawJson>,
    ) -> Result<(), GatewayError> {
        match &part.body {
            PartBody::Text { text, citations } => {
                if !citations.is_empty() {
                    let note = "citations of earlier answers are not sent back";
                    self.lose_at(place, Field::Citations, LossClass::Advisory, LossAction::Dropped, note);
                }
                let signature = self.signature(place, part);
                // Google takes empty text from its own clients; from others it is an artefact.
                if !text.is_empty() || signature.is_some() || self.own() {
                    parts.push(object(|writer| {
                        writer.field_str("text", text);
                        sign(writer, signature);
                        own_extras(writer, part);
                    }));
                }
            }
            PartBody::Refusal(text) => {
                let signature = self.signature(place, part);
                if !text.is_empty() {
                    parts.push(object(|writer| {
                        writer.field_str("text", text);
                        sign(writer, signature);
                    }));
                }
            }
            PartBody::Reasoning { text, summary } => self.reasoning(place, part, (text, *summary), parts),
            PartBody::ToolCall { call_id, name, arguments, kind } => {
                let call = Call { call_id, name, arguments, kind };
                self.call(place, part, &call, placeholder, parts);
            }
            PartBody::ToolResult { .. } => self.result(place, part, names, parts, hoisted)?,
            PartBody::Opaque { dialect, raw, .. } => {
                if *dialect == ID {
                    parts.push(raw.clone());
                } else {
                    let note = "a block of another vendor's server-side tools";
                    self.lose_at(place, Field::ServerToolHistory, LossClass::Semantic, LossAction::Dropped, note);
                }
            }
            PartBody::Image { .. }
            | PartBody::Audio { .. }
            | PartBody::Video { .. }
            | PartBody::File { .. }
            | PartBody::SearchResult { .. } => {
                let signature = self.signature(place, part);
                self.media(place, part, signature, parts);
            }
        }
        Ok(())
    }

    fn reasoning(&mut self, place: Place, part: &Part, (text, summary): (&str, bool), parts: &mut Vec<RawJson>) {
        let signature = self.signature(place, part);
        let own = signature.is_some() || (part.state.is_none() && self.own());
        if !own {
            if part.state.is_none() && !text.is_empty() {
                let note = "readable reasoning of another model is not sent back";
                self.lose_at(place, Field::ReasoningText, LossClass::Approximated, LossAction::Dropped, note);
            }
            return;
        }
        if text.is_empty() && signature.is_none() {
            return;
        }
        parts.push(object(|writer| {
            writer.field_str("text", text);
            if summary || !text.is_empty() {
                writer.field_bool("thought", true);
            }
            sign(writer, signature);
            own_extras(writer, part);
        }));
    }

    fn call(&mut self, place: Place, part: &Part, call: &Call<'_>, placeholder: bool, parts: &mut Vec<RawJson>) {
        let (arguments, exact) = match call.kind {
            ToolKind::Custom { .. } => (object(|writer| writer.field_str("input", call.arguments)), true),
            ToolKind::Function | ToolKind::Hosted { .. } => arguments_object(call.arguments),
        };
        if !exact {
            let note = "arguments that are not a JSON object were wrapped as _raw_arguments";
            self.lose_at(place, Field::ToolCallArguments, LossClass::Approximated, LossAction::Approximated, note);
        }
        let mut signature = self.signature(place, part);
        if placeholder && signature.is_none() {
            signature = Some(PLACEHOLDER);
            let note = "the history has no signature for this call; the documented placeholder was sent";
            self.lose_at(place, Field::ReasoningState, LossClass::Approximated, LossAction::Approximated, note);
        }
        let name = self.names.get(call.name);
        parts.push(object(|writer| {
            writer.field_object("functionCall", |writer| {
                if !call.call_id.is_empty() {
                    writer.field_str("id", call.call_id);
                }
                writer.field_str("name", name);
                writer.field_raw("args", &arguments);
                for (name, extra) in under(&part.extras, "functionCall") {
                    writer.field_raw(name, &extra.value);
                }
            });
            sign(writer, signature);
            own_extras(writer, part);
        }));
    }

    fn result(
        &mut self,
        place: Place,
        part: &Part,
        names: &BTreeMap<&str, &str>,
        parts: &mut Vec<RawJson>,
        hoisted: &mut Vec<RawJson>,
    ) -> Result<(), GatewayError> {
        let PartBody::ToolResult { call_id, name, content, json, is_error } = &part.body else { return Ok(()) };
        let name = names.get(call_id.as_str()).copied().or(name.as_deref()).ok_or_else(|| {
            let message = format!("the tool result for '{call_id}' has no earlier tool call, so its name is unknown");
            GatewayError::new(Code::BadRequest, message).with_param("messages")
        })?;
        let signature = self.signature(place, part);
        let inside = self.result_content(place, content, hoisted);
        if json.is_some() && !inside.text.is_empty() {
            let note = "text beside the result object";
            self.lose_at(place, Field::Text, LossClass::Approximated, LossAction::Dropped, note);
        }
        let response = match json {
            Some(json) => json.clone(),
            // Tool output is data: it is never parsed, so nothing in it can be read as a reference.
            None => object(|writer| writer.field_str(if *is_error { "error" } else { "output" }, &inside.text)),
        };
        let name = self.names.get(name);
        parts.push(object(|writer| {
            writer.field_object("functionResponse", |writer| {
                if !call_id.is_empty() {
                    writer.field_str("id", call_id);
                }
                writer.field_str("name", name);
                writer.field_raw("response", &response);
                if !inside.media.is_empty() {
                    writer.field_array("parts", |writer| {
                        inside.media.iter().for_each(|item| writer.raw(item.as_str()));
                    });
                }
                for (name, extra) in under(&part.extras, "functionResponse") {
                    writer.field_raw(name, &extra.value);
                }
            });
            sign(writer, signature);
            own_extras(writer, part);
        }));
        Ok(())
    }
}

/// A content as it is sent.
struct Written<'r> {
    model: bool,
    parts: Vec<RawJson>,
    extras: Vec<(&'r str, &'r RawJson)>,
}

struct Call<'c> {
    call_id: &'c str,
    name: &'c str,
    arguments: &'c str,
    kind: &'c ToolKind,
}

/// The text of a text part.
pub(super) fn plain(part: &Part) -> Option<&str> {
    match &part.body {
        PartBody::Text { text, .. } | PartBody::Refusal(text) => Some(text),
        _ => None,
    }
}

/// Arguments as the object that Gemini wants, and whether they are exactly what was given.
pub(crate) fn arguments_object(text: &str) -> (RawJson, bool) {
    if text.trim().is_empty() {
        return (RawJson::from_valid("{}"), true);
    }
    let parsed = Document::parse(text, Limits::default());
    if parsed.is_ok_and(|document| document.root().kind() == Kind::Object) {
        return (RawJson::from_valid(text.trim()), true);
    }
    (object(|writer| writer.field_str("_raw_arguments", text)), false)
}

pub(super) fn object(fill: impl FnOnce(&mut JsonWriter)) -> RawJson {
    let mut writer = JsonWriter::new();
    writer.object(fill);
    writer.into_raw()
}

pub(super) fn sign(writer: &mut JsonWriter, signature: Option<&str>) {
    if let Some(signature) = signature {
        writer.field_str("thoughtSignature", signature);
    }
}

/// Own unknown fields of the part itself.
pub(super) fn own_extras(writer: &mut JsonWriter, part: &Part) {
    for extra in part.extras.iter().filter(|extra| extra.dialect == ID && !extra.name.contains('.')) {
        writer.field_raw(&extra.name, &extra.value);
    }
}
