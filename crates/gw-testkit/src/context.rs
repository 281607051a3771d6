//! Contexts with fixed values, so that every run gives the same bytes.

use std::sync::{Arc, LazyLock};

use gw_core::Effort;
use gw_spi::{
    Capabilities, DecodeContext, EncodeContext, ForcedChoice, Framing, NoSealer, ReasoningStyle, ReplyContext, Sampled,
    Structured, TokenParam,
};
use gw_wire::Limits;
use http::HeaderMap;

static NO_HEADERS: LazyLock<HeaderMap> = LazyLock::new(HeaderMap::new);

/// A request context without path model and headers.
#[must_use]
pub fn decode_context() -> DecodeContext<'static> {
    DecodeContext {
        limits: Limits::default(),
        sealer: &NoSealer,
        path_model: None,
        path_stream: None,
        headers: &NO_HEADERS,
    }
}

/// A request context for dialects that name the model and the stream in the path.
#[must_use]
pub fn path_context(model: &str, stream: bool) -> DecodeContext<'_> {
    DecodeContext {
        limits: Limits::default(),
        sealer: &NoSealer,
        path_model: Some(model),
        path_stream: Some(stream),
        headers: &NO_HEADERS,
    }
}

/// A reply context for an upstream of this vendor; the client asked for usage and reads server-sent events.
#[must_use]
pub fn reply_context(vendor: &str) -> ReplyContext {
    ReplyContext {
        request_id: "req_test".to_owned(),
        id_base: "T3stBase0000000000001".to_owned(),
        client_model: "client-model".to_owned(),
        created: 1_790_000_000,
        include_usage: true,
        legacy_functions: false,
        hide_reasoning: false,
        framing: Framing::Sse,
        vendor: vendor.to_owned(),
        sealer: Arc::new(NoSealer),
        limits: Limits::default(),
        candidates: 1,
    }
}

/// An encode context for a model called `target-model`.
#[must_use]
pub fn encode_context<'a>(vendor: &'a str, capabilities: &'a Capabilities, stream: bool) -> EncodeContext<'a> {
    EncodeContext { model: "target-model", stream, capabilities, vendor }
}

/// Named capability records that differ where encoders branch.
#[must_use]
pub fn capability_presets() -> Vec<(&'static str, Capabilities)> {
    let default = Capabilities::default;
    vec![
        ("default", default()),
        ("openai-reasoning", openai_reasoning()),
        ("anthropic-budget", anthropic_like(ReasoningStyle::Budget)),
        ("anthropic-adaptive", anthropic_like(ReasoningStyle::Adaptive)),
        ("gemini-budget", gemini_like(ReasoningStyle::Budget)),
        ("gemini-level", gemini_like(ReasoningStyle::Level)),
        ("deepseek", deepseek_like()),
        ("bare", bare()),
    ]
}

fn openai_reasoning() -> Capabilities {
    Capabilities {
        token_param: TokenParam::MaxCompletionTokens,
        developer_role: true,
        sampling: Sampled::WithoutReasoning,
        efforts: vec![Effort::Minimal, Effort::Low, Effort::Medium, Effort::High],
        can_disable_reasoning: false,
        metadata: true,
        service_tier: true,
        store: true,
        ..Capabilities::default()
    }
}

fn anthropic_like(reasoning: ReasoningStyle) -> Capabilities {
    Capabilities {
        max_output: Some(64_000),
        max_temperature: 1.0,
        efforts: vec![Effort::Low, Effort::Medium, Effort::High, Effort::Max],
        reasoning,
        forced_tool_choice: ForcedChoice::NotWithThinking,
        inline_system: false,
        prefill: reasoning == ReasoningStyle::Budget,
        structured: Structured::SchemaOnly,
        audio_input: false,
        file_urls: true,
        media_in_tool_results: true,
        cache_marks: true,
        max_candidates: 1,
        seed: false,
        penalties: false,
        top_k: true,
        logit_bias: false,
        logprobs: false,
        stream_usage_option: false,
        metadata: true,
        service_tier: true,
        ..Capabilities::default()
    }
}

fn gemini_like(reasoning: ReasoningStyle) -> Capabilities {
    Capabilities {
        efforts: vec![Effort::Low, Effort::High],
        reasoning,
        budget_range: (0, 24_576),
        parallel_control: false,
        inline_system: false,
        strict_tools: false,
        schema_with_tools: reasoning == ReasoningStyle::Level,
        image_urls: false,
        video_input: true,
        media_in_tool_results: reasoning == ReasoningStyle::Level,
        max_stops: 5,
        top_k: true,
        logit_bias: false,
        stream_usage_option: false,
        end_user: false,
        json_schema_fields: reasoning == ReasoningStyle::Level,
        ..Capabilities::default()
    }
}

fn deepseek_like() -> Capabilities {
    Capabilities {
        efforts: vec![Effort::Low, Effort::High, Effort::Max],
        reasoning: ReasoningStyle::ThinkingToggle,
        forced_tool_choice: ForcedChoice::NotWithThinking,
        parallel_control: false,
        structured: Structured::Object,
        strict_tools: false,
        image_input: false,
        image_urls: false,
        audio_input: false,
        file_input: false,
        reasoning_replay_required: true,
        max_stops: 16,
        max_candidates: 1,
        seed: false,
        logit_bias: false,
        ..Capabilities::default()
    }
}

/// Almost nothing is accepted: everything else must be a loss.
fn bare() -> Capabilities {
    Capabilities {
        sampling: Sampled::Never,
        efforts: Vec::new(),
        reasoning: ReasoningStyle::None,
        can_disable_reasoning: false,
        forced_tool_choice: ForcedChoice::No,
        tool_choice: false,
        parallel_control: false,
        inline_system: false,
        structured: Structured::None,
        schema_with_tools: false,
        strict_tools: false,
        image_input: false,
        image_urls: false,
        audio_input: false,
        file_input: false,
        max_stops: 0,
        max_candidates: 1,
        seed: false,
        penalties: false,
        logit_bias: false,
        logprobs: false,
        stream_usage_option: false,
        end_user: false,
        strict_fields: true,
        call_id_length: Some(9),
        json_schema_fields: false,
        ..Capabilities::default()
    }
}
