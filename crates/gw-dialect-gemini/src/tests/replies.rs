//! Finished answers, both ways.

use gw_core::{CitationSource, Code, Number, PartBody, Source, Stop};
use gw_spi::{Egress as _, Ingress as _};
use serde_json::{Value, json};

use super::reply_context;
use crate::{Egress, Ingress};

fn decoded(body: &Value) -> gw_core::ChatReply {
    Egress.decode_reply(body.to_string().as_bytes(), &reply_context()).unwrap()
}

fn encoded(reply: &gw_core::ChatReply) -> Value {
    serde_json::from_slice(&Ingress.encode_reply(reply, &reply_context())).unwrap()
}

#[test]
fn a_rich_answer_survives_decoding_and_encoding() {
    let body = json!({
        "candidates":[{"content":{"parts":[
            {"text":"thinking","thought":true},
            {"text":"Grüße, Welt","thoughtSignature":"c2ln"},
            {"functionCall":{"id":"x1","name":"f","args":{"a":[1,2.5]}},"thoughtSignature":"Y2FsbA=="},
            {"functionCall":{"id":"x2","name":"g","args":{}}},
            {"inlineData":{"mimeType":"image/png","data":"AA=="}},
            {"executableCode":{"language":"PYTHON","code":"1"}}
        ],"role":"model"},"finishReason":"STOP","index":0,"safetyRatings":[{"category":"C"}],
        "groundingMetadata":{"groundingChunks":[{"web":{"uri":"https://u","title":"T"}}],
            "groundingSupports":[{"segment":{"startIndex":9,"endIndex":13,"text":"Welt"},"groundingChunkIndices":[0]}],"webSearchQueries":["q"]},
        "logprobsResult":{"topCandidates":[{"candidates":[]}],"chosenCandidates":[{"token":"G","logProbability":-0.5}]}}],
        "usageMetadata":{"promptTokenCount":10,"cachedContentTokenCount":4,"candidatesTokenCount":5,"thoughtsTokenCount":3,"totalTokenCount":18},
        "modelVersion":"gemini-x","responseId":"r1","modelStatus":{"modelStage":"STABLE"}
    });
    let reply = decoded(&body);
    let candidate = &reply.candidates[0];
    assert_eq!((reply.id.as_str(), reply.model.as_str(), &candidate.stop), ("r1", "gemini-x", &Stop::ToolCalls));
    let PartBody::Text { citations, .. } = &candidate.parts[1].body else { panic!("{candidate:?}") };
    // Bytes 9..13 are characters 7..11: two letters take two bytes.
    assert_eq!(citations[0].span, Some((7, 11)));
    assert_eq!(citations[0].source, CitationSource::Url { url: "https://u".into(), title: Some("T".into()) });
    let usage = reply.usage.as_ref().unwrap();
    assert_eq!(
        (usage.input_uncached, usage.cache_read, usage.output, usage.reasoning, usage.web_searches),
        (6, 4, 8, 3, 1)
    );
    let mut expected = body.clone();
    expected["modelVersion"] = json!("alias");
    assert_eq!(encoded(&reply), expected);
}

#[test]
fn stop_reasons_are_mapped_and_upgraded() {
    let of = |reason: &str, call: bool| {
        let part = if call { json!({"functionCall":{"name":"f"}}) } else { json!({"text":"x"}) };
        let body = json!({"candidates":[{"content":{"parts":[part]},"finishReason":reason}]});
        decoded(&body).candidates.remove(0).stop
    };
    assert_eq!(of("STOP", false), Stop::End);
    assert_eq!(of("STOP", true), Stop::ToolCalls);
    assert_eq!(of("MAX_TOKENS", true), Stop::MaxTokens);
    assert_eq!(of("SAFETY", false), Stop::Filtered("SAFETY".into()));
    assert_eq!(of("MALFORMED_FUNCTION_CALL", false), Stop::Malformed("MALFORMED_FUNCTION_CALL".into()));
    assert_eq!(of("BRAND_NEW", false), Stop::Other("BRAND_NEW".into()));
    assert_eq!(of("CONTINUATION", false), Stop::Continuation(None));
}

#[test]
fn a_blocked_prompt_is_a_stop_and_comes_back_as_feedback() {
    let body = json!({"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"},"usageMetadata":{"promptTokenCount":3,"totalTokenCount":3},"modelVersion":"m","responseId":"r"});
    let reply = decoded(&body);
    assert_eq!(reply.candidates[0].stop, Stop::PromptBlocked("PROHIBITED_CONTENT".into()));
    let out = encoded(&reply);
    assert_eq!(out["promptFeedback"], body["promptFeedback"]);
    assert!(out.get("candidates").is_none());
}

