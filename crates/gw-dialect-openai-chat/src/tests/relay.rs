//! Relayed bodies: only the declared bytes change.

use bytes::Bytes;
use gw_spi::{Capabilities, Egress as _, FrameSignal, Ingress as _, Peek, RelayWants};
use gw_wire::{Document, Frame, Limits, splice};
use http::{HeaderMap, Method};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{Egress, Ingress};

fn relay(body: &str, capabilities: &Capabilities, usage: bool) -> String {
    let envelope = Document::envelope(body, Limits::default()).unwrap();
    let wants = RelayWants { model: "up/\"model", stream: true, usage, capabilities };
    let splices = Egress.relay_splices(&envelope, &wants);
    let pieces = splice(&Bytes::copy_from_slice(body.as_bytes()), splices);
    String::from_utf8(pieces.concat()).unwrap()
}

#[test]
fn nothing_changes_when_nothing_must() {
    let body = "{ \"model\" : \"up\\/\\\"model\", \"n\":1.0 }\n";
    assert_eq!(relay(body, &Capabilities::default(), false), body);
}

#[test]
fn model_and_usage_are_put_in_place() {
    let plain = Capabilities::default();
    assert_eq!(
        relay(r#"{"a":1 , "model":"x"}"#, &plain, true),
        r#"{"stream_options":{"include_usage":true},"a":1 , "model":"up/\"model"}"#
    );
    assert_eq!(
        relay(r#"{"model":"x","stream_options":{"include_usage":false,"y":1}}"#, &plain, true),
        r#"{"model":"up/\"model","stream_options":{"include_usage":true,"y":1}}"#
    );
    assert_eq!(
        relay(r#"{"stream_options":{"y":1}}"#, &plain, true),
        r#"{"model":"up/\"model","stream_options":{"include_usage":true,"y":1}}"#
    );
    assert_eq!(
        relay(r#"{"stream_options":null}"#, &plain, true),
        r#"{"model":"up/\"model","stream_options":{"include_usage":true}}"#
    );
    assert_eq!(relay("{}", &plain, false), r#"{"model":"up/\"model"}"#);
}

#[test]
fn quirks_drop_and_rename_fields() {
    let quirks = Capabilities {
        drop_fields: vec!["a".into(), "c".into()],
        rename_fields: vec![("max_completion_tokens".into(), "max_tokens".into())],
        ..Capabilities::default()
    };
    assert_eq!(
        relay(r#"{"a":1, "model":"x" ,"max_completion_tokens" : 5, "c":2}"#, &quirks, false),
        r#"{"model":"up/\"model" ,"max_tokens" : 5}"#
    );
    assert_eq!(relay(r#"{"a":1,"c":[2]}"#, &quirks, false), r#"{"model":"up/\"model"}"#);
    assert_eq!(
        relay(r#"{"max_tokens":1,"max_completion_tokens":1,"model":"x"}"#, &quirks, false),
        r#"{"max_tokens":1,"model":"up/\"model"}"#
    );
}

proptest! {
    #[test]
    fn a_relayed_body_stays_json_and_keeps_every_other_member(
        members in proptest::collection::vec(("[a-eM]", any::<u16>(), "[ \n]{0,2}"), 0..9),
        drops in proptest::collection::vec("[a-e]", 0..4),
        usage in any::<bool>(),
    ) {
        let mut seen = std::collections::BTreeSet::new();
        let members: Vec<_> = members.into_iter().filter(|(name, _, _)| seen.insert(name.clone())).collect();
        let named = |name: &str| if name == "M" { "model".to_owned() } else { name.to_owned() };
        let body: Vec<String> =
            members.iter().map(|(name, value, gap)| format!("{gap}\"{}\"{gap}:{value}{gap}", named(name))).collect();
        let body = format!("{{{}}}", body.join(","));
        let capabilities = Capabilities { drop_fields: drops.clone(), ..Capabilities::default() };
        let out: Value = serde_json::from_str(&relay(&body, &capabilities, usage)).unwrap();
        let mut expected = json!({"model": "up/\"model"});
        for (name, value, _) in members.iter().filter(|(name, _, _)| !drops.contains(name) && name != "M") {
            expected[named(name)] = json!(value);
        }
        if usage {
            expected["stream_options"] = json!({"include_usage": true});
        }
        prop_assert_eq!(out, expected);
    }
}

#[test]
fn peek_reads_the_envelope_and_refuses_repeated_keys() {
    let route = Ingress.route(&Method::POST, "/v1/chat/completions", None, &HeaderMap::new()).unwrap();
    let peek = |body: &str| Ingress.peek(&route, &Document::envelope(body, Limits::default()).unwrap());
    let found = peek(r#"{"model":"m","stream":true,"stream_options":{"include_usage":true},"messages":[]}"#).unwrap();
    assert_eq!(found, Peek { model: Some("m".into()), stream: true, include_usage: true });
    assert_eq!(peek("{}").unwrap(), Peek::default());
    assert_eq!(peek(r#"{"model":"a","model":"b"}"#).unwrap_err().param.as_deref(), Some("model"));
    assert_eq!(peek(r#"{"stream":"yes"}"#).unwrap_err().param.as_deref(), Some("stream"));
    assert!(peek("[]").is_err());
}

fn frame(data: &str) -> Frame {
    Frame { data: Bytes::copy_from_slice(data.as_bytes()), ..Frame::default() }
}

#[test]
fn the_probe_tells_preamble_content_usage_and_faults() {
    let mut probe = Egress.stream_probe();
    let role = r#"{"model":"up","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"usage":null}"#;
    assert!(matches!(probe.observe(&frame(role)), FrameSignal::Preamble));
    let text = r#"{"choices":[{"index":0,"delta":{"content" : "h\"i"},"finish_reason":null}],"usage":null}"#;
    assert!(matches!(probe.observe(&frame(text)), FrameSignal::Content));
    let call = r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":""}}]}}]}"#;
    assert!(matches!(probe.observe(&frame(call)), FrameSignal::Content));
    assert!(!probe.report().complete);
    probe.observe(&frame(r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#));
    assert!(probe.report().complete);
    let usage = frame(r#"{"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}}"#);
    assert!(probe.is_requested_usage(&usage));
    probe.observe(&usage);
    assert!(!probe.is_requested_usage(&frame(role)));
    let with_choice = r#"{"choices":[{"index":0,"delta":{"content":"x"}}],"usage":{"prompt_tokens":5}}"#;
    assert!(!probe.is_requested_usage(&frame(with_choice)));
    let report = probe.report();
    assert_eq!((report.usage.unwrap().output, report.model.as_deref(), report.content_bytes), (2, Some("up"), 4));
    assert!(matches!(probe.observe(&frame("[DONE]")), FrameSignal::Terminal));

    let mut probe = Egress.stream_probe();
    let fault = probe.observe(&frame(r#"{"error":{"message":"slow","code":429}}"#));
    assert!(matches!(fault, FrameSignal::Fault(error) if error.code == gw_core::Code::RateLimited));
    // The word inside generated text is not an error.
    let text = r#"{"choices":[{"index":0,"delta":{"content":"{\"error\": {}}"}}]}"#;
    assert!(matches!(probe.observe(&frame(text)), FrameSignal::Content));
}
