//! Stop reasons of this format.

use gw_core::Stop;

/// Canonical stop for a provider's `finish_reason`; `None` while generating (absent, `null`, empty).
pub(crate) fn decode(word: &str) -> Option<Stop> {
    Some(match word {
        "" | "null" => return None,
        "stop" | "eos" | "eos_token" | "end_turn" | "stop_sequence" => Stop::End,
        "length" | "max_tokens" => Stop::MaxTokens,
        "model_length" => Stop::ContextWindow,
        "tool_calls" | "function_call" | "tool_use" => Stop::ToolCalls,
        "content_filter" | "safety" => Stop::Filtered(word.to_owned()),
        "insufficient_system_resource" => Stop::Interrupted(word.to_owned()),
        "error" => Stop::Malformed(word.to_owned()),
        other => Stop::Other(other.to_owned()),
    })
}

/// The upgrade rule: calls without the matching stop, and the reverse.
pub(crate) fn settle(stop: Stop, calls: bool) -> Stop {
    match stop {
        Stop::End if calls => Stop::ToolCalls,
        Stop::ToolCalls if !calls => Stop::End,
        other => other,
    }
}

/// `finish_reason` for a client.
pub(crate) fn encode(stop: &Stop, legacy_functions: bool) -> &'static str {
    match stop {
        Stop::End | Stop::StopSequence(_) | Stop::Malformed(_) | Stop::Pause | Stop::Other(_) => "stop",
        // A non-streaming answer that broke off can only be told as cut short; streams get an error event.
        Stop::MaxTokens | Stop::ContextWindow | Stop::Continuation(_) | Stop::Compaction | Stop::Interrupted(_) => {
            "length"
        }
        Stop::ToolCalls if legacy_functions => "function_call",
        Stop::ToolCalls => "tool_calls",
        Stop::Refusal { .. } | Stop::Filtered(_) | Stop::PromptBlocked(_) => "content_filter",
    }
}
