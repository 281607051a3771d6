//! Provider-native calls: untouched in both directions, by white list only.

use gw_store::UsageProvenance;
use serde_json::json;

use super::client::Request;
use super::dialect::Dialect;
use super::gateway::{both, both_with};

#[tokio::test]
async fn listed_endpoints_pass_untouched_and_reach_the_models_provider() {
    let (mock, gateway) = both_with(
        "default_provider: openai\nmodels: [{name: small, provider: openai, target: text-embedding-3-small}]",
    )
    .await;
    for (path, body) in [
        ("/v1/embeddings", r#"{ "model":"openai/text-embedding-3-small" , "input":["a","\u0062"],"odd": 1.10 }"#),
        ("/openai/v1/embeddings", r#"{ "model":"openai/text-embedding-3-small" , "input":"a" }"#),
        ("/v1/responses", r#"{"input":"hello", "model": "openai/gpt-4o"}"#),
        ("/v1/moderations", r#"{"input":"hello", "model": "openai/omni-moderation-latest"}"#),
        ("/v1/images/generations", r#"{"prompt":"a cat","model":"openai/gpt-image-1"}"#),
        ("/v1/completions", r#"{"prompt":"hello","model":"openai/gpt-3.5-turbo-instruct"}"#),
        ("/v1/videos", r#"{"prompt":"a cat","model":"openai/sora-2"}"#),
    ] {
        let answer = gateway.send(Request::post(path).body(body)).await;
        assert_eq!(answer.status(), 200, "{path}: {}", answer.text());
        let seen = mock.service().journal().pop().unwrap();
        assert_eq!(String::from_utf8_lossy(&seen.body), body.replace("openai/", ""), "{path}");
        assert_eq!(seen.path, path.trim_start_matches("/openai"), "{path}");
        assert_eq!(seen.headers.get("x-request-id").map(|id| id.to_str().unwrap()), answer.header("x-request-id"));
    }
    let answer = gateway.post("/v1/embeddings", &json!({"model": "small", "input": "one two three"})).await;
    let body = answer.ok();
    assert!(body["data"][0]["embedding"].is_array());
    let record = gateway.record(&answer.request_id()).await;
    assert_eq!(record.usage.input_total(), body["usage"]["prompt_tokens"].as_u64().unwrap());
    assert_eq!((record.usage_provenance, record.operation.as_str()), (UsageProvenance::Reported, "native"));
    assert_eq!(record.upstream_model, "text-embedding-3-small");
}

#[tokio::test]
async fn speech_is_binary_and_transcription_is_a_form() {
    let (mock, gateway) = both().await;
    let speech = json!({"model": "openai/gpt-4o-mini-tts", "input": "hello", "voice": "alloy"});
    let answer = gateway.post("/v1/audio/speech", &speech).await;
    assert_eq!(answer.status(), 200, "{}", answer.text());
    assert!(answer.header("content-type").unwrap().starts_with("audio/") && !answer.body.is_empty());
    let form = "--b\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\nopenai/whisper-1\r\n--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\ncontent-type: audio/wav\r\n\r\n\0\u{1}binary\r\n--b--\r\n";
    let request = Request::post("/v1/audio/transcriptions").header("content-type", "multipart/form-data; boundary=b");
    let answer = gateway.send(request.raw_body(form)).await;
    assert_eq!(answer.status(), 200, "{}", answer.text());
    let seen = mock.service().journal().pop().unwrap();
    assert_eq!(String::from_utf8_lossy(&seen.body), form.replace("openai/whisper-1", "whisper-1"));
}

#[tokio::test]
async fn native_gemini_calls_and_streams_pass() {
    let (mock, gateway) = both_with("default_provider: openai").await;
    let body = json!({"content": {"parts": [{"text": "hello"}]}});
    let answer = gateway.post("/v1beta/models/gemini/gemini-embedding-001:embedContent", &body).await;
    assert!(answer.ok()["embedding"]["values"].is_array(), "{}", answer.text());
    assert_eq!(mock.service().journal().pop().unwrap().path, "/v1beta/models/gemini-embedding-001:embedContent");
    let streamed =
        gateway.post("/v1/responses", &json!({"model": "openai/gpt-4o", "input": "hello", "stream": true})).await;
    assert!(streamed.header("content-type").unwrap().starts_with("text/event-stream"), "{}", streamed.text());
    assert!(streamed.text().contains("response.completed"), "{}", streamed.text());
}

#[tokio::test]
async fn what_is_not_listed_is_403_until_the_operator_opens_it() {
    let (mock, gateway) = both().await;
    let answer = gateway.post("/v1/files", &json!({"model": "openai/gpt-4o"})).await;
    let message = Dialect::OpenAi.assert_error(&answer, 403);
    assert!(message.contains("OPENAI_FULL_PROXY"), "{message}");
    assert_eq!(mock.service().started(), 0);
    let (mock, gateway) = both_with("default_provider: openai\nnative: {paths: [/v1/rerank]}").await;
    let listed = json!({"model": "openai/rerank-1", "query": "q", "documents": ["a", "b"]});
    assert_eq!(gateway.post("/v1/rerank", &listed).await.status(), 200);
    assert_eq!(mock.service().journal().pop().unwrap().path, "/v1/rerank");
    Dialect::OpenAi.assert_error(&gateway.post("/v1/files", &json!({})).await, 403);
    let (mock, gateway) = both_with("default_provider: openai\nnative: {full_proxy: true}").await;
    let before = mock.service().started();
    let answer = gateway.post("/v1/anything/at/all", &json!({"model": "openai/x"})).await;
    assert_eq!(mock.service().started(), before + 1, "{}", answer.text());
}

#[tokio::test]
async fn pain_40_native_calls_pass_the_same_doors() {
    let (mock, gateway) = both().await;
    let body = json!({"model": "openai/text-embedding-3-small", "input": "x"});
    let stranger = gateway.send_bare(Request::post("/v1/embeddings").json(&body)).await;
    Dialect::OpenAi.assert_error(&stranger, 401);
    let unknown = gateway.post("/v1/embeddings", &json!({"model": "nobody/x", "input": "x"})).await;
    Dialect::OpenAi.assert_error(&unknown, 400);
    let unsuited = gateway.post("/v1/embeddings", &json!({"model": "anthropic/x", "input": "x"})).await;
    assert!((400..500).contains(&unsuited.status()), "{}", unsuited.text());
    assert_eq!(mock.service().started(), 0);
    let failing = gateway.post("/v1/embeddings", &json!({"model": "openai/missing-model", "input": "x"})).await;
    Dialect::OpenAi.assert_error(&failing, 404);
    let record = gateway.record(&failing.request_id()).await;
    assert_eq!(record.end, gw_store::EndReason::UpstreamError);
}
