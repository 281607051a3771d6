//! Status, models, usage, and that none of them shows a secret.

use axum::body::Body;
use gw_store::{EndReason, UsageProvenance, UsageRecord, UsageSink as _, UsageTokens};
use http::{Request, StatusCode};
use serde_json::json;

use crate::support::{Api, NOW_MS, PASSWORD, basic, cheap_hash};

async fn with_usage() -> Api {
    let api = Api::new();
    let record = |number: i64, key_id: &str, model: &str| UsageRecord {
        attempt_id: format!("attempt-{number}"),
        request_id: format!("req-{number}"),
        key_id: key_id.to_owned(),
        at_ms: NOW_MS + number * 1000,
        ingress: "openai-chat".into(),
        requested_model: model.to_owned(),
        provider: "main".into(),
        status: 200,
        end: EndReason::Completed,
        usage: UsageTokens { input_uncached: 10, cache_read: 5, output_text: 3, requests: 1, ..UsageTokens::default() },
        usage_provenance: UsageProvenance::Reported,
        ..UsageRecord::default()
    };
    let records = [record(1, "key_a", "gpt-4o"), record(2, "key_b", "gpt-4o"), record(3, "key_a", "mini")];
    api.store.append_batch(&records).await.unwrap();
    api
}

#[tokio::test]
async fn status_and_models() {
    let api = Api::new();
    assert_eq!(
        api.get("/api/v1/status").await.json(),
        json!({
            "version": "1.2.3", "uptime_seconds": 7, "config_revision": 2, "config_source": "irongate.yaml", "keys": 1,
            "providers": [
                {"name": "main", "kind": "openai", "enabled": true}, {"name": "off", "kind": "openai", "enabled": false},
            ],
            "journal": {"appended": 3, "failed": 0, "pending": 1}, "database_bytes": 4096,
        })
    );
    assert_eq!(
        api.get("/api/v1/models").await.json(),
        json!({
            "models": [{"name": "gpt-4o", "provider": "main", "target": "gpt-4o", "description": "The big one"}],
            "aliases": [{"name": "big", "target": "gpt-4o"}], "default_provider": "main", "default_model": null,
        })
    );
}

#[tokio::test]
async fn usage_is_filtered_and_summed() {
    let api = with_usage().await;
    let all = api.get("/api/v1/usage").await.json();
    let first = &all["records"][0];
    assert_eq!((&first["attempt_id"], &first["at"]), (&json!("attempt-3"), &json!("2024-11-20T07:00:03Z")));
    assert_eq!((&first["input_tokens"], &first["output_tokens"]), (&json!(15), &json!(3)));
    assert_eq!(first["tokens"], json!({"input_uncached": 10, "cache_read": 5, "output_text": 3, "requests": 1}));
    assert_eq!((&first["end"], &first["usage_provenance"]), (&json!("completed"), &json!("reported")));
    for (query, expected, total) in [
        ("limit=1", vec![3], 3),
        ("limit=0", vec![], 3),
        ("key_id=key_a", vec![3, 1], 2),
        ("model=gpt-4o&key_id=key_b", vec![2], 1),
        ("provider=other", vec![], 0),
        ("request_id=req-2&status=200&end=completed", vec![2], 1),
        ("from=2024-11-20T07:00:02Z", vec![3, 2], 2),
        ("to=1732086002000", vec![1], 1),
    ] {
        let found = api.get(&format!("/api/v1/usage?{query}")).await.json();
        let ids: Vec<_> =
            found["records"].as_array().unwrap().iter().map(|record| record["attempt_id"].clone()).collect();
        let expected: Vec<_> = expected.into_iter().map(|number| json!(format!("attempt-{number}"))).collect();
        assert_eq!(ids, expected, "{query}");
        let totals = &found["totals"];
        assert_eq!((&totals["records"], &totals["input_tokens"]), (&json!(total), &json!(total * 15)), "{query}");
    }
    for query in ["limit=1001", "limit=-1", "limit=x", "from=yesterday", "end=nowhere", "status=99999999", "user=a"] {
        let answer = api.get(&format!("/api/v1/usage?{query}")).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::BAD_REQUEST, "bad_request"), "{query}");
        assert!(
            answer.text.contains(query.split('=').next().unwrap()) || query.starts_with("limit"),
            "{}",
            answer.text
        );
    }
}

#[tokio::test]
async fn no_answer_contains_a_secret() {
    let api = with_usage().await;
    let made = api.call("POST", "/api/v1/keys", r#"{"name":"a","key":"sk-canary-client-key-0123456789"}"#).await;
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let path = |action: &str| format!("/api/v1/keys/{id}{action}");
    let mut answers = Vec::new();
    for path in ["status", "keys", "usage", "models", "openapi.json", "nothing", "usage?limit=canary"] {
        // What the caller wrote into a number is named in the complaint; it is no secret of ours.
        let answer = api.get(&format!("/api/v1/{path}")).await;
        answers.push(answer);
    }
    for (method, path, body) in [
        ("POST", path("/disable"), ""),
        ("POST", path("/enable"), ""),
        ("POST", path("/rotate"), ""),
        ("POST", path("/rotate"), r#"{"key":"canary key"}"#),
        ("POST", "/api/v1/keys".into(), r#"{"name":"b","key":"canary-ü"}"#),
        ("DELETE", path(""), ""),
        ("DELETE", path(""), ""),
    ] {
        answers.push(api.call(method, &path, body).await);
    }
    answers.push(api.login(&basic("root", "canary-wrong-password"), "192.0.2.1").await);
    let anonymous = Request::get("/api/v1/status?key=canary").body(Body::empty()).unwrap();
    answers.push(api.send(anonymous, None).await);
    let hash = cheap_hash(PASSWORD);
    let digest = hash.expose().rsplit('$').next().unwrap();
    for answer in answers {
        let seen = format!("{:?}\n{}", answer.headers, answer.text);
        assert!(!seen.contains("canary") && !seen.contains(digest) && !seen.contains("argon2id"), "{seen}");
    }
}

#[tokio::test]
async fn the_description_is_served() {
    let document = Api::new().get("/api/v1/openapi.json").await;
    assert_eq!(document.headers["content-type"], "application/json");
    assert_eq!(document.json()["openapi"], "3.1.0");
}
