//! Errors as this format's clients expect them.

use std::time::Duration;

use bytes::Bytes;
use gw_core::{Code, GatewayError, Retry};
use gw_spi::{ErrorReply, Framing};
use gw_wire::JsonWriter;
use http::{HeaderMap, HeaderValue, StatusCode};

/// Clients recognise an overlong prompt by these words.
const TOO_LONG: &str = "prompt is too long";

/// An error before the first byte.
pub(crate) fn reply(error: &GatewayError, request_id: &str) -> ErrorReply {
    let mut headers = HeaderMap::new();
    if let Retry::After(delay) = error.retry {
        headers.insert("retry-after", HeaderValue::from(whole_seconds(delay)));
    }
    if error.code == Code::QuotaExhausted {
        headers.insert("x-should-retry", HeaderValue::from_static("false"));
    }
    ErrorReply { status: status(error), headers, body: Bytes::from(body(error, request_id)) }
}

/// An error inside a stream. Nothing may follow it.
pub(crate) fn fault(error: &GatewayError, request_id: &str, framing: Framing) -> Bytes {
    let json = body(error, request_id);
    match framing {
        Framing::Sse => {
            let mut out = Vec::with_capacity(json.len() + 24);
            write_frame(&json, &mut out);
            Bytes::from(out)
        }
        Framing::Json | Framing::JsonArray => Bytes::from(json),
    }
}

/// Appends the error event.
pub(crate) fn write_fault(error: &GatewayError, request_id: &str, out: &mut Vec<u8>) {
    write_frame(&body(error, request_id), out);
}

fn write_frame(json: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b"event: error\ndata: ");
    out.extend_from_slice(json);
    out.extend_from_slice(b"\n\n");
}

fn body(error: &GatewayError, request_id: &str) -> Vec<u8> {
    let mut writer = JsonWriter::new();
    writer.object(|w| {
        w.field_str("type", "error");
        w.field_object("error", |w| {
            w.field_str("type", kind(error.code));
            if error.code == Code::ContextTooLong && !error.message.contains(TOO_LONG) {
                w.field_str("message", &format!("{TOO_LONG}: {}", error.message));
            } else {
                w.field_str("message", &error.message);
            }
            w.field_str("error_type", error.code.family());
            if let Some(param) = &error.param {
                w.field_str("param", param);
            }
        });
        w.field_str("request_id", request_id);
    });
    writer.finish()
}

fn status(error: &GatewayError) -> StatusCode {
    let usual = match error.code {
        Code::BadRequest | Code::UnknownModel | Code::ContentPolicy | Code::ContextTooLong | Code::Unsupported => 400,
        Code::Unauthenticated => 401,
        Code::QuotaExhausted => 402,
        Code::Forbidden => 403,
        Code::NotFound => 404,
        Code::MethodNotAllowed => 405,
        Code::Conflict => 409,
        Code::PayloadTooLarge => 413,
        Code::RateLimited => 429,
        Code::Cancelled => 499,
        Code::UpstreamAuth | Code::Internal => 500,
        Code::UpstreamError | Code::UpstreamInvalid | Code::UpstreamUnreachable | Code::Interrupted => 502,
        Code::Unavailable => 503,
        Code::UpstreamTimeout => 504,
        Code::UpstreamOverloaded => 529,
    };
    // A provider's own client-class status is kept where it means the same.
    let kept = error.upstream_status.filter(|status| match error.code {
        Code::BadRequest | Code::Unsupported | Code::ContentPolicy | Code::ContextTooLong => {
            matches!(status, 400 | 413 | 422)
        }
        Code::QuotaExhausted => *status == 429,
        _ => false,
    });
    StatusCode::from_u16(kept.unwrap_or(usual)).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn kind(code: Code) -> &'static str {
    match code {
        Code::BadRequest
        | Code::MethodNotAllowed
        | Code::UnknownModel
        | Code::ContentPolicy
        | Code::ContextTooLong
        | Code::Unsupported
        | Code::Cancelled => "invalid_request_error",
        Code::PayloadTooLarge => "request_too_large",
        Code::Unauthenticated => "authentication_error",
        Code::Forbidden => "permission_error",
        Code::NotFound => "not_found_error",
        Code::Conflict => "conflict_error",
        Code::RateLimited => "rate_limit_error",
        Code::QuotaExhausted => "billing_error",
        Code::UpstreamTimeout => "timeout_error",
        Code::UpstreamOverloaded | Code::Unavailable => "overloaded_error",
        Code::UpstreamAuth
        | Code::UpstreamError
        | Code::UpstreamInvalid
        | Code::UpstreamUnreachable
        | Code::Interrupted
        | Code::Internal => "api_error",
    }
}

