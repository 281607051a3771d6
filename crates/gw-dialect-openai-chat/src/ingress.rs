//! Server side of the format.

use bytes::Bytes;
use gw_core::{ChatReply, ChatRequest, DialectId, GatewayError, Loss};
use gw_spi::{DecodeContext, ErrorReply, EventEncoder, Fields, Framing, ModelCard, Peek, ReplyContext, Route};
use gw_wire::{Document, Json, JsonWriter, Kind, Limits};
use http::{HeaderMap, Method};

use crate::encode_stream::Encoder;
use crate::{ID, decode, encode_reply, errors, pointer, route};

/// Server side of the OpenAI Chat Completions format.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ingress;

impl gw_spi::Ingress for Ingress {
    fn id(&self) -> DialectId {
        ID
    }

    fn label(&self) -> &'static str {
        "openai"
    }

    fn prefix(&self) -> &'static str {
        "/openai"
    }

    fn timing_header(&self) -> Option<&'static str> {
        Some("openai-processing-ms")
    }

    fn route(&self, method: &Method, path: &str, _query: Option<&str>, headers: &HeaderMap) -> Option<Route> {
        route::route(method, path, headers)
    }

    fn peek(&self, route: &Route, envelope: &Document<'_>) -> Result<Peek, GatewayError> {
        let root = envelope.root();
        if root.kind() != Kind::Object {
            let message = format!("the request body must be an object, not {}", root.kind().described());
            return Err(GatewayError::bad_field("", message));
        }
        let mut found: [Option<Json<'_>>; 3] = [None; 3];
        for (name, value) in root.members() {
            let names = ["model", "stream", "stream_options"];
            let Some((slot, _)) = found.iter_mut().zip(names).find(|(_, known)| *known == name) else { continue };
            if slot.replace(value).is_some() {
                let message = format!("'{name}' appears more than once; send it once");
                return Err(GatewayError::bad_field(name.into_owned(), message));
            }
        }
        let [model, stream, options] = found.map(|value| value.filter(|value| !value.is_null()));
        let wrong = |name: &str, wanted: &str, value: Json<'_>| {
            GatewayError::bad_field(name, format!("'{name}' must be {wanted}, not {}", value.kind().described()))
        };
        let named = match model {
            Some(value) => Some(value.string().ok_or_else(|| wrong("model", "a string", value))?),
            None => None,
        };
        let stream = match stream {
            Some(value) => value.bool().ok_or_else(|| wrong("stream", "a boolean", value))?,
            None => false,
        };
        let include_usage = match options {
            Some(value) => {
                // The envelope records top-level values only.
                let inner =
                    Document::parse(value.raw(), Limits::default()).map_err(|fault| gw_spi::bad_json(&fault))?;
                Fields::new(inner.root(), "stream_options")?.bool("include_usage")?.unwrap_or(false)
            }
            None => false,
        };
        let model = route.model.clone().or(named).filter(|model| !model.is_empty());
        Ok(Peek { model, stream: route.stream.unwrap_or(stream), include_usage })
    }

    fn decode(
        &self,
        body: &Document<'_>,
        context: &DecodeContext<'_>,
    ) -> Result<(ChatRequest, Vec<Loss>), GatewayError> {
        decode::request(body, context)
    }

    fn pointer(&self, loss: &Loss) -> String {
        pointer::pointer(loss)
    }

    fn encode_reply(&self, reply: &ChatReply, context: &ReplyContext) -> Bytes {
        encode_reply::encode(reply, context)
    }

    fn event_encoder(&self, context: &ReplyContext) -> Box<dyn EventEncoder> {
        Box::new(Encoder::new(context))
    }

    fn encode_count(&self, input_tokens: u64) -> Bytes {
        let mut writer = JsonWriter::new();
        writer.object(|object| {
            object.field_str("object", "input_tokens");
            object.field_u64("input_tokens", input_tokens);
        });
        writer.into_bytes()
    }

    fn encode_models(&self, models: &[ModelCard]) -> Bytes {
        let mut writer = JsonWriter::new();
        writer.object(|root| {
            root.field_str("object", "list");
            root.field_array("data", |list| {
                for model in models {
                    write_model(list, model);
                }
            });
        });
        writer.into_bytes()
    }

    fn encode_model(&self, model: &ModelCard) -> Bytes {
        let mut writer = JsonWriter::new();
        write_model(&mut writer, model);
        writer.into_bytes()
    }

    fn encode_error(&self, error: &GatewayError, request_id: &str) -> ErrorReply {
        errors::reply(error, request_id)
    }

    fn encode_fault(&self, error: &GatewayError, request_id: &str, framing: Framing, _first: bool) -> Bytes {
        errors::fault(error, request_id, framing)
    }

    fn heartbeat(&self, framing: Framing, _started: bool) -> &'static [u8] {
        if framing == Framing::Sse { b": keep-alive\n\n" } else { b"" }
    }
}

fn write_model(writer: &mut JsonWriter, model: &ModelCard) {
    writer.object(|object| {
        object.field_str("id", &model.id);
        object.field_str("object", "model");
        object.key("created").i64(model.created);
        object.field_str("owned_by", &model.owner);
    });
}
