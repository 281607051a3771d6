//! Where a client of this format finds the field that a loss is about.

use gw_core::{Field, Loss};

/// JSON pointer of a loss. Losses inside messages point to `/messages` as a whole: top-level instructions are the
/// first canonical message, so that an index cannot be told from the loss alone.
pub(crate) fn pointer(loss: &Loss) -> String {
    if let Some(tool) = loss.place.tool {
        let member = match loss.field {
            Field::ToolName => "/name",
            Field::ToolSchema => "/input_schema",
            Field::ToolStrict => "/strict",
            Field::CacheMark => "/cache_control",
            _ => "",
        };
        return format!("/tools/{tool}{member}");
    }
    if loss.place.message.is_some() {
        return "/messages".to_owned();
    }
    top_level(loss.field).to_owned()
}

fn top_level(field: Field) -> &'static str {
    match field {
        Field::Temperature => "/temperature",
        Field::TopP => "/top_p",
        Field::TopK => "/top_k",
        Field::Stop => "/stop_sequences",
        Field::MaxOutputTokens => "/max_tokens",
        Field::ResponseFormat => "/output_config/format",
        Field::Tools | Field::ToolName | Field::ToolSchema | Field::ToolStrict | Field::HostedTool => "/tools",
        Field::ToolChoice => "/tool_choice",
        Field::ParallelTools => "/tool_choice/disable_parallel_tool_use",
        Field::ReasoningEffort => "/output_config/effort",
        Field::ReasoningBudget => "/thinking/budget_tokens",
        Field::ReasoningToggle => "/thinking/type",
        Field::ReasoningVisibility => "/thinking/display",
        Field::CacheMark => "/cache_control",
        Field::EndUser => "/metadata/user_id",
        Field::Metadata => "/metadata",
        Field::ServiceTier => "/service_tier",
        Field::SystemPosition => "/system",
        Field::ReasoningState
        | Field::ReasoningText
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
        | Field::ServerToolHistory => "/messages",
        // Server state and unknown members: the loss's note names them. The rest has no field in this format.
        _ => "",
    }
}
