//! The stream grammar: what a decoder emits and an encoder consumes.
//!
//! Laws (checked by [`crate::LawChecker`]): one `Start` first; a part is opened once, gets deltas only while open, and
//! is closed before its candidate finishes; a candidate finishes once; usage is a cumulative snapshot; exactly one
//! terminal event, `End` or `Fault`, and nothing after it.

use crate::{Citation, Extra, GatewayError, OpaqueState, Part, RawJson, Stop, ToolKind, Usage};

/// Number of a part: assigned by the decoder, unique in the stream, rising in order of opening.
pub type PartRef = u32;

/// One step of an answer.
#[derive(Debug, Clone)]
pub enum Event {
    /// The answer begins.
    Start(Start),
    /// A part opens.
    PartStart {
        /// Candidate it belongs to.
        candidate: u32,
        /// Its number.
        part: PartRef,
        /// What it is.
        opening: PartOpening,
    },
    /// Content for an open part.
    PartDelta {
        /// Its number.
        part: PartRef,
        /// The content.
        delta: Delta,
    },
    /// A part is complete.
    PartEnd {
        /// Its number.
        part: PartRef,
    },
    /// A cumulative usage snapshot.
    Usage(Usage),
    /// A candidate is complete.
    Finish {
        /// Candidate index.
        candidate: u32,
        /// Why it stopped.
        stop: Stop,
    },
    /// Log-probabilities for a candidate: a JSON array of OpenAI `content[]` items.
    Logprobs {
        /// Candidate index.
        candidate: u32,
        /// Array of items.
        items: RawJson,
    },
    /// A vendor field of a candidate (`Some`) or of the whole answer (`None`), kept for same-dialect clients.
    Vendor {
        /// Candidate index, or the answer.
        candidate: Option<u32>,
        /// Name and value.
        extra: Extra,
    },
    /// The upstream is alive.
    Ping,
    /// The answer failed: terminal.
    Fault(Box<GatewayError>),
    /// The answer is complete: terminal.
    End,
}

/// Facts known when the answer begins.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Start {
    /// The provider's id of the answer.
    pub id: String,
    /// Model as the provider reported it.
    pub model: String,
    /// Creation time in seconds since 1970.
    pub created: Option<i64>,
    /// Tier.
    pub service_tier: Option<String>,
    /// Fingerprint.
    pub fingerprint: Option<String>,
}

/// What a part is when it opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartOpening {
    /// Text follows.
    Text,
    /// Refusal text follows.
    Refusal,
    /// Reasoning follows.
    Reasoning {
        /// Whether the text is a summary.
        summary: bool,
    },
    /// A tool call; arguments follow.
    ToolCall {
        /// Links call and result; never empty (decoders mint one when the vendor has none).
        call_id: String,
        /// Tool name.
        name: String,
        /// Function or custom.
        kind: ToolKind,
    },
    /// A part that arrives whole (image, audio, vendor block); only a `State` delta may follow.
    Whole(Box<Part>),
}

/// Content for an open part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delta {
    /// Text of a text or refusal part, or of reasoning.
    Text(String),
    /// A fragment of a tool call's argument text (raw, not necessarily at JSON boundaries).
    Arguments(String),
    /// Vendor state for the part; replaces an earlier one.
    State(OpaqueState),
    /// A citation for the text part.
    Citation(Citation),
}
