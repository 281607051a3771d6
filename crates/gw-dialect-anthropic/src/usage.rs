//! Token usage: this format's input count excludes cached tokens, its stream snapshots are cumulative and partial.

use gw_core::{Provenance, Usage};
use gw_wire::{Json, JsonWriter, Kind};

/// Usage as reported so far. A later snapshot replaces field by field what an earlier one said.
#[derive(Debug, Clone, Default)]
pub(crate) struct UsageReader {
    seen: bool,
    input: u64,
    cache_read: u64,
    cache_write: Option<u64>,
    write_5m: u64,
    write_1h: u64,
    output: u64,
    thinking: u64,
    searches: u64,
    /// Input, cache read, cache write and output of steps that the top-level counts leave out.
    apart: [u64; 4],
}

impl UsageReader {
    /// Takes a `usage` object; `false` when it is none.
    pub(crate) fn absorb(&mut self, usage: Json<'_>) -> bool {
        if usage.kind() != Kind::Object {
            return false;
        }
        self.seen = true;
        set(&mut self.input, usage, "input_tokens");
        set(&mut self.cache_read, usage, "cache_read_input_tokens");
        set(&mut self.output, usage, "output_tokens");
        if let Some(total) = count(usage, "cache_creation_input_tokens") {
            self.cache_write = Some(total);
        }
        if let Some(split) = usage.get_some("cache_creation") {
            set(&mut self.write_5m, split, "ephemeral_5m_input_tokens");
            set(&mut self.write_1h, split, "ephemeral_1h_input_tokens");
        }
        if let Some(details) = usage.get_some("output_tokens_details") {
            set(&mut self.thinking, details, "thinking_tokens");
        }
        if let Some(tools) = usage.get_some("server_tool_use") {
            set(&mut self.searches, tools, "web_search_requests");
        }
        if let Some(steps) = usage.get_some("iterations") {
            self.apart = apart(steps);
        }
        true
    }

    /// The snapshot; `None` before any report.
    pub(crate) fn usage(&self) -> Option<Usage> {
        if !self.seen {
            return None;
        }
        let split = self.write_5m.saturating_add(self.write_1h);
        let total = self.cache_write.unwrap_or(split);
        // A split that exceeds the newer total is stale: the lifetime of the tokens is then unknown.
        let (write_5m, write_1h) = if split <= total { (self.write_5m, self.write_1h) } else { (0, 0) };
        let [input, read, write, output] = self.apart;
        let output = self.output.saturating_add(output);
        Some(Usage {
            input_uncached: self.input.saturating_add(input),
            cache_read: self.cache_read.saturating_add(read),
            cache_write_5m: write_5m,
            cache_write_1h: write_1h,
            cache_write_other: total.saturating_sub(write_5m).saturating_sub(write_1h).saturating_add(write),
            output,
            reasoning: self.thinking.min(output),
            web_searches: self.searches,
            provenance: Provenance::Reported,
            ..Usage::default()
        })
    }
}

/// Steps of compaction and advice are billed, but not part of the top-level counts.
fn apart(steps: Json<'_>) -> [u64; 4] {
    let mut sums = [0_u64; 4];
    for step in steps.items() {
        let kind = step.get_some("type").and_then(|kind| kind.string()).unwrap_or_default();
        if !matches!(kind.as_str(), "compaction" | "advisor_message") {
            continue;
        }
        let names = ["input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens"];
        for (sum, name) in sums.iter_mut().zip(names) {
            *sum = sum.saturating_add(count(step, name).unwrap_or(0));
        }
    }
    sums
}

fn count(object: Json<'_>, name: &str) -> Option<u64> {
    object.get_some(name).and_then(|value| value.u64())
}

fn set(slot: &mut u64, object: Json<'_>, name: &str) {
    if let Some(value) = count(object, name) {
        *slot = value;
    }
}

