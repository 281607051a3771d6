//! The settlement record: what one attempt at an upstream consumed and how it ended.

use serde::{Deserialize, Serialize};

/// Why an attempt ended. Every attempt has exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// The upstream finished its answer and all of it was handed to the client's connection.
    Completed,
    /// The client went away first.
    ClientCancelled,
    /// The upstream answered with an error or could not be reached.
    UpstreamError,
    /// The upstream's stream ended without a terminal event.
    UpstreamTruncated,
    /// A deadline of the gateway passed.
    Timeout,
    /// The gateway refused the call (policy, limits, bad request).
    Refused,
    /// The gateway stopped while the attempt was running.
    Shutdown,
    /// A fault of the gateway itself.
    #[default]
    Internal,
}

impl EndReason {
    /// All reasons, in the order of their codes.
    pub const ALL: [Self; 8] = [
        Self::Completed,
        Self::ClientCancelled,
        Self::UpstreamError,
        Self::UpstreamTruncated,
        Self::Timeout,
        Self::Refused,
        Self::Shutdown,
        Self::Internal,
    ];

    /// The stored name, such as `client_cancelled`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::ClientCancelled => "client_cancelled",
            Self::UpstreamError => "upstream_error",
            Self::UpstreamTruncated => "upstream_truncated",
            Self::Timeout => "timeout",
            Self::Refused => "refused",
            Self::Shutdown => "shutdown",
            Self::Internal => "internal",
        }
    }

    /// The reason with this stored name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == name)
    }

    /// The code used in the journal: the position in [`EndReason::ALL`]. Codes are never reused.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Completed => 0,
            Self::ClientCancelled => 1,
            Self::UpstreamError => 2,
            Self::UpstreamTruncated => 3,
            Self::Timeout => 4,
            Self::Refused => 5,
            Self::Shutdown => 6,
            Self::Internal => 7,
        }
    }

    /// The reason with this journal code.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }
}

impl From<gw_core::EndReason> for EndReason {
    fn from(reason: gw_core::EndReason) -> Self {
        match reason {
            gw_core::EndReason::Completed => Self::Completed,
            gw_core::EndReason::ClientCancelled => Self::ClientCancelled,
            gw_core::EndReason::UpstreamError => Self::UpstreamError,
            gw_core::EndReason::UpstreamTruncated => Self::UpstreamTruncated,
            gw_core::EndReason::Timeout => Self::Timeout,
            gw_core::EndReason::Refused => Self::Refused,
            gw_core::EndReason::Shutdown => Self::Shutdown,
            gw_core::EndReason::Internal => Self::Internal,
        }
    }
}

/// Where the token numbers come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UsageProvenance {
    /// The provider reported them.
    Reported,
    /// The gateway counted them with the model's tokenizer.
    Counted,
    /// The gateway estimated them.
    Estimated,
    /// There are none.
    #[default]
    None,
}

impl UsageProvenance {
    /// All values, in the order of their codes.
    pub const ALL: [Self; 4] = [Self::Reported, Self::Counted, Self::Estimated, Self::None];

    /// The stored name, such as `reported`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reported => "reported",
            Self::Counted => "counted",
            Self::Estimated => "estimated",
            Self::None => "none",
        }
    }

    /// The value with this stored name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|provenance| provenance.as_str() == name)
    }

    /// The code used in the journal: the position in [`UsageProvenance::ALL`]. Codes are never reused.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Reported => 0,
            Self::Counted => 1,
            Self::Estimated => 2,
            Self::None => 3,
        }
    }

    /// The value with this journal code.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }
}

impl From<gw_core::Provenance> for UsageProvenance {
    fn from(provenance: gw_core::Provenance) -> Self {
        match provenance {
            gw_core::Provenance::Reported => Self::Reported,
            gw_core::Provenance::Counted => Self::Counted,
            gw_core::Provenance::Estimated => Self::Estimated,
            gw_core::Provenance::None => Self::None,
        }
    }
}

