//! Envelopes for opaque vendor state that travels through a client of another vendor's format.

use gw_core::OpaqueState;

/// Seals vendor state into authenticated, encrypted text and opens it again. The gateway owns the key.
pub trait StateSealer: Send + Sync {
    /// Text that is safe to hand to a client (base64url alphabet and `.`), never empty.
    fn seal(&self, state: &OpaqueState) -> String;

    /// The state inside, when `text` is an envelope of this gateway; `None` for anything else.
    fn open(&self, text: &str) -> Option<OpaqueState>;

    /// Whether `text` looks like an envelope, openable or not: such text is never a vendor's own value.
    fn is_envelope(&self, text: &str) -> bool;
}

/// For tests of codecs: seals into readable text without protection.
#[derive(Debug, Default, Clone, Copy)]
pub struct NoSealer;

impl StateSealer for NoSealer {
    fn seal(&self, state: &OpaqueState) -> String {
        let kind = match state.kind {
            gw_core::StateKind::Signature => "s",
            gw_core::StateKind::Redacted => "r",
            gw_core::StateKind::Encrypted => "e",
        };
        format!("igx.{}.{}.{}.{}", state.vendor, kind, state.model.as_deref().unwrap_or(""), state.payload)
    }

    fn open(&self, text: &str) -> Option<OpaqueState> {
        let rest = text.strip_prefix("igx.")?;
        let (vendor, rest) = rest.split_once('.')?;
        let (kind, rest) = rest.split_once('.')?;
        let (payload_model, payload) = rest.rsplit_once('.')?;
        let kind = match kind {
            "s" => gw_core::StateKind::Signature,
            "r" => gw_core::StateKind::Redacted,
            "e" => gw_core::StateKind::Encrypted,
            _ => return None,
        };
        Some(OpaqueState {
            vendor: vendor.to_owned(),
            model: (!payload_model.is_empty()).then(|| payload_model.to_owned()),
            kind,
            payload: payload.to_owned(),
        })
    }

    fn is_envelope(&self, text: &str) -> bool {
        text.starts_with("igx.")
    }
}
