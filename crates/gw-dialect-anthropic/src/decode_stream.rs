//! A provider's stream, and the assembly of blocks that finished answers share with it.

use gw_core::{
    Code, Delta, Event, Extra, GatewayError, OpaqueState, Part, PartBody, PartOpening, PartRef, RawJson, Start,
    StateKind, Stop, ToolKind,
};
use gw_spi::{EventDecoder, ReplyContext, Verdict};
use gw_wire::{Document, Frame, Json, Kind};

use crate::raw::{with_parsed, write_with_member};
use crate::usage::UsageReader;
use crate::{ID, VENDOR, citation, fault, stop};

/// Members of a message that are read.
const MESSAGE: &[&str] =
    &["id", "type", "role", "model", "content", "stop_reason", "stop_sequence", "stop_details", "usage"];

/// Longest minted tool-call id.
const LONGEST_ID: usize = 40;

/// A block that is being received.
#[derive(Debug)]
enum Open {
    Text(PartRef),
    Thinking(PartRef),
    Call {
        part: PartRef,
        whole_input: Option<String>,
        streamed: bool,
    },
    /// A block that is given on whole, once complete.
    Whole {
        raw: RawJson,
        type_name: String,
        input: String,
    },
}

/// Turns blocks into events. Whatever arrives, the laws of the event grammar hold.
#[derive(Debug)]
pub(crate) struct Assembly {
    context: ReplyContextParts,
    started: bool,
    ended: bool,
    next_part: PartRef,
    open: Vec<(u64, Open)>,
    calls: u32,
    minted: u32,
    stop: Option<Stop>,
    usage: UsageReader,
}

/// The little of the context that is needed here.
#[derive(Debug)]
struct ReplyContextParts {
    id_base: String,
    vendor: String,
}

impl Assembly {
    pub(crate) fn new(context: &ReplyContext) -> Self {
        let vendor = if context.vendor.is_empty() { VENDOR.to_owned() } else { context.vendor.clone() };
        Self {
            context: ReplyContextParts { id_base: context.id_base.clone(), vendor },
            started: false,
            ended: false,
            next_part: 0,
            open: Vec::new(),
            calls: 0,
            minted: 0,
            stop: None,
            usage: UsageReader::default(),
        }
    }

    /// A message object: `Start`, unknown members and usage. Its content is not looked at.
    pub(crate) fn message(&mut self, message: Json<'_>, out: &mut Vec<Event>) {
        if self.started {
            return;
        }
        let text = |name: &str| message.get_some(name).and_then(|value| value.string()).unwrap_or_default();
        let usage = message.get_some("usage");
        let tier = usage.and_then(|usage| usage.get_some("service_tier")).and_then(|tier| tier.string());
        let start = Start { id: text("id"), model: text("model"), service_tier: tier, ..Start::default() };
        self.started = true;
        out.push(Event::Start(start));
        self.vendor_members(message, MESSAGE, out);
        self.usage(usage, out);
    }

    /// Members outside `known` as vendor fields of the answer.
    fn vendor_members(&mut self, object: Json<'_>, known: &[&str], out: &mut Vec<Event>) {
        for (name, value) in object.members() {
            if !value.is_null() && !known.contains(&name.as_ref()) {
                let extra = Extra { dialect: ID, name: name.into_owned(), value: value.to_raw() };
                out.push(Event::Vendor { candidate: None, extra });
            }
        }
    }

    fn usage(&mut self, usage: Option<Json<'_>>, out: &mut Vec<Event>) {
        if usage.is_some_and(|usage| self.usage.absorb(usage))
            && let Some(snapshot) = self.usage.usage()
        {
            out.push(Event::Usage(snapshot));
        }
    }

    /// Stop reason of a message or of a `message_delta`'s delta.
    pub(crate) fn stopped(&mut self, holder: Json<'_>) {
        if let Some(stop) = stop::read(holder) {
            self.stop = Some(stop);
        }
    }

    fn ensure_started(&mut self, out: &mut Vec<Event>) {
        if !self.started {
            self.started = true;
            out.push(Event::Start(Start::default()));
        }
    }

    fn open_part(&mut self, opening: PartOpening, out: &mut Vec<Event>) -> PartRef {
        let part = self.next_part;
        self.next_part = part.saturating_add(1);
        out.push(Event::PartStart { candidate: 0, part, opening });
        part
    }

