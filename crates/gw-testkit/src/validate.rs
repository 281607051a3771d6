//! Strict readers of what a client receives: state machines for each dialect's streams, and readers of whole replies.
//! Both give the same [`Seen`], so that a streamed answer can be compared with a whole one as the client reads them.

pub mod anthropic;
pub mod gemini;
pub mod openai;

use std::collections::BTreeMap;

use bytes::Bytes;
use gw_wire::{Frame, SseFramer};
use serde_json::Value;

/// A tool call as a client reads it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SeenCall {
    /// Call id; empty where the dialect sent none.
    pub id: String,
    /// Tool name.
    pub name: String,
    /// Argument text, without insignificant white space where it is valid JSON.
    pub arguments: String,
}

/// One candidate as a client reads it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SeenCandidate {
    /// Visible text, joined.
    pub text: String,
    /// Refusal text, joined.
    pub refusal: String,
    /// Readable reasoning, joined.
    pub reasoning: String,
    /// Signatures and redacted payloads in order.
    pub states: Vec<String>,
    /// Tool calls in order.
    pub calls: Vec<SeenCall>,
    /// The dialect's stop word.
    pub stop: Option<String>,
}

/// A whole answer as a client reads it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seen {
    /// Candidates by index.
    pub candidates: BTreeMap<u64, SeenCandidate>,
    /// Input and output tokens as the dialect counts them, when told.
    pub usage: Option<(u64, u64)>,
    /// Error message, when the answer failed.
    pub error: Option<String>,
}

impl Seen {
    pub(crate) fn candidate(&mut self, index: u64) -> &mut SeenCandidate {
        self.candidates.entry(index).or_default()
    }

    /// The answer with argument texts in one form, for comparison.
    #[must_use]
    pub fn normalised(mut self) -> Self {
        for call in self.candidates.values_mut().flat_map(|candidate| &mut candidate.calls) {
            if let Ok(value) = serde_json::from_str::<Value>(&call.arguments) {
                call.arguments = value.to_string();
            }
        }
        self
    }
}

/// Begins the message about a value that the provider of the same dialect wrote and that is passed on unread.
pub const UNREAD: &str = "passed on unread: ";

/// Fails with a message unless the condition holds.
pub(crate) fn ensure(holds: bool, message: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(message()) }
}

pub(crate) fn sse_frames(bytes: &[u8]) -> Result<Vec<Frame>, String> {
    let text = std::str::from_utf8(bytes).map_err(|fault| format!("the stream is not UTF-8: {fault}"))?;
    // Line separators that some clients take for line ends must be escaped.
    ensure(!text.contains(['\u{2028}', '\u{2029}', '\u{85}']), || "a raw Unicode line separator".to_owned())?;
    ensure(bytes.is_empty() || text.ends_with("\n\n"), || "the last frame has no blank line".to_owned())?;
    let mut framer = SseFramer::new(usize::MAX);
    let mut out = Vec::new();
    framer.push(Bytes::copy_from_slice(bytes), &mut out).map_err(|fault| fault.to_string())?;
    ensure(!framer.has_pending(), || "bytes after the last frame".to_owned())?;
    Ok(out)
}

pub(crate) fn parse(data: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(data).map_err(|fault| format!("{fault} in {}", String::from_utf8_lossy(data)))
}

pub(crate) fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

/// Remembers the first value and requires that it never changes.
#[derive(Debug, Default)]
pub(crate) struct Constant(Option<Value>);

impl Constant {
    pub(crate) fn check(&mut self, name: &str, value: &Value) -> Result<(), String> {
        let first = self.0.get_or_insert_with(|| value.clone());
        ensure(first == value, || format!("'{name}' changed from {first} to {value}"))
    }
}
