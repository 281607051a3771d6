//! Choices of an answer turned into events: one state machine for streamed deltas and for finished messages.

mod calls;
mod reasoning;

use gw_core::{
    Citation, CitationSource, Delta, Event, Extra, OpaqueState, Part, PartBody, PartOpening, PartRef, Source,
    StateKind, Stop,
};
use gw_wire::{Json, JsonWriter, Kind};

use crate::carrier::google_signature;
use crate::media::read_url;
use crate::{ID, stop};
use calls::Call;

/// Message fields that have a canonical home.
const KNOWN_MESSAGE: &[&str] = &[
    "role",
    "content",
    "refusal",
    "reasoning",
    "reasoning_content",
    "reasoning_details",
    "tool_calls",
    "function_call",
    "annotations",
    "audio",
    "images",
    "extra_content",
    "thought_signature",
    "index",
];

/// Prefix of unknown fields that stood inside the message.
pub(crate) const MESSAGE: &str = "message.";

/// Builds the events of all choices.
#[derive(Debug)]
pub(crate) struct Assembler {
    /// Stamped on opaque state.
    vendor: String,
    id_base: String,
    next_part: PartRef,
    minted: usize,
    used_ids: Vec<String>,
    choices: Vec<Choice>,
}

/// One choice.
#[derive(Debug, Default)]
struct Choice {
    index: u32,
    open: Option<Open>,
    calls: Vec<Call>,
    finished: bool,
    any_calls: bool,
    /// Characters of text in earlier parts and so far.
    text_chars: u32,
    audio: Option<Audio>,
    extras: Vec<Extra>,
}

/// The open part that is not a call.
#[derive(Debug)]
struct Open {
    part: PartRef,
    kind: OpenKind,
    has_state: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OpenKind {
    Text { from_char: u32 },
    Refusal,
    Reasoning { summary: bool, index: Option<i64> },
}

/// An audio answer, which arrives in pieces.
#[derive(Debug, Default)]
struct Audio {
    id: String,
    data: String,
    transcript: String,
    expires_at: Option<i64>,
}

impl Assembler {
    /// An assembler that stamps `vendor` on state and mints ids from `id_base`.
    pub(crate) fn new(vendor: &str, id_base: &str) -> Self {
        Self {
            vendor: vendor.to_owned(),
            id_base: id_base.to_owned(),
            next_part: 0,
            minted: 0,
            used_ids: Vec::new(),
            choices: Vec::new(),
        }
    }

    /// Whether a choice has begun.
    pub(crate) fn any(&self) -> bool {
        !self.choices.is_empty()
    }

    /// Whether at least one choice has begun and all have finished.
    pub(crate) fn complete(&self) -> bool {
        self.any() && self.choices.iter().all(|choice| choice.finished)
    }

    /// Takes an item of `choices`: a delta or a whole message, and its end.
    pub(crate) fn choice(&mut self, position: usize, item: Json<'_>, out: &mut Vec<Event>) {
        let index = item.get_some("index").and_then(|index| index.u64()).and_then(|index| u32::try_from(index).ok());
        let index = index.unwrap_or_else(|| u32::try_from(position).unwrap_or(0));
        let at = self.position(index);
        if let Some(message) = item.get_some("delta").or_else(|| item.get_some("message")) {
            self.message(at, message, out);
        }
        if let Some(items) = logprobs(item) {
            out.push(Event::Logprobs { candidate: index, items });
        }
        for (name, value) in item.members() {
            let known = matches!(
                name.as_ref(),
                "index" | "delta" | "message" | "finish_reason" | "logprobs" | "usage" | "error"
            );
            if !known && !value.is_null() {
                self.extra(at, Extra { dialect: ID, name: name.into_owned(), value: value.to_raw() }, out);
            }
        }
        let word = item.get_some("finish_reason").and_then(|word| word.str());
        if let Some(found) = word.and_then(|word| stop::decode(&word)) {
            // One widely used server tells the matched sequence beside a plain stop.
            let matched = item.get_some("stop_reason").and_then(|text| text.string()).filter(|_| found == Stop::End);
            self.finish(at, matched.map_or(found, |text| Stop::StopSequence(Some(text))), out);
        }
    }

    /// Finishes every choice that has no end yet as a plain end.
    pub(crate) fn finish_all(&mut self, out: &mut Vec<Event>) {
        for at in 0..self.choices.len() {
            self.finish(at, Stop::End, out);
        }
    }

    fn position(&mut self, index: u32) -> usize {
        match self.choices.iter().position(|choice| choice.index == index) {
            Some(at) => at,
            None => {
                self.choices.push(Choice { index, ..Choice::default() });
                self.choices.len() - 1
            }
        }
    }

