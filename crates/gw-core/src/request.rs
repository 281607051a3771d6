//! The canonical chat request. Absent stays absent: every optional field is `None` unless the client wrote it.

use crate::{DialectId, Extras, Message, Number, RawJson, Tool, ToolChoice};

/// A chat request, wider than any one dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatRequest {
    /// The format it was decoded from.
    pub origin: DialectId,
    /// Model as the client named it.
    pub model: String,
    /// Whether the client wants a stream.
    pub stream: bool,
    /// Whether the client asked for a usage event in the stream (always true for dialects that always send it).
    pub include_usage: bool,
    /// All messages in source order; leading system messages included.
    pub messages: Vec<Message>,
    /// Tool definitions in source order.
    pub tools: Vec<Tool>,
    /// Tool choice.
    pub tool_choice: Option<ToolChoice>,
    /// Whether several calls may be made at once.
    pub parallel_tools: Option<bool>,
    /// The client used OpenAI's legacy `functions`; replies must answer in that form.
    pub legacy_functions: bool,
    /// Shape of the output.
    pub output: Output,
    /// Limits and stops.
    pub limits: Limits,
    /// Sampling.
    pub sampling: Sampling,
    /// Reasoning.
    pub reasoning: Reasoning,
    /// Prompt caching.
    pub cache: Cache,
    /// Server-side state.
    pub state: State,
    /// Safety settings: the vendor's own JSON, `true` when it tightens protection.
    pub safety: Vec<(DialectId, RawJson, bool)>,
    /// Who the end user is.
    pub identity: Identity,
    /// Service tier.
    pub service: Service,
    /// Unknown top-level fields.
    pub extras: Extras,
}

impl ChatRequest {
    /// An empty request of the given format.
    #[must_use]
    pub fn new(origin: DialectId, model: impl Into<String>) -> Self {
        Self {
            origin,
            model: model.into(),
            stream: false,
            include_usage: false,
            messages: Vec::new(),
            tools: Vec::new(),
            tool_choice: None,
            parallel_tools: None,
            legacy_functions: false,
            output: Output::default(),
            limits: Limits::default(),
            sampling: Sampling::default(),
            reasoning: Reasoning::default(),
            cache: Cache::default(),
            state: State::default(),
            safety: Vec::new(),
            identity: Identity::default(),
            service: Service::default(),
            extras: Vec::new(),
        }
    }
}

/// Shape of the output.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Output {
    /// Text, JSON or schema.
    pub format: OutputFormat,
    /// Number of candidates.
    pub candidates: Option<u32>,
    /// Requested modalities in lower case (`text`, `audio`, `image`), when the client named any.
    pub modalities: Vec<String>,
    /// `low`, `medium`, `high`.
    pub verbosity: Option<String>,
    /// Audio output options, the vendor's own JSON.
    pub audio: Option<(DialectId, RawJson)>,
    /// Image output options, the vendor's own JSON.
    pub image: Option<(DialectId, RawJson)>,
    /// Predicted output, the vendor's own JSON.
    pub prediction: Option<RawJson>,
    /// Resolution of input media for the whole request, a vendor value.
    pub media_resolution: Option<String>,
}

/// Text, JSON or schema.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum OutputFormat {
    /// Not asked for, or plain text.
    #[default]
    Text,
    /// Any JSON object.
    JsonObject,
    /// JSON that follows a schema.
    JsonSchema {
        /// Schema name, where the dialect has one.
        name: Option<String>,
        /// Description for the model.
        description: Option<String>,
        /// The schema as the client wrote it.
        schema: RawJson,
        /// Whether enforcement was asked for.
        strict: Option<bool>,
    },
    /// Another MIME type (`text/x.enum`), with a schema where given.
    Mime {
        /// MIME type.
        mime: String,
        /// Schema as written.
        schema: Option<RawJson>,
    },
}

/// Limits and stops.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Limits {
    /// Most output tokens.
    pub max_output_tokens: Option<u64>,
    /// Least output tokens.
    pub min_tokens: Option<u64>,
    /// Stop sequences.
    pub stop: Vec<String>,
}

