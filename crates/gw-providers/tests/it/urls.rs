//! Where calls go.

use gw_core::{Code, Operation};
use gw_providers::ProviderSettings;

use crate::{ANTHROPIC, CHAT, GEMINI, build, chat_url, native, prepare, problem, settings};

fn at(kind: &str, base: &str) -> ProviderSettings {
    ProviderSettings { base_url: Some(base.to_owned()), ..settings(kind) }
}

#[test]
fn bases_with_and_without_version_lead_to_the_same_place() {
    for (kind, base, dialect, url) in [
        ("openai", "https://api.openai.com", CHAT, "https://api.openai.com/v1/chat/completions"),
        ("openai", "https://api.openai.com/v1/", CHAT, "https://api.openai.com/v1/chat/completions"),
        ("openai", " http://127.0.0.1:8081 ", CHAT, "http://127.0.0.1:8081/v1/chat/completions"),
        ("openai", "HTTPS://proxy:8443/team/openai/v1", CHAT, "https://proxy:8443/team/openai/v1/chat/completions"),
        ("openai", "http://[::1]:8080/p", CHAT, "http://[::1]:8080/p/v1/chat/completions"),
        ("openai", "http://h/v1/chat/completions", CHAT, "http://h/v1/chat/completions"),
        ("anthropic", "https://api.anthropic.com", ANTHROPIC, "https://api.anthropic.com/v1/messages"),
        ("anthropic", "https://api.anthropic.com/v1", ANTHROPIC, "https://api.anthropic.com/v1/messages"),
        ("anthropic", "http://h/v1/messages", ANTHROPIC, "http://h/v1/messages"),
        ("anthropic", "http://h/anthropic", ANTHROPIC, "http://h/anthropic/v1/messages"),
        ("gemini", "http://h", GEMINI, "http://h/v1beta/models/m:generateContent"),
        ("gemini", "http://h/v1beta/", GEMINI, "http://h/v1beta/models/m:generateContent"),
        ("gemini", "http://h/v1", GEMINI, "http://h/v1/models/m:generateContent"),
        ("gemini", "http://h/gemini", GEMINI, "http://h/gemini/v1beta/models/m:generateContent"),
        ("deepseek", "https://api.deepseek.com", ANTHROPIC, "https://api.deepseek.com/anthropic/v1/messages"),
        ("deepseek", "https://api.deepseek.com/v1", ANTHROPIC, "https://api.deepseek.com/anthropic/v1/messages"),
        ("deepseek", "https://api.deepseek.com/anthropic", CHAT, "https://api.deepseek.com/v1/chat/completions"),
        ("qwen", "http://h", CHAT, "http://h/compatible-mode/v1/chat/completions"),
        ("qwen", "http://h/compatible-mode", CHAT, "http://h/compatible-mode/v1/chat/completions"),
        ("qwen", "http://h/compatible-mode/v1", CHAT, "http://h/compatible-mode/v1/chat/completions"),
        ("qwen", "http://h/v1", CHAT, "http://h/v1/chat/completions"),
        (
            "qwen",
            "https://dashscope-us.aliyuncs.com/compatible-mode/v1",
            ANTHROPIC,
            "https://dashscope-us.aliyuncs.com/apps/anthropic/v1/messages",
        ),
        ("ollama", "http://h:11434", CHAT, "http://h:11434/v1/chat/completions"),
        ("ollama", "http://h:11434/v1", ANTHROPIC, "http://h:11434/v1/messages"),
        ("lmstudio", "http://h:1234/v1", CHAT, "http://h:1234/v1/chat/completions"),
        ("mistral", "https://api.mistral.ai", CHAT, "https://api.mistral.ai/v1/chat/completions"),
        ("zhipu", "https://api.z.ai/api/paas/v4", ANTHROPIC, "https://api.z.ai/api/anthropic/v1/messages"),
        ("zhipu", "https://api.z.ai/api/coding/paas/v4", CHAT, "https://api.z.ai/api/coding/paas/v4/chat/completions"),
        ("groq", "https://api.groq.com", CHAT, "https://api.groq.com/openai/v1/chat/completions"),
        ("openrouter", "https://openrouter.ai/api", CHAT, "https://openrouter.ai/api/v1/chat/completions"),
        ("openai-compatible", "http://h/v1beta/openai/", CHAT, "http://h/v1beta/openai/chat/completions"),
        ("mock", "http://127.0.0.1:9", GEMINI, "http://127.0.0.1:9/v1beta/models/m:generateContent"),
        ("mock", "http://127.0.0.1:9/v1", ANTHROPIC, "http://127.0.0.1:9/v1/messages"),
    ] {
        assert_eq!(chat_url(&build(&at(kind, base)), dialect, "m", false), url, "{kind} at {base}");
    }
}

#[test]
fn defaults_are_the_documented_addresses() {
    for (kind, dialect, url) in [
        ("openai", CHAT, "https://api.openai.com/v1/chat/completions"),
        ("anthropic", ANTHROPIC, "https://api.anthropic.com/v1/messages"),
        ("mistral", CHAT, "https://api.mistral.ai/v1/chat/completions"),
        ("deepseek", CHAT, "https://api.deepseek.com/v1/chat/completions"),
        ("qwen", CHAT, "https://dashscope.aliyuncs.com/compatible-mode/v1/chat/completions"),
        ("ollama", CHAT, "http://localhost:11434/v1/chat/completions"),
        ("lmstudio", CHAT, "http://localhost:1234/v1/chat/completions"),
        ("perplexity", CHAT, "https://api.perplexity.ai/chat/completions"),
        ("qianfan", CHAT, "https://qianfan.baidubce.com/v2/chat/completions"),
        ("cohere", CHAT, "https://api.cohere.ai/compatibility/v1/chat/completions"),
        ("fireworks", CHAT, "https://api.fireworks.ai/inference/v1/chat/completions"),
        ("zhipu", CHAT, "https://open.bigmodel.cn/api/paas/v4/chat/completions"),
    ] {
        assert_eq!(chat_url(&build(&settings(kind)), dialect, "m", true), url, "{kind}");
    }
}

