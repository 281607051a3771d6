//! Stream codecs: plain state machines over frames and events.

use gw_core::{Event, GatewayError, Usage};
use gw_wire::Frame;

/// How messages sit on the socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Framing {
    /// One JSON body.
    Json,
    /// Server-sent events.
    Sse,
    /// A JSON array whose elements arrive one by one.
    JsonArray,
}

/// What a decoder made of a frame; the driver owns what each means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Understood.
    Known,
    /// Well-formed but of an unknown type: skipped, counted.
    Unknown,
    /// Not understandable: the stream is broken.
    Corrupt(String),
}

/// Turns a provider's frames into events. Must obey the laws of `gw_core::Event` whatever arrives.
pub trait EventDecoder: Send {
    /// Takes the next frame.
    fn push(&mut self, frame: &Frame, out: &mut Vec<Event>) -> Verdict;

    /// The upstream closed: emits the missing terminal event (`End` when the answer was complete, otherwise a `Fault`
    /// with `Code::Interrupted`); nothing when the terminal event was emitted already.
    fn finish(&mut self, out: &mut Vec<Event>);
}

/// Turns events into bytes for the client, framing included.
pub trait EventEncoder: Send {
    /// Takes the next event. A `Fault` is rendered as the dialect's mid-stream error; `End` as its terminator.
    fn push(&mut self, event: &Event, out: &mut Vec<u8>);
}

/// What a relayed frame means for the gateway.
#[derive(Debug, Clone)]
pub enum FrameSignal {
    /// Nothing that the client waits for (role chunk, ping, `message_start`).
    Preamble,
    /// Content.
    Content,
    /// The answer is complete after this frame.
    Terminal,
    /// The provider reports an error inside the stream.
    Fault(Box<GatewayError>),
}

/// Reads only what settlement needs from relayed frames.
pub trait Probe: Send {
    /// Looks at the next frame.
    fn observe(&mut self, frame: &Frame) -> FrameSignal;

    /// What is known so far.
    fn report(&self) -> ProbeReport;

    /// Whether the frame exists only because the gateway asked for usage on the client's behalf: it is not forwarded.
    fn is_requested_usage(&self, frame: &Frame) -> bool;
}

/// What a probe knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProbeReport {
    /// Latest usage snapshot.
    pub usage: Option<Usage>,
    /// Whether the answer is complete as far as the format tells (EOF is then a clean end).
    pub complete: bool,
    /// Model as the provider reported it.
    pub model: Option<String>,
    /// Bytes of generated text seen, for estimates when a stream is cut short.
    pub content_bytes: u64,
}
