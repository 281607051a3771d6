//! Streams: what chunks mean, what clients read, and that both modes agree.

use gw_core::{Code, Event, PartBody, Stop, unfold};
use gw_spi::{Egress as _, EventDecoder as _, Framing};
use gw_wire::{JsonArrayFramer, SseFramer};
use serde_json::{Value, json};

use super::{events, folded, reply_context, streamed};
use crate::Egress;

const CHUNKS: [&str; 5] = [
    r#"{"candidates":[{"content":{"parts":[{"text":"Let me ","thought":true}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":9,"totalTokenCount":9},"modelVersion":"g","responseId":"r"}"#,
    r#"{"candidates":[{"content":{"parts":[{"text":"think","thought":true},{"text":"Hel"}],"role":"model"},"index":0}],"modelVersion":"g","responseId":"r"}"#,
    r#"{"candidates":[{"content":{"parts":[{"text":"lo"},{"functionCall":{"name":"f","args":{"a":1}},"thoughtSignature":"UzE="},{"functionCall":{"name":"f","args":{"a":2}}}],"role":"model"},"index":0}],"modelVersion":"g","responseId":"r"}"#,
    r#"{"candidates":[{"content":{"parts":[{"functionCall":{"id":"own","name":"g","args":{}}}],"role":"model"},"index":0}],"modelVersion":"g","responseId":"r"}"#,
    r#"{"candidates":[{"content":{"parts":[{"text":"","thoughtSignature":"UzI="}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":4,"thoughtsTokenCount":2,"totalTokenCount":15},"modelVersion":"g","responseId":"r"}"#,
];

const WHOLE: &str = r#"{"candidates":[{"content":{"parts":[{"text":"Let me think","thought":true},{"text":"Hello"},{"functionCall":{"name":"f","args":{"a":1}},"thoughtSignature":"UzE="},{"functionCall":{"name":"f","args":{"a":2}}},{"functionCall":{"id":"own","name":"g","args":{}}},{"text":"","thoughtSignature":"UzI="}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":4,"thoughtsTokenCount":2,"totalTokenCount":15},"modelVersion":"g","responseId":"r"}"#;

