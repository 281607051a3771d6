//! What happens to an upstream's bytes on their way to the client: relayed, translated, or passed raw.

use std::sync::Arc;

use bytes::Bytes;
use gw_core::{Code, Delta, Event, GatewayError, PartOpening, Usage};
use gw_spi::{EventDecoder, EventEncoder, FrameSignal, Framing, Ingress, Probe, ProbeReport, Verdict};
use gw_wire::{Frame, FrameTooLarge, JsonArrayFramer, SseFramer};

use crate::credentials::Credentials;
use crate::emulate::StopWatch;
use crate::held::Held;
use crate::tools::ToolNames;

/// Splits upstream bytes into frames.
pub(crate) enum Framer {
    Sse(SseFramer),
    Array(JsonArrayFramer),
}

impl Framer {
    pub(crate) fn new(framing: Framing, limit: usize) -> Self {
        match framing {
            Framing::JsonArray => Self::Array(JsonArrayFramer::new(limit)),
            Framing::Sse | Framing::Json => Self::Sse(SseFramer::new(limit)),
        }
    }

    fn push(&mut self, chunk: &Bytes, frames: &mut Vec<Frame>) -> Result<(), FrameTooLarge> {
        match self {
            Self::Sse(framer) => framer.push(chunk.clone(), frames),
            Self::Array(framer) => framer.push(chunk, frames),
        }
    }

    fn finish(&mut self, frames: &mut Vec<Frame>) {
        if let Self::Sse(framer) = self {
            framer.finish(frames);
        }
    }

    fn pending_len(&self) -> usize {
        match self {
            Self::Sse(framer) => framer.pending_len(),
            Self::Array(_) => 0,
        }
    }
}

/// Bytes on their way to the client; one piece is handed on without a copy.
#[derive(Default)]
pub(crate) struct Out {
    single: Option<Bytes>,
    joined: Vec<u8>,
}

impl Out {
    pub(crate) fn push(&mut self, bytes: Bytes) {
        if bytes.is_empty() {
            return;
        }
        if self.single.is_none() && self.joined.is_empty() {
            self.single = Some(bytes);
            return;
        }
        self.writer().extend_from_slice(&bytes);
    }

    pub(crate) fn writer(&mut self) -> &mut Vec<u8> {
        if let Some(single) = self.single.take() {
            self.joined.extend_from_slice(&single);
        }
        &mut self.joined
    }

    pub(crate) fn len(&self) -> usize {
        self.single.as_ref().map_or(self.joined.len(), Bytes::len)
    }

    pub(crate) fn take(&mut self) -> Option<Bytes> {
        if self.joined.is_empty() {
            return self.single.take();
        }
        Some(Bytes::from(std::mem::take(&mut self.joined)))
    }
}

/// What a chunk meant.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) events: u64,
    pub(crate) content: bool,
    pub(crate) terminal: bool,
    pub(crate) fault: Option<Box<GatewayError>>,
    /// The upstream is of no more use although it has not finished.
    pub(crate) abandon: bool,
}

impl Seen {
    fn fail(&mut self, error: GatewayError) {
        if self.fault.is_none() {
            self.fault = Some(Box::new(error));
        }
    }
}

pub(crate) enum Lane {
    Relay(Relay),
    Translate(Box<Translate>),
    Raw(Raw),
}

impl Lane {
    /// Takes a chunk of the upstream's body.
    pub(crate) fn chunk(&mut self, chunk: &Bytes, out: &mut Out) -> Seen {
        match self {
            Self::Relay(relay) => relay.chunk(chunk, out),
            Self::Translate(translate) => translate.chunk(chunk, out),
            Self::Raw(raw) => raw.chunk(chunk, out),
        }
    }

    /// The upstream's body is over.
    pub(crate) fn end(&mut self, out: &mut Out) -> Seen {
        match self {
            Self::Relay(relay) => relay.end(out),
            Self::Translate(translate) => translate.end(out),
            Self::Raw(_) => Seen { terminal: true, ..Seen::default() },
        }
    }

    /// Tells the client about a fault inside the stream. False when the format has no way to.
    pub(crate) fn fail(&mut self, error: &GatewayError, first: bool, out: &mut Out) -> bool {
        match self {
            Self::Relay(relay) => {
                out.push(relay.ingress.encode_fault(error, &relay.request_id, relay.framing, first));
                true
            }
            Self::Translate(translate) => {
                translate.encoder.push(&Event::Fault(Box::new(error.clone())), out.writer());
                true
            }
            Self::Raw(_) => false,
        }
    }

    pub(crate) fn report(&self) -> ProbeReport {
        match self {
            Self::Relay(relay) => relay.probe.report(),
            Self::Translate(translate) => ProbeReport {
                usage: translate.usage.clone(),
                content_bytes: translate.content_bytes,
                ..ProbeReport::default()
            },
            Self::Raw(raw) => raw.report(),
        }
    }

