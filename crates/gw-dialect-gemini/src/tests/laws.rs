//! Whatever arrives, the grammar holds and nothing panics.

use gw_core::LawChecker;
use gw_spi::{Egress as _, Framing};
use proptest::prelude::*;

use super::{decode, encode_with, frame, reply_context, streamed};
use crate::Egress;

/// Pieces of chunks, good and bad.
fn part() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(r#"{"text":"a"}"#.to_owned()),
        Just(r#"{"text":""}"#.to_owned()),
        Just(r#"{"text":"b","thought":true}"#.to_owned()),
        Just(r#"{"text":"","thoughtSignature":"UQ=="}"#.to_owned()),
        Just(r#"{"thoughtSignature":"UQ=="}"#.to_owned()),
        Just(r#"{"functionCall":{"name":"f","args":{"x":1}},"thoughtSignature":"UQ=="}"#.to_owned()),
        Just(r#"{"functionCall":{"name":"f","willContinue":true}}"#.to_owned()),
        Just(
            r#"{"functionCall":{"partialArgs":[{"jsonPath":"$.a[3].b","stringValue":"z"}],"willContinue":true}}"#
                .to_owned()
        ),
        Just(r#"{"functionCall":{}}"#.to_owned()),
        Just(r#"{"functionCall":5,"text":7}"#.to_owned()),
        Just(r#"{"inlineData":{"mimeType":"image/png","data":"AA=="},"thoughtSignature":"x"}"#.to_owned()),
        Just(r#"{"text":"t","functionCall":{"name":"g"},"inlineData":{"data":""}}"#.to_owned()),
        Just(r#"{"executableCode":{}}"#.to_owned()),
        Just(r#"{"newThing":[]}"#.to_owned()),
        Just("{}".to_owned()),
        Just("null".to_owned()),
        Just("\"text\"".to_owned()),
    ]
}

fn chunk() -> impl Strategy<Value = String> {
    let candidate =
        (0u8..3, proptest::collection::vec(part(), 0..4), proptest::option::of("(STOP|MAX_TOKENS|SAFETY|NEW)"));
    let good = proptest::collection::vec(candidate, 0..3).prop_map(|candidates| {
        let list: Vec<String> = candidates
            .into_iter()
            .map(|(index, parts, finish)| {
                let finish = finish.map(|reason| format!(r#","finishReason":"{reason}""#)).unwrap_or_default();
                format!(
                    r#"{{"index":{index},"content":{{"parts":[{}]}}{finish},"groundingMetadata":{{"groundingChunks":[{{"web":{{"uri":"u"}}}}],"groundingSupports":[{{"segment":{{"endIndex":1}},"groundingChunkIndices":[0,7]}}]}}}}"#,
                    parts.join(",")
                )
            })
            .collect();
        format!(r#"{{"candidates":[{}],"usageMetadata":{{"totalTokenCount":3}}}}"#, list.join(","))
    });
    prop_oneof![
        8 => good,
        1 => Just(r#"{"promptFeedback":{"blockReason":"SAFETY"}}"#.to_owned()),
        1 => Just(r#"{"error":{"code":500,"message":"x"}}"#.to_owned()),
        1 => Just(r#"[{"candidates":[{"finishReason":"STOP"}]},{"candidates":5}]"#.to_owned()),
        1 => ".{0,20}",
        1 => Just(r#"{"candidates":{"content":[]}}"#.to_owned()),
    ]
}

proptest! {
    #[test]
    fn any_frames_obey_the_laws_and_can_be_told_to_a_client(chunks in proptest::collection::vec(chunk(), 0..6)) {
        let mut decoder = Egress.event_decoder(&reply_context());
        let mut probe = Egress.stream_probe();
        let mut events = Vec::new();
        for chunk in &chunks {
            decoder.push(&frame(chunk), &mut events);
            probe.observe(&frame(chunk));
        }
        decoder.finish(&mut events);
        let mut law = LawChecker::default();
        for event in &events {
            law.observe(event).map_err(|broken| TestCaseError::fail(format!("{broken} in {events:?}")))?;
        }
        law.finish_stream().map_err(|broken| TestCaseError::fail(broken.to_string()))?;
        let mut context = reply_context();
        context.framing = Framing::JsonArray;
        let text = streamed(&events, &context);
        prop_assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{}", text);
    }

    #[test]
    fn any_request_decodes_or_is_refused_and_encodes_the_same_twice(parts in proptest::collection::vec(part(), 0..5), role in "(user|model|function)") {
        let body = format!(r#"{{"contents":[{{"role":"user","parts":[{{"text":"q"}}]}},{{"role":"{role}","parts":[{}]}}]}}"#, parts.join(","));
        if let Ok((request, _)) = decode(&body) {
            let once = encode_with(&request, &super::capabilities());
            let twice = encode_with(&request, &super::capabilities());
            if let (Ok(once), Ok(twice)) = (once, twice) {
                prop_assert_eq!(&once, &twice);
                prop_assert!(serde_json::from_slice::<serde_json::Value>(&once.body.bytes).is_ok());
            }
        }
    }

    #[test]
    fn any_body_is_answer_or_error(body in ".{0,60}") {
        let _ = Egress.decode_reply(body.as_bytes(), &reply_context());
        let _ = Egress.reply_probe(body.as_bytes());
        let headers = http::HeaderMap::new();
        let fault = gw_spi::UpstreamFault { status: http::StatusCode::BAD_GATEWAY, headers: &headers, body: body.as_bytes() };
        prop_assert!(!Egress.decode_fault(&fault).message.is_empty());
    }
}