/// Members of a message's `usage`, every nullable one present.
pub(crate) fn write_message(w: &mut JsonWriter, usage: &Usage, tier: Option<&str>) {
    counts(w, usage);
    w.field_object("cache_creation", |w| {
        // A lifetime that this format cannot name counts as the shorter one.
        w.field_u64("ephemeral_5m_input_tokens", usage.cache_write_5m.saturating_add(usage.cache_write_other));
        w.field_u64("ephemeral_1h_input_tokens", usage.cache_write_1h);
    });
    w.field_null("inference_geo");
    match tier {
        Some(tier) => w.field_str("service_tier", tier),
        None => w.field_null("service_tier"),
    }
}

/// Members of a `message_delta`'s `usage`.
pub(crate) fn write_delta(w: &mut JsonWriter, usage: &Usage) {
    counts(w, usage);
}

fn counts(w: &mut JsonWriter, usage: &Usage) {
    w.field_u64("input_tokens", usage.input_uncached.saturating_add(usage.tool_prompt));
    w.field_u64("cache_creation_input_tokens", usage.cache_write());
    w.field_u64("cache_read_input_tokens", usage.cache_read);
    w.field_u64("output_tokens", usage.output);
    if usage.reasoning > 0 {
        w.field_object("output_tokens_details", |w| w.field_u64("thinking_tokens", usage.reasoning));
    }
    if usage.web_searches > 0 {
        w.field_object("server_tool_use", |w| {
            w.field_u64("web_search_requests", usage.web_searches);
            w.field_u64("web_fetch_requests", 0);
        });
    } else {
        w.field_null("server_tool_use");
    }
}

/// The tier that served a request, in this format's words.
pub(crate) fn tier_word(tier: Option<&str>) -> Option<&'static str> {
    match tier? {
        "standard" | "default" | "standard_only" => Some("standard"),
        "priority" | "scale" => Some("priority"),
        "batch" => Some("batch"),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]
mod tests {
    use super::UsageReader;
    use crate::raw::with_parsed;

    fn read(snapshots: &[&str]) -> gw_core::Usage {
        let mut reader = UsageReader::default();
        for snapshot in snapshots {
            assert!(with_parsed(snapshot, |json| reader.absorb(json)).unwrap());
        }
        reader.usage().unwrap()
    }

    #[test]
    fn snapshots_replace_and_keep_the_split_of_cache_writes() {
        let start = r#"{"input_tokens":3,"cache_creation_input_tokens":100,"cache_read_input_tokens":7,
            "cache_creation":{"ephemeral_5m_input_tokens":60,"ephemeral_1h_input_tokens":40},"output_tokens":1}"#;
        let delta = r#"{"input_tokens":3,"cache_creation_input_tokens":100,"cache_read_input_tokens":7,
            "output_tokens":50,"output_tokens_details":{"thinking_tokens":20},"server_tool_use":{"web_search_requests":2}}"#;
        let usage = read(&[start, delta]);
        assert_eq!((usage.cache_write_5m, usage.cache_write_1h, usage.cache_write_other), (60, 40, 0));
        assert_eq!((usage.input_total(), usage.output, usage.reasoning, usage.web_searches), (110, 50, 20, 2));
    }

    #[test]
    fn an_unsplit_write_has_an_unknown_lifetime_and_a_corrected_total_wins() {
        let usage = read(&[r#"{"input_tokens":1,"cache_creation_input_tokens":9,"output_tokens":1}"#]);
        assert_eq!((usage.cache_write_5m, usage.cache_write_other), (0, 9));
        let usage = read(&[
            r#"{"cache_creation_input_tokens":9,"cache_creation":{"ephemeral_5m_input_tokens":9}}"#,
            r#"{"cache_creation_input_tokens":4}"#,
        ]);
        assert_eq!(usage.cache_write(), 4);
    }

    #[test]
    fn compaction_and_advice_are_added() {
        let usage = read(&[r#"{"input_tokens":10,"output_tokens":5,"iterations":[
            {"type":"message","input_tokens":10,"output_tokens":5},
            {"type":"advisor_message","model":"x","input_tokens":100,"output_tokens":20}]}"#]);
        assert_eq!((usage.input_uncached, usage.output), (110, 25));
    }
}
