//! Finished answers in both directions.

use gw_core::{
    Candidate, ChatReply, Citation, CitationSource, Code, DialectId, OpaqueState, Part, PartBody, StateKind, Stop,
    ToolKind, Usage,
};
use gw_dialect_anthropic::{Egress, Ingress};
use gw_spi::{Egress as _, Ingress as _, ModelCard};
use serde_json::{Value, json};

use crate::support::{data, decode, encode_events, reply_context};

fn with_parts(parts: Vec<Part>, stop: Stop) -> ChatReply {
    ChatReply {
        id: "up".into(),
        model: "m".into(),
        candidates: vec![Candidate { index: 0, parts, stop, logprobs: None, extras: Vec::new() }],
        ..ChatReply::default()
    }
}

fn encoded(reply: &ChatReply, vendor: &str) -> Value {
    serde_json::from_slice(&Ingress.encode_reply(reply, &reply_context(vendor))).unwrap()
}

fn state(vendor: &str, kind: StateKind, payload: &str) -> Option<OpaqueState> {
    Some(OpaqueState { vendor: vendor.into(), model: None, kind, payload: payload.into() })
}

fn call(arguments: &str, kind: ToolKind) -> Part {
    Part::new(PartBody::ToolCall { call_id: "call:1".into(), name: "f".into(), arguments: arguments.into(), kind })
}

fn reasoning(text: &str, state: Option<OpaqueState>) -> Part {
    Part { state, ..Part::new(PartBody::Reasoning { text: text.into(), summary: false }) }
}

#[test]
fn an_answer_of_the_vendor_is_read() {
    let body = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "content": [
        {"type": "thinking", "thinking": "hm", "signature": "sig"}, {"type": "redacted_thinking", "data": "blob"},
        {"type": "text", "text": "hi", "citations": null},
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "q"}},
        {"type": "web_search_tool_result", "tool_use_id": "s", "content": []},
        {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}],
        "stop_reason": "tool_use", "stop_sequence": null, "container": {"id": "c"},
        "usage": {"input_tokens": 10, "cache_read_input_tokens": 90, "cache_creation_input_tokens": null,
            "output_tokens": 40, "output_tokens_details": {"thinking_tokens": 12}, "service_tier": "priority"}});
    let reply = Egress.decode_reply(body.to_string().as_bytes(), &reply_context("anthropic")).unwrap();
    let candidate = &reply.candidates[0];
    assert_eq!((reply.id.as_str(), reply.model.as_str(), candidate.parts.len()), ("msg_1", "claude", 6));
    assert_eq!(candidate.parts[0], reasoning("hm", state("anthropic", StateKind::Signature, "sig")));
    assert_eq!(candidate.parts[1], reasoning("", state("anthropic", StateKind::Redacted, "blob")));
    assert!(matches!(&candidate.parts[3].body, PartBody::Opaque { type_name, .. } if type_name == "server_tool_use"));
    assert_eq!(candidate.stop, Stop::ToolCalls);
    assert_eq!(reply.service_tier.as_deref(), Some("priority"));
    let usage = reply.usage.as_ref().unwrap();
    assert_eq!((usage.input_total(), usage.output, usage.reasoning), (100, 40, 12));
    // And back for a client of the same format.
    let shown = encoded(&reply, "anthropic");
    assert_eq!(shown["content"][3], body["content"][3]);
    assert_eq!(shown["content"][0], body["content"][0]);
    assert_eq!((&shown["container"], &shown["stop_reason"]), (&json!({"id": "c"}), &json!("tool_use")));
    assert_eq!(shown["usage"]["service_tier"], "priority");
    assert_eq!((&shown["id"], &shown["model"]), (&json!("msg_Base01"), &json!("client-model")));
}

