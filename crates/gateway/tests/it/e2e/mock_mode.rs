//! `ENABLE_MOCK_MODE=true`: every endpoint answers locally, without configuration, keys of providers or a network.

use serde_json::json;

use super::client::Request;
use super::dialect::{ALL, Ask, Dialect};
use super::gateway::{Gateway, KEY, Setup};

async fn mocked() -> Gateway {
    let setup = Setup::empty().env("ENABLE_MOCK_MODE", "true");
    let created = setup.run(&["keys", "create", "--name", "first", "--key", KEY]);
    assert!(created.status.success(), "{}", String::from_utf8_lossy(&created.stderr));
    setup.start().await
}

#[tokio::test]
async fn every_dialect_and_every_model_is_answered() {
    let gateway = mocked().await;
    for client in ALL {
        for model in [
            "gpt-4o",
            "claude-sonnet-4-5",
            "gemini-2.5-flash",
            "anything",
            "openai/gpt-4o",
            "anthropic/claude-sonnet-4-5",
        ] {
            for stream in [false, true] {
                let answer = gateway.send(client.say(model, stream, "hello")).await;
                assert_eq!(answer.status(), 200, "{client:?} {model}: {}", answer.text());
                let body = if stream { client.fold(&answer.text()) } else { answer.json() };
                assert_eq!(client.read(&body).text, "Mock reply to: hello", "{client:?} {model}");
            }
        }
        let ask = Ask { prompt: "use a tool".into(), tools: true, ..Ask::default() };
        let answer = gateway.send(client.request("gpt-4o", false, &ask)).await;
        assert_eq!(client.read(&answer.ok()).calls.len(), 1);
        let delayed = gateway.send(client.say("gpt-4o+status=429", false, "hello")).await;
        client.assert_error(&delayed, 429);
    }
}

#[tokio::test]
async fn every_other_endpoint_is_answered() {
    let gateway = mocked().await;
    for (path, body) in [
        ("/v1/embeddings", json!({"model": "text-embedding-3-small", "input": "x"})),
        ("/v1/images/generations", json!({"model": "gpt-image-1", "prompt": "x"})),
        ("/v1/audio/speech", json!({"model": "tts-1", "input": "x", "voice": "alloy"})),
        ("/v1/moderations", json!({"model": "omni-moderation-latest", "input": "x"})),
        ("/v1/videos", json!({"model": "sora-2", "prompt": "x"})),
        ("/v1/responses", json!({"model": "gpt-4o", "input": "x"})),
        ("/v1/completions", json!({"model": "gpt-3.5-turbo-instruct", "prompt": "x"})),
        (
            "/v1/messages/count_tokens",
            json!({"model": "claude-sonnet-4-5", "messages": [{"role": "user", "content": "x"}]}),
        ),
        ("/v1beta/models/gemini-2.5-flash:countTokens", json!({"contents": [{"parts": [{"text": "x"}]}]})),
        ("/v1beta/models/gemini-embedding-001:embedContent", json!({"content": {"parts": [{"text": "x"}]}})),
    ] {
        let answer = gateway.post(path, &body).await;
        assert_eq!(answer.status(), 200, "{path}: {}", answer.text());
    }
    let form = "--b\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\ncontent-type: audio/wav\r\n\r\nx\r\n--b--\r\n";
    for path in ["/v1/audio/transcriptions", "/v1/audio/translations"] {
        let request = Request::post(path).header("content-type", "multipart/form-data; boundary=b").raw_body(form);
        let answer = gateway.send(request).await;
        assert_eq!(answer.status(), 200, "{path}: {}", answer.text());
    }
    let video = gateway.post("/v1/videos", &json!({"model": "sora-2", "prompt": "x"})).await.ok();
    let id = video["id"].as_str().unwrap();
    let status = gateway.get(&format!("/v1/videos/{id}")).await;
    assert_eq!(status.ok()["id"], id);
}

#[tokio::test]
async fn the_mock_command_is_a_provider_of_its_own() {
    let setup = Setup::empty().arguments(&["mock", "--listen", "127.0.0.1:0", "--options", "chunks=3"]);
    let mut provider = setup.start_again().await;
    let request = Dialect::OpenAi.say("gpt-4o", true, "hello");
    let answer = provider.send_bare(request.header("authorization", "Bearer any")).await;
    assert!(Dialect::OpenAi.ended(&answer.text()), "{}", answer.text());
    let gateway = Setup::with(&format!("http://{}", provider.address), "").start().await;
    for dialect in ALL {
        let answer = gateway.send(dialect.say(dialect.model(), false, "hello")).await;
        assert_eq!(answer.status(), 200, "{}", answer.text());
    }
    provider.signal("INT");
    assert!(provider.ended().await.success());
    let wrong = Setup::empty().run(&["mock", "--listen", "127.0.0.1:0", "--options", "speed=9"]);
    assert!(!wrong.status.success() && String::from_utf8_lossy(&wrong.stderr).contains("speed"));
}
