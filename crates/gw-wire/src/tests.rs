//! Laws of the byte layer.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use bytes::Bytes;
use proptest::prelude::*;

use crate::{Document, Frame, JsonArrayFramer, JsonWriter, Kind, Limits, Splice, SseFramer, splice};

fn frames(chunks: impl IntoIterator<Item = Vec<u8>>) -> Vec<(Bytes, Bytes)> {
    let mut framer = SseFramer::new(1 << 20);
    let mut out: Vec<Frame> = Vec::new();
    for chunk in chunks {
        framer.push(Bytes::from(chunk), &mut out).unwrap();
    }
    framer.finish(&mut out);
    out.into_iter().map(|frame| (frame.event, frame.data)).collect()
}

#[test]
fn sse_reads_every_line_end_comments_and_joined_data() {
    let text = "\u{feff}: hello\n\nevent: a\ndata: 1\ndata: 2\n\ndata:3\r\n\r\nevent:b\rdata: 4\r\rdata\n\ndata: tail";
    let expected = [("a", "1\n2"), ("", "3"), ("b", "4"), ("", ""), ("", "tail")];
    let got = frames([text.as_bytes().to_vec()]);
    let got: Vec<(&str, &str)> =
        got.iter().map(|(e, d)| (std::str::from_utf8(e).unwrap(), std::str::from_utf8(d).unwrap())).collect();
    assert_eq!(got, expected);
    for cut in 0..text.len() {
        let (left, right) = text.as_bytes().split_at(cut);
        assert_eq!(frames([left.to_vec(), right.to_vec()]).len(), expected.len(), "cut at {cut}");
    }
}

#[test]
fn sse_refuses_an_event_above_the_limit() {
    let mut framer = SseFramer::new(8);
    assert!(framer.push(Bytes::from_static(b"data: 123456789"), &mut Vec::new()).is_err());
}

