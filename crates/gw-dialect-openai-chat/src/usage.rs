//! Usage numbers of this format, whose input count contains what was read from and written to a cache.

use gw_core::{Provenance, Usage};
use gw_wire::{Json, JsonWriter, Kind};

/// Canonical usage of a `usage` object; `None` when it has no counts.
pub(crate) fn decode(usage: Json<'_>) -> Option<Usage> {
    if usage.kind() != Kind::Object {
        return None;
    }
    let count = |holder: Json<'_>, name: &str| holder.get_some(name).and_then(|value| value.u64());
    let prompt = count(usage, "prompt_tokens").or_else(|| count(usage, "input_tokens"));
    let completion = count(usage, "completion_tokens").or_else(|| count(usage, "output_tokens"));
    let total = count(usage, "total_tokens");
    if prompt.is_none() && completion.is_none() {
        return None;
    }
    let prompt = prompt.unwrap_or(0);
    let input_details = usage.get_some("prompt_tokens_details").or_else(|| usage.get_some("input_tokens_details"));
    let output_details =
        usage.get_some("completion_tokens_details").or_else(|| usage.get_some("output_tokens_details"));
    let input_detail = |name: &str| input_details.and_then(|details| count(details, name));
    let output_detail = |name: &str| output_details.and_then(|details| count(details, name));

    let cache_read = input_detail("cached_tokens")
        .or_else(|| count(usage, "prompt_cache_hit_tokens"))
        .or_else(|| count(usage, "cached_tokens"))
        .or_else(|| count(usage, "num_cached_tokens"))
        .unwrap_or(0);
    let written = input_detail("cache_write_tokens")
        .or_else(|| input_detail("cache_creation_input_tokens"))
        .or_else(|| input_detail("cache_creation_tokens"))
        .unwrap_or(0);
    let by_lifetime = input_details.and_then(|details| details.get_some("cache_creation"));
    let lifetime = |name: &str| by_lifetime.and_then(|split| count(split, name)).unwrap_or(0);
    let (write_5m, write_1h) = (lifetime("ephemeral_5m_input_tokens"), lifetime("ephemeral_1h_input_tokens"));
    let reasoning = output_detail("reasoning_tokens").or_else(|| count(usage, "reasoning_tokens")).unwrap_or(0);
    let mut output = completion.unwrap_or_else(|| total.unwrap_or(prompt).saturating_sub(prompt));
    // Some servers leave reasoning out of the completion count; their own total says so.
    if reasoning > 0 && total == Some(prompt.saturating_add(output).saturating_add(reasoning)) {
        output = output.saturating_add(reasoning);
    }
    let server_tools = usage.get_some("server_tool_use_details").or_else(|| usage.get_some("server_tool_use"));
    Some(Usage {
        input_uncached: prompt
            .saturating_sub(cache_read)
            .saturating_sub(written.max(write_5m.saturating_add(write_1h))),
        cache_read,
        cache_write_5m: write_5m,
        cache_write_1h: write_1h,
        cache_write_other: written.saturating_sub(write_5m.saturating_add(write_1h)),
        tool_prompt: 0,
        output,
        reasoning,
        audio_input: input_detail("audio_tokens").unwrap_or(0),
        audio_output: output_detail("audio_tokens").unwrap_or(0),
        image_input: input_detail("image_tokens").unwrap_or(0),
        prediction_accepted: output_detail("accepted_prediction_tokens").unwrap_or(0),
        prediction_rejected: output_detail("rejected_prediction_tokens").unwrap_or(0),
        web_searches: server_tools.and_then(|tools| count(tools, "web_search_requests")).unwrap_or(0),
        provenance: Provenance::Reported,
    })
}

/// Writes a `usage` object as the next value.
pub(crate) fn write(writer: &mut JsonWriter, usage: &Usage) {
    writer.object(|object| {
        object.field_u64("prompt_tokens", usage.input_total());
        object.field_u64("completion_tokens", usage.output);
        object.field_u64("total_tokens", usage.total());
        object.field_object("prompt_tokens_details", |details| {
            details.field_u64("cached_tokens", usage.cache_read);
            details.field_u64("cache_write_tokens", usage.cache_write());
            details.field_u64("audio_tokens", usage.audio_input);
            if usage.image_input > 0 {
                details.field_u64("image_tokens", usage.image_input);
            }
        });
        object.field_object("completion_tokens_details", |details| {
            details.field_u64("reasoning_tokens", usage.reasoning);
            details.field_u64("audio_tokens", usage.audio_output);
            details.field_u64("accepted_prediction_tokens", usage.prediction_accepted);
            details.field_u64("rejected_prediction_tokens", usage.prediction_rejected);
        });
        if usage.web_searches > 0 {
            object.field_object("server_tool_use_details", |details| {
                details.field_u64("web_search_requests", usage.web_searches);
            });
        }
    });
}
