//! The error table, both ways.

use std::time::Duration;

use gw_core::{Code, GatewayError, Retry};
use gw_spi::{Egress as _, Framing, Ingress as _, UpstreamFault};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::json;
use crate::{Egress, Ingress};

#[test]
fn every_code_has_its_status_type_and_code() {
    let table = [
        (Code::BadRequest, 400, "invalid_request_error", None, "invalid_request"),
        (Code::PayloadTooLarge, 413, "invalid_request_error", Some("request_too_large"), "invalid_request"),
        (Code::Unauthenticated, 401, "invalid_request_error", Some("invalid_api_key"), "auth"),
        (Code::Forbidden, 403, "invalid_request_error", Some("permission_denied"), "auth"),
        (Code::NotFound, 404, "invalid_request_error", Some("not_found"), "invalid_request"),
        (Code::MethodNotAllowed, 405, "invalid_request_error", Some("method_not_allowed"), "invalid_request"),
        (Code::UnknownModel, 400, "invalid_request_error", Some("model_not_found"), "unknown_model"),
        (Code::Conflict, 409, "invalid_request_error", Some("conflict"), "invalid_request"),
        (Code::RateLimited, 429, "rate_limit_error", Some("rate_limit_exceeded"), "rate_limit"),
        (Code::QuotaExhausted, 429, "insufficient_quota", Some("insufficient_quota"), "rate_limit"),
        (Code::ContentPolicy, 400, "invalid_request_error", Some("content_filter"), "invalid_request"),
        (Code::ContextTooLong, 400, "invalid_request_error", Some("context_length_exceeded"), "invalid_request"),
        (Code::Unsupported, 400, "invalid_request_error", Some("unsupported_feature"), "invalid_request"),
        (Code::UpstreamAuth, 502, "server_error", Some("upstream_auth"), "server_error"),
        (Code::UpstreamTimeout, 504, "server_error", Some("upstream_timeout"), "timeout"),
        (Code::UpstreamOverloaded, 503, "server_error", Some("overloaded"), "server_error"),
        (Code::UpstreamError, 502, "server_error", Some("upstream_error"), "server_error"),
        (Code::UpstreamInvalid, 502, "server_error", Some("upstream_malformed_output"), "server_error"),
        (Code::UpstreamUnreachable, 502, "server_error", Some("upstream_unreachable"), "network"),
        (Code::Interrupted, 502, "server_error", Some("interrupted"), "network"),
        (Code::Cancelled, 499, "invalid_request_error", Some("cancelled"), "network"),
        (Code::Unavailable, 503, "server_error", Some("unavailable"), "server_error"),
        (Code::Internal, 500, "server_error", Some("internal_error"), "server_error"),
    ];
    for (code, status, kind, word, family) in table {
        let reply = Ingress.encode_error(&GatewayError::new(code, "m").with_param("p"), "req-9");
        let body = json(&reply.body);
        assert_eq!(reply.status.as_u16(), status, "{code:?}");
        assert_eq!(body["error"]["type"], kind, "{code:?}");
        assert_eq!(body["error"]["code"].as_str(), word, "{code:?}");
        assert_eq!(body["error"]["error_type"], family, "{code:?}");
        assert_eq!(body["error"]["param"], "p");
        assert_eq!(body["error"]["request_id"], "req-9");
    }
}

#[test]
fn advice_and_the_providers_own_status_are_kept() {
    let delay = Retry::After(Duration::from_millis(1_200));
    let reply = Ingress.encode_error(&GatewayError::new(Code::RateLimited, "m").with_retry(delay), "r");
    assert_eq!(reply.headers["retry-after"], "2");
    let reply = Ingress.encode_error(&GatewayError::new(Code::QuotaExhausted, "m"), "r");
    assert_eq!(reply.headers["x-should-retry"], "false");
    let kept = |code, upstream| {
        let error = GatewayError::new(code, "m").with_upstream(upstream, Some("theirs".into()));
        let reply = Ingress.encode_error(&error, "r");
        (reply.status.as_u16(), json(&reply.body)["error"]["code"].clone())
    };
    assert_eq!(kept(Code::BadRequest, 422), (422, "theirs".into()));
    assert_eq!(kept(Code::UnknownModel, 404), (404, "model_not_found".into()));
    assert_eq!(kept(Code::UpstreamAuth, 401), (502, "upstream_auth".into()));
    assert_eq!(kept(Code::BadRequest, 429), (400, "theirs".into()));
    let body = Ingress.encode_fault(&GatewayError::new(Code::Internal, "m"), "r", Framing::Sse, false);
    assert!(body.starts_with(b"data: {\"error\"") && body.ends_with(b"\n\ndata: [DONE]\n\n"));
    assert_eq!(Ingress.heartbeat(Framing::Sse, false), b": keep-alive\n\n");
}

