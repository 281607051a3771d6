//! Client requests: what decodes to what, and what an own request looks like after a round trip.

use gw_core::{Effort, PartBody, Role, Source, StateKind, Toggle, ToolChoice, ToolKind};
use serde_json::{Value, json};

use super::{decode_request, encode_with, rich};

fn round_trip(body: &Value) -> Value {
    let (request, losses) = decode_request(&body.to_string()).unwrap();
    assert_eq!(losses, []);
    let encoded = encode_with(&request, &rich(), "openai");
    assert_eq!(encoded.losses, []);
    super::json(&encoded.body.bytes)
}

fn rich_request() -> Value {
    json!({
        "model": "gpt-x",
        "messages": [
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "name": "ann", "content": [
                {"type": "text", "text": "Look", "prompt_cache_breakpoint": {"mode": "explicit", "ttl": "30m"}},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo=", "detail": "low"}},
                {"type": "image_url", "image_url": {"url": "https://a.example/b.png"}},
                {"type": "input_audio", "input_audio": {"data": "UklGRgAA", "format": "wav"}},
                {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}},
                {"type": "file", "file": {"file_id": "file-1"}},
                {"type": "future_part", "x": [1, 2.50]}
            ]},
            {"role": "assistant", "content": "Calling", "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{\"a\": 1.0}"}},
                {"id": "call_2", "type": "custom", "custom": {"name": "g", "input": "free text"}}
            ]},
            {"role": "tool", "tool_call_id": "call_1", "content": "one"},
            {"role": "tool", "tool_call_id": "call_2", "content": [
                {"type": "text", "text": "two"}, {"type": "text", "text": "three"}
            ]},
            {"role": "assistant", "content": null, "refusal": "No."},
            {"role": "assistant", "content": null, "audio": {"id": "audio_1"}},
            {"role": "user", "content": "And?", "x_field": true}
        ],
        "tools": [
            {"type": "function", "function": {"name": "f", "description": "F",
                "parameters": {"type": "object", "properties": {"a": {"type": "number", "minimum": 0.10}}},
                "strict": true, "x_inner": 1}, "x_outer": 2},
            {"type": "custom", "custom": {"name": "g", "format": {"type": "grammar",
                "grammar": {"syntax": "regex", "definition": "a+"}}}}
        ],
        "tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [
            {"type": "function", "function": {"name": "f"}}, {"type": "custom", "custom": {"name": "g"}}]}},
        "parallel_tool_calls": false,
        "stream": true,
        "stream_options": {"include_usage": true},
        "max_completion_tokens": 100,
        "stop": ["a", "b"],
        "temperature": 0.7, "top_p": 0.9, "seed": 7,
        "frequency_penalty": 0.1, "presence_penalty": -0.1,
        "logit_bias": {"50256": -100}, "logprobs": true, "top_logprobs": 3,
        "n": 2,
        "response_format": {"type": "json_schema", "json_schema": {"name": "s", "description": "d",
            "schema": {"type": "object"}, "strict": true}},
        "verbosity": "low", "modalities": ["text", "audio"], "audio": {"voice": "v", "format": "wav"},
        "prediction": {"type": "content", "content": "p"},
        "reasoning_effort": "low",
        "web_search_options": {"search_context_size": "low"},
        "prompt_cache_key": "k", "prompt_cache_options": {"mode": "explicit"}, "prompt_cache_retention": "24h",
        "store": true, "metadata": {"a": "b"}, "user": "u", "safety_identifier": "s", "service_tier": "flex",
        "moderation": {"model": "m"},
        "x_top": {"deep": [1, null]}
    })
}

#[test]
fn an_own_request_comes_back_equal() {
    assert_eq!(round_trip(&rich_request()), rich_request());
}

#[test]
fn encoding_is_deterministic_and_keeps_numbers() {
    let body =
        r#"{"model":"m","messages":[{"role":"user","content":"x"}],"temperature":0.70,"seed":12345678901234567890}"#;
    let (request, _) = decode_request(body).unwrap();
    let first = encode_with(&request, &rich(), "openai").body.bytes;
    assert_eq!(first, encode_with(&request, &rich(), "openai").body.bytes);
    let text = String::from_utf8(first.to_vec()).unwrap();
    assert!(text.contains("\"temperature\":0.70"), "{text}");
    assert!(text.contains("\"seed\":12345678901234567890"), "{text}");
}

