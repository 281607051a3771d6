//! Label sets. Their names and order are an interface.

use std::borrow::Cow;

use prometheus_client::encoding::EncodeLabelSet;

use crate::scrub::scrub;

/// Label of something that a request does not have.
pub(super) const NONE: &str = "none";
/// Label shared by everything beyond the bound on distinct names.
pub(super) const OTHER: &str = "other";

/// Longest label value in bytes.
const MAX_LABEL_BYTES: usize = 128;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct RequestLabels {
    pub(super) format: &'static str,
    pub(super) model: String,
    pub(super) provider: String,
    pub(super) status: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct RouteLabels {
    pub(super) format: &'static str,
    pub(super) model: String,
    pub(super) provider: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct ErrorLabels {
    pub(super) format: &'static str,
    pub(super) model: String,
    pub(super) provider: String,
    pub(super) error_type: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct ActiveLabels {
    pub(super) format: &'static str,
    pub(super) provider: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct TokenLabels {
    pub(super) provider: String,
    pub(super) model: String,
    pub(super) kind: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct ResultLabels {
    pub(super) result: &'static str,
}

/// A client's text as a label value: bounded, and without what looks like a secret.
pub(super) fn label_text(text: &str) -> Cow<'_, str> {
    let cut = text.get(..text.floor_char_boundary(MAX_LABEL_BYTES)).unwrap_or("");
    scrub(cut)
}
