//! Which format to speak to a provider, and whether bytes can be relayed.

use std::sync::Arc;

use gw_core::{Code, DialectId, GatewayError, Operation};
use gw_spi::{Egress, Framing, Provider};

/// How an attempt is made.
#[derive(Clone)]
pub(crate) struct Plan {
    pub(crate) egress: Arc<dyn Egress>,
    /// Framing of streamed answers.
    pub(crate) framing: Framing,
    /// Same format on both sides.
    pub(crate) relay: bool,
}

/// Prefers the client's own format, then the provider's order.
///
/// # Errors
/// `unsupported` when the provider cannot serve the operation.
pub(crate) fn choose(
    client: DialectId,
    provider: &dyn Provider,
    client_framing: Framing,
    operation: Operation,
    model: &str,
    egresses: &[Arc<dyn Egress>],
) -> Result<Plan, GatewayError> {
    let speaks = provider.speaks(operation, model);
    let find = |dialect: DialectId| egresses.iter().find(|egress| egress.id() == dialect);
    let same = speaks.iter().find(|way| way.dialect == client);
    same.into_iter()
        .chain(speaks)
        .find_map(|way| {
            find(way.dialect).map(|egress| Plan {
                egress: Arc::clone(egress),
                // A relayed stream must come in the framing that the client asked for.
                framing: if way.dialect == client { client_framing } else { way.framing },
                relay: way.dialect == client,
            })
        })
        .ok_or_else(|| {
            let message =
                format!("provider '{}' has no {} call for model '{model}'", provider.name(), operation.as_str());
            GatewayError::new(Code::Unsupported, message).with_param("model")
        })
}
