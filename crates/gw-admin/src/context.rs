//! The outermost layer: request identifier, error bodies and security headers on every answer.

use std::net::IpAddr;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::error::ApiError;

/// What the listener knows about a request. Put it into the request's extensions before calling the router.
#[derive(Debug, Clone)]
pub struct RequestContext {
    /// Identifier of the request, as logged and answered everywhere else.
    pub request_id: String,
    /// Address of the client, behind a trusted proxy the one that the proxy names. Failed logins are counted per
    /// address; without one all clients share one count.
    pub client: Option<IpAddr>,
}

const SECURITY_HEADERS: [(HeaderName, &str); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
];

pub(crate) async fn layer(mut request: Request, next: Next) -> Response {
    let context = match request.extensions().get::<RequestContext>() {
        Some(context) => context.clone(),
        None => {
            let context = RequestContext { request_id: new_request_id(), client: None };
            request.extensions_mut().insert(context.clone());
            context
        }
    };
    let mut response = next.run(request).await;
    let error = response.extensions_mut().remove::<ApiError>();
    let status = response.status();
    if let Some(error) = error {
        response = keeping_allow(&response, error.render(&context.request_id));
    } else if status.is_client_error() || status.is_server_error() {
        response = keeping_allow(&response, ApiError::of_status(status).render(&context.request_id));
    }
    add_headers(response.headers_mut(), &context.request_id);
    response
}

/// `Allow` is set by the framework on an answer that is replaced here.
fn keeping_allow(old: &Response, mut new: Response) -> Response {
    if let Some(allow) = old.headers().get(header::ALLOW) {
        new.headers_mut().insert(header::ALLOW, allow.clone());
    }
    new
}

fn add_headers(headers: &mut HeaderMap, request_id: &str) {
    for (name, value) in SECURITY_HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(value) = HeaderValue::from_str(request_id) {
        headers.insert(HeaderName::from_static("x-request-id"), value);
    }
}

fn new_request_id() -> String {
    let id = gw_identity::new_key_id().unwrap_or_default();
    format!("req-{}", id.trim_start_matches("key_"))
}
