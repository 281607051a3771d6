//! Events as a stream for a client: one block open at a time, contiguous indices.

use std::collections::VecDeque;

use gw_core::{
    Code, Delta, Event, Extra, GatewayError, OpaqueState, Part, PartBody, PartOpening, PartRef, Start, Stop, ToolKind,
    Usage,
};
use gw_spi::{EventEncoder, ReplyContext};
use gw_wire::{JsonWriter, one_line};

use crate::blocks_out::{self, Thought};
use crate::encode::{client_input, legal_id};
use crate::raw::{with_parsed, write_with_member};
use crate::{ID, citation, encode_reply, errors, stop, usage};

/// A part whose turn has not come.
#[derive(Debug)]
struct Waiting {
    part: PartRef,
    opening: PartOpening,
    deltas: Vec<Delta>,
    ended: bool,
}

/// What the current part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Text,
    Reasoning,
    Call { free_text: bool },
    Silent,
}

/// The part whose block is, or may become, the open one.
#[derive(Debug)]
struct Current {
    part: PartRef,
    shape: Shape,
    /// Whether its block was begun: text and reasoning wait for their first content.
    begun: bool,
    state: Option<OpaqueState>,
    arguments: String,
}

/// Encodes one stream.
pub(crate) struct Encoder {
    context: ReplyContext,
    start: Start,
    started: bool,
    done: bool,
    next_index: u64,
    current: Option<Current>,
    waiting: VecDeque<Waiting>,
    /// Text parts whose block was closed for another part's sake; more text of theirs gets a new block.
    suspended: Vec<PartRef>,
    usage: Usage,
    stop: Option<Stop>,
    refused: bool,
    called: bool,
    extras: Vec<Extra>,
}

impl Encoder {
    pub(crate) fn new(context: ReplyContext) -> Self {
        Self {
            context,
            start: Start::default(),
            started: false,
            done: false,
            next_index: 0,
            current: None,
            waiting: VecDeque::new(),
            suspended: Vec::new(),
            usage: Usage::default(),
            stop: None,
            refused: false,
            called: false,
            extras: Vec::new(),
        }
    }

    /// `message_start`, held back until the first event after `Start` so that it can show the input tokens when the
    /// provider reports them first.
    fn message_start(&mut self, out: &mut Vec<u8>) {
        if self.started {
            return;
        }
        self.started = true;
        let tier = usage::tier_word(self.start.service_tier.as_deref());
        frame(out, "message_start", |w| {
            w.field_object("message", |w| {
                w.field_str("id", &encode_reply::message_id(&self.context));
                w.field_str("type", "message");
                w.field_str("role", "assistant");
                w.field_str("model", &self.context.client_model);
                w.field_array("content", |_| {});
                for name in ["stop_reason", "stop_sequence", "stop_details", "container"] {
                    w.field_null(name);
                }
                w.field_object("usage", |w| usage::write_message(w, &self.usage, tier));
            });
        });
    }

    fn part_start(&mut self, part: PartRef, opening: PartOpening, out: &mut Vec<u8>) {
        match &opening {
            PartOpening::Refusal => self.refused = true,
            PartOpening::ToolCall { .. } => self.called = true,
            PartOpening::Text | PartOpening::Reasoning { .. } | PartOpening::Whole(_) => {}
        }
        self.waiting.push_back(Waiting { part, opening, deltas: Vec::new(), ended: false });
        self.advance(out);
    }

    /// Gives the turn to waiting parts as far as possible. A text block may be closed early; thinking and calls must be
    /// complete.
    fn advance(&mut self, out: &mut Vec<u8>) {
        while !self.waiting.is_empty() {
            match &self.current {
                Some(current) if current.shape == Shape::Text => {
                    self.suspended.push(current.part);
                    self.close(out);
                }
                Some(_) => return,
                None => {}
            }
            let Some(next) = self.waiting.pop_front() else { return };
            self.open(next.part, next.opening, out);
            for delta in next.deltas {
                self.apply(delta, out);
            }
            if next.ended {
                self.close(out);
            }
        }
    }

