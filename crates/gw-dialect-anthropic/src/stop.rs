//! Stop reasons in both directions.

use gw_core::Stop;
use gw_spi::Fields;
use gw_wire::{Json, JsonWriter};

use crate::VENDOR;

/// Reads `stop_reason` with `stop_sequence` and `stop_details` from a message or a `message_delta`'s delta; `None`
/// while there is none.
pub(crate) fn read(holder: Json<'_>) -> Option<Stop> {
    let text = |object: Json<'_>, name: &str| object.get_some(name).and_then(|value| value.string());
    let reason = text(holder, "stop_reason")?;
    Some(match reason.as_str() {
        "end_turn" => Stop::End,
        "max_tokens" => Stop::MaxTokens,
        "stop_sequence" => Stop::StopSequence(text(holder, "stop_sequence")),
        "tool_use" => Stop::ToolCalls,
        "pause_turn" => Stop::Pause,
        "model_context_window_exceeded" => Stop::ContextWindow,
        "compaction" => Stop::Compaction,
        "refusal" => {
            let details = holder.get_some("stop_details").and_then(|details| Fields::new(details, "").ok());
            let detail = |name: &str| details.as_ref().and_then(|fields| fields.string(name).ok().flatten());
            Stop::Refusal { category: detail("category"), explanation: detail("explanation") }
        }
        _ => Stop::Other(reason),
    })
}

/// Upgrade rule: a plain end with client calls is a tool stop, and a tool stop without calls is a plain end.
pub(crate) fn settled(stop: Stop, has_calls: bool) -> Stop {
    match (stop, has_calls) {
        (Stop::End, true) => Stop::ToolCalls,
        (Stop::ToolCalls, false) => Stop::End,
        (stop, _) => stop,
    }
}

/// A stop as this format writes it.
pub(crate) struct Shown<'s> {
    /// `stop_reason`.
    pub(crate) reason: &'s str,
    /// `stop_sequence`.
    pub(crate) sequence: Option<&'s str>,
    /// Category and explanation of `stop_details`.
    pub(crate) refusal: Option<(Option<&'s str>, Option<&'s str>)>,
}

/// The words for a canonical stop. `refused` tells whether the answer holds a refusal part. `vendor` is the upstream's:
/// its own newer words pass through.
pub(crate) fn shown<'s>(stop: &'s Stop, refused: bool, vendor: &str) -> Shown<'s> {
    let mut shown = Shown { reason: "end_turn", sequence: None, refusal: None };
    match stop {
        Stop::End if refused => {
            shown.reason = "refusal";
            shown.refusal = Some((None, None));
        }
        Stop::End | Stop::Malformed(_) | Stop::Interrupted(_) => {}
        Stop::StopSequence(Some(sequence)) => {
            shown.reason = "stop_sequence";
            shown.sequence = Some(sequence);
        }
        Stop::StopSequence(None) => shown.reason = "stop_sequence",
        Stop::MaxTokens | Stop::Continuation(_) => shown.reason = "max_tokens",
        Stop::ContextWindow => shown.reason = "model_context_window_exceeded",
        Stop::ToolCalls => shown.reason = "tool_use",
        Stop::Refusal { category, explanation } => {
            shown.reason = "refusal";
            shown.refusal = Some((category.as_deref(), explanation.as_deref()));
        }
        Stop::Filtered(_) | Stop::PromptBlocked(_) => {
            shown.reason = "refusal";
            shown.refusal = Some((None, None));
        }
        Stop::Pause => shown.reason = "pause_turn",
        Stop::Compaction => shown.reason = "compaction",
        Stop::Other(word) if vendor == VENDOR => shown.reason = word,
        Stop::Other(_) => {}
    }
    shown
}

impl Shown<'_> {
    /// Writes the members `stop_reason`, `stop_sequence` and `stop_details`.
    pub(crate) fn write(&self, w: &mut JsonWriter) {
        w.field_str("stop_reason", self.reason);
        match self.sequence {
            Some(sequence) => w.field_str("stop_sequence", sequence),
            None => w.field_null("stop_sequence"),
        }
        match self.refusal {
            Some((category, explanation)) => w.field_object("stop_details", |w| {
                w.field_str("type", "refusal");
                for (name, value) in [("category", category), ("explanation", explanation)] {
                    match value {
                        Some(value) => w.field_str(name, value),
                        None => w.field_null(name),
                    }
                }
            }),
            None => w.field_null("stop_details"),
        }
    }
}
