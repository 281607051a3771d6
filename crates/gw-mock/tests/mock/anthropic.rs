use serde_json::{Value, json};

use crate::support::{ok, post, weather_schema, with};

pub(crate) const MESSAGES: &str = "/v1/messages";

pub(crate) fn requests() -> Vec<Value> {
    let tools = json!([
        {"name": "weather", "description": "Weather", "input_schema": weather_schema()},
        {"name": "clock", "input_schema": {"type": "object", "properties": {}}},
    ]);
    let ask = |text: &str| json!([{"role": "user", "content": text}]);
    let base = json!({"model": "claude-sonnet-4-5", "max_tokens": 4096, "system": "Be brief."});
    vec![
        with(&base, "messages", ask("Say größe, please")),
        with(
            &with(&base, "messages", ask("think cached cache_write")),
            "thinking",
            json!({"type": "enabled", "budget_tokens": 1024}),
        ),
        with(&with(&base, "messages", ask("narrate parallel")), "tools", tools.clone()),
        with(
            &with(&with(&base, "messages", ask("go")), "tools", tools),
            "tool_choice",
            json!({"type": "tool", "name": "clock"}),
        ),
        with(&with(&base, "messages", ask("one two three")), "max_tokens", json!(4)),
        with(&with(&base, "messages", ask("one two three")), "stop_sequences", json!(["two"])),
        with(
            &with(&base, "messages", ask("go")),
            "output_config",
            json!({"format": {"type": "json_schema", "schema": weather_schema()}}),
        ),
        with(&with(&base, "messages", ask("go")), "model", json!("claude+refusal=1")),
        with(
            &base,
            "messages",
            json!([{"role": "user", "content": [
            {"type": "text", "text": "what"},
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
            {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "AAAA"}}]}]),
        ),
    ]
}

/// Puts events together as the official clients do, refusing anything out of order.
fn fold(events: &[Value]) -> Value {
    let mut message = events[0]["message"].clone();
    let mut open: Option<usize> = None;
    let mut arguments = String::new();
    for event in &events[1..] {
        match event["type"].as_str().unwrap() {
            "content_block_start" => {
                assert_eq!(open, None, "two open blocks");
                let content = message["content"].as_array_mut().unwrap();
                assert_eq!(event["index"], content.len());
                open = Some(content.len());
                content.push(event["content_block"].clone());
                arguments.clear();
            }
            "content_block_delta" => {
                assert_eq!(event["index"], open.unwrap());
                let block = &mut message["content"][open.unwrap()];
                let delta = &event["delta"];
                match delta["type"].as_str().unwrap() {
                    "text_delta" => append(&mut block["text"], &delta["text"]),
                    "thinking_delta" => append(&mut block["thinking"], &delta["thinking"]),
                    "signature_delta" => block["signature"] = delta["signature"].clone(),
                    "input_json_delta" => arguments.push_str(delta["partial_json"].as_str().unwrap()),
                    other => panic!("unknown delta {other}"),
                }
            }
            "content_block_stop" => {
                let block = &mut message["content"][open.take().unwrap()];
                if !arguments.is_empty() {
                    block["input"] = serde_json::from_str(&arguments).unwrap();
                }
            }
            "message_delta" => {
                assert_eq!(open, None);
                for key in ["stop_reason", "stop_sequence", "stop_details"] {
                    message[key] = event["delta"][key].clone();
                }
                for (key, value) in event["usage"].as_object().unwrap() {
                    message["usage"][key] = value.clone();
                }
            }
            "message_stop" | "ping" => {}
            other => panic!("unknown event {other}"),
        }
    }
    message
}

fn append(target: &mut Value, piece: &Value) {
    *target = json!(format!("{}{}", target.as_str().unwrap(), piece.as_str().unwrap()));
}

#[tokio::test]
async fn a_folded_stream_is_the_whole_message() {
    for body in requests() {
        let whole = ok(MESSAGES, &body).await;
        let stream = post(MESSAGES, &with(&body, "stream", json!(true))).await;
        let events = stream.events();
        for ((name, _), data) in events.iter().zip(stream.data()) {
            assert_eq!(data["type"], **name);
        }
        assert_eq!(events.first().unwrap().0, "message_start");
        assert_eq!(events.last().unwrap().0, "message_stop");
        assert!(events.iter().any(|(name, _)| name == "ping"));
        assert_eq!(fold(&stream.data()), whole, "{body}");
    }
}

