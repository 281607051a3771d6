//! Recorded traffic of many servers of this format, where it is at hand.

use std::path::PathBuf;

use gw_core::{Code, Event, PartBody};
use gw_spi::{Egress as _, Ingress as _, UpstreamFault};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::Value;

use super::{chunks, decode_frames, decode_request, encode_events, encode_with, fold, frames, reply_context, rich};
use crate::{Egress, Ingress};

fn records() -> Option<Vec<Value>> {
    let folder = std::env::var_os("IRONGATE_CORPUS")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus"), PathBuf::from);
    let file = folder.join("core.jsonl");
    let Ok(text) = std::fs::read_to_string(&file) else {
        println!("skipped: no recorded traffic at {}", file.display());
        return None;
    };
    let parsed = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    Some(
        parsed.filter(|record| record["path"].as_str().is_some_and(|path| path.contains("chat/completions"))).collect(),
    )
}

fn vendor(record: &Value) -> &str {
    match record["provider"].as_str().unwrap_or_default() {
        "dashscope" => "qwen",
        other => other,
    }
}

/// Bodies of parts; a call without arguments is given out with an empty object.
fn bodies(parts: &[gw_core::Part]) -> Vec<PartBody> {
    let full = |part: &gw_core::Part| {
        let mut body = part.body.clone();
        if let PartBody::ToolCall { arguments, .. } = &mut body
            && arguments.is_empty()
        {
            "{}".clone_into(arguments);
        }
        if let PartBody::Text { citations, .. } = &mut body {
            for citation in citations {
                citation.raw = None;
                // A server's empty range means the whole text, and is given out as that.
                citation.span = citation.span.filter(|(start, _)| *start > 0);
            }
        }
        body
    };
    parts.iter().map(full).collect()
}

#[test]
fn recorded_requests_decode_and_encode_for_their_own_vendor() {
    let Some(records) = records() else { return };
    let mut seen = 0;
    for record in &records {
        let request = &record["request_json"];
        if !request.is_object() {
            continue;
        }
        seen += 1;
        let id = record["id"].as_str().unwrap_or_default();
        let (decoded, losses) = decode_request(&request.to_string()).unwrap_or_else(|error| panic!("{id}: {error:?}"));
        for loss in &losses {
            assert_ne!(loss.class, gw_core::LossClass::Semantic, "{id}: {loss:?}");
        }
        let encoded = encode_with(&decoded, &rich(), vendor(record));
        super::json(&encoded.body.bytes);
    }
    assert!(seen > 300, "{seen}");
}

#[test]
fn recorded_answers_decode_and_survive_a_round_trip() {
    let Some(records) = records() else { return };
    let mut seen = 0;
    for record in records.iter().filter(|record| record["status"] == 200 && record["is_stream"] != true) {
        let (id, body) = (record["id"].as_str().unwrap_or_default(), record["response_body"].as_str().unwrap_or(""));
        let context = reply_context(vendor(record));
        let parsed: Value = serde_json::from_str(body).unwrap();
        let reply = match Egress.decode_reply(body.as_bytes(), &context) {
            Ok(reply) => reply,
            Err(error) => {
                assert!(parsed["error"].is_object(), "{id}: {error:?}");
                println!("{id}: {error:?}");
                continue;
            }
        };
        seen += 1;
        assert_eq!(reply.usage.is_some(), parsed["usage"]["prompt_tokens"].is_number(), "{id}");
        let probed = Egress.reply_probe(body.as_bytes());
        assert_eq!(probed.usage, reply.usage, "{id}");
        if let (Some(usage), Some(total)) = (&reply.usage, parsed["usage"]["total_tokens"].as_u64()) {
            assert_eq!(usage.total(), total, "{id} {}", parsed["usage"]);
        }
        let again = Egress.decode_reply(&Ingress.encode_reply(&reply, &context), &context).unwrap();
        let texts =
            |reply: &gw_core::ChatReply| -> Vec<_> { reply.candidates.iter().map(|one| bodies(&one.parts)).collect() };
        assert_eq!(texts(&again), texts(&reply), "{id}");
        assert_eq!(again.usage, reply.usage, "{id}");
    }
    assert!(seen > 200, "{seen}");
}

