//! Contexts and short hands.

use std::sync::Arc;

use bytes::Bytes;
use gw_core::{ChatReply, ChatRequest, Effort, Event, Fold, GatewayError, LawChecker, Loss};
use gw_dialect_anthropic::{Egress, Ingress};
use gw_spi::{
    Capabilities, DecodeContext, Egress as _, EncodeContext, Encoded, Framing, Ingress as _, NoSealer, ReasoningStyle,
    ReplyContext, Verdict,
};
use gw_wire::{Document, Frame, Limits, SseFramer};
use http::HeaderMap;
use serde_json::Value;

/// What a current model of the vendor takes.
pub(crate) fn capabilities() -> Capabilities {
    Capabilities {
        reasoning: ReasoningStyle::Adaptive,
        efforts: vec![Effort::Low, Effort::Medium, Effort::High, Effort::Max],
        max_temperature: 1.0,
        max_output: Some(64_000),
        cache_marks: true,
        media_in_tool_results: true,
        file_urls: true,
        top_k: true,
        service_tier: true,
        max_stops: 100,
        audio_input: false,
        ..Capabilities::default()
    }
}

pub(crate) fn decode_with(body: &str, headers: &HeaderMap) -> Result<(ChatRequest, Vec<Loss>), GatewayError> {
    let document = Document::parse(body, Limits::default()).unwrap();
    let sealer = NoSealer;
    let context =
        DecodeContext { limits: Limits::default(), sealer: &sealer, path_model: None, path_stream: None, headers };
    Ingress.decode(&document, &context)
}

pub(crate) fn decode(body: &Value) -> ChatRequest {
    let (request, losses) = decode_with(&body.to_string(), &HeaderMap::new()).unwrap();
    assert_eq!(losses, []);
    request
}

pub(crate) fn encode_for(
    request: &ChatRequest,
    capabilities: &Capabilities,
    vendor: &str,
) -> Result<Encoded, GatewayError> {
    Egress.encode(request, &EncodeContext { model: "upstream-model", stream: false, capabilities, vendor })
}

pub(crate) fn encode_with(request: &ChatRequest, capabilities: &Capabilities) -> (Value, Encoded) {
    let encoded = encode_for(request, capabilities, "anthropic").unwrap();
    (serde_json::from_slice(&encoded.body.bytes).unwrap(), encoded)
}

pub(crate) fn encode(request: &ChatRequest) -> (Value, Encoded) {
    encode_with(request, &capabilities())
}

pub(crate) fn reply_context(vendor: &str) -> ReplyContext {
    ReplyContext {
        request_id: "req_1".into(),
        id_base: "Base01".into(),
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

pub(crate) fn frames(bytes: &[u8], chunk: usize) -> Vec<Frame> {
    let mut framer = SseFramer::new(1 << 20);
    let mut frames = Vec::new();
    for piece in bytes.chunks(chunk.max(1)) {
        framer.push(Bytes::copy_from_slice(piece), &mut frames).unwrap();
    }
    framer.finish(&mut frames);
    frames
}

/// Decodes a stream and checks the laws.
pub(crate) fn events_of(frames: &[Frame], vendor: &str) -> (Vec<Event>, Vec<Verdict>) {
    let mut decoder = Egress.event_decoder(&reply_context(vendor));
    let mut events = Vec::new();
    let verdicts = frames.iter().map(|frame| decoder.push(frame, &mut events)).collect();
    decoder.finish(&mut events);
    let mut law = LawChecker::default();
    for event in &events {
        law.observe(event).unwrap_or_else(|broken| panic!("{broken}: {events:?}"));
    }
    law.finish_stream().unwrap();
    (events, verdicts)
}

pub(crate) fn fold(events: &[Event]) -> Result<ChatReply, GatewayError> {
    let mut fold = Fold::default();
    events.iter().for_each(|event| fold.push(event.clone()));
    fold.finish()
}

/// Encodes events for a client; returns the bytes as text.
pub(crate) fn encode_events(events: &[Event], context: &ReplyContext) -> String {
    let mut encoder = Ingress.event_encoder(context);
    let mut out = Vec::new();
    events.iter().for_each(|event| encoder.push(event, &mut out));
    String::from_utf8(out).unwrap()
}

/// Data of every event, with the name checked against the type.
pub(crate) fn data(text: &str) -> Vec<Value> {
    frames(text.as_bytes(), usize::MAX)
        .iter()
        .map(|frame| {
            let value: Value = serde_json::from_slice(&frame.data).unwrap();
            assert_eq!(value["type"].as_str().unwrap().as_bytes(), &frame.event[..]);
            value
        })
        .collect()
}

/// Checks a client stream against the grammar: one message, blocks one after another with contiguous indices.
pub(crate) fn check_grammar(events: &[Value]) {
    let mut open: Option<u64> = None;
    let (mut next, mut started, mut delta_seen, mut ended) = (0, false, false, false);
    for event in events {
        assert!(!ended, "after the end: {event}");
        let index = event["index"].as_u64();
        match event["type"].as_str().unwrap() {
            "ping" => assert!(started),
            "error" => ended = true,
            "message_start" => {
                assert!(!started);
                started = true;
            }
            "content_block_start" => {
                assert!(started && open.is_none() && !delta_seen && index == Some(next), "{event}");
                open = index;
                next += 1;
            }
            "content_block_delta" => assert!(open.is_some() && open == index, "{event}"),
            "content_block_stop" => {
                assert!(open.is_some() && open == index, "{event}");
                open = None;
            }
            "message_delta" => {
                assert!(started && open.is_none(), "{event}");
                delta_seen = true;
            }
            "message_stop" => {
                assert!(delta_seen, "{event}");
                ended = true;
            }
            other => panic!("{other}"),
        }
    }
    assert!(ended);
}
