//! Client side of a dialect.

use bytes::Bytes;
use gw_core::{ChatReply, ChatRequest, DialectId, GatewayError, Loss};
use gw_wire::{Document, Splice};
use http::{HeaderMap, StatusCode};

use crate::{Capabilities, EncodeContext, EventDecoder, Probe, ProbeReport, ReplyContext};

/// A request body for a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestBody {
    /// JSON.
    pub bytes: Bytes,
    /// Headers that the body needs (`anthropic-beta`).
    pub headers: Vec<(&'static str, String)>,
}

/// An encoded request and what it could not carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// What to send.
    pub body: RequestBody,
    /// What was lost.
    pub losses: Vec<Loss>,
    /// Stop sequences that the gateway must watch for because the target cannot.
    pub emulate_stops: Vec<String>,
    /// Candidates that the gateway must produce by further calls because the target gives one at a time (0 or 1: none).
    pub emulate_candidates: u32,
    /// Wire tool name to the client's own name, for names that had to be changed.
    pub renamed_tools: Vec<(String, String)>,
}

/// What a relayed request needs changed.
#[derive(Debug, Clone, Copy)]
pub struct RelayWants<'a> {
    /// Model id that the provider knows.
    pub model: &'a str,
    /// Whether the body names the model exactly so already is for the egress to see.
    pub stream: bool,
    /// Ask for a usage event in the stream.
    pub usage: bool,
    /// Field quirks of the target.
    pub capabilities: &'a Capabilities,
}

/// A provider's error answer.
#[derive(Debug, Clone, Copy)]
pub struct UpstreamFault<'a> {
    /// HTTP status.
    pub status: StatusCode,
    /// Headers.
    pub headers: &'a HeaderMap,
    /// Body, possibly cut.
    pub body: &'a [u8],
}

/// A provider's token count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountReply {
    /// Input tokens.
    pub input_tokens: u64,
}

/// Client side of a dialect: stateless, shared by all attempts.
pub trait Egress: Send + Sync {
    /// Its name.
    fn id(&self) -> DialectId;

    /// Encodes a chat request for a provider.
    ///
    /// # Errors
    /// `unsupported` or `bad_request` when no body can be made at all; what can be left out is a loss instead.
    fn encode(&self, request: &ChatRequest, context: &EncodeContext<'_>) -> Result<Encoded, GatewayError>;

    /// Encodes a token-count request; `None` when the dialect has no such call.
    ///
    /// # Errors
    /// As [`Egress::encode`].
    fn encode_count(&self, request: &ChatRequest, context: &EncodeContext<'_>)
    -> Option<Result<Encoded, GatewayError>>;

    /// Reads a token-count answer.
    ///
    /// # Errors
    /// `upstream_invalid` when it has no count.
    fn decode_count(&self, body: &[u8]) -> Result<CountReply, GatewayError>;

    /// Decodes a finished answer.
    ///
    /// # Errors
    /// `upstream_invalid` when the body is not an answer of this dialect; the provider's error when it is one in
    /// disguise (a 200 with an error body).
    fn decode_reply(&self, body: &[u8], context: &ReplyContext) -> Result<ChatReply, GatewayError>;

    /// A new decoder for one stream.
    fn event_decoder(&self, context: &ReplyContext) -> Box<dyn EventDecoder>;

    /// A new probe for one relayed stream.
    fn stream_probe(&self) -> Box<dyn Probe>;

    /// Reads what settlement needs from a relayed, finished answer.
    fn reply_probe(&self, body: &[u8]) -> ProbeReport;

    /// Reads a provider's error.
    fn decode_fault(&self, fault: &UpstreamFault<'_>) -> GatewayError;

    /// The splices that a relayed body needs: model name, usage opt-in, quirks. Nothing else may change.
    fn relay_splices(&self, envelope: &Document<'_>, wants: &RelayWants<'_>) -> Vec<Splice>;
}
