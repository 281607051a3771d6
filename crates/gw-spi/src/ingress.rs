//! Server side of a dialect.

use bytes::Bytes;
use gw_core::{ChatReply, ChatRequest, DialectId, GatewayError, Loss, Operation};
use gw_wire::Document;
use http::{HeaderMap, Method, StatusCode};

use crate::{DecodeContext, EventEncoder, Framing, ReplyContext};

/// A request path that a dialect serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// What is asked for.
    pub operation: Operation,
    /// The method that the path takes.
    pub method: Method,
    /// Model named in the path.
    pub model: Option<String>,
    /// Whether the path itself asks for a stream.
    pub stream: Option<bool>,
    /// Framing of a streamed answer on this path.
    pub stream_framing: Framing,
}

/// What can be read from the envelope without decoding.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Peek {
    /// Model alias; `None` when the request names none.
    pub model: Option<String>,
    /// Whether a stream is wanted.
    pub stream: bool,
    /// Whether the client itself asked for a usage event in the stream.
    pub include_usage: bool,
}

/// A rendered error.
#[derive(Debug, Clone)]
pub struct ErrorReply {
    /// Status.
    pub status: StatusCode,
    /// Extra headers (`retry-after`, `x-should-retry`).
    pub headers: HeaderMap,
    /// JSON body.
    pub body: Bytes,
}

/// A model for a model list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelCard {
    /// Name that clients use.
    pub id: String,
    /// Provider that serves it.
    pub owner: String,
    /// Readable name.
    pub display_name: Option<String>,
    /// Largest output in tokens.
    pub max_output: Option<u64>,
    /// Context window in tokens.
    pub context: Option<u64>,
    /// Seconds since 1970.
    pub created: i64,
}

/// Server side of a dialect: stateless, shared by all requests.
pub trait Ingress: Send + Sync {
    /// Its name.
    fn id(&self) -> DialectId;

    /// Short label used as metric label `format` (`openai`, `anthropic`, `gemini`).
    fn label(&self) -> &'static str;

    /// The path prefix under which only this dialect answers, for example `/openai`.
    fn prefix(&self) -> &'static str;

    /// Name of the response header that carries the processing time in milliseconds, where the dialect has one.
    fn timing_header(&self) -> Option<&'static str> {
        None
    }

    /// Name of the dialect's own request-id header, sent besides `x-request-id`.
    fn request_id_header(&self) -> Option<&'static str> {
        None
    }

    /// Whether a request to a path that nobody serves is most likely meant for this dialect: its error format is used.
    fn claims(&self, _path: &str, _headers: &HeaderMap) -> bool {
        false
    }

    /// Recognises a path (prefix already removed, query without `?`). Returns the route even when `method` is wrong;
    /// `method` serves to tell apart paths that two dialects share. `headers` likewise; the edge adds `x-irongate-prefix`
    /// with the prefix's name when the path had one.
    fn route(&self, method: &Method, path: &str, query: Option<&str>, headers: &HeaderMap) -> Option<Route>;

    /// Reads model and stream flag from the top-level index.
    ///
    /// # Errors
    /// A repeated key that the gateway reads, or one of the wrong type: `bad_request` naming the field.
    fn peek(&self, route: &Route, envelope: &Document<'_>) -> Result<Peek, GatewayError>;

    /// Decodes a chat (or count-tokens) request.
    ///
    /// # Errors
    /// `bad_request` with `param` in this dialect's notation (`messages[0].role`).
    fn decode(
        &self,
        body: &Document<'_>,
        context: &DecodeContext<'_>,
    ) -> Result<(ChatRequest, Vec<Loss>), GatewayError>;

    /// The caller's JSON pointer for a loss, for example `/generationConfig/topK`.
    fn pointer(&self, loss: &Loss) -> String;

    /// Encodes a finished reply.
    fn encode_reply(&self, reply: &ChatReply, context: &ReplyContext) -> Bytes;

    /// A new encoder for one stream.
    fn event_encoder(&self, context: &ReplyContext) -> Box<dyn EventEncoder>;

    /// Encodes a token count.
    fn encode_count(&self, input_tokens: u64) -> Bytes;

    /// Encodes a model list.
    fn encode_models(&self, models: &[ModelCard]) -> Bytes;

    /// Encodes one model.
    fn encode_model(&self, model: &ModelCard) -> Bytes;

    /// Renders an error before the first byte.
    fn encode_error(&self, error: &GatewayError, request_id: &str) -> ErrorReply;

    /// Renders an error inside a stream of the given framing whose earlier bytes were relayed, terminator included.
    /// `first` tells whether nothing has been sent yet (array framing needs its opening bracket then).
    fn encode_fault(&self, error: &GatewayError, request_id: &str, framing: Framing, first: bool) -> Bytes;

    /// Bytes that keep a silent stream alive; `started` tells whether the first event was sent.
    fn heartbeat(&self, framing: Framing, started: bool) -> &'static [u8];
}