/// What an attempt consumed. The first eight fields are disjoint: each token is counted in exactly one of them, and they
/// add up to the provider's total. The following six say what some of those tokens were and must not be added to them.
/// The last two count calls, not tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct UsageTokens {
    /// Input that no cache served or stored.
    pub input_uncached: u64,
    /// Input served from the provider's prompt cache.
    pub cache_read: u64,
    /// Input written to the prompt cache for five minutes.
    pub cache_write_5m: u64,
    /// Input written to the prompt cache for an hour.
    pub cache_write_1h: u64,
    /// Input written to the prompt cache for another or an unnamed time.
    pub cache_write_other: u64,
    /// Input that the provider's own tools added.
    pub tool_prompt: u64,
    /// Output minus reasoning.
    pub output_text: u64,
    /// Reasoning output, shown or hidden.
    pub output_reasoning: u64,
    /// Audio tokens contained in the input.
    pub audio_in: u64,
    /// Audio tokens contained in the output.
    pub audio_out: u64,
    /// Image tokens contained in the input.
    pub image_in: u64,
    /// Image tokens contained in the output.
    pub image_out: u64,
    /// Accepted prediction tokens contained in the output.
    pub prediction_accepted: u64,
    /// Rejected prediction tokens contained in the output.
    pub prediction_rejected: u64,
    /// Web searches made by the provider.
    pub web_searches: u64,
    /// Calls of the upstream: 1, or 0 for an attempt that never reached it.
    pub requests: u64,
}

impl UsageTokens {
    /// Number of fields.
    pub const COUNT: usize = 16;

    /// Names of the fields in the order of [`UsageTokens::to_array`]. Appended to, never reordered: the position is the
    /// tag in the journal.
    pub const FIELDS: [&'static str; Self::COUNT] = [
        "input_uncached",
        "cache_read",
        "cache_write_5m",
        "cache_write_1h",
        "cache_write_other",
        "tool_prompt",
        "output_text",
        "output_reasoning",
        "audio_in",
        "audio_out",
        "image_in",
        "image_out",
        "prediction_accepted",
        "prediction_rejected",
        "web_searches",
        "requests",
    ];

    /// The values in the order of [`UsageTokens::FIELDS`].
    #[must_use]
    pub const fn to_array(&self) -> [u64; Self::COUNT] {
        [
            self.input_uncached,
            self.cache_read,
            self.cache_write_5m,
            self.cache_write_1h,
            self.cache_write_other,
            self.tool_prompt,
            self.output_text,
            self.output_reasoning,
            self.audio_in,
            self.audio_out,
            self.image_in,
            self.image_out,
            self.prediction_accepted,
            self.prediction_rejected,
            self.web_searches,
            self.requests,
        ]
    }

    /// The inverse of [`UsageTokens::to_array`].
    #[must_use]
    pub const fn from_array(values: [u64; Self::COUNT]) -> Self {
        let [
            input_uncached,
            cache_read,
            cache_write_5m,
            cache_write_1h,
            cache_write_other,
            tool_prompt,
            output_text,
            output_reasoning,
            audio_in,
            audio_out,
            image_in,
            image_out,
            prediction_accepted,
            prediction_rejected,
            web_searches,
            requests,
        ] = values;
        Self {
            input_uncached,
            cache_read,
            cache_write_5m,
            cache_write_1h,
            cache_write_other,
            tool_prompt,
            output_text,
            output_reasoning,
            audio_in,
            audio_out,
            image_in,
            image_out,
            prediction_accepted,
            prediction_rejected,
            web_searches,
            requests,
        }
    }

    /// The stored form of a usage vector. Reasoning beyond the output that contains it is cut to the output, so that the
    /// parts never exceed the provider's total.
    #[must_use]
    pub fn of(usage: &gw_core::Usage, requests: u64) -> Self {
        let output_reasoning = usage.reasoning.min(usage.output);
        Self {
            input_uncached: usage.input_uncached,
            cache_read: usage.cache_read,
            cache_write_5m: usage.cache_write_5m,
            cache_write_1h: usage.cache_write_1h,
            cache_write_other: usage.cache_write_other,
            tool_prompt: usage.tool_prompt,
            output_text: usage.output.saturating_sub(output_reasoning),
            output_reasoning,
            audio_in: usage.audio_input,
            audio_out: usage.audio_output,
            image_in: usage.image_input,
            image_out: 0,
            prediction_accepted: usage.prediction_accepted,
            prediction_rejected: usage.prediction_rejected,
            web_searches: usage.web_searches,
            requests,
        }
    }

