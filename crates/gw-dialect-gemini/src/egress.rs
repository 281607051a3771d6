//! Client side: towards a provider that speaks this format.

use gw_core::{ChatReply, ChatRequest, DialectId, GatewayError};
use gw_spi::{
    CountReply, EncodeContext, Encoded, EventDecoder, Probe, ProbeReport, RelayWants, ReplyContext, UpstreamFault,
};
use gw_wire::{Document, Splice};

use crate::{ID, decode_count, decode_stream, encode, fault, probe, splices};

/// Speaks `generateContent` to providers. Stateless.
#[derive(Debug, Clone, Copy, Default)]
pub struct Egress;

impl gw_spi::Egress for Egress {
    fn id(&self) -> DialectId {
        ID
    }

    fn encode(&self, request: &ChatRequest, context: &EncodeContext<'_>) -> Result<Encoded, GatewayError> {
        encode::encode(request, context)
    }

    fn encode_count(
        &self,
        request: &ChatRequest,
        context: &EncodeContext<'_>,
    ) -> Option<Result<Encoded, GatewayError>> {
        Some(encode::encode_count(request, context))
    }

    fn decode_count(&self, body: &[u8]) -> Result<CountReply, GatewayError> {
        decode_count::decode(body)
    }

    fn decode_reply(&self, body: &[u8], context: &ReplyContext) -> Result<ChatReply, GatewayError> {
        decode_stream::decode_reply(body, context)
    }

    fn event_decoder(&self, context: &ReplyContext) -> Box<dyn EventDecoder> {
        Box::new(decode_stream::Decoder::new(context))
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
