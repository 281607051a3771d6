use serde_json::{Value, json};

use crate::support::{get, ok, post, request, weather_schema, with};

pub(crate) const CHAT: &str = "/v1/chat/completions";

pub(crate) fn requests() -> Vec<Value> {
    let tools = json!([
        {"type": "function", "function": {"name": "weather", "description": "Weather", "parameters": weather_schema()}},
        {"type": "function", "function": {"name": "clock"}},
        {"type": "custom", "custom": {"name": "shell"}},
    ]);
    let ask = |text: &str| json!([{"role": "system", "content": "Be brief."}, {"role": "user", "content": text}]);
    vec![
        json!({"model": "gpt-4o", "messages": ask("Say größe, please")}),
        json!({"model": "gpt-4o", "messages": ask("cached prompt with more words"), "n": 2, "logprobs": true}),
        json!({"model": "o4", "messages": ask("think"), "reasoning_effort": "low"}),
        json!({"model": "gpt-4o", "messages": ask("use a tool"), "tools": tools}),
        json!({"model": "gpt-4o", "messages": ask("narrate parallel tools"), "tools": tools}),
        json!({"model": "gpt-4o", "messages": ask("run"), "tools": tools,
            "tool_choice": {"type": "custom", "custom": {"name": "shell"}}}),
        json!({"model": "gpt-4o", "messages": ask("one two three four"), "max_completion_tokens": 4}),
        json!({"model": "gpt-4o", "messages": ask("one two three four"), "stop": ["three"]}),
        json!({"model": "gpt-4o", "messages": ask("go"), "response_format": {"type": "json_schema",
            "json_schema": {"name": "out", "schema": weather_schema()}}}),
        json!({"model": "gpt-4o+refusal=1", "messages": ask("go")}),
        json!({"model": "gpt-4o", "messages": [
            {"role": "user", "content": "use a tool"},
            {"role": "assistant", "content": null, "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "call_1", "content": "sunny"}], "tools": tools}),
        json!({"model": "gpt-4o", "messages": [{"role": "user", "content": [
            {"type": "text", "text": "what is this"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
            {"type": "file", "file": {"file_data": "data:application/pdf;base64,AAAA", "filename": "a.pdf"}}]}]}),
    ]
}

/// Puts chunks together the way a client does.
fn fold(chunks: &[Value]) -> Value {
    let mut whole = chunks[0].clone();
    whole["object"] = json!("chat.completion");
    whole["usage"] = Value::Null;
    let mut choices: Vec<Value> = Vec::new();
    for chunk in chunks {
        assert_eq!(chunk["object"], "chat.completion.chunk");
        assert_eq!(chunk["id"], whole["id"]);
        if !chunk["usage"].is_null() {
            assert_eq!(chunk["choices"], json!([]));
            whole["usage"] = chunk["usage"].clone();
        }
        for choice in chunk["choices"].as_array().unwrap() {
            let index = usize::try_from(choice["index"].as_u64().unwrap()).unwrap();
            if choices.len() <= index {
                let message = json!({"role": "assistant", "content": null, "refusal": null, "annotations": []});
                choices.push(json!({"index": index, "message": message, "logprobs": null, "finish_reason": null}));
            }
            let folded = &mut choices[index];
            add_delta(&mut folded["message"], &choice["delta"]);
            if let Some(content) = choice["logprobs"]["content"].as_array() {
                if folded["logprobs"].is_null() {
                    folded["logprobs"] = json!({"content": [], "refusal": null});
                }
                folded["logprobs"]["content"].as_array_mut().unwrap().extend(content.clone());
            }
            if !choice["finish_reason"].is_null() {
                assert!(folded["finish_reason"].is_null(), "two finish reasons");
                folded["finish_reason"] = choice["finish_reason"].clone();
            }
        }
    }
    whole["choices"] = Value::Array(choices);
    whole
}

fn append(target: &mut Value, piece: &Value) {
    *target = json!(format!("{}{}", target.as_str().unwrap_or_default(), piece.as_str().unwrap()));
}

fn add_delta(message: &mut Value, delta: &Value) {
    for key in ["content", "refusal", "reasoning_content"] {
        if delta[key].as_str().is_some_and(|piece| !piece.is_empty()) {
            append(&mut message[key], &delta[key]);
        }
    }
    for fragment in delta["tool_calls"].as_array().into_iter().flatten() {
        let index = usize::try_from(fragment["index"].as_u64().unwrap()).unwrap();
        if message["tool_calls"].is_null() {
            message["tool_calls"] = json!([]);
        }
        let calls = message["tool_calls"].as_array_mut().unwrap();
        if calls.len() == index {
            let mut opening = fragment.clone();
            opening.as_object_mut().unwrap().remove("index");
            calls.push(opening);
            continue;
        }
        for (kind, key) in [("function", "arguments"), ("custom", "input")] {
            if !fragment[kind].is_null() {
                append(&mut calls[index][kind][key], &fragment[kind][key]);
            }
        }
    }
}

#[tokio::test]
async fn a_folded_stream_is_the_whole_answer() {
    for body in requests() {
        let whole = ok(CHAT, &body).await;
        let streaming = with(&with(&body, "stream", json!(true)), "stream_options", json!({"include_usage": true}));
        let stream = post(CHAT, &streaming).await;
        assert_eq!(stream.headers["content-type"], "text/event-stream; charset=utf-8");
        assert_eq!(stream.events().last().unwrap().1, "[DONE]");
        assert_eq!(fold(&stream.data()), whole, "{body}");
        let usage = &whole["usage"];
        let sum = usage["prompt_tokens"].as_u64().unwrap() + usage["completion_tokens"].as_u64().unwrap();
        assert_eq!(usage["total_tokens"], sum);
    }
}

#[tokio::test]
async fn answers_depend_on_the_request() {
    let mut answers = Vec::new();
    for body in requests() {
        answers.push(ok(CHAT, &body).await);
    }
    let message = |at: usize| &answers[at]["choices"][0]["message"];
    let finish = |at: usize| answers[at]["choices"][0]["finish_reason"].as_str().unwrap();
    assert_eq!(message(0)["content"], "Mock reply to: Say größe, please");
    assert!(answers[1]["usage"]["prompt_tokens_details"]["cached_tokens"].as_u64().unwrap() > 0);
    assert_eq!(answers[1]["choices"].as_array().unwrap().len(), 2);
    assert_eq!(message(2)["reasoning_content"], "Thinking about: think");
    assert!(answers[2]["usage"]["completion_tokens_details"]["reasoning_tokens"].as_u64().unwrap() > 0);
    assert_eq!(finish(3), "tool_calls");
    assert_eq!(message(3)["content"], Value::Null);
    let arguments = message(3)["tool_calls"][0]["function"]["arguments"].as_str().unwrap();
    let arguments: Value = serde_json::from_str(arguments).unwrap();
    assert_eq!(arguments, json!({"city": "mock city", "unit": "celsius", "days": 7}));
    let names: Vec<&Value> =
        message(4)["tool_calls"].as_array().unwrap().iter().map(|c| &c["function"]["name"]).collect();
    assert_eq!(names, ["weather", "clock"]);
    assert_eq!(message(5)["tool_calls"][0]["custom"]["input"], "mock input for shell");
    assert_eq!(finish(6), "length");
    assert_eq!(answers[6]["usage"]["completion_tokens"], 4);
    assert_eq!(message(7)["content"], "Mock reply to: one two ");
    assert_eq!(serde_json::from_str::<Value>(message(8)["content"].as_str().unwrap()).unwrap()["unit"], "celsius");
    assert!(message(9)["refusal"].is_string() && message(9)["content"].is_null());
    assert_eq!(message(10)["content"], "Mock reply to tool result: sunny");
    assert_eq!(message(11)["content"], "Mock reply to: what is this. I see 1 image(s) and 1 document(s)");
}

#[tokio::test]
async fn usage_comes_in_a_stream_only_when_asked_for() {
    let body = with(&requests()[0], "stream", json!(true));
    assert!(post(CHAT, &body).await.data().iter().all(|chunk| chunk.get("usage").is_none()));
    let asked = with(&body, "stream_options", json!({"include_usage": true}));
    let chunks = post(CHAT, &asked).await.data();
    assert!(chunks[0].get("usage").unwrap().is_null());
    assert!(chunks.last().unwrap()["usage"].is_object());
}

#[tokio::test]
async fn mistakes_are_refused_as_the_vendor_does() {
    let good = requests()[0].clone();
    let user = |content: Value| json!([{"role": "user", "content": content}]);
    let cases = [
        (json!({"messages": user(json!("hi"))}), "model"),
        (json!({"model": "m"}), "messages"),
        (json!({"model": "m", "messages": []}), "messages"),
        (json!({"model": "m", "messages": [{"role": "robot", "content": "hi"}]}), "messages[0].role"),
        (json!({"model": "m", "messages": user(json!([{"type": "smell"}]))}), "messages[0].content[0].type"),
        (
            json!({"model": "m", "messages": [{"role": "tool", "tool_call_id": "x", "content": "r"}]}),
            "messages[0].role",
        ),
        (with(&good, "temperature", json!(3)), "temperature"),
        (with(&good, "max_tokens", json!(0)), "max_tokens"),
        (with(&good, "stop", json!(["a", "b", "c", "d", "e"])), "stop"),
        (with(&good, "tool_choice", json!("auto")), "tool_choice"),
        (with(&good, "response_format", json!({"type": "json_object"})), "messages"),
        (with(&good, "stream_options", json!({"include_usage": true})), "stream_options"),
    ];
    for (body, param) in cases {
        let answer = post(CHAT, &body).await;
        assert_eq!(answer.status, 400, "{body}");
        let error = &answer.json()["error"];
        assert_eq!(error["param"], param, "{body}: {error}");
        assert_eq!(error["type"], "invalid_request_error");
        assert!(answer.headers.contains_key("x-request-id"));
    }
    let missing = post(CHAT, &with(&good, "model", json!("missing-model"))).await;
    assert_eq!((missing.status, &missing.json()["error"]["code"]), (404, &json!("model_not_found")));
    let strict = post(CHAT, &with(&with(&good, "model", json!("m+strict=1")), "top_k", json!(3))).await;
    assert_eq!(strict.json()["error"]["param"], "top_k");
    let headers = [("content-type", "text/plain")];
    let plain = request(http::Method::POST, CHAT, &headers, good.to_string().into());
    let answer = crate::support::collect(crate::support::service().respond(plain).await).await;
    assert_eq!(answer.status, 415);
    let broken = request(http::Method::POST, CHAT, &[], "{\"model\":".into());
    assert_eq!(crate::support::service().respond(broken).await.status(), 400);
}

#[tokio::test]
async fn a_responses_stream_has_the_full_lifecycle_and_ends_with_the_whole_answer() {
    let tools = json!([{"type": "function", "name": "weather", "parameters": weather_schema(), "strict": false}]);
    let bodies = [
        json!({"model": "gpt-5", "input": "hello"}),
        json!({"model": "gpt-5", "input": [{"role": "user", "content": [{"type": "input_text", "text": "tool"}]}],
            "tools": tools, "reasoning": {"effort": "low", "summary": "auto"}, "include": ["reasoning.encrypted_content"]}),
        json!({"model": "gpt-5", "input": "a b c d e f g h i j k l m n o p q r s t", "max_output_tokens": 16}),
    ];
    for body in bodies {
        let whole = ok("/v1/responses", &body).await;
        let stream = post("/v1/responses", &with(&body, "stream", json!(true))).await;
        let events = stream.events();
        let data = stream.data();
        for (number, ((name, _), event)) in events.iter().zip(&data).enumerate() {
            assert_eq!(event["type"], **name);
            assert_eq!(event["sequence_number"], number);
        }
        assert_eq!(data[0]["type"], "response.created");
        assert_eq!(data[1]["type"], "response.in_progress");
        let last = data.last().unwrap();
        assert_eq!(last["response"], whole);
        let done: Vec<&Value> = data
            .iter()
            .filter(|event| event["type"] == "response.output_item.done")
            .map(|event| &event["item"])
            .collect();
        assert_eq!(done, whole["output"].as_array().unwrap().iter().collect::<Vec<_>>());
        let deltas = data.iter().filter(|event| event["type"] == "response.output_text.delta");
        let text: String = deltas.map(|event| event["delta"].as_str().unwrap()).collect();
        let message = whole["output"].as_array().unwrap().iter().find(|item| item["type"] == "message");
        assert_eq!(text, message.map_or("", |item| item["content"][0]["text"].as_str().unwrap()));
    }
}

#[tokio::test]
async fn sealed_reasoning_must_come_back_unchanged() {
    let body = json!({"model": "gpt-5", "input": "why", "reasoning": {"effort": "low"}, "include": ["reasoning.encrypted_content"]});
    let mut item = ok("/v1/responses", &body).await["output"][0].clone();
    let next = |item: &Value| json!({"model": "gpt-5", "input": [item, {"role": "user", "content": "go on"}]});
    ok("/v1/responses", &next(&item)).await;
    item["encrypted_content"] = json!(item["encrypted_content"].as_str().unwrap().replacen('b', "c", 1));
    let refused = post("/v1/responses", &next(&item)).await;
    assert_eq!((refused.status, &refused.json()["error"]["code"]), (400, &json!("invalid_encrypted_content")));
}

#[tokio::test]
async fn single_purpose_endpoints_answer() {
    let floats = ok("/v1/embeddings", &json!({"model": "e", "input": ["a", "b", "a"]})).await;
    let vector = |at: usize| floats["data"][at]["embedding"].as_array().unwrap();
    assert_eq!(vector(0).len(), 1536);
    assert_eq!(vector(0), vector(2));
    assert_ne!(vector(0), vector(1));
    let body = json!({"model": "e", "input": "a", "dimensions": 8, "encoding_format": "base64"});
    let packed = ok("/v1/embeddings", &body).await;
    assert_eq!(packed["data"][0]["embedding"].as_str().unwrap().len(), 44);

    let image = ok("/v1/images/generations", &json!({"model": "i", "prompt": "cat", "n": 2})).await;
    assert!(image["data"][1]["b64_json"].as_str().unwrap().starts_with("iVBORw0KGgo"));
    let speech = post("/v1/audio/speech", &json!({"model": "t", "input": "hi", "voice": "alloy"})).await;
    assert!(speech.body.starts_with(b"RIFF") && speech.body.len() == 1644);
    let flagged = ok("/v1/moderations", &json!({"input": ["peace", "violence"]})).await;
    assert_eq!(flagged["results"][0]["flagged"], false);
    assert_eq!(flagged["results"][1]["categories"]["violence"], true);
    let rerank =
        ok("/v1/rerank", &json!({"model": "r", "query": "red fox", "documents": ["blue", "a red fox"], "top_n": 1}))
            .await;
    assert_eq!(rerank["results"], json!([{"index": 1, "relevance_score": 1.0}]));
    let video = ok("/v1/videos", &json!({"model": "sora-2", "prompt": "sea"})).await;
    let status = get(&format!("/v1/videos/{}", video["id"].as_str().unwrap()), &[]).await.json();
    assert_eq!((&status["id"], &status["status"]), (&video["id"], &json!("completed")));

    let form = "--x\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper\r\n--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n\r\nRIFF\r\n--x--\r\n";
    for (form, status) in
        [(form.to_owned(), 200), (form.replace("whisper", "missing"), 404), (form.replace("\"file\"", "\"f\""), 400)]
    {
        let headers = [("content-type", "multipart/form-data; boundary=x")];
        let request = request(http::Method::POST, "/v1/audio/transcriptions", &headers, form.into());
        let answer = crate::support::collect(crate::support::service().respond(request).await).await;
        assert_eq!(answer.status, status, "{}", answer.text());
    }

    let whole = ok("/v1/completions", &json!({"model": "c", "prompt": "once upon"})).await;
    let stream = post("/v1/completions", &json!({"model": "c", "prompt": "once upon", "stream": true})).await;
    let text: String =
        stream.data().iter().map(|chunk| chunk["choices"][0]["text"].as_str().unwrap().to_owned()).collect();
    assert_eq!(whole["choices"][0]["text"], text);
    assert_eq!(text, "Mock reply to: once upon");
}

#[tokio::test]
async fn model_lists_follow_the_callers_dialect() {
    let openai = get("/v1/models", &[]).await.json();
    assert_eq!(openai["data"][0]["object"], "model");
    let anthropic = get("/v1/models", &[("anthropic-version", "2023-06-01")]).await.json();
    assert_eq!(anthropic["data"][0]["type"], "model");
    let gemini = get("/v1beta/models", &[]).await.json();
    assert_eq!(gemini["models"][0]["name"], "models/mock-large");
    assert_eq!(get("/v1beta/models/gemini-2.5-pro", &[]).await.json()["name"], "models/gemini-2.5-pro");
    assert_eq!(get("/v1/models/missing", &[]).await.status, 404);
}
