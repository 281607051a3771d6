//! Regressions known from other gateways; the numbers are those of the list of pains.

use gw_core::Event;
use gw_spi::Framing;
use gw_testkit::context::{capability_presets, encode_context, reply_context};
use gw_testkit::drive::{decode_stream, encode_stream, fold};
use serde_json::{Value, json};

use super::dialects::{ALL, ANTHROPIC, Dialect, GEMINI, OPENAI};
use super::inputs;

fn events(upstream: Dialect, chunks: &[Value]) -> Vec<Event> {
    let stream: String = chunks.iter().map(|chunk| format!("data: {chunk}\n\n")).collect();
    let context = reply_context(upstream.vendor);
    decode_stream(upstream.egress, &context, stream.as_bytes(), Framing::Sse, 0).unwrap().events
}

fn chunk(delta: Value, finish: Option<&str>) -> Value {
    json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})
}

fn encoded(target: Dialect, preset: &str, source: Dialect, body: &Value) -> Value {
    let (request, _) = source.decode(body.to_string().as_bytes()).unwrap();
    let capabilities = capability_presets().into_iter().find(|(name, _)| *name == preset).unwrap().1;
    let encoded = target.egress.encode(&request, &encode_context(target.vendor, &capabilities, false)).unwrap();
    serde_json::from_slice(&encoded.body.bytes).unwrap()
}

/// Calls of the client's stream as (name, arguments).
fn calls(client: Dialect, upstream: Dialect, events: &[Event]) -> Vec<(String, Value)> {
    let context = reply_context(upstream.vendor);
    let bytes = encode_stream(client.ingress, &context, events);
    let seen = client.read_stream(&bytes, &context).unwrap();
    let calls = seen.candidates[&0].calls.iter();
    calls.map(|call| (call.name.clone(), serde_json::from_str(&call.arguments).unwrap_or_default())).collect()
}

#[test]
fn pain_01_gemini_calls_reach_an_anthropic_stream_with_their_arguments() {
    let call = json!({"candidates": [{"content": {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {"a": [1, {"b": "c"}]}}}]}, "finishReason": "STOP"}], "modelVersion": "g", "responseId": "r"});
    let events = events(GEMINI, &[call]);
    assert_eq!(calls(ANTHROPIC, GEMINI, &events), [("f".to_owned(), json!({"a": [1, {"b": "c"}]}))]);
}

#[test]
fn pain_02_openai_compatible_servers_split_calls_in_every_way() {
    let whole = json!({"name": "f", "arguments": "{\"a\":1}"});
    let variants = [
        // Everything in the first fragment, without an index.
        vec![chunk(json!({"tool_calls": [{"id": "x", "type": "function", "function": whole}]}), None)],
        // Index -1.
        vec![chunk(json!({"tool_calls": [{"index": -1, "id": "x", "type": "function", "function": whole}]}), None)],
        // Id first, name later, empty strings between.
        vec![
            chunk(
                json!({"tool_calls": [{"index": 0, "id": "x", "type": "function", "function": {"name": "", "arguments": ""}}]}),
                None,
            ),
            chunk(json!({"tool_calls": [{"index": 0, "id": "", "function": {"name": "f", "arguments": ""}}]}), None),
            chunk(json!({"tool_calls": [{"index": 0, "function": {"name": null, "arguments": "{\"a\":"}}]}), None),
            chunk(json!({"tool_calls": [{"index": 0, "id": null, "function": {"name": "", "arguments": "1}"}}]}), None),
        ],
        // The name repeated on every fragment.
        vec![
            chunk(
                json!({"tool_calls": [{"index": 0, "id": "x", "type": "function", "function": {"name": "f", "arguments": "{\"a\""}}]}),
                None,
            ),
            chunk(
                json!({"tool_calls": [{"index": 0, "id": "x", "type": "function", "function": {"name": "f", "arguments": ":1}"}}]}),
                None,
            ),
        ],
        // No id at all.
        vec![chunk(json!({"tool_calls": [{"index": 0, "function": whole}]}), None)],
        // Arguments as an object.
        vec![chunk(
            json!({"tool_calls": [{"index": 0, "id": "x", "function": {"name": "f", "arguments": {"a": 1}}}]}),
            None,
        )],
    ];
    for (number, mut variant) in variants.into_iter().enumerate() {
        variant.insert(0, chunk(json!({"role": "assistant", "content": ""}), None));
        variant.push(chunk(json!({}), Some("tool_calls")));
        let events = events(OPENAI, &variant);
        for client in ALL {
            let got = calls(client, OPENAI, &events);
            assert_eq!(got, [("f".to_owned(), json!({"a": 1}))], "variant {number} for {}", client.id);
        }
    }
}

