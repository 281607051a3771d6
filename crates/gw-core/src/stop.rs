//! Why a candidate stopped, wider than any one dialect.

/// Canonical stop reason. Unknown vendor values travel as [`Stop::Other`] and never become a plain end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// Natural end of the answer.
    End,
    /// A stop sequence matched; the text of the sequence when the source tells it.
    StopSequence(Option<String>),
    /// The output limit was reached.
    MaxTokens,
    /// The context window was full.
    ContextWindow,
    /// The model wants client tools to be run.
    ToolCalls,
    /// The model refused.
    Refusal {
        /// Vendor category, for example `cyber`.
        category: Option<String>,
        /// Readable explanation.
        explanation: Option<String>,
    },
    /// Output was filtered; the vendor's own word.
    Filtered(String),
    /// The prompt was blocked before any output; the vendor's own word.
    PromptBlocked(String),
    /// The model produced something unusable; the vendor's own word.
    Malformed(String),
    /// A long server-side turn is paused (Anthropic `pause_turn`).
    Pause,
    /// The provider wants the caller to re-send with this token to get the rest (Gemini `CONTINUATION`).
    Continuation(Option<String>),
    /// The context was compacted.
    Compaction,
    /// The provider gave up for want of resources, or was cancelled.
    Interrupted(String),
    /// Anything newer than this code; the vendor's own word.
    Other(String),
}
