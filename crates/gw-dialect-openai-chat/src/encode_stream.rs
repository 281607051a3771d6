//! Events for a streaming client of this format.

use gw_core::{Code, Delta, Event, Extra, GatewayError, Part, PartBody, PartOpening, PartRef, RawJson, Stop, ToolKind};
use gw_spi::{EventEncoder, ReplyContext};
use gw_wire::{JsonWriter, one_line};

use crate::assemble::MESSAGE;
use crate::carrier::{carry_google, format_tag, write_details, write_google_signature};
use crate::encode_reply::{
    audio_object, call_words, expressible, image_url, payload, reply_id, write_annotation, write_image,
};
use crate::{ID, errors, stop, usage};

/// Encoder of one stream.
pub(crate) struct Encoder {
    context: ReplyContext,
    /// Members that are the same in every chunk, without the opening brace.
    head: String,
    choices: Vec<Choice>,
    parts: Vec<(PartRef, OpenPart)>,
    usage: Option<gw_core::Usage>,
    /// Answer-level fields for the next chunk.
    extras: Vec<Extra>,
    broken: Option<String>,
    ended: bool,
}

#[derive(Default)]
struct Choice {
    index: u32,
    calls: u64,
    reasonings: u64,
    chars: u32,
    extras: Vec<Extra>,
    finished: bool,
}

struct OpenPart {
    candidate: u32,
    kind: Kind,
}

enum Kind {
    Text { from: u32, length: u32 },
    Refusal,
    Reasoning { summary: bool, index: u64 },
    Call { index: u64, kind: ToolKind, any: bool, hidden: bool },
    Whole,
}

/// What a chunk says besides its delta.
#[derive(Default)]
struct Tail<'t> {
    finish: Option<&'t str>,
    logprobs: Option<&'t RawJson>,
    extras: &'t [Extra],
}

impl Encoder {
    /// An encoder for one answer.
    pub(crate) fn new(context: &ReplyContext) -> Self {
        Self {
            context: context.clone(),
            head: String::new(),
            choices: Vec::new(),
            parts: Vec::new(),
            usage: None,
            extras: Vec::new(),
            broken: None,
            ended: false,
        }
    }

    fn start(&mut self, start: &gw_core::Start, out: &mut Vec<u8>) {
        let mut writer = JsonWriter::new();
        writer.object(|head| {
            head.field_str("id", &reply_id(&self.context));
            head.field_str("object", "chat.completion.chunk");
            head.key("created").i64(start.created.unwrap_or(self.context.created));
            head.field_str("model", &self.context.client_model);
            if let Some(tier) = &start.service_tier {
                head.field_str("service_tier", tier);
            }
            if let Some(fingerprint) = &start.fingerprint {
                head.field_str("system_fingerprint", fingerprint);
            }
        });
        let text = String::from_utf8_lossy(&writer.finish()).into_owned();
        self.head = text.trim_start_matches('{').trim_end_matches('}').to_owned();
        // Further choices open when they come: a provider may give fewer than were asked for.
        self.choice(0, out);
    }

    /// The state of a choice; its first chunk names the role.
    fn choice(&mut self, index: u32, out: &mut Vec<u8>) -> &mut Choice {
        let at = match self.choices.iter().position(|choice| choice.index == index) {
            Some(at) => at,
            None => {
                self.chunk(out, index, &Tail::default(), |delta| {
                    delta.field_str("role", "assistant");
                    delta.field_str("content", "");
                });
                self.choices.push(Choice { index, ..Choice::default() });
                self.choices.len() - 1
            }
        };
        #[expect(clippy::indexing_slicing, reason = "the index was found or pushed in the lines above")]
        &mut self.choices[at]
    }