#[test]
fn errors_name_the_field_in_the_callers_notation() {
    let cases = [
        (r#"{"model":"m"}"#, "messages"),
        (r#"{"model":"m","messages":[]}"#, "messages"),
        (r#"{"model":"m","messages":"x"}"#, "messages"),
        (r#"{"model":1,"messages":[{"role":"user","content":"x"}]}"#, "model"),
        (r#"{"model":"m","messages":[{"role":"wizard","content":"x"}]}"#, "messages[0].role"),
        (r#"{"model":"m","messages":[{"content":"x"}]}"#, "messages[0].role"),
        (r#"{"model":"m","messages":[{"role":"tool","content":"x"}]}"#, "messages[0].tool_call_id"),
        (r#"{"model":"m","messages":[{"role":"user","content":[{"text":"x"}]}]}"#, "messages[0].content[0].type"),
        (
            r#"{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":1}]}]}"#,
            "messages[0].content[0].text",
        ),
        (r#"{"model":"m","messages":[{"role":"user","content":7}]}"#, "messages[0].content"),
        (
            r#"{"model":"m","messages":[{"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{}}]}]}"#,
            "messages[0].tool_calls[0].function.name",
        ),
        (r#"{"messages":[{"role":"user","content":"x"}],"max_tokens":1,"max_completion_tokens":2}"#, "max_tokens"),
        (r#"{"messages":[{"role":"user","content":"x"}],"stop":[1]}"#, "stop[0]"),
        (r#"{"messages":[{"role":"user","content":"x"}],"n":0}"#, "n"),
        (r#"{"messages":[{"role":"user","content":"x"}],"temperature":"hot"}"#, "temperature"),
        (r#"{"messages":[{"role":"user","content":"x"}],"tool_choice":"sometimes"}"#, "tool_choice"),
        (r#"{"messages":[{"role":"user","content":"x"}],"tools":[{"type":"function"}]}"#, "tools[0].function"),
        (r#"{"messages":[{"role":"user","content":"x"}],"model":"a","model":"b"}"#, "model"),
    ];
    for (body, param) in cases {
        let error = decode_request(body).expect_err(body);
        assert_eq!(error.code, gw_core::Code::BadRequest, "{body}");
        assert_eq!(error.param.as_deref(), Some(param), "{body}: {}", error.message);
    }
}

#[test]
fn legacy_functions_become_tools_and_pair_without_ids() {
    let body = json!({
        "model": "m", "functions": [{"name": "f", "parameters": {"type": "object"}}], "function_call": {"name": "f"},
        "messages": [
            {"role": "user", "content": "x"},
            {"role": "assistant", "content": null, "function_call": {"name": "f", "arguments": "{}"}},
            {"role": "function", "name": "f", "content": "r"}
        ]
    });
    let (request, _) = decode_request(&body.to_string()).unwrap();
    assert!(request.legacy_functions);
    assert_eq!(request.tool_choice, Some(ToolChoice::Named("f".into())));
    let PartBody::ToolCall { call_id, .. } = &request.messages[1].parts[0].body else { panic!() };
    let PartBody::ToolResult { call_id: answered, .. } = &request.messages[2].parts[0].body else { panic!() };
    assert_eq!(call_id, answered);
    let sent = super::json(&encode_with(&request, &rich(), "openai").body.bytes);
    assert_eq!(sent["tools"][0]["function"]["name"], "f");
    assert_eq!(sent["messages"][2]["role"], "tool");
    assert_eq!(sent["messages"][1]["tool_calls"][0]["id"], sent["messages"][2]["tool_call_id"]);
}

#[test]
fn de_facto_fields_have_canonical_homes() {
    let body = json!({
        "model": "m", "messages": [{"role": "user", "content": "x"}],
        "top_k": 5, "min_p": 0.1, "repetition_penalty": 1.1, "random_seed": 3, "enable_thinking": true,
        "thinking_budget": 2048, "safe_prompt": true, "min_tokens": 4, "stop": "end"
    });
    let (request, _) = decode_request(&body.to_string()).unwrap();
    assert_eq!(request.sampling.seed.as_ref().unwrap().as_str(), "3");
    assert_eq!(request.reasoning.toggle, Toggle::On);
    assert_eq!(request.reasoning.budget_tokens, Some(2048));
    assert_eq!(request.limits.stop, ["end"]);
    assert!(request.safety[0].2);
    assert!(request.extras.is_empty());
    let body = json!({"model": "m", "messages": [{"role": "user", "content": "x"}],
        "reasoning": {"effort": "high", "exclude": true}, "thinking": {"type": "disabled"}});
    let (request, _) = decode_request(&body.to_string()).unwrap();
    assert_eq!(request.reasoning.effort, Some(Effort::High));
    assert_eq!(request.reasoning.toggle, Toggle::Off);
    assert_eq!(request.reasoning.visibility, gw_core::Visibility::Hidden);
}

#[test]
fn reasoning_comes_back_with_its_state() {
    let body = json!({"model": "m", "messages": [{"role": "assistant", "content": "hi",
        "reasoning_content": "repeated",
        "reasoning_details": [
            {"type": "reasoning.text", "text": "t", "index": 0, "format": "anthropic-claude-v1",
             "signature": "igx.anthropic.s..SIG"},
            {"type": "reasoning.summary", "summary": "s", "index": 1, "format": "openai-responses-v1"},
            {"type": "reasoning.encrypted", "data": "ENC", "index": 1, "format": "openai-responses-v1"},
            {"type": "reasoning.text", "text": "u", "index": 2, "signature": "igx.broken"}
        ],
        "tool_calls": [{"id": "a", "type": "function", "function": {"name": "f", "arguments": ""},
            "extra_content": {"google": {"thought_signature": "GSIG"}}}]}]});
    let (request, losses) = decode_request(&body.to_string()).unwrap();
    let parts = &request.messages[0].parts;
    let state = |at: usize| parts[at].state.clone().unwrap();
    assert_eq!((state(0).vendor.as_str(), state(0).payload.as_str()), ("anthropic", "SIG"));
    assert_eq!((state(1).vendor.as_str(), state(1).kind), ("openai", StateKind::Encrypted));
    assert!(matches!(&parts[1].body, PartBody::Reasoning { text, summary: true } if text == "s"));
    assert!(parts[2].state.is_none());
    assert_eq!(losses.len(), 1);
    assert_eq!(losses[0].field, gw_core::Field::ReasoningState);
    assert_eq!((state(4).vendor.as_str(), state(4).payload.as_str()), ("gemini", "GSIG"));
    assert_eq!(parts.len(), 5);
}

#[test]
fn media_is_typed_by_what_it_is() {
    let body = json!({"model": "m", "messages": [{"role": "user", "content": [
        {"type": "image_url", "image_url": "data:image/png;base64,JVBERi0xLjQ="},
        {"type": "image_url", "image_url": {"url": "data:video/mp4;base64,AAAA"}},
        {"type": "video_url", "video_url": {"url": "https://a.example/v.mp4"}},
        {"type": "document_url", "document_url": "https://a.example/d.pdf"},
        {"type": "input_audio", "input_audio": "https://a.example/a.mp3"}
    ]}]});
    let (request, losses) = decode_request(&body.to_string()).unwrap();
    let parts = &request.messages[0].parts;
    let pdf = Source::Base64 { mime: "application/pdf".into(), data: "JVBERi0xLjQ=".into() };
    assert!(matches!(&parts[0].body, PartBody::File { source, .. } if *source == pdf));
    assert!(matches!(&parts[1].body, PartBody::Video { .. }));
    assert!(matches!(&parts[2].body, PartBody::Video { source: Source::Url { .. }, .. }));
    assert!(matches!(&parts[3].body, PartBody::File { source: Source::Url { .. }, .. }));
    assert!(matches!(&parts[4].body, PartBody::Audio { source: Source::Url { .. }, .. }));
    assert_eq!(losses.len(), 1, "the wrong MIME type is told");
}

#[test]
fn tools_of_every_kind_decode() {
    let body = json!({"model": "m", "messages": [{"role": "user", "content": "x"}], "tools": [
        {"type": "function", "function": {"name": "f"}},
        {"type": "custom", "custom": {"name": "g", "format": {"type": "text"}}},
        {"type": "browser_search", "x": 1}
    ], "tool_choice": "any"});
    let (request, _) = decode_request(&body.to_string()).unwrap();
    assert_eq!(request.tools[0].parameters, None);
    assert_eq!(request.tools[1].kind, ToolKind::Custom { grammar: None });
    assert!(matches!(&request.tools[2].kind, ToolKind::Hosted { type_name, .. } if type_name == "browser_search"));
    assert_eq!(request.tool_choice, Some(ToolChoice::Required));
    assert_eq!(request.messages[0].role, Role::User);
}

#[test]
fn refinements_of_known_objects_travel_or_are_told() {
    let thinking = json!({"type": "enabled", "clear_thinking": false});
    let body = json!({"model": "m", "messages": [{"role": "user", "content": "x"}], "thinking": thinking});
    let (request, _) = decode_request(&body.to_string()).unwrap();
    assert_eq!(request.reasoning.toggle, Toggle::On);
    let style = gw_spi::ReasoningStyle::ThinkingToggle;
    let lenient = gw_spi::Capabilities { reasoning: style, ..rich() };
    let encoded = encode_with(&request, &lenient, "zai");
    assert_eq!(super::json(&encoded.body.bytes)["thinking"], thinking);
    assert_eq!(encoded.losses, []);
    let strict = gw_spi::Capabilities { strict_fields: true, ..lenient };
    let encoded = encode_with(&request, &strict, "deepseek");
    assert_eq!(super::json(&encoded.body.bytes)["thinking"], json!({"type": "enabled"}));
    assert_eq!(encoded.losses[0].field, gw_core::Field::Unknown);
}