#[test]
fn pain_02_parallel_calls_that_all_have_index_zero() {
    let call = |id: &str, name: &str| {
        chunk(
            json!({"tool_calls": [{"index": 0, "id": id, "type": "function", "function": {"name": name, "arguments": "{}"}}]}),
            None,
        )
    };
    let events = events(OPENAI, &[call("x", "f"), call("y", "g"), chunk(json!({}), Some("tool_calls"))]);
    for client in ALL {
        let names: Vec<_> = calls(client, OPENAI, &events).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["f", "g"], "{}", client.id);
    }
}

#[test]
fn pain_03_a_chunk_with_text_a_call_and_a_finish_gives_all_three() {
    let all = chunk(
        json!({"role": "assistant", "content": "words", "reasoning_content": "thought", "tool_calls": [{"index": 0, "id": "x", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}),
        Some("tool_calls"),
    );
    let reply = fold(&events(OPENAI, &[all])).unwrap();
    let shown = format!("{:?}", reply.candidates);
    for wanted in ["words", "thought", "\"f\"", "ToolCalls"] {
        assert!(shown.contains(wanted), "{wanted} is missing: {shown}");
    }
}

#[test]
fn pain_06_signatures_survive_three_turns() {
    let signed = json!([{"type": "thinking", "thinking": "t", "signature": "U0lH"}, {"type": "redacted_thinking", "data": "UkVE"}, {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}]);
    let mut messages = Vec::new();
    for turn in 0..3 {
        messages.push(json!({"role": "user", "content": if turn == 0 { json!("q") } else { json!([{"type": "tool_result", "tool_use_id": "toolu_1", "content": "r"}]) }}));
        messages.push(json!({"role": "assistant", "content": signed}));
    }
    messages
        .push(json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "r"}]}));
    let body = json!({"model": "m", "max_tokens": 9000, "thinking": {"type": "enabled", "budget_tokens": 2000}, "messages": messages});
    let out = encoded(ANTHROPIC, "anthropic-budget", ANTHROPIC, &body);
    for turn in [1, 3, 5] {
        assert_eq!(out["messages"][turn]["content"], signed, "turn {turn}");
    }
}

#[test]
fn pain_09_a_gemini_signature_survives_a_client_that_keeps_only_standard_fields() {
    let chunk = json!({"candidates": [{"content": {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}}, "thoughtSignature": "R0VNU0lH"}]}, "finishReason": "STOP"}], "modelVersion": "g", "responseId": "r"});
    let reply = fold(&events(GEMINI, &[chunk])).unwrap();
    let context = reply_context("gemini");
    let shown: Value = serde_json::from_slice(&OPENAI.ingress.encode_reply(&reply, &context)).unwrap();
    let message = &shown["choices"][0]["message"];
    let full = json!({"model": "m", "messages": [{"role": "user", "content": "q"}, message, {"role": "tool", "tool_call_id": message["tool_calls"][0]["id"], "content": "r"}]});
    let out = encoded(GEMINI, "gemini-level", OPENAI, &full);
    assert!(out.to_string().contains("R0VNU0lH"), "{out}");
    // A client that drops what it does not know leaves at least a history that Gemini takes.
    let call = &message["tool_calls"][0];
    let plain = json!({"id": call["id"], "type": "function", "function": call["function"]});
    let bare = json!({"model": "m", "messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": null, "tool_calls": [plain]}, {"role": "tool", "tool_call_id": call["id"], "content": "r"}]});
    let out = encoded(GEMINI, "gemini-level", OPENAI, &bare);
    assert!(
        out.to_string().contains("skip_thought_signature_validator") || out.to_string().contains("R0VNU0lH"),
        "{out}"
    );
}

