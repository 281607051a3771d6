//! Streams in both directions.

use gw_core::{
    Candidate, ChatReply, Code, Delta, Event, OpaqueState, Part, PartBody, PartOpening, Start, StateKind, Stop,
    ToolKind, Usage,
};
use gw_dialect_anthropic::Egress;
use gw_spi::{Egress as _, Verdict};
use gw_wire::Frame;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{check_grammar, data, encode_events, events_of, fold, frames, reply_context};

fn sse(events: &[Value]) -> String {
    events.iter().map(|event| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap())).collect()
}

fn block(index: u64, start: Value, deltas: &[Value]) -> Vec<Value> {
    let mut events = vec![json!({"type": "content_block_start", "index": index, "content_block": start})];
    let deltas = deltas.iter();
    events.extend(deltas.map(|delta| json!({"type": "content_block_delta", "index": index, "delta": delta})));
    events.push(json!({"type": "content_block_stop", "index": index}));
    events
}

fn message_start() -> Value {
    json!({"type": "message_start", "message": {"id": "msg_1", "type": "message", "role": "assistant",
        "model": "claude", "content": [], "stop_reason": null, "stop_sequence": null,
        "usage": {"input_tokens": 10, "cache_read_input_tokens": 90, "cache_creation_input_tokens": 0,
            "output_tokens": 1, "service_tier": "standard"}}})
}

fn message_end(reason: &str) -> Vec<Value> {
    vec![
        json!({"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": null, "container": {"id": "c"}},
            "usage": {"output_tokens": 40, "output_tokens_details": {"thinking_tokens": 12}}}),
        json!({"type": "message_stop"}),
    ]
}

/// A stream with every kind of block, and the finished answer that it stands for.
fn recorded() -> (String, Value) {
    let citation = json!({"type": "char_location", "cited_text": "a", "document_index": 0});
    let mut events = vec![message_start(), json!({"type": "ping"})];
    events.extend(block(
        0,
        json!({"type": "thinking", "thinking": "", "signature": ""}),
        &[
            json!({"type": "thinking_delta", "thinking": "Let "}),
            json!({"type": "thinking_delta", "thinking": "me"}),
            json!({"type": "signature_delta", "signature": "S"}),
        ],
    ));
    events.extend(block(1, json!({"type": "redacted_thinking", "data": "blob"}), &[]));
    events.extend(block(
        2,
        json!({"type": "text", "text": "", "citations": []}),
        &[json!({"type": "text_delta", "text": "Hi é"}), json!({"type": "citations_delta", "citation": citation})],
    ));
    events.extend(block(
        3,
        json!({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}),
        &[
            json!({"type": "input_json_delta", "partial_json": "{\"query\""}),
            json!({"type": "input_json_delta", "partial_json": ":\"q\"}"}),
        ],
    ));
    events.extend(block(4, json!({"type": "web_search_tool_result", "tool_use_id": "s", "content": [{"x": 1}]}), &[]));
    events.extend(block(
        5,
        json!({"type": "tool_use", "id": "a", "name": "f", "input": {}}),
        &[
            json!({"type": "input_json_delta", "partial_json": ""}),
            json!({"type": "input_json_delta", "partial_json": "{\"x\":"}),
            json!({"type": "input_json_delta", "partial_json": "1}"}),
        ],
    ));
    events.extend(block(6, json!({"type": "tool_use", "id": "b", "name": "g", "input": {}}), &[]));
    events.extend(block(
        7,
        json!({"type": "compaction", "content": null}),
        &[json!({"type": "compaction_delta", "content": "sum", "encrypted_content": "e"})],
    ));
    events.extend(message_end("tool_use"));
    let whole = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "content": [
        {"type": "thinking", "thinking": "Let me", "signature": "S"}, {"type": "redacted_thinking", "data": "blob"},
        {"type": "text", "text": "Hi é", "citations": [citation]},
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "q"}},
        {"type": "web_search_tool_result", "tool_use_id": "s", "content": [{"x": 1}]},
        {"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}},
        {"type": "tool_use", "id": "b", "name": "g", "input": {}},
        {"type": "compaction", "content": "sum", "encrypted_content": "e"}],
        "stop_reason": "tool_use", "stop_sequence": null, "container": {"id": "c"},
        "usage": {"input_tokens": 10, "cache_read_input_tokens": 90, "cache_creation_input_tokens": 0,
            "output_tokens": 40, "output_tokens_details": {"thinking_tokens": 12}, "service_tier": "standard"}});
    (sse(&events), whole)
}

