//! Every built-in kind.

use gw_core::{DialectId, Operation};
use gw_providers::{ProviderSettings, Registry};
use gw_spi::Provider as _;

use crate::{ANTHROPIC, CHAT, GEMINI, build, problem, registry, settings};

#[test]
fn every_kind_builds_and_serves_chat() {
    let registry = registry();
    let kinds: Vec<&str> = registry.kinds().collect();
    for needed in [
        "openai",
        "anthropic",
        "gemini",
        "mistral",
        "deepseek",
        "qwen",
        "ollama",
        "lmstudio",
        "openai-compatible",
        "mock",
        "moonshot",
        "baichuan",
        "zhipu",
        "qianfan",
        "hunyuan",
        "vllm",
        "openrouter",
        "xai",
        "perplexity",
        "cohere",
    ] {
        assert!(kinds.contains(&needed), "{needed} is missing");
    }
    for kind in kinds {
        let provider = registry.build(&settings(kind)).unwrap_or_else(|error| panic!("{error}"));
        let speaks = provider.speaks(Operation::Chat, "any");
        assert!(!speaks.is_empty(), "{kind} speaks nothing");
        for way in speaks {
            for stream in [false, true] {
                let prepared = crate::prepare(&provider, way.dialect, Operation::Chat, "some-model", stream).unwrap();
                assert_eq!(prepared.method, http::Method::POST);
            }
        }
        assert_eq!(provider.kind(), kind);
        assert!(!registry.kind(kind).unwrap().display_name().is_empty());
    }
}

#[test]
fn formats_are_preferred_as_documented() {
    let ways = |kind: &str, base: Option<&str>, operation: Operation| -> Vec<DialectId> {
        let settings = ProviderSettings { base_url: base.map(str::to_owned), ..settings(kind) };
        build(&settings).speaks(operation, "m").iter().map(|way| way.dialect).collect()
    };
    let chat = Operation::Chat;
    assert_eq!(ways("openai", None, chat), [CHAT]);
    assert_eq!(ways("anthropic", None, chat), [ANTHROPIC]);
    assert_eq!(ways("gemini", None, chat), [GEMINI]);
    assert_eq!(ways("deepseek", None, chat), [CHAT, ANTHROPIC]);
    assert_eq!(ways("qwen", Some("https://dashscope-intl.aliyuncs.com"), chat), [CHAT, ANTHROPIC]);
    assert_eq!(ways("qwen", Some("https://ws.eu.maas.aliyuncs.com"), chat), [CHAT, ANTHROPIC]);
    assert_eq!(ways("ollama", Some("http://gpu-box:11434"), chat), [CHAT, ANTHROPIC]);
    assert_eq!(ways("lmstudio", None, chat), [CHAT, ANTHROPIC]);
    assert_eq!(ways("mock", Some("http://127.0.0.1:9"), chat), [CHAT, ANTHROPIC, GEMINI]);
    // What a stranger's server offers beyond the main interface is not known.
    assert_eq!(ways("deepseek", Some("http://127.0.0.1:9/v1"), chat), [CHAT]);
    assert_eq!(ways("openai-compatible", Some("http://127.0.0.1:9/v1"), chat), [CHAT]);
    assert_eq!(ways("anthropic", None, Operation::CountTokens), [ANTHROPIC]);
    assert_eq!(ways("openai", None, Operation::CountTokens), [] as [DialectId; 0]);
    assert_eq!(ways("perplexity", None, Operation::ListModels), [] as [DialectId; 0]);
    assert_eq!(ways("deepseek", None, Operation::ListModels), [CHAT]);
    assert_eq!(ways("openai", None, Operation::Native), [CHAT]);
}

#[test]
fn aliases_lead_to_the_kind_and_unknown_kinds_are_explained() {
    assert_eq!(build(&settings("claude")).kind(), "anthropic");
    assert_eq!(build(&settings("dashscope")).kind(), "qwen");
    let text = problem(&settings("opnai"));
    assert!(text.contains("provider `main`") && text.contains("did you mean `openai`?"), "{text}");
    assert!(text.contains("anthropic, baichuan"), "{text}");
    assert!(!problem(&settings("quantum-oracle-9000")).contains("did you mean"));
    // A known address does not make an unknown kind known.
    let with_url = ProviderSettings { base_url: Some("http://127.0.0.1:9".to_owned()), ..settings("opnai") };
    assert!(problem(&with_url).contains("not a known kind"));
}

#[test]
fn the_vendor_of_opaque_state_is_the_service_that_made_it() {
    for kind in ["openai", "anthropic", "gemini", "deepseek", "groq", "mock"] {
        assert_eq!(build(&settings(kind)).vendor(), kind);
    }
}

#[test]
fn a_format_without_codec_is_an_error_at_start() {
    let text = Registry::builtin(&[CHAT]).map(|_| ()).unwrap_err().to_string();
    assert!(text.contains("anthropic") && text.contains("speaks"), "{text}");
}

#[test]
fn environment_names_are_those_of_the_services() {
    let registry = registry();
    for (kind, key, base) in [
        ("openai", "OPENAI_API_KEY", "OPENAI_BASE_URL"),
        ("anthropic", "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"),
        ("gemini", "GEMINI_API_KEY", "GEMINI_BASE_URL"),
    ] {
        let profile = registry.kind(kind).unwrap();
        assert_eq!(profile.key_env()[0], key);
        assert_eq!(profile.base_url_env()[0], base);
    }
    assert!(!registry.kind("ollama").unwrap().needs_key());
    assert!(!registry.kind("lmstudio").unwrap().needs_key());
    assert_eq!(registry.kind("mock").unwrap().base_url(), Some("mock://local"));
}
