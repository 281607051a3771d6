//! A provider's token count.

use gw_core::{Code, GatewayError};
use gw_spi::CountReply;
use gw_wire::{Document, Limits};

/// Reads `totalTokens`.
///
/// # Errors
/// `upstream_invalid` when there is none.
pub(crate) fn decode(body: &[u8]) -> Result<CountReply, GatewayError> {
    let invalid = |cause: String| {
        GatewayError::new(Code::UpstreamInvalid, "the provider's token count could not be understood").with_cause(cause)
    };
    let document = Document::from_bytes(body, Limits::default()).map_err(|fault| invalid(fault.to_string()))?;
    let root = document.root();
    let count = root.get("totalTokens").or_else(|| root.get("total_tokens")).and_then(|count| count.u64());
    let input_tokens = count.ok_or_else(|| invalid("totalTokens is missing".to_owned()))?;
    Ok(CountReply { input_tokens })
}
