//! The three layouts, and what the values of a file become.

use std::path::{Path, PathBuf};
use std::time::Duration;

use gw_config::{Http2, KeyMaterial, LogFormat, LogLevel};

use crate::support::Case;

fn fixture(name: &str) -> Case {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    Case::yaml(std::fs::read(path).unwrap())
}

fn vendor_keys(case: Case) -> Case {
    case.env("OPENAI_API_KEY", "k-openai").env("ANTHROPIC_API_KEY", "k-anthropic").env("GEMINI_API_KEY", "k-gemini")
}

#[test]
fn the_layout_with_models_only() {
    let config =
        vendor_keys(fixture("models-only.yaml")).env("OPENAI_BASE_URL", "https://eu.example.com/v1/").ok().config;
    let models: Vec<_> = config.models.iter().map(|model| (model.name.as_str(), model.provider.as_str())).collect();
    let expected =
        [("gpt-4", "openai"), ("claude-3-5-sonnet-20241022", "anthropic"), ("gemini-2.0-flash-exp", "gemini")];
    assert_eq!(models, expected);
    assert_eq!(config.models[0].target, "gpt-4");
    assert_eq!(config.default_provider.as_deref(), Some("openai"));
    assert_eq!(config.default_model.as_deref(), Some("gpt-4"));
    assert_eq!(config.timeouts.total, Duration::from_secs(300));
    let openai = config.provider("openai").unwrap();
    assert_eq!(openai.api_key.as_ref().unwrap().expose(), "k-openai");
    assert_eq!(openai.base_url.as_deref(), Some("https://eu.example.com/v1"));
    assert_eq!(config.provider("anthropic").unwrap().base_url, None);
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
}

