//! Server side: towards clients that speak this format.

use bytes::Bytes;
use gw_core::{ChatReply, ChatRequest, DialectId, GatewayError, Loss};
use gw_spi::{DecodeContext, ErrorReply, EventEncoder, Framing, ModelCard, Peek, ReplyContext, Route};
use gw_wire::{Document, Kind};
use http::{HeaderMap, Method};

use crate::{ID, decode, encode_reply, encode_stream, errors, models, pointer, route};

/// Answers `generateContent` clients. Stateless.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ingress;

impl gw_spi::Ingress for Ingress {
    fn id(&self) -> DialectId {
        ID
    }

    fn label(&self) -> &'static str {
        "gemini"
    }

    fn prefix(&self) -> &'static str {
        "/gemini"
    }

    fn claims(&self, path: &str, headers: &HeaderMap) -> bool {
        path.starts_with("/v1beta/") || headers.contains_key("x-goog-api-key")
    }

    fn route(&self, method: &Method, path: &str, query: Option<&str>, headers: &HeaderMap) -> Option<Route> {
        route::route(method, path, query, headers)
    }

    fn peek(&self, route: &Route, envelope: &Document<'_>) -> Result<Peek, GatewayError> {
        let root = envelope.root();
        if root.kind() != Kind::Object {
            let message = format!("the request body must be an object, not {}", root.kind().described());
            return Err(GatewayError::bad_field("", message));
        }
        for name in ["model", "stream"] {
            if root.members().filter(|(key, _)| key == name).count() > 1 {
                return Err(GatewayError::bad_field(name, format!("'{name}' appears more than once; send it once")));
            }
        }
        let wrong = |name: &str, wanted: &str, kind: Kind| {
            GatewayError::bad_field(name, format!("'{name}' must be {wanted}, not {}", kind.described()))
        };
        let written = match root.get_some("model") {
            Some(value) => Some(value.string().ok_or_else(|| wrong("model", "a string", value.kind()))?),
            None => None,
        };
        let flag = match root.get_some("stream") {
            Some(value) => value.bool().ok_or_else(|| wrong("stream", "a boolean", value.kind()))?,
            None => false,
        };
        let written = written.map(|name| name.strip_prefix("models/").map(str::to_owned).unwrap_or(name));
        Ok(Peek { model: route.model.clone().or(written), stream: route.stream.unwrap_or(flag), include_usage: true })
    }

    fn decode(
        &self,
        body: &Document<'_>,
        context: &DecodeContext<'_>,
    ) -> Result<(ChatRequest, Vec<Loss>), GatewayError> {
        decode::decode(body, context)
    }

    fn pointer(&self, loss: &Loss) -> String {
        pointer::of(loss)
    }

    fn encode_reply(&self, reply: &ChatReply, context: &ReplyContext) -> Bytes {
        encode_reply::encode(reply, context)
    }

    fn event_encoder(&self, context: &ReplyContext) -> Box<dyn EventEncoder> {
        Box::new(encode_stream::Encoder::new(context))
    }

    fn encode_count(&self, input_tokens: u64) -> Bytes {
        models::count(input_tokens)
    }

    fn encode_models(&self, cards: &[ModelCard]) -> Bytes {
        models::list(cards)
    }

    fn encode_model(&self, model: &ModelCard) -> Bytes {
        models::one(model)
    }

    fn encode_error(&self, error: &GatewayError, request_id: &str) -> ErrorReply {
        errors::reply(error, request_id)
    }

    fn encode_fault(&self, error: &GatewayError, request_id: &str, framing: Framing, first: bool) -> Bytes {
        errors::fault(error, request_id, framing, first)
    }

    /// White space only.
    fn heartbeat(&self, framing: Framing, _started: bool) -> &'static [u8] {
        match framing {
            // Blank lines, not comments: the official clients take any other line for data.
            Framing::Sse => b"\n\n",
            Framing::JsonArray => b"\n",
            Framing::Json => b"",
        }
    }
}
