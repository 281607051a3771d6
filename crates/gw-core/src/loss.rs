//! What a target could not carry, reported by every encoder.

use std::borrow::Cow;

/// A canonical field that can be lost. The ingress turns it into a JSON pointer of the caller's own format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    Temperature,
    TopP,
    TopK,
    MinP,
    Seed,
    FrequencyPenalty,
    PresencePenalty,
    RepetitionPenalty,
    LogitBias,
    Logprobs,
    TopLogprobs,
    Stop,
    MaxOutputTokens,
    MinTokens,
    Candidates,
    ResponseFormat,
    Verbosity,
    Modalities,
    AudioOutput,
    ImageOutput,
    Speech,
    Prediction,
    MediaResolution,
    Tools,
    ToolName,
    ToolSchema,
    ToolStrict,
    ToolChoice,
    ParallelTools,
    HostedTool,
    ReasoningEffort,
    ReasoningBudget,
    ReasoningToggle,
    ReasoningVisibility,
    ReasoningState,
    ReasoningText,
    CacheMark,
    CacheKey,
    CacheHandle,
    Store,
    ServerState,
    Safety,
    EndUser,
    Metadata,
    ServiceTier,
    StreamOptions,
    SystemPosition,
    Role,
    Name,
    Prefill,
    Text,
    Image,
    ImageDetail,
    Audio,
    Video,
    File,
    Citations,
    SearchResult,
    ToolCallArguments,
    ToolCallId,
    ToolResultMedia,
    ToolResultError,
    Refusal,
    PartOrder,
    ServerToolHistory,
    Unknown,
}

/// Where in the request a loss happened; indices count the canonical messages, parts and tools from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Place {
    /// Index of the message.
    pub message: Option<u32>,
    /// Index of the part in the message.
    pub part: Option<u32>,
    /// Index of the tool definition.
    pub tool: Option<u32>,
}

/// How much a loss matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LossClass {
    /// No effect on meaning or price (cache marks).
    Performance,
    /// The gateway reproduces the effect faithfully.
    Emulated,
    /// A hint without contract.
    Advisory,
    /// Identity or metadata.
    Identity,
    /// A close value was sent instead.
    Approximated,
    /// The answer, or what the caller reads, would change.
    Semantic,
    /// A protection would be loosened.
    Safety,
}

/// What was done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LossAction {
    /// Left out.
    Dropped,
    /// Replaced by a close value.
    Approximated,
    /// Reproduced by the gateway.
    Emulated,
}

/// How strict a route is about losses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Mode {
    /// Refuse whatever is not exact, emulated or a hint.
    Strict,
    /// Refuse what changes the answer; warn about the rest.
    #[default]
    Default,
    /// Refuse only what loosens a protection.
    Lenient,
}

/// One thing that the target could not carry as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// Which field.
    pub field: Field,
    /// Where.
    pub place: Place,
    /// How much it matters.
    pub class: LossClass,
    /// What was done.
    pub action: LossAction,
    /// What was sent instead, or why it could not be; never contains request content.
    pub note: Cow<'static, str>,
}

impl Field {
    /// Stable lower-case name for headers, logs and records.
    #[must_use]
    pub fn name(self) -> String {
        let debug = format!("{self:?}");
        let mut name = String::with_capacity(debug.len() + 4);
        for (index, letter) in debug.char_indices() {
            if letter.is_ascii_uppercase() && index > 0 {
                name.push('_');
            }
            name.push(letter.to_ascii_lowercase());
        }
        name
    }
}

impl LossClass {
    /// Stable lower-case name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Performance => "performance",
            Self::Emulated => "emulated",
            Self::Advisory => "advisory",
            Self::Identity => "identity",
            Self::Approximated => "approximated",
            Self::Semantic => "semantic",
            Self::Safety => "safety",
        }
    }
}

impl LossAction {
    /// Stable lower-case name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dropped => "dropped",
            Self::Approximated => "approximated",
            Self::Emulated => "emulated",
        }
    }
}

impl Loss {
    /// A loss of a whole-request field.
    #[must_use]
    pub fn new(field: Field, class: LossClass, action: LossAction, note: impl Into<Cow<'static, str>>) -> Self {
        Self { field, place: Place::default(), class, action, note: note.into() }
    }

    /// Says where it happened.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = place;
        self
    }

    /// Whether a request with this loss must be refused under `mode`.
    #[must_use]
    pub fn refused_under(&self, mode: Mode) -> bool {
        match self.class {
            LossClass::Safety => true,
            LossClass::Semantic => mode != Mode::Lenient,
            LossClass::Approximated => mode == Mode::Strict,
            LossClass::Performance | LossClass::Emulated | LossClass::Advisory | LossClass::Identity => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Field, Loss, LossAction, LossClass, Mode};

    #[test]
    fn modes_refuse_by_class() {
        let of = |class| Loss::new(Field::TopK, class, LossAction::Dropped, "");
        assert!(of(LossClass::Safety).refused_under(Mode::Lenient));
        assert!(of(LossClass::Semantic).refused_under(Mode::Default));
        assert!(!of(LossClass::Semantic).refused_under(Mode::Lenient));
        assert!(of(LossClass::Approximated).refused_under(Mode::Strict));
        assert!(!of(LossClass::Approximated).refused_under(Mode::Default));
        assert!(!of(LossClass::Advisory).refused_under(Mode::Strict));
        assert_eq!(Field::ToolResultMedia.name(), "tool_result_media");
    }
}
