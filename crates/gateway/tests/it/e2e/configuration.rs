//! Configuration: what starts, what is refused before a port is bound, and what changes while it runs.

use std::time::Duration;

use super::client::Request;
use super::dialect::Dialect;
use super::gateway::{Gateway, KEY, PATIENCE, Setup, both, config, mock};

/// The sample configuration of a gateway that maps models to providers.
const MODELS_ONLY: &str = r#"version: "1.0"

models:
  - name: "gpt-4"
    provider: "openai"

  - name: "claude-3-5-sonnet-20241022"
    provider: "anthropic"

  - name: "gemini-2.0-flash-exp"
    provider: "gemini"
"#;

/// The sample configuration of a gateway that lists providers.
const PROVIDERS: &str = r#"server:
  host: 127.0.0.1
  port: 0
  https: {enabled: false, cert_file: "", key_file: ""}
admin: {username: admin, password_hash: "", session_secret: ""}
providers:
  gemini:
    type: gemini
    api_key: ""
    default_model: gemini-2.0-flash
    allowed_models: [gemini-2.0-flash, gemini-2.5-flash]
    timeout_seconds: 120
  openai: {type: openai, api_key: "", default_model: gpt-4o, timeout_seconds: 120}
  mistral: {type: mistral, api_key: "", default_model: mistral-large-latest, timeout_seconds: 120}
  ollama: {type: ollama, base_url: "http://localhost:11434/v1", default_model: llama3.2, timeout_seconds: 120}
  lmstudio: {type: lmstudio, base_url: "http://localhost:1234/v1", default_model: default, timeout_seconds: 120}
defaults:
  rate_limit: {requests_per_minute: 60, requests_per_hour: 1000, requests_per_day: 10000}
  quota: {max_input_tokens_per_day: 1000000, max_requests_per_day: 1000}
database:
  path: ./data/gateway.db
logging:
  level: info
  file: ./logs/gateway.log
"#;

