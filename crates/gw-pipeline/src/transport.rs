//! The one shared, pooled HTTP client towards providers.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use gw_core::{Code, GatewayError, Retry};
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

/// A request body as slices of what the client sent, with edits between them: never copied, can be sent again.
#[derive(Debug, Clone, Default)]
pub struct Pieces {
    pieces: VecDeque<Bytes>,
    remaining: u64,
}

impl Pieces {
    /// A body of several pieces.
    #[must_use]
    pub fn new(pieces: Vec<Bytes>) -> Self {
        let remaining = pieces.iter().map(|piece| piece.len() as u64).sum();
        Self { pieces: pieces.into(), remaining }
    }

    /// Length in bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.remaining
    }

    /// Whether there is nothing to send.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.remaining == 0
    }
}

impl From<Bytes> for Pieces {
    fn from(bytes: Bytes) -> Self {
        Self::new(vec![bytes])
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = self.pieces.pop_front();
        if let Some(piece) = &next {
            self.remaining = self.remaining.saturating_sub(piece.len() as u64);
        }
        Poll::Ready(next.map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.remaining)
    }
}

/// Settings of the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransportSettings {
    /// Idle connections kept per provider host.
    pub pool_max_idle_per_host: usize,
    /// How long an idle connection is kept; shorter than what providers keep, so that a reused one is alive.
    pub pool_idle_timeout: Duration,
    /// Deadline for connecting.
    pub connect_timeout: Duration,
    /// Whether HTTP/2 is offered to https providers.
    pub http2: bool,
}

impl Default for TransportSettings {
    fn default() -> Self {
        Self {
            pool_max_idle_per_host: 512,
            pool_idle_timeout: Duration::from_secs(50),
            connect_timeout: Duration::from_secs(10),
            http2: true,
        }
    }
}

/// Sends requests.
#[derive(Clone)]
pub struct Transport {
    client: Client<HttpsConnector<HttpConnector>, Pieces>,
}

impl Transport {
    /// A client with its own pool. TLS certificates are always verified, against the built-in roots.
    #[must_use]
    pub fn new(settings: TransportSettings) -> Self {
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_connect_timeout(Some(settings.connect_timeout));
        let builder = HttpsConnectorBuilder::new().with_webpki_roots().https_or_http();
        let connector = if settings.http2 {
            builder.enable_all_versions().wrap_connector(http)
        } else {
            builder.enable_http1().wrap_connector(http)
        };
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .pool_idle_timeout(settings.pool_idle_timeout)
            .pool_max_idle_per_host(settings.pool_max_idle_per_host)
            .http2_adaptive_window(true)
            .http2_keep_alive_interval(Duration::from_secs(30))
            .build(connector);
        Self { client }
    }

    /// Sends a request and waits for the response head. A request that died on a reused connection before any byte of
    /// an answer came is sent once more.
    ///
    /// # Errors
    /// `upstream_unreachable` or `upstream_timeout`.
    pub async fn send(&self, request: Request<Pieces>) -> Result<Response<Incoming>, GatewayError> {
        let spare = clone_request(&request);
        let first = match self.client.request(request).await {
            Ok(response) => return Ok(response),
            Err(fault) => fault,
        };
        if !died_silently(&first) {
            return Err(describe(&first));
        }
        self.client.request(spare).await.map_err(|fault| describe(&fault))
    }
}

fn clone_request(request: &Request<Pieces>) -> Request<Pieces> {
    let mut copy = Request::new(request.body().clone());
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    copy
}

/// Whether the connection closed without a byte of an answer: what happens when the provider closes an idle connection
/// just as it is used again.
fn died_silently(fault: &hyper_util::client::legacy::Error) -> bool {
    use std::error::Error as _;
    let mut cause = fault.source();
    while let Some(inner) = cause {
        if let Some(hyper) = inner.downcast_ref::<hyper::Error>() {
            return hyper.is_incomplete_message() || hyper.is_canceled() || hyper.is_closed();
        }
        cause = inner.source();
    }
    false
}

fn describe(fault: &hyper_util::client::legacy::Error) -> GatewayError {
    use std::error::Error as _;
    let mut chain = fault.to_string();
    let mut timed_out = false;
    let mut cause = fault.source();
    while let Some(inner) = cause {
        if let Some(io) = inner.downcast_ref::<std::io::Error>() {
            timed_out |= io.kind() == std::io::ErrorKind::TimedOut;
        }
        chain.push_str(": ");
        chain.push_str(&inner.to_string());
        cause = inner.source();
    }
    let error = if timed_out {
        GatewayError::new(Code::UpstreamTimeout, "the provider did not accept a connection in time")
    } else if fault.is_connect() {
        GatewayError::new(Code::UpstreamUnreachable, "the provider could not be reached")
    } else {
        GatewayError::new(Code::UpstreamUnreachable, "the connection to the provider broke before it answered")
    };
    error.with_retry(Retry::OtherTarget).with_cause(chain)
}
