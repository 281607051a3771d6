//! Keys and passwords are nowhere to be read: not in logs, metrics, records, errors or files.

use gw_store::UsageFilter;
use serde_json::json;

use super::client::Request;
use super::dialect::ALL;
use super::gateway::{Gateway, KEY, PROVIDER_KEY, Setup, config, database, records};
use super::upstream::{PAUSE, Upstream, json_answer, stream_answer};

/// Every place where a secret could have been left.
async fn assert_nowhere(gateway: &Gateway, secrets: &[&str]) {
    let mut places = vec![("output".to_owned(), gateway.output().into_bytes())];
    places.push(("metrics".to_owned(), gateway.get("/metrics").await.body));
    places.push(("health".to_owned(), gateway.get("/health").await.body));
    let filter = UsageFilter::default();
    places.push(("records".to_owned(), format!("{:?}", records(gateway.directory(), &filter, 1).await).into_bytes()));
    let mut folders = vec![gateway.directory().join("data"), gateway.directory().join("logs")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(bytes) = std::fs::read(&path) {
                places.push((path.display().to_string(), bytes));
            }
        }
    }
    for (place, bytes) in places {
        for secret in secrets {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{secret:?} is in {place}");
        }
    }
}

#[tokio::test]
async fn pain_39_a_provider_that_repeats_the_key_in_its_errors_gives_nothing_away() {
    let upstream = Upstream::answering(|got| {
        let key = got.key();
        let status = got.body().split("status-").nth(1).map_or(400, |text| text[..3].parse().unwrap());
        let url = format!("https://provider.example/v1?key={key}");
        let error = json!({"type": "invalid_request_error", "code": status, "status": "INVALID_ARGUMENT",
            "message": format!("Incorrect API key provided: {key}. See {url}"), "param": null});
        json_answer(status, &json!({"type": "error", "error": error}).to_string())
    })
    .await;
    let logged = "logging: {level: trace, file: ./logs/gateway.log}";
    let gateway = Setup::with(&upstream.url(), logged).start().await;
    for client in ALL {
        for provider in ALL {
            for status in [400, 401, 403, 404, 429, 500, 503] {
                for stream in [false, true] {
                    let answer = gateway.send(client.say(provider.model(), stream, &format!("status-{status}"))).await;
                    assert!(answer.status() >= 400);
                    client.error(&answer.json());
                    assert!(
                        !answer.text().contains(PROVIDER_KEY),
                        "{client:?} {provider:?} {status}: {}",
                        answer.text()
                    );
                    let headers = format!("{:?}", answer.head);
                    assert!(!headers.contains(PROVIDER_KEY), "{headers}");
                }
            }
        }
    }
    assert_nowhere(&gateway, &[PROVIDER_KEY, KEY]).await;
}

#[tokio::test]
async fn pain_39_a_key_inside_a_stream_error_stays_out_of_logs_and_records() {
    let upstream = Upstream::answering(|got| {
        let error = json!({"type": "error", "error": {"type": "api_error", "code": 500, "status": "INTERNAL", "message": format!("bad key {}", got.key())}});
        let start = if got.head.contains("/messages") {
            "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"m\",\"content\":[],\"usage\":{\"input_tokens\":1,\"output_tokens\":1}}}\n\n"
        } else {
            ""
        };
        stream_answer(&format!("{start}event: error\ndata: {error}\n\n"))
    })
    .await;
    let gateway = Setup::with(&upstream.url(), "logging: {level: trace}").start().await;
    for client in ALL {
        for provider in ALL {
            let answer = gateway.send(client.say(provider.model(), true, "hello")).await;
            assert!(answer.status() >= 500, "{client:?} {provider:?}: {}", answer.text());
            assert!(!answer.text().contains(PROVIDER_KEY), "{client:?} {provider:?}: {}", answer.text());
        }
    }
    assert_nowhere(&gateway, &[PROVIDER_KEY, KEY]).await;
}

