//! Client side of the format, for OpenAI and every server that speaks like it.

use gw_core::{ChatReply, ChatRequest, Code, DialectId, GatewayError};
use gw_spi::{
    CountReply, EncodeContext, Encoded, EventDecoder, Probe, ProbeReport, RelayWants, ReplyContext, UpstreamFault,
};
use gw_wire::{Document, Splice};

use crate::decode_stream::Decoder;
use crate::{ID, decode_reply, encode, fault, probe, splices};

/// Client side of the OpenAI Chat Completions format.
#[derive(Debug, Clone, Copy, Default)]
pub struct Egress;

impl gw_spi::Egress for Egress {
    fn id(&self) -> DialectId {
        ID
    }

    fn encode(&self, request: &ChatRequest, context: &EncodeContext<'_>) -> Result<Encoded, GatewayError> {
        encode::request(request, context)
    }

    fn encode_count(
        &self,
        _request: &ChatRequest,
        _context: &EncodeContext<'_>,
    ) -> Option<Result<Encoded, GatewayError>> {
        None
    }

    fn decode_count(&self, _body: &[u8]) -> Result<CountReply, GatewayError> {
        Err(GatewayError::new(Code::UpstreamInvalid, "this format has no token-count answer"))
    }

    fn decode_reply(&self, body: &[u8], context: &ReplyContext) -> Result<ChatReply, GatewayError> {
        decode_reply::decode(body, context)
    }

    fn event_decoder(&self, context: &ReplyContext) -> Box<dyn EventDecoder> {
        Box::new(Decoder::new(context))
    }

    fn stream_probe(&self) -> Box<dyn Probe> {
        Box::new(probe::StreamProbe::default())
    }

    fn reply_probe(&self, body: &[u8]) -> ProbeReport {
        probe::reply(body)
    }

    fn decode_fault(&self, fault: &UpstreamFault<'_>) -> GatewayError {
        fault::decode(fault)
    }

    fn relay_splices(&self, envelope: &Document<'_>, wants: &RelayWants<'_>) -> Vec<Splice> {
        splices::relay(envelope, wants)
    }
}
