//! Endpoints that the edge answers itself: health, metrics, the root, and the way to the control plane.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use gw_pipeline::{GatewayBody, now_ms};
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;

use crate::entry::ReplyBody;

/// What the control plane is told besides the request.
#[derive(Debug, Clone)]
pub struct AdminCall {
    /// Request id.
    pub request_id: String,
    /// Address of the client's end of the connection.
    pub peer: SocketAddr,
}

/// The control plane as the edge sees it.
pub type AdminService = Arc<
    dyn Fn(Request<Incoming>, AdminCall) -> Pin<Box<dyn Future<Output = Response<ReplyBody>> + Send>> + Send + Sync,
>;

/// What the edge asks of the rest of the program.
pub struct Hooks {
    /// Number of models that clients can name.
    pub models: Box<dyn Fn() -> usize + Send + Sync>,
    /// Why the process is not ready, if it is not.
    pub not_ready: Box<dyn Fn() -> Option<&'static str> + Send + Sync>,
    /// Metrics text and its content type.
    pub metrics: Box<dyn Fn() -> (&'static str, String) + Send + Sync>,
    /// Counts open connections up and down.
    pub connections: Box<dyn Fn(i64) + Send + Sync>,
    /// A panic was caught.
    pub panicked: Box<dyn Fn() + Send + Sync>,
    /// Control plane for `/api/v1/...`.
    pub admin: Option<AdminService>,
    /// Program version.
    pub version: &'static str,
}

/// Built-in paths that need no key.
pub(crate) fn public(hooks: &Hooks, method: &Method, path: &str) -> Option<Response<GatewayBody>> {
    match path {
        "/health" | "/health/ready" => Some(health(hooks)),
        "/health/live" => Some(text(StatusCode::OK, "application/json", r#"{"status":"alive"}"#.to_owned())),
        // Coding agents probe the base URL with HEAD before their first call.
        "/" if method == Method::HEAD || method == Method::GET => {
            let about = format!("irongate {}: an AI gateway. Send requests with your key to /v1/...\n", hooks.version);
            Some(text(StatusCode::OK, "text/plain; charset=utf-8", about))
        }
        _ => None,
    }
}

pub(crate) fn metrics(hooks: &Hooks) -> Response<GatewayBody> {
    let (kind, body) = (hooks.metrics)();
    text(StatusCode::OK, kind, body)
}

fn health(hooks: &Hooks) -> Response<GatewayBody> {
    let seconds = now_ms() / 1_000;
    let (status, word) = match (hooks.not_ready)() {
        None => (StatusCode::OK, "healthy"),
        Some(reason) => (StatusCode::SERVICE_UNAVAILABLE, reason),
    };
    let body = format!(
        r#"{{"status":"{word}","models":{},"timestamp":{seconds},"service":"irongate","version":"{}"}}"#,
        (hooks.models)(),
        hooks.version
    );
    text(status, "application/json", body)
}

fn text(status: StatusCode, kind: &'static str, body: String) -> Response<GatewayBody> {
    let mut response = Response::new(GatewayBody::full(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
