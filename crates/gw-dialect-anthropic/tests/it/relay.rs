//! Relayed bytes: edits and probes.

use bytes::Bytes;
use gw_core::Code;
use gw_dialect_anthropic::Egress;
use gw_spi::{Capabilities, Egress as _, FrameSignal, RelayWants};
use gw_wire::{Document, Limits, splice};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::frames;

fn relayed(body: &str, model: &str, capabilities: &Capabilities) -> String {
    let document = Document::envelope(body, Limits::default()).unwrap();
    let wants = RelayWants { model, stream: false, usage: true, capabilities };
    let splices = Egress.relay_splices(&document, &wants);
    let pieces = splice(&Bytes::copy_from_slice(body.as_bytes()), splices);
    String::from_utf8(pieces.concat()).unwrap()
}

#[test]
fn only_the_model_changes() {
    let body = r#"{ "model" : "a" , "messages":[{"role":"user","content":"\u00e9"}], "max_tokens":1e2 }"#;
    assert_eq!(relayed(body, "b\"c", &Capabilities::default()), body.replace("\"a\"", "\"b\\\"c\""));
    assert_eq!(relayed(body, "a", &Capabilities::default()), body);
}

#[test]
fn a_model_that_the_client_left_out_is_put_first() {
    assert_eq!(relayed("{}", "m", &Capabilities::default()), r#"{"model":"m"}"#);
    assert_eq!(relayed(r#"{ "a":1}"#, "m", &Capabilities::default()), r#"{"model":"m", "a":1}"#);
    let modelless = Capabilities { drop_fields: vec!["model".into()], ..Capabilities::default() };
    assert_eq!(relayed(r#"{"a":1}"#, "m", &modelless), r#"{"a":1}"#);
}

#[test]
fn refused_fields_go_with_one_comma_each() {
    let refusing = |names: &[&str]| Capabilities {
        drop_fields: names.iter().map(|name| (*name).to_owned()).collect(),
        ..Capabilities::default()
    };
    let body = r#"{"a":1, "model":"m","b":[1,2] ,"c":"x"}"#;
    assert_eq!(relayed(body, "m", &refusing(&["a"])), r#"{"model":"m","b":[1,2] ,"c":"x"}"#);
    assert_eq!(relayed(body, "m", &refusing(&["b"])), r#"{"a":1, "model":"m","c":"x"}"#);
    assert_eq!(relayed(body, "m", &refusing(&["b", "c"])), r#"{"a":1, "model":"m"}"#);
    assert_eq!(relayed(body, "m", &refusing(&["a", "b", "c", "model"])), "{}");
    let renaming = Capabilities { rename_fields: vec![("b".into(), "bb".into())], ..Capabilities::default() };
    assert_eq!(relayed(body, "m", &renaming), body.replace("\"b\"", "\"bb\""));
    // What is newer than this code is for the vendor to judge.
    let strict = Capabilities { strict_fields: true, ..Capabilities::default() };
    assert_eq!(relayed(body, "m", &strict), body);
}

proptest! {
    #[test]
    fn the_rest_is_untouched(names in proptest::collection::btree_set("[a-e]", 0..5), dropped in proptest::collection::btree_set("[a-e]", 0..5), space in "[ \n]{0,2}") {
        let members: Vec<String> = names.iter().map(|name| format!("{space}\"{name}\"{space}:{space}[\"{name}\"]")).collect();
        let body = format!("{{{}{space}}}", [vec!["\"model\":\"m\"".to_owned()], members].concat().join(","));
        let capabilities = Capabilities { drop_fields: dropped.iter().cloned().collect(), ..Capabilities::default() };
        let out: Value = serde_json::from_str(&relayed(&body, "m", &capabilities)).unwrap();
        let mut expected: Value = serde_json::from_str(&body).unwrap();
        expected.as_object_mut().unwrap().retain(|name, _| !dropped.contains(name));
        prop_assert_eq!(out, expected);
        prop_assert_eq!(relayed(&body, "m", &Capabilities::default()), body);
    }
}

#[test]
fn a_stream_probe_finds_usage_and_the_end() {
    let stream = concat!(
        "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"model\":\"claude\",\"usage\":{\"input_tokens\":10,\"output_tokens\":1}}}\n\n",
        "event: ping\ndata: {\"type\": \"ping\"}\n\n",
        "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n",
        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"Hello\"}}\n\n",
        "data: {\"type\": \"content_block_delta\", \"index\": 0, \"delta\": {\"type\": \"input_json_delta\", \"partial_json\": \"{}\"}}\n\n",
        "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":9}}\n\n",
        "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
    );
    let mut probe = Egress.stream_probe();
    let mut signals = String::new();
    for frame in frames(stream.as_bytes(), usize::MAX) {
        let complete = probe.report().complete;
        signals.push(match probe.observe(&frame) {
            FrameSignal::Preamble => 'p',
            FrameSignal::Content => 'c',
            FrameSignal::Terminal => 't',
            FrameSignal::Fault(_) => 'f',
        });
        assert!(!probe.is_requested_usage(&frame));
        assert_eq!(complete, signals.starts_with("pppccc") && signals.len() > 6, "{signals}");
    }
    let report = probe.report();
    assert_eq!(signals, "pppccct");
    assert_eq!((report.complete, report.model.as_deref(), report.content_bytes), (true, Some("claude"), 7));
    let usage = report.usage.unwrap();
    assert_eq!((usage.input_total(), usage.output), (10, 9));
}

#[test]
fn a_stream_probe_sees_faults() {
    let stream =
        "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"x\"}}\n\n";
    let mut probe = Egress.stream_probe();
    let FrameSignal::Fault(error) = probe.observe(&frames(stream.as_bytes(), 100)[0]) else { panic!() };
    assert_eq!(error.code, Code::UpstreamOverloaded);
    assert!(!probe.report().complete);
}

#[test]
fn a_reply_probe_reads_the_outer_usage() {
    let body = json!({"content": [{"type": "text", "text": "\"usage\": {\"input_tokens\": 5}"}], "model": "claude",
        "usage": {"input_tokens": 3, "output_tokens": 4}});
    let report = Egress.reply_probe(body.to_string().as_bytes());
    assert_eq!((report.usage.unwrap().total(), report.complete, report.model.as_deref()), (7, true, Some("claude")));
    for body in ["", "{", "[]", "\"usage\""] {
        assert_eq!(Egress.reply_probe(body.as_bytes()).usage, None);
    }
}
