//! Decoding requests, and the way there and back.

use gw_core::{Code, Field, Operation, OutputFormat, PartBody, Role, Source, Toggle, ToolKind};
use gw_dialect_anthropic::Ingress;
use gw_spi::{Framing, Ingress as _, Route};
use gw_wire::{Document, Limits};
use http::{HeaderMap, HeaderValue, Method};
use serde_json::{Value, json};

use crate::support::{decode, decode_with, encode};

/// Every field and block type that a client can send.
pub(crate) fn rich() -> Value {
    json!({
        "model": "upstream-model", "max_tokens": 20000, "stop_sequences": ["END"],
        "temperature": 0.70, "top_p": 0.9, "top_k": 40,
        "system": [{"type": "text", "text": "Be brief."},
            {"type": "text", "text": "Second.", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
        "messages": [
            {"role": "user", "content": [
                {"type": "text", "text": "Look"},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}},
                {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}},
                {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="},
                    "title": "T", "context": "C", "citations": {"enabled": true}},
                {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "plain"}},
                {"type": "document", "source": {"type": "url", "url": "https://example.com/a.pdf"}},
                {"type": "document", "source": {"type": "file", "file_id": "file_1"}},
                {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "chunk"}]}},
                {"type": "search_result", "source": "https://s", "title": "S",
                    "content": [{"type": "text", "text": "found"}], "cache_control": {"type": "ephemeral"}},
                {"type": "container_upload", "file_id": "file_2"}]},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "hm", "signature": "sig"},
                {"type": "redacted_thinking", "data": "blob"},
                {"type": "text", "text": "cited", "citations": [{"type": "char_location", "cited_text": "p",
                    "document_index": 0, "document_title": null, "start_char_index": 0, "end_char_index": 1}]},
                {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}},
                {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []},
                {"type": "tool_use", "id": "toolu_1", "name": "get", "input": {"b": 1.50, "a": 12345678901234567890_u64}},
                {"type": "tool_use", "id": "toolu_2", "name": "get", "input": {},
                    "caller": {"type": "code_execution_20250825", "tool_id": "srvtoolu_1"}}]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "toolu_1", "content": [
                    {"type": "text", "text": "ok", "cache_control": {"type": "ephemeral", "ttl": "5m"}},
                    {"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": "/9j/AA=="}},
                    {"type": "tool_reference", "tool_name": "get"}]},
                {"type": "tool_result", "tool_use_id": "toolu_2", "is_error": true,
                    "content": [{"type": "text", "text": "bad"}]},
                {"type": "text", "text": "go on"}]},
            {"role": "system", "content": [{"type": "text", "text": "New rule"}]},
            {"role": "user", "content": [{"type": "text", "text": "and now?"}]}],
        "tools": [
            {"name": "get", "description": "d", "strict": true, "defer_loading": true, "input_schema":
                {"type": "object", "properties": {"b": {"type": "number", "minimum": 1.0}}, "definitions": {}}},
            {"type": "web_search_20250305", "name": "web_search", "max_uses": 2, "cache_control": {"type": "ephemeral"}}],
        "tool_choice": {"type": "any", "disable_parallel_tool_use": true},
        "thinking": {"type": "adaptive", "display": "omitted", "block_binding": {"x": 1}},
        "output_config": {"effort": "high", "format": {"type": "json_schema", "schema": {"type": "object"}},
            "task_budget": {"total": 5}},
        "metadata": {"user_id": "u"}, "service_tier": "standard_only", "speed": "fast", "inference_geo": "eu",
        "container": "c_1", "context_management": {"edits": [{"type": "compact_20260112"}]},
        "mcp_servers": [{"type": "url", "url": "https://m", "name": "m"}],
        "diagnostics": {"x": true}, "brand_new": [1, {"deep": null}]
    })
}

#[test]
fn a_rich_request_survives_the_way_there_and_back() {
    let input = rich();
    let (output, encoded) = encode(&decode(&input));
    assert_eq!(encoded.losses, []);
    for (name, value) in input.as_object().unwrap() {
        assert_eq!(&output[name], value, "{name}");
    }
    assert_eq!(output, input);
    let betas = &encoded.body.headers[0];
    assert_eq!(betas.0, "anthropic-beta");
    for beta in ["files-api-2025-04-14", "mcp-client-2025-11-20", "fast-mode-2026-02-01"] {
        assert!(betas.1.contains(beta), "{betas:?}");
    }
    // Numbers and arguments keep their text.
    let text = String::from_utf8(encoded.body.bytes.to_vec()).unwrap();
    assert!(text.contains("12345678901234567890"));
}

