//! Where a loss stands in the client's own request, as a JSON pointer.

use gw_core::{Field, Loss};

/// The pointer. Turns and tools are named without index: the system instruction and the grouping of functions shift
/// the canonical ones, and a wrong index is worse than none.
pub(crate) fn of(loss: &Loss) -> String {
    let pointer = match loss.field {
        Field::Temperature => "/generationConfig/temperature",
        Field::TopP => "/generationConfig/topP",
        Field::TopK => "/generationConfig/topK",
        Field::Seed => "/generationConfig/seed",
        Field::FrequencyPenalty => "/generationConfig/frequencyPenalty",
        Field::PresencePenalty => "/generationConfig/presencePenalty",
        Field::Logprobs => "/generationConfig/responseLogprobs",
        Field::TopLogprobs => "/generationConfig/logprobs",
        Field::Stop => "/generationConfig/stopSequences",
        Field::MaxOutputTokens => "/generationConfig/maxOutputTokens",
        Field::Candidates => "/generationConfig/candidateCount",
        Field::ResponseFormat => "/generationConfig/responseMimeType",
        Field::Modalities => "/generationConfig/responseModalities",
        Field::AudioOutput | Field::Speech => "/generationConfig/speechConfig",
        Field::ImageOutput => "/generationConfig/imageConfig",
        Field::MediaResolution => "/generationConfig/mediaResolution",
        Field::MinP
        | Field::RepetitionPenalty
        | Field::LogitBias
        | Field::MinTokens
        | Field::Verbosity
        | Field::Prediction => "/generationConfig",
        Field::Tools | Field::ToolName | Field::ToolSchema | Field::ToolStrict | Field::HostedTool => "/tools",
        Field::ToolChoice | Field::ParallelTools => "/toolConfig/functionCallingConfig",
        Field::ReasoningEffort => "/generationConfig/thinkingConfig/thinkingLevel",
        Field::ReasoningBudget => "/generationConfig/thinkingConfig/thinkingBudget",
        Field::ReasoningToggle => "/generationConfig/thinkingConfig",
        Field::ReasoningVisibility => "/generationConfig/thinkingConfig/includeThoughts",
        Field::CacheHandle => "/cachedContent",
        Field::Store => "/store",
        Field::ServerState => "/generationConfig/continuationToken",
        Field::Safety => "/safetySettings",
        Field::Metadata => "/labels",
        Field::ServiceTier => "/serviceTier",
        Field::CacheKey | Field::EndUser | Field::StreamOptions => "",
        Field::CacheMark | Field::Unknown => match (loss.place.message, loss.place.tool) {
            (Some(_), _) => "/contents",
            (None, Some(_)) => "/tools",
            (None, None) => "",
        },
        Field::ReasoningState
        | Field::ReasoningText
        | Field::SystemPosition
        | Field::Role
        | Field::Name
        | Field::Prefill
        | Field::Text
        | Field::Image
        | Field::ImageDetail
        | Field::Audio
        | Field::Video
        | Field::File
        | Field::Citations
        | Field::SearchResult
        | Field::ToolCallArguments
        | Field::ToolCallId
        | Field::ToolResultMedia
        | Field::ToolResultError
        | Field::Refusal
        | Field::PartOrder
        | Field::ServerToolHistory => "/contents",
    };
    pointer.to_owned()
}
