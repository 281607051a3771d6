//! A provider's stream to events.

use gw_core::{Code, Event, Extra, GatewayError, Start, Usage};
use gw_spi::{EventDecoder, ReplyContext, Verdict};
use gw_wire::{Document, Frame, Json, Kind, Limits};

use crate::assemble::Assembler;
use crate::{ID, fault, usage};

/// Chunk fields that have a canonical home or mean nothing to a client.
const KNOWN: &[&str] = &[
    "id",
    "object",
    "created",
    "model",
    "choices",
    "usage",
    "system_fingerprint",
    "service_tier",
    "error",
    // Padding against traffic analysis.
    "obfuscation",
    "p",
    "stream_options",
];

/// Decoder of one stream.
#[derive(Debug)]
pub(crate) struct Decoder {
    assembler: Assembler,
    limits: Limits,
    started: bool,
    ended: bool,
    /// The tier as told to the client.
    tier: Option<String>,
    extras: Vec<Extra>,
    /// Fields of chunks that came before the answer began.
    waiting: Vec<Extra>,
    last_usage: Option<Usage>,
}

impl Decoder {
    /// A decoder for one answer.
    pub(crate) fn new(context: &ReplyContext) -> Self {
        Self {
            assembler: Assembler::new(&context.vendor, &context.id_base),
            limits: context.limits,
            started: false,
            ended: false,
            tier: None,
            extras: Vec::new(),
            waiting: Vec::new(),
            last_usage: None,
        }
    }

    /// Takes a chunk or a finished answer.
    ///
    /// # Errors
    /// The provider's error that it holds.
    pub(crate) fn chunk(&mut self, root: Json<'_>, out: &mut Vec<Event>) -> Result<(), GatewayError> {
        let choices = root.get_some("choices").filter(|choices| choices.kind() == Kind::Array);
        let any_choice = choices.is_some_and(|choices| choices.items().next().is_some());
        self.collect_extras(root, out);
        let numbers = root
            .get_some("usage")
            .or_else(|| root.get_some("x_groq").and_then(|groq| groq.get_some("usage")))
            .or_else(|| choices.and_then(|choices| choices.items().find_map(|choice| choice.get_some("usage"))))
            .and_then(usage::decode);
        if any_choice || numbers.is_some() {
            self.start(root, out);
        }
        let mut error = root.get_some("error").filter(|error| is_error(*error)).map(|error| (error, root));
        if let Some(choices) = choices {
            for (position, choice) in choices.items().enumerate() {
                self.assembler.choice(position, choice, out);
                error = error
                    .or_else(|| choice.get_some("error").filter(|error| is_error(*error)).map(|error| (error, choice)));
            }
        }
        if let Some(numbers) = numbers
            && self.last_usage.as_ref() != Some(&numbers)
        {
            self.last_usage = Some(numbers.clone());
            out.push(Event::Usage(numbers));
        }
        match error {
            Some((error, holder)) => Err(fault::decode_inline(error, holder)),
            None => Ok(()),
        }
    }

    /// Finishes choices that have no end of their own and ends the answer.
    pub(crate) fn end(&mut self, out: &mut Vec<Event>) {
        self.assembler.finish_all(out);
        self.ended = true;
        out.push(Event::End);
    }

    /// Begins the answer if it has not begun.
    pub(crate) fn start(&mut self, root: Json<'_>, out: &mut Vec<Event>) {
        let text = |name: &str| root.get_some(name).and_then(|value| value.string()).filter(|text| !text.is_empty());
        let tier = text("service_tier");
        if self.started {
            // Some servers tell the tier late.
            if let Some(tier) = tier.filter(|tier| self.tier.as_ref() != Some(tier)) {
                self.tier = Some(tier);
                let value = root.get_some("service_tier").map(|value| value.to_raw());
                if let Some(value) = value {
                    let extra = Extra { dialect: ID, name: "service_tier".to_owned(), value };
                    out.push(Event::Vendor { candidate: None, extra });
                }
            }
            return;
        }
        self.started = true;
        self.tier.clone_from(&tier);
        out.push(Event::Start(Start {
            id: text("id").unwrap_or_default(),
            model: text("model").unwrap_or_default(),
            created: root.get_some("created").and_then(|created| created.i64()).filter(|created| *created > 0),
            service_tier: tier,
            fingerprint: text("system_fingerprint"),
        }));
        for extra in self.waiting.drain(..) {
            out.push(Event::Vendor { candidate: None, extra });
        }
    }

    fn collect_extras(&mut self, root: Json<'_>, out: &mut Vec<Event>) {
        for (name, value) in root.members() {
            if KNOWN.contains(&name.as_ref()) || value.is_null() || matches!(value.raw(), "[]" | "{}") {
                continue;
            }
            let extra = Extra { dialect: ID, name: name.into_owned(), value: value.to_raw() };
            if self.extras.contains(&extra) {
                continue;
            }
            self.extras.retain(|known| known.name != extra.name);
            self.extras.push(extra.clone());
            if self.started {
                out.push(Event::Vendor { candidate: None, extra });
            } else {
                self.waiting.retain(|known| known.name != extra.name);
                self.waiting.push(extra);
            }
        }
    }

    fn fail(&mut self, error: GatewayError, out: &mut Vec<Event>) {
        self.ended = true;
        out.push(Event::Fault(Box::new(error)));
    }

    fn done(&mut self, out: &mut Vec<Event>) {
        if self.started && self.assembler.any() {
            self.end(out);
        } else {
            self.fail(GatewayError::new(Code::UpstreamInvalid, "the provider's stream held no answer"), out);
        }
    }
}

impl EventDecoder for Decoder {
    fn push(&mut self, frame: &Frame, out: &mut Vec<Event>) -> Verdict {
        if self.ended {
            return Verdict::Known;
        }
        let data = frame.data.trim_ascii();
        if data == b"[DONE]" {
            self.done(out);
            return Verdict::Known;
        }
        if data.is_empty() {
            return Verdict::Known;
        }
        let document = match Document::from_bytes(data, self.limits) {
            Ok(document) => document,
            Err(fault) => return Verdict::Corrupt(format!("a stream event is not valid JSON: {fault}")),
        };
        let root = document.root();
        let root = if root.kind() == Kind::Array { root.items().next().unwrap_or(root) } else { root };
        if root.kind() != Kind::Object {
            return Verdict::Unknown;
        }
        if frame.event.as_ref() == b"error" && root.get_some("error").is_none() {
            self.fail(fault::decode_inline(root, root), out);
            return Verdict::Known;
        }
        let known = ["choices", "usage", "error", "x_groq"].iter().any(|name| root.get(name).is_some());
        if let Err(error) = self.chunk(root, out) {
            self.fail(error, out);
        }
        if known { Verdict::Known } else { Verdict::Unknown }
    }

    fn finish(&mut self, out: &mut Vec<Event>) {
        if self.ended {
            return;
        }
        if self.started && self.assembler.complete() {
            self.end(out);
            return;
        }
        let message = "the provider's stream ended before the answer was complete";
        let error = GatewayError::new(Code::Interrupted, message).with_retry(gw_core::Retry::SameTarget);
        self.fail(error, out);
    }
}

/// Whether an `error` member means one: servers also send `""`, `{}` and `false`.
fn is_error(error: Json<'_>) -> bool {
    !matches!(error.raw(), "\"\"" | "{}" | "[]" | "false" | "0")
}