#[tokio::test]
async fn answers_depend_on_the_request() {
    let mut answers = Vec::new();
    for body in requests() {
        answers.push(ok(MESSAGES, &body).await);
    }
    assert_eq!(answers[0]["content"][0]["text"], "Mock reply to: Say größe, please");
    assert_eq!(answers[0]["stop_reason"], "end_turn");
    assert_eq!(answers[1]["content"][0]["type"], "thinking");
    let usage = &answers[1]["usage"];
    assert!(usage["cache_read_input_tokens"].as_u64().unwrap() > 0);
    assert!(usage["cache_creation_input_tokens"].as_u64().unwrap() > 0);
    assert!(usage["output_tokens_details"]["thinking_tokens"].as_u64().unwrap() > 0);
    let types: Vec<&Value> = answers[2]["content"].as_array().unwrap().iter().map(|block| &block["type"]).collect();
    assert_eq!(types, ["text", "tool_use", "tool_use"]);
    assert_eq!(answers[2]["content"][1]["input"]["days"], 7);
    assert_eq!(answers[3]["content"][0]["input"], json!({}));
    assert_eq!((&answers[3]["content"][0]["name"], &answers[3]["stop_reason"]), (&json!("clock"), &json!("tool_use")));
    assert_eq!((&answers[4]["stop_reason"], &answers[4]["usage"]["output_tokens"]), (&json!("max_tokens"), &json!(4)));
    assert_eq!((&answers[5]["stop_reason"], &answers[5]["stop_sequence"]), (&json!("stop_sequence"), &json!("two")));
    let text = answers[6]["content"][0]["text"].as_str().unwrap();
    assert_eq!(serde_json::from_str::<Value>(text).unwrap()["city"], "mock city");
    assert_eq!(answers[7]["stop_reason"], "refusal");
    assert_eq!(answers[8]["content"][0]["text"], "Mock reply to: what. I see 1 image(s) and 1 document(s)");
}

#[tokio::test]
async fn a_tool_loop_with_thinking_closes_and_a_changed_signature_is_refused() {
    let mut body = requests()[2].clone();
    body["thinking"] = json!({"type": "adaptive"});
    let first = ok(MESSAGES, &body).await;
    let content = first["content"].as_array().unwrap();
    let results: Vec<Value> = content
        .iter()
        .filter(|block| block["type"] == "tool_use")
        .map(|block| json!({"type": "tool_result", "tool_use_id": block["id"], "content": format!("{} done", block["name"].as_str().unwrap())}))
        .collect();
    let turns =
        json!([body["messages"][0], {"role": "assistant", "content": content}, {"role": "user", "content": results}]);
    let next = with(&body, "messages", turns);
    let last = ok(MESSAGES, &next).await;
    assert_eq!(last["content"][1]["text"], "Mock reply to tool result: weather done; clock done");

    let mut changed = next.clone();
    changed["messages"][1]["content"][0]["thinking"] = json!("other thoughts");
    let refused = post(MESSAGES, &changed).await;
    assert_eq!(refused.status, 400);
    let message = refused.json()["error"]["message"].as_str().unwrap().to_owned();
    assert_eq!(message, "messages.1.content.0: Invalid `signature` in `thinking` block");

    let mut orphan = next;
    orphan["messages"][2]["content"].as_array_mut().unwrap().pop();
    assert_eq!(post(MESSAGES, &orphan).await.status, 400);
}

#[tokio::test]
async fn thinking_can_be_shown_without_text() {
    let body = with(&requests()[0], "thinking", json!({"type": "adaptive", "display": "omitted"}));
    let whole = ok(MESSAGES, &body).await;
    assert_eq!(whole["content"][0]["thinking"], "");
    let stream = post(MESSAGES, &with(&body, "stream", json!(true))).await;
    assert_eq!(fold(&stream.data()), whole);
}

#[tokio::test]
async fn mistakes_are_refused_as_the_vendor_does() {
    let good = requests()[0].clone();
    let without = |key: &str| {
        let mut body = good.clone();
        body.as_object_mut().unwrap().remove(key);
        body
    };
    let cases = [
        (without("max_tokens"), "max_tokens: Field required"),
        (without("model"), "model: Field required"),
        (without("messages"), "messages: Field required"),
        (with(&good, "messages", json!([])), "messages: at least one message is required"),
        (with(&good, "messages", json!([{"role": "robot", "content": "x"}])), "Unexpected role"),
        (
            with(&good, "messages", json!([{"role": "user", "content": [{"type": "text", "text": ""}]}])),
            "must be non-empty",
        ),
        (with(&good, "temperature", json!(1.5)), "temperature: range: 0..1"),
        (with(&good, "thinking", json!({"type": "enabled", "budget_tokens": 9000})), "`max_tokens` must be greater"),
    ];
    for (body, expected) in cases {
        let answer = post(MESSAGES, &body).await;
        assert_eq!(answer.status, 400, "{body}");
        let error = answer.json();
        assert_eq!((&error["type"], &error["error"]["type"]), (&json!("error"), &json!("invalid_request_error")));
        assert!(error["error"]["message"].as_str().unwrap().contains(expected), "{error}");
        assert_eq!(error["request_id"].as_str().unwrap(), answer.headers["request-id"].to_str().unwrap());
    }
    let missing = post(MESSAGES, &with(&good, "model", json!("missing"))).await;
    assert_eq!((missing.status, &missing.json()["error"]["type"]), (404, &json!("not_found_error")));
    let counted = ok("/v1/messages/count_tokens", &without("max_tokens")).await;
    assert_eq!(counted["input_tokens"], ok(MESSAGES, &good).await["usage"]["input_tokens"]);
}
