//! `data:` URLs (RFC 2397).

/// A parsed `data:` URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataUrl<'u> {
    /// MIME type without parameters, lower case; `text/plain` when absent.
    pub mime: String,
    /// Whether the payload is base64.
    pub base64: bool,
    /// Payload as written.
    pub payload: &'u str,
}

/// Parses `data:[<mime>][;param]*[;base64],<payload>`; `None` when the text is not a data URL.
#[must_use]
pub fn parse(url: &str) -> Option<DataUrl<'_>> {
    let scheme = url.get(..5)?;
    if !scheme.eq_ignore_ascii_case("data:") {
        return None;
    }
    let (head, payload) = url.get(5..)?.split_once(',')?;
    let mut pieces = head.split(';');
    let mime = pieces.next().unwrap_or_default().trim().to_ascii_lowercase();
    let base64 = pieces.any(|piece| piece.trim().eq_ignore_ascii_case("base64"));
    let mime = if mime.is_empty() { "text/plain".to_owned() } else { mime };
    Some(DataUrl { mime, base64, payload })
}

/// Whether text can be base64 (either alphabet, padded or not, with or without line breaks). What it decodes to is the
/// provider's business.
#[must_use]
pub fn is_base64(data: &str) -> bool {
    let (mut digits, mut padding) = (0_usize, 0_usize);
    for byte in data.bytes().filter(|byte| !byte.is_ascii_whitespace()) {
        match byte {
            b'=' => padding += 1,
            _ if padding > 0 => return false,
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' | b'-' | b'_' => digits += 1,
            _ => return false,
        }
    }
    digits > 0 && digits % 4 != 1 && padding <= 2
}

/// The MIME type that base64 data begins like, from the file signatures of the formats that models take.
#[must_use]
pub fn sniff_base64(data: &str) -> Option<&'static str> {
    const SIGNATURES: &[(&str, &str)] =
        &[("iVBORw0KGgo", "image/png"), ("/9j/", "image/jpeg"), ("R0lGOD", "image/gif"), ("JVBERi", "application/pdf")];
    if data.starts_with("UklGR") {
        // RIFF: bytes 8..12 name the form type.
        return match data.get(10..16) {
            Some(form) if form.starts_with("XRUJQ") || form.contains("V0VCUA") => Some("image/webp"),
            Some(form) if form.contains("BXQVZ") || form.contains("V0FWRQ") => Some("audio/wav"),
            _ => None,
        };
    }
    SIGNATURES.iter().find(|(prefix, _)| data.starts_with(prefix)).map(|(_, mime)| *mime)
}
