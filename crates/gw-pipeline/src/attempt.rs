//! One call to one provider: open it, and read answers that are not streams.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use gw_core::{Code, GatewayError, Retry};
use gw_spi::{Egress, UpstreamFault};
use http::{Request, StatusCode, response::Parts};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::time::{Instant, timeout, timeout_at};

use crate::credentials::Credentials;
use crate::transport::{Pieces, Transport};

/// Error bodies are read up to here.
const FAULT_BODY: usize = 256 * 1024;
/// An error body that takes longer is judged by its status alone.
const FAULT_WAIT: Duration = Duration::from_secs(10);

/// A provider that began to answer.
pub(crate) struct Opened {
    pub(crate) head: Parts,
    pub(crate) body: Incoming,
}

/// A provider that answered with an error, or not at all.
pub(crate) struct OpenFault {
    pub(crate) error: GatewayError,
    /// The answer itself, for clients of the same dialect.
    pub(crate) answer: Option<(StatusCode, Bytes)>,
}

impl From<GatewayError> for OpenFault {
    fn from(error: GatewayError) -> Self {
        Self { error, answer: None }
    }
}

/// Sends the request and waits for a successful head.
pub(crate) async fn open(
    transport: Transport,
    request: Request<Pieces>,
    first_byte: Duration,
    egress: std::sync::Arc<dyn Egress>,
) -> Result<Opened, OpenFault> {
    let credentials = Credentials::of(request.headers());
    let Ok(sent) = timeout(first_byte, transport.send(request)).await else {
        let error = GatewayError::new(Code::UpstreamTimeout, "the provider did not begin to answer in time");
        return Err(error.with_retry(Retry::OtherTarget).into());
    };
    let (head, body) = sent?.into_parts();
    if head.status.is_success() {
        return Ok(Opened { head, body });
    }
    let body = timeout(FAULT_WAIT, read_some(body, FAULT_BODY)).await.unwrap_or_default();
    let body = credentials.cut(body);
    let mut error = egress.decode_fault(&UpstreamFault { status: head.status, headers: &head.headers, body: &body });
    error.upstream_status = Some(head.status.as_u16());
    if head.status == StatusCode::NOT_FOUND && error.code == Code::UnknownModel {
        // The gateway has a route for the name; that the provider has no such model is its own answer.
        error.code = Code::NotFound;
    }
    Err(OpenFault { error, answer: Some((head.status, body)) })
}

/// Reads at most `limit` bytes and gives up quietly.
async fn read_some(mut body: Incoming, limit: usize) -> Bytes {
    let mut read = BytesMut::new();
    while let Some(Ok(frame)) = body.frame().await {
        if let Ok(data) = frame.into_data() {
            let room = limit.saturating_sub(read.len());
            read.extend_from_slice(data.get(..room.min(data.len())).unwrap_or_default());
            if room <= data.len() {
                break;
            }
        }
    }
    read.freeze()
}

/// Reads a whole answer within its limits.
pub(crate) async fn collect(
    mut body: Incoming,
    limit: usize,
    idle: Duration,
    until: Instant,
) -> Result<Bytes, GatewayError> {
    let mut single: Option<Bytes> = None;
    let mut joined = BytesMut::new();
    loop {
        let deadline = until.min(crate::clock::now() + idle);
        let Ok(frame) = timeout_at(deadline, body.frame()).await else {
            return Err(GatewayError::new(Code::UpstreamTimeout, "the provider stopped in the middle of its answer"));
        };
        let Some(frame) = frame else { break };
        let frame = frame.map_err(|fault| {
            GatewayError::new(Code::Interrupted, "the provider's connection broke in the middle of its answer")
                .with_cause(fault.to_string())
        })?;
        let Ok(data) = frame.into_data() else { continue };
        if joined.len() + single.as_ref().map_or(0, Bytes::len) + data.len() > limit {
            return Err(GatewayError::new(
                Code::UpstreamInvalid,
                format!("the provider's answer is larger than the configured {limit} bytes"),
            ));
        }
        if single.is_none() && joined.is_empty() {
            single = Some(data);
            continue;
        }
        if let Some(first) = single.take() {
            joined.extend_from_slice(&first);
        }
        joined.extend_from_slice(&data);
    }
    Ok(single.unwrap_or_else(|| joined.freeze()))
}
