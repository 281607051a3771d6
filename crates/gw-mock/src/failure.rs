//! Errors in the vendors' own envelopes, before and inside a stream.

use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};

/// Whose wire format an answer speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Vendor {
    OpenAi,
    Anthropic,
    Gemini,
}

/// A refusal to answer; rendered by [`Failure::body`] in a vendor's envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) status: u16,
    pub(crate) message: String,
    /// OpenAI's `code`; the others have none.
    pub(crate) code: Option<&'static str>,
    /// OpenAI's `param`: the field at fault.
    pub(crate) param: Option<String>,
    pub(crate) retry_after: Option<Duration>,
}

impl Failure {
    pub(crate) fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), code: None, param: None, retry_after: None }
    }

    /// A 400 about one field.
    pub(crate) fn field(param: impl Into<String>, code: &'static str, message: impl Into<String>) -> Self {
        let param = Some(param.into());
        Self { status: 400, message: message.into(), code: Some(code), param, retry_after: None }
    }

    /// A 400 without a field.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, message)
    }

    pub(crate) fn with_code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    /// What the vendor typically says with this status; for faults made on demand.
    pub(crate) fn of_status(status: u16, vendor: Vendor) -> Self {
        let (message, code) = match status {
            400 => ("The request is invalid (made by the mock on demand).", None),
            401 => ("Incorrect API key provided: mock. Check your key and try again.", Some("invalid_api_key")),
            402 => ("Your credit balance is too low to access the API.", Some("insufficient_balance")),
            403 => ("You do not have access to this resource.", None),
            404 => ("The model does not exist or you do not have access to it.", Some("model_not_found")),
            413 => ("Request exceeds the maximum size.", None),
            429 => ("Rate limit reached for requests per minute. Please slow down.", Some("rate_limit_exceeded")),
            503 | 529 => ("The service is overloaded. Please try again later.", Some("server_is_overloaded")),
            504 => ("The request timed out.", None),
            _ => ("The server had an error while processing your request.", Some("server_error")),
        };
        let message = if vendor == Vendor::Anthropic && matches!(status, 503 | 529) { "Overloaded" } else { message };
        Self { status, message: message.to_owned(), code, param: None, retry_after: None }
    }

    pub(crate) fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The JSON body of this error.
    pub(crate) fn body(&self, vendor: Vendor, request_id: &str) -> Value {
        match vendor {
            Vendor::OpenAi => json!({"error": {
                "message": self.message, "type": self.openai_type(), "param": self.param, "code": self.code,
            }}),
            Vendor::Anthropic => json!({
                "type": "error",
                "error": {"type": self.anthropic_type(), "message": self.message},
                "request_id": request_id,
            }),
            Vendor::Gemini => {
                let mut error = json!({"code": self.status, "message": self.message, "status": self.google_status()});
                if let Some(details) = self.google_details()
                    && let Some(object) = error.as_object_mut()
                {
                    object.insert("details".to_owned(), details);
                }
                json!({"error": error})
            }
        }
    }

    /// The event that reports this error inside a started stream, framed.
    pub(crate) fn event(&self, vendor: Vendor, request_id: &str) -> Bytes {
        let body = self.body(vendor, request_id);
        match vendor {
            Vendor::Anthropic => Bytes::from(format!("event: error\ndata: {body}\n\n")),
            Vendor::OpenAi | Vendor::Gemini => Bytes::from(format!("data: {body}\n\n")),
        }
    }

    fn openai_type(&self) -> &'static str {
        match (self.status, self.code) {
            (_, Some("insufficient_quota")) => "insufficient_quota",
            (402, _) => "insufficient_quota",
            (429, _) => "requests",
            (500.., _) => "server_error",
            _ => "invalid_request_error",
        }
    }

    fn anthropic_type(&self) -> &'static str {
        match self.status {
            401 => "authentication_error",
            402 => "billing_error",
            403 => "permission_error",
            404 => "not_found_error",
            409 => "conflict_error",
            413 => "request_too_large",
            429 => "rate_limit_error",
            504 => "timeout_error",
            503 | 529 => "overloaded_error",
            500.. => "api_error",
            _ => "invalid_request_error",
        }
    }

    fn google_status(&self) -> &'static str {
        match self.status {
            401 => "UNAUTHENTICATED",
            403 => "PERMISSION_DENIED",
            404 => "NOT_FOUND",
            429 => "RESOURCE_EXHAUSTED",
            499 => "CANCELLED",
            501 => "UNIMPLEMENTED",
            503 | 529 => "UNAVAILABLE",
            504 => "DEADLINE_EXCEEDED",
            500.. => "INTERNAL",
            _ => "INVALID_ARGUMENT",
        }
    }

    fn google_details(&self) -> Option<Value> {
        if let Some(delay) = self.retry_after {
            let delay = format!("{}s", delay.as_secs_f64());
            return Some(json!([{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}]));
        }
        let field = self.param.as_ref()?;
        let violation = json!({"field": field, "description": self.message});
        Some(json!([{"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [violation]}]))
    }
}