#[test]
fn recorded_streams_obey_the_laws_however_they_are_cut() {
    let Some(records) = records() else { return };
    let mut seen = 0;
    for record in records.iter().filter(|record| record["status"] == 200 && record["is_stream"] == true) {
        let (id, body) = (record["id"].as_str().unwrap_or_default(), record["response_body"].as_str().unwrap_or(""));
        if body.is_empty() {
            continue;
        }
        seen += 1;
        let context = reply_context(vendor(record));
        let whole = frames(body.as_bytes(), body.len().max(1));
        for step in [1, 7] {
            // A cut inside the CRLF that ends an event leaves the line feed out of its raw bytes.
            let content = |frames: &[gw_wire::Frame]| -> Vec<_> {
                frames.iter().map(|frame| (frame.event.clone(), frame.data.clone())).collect()
            };
            assert_eq!(content(&frames(body.as_bytes(), step)), content(&whole), "{id}");
        }
        let events = decode_frames(&whole, &context);
        let mut probe = Egress.stream_probe();
        let mut faulted = false;
        for frame in &whole {
            faulted |= matches!(probe.observe(frame), gw_spi::FrameSignal::Fault(_));
        }
        let fault = events.iter().find_map(|event| match event {
            Event::Fault(error) => Some(error.clone()),
            _ => None,
        });
        assert_eq!(fault.is_some(), faulted, "{id}: {fault:?}");
        let usage = events.iter().rev().find_map(|event| match event {
            Event::Usage(usage) => Some(usage.clone()),
            _ => None,
        });
        assert_eq!(probe.report().usage, usage, "{id}");
        if let Some(error) = fault {
            assert!(body.contains("\"error\""), "{id}: {error:?}");
            println!("{id}: {error:?}");
            continue;
        }
        assert!(probe.report().complete, "{id}");
        let encoded = encode_events(&events, &context);
        chunks(&encoded);
        let reply = fold(events).unwrap();
        let again = fold(super::decode_stream(&encoded, &context)).unwrap();
        assert_eq!(again.usage, reply.usage, "{id}");
        assert_eq!(again.candidates.len(), reply.candidates.len(), "{id}");
        for (left, right) in again.candidates.iter().zip(&reply.candidates) {
            // Stops that this format has no words for come back as the word that stands for them.
            let word = |stop| crate::stop::encode(stop, false);
            assert_eq!(word(&left.stop), word(&right.stop), "{id}");
            assert_eq!(bodies(&left.parts), bodies(&right.parts), "{id}");
        }
    }
    assert!(seen > 100, "{seen}");
}

#[test]
fn recorded_errors_are_classified() {
    let Some(records) = records() else { return };
    for record in records.iter().filter(|record| record["status"].as_u64().unwrap_or(200) >= 400) {
        let status = StatusCode::from_u16(u16::try_from(record["status"].as_u64().unwrap()).unwrap()).unwrap();
        let mut headers = HeaderMap::new();
        for (name, value) in record["response_headers"].as_object().into_iter().flatten() {
            if let (Ok(name), Some(Ok(value))) =
                (HeaderName::try_from(name.as_str()), value.as_str().map(HeaderValue::from_str))
            {
                headers.insert(name, value);
            }
        }
        let body = record["response_body"].as_str().unwrap_or_default().as_bytes();
        let error = Egress.decode_fault(&UpstreamFault { status, headers: &headers, body });
        println!("{} {} {:?}", record["provider"], status, error);
        let expected: &[Code] = match status.as_u16() {
            401 => &[Code::UpstreamAuth],
            404 => &[Code::UnknownModel, Code::NotFound],
            429 => &[Code::RateLimited, Code::QuotaExhausted],
            _ => &[Code::BadRequest, Code::ContextTooLong, Code::ContentPolicy],
        };
        assert!(expected.contains(&error.code), "{} {error:?}", record["id"]);
        assert!(!error.message.is_empty());
    }
}
