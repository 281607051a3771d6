//! Tests of the whole format.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod corpus;
mod laws;
mod losses;
mod relay;
mod replies;
mod requests;
mod streams;

use std::sync::Arc;

use gw_core::{ChatRequest, Event, Fold, GatewayError, LawChecker, Loss};
use gw_spi::{
    Capabilities, DecodeContext, Egress as _, EncodeContext, Encoded, Framing, Ingress as _, NoSealer, ReasoningStyle,
    ReplyContext,
};
use gw_wire::{Document, Frame, Limits};
use http::HeaderMap;
use serde_json::Value;

use crate::{Egress, Ingress};

/// What a current Gemini model takes.
fn capabilities() -> Capabilities {
    Capabilities {
        reasoning: ReasoningStyle::Level,
        top_k: true,
        video_input: true,
        file_urls: true,
        media_in_tool_results: true,
        max_stops: 5,
        service_tier: true,
        ..Capabilities::default()
    }
}

fn decode(text: &str) -> Result<(ChatRequest, Vec<Loss>), GatewayError> {
    let document = Document::parse(text, Limits::default()).unwrap();
    let headers = HeaderMap::new();
    let context = DecodeContext {
        limits: Limits::default(),
        sealer: &NoSealer,
        path_model: Some("m"),
        path_stream: None,
        headers: &headers,
    };
    Ingress.decode(&document, &context)
}

fn encode_with(request: &ChatRequest, capabilities: &Capabilities) -> Result<Encoded, GatewayError> {
    let context = EncodeContext { model: "up", stream: false, capabilities, vendor: "gemini" };
    Egress.encode(request, &context)
}

fn encode(request: &ChatRequest) -> (Value, Vec<Loss>) {
    let encoded = encode_with(request, &capabilities()).unwrap();
    (serde_json::from_slice(&encoded.body.bytes).unwrap(), encoded.losses)
}

fn reply_context() -> ReplyContext {
    ReplyContext {
        request_id: "req-1".into(),
        id_base: "b4se".into(),
        client_model: "alias".into(),
        created: 7,
        include_usage: true,
        legacy_functions: false,
        hide_reasoning: false,
        framing: Framing::Sse,
        vendor: "gemini".into(),
        sealer: Arc::new(NoSealer),
        limits: Limits::default(),
        candidates: 1,
    }
}

fn frame(text: &str) -> Frame {
    Frame { data: bytes::Bytes::copy_from_slice(text.as_bytes()), ..Frame::default() }
}

/// Events of a stream, the laws checked.
fn events(chunks: &[&str]) -> Vec<Event> {
    let mut decoder = Egress.event_decoder(&reply_context());
    let mut out = Vec::new();
    for chunk in chunks {
        decoder.push(&frame(chunk), &mut out);
    }
    decoder.finish(&mut out);
    let mut law = LawChecker::default();
    for event in &out {
        law.observe(event).unwrap();
    }
    law.finish_stream().unwrap();
    out
}

fn folded(events: Vec<Event>) -> Result<gw_core::ChatReply, GatewayError> {
    let mut fold = Fold::default();
    events.into_iter().for_each(|event| fold.push(event));
    fold.finish()
}

/// What a client reads of these events.
fn streamed(events: &[Event], context: &ReplyContext) -> String {
    let mut encoder = Ingress.event_encoder(context);
    let mut out = Vec::new();
    for event in events {
        encoder.push(event, &mut out);
    }
    String::from_utf8(out).unwrap()
}
