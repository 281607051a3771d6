//! Keeping the provider's key out of what the provider says: some repeat a refused key in their error texts.

use bytes::{Bytes, BytesMut};
use gw_core::GatewayError;
use http::{HeaderMap, HeaderValue};
use memchr::memmem;

const HEADERS: [&str; 4] = ["authorization", "x-api-key", "x-goog-api-key", "api-key"];
/// Shorter values are placeholders, and would be found in ordinary words.
const SHORTEST: usize = 6;
const REDACTED: &str = "[redacted]";

/// The secrets of one request. Never shown: header values marked as sensitive stay so.
#[derive(Clone, Default)]
pub(crate) struct Credentials(Vec<HeaderValue>);

impl Credentials {
    /// What the request's headers carry.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        Self(HEADERS.iter().filter_map(|name| headers.get(*name).cloned()).collect())
    }

    fn secrets<'s>(&'s self) -> impl Iterator<Item = &'s [u8]> {
        let bare = |value: &'s HeaderValue| value.as_bytes().strip_prefix(b"Bearer ").unwrap_or(value.as_bytes());
        self.0.iter().map(bare).filter(|secret| secret.len() >= SHORTEST)
    }

    /// The bytes with every secret in them replaced.
    pub(crate) fn cut(&self, bytes: Bytes) -> Bytes {
        let mut clean = bytes;
        for secret in self.secrets() {
            if memmem::find(&clean, secret).is_none() {
                continue;
            }
            let mut out = BytesMut::with_capacity(clean.len());
            let mut rest = clean.as_ref();
            while let Some(at) = memmem::find(rest, secret) {
                let (before, after) = rest.split_at(at);
                out.extend_from_slice(before);
                out.extend_from_slice(REDACTED.as_bytes());
                rest = after.get(secret.len()..).unwrap_or_default();
            }
            out.extend_from_slice(rest);
            clean = out.freeze();
        }
        clean
    }

    /// The same for an error that was read inside a stream.
    pub(crate) fn cut_error(&self, error: &mut GatewayError) {
        for secret in self.secrets().filter_map(|secret| std::str::from_utf8(secret).ok()) {
            if error.message.contains(secret) {
                error.message = error.message.replace(secret, REDACTED).into();
            }
            if let Some(cause) = &mut error.cause
                && cause.contains(secret)
            {
                *cause = cause.replace(secret, REDACTED);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use gw_core::{Code, GatewayError};
    use http::{HeaderMap, HeaderValue};

    use super::Credentials;

    #[test]
    fn secrets_are_replaced_and_everything_else_stays() {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", HeaderValue::from_static("Bearer sk-123456"));
        headers.insert("x-goog-api-key", HeaderValue::from_static("k"));
        let credentials = Credentials::of(&headers);
        let cut = credentials.cut(Bytes::from_static(b"key sk-123456, ok; sk-123456"));
        assert_eq!(cut, "key [redacted], ok; [redacted]");
        assert_eq!(credentials.cut(Bytes::from_static(b"Bearer sk-12345")), "Bearer sk-12345");
        let mut error = GatewayError::new(Code::UpstreamError, "bad sk-123456").with_cause("sk-123456");
        credentials.cut_error(&mut error);
        assert_eq!((error.message.as_ref(), error.cause.as_deref()), ("bad [redacted]", Some("[redacted]")));
    }
}
