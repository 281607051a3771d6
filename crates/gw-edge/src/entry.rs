//! The way in: request id, built-in endpoints, dialect, key, body, and the pipeline; panics become a 500.

use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use futures_util::FutureExt as _;
use gw_core::{Code, GatewayError, Operation};
use gw_identity::Principal;
use gw_pipeline::{Arrival, BodyFault, Gateway, GatewayBody, Rejected};
use gw_spi::{Framing, Ingress, Route};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::Instant;

use crate::builtin::{self, AdminCall, Hooks};
use crate::cors::CorsPolicy;
use crate::{body, key, request_id};

/// Body of every answer of the edge: the pipeline's, or the control plane's.
pub enum ReplyBody {
    /// Data plane.
    Gateway(GatewayBody),
    /// Control plane.
    Other(Pin<Box<dyn Body<Data = Bytes, Error = BodyFault> + Send>>),
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = BodyFault;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyFault>>> {
        match self.get_mut() {
            Self::Gateway(body) => Pin::new(body).poll_frame(context),
            Self::Other(body) => body.as_mut().poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Gateway(body) => body.is_end_stream(),
            Self::Other(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Gateway(body) => body.size_hint(),
            Self::Other(body) => body.size_hint(),
        }
    }
}

/// What can change while the edge runs.
#[derive(Debug, Clone)]
pub struct EdgeSettings {
    /// Browser policy.
    pub cors: Option<CorsPolicy>,
    /// A request's body must arrive within this time.
    pub body_timeout: Duration,
    /// Calls in flight; further ones are refused. `None` means no bound.
    pub max_in_flight: Option<u64>,
}

impl Default for EdgeSettings {
    fn default() -> Self {
        Self { cors: None, body_timeout: Duration::from_secs(60), max_in_flight: None }
    }
}

/// Shared by all connections.
pub struct Edge {
    gateway: Arc<Gateway>,
    hooks: Hooks,
    settings: ArcSwap<EdgeSettings>,
    in_flight: Arc<()>,
    /// Set for good when the drain begins.
    closed: AtomicBool,
}

/// The head of a request, as far as routing needs it.
struct Head<'h> {
    method: &'h Method,
    path: &'h str,
    query: Option<&'h str>,
    headers: &'h HeaderMap,
}

/// Who answers a path.
struct Found<'e> {
    ingress: &'e Arc<dyn Ingress>,
    /// Path with the dialect prefix removed.
    path: String,
    route: Option<Route>,
}

impl Edge {
    /// An edge in front of a gateway. At least one ingress must be in service.
    #[must_use]
    pub fn new(gateway: Arc<Gateway>, hooks: Hooks, settings: EdgeSettings) -> Self {
        Self {
            gateway,
            hooks,
            settings: ArcSwap::from_pointee(settings),
            in_flight: Arc::new(()),
            closed: AtomicBool::new(false),
        }
    }

    /// Swaps what can change.
    pub fn replace_settings(&self, settings: EdgeSettings) {
        self.settings.store(Arc::new(settings));
    }

