//! A provider's chunks to events. A finished answer is one chunk, so both modes share everything.

use gw_core::{
    ChatReply, Code, Delta, Event, Extra, Fold, GatewayError, OpaqueState, Part, PartBody, PartOpening, PartRef, Start,
    ToolKind,
};
use gw_spi::{EventDecoder, ReplyContext, Verdict};
use gw_wire::{Document, Frame, Json, Kind};

use crate::ID;
use crate::carrier;
use crate::citations::{Support, cite, supports};
use crate::parts::read_part;
use crate::streamed_call::{Progress, StreamedCall};
use crate::usage::{Counters, searches};
use crate::view::camel;
use crate::{fault, logprobs, mint, stop};

/// Candidate members that are read; everything else is kept as it is.
const READ: &[&str] = &["content", "finishReason", "index", "logprobsResult", "continuationToken"];
/// Answer members that are read.
const READ_TOP: &[&str] = &["candidates", "usageMetadata", "modelVersion", "responseId", "continuationToken"];

/// State of one stream.
pub(crate) struct Decoder {
    context: ReplyContext,
    /// A finished answer needs no finish reason to be complete: its framing already says so.
    whole: bool,
    started: bool,
    ended: bool,
    next_part: PartRef,
    minted: u32,
    candidates: Vec<Progressing>,
    counters: Counters,
    searches: u64,
    blocked: Option<String>,
    continuation: Option<String>,
}

/// A candidate under way.
#[derive(Default)]
struct Progressing {
    index: u32,
    open: Option<Open>,
    finish: Option<String>,
    calls: bool,
    streamed: Option<StreamedCall>,
    supports: Vec<Support>,
}

/// The text or reasoning part that further fragments belong to.
struct Open {
    part: PartRef,
    reasoning: bool,
    /// For citations, which count in it.
    text: String,
}

impl Decoder {
    pub(crate) fn new(context: &ReplyContext) -> Self {
        Self {
            context: context.clone(),
            whole: false,
            started: false,
            ended: false,
            next_part: 0,
            minted: 0,
            candidates: Vec::new(),
            counters: Counters::default(),
            searches: 0,
            blocked: None,
            continuation: None,
        }
    }

    fn value(&mut self, root: Json<'_>, out: &mut Vec<Event>) -> Verdict {
        match root.kind() {
            Kind::Array => {
                let mut verdict = Verdict::Unknown;
                for item in root.items() {
                    match self.value(item, out) {
                        Verdict::Unknown => {}
                        other => verdict = other,
                    }
                }
                verdict
            }
            Kind::Object => self.chunk(root, out),
            other => Verdict::Corrupt(format!("a chunk is {}, not an object", other.described())),
        }
    }

    fn chunk(&mut self, root: Json<'_>, out: &mut Vec<Event>) -> Verdict {
        if self.ended {
            return Verdict::Known;
        }
        if root.get_some("error").is_some() {
            self.ended = true;
            out.push(Event::Fault(Box::new(fault::in_stream(root))));
            return Verdict::Known;
        }
        let known = ["candidates", "promptFeedback", "usageMetadata", "responseId", "modelVersion"];
        if !known.iter().any(|name| root.get(name).is_some()) {
            // Some front ends wrap the answer.
            return match root.get("response").filter(|inner| inner.get("candidates").is_some()) {
                Some(inner) => self.chunk(inner, out),
                None => Verdict::Unknown,
            };
        }
        self.start(root, out);
        if let Some(token) = root.get("continuationToken").and_then(|token| token.string()) {
            self.continuation = Some(token);
        }
        if let Some(reason) = root.get("promptFeedback").and_then(|feedback| feedback.get("blockReason")) {
            self.blocked = reason.string().filter(|reason| reason != "BLOCK_REASON_UNSPECIFIED");
        }
        let listed = root.get("candidates");
        for (at, candidate) in (0u32..).zip(listed.into_iter().flat_map(|list| list.items())) {
            let index =
                candidate.get("index").and_then(|index| index.u64()).and_then(|index| u32::try_from(index).ok());
            self.candidate(index.unwrap_or(at), candidate, out);
        }
        for (name, value) in root.members() {
            if !READ_TOP.contains(&camel(&name).as_ref()) && !value.is_null() {
                let extra = Extra { dialect: ID, name: name.into_owned(), value: value.to_raw() };
                out.push(Event::Vendor { candidate: None, extra });
            }
        }
        if let Some(usage) = root.get("usageMetadata")
            && self.counters.absorb(usage)
        {
            out.push(Event::Usage(self.counters.usage(self.searches)));
        }
        Verdict::Known
    }