    fn open(&mut self, part: PartRef, opening: PartOpening, out: &mut Vec<u8>) {
        let shape = match opening {
            PartOpening::Text | PartOpening::Refusal => Shape::Text,
            PartOpening::Reasoning { .. } => Shape::Reasoning,
            PartOpening::ToolCall { call_id, name, kind } => {
                let index = self.next_index;
                block_start(out, index, |w| blocks_out::tool_use(w, &legal_id(&call_id), &name, "{}"));
                Shape::Call { free_text: matches!(kind, ToolKind::Custom { .. }) }
            }
            PartOpening::Whole(whole) => {
                self.whole(part, *whole, out);
                return;
            }
        };
        let begun = matches!(shape, Shape::Call { .. });
        self.current = Some(Current { part, shape, begun, state: None, arguments: String::new() });
    }

    /// A part that arrives complete.
    fn whole(&mut self, part: PartRef, whole: Part, out: &mut Vec<u8>) {
        let silent = Current { part, shape: Shape::Silent, begun: false, state: None, arguments: String::new() };
        let (opening, deltas) = match whole.body {
            PartBody::Text { text, citations } => {
                let mut deltas = vec![Delta::Text(text)];
                deltas.extend(citations.into_iter().map(Delta::Citation));
                (PartOpening::Text, deltas)
            }
            PartBody::Refusal(text) => {
                self.refused = true;
                (PartOpening::Refusal, vec![Delta::Text(text)])
            }
            PartBody::Reasoning { text, summary } => (PartOpening::Reasoning { summary }, vec![Delta::Text(text)]),
            PartBody::ToolCall { call_id, name, arguments, kind } => {
                self.called = true;
                (PartOpening::ToolCall { call_id, name, kind }, vec![Delta::Arguments(arguments)])
            }
            PartBody::Opaque { dialect, type_name, raw } if dialect == ID => {
                self.opaque(&type_name, raw.as_str(), out);
                self.current = Some(silent);
                return;
            }
            // This format has no blocks for images and the like, nor for other vendors' blocks.
            PartBody::Opaque { .. }
            | PartBody::Image { .. }
            | PartBody::Audio { .. }
            | PartBody::Video { .. }
            | PartBody::File { .. }
            | PartBody::SearchResult { .. }
            | PartBody::ToolResult { .. } => {
                self.current = Some(silent);
                return;
            }
        };
        self.open(part, opening, out);
        for delta in deltas {
            self.apply(delta, out);
        }
        if let Some(state) = whole.state {
            self.apply(Delta::State(state), out);
        }
    }

    /// A vendor block: the input of a server-side call is streamed as its vendor does.
    fn opaque(&mut self, type_name: &str, raw: &str, out: &mut Vec<u8>) {
        let index = self.next_index;
        let mut input = None;
        if type_name.ends_with("tool_use") {
            input = with_parsed(raw, |block| block.get_some("input").map(|input| input.raw().to_owned())).flatten();
        }
        block_start(out, index, |w| {
            let emptied =
                input.as_ref().and_then(|_| with_parsed(raw, |block| write_with_member(w, block, "input", "{}")));
            if emptied.is_none() {
                w.raw(raw);
            }
        });
        if let Some(input) = input {
            block_delta(out, index, "input_json_delta", |w| w.field_str("partial_json", &input));
        }
        self.block_stop(out);
    }

