#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use std::time::Duration;

use gw_core::{Code, GatewayError, Retry};
use gw_spi::UpstreamFault;
use http::{HeaderMap, HeaderValue, StatusCode};

fn decoded(status: u16, body: &str, headers: &[(&'static str, &str)]) -> GatewayError {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(*name, HeaderValue::from_str(value).unwrap());
    }
    let status = StatusCode::from_u16(status).unwrap();
    super::decode(&UpstreamFault { status, headers: &map, body: body.as_bytes() })
}

#[test]
fn google_errors_by_code_status_and_words() {
    let of = |status: u16, inner: &str| decoded(status, &format!("{{\"error\":{{{inner}}}}}"), &[]).code;
    assert_eq!(of(400, r#""code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT""#), Code::UpstreamAuth);
    assert_eq!(of(400, r#""message":"x","details":[{"reason":"API_KEY_INVALID"}]"#), Code::UpstreamAuth);
    assert_eq!(of(403, r#""message":"x","status":"PERMISSION_DENIED""#), Code::UpstreamAuth);
    assert_eq!(of(402, r#""message":"pay""#), Code::UpstreamAuth);
    assert_eq!(of(404, r#""message":"models/x is not found","status":"NOT_FOUND""#), Code::NotFound);
    assert_eq!(
        of(400, r#""message":"The input token count (5) exceeds the maximum number of tokens allowed (4).""#),
        Code::ContextTooLong
    );
    assert_eq!(of(400, r#""message":"Invalid value","status":"INVALID_ARGUMENT""#), Code::BadRequest);
    assert_eq!(of(503, r#""message":"overloaded","status":"UNAVAILABLE""#), Code::UpstreamOverloaded);
    assert_eq!(of(504, r#""message":"late""#), Code::UpstreamTimeout);
    assert_eq!(of(500, r#""message":"oops","status":"INTERNAL""#), Code::UpstreamError);
}

#[test]
fn bug_48_daily_quotas_are_not_retried_and_delays_are_honoured() {
    let body = |quota: &str| {
        format!(
            r#"[{{"error":{{"code":429,"message":"quota","status":"RESOURCE_EXHAUSTED","details":[
                {{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{{"quotaId":"{quota}"}}]}},
                {{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"46.5s"}}]}}}}]"#
        )
    };
    let minute = decoded(429, &body("GenerateRequestsPerMinutePerProject"), &[]);
    assert_eq!((minute.code, minute.retry), (Code::RateLimited, Retry::After(Duration::from_millis(46_500))));
    let day = decoded(429, &body("GenerateRequestsPerDayPerProject"), &[]);
    assert_eq!((day.code, day.retry), (Code::QuotaExhausted, Retry::OtherTarget));
    let header = decoded(429, &body("PerMinute"), &[("retry-after-ms", "250")]);
    assert_eq!(header.retry, Retry::After(Duration::from_millis(250)));
    let never = decoded(500, "{}", &[("x-should-retry", "false")]);
    assert_eq!(never.retry, Retry::Never);
}

#[test]
fn any_shape_is_read() {
    assert_eq!(decoded(502, "<html><body><h1>Bad</h1>Gateway</body></html>", &[]).message, "Bad Gateway");
    assert_eq!(decoded(500, "plain words", &[]).message, "plain words");
    assert_eq!(decoded(500, r#"{"error":"text"}"#, &[]).message, "text");
    assert!(decoded(500, "", &[]).message.contains("500"));
    assert!(decoded(500, "[]", &[]).message.contains("500"));
    assert_eq!(decoded(500, &"x".repeat(9_000), &[]).message.chars().count(), 2_000);
}

#[test]
fn bug_47_secrets_are_scrubbed() {
    let text = "bad https://h/v1?key=AIzaSyD-1234567890abcdef&x=1 with sk-abcdefghijklmnop, Bearer abcdefgh12345 in projects/123456789.";
    let message = decoded(400, &format!(r#"{{"error":{{"message":"{text}"}}}}"#), &[]).message;
    for secret in ["AIzaSy", "sk-abc", "abcdefgh12345", "123456789"] {
        assert!(!message.contains(secret), "{message}");
    }
    assert!(message.contains("bad https://h/v1?key=[redacted]&x=1 with [redacted], Bearer [redacted] in"), "{message}");
}