    fn start(&mut self, root: Json<'_>, out: &mut Vec<Event>) {
        if self.started {
            return;
        }
        self.started = true;
        let text = |name: &str| root.get(name).and_then(|value| value.string());
        let tier = root.get("usageMetadata").and_then(|usage| usage.get("serviceTier"));
        out.push(Event::Start(Start {
            id: text("responseId").unwrap_or_default(),
            model: text("modelVersion").unwrap_or_default(),
            created: text("createTime").and_then(|time| seconds(&time)),
            service_tier: tier.and_then(|tier| tier.string()),
            fingerprint: None,
        }));
    }

    fn candidate(&mut self, index: u32, json: Json<'_>, out: &mut Vec<Event>) {
        let at = match self.candidates.iter().position(|candidate| candidate.index == index) {
            Some(at) => at,
            None => {
                self.candidates.push(Progressing { index, ..Progressing::default() });
                self.candidates.len() - 1
            }
        };
        // Taken out for the time of this chunk, so that it and the decoder can be changed side by side.
        let Some(slot) = self.candidates.get_mut(at) else { return };
        let mut candidate = std::mem::take(slot);
        candidate.index = index;
        candidate.supports = supports(json);
        let parts = json.get("content").and_then(|content| content.get("parts"));
        for part in parts.into_iter().flat_map(|list| list.items()) {
            self.part(&mut candidate, part, out);
        }
        cite_open(&mut candidate, out);
        candidate.supports.clear();
        if let Some(items) = json.get("logprobsResult").and_then(logprobs::decode) {
            out.push(Event::Logprobs { candidate: index, items });
        }
        if let Some(grounding) = json.get("groundingMetadata") {
            self.searches = self.searches.max(searches(grounding));
        }
        if let Some(token) = json.get("continuationToken").and_then(|token| token.string()) {
            self.continuation = Some(token);
        }
        for (name, value) in json.members() {
            if !READ.contains(&camel(&name).as_ref()) && !value.is_null() {
                let extra = Extra { dialect: ID, name: name.into_owned(), value: value.to_raw() };
                out.push(Event::Vendor { candidate: Some(index), extra });
            }
        }
        if let Some(reason) = json.get_some("finishReason").and_then(|reason| reason.string()) {
            candidate.finish = Some(reason);
        }
        if let Some(slot) = self.candidates.get_mut(at) {
            *slot = candidate;
        }
    }

    fn part(&mut self, candidate: &mut Progressing, json: Json<'_>, out: &mut Vec<Event>) {
        let vendor = self.context.vendor.clone();
        let own = |text: &str| (!text.is_empty()).then(|| carrier::own(text, &vendor));
        if let Some(call) = json.get_some("functionCall") {
            let begins = call.get("willContinue").is_some() || call.get("partialArgs").is_some();
            let continues = candidate.streamed.is_some() && call.get("name").is_none();
            if begins || continues {
                let signature = json.get("thoughtSignature").and_then(|text| text.string());
                self.streamed(candidate, call, signature.as_deref().and_then(own), out);
                return;
            }
        }
        // A part that cannot be read is kept whole rather than ending the answer.
        let read = read_part(json, String::new(), &mut |text| own(text));
        let parts = read.unwrap_or_else(|_| {
            let body = PartBody::Opaque { dialect: ID, type_name: "unreadable".to_owned(), raw: json.to_raw() };
            vec![Part::new(body)]
        });
        for part in parts {
            self.emit(candidate, part, out);
        }
    }