    /// Appends one chunk with one choice.
    fn chunk(&mut self, out: &mut Vec<u8>, index: u32, tail: &Tail<'_>, fill: impl FnOnce(&mut JsonWriter)) {
        self.frame(
            out,
            |choices| {
                choices.object(|choice| {
                    choice.key("index").u64(u64::from(index));
                    choice.field_object("delta", |delta| {
                        fill(delta);
                        for extra in tail.extras {
                            if let Some(name) = extra.name.strip_prefix(MESSAGE) {
                                delta.field_raw(name, &extra.value);
                            }
                        }
                    });
                    if let Some(items) = tail.logprobs {
                        choice.field_object("logprobs", |logprobs| {
                            logprobs.field_raw("content", items);
                            logprobs.field_null("refusal");
                        });
                    }
                    match tail.finish {
                        Some(word) => choice.field_str("finish_reason", word),
                        None => choice.field_null("finish_reason"),
                    }
                    for extra in tail.extras.iter().filter(|extra| !extra.name.starts_with(MESSAGE)) {
                        choice.field_raw(&extra.name, &extra.value);
                    }
                });
            },
            None,
        );
    }

    fn frame(&mut self, out: &mut Vec<u8>, choices: impl FnOnce(&mut JsonWriter), numbers: Option<&gw_core::Usage>) {
        let from = out.len();
        out.extend_from_slice(b"data: {");
        out.extend_from_slice(self.head.as_bytes());
        out.push(b',');
        let mut writer = JsonWriter::onto(std::mem::take(out));
        writer.field_array("choices", choices);
        for extra in self.extras.drain(..) {
            writer.field_raw(&extra.name, &extra.value);
        }
        match numbers {
            Some(numbers) => usage::write(writer.key("usage"), numbers),
            None if self.context.include_usage => writer.field_null("usage"),
            None => {}
        }
        *out = writer.finish();
        one_line(out, from);
        out.extend_from_slice(b"}\n\n");
    }

    fn part_start(&mut self, candidate: u32, part: PartRef, opening: &PartOpening, out: &mut Vec<u8>) {
        let legacy = self.context.legacy_functions;
        let choice = self.choice(candidate, out);
        let kind = match opening {
            PartOpening::Text => Kind::Text { from: choice.chars, length: 0 },
            PartOpening::Refusal => Kind::Refusal,
            PartOpening::Reasoning { summary } => {
                choice.reasonings += 1;
                Kind::Reasoning { summary: *summary, index: choice.reasonings - 1 }
            }
            PartOpening::ToolCall { kind, .. } => {
                choice.calls += 1;
                let index = choice.calls - 1;
                // The legacy form has room for one call.
                Kind::Call { index, kind: kind.clone(), any: false, hidden: legacy && index > 0 }
            }
            PartOpening::Whole(_) => Kind::Whole,
        };
        match (opening, &kind) {
            (PartOpening::ToolCall { .. }, Kind::Call { hidden: true, .. }) => {}
            (PartOpening::ToolCall { name, .. }, _) if legacy => {
                self.chunk(out, candidate, &Tail::default(), |delta| {
                    delta.field_object("function_call", |call| {
                        call.field_str("name", name);
                        call.field_str("arguments", "");
                    });
                });
            }
            (PartOpening::ToolCall { call_id, name, kind }, Kind::Call { index, .. }) => {
                let (holder, field) = call_words(kind);
                let index = *index;
                self.chunk(out, candidate, &Tail::default(), |delta| {
                    write_call(delta, index, |call| {
                        call.field_str("id", call_id);
                        call.field_str("type", holder);
                        call.field_object(holder, |inner| {
                            inner.field_str("name", name);
                            inner.field_str(field, "");
                        });
                    });
                });
            }
            (PartOpening::Whole(whole), _) => self.whole(candidate, whole, out),
            _ => {}
        }
        self.parts.push((part, OpenPart { candidate, kind }));
    }

    fn whole(&mut self, candidate: u32, whole: &Part, out: &mut Vec<u8>) {
        if let Some(url) = image_url(&whole.body) {
            self.chunk(out, candidate, &Tail::default(), |delta| {
                delta.field_array("images", |list| write_image(list, &url));
            });
        } else if let Some(audio) = audio_object(&whole.body, &self.context.id_base) {
            self.chunk(out, candidate, &Tail::default(), |delta| delta.key("audio").raw(&audio));
        }
    }