#[test]
fn encoding_is_deterministic_and_a_longer_conversation_keeps_its_prefix() {
    let mut input = rich();
    let first = encode(&decode(&input)).1;
    assert_eq!(first.body, encode(&decode(&input)).1.body);
    input["messages"].as_array_mut().unwrap().push(json!({"role": "assistant", "content": "sure"}));
    input["messages"].as_array_mut().unwrap().push(json!({"role": "user", "content": "more"}));
    let second = encode(&decode(&input)).1;
    let prefix = |encoded: &gw_spi::Encoded| {
        let text = String::from_utf8(encoded.body.bytes.to_vec()).unwrap();
        text.split("and now?").next().unwrap().to_owned()
    };
    assert_eq!(prefix(&first), prefix(&second));
}

#[test]
fn canonical_homes() {
    let request = decode(&rich());
    assert_eq!(request.messages[0].role, Role::System);
    assert_eq!(request.messages[0].parts[1].cache.as_ref().unwrap().ttl.as_deref(), Some("1h"));
    assert_eq!(request.limits.max_output_tokens, Some(20_000));
    assert_eq!(request.reasoning.toggle, Toggle::Adaptive);
    assert_eq!(request.parallel_tools, Some(false));
    assert_eq!(request.identity.end_user.as_deref(), Some("u"));
    assert_eq!(request.sampling.temperature.as_ref().unwrap().as_f64(), Some(0.7));
    assert!(request.include_usage && !request.stream);
    assert!(matches!(request.output.format, OutputFormat::JsonSchema { .. }));
    assert!(matches!(&request.tools[1].kind, ToolKind::Hosted { type_name, .. } if type_name == "web_search_20250305"));
    let names: Vec<&str> = request.state.fields.iter().map(|extra| extra.name.as_str()).collect();
    assert_eq!(names, ["container", "context_management", "mcp_servers"]);
    let parts = &request.messages[1].parts;
    assert!(
        matches!(&parts[1].body, PartBody::Image { source: Source::Base64 { mime, .. }, .. } if mime == "image/png")
    );
    assert!(matches!(&parts[3].body, PartBody::File { citations: true, filename: Some(title), .. } if title == "T"));
    assert!(matches!(&parts[7].body, PartBody::File { source: Source::Text { text, .. }, .. } if text == "chunk"));
    assert!(matches!(&parts[8].body, PartBody::SearchResult { text, .. } if text == "S\nhttps://s\nfound"));
    assert!(matches!(&parts[9].body, PartBody::Opaque { type_name, .. } if type_name == "container_upload"));
    let PartBody::ToolResult { name, content, .. } = &request.messages[3].parts[0].body else { panic!() };
    assert_eq!((name.as_deref(), content.len()), (Some("get"), 3));
}

