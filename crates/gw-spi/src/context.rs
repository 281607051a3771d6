//! What a codec is given besides the message itself.

use std::sync::Arc;

use gw_wire::Limits;

use crate::{Capabilities, Framing, StateSealer};

/// For decoding a client's request.
#[derive(Clone, Copy)]
pub struct DecodeContext<'a> {
    /// JSON bounds.
    pub limits: Limits,
    /// Opens state envelopes in history.
    pub sealer: &'a dyn StateSealer,
    /// Model named in the path, when the dialect puts it there.
    pub path_model: Option<&'a str>,
    /// Whether the route already decides for a stream (Gemini method name).
    pub path_stream: Option<bool>,
    /// Request headers that carry meaning (`anthropic-beta`, `anthropic-version`).
    pub headers: &'a http::HeaderMap,
}

/// For encoding a request towards a provider.
#[derive(Clone, Copy)]
pub struct EncodeContext<'a> {
    /// Model id that the provider knows.
    pub model: &'a str,
    /// Whether the upstream is asked to stream.
    pub stream: bool,
    /// What the target accepts.
    pub capabilities: &'a Capabilities,
    /// Name of the vendor whose state the target can verify (`anthropic`, `gemini`, `openai`, ...).
    pub vendor: &'a str,
}

/// For decoding a provider's reply and encoding it for the client.
#[derive(Clone)]
pub struct ReplyContext {
    /// Request id: shown to the client, and the base of minted ids.
    pub request_id: String,
    /// Letters and digits, unique for this attempt: the base of minted reply and tool-call ids.
    pub id_base: String,
    /// Model as the client named it.
    pub client_model: String,
    /// Seconds since 1970 at arrival: `created` of replies whose provider gives none.
    pub created: i64,
    /// Whether the client asked for a usage event in the stream.
    pub include_usage: bool,
    /// Whether the client used OpenAI's legacy functions.
    pub legacy_functions: bool,
    /// Whether the client wants no readable reasoning (signatures still travel).
    pub hide_reasoning: bool,
    /// Framing towards the client.
    pub framing: Framing,
    /// Vendor of the upstream, stamped on opaque state.
    pub vendor: String,
    /// Seals state that crosses vendors.
    pub sealer: Arc<dyn StateSealer>,
    /// JSON bounds for upstream frames.
    pub limits: Limits,
    /// Number of choices the client asked for.
    pub candidates: u32,
}
