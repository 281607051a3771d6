//! Errors of the admin API: `{"error":{"message","code","request_id"}}`.

use axum::response::{IntoResponse, Response};
use gw_store::StoreError;
use gw_telemetry::scrub;
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

/// An error on its way to the client. It becomes a body in the outermost layer, which knows the request's identifier.
#[derive(Debug, Clone)]
pub(crate) struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
    retry_after_seconds: Option<u64>,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), retry_after_seconds: None }
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", message)
    }

    /// The same text whatever was wrong, so that it says nothing about names and passwords.
    pub(crate) fn unauthenticated() -> Self {
        let message = "administrator name and password are needed; send them as user and password of HTTP authentication (curl -u NAME:PASSWORD)";
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", message)
    }

    pub(crate) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message)
    }

    /// A fault of the gateway; the cause goes to the log only.
    pub(crate) fn internal(cause: &str) -> Self {
        tracing::error!(error = cause, "admin request failed");
        let message = "the gateway failed; its log has the cause under this request id";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message)
    }

    pub(crate) fn rate_limited(retry_after_seconds: u64) -> Self {
        let message = format!("too many failed logins; try again in {retry_after_seconds} s");
        Self {
            retry_after_seconds: Some(retry_after_seconds),
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", message)
        }
    }

    /// For an answer that the HTTP framework made itself.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        let code = match status {
            StatusCode::NOT_FOUND => "not_found",
            StatusCode::METHOD_NOT_ALLOWED => "method_not_allowed",
            StatusCode::PAYLOAD_TOO_LARGE => "payload_too_large",
            status if status.is_server_error() => "internal",
            _ => "bad_request",
        };
        Self::new(status, code, status.canonical_reason().unwrap_or("the request failed").to_lowercase())
    }

    /// The finished answer.
    pub(crate) fn render(self, request_id: &str) -> Response {
        let body = json!({
            "error": {"message": scrub(&self.message), "code": self.code, "request_id": request_id}
        });
        let mut response = (self.status, axum::Json(body)).into_response();
        let headers = response.headers_mut();
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Basic realm=\"irongate\", charset=\"UTF-8\"");
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        if let Some(seconds) = self.retry_after_seconds {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::NotFound { .. } => Self::not_found(error.to_string()),
            StoreError::Conflict { .. } | StoreError::RevisionMismatch { .. } => {
                Self::new(StatusCode::CONFLICT, "conflict", error.to_string())
            }
            _ if error.is_temporary() => {
                tracing::error!(error = %error, "admin request failed");
                Self::unavailable("the database does not answer; try again, the gateway's log has the cause")
            }
            _ => Self::internal(&error.to_string()),
        }
    }
}
