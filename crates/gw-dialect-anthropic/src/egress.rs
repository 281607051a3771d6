//! Client side of the format.

use gw_core::{ChatReply, ChatRequest, Code, DialectId, GatewayError};
use gw_spi::{
    CountReply, Egress as EgressPort, EncodeContext, Encoded, EventDecoder, Probe, ProbeReport, RelayWants,
    ReplyContext, UpstreamFault,
};
use gw_wire::{Document, Limits, Splice};

use crate::encode::{Purpose, encode};
use crate::{Egress, ID, decode_reply, decode_stream, fault, probe, splices};

impl EgressPort for Egress {
    fn id(&self) -> DialectId {
        ID
    }

    fn encode(&self, request: &ChatRequest, context: &EncodeContext<'_>) -> Result<Encoded, GatewayError> {
        encode(request, context, Purpose::Answer)
    }

    fn encode_count(
        &self,
        request: &ChatRequest,
        context: &EncodeContext<'_>,
    ) -> Option<Result<Encoded, GatewayError>> {
        Some(encode(request, context, Purpose::Count))
    }

    fn decode_count(&self, body: &[u8]) -> Result<CountReply, GatewayError> {
        let invalid = |why: String| {
            GatewayError::new(Code::UpstreamInvalid, "the provider's token count could not be understood")
                .with_cause(why)
        };
        let document = Document::from_bytes(body, Limits::default()).map_err(|fault| invalid(fault.to_string()))?;
        let count = document.root().get_some("input_tokens").and_then(|count| count.u64());
        count.map(|input_tokens| CountReply { input_tokens }).ok_or_else(|| invalid("no input_tokens".to_owned()))
    }

    fn decode_reply(&self, body: &[u8], context: &ReplyContext) -> Result<ChatReply, GatewayError> {
        decode_reply::decode(body, context)
    }

    fn event_decoder(&self, context: &ReplyContext) -> Box<dyn EventDecoder> {
        Box::new(decode_stream::Decoder::new(context.clone()))
    }

    fn stream_probe(&self) -> Box<dyn Probe> {
        Box::new(probe::StreamProbe::default())
    }

    fn reply_probe(&self, body: &[u8]) -> ProbeReport {
        probe::reply(body)
    }

    fn decode_fault(&self, upstream: &UpstreamFault<'_>) -> GatewayError {
        fault::decode(upstream)
    }

    fn relay_splices(&self, envelope: &Document<'_>, wants: &RelayWants<'_>) -> Vec<Splice> {
        splices::splices(envelope, wants)
    }
}