    /// Content of the current part.
    fn apply(&mut self, delta: Delta, out: &mut Vec<u8>) {
        let index = self.next_index;
        let hidden = self.context.hide_reasoning;
        let Some(current) = &mut self.current else { return };
        match (delta, current.shape) {
            (Delta::State(state), _) => current.state = Some(state),
            (Delta::Text(text), Shape::Text) if !text.is_empty() => {
                begin(out, current, index);
                block_delta(out, index, "text_delta", |w| w.field_str("text", &text));
            }
            (Delta::Text(text), Shape::Reasoning) if !text.is_empty() && !hidden => {
                begin(out, current, index);
                block_delta(out, index, "thinking_delta", |w| w.field_str("thinking", &text));
            }
            (Delta::Citation(found), Shape::Text) if citation::expressible(&found) => {
                begin(out, current, index);
                block_delta(out, index, "citations_delta", |w| {
                    w.key("citation");
                    citation::write(w, &found);
                });
            }
            (Delta::Arguments(more), Shape::Call { free_text: true }) => current.arguments.push_str(&more),
            (Delta::Arguments(more), Shape::Call { free_text: false }) if !more.is_empty() => {
                block_delta(out, index, "input_json_delta", |w| w.field_str("partial_json", &more));
            }
            _ => {}
        }
    }

    /// The current part is complete.
    fn close(&mut self, out: &mut Vec<u8>) {
        let Some(current) = self.current.take() else { return };
        let index = self.next_index;
        match current.shape {
            Shape::Silent => return,
            Shape::Text => {
                if current.begun {
                    self.block_stop(out);
                }
            }
            Shape::Reasoning => {
                self.close_reasoning(&current, out);
                return;
            }
            Shape::Call { free_text } => {
                if free_text {
                    let input = client_input(&current.arguments, true);
                    block_delta(out, index, "input_json_delta", |w| w.field_str("partial_json", &input));
                }
                self.block_stop(out);
            }
        }
        if let Some(data) = blocks_out::bound_state(current.state.as_ref(), &self.context) {
            self.redacted(&data, out);
        }
    }

    fn close_reasoning(&mut self, current: &Current, out: &mut Vec<u8>) {
        let index = self.next_index;
        match blocks_out::thought(current.begun, current.state.as_ref(), &self.context) {
            Thought::Thinking(signature) => {
                if !current.begun {
                    block_start(out, index, |w| blocks_out::thinking(w, "", ""));
                }
                block_delta(out, index, "signature_delta", |w| w.field_str("signature", &signature));
                self.block_stop(out);
            }
            Thought::Redacted(data) => self.redacted(&data, out),
            Thought::Nothing => {}
        }
    }

    fn redacted(&mut self, data: &str, out: &mut Vec<u8>) {
        block_start(out, self.next_index, |w| blocks_out::redacted(w, data));
        self.block_stop(out);
    }

    fn block_stop(&mut self, out: &mut Vec<u8>) {
        let index = self.next_index;
        frame(out, "content_block_stop", |w| w.field_u64("index", index));
        self.next_index = index.saturating_add(1);
    }

    fn part_delta(&mut self, part: PartRef, delta: &Delta, out: &mut Vec<u8>) {
        if self.current.as_ref().is_some_and(|current| current.part == part) {
            self.apply(delta.clone(), out);
        } else if let Some(waiting) = self.waiting.iter_mut().find(|waiting| waiting.part == part) {
            waiting.deltas.push(delta.clone());
        } else if let Some(at) = self.suspended.iter().position(|suspended| *suspended == part) {
            self.suspended.remove(at);
            let deltas = vec![delta.clone()];
            self.waiting.push_back(Waiting { part, opening: PartOpening::Text, deltas, ended: false });
            self.advance(out);
        }
    }

