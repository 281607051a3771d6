//! The canonical chat reply.

use crate::{Extras, Part, RawJson, Stop, Usage};

/// A finished answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChatReply {
    /// The provider's id of the answer.
    pub id: String,
    /// Model as the provider reported it.
    pub model: String,
    /// Creation time in seconds since 1970, when the provider says it.
    pub created: Option<i64>,
    /// Candidates by index.
    pub candidates: Vec<Candidate>,
    /// Usage; `None` when the provider sent none.
    pub usage: Option<Usage>,
    /// Tier that served the request.
    pub service_tier: Option<String>,
    /// `system_fingerprint`; never invented.
    pub fingerprint: Option<String>,
    /// Response-level vendor fields.
    pub extras: Extras,
}

/// One candidate answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Index from 0.
    pub index: u32,
    /// Content in order.
    pub parts: Vec<Part>,
    /// Why it stopped.
    pub stop: Stop,
    /// Log-probabilities in OpenAI's `content[]` item form, when asked for.
    pub logprobs: Option<RawJson>,
    /// Candidate-level vendor fields (safety ratings, grounding metadata).
    pub extras: Extras,
}
