//! Where callers present their key.

use std::borrow::Cow;

use http::{HeaderMap, header};

/// Headers that carry the key itself, in order of preference (Anthropic prefers `x-api-key` when both are sent).
const HEADERS: [&str; 3] = ["x-api-key", "x-goog-api-key", "api-key"];

/// The key that a request presents, if any.
pub(crate) fn of<'r>(headers: &'r HeaderMap, query: Option<&'r str>) -> Option<Cow<'r, str>> {
    for name in HEADERS {
        if let Some(value) = headers.get(name) {
            return value.to_str().ok().map(|key| Cow::Borrowed(key.trim()));
        }
    }
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let text = value.to_str().ok()?;
        let (scheme, key) = text.split_once(' ')?;
        return scheme.eq_ignore_ascii_case("bearer").then(|| Cow::Borrowed(key.trim()));
    }
    let value = query?.split('&').find_map(|pair| pair.strip_prefix("key="))?;
    Some(decode(value))
}

/// Undoes percent-encoding; what is not valid stays as it is.
pub(crate) fn decode(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at).copied() {
        let digits = bytes.get(at + 1..at + 3).and_then(|digits| std::str::from_utf8(digits).ok());
        match (byte, digits.and_then(|digits| u8::from_str_radix(digits, 16).ok())) {
            (b'%', Some(decoded)) => {
                out.push(decoded);
                at += 3;
            }
            _ => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8(out).map_or(Cow::Borrowed(text), Cow::Owned)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue};

    #[test]
    fn every_place_is_read() {
        let of = |name: &'static str, value: &str, query: Option<&str>| {
            let mut headers = HeaderMap::new();
            if !name.is_empty() {
                headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
            }
            super::of(&headers, query).map(|key| key.into_owned())
        };
        for name in ["x-api-key", "x-goog-api-key", "api-key"] {
            assert_eq!(of(name, "k", None).as_deref(), Some("k"));
        }
        assert_eq!(of("authorization", "Bearer k", None).as_deref(), Some("k"));
        assert_eq!(of("authorization", "bearer  k ", None).as_deref(), Some("k"));
        assert_eq!(of("authorization", "Basic eDp5", None), None);
        assert_eq!(of("", "", Some("alt=sse&key=a%2Db")).as_deref(), Some("a-b"));
        assert_eq!(of("", "", Some("monkey=1")), None);
    }
}
