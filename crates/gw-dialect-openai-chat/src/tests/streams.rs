//! Streams: the oddities of servers in, this format's own stream out.

use gw_core::{
    Candidate, ChatReply, Citation, CitationSource, Code, Event, OpaqueState, Part, PartBody, Source, StateKind, Stop,
    ToolKind, Usage, unfold,
};
use gw_spi::{Egress as _, ReplyContext};
use serde_json::{Value, json};

use super::{chunks, decode_frames, decode_stream, encode_events, fold, frames, reply_context};
use crate::Egress;

fn sse(items: &[Value], done: bool) -> String {
    let mut text: String = items.iter().map(|item| format!("data: {item}\n\n")).collect();
    if done {
        text.push_str("data: [DONE]\n\n");
    }
    text
}

fn delta(delta: Value) -> Value {
    json!({"id": "x", "object": "chat.completion.chunk", "created": 5, "model": "up",
        "choices": [{"index": 0, "delta": delta, "finish_reason": null}]})
}

fn finish(word: &str) -> Value {
    json!({"id": "x", "model": "up", "choices": [{"index": 0, "delta": {}, "finish_reason": word}]})
}

fn bodies(items: &[Value]) -> Vec<PartBody> {
    let reply = fold(decode_stream(&sse(items, true), &reply_context("openai"))).unwrap();
    reply.candidates.into_iter().flat_map(|one| one.parts).map(|part| part.body).collect()
}

fn calls(items: &[Value]) -> Vec<(String, String, String)> {
    bodies(items)
        .into_iter()
        .filter_map(|body| match body {
            PartBody::ToolCall { call_id, name, arguments, .. } => Some((call_id, name, arguments)),
            _ => None,
        })
        .collect()
}

fn call(index: Value, id: Value, name: Value, arguments: &str) -> Value {
    let mut call = json!({"index": index, "id": id, "type": "function",
        "function": {"name": name, "arguments": arguments}});
    for field in ["index", "id"] {
        if call[field].is_null() {
            call.as_object_mut().unwrap().remove(field);
        }
    }
    delta(json!({"tool_calls": [call]}))
}

fn expect(found: &[(String, String, String)], wanted: &[(&str, &str, &str)]) {
    let found: Vec<_> = found.iter().map(|(id, name, text)| (id.as_str(), name.as_str(), text.as_str())).collect();
    assert_eq!(found, wanted);
}

#[test]
fn calls_are_told_apart_however_they_are_numbered() {
    let end = finish("tool_calls");
    // Interleaved by index.
    let found = calls(&[
        call(json!(0), json!("a"), json!("f"), ""),
        call(json!(1), json!("b"), json!("g"), "{\"y\":"),
        call(json!(0), Value::Null, Value::Null, "{\"x\":1}"),
        call(json!(1), Value::Null, Value::Null, "2}"),
        end.clone(),
    ]);
    expect(&found, &[("a", "f", "{\"x\":1}"), ("b", "g", "{\"y\":2}")]);
    // Every call numbered 0, told apart by id; then by being whole twice without ids.
    let found = calls(&[
        call(json!(0), json!("a"), json!("f"), "{}"),
        call(json!(0), json!("b"), json!("f"), "{}"),
        end.clone(),
    ]);
    expect(&found, &[("a", "f", "{}"), ("b", "f", "{}")]);
    let found = calls(&[
        call(json!(0), Value::Null, json!("f"), "{}"),
        call(json!(0), Value::Null, json!("g"), "{\"a\":1}"),
        end.clone(),
    ]);
    expect(&found, &[("call_base10", "f", "{}"), ("call_base11", "g", "{\"a\":1}")]);
    // No index, or -1; the name repeated with every fragment.
    let found = calls(&[
        call(json!(-1), json!("a"), json!("f"), "{\"x\""),
        call(json!(-1), json!("a"), json!("f"), ":1}"),
        call(Value::Null, json!("b"), json!("g"), "{"),
        call(Value::Null, json!(""), Value::Null, "}"),
        end.clone(),
    ]);
    expect(&found, &[("a", "f", "{\"x\":1}"), ("b", "g", "{}")]);
    // The same id twice, placeholders, and a name that comes late.
    let found = calls(&[
        call(json!(0), json!("a"), json!(""), "{"),
        call(json!(0), json!(""), json!("f"), "}"),
        call(json!(1), json!("a"), json!("g"), "{}"),
        delta(json!({"tool_calls": [{"index": 2, "function": {"name": "", "arguments": ""}}],
            "function_call": {"name": "", "arguments": ""}})),
        end,
    ]);
    expect(&found, &[("a", "f", "{}"), ("call_base10", "g", "{}")]);
}