    pub(crate) fn heartbeat(&self, started: bool) -> &'static [u8] {
        match self {
            Self::Relay(relay) => relay.ingress.heartbeat(relay.framing, started),
            Self::Translate(translate) => translate.ingress.heartbeat(translate.framing, started),
            Self::Raw(_) => b"",
        }
    }
}

/// Same dialect on both sides: the client gets the upstream's bytes.
pub(crate) struct Relay {
    pub(crate) framer: Framer,
    pub(crate) probe: Box<dyn Probe>,
    /// Present when the gateway asked for usage on the client's behalf.
    pub(crate) held: Option<Held>,
    pub(crate) ingress: Arc<dyn Ingress>,
    pub(crate) framing: Framing,
    pub(crate) request_id: String,
    pub(crate) frames: Vec<Frame>,
    pub(crate) ended: bool,
    pub(crate) credentials: Credentials,
}

impl Relay {
    fn chunk(&mut self, chunk: &Bytes, out: &mut Out) -> Seen {
        let mut seen = Seen::default();
        self.frames.clear();
        if let Err(fault) = self.framer.push(chunk, &mut self.frames) {
            seen.fail(GatewayError::new(Code::UpstreamInvalid, fault.to_string()));
            return seen;
        }
        self.observe(&mut seen);
        match &mut self.held {
            None if seen.fault.is_some() => out.push(self.credentials.cut(chunk.clone())),
            None => out.push(chunk.clone()),
            Some(held) => {
                let skip: Vec<&Frame> =
                    self.frames.iter().filter(|frame| self.probe.is_requested_usage(frame)).collect();
                let passed = held.pass(chunk, self.framer.pending_len(), &skip);
                out.push(if seen.fault.is_some() { self.credentials.cut(passed) } else { passed });
            }
        }
        seen
    }

    fn end(&mut self, out: &mut Out) -> Seen {
        let mut seen = Seen::default();
        self.frames.clear();
        self.framer.finish(&mut self.frames);
        self.observe(&mut seen);
        if let Some(held) = &mut self.held
            && !self.frames.iter().any(|frame| self.probe.is_requested_usage(frame))
        {
            out.push(held.rest());
        }
        if !self.ended && seen.fault.is_none() {
            if self.probe.report().complete {
                seen.terminal = true;
            } else {
                seen.fail(interrupted());
            }
        }
        seen
    }

    fn observe(&mut self, seen: &mut Seen) {
        for frame in &self.frames {
            seen.events += 1;
            match self.probe.observe(frame) {
                FrameSignal::Preamble => {}
                FrameSignal::Content => seen.content = true,
                FrameSignal::Terminal => {
                    seen.terminal = true;
                    self.ended = true;
                }
                FrameSignal::Fault(mut error) => {
                    self.ended = true;
                    self.credentials.cut_error(&mut error);
                    seen.fail(*error);
                }
            }
        }
    }
}

/// Different dialects: decoded, checked, encoded.
pub(crate) struct Translate {
    pub(crate) framer: Framer,
    pub(crate) decoder: Box<dyn EventDecoder>,
    pub(crate) credentials: Credentials,
    pub(crate) encoder: Box<dyn EventEncoder>,
    pub(crate) stops: Option<StopWatch>,
    pub(crate) tools: ToolNames,
    pub(crate) ingress: Arc<dyn Ingress>,
    pub(crate) framing: Framing,
    pub(crate) usage: Option<Usage>,
    pub(crate) content_bytes: u64,
    pub(crate) frames: Vec<Frame>,
    pub(crate) events: Vec<Event>,
    pub(crate) ended: bool,
    #[cfg(debug_assertions)]
    pub(crate) law: gw_core::LawChecker,
}

impl Translate {
    fn chunk(&mut self, chunk: &Bytes, out: &mut Out) -> Seen {
        let mut seen = Seen::default();
        self.frames.clear();
        if let Err(fault) = self.framer.push(chunk, &mut self.frames) {
            seen.fail(GatewayError::new(Code::UpstreamInvalid, fault.to_string()));
            return seen;
        }
        self.decode(out, &mut seen);
        seen
    }

    fn end(&mut self, out: &mut Out) -> Seen {
        let mut seen = Seen::default();
        self.frames.clear();
        self.framer.finish(&mut self.frames);
        self.decode(out, &mut seen);
        if !self.ended && seen.fault.is_none() {
            self.decoder.finish(&mut self.events);
            self.encode(out, &mut seen);
            if !self.ended && seen.fault.is_none() {
                seen.fail(interrupted());
            }
        }
        seen
    }

