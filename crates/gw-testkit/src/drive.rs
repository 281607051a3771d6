//! Drives codecs over bytes: frames cut anywhere, laws checked, streams folded and re-encoded.

use bytes::Bytes;
use gw_core::{ChatReply, Event, Fold, GatewayError, LawChecker};
use gw_spi::{Egress, Framing, Ingress, ReplyContext, Verdict};
use gw_wire::{Frame, JsonArrayFramer, SseFramer};

/// Largest upstream frame in tests.
const FRAME_LIMIT: usize = 64 << 20;

/// Splits a recorded stream into frames, fed in pieces of `cut` bytes (0: all at once).
///
/// # Panics
/// When a frame is larger than any real one.
#[must_use]
pub fn frames(bytes: &[u8], framing: Framing, cut: usize) -> Vec<Frame> {
    let cut = if cut == 0 { bytes.len().max(1) } else { cut };
    let mut out = Vec::new();
    match framing {
        Framing::Sse => {
            let mut framer = SseFramer::new(FRAME_LIMIT);
            for chunk in bytes.chunks(cut) {
                framer.push(Bytes::copy_from_slice(chunk), &mut out).expect("frame within the limit");
            }
            framer.finish(&mut out);
        }
        Framing::JsonArray => {
            let mut framer = JsonArrayFramer::new(FRAME_LIMIT);
            for chunk in bytes.chunks(cut) {
                framer.push(&Bytes::copy_from_slice(chunk), &mut out).expect("frame within the limit");
            }
        }
        Framing::Json => out.push(Frame {
            event: Bytes::new(),
            data: Bytes::copy_from_slice(bytes),
            raw: Bytes::copy_from_slice(bytes),
        }),
    }
    out
}

/// What a decoder made of a stream.
#[derive(Debug)]
pub struct Decoded {
    /// Lawful events, the terminal one included.
    pub events: Vec<Event>,
    /// Frames of unknown type.
    pub unknown: usize,
    /// The first reason for a broken frame.
    pub corrupt: Option<String>,
}

/// Runs a decoder over frames and checks the laws of the event grammar on the way.
///
/// # Errors
/// The law that the decoder broke, with the event before it.
pub fn decode_frames(egress: &dyn Egress, context: &ReplyContext, frames: &[Frame]) -> Result<Decoded, String> {
    let mut decoder = egress.event_decoder(context);
    let mut events = Vec::new();
    let mut decoded = Decoded { events: Vec::new(), unknown: 0, corrupt: None };
    for frame in frames {
        match decoder.push(frame, &mut events) {
            Verdict::Known => {}
            Verdict::Unknown => decoded.unknown += 1,
            Verdict::Corrupt(reason) => {
                decoded.corrupt.get_or_insert(reason);
            }
        }
    }
    decoder.finish(&mut events);
    let mut law = LawChecker::default();
    for (at, event) in events.iter().enumerate() {
        law.observe(event).map_err(|broken| format!("{broken} at event {at}: {event:?}"))?;
    }
    law.finish_stream().map_err(|broken| broken.to_string())?;
    decoded.events = events;
    Ok(decoded)
}

/// Frames and decodes a whole stream.
///
/// # Errors
/// The law that the decoder broke.
pub fn decode_stream(
    egress: &dyn Egress,
    context: &ReplyContext,
    bytes: &[u8],
    framing: Framing,
    cut: usize,
) -> Result<Decoded, String> {
    decode_frames(egress, context, &frames(bytes, framing, cut))
}

/// Folds events into a reply.
///
/// # Errors
/// The stream's fault.
pub fn fold(events: &[Event]) -> Result<ChatReply, GatewayError> {
    let mut fold = Fold::default();
    for event in events {
        fold.push(event.clone());
    }
    fold.finish()
}

/// Decodes a stream cut into pieces of `cut` bytes and folds it.
///
/// # Errors
/// The stream's fault.
///
/// # Panics
/// When the decoder breaks a law.
pub fn fold_stream(
    egress: &dyn Egress,
    context: &ReplyContext,
    bytes: &[u8],
    cut: usize,
) -> Result<ChatReply, GatewayError> {
    let decoded = decode_stream(egress, context, bytes, Framing::Sse, cut).unwrap_or_else(|law| panic!("{law}"));
    fold(&decoded.events)
}

/// What a client receives for these events.
#[must_use]
pub fn encode_stream(ingress: &dyn Ingress, context: &ReplyContext, events: &[Event]) -> Vec<u8> {
    let mut encoder = ingress.event_encoder(context);
    let mut out = Vec::new();
    for event in events {
        encoder.push(event, &mut out);
    }
    out
}

/// Joins deltas that follow each other for the same part, so that streams cut differently compare equal.
#[must_use]
pub fn coalesced(events: &[Event]) -> Vec<String> {
    events.iter().filter(|event| !matches!(event, Event::Ping)).map(|event| format!("{event:?}")).collect()
}
