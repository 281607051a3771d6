//! Reading a request's body within its limits.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use gw_core::{Code, GatewayError};
use http::{HeaderMap, header};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::time::{Instant, timeout_at};

/// Reads the whole body.
///
/// # Errors
/// `payload_too_large`, or `bad_request` for a body that is too slow, breaks off or is compressed.
pub(crate) async fn read(
    headers: &HeaderMap,
    mut body: Incoming,
    limit: usize,
    within: Duration,
) -> Result<Bytes, GatewayError> {
    if let Some(encoding) = headers.get(header::CONTENT_ENCODING)
        && encoding != "identity"
    {
        let message = "compressed request bodies are not taken; send the body without content-encoding";
        return Err(GatewayError::bad_field("content-encoding", message));
    }
    let announced = body.size_hint().lower();
    if announced > limit as u64 {
        return Err(too_large(limit));
    }
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    let deadline = Instant::now() + within;
    let mut single: Option<Bytes> = None;
    let mut joined = BytesMut::new();
    loop {
        let Ok(frame) = timeout_at(deadline, body.frame()).await else {
            let message = format!("the request body did not arrive within {} seconds", within.as_secs_f32());
            return Err(GatewayError::new(Code::BadRequest, message));
        };
        let Some(frame) = frame else { break };
        let frame = frame.map_err(|fault| {
            GatewayError::new(Code::BadRequest, "the request body broke off").with_cause(fault.to_string())
        })?;
        let Ok(data) = frame.into_data() else { continue };
        let so_far = joined.len() + single.as_ref().map_or(0, Bytes::len);
        if so_far + data.len() > limit {
            return Err(too_large(limit));
        }
        if so_far == 0 {
            single = Some(data);
            continue;
        }
        if let Some(first) = single.take() {
            joined.reserve(usize::try_from(announced).unwrap_or(0).max(first.len() + data.len()));
            joined.extend_from_slice(&first);
        }
        joined.extend_from_slice(&data);
    }
    Ok(single.unwrap_or_else(|| joined.freeze()))
}

fn too_large(limit: usize) -> GatewayError {
    let message = format!("the request body is larger than the allowed {limit} bytes");
    GatewayError::new(Code::PayloadTooLarge, message)
}