#[test]
fn bodies_that_are_no_answer_are_errors() {
    let error = |body: &str| Egress.decode_reply(body.as_bytes(), &reply_context()).unwrap_err();
    for body in ["", "<html>", "{}", "[]", "5", r#"{"usageMetadata":{}}"#, r#"{"candidates":[]}"#] {
        assert_eq!(error(body).code, Code::UpstreamInvalid, "{body}");
    }
    let disguised = r#"[{"error":{"code":429,"message":"slow down","status":"RESOURCE_EXHAUSTED"}}]"#;
    assert_eq!(error(disguised).code, Code::RateLimited);
}

#[test]
fn other_vendors_answers_take_this_shape() {
    use gw_core::{Candidate, ChatReply, OpaqueState, Part, StateKind, ToolKind};
    let mut thought = Part::new(PartBody::Reasoning { text: "hm".into(), summary: false });
    thought.state = Some(OpaqueState {
        vendor: "anthropic".into(),
        model: None,
        kind: StateKind::Signature,
        payload: "SIG".into(),
    });
    let call = Part::new(PartBody::ToolCall {
        call_id: "toolu_1".into(),
        name: "f".into(),
        arguments: "[1".into(),
        kind: ToolKind::Function,
    });
    let reply = ChatReply {
        id: "msg_1".into(),
        candidates: vec![Candidate {
            index: 0,
            parts: vec![thought, Part::text("hi"), call],
            stop: Stop::Pause,
            logprobs: None,
            extras: Vec::new(),
        }],
        ..ChatReply::default()
    };
    let mut context = reply_context();
    context.vendor = "anthropic".into();
    let shown: Value = serde_json::from_slice(&Ingress.encode_reply(&reply, &context)).unwrap();
    let parts = &shown["candidates"][0]["content"]["parts"];
    assert_eq!((parts[0]["text"].as_str(), parts[0]["thought"].as_bool()), (Some("hm"), Some(true)));
    assert!(!parts[0]["thoughtSignature"].as_str().unwrap().contains("SIG"));
    assert_eq!(parts[2]["functionCall"]["args"], json!({"_raw_arguments":"[1"}));
    assert_eq!(
        (shown["candidates"][0]["finishReason"].as_str(), shown["responseId"].as_str()),
        (Some("OTHER"), Some("b4se"))
    );
    context.hide_reasoning = true;
    let hidden: Value = serde_json::from_slice(&Ingress.encode_reply(&reply, &context)).unwrap();
    let part = &hidden["candidates"][0]["content"]["parts"][0];
    assert_eq!(part["text"], "");
    assert!(part.get("thought").is_none() && part["thoughtSignature"].is_string());
}

#[test]
fn lists_and_counts_have_googles_shape() {
    let card = gw_spi::ModelCard {
        id: "a/b".into(),
        owner: "o".into(),
        display_name: None,
        max_output: Some(5),
        context: Some(9),
        created: 0,
    };
    let one: Value = serde_json::from_slice(&Ingress.encode_model(&card)).unwrap();
    assert_eq!(
        (one["name"].as_str(), one["inputTokenLimit"].as_u64(), one["outputTokenLimit"].as_u64()),
        (Some("models/a/b"), Some(9), Some(5))
    );
    let list: Value = serde_json::from_slice(&Ingress.encode_models(&[card])).unwrap();
    assert_eq!(list["models"][0], one);
    assert_eq!(&Ingress.encode_count(12)[..], br#"{"totalTokens":12}"#);
}

#[test]
fn files_and_numbers_keep_their_text() {
    let body = r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{"big": 123456789012345678901, "f":1e400}}},{"inlineData":{"mimeType":"application/pdf","data":"JVBERi0="}}]},"finishReason":"STOP","avgLogprobs":-0.10}]}"#;
    let reply = Egress.decode_reply(body.as_bytes(), &reply_context()).unwrap();
    let PartBody::ToolCall { arguments, .. } = &reply.candidates[0].parts[0].body else { panic!() };
    assert_eq!(arguments, r#"{"big": 123456789012345678901, "f":1e400}"#);
    assert!(matches!(&reply.candidates[0].parts[1].body, PartBody::File { source: Source::Base64 { .. }, .. }));
    assert_eq!(reply.candidates[0].extras[0].value.as_str(), Number::from_valid("-0.10").as_str());
}
