//! Client keys: made, listed, disabled and rotated by command, in force in a running server at once.

use std::time::Duration;

use super::client::Request;
use super::gateway::{Gateway, PATIENCE, Setup, both, mock};

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Runs a key command and gives its standard output.
fn keys(gateway: &Gateway, arguments: &[&str]) -> String {
    let output = gateway.run(&[&["keys"], arguments].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

/// Waits until the key is answered with this status, and says how long it took.
async fn until(gateway: &Gateway, key: &str, status: u16) {
    let polling = async {
        while gateway.send_bare(Request::get("/v1/models").header("x-api-key", key)).await.status() != status {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, polling).await.expect("the key's state does not arrive");
}

#[tokio::test]
async fn a_key_lives_from_create_to_rotate_to_disable_without_a_restart() {
    let (_mock, gateway) = both().await;
    let printed = keys(&gateway, &["create", "--name", "laptop"]);
    let key = printed.trim_end();
    assert_eq!(printed, format!("{key}\n"), "nothing but the key");
    assert!(key.starts_with("ig-") && key.len() >= 25, "{key}");
    until(&gateway, key, 200).await;
    let listed = keys(&gateway, &["list"]);
    assert!(listed.contains("laptop") && listed.contains("enabled") && !listed.contains(key), "{listed}");

    let fresh = keys(&gateway, &["rotate", "--name", "laptop"]).trim_end().to_owned();
    assert_ne!(fresh, key);
    until(&gateway, &fresh, 200).await;
    until(&gateway, key, 401).await;

    keys(&gateway, &["disable", "--name", "laptop"]);
    until(&gateway, &fresh, 401).await;
    keys(&gateway, &["enable", "--name", "laptop"]);
    until(&gateway, &fresh, 200).await;

    let stored = std::fs::read(super::gateway::database(gateway.directory())).unwrap();
    for secret in [key, fresh.as_str()] {
        assert!(!stored.windows(secret.len()).any(|window| window == secret.as_bytes()), "a key is stored in clear");
    }
}

/// A provider's key that only the server knows must not keep an operator from disabling a leaked client key.
#[test]
fn keys_are_managed_without_the_keys_of_providers() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("irongate.yaml");
    std::fs::write(&config, "models:\n  - {name: m, provider: anthropic}\n").unwrap();
    let run = |arguments: &[&str]| {
        std::process::Command::new(env!("CARGO_BIN_EXE_irongate"))
            .args(arguments)
            .current_dir(directory.path())
            .env_clear()
            .output()
            .unwrap()
    };
    let checked = run(&["check"]);
    assert!(!checked.status.success() && text(&checked.stderr).contains("anthropic"), "the server itself would refuse");
    for arguments in [["keys", "create", "--name", "a"], ["keys", "disable", "--name", "a"]] {
        let done = run(&arguments);
        assert!(done.status.success(), "{}", text(&done.stderr));
    }
    assert!(text(&run(&["keys", "list"]).stdout).contains("disabled"));
}

#[tokio::test]
async fn a_custom_key_works_and_a_weak_one_is_warned_about_or_refused() {
    let (_mock, gateway) = both().await;
    let custom = "sk-custom-0123456789-abcdefghijkl";
    let output = gateway.run(&["keys", "create", "--name", "mine", "--key", custom]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout), format!("{custom}\n"));
    until(&gateway, custom, 200).await;
    let again = gateway.run(&["keys", "create", "--name", "mine"]);
    assert!(!again.status.success() && again.stdout.is_empty(), "a name twice");
    assert!(text(&again.stderr).contains("mine"));
    let empty = gateway.run(&["keys", "create", "--name", "e", "--key", ""]);
    assert!(!empty.status.success() && empty.stdout.is_empty());
    let unknown = gateway.run(&["keys", "disable", "--name", "nobody"]);
    assert!(!unknown.status.success() && text(&unknown.stderr).contains("nobody"));
}

#[tokio::test]
async fn keys_are_made_before_the_first_start_too() {
    let mock = mock().await;
    let config = format!(
        "providers: {{openai: {{type: openai, api_key: k-123456789, base_url: '{}/v1'}}}}\nkey_prefix: 'gw-'\n",
        mock.url()
    );
    let setup = Setup::empty().config(&config);
    let output = setup.run(&["keys", "create", "--name", "first"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let key = text(&output.stdout).trim_end().to_owned();
    assert!(key.starts_with("gw-"), "{key}");
    let gateway = setup.start().await;
    let answer = gateway.send_bare(Request::get("/v1/models").header("x-api-key", &key)).await;
    assert_eq!(answer.status(), 200);
}