/// Sampling. Numbers keep their text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sampling {
    /// Temperature.
    pub temperature: Option<Number>,
    /// Nucleus.
    pub top_p: Option<Number>,
    /// Top k.
    pub top_k: Option<Number>,
    /// Minimum probability.
    pub min_p: Option<Number>,
    /// Seed.
    pub seed: Option<Number>,
    /// Frequency penalty.
    pub frequency_penalty: Option<Number>,
    /// Presence penalty.
    pub presence_penalty: Option<Number>,
    /// Repetition penalty.
    pub repetition_penalty: Option<Number>,
    /// Token-id biases, the vendor's own JSON: never translated between tokenizers.
    pub logit_bias: Option<RawJson>,
    /// Whether log-probabilities are wanted.
    pub logprobs: Option<bool>,
    /// Alternatives per token.
    pub top_logprobs: Option<u32>,
}

/// Whether reasoning is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Toggle {
    /// The client said nothing.
    #[default]
    Default,
    /// Off.
    Off,
    /// On.
    On,
    /// The model decides how much.
    Adaptive,
    /// Only between tool calls (Anthropic `between_tools`).
    BetweenTools,
}

/// Reasoning effort, ordered.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effort {
    None,
    Minimal,
    Low,
    Medium,
    High,
    XHigh,
    Max,
    /// A word newer than this code.
    Other(String),
}

impl Effort {
    /// Reads the lower-case word used by OpenAI, Anthropic and others.
    #[must_use]
    pub fn parse(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "none" => Self::None,
            "minimal" => Self::Minimal,
            "low" => Self::Low,
            "medium" => Self::Medium,
            "high" => Self::High,
            "xhigh" => Self::XHigh,
            "max" => Self::Max,
            _ => Self::Other(word.to_owned()),
        }
    }

    /// The lower-case word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::None => "none",
            Self::Minimal => "minimal",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::XHigh => "xhigh",
            Self::Max => "max",
            Self::Other(word) => word,
        }
    }

    /// Suggested thinking budget in tokens, for targets that only have budgets (wire reference, "Effort <-> budget").
    #[must_use]
    pub fn to_budget(&self) -> i64 {
        match self {
            Self::None => 0,
            Self::Minimal => 1_024,
            Self::Low => 4_096,
            Self::Medium | Self::Other(_) => 8_192,
            Self::High => 16_384,
            Self::XHigh | Self::Max => 32_768,
        }
    }

    /// Nearest effort for a budget in tokens; a negative budget (automatic) has none.
    #[must_use]
    pub fn from_budget(budget: i64) -> Option<Self> {
        match budget {
            ..=-1 => None,
            0 => Some(Self::None),
            1..=1_024 => Some(Self::Minimal),
            1_025..=4_096 => Some(Self::Low),
            4_097..=12_288 => Some(Self::Medium),
            12_289..=24_576 => Some(Self::High),
            _ => Some(Self::XHigh),
        }
    }
}

/// How much of the reasoning the client wants to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Visibility {
    /// The client said nothing.
    #[default]
    Default,
    /// Nothing readable.
    Hidden,
    /// A summary.
    Summary,
    /// Everything there is.
    Full,
}

/// Reasoning controls.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reasoning {
    /// On, off or adaptive.
    pub toggle: Toggle,
    /// Effort word.
    pub effort: Option<Effort>,
    /// Budget in tokens; -1 means automatic.
    pub budget_tokens: Option<i64>,
    /// What the client wants to see.
    pub visibility: Visibility,
}

/// Prompt caching beyond the marks on parts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cache {
    /// `prompt_cache_key`.
    pub key: Option<String>,
    /// `prompt_cache_options` and the like, the vendor's own JSON.
    pub options: Option<(DialectId, RawJson)>,
    /// `prompt_cache_retention`.
    pub retention: Option<String>,
    /// Gemini `cachedContent`: carries content, so it never crosses vendors.
    pub handle: Option<String>,
    /// Anthropic top-level `cache_control`: mark the last cacheable block.
    pub auto_last: Option<crate::CacheMark>,
}

/// Server-side state: the vendor's own fields, never translated silently.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct State {
    /// `store`.
    pub store: Option<bool>,
    /// Stateful fields that carry content (`container`, `context_management`, `continuationToken`, ...).
    pub fields: Extras,
}

/// Who the end user is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Identity {
    /// `user`, `metadata.user_id`.
    pub end_user: Option<String>,
    /// `safety_identifier`.
    pub safety_identifier: Option<String>,
    /// Key-value metadata or labels, as a JSON object of strings.
    pub metadata: Option<RawJson>,
}

/// Service tier.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Service {
    /// Tier word as written.
    pub tier: Option<String>,
    /// Anthropic `speed`.
    pub speed: Option<String>,
    /// Anthropic `inference_geo`.
    pub geo: Option<String>,
}
