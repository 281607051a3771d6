use serde_json::{Value, json};

use crate::support::{ok, post, weather_schema, with};

fn path(model: &str, action: &str) -> String {
    format!("/v1beta/models/{model}:{action}")
}

pub(crate) fn requests() -> Vec<Value> {
    let tools = json!([{"functionDeclarations": [
        {"name": "weather", "description": "Weather", "parametersJsonSchema": weather_schema()}, {"name": "clock"}]}]);
    let ask = |text: &str| json!({"contents": [{"role": "user", "parts": [{"text": text}]}]});
    let config = |text: &str, config: Value| with(&ask(text), "generationConfig", config);
    vec![
        with(&ask("Say größe, please"), "systemInstruction", json!({"parts": [{"text": "Be brief."}]})),
        config("think cached", json!({"thinkingConfig": {"includeThoughts": true, "thinkingBudget": 1024}})),
        with(&ask("narrate parallel"), "tools", tools.clone()),
        with(
            &with(&ask("go"), "tools", tools),
            "toolConfig",
            json!({"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["clock"]}}),
        ),
        config("one two three", json!({"maxOutputTokens": 4, "candidateCount": 2})),
        config("one two three", json!({"stop_sequences": ["two"]})),
        config(
            "go",
            json!({"responseMimeType": "application/json", "responseSchema": {"type": "OBJECT", "properties": {"n": {"type": "INTEGER"}}}}),
        ),
        json!({"contents": [{"parts": [{"text": "what"}, {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}, {"file_data": {"mime_type": "application/pdf", "file_uri": "gs://a"}}]}]}),
    ]
}

/// Merges adjacent text parts of the same kind; an empty last part only brings its signature.
fn fold(chunks: &[Value]) -> Value {
    let mut whole = chunks[0].clone();
    let mut candidates: Vec<Value> = Vec::new();
    for chunk in chunks {
        whole["usageMetadata"] = chunk["usageMetadata"].clone();
        for candidate in chunk["candidates"].as_array().unwrap() {
            let index = usize::try_from(candidate["index"].as_u64().unwrap()).unwrap();
            if candidates.len() <= index {
                candidates.push(json!({"content": {"parts": [], "role": "model"}, "index": index}));
            }
            let folded = &mut candidates[index];
            assert!(folded.get("finishReason").is_none(), "a chunk after the finish reason");
            let parts = folded["content"]["parts"].as_array_mut().unwrap();
            for part in candidate["content"]["parts"].as_array().unwrap() {
                match (parts.last_mut(), part["text"].as_str()) {
                    (Some(last), Some(text))
                        if last["text"].is_string() && last.get("thought") == part.get("thought")
                            || last["text"].is_string() && text.is_empty() =>
                    {
                        last["text"] = json!(format!("{}{text}", last["text"].as_str().unwrap()));
                        if let Some(signature) = part.get("thoughtSignature") {
                            last["thoughtSignature"] = signature.clone();
                        }
                    }
                    _ => parts.push(part.clone()),
                }
            }
            if let Some(reason) = candidate.get("finishReason") {
                folded["finishReason"] = reason.clone();
            }
        }
    }
    whole["candidates"] = Value::Array(candidates);
    whole
}

#[tokio::test]
async fn folded_streams_are_the_whole_answer_in_both_framings() {
    for model in ["gemini-2.5-flash", "gemini-3-pro"] {
        for body in requests() {
            let whole = ok(&path(model, "generateContent"), &body).await;
            let sse = post(&format!("{}?alt=sse", path(model, "streamGenerateContent")), &body).await;
            assert_eq!(sse.headers["content-type"], "text/event-stream");
            assert_eq!(fold(&sse.data()), whole, "{body}");
            let array = post(&path(model, "streamGenerateContent"), &body).await;
            assert_eq!(array.json(), Value::Array(sse.data()));
        }
    }
}

#[tokio::test]
async fn answers_depend_on_the_request() {
    let mut answers = Vec::new();
    for body in requests() {
        answers.push(ok(&path("gemini-2.5-flash", "generateContent"), &body).await);
    }
    let parts = |at: usize| &answers[at]["candidates"][0]["content"]["parts"];
    assert_eq!(parts(0)[0]["text"], "Mock reply to: Say größe, please");
    assert_eq!(parts(1)[0], json!({"text": "Thinking about: think cached", "thought": true}));
    assert!(parts(1)[1]["thoughtSignature"].is_string());
    let usage = &answers[1]["usageMetadata"];
    let count = |key: &str| usage[key].as_u64().unwrap();
    assert_eq!(
        count("promptTokenCount") + count("candidatesTokenCount") + count("thoughtsTokenCount"),
        count("totalTokenCount")
    );
    assert!(count("cachedContentTokenCount") > 0);
    assert_eq!(parts(2)[1]["functionCall"]["name"], "weather");
    assert_eq!(parts(2)[2]["functionCall"]["name"], "clock");
    assert_eq!(parts(3)[0]["functionCall"]["args"], json!({}));
    assert_eq!(answers[3]["candidates"][0]["finishReason"], "STOP");
    assert_eq!(answers[4]["candidates"][1]["finishReason"], "MAX_TOKENS");
    assert_eq!(parts(5)[0]["text"], "Mock reply to: one ");
    assert_eq!(parts(6)[0]["text"], r#"{"n":42}"#);
    assert_eq!(parts(7)[0]["text"], "Mock reply to: what. I see 1 image(s) and 1 document(s)");
}

#[tokio::test]
async fn call_signatures_of_the_current_turn_are_checked() {
    let generate = path("gemini-3-pro", "generateContent");
    let body = requests()[2].clone();
    let content = ok(&generate, &body).await["candidates"][0]["content"].clone();
    let responses = json!({"role": "user", "parts": [
        {"functionResponse": {"name": "weather", "response": {"output": "sunny"}}},
        {"functionResponse": {"name": "clock", "response": {"output": "noon"}}}]});
    let next = |content: &Value| with(&body, "contents", json!([body["contents"][0], content, responses]));
    let last = ok(&generate, &next(&content)).await;
    assert_eq!(last["candidates"][0]["content"]["parts"][0]["text"], "Mock reply to tool result: sunny; noon");

    let mut changed = content.clone();
    changed["parts"][1]["thoughtSignature"] = json!("bm90IGl0");
    assert_eq!(post(&generate, &next(&changed)).await.status, 400);
    assert_eq!(post(&path("gemini-2.5-pro", "generateContent"), &next(&changed)).await.status, 400);
    changed["parts"][1]["thoughtSignature"] = json!("skip_thought_signature_validator");
    ok(&generate, &next(&changed)).await;
    changed["parts"][1].as_object_mut().unwrap().remove("thoughtSignature");
    assert_eq!(post(&generate, &next(&changed)).await.status, 400);
    ok(&path("gemini-2.5-pro", "generateContent"), &next(&changed)).await;
}

#[tokio::test]
async fn counting_and_embedding_answer() {
    let model = "gemini-embedding-001";
    let count = ok(&path(model, "countTokens"), &requests()[0]).await;
    assert!(count["totalTokens"].as_u64().unwrap() > 0);
    let content = json!({"parts": [{"text": "a"}]});
    let one = ok(&path(model, "embedContent"), &json!({"content": content, "outputDimensionality": 16})).await;
    assert_eq!(one["embedding"]["values"].as_array().unwrap().len(), 16);
    let batch =
        ok(&path(model, "batchEmbedContents"), &json!({"requests": [{"content": content}, {"content": content}]}))
            .await;
    assert_eq!(batch["embeddings"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn mistakes_and_blocked_prompts_are_reported_as_the_vendor_does() {
    let generate = path("gemini-2.5-flash", "generateContent");
    for body in [
        json!({}),
        json!({"contents": [{"role": "robot", "parts": [{"text": "x"}]}]}),
        json!({"contents": [{"role": "user", "parts": []}]}),
        json!({"contents": [{"role": "user", "parts": [{}]}]}),
        with(&requests()[0], "generationConfig", json!({"temperature": 9})),
        with(
            &requests()[0],
            "generationConfig",
            json!({"thinkingConfig": {"thinkingBudget": 1, "thinkingLevel": "LOW"}}),
        ),
    ] {
        let answer = post(&generate, &body).await;
        assert_eq!((answer.status, &answer.json()["error"]["status"]), (400, &json!("INVALID_ARGUMENT")), "{body}");
    }
    let missing = post(&path("missing", "generateContent"), &requests()[0]).await;
    assert_eq!((missing.status, &missing.json()["error"]["status"]), (404, &json!("NOT_FOUND")));
    let blocked = ok(&path("gemini-2.5-flash+blocked=1", "generateContent"), &requests()[0]).await;
    assert_eq!(blocked["promptFeedback"]["blockReason"], "SAFETY");
    assert!(blocked.get("candidates").is_none());
}
