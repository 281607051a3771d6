//! Partial capability records: what one layer of data says about a model.

use std::collections::BTreeMap;

use gw_core::Effort;
use gw_spi::{Capabilities, ForcedChoice, ReasoningStyle, Sampled, Structured, TokenParam};
use serde::Deserialize;

/// A word in data for each variant of an enum of the seams.
macro_rules! words {
    ($word:ident => $target:ident { $($variant:ident),+ $(,)? }) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub(crate) enum $word { $($variant),+ }

        impl From<$word> for $target {
            fn from(word: $word) -> Self {
                match word { $($word::$variant => Self::$variant),+ }
            }
        }
    };
}

words!(TokenParamWord => TokenParam { MaxTokens, MaxCompletionTokens });
words!(SampledWord => Sampled { Always, Never, WithoutReasoning });
words!(ReasoningWord => ReasoningStyle { None, Effort, Budget, Adaptive, Level, ThinkingToggle, EnableThinking });
words!(ForcedWord => ForcedChoice { Yes, No, NotWithThinking });
words!(StructuredWord => Structured { None, Object, SchemaOnly, Schema });

/// Declares the patch with one optional field per capability, and how each is written into the record.
macro_rules! patch {
    ($($field:ident: $raw:ty = $convert:expr;)+) => {
        /// Capabilities as written: absent means what the layer below says.
        #[derive(Debug, Clone, Default, PartialEq, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub(crate) struct CapabilityPatch { $(pub(crate) $field: Option<$raw>,)+ }

        impl CapabilityPatch {
            /// Writes what is present into the record.
            pub(crate) fn apply(&self, record: &mut Capabilities) {
                $(if let Some(value) = &self.$field { record.$field = ($convert)(value); })+
            }

            /// Fills what is absent from the layer below.
            pub(crate) fn over(self, below: &Self) -> Self {
                Self { $($field: self.$field.or_else(|| below.$field.clone()),)+ }
            }
        }

        #[cfg(test)]
        impl CapabilityPatch {
            /// Does not compile when the record has a field that data cannot reach.
            pub(crate) fn reaches_every_field(record: &Capabilities) {
                let Capabilities { $($field: _,)+ } = record;
            }
        }
    };
}

patch! {
    token_param: TokenParamWord = word;
    developer_role: bool = copy;
    max_output: u64 = some;
    context: u64 = some;
    sampling: SampledWord = word;
    max_temperature: f64 = copy;
    efforts: Vec<String> = efforts;
    reasoning: ReasoningWord = word;
    can_disable_reasoning: bool = copy;
    budget_range: (i64, i64) = copy;
    forced_tool_choice: ForcedWord = word;
    tool_choice: bool = copy;
    parallel_control: bool = copy;
    inline_system: bool = copy;
    prefill: bool = copy;
    structured: StructuredWord = word;
    schema_with_tools: bool = copy;
    strict_tools: bool = copy;
    image_input: bool = copy;
    image_urls: bool = copy;
    audio_input: bool = copy;
    video_input: bool = copy;
    file_input: bool = copy;
    file_urls: bool = copy;
    media_in_tool_results: bool = copy;
    cache_marks: bool = copy;
    max_cache_marks: usize = copy;
    reasoning_replay_required: bool = copy;
    max_stops: usize = copy;
    max_candidates: u32 = copy;
    seed: bool = copy;
    seed_name: String = some;
    penalties: bool = copy;
    top_k: bool = copy;
    logit_bias: bool = copy;
    logprobs: bool = copy;
    stream_usage_option: bool = copy;
    strict_fields: bool = copy;
    drop_fields: Vec<String> = Clone::clone;
    rename_fields: BTreeMap<String, String> = pairs;
    end_user: bool = copy;
    metadata: bool = copy;
    service_tier: bool = copy;
    store: bool = copy;
    call_id_length: usize = some;
    json_schema_fields: bool = copy;
}

fn copy<T: Copy>(value: &T) -> T {
    *value
}

fn some<T: Clone>(value: &T) -> Option<T> {
    Some(value.clone())
}

fn word<W: Copy, T: From<W>>(value: &W) -> T {
    T::from(*value)
}

/// Lowest first, whatever the order in data: snapping relies on it.
fn efforts(words: &[String]) -> Vec<Effort> {
    let mut efforts: Vec<Effort> = words.iter().map(|word| Effort::parse(word)).collect();
    efforts.sort();
    efforts.dedup();
    efforts
}

fn pairs(map: &BTreeMap<String, String>) -> Vec<(String, String)> {
    map.iter().map(|(from, to)| (from.clone(), to.clone())).collect()
}

#[cfg(test)]
mod tests {
    use gw_core::Effort;
    use gw_spi::Capabilities;

    use super::CapabilityPatch;

    #[test]
    fn layers_fill_each_other_and_every_field_can_be_reached() {
        let own: CapabilityPatch = toml::from_str("max_output = 5\nefforts = ['high', 'none']").unwrap();
        let below: CapabilityPatch = toml::from_str("max_output = 7\nseed_name = 'random_seed'").unwrap();
        let mut record = Capabilities::default();
        own.over(&below).apply(&mut record);
        assert_eq!(record.max_output, Some(5));
        assert_eq!(record.seed_name.as_deref(), Some("random_seed"));
        assert_eq!(record.efforts, [Effort::None, Effort::High]);
        CapabilityPatch::reaches_every_field(&record);
        assert!(toml::from_str::<CapabilityPatch>("max_outptu = 5").is_err(), "a misspelt capability is an error");
    }
}
