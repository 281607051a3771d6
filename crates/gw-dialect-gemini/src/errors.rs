//! The gateway's errors in Google's shape.

use bytes::Bytes;
use gw_core::{Code, GatewayError, Retry};
use gw_spi::{ErrorReply, Framing};
use gw_wire::JsonWriter;
use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

/// Status and Google's word for it.
fn table(code: Code) -> (u16, &'static str) {
    match code {
        Code::BadRequest | Code::UnknownModel | Code::ContentPolicy | Code::ContextTooLong | Code::Unsupported => {
            (400, "INVALID_ARGUMENT")
        }
        Code::PayloadTooLarge => (413, "INVALID_ARGUMENT"),
        Code::Unauthenticated => (401, "UNAUTHENTICATED"),
        Code::Forbidden => (403, "PERMISSION_DENIED"),
        Code::NotFound => (404, "NOT_FOUND"),
        Code::MethodNotAllowed => (405, "UNIMPLEMENTED"),
        Code::Conflict => (409, "ABORTED"),
        Code::RateLimited | Code::QuotaExhausted => (429, "RESOURCE_EXHAUSTED"),
        Code::UpstreamAuth | Code::UpstreamOverloaded | Code::Unavailable => (503, "UNAVAILABLE"),
        Code::UpstreamTimeout => (504, "DEADLINE_EXCEEDED"),
        Code::Cancelled => (499, "CANCELLED"),
        Code::UpstreamError
        | Code::UpstreamInvalid
        | Code::UpstreamUnreachable
        | Code::Interrupted
        | Code::Internal => (500, "INTERNAL"),
    }
}

/// Status for the client: the provider's own where it says the same thing.
fn status(error: &GatewayError) -> (u16, &'static str) {
    let (own, word) = table(error.code);
    let agrees = matches!(
        (error.code, error.upstream_status),
        (Code::BadRequest | Code::ContentPolicy | Code::Unsupported, Some(400 | 422))
            | (Code::ContextTooLong, Some(400 | 413 | 422))
            | (Code::NotFound, Some(404))
            | (Code::Conflict, Some(409))
            | (Code::PayloadTooLarge, Some(413))
            | (Code::RateLimited | Code::QuotaExhausted, Some(429))
    );
    (error.upstream_status.filter(|_| agrees).unwrap_or(own), word)
}

/// The `{"error": ...}` object.
pub(crate) fn write(writer: &mut JsonWriter, error: &GatewayError, request_id: &str) {
    let (status, word) = status(error);
    writer.object(|writer| {
        writer.field_object("error", |writer| {
            writer.field_u64("code", u64::from(status));
            writer.field_str("message", &error.message);
            writer.field_str("status", word);
            writer.field_array("details", |writer| {
                writer.object(|writer| {
                    writer.field_str("@type", "type.googleapis.com/google.rpc.ErrorInfo");
                    writer.field_str("reason", &error.code.as_str().to_ascii_uppercase());
                    writer.field_str("domain", "irongate");
                    writer.field_object("metadata", |writer| {
                        writer.field_str("error_type", error.code.family());
                        writer.field_str("request_id", request_id);
                        if let Some(param) = &error.param {
                            writer.field_str("param", param);
                        }
                    });
                });
                if let Retry::After(delay) = error.retry {
                    writer.object(|writer| {
                        writer.field_str("@type", "type.googleapis.com/google.rpc.RetryInfo");
                        writer.field_str("retryDelay", &format!("{}s", delay.as_secs_f64()));
                    });
                }
            });
        });
    });
}

