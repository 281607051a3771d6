//! Which model is served by whom, and how models are listed.

use serde_json::{Value, json};

use super::client::Request;
use super::dialect::{ALL, Dialect};
use super::gateway::{KEY, Setup, both, both_with, mock};

/// Model of the last request that the mock got, wherever its dialect puts it.
fn upstream_model(mock: &gw_mock::MockServer) -> String {
    let seen = mock.service().journal().pop().unwrap();
    let body: Value = serde_json::from_slice(&seen.body).unwrap();
    match body["model"].as_str() {
        Some(model) => model.to_owned(),
        None => seen
            .path
            .split("/models/")
            .nth(1)
            .unwrap()
            .split(":generate")
            .next()
            .unwrap()
            .replace("%2F", "/")
            .replace("%3A", ":"),
    }
}

#[tokio::test]
async fn the_part_after_the_provider_reaches_the_upstream_unchanged() {
    let (mock, gateway) = both().await;
    let names = ["gpt-4o", "meta-llama/llama-3:8b", "a/b/c:d@e", "ft:gpt-4o:org::id", "models/x.y_z-1", "command-r+"];
    for name in names {
        for client in ALL {
            for provider in ["openai", "anthropic"] {
                let answer = gateway.send(client.say(&format!("{provider}/{name}"), false, "hello")).await;
                assert_eq!(answer.status(), 200, "{client:?} {provider}/{name}: {}", answer.text());
                assert_eq!(upstream_model(&mock), name, "{client:?} {provider}");
            }
        }
    }
}

#[tokio::test]
async fn configured_names_targets_aliases_and_defaults() {
    let more = "
models:
  - {name: fast, provider: openai, target: gpt-4o-mini, aliases: [quick]}
  - {name: 'org/model:1', provider: anthropic, target: claude-sonnet-4-5}
aliases: {favourite: fast, outside: 'gemini/gemini-2.5-flash'}
default_provider: openai
default_model: fast
";
    let (mock, gateway) = both_with(more).await;
    for (asked, expected, dialect_path) in [
        ("fast", "gpt-4o-mini", "chat/completions"),
        ("quick", "gpt-4o-mini", "chat/completions"),
        ("favourite", "gpt-4o-mini", "chat/completions"),
        ("org/model:1", "claude-sonnet-4-5", "messages"),
        ("outside", "gemini-2.5-flash", "generateContent"),
        ("whatever-else", "whatever-else", "chat/completions"),
        ("openai/o3", "o3", "chat/completions"),
    ] {
        for client in ALL {
            let answer = gateway.send(client.say(asked, false, "hello")).await;
            assert_eq!(answer.status(), 200, "{client:?} {asked}: {}", answer.text());
            assert_eq!(upstream_model(&mock), expected, "{client:?} {asked}");
            let path = mock.service().journal().pop().unwrap().path;
            assert!(path.contains(dialect_path), "{client:?} {asked}: {path}");
            let named = answer.json();
            let told = named["model"].as_str().or(named["modelVersion"].as_str()).unwrap_or_default().to_owned();
            assert!(!told.is_empty(), "{client:?} {asked}: {named}");
        }
    }
    for (path, mut body) in [
        ("/v1/chat/completions", json!({"messages": [{"role": "user", "content": "hello"}]})),
        ("/v1/messages", json!({"max_tokens": 9, "messages": [{"role": "user", "content": "hello"}]})),
    ] {
        gateway.post(path, &body).await.ok();
        assert_eq!(upstream_model(&mock), "gpt-4o-mini");
        body["stream"] = json!(true);
        assert_eq!(gateway.post(path, &body).await.status(), 200);
        assert_eq!(upstream_model(&mock), "gpt-4o-mini");
    }
}

#[tokio::test]
async fn a_provider_default_serves_requests_that_name_no_model() {
    let mock = mock().await;
    let text = format!(
        "keys: [{{name: e2e, key: {KEY}}}]\ndefault_provider: p\nproviders:\n  p: {{type: openai, api_key: k-123456789, \
         base_url: '{}/v1', default_model: gpt-4o, allowed_models: [gpt-4o, gpt-4.1]}}\n",
        mock.url()
    );
    let gateway = Setup::empty().config(&text).start().await;
    let body = json!({"messages": [{"role": "user", "content": "hello"}]});
    gateway.post("/v1/chat/completions", &body).await.ok();
    assert_eq!(upstream_model(&mock), "gpt-4o");
    for allowed in ["gpt-4.1", "p/gpt-4.1"] {
        assert_eq!(gateway.send(Dialect::OpenAi.say(allowed, false, "hello")).await.status(), 200);
    }
    let started = mock.service().started();
    for refused in ["o3", "p/o3"] {
        let answer = gateway.send(Dialect::OpenAi.say(refused, false, "hello")).await;
        assert!(matches!(answer.status(), 400 | 404), "{refused}: {}", answer.text());
    }
    assert_eq!(mock.service().started(), started);
}