    fn part_end(&mut self, part: PartRef, out: &mut Vec<u8>) {
        if self.current.as_ref().is_some_and(|current| current.part == part) {
            self.close(out);
            self.advance(out);
        } else if let Some(waiting) = self.waiting.iter_mut().find(|waiting| waiting.part == part) {
            waiting.ended = true;
        } else {
            self.suspended.retain(|suspended| *suspended != part);
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        self.message_start(out);
        self.waiting.iter_mut().for_each(|waiting| waiting.ended = true);
        self.close(out);
        self.advance(out);
        let stop = self.stop.take().unwrap_or(Stop::End);
        let failed = match &stop {
            Stop::Malformed(word) => Some((Code::UpstreamInvalid, "the model produced unusable output", word)),
            Stop::Interrupted(word) => {
                Some((Code::Interrupted, "the provider gave up before the answer was complete", word))
            }
            _ => None,
        };
        if let Some((code, message, word)) = failed {
            let error = GatewayError::new(code, format!("{message} ({word})"));
            errors::write_fault(&error, &self.context.request_id, out);
            return;
        }
        let stop = if stop == Stop::End && self.called { Stop::ToolCalls } else { stop };
        let own = |name: &str| self.extras.iter().find(|extra| extra.name == name);
        frame(out, "message_delta", |w| {
            w.field_object("delta", |w| {
                stop::shown(&stop, self.refused, &self.context.vendor).write(w);
                encode_reply::container(w, own("container"));
            });
            w.field_object("usage", |w| usage::write_delta(w, &self.usage));
            let written = ["type", "delta", "usage", "container"];
            for extra in self.extras.iter().filter(|extra| !written.contains(&extra.name.as_str())) {
                w.field_raw(&extra.name, &extra.value);
            }
        });
        frame(out, "message_stop", |_| {});
    }
}

impl EventEncoder for Encoder {
    fn push(&mut self, event: &Event, out: &mut Vec<u8>) {
        if self.done {
            return;
        }
        match event {
            Event::Start(start) => self.start = start.clone(),
            Event::Vendor { candidate: None, extra } if extra.dialect == ID => {
                self.extras.retain(|known| known.name != extra.name);
                self.extras.push(extra.clone());
            }
            Event::Vendor { .. } | Event::Logprobs { .. } => {}
            Event::Usage(usage) => {
                self.usage.absorb(usage);
                self.message_start(out);
            }
            Event::PartStart { candidate: 0, part, opening } => {
                self.message_start(out);
                self.part_start(*part, opening.clone(), out);
            }
            // A message has one candidate; deltas of parts that were not begun are skipped.
            Event::PartStart { .. } => {}
            Event::PartDelta { part, delta } => self.part_delta(*part, delta, out),
            Event::PartEnd { part } => self.part_end(*part, out),
            Event::Finish { candidate, stop } => {
                if *candidate == 0 {
                    self.stop = Some(stop.clone());
                }
            }
            Event::Ping => {
                self.message_start(out);
                out.extend_from_slice(b"event: ping\ndata: {\"type\": \"ping\"}\n\n");
            }
            Event::Fault(error) => {
                self.done = true;
                errors::write_fault(error, &self.context.request_id, out);
            }
            Event::End => {
                self.done = true;
                self.end(out);
            }
        }
    }
}

/// Begins the block of text or reasoning at its first content.
fn begin(out: &mut Vec<u8>, current: &mut Current, index: u64) {
    if current.begun {
        return;
    }
    current.begun = true;
    block_start(out, index, |w| match current.shape {
        Shape::Reasoning => blocks_out::thinking(w, "", ""),
        Shape::Text | Shape::Call { .. } | Shape::Silent => blocks_out::text(w, "", &[]),
    });
}

fn block_start(out: &mut Vec<u8>, index: u64, block: impl FnOnce(&mut JsonWriter)) {
    frame(out, "content_block_start", |w| {
        w.field_u64("index", index);
        w.key("content_block");
        block(w);
    });
}

fn block_delta(out: &mut Vec<u8>, index: u64, kind: &str, fill: impl FnOnce(&mut JsonWriter)) {
    frame(out, "content_block_delta", |w| {
        w.field_u64("index", index);
        w.field_object("delta", |w| {
            w.field_str("type", kind);
            fill(w);
        });
    });
}

/// Appends one complete event.
fn frame(out: &mut Vec<u8>, kind: &str, fill: impl FnOnce(&mut JsonWriter)) {
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(kind.as_bytes());
    out.extend_from_slice(b"\ndata: ");
    let from = out.len();
    let mut writer = JsonWriter::onto(std::mem::take(out));
    writer.object(|w| {
        w.field_str("type", kind);
        fill(w);
    });
    *out = writer.finish();
    one_line(out, from);
    out.extend_from_slice(b"\n\n");
}
