//! A provider's finished answer, through the same assembly as a stream.

use gw_core::{ChatReply, Code, Fold, GatewayError};
use gw_spi::ReplyContext;
use gw_wire::{Document, Kind};

use crate::decode_stream::Assembly;
use crate::fault;

/// Decodes a message.
pub(crate) fn decode(body: &[u8], context: &ReplyContext) -> Result<ChatReply, GatewayError> {
    let document = Document::from_bytes(body, context.limits).map_err(|fault| invalid(fault.to_string()))?;
    let message = document.root();
    if message.kind() != Kind::Object {
        return Err(invalid(format!("the answer is {}", message.kind().described())));
    }
    let is_error = message.get_some("type").and_then(|kind| kind.str()).is_some_and(|kind| kind == "error");
    let content = message.get_some("content").filter(|content| content.kind() == Kind::Array);
    if is_error || (content.is_none() && message.get_some("error").is_some()) {
        return Err(fault::in_stream(message));
    }
    let Some(content) = content else { return Err(invalid("the answer has no content".to_owned())) };
    let mut assembly = Assembly::new(context);
    let mut events = Vec::new();
    assembly.message(message, &mut events);
    for (index, block) in (0u64..).zip(content.items()) {
        assembly.block_start(index, block, &mut events);
        assembly.block_stop(index, &mut events);
    }
    assembly.stopped(message);
    assembly.end(&mut events);
    let mut fold = Fold::default();
    events.into_iter().for_each(|event| fold.push(event));
    fold.finish()
}

fn invalid(cause: String) -> GatewayError {
    GatewayError::new(Code::UpstreamInvalid, "the provider's answer could not be understood").with_cause(cause)
}