#[test]
fn content_comes_as_text_lists_reasoning_and_more() {
    let found = bodies(&[
        json!({"id": "", "model": "", "choices": [], "prompt_filter_results": [{"prompt_index": 0}]}),
        delta(json!({"role": "assistant", "content": "", "reasoning_content": null})),
        delta(json!({"reasoning": "r1", "reasoning_details": [{"type": "reasoning.text", "text": "r1", "index": 0}]})),
        delta(json!({"reasoning_details": [{"type": "reasoning.text", "signature": "S", "index": 0}]})),
        delta(json!({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "r2"}]},
            {"type": "text", "text": "a"}]})),
        delta(json!({"content": "b", "annotations": [{"type": "url_citation", "url_citation":
            {"url": "https://a.example", "title": "A", "start_index": 0, "end_index": 2}}]})),
        delta(json!({"refusal": "no"})),
        delta(json!({"images": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}]})),
        delta(json!({"audio": {"id": "au", "transcript": "h"}})),
        delta(json!({"audio": {"data": "QUI=", "transcript": "i", "expires_at": 9}})),
        finish("stop"),
    ]);
    assert_eq!(found.len(), 6, "{found:#?}");
    assert!(matches!(&found[0], PartBody::Reasoning { text, .. } if text == "r1"));
    assert!(matches!(&found[1], PartBody::Reasoning { text, .. } if text == "r2"));
    let PartBody::Text { text, citations } = &found[2] else { panic!() };
    assert_eq!((text.as_str(), citations[0].span), ("ab", Some((0, 2))));
    assert_eq!(found[3], PartBody::Refusal("no".into()));
    assert!(matches!(&found[4], PartBody::Image { source: Source::Base64 { .. }, .. }));
    assert!(matches!(&found[5], PartBody::Opaque { raw, .. }
        if raw.as_str() == r#"{"id":"au","data":"QUI=","expires_at":9,"transcript":"hi"}"#));
}

#[test]
fn ends_are_read_with_care() {
    let context = reply_context("openai");
    let text = delta(json!({"content": "hi"}));
    let stop = |word: &str| {
        fold(decode_stream(&sse(&[text.clone(), finish(word)], false), &context)).unwrap().candidates[0].stop.clone()
    };
    assert_eq!(stop("stop"), Stop::End);
    assert_eq!(stop("length"), Stop::MaxTokens);
    assert_eq!(stop("eos"), Stop::End);
    assert_eq!(stop("tool_calls"), Stop::End, "there is no call");
    assert_eq!(stop("brand_new"), Stop::Other("brand_new".into()));
    // End of the stream before the end of the answer.
    for cut in [sse(std::slice::from_ref(&text), false), String::new(), sse(&[finish("")], false)] {
        assert_eq!(fold(decode_stream(&cut, &context)).unwrap_err().code, Code::Interrupted, "{cut}");
    }
    // A call upgrades a plain stop, but not a cut one.
    let with_call = |word: &str| {
        let items = [call(json!(0), json!("a"), json!("f"), "{"), finish(word)];
        fold(decode_stream(&sse(&items, true), &context)).unwrap().candidates[0].stop.clone()
    };
    assert_eq!(with_call("stop"), Stop::ToolCalls);
    assert_eq!(with_call("length"), Stop::MaxTokens);
    // Usage on the finish chunk, inside a choice, beside the answer.
    for holder in ["/usage", "/choices/0/usage", "/x_groq/usage"] {
        let mut last = finish("stop");
        last["x_groq"] = json!({"id": "g", "usage": null});
        last["usage"] = Value::Null;
        last["choices"][0]["usage"] = Value::Null;
        *last.pointer_mut(holder).unwrap() = json!({"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7});
        let reply = fold(decode_stream(&sse(&[text.clone(), last], false), &context)).unwrap();
        assert_eq!(reply.usage.unwrap().total(), 7, "{holder}");
    }
}

#[test]
fn errors_inside_a_stream_become_faults() {
    let context = reply_context("openai");
    let text = delta(json!({"content": "hi"}));
    let cases = [
        sse(&[text.clone(), json!({"error": {"message": "slow down", "code": 429}})], true),
        sse(&[json!([{"error": {"message": "x", "code": 429, "status": "RESOURCE_EXHAUSTED"}}])], false),
        sse(
            &[json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "error",
            "error": {"code": 429, "message": "x"}}]})],
            false,
        ),
        format!(
            "{}event: error\ndata: {{\"message\":\"x\",\"code\":\"rate_limit_exceeded\"}}\n\n",
            sse(&[text], false)
        ),
    ];
    for stream in cases {
        let error = fold(decode_stream(&stream, &context)).unwrap_err();
        assert_eq!(error.code, Code::RateLimited, "{stream}");
    }
}