    fn emit(&mut self, candidate: &mut Progressing, part: Part, out: &mut Vec<Event>) {
        let Part { body, cache, state, extras } = part;
        match body {
            PartBody::Text { text, .. } => self.words(candidate, text, state, None, out),
            PartBody::Reasoning { text, summary } => self.words(candidate, text, state, Some(summary), out),
            PartBody::ToolCall { name, .. } if name.is_empty() => {}
            PartBody::ToolCall { call_id, name, arguments, .. } => {
                self.call(candidate, (call_id, name, arguments), state, out);
            }
            other => {
                close(candidate, out);
                let whole = Part { body: other, cache, state: None, extras };
                let part = self.open(candidate.index, PartOpening::Whole(Box::new(whole)), out);
                out.extend(state.map(|state| Event::PartDelta { part, delta: Delta::State(state) }));
                out.push(Event::PartEnd { part });
            }
        }
    }

    /// Text or reasoning: joined to the open part unless either carries a signature.
    fn words(
        &mut self,
        candidate: &mut Progressing,
        text: String,
        state: Option<OpaqueState>,
        reasoning: Option<bool>,
        out: &mut Vec<Event>,
    ) {
        let joins =
            state.is_none() && candidate.open.as_ref().is_some_and(|open| open.reasoning == reasoning.is_some());
        if text.is_empty() && state.is_none() {
            return;
        }
        if !joins {
            close(candidate, out);
            let opening = match reasoning {
                Some(summary) => PartOpening::Reasoning { summary },
                None => PartOpening::Text,
            };
            let part = self.open(candidate.index, opening, out);
            candidate.open = Some(Open { part, reasoning: reasoning.is_some(), text: String::new() });
        }
        let Some(open) = &mut candidate.open else { return };
        let part = open.part;
        if !open.reasoning {
            open.text.push_str(&text);
        }
        if !text.is_empty() {
            out.push(Event::PartDelta { part, delta: Delta::Text(text) });
        }
        if let Some(state) = state {
            out.push(Event::PartDelta { part, delta: Delta::State(state) });
            close(candidate, out);
        }
    }

    fn call(
        &mut self,
        candidate: &mut Progressing,
        (id, name, arguments): (String, String, String),
        state: Option<OpaqueState>,
        out: &mut Vec<Event>,
    ) {
        close(candidate, out);
        candidate.calls = true;
        let call_id = if id.is_empty() { self.mint() } else { id };
        let part = self.open(candidate.index, PartOpening::ToolCall { call_id, name, kind: ToolKind::Function }, out);
        out.push(Event::PartDelta { part, delta: Delta::Arguments(arguments) });
        out.extend(state.map(|state| Event::PartDelta { part, delta: Delta::State(state) }));
        out.push(Event::PartEnd { part });
    }

    fn streamed(
        &mut self,
        candidate: &mut Progressing,
        json: Json<'_>,
        state: Option<OpaqueState>,
        out: &mut Vec<Event>,
    ) {
        let text = |name: &str| json.get(name).and_then(|value| value.string()).unwrap_or_default();
        if !text("name").is_empty() {
            self.flush_streamed(candidate, out);
            candidate.streamed = Some(StreamedCall::new(text("name"), text("id"), None));
        }
        let Some(call) = &mut candidate.streamed else { return };
        if state.is_some() {
            call.state = state;
        }
        if call.take(json) == Progress::Complete {
            self.flush_streamed(candidate, out);
        }
    }

    fn flush_streamed(&mut self, candidate: &mut Progressing, out: &mut Vec<Event>) {
        if let Some(call) = candidate.streamed.take() {
            let arguments = call.arguments();
            self.call(candidate, (call.id, call.name, arguments), call.state, out);
        }
    }

    fn open(&mut self, candidate: u32, opening: PartOpening, out: &mut Vec<Event>) -> PartRef {
        let part = self.next_part;
        self.next_part = self.next_part.saturating_add(1);
        out.push(Event::PartStart { candidate, part, opening });
        part
    }

    fn mint(&mut self) -> String {
        self.minted = self.minted.saturating_add(1);
        mint::call_id(&[&self.context.id_base, &self.minted.to_string()])
    }

    fn complete(&self) -> bool {
        let finished = self.candidates.iter().all(|candidate| self.whole || candidate.finish.is_some());
        self.started && finished && (self.blocked.is_some() || !self.candidates.is_empty())
    }