#[test]
fn legacy_and_plain_forms_are_taken() {
    let request = decode(&json!({"model": "m", "max_tokens": 1, "system": "S", "stream": true, "thinking": null,
        "messages": [{"role": "user", "content": "hi"}],
        "output_format": {"type": "json_schema", "schema": {"type": "object"}},
        "context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]}}));
    assert!(request.stream);
    assert_eq!(request.messages[0].parts, [gw_core::Part::text("S")]);
    assert!(matches!(request.output.format, OutputFormat::JsonSchema { .. }));
    // Clearing thinking blocks changes nothing for targets that never see them.
    assert!(request.state.fields.is_empty());
    assert_eq!(request.extras[0].name, "context_management");
}

#[test]
fn mistakes_are_named() {
    let base = |messages: Value| json!({"model": "m", "max_tokens": 1, "messages": messages});
    let user = |block: Value| base(json!([{"role": "user", "content": [{"type": "text", "text": "x"}, block]}]));
    let with = |name: &str, value: Value| {
        let mut body = base(json!([{"role": "user", "content": "x"}]));
        body[name] = value;
        body
    };
    for (body, param) in [
        (json!({"model": 5, "messages": []}), "model"),
        (json!({"model": "m"}), "messages"),
        (base(json!([])), "messages"),
        (base(json!(["x"])), "messages[0]"),
        (base(json!([{"role": "tool", "content": "x"}])), "messages[0].role"),
        (base(json!([{"content": "x"}])), "messages[0].role"),
        (base(json!([{"role": "user"}])), "messages[0].content"),
        (base(json!([{"role": "user", "content": 5}])), "messages[0].content"),
        (user(json!({"text": "x"})), "messages[0].content[1].type"),
        (user(json!({"type": "text"})), "messages[0].content[1].text"),
        (user(json!({"type": "image"})), "messages[0].content[1].source"),
        (
            user(json!({"type": "image", "source": {"type": "base64", "media_type": "image/png"}})),
            "messages[0].content[1].source.data",
        ),
        (
            user(json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": ""}})),
            "messages[0].content[1].source.data",
        ),
        (user(json!({"type": "image", "source": {"type": "ftp"}})), "messages[0].content[1].source.type"),
        (user(json!({"type": "tool_use", "id": "a", "name": "n", "input": []})), "messages[0].content[1].input"),
        (user(json!({"type": "tool_result"})), "messages[0].content[1].tool_use_id"),
        (
            user(json!({"type": "tool_result", "tool_use_id": "a", "content": [{"type": "text"}]})),
            "messages[0].content[1].content[0].text",
        ),
        (with("tools", json!([{"description": "x"}])), "tools[0].name"),
        (with("tool_choice", json!({"type": "maybe"})), "tool_choice.type"),
        (with("tool_choice", json!({"type": "tool"})), "tool_choice.name"),
        (with("thinking", json!({"type": "enabled"})), "thinking.budget_tokens"),
        (with("stop_sequences", json!([1])), "stop_sequences[0]"),
        (with("temperature", json!("hot")), "temperature"),
        (with("system", json!(4)), "system"),
        (with("output_config", json!({"format": {"type": "json_schema"}})), "output_config.format.schema"),
    ] {
        let error = decode_with(&body.to_string(), &HeaderMap::new()).unwrap_err();
        assert_eq!((error.code, error.param.as_deref()), (Code::BadRequest, Some(param)), "{body}");
    }
    let twice = r#"{"model":"m","model":"n","messages":[{"role":"user","content":"x"}]}"#;
    assert_eq!(decode_with(twice, &HeaderMap::new()).unwrap_err().param.as_deref(), Some("model"));
}

#[test]
fn the_newest_version_has_no_sampling() {
    let mut headers = HeaderMap::new();
    headers.insert("anthropic-version", HeaderValue::from_static("2026-10-21"));
    let body = json!({"model": "m", "max_tokens": 1, "top_k": 3, "messages": [{"role": "user", "content": "x"}]});
    assert_eq!(decode_with(&body.to_string(), &headers).unwrap_err().param.as_deref(), Some("top_k"));
    headers.insert("anthropic-version", HeaderValue::from_static("2023-06-01"));
    assert!(decode_with(&body.to_string(), &headers).is_ok());
}

#[test]
fn peek_wants_a_limit_only_for_answers() {
    let route =
        |operation| Route { operation, method: Method::POST, model: None, stream: None, stream_framing: Framing::Sse };
    let peek = |operation, body: &str| {
        let document = Document::envelope(body, Limits::default()).unwrap();
        Ingress.peek(&route(operation), &document)
    };
    let error = peek(Operation::Chat, r#"{"model":"m","messages":[]}"#).unwrap_err();
    assert_eq!(error.param.as_deref(), Some("max_tokens"));
    assert!(peek(Operation::CountTokens, r#"{"model":"m","messages":[]}"#).is_ok());
    let peeked = peek(Operation::Chat, r#"{"model":"m","max_tokens":5,"stream":true}"#).unwrap();
    assert_eq!((peeked.model.as_deref(), peeked.stream, peeked.include_usage), (Some("m"), true, true));
    for (body, param) in [
        (r#"{"model":5,"max_tokens":1}"#, "model"),
        (r#"{"model":"a","max_tokens":1,"stream":"yes"}"#, "stream"),
        (r#"{"stream":true,"max_tokens":1,"stream":false}"#, "stream"),
    ] {
        assert_eq!(peek(Operation::Chat, body).unwrap_err().param.as_deref(), Some(param));
    }
}

#[test]
fn envelopes_open_or_are_reported() {
    let history = |block: Value| {
        json!({"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "x"},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "n", "input": {}}, block]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "content": "r"}]}]})
    };
    let parts = |block: Value| decode(&history(block)).messages[1].parts.clone();
    // Thinking of another vendor.
    let read = parts(json!({"type": "thinking", "thinking": "t", "signature": "igx.deepseek.s..payload"}));
    assert_eq!(read[1].state.as_ref().unwrap().vendor, "deepseek");
    // State that belongs to the call before it.
    let read = parts(json!({"type": "redacted_thinking", "data": "igx.gemini.s..sig"}));
    assert_eq!((read.len(), read[0].state.as_ref().unwrap().payload.as_str()), (1, "sig"));
    // State that replaces reasoning stays a part of its own.
    let read = parts(json!({"type": "redacted_thinking", "data": "igx.openai.e..blob"}));
    assert_eq!((read.len(), read[0].state.is_none()), (2, true));
    // The envelope of a signature that never was.
    let read = parts(json!({"type": "thinking", "thinking": "t", "signature": "igx.mistral.s.."}));
    assert!(read[1].state.is_none());
    let body = history(json!({"type": "thinking", "thinking": "t", "signature": "igx.broken"}));
    let (request, losses) = decode_with(&body.to_string(), &HeaderMap::new()).unwrap();
    assert!(request.messages[1].parts[1].state.is_none());
    assert_eq!(
        (losses[0].field, losses[0].place.message, losses[0].place.part),
        (Field::ReasoningState, Some(1), Some(1))
    );
}