    /// Takes events of an answer that came whole.
    pub(crate) fn events(&mut self, events: Vec<Event>, out: &mut Out) -> Seen {
        let mut seen = Seen::default();
        self.events = events;
        self.encode(out, &mut seen);
        seen
    }

    fn decode(&mut self, out: &mut Out, seen: &mut Seen) {
        let frames = std::mem::take(&mut self.frames);
        for frame in &frames {
            if self.ended || seen.fault.is_some() {
                break;
            }
            if let Verdict::Corrupt(reason) = self.decoder.push(frame, &mut self.events) {
                self.events.clear();
                seen.fail(
                    GatewayError::new(
                        Code::UpstreamInvalid,
                        "the provider sent a stream event that cannot be understood",
                    )
                    .with_cause(reason),
                );
                break;
            }
            self.encode(out, seen);
        }
        self.frames = frames;
    }

    fn encode(&mut self, out: &mut Out, seen: &mut Seen) {
        let mut events = std::mem::take(&mut self.events);
        for event in events.drain(..) {
            if self.ended {
                break;
            }
            self.check_law(&event, seen);
            let Some(mut watch) = self.stops.take() else {
                self.emit(event, out, seen);
                continue;
            };
            let mut passed = Vec::new();
            let cut = watch.pass(event, &mut passed);
            self.stops = Some(watch);
            for event in passed {
                self.emit(event, out, seen);
            }
            seen.abandon |= cut;
        }
        self.events = events;
    }

    fn emit(&mut self, event: Event, out: &mut Out, seen: &mut Seen) {
        seen.events += 1;
        match &event {
            Event::PartDelta { delta: Delta::Text(text) | Delta::Arguments(text), .. } => {
                self.content_bytes += text.len() as u64;
                seen.content = true;
            }
            Event::PartStart { opening: PartOpening::ToolCall { .. } | PartOpening::Whole(_), .. } => {
                seen.content = true;
            }
            Event::Usage(usage) => match &mut self.usage {
                Some(known) => known.absorb(usage),
                None => self.usage = Some(usage.clone()),
            },
            Event::End => {
                seen.terminal = true;
                self.ended = true;
            }
            // Rendered by the pump, which knows whether the head is out.
            Event::Fault(error) => {
                self.ended = true;
                let mut error = (**error).clone();
                self.credentials.cut_error(&mut error);
                seen.fail(error);
                return;
            }
            Event::Start(_)
            | Event::PartStart { .. }
            | Event::PartDelta { .. }
            | Event::PartEnd { .. }
            | Event::Finish { .. }
            | Event::Logprobs { .. }
            | Event::Vendor { .. }
            | Event::Ping => {}
        }
        let encoder = &mut self.encoder;
        self.tools.restore_event(event, &mut |event| encoder.push(&event, out.writer()));
    }

    #[cfg(debug_assertions)]
    fn check_law(&mut self, event: &Event, seen: &mut Seen) {
        if let Err(broken) = self.law.observe(event) {
            tracing::error!(law = %broken.0, "a stream decoder broke the event grammar");
            seen.fail(GatewayError::new(Code::Internal, "the gateway could not follow the provider's stream"));
        }
    }

    #[cfg(not(debug_assertions))]
    #[expect(clippy::unused_self, clippy::needless_pass_by_ref_mut, reason = "same shape as with the checker")]
    fn check_law(&mut self, _event: &Event, _seen: &mut Seen) {}
}

/// A provider-native answer: bytes pass as they are, a JSON answer is kept up to a bound to read its usage.
#[derive(Default)]
pub(crate) struct Raw {
    pub(crate) kept: Vec<u8>,
    pub(crate) keep: bool,
    pub(crate) read: Option<Arc<dyn gw_spi::Egress>>,
}

/// Native JSON answers larger than this (embeddings, base64 images) are not searched for usage.
const RAW_KEPT: usize = 1024 * 1024;

impl Raw {
    fn chunk(&mut self, chunk: &Bytes, out: &mut Out) -> Seen {
        if self.keep {
            if self.kept.len() + chunk.len() <= RAW_KEPT {
                self.kept.extend_from_slice(chunk);
            } else {
                self.keep = false;
                self.kept = Vec::new();
            }
        }
        out.push(chunk.clone());
        Seen { events: 1, content: true, ..Seen::default() }
    }

    fn report(&self) -> ProbeReport {
        match &self.read {
            Some(egress) if self.keep && !self.kept.is_empty() => egress.reply_probe(&self.kept),
            _ => ProbeReport::default(),
        }
    }
}

pub(crate) fn interrupted() -> GatewayError {
    GatewayError::new(Code::Interrupted, "the provider's stream ended before the answer was complete")
}
