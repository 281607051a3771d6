//! Laws that hold for any input.

use bytes::Bytes;
use gw_core::Event;
use gw_spi::{Egress as _, Ingress as _, Verdict};
use gw_wire::Frame;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{chunks, decode_frames, decode_request, encode_events, encode_with, fold, poor_and_rich, reply_context};
use crate::{Egress, Ingress};

fn word() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        Just(json!("")),
        Just(json!("a")),
        Just(json!("{\"x\":1}")),
        Just(json!("{")),
        Just(json!("\u{2028}\n")),
        Just(json!(7)),
        Just(json!([{"type": "text", "text": "t"}, {"type": "thinking", "thinking": "h"}, "s", 1])),
        Just(json!({"k": "v"})),
    ]
}

fn call() -> impl Strategy<Value = Value> {
    (prop_oneof![Just(Value::Null), (-1..3i64).prop_map(|n| json!(n))], word(), word(), word(), any::<bool>()).prop_map(
        |(index, id, name, arguments, custom)| {
            let (holder, field) = if custom { ("custom", "input") } else { ("function", "arguments") };
            json!({"index": index, "id": id, "type": holder, holder: {"name": name, field: arguments}})
        },
    )
}

fn delta() -> impl Strategy<Value = Value> {
    let field = prop_oneof![
        (Just("content"), word().boxed()),
        (Just("reasoning"), word().boxed()),
        (Just("reasoning_content"), word().boxed()),
        (Just("refusal"), word().boxed()),
        (Just("x_unknown"), word().boxed()),
        (Just("tool_calls"), proptest::collection::vec(call(), 0..3).prop_map(Value::from).boxed()),
        (Just("function_call"), word().prop_map(|text| json!({"name": text, "arguments": text})).boxed()),
        (Just("annotations"), Just(json!([{"url_citation": {"url": "u", "start_index": 3, "end_index": 9}}])).boxed()),
        (Just("audio"), word().prop_map(|text| json!({"id": text, "data": text})).boxed()),
        (Just("images"), Just(json!([{"image_url": {"url": "data:,x"}}, 3])).boxed()),
        (Just("extra_content"), Just(json!({"google": {"thought_signature": "G"}})).boxed()),
        (
            Just("reasoning_details"),
            (word(), word(), 0..3i64, any::<bool>())
                .prop_map(|(text, state, index, sealed)| {
                    let kind = if sealed { "reasoning.encrypted" } else { "reasoning.text" };
                    json!([{"type": kind, "text": text, "signature": state, "data": state, "index": index}])
                })
                .boxed()
        ),
    ];
    proptest::collection::vec(field, 0..4)
        .prop_map(|fields| Value::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()))
}

fn chunk() -> impl Strategy<Value = String> {
    let finish = prop_oneof![
        6 => Just(Value::Null), 1 => Just(json!("stop")), 1 => Just(json!("tool_calls")), 1 => Just(json!(""))
    ];
    let choice = (0..3u32, delta(), finish).prop_map(|(index, delta, finish)| {
        json!({"index": index, "delta": delta, "finish_reason": finish, "logprobs": {"content": [{"token": "a"}]}})
    });
    let good = (proptest::collection::vec(choice, 0..3), any::<bool>()).prop_map(|(choices, usage)| {
        let usage = if usage { json!({"prompt_tokens": 1, "completion_tokens": 2}) } else { Value::Null };
        json!({"id": "i", "model": "m", "choices": choices, "usage": usage}).to_string()
    });
    prop_oneof![
        12 => good,
        1 => Just("[DONE]".to_owned()),
        1 => Just(String::new()),
        1 => Just("{\"error\":{\"message\":\"x\"}}".to_owned()),
        1 => Just("{\"choices\":7}".to_owned()),
        1 => Just("null".to_owned()),
        1 => "\\PC{0,12}",
    ]
}

fn to_frames(texts: &[String]) -> Vec<Frame> {
    texts.iter().map(|text| Frame { data: Bytes::copy_from_slice(text.as_bytes()), ..Frame::default() }).collect()
}

proptest! {
    #[test]
    fn any_stream_obeys_the_laws_and_can_be_given_out(texts in proptest::collection::vec(chunk(), 0..9)) {
        let context = reply_context("openrouter");
        let frames = to_frames(&texts);
        let events = decode_frames(&frames, &context);
        let mut probe = Egress.stream_probe();
        for frame in &frames {
            probe.observe(frame);
        }
        for chunk in chunks(&encode_events(&events, &context)) {
            prop_assert!(chunk.is_object());
        }
        let faulted = events.iter().any(|event| matches!(event, Event::Fault(_)));
        let folded = fold(events);
        prop_assert_eq!(folded.is_err(), faulted);
        if let Ok(reply) = folded {
            let body = Ingress.encode_reply(&reply, &context);
            let again = Egress.decode_reply(&body, &context).unwrap();
            prop_assert_eq!(again.usage, reply.usage);
        }
    }

    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        let context = reply_context("x");
        let _ = Egress.decode_reply(&bytes, &context);
        let _ = Egress.reply_probe(&bytes);
        let mut decoder = Egress.event_decoder(&context);
        let mut out = Vec::new();
        let frame = Frame { data: Bytes::from(bytes.clone()), ..Frame::default() };
        let corrupt = matches!(decoder.push(&frame, &mut out), Verdict::Corrupt(_));
        prop_assert!(!corrupt || out.is_empty());
        let status = http::StatusCode::BAD_REQUEST;
        let headers = http::HeaderMap::new();
        let error = Egress.decode_fault(&gw_spi::UpstreamFault { status, headers: &headers, body: &bytes });
        prop_assert!(!error.message.is_empty());
    }

    #[test]
    fn any_message_decodes_or_is_refused_and_encodes_the_same_twice(
        role in prop_oneof![Just("user"), Just("assistant"), Just("tool"), Just("system"), Just("function"), Just("x")],
        message in delta(),
        top in word(),
        field in prop_oneof![Just("stop"), Just("tool_choice"), Just("thinking"), Just("reasoning"), Just("n"),
            Just("response_format"), Just("metadata"), Just("modalities"), Just("unknown_field")],
    ) {
        let mut message = message;
        message["role"] = json!(role);
        message["tool_call_id"] = json!("call_1");
        let body = json!({"model": "m", "messages": [{"role": "user", "content": "q"}, message], field: top});
        if let Ok((request, _)) = decode_request(&body.to_string()) {
            for (capabilities, vendor) in poor_and_rich() {
                let first = encode_with(&request, &capabilities, vendor);
                super::json(&first.body.bytes);
                prop_assert_eq!(&first, &encode_with(&request, &capabilities, vendor));
            }
        }
    }
}