#[test]
fn pain_01_a_folded_stream_equals_the_finished_answer() {
    let reply = folded(events(&CHUNKS)).unwrap();
    assert_eq!(reply, Egress.decode_reply(WHOLE.as_bytes(), &reply_context()).unwrap());
    let candidate = &reply.candidates[0];
    assert_eq!(candidate.stop, Stop::ToolCalls);
    let ids: Vec<&str> = candidate
        .parts
        .iter()
        .filter_map(|part| match &part.body {
            PartBody::ToolCall { call_id, .. } => Some(call_id.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!((ids.len(), ids[2]), (3, "own"));
    assert!(ids[0] != ids[1] && ids[0].starts_with("call_"));
    let signed: Vec<bool> = candidate.parts.iter().map(|part| part.state.is_some()).collect();
    assert_eq!(signed, [false, false, true, false, false, true]);
}

#[test]
fn bug_34_every_chunk_boundary_gives_the_same_answer() {
    let sse: String = CHUNKS.iter().map(|chunk| format!("data: {chunk}\r\n\r\n")).collect();
    let array = format!("[{}]", CHUNKS.join("\n,\r\n"));
    let wanted = folded(events(&CHUNKS)).unwrap();
    for cut in 0..sse.len() {
        let mut framer = SseFramer::new(1 << 20);
        let mut frames = Vec::new();
        for piece in [&sse[..cut], &sse[cut..]] {
            framer.push(bytes::Bytes::copy_from_slice(piece.as_bytes()), &mut frames).unwrap();
        }
        framer.finish(&mut frames);
        assert_eq!(decoded(&frames), wanted, "{cut}");
    }
    for cut in 0..array.len() {
        let mut framer = JsonArrayFramer::new(1 << 20);
        let mut frames = Vec::new();
        for piece in [&array[..cut], &array[cut..]] {
            framer.push(&bytes::Bytes::copy_from_slice(piece.as_bytes()), &mut frames).unwrap();
        }
        assert_eq!(decoded(&frames), wanted, "{cut}");
    }
}

fn decoded(frames: &[gw_wire::Frame]) -> gw_core::ChatReply {
    let mut decoder = crate::decode_stream::Decoder::new(&reply_context());
    let mut out = Vec::new();
    frames.iter().for_each(|frame| {
        decoder.push(frame, &mut out);
    });
    decoder.finish(&mut out);
    folded(out).unwrap()
}

#[test]
fn bug_16_an_end_without_reason_is_an_interruption() {
    for upto in 0..4 {
        assert_eq!(folded(events(&CHUNKS[..upto])).unwrap_err().code, Code::Interrupted);
    }
    let two = r#"{"candidates":[{"index":0,"finishReason":"STOP"},{"index":1,"content":{"parts":[{"text":"x"}]}}]}"#;
    assert_eq!(folded(events(&[two])).unwrap_err().code, Code::Interrupted);
}

#[test]
fn errors_inside_streams_are_faults() {
    let body = r#"{"error":{"code":503,"message":"overloaded","status":"UNAVAILABLE"}}"#;
    for text in [body.to_owned(), format!("[{body}]")] {
        assert_eq!(folded(events(&[CHUNKS[0], &text, CHUNKS[4]])).unwrap_err().code, Code::UpstreamOverloaded);
        assert_eq!(folded(events(&[&text])).unwrap_err().code, Code::UpstreamOverloaded);
    }
}

#[test]
fn clients_read_chunks_with_new_parts_only_and_whole_calls() {
    let text = streamed(&events(&CHUNKS), &reply_context());
    let chunks: Vec<Value> = text
        .split_terminator("\n\n")
        .map(|frame| serde_json::from_str(frame.strip_prefix("data: ").unwrap()).unwrap())
        .collect();
    let parts: Vec<Value> = chunks.iter().map(|chunk| chunk["candidates"][0]["content"]["parts"][0].clone()).collect();
    assert_eq!(parts[0], json!({"text":"Let me ","thought":true}));
    assert_eq!(parts[2], json!({"text":"Hel"}));
    assert_eq!(parts[4]["functionCall"]["args"], json!({"a":1}));
    assert_eq!(parts[4]["thoughtSignature"], "UzE=");
    assert_eq!(parts[6], json!({"functionCall":{"id":"own","name":"g","args":{}}}));
    assert_eq!(parts[7], json!({"text":"","thoughtSignature":"UzI="}));
    let last = chunks.last().unwrap();
    assert_eq!(last["candidates"][0]["finishReason"], "STOP");
    assert_eq!(last["usageMetadata"]["thoughtsTokenCount"], 2);
    assert!(chunks[..chunks.len() - 1].iter().all(|chunk| chunk["candidates"][0].get("finishReason").is_none()));
    assert!(chunks.iter().all(|chunk| chunk["modelVersion"] == "alias" && chunk["responseId"] == "r"));
    assert!(!text.contains("[DONE]"));
}

#[test]
fn what_clients_read_decodes_to_the_same_answer() {
    let wanted = folded(events(&CHUNKS)).unwrap();
    for framing in [Framing::Sse, Framing::JsonArray] {
        let mut context = reply_context();
        context.framing = framing;
        let text = streamed(&events(&CHUNKS), &context);
        let mut frames = Vec::new();
        let bytes = bytes::Bytes::from(text.clone());
        if framing == Framing::Sse {
            SseFramer::new(1 << 20).push(bytes, &mut frames).unwrap();
        } else {
            serde_json::from_str::<Value>(&text).unwrap();
            JsonArrayFramer::new(1 << 20).push(&bytes, &mut frames).unwrap();
        }
        let mut again = decoded(&frames);
        again.model.clone_from(&wanted.model);
        assert_eq!(again, wanted);
    }
}

#[test]
fn faults_end_the_clients_stream_in_its_framing() {
    let mut cut = events(&CHUNKS[..2]);
    assert!(matches!(cut.last(), Some(Event::Fault(_))));
    let mut context = reply_context();
    let text = streamed(&cut, &context);
    assert!(text.split_terminator("\n\n").last().unwrap().starts_with("data: {\"error\":{\"code\":500"));
    context.framing = Framing::JsonArray;
    let list: Value = serde_json::from_str(&streamed(&cut, &context)).unwrap();
    assert_eq!(list.as_array().unwrap().last().unwrap()["error"]["status"], "INTERNAL");
    cut.drain(..cut.len() - 1);
    let list: Value = serde_json::from_str(&streamed(&cut, &context)).unwrap();
    assert_eq!(list.as_array().unwrap().len(), 1);
}

#[test]
fn a_finished_answer_can_be_streamed() {
    let reply = Egress.decode_reply(WHOLE.as_bytes(), &reply_context()).unwrap();
    let text = streamed(&unfold(reply.clone()), &reply_context());
    let mut frames = Vec::new();
    SseFramer::new(1 << 20).push(bytes::Bytes::from(text), &mut frames).unwrap();
    let mut again = decoded(&frames);
    again.model.clone_from(&reply.model);
    assert_eq!(again, reply);
}

#[test]
fn several_candidates_keep_apart() {
    let chunks = [
        r#"{"candidates":[{"index":1,"content":{"parts":[{"text":"b"}]}},{"index":0,"content":{"parts":[{"text":"a"}]}}]}"#,
        r#"{"candidates":[{"index":0,"content":{"parts":[{"text":"A"}]},"finishReason":"STOP"}]}"#,
        r#"{"candidates":[{"index":1,"content":{"parts":[{"text":"B"}]},"finishReason":"MAX_TOKENS"}]}"#,
    ];
    let reply = folded(events(&chunks)).unwrap();
    let of = |at: usize| (reply.candidates[at].parts.clone(), reply.candidates[at].stop.clone());
    assert_eq!(of(0), (vec![gw_core::Part::text("aA")], Stop::End));
    assert_eq!(of(1), (vec![gw_core::Part::text("bB")], Stop::MaxTokens));
}

#[test]
fn streamed_arguments_become_one_call() {
    let part = |call: &str| format!(r#"{{"candidates":[{{"content":{{"parts":[{{"functionCall":{call}}}]}}}}]}}"#);
    let chunks = [
        part(r#"{"name":"w","willContinue":true}"#),
        part(
            r#"{"partialArgs":[{"jsonPath":"$.location","stringValue":"Bos","willContinue":true}],"willContinue":true}"#,
        ),
        part(r#"{"partialArgs":[{"jsonPath":"$.location","stringValue":"ton"}],"willContinue":true}"#),
        part("{}"),
        r#"{"candidates":[{"finishReason":"STOP"}]}"#.to_owned(),
    ];
    let chunks: Vec<&str> = chunks.iter().map(String::as_str).collect();
    let reply = folded(events(&chunks)).unwrap();
    assert!(matches!(&reply.candidates[0].parts[0].body,
        PartBody::ToolCall { name, arguments, .. } if name == "w" && arguments == r#"{"location":"Boston"}"#));
    assert_eq!(reply.candidates[0].stop, Stop::ToolCalls);
}

#[test]
fn probes_see_usage_and_the_end() {
    use gw_spi::FrameSignal;
    let mut probe = Egress.stream_probe();
    let signals: Vec<FrameSignal> = CHUNKS.iter().map(|chunk| probe.observe(&super::frame(chunk))).collect();
    assert!(matches!(signals[0], FrameSignal::Content) && matches!(signals[4], FrameSignal::Terminal));
    let report = probe.report();
    assert_eq!(report.usage, folded(events(&CHUNKS)).unwrap().usage);
    assert_eq!((report.complete, report.model.as_deref()), (true, Some("g")));
    assert!(report.content_bytes > 10);
    let whole = Egress.reply_probe(WHOLE.as_bytes());
    assert_eq!((whole.usage, whole.complete), (report.usage, true));
    let mut probe = Egress.stream_probe();
    let error = super::frame(r#"{"error":{"code":503,"message":"x","status":"UNAVAILABLE"}}"#);
    assert!(matches!(probe.observe(&error), FrameSignal::Fault(_)));
    assert!(!Egress.reply_probe(b"<html>").complete);
}