    fn delta(&mut self, part: PartRef, delta: &Delta, out: &mut Vec<u8>) {
        let Some(at) = self.parts.iter().position(|(known, _)| *known == part) else { return };
        // Taken out so that the encoder itself can be borrowed; put back below.
        let (number, mut open) = self.parts.swap_remove(at);
        match delta {
            Delta::Text(text) => self.text(&mut open, text, out),
            Delta::Arguments(text) => self.arguments(&mut open, text, out),
            Delta::State(state) => self.state(&open, state, out),
            Delta::Citation(citation) => {
                if let Kind::Text { from, length } = open.kind
                    && expressible(citation)
                {
                    self.chunk(out, open.candidate, &Tail::default(), |delta| {
                        delta.field_array("annotations", |list| write_annotation(list, citation, from, length));
                    });
                }
            }
        }
        self.parts.push((number, open));
    }

    fn text(&mut self, open: &mut OpenPart, text: &str, out: &mut Vec<u8>) {
        let candidate = open.candidate;
        match &mut open.kind {
            Kind::Text { length, .. } => {
                let more = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
                *length = length.saturating_add(more);
                if let Some(choice) = self.choices.iter_mut().find(|choice| choice.index == candidate) {
                    choice.chars = choice.chars.saturating_add(more);
                }
                self.chunk(out, candidate, &Tail::default(), |delta| delta.field_str("content", text));
            }
            Kind::Refusal => {
                self.chunk(out, candidate, &Tail::default(), |delta| delta.field_str("refusal", text));
            }
            Kind::Reasoning { .. } if self.context.hide_reasoning => {}
            Kind::Reasoning { summary, index } => {
                let (kind, name) = if *summary { ("reasoning.summary", "summary") } else { ("reasoning.text", "text") };
                let (index, vendor) = (*index, self.context.vendor.clone());
                self.chunk(out, candidate, &Tail::default(), |delta| {
                    delta.field_str("reasoning_content", text);
                    delta.field_array("reasoning_details", |details| {
                        details.object(|item| {
                            item.field_str("type", kind);
                            item.field_str(name, text);
                            item.field_u64("index", index);
                            item.field_str("format", format_tag(None, &vendor));
                        });
                    });
                });
            }
            Kind::Call { .. } | Kind::Whole => {}
        }
    }

    fn arguments(&mut self, open: &mut OpenPart, text: &str, out: &mut Vec<u8>) {
        let Kind::Call { index, kind, any, hidden } = &mut open.kind else { return };
        if *hidden || text.is_empty() {
            return;
        }
        *any |= !text.trim().is_empty();
        let (holder, field) = call_words(kind);
        let index = *index;
        if self.context.legacy_functions {
            self.chunk(out, open.candidate, &Tail::default(), |delta| {
                delta.field_object("function_call", |call| call.field_str("arguments", text));
            });
            return;
        }
        self.chunk(out, open.candidate, &Tail::default(), |delta| {
            write_call(delta, index, |call| call.field_object(holder, |inner| inner.field_str(field, text)));
        });
    }

    fn state(&mut self, open: &OpenPart, state: &gw_core::OpaqueState, out: &mut Vec<u8>) {
        let context = self.context.clone();
        match &open.kind {
            Kind::Reasoning { summary, index } => {
                let body = PartBody::Reasoning { text: String::new(), summary: *summary };
                let part = Part { state: Some(state.clone()), ..Part::new(body) };
                self.chunk(out, open.candidate, &Tail::default(), |delta| {
                    delta.field_array("reasoning_details", |details| {
                        write_details(details, &part, *index, &context.vendor, false, |state| payload(state, &context));
                    });
                });
            }
            Kind::Text { .. } => {
                let signature = carry_google(state, &*context.sealer);
                self.chunk(out, open.candidate, &Tail::default(), |delta| write_google_signature(delta, &signature));
            }
            Kind::Call { index, hidden: false, .. } if !context.legacy_functions => {
                let signature = carry_google(state, &*context.sealer);
                self.chunk(out, open.candidate, &Tail::default(), |delta| {
                    write_call(delta, *index, |call| write_google_signature(call, &signature));
                });
            }
            Kind::Call { .. } | Kind::Refusal | Kind::Whole => {}
        }
    }

