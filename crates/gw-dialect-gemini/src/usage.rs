//! `usageMetadata`, both ways.

use gw_core::{Provenance, Usage};
use gw_wire::{Json, JsonWriter};

/// Counters as Google names them. A snapshot may lack what an earlier one had, so the last known value stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    prompt: Option<u64>,
    cached: Option<u64>,
    candidates: Option<u64>,
    thoughts: Option<u64>,
    tool_prompt: Option<u64>,
    total: Option<u64>,
    audio_input: u64,
    image_input: u64,
    audio_output: u64,
}

impl Counters {
    /// Takes a snapshot; says whether it held any number.
    pub(crate) fn absorb(&mut self, usage: Json<'_>) -> bool {
        let mut any = false;
        let rows: [(&mut Option<u64>, &str, &str); 6] = [
            (&mut self.prompt, "promptTokenCount", "prompt_token_count"),
            (&mut self.cached, "cachedContentTokenCount", "cached_content_token_count"),
            (&mut self.candidates, "candidatesTokenCount", "candidates_token_count"),
            (&mut self.thoughts, "thoughtsTokenCount", "thoughts_token_count"),
            (&mut self.tool_prompt, "toolUsePromptTokenCount", "tool_use_prompt_token_count"),
            (&mut self.total, "totalTokenCount", "total_token_count"),
        ];
        for (slot, camel, snake) in rows {
            if let Some(count) = usage.get(camel).or_else(|| usage.get(snake)).and_then(|value| value.u64()) {
                *slot = Some(count);
                any = true;
            }
        }
        let modality = |list: &str, wanted: &str| -> Option<u64> {
            let entries = usage.get(list)?;
            let of_kind = entries
                .items()
                .filter(|entry| entry.get("modality").and_then(|name| name.str()).as_deref() == Some(wanted));
            Some(
                of_kind
                    .filter_map(|entry| entry.get("tokenCount").and_then(|count| count.u64()))
                    .fold(0, u64::saturating_add),
            )
        };
        self.audio_input = modality("promptTokensDetails", "AUDIO").unwrap_or(self.audio_input);
        self.image_input = modality("promptTokensDetails", "IMAGE").unwrap_or(self.image_input);
        self.audio_output = modality("candidatesTokensDetails", "AUDIO").unwrap_or(self.audio_output);
        any
    }

    /// The canonical vector. Thoughts are counted beside the candidates, except by servers whose total shows that they
    /// are already inside.
    pub(crate) fn usage(&self, web_searches: u64) -> Usage {
        let prompt = self.prompt.unwrap_or(0);
        let cached = self.cached.unwrap_or(0).min(prompt);
        let candidates = self.candidates.unwrap_or(0);
        let thoughts = self.thoughts.unwrap_or(0);
        let tool_prompt = self.tool_prompt.unwrap_or(0);
        let without_thoughts = prompt.saturating_add(candidates).saturating_add(tool_prompt);
        let inside = thoughts > 0 && candidates >= thoughts && self.total == Some(without_thoughts);
        let output = if inside { candidates } else { candidates.saturating_add(thoughts) };
        Usage {
            input_uncached: prompt - cached,
            cache_read: cached,
            tool_prompt,
            output,
            reasoning: thoughts,
            audio_input: self.audio_input,
            image_input: self.image_input,
            audio_output: self.audio_output,
            web_searches,
            provenance: Provenance::Reported,
            ..Usage::default()
        }
    }
}

/// Number of searches that a grounding record names.
pub(crate) fn searches(grounding: Json<'_>) -> u64 {
    grounding.get("webSearchQueries").map_or(0, |queries| u64::try_from(queries.items().count()).unwrap_or(0))
}

/// `usageMetadata` for a client.
pub(crate) fn write(writer: &mut JsonWriter, usage: &Usage) {
    writer.field_object("usageMetadata", |writer| {
        writer.field_u64("promptTokenCount", usage.input_total().saturating_sub(usage.tool_prompt));
        if usage.cache_read > 0 {
            writer.field_u64("cachedContentTokenCount", usage.cache_read);
        }
        // Reasoning is a part of the output; a provider that says otherwise must not break the sum.
        let thoughts = usage.reasoning.min(usage.output);
        writer.field_u64("candidatesTokenCount", usage.output.saturating_sub(thoughts));
        if usage.tool_prompt > 0 {
            writer.field_u64("toolUsePromptTokenCount", usage.tool_prompt);
        }
        if thoughts > 0 {
            writer.field_u64("thoughtsTokenCount", thoughts);
        }
        writer.field_u64("totalTokenCount", usage.total());
    });
}

#[cfg(test)]
mod tests {
    use super::Counters;
    use gw_wire::{Document, Limits};

    fn counted(snapshots: &[&str]) -> gw_core::Usage {
        let mut counters = Counters::default();
        for text in snapshots {
            counters.absorb(Document::parse(text, Limits::default()).unwrap().root());
        }
        counters.usage(0)
    }

    #[test]
    fn bug_03_thoughts_are_added_once() {
        let beside = r#"{"promptTokenCount":10,"candidatesTokenCount":20,"thoughtsTokenCount":5,"totalTokenCount":35}"#;
        assert_eq!((counted(&[beside]).output, counted(&[beside]).reasoning), (25, 5));
        let inside = r#"{"promptTokenCount":10,"candidatesTokenCount":20,"thoughtsTokenCount":5,"totalTokenCount":30}"#;
        assert_eq!((counted(&[inside]).output, counted(&[inside]).reasoning), (20, 5));
    }

    #[test]
    fn the_parts_sum_to_the_total() {
        let text = r#"{"promptTokenCount":100,"cachedContentTokenCount":90,"candidatesTokenCount":4,
            "thoughtsTokenCount":3,"toolUsePromptTokenCount":7,"totalTokenCount":114}"#;
        let usage = counted(&[text]);
        assert_eq!((usage.input_uncached, usage.cache_read, usage.tool_prompt, usage.total()), (10, 90, 7, 114));
    }

    #[test]
    fn a_count_that_vanishes_is_kept() {
        let usage = counted(&[r#"{"promptTokenCount":10,"thoughtsTokenCount":8}"#, r#"{"candidatesTokenCount":3}"#]);
        assert_eq!((usage.input_uncached, usage.output, usage.reasoning), (10, 11, 8));
    }
}