/// Creates the test key and answers whether a chat with this model works.
async fn chats(gateway: &Gateway, model: &str) -> bool {
    gateway.run(&["keys", "create", "--name", "e2e", "--key", KEY]);
    let polling = async {
        loop {
            let answer = gateway.send(Dialect::OpenAi.say(model, false, "hello")).await;
            if answer.status() != 401 {
                return answer.status() == 200;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, polling).await.expect("the key does not arrive")
}

#[tokio::test]
async fn configurations_of_both_sources_start_and_serve() {
    let mock = mock().await;
    let setup = Setup::empty()
        .config(MODELS_ONLY)
        .env("OPENAI_API_KEY", "sk-1234567890")
        .env("OPENAI_BASE_URL", &format!("{}/v1", mock.url()))
        .env("ANTHROPIC_API_KEY", "sk-ant-1234567890")
        .env("ANTHROPIC_BASE_URL", &mock.url())
        .env("GEMINI_API_KEY", "AIza1234567890")
        .env("GEMINI_BASE_URL", &mock.url());
    let gateway = setup.start().await;
    for model in ["gpt-4", "claude-3-5-sonnet-20241022", "gemini-2.0-flash-exp"] {
        assert!(chats(&gateway, model).await, "{model}: {}", gateway.output());
    }
    let list = gateway.get("/v1/models").await.ok();
    assert_eq!(list["data"].as_array().unwrap().len(), 3, "{list}");

    let gateway = Setup::empty().config(PROVIDERS).start().await;
    assert!(gateway.directory().join("logs/gateway.log").exists());
    assert!(gateway.directory().join("data/gateway.db").exists());
    let health = gateway.send_bare(Request::get("/health")).await.ok();
    // Providers without a key are left out; the local ones need none.
    assert_eq!(health["models"], 2, "{health}");
}

#[tokio::test]
async fn a_wrong_configuration_is_refused_before_anything_is_opened() {
    let cases = [
        ("lissten: x\n", vec!["irongate.yaml:1", "lissten", "listen"]),
        ("providers: {a: {type: nope}}\n", vec!["irongate.yaml:1", "providers.a.type", "nope"]),
        ("keys: [\n", vec!["irongate.yaml:"]),
        ("models: [{name: a, provider: nobody}]\n", vec!["models[0].provider", "nobody"]),
        ("default_provider: nobody\n", vec!["default_provider", "nobody"]),
        ("providers: {a: {type: openai, api_key: k-12345678, base_url: 'ftp://x'}}\n", vec!["base_url"]),
        ("version: 7\n", vec!["version"]),
    ];
    for (text, parts) in cases {
        let setup = Setup::empty().config(text);
        let (status, output) = setup.refused();
        assert!(!status.success(), "{text}: {output}");
        assert!(!output.contains("listening"), "{text}: {output}");
        for part in parts {
            assert!(output.contains(part), "{text}: {part:?} is not in {output}");
        }
        assert!(!setup.directory().join("data").exists(), "{text}: the data directory was made");
        let checked = setup.run_again(&["check"]);
        assert!(!checked.status.success(), "{text}");
    }
    let (status, output) = Setup::empty().arguments(&["--listen", "nonsense"]).refused();
    assert!(!status.success() && output.contains("nonsense"), "{output}");
    let (status, output) = Setup::empty().arguments(&["--config", "missing/dir/x.yaml", "--wrong-flag"]).refused();
    assert_eq!(status.code(), Some(2), "{output}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (status, output) = Setup::empty().arguments(&["--listen", &address]).refused();
    assert!(!status.success() && output.contains(&address), "{output}");
}

#[tokio::test]
async fn check_and_version_say_how_things_are() {
    let mock = mock().await;
    let setup = Setup::empty().config(&config(&mock.url(), ""));
    let checked = setup.run(&["check"]);
    let output = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(checked.status.success() && output.starts_with("ok: "), "{output}");
    assert!(!output.contains(super::gateway::PROVIDER_KEY) && !output.contains(KEY), "{output}");
    let version = setup.run_again(&["version"]);
    assert!(String::from_utf8_lossy(&version.stdout).starts_with("irongate 0."), "{version:?}");
    for help in [&["--help"][..], &["keys", "--help"], &["serve", "--help"]] {
        assert!(setup.run_again(help).status.success());
    }
}

#[tokio::test]
async fn the_first_run_needs_nothing_and_writes_a_file_that_starts_again() {
    let gateway = Setup::empty().start().await;
    gateway.stderr.wait_for("irongate.yaml").await;
    let written = std::fs::read_to_string(gateway.config_path()).unwrap();
    assert!(written.contains("providers:") && written.contains("password_hash"), "{written}");
    assert!(gateway.directory().join("data").is_dir());
    let setup = gateway.kill();
    let checked = setup.run_again(&["check"]);
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    let gateway = setup.start_again().await;
    assert_eq!(gateway.send_bare(Request::get("/health")).await.status(), 200);
}

#[tokio::test]
async fn flags_take_one_or_two_dashes_and_environment_comes_from_process_and_file() {
    let mock = mock().await;
    let dotenv = format!("OPENAI_API_KEY=sk-from-the-file-123\nOPENAI_BASE_URL={}/v1\n", mock.url());
    let models = "models: [{name: m, provider: openai}]\n";
    for arguments in [
        &["-listen", "127.0.0.1:0", "-config", "other.yaml", "-env-file", "my.env", "-verbose"][..],
        &["serve", "--listen=127.0.0.1:0", "--config=other.yaml", "--env-file=my.env", "--data-dir=data"],
    ] {
        let setup = Setup::empty().arguments(arguments).file("other.yaml", models).file("my.env", &dotenv);
        let gateway = setup.start().await;
        let created = gateway.run(&[
            "keys",
            "create",
            "--name",
            "e2e",
            "--key",
            KEY,
            "--config",
            "other.yaml",
            "--env-file",
            "my.env",
        ]);
        assert!(created.status.success(), "{}", String::from_utf8_lossy(&created.stderr));
        assert!(chats(&gateway, "m").await, "{}", gateway.output());
        let seen = mock.service().journal().pop().unwrap();
        assert_eq!(seen.headers.get("authorization").unwrap(), "Bearer sk-from-the-file-123");
    }
    let setup = Setup::empty().config(models).file(".env", &dotenv).env("OPENAI_API_KEY", "sk-from-the-process-1");
    let gateway = setup.start().await;
    assert!(chats(&gateway, "m").await);
    let seen = mock.service().journal().pop().unwrap();
    assert_eq!(seen.headers.get("authorization").unwrap(), "Bearer sk-from-the-process-1");
}

#[tokio::test]
async fn one_default_upstream_needs_no_file() {
    let mock = mock().await;
    let setup =
        Setup::empty().env("TARGET_API_URL", &format!("{}/v1", mock.url())).env("TARGET_API_KEY", "sk-target-12345678");
    let gateway = setup.start().await;
    assert!(chats(&gateway, "any-model").await, "{}", gateway.output());
    assert_eq!(
        mock.service().journal().pop().unwrap().headers.get("authorization").unwrap(),
        "Bearer sk-target-12345678"
    );
}

/// Waits until the model is served, or no longer is.
async fn until_served(gateway: &Gateway, model: &str, served: bool) {
    let polling = async {
        while (gateway.send(Dialect::OpenAi.say(model, false, "hello")).await.status() == 200) != served {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, polling).await.expect("the change does not arrive");
}

#[tokio::test]
async fn changes_are_taken_over_by_file_and_by_signal_and_bad_ones_are_not() {
    let (mock, mut gateway) = both().await;
    until_served(&gateway, "new", false).await;
    let with = |name: &str| config(&mock.url(), &format!("models: [{{name: {name}, provider: openai}}]"));
    std::fs::write(gateway.config_path(), with("new")).unwrap();
    until_served(&gateway, "new", true).await;
    std::fs::write(gateway.config_path(), with("newer")).unwrap();
    gateway.signal("HUP");
    until_served(&gateway, "newer", true).await;
    until_served(&gateway, "new", false).await;

    std::fs::write(gateway.config_path(), "providers: {broken\n").unwrap();
    gateway.signal("HUP");
    let line = gateway.stdout.wait_for("configuration was refused").await;
    assert!(line.contains("\"error\"") && line.contains("irongate.yaml:"), "{line}");
    until_served(&gateway, "newer", true).await;
    assert!(gateway.alive());

    std::fs::write(gateway.config_path(), with("fixed")).unwrap();
    until_served(&gateway, "fixed", true).await;
}

#[tokio::test]
async fn keys_of_the_file_are_reloaded_with_it() {
    let (mock, gateway) = both().await;
    let second = "ig-second-key-0123456789abcdef";
    let text = config(&mock.url(), "").replace("keys:\n", &format!("keys:\n  - {{name: two, key: {second}}}\n"));
    std::fs::write(
        gateway.config_path(),
        text.replace(&format!("key: {KEY}"), &format!("key: {KEY}\n    enabled: false")),
    )
    .unwrap();
    gateway.signal("HUP");
    let polling = async {
        while gateway.send_bare(Request::get("/v1/models").key(second)).await.status() != 200 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, polling).await.expect("the key does not arrive");
    assert_eq!(gateway.send_bare(Request::get("/v1/models").key(KEY)).await.status(), 401);
}

#[tokio::test]
async fn a_running_stream_keeps_the_configuration_it_began_with() {
    let (mock, gateway) = both().await;
    let mut connection = gateway.connect().await;
    connection.send(&Dialect::OpenAi.say("openai/gpt-4o+chunks=60+chunk_delay=20ms", true, "hello").key(KEY)).await;
    assert_eq!(connection.head().await.status, 200);
    connection.until("Mock").await;
    let without = config(&mock.url(), "models: [{name: here, provider: gemini}]")
        .replace("  openai: {type", "  elsewhere: {type");
    std::fs::write(gateway.config_path(), without).unwrap();
    gateway.signal("HUP");
    until_served(&gateway, "here", true).await;
    let (rest, whole) = connection.rest().await;
    assert!(whole && String::from_utf8(rest).unwrap().ends_with("data: [DONE]\n\n"));
}