    fn message(&mut self, at: usize, message: Json<'_>, out: &mut Vec<Event>) {
        if self.choices.get(at).is_none_or(|choice| choice.finished) {
            return;
        }
        self.reasoning_fields(at, message, out);
        match message.get_some("content") {
            Some(content) if content.kind() == Kind::Array => {
                for item in content.items() {
                    self.content_item(at, item, out);
                }
            }
            Some(content) if content.kind() == Kind::Object => self.content_item(at, content, out),
            Some(content) => {
                if let Some(text) = content.string() {
                    self.text(at, text, out);
                }
            }
            None => {}
        }
        if let Some(text) = message.get_some("refusal").and_then(|text| text.string()).filter(|text| !text.is_empty()) {
            let part = self.ensure(at, OpenKind::Refusal, out);
            out.push(Event::PartDelta { part, delta: Delta::Text(text) });
        }
        let signature = google_signature(message)
            .or_else(|| message.get_some("thought_signature")?.str().filter(|text| !text.is_empty()));
        if let Some(signature) = signature {
            self.text_signature(at, &signature, out);
        }
        if let Some(annotations) = message.get_some("annotations") {
            for annotation in annotations.items() {
                self.annotation(at, annotation, out);
            }
        }
        if let Some(images) = message.get_some("images") {
            for image in images.items() {
                self.image(at, image, out);
            }
        }
        if let Some(audio) = message.get_some("audio") {
            self.audio(at, audio);
        }
        if let Some(calls) = message.get_some("tool_calls") {
            for call in calls.items() {
                self.tool_call(at, call, out);
            }
        }
        if let Some(call) = message.get_some("function_call") {
            self.function_call(at, call, out);
        }
        for (name, value) in message.members() {
            let empty = matches!(value.raw(), "[]" | "{}" | "\"\"");
            if !KNOWN_MESSAGE.contains(&name.as_ref()) && !value.is_null() && !empty {
                let name = format!("{MESSAGE}{name}");
                self.extra(at, Extra { dialect: ID, name, value: value.to_raw() }, out);
            }
        }
    }

    fn content_item(&mut self, at: usize, item: Json<'_>, out: &mut Vec<Event>) {
        if let Some(text) = item.string() {
            self.text(at, text, out);
            return;
        }
        match item.get_some("type").and_then(|name| name.str()).as_deref() {
            Some("thinking") => self.thinking(at, item, out),
            Some("image_url") => self.image(at, item, out),
            Some("text" | "output_text") | None => {
                if let Some(text) = item.get_some("text").and_then(|text| text.string()) {
                    self.text(at, text, out);
                }
            }
            Some(other) => {
                let raw = item.to_raw();
                let body = PartBody::Opaque { dialect: ID, type_name: other.to_owned(), raw };
                self.whole(at, Part::new(body), out);
            }
        }
    }

    fn text(&mut self, at: usize, text: String, out: &mut Vec<Event>) {
        if text.is_empty() {
            return;
        }
        let from_char = self.choices.get(at).map_or(0, |choice| choice.text_chars);
        let part = self.ensure(at, OpenKind::Text { from_char }, out);
        if let Some(choice) = self.choices.get_mut(at) {
            let more = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
            choice.text_chars = choice.text_chars.saturating_add(more);
        }
        out.push(Event::PartDelta { part, delta: Delta::Text(text) });
    }

    /// Google's signature beside the text: it belongs to the open text, or to an empty one that comes last.
    fn text_signature(&mut self, at: usize, signature: &str, out: &mut Vec<Event>) {
        let from_char = self.choices.get(at).map_or(0, |choice| choice.text_chars);
        let part = self.ensure(at, OpenKind::Text { from_char }, out);
        out.push(Event::PartDelta { part, delta: Delta::State(self.state(StateKind::Signature, signature, None)) });
    }

    fn annotation(&mut self, at: usize, annotation: Json<'_>, out: &mut Vec<Event>) {
        let open = self.choices.get(at).and_then(|choice| choice.open.as_ref());
        let Some((part, from_char)) = open.and_then(|open| match open.kind {
            OpenKind::Text { from_char } => Some((open.part, from_char)),
            OpenKind::Refusal | OpenKind::Reasoning { .. } => None,
        }) else {
            return;
        };
        let cited = annotation.get_some("url_citation").unwrap_or(annotation);
        let number = |name: &str| {
            cited
                .get_some(name)
                .and_then(|value| value.u64())
                .map(|value| u32::try_from(value).unwrap_or(u32::MAX).saturating_sub(from_char))
        };
        let text = |name: &str| cited.get_some(name).and_then(|value| value.string());
        let span = match (number("start_index"), number("end_index")) {
            (Some(start), Some(end)) if end > start => Some((start, end)),
            _ => None,
        };
        let source = match text("url") {
            Some(url) => CitationSource::Url { url, title: text("title").filter(|title| !title.is_empty()) },
            None => CitationSource::Other,
        };
        let raw = Some((ID, annotation.to_raw()));
        let citation = Citation { span, source, cited_text: text("content"), raw };
        out.push(Event::PartDelta { part, delta: Delta::Citation(citation) });
    }

    fn image(&mut self, at: usize, image: Json<'_>, out: &mut Vec<Event>) {
        let holder = image.get_some("image_url").unwrap_or(image);
        let url = holder.string().or_else(|| holder.get_some("url").and_then(|url| url.string()));
        let Some(url) = url else { return };
        let source: Source = read_url(&url, "image/png").source;
        self.whole(at, Part::new(PartBody::Image { source, detail: None }), out);
    }

