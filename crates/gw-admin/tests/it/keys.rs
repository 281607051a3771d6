//! Client keys through their life.

use std::sync::atomic::Ordering;

use gw_identity::KeyHash;
use gw_store::KeyRepo as _;
use http::StatusCode;
use serde_json::{Value, json};

use crate::support::{Api, NOW_MS};

#[tokio::test]
async fn a_key_is_made_shown_once_and_stored_as_its_hash() {
    let api = Api::new();
    let answer = api.call("POST", "/api/v1/keys", r#"{"name":" laptop ","expires_at":"2030-01-31T12:00:00Z"}"#).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    let mut made = answer.json();
    let key = made["key"].take().as_str().unwrap().to_owned();
    assert!(key.starts_with("ig-") && key.len() >= 35);
    let stored = api.store.list().await.unwrap().remove(0);
    assert_eq!(stored.hash, KeyHash::of(&key).0);
    assert_eq!(
        made,
        json!({
            "id": stored.id, "name": "laptop", "hint": stored.hint, "enabled": true, "key": null, "warnings": [],
            "expires_at": "2030-01-31T12:00:00Z", "allowed_models": null,
            "created_at": "2024-11-20T07:00:00Z", "updated_at": "2024-11-20T07:00:00Z",
        })
    );
    let listed = api.get("/api/v1/keys").await;
    assert!(!listed.text.contains(&key));
    assert_eq!(listed.json()["keys"].as_array().unwrap().len(), 1);
    assert_eq!(api.changes.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_key_of_ones_own_is_taken_with_warnings() {
    let api = Api::new();
    let body = r#"{"name":"own","key":"sk-test-123","allowed_models":["gpt-4o"]}"#;
    let answer = api.call("POST", "/api/v1/keys", body).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    assert_eq!(answer.json()["key"], "sk-test-123");
    assert_eq!(answer.json()["warnings"].as_array().unwrap().len(), 2);
    let stored = api.store.get_by_name("own").await.unwrap().unwrap();
    assert_eq!(stored.allowed_models, Some(vec!["gpt-4o".to_owned()]));
    let again = api.call("POST", "/api/v1/keys", r#"{"name":"other","key":"sk-test-123"}"#).await;
    assert_eq!((again.status, again.code().as_str()), (StatusCode::CONFLICT, "conflict"));
    assert!(!again.text.contains("sk-test"));
}

#[tokio::test]
async fn a_key_is_switched_rotated_and_deleted() {
    let api = Api::new();
    let made = api.call("POST", "/api/v1/keys", r#"{"name":"a"}"#).await.json();
    let id = made["id"].as_str().unwrap();
    api.now_ms.fetch_add(1000, Ordering::SeqCst);
    for (action, enabled) in [("disable", false), ("enable", true)] {
        let answer = api.call("POST", &format!("/api/v1/keys/{id}/{action}"), "").await;
        assert_eq!((answer.status, &answer.json()["enabled"]), (StatusCode::OK, &Value::Bool(enabled)));
        let stored = api.store.list().await.unwrap().remove(0);
        assert_eq!((stored.enabled, stored.updated_at_ms), (enabled, NOW_MS + 1000));
    }
    let rotated = api.call("POST", &format!("/api/v1/keys/{id}/rotate"), "").await.json();
    assert_ne!(rotated["key"], made["key"]);
    assert_eq!((&rotated["id"], &rotated["name"]), (&made["id"], &made["name"]));
    let stored = api.store.list().await.unwrap().remove(0);
    assert_eq!(stored.hash, KeyHash::of(rotated["key"].as_str().unwrap()).0);
    let own = api.call("POST", &format!("/api/v1/keys/{id}/rotate"), r#"{"key":"my-own-key-0123"}"#).await;
    assert_eq!(own.json()["key"], "my-own-key-0123");
    assert_eq!(api.changes.load(Ordering::SeqCst), 5);
    let deleted = api.call("DELETE", &format!("/api/v1/keys/{id}"), "").await;
    assert_eq!((deleted.status, deleted.text.as_str()), (StatusCode::NO_CONTENT, ""));
    assert_eq!(api.changes.load(Ordering::SeqCst), 6);
    assert!(api.store.list().await.unwrap().is_empty());
    for (method, action) in [("DELETE", ""), ("POST", "/enable"), ("POST", "/disable"), ("POST", "/rotate")] {
        let answer = api.call(method, &format!("/api/v1/keys/{id}{action}"), "").await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::NOT_FOUND, "not_found"), "{action}");
    }
    assert_eq!(api.changes.load(Ordering::SeqCst), 6, "a refused change is none");
}

#[tokio::test]
async fn bad_requests_name_the_field_and_store_nothing() {
    let api = Api::new();
    let long = format!(r#"{{"name":"{}"}}"#, "n".repeat(101));
    for (body, told) in [
        ("", "line 1"),
        ("{", "line 1"),
        ("[]", "line 1"),
        ("{}", "name"),
        (r#"{"name":""}"#, "`name`"),
        (r#"{"name":"a\nb"}"#, "`name`"),
        (long.as_str(), "`name`"),
        (r#"{"name":"a","nmae":"b"}"#, "nmae"),
        (r#"{"name":"a","key":"short"}"#, "`key`"),
        (r#"{"name":"a","key":"with space inside"}"#, "`key`"),
        (r#"{"name":"a","key":["canary-0123456789"]}"#, "line 1"),
        (r#"{"name":"a","expires_at":"tomorrow"}"#, "`expires_at`"),
        (r#"{"name":"a","expires_at":"2020-01-01T00:00:00Z"}"#, "`expires_at`"),
        (r#"{"name":"a","allowed_models":[""]}"#, "`allowed_models`"),
    ] {
        let answer = api.call("POST", "/api/v1/keys", body).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::BAD_REQUEST, "bad_request"), "{body}");
        assert!(answer.text.contains(told), "{body}: {}", answer.text);
        assert!(!answer.text.contains("canary") && !answer.text.contains("with space"), "{}", answer.text);
    }
    assert!(api.store.list().await.unwrap().is_empty());
    assert_eq!(api.changes.load(Ordering::SeqCst), 0);
}