    fn part_end(&mut self, part: PartRef, out: &mut Vec<u8>) {
        let Some(at) = self.parts.iter().position(|(known, _)| *known == part) else { return };
        let (_, mut open) = self.parts.swap_remove(at);
        // A call without arguments has an empty object, never an empty string.
        if let Kind::Call { kind: ToolKind::Function, any: false, .. } = open.kind {
            self.arguments(&mut open, "{}", out);
        }
    }

    fn finish(&mut self, candidate: u32, stop: &Stop, out: &mut Vec<u8>) {
        if let Stop::Interrupted(word) = stop {
            // Told as an error at the end: a made-up finish would look like success.
            self.broken = Some(word.clone());
            return;
        }
        self.choice(candidate, out).finished = true;
        if let Stop::Refusal { explanation: Some(text), .. } = stop {
            self.chunk(out, candidate, &Tail::default(), |delta| delta.field_str("refusal", text));
        }
        let word = stop::encode(stop, self.context.legacy_functions);
        let extras = std::mem::take(&mut self.choice(candidate, out).extras);
        self.chunk(out, candidate, &Tail { finish: Some(word), logprobs: None, extras: &extras }, |_| {});
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        if let Some(word) = self.broken.take() {
            let message = format!("the provider broke off the answer ({word})");
            errors::write_fault(&GatewayError::new(Code::Interrupted, message), &self.context.request_id, out);
            return;
        }
        // A complete answer without any candidate leaves the opened choice empty.
        let unfinished: Vec<u32> =
            self.choices.iter().filter(|choice| !choice.finished).map(|choice| choice.index).collect();
        for candidate in unfinished {
            self.finish(candidate, &Stop::End, out);
        }
        let numbers = self.usage.take().filter(|_| self.context.include_usage);
        if numbers.is_some() || !self.extras.is_empty() {
            self.frame(out, |_| {}, numbers.as_ref());
        }
        out.extend_from_slice(b"data: [DONE]\n\n");
    }
}

impl EventEncoder for Encoder {
    fn push(&mut self, event: &Event, out: &mut Vec<u8>) {
        if self.ended {
            return;
        }
        match event {
            Event::Start(start) => self.start(start, out),
            Event::PartStart { candidate, part, opening } => self.part_start(*candidate, *part, opening, out),
            Event::PartDelta { part, delta } => self.delta(*part, delta, out),
            Event::PartEnd { part } => self.part_end(*part, out),
            Event::Usage(numbers) => match &mut self.usage {
                Some(known) => known.absorb(numbers),
                None => self.usage = Some(numbers.clone()),
            },
            Event::Finish { candidate, stop } => self.finish(*candidate, stop, out),
            Event::Logprobs { candidate, items } => {
                self.choice(*candidate, out);
                self.chunk(out, *candidate, &Tail { logprobs: Some(items), ..Tail::default() }, |_| {});
            }
            Event::Vendor { candidate: Some(candidate), extra } if extra.dialect == ID => {
                let choice = self.choice(*candidate, out);
                choice.extras.retain(|known| known.name != extra.name);
                choice.extras.push(extra.clone());
            }
            Event::Vendor { candidate: None, extra } if extra.dialect == ID => {
                self.extras.retain(|known| known.name != extra.name);
                self.extras.push(extra.clone());
            }
            Event::Vendor { .. } => {}
            Event::Ping => out.extend_from_slice(b": keep-alive\n\n"),
            Event::Fault(error) => {
                self.ended = true;
                errors::write_fault(error, &self.context.request_id, out);
            }
            Event::End => {
                self.ended = true;
                self.end(out);
            }
        }
    }
}

fn write_call(delta: &mut JsonWriter, index: u64, fill: impl FnOnce(&mut JsonWriter)) {
    delta.field_array("tool_calls", |calls| {
        calls.object(|call| {
            call.field_u64("index", index);
            fill(call);
        });
    });
}
