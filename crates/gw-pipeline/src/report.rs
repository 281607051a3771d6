//! Losses towards policy and response headers.

use gw_core::{Code, GatewayError, Loss, LossClass, Mode};
use gw_spi::Ingress;
use http::{HeaderMap, HeaderValue};

/// Longest list of warnings in a header; the log has all of them.
const WARNINGS: usize = 2_000;

/// Header by which a request chooses its own strictness: `strict`, `default` or `lenient`.
pub(crate) const MODE_HEADER: &str = "x-irongate-mode";

/// The strictness of a request.
///
/// # Errors
/// `bad_request` for an unknown word.
pub(crate) fn mode_of(headers: &HeaderMap, default: Mode) -> Result<Mode, GatewayError> {
    let Some(value) = headers.get(MODE_HEADER) else { return Ok(default) };
    match value.as_bytes() {
        b"strict" => Ok(Mode::Strict),
        b"default" => Ok(Mode::Default),
        b"lenient" => Ok(Mode::Lenient),
        _ => Err(GatewayError::bad_field(MODE_HEADER, "header 'x-irongate-mode' must be strict, default or lenient")),
    }
}

/// Refuses a request whose losses the mode does not allow.
///
/// # Errors
/// `unsupported`, naming the caller's field.
pub(crate) fn enforce(
    losses: &[Loss],
    mode: Mode,
    ingress: &dyn Ingress,
    provider: &str,
    model: &str,
) -> Result<(), GatewayError> {
    let Some(loss) = losses.iter().find(|loss| loss.refused_under(mode)) else { return Ok(()) };
    let pointer = ingress.pointer(loss);
    let why = if loss.note.is_empty() { "it has no such field" } else { loss.note.as_ref() };
    let hint = match loss.class {
        LossClass::Safety => "remove it, or choose a model that supports it",
        _ => "choose a model that supports it, or send 'x-irongate-mode: lenient' to have it left out",
    };
    let message = format!("'{pointer}' cannot be carried to model '{model}' of provider '{provider}': {why}; {hint}");
    Err(GatewayError::new(Code::Unsupported, message).with_param(pointer))
}

/// `x-irongate-warnings`: what was approximated, emulated or dropped.
pub(crate) fn warnings(losses: &[Loss], ingress: &dyn Ingress) -> Option<HeaderValue> {
    let mut text = String::new();
    for loss in losses.iter().filter(|loss| loss.class != LossClass::Performance) {
        let entry = format!("{};ptr={};act={}", loss.field.name(), ingress.pointer(loss), loss.action.as_str());
        if text.len() + entry.len() + 2 > WARNINGS {
            text.push_str(", ...");
            break;
        }
        if !text.is_empty() {
            text.push_str(", ");
        }
        text.push_str(&entry);
    }
    (!text.is_empty()).then(|| HeaderValue::from_str(&text).ok()).flatten()
}