#[test]
fn a_stream_and_a_finished_answer_decode_to_the_same_wherever_the_bytes_are_cut() {
    let context = ReplyContext { candidates: 2, ..reply_context("openrouter") };
    let usage = json!({"prompt_tokens": 9, "completion_tokens": 8, "total_tokens": 17});
    let chunk = |choices: Value| {
        json!({"id": "x", "model": "up", "created": 5, "system_fingerprint": "fp",
        "service_tier": "default", "provider": "P", "choices": choices})
    };
    let one = |index: u32, delta: Value| json!([{"index": index, "delta": delta, "finish_reason": null}]);
    let items = [
        chunk(one(
            0,
            json!({"role": "assistant", "reasoning_details":
            [{"type": "reasoning.text", "text": "th\u{2028}", "index": 0, "format": "anthropic-claude-v1"}]}),
        )),
        chunk(one(
            0,
            json!({"reasoning_details": [
            {"type": "reasoning.text", "text": "ink", "index": 0, "format": "anthropic-claude-v1"},
            {"type": "reasoning.text", "text": "", "signature": "S", "index": 0, "format": "anthropic-claude-v1"}]}),
        )),
        chunk(one(1, json!({"content": "zwei"}))),
        chunk(one(0, json!({"content": "gr\u{fc}"}))),
        chunk(
            json!([{"index": 0, "delta": {"content": "n"}, "logprobs": {"content": [{"token": "n", "logprob": -0.10}]},
            "finish_reason": null}]),
        ),
        chunk(one(
            0,
            json!({"tool_calls": [{"index": 0, "id": "a", "type": "function",
            "function": {"name": "f", "arguments": "{\"k\""}}]}),
        )),
        chunk(one(0, json!({"tool_calls": [{"index": 0, "function": {"arguments": ":1}"}}]}))),
        chunk(json!([{"index": 0, "delta": {}, "finish_reason": "tool_calls", "native_finish_reason": "tool_use"},
            {"index": 1, "delta": {}, "finish_reason": "stop"}])),
        json!({"id": "x", "model": "up", "choices": [], "usage": usage}),
    ];
    let whole = json!({"id": "x", "model": "up", "created": 5, "system_fingerprint": "fp", "service_tier": "default",
        "provider": "P", "usage": usage, "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "gr\u{fc}n", "reasoning_details": [
            {"type": "reasoning.text", "text": "th\u{2028}ink", "signature": "S", "index": 0,
             "format": "anthropic-claude-v1"}],
            "tool_calls": [{"id": "a", "type": "function", "function": {"name": "f", "arguments": "{\"k\":1}"}}]},
         "logprobs": {"content": [{"token": "n", "logprob": -0.10}]}, "finish_reason": "tool_calls",
         "native_finish_reason": "tool_use"},
        {"index": 1, "message": {"role": "assistant", "content": "zwei"}, "finish_reason": "stop"}]});
    let expected = Egress.decode_reply(whole.to_string().as_bytes(), &context).unwrap();
    assert_eq!(expected.candidates[0].parts[0].state.as_ref().unwrap().model.as_deref(), Some("anthropic-claude-v1"));
    let stream = sse(&items, true);
    for step in 1..stream.len() {
        let events = decode_frames(&frames(stream.as_bytes(), step), &context);
        assert_eq!(fold(events).unwrap(), expected, "cut every {step}");
    }
}

fn worked_reply() -> ChatReply {
    let state = |vendor: &str, payload: &str| {
        Some(OpaqueState { vendor: vendor.into(), model: None, kind: StateKind::Signature, payload: payload.into() })
    };
    let reasoning = PartBody::Reasoning { text: "Let me".into(), summary: false };
    let call = |id: &str, arguments: &str| PartBody::ToolCall {
        call_id: id.into(),
        name: "f".into(),
        arguments: arguments.into(),
        kind: ToolKind::Function,
    };
    let citation = Citation {
        span: None,
        source: CitationSource::Url { url: "https://a.example".into(), title: None },
        cited_text: None,
        raw: None,
    };
    ChatReply {
        id: "msg_1".into(),
        model: "claude".into(),
        created: None,
        candidates: vec![Candidate {
            index: 0,
            parts: vec![
                Part { state: state("anthropic", "S"), ..Part::new(reasoning) },
                Part::new(PartBody::Text { text: "Hi".into(), citations: vec![citation] }),
                Part { state: state("gemini", "G"), ..Part::new(call("a", "{\"x\":1}")) },
                Part::new(call("b", "")),
            ],
            stop: Stop::ToolCalls,
            logprobs: None,
            extras: Vec::new(),
        }],
        usage: Some(Usage { input_uncached: 10, cache_read: 90, output: 40, reasoning: 12, ..Usage::default() }),
        ..ChatReply::default()
    }
}

