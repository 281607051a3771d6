//! A configured upstream service.

use std::sync::Arc;

use gw_core::{DialectId, GatewayError, Operation};
use http::{HeaderMap, Method, Uri};

use crate::{Capabilities, Framing};

/// A way to reach a model at a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Speaks {
    /// Format of request and answer.
    pub dialect: DialectId,
    /// Framing of streamed answers.
    pub framing: Framing,
}

/// A call about to be made.
#[derive(Debug, Clone, Copy)]
pub struct UpstreamCall<'a> {
    /// What is asked for.
    pub operation: Operation,
    /// Format of the body.
    pub dialect: DialectId,
    /// Model id that the provider knows.
    pub model: &'a str,
    /// Whether a stream is wanted.
    pub stream: bool,
    /// Framing wanted of a streamed answer, where the format has several.
    pub framing: Framing,
    /// Path and query of a native call below the dialect's root, for example `/embeddings`.
    pub native_path: Option<&'a str>,
    /// Method of a native call.
    pub method: &'a Method,
}

/// Where and how to send a call. Credentials are in the headers, marked sensitive.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// Method.
    pub method: Method,
    /// Absolute URL.
    pub uri: Uri,
    /// Authentication, version and configured headers; content headers are the transport's.
    pub headers: HeaderMap,
}

/// A configured upstream: kind, address and credential.
pub trait Provider: Send + Sync {
    /// Configured name, unique.
    fn name(&self) -> &str;

    /// Kind, for example `openai`.
    fn kind(&self) -> &str;

    /// Vendor whose opaque state this upstream can verify.
    fn vendor(&self) -> &str;

    /// Formats it speaks for this operation and model, preferred first; empty when it cannot serve it.
    fn speaks(&self, operation: Operation, model: &str) -> &[Speaks];

    /// What the model accepts.
    fn capabilities(&self, model: &str) -> Arc<Capabilities>;

    /// Builds URL and headers.
    ///
    /// # Errors
    /// `upstream_auth` when no credential is configured, `unsupported` when there is no such call.
    fn prepare(&self, call: &UpstreamCall<'_>) -> Result<Prepared, GatewayError>;
}
