//! What authenticates a call, and what must not be seen.

use gw_core::{Code, Operation, Secret};
use gw_providers::ProviderSettings;
use gw_spi::Provider as _;

use crate::{ANTHROPIC, CHAT, GEMINI, build, chat_url, prepare, problem, registry, settings};

#[test]
fn each_kind_authenticates_its_own_way() {
    for (kind, dialect, header, value) in [
        ("openai", CHAT, "authorization", "Bearer sk-canary"),
        ("anthropic", ANTHROPIC, "x-api-key", "sk-canary"),
        ("gemini", GEMINI, "x-goog-api-key", "sk-canary"),
        ("mistral", CHAT, "authorization", "Bearer sk-canary"),
        ("deepseek", CHAT, "authorization", "Bearer sk-canary"),
        ("deepseek", ANTHROPIC, "x-api-key", "sk-canary"),
        ("qwen", ANTHROPIC, "authorization", "Bearer sk-canary"),
        ("ollama", CHAT, "authorization", "Bearer sk-canary"),
        ("groq", CHAT, "authorization", "Bearer sk-canary"),
        ("mock", GEMINI, "authorization", "Bearer sk-canary"),
    ] {
        let headers = prepare(&build(&settings(kind)), dialect, Operation::Chat, "m", false).unwrap().headers;
        assert_eq!(headers[header], value, "{kind}");
        assert!(headers[header].is_sensitive(), "{kind}");
        let credentials = ["authorization", "x-api-key", "x-goog-api-key", "api-key"];
        assert_eq!(credentials.iter().filter(|name| headers.contains_key(**name)).count(), 1, "{kind}");
        assert!(headers["user-agent"].to_str().unwrap().starts_with("irongate/"), "{kind}");
        assert_eq!(headers.contains_key("anthropic-version"), dialect == ANTHROPIC, "{kind}");
    }
}

#[test]
fn nothing_prints_a_secret() {
    for kind in registry().kinds() {
        let settings =
            ProviderSettings { headers: vec![("X-Extra".to_owned(), "extra-canary".to_owned())], ..settings(kind) };
        assert!(!format!("{settings:?}").contains("sk-canary"));
        let provider = build(&settings);
        let mut printed = format!("{provider:?}");
        for way in provider.speaks(Operation::Chat, "m") {
            printed += &format!("{:?}", prepare(&provider, way.dialect, Operation::Chat, "m", true).unwrap());
        }
        assert!(!printed.contains("canary"), "{printed}");
    }
}

#[test]
fn a_missing_credential_is_refused_where_one_is_needed() {
    for key in [None, Some(Secret::new("")), Some(Secret::new(" \n"))] {
        let bare = |kind: &str| build(&ProviderSettings { api_key: key.clone(), ..settings(kind) });
        let error = prepare(&bare("openai"), CHAT, Operation::Chat, "m", false).unwrap_err();
        assert_eq!(error.code, Code::UpstreamAuth);
        assert!(error.message.contains("`main`") && error.message.contains("`OPENAI_API_KEY`"), "{error}");
        for kind in ["ollama", "lmstudio", "vllm", "mock", "openai-compatible"] {
            let prepared = prepare(&bare(kind), CHAT, Operation::Chat, "m", false).unwrap();
            assert!(!prepared.headers.contains_key("authorization"), "{kind}");
        }
    }
    let by_header = ProviderSettings {
        api_key: None,
        headers: vec![("X-Api-Key".to_owned(), "from-header".to_owned())],
        ..settings("anthropic")
    };
    let headers = prepare(&build(&by_header), ANTHROPIC, Operation::Chat, "m", false).unwrap().headers;
    assert_eq!(headers["x-api-key"], "from-header");
}

#[test]
fn keys_are_trimmed_and_unusable_ones_refused_without_being_shown() {
    let with_key = |key: &str| ProviderSettings { api_key: Some(Secret::new(key)), ..settings("openai") };
    let headers = prepare(&build(&with_key(" sk-1\r\n")), CHAT, Operation::Chat, "m", false).unwrap().headers;
    assert_eq!(headers["authorization"], "Bearer sk-1");
    let text = problem(&with_key("sk-canary\nx"));
    assert!(text.contains("`api_key`") && !text.contains("canary"), "{text}");
}

#[test]
fn organization_and_project_have_headers_or_are_refused() {
    let identified = |kind: &str| ProviderSettings {
        organization: Some("org-1".to_owned()),
        project: Some("proj-1".to_owned()),
        ..settings(kind)
    };
    let headers = prepare(&build(&identified("openai")), CHAT, Operation::Chat, "m", false).unwrap().headers;
    assert_eq!(headers["openai-organization"], "org-1");
    assert_eq!(headers["openai-project"], "proj-1");
    assert!(problem(&identified("anthropic")).contains("`organization` has no meaning"));
}

#[test]
fn configured_headers_win_but_cannot_touch_the_connection() {
    let with = |name: &str, value: &str| ProviderSettings {
        headers: vec![(name.to_owned(), value.to_owned())],
        ..settings("anthropic")
    };
    let headers = |name: &str, value: &str| {
        prepare(&build(&with(name, value)), ANTHROPIC, Operation::Chat, "m", false).unwrap().headers
    };
    assert_eq!(headers("X-Team", "red")["x-team"], "red");
    assert_eq!(headers("Anthropic-Version", "2026-10-21")["anthropic-version"], "2026-10-21");
    assert_eq!(headers("Anthropic-Version", "2026-10-21").get_all("anthropic-version").iter().count(), 1);
    assert_eq!(headers("User-Agent", "me/1")["user-agent"], "me/1");
    for name in ["Host", "content-length", "Transfer-Encoding", "connection", "bad name", ""] {
        assert!(problem(&with(name, "x")).contains("`headers."), "{name}");
    }
    assert!(problem(&with("x-a", "line\nbreak")).contains("`headers.x-a`"));
}

#[test]
fn a_key_in_the_query_is_encoded_and_reaches_every_call() {
    let options = r#"{"auth":{"style":"query","name":"key"}}"#.to_owned();
    let gemini = ProviderSettings {
        api_key: Some(Secret::new("a&b")),
        base_url: Some("http://h".to_owned()),
        options_json: Some(options),
        ..settings("gemini")
    };
    let gemini = build(&gemini);
    assert_eq!(
        chat_url(&gemini, GEMINI, "m", true),
        "http://h/v1beta/models/m:streamGenerateContent?alt=sse&key=a%26b"
    );
    let prepared = prepare(&gemini, GEMINI, Operation::ListModels, "", false).unwrap();
    assert_eq!(prepared.uri, "http://h/v1beta/models?key=a%26b");
    assert!(!prepared.headers.contains_key("x-goog-api-key"));
    assert!(!format!("{gemini:?}").contains("a%26b"));
}
