//! What a model behind a provider accepts: data, loaded from profiles, never `match` arms on names.

use gw_core::Effort;

/// Capability record of one deployment. `Default` is the newest family's conservative answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Capabilities {
    /// Spelling of the output limit on OpenAI-shaped requests.
    pub token_param: TokenParam,
    /// Whether role `developer` is known; otherwise `system` is sent.
    pub developer_role: bool,
    /// Published largest output in tokens; used where the format requires a limit and the client gave none.
    pub max_output: Option<u64>,
    /// Context window in tokens.
    pub context: Option<u64>,
    /// When sampling parameters are accepted.
    pub sampling: Sampled,
    /// Largest temperature.
    pub max_temperature: f64,
    /// Effort words accepted, lowest first; empty when there is no effort control.
    pub efforts: Vec<Effort>,
    /// How reasoning is controlled.
    pub reasoning: ReasoningStyle,
    /// Whether reasoning can be switched off.
    pub can_disable_reasoning: bool,
    /// Smallest and largest thinking budget in tokens.
    pub budget_range: (i64, i64),
    /// Whether a tool call can be forced.
    pub forced_tool_choice: ForcedChoice,
    /// Whether the target takes `tool_choice` at all.
    pub tool_choice: bool,
    /// Whether `parallel_tool_calls` is taken.
    pub parallel_control: bool,
    /// Whether system messages may stand after the first user message.
    pub inline_system: bool,
    /// Whether a trailing assistant message is continued.
    pub prefill: bool,
    /// Structured output.
    pub structured: Structured,
    /// Whether a schema and tools may be combined.
    pub schema_with_tools: bool,
    /// Whether `strict` on tools is taken.
    pub strict_tools: bool,
    /// Whether images are taken.
    pub image_input: bool,
    /// Whether image URLs are fetched by the target.
    pub image_urls: bool,
    /// Whether audio is taken.
    pub audio_input: bool,
    /// Whether video is taken.
    pub video_input: bool,
    /// Whether documents (PDF) are taken.
    pub file_input: bool,
    /// Whether document URLs are fetched by the target.
    pub file_urls: bool,
    /// Whether images may stand in tool results.
    pub media_in_tool_results: bool,
    /// Whether prompt-cache marks are taken.
    pub cache_marks: bool,
    /// Most cache marks in a request.
    pub max_cache_marks: usize,
    /// Whether assistant turns with tool calls must carry reasoning text back (DeepSeek).
    pub reasoning_replay_required: bool,
    /// Most stop sequences; 0 when stop is not supported and must be emulated.
    pub max_stops: usize,
    /// Most candidates; 1 when only one.
    pub max_candidates: u32,
    /// Whether `seed` is taken.
    pub seed: bool,
    /// Name of the seed field where it differs from `seed`.
    pub seed_name: Option<String>,
    /// Whether frequency and presence penalties are taken.
    pub penalties: bool,
    /// Whether `top_k` is taken (OpenAI-shaped extension or native).
    pub top_k: bool,
    /// Whether `logit_bias` is taken.
    pub logit_bias: bool,
    /// Whether log-probabilities are available.
    pub logprobs: bool,
    /// Whether a usage event must be asked for in streams (`stream_options.include_usage`).
    pub stream_usage_option: bool,
    /// Whether unknown fields of the same format are refused by the server: strip what is not known.
    pub strict_fields: bool,
    /// Top-level fields of the same format that this server refuses.
    pub drop_fields: Vec<String>,
    /// Top-level fields renamed for this server: (from, to).
    pub rename_fields: Vec<(String, String)>,
    /// Whether end-user identity (`user`) is taken.
    pub end_user: bool,
    /// Whether `metadata` is taken.
    pub metadata: bool,
    /// Whether `service_tier` is taken.
    pub service_tier: bool,
    /// Whether `store` is taken.
    pub store: bool,
    /// Tool-call ids must be exactly this many alphanumerics (Mistral: 9).
    pub call_id_length: Option<usize>,
    /// Newest Gemini schema field (`parametersJsonSchema`, `responseJsonSchema`) instead of the OpenAPI subset.
    pub json_schema_fields: bool,
}

/// Spelling of the output limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenParam {
    /// `max_tokens`
    MaxTokens,
    /// `max_completion_tokens`
    MaxCompletionTokens,
}

/// When sampling parameters are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sampled {
    /// Always.
    Always,
    /// Never.
    Never,
    /// Only while reasoning is off.
    WithoutReasoning,
}

/// How reasoning is controlled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReasoningStyle {
    /// No control.
    None,
    /// An effort word (`reasoning_effort`).
    Effort,
    /// A token budget (`thinking.budget_tokens`, `thinkingBudget`).
    Budget,
    /// Adaptive thinking with an effort word (Anthropic `adaptive` + `output_config.effort`).
    Adaptive,
    /// A level word (Gemini `thinkingLevel`).
    Level,
    /// `thinking: {type}` plus an effort word (DeepSeek).
    ThinkingToggle,
    /// `enable_thinking` and `thinking_budget` (Qwen).
    EnableThinking,
}

/// Whether a tool call can be forced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForcedChoice {
    /// Yes.
    Yes,
    /// No.
    No,
    /// Not while thinking.
    NotWithThinking,
}

/// Structured output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Structured {
    /// None.
    None,
    /// A JSON object without schema.
    Object,
    /// A schema only (no schema-less JSON mode).
    SchemaOnly,
    /// Both.
    Schema,
}

impl Default for Capabilities {
    fn default() -> Self {
        Self {
            token_param: TokenParam::MaxTokens,
            developer_role: false,
            max_output: None,
            context: None,
            sampling: Sampled::Always,
            max_temperature: 2.0,
            efforts: vec![Effort::Low, Effort::Medium, Effort::High],
            reasoning: ReasoningStyle::Effort,
            can_disable_reasoning: true,
            budget_range: (1_024, 32_768),
            forced_tool_choice: ForcedChoice::Yes,
            tool_choice: true,
            parallel_control: true,
            inline_system: true,
            prefill: false,
            structured: Structured::Schema,
            schema_with_tools: true,
            strict_tools: true,
            image_input: true,
            image_urls: true,
            audio_input: true,
            video_input: false,
            file_input: true,
            file_urls: false,
            media_in_tool_results: false,
            cache_marks: false,
            max_cache_marks: 4,
            reasoning_replay_required: false,
            max_stops: 4,
            max_candidates: 8,
            seed: true,
            seed_name: None,
            penalties: true,
            top_k: false,
            logit_bias: true,
            logprobs: true,
            stream_usage_option: true,
            strict_fields: false,
            drop_fields: Vec::new(),
            rename_fields: Vec::new(),
            end_user: true,
            metadata: false,
            service_tier: false,
            store: false,
            call_id_length: None,
            json_schema_fields: true,
        }
    }
}

impl Capabilities {
    /// The accepted effort nearest to the wanted one: at or above first, else the highest. `None` when the target has
    /// no effort words.
    #[must_use]
    pub fn snap_effort(&self, wanted: &Effort) -> Option<&Effort> {
        if let Some(exact) = self.efforts.iter().find(|known| *known == wanted) {
            return Some(exact);
        }
        if let Effort::Other(_) = wanted {
            return self.efforts.last();
        }
        self.efforts.iter().find(|known| *known >= wanted).or(self.efforts.last())
    }
}