/// An error before the first byte.
pub(crate) fn reply(error: &GatewayError, request_id: &str) -> ErrorReply {
    let mut writer = JsonWriter::new();
    write(&mut writer, error, request_id);
    let mut headers = HeaderMap::new();
    if let Retry::After(delay) = error.retry {
        let seconds = delay.as_secs() + u64::from(delay.subsec_nanos() > 0);
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if error.code == Code::QuotaExhausted {
        headers.insert(HeaderName::from_static("x-should-retry"), HeaderValue::from_static("false"));
    }
    let status = StatusCode::from_u16(status(error).0).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    ErrorReply { status, headers, body: writer.into_bytes() }
}

/// An error inside a stream, and the end of its framing.
pub(crate) fn in_stream(error: &GatewayError, request_id: &str, framing: Framing, first: bool, out: &mut Vec<u8>) {
    let mut writer = JsonWriter::new();
    write(&mut writer, error, request_id);
    let body = writer.finish();
    match framing {
        Framing::Sse => {
            out.extend_from_slice(b"data: ");
            out.extend_from_slice(&body);
            out.extend_from_slice(b"\n\n");
        }
        Framing::JsonArray => {
            out.extend_from_slice(if first { b"[" } else { b",\n" });
            out.extend_from_slice(&body);
            out.extend_from_slice(b"]");
        }
        Framing::Json => out.extend_from_slice(&body),
    }
}

/// As [`in_stream`], as bytes of their own.
pub(crate) fn fault(error: &GatewayError, request_id: &str, framing: Framing, first: bool) -> Bytes {
    let mut out = Vec::new();
    in_stream(error, request_id, framing, first, &mut out);
    Bytes::from(out)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use gw_core::{Code, GatewayError, Retry};

    use super::{fault, reply};
    use gw_spi::Framing;

    #[test]
    fn the_body_is_googles_with_our_additions() {
        let error =
            GatewayError::bad_field("contents[0].role", "wrong").with_retry(Retry::After(Duration::from_millis(1_500)));
        let reply = reply(&error, "req-1");
        assert_eq!((reply.status.as_u16(), reply.headers["retry-after"].as_bytes()), (400, &b"2"[..]));
        assert_eq!(
            String::from_utf8_lossy(&reply.body),
            r#"{"error":{"code":400,"message":"wrong","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"BAD_REQUEST","domain":"irongate","metadata":{"error_type":"invalid_request","request_id":"req-1","param":"contents[0].role"}},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"1.5s"}]}}"#
        );
    }

    #[test]
    fn row_53_statuses() {
        let of = |code: Code, upstream: Option<u16>| {
            let mut error = GatewayError::new(code, "x");
            error.upstream_status = upstream;
            reply(&error, "r").status.as_u16()
        };
        assert_eq!(of(Code::UnknownModel, None), 400);
        assert_eq!(of(Code::Unauthenticated, None), 401);
        assert_eq!(of(Code::UpstreamAuth, Some(401)), 503);
        assert_eq!(of(Code::BadRequest, Some(422)), 422);
        assert_eq!(of(Code::BadRequest, Some(404)), 400);
        assert_eq!(of(Code::UpstreamError, Some(502)), 500);
        assert_eq!(of(Code::UpstreamTimeout, None), 504);
        assert_eq!(of(Code::Cancelled, None), 499);
        assert_eq!(of(Code::PayloadTooLarge, None), 413);
        let quota = reply(&GatewayError::new(Code::QuotaExhausted, "x"), "r");
        assert_eq!((quota.status.as_u16(), quota.headers["x-should-retry"].as_bytes()), (429, &b"false"[..]));
    }

    #[test]
    fn faults_close_their_framing() {
        let error = GatewayError::new(Code::Interrupted, "cut");
        let text = |framing, first| String::from_utf8(fault(&error, "r", framing, first).to_vec()).unwrap();
        assert!(
            text(Framing::Sse, false).starts_with("data: {\"error\"") && text(Framing::Sse, true).ends_with("\n\n")
        );
        assert!(
            text(Framing::JsonArray, true).starts_with("[{\"error\"") && text(Framing::JsonArray, true).ends_with("]")
        );
        assert!(text(Framing::JsonArray, false).starts_with(",\n{\"error\""));
    }
}
