//! Relayed bodies: declared edits and nothing else.

use bytes::Bytes;
use gw_spi::{Capabilities, Egress as _, Ingress as _, RelayWants};
use gw_wire::{Document, Limits, splice};
use http::{HeaderMap, Method};
use proptest::prelude::*;

use crate::{Egress, Ingress};

fn relayed(text: &str, model: &str, capabilities: &Capabilities) -> String {
    let document = Document::envelope(text, Limits::default()).unwrap();
    let wants = RelayWants { model, stream: true, usage: true, capabilities };
    let splices = Egress.relay_splices(&document, &wants);
    let pieces = splice(&Bytes::copy_from_slice(text.as_bytes()), splices);
    String::from_utf8(pieces.concat()).unwrap()
}

#[test]
fn row_10_the_stream_flag_is_cut_out_wherever_it_stands() {
    let plain = Capabilities::default();
    for (from, to) in [
        (r#"{"stream": true, "contents": []}"#, r#"{"contents": []}"#),
        (r#"{"contents": [] , "stream":true }"#, r#"{"contents": [] }"#),
        (r#"{"a":1,"stream":false,"b": 2}"#, r#"{"a":1,"b": 2}"#),
        (r#"{ "stream":true }"#, r#"{  }"#),
        (r#"{"stream":true,"drop_me":[1],"b":1e400}"#, r#"{"b":1e400}"#),
        (r#"{"b":1,"drop_me":[1],"stream":true}"#, r#"{"b":1}"#),
        (r#"{"drop_me":[1],"stream":true}"#, r#"{}"#),
    ] {
        let dropping = Capabilities { drop_fields: vec!["drop_me".into()], ..plain.clone() };
        assert_eq!(relayed(from, "m", &dropping), to);
    }
}

#[test]
fn model_names_and_renamed_fields() {
    let renaming = Capabilities { rename_fields: vec![("store".into(), "keep".into())], ..Capabilities::default() };
    assert_eq!(
        relayed(r#"{"model":"models/a","store" : true}"#, "b/c", &renaming),
        r#"{"model":"models/b/c","keep" : true}"#
    );
    assert_eq!(relayed(r#"{"model":"a"}"#, "b", &renaming), r#"{"model":"b"}"#);
    assert_eq!(relayed(r#"{"model":"b"}"#, "b", &renaming), r#"{"model":"b"}"#);
    assert_eq!(
        relayed(r#"{"generateContentRequest": { "contents":[], "model" : "models/a" }}"#, "b", &renaming),
        r#"{"generateContentRequest": { "contents":[], "model" : "models/b" }}"#
    );
}

#[test]
fn peeking_reads_model_and_flag() {
    let of = |path: &str, body: &str| {
        let route = Ingress.route(&Method::POST, path, None, &HeaderMap::new()).unwrap();
        let document = Document::envelope(body, Limits::default()).unwrap();
        Ingress.peek(&route, &document)
    };
    let peek = of("/v1beta/models/a:generateContent", r#"{"stream":true,"model":"models/z"}"#).unwrap();
    assert_eq!((peek.model.as_deref(), peek.stream, peek.include_usage), (Some("a"), true, true));
    assert!(!of("/v1beta/models/a:generateContent", "{}").unwrap().stream);
    assert!(of("/v1beta/models/a:streamGenerateContent", r#"{"stream":false}"#).unwrap().stream);
    for (body, param) in
        [(r#"{"stream":1}"#, "stream"), (r#"{"model":1}"#, "model"), (r#"{"stream":true,"stream":true}"#, "stream")]
    {
        assert_eq!(of("/v1beta/models/a:generateContent", body).unwrap_err().param.as_deref(), Some(param));
    }
    assert!(of("/v1beta/models/a:generateContent", "[]").is_err());
}

proptest! {
    #[test]
    fn everything_else_stays_byte_for_byte(
        before in "[ \n\t]{0,3}",
        names in proptest::collection::vec("[a-z]{1,6}X", 0..5),
        value in r#"(1e400|-0\.0|"\\u0041é"|\[1, 2\]|\{"stream":true\}|12345678901234567890)"#,
        at in 0usize..6,
    ) {
        let mut members: Vec<String> = names.iter().map(|name| format!("\"{name}\" :{before}{value}")).collect();
        let without = format!("{{{before}{}}}", members.join(","));
        prop_assert_eq!(relayed(&without, "m", &Capabilities::default()), without.clone());
        members.insert(at.min(members.len()), "\"stream\":true".to_owned());
        let with = format!("{{{before}{}}}", members.join(","));
        prop_assert_eq!(relayed(&with, "m", &Capabilities::default()), without);
    }
}
