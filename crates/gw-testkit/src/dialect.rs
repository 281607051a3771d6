//! A dialect with both of its sides, and how a client reads it.

use gw_core::{ChatRequest, DialectId, GatewayError, Loss};
use gw_spi::{Egress, Framing, Ingress, ReplyContext};
use gw_wire::{Document, Limits};

use crate::context::{decode_context, path_context};
use crate::validate::{Seen, anthropic, gemini, openai};

/// A dialect under test. The kit knows no dialect crate; tests name the sides.
#[derive(Clone, Copy)]
pub struct Dialect {
    /// Its name.
    pub id: DialectId,
    /// Vendor whose opaque state is native to it: `openai`, `anthropic` or `gemini`.
    pub vendor: &'static str,
    /// Server side.
    pub ingress: &'static dyn Ingress,
    /// Client side.
    pub egress: &'static dyn Egress,
}

impl Dialect {
    /// Decodes a request; Gemini's model and stream flag come from the path.
    ///
    /// # Errors
    /// What the ingress refuses.
    pub fn decode(&self, body: &[u8]) -> Result<(ChatRequest, Vec<Loss>), GatewayError> {
        let document = Document::from_bytes(body, Limits::default()).map_err(|fault| gw_spi::bad_json(&fault))?;
        let context = if self.vendor == "gemini" { path_context("client-model", false) } else { decode_context() };
        self.ingress.decode(&document, &context)
    }

    /// Reads a client's stream strictly.
    ///
    /// # Errors
    /// The rule that the stream breaks.
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
    ///
    /// # Errors
    /// What is missing.
    pub fn read_reply(&self, bytes: &[u8]) -> Result<Seen, String> {
        let seen = match self.vendor {
            "openai" => openai::reply(bytes),
            "anthropic" => anthropic::reply(bytes),
            _ => gemini::reply(bytes),
        };
        seen.map(Seen::normalised)
    }
}
