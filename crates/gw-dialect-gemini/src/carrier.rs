//! `thoughtSignature`: the vendor's own bytes, or a gateway envelope for another vendor's state.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose};
use gw_core::{OpaqueState, StateKind};
use gw_spi::StateSealer;

use crate::VENDOR;

const LENIENT: GeneralPurposeConfig = general_purpose::NO_PAD
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// What a client's signature turned out to be.
pub(crate) enum Opened {
    /// State of its vendor.
    State(OpaqueState),
    /// An envelope that this gateway cannot open.
    Unreadable,
}

/// The text for a client: the payload itself for this vendor, else a sealed envelope (base64, as the field is bytes).
pub(crate) fn to_client(state: &OpaqueState, sealer: &dyn StateSealer) -> String {
    if state.vendor == VENDOR {
        return state.payload.clone();
    }
    general_purpose::STANDARD.encode(sealer.seal(state))
}

/// Reads a client's signature. The official clients treat the field as bytes and may write it back in either base64
/// alphabet.
pub(crate) fn from_client(text: &str, sealer: &dyn StateSealer) -> Opened {
    let decoded = STANDARD.decode(text).or_else(|_| URL_SAFE.decode(text)).ok();
    let inner = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
    for candidate in inner.as_deref().into_iter().chain([text]) {
        if let Some(state) = sealer.open(candidate) {
            return Opened::State(state);
        }
        if sealer.is_envelope(candidate) {
            return Opened::Unreadable;
        }
    }
    Opened::State(own(text, VENDOR))
}

/// State minted by the given vendor.
pub(crate) fn own(text: &str, vendor: &str) -> OpaqueState {
    OpaqueState { vendor: vendor.to_owned(), model: None, kind: StateKind::Signature, payload: text.to_owned() }
}

/// Base64 of a text, for documents that are given as text.
pub(crate) fn base64_of(text: &str) -> String {
    general_purpose::STANDARD.encode(text)
}
