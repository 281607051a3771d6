#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use std::time::Duration;

use gw_core::{Code, GatewayError, Retry};
use gw_spi::UpstreamFault;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use proptest::prelude::*;

use super::decode;

fn fault(status: u16, headers: &[(&'static str, &'static str)], body: &[u8]) -> GatewayError {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    decode(&UpstreamFault { status: StatusCode::from_u16(status).unwrap(), headers: &map, body })
}

fn shaped(kind: &str, message: &str) -> Vec<u8> {
    format!(r#"{{"type":"error","error":{{"type":"{kind}","message":"{message}"}},"request_id":"r"}}"#).into_bytes()
}

#[test]
fn published_types_are_understood() {
    for (status, kind, code, retry) in [
        (400, "invalid_request_error", Code::BadRequest, Retry::Never),
        (401, "authentication_error", Code::UpstreamAuth, Retry::OtherTarget),
        (402, "billing_error", Code::UpstreamAuth, Retry::OtherTarget),
        (403, "permission_error", Code::UpstreamAuth, Retry::OtherTarget),
        (404, "not_found_error", Code::NotFound, Retry::OtherTarget),
        (409, "conflict_error", Code::Conflict, Retry::SameTarget),
        (413, "request_too_large", Code::PayloadTooLarge, Retry::Never),
        (429, "rate_limit_error", Code::RateLimited, Retry::OtherTarget),
        (500, "api_error", Code::UpstreamError, Retry::SameTarget),
        (504, "timeout_error", Code::UpstreamTimeout, Retry::SameTarget),
        (529, "overloaded_error", Code::UpstreamOverloaded, Retry::OtherTarget),
    ] {
        let error = fault(status, &[], &shaped(kind, "words"));
        assert_eq!((error.code, error.retry), (code, retry), "{kind}");
        assert_eq!((error.upstream_status, error.upstream_code.as_deref()), (Some(status), Some(kind)));
    }
}

#[test]
fn messages_tell_apart_what_the_type_leaves_open() {
    let code = |status, kind, message| fault(status, &[], &shaped(kind, message)).code;
    assert_eq!(code(400, "invalid_request_error", "prompt is too long: 3 tokens > 2 maximum"), Code::ContextTooLong);
    assert_eq!(
        code(400, "invalid_request_error", "Your credit balance is too low to access the API"),
        Code::UpstreamAuth
    );
    assert_eq!(code(429, "rate_limit_error", "you have reached your monthly limit"), Code::QuotaExhausted);
}

#[test]
fn any_shape_is_read() {
    for (body, message) in [
        (&br#"{"error":"plain"}"#[..], "plain"),
        (br#"[{"error":{"message":"listed"}}]"#, "listed"),
        (br#"{"detail":[{"loc":["a"],"msg":"field required"}]}"#, "field required"),
        (br#"{"message":"bare"}"#, "bare"),
        (b"<html><head><title>502 Bad Gateway</title></head></html>", "502 Bad Gateway"),
        (b"upstream connect error", "upstream connect error"),
        (b"", "the provider answered with status 502 and no message"),
        (b"null", "the provider answered with status 502 and no message"),
    ] {
        let error = fault(502, &[], body);
        assert_eq!((error.code, error.message.as_ref()), (Code::UpstreamError, message));
    }
}

#[test]
fn retry_headers_are_honoured_in_order() {
    let body = shaped("rate_limit_error", "slow");
    let retry = |headers: &[(&'static str, &'static str)]| fault(429, headers, &body).retry;
    assert_eq!(retry(&[("retry-after", "7")]), Retry::After(Duration::from_secs(7)));
    assert_eq!(retry(&[("retry-after", "7"), ("retry-after-ms", "250")]), Retry::After(Duration::from_millis(250)));
    assert_eq!(retry(&[("retry-after", "7"), ("x-should-retry", "false")]), Retry::Never);
    assert_eq!(retry(&[("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT")]), Retry::OtherTarget);
    assert_eq!(retry(&[("retry-after", "-3")]), Retry::OtherTarget);
}

#[test]
fn credentials_never_show() {
    for text in [
        "bad key sk-ant-REDACTED for task-list",
        "Authorization: Bearer abcdef was refused",
        "GET https://host/v1?key=abcdef12345 failed",
    ] {
        let error = fault(500, &[], &shaped("api_error", text));
        assert!(error.message.contains("[hidden]") && !error.message.contains("abcdef"), "{}", error.message);
    }
    assert!(fault(500, &[], &shaped("api_error", "a task-list")).message.contains("task-list"));
    let refused = fault(401, &[], &shaped("authentication_error", "invalid key sk-ant-abcdef0123456789"));
    assert!(!refused.message.contains("invalid key") && !refused.cause.unwrap().contains("abcdef"));
}

#[test]
fn long_messages_are_cut_between_letters() {
    let error = fault(500, &[], "é".repeat(3_000).as_bytes());
    assert_eq!(error.message.len(), 2_000);
}

proptest! {
    #[test]
    fn no_body_panics(status in 300_u16..600, body in proptest::collection::vec(any::<u8>(), 0..200), text in ".{0,100}") {
        let _ = fault(status, &[], &body);
        let _ = fault(status, &[], text.as_bytes());
    }
}
