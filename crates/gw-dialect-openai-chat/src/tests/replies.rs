//! Finished answers: what clients read, in the published shape.

use gw_core::{Candidate, ChatReply, Code, Part, PartBody, Stop, ToolKind};
use gw_spi::{Egress as _, Ingress as _, ModelCard, ReplyContext};
use serde_json::{Value, json};

use super::{decode_request, encode_with, reply_context, rich};
use crate::{Egress, Ingress};

fn reply(parts: Vec<Part>, stop: Stop) -> ChatReply {
    let candidate = Candidate { index: 0, parts, stop, logprobs: None, extras: Vec::new() };
    ChatReply { candidates: vec![candidate], ..ChatReply::default() }
}

fn message(parts: Vec<Part>, stop: Stop, context: &ReplyContext) -> (Value, String) {
    let body = super::json(&Ingress.encode_reply(&reply(parts, stop), context));
    assert_eq!(body["object"], "chat.completion");
    assert_eq!(body["id"], "chatcmpl-base1");
    let choice = &body["choices"][0];
    // The published schema requires these, null or not.
    for (holder, name) in [(choice, "logprobs"), (&choice["message"], "content"), (&choice["message"], "refusal")] {
        assert!(holder.get(name).is_some(), "{name} is missing in {body}");
    }
    (choice["message"].clone(), choice["finish_reason"].as_str().unwrap().to_owned())
}

fn call(name: &str, kind: ToolKind) -> Part {
    Part::new(PartBody::ToolCall { call_id: "c".into(), name: name.into(), arguments: String::new(), kind })
}

#[test]
fn content_is_null_only_where_something_else_speaks() {
    let context = reply_context("openai");
    let (found, _) = message(vec![Part::text("a"), Part::text("b")], Stop::End, &context);
    assert_eq!(found["content"], "ab");
    let (found, word) = message(vec![call("f", ToolKind::Function)], Stop::ToolCalls, &context);
    assert_eq!((&found["content"], word.as_str()), (&Value::Null, "tool_calls"));
    assert_eq!(found["tool_calls"][0]["function"]["arguments"], "{}");
    let (found, _) = message(vec![call("g", ToolKind::Custom { grammar: None })], Stop::ToolCalls, &context);
    assert_eq!(found["tool_calls"][0]["custom"], json!({"name": "g", "input": ""}));
    let (found, _) = message(Vec::new(), Stop::End, &context);
    assert_eq!(found["content"], "");
    let legacy = ReplyContext { legacy_functions: true, ..context };
    let (found, word) = message(vec![call("f", ToolKind::Function)], Stop::ToolCalls, &legacy);
    assert_eq!((found["function_call"]["name"].as_str(), word.as_str()), (Some("f"), "function_call"));
}

#[test]
fn stops_have_words_of_the_published_list() {
    let context = reply_context("openai");
    let refusal = Stop::Refusal { category: None, explanation: Some("why".into()) };
    let (found, word) = message(vec![Part::text("so far")], refusal, &context);
    assert_eq!(
        (&found["refusal"], &found["content"], word.as_str()),
        (&"why".into(), &"so far".into(), "content_filter")
    );
    for (stop, wanted) in [
        (Stop::StopSequence(Some("x".into())), "stop"),
        (Stop::MaxTokens, "length"),
        (Stop::ContextWindow, "length"),
        (Stop::Filtered("SAFETY".into()), "content_filter"),
        (Stop::PromptBlocked("OTHER".into()), "content_filter"),
        (Stop::Other("new".into()), "stop"),
        (Stop::Pause, "stop"),
    ] {
        assert_eq!(message(vec![Part::text("x")], stop.clone(), &context).1, wanted, "{stop:?}");
    }
}

#[test]
fn an_answer_that_is_none_is_refused() {
    let context = reply_context("openai");
    for body in ["", "null", "{}", "{\"choices\":null}", "<html>", "{\"choices\":[}"] {
        assert_eq!(Egress.decode_reply(body.as_bytes(), &context).unwrap_err().code, Code::UpstreamInvalid, "{body}");
    }
    let hidden = br#"{"error":{"message":"x","code":"context_length_exceeded","status":400}}"#;
    assert_eq!(Egress.decode_reply(hidden, &context).unwrap_err().code, Code::ContextTooLong);
}

#[test]
fn an_answer_can_be_replayed_by_the_client_that_got_it() {
    let upstream = json!({"id": "x", "model": "up", "choices": [{"index": 0, "finish_reason": "tool_calls", "message": {
        "role": "assistant", "content": "t",
        "reasoning_details": [{"type": "reasoning.text", "text": "r", "signature": "S", "index": 0,
            "format": "anthropic-claude-v1"}],
        "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}}]});
    let context = reply_context("openrouter");
    let reply = Egress.decode_reply(upstream.to_string().as_bytes(), &context).unwrap();
    let shown = super::json(&Ingress.encode_reply(&reply, &context))["choices"][0]["message"].clone();
    assert_eq!(shown["reasoning_details"][0]["format"], "anthropic-claude-v1");
    let next = json!({"model": "m", "messages": [{"role": "user", "content": "q"}, shown,
        {"role": "tool", "tool_call_id": "c", "content": "r"}]});
    let (request, losses) = decode_request(&next.to_string()).unwrap();
    assert!(losses.is_empty());
    let encoded = encode_with(&request, &rich(), "openrouter");
    let sent = super::json(&encoded.body.bytes);
    let upstream_details = &upstream["choices"][0]["message"]["reasoning_details"];
    assert_eq!(&sent["messages"][1]["reasoning_details"], upstream_details);
}

#[test]
fn models_and_counts_are_listed_in_the_published_shape() {
    let card = ModelCard {
        id: "a/b:c".into(),
        owner: "acme".into(),
        display_name: None,
        max_output: None,
        context: None,
        created: 7,
    };
    let list = super::json(&Ingress.encode_models(std::slice::from_ref(&card)));
    let model = json!({"id": "a/b:c", "object": "model", "created": 7, "owned_by": "acme"});
    assert_eq!(list, json!({"object": "list", "data": [model]}));
    assert_eq!(super::json(&Ingress.encode_model(&card)), model);
    assert_eq!(super::json(&Ingress.encode_count(12))["input_tokens"], 12);
}
