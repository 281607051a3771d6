//! What a server of this format does beyond the capability record: carriers that only some vendors have.

use gw_core::{ChatRequest, OpaqueState};
use gw_spi::{EncodeContext, ReasoningStyle};

use crate::ID;

/// Where readable reasoning goes back in history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReasoningCarrier {
    /// The server takes none.
    None,
    /// `message.reasoning_content`.
    Content,
    /// `message.reasoning_details[]`.
    Details,
    /// `message.content[]` items of type `thinking`.
    Chunks,
}

/// Spelling of prompt-cache marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CacheStyle {
    /// `prompt_cache_breakpoint`.
    Breakpoint,
    /// `cache_control`.
    Control,
}

/// Traits of the server that a request is encoded for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target {
    /// OpenAI itself or Azure: knows every field of the published format.
    pub(crate) openai: bool,
    /// An aggregator that takes state of several vendors.
    pub(crate) aggregator: bool,
    /// Mistral's own fields.
    pub(crate) mistral: bool,
    /// Audio must be a data URL (Qwen Omni).
    pub(crate) audio_data_url: bool,
    /// The request was written in this format, and the server ignores what it does not know.
    pub(crate) lenient_own: bool,
    /// The request was written in this format.
    pub(crate) own: bool,
    /// Where reasoning goes.
    pub(crate) reasoning: ReasoningCarrier,
    /// Spelling of cache marks.
    pub(crate) cache: CacheStyle,
}

impl Target {
    /// Reads the traits.
    pub(crate) fn new(request: &ChatRequest, context: &EncodeContext<'_>) -> Self {
        let vendor = context.vendor;
        let openai = matches!(vendor, "openai" | "azure" | "azure-openai");
        let aggregator = vendor == "openrouter";
        let mistral = vendor == "mistral";
        let qwen = matches!(vendor, "qwen" | "dashscope" | "alibaba");
        let own = request.origin == ID;
        let strict = context.capabilities.strict_fields;
        let reasoning = if mistral {
            ReasoningCarrier::Chunks
        } else if aggregator {
            ReasoningCarrier::Details
        } else if context.capabilities.reasoning_replay_required
            || context.capabilities.reasoning == ReasoningStyle::EnableThinking
        {
            ReasoningCarrier::Content
        } else if openai || strict || vendor == "gemini" || context.capabilities.reasoning == ReasoningStyle::None {
            ReasoningCarrier::None
        } else {
            ReasoningCarrier::Content
        };
        Self {
            openai,
            aggregator,
            mistral,
            audio_data_url: qwen,
            lenient_own: own && !strict,
            own,
            reasoning,
            cache: if openai { CacheStyle::Breakpoint } else { CacheStyle::Control },
        }
    }

    /// Whether the server can verify this state.
    pub(crate) fn takes_state(&self, state: &OpaqueState, vendor: &str) -> bool {
        state.vendor == vendor || (self.aggregator && crate::carrier::format_of_vendor(&state.vendor).is_some())
    }
}