/// Raw blocks compare as JSON: the order of members is the only difference.
fn comparable(mut reply: ChatReply) -> (ChatReply, Vec<Value>) {
    let mut raws = Vec::new();
    for part in reply.candidates.iter_mut().flat_map(|candidate| &mut candidate.parts) {
        if let PartBody::Opaque { raw, .. } = &mut part.body {
            raws.push(serde_json::from_str(raw.as_str()).unwrap());
            *raw = gw_core::RawJson::from_valid("null");
        }
    }
    (reply, raws)
}

#[test]
fn a_folded_stream_equals_the_finished_answer() {
    let (stream, whole) = recorded();
    let (events, verdicts) = events_of(&frames(stream.as_bytes(), usize::MAX), "anthropic");
    assert!(verdicts.iter().all(|verdict| *verdict == Verdict::Known), "{verdicts:?}");
    let whole = Egress.decode_reply(whole.to_string().as_bytes(), &reply_context("anthropic")).unwrap();
    assert_eq!(comparable(fold(&events).unwrap()), comparable(whole));
}

#[test]
fn cuts_do_not_matter() {
    let (stream, _) = recorded();
    let whole = fold(&events_of(&frames(stream.as_bytes(), usize::MAX), "anthropic").0).unwrap();
    for chunk in 1..40 {
        assert_eq!(fold(&events_of(&frames(stream.as_bytes(), chunk), "anthropic").0).unwrap(), whole);
    }
    let crlf = stream.replace('\n', "\r\n");
    assert_eq!(fold(&events_of(&frames(crlf.as_bytes(), 7), "anthropic").0).unwrap(), whole);
}

#[test]
fn a_stream_cut_before_its_stop_reason_is_interrupted() {
    let (stream, _) = recorded();
    let frames = frames(stream.as_bytes(), usize::MAX);
    for length in 0..frames.len() {
        let (events, _) = events_of(&frames[..length], "anthropic");
        match fold(&events) {
            Ok(reply) => assert!(length == frames.len() - 1 && reply.candidates[0].stop == Stop::ToolCalls),
            Err(error) => assert_eq!(error.code, Code::Interrupted),
        }
    }
}

#[test]
fn an_error_event_is_a_fault_anywhere() {
    let (stream, _) = recorded();
    let error = r#"{"type":"error","error":{"details":null,"type":"overloaded_error","message":"Overloaded"}}"#;
    let error = Frame { event: "error".into(), data: error.into(), ..Frame::default() };
    let frames = frames(stream.as_bytes(), usize::MAX);
    for length in 0..frames.len() {
        let mut cut = frames[..length].to_vec();
        cut.push(error.clone());
        cut.extend_from_slice(&frames[length..]);
        let (events, _) = events_of(&cut, "anthropic");
        assert_eq!(fold(&events).unwrap_err().code, Code::UpstreamOverloaded);
    }
}

