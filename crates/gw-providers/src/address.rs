//! Addresses of calls: finished URLs where the model is not in the path, templates where it is.

use bytes::{BufMut as _, Bytes, BytesMut};
use http::Uri;
use http::uri::{Authority, Parts, PathAndQuery, Scheme};

/// Scheme and authority, fixed at start: nothing that a caller sends can change them.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    pub(crate) scheme: Scheme,
    pub(crate) authority: Authority,
}

/// Where one call goes.
#[derive(Debug, Clone)]
pub(crate) enum Address {
    /// A finished URL.
    Ready(Uri),
    /// The model stands in the path.
    WithModel { before: String, after: String, form: ModelForm },
}

/// How a model stands in a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ModelForm {
    /// One segment, `{model}`.
    Segment,
    /// A resource name, `{resource}`: `models/<model>`, or `tunedModels/<model>` when written so.
    Resource,
}

/// Resource collections that a model name may already carry; the first is the default.
const COLLECTIONS: [&str; 2] = ["models", "tunedModels"];

impl Origin {
    /// A URL below this origin.
    ///
    /// # Errors
    /// When the text is not a path and query.
    pub(crate) fn at(&self, path_and_query: Bytes) -> Result<Uri, http::Error> {
        let mut parts = Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(PathAndQuery::from_maybe_shared(path_and_query)?);
        Ok(Uri::from_parts(parts)?)
    }
}

impl Address {
    /// Prepares an address from path and query with at most one placeholder.
    ///
    /// # Errors
    /// What is wrong with the path.
    pub(crate) fn new(origin: &Origin, path_and_query: &str) -> Result<Self, String> {
        for (placeholder, form) in [("{model}", ModelForm::Segment), ("{resource}", ModelForm::Resource)] {
            if let Some((before, after)) = path_and_query.split_once(placeholder) {
                let address = Self::WithModel { before: before.to_owned(), after: after.to_owned(), form };
                // Rendered once so that a path that can never work is found at start.
                address.url(origin, "model").map_err(|_| format!("is not a path: `{path_and_query}`"))?;
                return Ok(address);
            }
        }
        let text = Bytes::copy_from_slice(path_and_query.as_bytes());
        origin.at(text).map(Self::Ready).map_err(|_| format!("is not a path: `{path_and_query}`"))
    }

    /// The URL for a model.
    ///
    /// # Errors
    /// What is wrong with the model name.
    pub(crate) fn url(&self, origin: &Origin, model: &str) -> Result<Uri, &'static str> {
        let (before, after, form) = match self {
            Self::Ready(uri) => return Ok(uri.clone()),
            Self::WithModel { before, after, form } => (before, after, *form),
        };
        let (collection, name) = match form {
            ModelForm::Segment => ("", model),
            ModelForm::Resource => resource(model),
        };
        // Dot segments are resolved away by servers and proxies, whatever their encoding.
        if matches!(name, "" | "." | "..") {
            return Err("the model name is empty or only dots; name a model of the provider");
        }
        let mut path = BytesMut::with_capacity(before.len() + collection.len() + name.len() + after.len() + 16);
        path.put_slice(before.as_bytes());
        if !collection.is_empty() {
            path.put_slice(collection.as_bytes());
            path.put_u8(b'/');
        }
        put_encoded(&mut path, name);
        path.put_slice(after.as_bytes());
        origin.at(path.freeze()).map_err(|_| "the model name is too long to stand in a URL")
    }
}

fn resource(model: &str) -> (&str, &str) {
    let [default, ..] = COLLECTIONS;
    match model.split_once('/') {
        Some((collection, name)) if COLLECTIONS.contains(&collection) => (collection, name),
        _ => (default, model),
    }
}

/// Percent-encodes all but unreserved characters, so that the service decodes exactly the name that was given.
pub(crate) fn put_encoded(out: &mut BytesMut, text: &str) {
    const HEX: [u8; 16] = *b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.put_u8(byte);
        } else {
            let digit = |value: u8| HEX.get(usize::from(value)).copied().unwrap_or(b'0');
            out.extend_from_slice(&[b'%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
}
