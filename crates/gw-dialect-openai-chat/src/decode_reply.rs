//! A provider's finished answer to the canonical reply: the same state machine as for streams.

use gw_core::{ChatReply, Code, Fold, GatewayError};
use gw_spi::ReplyContext;
use gw_wire::{Document, Kind};

use crate::decode_stream::Decoder;

/// Decodes a finished answer; see [`gw_spi::Egress::decode_reply`].
pub(crate) fn decode(body: &[u8], context: &ReplyContext) -> Result<ChatReply, GatewayError> {
    let invalid = |cause: String| {
        GatewayError::new(Code::UpstreamInvalid, "the provider's answer could not be understood").with_cause(cause)
    };
    let document =
        Document::from_bytes(body, context.limits).map_err(|fault| invalid(format!("not valid JSON: {fault}")))?;
    let root = document.root();
    let root = if root.kind() == Kind::Array { root.items().next().unwrap_or(root) } else { root };
    let mut decoder = Decoder::new(context);
    let mut events = Vec::new();
    decoder.chunk(root, &mut events)?;
    // As at the end of a stream: no choice at all is no answer.
    if root.get_some("choices").is_none_or(|choices| choices.items().next().is_none()) {
        return Err(invalid("the answer has no 'choices'".to_owned()));
    }
    if events.is_empty() {
        decoder.start(root, &mut events);
    }
    decoder.end(&mut events);
    let mut fold = Fold::default();
    for event in events {
        fold.push(event);
    }
    fold.finish()
}