    fn audio(&mut self, at: usize, audio: Json<'_>) {
        let text = |name: &str| audio.get_some(name).and_then(|value| value.string()).unwrap_or_default();
        let (id, data, transcript) = (text("id"), text("data"), text("transcript"));
        let expires = audio.get_some("expires_at").and_then(|at| at.i64().or_else(|| at.str()?.parse().ok()));
        if id.is_empty() && data.is_empty() && transcript.is_empty() {
            return;
        }
        let Some(choice) = self.choices.get_mut(at) else { return };
        let known = choice.audio.get_or_insert_default();
        if !id.is_empty() {
            known.id = id;
        }
        known.data.push_str(&data);
        known.transcript.push_str(&transcript);
        known.expires_at = expires.or(known.expires_at);
    }

    /// A part that arrives whole.
    fn whole(&mut self, at: usize, part: Part, out: &mut Vec<Event>) {
        self.close_open(at, out);
        let Some(candidate) = self.choices.get(at).map(|choice| choice.index) else { return };
        let number = self.number();
        out.push(Event::PartStart { candidate, part: number, opening: PartOpening::Whole(Box::new(part)) });
        out.push(Event::PartEnd { part: number });
    }

    /// The open part of this kind, opened if needed; whatever else is open is closed first.
    fn ensure(&mut self, at: usize, kind: OpenKind, out: &mut Vec<Event>) -> PartRef {
        let same = |open: &&Open| match (open.kind, kind) {
            (OpenKind::Text { .. }, OpenKind::Text { .. }) | (OpenKind::Refusal, OpenKind::Refusal) => true,
            (reasoning, wanted) => reasoning == wanted && !open.has_state,
        };
        if let Some(open) = self.choices.get(at).and_then(|choice| choice.open.as_ref()).filter(same) {
            return open.part;
        }
        self.close_open(at, out);
        self.close_complete_calls(at, out);
        let part = self.number();
        if let Some(choice) = self.choices.get_mut(at) {
            choice.open = Some(Open { part, kind, has_state: false });
            let opening = match kind {
                OpenKind::Text { .. } => PartOpening::Text,
                OpenKind::Refusal => PartOpening::Refusal,
                OpenKind::Reasoning { summary, .. } => PartOpening::Reasoning { summary },
            };
            out.push(Event::PartStart { candidate: choice.index, part, opening });
        }
        part
    }

    fn close_open(&mut self, at: usize, out: &mut Vec<Event>) {
        if let Some(open) = self.choices.get_mut(at).and_then(|choice| choice.open.take()) {
            out.push(Event::PartEnd { part: open.part });
        }
    }

    fn finish(&mut self, at: usize, stop: Stop, out: &mut Vec<Event>) {
        if self.choices.get(at).is_none_or(|choice| choice.finished) {
            return;
        }
        self.close_open(at, out);
        self.close_all_calls(at, out);
        if let Some(audio) = self.choices.get_mut(at).and_then(|choice| choice.audio.take()) {
            let body = PartBody::Opaque { dialect: ID, type_name: "audio".to_owned(), raw: audio.to_json().into_raw() };
            self.whole(at, Part::new(body), out);
        }
        let Some(choice) = self.choices.get_mut(at) else { return };
        choice.finished = true;
        out.push(Event::Finish { candidate: choice.index, stop: stop::settle(stop, choice.any_calls) });
    }

    /// An unknown field, told once and again only when it changes.
    fn extra(&mut self, at: usize, extra: Extra, out: &mut Vec<Event>) {
        let Some(choice) = self.choices.get_mut(at) else { return };
        if choice.extras.contains(&extra) {
            return;
        }
        choice.extras.retain(|known| known.name != extra.name);
        choice.extras.push(extra.clone());
        out.push(Event::Vendor { candidate: Some(choice.index), extra });
    }

    fn state(&self, kind: StateKind, payload: &str, format: Option<String>) -> OpaqueState {
        OpaqueState { vendor: self.vendor.clone(), model: format, kind, payload: payload.to_owned() }
    }

    fn number(&mut self) -> PartRef {
        let number = self.next_part;
        self.next_part = number.saturating_add(1);
        number
    }
}

impl Audio {
    fn to_json(&self) -> JsonWriter {
        let mut writer = JsonWriter::new();
        writer.object(|object| {
            object.field_str("id", &self.id);
            object.field_str("data", &self.data);
            object.key("expires_at").i64(self.expires_at.unwrap_or(0));
            object.field_str("transcript", &self.transcript);
        });
        writer
    }
}

/// Items of `logprobs.content`, then of `logprobs.refusal`.
fn logprobs(choice: Json<'_>) -> Option<gw_core::RawJson> {
    let logprobs = choice.get_some("logprobs")?;
    let lists = ["content", "refusal"].map(|name| logprobs.get_some(name));
    let items: Vec<&str> = lists.into_iter().flatten().flat_map(|list| list.items()).map(|item| item.raw()).collect();
    if items.is_empty() {
        return None;
    }
    Some(gw_core::RawJson::from_valid(format!("[{}]", items.join(","))))
}
