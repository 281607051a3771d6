//! Events to chunks for a client: only new parts in each, function calls whole, counts and reasons in the last.

use gw_core::{Citation, Delta, Event, Extra, Extras, OpaqueState, Part, PartOpening, PartRef, RawJson, Stop, Usage};
use gw_spi::{EventEncoder, Framing, ReplyContext};
use gw_wire::{JsonWriter, one_line};

use crate::citations::Grounding;
use crate::encode_reply::{candidate_extras, identity, prompt_feedback, top_extras};
use crate::reply_parts::{call_part, text_part};
use crate::{carrier, errors, reply_parts, usage};

/// State of one stream.
pub(crate) struct Encoder {
    context: ReplyContext,
    id: String,
    /// Whether a chunk was written: an array needs its bracket or a comma.
    written: bool,
    ended: bool,
    open: Vec<Open>,
    ends: Vec<Ending>,
    extras: Extras,
    usage: Option<Usage>,
}

struct Open {
    part: PartRef,
    candidate: u32,
    kind: Kind,
    state: Option<OpaqueState>,
    /// Arguments of a call; text of a part that may be cited.
    text: String,
    citations: Vec<Citation>,
}

enum Kind {
    Text,
    Reasoning,
    Call { id: String, name: String },
    Whole(Box<Part>),
}

/// What a candidate's last chunk holds.
struct Ending {
    candidate: u32,
    stop: Option<Stop>,
    extras: Extras,
    logprobs: Option<RawJson>,
    grounding: Grounding,
    parts: usize,
}

impl Encoder {
    pub(crate) fn new(context: &ReplyContext) -> Self {
        Self {
            context: context.clone(),
            id: String::new(),
            written: false,
            ended: false,
            open: Vec::new(),
            ends: Vec::new(),
            extras: Vec::new(),
            usage: None,
        }
    }

    fn ending(&mut self, candidate: u32) -> Option<&mut Ending> {
        if !self.ends.iter().any(|ending| ending.candidate == candidate) {
            let grounding = Grounding::default();
            self.ends.push(Ending { candidate, stop: None, extras: Vec::new(), logprobs: None, grounding, parts: 0 });
        }
        self.ends.iter_mut().find(|ending| ending.candidate == candidate)
    }

    /// One chunk: framing, envelope and what `fill` adds before the identity.
    fn chunk(&mut self, out: &mut Vec<u8>, fill: impl FnOnce(&mut JsonWriter)) {
        match self.context.framing {
            Framing::JsonArray => out.extend_from_slice(if self.written { b",\n" } else { b"[" }),
            Framing::Sse | Framing::Json => out.extend_from_slice(b"data: "),
        }
        self.written = true;
        let from = out.len();
        let mut writer = JsonWriter::onto(std::mem::take(out));
        writer.object(|writer| {
            fill(writer);
            identity(writer, &self.id, &self.context);
        });
        *out = writer.finish();
        one_line(out, from);
        if self.context.framing != Framing::JsonArray {
            out.extend_from_slice(b"\n\n");
        }
    }

    fn part_chunk(&mut self, candidate: u32, out: &mut Vec<u8>, part: impl FnOnce(&mut JsonWriter)) {
        self.chunk(out, |writer| {
            writer.field_array("candidates", |writer| {
                writer.object(|writer| {
                    writer.field_object("content", |writer| {
                        writer.field_array("parts", part);
                        writer.field_str("role", "model");
                    });
                    writer.field_u64("index", u64::from(candidate));
                });
            });
        });
    }

    fn opened(&mut self, candidate: u32, part: PartRef, opening: &PartOpening) {
        let kind = match opening {
            PartOpening::Text | PartOpening::Refusal => Kind::Text,
            PartOpening::Reasoning { .. } => Kind::Reasoning,
            PartOpening::ToolCall { call_id, name, .. } => Kind::Call { id: call_id.clone(), name: name.clone() },
            PartOpening::Whole(whole) => Kind::Whole(whole.clone()),
        };
        self.open.push(Open { part, candidate, kind, state: None, text: String::new(), citations: Vec::new() });
    }

    fn delta(&mut self, part: PartRef, delta: &Delta, out: &mut Vec<u8>) {
        let hidden = self.context.hide_reasoning;
        let Some(open) = self.open.iter_mut().find(|open| open.part == part) else { return };
        let candidate = open.candidate;
        let mut said: Option<(String, bool)> = None;
        match (delta, &open.kind) {
            (Delta::State(state), _) => open.state = Some(state.clone()),
            (Delta::Text(text), Kind::Text) if !text.is_empty() => {
                open.text.push_str(text);
                said = Some((text.clone(), false));
            }
            (Delta::Text(text), Kind::Reasoning) if !text.is_empty() && !hidden => {
                // Only whether something was said matters later.
                open.text.push(' ');
                said = Some((text.clone(), true));
            }
            (Delta::Arguments(text), Kind::Call { .. }) => open.text.push_str(text),
            (Delta::Citation(citation), Kind::Text) => open.citations.push(citation.clone()),
            _ => {}
        }
        if let Some((text, thought)) = said {
            self.part_chunk(candidate, out, |writer| text_part(writer, &text, thought, None));
        }
    }

