//! JSON string escapes.

/// Undoes the escapes of a valid JSON string's inner text. A lone surrogate, which has no Unicode meaning, becomes
/// U+FFFD.
#[must_use]
pub fn unescape(inner: &str) -> String {
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(found) = memchr::memchr(b'\\', rest.as_bytes()) {
        out.push_str(rest.get(..found).unwrap_or_default());
        let escape = rest.get(found + 1..).unwrap_or_default();
        let mut letters = escape.chars();
        match letters.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{c}'),
            Some('u') => {
                let (letter, used) = unicode(escape);
                out.push(letter);
                rest = escape.get(used..).unwrap_or_default();
                continue;
            }
            Some(letter) => out.push(letter),
            None => {}
        }
        rest = letters.as_str();
    }
    out.push_str(rest);
    out
}

/// Reads `uXXXX`, joined with a following `\uXXXX` when the two are a surrogate pair; returns the bytes used.
fn unicode(escape: &str) -> (char, usize) {
    let unit = |text: Option<&str>| text.and_then(|digits| u32::from_str_radix(digits, 16).ok());
    let Some(high) = unit(escape.get(1..5)) else { return ('\u{fffd}', escape.len().min(5)) };
    if !(0xd800..0xdc00).contains(&high) {
        return (char::from_u32(high).unwrap_or('\u{fffd}'), 5);
    }
    let low = (escape.get(5..7) == Some("\\u")).then(|| unit(escape.get(7..11))).flatten();
    match low {
        Some(low) if (0xdc00..0xe000).contains(&low) => {
            let joined = 0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00);
            (char::from_u32(joined).unwrap_or('\u{fffd}'), 11)
        }
        _ => ('\u{fffd}', 5),
    }
}

/// Appends a JSON string with quotes. U+2028, U+2029 and U+0085 are escaped too: some stream clients take them for
/// line ends.
pub fn write_string(text: &str, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut plain_from = 0;
    let mut at = 0;
    while let Some(byte) = bytes.get(at).copied() {
        let (escape, used): (&[u8], usize) = match byte {
            b'"' => (b"\\\"", 1),
            b'\\' => (b"\\\\", 1),
            b'\n' => (b"\\n", 1),
            b'\r' => (b"\\r", 1),
            b'\t' => (b"\\t", 1),
            0xc2 if bytes.get(at + 1) == Some(&0x85) => (b"\\u0085", 2),
            0xe2 if bytes.get(at + 1..at + 3) == Some(&[0x80, 0xa8]) => (b"\\u2028", 3),
            0xe2 if bytes.get(at + 1..at + 3) == Some(&[0x80, 0xa9]) => (b"\\u2029", 3),
            0x00..=0x1f => (b"", 1),
            _ => {
                at += 1;
                continue;
            }
        };
        out.extend_from_slice(bytes.get(plain_from..at).unwrap_or_default());
        if escape.is_empty() {
            let digit = |nibble: u8| HEX.get(usize::from(nibble)).copied().unwrap_or(b'0');
            out.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 15)]);
        } else {
            out.extend_from_slice(escape);
        }
        at += used;
        plain_from = at;
    }
    out.extend_from_slice(bytes.get(plain_from..).unwrap_or_default());
    out.push(b'"');
}