#[test]
fn gemini_carries_the_model_in_the_path_so_that_it_arrives_as_named() {
    let gemini = build(&at("gemini", "http://h"));
    for (model, path) in [
        ("gemini-2.5-flash", "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse"),
        ("models/gemini-2.5-flash", "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse"),
        ("tunedModels/mine", "/v1beta/tunedModels/mine:streamGenerateContent?alt=sse"),
        ("a/b:c", "/v1beta/models/a%2Fb%3Ac:streamGenerateContent?alt=sse"),
        ("ü ?#", "/v1beta/models/%C3%BC%20%3F%23:streamGenerateContent?alt=sse"),
    ] {
        assert_eq!(chat_url(&gemini, GEMINI, model, true), format!("http://h{path}"));
    }
    let url = |operation| prepare(&gemini, GEMINI, operation, "m", false).unwrap();
    assert_eq!(url(Operation::CountTokens).uri, "http://h/v1beta/models/m:countTokens");
    assert_eq!(url(Operation::ListModels).uri, "http://h/v1beta/models");
    assert_eq!(url(Operation::ListModels).method, http::Method::GET);
    assert_eq!(url(Operation::GetModel).uri, "http://h/v1beta/models/m");
    for model in ["", ".", "..", "models/.."] {
        let error = prepare(&gemini, GEMINI, Operation::GetModel, model, false).unwrap_err();
        assert_eq!((error.code, error.param.as_deref()), (Code::BadRequest, Some("model")), "{model:?}");
    }
    let error = prepare(&gemini, GEMINI, Operation::Chat, &"m".repeat(70_000), false).unwrap_err();
    assert_eq!(error.code, Code::BadRequest);
}

#[test]
fn other_calls_of_openai_and_anthropic() {
    let anthropic = build(&at("anthropic", "http://h"));
    let count = prepare(&anthropic, ANTHROPIC, Operation::CountTokens, "m", false).unwrap();
    assert_eq!(count.uri, "http://h/v1/messages/count_tokens");
    assert_eq!(prepare(&anthropic, ANTHROPIC, Operation::GetModel, "m", false).unwrap().uri, "http://h/v1/models/m");
    let openai = build(&at("openai", "http://h"));
    let model = prepare(&openai, CHAT, Operation::GetModel, "org/m", false).unwrap();
    assert_eq!((model.method, model.uri.to_string()), (http::Method::GET, "http://h/v1/models/org%2Fm".to_owned()));
    for (dialect, operation) in [(CHAT, Operation::CountTokens), (ANTHROPIC, Operation::Chat)] {
        let error = prepare(&openai, dialect, operation, "m", false).unwrap_err();
        assert_eq!(error.code, Code::Unsupported);
        assert!(error.message.contains("`main`"), "{error}");
    }
}

#[test]
fn native_calls_stay_below_the_root() {
    let openai = build(&at("openai", "http://h/p"));
    let prepared = native(&openai, CHAT, "/embeddings?x=1").unwrap();
    assert_eq!(prepared.uri, "http://h/p/v1/embeddings?x=1");
    assert_eq!(prepared.method, http::Method::PUT, "the caller's method is kept");
    for path in ["embeddings", "//evil.example", "/../admin", "/a/%2e%2E/b", "/a/..", "\\evil", "/a b", ""] {
        assert_eq!(native(&openai, CHAT, path).unwrap_err().code, Code::BadRequest, "{path:?}");
    }
    let gemini = build(&at("gemini", "http://h"));
    assert_eq!(native(&gemini, GEMINI, "/models/e:embedContent").unwrap().uri, "http://h/v1beta/models/e:embedContent");
}

#[test]
fn versions_go_where_the_service_wants_them() {
    let versioned =
        |kind: &str, version: &str| ProviderSettings { api_version: Some(version.to_owned()), ..at(kind, "http://h/") };
    let gemini = build(&versioned("gemini", "v1"));
    assert_eq!(chat_url(&gemini, GEMINI, "m", false), "http://h/v1/models/m:generateContent");
    let compatible = build(&versioned("openai-compatible", "2026-01-01"));
    assert_eq!(chat_url(&compatible, CHAT, "m", false), "http://h/v1/chat/completions?api-version=2026-01-01");
    assert_eq!(native(&compatible, CHAT, "/x?a=1").unwrap().uri, "http://h/v1/x?a=1&api-version=2026-01-01");
    let anthropic = build(&versioned("anthropic", "2026-10-21"));
    let headers = prepare(&anthropic, ANTHROPIC, Operation::Chat, "m", false).unwrap().headers;
    assert_eq!(headers["anthropic-version"], "2026-10-21");
    assert!(problem(&versioned("openai", "1")).contains("`api_version` has no meaning"));
    assert!(problem(&versioned("gemini", "../x")).contains("`api_version` must consist of"));
}

#[test]
fn bad_base_urls_name_provider_and_field() {
    for base in ["nonsense", "mock://local", "ftp://h", "http://", "http://u:p@h", "http://h?x", "http://h:0"] {
        let text = problem(&at("openai", base));
        assert!(text.starts_with("provider `main`: `base_url` "), "{text}");
        assert!(!text.contains("u:p"), "{text}");
    }
    let without = ProviderSettings { base_url: None, ..settings("openai-compatible") };
    assert!(problem(&without).contains("`base_url` is missing"));
}