#[tokio::test]
async fn an_unknown_model_is_a_400_that_names_it_in_each_dialect() {
    let (mock, gateway) = both().await;
    for dialect in ALL {
        for model in ["no-such-model", "nobody/gpt-4o", "openai/"] {
            let answer = gateway.send(dialect.say(model, false, "hello")).await;
            let message = dialect.assert_error(&answer, 400);
            assert!(message.contains(model.trim_end_matches('/')), "{message}");
        }
        let path = dialect.path("x", false);
        if dialect != Dialect::Gemini {
            let body = json!({"max_tokens": 9, "messages": [{"role": "user", "content": "hello"}]});
            let message = dialect.assert_error(&gateway.post(&path, &body).await, 400);
            assert!(message.contains("model"), "{message}");
        }
    }
    let answer = gateway.send(Dialect::OpenAi.say("no-such-model", false, "hello")).await.json();
    assert_eq!(answer["error"]["param"], "model");
    assert!(answer["error"]["code"].as_str().unwrap().contains("model"), "{answer}");
    assert_eq!(mock.service().started(), 0);
}

#[tokio::test]
async fn models_are_listed_in_three_shapes_with_their_details() {
    let more = "models: [{name: m1, provider: openai}, {name: 'org/m2:x', provider: anthropic, description: Second}]";
    let (mock, gateway) = both_with(more).await;
    for path in ["/v1/models", "/models", "/openai/v1/models"] {
        let list = gateway.get(path).await.ok();
        assert_eq!(list["object"], "list");
        let names: Vec<&str> =
            list["data"].as_array().unwrap().iter().map(|model| model["id"].as_str().unwrap()).collect();
        assert_eq!(names[..2], ["m1", "org/m2:x"], "{path}: configured names first");
        // No model of the third provider is configured: its own list is shown.
        assert!(names.contains(&"gemini/gemini-2.5-flash"), "{path}: {names:?}");
        assert!(!names.iter().any(|name| name.starts_with("openai/")), "{path}: {names:?}");
        for model in list["data"].as_array().unwrap() {
            assert_eq!(model["object"], "model");
            assert!(model["created"].is_u64() && model["owned_by"].is_string(), "{model}");
        }
    }
    let anthropic = |path: &str| Request::get(path).header("anthropic-version", "2023-06-01");
    for request in [anthropic("/v1/models"), Request::get("/anthropic/v1/models")] {
        let list = gateway.send(request).await.ok();
        assert_eq!(list["data"][0]["id"], "m1");
        assert_eq!(list["data"][0]["type"], "model");
        assert_eq!(list["has_more"], false);
    }
    for path in ["/v1beta/models", "/gemini/v1/models", "/gemini/v1beta/models"] {
        let list = gateway.get(path).await.ok();
        assert_eq!(list["models"][0]["name"], "models/m1", "{path}");
        assert!(list["models"][0]["supportedGenerationMethods"].is_array(), "{list}");
    }
    assert_eq!(gateway.get("/v1/models/org/m2:x").await.ok()["id"], "org/m2:x");
    assert_eq!(gateway.get("/v1/models/org%2Fm2%3Ax").await.ok()["id"], "org/m2:x");
    assert_eq!(gateway.send(anthropic("/v1/models/m1")).await.ok()["id"], "m1");
    assert_eq!(gateway.get("/v1beta/models/m1").await.ok()["name"], "models/m1");
    Dialect::OpenAi.assert_error(&gateway.get("/v1/models/none").await, 404);
    Dialect::Anthropic.assert_error(&gateway.send(anthropic("/v1/models/none")).await, 404);
    Dialect::Gemini.assert_error(&gateway.get("/v1beta/models/none").await, 404);
    assert_eq!(gateway.get("/v1/models/gemini/gemini-2.5-flash").await.ok()["owned_by"], "gemini");
    assert_eq!(mock.service().started(), 1, "the provider was asked once, its answer is kept");
}

#[tokio::test]
async fn a_provider_that_does_not_answer_lists_nothing_and_breaks_nothing() {
    let mock = mock().await;
    let url = mock.url();
    let gateway = Setup::with(&url, "").start().await;
    mock.shutdown().await;
    assert_eq!(gateway.get("/v1/models").await.ok()["data"], json!([]));
    assert_eq!(gateway.get("/health").await.status(), 200);
}

#[tokio::test]
async fn tokens_are_counted_by_the_provider_or_here_and_marked() {
    let (mock, gateway) = both().await;
    let text = "count these five small words";
    let messages = |model: &str| json!({"model": model, "messages": [{"role": "user", "content": text}]});
    let native = gateway.post("/v1/messages/count_tokens", &messages("anthropic/claude-sonnet-4-5")).await;
    assert_eq!(native.ok()["input_tokens"], 5);
    assert_eq!(native.header("x-irongate-estimated"), None);
    let started = mock.service().started();
    let here = gateway.post("/v1/messages/count_tokens", &messages("openai/gpt-4o")).await;
    assert!(here.ok()["input_tokens"].as_u64().is_some_and(|count| (5..30).contains(&count)), "{}", here.text());
    assert!(here.header("x-irongate-estimated").is_some());
    assert_eq!(mock.service().started(), started);
    let across = gateway.post("/v1/messages/count_tokens", &messages("gemini/gemini-2.5-flash")).await;
    assert!(across.ok()["input_tokens"].as_u64().is_some_and(|count| count >= 5), "{}", across.text());
    let body = json!({"contents": [{"role": "user", "parts": [{"text": text}]}]});
    for model in ["gemini/gemini-2.5-flash", "anthropic/claude-sonnet-4-5", "openai/gpt-4o"] {
        let counted = gateway.post(&format!("/v1beta/models/{model}:countTokens"), &body).await.ok();
        assert!(counted["totalTokens"].as_u64().is_some_and(|count| (5..30).contains(&count)), "{model}: {counted}");
    }
}