#[test]
fn pain_12_a_requested_format_is_sent_emulated_or_reported() {
    let body = json!({"model": "m", "messages": [{"role": "user", "content": "q"}], "response_format": {"type": "json_object"}});
    let (request, _) = OPENAI.decode(body.to_string().as_bytes()).unwrap();
    for target in ALL {
        for (preset, capabilities) in capability_presets() {
            let encoded = target.egress.encode(&request, &encode_context(target.vendor, &capabilities, false)).unwrap();
            let text = String::from_utf8_lossy(&encoded.body.bytes).into_owned();
            let sent = text.contains("json_object") || text.contains("application/json");
            let told = encoded.losses.iter().any(|loss| loss.field == gw_core::Field::ResponseFormat);
            assert!(sent || told, "{} ({preset}): {text}", target.id);
        }
    }
}

#[test]
fn pain_13_references_in_tool_results_stay_data() {
    let body = inputs::openai::INPUTS.iter().find(|(name, _)| *name == "result_that_looks_like_a_schema").unwrap().1;
    let out = encoded(GEMINI, "gemini-level", OPENAI, &serde_json::from_str(body).unwrap());
    let response = &out["contents"][2]["parts"][0]["functionResponse"]["response"];
    let keys: Vec<_> = response.as_object().unwrap().keys().collect();
    assert!(!keys.iter().any(|key| key.starts_with('$')), "{response}");
    assert!(response.to_string().contains("$defs"), "{response}");
}

#[test]
fn pain_14_what_the_client_did_not_send_is_not_sent() {
    for source in ALL {
        let minimal = match source.vendor {
            "openai" => inputs::openai::INPUTS[0].1,
            "anthropic" => inputs::anthropic::INPUTS[0].1,
            _ => inputs::gemini::INPUTS[0].1,
        };
        let body: Value = serde_json::from_str(minimal).unwrap();
        for target in ALL {
            for (preset, _) in capability_presets() {
                let out = encoded(target, preset, source, &body);
                assert!(!out.to_string().contains("null"), "{} -> {}: {out}", source.id, target.id);
                for name in ["temperature", "top_p", "topP", "tools", "tool_choice", "stop", "seed", "n"] {
                    assert!(out.get(name).is_none(), "{name} was invented: {out}");
                }
            }
        }
    }
}

#[test]
fn pain_15_cache_marks_and_cached_tokens_cross_dialects() {
    let body = json!({"model": "m", "messages": [{"role": "system", "content": [{"type": "text", "text": "prefix", "cache_control": {"type": "ephemeral", "ttl": "1h"}}]}, {"role": "user", "content": "q"}]});
    let out = encoded(ANTHROPIC, "anthropic-adaptive", OPENAI, &body);
    assert_eq!(out["system"][0]["cache_control"], json!({"type": "ephemeral", "ttl": "1h"}), "{out}");
    let reply = json!({"id": "msg", "type": "message", "role": "assistant", "model": "c", "content": [{"type": "text", "text": "a"}], "stop_reason": "end_turn", "stop_sequence": null, "usage": {"input_tokens": 10, "cache_read_input_tokens": 90, "cache_creation_input_tokens": 5, "output_tokens": 3}});
    let context = reply_context("anthropic");
    let reply = ANTHROPIC.egress.decode_reply(reply.to_string().as_bytes(), &context).unwrap();
    let shown: Value = serde_json::from_slice(&OPENAI.ingress.encode_reply(&reply, &context)).unwrap();
    assert_eq!(shown["usage"]["prompt_tokens"], 105);
    assert_eq!(shown["usage"]["prompt_tokens_details"]["cached_tokens"], 90);
    let shown: Value = serde_json::from_slice(&GEMINI.ingress.encode_reply(&reply, &context)).unwrap();
    assert_eq!(shown["usageMetadata"]["promptTokenCount"], 105);
    assert_eq!(shown["usageMetadata"]["cachedContentTokenCount"], 90);
}