fn read(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> GatewayError {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(*name, HeaderValue::from_static(value));
    }
    let status = StatusCode::from_u16(status).unwrap();
    Egress.decode_fault(&UpstreamFault { status, headers: &map, body: body.as_bytes() })
}

#[test]
fn providers_errors_of_every_shape_are_classified() {
    let cases = [
        (
            400,
            r#"{"error":{"message":"bad","type":"invalid_request_error","param":"top_p","code":null}}"#,
            Code::BadRequest,
        ),
        (400, r#"{"error":{"message":"x","code":"context_length_exceeded"}}"#, Code::ContextTooLong),
        (400, r#"{"error":{"message":"This model's maximum context length is 8 tokens"}}"#, Code::ContextTooLong),
        (
            400,
            r#"{"error":{"code":"content_filter","message":"x","innererror":{"code":"ResponsibleAIPolicyViolation"}}}"#,
            Code::ContentPolicy,
        ),
        (401, r#"{"error":{"message":"Incorrect API key provided: sk-abcdefgh12345678"}}"#, Code::UpstreamAuth),
        (402, r#"{"error":{"message":"Insufficient Balance","code":"invalid_request_error"}}"#, Code::UpstreamAuth),
        (403, r#"{"error":"forbidden"}"#, Code::UpstreamAuth),
        (404, r#"{"error":{"message":"The model `x` does not exist","code":"model_not_found"}}"#, Code::UnknownModel),
        (404, r#"{"statusCode":404,"message":"Resource not found"}"#, Code::NotFound),
        (
            422,
            r#"{"detail":[{"loc":["body","messages",0],"msg":"field required","type":"missing"}]}"#,
            Code::BadRequest,
        ),
        (
            429,
            r#"{"error":{"message":"x","type":"insufficient_quota","code":"insufficient_quota"}}"#,
            Code::QuotaExhausted,
        ),
        (429, r#"{"error":{"message":"x","code":"rate_limit_exceeded"}}"#, Code::RateLimited),
        (429, r#"[{"error":{"code":429,"message":"x","status":"RESOURCE_EXHAUSTED"}}]"#, Code::RateLimited),
        (500, r#"{"error":{"message":"x","type":"server_error"}}"#, Code::UpstreamError),
        (502, "<html><body><h1>502 Bad Gateway</h1></body></html>", Code::UpstreamError),
        (503, "", Code::UpstreamOverloaded),
        (504, "upstream timed out", Code::UpstreamTimeout),
        (200, r#"{"error":{"message":"x","code":400}}"#, Code::BadRequest),
    ];
    for (status, body, code) in cases {
        let error = read(status, &[], body);
        assert_eq!(error.code, code, "{body}: {error:?}");
        assert!(!error.message.is_empty() && !error.message.contains('<'), "{error:?}");
    }
    assert_eq!(read(400, &[], r#"{"error":{"message":"m","param":"top_p"}}"#).param.as_deref(), Some("top_p"));
    assert_eq!(read(422, &[], r#"{"detail":[{"loc":["body","a"],"msg":"no"}]}"#).message, "body.a: no");
}

#[test]
fn retry_advice_is_honoured_and_secrets_go() {
    let limited = r#"{"error":{"message":"x","code":"rate_limit_exceeded"}}"#;
    assert_eq!(read(429, &[("retry-after", "3")], limited).retry, Retry::After(Duration::from_secs(3)));
    let both = [("retry-after", "3"), ("retry-after-ms", "250")];
    assert_eq!(read(429, &both, limited).retry, Retry::After(Duration::from_millis(250)));
    assert_eq!(read(429, &[("x-should-retry", "false")], limited).retry, Retry::OtherTarget);
    assert_eq!(read(400, &[("x-should-retry", "true")], "{}").retry, Retry::SameTarget);
    let google = r#"{"error":{"code":429,"message":"x","details":[{"@type":"RetryInfo","retryDelay":"46s"}]}}"#;
    assert_eq!(read(429, &[], google).retry, Retry::After(Duration::from_secs(46)));
    let leaked = read(
        400,
        &[],
        r#"{"error":{"message":"key sk-proj-abcdefgh1234 and Bearer abcdef.123456, ?key=AIzaSyA1234567"}}"#,
    );
    assert_eq!(leaked.message, "key sk-[redacted] and Bearer[redacted], ?key=[redacted]");
    let long = format!("{{\"error\":{{\"message\":\"{}\"}}}}", "\u{e9}".repeat(5_000));
    assert_eq!(read(400, &[], &long).message.chars().count(), 2_003);
    assert!(!format!("{}", read(401, &[], r#"{"error":{"message":"Incorrect API key"}}"#)).contains("Incorrect"));
}