#[test]
fn stops_are_upgraded_only_where_that_is_right() {
    let stop = |reason: &str, content: Value| {
        let body = json!({"id": "m", "content": content, "stop_reason": reason, "stop_sequence": "S",
            "stop_details": {"type": "refusal", "category": "cyber", "explanation": "no"}});
        let reply = Egress.decode_reply(body.to_string().as_bytes(), &reply_context("anthropic")).unwrap();
        reply.candidates[0].stop.clone()
    };
    let tool = || json!([{"type": "tool_use", "id": "a", "name": "f", "input": {}}]);
    assert_eq!(stop("end_turn", json!([])), Stop::End);
    assert_eq!(stop("end_turn", tool()), Stop::ToolCalls);
    assert_eq!(stop("tool_use", json!([{"type": "server_tool_use", "id": "s", "input": {}}])), Stop::End);
    assert_eq!(stop("max_tokens", tool()), Stop::MaxTokens);
    assert_eq!(stop("stop_sequence", json!([])), Stop::StopSequence(Some("S".into())));
    assert_eq!(stop("pause_turn", json!([])), Stop::Pause);
    assert_eq!(stop("model_context_window_exceeded", json!([])), Stop::ContextWindow);
    assert_eq!(stop("compaction", json!([])), Stop::Compaction);
    assert_eq!(stop("brand_new", json!([])), Stop::Other("brand_new".into()));
    let refusal = Stop::Refusal { category: Some("cyber".into()), explanation: Some("no".into()) };
    assert_eq!(stop("refusal", json!([])), refusal);
}

#[test]
fn stops_are_shown_in_this_formats_words() {
    for (stop, vendor, word) in [
        (Stop::End, "openai", "end_turn"),
        (Stop::StopSequence(Some("x".into())), "openai", "stop_sequence"),
        (Stop::MaxTokens, "openai", "max_tokens"),
        (Stop::ContextWindow, "openai", "model_context_window_exceeded"),
        (Stop::ToolCalls, "openai", "tool_use"),
        (Stop::Filtered("SAFETY".into()), "gemini", "refusal"),
        (Stop::PromptBlocked("OTHER".into()), "gemini", "refusal"),
        (Stop::Pause, "anthropic", "pause_turn"),
        (Stop::Continuation(None), "gemini", "max_tokens"),
        (Stop::Compaction, "anthropic", "compaction"),
        (Stop::Other("odd".into()), "openai", "end_turn"),
        (Stop::Other("odd".into()), "anthropic", "odd"),
    ] {
        assert_eq!(encoded(&with_parts(Vec::new(), stop), vendor)["stop_reason"], word);
    }
    let refused = encoded(&with_parts(vec![Part::new(PartBody::Refusal("No.".into()))], Stop::End), "openai");
    assert_eq!((&refused["stop_reason"], &refused["content"][0]["text"]), (&json!("refusal"), &json!("No.")));
}

#[test]
fn state_of_other_vendors_travels_sealed_and_comes_back() {
    let mut signed = call(r#"{"x":1}"#, ToolKind::Function);
    signed.state = state("gemini", StateKind::Signature, "thought");
    let reply = with_parts(
        vec![
            reasoning("why", None),
            reasoning("", state("gemini", StateKind::Encrypted, "enc")),
            reasoning("", None),
            Part::text(""),
            signed,
            call("", ToolKind::Function),
            call("free\ntext", ToolKind::Custom { grammar: None }),
            call("[1]", ToolKind::Function),
        ],
        Stop::ToolCalls,
    );
    let shown = encoded(&reply, "gemini");
    let content = shown["content"].as_array().unwrap();
    let kinds: Vec<&str> = content.iter().map(|block| block["type"].as_str().unwrap()).collect();
    assert_eq!(
        kinds,
        ["thinking", "redacted_thinking", "tool_use", "redacted_thinking", "tool_use", "tool_use", "tool_use"]
    );
    assert_eq!(content[0]["signature"], "igx.gemini.s..");
    let inputs: Vec<&Value> = [2, 4, 5, 6].iter().map(|at| &content[*at]["input"]).collect();
    assert_eq!(
        inputs,
        [&json!({"x": 1}), &json!({}), &json!({"input": "free\ntext"}), &json!({"_raw_arguments": "[1]"})]
    );
    assert!(content[2]["id"].as_str().unwrap().starts_with("toolu_"), "{content:?}");
    // The client gives the turn back.
    let next = json!({"model": "m", "max_tokens": 1,
        "messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": content}]});
    let parts = &decode(&next).messages[1].parts;
    assert_eq!(parts.len(), 6);
    assert_eq!(parts[1].state, state("gemini", StateKind::Encrypted, "enc"));
    assert_eq!(parts[2].state, state("gemini", StateKind::Signature, "thought"));
}

