//! Errors as clients of this format read them.

use bytes::Bytes;
use gw_core::{Blame, Code, GatewayError, Retry};
use gw_spi::{ErrorReply, Framing};
use gw_wire::JsonWriter;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

/// Status, type and code by kind of failure.
fn shape(code: Code) -> (u16, &'static str, Option<&'static str>) {
    const REQUEST: &str = "invalid_request_error";
    const SERVER: &str = "server_error";
    match code {
        Code::BadRequest => (400, REQUEST, None),
        Code::PayloadTooLarge => (413, REQUEST, Some("request_too_large")),
        Code::Unauthenticated => (401, REQUEST, Some("invalid_api_key")),
        Code::Forbidden => (403, REQUEST, Some("permission_denied")),
        Code::NotFound => (404, REQUEST, Some("not_found")),
        Code::MethodNotAllowed => (405, REQUEST, Some("method_not_allowed")),
        Code::UnknownModel => (400, REQUEST, Some("model_not_found")),
        Code::Conflict => (409, REQUEST, Some("conflict")),
        Code::RateLimited => (429, "rate_limit_error", Some("rate_limit_exceeded")),
        Code::QuotaExhausted => (429, "insufficient_quota", Some("insufficient_quota")),
        Code::ContentPolicy => (400, REQUEST, Some("content_filter")),
        Code::ContextTooLong => (400, REQUEST, Some("context_length_exceeded")),
        Code::Unsupported => (400, REQUEST, Some("unsupported_feature")),
        Code::UpstreamAuth => (502, SERVER, Some("upstream_auth")),
        Code::UpstreamTimeout => (504, SERVER, Some("upstream_timeout")),
        Code::UpstreamOverloaded => (503, SERVER, Some("overloaded")),
        Code::UpstreamError => (502, SERVER, Some("upstream_error")),
        Code::UpstreamInvalid => (502, SERVER, Some("upstream_malformed_output")),
        Code::UpstreamUnreachable => (502, SERVER, Some("upstream_unreachable")),
        Code::Interrupted => (502, SERVER, Some("interrupted")),
        Code::Cancelled => (499, REQUEST, Some("cancelled")),
        Code::Unavailable => (503, SERVER, Some("unavailable")),
        Code::Internal => (500, SERVER, Some("internal_error")),
    }
}

/// The status that the client sees: the provider's own where it says the same.
fn status(error: &GatewayError) -> StatusCode {
    let (own, _, _) = shape(error.code);
    let clients = error.code.blame() == Blame::Client && !matches!(own, 401 | 403 | 405 | 499);
    let kept = error
        .upstream_status
        .filter(|status| clients && matches!(status, 400 | 404 | 409 | 413 | 422 | 429))
        // A limit and a malformed request must stay apart: clients wait on one and give up on the other.
        .filter(|status| (*status == 429) == (own == 429));
    StatusCode::from_u16(kept.unwrap_or(own)).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// `{"error": {...}}`.
fn body(error: &GatewayError, request_id: &str) -> Vec<u8> {
    let (_, kind, own_code) = shape(error.code);
    let provider_code =
        error.upstream_code.as_deref().filter(|_| error.code.blame() == Blame::Client && own_code.is_none());
    let mut writer = JsonWriter::new();
    writer.object(|root| {
        root.field_object("error", |object| {
            object.field_str("message", &error.message);
            object.field_str("type", kind);
            match &error.param {
                Some(param) => object.field_str("param", param),
                None => object.field_null("param"),
            }
            match own_code.or(provider_code) {
                Some(code) => object.field_str("code", code),
                None => object.field_null("code"),
            }
            object.field_str("error_type", error.code.family());
            object.field_str("request_id", request_id);
        });
    });
    writer.finish()
}

/// Renders an error before the first byte; see [`gw_spi::Ingress::encode_error`].
pub(crate) fn reply(error: &GatewayError, request_id: &str) -> ErrorReply {
    let mut headers = HeaderMap::new();
    let mut set = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    if error.code == Code::QuotaExhausted {
        set("x-should-retry", "false");
    } else if let Retry::After(delay) = error.retry {
        let seconds = delay.as_secs().saturating_add(u64::from(delay.subsec_nanos() > 0)).max(1);
        set("retry-after", &seconds.to_string());
    }
    ErrorReply { status: status(error), headers, body: Bytes::from(body(error, request_id)) }
}

/// Renders an error inside a stream with its terminator; see [`gw_spi::Ingress::encode_fault`].
pub(crate) fn fault(error: &GatewayError, request_id: &str, framing: Framing) -> Bytes {
    let json = body(error, request_id);
    if framing != Framing::Sse {
        return Bytes::from(json);
    }
    let mut out = Vec::with_capacity(json.len() + 32);
    write_fault_frames(&json, &mut out);
    Bytes::from(out)
}

/// Appends an error event and the terminator.
pub(crate) fn write_fault(error: &GatewayError, request_id: &str, out: &mut Vec<u8>) {
    write_fault_frames(&body(error, request_id), out);
}

fn write_fault_frames(json: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b"data: ");
    out.extend_from_slice(json);
    out.extend_from_slice(b"\n\ndata: [DONE]\n\n");
}