    fn end(&mut self, out: &mut Vec<Event>) {
        if self.ended {
            return;
        }
        self.ended = true;
        if !self.complete() {
            let message = "the provider's stream ended before the answer was complete";
            out.push(Event::Fault(Box::new(
                GatewayError::new(Code::Interrupted, message).with_retry(gw_core::Retry::SameTarget),
            )));
            return;
        }
        let mut candidates = std::mem::take(&mut self.candidates);
        candidates.sort_by_key(|candidate| candidate.index);
        for candidate in &mut candidates {
            self.flush_streamed(candidate, out);
            close(candidate, out);
        }
        if let (true, Some(reason)) = (candidates.is_empty(), self.blocked.take()) {
            out.push(Event::Finish { candidate: 0, stop: gw_core::Stop::PromptBlocked(reason) });
        }
        for candidate in candidates {
            let reason = candidate.finish.as_deref().unwrap_or("FINISH_REASON_UNSPECIFIED");
            let stop = stop::decode(reason, candidate.calls, self.continuation.clone());
            out.push(Event::Finish { candidate: candidate.index, stop });
        }
        out.push(Event::End);
    }
}

impl EventDecoder for Decoder {
    fn push(&mut self, frame: &Frame, out: &mut Vec<Event>) -> Verdict {
        let data = frame.data.trim_ascii();
        if data.is_empty() || data == b"[DONE]" {
            return Verdict::Known;
        }
        match Document::from_bytes(data, self.context.limits) {
            Ok(document) => self.value(document.root(), out),
            Err(fault) => Verdict::Corrupt(format!("a chunk is not JSON: {fault}")),
        }
    }

    fn finish(&mut self, out: &mut Vec<Event>) {
        self.end(out);
    }
}

/// Decodes a finished answer.
///
/// # Errors
/// `upstream_invalid` when it is none; the provider's error when the body is one.
pub(crate) fn decode_reply(body: &[u8], context: &ReplyContext) -> Result<ChatReply, GatewayError> {
    let invalid = |cause: String| {
        GatewayError::new(Code::UpstreamInvalid, "the provider's answer could not be understood").with_cause(cause)
    };
    let document = Document::from_bytes(body, context.limits).map_err(|fault| invalid(fault.to_string()))?;
    let mut decoder = Decoder::new(context);
    decoder.whole = true;
    let mut events = Vec::new();
    match decoder.value(document.root(), &mut events) {
        Verdict::Known => {}
        Verdict::Unknown => return Err(invalid("the body has no candidates".to_owned())),
        Verdict::Corrupt(why) => return Err(invalid(why)),
    }
    if !decoder.ended && !decoder.complete() {
        return Err(invalid("the body has neither candidates nor a reason for their absence".to_owned()));
    }
    decoder.end(&mut events);
    let mut fold = Fold::default();
    events.into_iter().for_each(|event| fold.push(event));
    fold.finish()
}

/// Emits what is cited in the open text part.
fn cite_open(candidate: &mut Progressing, out: &mut Vec<Event>) {
    let Some(open) = &candidate.open else { return };
    if open.reasoning || candidate.supports.is_empty() {
        return;
    }
    for citation in cite(&open.text, &mut candidate.supports) {
        out.push(Event::PartDelta { part: open.part, delta: Delta::Citation(citation) });
    }
}

fn close(candidate: &mut Progressing, out: &mut Vec<Event>) {
    cite_open(candidate, out);
    if let Some(open) = candidate.open.take() {
        out.push(Event::PartEnd { part: open.part });
    }
}

/// Seconds since 1970 of an RFC 3339 time in UTC.
fn seconds(time: &str) -> Option<i64> {
    let number = |range: std::ops::Range<usize>| time.get(range)?.parse::<i64>().ok();
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    if !time.ends_with('Z') || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Days from the civil date, counting years from March.
    let shifted = if month > 2 { year } else { year - 1 };
    let era = shifted.div_euclid(400);
    let year_of_era = shifted - era * 400;
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = era * 146_097 + day_of_era - 719_468;
    Some(days * 86_400 + hour * 3_600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    #[test]
    fn times_are_read() {
        assert_eq!(super::seconds("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(super::seconds("2026-04-02T17:03:50.399550Z"), Some(1_775_149_430));
        assert_eq!(super::seconds("x"), None);
    }
}
