//! Token usage as one vector whose additive parts are disjoint.

/// Where a usage number comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub enum Provenance {
    /// No number at all.
    #[default]
    None,
    /// Estimated from sizes.
    Estimated,
    /// Counted by a tokenizer.
    Counted,
    /// Reported by the provider.
    Reported,
}

impl Provenance {
    /// Stable name for records and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Estimated => "estimated",
            Self::Counted => "counted",
            Self::Reported => "reported",
        }
    }
}

/// Token usage. Unless a field says otherwise the fields are disjoint: input is the sum of `input_uncached`,
/// `cache_read`, the three `cache_write_*` and `tool_prompt`; output is `output`, of which `reasoning` is a part.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Usage {
    /// Input tokens neither read from nor written to a cache.
    pub input_uncached: u64,
    /// Input tokens read from a cache.
    pub cache_read: u64,
    /// Input tokens written to a cache kept 5 minutes.
    pub cache_write_5m: u64,
    /// Input tokens written to a cache kept 1 hour.
    pub cache_write_1h: u64,
    /// Input tokens written to a cache of another or unknown lifetime.
    pub cache_write_other: u64,
    /// Input tokens of server-side tool prompts (Gemini `toolUsePromptTokenCount`).
    pub tool_prompt: u64,
    /// All output tokens, reasoning included.
    pub output: u64,
    /// Reasoning tokens, contained in `output`.
    pub reasoning: u64,
    /// Audio tokens contained in the input sum.
    pub audio_input: u64,
    /// Audio tokens contained in `output`.
    pub audio_output: u64,
    /// Image tokens contained in the input sum.
    pub image_input: u64,
    /// Accepted prediction tokens contained in `output`.
    pub prediction_accepted: u64,
    /// Rejected prediction tokens contained in `output`.
    pub prediction_rejected: u64,
    /// Server-side web searches.
    pub web_searches: u64,
    /// Where the numbers come from.
    pub provenance: Provenance,
}

impl Usage {
    /// Tokens written to any cache.
    #[must_use]
    pub fn cache_write(&self) -> u64 {
        self.cache_write_5m.saturating_add(self.cache_write_1h).saturating_add(self.cache_write_other)
    }

    /// All input tokens.
    #[must_use]
    pub fn input_total(&self) -> u64 {
        self.input_uncached
            .saturating_add(self.cache_read)
            .saturating_add(self.cache_write())
            .saturating_add(self.tool_prompt)
    }

    /// All tokens.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.input_total().saturating_add(self.output)
    }

    /// Takes a later cumulative snapshot: a field that vanished from it keeps the last known value.
    pub fn absorb(&mut self, later: &Self) {
        fn keep(slot: &mut u64, value: u64) {
            if value != 0 {
                *slot = value;
            }
        }
        keep(&mut self.input_uncached, later.input_uncached);
        keep(&mut self.cache_read, later.cache_read);
        keep(&mut self.cache_write_5m, later.cache_write_5m);
        keep(&mut self.cache_write_1h, later.cache_write_1h);
        keep(&mut self.cache_write_other, later.cache_write_other);
        keep(&mut self.tool_prompt, later.tool_prompt);
        keep(&mut self.output, later.output);
        keep(&mut self.reasoning, later.reasoning);
        keep(&mut self.audio_input, later.audio_input);
        keep(&mut self.audio_output, later.audio_output);
        keep(&mut self.image_input, later.image_input);
        keep(&mut self.prediction_accepted, later.prediction_accepted);
        keep(&mut self.prediction_rejected, later.prediction_rejected);
        keep(&mut self.web_searches, later.web_searches);
        self.provenance = self.provenance.max(later.provenance);
    }
}

#[cfg(test)]
mod tests {
    use super::{Provenance, Usage};

    #[test]
    fn absorb_keeps_what_a_later_snapshot_lost() {
        let mut first = Usage {
            input_uncached: 10,
            cache_read: 90,
            output: 1,
            provenance: Provenance::Reported,
            ..Usage::default()
        };
        first.absorb(&Usage { output: 40, reasoning: 12, provenance: Provenance::Reported, ..Usage::default() });
        assert_eq!((first.input_total(), first.output, first.reasoning, first.total()), (100, 40, 12, 140));
    }
}
