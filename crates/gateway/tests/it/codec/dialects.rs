//! The dialects under test and shorthand for running them.

use gw_core::{ChatRequest, DialectId, GatewayError, Loss};
use gw_spi::{Egress, EncodeContext, Encoded, Framing, Ingress, ReplyContext};
use gw_testkit::context::{decode_context, path_context};
use gw_testkit::validate::{Seen, anthropic, gemini, openai};
use gw_wire::{Document, Limits};

/// A dialect with both of its sides.
#[derive(Clone, Copy)]
pub struct Dialect {
    pub id: DialectId,
    /// Vendor whose opaque state is native to it.
    pub vendor: &'static str,
    pub ingress: &'static dyn Ingress,
    pub egress: &'static dyn Egress,
}

pub const OPENAI: Dialect = Dialect {
    id: gw_dialect_openai_chat::ID,
    vendor: "openai",
    ingress: &gw_dialect_openai_chat::Ingress,
    egress: &gw_dialect_openai_chat::Egress,
};
pub const ANTHROPIC: Dialect = Dialect {
    id: gw_dialect_anthropic::ID,
    vendor: "anthropic",
    ingress: &gw_dialect_anthropic::Ingress,
    egress: &gw_dialect_anthropic::Egress,
};
pub const GEMINI: Dialect = Dialect {
    id: gw_dialect_gemini::ID,
    vendor: "gemini",
    ingress: &gw_dialect_gemini::Ingress,
    egress: &gw_dialect_gemini::Egress,
};
pub const ALL: [Dialect; 3] = [OPENAI, ANTHROPIC, GEMINI];

impl Dialect {
    /// Decodes a request; Gemini's model and stream flag come from the path.
    pub fn decode(&self, body: &[u8]) -> Result<(ChatRequest, Vec<Loss>), GatewayError> {
        let document = Document::from_bytes(body, Limits::default()).map_err(|fault| gw_spi::bad_json(&fault))?;
        let context = if self.id == GEMINI.id { path_context("client-model", false) } else { decode_context() };
        self.ingress.decode(&document, &context)
    }

    pub fn encode(&self, request: &ChatRequest, context: &EncodeContext<'_>) -> Result<Encoded, GatewayError> {
        self.egress.encode(request, context)
    }

    /// Reads a client's stream strictly.
    pub fn read_stream(&self, bytes: &[u8], context: &ReplyContext) -> Result<Seen, String> {
        let seen = match (self.vendor, context.framing) {
            ("openai", _) => openai::stream(bytes, context.include_usage),
            ("anthropic", _) => anthropic::stream(bytes),
            (_, Framing::JsonArray) => gemini::array(bytes),
            _ => gemini::stream(bytes),
        };
        seen.map(Seen::normalised)
    }

    /// Reads a client's whole reply strictly.
    pub fn read_reply(&self, bytes: &[u8]) -> Result<Seen, String> {
        let seen = match self.vendor {
            "openai" => openai::reply(bytes),
            "anthropic" => anthropic::reply(bytes),
            _ => gemini::reply(bytes),
        };
        seen.map(Seen::normalised)
    }
}