    /// A block begins; it may already hold content.
    pub(crate) fn block_start(&mut self, index: u64, block: Json<'_>, out: &mut Vec<Event>) {
        self.ensure_started(out);
        self.block_stop(index, out);
        let text = |name: &str| block.get_some(name).and_then(|value| value.string()).unwrap_or_default();
        let open = match text("type").as_str() {
            "text" => {
                let part = self.open_part(PartOpening::Text, out);
                delta_text(part, text("text"), out);
                for citation in block.get_some("citations").iter().flat_map(|list| list.items()) {
                    delta_citation(part, citation, out);
                }
                Open::Text(part)
            }
            "thinking" => {
                let part = self.open_part(PartOpening::Reasoning { summary: false }, out);
                delta_text(part, text("thinking"), out);
                self.state(part, text("signature"), StateKind::Signature, out);
                Open::Thinking(part)
            }
            "redacted_thinking" => {
                let part = self.open_part(PartOpening::Reasoning { summary: false }, out);
                self.state(part, text("data"), StateKind::Redacted, out);
                Open::Thinking(part)
            }
            "tool_use" => {
                let input = block.get_some("input").filter(|input| input.kind() == Kind::Object);
                let call_id = self.call_id(text("id"));
                self.calls = self.calls.saturating_add(1);
                let opening = PartOpening::ToolCall { call_id, name: text("name"), kind: ToolKind::Function };
                let part = self.open_part(opening, out);
                Open::Call { part, whole_input: input.map(|input| input.raw().to_owned()), streamed: false }
            }
            other => Open::Whole { raw: block.to_raw(), type_name: other.to_owned(), input: String::new() },
        };
        self.open.push((index, open));
    }

    /// A piece of a block; `false` when its kind is unknown or does not fit the block.
    fn block_delta(&mut self, index: u64, delta: Json<'_>, out: &mut Vec<Event>) -> bool {
        self.ensure_started(out);
        let text = |name: &str| delta.get_some(name).and_then(|value| value.string()).unwrap_or_default();
        let kind = text("type");
        if !self.open.iter().any(|(open, _)| *open == index) {
            // Some servers begin a block with its first delta.
            let opened = match kind.as_str() {
                "text_delta" => Open::Text(self.open_part(PartOpening::Text, out)),
                "thinking_delta" => Open::Thinking(self.open_part(PartOpening::Reasoning { summary: false }, out)),
                _ => return false,
            };
            self.open.push((index, opened));
        }
        let Some((_, open)) = self.open.iter_mut().find(|(open, _)| *open == index) else { return false };
        match (kind.as_str(), open) {
            ("text_delta", Open::Text(part)) => delta_text(*part, text("text"), out),
            ("thinking_delta", Open::Thinking(part)) => delta_text(*part, text("thinking"), out),
            ("signature_delta", Open::Thinking(part)) => {
                let part = *part;
                self.state(part, text("signature"), StateKind::Signature, out);
            }
            ("citations_delta", Open::Text(part)) => match delta.get_some("citation") {
                Some(citation) => delta_citation(*part, citation, out),
                None => return false,
            },
            ("input_json_delta", Open::Call { part, streamed, .. }) => {
                let fragment = text("partial_json");
                if !fragment.is_empty() {
                    *streamed = true;
                    out.push(Event::PartDelta { part: *part, delta: Delta::Arguments(fragment) });
                }
            }
            ("input_json_delta", Open::Whole { input, .. }) => input.push_str(&text("partial_json")),
            (_, Open::Whole { raw, .. }) => return merge(raw, delta),
            _ => return false,
        }
        true
    }

    /// A block is complete.
    pub(crate) fn block_stop(&mut self, index: u64, out: &mut Vec<Event>) {
        let Some(at) = self.open.iter().position(|(open, _)| *open == index) else { return };
        let (_, open) = self.open.remove(at);
        match open {
            Open::Text(part) | Open::Thinking(part) => out.push(Event::PartEnd { part }),
            Open::Call { part, whole_input, streamed } => {
                if !streamed {
                    let input = whole_input.unwrap_or_else(|| "{}".to_owned());
                    out.push(Event::PartDelta { part, delta: Delta::Arguments(input) });
                }
                out.push(Event::PartEnd { part });
            }
            Open::Whole { raw, type_name, input } => {
                let raw = with_input(raw, &input);
                let body = PartBody::Opaque { dialect: ID, type_name, raw };
                let part = self.open_part(PartOpening::Whole(Box::new(Part::new(body))), out);
                out.push(Event::PartEnd { part });
            }
        }
    }

    /// The answer is complete.
    pub(crate) fn end(&mut self, out: &mut Vec<Event>) {
        if self.ended {
            return;
        }
        self.ensure_started(out);
        while let Some((index, _)) = self.open.first() {
            let index = *index;
            self.block_stop(index, out);
        }
        let stop = stop::settled(self.stop.take().unwrap_or(Stop::End), self.calls > 0);
        out.push(Event::Finish { candidate: 0, stop });
        out.push(Event::End);
        self.ended = true;
    }

    fn fail(&mut self, error: GatewayError, out: &mut Vec<Event>) {
        if !self.ended {
            out.push(Event::Fault(Box::new(error)));
            self.ended = true;
        }
    }

    fn state(&self, part: PartRef, payload: String, kind: StateKind, out: &mut Vec<Event>) {
        if !payload.is_empty() {
            let state = OpaqueState { vendor: self.context.vendor.clone(), model: None, kind, payload };
            out.push(Event::PartDelta { part, delta: Delta::State(state) });
        }
    }

    fn call_id(&mut self, id: String) -> String {
        if !id.is_empty() {
            return id;
        }
        let suffix = format!("_{}", self.minted);
        self.minted = self.minted.saturating_add(1);
        let room = LONGEST_ID.saturating_sub("call_".len() + suffix.len());
        let base: String = self.context.id_base.chars().filter(char::is_ascii_alphanumeric).collect();
        let base = base.get(base.len().saturating_sub(room)..).unwrap_or_default();
        format!("call_{base}{suffix}")
    }
}

