//! Recorded traffic, where it is at hand.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;

use gw_core::{Code, LossClass};
use gw_dialect_anthropic::Egress;
use gw_spi::{Egress as _, FrameSignal, UpstreamFault, Verdict};
use http::{HeaderMap, StatusCode};
use serde_json::Value;

use crate::support::{
    capabilities, check_grammar, data, decode_with, encode_events, encode_for, events_of, fold, frames, reply_context,
};

fn records() -> Option<impl Iterator<Item = Value>> {
    let folder = std::env::var_os("IRONGATE_CORPUS")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus"), PathBuf::from);
    let Ok(file) = File::open(folder.join("core.jsonl")) else {
        eprintln!("skipped: no recorded traffic at {}", folder.display());
        return None;
    };
    let lines = BufReader::new(file).lines();
    let all = lines.map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap());
    Some(all.filter(|record| {
        record["provider"] == "anthropic"
            && record["endpoint"].as_str().is_some_and(|name| name.starts_with("messages"))
    }))
}

#[test]
fn recorded_requests_are_read_and_written_again() {
    let Some(records) = records() else { return };
    let mut seen = 0;
    for record in records.filter(|record| record["request_json"].is_object()) {
        let (input, id) = (&record["request_json"], &record["id"]);
        let decoded = decode_with(&input.to_string(), &HeaderMap::new());
        let Ok((request, losses)) = decoded else {
            assert!(record["status"].as_u64().unwrap() >= 400, "{id}: {decoded:?}");
            continue;
        };
        assert_eq!(losses, [], "{id}");
        let mut wide = capabilities();
        (wide.prefill, wide.max_output, wide.max_temperature) = (true, None, 2.0);
        let encoded = encode_for(&request, &wide, "anthropic").unwrap();
        let output: Value = serde_json::from_slice(&encoded.body.bytes).unwrap();
        let worst = encoded.losses.iter().map(|loss| loss.class).max();
        assert!(worst.is_none_or(|class| class <= LossClass::Approximated), "{id}: {:?}", encoded.losses);
        for name in input.as_object().unwrap().keys() {
            let empty = input[name].as_array().is_some_and(Vec::is_empty) || input[name].is_null();
            let explained = matches!(name.as_str(), "stream" | "output_format") || !encoded.losses.is_empty();
            assert!(empty || explained || output.get(name).is_some(), "{id}: {name}");
        }
        for name in ["tools", "tool_choice", "metadata", "context_management", "max_tokens", "container"] {
            if encoded.losses.is_empty()
                && input[name].as_array().is_none_or(|list| !list.is_empty())
                && !input[name].is_null()
            {
                assert_eq!(output[name], input[name], "{id}: {name}");
            }
        }
        seen += 1;
    }
    assert!(seen > 100, "{seen}");
}

#[test]
fn recorded_answers_are_read() {
    let Some(records) = records() else { return };
    let (mut streams, mut wholes, mut faults) = (0, 0, 0);
    for record in records {
        let id = &record["id"];
        let status = u16::try_from(record["status"].as_u64().unwrap()).unwrap();
        let body = match &record["response_body"] {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            other => other.to_string(),
        };
        if status >= 400 {
            let headers = HeaderMap::new();
            let status = StatusCode::from_u16(status).unwrap();
            let error = Egress.decode_fault(&UpstreamFault { status, headers: &headers, body: body.as_bytes() });
            assert_ne!(error.code, Code::Internal);
            faults += 1;
        } else if record["is_stream"] == true {
            let (events, verdicts) = events_of(&frames(body.as_bytes(), 997), "anthropic");
            assert!(!verdicts.iter().any(|verdict| matches!(verdict, Verdict::Corrupt(_))), "{id}: {verdicts:?}");
            check_grammar(&data(&encode_events(&events, &reply_context("anthropic"))));
            match fold(&events) {
                Ok(reply) => assert!(reply.usage.is_some_and(|usage| usage.output > 0), "{id}"),
                Err(error) => assert!(body.contains("event: error") || !body.contains("message_stop"), "{id}: {error}"),
            }
            let mut probe = Egress.stream_probe();
            for frame in frames(body.as_bytes(), 997) {
                // Some recordings hold the stream of a following request too.
                if matches!(probe.observe(&frame), FrameSignal::Terminal) {
                    break;
                }
            }
            let report = probe.report();
            assert_eq!(report.complete, body.contains("message_stop"), "{id}");
            if let Ok(reply) = fold(&events) {
                assert_eq!(report.usage, reply.usage, "{id}");
            }
            streams += 1;
        } else if body.contains("\"content\"") && body.contains("stop_reason") {
            let reply = Egress.decode_reply(body.as_bytes(), &reply_context("anthropic")).unwrap();
            let probed = Egress.reply_probe(body.as_bytes());
            assert_eq!(probed.usage, reply.usage, "{id}");
            wholes += 1;
        } else if body.contains("\"input_tokens\"") {
            Egress.decode_count(body.as_bytes()).unwrap();
        }
    }
    assert!(streams > 50 && wholes > 90 && faults > 5, "{streams} {wholes} {faults}");
}
