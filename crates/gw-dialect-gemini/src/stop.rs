//! `finishReason`, both ways.

use gw_core::Stop;

/// Reasons for which output is withheld.
const FILTERED: &[&str] = &[
    "SAFETY",
    "RECITATION",
    "LANGUAGE",
    "BLOCKLIST",
    "PROHIBITED_CONTENT",
    "SPII",
    "IMAGE_SAFETY",
    "IMAGE_PROHIBITED_CONTENT",
    "IMAGE_RECITATION",
    "IMAGE_OTHER",
    "MODEL_ARMOR",
    "ESCALATION",
    "PUP_LIMITED_DISABLED",
];

/// Reasons for output that nobody can use.
const MALFORMED: &[&str] = &[
    "MALFORMED_FUNCTION_CALL",
    "UNEXPECTED_TOOL_CALL",
    "TOO_MANY_TOOL_CALLS",
    "MISSING_THOUGHT_SIGNATURE",
    "MALFORMED_RESPONSE",
    "NO_IMAGE",
];

/// Canonical stop of a reason; `calls` tells whether the candidate calls client tools.
pub(crate) fn decode(reason: &str, calls: bool, continuation: Option<String>) -> Stop {
    match reason {
        "STOP" if calls => Stop::ToolCalls,
        "STOP" => Stop::End,
        "MAX_TOKENS" => Stop::MaxTokens,
        "CONTINUATION" => Stop::Continuation(continuation),
        filtered if FILTERED.contains(&filtered) => Stop::Filtered(filtered.to_owned()),
        malformed if MALFORMED.contains(&malformed) => Stop::Malformed(malformed.to_owned()),
        other => Stop::Other(other.to_owned()),
    }
}

/// The reason for a client. Values of other vendors become the nearest known one.
pub(crate) fn encode(stop: &Stop) -> &str {
    match stop {
        Stop::End | Stop::StopSequence(_) | Stop::ToolCalls => "STOP",
        Stop::MaxTokens | Stop::ContextWindow => "MAX_TOKENS",
        Stop::Refusal { .. } => "SAFETY",
        Stop::Filtered(word) => FILTERED.iter().find(|known| *known == word).copied().unwrap_or("SAFETY"),
        Stop::PromptBlocked(_) => "SAFETY",
        Stop::Malformed(word) => MALFORMED.iter().find(|known| *known == word).copied().unwrap_or("MALFORMED_RESPONSE"),
        Stop::Continuation(_) => "CONTINUATION",
        Stop::Other(word) if word == "FINISH_REASON_UNSPECIFIED" => "FINISH_REASON_UNSPECIFIED",
        Stop::Pause | Stop::Compaction | Stop::Interrupted(_) | Stop::Other(_) => "OTHER",
    }
}

/// `blockReason` for a client.
pub(crate) fn block_reason(word: &str) -> &str {
    const KNOWN: &[&str] =
        &["SAFETY", "OTHER", "BLOCKLIST", "PROHIBITED_CONTENT", "IMAGE_SAFETY", "MODEL_ARMOR", "JAILBREAK"];
    KNOWN.iter().find(|known| **known == word).copied().unwrap_or("OTHER")
}
