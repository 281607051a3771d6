//! What operators see: metrics, logs, health.

use std::collections::BTreeSet;

use serde_json::Value;

use super::client::Request;
use super::dialect::{ALL, Dialect};
use super::gateway::{Setup, both, both_with, mock};

/// Names of the labels of a metric line.
fn labels(line: &str) -> BTreeSet<String> {
    let inside = line.split_once('{').map_or("", |(_, rest)| rest.rsplit_once('}').unwrap().0);
    let mut names = BTreeSet::new();
    let mut rest = inside;
    while let Some((name, after)) = rest.split_once("=\"") {
        names.insert(name.trim_start_matches(',').to_owned());
        rest = after.split_once('"').unwrap().1;
    }
    names
}

#[tokio::test]
async fn the_four_metrics_have_exactly_their_labels() {
    let (_mock, gateway) = both_with("models: [{name: m, provider: openai, target: gpt-4o}]").await;
    for client in ALL {
        assert_eq!(gateway.send(client.say("m", false, "hello")).await.status(), 200);
        assert_eq!(gateway.send(client.say("m", true, "hello")).await.status(), 200);
        assert!(gateway.send(client.say("openai/x+status=503", false, "hello")).await.status() >= 500);
        assert_eq!(gateway.send(client.say("unknown", false, "hello")).await.status(), 400);
    }
    let text = gateway.get("/metrics").await.text();
    let expected: [(&str, &[&str]); 4] = [
        ("proxy_requests_total", &["format", "model", "provider", "status"]),
        ("proxy_request_duration_seconds", &["format", "model", "provider"]),
        ("proxy_errors_total", &["format", "model", "provider", "error_type"]),
        ("proxy_active_requests", &["format", "provider"]),
    ];
    for (name, wanted) in expected {
        let lines: Vec<&str> = text.lines().filter(|line| line.starts_with(name)).collect();
        assert!(!lines.is_empty(), "{name} is not in {text}");
        for line in lines {
            let mut found = labels(line);
            found.remove("le");
            assert_eq!(found, wanted.iter().map(|label| (*label).to_owned()).collect(), "{line}");
        }
    }
    let families: BTreeSet<&str> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE proxy_")?.split(' ').next()).collect();
    assert_eq!(families.len(), 4, "{families:?}");
    for format in ["openai", "anthropic", "gemini"] {
        let line =
            format!("proxy_requests_total{{format=\"{format}\",model=\"m\",provider=\"openai\",status=\"success\"}}");
        assert_eq!(gateway.metric(&line).await, 2.0, "{text}");
        assert!(
            text.lines()
                .any(|line| line.starts_with(&format!("proxy_active_requests{{format=\"{format}\""))
                    && line.ends_with(" 0")),
            "{text}"
        );
        assert!(text.contains(&format!("proxy_errors_total{{format=\"{format}\",model=\"openai/x+status=503\",provider=\"openai\",error_type=\"server_error\"}} 1")), "{text}");
    }
}

#[tokio::test]
async fn log_lines_have_the_known_fields() {
    let (_mock, gateway) = both().await;
    let answer =
        gateway.send(Dialect::OpenAi.say("openai/gpt-4o", true, "hello").header("x-request-id", "log-1")).await;
    assert_eq!(answer.status(), 200);
    let line: Value =
        serde_json::from_str(&gateway.stdout.wait("log-1", |line| line.contains("\"log-1\"")).await).unwrap();
    for (field, value) in [
        ("level", "info".into()),
        ("request_id", "log-1".into()),
        ("status_code", 200.into()),
        ("format", "openai".into()),
        ("model", "openai/gpt-4o".into()),
        ("provider", "openai".into()),
        ("streaming", Value::Bool(true)),
    ] {
        assert_eq!(line[field], value, "{field} in {line}");
    }
    assert!(line["timestamp"].is_string() && line["message"].is_string() && line["duration_ms"].is_u64(), "{line}");
    let failed = Dialect::Anthropic.say("anthropic/x+status=503", false, "hello").header("x-request-id", "log-2");
    gateway.send(failed).await;
    let line: Value =
        serde_json::from_str(&gateway.stdout.wait("log-2", |line| line.contains("\"log-2\"")).await).unwrap();
    assert_eq!((line["level"].as_str(), line["error_type"].as_str()), (Some("error"), Some("server_error")), "{line}");
    assert_eq!((line["method"].as_str(), line["path"].as_str()), (Some("POST"), Some("/v1/messages")), "{line}");
    assert!(line["status_code"].as_u64().unwrap() >= 500, "{line}");
    for line in gateway.stdout.all() {
        assert!(serde_json::from_str::<Value>(&line).is_ok(), "not JSON: {line}");
    }
}

#[tokio::test]
async fn logs_can_be_text_and_go_to_a_file() {
    let upstream = mock().await;
    let setup = Setup::with(&upstream.url(), "logging: {file: ./logs/g.log}").env("LOG_FORMAT", "text");
    let gateway = setup.start().await;
    gateway.send(Dialect::Gemini.say("openai/gpt-4o", false, "hello").header("x-request-id", "text-1")).await;
    let line = gateway.stdout.wait("text-1", |line| line.contains("request_id=text-1")).await;
    assert!(!line.starts_with('{') && line.contains("status_code=200") && line.contains("format=gemini"), "{line}");
    let polling = async {
        while !std::fs::read_to_string(gateway.directory().join("logs/g.log")).unwrap_or_default().contains("text-1") {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    super::gateway::soon("the file gets the line", polling).await;
}

#[tokio::test]
async fn refused_requests_are_logged_and_counted_but_cost_nothing() {
    let (_mock, gateway) = both().await;
    let stranger =
        gateway.send_bare(Dialect::OpenAi.say("openai/gpt-4o", false, "x").header("x-request-id", "who-1")).await;
    assert_eq!(stranger.status(), 401);
    let line = gateway.stdout.wait("who-1", |line| line.contains("\"who-1\"")).await;
    assert!(line.contains("\"status_code\":401") && line.contains("\"error_type\":\"auth\""), "{line}");
    assert_eq!(gateway.send(Request::get("/v1/models")).await.status(), 200);
    assert!(gateway.records(0).await.iter().all(|record| record.request_id != "who-1"));
}