#[tokio::test]
async fn pain_39_a_key_in_an_error_after_the_first_words_is_cut_out() {
    let upstream = Upstream::answering(|got| {
        let message = format!("Incorrect API key provided: {}", got.key());
        let error = json!({"type": "error", "error": {"type": "invalid_request_error", "code": 400, "status": "INVALID_ARGUMENT", "message": message, "param": null}});
        let first = if got.head.contains("/messages") {
            "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"m\",\"content\":[],\"usage\":{\"input_tokens\":1,\"output_tokens\":1}}}\n\nevent: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\nevent: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"words\"}}\n\n"
        } else if got.head.contains("/chat/completions") {
            "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"words\"},\"finish_reason\":null}]}\n\n"
        } else {
            "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"words\"}],\"role\":\"model\"},\"index\":0}]}\n\n"
        };
        stream_answer(&format!("{first}{PAUSE}event: error\ndata: {error}\n\n"))
    })
    .await;
    let gateway = Setup::with(&upstream.url(), "logging: {level: trace}").start().await;
    let mut begun = 0;
    for client in ALL {
        for provider in ALL {
            let answer = gateway.send(client.say(provider.model(), true, "hello")).await;
            let text = answer.text();
            assert!(!text.contains(PROVIDER_KEY), "{client:?} {provider:?}: {text}");
            if answer.status() == 200 {
                begun += 1;
                client.error_event(&text);
            }
        }
    }
    assert!(begun > 0, "no stream had begun before its error");
    assert_nowhere(&gateway, &[PROVIDER_KEY, KEY]).await;
}

#[tokio::test]
async fn pain_39_keys_of_clients_leave_no_trace_wherever_they_stood() {
    let mock = super::gateway::mock().await;
    let text = config(&mock.url(), "logging: {level: trace, file: ./logs/gateway.log}");
    let gateway = Setup::empty().config(&text).start().await;
    let wrong = "ig-wrong-canary-key-5f5f5f5f5f5f";
    for client in ALL {
        let path = client.path(client.model(), false);
        for key in [KEY, wrong] {
            let body =
                client.body(client.model(), false, &super::dialect::Ask { prompt: "x".into(), ..Default::default() });
            for request in [
                Request::post(&format!("{path}?key={key}")).json(&body),
                Request::post(&path).json(&body).header("authorization", &format!("Bearer {key}")),
                Request::post(&path).json(&body).header("x-api-key", key),
                Request::post(&format!("/nothing?key={key}")).json(&body),
                Request::get(&format!("/v1/models?key={key}")),
                Request::post(&format!("/v1/embeddings?key={key}")).json(&json!({"model": "openai/e", "input": "x"})),
            ] {
                let answer = gateway.send_bare(request).await;
                assert!(!answer.text().contains(key), "{}", answer.text());
            }
        }
    }
    for seen in mock.service().journal() {
        assert!(!seen.path.contains(KEY), "{}", seen.path);
    }
    assert_nowhere(&gateway, &[KEY, wrong, PROVIDER_KEY]).await;
}

#[tokio::test]
async fn the_admin_password_is_shown_once_and_kept_as_a_hash() {
    let setup = Setup::empty();
    let gateway = setup.start().await;
    let line = gateway.stderr.wait_for("admin password").await;
    let password = line.rsplit(' ').next().unwrap();
    assert!(password.len() >= 16, "{line}");
    let written = std::fs::read_to_string(gateway.config_path()).unwrap();
    assert!(!written.contains(password), "the file has the password itself");
    assert!(!gateway.stdout.text().contains(password));
    let again = gateway.kill();
    let gateway = again.start_again().await;
    assert!(!gateway.output().contains("admin password"), "{}", gateway.output());
}

#[tokio::test]
async fn files_with_secrets_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let gateway = Setup::empty().start().await;
    let mode = |path: std::path::PathBuf| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(gateway.config_path()), 0o600);
    assert_eq!(mode(gateway.directory().join("data/envelope.key")), 0o600);
    assert_eq!(mode(database(gateway.directory())), 0o600);
}
