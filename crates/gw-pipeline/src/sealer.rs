//! Authenticated, encrypted envelopes for opaque vendor state (AES-256-GCM).

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gw_core::{OpaqueState, StateKind};
use gw_spi::StateSealer;

/// Version prefix: nothing that a vendor mints begins so.
const PREFIX: &str = "ige1.";

/// Seals with one key. Nodes that share the key open each other's envelopes.
pub struct EnvelopeSealer {
    key: RandomizedNonceKey,
}

impl EnvelopeSealer {
    /// A sealer with this 256-bit key; `None` when the crypto library refuses it.
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Option<Self> {
        RandomizedNonceKey::new(&AES_256_GCM, key).ok().map(|key| Self { key })
    }
}

impl StateSealer for EnvelopeSealer {
    fn seal(&self, state: &OpaqueState) -> String {
        let kind = match state.kind {
            StateKind::Signature => 's',
            StateKind::Redacted => 'r',
            StateKind::Encrypted => 'e',
        };
        let model = state.model.as_deref().unwrap_or_default();
        let mut plain = format!("{kind}\n{}\n{model}\n{}", state.vendor, state.payload).into_bytes();
        match self.key.seal_in_place_append_tag(Aad::from(PREFIX.as_bytes()), &mut plain) {
            Ok(nonce) => {
                let mut sealed = nonce.as_ref().to_vec();
                sealed.append(&mut plain);
                format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(sealed))
            }
            // An envelope that never opens: the state is lost, and the loss is reported when it comes back.
            Err(_) => format!("{PREFIX}A"),
        }
    }

    fn open(&self, text: &str) -> Option<OpaqueState> {
        let mut sealed = URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX)?).ok()?;
        if sealed.len() <= NONCE_LEN {
            return None;
        }
        let mut rest = sealed.split_off(NONCE_LEN);
        let nonce = Nonce::try_assume_unique_for_key(&sealed).ok()?;
        let plain = self.key.open_in_place(nonce, Aad::from(PREFIX.as_bytes()), &mut rest).ok()?;
        let text = std::str::from_utf8(plain).ok()?;
        let mut fields = text.splitn(4, '\n');
        let kind = match fields.next()? {
            "s" => StateKind::Signature,
            "r" => StateKind::Redacted,
            "e" => StateKind::Encrypted,
            _ => return None,
        };
        let vendor = fields.next()?.to_owned();
        let model = Some(fields.next()?).filter(|model| !model.is_empty()).map(str::to_owned);
        Some(OpaqueState { vendor, model, kind, payload: fields.next()?.to_owned() })
    }

    fn is_envelope(&self, text: &str) -> bool {
        text.starts_with(PREFIX)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use gw_core::{OpaqueState, StateKind};
    use gw_spi::StateSealer as _;

    use super::EnvelopeSealer;

    #[test]
    fn envelopes_open_only_unaltered_and_with_the_same_key() {
        let state = OpaqueState {
            vendor: "anthropic".into(),
            model: Some("m".into()),
            kind: StateKind::Signature,
            payload: "a\nb".into(),
        };
        let sealer = EnvelopeSealer::new(&[7; 32]).unwrap();
        let text = sealer.seal(&state);
        assert!(sealer.is_envelope(&text));
        assert_eq!(sealer.open(&text), Some(state));
        let mut altered = text.clone();
        let last = altered.pop().unwrap();
        altered.push(if last == 'A' { 'B' } else { 'A' });
        assert_eq!(sealer.open(&altered), None);
        assert_eq!(EnvelopeSealer::new(&[8; 32]).unwrap().open(&text), None);
        assert_eq!(sealer.open("EqMBCkYIBxgC"), None);
    }
}
