//! One error type for everything that a caller can be told, rendered only by an ingress.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

/// Closed list of failure kinds. The name is the metric label and the anchor in the documentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// The request is malformed; `param` names the field.
    BadRequest,
    /// The body exceeds the configured limit.
    PayloadTooLarge,
    /// No or wrong gateway key.
    Unauthenticated,
    /// The key may not do this.
    Forbidden,
    /// No such path or resource.
    NotFound,
    /// The path exists, the method does not.
    MethodNotAllowed,
    /// No route serves the requested model.
    UnknownModel,
    /// Conflicting state (409).
    Conflict,
    /// Too many requests; retry after a delay.
    RateLimited,
    /// A quota or budget is used up; retrying does not help.
    QuotaExhausted,
    /// Refused by a content policy.
    ContentPolicy,
    /// Prompt plus limit exceed the model's window.
    ContextTooLong,
    /// The target cannot express what was asked.
    Unsupported,
    /// The provider refused the gateway's own credential or account.
    UpstreamAuth,
    /// A deadline towards the provider passed.
    UpstreamTimeout,
    /// The provider is overloaded.
    UpstreamOverloaded,
    /// The provider failed (5xx).
    UpstreamError,
    /// The provider's answer could not be understood.
    UpstreamInvalid,
    /// The provider could not be reached.
    UpstreamUnreachable,
    /// The stream ended without its terminal event.
    Interrupted,
    /// The client went away.
    Cancelled,
    /// The gateway is shutting down or at its own limit.
    Unavailable,
    /// A fault of the gateway.
    Internal,
}

impl Code {
    /// Stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BadRequest => "bad_request",
            Self::PayloadTooLarge => "payload_too_large",
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::UnknownModel => "unknown_model",
            Self::Conflict => "conflict",
            Self::RateLimited => "rate_limited",
            Self::QuotaExhausted => "quota_exhausted",
            Self::ContentPolicy => "content_policy",
            Self::ContextTooLong => "context_too_long",
            Self::Unsupported => "unsupported",
            Self::UpstreamAuth => "upstream_auth",
            Self::UpstreamTimeout => "upstream_timeout",
            Self::UpstreamOverloaded => "upstream_overloaded",
            Self::UpstreamError => "upstream_error",
            Self::UpstreamInvalid => "upstream_invalid",
            Self::UpstreamUnreachable => "upstream_unreachable",
            Self::Interrupted => "interrupted",
            Self::Cancelled => "cancelled",
            Self::Unavailable => "unavailable",
            Self::Internal => "internal",
        }
    }

    /// The coarse family that operators filter by: `unknown_model`, `auth`, `rate_limit`, `timeout`,
    /// `invalid_request`, `server_error`, `network`. Appears as `error_type` in bodies, logs and metrics.
    #[must_use]
    pub const fn family(self) -> &'static str {
        match self {
            Self::UnknownModel => "unknown_model",
            Self::Unauthenticated | Self::Forbidden => "auth",
            Self::RateLimited | Self::QuotaExhausted => "rate_limit",
            Self::UpstreamTimeout => "timeout",
            Self::BadRequest
            | Self::PayloadTooLarge
            | Self::NotFound
            | Self::MethodNotAllowed
            | Self::Conflict
            | Self::ContentPolicy
            | Self::ContextTooLong
            | Self::Unsupported => "invalid_request",
            Self::UpstreamUnreachable | Self::Interrupted | Self::Cancelled => "network",
            Self::UpstreamAuth
            | Self::UpstreamOverloaded
            | Self::UpstreamError
            | Self::UpstreamInvalid
            | Self::Unavailable
            | Self::Internal => "server_error",
        }
    }

    /// Who has to act.
    #[must_use]
    pub const fn blame(self) -> Blame {
        match self {
            Self::BadRequest
            | Self::PayloadTooLarge
            | Self::Unauthenticated
            | Self::Forbidden
            | Self::NotFound
            | Self::MethodNotAllowed
            | Self::UnknownModel
            | Self::Conflict
            | Self::RateLimited
            | Self::QuotaExhausted
            | Self::ContentPolicy
            | Self::ContextTooLong
            | Self::Unsupported
            | Self::Cancelled => Blame::Client,
            Self::UpstreamAuth
            | Self::UpstreamTimeout
            | Self::UpstreamOverloaded
            | Self::UpstreamError
            | Self::UpstreamInvalid
            | Self::UpstreamUnreachable
            | Self::Interrupted => Blame::Upstream,
            Self::Unavailable | Self::Internal => Blame::Gateway,
        }
    }
}

/// Who has to act on an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Blame {
    /// The caller.
    Client,
    /// The operator of the gateway.
    Gateway,
    /// The provider.
    Upstream,
}

/// Whether and how trying again can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Retry {
    /// Trying again gives the same answer.
    #[default]
    Never,
    /// The same target may answer on another try.
    SameTarget,
    /// Another target may answer.
    OtherTarget,
    /// The same target after this delay.
    After(Duration),
}

/// A failure that a caller is told about. Public text never includes the private cause.
#[derive(Debug, Clone, thiserror::Error)]
pub struct GatewayError {
    /// What happened.
    pub code: Code,
    /// What the caller reads: what happened and what to do.
    pub message: Cow<'static, str>,
    /// The field at fault, in the caller's own notation, for example `messages[2].role`.
    pub param: Option<String>,
    /// Whether trying again can help.
    pub retry: Retry,
    /// HTTP status that the provider answered with.
    pub upstream_status: Option<u16>,
    /// The provider's own error code or type.
    pub upstream_code: Option<String>,
    /// For logs only.
    pub cause: Option<String>,
}

impl fmt::Display for GatewayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.message)
    }
}

impl GatewayError {
    /// An error without field, retry advice or cause.
    #[must_use]
    pub fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            message: message.into(),
            param: None,
            retry: Retry::Never,
            upstream_status: None,
            upstream_code: None,
            cause: None,
        }
    }

    /// A malformed request: the field at fault and what is wrong with it.
    #[must_use]
    pub fn bad_field(param: impl Into<String>, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::BadRequest, message).with_param(param)
    }

    /// Names the field at fault.
    #[must_use]
    pub fn with_param(mut self, param: impl Into<String>) -> Self {
        self.param = Some(param.into());
        self
    }

    /// Adds the cause that only logs show.
    #[must_use]
    pub fn with_cause(mut self, cause: impl Into<String>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// Adds retry advice.
    #[must_use]
    pub fn with_retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Records what the provider said.
    #[must_use]
    pub fn with_upstream(mut self, status: u16, code: Option<String>) -> Self {
        self.upstream_status = Some(status);
        self.upstream_code = code;
        self
    }
}
