//! Kinds and options that come from outside.

use gw_core::{Operation, Secret};
use gw_providers::{Profile, ProviderSettings, Registry};
use gw_spi::{Framing, Provider as _, TokenParam};

use crate::{ANTHROPIC, CHAT, build, chat_url, prepare, problem, registry, settings};

const ACME: &str = r#"
kind = "acme"
aliases = ["acme-ai"]
extends = "openai-compatible"
base_url = "https://api.acme.example/llm"
needs_key = true
auth = { style = "header", name = "x-acme-key" }
headers = { x-acme-client = "gateway" }
[dialects.openai-chat]
root = "/llm/v3"
framing = "json_array"
[dialects.openai-chat.paths]
chat = "/talk/{model}"
[capabilities]
token_param = "max_completion_tokens"
[models."big* | huge"]
max_output = 9000
"#;

fn with_options(kind: &str, options: &str) -> ProviderSettings {
    ProviderSettings {
        base_url: Some("http://h/v1".to_owned()),
        options_json: Some(options.to_owned()),
        ..settings(kind)
    }
}

fn register(text: &str) -> Result<Registry, String> {
    let mut registry = registry();
    let profile = Profile::from_toml(text).map_err(|error| error.to_string())?;
    registry.register(profile).map_err(|error| error.to_string())?;
    Ok(registry)
}

#[test]
fn a_profile_from_text_is_a_kind_like_any_other() {
    let registry = register(ACME).unwrap();
    let settings = ProviderSettings {
        name: "main".to_owned(),
        kind: "acme-ai".to_owned(),
        api_key: Some(Secret::new("k")),
        default_model: Some("big".to_owned()),
        ..ProviderSettings::default()
    };
    let acme = registry.build(&settings).unwrap();
    assert_eq!((acme.kind(), acme.vendor(), acme.default_model()), ("acme", "acme", Some("big")));
    assert_eq!(acme.speaks(Operation::Chat, "m")[0].framing, Framing::JsonArray);
    let prepared = prepare(&acme, CHAT, Operation::Chat, "big/one", true).unwrap();
    assert_eq!(prepared.uri, "https://api.acme.example/llm/v3/talk/big%2Fone");
    assert_eq!(prepared.headers["x-acme-key"], "k");
    assert_eq!(prepared.headers["x-acme-client"], "gateway");
    assert_eq!(acme.capabilities("BIG-2").max_output, Some(9000));
    assert_eq!(acme.capabilities("huge").token_param, TokenParam::MaxCompletionTokens);
    assert_eq!(acme.capabilities("huger").max_output, None);
    assert!(!acme.capabilities("m").developer_role, "inherited");
}

#[test]
fn broken_profiles_name_the_place() {
    for (text, part) in [
        ("kind = 1", "line 1"),
        ("kind = \"a\"\nneeds_kee = true", "needs_kee"),
        ("kind = \"A B\"", "`kind` must consist of"),
        ("kind = \"\"", "`kind` must consist of"),
        ("kind = \"openai\"\nspeaks = [\"openai-chat\"]", "the name is taken"),
        ("kind = \"claude\"\nspeaks = [\"openai-chat\"]", "the name is taken"),
        ("kind = \"a\"\nextends = \"b\"", "`extends` names `b`"),
        ("kind = \"a\"", "names no format"),
        ("kind = \"a\"\nspeaks = [\"klingon\"]", "`klingon`, which this gateway does not have"),
        ("kind = \"a\"\nspeaks = [\"openai-chat\"]\nbase_url = \"h/v1\"", "`base_url` must begin with"),
        ("kind = \"a\"\nextends = \"groq\"\n[dialects.openai-chat]\nroot = \"v1\"", "openai-chat.root"),
        ("kind = \"a\"\nextends = \"groq\"\n[dialects.openai-chat.paths]\nchat = \"chat\"", "paths.chat"),
        ("kind = \"a\"\nextends = \"groq\"\n[headers]\nhost = \"x\"", "`headers.host`"),
        ("kind = \"a\"\nextends = \"groq\"\n[models.'a*b']\nseed = true", "`a*b`"),
        ("kind = \"a\"\nextends = \"groq\"\n[models.x]\nsampling = \"sometimes\"", "sometimes"),
        ("kind = \"a\"\nextends = \"groq\"\nauth = { style = \"carrier-pigeon\" }", "carrier-pigeon"),
    ] {
        let error = register(text).map(|_| ()).unwrap_err();
        assert!(error.contains(part), "{text:?} gave {error}");
    }
}

#[test]
fn options_override_paths_formats_and_capabilities() {
    let moved = build(&with_options(
        "openai-compatible",
        r#"{"root":"/inference","paths":{"chat":"/talk","list_models":"/all"},"auth":{"style":"header","name":"api-key"}}"#,
    ));
    assert_eq!(chat_url(&moved, CHAT, "m", true), "http://h/v1/inference/talk", "the root is taken as it is");
    let list = prepare(&moved, CHAT, Operation::ListModels, "", false).unwrap();
    assert_eq!(list.uri, "http://h/v1/inference/all");
    assert_eq!(list.headers["api-key"], "sk-canary");
    assert!(!list.headers.contains_key("authorization"));

    let both = build(&with_options(
        "vllm",
        r#"{"speaks":["anthropic","openai-chat"],"dialects":{"anthropic":{"root":"/claude/v1"}}}"#,
    ));
    let ways: Vec<_> = both.speaks(Operation::Chat, "m").iter().map(|way| way.dialect).collect();
    assert_eq!(ways, [ANTHROPIC, CHAT]);
    assert_eq!(chat_url(&both, ANTHROPIC, "m", false), "http://h/v1/claude/v1/messages");
    assert_eq!(chat_url(&both, CHAT, "m", false), "http://h/v1/chat/completions");

    let only_chat = build(&with_options("ollama", r#"{"speaks":["openai-chat"]}"#));
    assert_eq!(only_chat.speaks(Operation::Chat, "m").len(), 1);

    let facts = build(&with_options(
        "openai",
        r#"{"capabilities":{"image_input":false},"models":{"gpt-4o*":{"max_output":5,"image_input":true}}}"#,
    ));
    assert!(!facts.capabilities("gpt-4.1").image_input);
    assert_eq!(facts.capabilities("gpt-4.1").max_output, Some(32768));
    assert!(facts.capabilities("gpt-4o-mini").image_input);
    assert_eq!(facts.capabilities("gpt-4o-mini").max_output, Some(5));
}

#[test]
fn broken_options_name_the_place() {
    for (options, part) in [
        ("{", "`options` is not usable"),
        ("[]", "`options` is not usable"),
        (r#"{"capabilitis":{}}"#, "capabilitis"),
        (r#"{"capabilities":{"max_output":-1}}"#, "-1"),
        (r#"{"speaks":[]}"#, "names no format"),
        (r#"{"speaks":["openai-chat","openai-chat"]}"#, "twice"),
        (r#"{"speaks":["cobol"]}"#, "cobol"),
        (r#"{"paths":{"chat":"talk"}}"#, "paths.chat"),
        (r#"{"models":{"*x":{}}}"#, "`*x`"),
    ] {
        let text = problem(&with_options("openai", options));
        assert!(text.contains(part), "{options} gave {text}");
    }
    assert_eq!(build(&with_options("openai", " ")).name(), "main", "no text, no options");
}