#[test]
fn hidden_reasoning_keeps_its_signature() {
    let reply = with_parts(
        vec![reasoning("secret", state("anthropic", StateKind::Signature, "sig")), reasoning("bare", None)],
        Stop::End,
    );
    let mut context = reply_context("anthropic");
    context.hide_reasoning = true;
    let shown: Value = serde_json::from_slice(&Ingress.encode_reply(&reply, &context)).unwrap();
    assert_eq!(shown["content"], json!([{"type": "thinking", "thinking": "", "signature": "sig"}]));
    let text = encode_events(&gw_core::unfold(reply), &context);
    assert!(!text.contains("secret") && !text.contains("bare") && text.contains(r#""signature":"sig""#));
}

#[test]
fn foreign_citations_become_web_citations_that_are_not_replayed_as_genuine() {
    let citation = Citation {
        span: Some((0, 1)),
        source: CitationSource::Url { url: "https://a".into(), title: None },
        cited_text: None,
        raw: Some((DialectId("other"), gw_core::RawJson::from_valid("{}"))),
    };
    let part = Part::new(PartBody::Text { text: "t".into(), citations: vec![citation] });
    let shown = encoded(&with_parts(vec![part], Stop::End), "openai");
    let written = &shown["content"][0]["citations"][0];
    assert_eq!(written["type"], "web_search_result_location");
    let next = json!({"model": "m", "max_tokens": 1, "messages": [{"role": "assistant", "content": shown["content"]},
        {"role": "user", "content": "x"}]});
    let PartBody::Text { citations, .. } = decode(&next).messages[0].parts[0].body.clone() else { panic!() };
    assert_eq!(citations[0].raw, None);
}

#[test]
fn unusable_answers_are_errors() {
    let decode = |body: &str| Egress.decode_reply(body.as_bytes(), &reply_context("anthropic")).unwrap_err();
    for body in ["", "nope", "[]", "{}", r#"{"content":"text"}"#] {
        assert_eq!(decode(body).code, Code::UpstreamInvalid, "{body}");
    }
    let disguised = r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
    assert_eq!(decode(disguised).code, Code::UpstreamOverloaded);
}

#[test]
fn counts_and_models() {
    assert_eq!(&Ingress.encode_count(7)[..], br#"{"input_tokens":7}"#);
    assert_eq!(Egress.decode_count(br#"{"input_tokens":7}"#).unwrap().input_tokens, 7);
    assert_eq!(Egress.decode_count(b"{}").unwrap_err().code, Code::UpstreamInvalid);
    let card = ModelCard {
        id: "a".into(),
        owner: "o".into(),
        display_name: None,
        max_output: Some(5),
        context: None,
        created: 86_400,
    };
    let list: Value = serde_json::from_slice(&Ingress.encode_models(std::slice::from_ref(&card))).unwrap();
    assert_eq!((&list["first_id"], &list["last_id"], &list["has_more"]), (&json!("a"), &json!("a"), &json!(false)));
    let one: Value = serde_json::from_slice(&Ingress.encode_model(&card)).unwrap();
    assert_eq!(one, list["data"][0]);
    assert_eq!(one["created_at"], "1970-01-02T00:00:00Z");
}

#[test]
fn a_fault_after_the_first_byte_ends_the_stream() {
    let error = gw_core::GatewayError::new(Code::Interrupted, "cut");
    let events = [gw_core::Event::Start(gw_core::Start::default()), gw_core::Event::Fault(Box::new(error))];
    let seen = data(&encode_events(&events, &reply_context("openai")));
    assert_eq!(seen.last().unwrap()["error"]["type"], "api_error");
    assert_eq!(seen.last().unwrap()["request_id"], "req_1");
}

#[test]
fn usage_is_re_encoded_disjointly() {
    let usage =
        Usage { input_uncached: 10, cache_read: 90, tool_prompt: 5, output: 7, reasoning: 3, ..Usage::default() };
    let mut reply = with_parts(vec![Part::text("x")], Stop::End);
    reply.usage = Some(usage);
    let shown = encoded(&reply, "gemini");
    assert_eq!(shown["usage"]["input_tokens"], 15);
    assert_eq!(shown["usage"]["cache_read_input_tokens"], 90);
    assert_eq!(shown["usage"]["cache_creation_input_tokens"], 0);
    assert_eq!(shown["usage"]["output_tokens"], 7);
}