#[test]
fn the_encoder_writes_the_worked_stream() {
    let context = reply_context("anthropic");
    let found = chunks(&encode_events(&unfold(worked_reply()), &context));
    for chunk in &found {
        assert_eq!(chunk["id"], "chatcmpl-base1");
        assert_eq!(chunk["created"], 1_700_000_000);
        assert_eq!(chunk["model"], "client-model");
    }
    let deltas: Vec<String> = found.iter().map(|chunk| chunk["choices"][0]["delta"].to_string()).collect();
    let wanted = [
        json!({"role": "assistant", "content": ""}),
        json!({"reasoning_content": "Let me", "reasoning_details":
            [{"type": "reasoning.text", "text": "Let me", "index": 0, "format": "anthropic-claude-v1"}]}),
        json!({"reasoning_details": [{"type": "reasoning.text", "text": "", "signature": "igx.anthropic.s..S", "index": 0,
            "format": "anthropic-claude-v1"}]}),
        json!({"content": "Hi"}),
        json!({"annotations": [{"type": "url_citation", "url_citation":
            {"url": "https://a.example", "title": "", "start_index": 0, "end_index": 2}}]}),
        json!({"tool_calls": [{"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": ""}}]}),
        json!({"tool_calls": [{"index": 0, "function": {"arguments": "{\"x\":1}"}}]}),
        json!({"tool_calls": [{"index": 0, "extra_content": {"google": {"thought_signature": "G"}}}]}),
        json!({"tool_calls": [{"index": 1, "id": "b", "type": "function", "function": {"name": "f", "arguments": ""}}]}),
        json!({"tool_calls": [{"index": 1, "function": {"arguments": "{}"}}]}),
        json!({}),
        Value::Null,
    ];
    assert_eq!(deltas, wanted.map(|value| value.to_string()));
    assert_eq!(found[10]["choices"][0]["finish_reason"], "tool_calls");
    assert!(found[10]["usage"].is_null());
    assert_eq!(found[11]["choices"], json!([]));
    assert_eq!(found[11]["usage"]["prompt_tokens"], 100);
    assert_eq!(found[11]["usage"]["prompt_tokens_details"]["cached_tokens"], 90);
    assert_eq!(found[11]["usage"]["total_tokens"], 140);
}

#[test]
fn what_the_client_did_not_ask_for_is_not_sent() {
    let context = ReplyContext { include_usage: false, hide_reasoning: true, ..reply_context("anthropic") };
    let text = encode_events(&unfold(worked_reply()), &context);
    assert!(!text.contains("usage") && !text.contains("Let me"), "{text}");
    assert!(text.contains("igx.anthropic.s..S"));
    let context = ReplyContext { legacy_functions: true, ..context };
    let found = chunks(&encode_events(&unfold(worked_reply()), &context));
    let last = found.last().unwrap();
    assert_eq!(last["choices"][0]["finish_reason"], "function_call");
    let text = found.iter().map(Value::to_string).collect::<String>();
    assert!(!text.contains("tool_calls") && text.matches("\"name\":\"f\"").count() == 1, "{text}");
}

#[test]
fn a_fault_is_an_error_event_and_never_a_finish() {
    let context = reply_context("openai");
    let mut events = unfold(worked_reply());
    events.truncate(4);
    events.push(Event::Fault(Box::new(gw_core::GatewayError::new(Code::Interrupted, "cut"))));
    let found = chunks(&encode_events(&events, &context));
    let last = found.last().unwrap();
    assert_eq!(last["error"]["code"], "interrupted");
    assert_eq!(last["error"]["request_id"], "req-1");
    assert!(found.iter().all(|chunk| chunk["choices"][0]["finish_reason"].is_null()));
    // A stop that means a broken answer is told the same way.
    let mut reply = worked_reply();
    reply.candidates[0].stop = Stop::Interrupted("insufficient_system_resource".into());
    let found = chunks(&encode_events(&unfold(reply), &context));
    assert_eq!(found.last().unwrap()["error"]["error_type"], "network");
}

#[test]
fn raw_values_never_break_a_frame() {
    let context = reply_context("openai");
    let mut reply = worked_reply();
    reply.candidates[0].logprobs = Some(gw_core::RawJson::from_valid("[\n {\"token\":\r\n\"a\u{2028}\u{85}\"}\n]"));
    let text = encode_events(&unfold(reply), &context);
    assert!(!text.contains(['\u{2028}', '\u{85}', '\r']), "{text}");
    let found = chunks(&text);
    assert!(found.iter().any(|chunk| chunk["choices"][0]["logprobs"]["content"][0]["token"] == "a\u{2028}\u{85}"));
}
