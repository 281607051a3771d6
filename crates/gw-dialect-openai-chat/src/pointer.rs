//! Canonical fields in this format's own notation.

use gw_core::{Field, Loss};

/// Top-level field names and what they stand for; the first name of a field is the one shown.
const TOP_LEVEL: &[(&str, Field)] = &[
    ("temperature", Field::Temperature),
    ("top_p", Field::TopP),
    ("top_k", Field::TopK),
    ("min_p", Field::MinP),
    ("seed", Field::Seed),
    ("random_seed", Field::Seed),
    ("frequency_penalty", Field::FrequencyPenalty),
    ("presence_penalty", Field::PresencePenalty),
    ("repetition_penalty", Field::RepetitionPenalty),
    ("logit_bias", Field::LogitBias),
    ("logprobs", Field::Logprobs),
    ("top_logprobs", Field::TopLogprobs),
    ("stop", Field::Stop),
    ("max_completion_tokens", Field::MaxOutputTokens),
    ("max_tokens", Field::MaxOutputTokens),
    ("min_tokens", Field::MinTokens),
    ("n", Field::Candidates),
    ("response_format", Field::ResponseFormat),
    ("verbosity", Field::Verbosity),
    ("modalities", Field::Modalities),
    ("audio", Field::AudioOutput),
    ("audio", Field::Speech),
    ("image_config", Field::ImageOutput),
    ("prediction", Field::Prediction),
    ("media_resolution", Field::MediaResolution),
    ("tool_choice", Field::ToolChoice),
    ("parallel_tool_calls", Field::ParallelTools),
    ("reasoning_effort", Field::ReasoningEffort),
    ("thinking_budget", Field::ReasoningBudget),
    ("thinking", Field::ReasoningToggle),
    ("enable_thinking", Field::ReasoningToggle),
    ("reasoning", Field::ReasoningVisibility),
    ("prompt_cache_key", Field::CacheKey),
    ("prompt_cache_options", Field::CacheKey),
    ("prompt_cache_retention", Field::CacheKey),
    ("cached_content", Field::CacheHandle),
    ("store", Field::Store),
    ("previous_response_id", Field::ServerState),
    ("moderation", Field::Safety),
    ("safe_prompt", Field::Safety),
    ("user", Field::EndUser),
    ("safety_identifier", Field::EndUser),
    ("metadata", Field::Metadata),
    ("service_tier", Field::ServiceTier),
    ("stream_options", Field::StreamOptions),
];

/// The canonical field of a top-level name.
pub(crate) fn field_of(name: &str) -> Option<Field> {
    TOP_LEVEL.iter().find(|(known, _)| *known == name).map(|(_, field)| *field)
}

/// JSON pointer of a loss; see [`gw_spi::Ingress::pointer`].
pub(crate) fn pointer(loss: &Loss) -> String {
    if let Some(tool) = loss.place.tool {
        let inner = match loss.field {
            Field::ToolName => "/function/name",
            Field::ToolSchema => "/function/parameters",
            Field::ToolStrict => "/function/strict",
            Field::CacheMark => "/cache_control",
            _ => "",
        };
        return format!("/tools/{tool}{inner}");
    }
    if let Some(message) = loss.place.message {
        let inner = match loss.field {
            Field::Name => "/name".to_owned(),
            Field::Role | Field::SystemPosition => "/role".to_owned(),
            Field::Refusal => "/refusal".to_owned(),
            Field::ReasoningState => "/reasoning_details".to_owned(),
            Field::ReasoningText => "/reasoning_content".to_owned(),
            Field::ToolCallArguments => "/tool_calls".to_owned(),
            Field::Prefill | Field::ToolCallId | Field::Unknown => String::new(),
            _ => loss.place.part.map_or_else(|| "/content".to_owned(), |part| format!("/content/{part}")),
        };
        return format!("/messages/{message}{inner}");
    }
    match TOP_LEVEL.iter().find(|(_, field)| *field == loss.field) {
        Some((name, _)) => format!("/{name}"),
        None => match loss.field {
            Field::Tools | Field::HostedTool | Field::ToolName | Field::ToolSchema | Field::ToolStrict => {
                "/tools".to_owned()
            }
            Field::CacheMark => "/cache_control".to_owned(),
            Field::Unknown => String::new(),
            _ => "/messages".to_owned(),
        },
    }
}
