//! Tests of the whole codec, with what they share.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod corpus;
mod errors;
mod laws;
mod losses;
mod relay;
mod replies;
mod requests;
mod streams;

use std::sync::Arc;

use bytes::Bytes;
use gw_core::{ChatReply, ChatRequest, Event, Fold, GatewayError, LawChecker, Loss};
use gw_spi::{
    Capabilities, DecodeContext, Egress as _, EncodeContext, Encoded, Framing, Ingress as _, NoSealer, ReplyContext,
};
use gw_wire::{Document, Frame, Limits, SseFramer};
use http::HeaderMap;
use serde_json::Value;

use crate::{Egress, Ingress};

pub(crate) fn reply_context(vendor: &str) -> ReplyContext {
    ReplyContext {
        request_id: "req-1".into(),
        id_base: "base1".into(),
        client_model: "client-model".into(),
        created: 1_700_000_000,
        include_usage: true,
        legacy_functions: false,
        hide_reasoning: false,
        framing: Framing::Sse,
        vendor: vendor.into(),
        sealer: Arc::new(NoSealer),
        limits: Limits::default(),
        candidates: 1,
    }
}

pub(crate) fn decode_request(body: &str) -> Result<(ChatRequest, Vec<Loss>), GatewayError> {
    let headers = HeaderMap::new();
    let context = DecodeContext {
        limits: Limits::default(),
        sealer: &NoSealer,
        path_model: None,
        path_stream: None,
        headers: &headers,
    };
    let document = Document::parse(body, Limits::default()).unwrap();
    Ingress.decode(&document, &context)
}

/// Everything on: what OpenAI itself takes.
pub(crate) fn rich() -> Capabilities {
    use gw_core::Effort;
    Capabilities {
        developer_role: true,
        token_param: gw_spi::TokenParam::MaxCompletionTokens,
        efforts: vec![Effort::None, Effort::Minimal, Effort::Low, Effort::Medium, Effort::High],
        cache_marks: true,
        metadata: true,
        service_tier: true,
        store: true,
        ..Capabilities::default()
    }
}

/// Servers at both ends of what this format knows.
pub(crate) fn poor_and_rich() -> [(Capabilities, &'static str); 3] {
    let poor = Capabilities { strict_fields: true, max_stops: 0, call_id_length: Some(9), ..Capabilities::default() };
    [(rich(), "openai"), (poor.clone(), "mistral"), (Capabilities { tool_choice: false, ..poor }, "other")]
}

pub(crate) fn encode_with(request: &ChatRequest, capabilities: &Capabilities, vendor: &str) -> Encoded {
    let context = EncodeContext { model: &request.model, stream: request.stream, capabilities, vendor };
    Egress.encode(request, &context).unwrap()
}

pub(crate) fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or_else(|_| panic!("not JSON: {}", String::from_utf8_lossy(bytes)))
}

pub(crate) fn frames(stream: &[u8], step: usize) -> Vec<Frame> {
    let mut framer = SseFramer::new(16 << 20);
    let mut out = Vec::new();
    for chunk in stream.chunks(step) {
        framer.push(Bytes::copy_from_slice(chunk), &mut out).unwrap();
    }
    framer.finish(&mut out);
    out
}

/// Events of a stream, checked against the laws.
pub(crate) fn decode_frames(frames: &[Frame], context: &ReplyContext) -> Vec<Event> {
    let mut decoder = Egress.event_decoder(context);
    let mut events = Vec::new();
    for frame in frames {
        decoder.push(frame, &mut events);
    }
    decoder.finish(&mut events);
    let mut laws = LawChecker::default();
    for event in &events {
        laws.observe(event).unwrap_or_else(|law| panic!("{law}: {events:#?}"));
    }
    laws.finish_stream().unwrap();
    events
}

pub(crate) fn decode_stream(stream: &str, context: &ReplyContext) -> Vec<Event> {
    decode_frames(&frames(stream.as_bytes(), 4096), context)
}

pub(crate) fn fold(events: Vec<Event>) -> Result<ChatReply, GatewayError> {
    let mut fold = Fold::default();
    for event in events {
        fold.push(event);
    }
    fold.finish()
}

pub(crate) fn encode_events(events: &[Event], context: &ReplyContext) -> String {
    let mut encoder = Ingress.event_encoder(context);
    let mut out = Vec::new();
    for event in events {
        encoder.push(event, &mut out);
    }
    String::from_utf8(out).unwrap()
}

/// Parsed data of a stream that this format's encoder wrote; the terminator must be there once, last.
pub(crate) fn chunks(stream: &str) -> Vec<Value> {
    let all = frames(stream.as_bytes(), 4096);
    let (last, rest) = all.split_last().expect("a terminator");
    assert_eq!(&last.data[..], b"[DONE]", "{stream}");
    rest.iter().map(|frame| json(&frame.data)).collect()
}