    /// All input tokens, saturating.
    #[must_use]
    pub const fn input_total(&self) -> u64 {
        self.input_uncached
            .saturating_add(self.cache_read)
            .saturating_add(self.cache_write_5m)
            .saturating_add(self.cache_write_1h)
            .saturating_add(self.cache_write_other)
            .saturating_add(self.tool_prompt)
    }

    /// All output tokens, saturating.
    #[must_use]
    pub const fn output_total(&self) -> u64 {
        self.output_text.saturating_add(self.output_reasoning)
    }

    /// Adds another vector field by field, saturating.
    pub fn add(&mut self, other: &Self) {
        let mut sum = self.to_array();
        for (total, value) in sum.iter_mut().zip(other.to_array()) {
            *total = total.saturating_add(value);
        }
        *self = Self::from_array(sum);
    }
}

/// The settlement of one attempt. Stored at most once per `attempt_id`, however often it is handed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UsageRecord {
    /// Version of this record's layout, [`UsageRecord::VERSION`] when written by this program.
    pub v: u16,
    /// Identifier of the attempt: the key of exactly-once settlement. Never empty.
    pub attempt_id: String,
    /// Identifier of the client's request; several attempts may share it.
    pub request_id: String,
    /// Identifier of the client key, empty when the call had none.
    pub key_id: String,
    /// Name of the client key at the time of the call.
    pub key_name: String,
    /// Unix milliseconds at which the attempt started.
    pub at_ms: i64,
    /// Milliseconds from start to settlement.
    pub duration_ms: u64,
    /// Milliseconds from start to the first byte of the upstream's answer.
    pub first_byte_ms: Option<u64>,
    /// Dialect of the client, such as `openai-chat`.
    pub ingress: String,
    /// Operation, such as `chat`.
    pub operation: String,
    /// Model name as the client wrote it.
    pub requested_model: String,
    /// Name of the provider that served the attempt.
    pub provider: String,
    /// Model name as the provider got it.
    pub upstream_model: String,
    /// Whether the client asked for a stream.
    pub streaming: bool,
    /// HTTP status that the client saw.
    pub status: u16,
    /// HTTP status of the upstream, if it answered.
    pub upstream_status: Option<u16>,
    /// How the attempt ended.
    pub end: EndReason,
    /// What it consumed.
    pub usage: UsageTokens,
    /// Where the numbers of `usage` come from.
    pub usage_provenance: UsageProvenance,
    /// Error code of the gateway's vocabulary, when the attempt failed.
    pub error_code: Option<String>,
    /// Fields that the target could not carry, by name.
    pub losses: Vec<String>,
    /// Stream events handed to the client's connection.
    pub events_delivered: u64,
    /// Body bytes handed to the client's connection.
    pub bytes_delivered: u64,
}

impl UsageRecord {
    /// The layout version that this program writes.
    pub const VERSION: u16 = 1;
}

/// Everything empty and zero, at the current version; `attempt_id` must be filled in.
impl Default for UsageRecord {
    fn default() -> Self {
        Self {
            v: Self::VERSION,
            attempt_id: String::new(),
            request_id: String::new(),
            key_id: String::new(),
            key_name: String::new(),
            at_ms: 0,
            duration_ms: 0,
            first_byte_ms: None,
            ingress: String::new(),
            operation: String::new(),
            requested_model: String::new(),
            provider: String::new(),
            upstream_model: String::new(),
            streaming: false,
            status: 0,
            upstream_status: None,
            end: EndReason::default(),
            usage: UsageTokens::default(),
            usage_provenance: UsageProvenance::default(),
            error_code: None,
            losses: Vec::new(),
            events_delivered: 0,
            bytes_delivered: 0,
        }
    }
}

#[cfg(test)]
mod tests;
