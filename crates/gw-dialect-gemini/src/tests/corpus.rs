//! Recorded exchanges, where they are at hand.

use std::path::PathBuf;

use gw_core::{Code, LawChecker};
use gw_spi::{Egress as _, UpstreamFault};
use gw_wire::{JsonArrayFramer, SseFramer};
use serde_json::Value;

use super::{decode, encode_with, folded, reply_context, streamed};
use crate::Egress;

fn records() -> Option<Vec<Value>> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    let folder = std::env::var_os("IRONGATE_CORPUS").map_or_else(beside, PathBuf::from);
    let text = std::fs::read_to_string(folder.join("core.jsonl")).ok()?;
    let all = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    Some(
        all.filter(|record| matches!(record["provider"].as_str(), Some("gemini" | "vertex")))
            .filter(|record| matches!(record["endpoint"].as_str(), Some("generateContent" | "streamGenerateContent")))
            .collect(),
    )
}

#[test]
fn recorded_requests_decode_and_re_encode() {
    let Some(records) = records() else {
        eprintln!("skipped: no corpus");
        return;
    };
    let mut seen = 0;
    for record in records.iter().filter(|record| record["request_json"].get("contents").is_some()) {
        let (request, losses) = decode(&record["request_json"].to_string())
            .unwrap_or_else(|error| panic!("{}: {error} {:?}", record["id"], error.param));
        assert!(losses.is_empty());
        let encoded =
            encode_with(&request, &super::capabilities()).unwrap_or_else(|error| panic!("{}: {error}", record["id"]));
        let again = String::from_utf8(encoded.body.bytes.to_vec()).unwrap();
        let (second, _) = decode(&again).unwrap();
        let third = encode_with(&second, &super::capabilities()).unwrap();
        assert_eq!(encoded.body.bytes, third.body.bytes, "{}", record["id"]);
        assert!(
            request.extras.iter().all(|extra| extra.name.starts_with("toolConfig.")),
            "{}: {:?}",
            record["id"],
            request.extras
        );
        seen += 1;
    }
    assert!(seen > 100, "{seen}");
}

#[test]
fn recorded_answers_decode_lawfully_and_survive_a_client() {
    let Some(records) = records() else {
        eprintln!("skipped: no corpus");
        return;
    };
    let (mut whole, mut streams) = (0, 0);
    for record in records.iter().filter(|record| record["status"] == 200) {
        let id = &record["id"];
        let Some(body) = record["response_body"].as_str() else { continue };
        // One record of another call carries this endpoint's name.
        if body.starts_with("{\"embeddings\"") {
            continue;
        }
        let mut frames = Vec::new();
        match record["stream_format"].as_str() {
            Some("sse") => {
                let mut framer = SseFramer::new(1 << 26);
                framer.push(bytes::Bytes::copy_from_slice(body.as_bytes()), &mut frames).unwrap();
                framer.finish(&mut frames);
            }
            Some("json-array") => {
                JsonArrayFramer::new(1 << 26)
                    .push(&bytes::Bytes::copy_from_slice(body.as_bytes()), &mut frames)
                    .unwrap();
            }
            _ => {
                let reply = Egress
                    .decode_reply(body.as_bytes(), &reply_context())
                    .unwrap_or_else(|error| panic!("{id}: {error}"));
                let report = Egress.reply_probe(body.as_bytes());
                assert!(report.complete && report.usage == reply.usage && reply.usage.is_some(), "{id}");
                total(&reply, body, id);
                whole += 1;
                continue;
            }
        }
        let mut decoder = Egress.event_decoder(&reply_context());
        let mut probe = Egress.stream_probe();
        let (mut events, mut law) = (Vec::new(), LawChecker::default());
        for frame in &frames {
            assert_eq!(decoder.push(frame, &mut events), gw_spi::Verdict::Known, "{id}");
            probe.observe(frame);
        }
        decoder.finish(&mut events);
        events.iter().for_each(|event| law.observe(event).unwrap_or_else(|broken| panic!("{id}: {broken}")));
        let text = streamed(&events, &reply_context());
        let report = probe.report();
        let reply = folded(events).unwrap_or_else(|error| panic!("{id}: {error}"));
        assert!(report.complete && report.usage == reply.usage, "{id}");
        assert!(!reply.candidates.is_empty(), "{id}");
        assert!(text.contains("finishReason") || text.contains("promptFeedback"), "{id}");
        streams += 1;
    }
    assert!(whole > 80 && streams > 30, "{whole} {streams}");
}

/// The disjoint parts sum to the provider's own total.
fn total(reply: &gw_core::ChatReply, body: &str, id: &Value) {
    let json: Value = serde_json::from_str(body).unwrap();
    let stated = json["usageMetadata"]["totalTokenCount"].as_u64();
    if let (Some(stated), Some(usage)) = (stated, &reply.usage) {
        assert_eq!(usage.total(), stated, "{id}");
    }
}

#[test]
fn recorded_errors_are_classified() {
    let Some(records) = records() else {
        eprintln!("skipped: no corpus");
        return;
    };
    for record in records.iter().filter(|record| record["status"].as_u64().is_some_and(|status| status >= 400)) {
        let status = http::StatusCode::from_u16(u16::try_from(record["status"].as_u64().unwrap()).unwrap()).unwrap();
        let headers = http::HeaderMap::new();
        let body = record["response_body"].as_str().unwrap_or_default();
        let error = Egress.decode_fault(&UpstreamFault { status, headers: &headers, body: body.as_bytes() });
        assert_ne!(error.code, Code::UpstreamError, "{}: {error}", record["id"]);
        assert_eq!(error.upstream_status, Some(status.as_u16()));
    }
}