fn whole_seconds(delay: Duration) -> u64 {
    delay.as_secs().saturating_add(u64::from(delay.subsec_nanos() > 0))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]
mod tests {
    use super::{fault, reply};
    use gw_core::{Code, GatewayError, Retry};
    use gw_spi::Framing;
    use std::time::Duration;

    #[test]
    fn every_code_has_its_status_and_type() {
        let table = [
            (Code::BadRequest, 400, "invalid_request_error", "invalid_request"),
            (Code::PayloadTooLarge, 413, "request_too_large", "invalid_request"),
            (Code::Unauthenticated, 401, "authentication_error", "auth"),
            (Code::Forbidden, 403, "permission_error", "auth"),
            (Code::NotFound, 404, "not_found_error", "invalid_request"),
            (Code::MethodNotAllowed, 405, "invalid_request_error", "invalid_request"),
            (Code::UnknownModel, 400, "invalid_request_error", "unknown_model"),
            (Code::Conflict, 409, "conflict_error", "invalid_request"),
            (Code::RateLimited, 429, "rate_limit_error", "rate_limit"),
            (Code::QuotaExhausted, 402, "billing_error", "rate_limit"),
            (Code::ContentPolicy, 400, "invalid_request_error", "invalid_request"),
            (Code::ContextTooLong, 400, "invalid_request_error", "invalid_request"),
            (Code::Unsupported, 400, "invalid_request_error", "invalid_request"),
            (Code::UpstreamAuth, 500, "api_error", "server_error"),
            (Code::UpstreamTimeout, 504, "timeout_error", "timeout"),
            (Code::UpstreamOverloaded, 529, "overloaded_error", "server_error"),
            (Code::UpstreamError, 502, "api_error", "server_error"),
            (Code::UpstreamInvalid, 502, "api_error", "server_error"),
            (Code::UpstreamUnreachable, 502, "api_error", "network"),
            (Code::Interrupted, 502, "api_error", "network"),
            (Code::Cancelled, 499, "invalid_request_error", "network"),
            (Code::Unavailable, 503, "overloaded_error", "server_error"),
            (Code::Internal, 500, "api_error", "server_error"),
        ];
        for (code, status, kind, family) in table {
            let shown = reply(&GatewayError::new(code, "m").with_param("a.b"), "req_1");
            let json: serde_json::Value = serde_json::from_slice(&shown.body).unwrap();
            assert_eq!(shown.status.as_u16(), status, "{code:?}");
            assert_eq!(json["type"], "error");
            assert_eq!(json["error"]["type"], kind, "{code:?}");
            assert_eq!(json["error"]["error_type"], family, "{code:?}");
            assert_eq!((&json["error"]["param"], &json["request_id"]), (&"a.b".into(), &"req_1".into()));
        }
    }

    #[test]
    fn retry_advice_is_in_headers() {
        let limited =
            GatewayError::new(Code::RateLimited, "slow").with_retry(Retry::After(Duration::from_millis(1_200)));
        assert_eq!(reply(&limited, "r").headers["retry-after"], "2");
        assert_eq!(reply(&GatewayError::new(Code::QuotaExhausted, "no"), "r").headers["x-should-retry"], "false");
    }

    #[test]
    fn upstream_status_is_kept_only_where_it_agrees() {
        let with = |code, status| reply(&GatewayError::new(code, "m").with_upstream(status, None), "r").status.as_u16();
        assert_eq!(with(Code::BadRequest, 422), 422);
        assert_eq!(with(Code::BadRequest, 401), 400);
        assert_eq!(with(Code::QuotaExhausted, 429), 429);
        assert_eq!(with(Code::UpstreamError, 500), 502);
    }

    #[test]
    fn an_overlong_prompt_is_called_so_once() {
        let text = |message: &'static str| {
            String::from_utf8(reply(&GatewayError::new(Code::ContextTooLong, message), "r").body.to_vec()).unwrap()
        };
        assert!(text("limit is 10").contains("prompt is too long: limit is 10"));
        assert_eq!(text("prompt is too long: 12 > 10").matches("too long").count(), 1);
    }

    #[test]
    fn a_stream_fault_is_one_error_event() {
        let bytes = fault(&GatewayError::new(Code::Interrupted, "cut\nhere"), "r", Framing::Sse);
        let text = std::str::from_utf8(&bytes).unwrap();
        assert!(text.starts_with("event: error\ndata: {\"type\":\"error\"") && text.ends_with("}\n\n"), "{text}");
        assert_eq!(text.matches('\n').count(), 3);
    }
}