    /// From now on calls are answered with 503; health still tells how things are.
    pub(crate) fn refuse_calls(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    pub(crate) fn hooks(&self) -> &Hooks {
        &self.hooks
    }

    /// Answers a request.
    pub(crate) async fn answer(&self, request: Request<Incoming>, peer: SocketAddr) -> Response<ReplyBody> {
        let started = Instant::now();
        let id = request_id::of(request.headers());
        let cors = self.settings.load().cors.clone();
        let origin = cors.as_ref().and_then(|_| request.headers().get(header::ORIGIN).cloned());
        let preflight = request.method() == Method::OPTIONS;
        let cors_request = cors.as_ref().map(|_| request.headers().clone());
        let mut response = if preflight && origin.is_some() {
            let mut response = Response::new(ReplyBody::Gateway(GatewayBody::empty()));
            *response.status_mut() = StatusCode::NO_CONTENT;
            response
        } else {
            match AssertUnwindSafe(self.route(request, &id, peer, started)).catch_unwind().await {
                Ok(response) => response,
                Err(_) => self.panicked(&id),
            }
        };
        if let (Some(policy), Some(headers)) = (&cors, &cors_request) {
            policy.apply(headers, preflight, response.headers_mut());
        }
        if let Ok(value) = HeaderValue::from_str(&id) {
            response.headers_mut().insert(HeaderName::from_static("x-request-id"), value);
        }
        response
    }

    async fn route(
        &self,
        request: Request<Incoming>,
        id: &str,
        peer: SocketAddr,
        started: Instant,
    ) -> Response<ReplyBody> {
        let path = request.uri().path();
        if let Some(response) = builtin::public(&self.hooks, request.method(), path) {
            return response.map(ReplyBody::Gateway);
        }
        if path == "/metrics" {
            return self.metrics(&request, id).map(ReplyBody::Gateway);
        }
        if path.starts_with("/api/v1/")
            && let Some(admin) = &self.hooks.admin
        {
            return admin(request, AdminCall { request_id: id.to_owned(), peer }).await;
        }
        let (parts, incoming) = request.into_parts();
        let head =
            Head { method: &parts.method, path: parts.uri.path(), query: parts.uri.query(), headers: &parts.headers };
        let Some(found) = self.find(&head) else {
            return self.render(&not_served(head.path), id).map(ReplyBody::Gateway);
        };
        let Found { ingress, path, route } = found;
        let ingress = Arc::clone(ingress);
        let admitted = self.admit(&head, route, incoming).await;
        let mut response = match admitted {
            Ok(Admitted { principal, route, body, ticket }) => {
                let arrival = Arrival {
                    ingress: Arc::clone(&ingress),
                    route,
                    request_id: id.to_owned(),
                    method: parts.method,
                    path,
                    query: parts.uri.query().map(str::to_owned),
                    headers: parts.headers,
                    body,
                    principal,
                    started,
                };
                let response = self.gateway.execute(arrival).await;
                response.map(|body| GatewayBody::ticketed(body, ticket))
            }
            Err(Refusal { error, principal, allow }) => {
                let rejected = Rejected {
                    ingress: &ingress,
                    request_id: id,
                    method: head.method,
                    path: head.path,
                    principal: principal.as_deref(),
                    started,
                };
                let mut response = self.gateway.reject(rejected, &error);
                if let Some(allow) = allow {
                    response.headers_mut().insert(header::ALLOW, allow);
                }
                response
            }
        };
        if let Some(name) = ingress.request_id_header()
            && let Ok(value) = HeaderValue::from_str(id)
        {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
        response.map(ReplyBody::Gateway)
    }

    /// Checks the key before the body is read: strangers cannot make the gateway buffer anything.
    async fn admit(&self, head: &Head<'_>, route: Option<Route>, incoming: Incoming) -> Result<Admitted, Refusal> {
        if self.closed.load(Ordering::Relaxed) {
            let error = GatewayError::new(Code::Unavailable, "the gateway is shutting down; send the request again");
            return Err(error.with_retry(gw_core::Retry::After(Duration::from_secs(1))).into());
        }
        let presented = key::of(head.headers, head.query);
        let principal = self.gateway.identify(presented.as_deref())?;
        let refuse = |error: GatewayError| Refusal { error, principal: Some(Arc::clone(&principal)), allow: None };
        let Some(route) = route else { return Err(refuse(not_served(head.path))) };
        let head_of_get = head.method == Method::HEAD && route.method == Method::GET;
        if route.method != *head.method && !head_of_get && route.operation != Operation::Native {
            let message = format!("{} is not allowed here; use {}", head.method, route.method);
            let mut refusal = refuse(GatewayError::new(Code::MethodNotAllowed, message));
            refusal.allow = HeaderValue::from_str(route.method.as_str()).ok();
            return Err(refusal);
        }
        let (within, most) = {
            let settings = self.settings.load();
            (settings.body_timeout, settings.max_in_flight)
        };
        // The handle counts itself: every call in flight holds one for as long as its head is pending.
        let ticket = Arc::clone(&self.in_flight);
        if most.is_some_and(|most| Arc::strong_count(&ticket) as u64 > most.saturating_add(1)) {
            let error = GatewayError::new(Code::Unavailable, "the gateway is at its limit of requests in flight");
            return Err(refuse(error.with_retry(gw_core::Retry::After(Duration::from_secs(1)))));
        }
        let limit = self.gateway.snapshot().settings().body_limit;
        let body = body::read(head.headers, incoming, limit, within).await.map_err(refuse)?;
        Ok(Admitted { principal, route, body, ticket })
    }

    /// Finds the dialect of a path: by prefix, else the first that recognises it.
    fn find(&self, head: &Head<'_>) -> Option<Found<'_>> {
        let ingresses = &self.gateway.dialects().ingresses;
        for ingress in ingresses {
            let rest = head.path.strip_prefix(ingress.prefix()).filter(|rest| rest.starts_with('/'));
            if let Some(rest) = rest {
                let marked = mark(head.headers, ingress.prefix());
                let route = ingress.route(head.method, rest, head.query, &marked);
                return Some(Found { ingress, path: rest.to_owned(), route });
            }
        }
        for ingress in ingresses {
            if let Some(route) = ingress.route(head.method, head.path, head.query, head.headers) {
                return Some(Found { ingress, path: head.path.to_owned(), route: Some(route) });
            }
        }
        let ingress = self.guess(head)?;
        Some(Found { ingress, path: head.path.to_owned(), route: self.extra_native(head) })
    }

    /// Whose errors a caller of an unknown path most likely understands; the last dialect is the most common one.
    fn guess(&self, head: &Head<'_>) -> Option<&Arc<dyn Ingress>> {
        let ingresses = &self.gateway.dialects().ingresses;
        let by_header = ingresses.iter().find(|ingress| ingress.claims(head.path, head.headers));
        by_header.or(ingresses.last())
    }

    /// Native paths beyond the dialects' own white lists, when the operator opened them.
    fn extra_native(&self, head: &Head<'_>) -> Option<Route> {
        let snapshot = self.gateway.snapshot();
        let settings = snapshot.settings();
        let listed = settings.native_paths.iter().any(|path| head.path == path);
        let open = settings.full_proxy && head.path.starts_with("/v1/");
        (listed || open).then(|| Route {
            operation: Operation::Native,
            method: head.method.clone(),
            model: None,
            stream: None,
            stream_framing: Framing::Sse,
        })
    }

    /// Metrics name models and providers, so they need a key like everything else.
    fn metrics(&self, request: &Request<Incoming>, id: &str) -> Response<GatewayBody> {
        let presented = key::of(request.headers(), request.uri().query());
        match self.gateway.identify(presented.as_deref()) {
            Ok(_) => builtin::metrics(&self.hooks),
            Err(error) => self.render(&error, id),
        }
    }

    /// An error for callers whose dialect is not known.
    fn render(&self, error: &GatewayError, id: &str) -> Response<GatewayBody> {
        let mut response = Response::new(GatewayBody::empty());
        *response.status_mut() = StatusCode::NOT_FOUND;
        if let Some(ingress) = self.gateway.dialects().ingresses.last() {
            let reply = ingress.encode_error(error, id);
            *response.status_mut() = reply.status;
            *response.body_mut() = GatewayBody::full(reply.body);
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        response
    }

    fn panicked(&self, id: &str) -> Response<ReplyBody> {
        (self.hooks.panicked)();
        let error = GatewayError::new(Code::Internal, "the gateway failed on this request; its log names the cause");
        self.render(&error, id).map(ReplyBody::Gateway)
    }
}

/// A request that may become a call.
struct Admitted {
    principal: Arc<Principal>,
    route: Route,
    body: Bytes,
    ticket: Arc<()>,
}

struct Refusal {
    error: GatewayError,
    principal: Option<Arc<Principal>>,
    allow: Option<HeaderValue>,
}

impl From<GatewayError> for Refusal {
    fn from(error: GatewayError) -> Self {
        Self { error, principal: None, allow: None }
    }
}

/// The request's headers with a note that the path had this dialect's prefix, for paths that dialects share.
fn mark(headers: &HeaderMap, prefix: &str) -> HeaderMap {
    let mut marked = headers.clone();
    if let Ok(value) = HeaderValue::from_str(prefix.trim_start_matches('/')) {
        marked.insert(HeaderName::from_static("x-irongate-prefix"), value);
    }
    marked
}

fn not_served(path: &str) -> GatewayError {
    if path.starts_with("/v1/") {
        return GatewayError::new(
            Code::Forbidden,
            "this endpoint is not open on this gateway; the operator can list it under 'native.paths' or set \
             OPENAI_FULL_PROXY=true",
        );
    }
    let shown: String = path.chars().take(200).collect();
    GatewayError::new(Code::NotFound, format!("there is nothing at '{shown}'"))
}
