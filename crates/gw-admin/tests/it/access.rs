//! Who gets in, and what everybody sees.

use std::sync::atomic::Ordering;

use axum::body::Body;
use gw_config::Secret;
use http::{Request, StatusCode};

use crate::support::{Api, PASSWORD, basic, cheap_hash};

#[tokio::test]
async fn nothing_is_open() {
    let api = Api::new();
    for path in ["/api/v1/status", "/api/v1/keys", "/api/v1/openapi.json", "/api/v1/nothing", "/"] {
        for method in ["GET", "POST", "DELETE", "PATCH", "OPTIONS"] {
            let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
            let answer = api.send(request, None).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path}");
            assert_eq!(answer.code(), "unauthenticated");
            assert!(answer.headers["www-authenticate"].to_str().unwrap().starts_with("Basic "));
        }
    }
    assert_eq!(api.get("/api/v1/status").await.status, StatusCode::OK);
}

#[tokio::test]
async fn wrong_logins_are_refused_alike() {
    let api = Api::new();
    let encoded = basic("root", PASSWORD);
    for (number, authorization) in [
        basic("root", "wrong"),
        basic("Root", PASSWORD),
        basic("", ""),
        "Basic".into(),
        "Basic !!!".into(),
        format!("Bearer {PASSWORD}"),
        encoded.replace("Basic ", "Digest "),
        "Basic /////w==".into(),
    ]
    .into_iter()
    .enumerate()
    {
        let answer = api.login(&authorization, &format!("192.0.2.{number}")).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::UNAUTHORIZED, "unauthenticated"));
        assert_eq!(answer.json()["error"]["request_id"], "req-test");
    }
    assert_eq!(api.login(&encoded.replace("Basic", "bAsIc"), "192.0.2.1").await.status, StatusCode::OK);
}

#[tokio::test]
async fn without_a_usable_password_nobody_gets_in() {
    let api = Api::new();
    for hash in [None, Some(""), Some("plain"), Some("$2a$12$abcdefghijklmnopqrstuv")] {
        api.edit_config(|config| config.admin.password_hash = hash.map(Secret::new));
        for authorization in [basic("root", ""), basic("root", "plain"), basic("root", PASSWORD)] {
            let answer = api.login(&authorization, "192.0.2.9").await;
            assert!(
                matches!(answer.status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS),
                "{hash:?} {}",
                answer.status
            );
        }
    }
}

#[tokio::test]
async fn guessing_is_throttled_per_address() {
    let api = Api::new();
    for _ in 0..5 {
        assert_eq!(api.login(&basic("root", "wrong"), "192.0.2.1").await.status, StatusCode::UNAUTHORIZED);
    }
    let answer = api.login(&basic("root", PASSWORD), "192.0.2.1").await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::TOO_MANY_REQUESTS, "rate_limited"));
    assert_eq!(answer.headers["retry-after"], "60");
    assert_eq!(api.login(&basic("root", PASSWORD), "192.0.2.2").await.status, StatusCode::OK);
    // The login is known now, so that a guesser at the same address cannot lock the administrator out.
    assert_eq!(api.login(&basic("root", PASSWORD), "192.0.2.1").await.status, StatusCode::OK);
    api.now_ms.fetch_add(60_000, Ordering::SeqCst);
    assert_eq!(api.login(&basic("root", "wrong"), "192.0.2.1").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn many_requests_at_once_are_no_guessing() {
    let api = Api::new();
    let authorization = basic("root", PASSWORD);
    let mut calls = tokio::task::JoinSet::new();
    let api = std::sync::Arc::new(api);
    for _ in 0..50 {
        let (api, authorization) = (std::sync::Arc::clone(&api), authorization.clone());
        calls.spawn(async move { api.login(&authorization, "192.0.2.1").await.status });
    }
    assert!(calls.join_all().await.into_iter().all(|status| status == StatusCode::OK));
}

#[tokio::test]
async fn a_new_password_ends_the_old_login_at_once() {
    let api = Api::new();
    assert_eq!(api.get("/api/v1/status").await.status, StatusCode::OK);
    api.edit_config(|config| config.admin.password_hash = Some(cheap_hash("another")));
    assert_eq!(api.get("/api/v1/status").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(api.login(&basic("root", "another"), "192.0.2.1").await.status, StatusCode::OK);
    api.edit_config(|config| config.admin.username = "boss".into());
    assert_eq!(api.login(&basic("root", "another"), "192.0.2.1").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn pages_of_other_sites_change_nothing() {
    let api = Api::new();
    for (headers, allowed) in [
        (vec![("sec-fetch-site", "cross-site")], false),
        (vec![("sec-fetch-site", "same-site")], false),
        (vec![("sec-fetch-site", "same-origin")], true),
        (vec![("sec-fetch-site", "none")], true),
        (vec![("origin", "https://evil.example"), ("host", "gateway:8080")], false),
        (vec![("origin", "null"), ("host", "gateway:8080")], false),
        (vec![("origin", "http://gateway:8080"), ("host", "gateway:8080")], true),
        (vec![], true),
    ] {
        let mut request = Request::post("/api/v1/keys/none/disable").header("authorization", basic("root", PASSWORD));
        for (name, value) in &headers {
            request = request.header(*name, *value);
        }
        let answer = api.send(request.body(Body::empty()).unwrap(), None).await;
        let expected = if allowed { StatusCode::NOT_FOUND } else { StatusCode::FORBIDDEN };
        assert_eq!(answer.status, expected, "{headers:?}");
    }
}

#[tokio::test]
async fn every_answer_has_the_security_headers_and_errors_are_json() {
    let api = Api::new();
    let big = "x".repeat(70_000);
    for (method, path, body, status, code) in [
        ("GET", "/api/v1/status", "", 200, None),
        ("GET", "/api/v1/nothing", "", 404, Some("not_found")),
        ("PATCH", "/api/v1/keys", "", 405, Some("method_not_allowed")),
        ("POST", "/api/v1/keys", big.as_str(), 413, Some("payload_too_large")),
        ("POST", "/api/v1/keys/%FF/disable", "", 400, Some("bad_request")),
        ("GET", "/api/v1/usage?nonsense=1", "", 400, Some("bad_request")),
    ] {
        let answer = api.call(method, path, body).await;
        assert_eq!(answer.status.as_u16(), status, "{method} {path}");
        if let Some(code) = code {
            assert_eq!(answer.code(), code, "{method} {path}");
            assert!(!answer.json()["error"]["message"].as_str().unwrap().is_empty());
        }
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cache-control", "no-store"),
            ("x-request-id", "req-test"),
        ] {
            assert_eq!(answer.headers[name], value, "{method} {path}");
        }
    }
    assert_eq!(api.call("PATCH", "/api/v1/keys", "").await.headers["allow"], "GET,HEAD,POST");
}
