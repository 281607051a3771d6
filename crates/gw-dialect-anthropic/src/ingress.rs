//! Server side of the format.

use bytes::Bytes;
use gw_core::{ChatReply, ChatRequest, DialectId, GatewayError, Loss, Operation};
use gw_spi::{
    DecodeContext, ErrorReply, EventEncoder, Fields, Framing, Ingress as IngressPort, ModelCard, Peek, ReplyContext,
    Route,
};
use gw_wire::{Document, JsonWriter};
use http::{HeaderMap, Method};

use crate::{ID, Ingress, decode, encode_reply, encode_stream, errors, models, pointer, route};

impl IngressPort for Ingress {
    fn id(&self) -> DialectId {
        ID
    }

    fn label(&self) -> &'static str {
        "anthropic"
    }

    fn prefix(&self) -> &'static str {
        "/anthropic"
    }

    fn request_id_header(&self) -> Option<&'static str> {
        Some("request-id")
    }

    fn claims(&self, _path: &str, headers: &HeaderMap) -> bool {
        headers.contains_key("anthropic-version")
    }

    fn route(&self, _method: &Method, path: &str, _query: Option<&str>, headers: &HeaderMap) -> Option<Route> {
        route::route(path, headers)
    }

    fn peek(&self, route: &Route, envelope: &Document<'_>) -> Result<Peek, GatewayError> {
        let root = Fields::new(envelope.root(), "")?;
        let model = match &route.model {
            Some(model) => Some(model.clone()),
            None => root.string("model")?,
        };
        let limit = root.u64("max_tokens")?;
        if route.operation == Operation::Chat && limit.is_none() {
            return Err(root.missing("max_tokens"));
        }
        let stream = match route.stream {
            Some(stream) => stream,
            None => root.bool("stream")?.unwrap_or(false),
        };
        // Usage is part of every stream of this format.
        Ok(Peek { model, stream, include_usage: true })
    }

    fn decode(
        &self,
        body: &Document<'_>,
        context: &DecodeContext<'_>,
    ) -> Result<(ChatRequest, Vec<Loss>), GatewayError> {
        decode::decode(body, context)
    }

    fn pointer(&self, loss: &Loss) -> String {
        pointer::pointer(loss)
    }

    fn encode_reply(&self, reply: &ChatReply, context: &ReplyContext) -> Bytes {
        encode_reply::encode(reply, context)
    }

    fn event_encoder(&self, context: &ReplyContext) -> Box<dyn EventEncoder> {
        Box::new(encode_stream::Encoder::new(context.clone()))
    }

    fn encode_count(&self, input_tokens: u64) -> Bytes {
        let mut writer = JsonWriter::new();
        writer.object(|w| w.field_u64("input_tokens", input_tokens));
        writer.into_bytes()
    }

    fn encode_models(&self, list: &[ModelCard]) -> Bytes {
        models::list(list)
    }

    fn encode_model(&self, model: &ModelCard) -> Bytes {
        models::one(model)
    }

    fn encode_error(&self, error: &GatewayError, request_id: &str) -> ErrorReply {
        errors::reply(error, request_id)
    }

    fn encode_fault(&self, error: &GatewayError, request_id: &str, framing: Framing, _first: bool) -> Bytes {
        errors::fault(error, request_id, framing)
    }

    fn heartbeat(&self, framing: Framing, started: bool) -> &'static [u8] {
        match (framing, started) {
            (Framing::Sse, true) => b"event: ping\ndata: {\"type\": \"ping\"}\n\n",
            (Framing::Sse, false) => b": keep-alive\n\n",
            (Framing::Json | Framing::JsonArray, _) => b"",
        }
    }
}