#[test]
fn odd_servers_are_understood() {
    // No block start, no ids, whole input at the start, no names on events, a stray terminator.
    let events = [
        json!({"type": "message_start", "message": {"id": "x", "model": "m"}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "hi"}}),
        json!({"type": "content_block_start", "index": 1,
            "content_block": {"type": "tool_use", "name": "f", "input": {"a": 1}}}),
        json!({"type": "content_block_start", "index": 2, "content_block": {"type": "tool_use", "name": "f"}}),
        json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 3}}),
        json!({"type": "message_stop"}),
    ];
    let text: String = events.iter().map(|event| format!("data: {event}\n\n")).collect::<String>() + "data: [DONE]\n\n";
    let reply = fold(&events_of(&frames(text.as_bytes(), usize::MAX), "x").0).unwrap();
    let candidate = &reply.candidates[0];
    assert_eq!((candidate.stop.clone(), candidate.parts.len()), (Stop::ToolCalls, 3));
    let ids: Vec<String> = candidate
        .parts
        .iter()
        .filter_map(|part| match &part.body {
            PartBody::ToolCall { call_id, .. } => Some(call_id.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(ids, ["call_Base01_0", "call_Base01_1"]);
    assert!(matches!(&candidate.parts[1].body, PartBody::ToolCall { arguments, .. } if arguments == r#"{"a":1}"#));
    assert!(matches!(&candidate.parts[2].body, PartBody::ToolCall { arguments, .. } if arguments == "{}"));
}

#[test]
fn verdicts_tell_unknown_from_corrupt() {
    let frame = |data: &'static str| Frame { data: data.into(), ..Frame::default() };
    let (_, verdicts) = events_of(&[frame(r#"{"type":"brand_new"}"#), frame("{"), frame("7"), frame("")], "x");
    assert_eq!(verdicts[0], Verdict::Unknown);
    assert!(matches!(verdicts[1], Verdict::Corrupt(_)));
    assert_eq!((&verdicts[2], &verdicts[3]), (&Verdict::Unknown, &Verdict::Known));
}

#[test]
fn the_client_stream_of_the_worked_example() {
    let (stream, _) = recorded();
    let (events, _) = events_of(&frames(stream.as_bytes(), usize::MAX), "anthropic");
    let text = encode_events(&events, &reply_context("anthropic"));
    let seen = data(&text);
    check_grammar(&seen);
    assert_eq!(seen[0]["message"]["usage"]["input_tokens"], 10);
    assert_eq!(seen[0]["message"]["id"], "msg_Base01");
    let end = &seen[seen.len() - 2];
    assert_eq!(end["delta"]["stop_reason"], "tool_use");
    assert_eq!(end["delta"]["container"], json!({"id": "c"}));
    assert_eq!((&end["usage"]["output_tokens"], &end["usage"]["cache_read_input_tokens"]), (&json!(40), &json!(90)));
    // What the client sees stands for the same answer.
    let again = fold(&events_of(&frames(text.as_bytes(), usize::MAX), "anthropic").0).unwrap();
    let (mut first, mut second) = (comparable(fold(&events).unwrap()), comparable(again));
    assert_eq!(first.1, second.1);
    for reply in [&mut first.0, &mut second.0] {
        (reply.id, reply.model) = (String::new(), String::new());
    }
    assert_eq!(first.0, second.0);
}

fn opening(part: u32, opening: PartOpening) -> Event {
    Event::PartStart { candidate: 0, part, opening }
}

fn delta(part: u32, delta: Delta) -> Event {
    Event::PartDelta { part, delta }
}

fn tool(part: u32) -> Event {
    let (call_id, name) = (format!("call_{part}"), "f".to_owned());
    opening(part, PartOpening::ToolCall { call_id, name, kind: ToolKind::Function })
}

#[test]
fn interleaved_parts_become_sequential_blocks() {
    let arguments = |text: &str| Delta::Arguments(text.to_owned());
    let events = [
        Event::Start(Start::default()),
        opening(0, PartOpening::Text),
        delta(0, Delta::Text("one".into())),
        tool(1),
        tool(2),
        delta(1, arguments("{\"a\":")),
        delta(2, arguments("{\"b\":2}")),
        delta(0, Delta::Text("two".into())),
        delta(1, arguments("1}")),
        Event::PartEnd { part: 2 },
        Event::PartEnd { part: 1 },
        delta(0, Delta::Text("three".into())),
        Event::PartEnd { part: 0 },
        Event::Finish { candidate: 0, stop: Stop::ToolCalls },
        Event::Usage(Usage { input_uncached: 5, output: 6, ..Usage::default() }),
        Event::End,
    ];
    let text = encode_events(&events, &reply_context("openai"));
    let seen = data(&text);
    check_grammar(&seen);
    let reply = fold(&events_of(&frames(text.as_bytes(), usize::MAX), "x").0).unwrap();
    let shown: Vec<String> = reply.candidates[0]
        .parts
        .iter()
        .map(|part| match &part.body {
            PartBody::Text { text, .. } => text.clone(),
            PartBody::ToolCall { arguments, .. } => arguments.clone(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(shown, ["one", "{\"a\":1}", "{\"b\":2}", "twothree"]);
    assert_eq!(reply.usage.unwrap().input_total(), 5);
    assert_eq!(seen[0]["message"]["usage"]["input_tokens"], 0);
}

#[test]
fn a_call_first_and_thinking_without_signature() {
    let events = [
        Event::Start(Start::default()),
        tool(0),
        Event::PartEnd { part: 0 },
        opening(1, PartOpening::Reasoning { summary: true }),
        delta(1, Delta::Text("why".into())),
        Event::PartEnd { part: 1 },
        opening(2, PartOpening::Text),
        Event::PartEnd { part: 2 },
        Event::Finish { candidate: 0, stop: Stop::End },
        Event::End,
    ];
    let seen = data(&encode_events(&events, &reply_context("mistral")));
    check_grammar(&seen);
    let kinds: Vec<&str> = seen.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(kinds[..3], ["message_start", "content_block_start", "content_block_stop"]);
    let signature = seen.iter().find(|event| event["delta"]["type"] == "signature_delta").unwrap();
    assert_eq!(signature["delta"]["signature"], "igx.mistral.s..");
    // The empty text part has no block.
    assert_eq!(seen.iter().filter(|event| event["type"] == "content_block_start").count(), 2);
    assert_eq!(seen[seen.len() - 2]["delta"]["stop_reason"], "tool_use");
}

#[test]
fn failures_in_disguise_are_error_events() {
    let events = [
        Event::Start(Start::default()),
        Event::Finish { candidate: 0, stop: Stop::Malformed("MALFORMED_FUNCTION_CALL".into()) },
        Event::End,
    ];
    let seen = data(&encode_events(&events, &reply_context("gemini")));
    assert_eq!(seen.last().unwrap()["type"], "error");
    check_grammar(&seen);
}

fn any_part() -> impl Strategy<Value = Part> {
    let state = prop_oneof![
        Just(None),
        ("(anthropic|gemini)", "[a-z]{0,4}", any::<bool>()).prop_map(|(vendor, payload, redacted)| {
            let kind = if redacted { StateKind::Redacted } else { StateKind::Signature };
            Some(OpaqueState { vendor, model: None, kind, payload })
        }),
    ];
    let body = prop_oneof![
        "\\PC{0,6}".prop_map(|text| PartBody::Text { text, citations: Vec::new() }),
        "[a-z]{0,4}".prop_map(PartBody::Refusal),
        "[a-z]{0,4}".prop_map(|text| PartBody::Reasoning { text, summary: false }),
        ("[a-z:]{1,4}", "[{}\\[\\]a\"1:]{0,5}").prop_map(|(call_id, arguments)| PartBody::ToolCall {
            call_id,
            name: "f".into(),
            arguments,
            kind: ToolKind::Custom { grammar: None }
        }),
        Just(PartBody::Opaque {
            dialect: gw_dialect_anthropic::ID,
            type_name: "server_tool_use".into(),
            raw: gw_core::RawJson::from_valid(r#"{"type":"server_tool_use","input":{"a":1}}"#)
        }),
    ];
    (body, state).prop_map(|(body, state)| Part { body, cache: None, state, extras: Vec::new() })
}

proptest! {
    /// A stream and a finished reply show the client the same message.
    #[test]
    fn both_encoders_agree(parts in proptest::collection::vec(any_part(), 0..6)) {
        let candidates = vec![Candidate { index: 0, parts, stop: Stop::End, logprobs: None, extras: Vec::new() }];
        let reply = ChatReply { candidates, ..ChatReply::default() };
        let context = reply_context("gemini");
        let text = encode_events(&gw_core::unfold(reply.clone()), &context);
        let seen = data(&text);
        check_grammar(&seen);
        let streamed = fold(&events_of(&frames(text.as_bytes(), usize::MAX), "anthropic").0).unwrap();
        let whole = gw_spi::Ingress::encode_reply(&gw_dialect_anthropic::Ingress, &reply, &context);
        let whole = Egress.decode_reply(&whole, &reply_context("anthropic")).unwrap();
        prop_assert_eq!(comparable(streamed).1, comparable(whole.clone()).1);
        prop_assert_eq!(whole.candidates[0].parts.len(), fold(&events_of(&frames(text.as_bytes(), usize::MAX), "anthropic").0).unwrap().candidates[0].parts.len());
    }

    /// Whatever arrives, the laws hold.
    #[test]
    fn any_frames_obey_the_laws(picks in proptest::collection::vec((0_usize..40, 0_u64..3, "[a-z_]{0,8}"), 0..40)) {
        let (stream, _) = recorded();
        let known = frames(stream.as_bytes(), usize::MAX);
        let chosen: Vec<Frame> = picks.iter().map(|(pick, index, word)| match known.get(*pick) {
            Some(frame) => {
                let text = String::from_utf8(frame.data.to_vec()).unwrap();
                let mut value: Value = serde_json::from_str(&text).unwrap();
                if value.get("index").is_some() {
                    value["index"] = json!(index);
                }
                Frame { event: frame.event.clone(), data: value.to_string().into(), ..Frame::default() }
            }
            None => Frame { event: word.clone().into(), data: format!("{{\"type\":\"{word}\"}}").into(), ..Frame::default() },
        }).collect();
        let (events, _) = events_of(&chosen, "anthropic");
        let text = encode_events(&events, &reply_context("anthropic"));
        check_grammar(&data(&text));
    }

    #[test]
    fn any_bytes_obey_the_laws(datas in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..60), 0..8)) {
        let chosen: Vec<Frame> = datas.into_iter().map(|data| Frame { data: data.into(), ..Frame::default() }).collect();
        events_of(&chosen, "anthropic");
    }
}