/// Decodes one stream.
#[derive(Debug)]
pub(crate) struct Decoder {
    assembly: Assembly,
    limits: gw_wire::Limits,
}

impl Decoder {
    pub(crate) fn new(context: ReplyContext) -> Self {
        Self { assembly: Assembly::new(&context), limits: context.limits }
    }

    fn event(&mut self, kind: &str, json: Json<'_>, out: &mut Vec<Event>) -> Verdict {
        let assembly = &mut self.assembly;
        let index = json.get_some("index").and_then(|index| index.u64()).unwrap_or(0);
        let known = match kind {
            "message_start" => match json.get_some("message") {
                Some(message) if !assembly.started => {
                    assembly.message(message, out);
                    true
                }
                _ => false,
            },
            "content_block_start" => match json.get_some("content_block") {
                Some(block) => {
                    assembly.block_start(index, block, out);
                    true
                }
                None => false,
            },
            "content_block_delta" => match json.get_some("delta") {
                Some(delta) => assembly.block_delta(index, delta, out),
                None => false,
            },
            "content_block_stop" => {
                assembly.block_stop(index, out);
                true
            }
            "message_delta" => {
                assembly.ensure_started(out);
                if let Some(delta) = json.get_some("delta") {
                    assembly.stopped(delta);
                    assembly.vendor_members(delta, MESSAGE, out);
                }
                assembly.vendor_members(json, &["type", "delta", "usage"], out);
                assembly.usage(json.get_some("usage"), out);
                true
            }
            "message_stop" => {
                assembly.end(out);
                true
            }
            "ping" => {
                out.push(Event::Ping);
                true
            }
            "error" => {
                assembly.fail(fault::in_stream(json), out);
                true
            }
            _ => false,
        };
        if known { Verdict::Known } else { Verdict::Unknown }
    }
}

impl EventDecoder for Decoder {
    fn push(&mut self, frame: &Frame, out: &mut Vec<Event>) -> Verdict {
        let data = frame.data.trim_ascii();
        if self.assembly.ended || data.is_empty() || data == b"[DONE]" {
            return Verdict::Known;
        }
        let document = match Document::from_bytes(data, self.limits) {
            Ok(document) => document,
            Err(fault) => return Verdict::Corrupt(format!("a stream event is not valid JSON: {fault}")),
        };
        let json = document.root();
        if json.kind() != Kind::Object {
            return Verdict::Unknown;
        }
        let named = json.get_some("type").and_then(|kind| kind.string());
        let kind = named.unwrap_or_else(|| String::from_utf8_lossy(&frame.event).into_owned());
        let kind = if kind.is_empty() && json.get_some("error").is_some() { "error".to_owned() } else { kind };
        self.event(&kind, json, out)
    }

    fn finish(&mut self, out: &mut Vec<Event>) {
        if self.assembly.stop.is_some() {
            // Only the last, empty event is missing.
            self.assembly.end(out);
        }
        let message = "the provider's stream ended before the answer was complete";
        self.assembly.fail(GatewayError::new(Code::Interrupted, message), out);
    }
}

fn delta_text(part: PartRef, text: String, out: &mut Vec<Event>) {
    if !text.is_empty() {
        out.push(Event::PartDelta { part, delta: Delta::Text(text) });
    }
}

fn delta_citation(part: PartRef, citation: Json<'_>, out: &mut Vec<Event>) {
    if let Some(citation) = citation::read(citation) {
        out.push(Event::PartDelta { part, delta: Delta::Citation(citation) });
    }
}

/// The block with its streamed input.
fn with_input(raw: RawJson, input: &str) -> RawJson {
    if with_parsed(input, |_| ()).is_none() {
        return raw;
    }
    let merged = with_parsed(raw.as_str(), |block| {
        let mut writer = gw_wire::JsonWriter::new();
        write_with_member(&mut writer, block, "input", input);
        writer.into_raw()
    });
    merged.unwrap_or(raw)
}

/// Puts the members of a delta (compaction and the like) into the block.
fn merge(raw: &mut RawJson, delta: Json<'_>) -> bool {
    let mut merged = false;
    for (name, value) in delta.members().filter(|(name, _)| name != "type") {
        let next = with_parsed(raw.as_str(), |block| {
            let mut writer = gw_wire::JsonWriter::new();
            write_with_member(&mut writer, block, &name, &appended(block.get_some(&name), value));
            writer.into_raw()
        });
        if let Some(next) = next {
            *raw = next;
            merged = true;
        }
    }
    merged
}

/// Fragments of a string are joined; any other value replaces.
fn appended(known: Option<Json<'_>>, value: Json<'_>) -> String {
    match (known.and_then(|known| known.string()), value.str()) {
        (Some(known), Some(more)) => {
            let mut out = Vec::new();
            gw_wire::write_string(&format!("{known}{more}"), &mut out);
            String::from_utf8(out).unwrap_or_else(|_| value.raw().to_owned())
        }
        _ => value.raw().to_owned(),
    }
}