#[test]
fn json_keeps_exact_text_and_finds_members() {
    let text = r#"{"a":1e400,"b":[12345678901234567890,0.70],"c\u00e9":"x\n\ud83d\ude00","d":null,"":1}"#;
    let document = Document::parse(text, Limits::default()).unwrap();
    let root = document.root();
    assert_eq!(root.get("a").unwrap().raw(), "1e400");
    let items: Vec<&str> = root.get("b").unwrap().items().map(|item| item.raw()).collect();
    assert_eq!(items, ["12345678901234567890", "0.70"]);
    assert_eq!(root.get("cé").unwrap().string().unwrap(), "x\n😀");
    assert!(root.get_some("d").is_none());
    assert_eq!(root.get("").unwrap().u64(), Some(1));
    let envelope = Document::envelope(text, Limits::default()).unwrap();
    assert_eq!(envelope.root().get("b").unwrap().raw(), "[12345678901234567890,0.70]");
    assert_eq!(envelope.root().members().count(), 5);
    assert_eq!(
        Document::parse(r#"{"a":1,"\u0061":2}"#, Limits::default()).unwrap().root().duplicate_key().unwrap(),
        "a"
    );
}

#[test]
fn json_refuses_what_is_not_json() {
    for text in [
        "",
        "{",
        "[1,]",
        "{\"a\" 1}",
        "01",
        "1.",
        "\"\u{1}\"",
        "\"\\x\"",
        "nul",
        "[1] 2",
        "\"\\u12g4\"",
        "{a:1}",
        "'a'",
        "-",
    ] {
        assert!(Document::parse(text, Limits::default()).is_err(), "{text}");
    }
    let deep = "[".repeat(200) + &"]".repeat(200);
    assert_eq!(Document::parse(&deep, Limits::default()).unwrap_err().reason, "nested too deeply");
}

#[test]
fn data_urls_are_parsed_whole() {
    let url = crate::data_url::parse("data:Application/PDF;name=a.pdf;base64,JVBERi0=").unwrap();
    assert_eq!((url.mime.as_str(), url.base64, url.payload), ("application/pdf", true, "JVBERi0="));
    assert!(crate::data_url::parse("https://x/y").is_none());
    assert_eq!(crate::data_url::sniff_base64("JVBERi0x"), Some("application/pdf"));
    for fine in ["QQ==", "QQ", "QUJD", "QU\nJD", "-_+/", "QUI="] {
        assert!(crate::data_url::is_base64(fine), "{fine}");
    }
    for wrong in ["", "=", "***", "QQ==QQ", "Q", "QUJDQ", "QQ===", "é"] {
        assert!(!crate::data_url::is_base64(wrong), "{wrong}");
    }
}

fn json_value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<i32>().prop_map(|v| (f64::from(v) / 4.0).into()),
        ".*".prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 48, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            prop::collection::btree_map(".*", inner, 0..6)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

fn copy(value: crate::Json<'_>, writer: &mut JsonWriter) {
    match value.kind() {
        Kind::Object => writer.object(|w| {
            for (key, member) in value.members() {
                w.key(&key);
                copy(member, w);
            }
        }),
        Kind::Array => writer.array(|w| value.items().for_each(|item| copy(item, w))),
        Kind::String => writer.string(&value.str().unwrap()),
        Kind::Null | Kind::Bool | Kind::Number => writer.raw(value.raw()),
    }
}

proptest! {
    #[test]
    fn sse_does_not_depend_on_cuts(lines in prop::collection::vec("(data: |event: |: |data:|)[a-z\u{e9}]{0,6}(\n|\r\n|\r|\n\n)", 0..12), size in 1usize..9) {
        let bytes = lines.concat().into_bytes();
        let whole = frames([bytes.clone()]);
        let cut = frames(bytes.chunks(size).map(<[u8]>::to_vec));
        prop_assert_eq!(whole, cut);
    }

    #[test]
    fn json_agrees_with_serde(value in json_value()) {
        let text = serde_json::to_string(&value).unwrap();
        let document = Document::parse(&text, Limits::default()).unwrap();
        let mut writer = JsonWriter::new();
        copy(document.root(), &mut writer);
        let back: serde_json::Value = serde_json::from_slice(&writer.finish()).unwrap();
        prop_assert_eq!(back, value);
    }

    #[test]
    fn json_accepts_exactly_what_serde_accepts(text in "[\\[\\]{}\",:0-9a-z\\\\ .eE+-]{0,24}") {
        let ours = Document::parse(&text, Limits::default()).is_ok();
        // RawValue checks the grammar without converting numbers, so 1e400 counts as valid there too.
        let theirs = serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok();
        prop_assert_eq!(ours, theirs, "{}", text);
    }

    #[test]
    fn no_splice_is_the_identity_and_splices_touch_only_their_range(bytes in prop::collection::vec(any::<u8>(), 0..64), at in 0usize..64, len in 0usize..8, with in prop::collection::vec(any::<u8>(), 0..8)) {
        let original = Bytes::from(bytes.clone());
        prop_assert_eq!(splice(&original, Vec::new()).concat(), bytes.clone());
        let start = at.min(bytes.len());
        let end = (start + len).min(bytes.len());
        let got = splice(&original, vec![Splice { range: start..end, with: Bytes::from(with.clone()) }]).concat();
        prop_assert_eq!(got, [&bytes[..start], &with[..], &bytes[end..]].concat());
    }

    #[test]
    fn array_elements_do_not_depend_on_cuts(values in prop::collection::vec(json_value(), 0..5), size in 1usize..9) {
        let objects: Vec<serde_json::Value> = values.into_iter().map(|v| serde_json::json!({"v": v})).collect();
        let text = serde_json::to_vec_pretty(&objects).unwrap();
        let mut framer = JsonArrayFramer::new(1 << 20);
        let mut out = Vec::new();
        for chunk in text.chunks(size) {
            framer.push(&Bytes::copy_from_slice(chunk), &mut out).unwrap();
        }
        let back: Vec<serde_json::Value> = out.iter().map(|f| serde_json::from_slice(&f.data).unwrap()).collect();
        prop_assert_eq!(back, objects);
        prop_assert!(framer.closed());
    }
}