    fn closed(&mut self, part: PartRef, out: &mut Vec<u8>) {
        let Some(at) = self.open.iter().position(|open| open.part == part) else { return };
        let open = self.open.remove(at);
        if let Some(ending) = self.ending(open.candidate) {
            ending.grounding.add(ending.parts, &open.text, &open.citations);
            ending.parts += 1;
        }
        let sealer = self.context.sealer.clone();
        let signature = open.state.as_ref().map(|state| carrier::to_client(state, sealer.as_ref()));
        match open.kind {
            // The words are out; the signature follows on a part without words.
            Kind::Text | Kind::Reasoning => {
                let thought = matches!(open.kind, Kind::Reasoning) && !open.text.is_empty();
                if let Some(signature) = signature {
                    self.part_chunk(open.candidate, out, |writer| text_part(writer, "", thought, Some(&signature)));
                }
            }
            Kind::Call { id, name } => {
                self.part_chunk(open.candidate, out, |writer| {
                    call_part(writer, &id, &name, &open.text, signature.as_deref());
                });
            }
            Kind::Whole(mut whole) => {
                whole.state = open.state.or(whole.state);
                let mut probe = JsonWriter::new();
                reply_parts::write(&mut probe, &whole, &self.context);
                let written = probe.into_raw();
                if !written.as_str().is_empty() {
                    self.part_chunk(open.candidate, out, |writer| writer.raw(written.as_str()));
                }
            }
        }
    }

    fn last(&mut self, out: &mut Vec<u8>) {
        self.ended = true;
        let mut ends = std::mem::take(&mut self.ends);
        ends.retain(|ending| ending.stop.is_some());
        ends.sort_by_key(|ending| ending.candidate);
        let blocked = match ends.as_slice() {
            [Ending { stop: Some(Stop::PromptBlocked(reason)), parts: 0, .. }] => Some(reason.clone()),
            _ => None,
        };
        let extras = std::mem::take(&mut self.extras);
        let counted = self.usage.take();
        self.chunk(out, |writer| {
            if blocked.is_none() && !ends.is_empty() {
                writer.field_array("candidates", |writer| {
                    ends.iter().for_each(|ending| write_ending(writer, ending));
                });
            }
            prompt_feedback(writer, blocked.as_deref(), &extras);
            if let Some(counted) = &counted {
                usage::write(writer, counted);
            }
            top_extras(writer, &extras);
        });
        if self.context.framing == Framing::JsonArray {
            out.extend_from_slice(b"]");
        }
    }
}

fn write_ending(writer: &mut JsonWriter, ending: &Ending) {
    let stop = ending.stop.clone().unwrap_or(Stop::End);
    writer.object(|writer| {
        writer.field_object("content", |writer| {
            writer.field_array("parts", |writer| text_part(writer, "", false, None));
            writer.field_str("role", "model");
        });
        writer.field_str("finishReason", crate::stop::encode(&stop));
        writer.field_u64("index", u64::from(ending.candidate));
        candidate_extras(writer, &ending.extras, &ending.grounding, ending.logprobs.as_ref(), &stop);
    });
}

fn keep(extras: &mut Extras, extra: &Extra) {
    match extras.iter_mut().find(|known| known.dialect == extra.dialect && known.name == extra.name) {
        Some(known) => known.value = extra.value.clone(),
        None => extras.push(extra.clone()),
    }
}

impl EventEncoder for Encoder {
    fn push(&mut self, event: &Event, out: &mut Vec<u8>) {
        if self.ended {
            return;
        }
        match event {
            Event::Start(start) => self.id.clone_from(&start.id),
            Event::PartStart { candidate, part, opening } => self.opened(*candidate, *part, opening),
            Event::PartDelta { part, delta } => self.delta(*part, delta, out),
            Event::PartEnd { part } => self.closed(*part, out),
            Event::Usage(later) => match &mut self.usage {
                Some(known) => known.absorb(later),
                None => self.usage = Some(later.clone()),
            },
            Event::Finish { candidate, stop } => {
                if let Some(ending) = self.ending(*candidate) {
                    ending.stop = Some(stop.clone());
                }
            }
            Event::Logprobs { candidate, items } => {
                if let Some(ending) = self.ending(*candidate) {
                    ending.logprobs = Some(match ending.logprobs.take() {
                        Some(known) => joined(&known, items),
                        None => items.clone(),
                    });
                }
            }
            Event::Vendor { candidate: Some(candidate), extra } => {
                if let Some(ending) = self.ending(*candidate) {
                    keep(&mut ending.extras, extra);
                }
            }
            Event::Vendor { candidate: None, extra } => keep(&mut self.extras, extra),
            Event::Ping => {}
            Event::Fault(error) => {
                self.ended = true;
                let framing = self.context.framing;
                errors::in_stream(error, &self.context.request_id, framing, !self.written, out);
            }
            Event::End => self.last(out),
        }
    }
}

/// Two JSON arrays as one.
fn joined(first: &RawJson, second: &RawJson) -> RawJson {
    let inner = |array: &RawJson| {
        let text = array.as_str().trim();
        text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).map_or("", str::trim).to_owned()
    };
    let (left, right) = (inner(first), inner(second));
    let comma = if left.is_empty() || right.is_empty() { "" } else { "," };
    RawJson::from_valid(format!("[{left}{comma}{right}]"))
}