#[test]
fn the_layout_with_models_only_needs_the_keys_it_refers_to() {
    insta::assert_snapshot!(fixture("models-only.yaml").env("OPENAI_API_KEY", "k").errors(), @r#"
    irongate.yaml:8:15: models[1].provider: provider `anthropic` has no API key; set providers.anthropic.api_key in the file or ANTHROPIC_API_KEY in the environment or .env
    irongate.yaml:10:15: models[2].provider: provider `gemini` has no API key; set providers.gemini.api_key in the file or GEMINI_API_KEY in the environment or .env
    "#);
}

#[test]
fn the_layout_with_providers_and_defaults() {
    let loaded = fixture("providers-with-defaults.yaml").ok();
    let config = &loaded.config;
    assert_eq!(config.listen.to_string(), "0.0.0.0:8090");
    assert_eq!(config.https, None);
    assert_eq!((config.admin.username.as_str(), &config.admin.password_hash), ("root", &None));
    assert_eq!(config.database_path, PathBuf::from("./data/gateway.db"));
    assert_eq!(config.logging.file, Some(PathBuf::from("./logs/gateway.log")));
    assert_eq!(config.defaults.requests_per_hour, Some(1000));
    assert_eq!(config.defaults.max_output_tokens, Some(8192));
    assert_eq!(config.default_provider, None);
    let state: Vec<_> = config.providers.iter().map(|p| (p.name.as_str(), p.enabled)).collect();
    assert_eq!(state, [("gemini", false), ("openai", false), ("mistral", true), ("ollama", true)]);
    assert_eq!(config.provider("gemini").unwrap().allowed_models, ["gemini-2.0-flash", "gemini-2.5-pro"]);
    let openai = &config.provider("openai").unwrap().timeouts;
    assert_eq!((openai.total, openai.first_byte), (Duration::from_secs(90), Duration::from_secs(90)));
    assert_eq!(config.provider("ollama").unwrap().base_url.as_deref(), Some("http://localhost:11434/v1"));
    insta::assert_snapshot!(fixture("providers-with-defaults.yaml").warnings(), @r#"
    irongate.yaml:23:3: defaults: accepted, not yet enforced
    irongate.yaml:9:5: providers.gemini: provider `gemini` has no API key and is disabled; to use it, set providers.gemini.api_key in the file or GEMINI_API_KEY in the environment or .env
    irongate.yaml:16:11: providers.openai: provider `openai` has no API key and is disabled; to use it, set providers.openai.api_key in the file or OPENAI_API_KEY in the environment or .env
    "#);
}

#[test]
fn the_original_files_load_unchanged() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/spec/configs");
    for name in ["source-001.yaml", "source-003.yaml"] {
        let Ok(bytes) = std::fs::read(directory.join(name)) else {
            // The originals are not part of the repository; the fixtures above have the same shape.
            use std::io::Write as _;
            let _ = writeln!(std::io::stderr(), "skipped: {name} is not there");
            continue;
        };
        let config = vendor_keys(Case::yaml(bytes)).ok().config;
        for provider in ["openai", "anthropic", "gemini"] {
            assert!(config.provider(provider).unwrap().enabled, "{name}: {provider}");
        }
        assert_eq!(config.models.len(), if name == "source-001.yaml" { 3 } else { 0 });
    }
}

const FULL: &str = r#"
version: 1.0
listen: "[::1]:9000"
x-common: &common {timeout_seconds: 30, type: openai}
providers:
  eu: {<<: *common, api_key: key-eu, base_url: "https://eu.example.com/v1", headers: {X-A: 1, Authorization: "Bearer t"}}
  us:
    type: openai
    api_key: 0123456789
    connect_timeout_seconds: 1500ms
    first_byte_timeout_seconds: 7
    idle_timeout_seconds: 8
    total_timeout_seconds: 1h
    organization: o
    project: p
    api_version: v
    weight: 3
    options: {delay_ms: 20, big: 123456789012345678901, share: 0.50, on: true, hex: 0x1F, list: [a, null], deep: {k: "v\n"}}
  off: {type: anthropic, enabled: no}
models:
  - {name: a/b:c, provider: eu, target: upstream/a, aliases: [x, y]}
aliases: {z: x, direct: us/any/thing}
default_model: z
keys:
  - {name: one, key: ig-0123456789abcdef0123}
  - {name: two, key_hash: "SHA", enabled: false, prefix: ig-0}
key_prefix: gw_
streaming: {heartbeat_seconds: 0, head_wait_seconds: 2, first_byte_timeout_seconds: 40, idle_timeout_seconds: 50}
limits: {max_json_depth: 5, max_concurrent_requests: 0, max_reply_bytes: 1MB}
server: {body_limit: 50MB, drain_timeout_seconds: 5, cors: {origins: "https://a, https://b", methods: [get], credentials: true}}
logging: {level: WARN, format: text, save_bodies: true}
fidelity: strict
native: {full_proxy: true, paths: [/v1/files]}
ledger: {fsync_ms: 20}
upstream: {pool_max_idle_per_host: 7, pool_idle_timeout_seconds: 8, http2: never}
"#;

fn full() -> Case {
    Case::yaml(FULL.replace("SHA", &"Ab".repeat(32)))
}

#[test]
fn values_of_the_own_layout() {
    let config = full().ok().config;
    let seconds = Duration::from_secs;
    assert_eq!(config.listen.to_string(), "[::1]:9000");
    assert_eq!((config.streaming.heartbeat, config.streaming.head_wait), (seconds(0), seconds(2)));
    assert_eq!((config.timeouts.first_byte, config.timeouts.idle), (seconds(40), seconds(50)));
    assert_eq!((config.limits.max_json_depth, config.limits.max_concurrent_requests), (5, None));
    assert_eq!((config.limits.max_reply_bytes, config.body_limit_bytes), (1 << 20, 50 << 20));
    assert_eq!(config.drain_timeout, seconds(5));
    let cors = config.cors.as_ref().unwrap();
    assert_eq!(
        (cors.origins.join(" "), cors.methods.join(" "), cors.credentials),
        ("https://a https://b".into(), "GET".into(), true)
    );
    assert_eq!((config.logging.level, config.logging.format), (LogLevel::Warn, LogFormat::Text));
    assert!(config.logging.save_bodies && config.native.full_proxy);
    assert_eq!(config.native.paths, ["/v1/files"]);
    assert_eq!(config.ledger_fsync, Duration::from_millis(20));
    assert_eq!((config.upstream.pool_max_idle_per_host, config.upstream.http2), (7, Http2::Never));
    assert_eq!(config.key_prefix, "gw_");
    assert_eq!(config.keys[1].material, KeyMaterial::Sha256("ab".repeat(32)));
    assert!(config.keys[0].enabled && !config.keys[1].enabled);
}

#[test]
fn providers_models_and_aliases_of_the_own_layout() {
    let config = full().ok().config;
    let us = config.provider("us").unwrap();
    assert_eq!(us.api_key.as_ref().unwrap().expose(), "0123456789", "a plain number stays as written");
    assert_eq!(us.timeouts.connect, Duration::from_millis(1500));
    assert_eq!(us.timeouts.first_byte, Duration::from_secs(7));
    assert_eq!((us.timeouts.idle, us.timeouts.total), (Duration::from_secs(8), Duration::from_secs(3600)));
    let options: Vec<String> = us.options.iter().map(|(name, json)| format!("{name}={json}")).collect();
    let expected = [
        "big=123456789012345678901",
        r#"deep={"k":"v\n"}"#,
        "delay_ms=20",
        r#"hex="0x1F""#,
        r#"list=["a",null]"#,
        "on=true",
        "share=0.50",
    ];
    assert_eq!(options, expected);
    let eu = config.provider("eu").unwrap();
    assert_eq!(eu.timeouts.total, Duration::from_secs(30), "merged from the anchor");
    assert_eq!(eu.timeouts.first_byte, Duration::from_secs(30), "no longer than the whole");
    let headers: Vec<_> = eu.headers.iter().map(|(name, value)| (name.as_str(), value.expose())).collect();
    assert_eq!(headers, [("X-A", "1"), ("Authorization", "Bearer t")]);
    assert!(!config.provider("off").unwrap().enabled);
    assert_eq!((config.models[0].name.as_str(), config.models[0].target.as_str()), ("a/b:c", "upstream/a"));
    let aliases: Vec<_> = config.aliases.iter().map(|alias| format!("{}->{}", alias.name, alias.target)).collect();
    assert_eq!(aliases, ["x->a/b:c", "y->a/b:c", "z->x", "direct->us/any/thing"]);
}

#[test]
fn the_old_gemini_section_becomes_a_provider() {
    let case = || Case::yaml("gemini:\n  api_key: old-key\n  default_model: gemini-2.0-flash\n");
    let config = case().ok().config;
    let gemini = config.provider("gemini").unwrap();
    assert_eq!((gemini.provider_type.as_str(), gemini.enabled), ("gemini", true));
    assert_eq!(gemini.api_key.as_ref().unwrap().expose(), "old-key");
    insta::assert_snapshot!(case().warnings(), @r#"irongate.yaml:1:1: gemini: old form, read as `providers.gemini`"#);
}

#[test]
fn nothing_at_all_is_a_configuration_without_providers() {
    for case in [Case::empty(), Case::yaml(""), Case::yaml("# only a comment\n"), Case::yaml("{}")] {
        let config = case.ok().config;
        assert!(config.providers.is_empty() && config.default_provider.is_none() && !config.mock_mode);
    }
}

#[test]
fn references_are_replaced() {
    let yaml = "admin:\n  username: \"${A}-${B:-b}${C:-}$${D}\"\n  password_hash: ${file:hash.txt}\nserver:\n  port: ${P:-81}\n";
    let loaded = Case::yaml(yaml).env("A", "a").dotenv("P=82\n").file("hash.txt", "$2a$10$x\n").ok();
    assert_eq!(loaded.config.admin.username, "a-b${D}");
    assert_eq!(loaded.config.admin.password_hash.as_ref().unwrap().expose(), "$2a$10$x");
    assert_eq!(loaded.config.listen.port, 82);
    let names: Vec<_> = loaded.files.iter().map(|file| file.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, [".env", "irongate.yaml", "hash.txt"]);
}

#[test]
fn a_change_of_any_file_changes_the_fingerprint() {
    let directory = tempfile::tempdir().unwrap();
    let case = Case::yaml("admin: {username: \"${file:name.txt}\"}").dotenv("A=1").file("name.txt", "first");
    let loaded = case.load_in(directory.path()).unwrap();
    assert_eq!(gw_config::fingerprint(&loaded.files), loaded.fingerprint);
    for file in &loaded.files {
        let before = std::fs::read(file).unwrap();
        std::fs::write(file, b"# changed").unwrap();
        assert_ne!(gw_config::fingerprint(&loaded.files), loaded.fingerprint, "{}", file.display());
        std::fs::remove_file(file).unwrap();
        assert_ne!(gw_config::fingerprint(&loaded.files), loaded.fingerprint, "{}", file.display());
        std::fs::write(file, before).unwrap();
        assert_eq!(gw_config::fingerprint(&loaded.files), loaded.fingerprint, "{}", file.display());
    }
}

#[test]
fn no_secret_is_ever_shown() {
    let yaml = "
admin: {password_hash: canary-1, session_secret: canary-2}
providers:
  a: {type: openai, api_key: canary-3, headers: {X: canary-4}, options: {secret: canary-5}}
  b: {type: mistral, api_key: \"${MISTRAL_API_KEY}\"}
keys: [{name: k, key: canary-short}]
";
    let loaded = Case::yaml(yaml)
        .env("MISTRAL_API_KEY", "canary-6")
        .env("OPENAI_API_KEY", "canary-7")
        .env("GATEWAY_API_KEYS", "canary-8,canary-9-0123456789abcdef")
        .dotenv("TARGET_API_URL=http://t\nTARGET_API_KEY=canary-a\nJWT_SECRET=canary-b\n")
        .ok();
    assert_eq!(loaded.config.providers.len(), 5, "all the canaries were read: {}", loaded.config.redacted_summary());
    assert_eq!(loaded.config.keys.len(), 3);
    let shown = format!("{loaded:?}{}", loaded.config.redacted_summary());
    assert!(shown.contains("[redacted]"));
    assert!(!shown.contains("canary"), "{shown}");
}
