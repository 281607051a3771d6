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
    let mut prompt = prompt.unwrap_or(0);
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
    // Both are parts of the prompt. Where a server counts tokens as written and as read, or counts cached input outside
    // the prompt, the sum would exceed its own total: writes, the dearer ones, are kept first.
    let written = written.min(prompt);
    let cache_read = cache_read.min(prompt - written);
    let by_lifetime = input_details.and_then(|details| details.get_some("cache_creation"));
    let lifetime = |name: &str| by_lifetime.and_then(|split| count(split, name)).unwrap_or(0);
    let (write_5m, write_1h) = (lifetime("ephemeral_5m_input_tokens"), lifetime("ephemeral_1h_input_tokens"));
    let mut reasoning = output_detail("reasoning_tokens").or_else(|| count(usage, "reasoning_tokens")).unwrap_or(0);
    let mut output = completion.unwrap_or_else(|| total.unwrap_or(prompt).saturating_sub(prompt));
    let mut audio_input = input_detail("audio_tokens").unwrap_or(0);
    // Where a server's own total is larger than its parts, the parts left something out.
    let missing = total.unwrap_or(0).saturating_sub(prompt.saturating_add(output));
    if missing > 0 && count(usage, "prompt_audio_seconds").is_some_and(|seconds| seconds > 0) {
        // Mistral leaves audio input out of the prompt count.
        prompt = prompt.saturating_add(missing);
        audio_input = audio_input.max(missing);
    } else if missing > 0 && (reasoning == 0 || reasoning == missing) {
        // Grok and Gemini leave reasoning out of the completion count, and Gemini does not itemise it.
        output = output.saturating_add(missing);
        reasoning = missing;
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
        audio_input,
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use gw_core::Usage;
    use gw_wire::{Document, JsonWriter, Limits};

    fn read(text: &str) -> Option<Usage> {
        super::decode(Document::parse(text, Limits::default()).unwrap().root())
    }

    #[test]
    fn the_parts_are_disjoint_and_sum_to_the_servers_total() {
        let usage = read(
            r#"{"prompt_tokens":100,"completion_tokens":40,"total_tokens":140,
            "prompt_tokens_details":{"cached_tokens":60,"cache_write_tokens":30,"audio_tokens":5},
            "completion_tokens_details":{"reasoning_tokens":12,"rejected_prediction_tokens":3}}"#,
        )
        .unwrap();
        assert_eq!((usage.input_uncached, usage.cache_read, usage.cache_write()), (10, 60, 30));
        assert_eq!((usage.output, usage.reasoning, usage.total()), (40, 12, 140));
        let mut writer = JsonWriter::new();
        super::write(&mut writer, &usage);
        let text = String::from_utf8(writer.finish()).unwrap();
        assert_eq!(read(&text).unwrap(), usage, "{text}");
    }

    #[test]
    fn servers_that_count_otherwise_are_understood() {
        let grok = read(r#"{"prompt_tokens":12,"completion_tokens":2,"total_tokens":334,"completion_tokens_details":{"reasoning_tokens":320}}"#).unwrap();
        assert_eq!((grok.output, grok.reasoning), (322, 320));
        let gemini = read(r#"{"prompt_tokens":66,"completion_tokens":6,"total_tokens":100}"#).unwrap();
        assert_eq!((gemini.output, gemini.reasoning), (34, 28));
        let voxtral =
            read(r#"{"prompt_tokens":9,"completion_tokens":201,"total_tokens":585,"prompt_audio_seconds":12}"#)
                .unwrap();
        assert_eq!((voxtral.input_total(), voxtral.audio_input, voxtral.output), (384, 375, 201));
        let deepseek = read(r#"{"prompt_tokens":10,"prompt_cache_hit_tokens":4,"completion_tokens":1}"#).unwrap();
        assert_eq!((deepseek.input_uncached, deepseek.cache_read), (6, 4));
        let odd = read(r#"{"prompt_tokens":29,"completion_tokens":6,"total_tokens":35,"prompt_tokens_details":{"cached_tokens":157}}"#).unwrap();
        assert_eq!(odd.total(), 35);
        assert_eq!(read("{}"), None);
        assert_eq!(read("null"), None);
    }
}
