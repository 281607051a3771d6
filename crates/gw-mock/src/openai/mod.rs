//! The OpenAI surface: chat completions, responses, and the single-purpose endpoints.

pub(crate) mod chat;
mod chat_request;
pub(crate) mod responses;
mod responses_request;
pub(crate) mod single;

use serde_json::{Value, json};

use crate::answer::Usage;

/// Usage as chat completions and completions report it.
pub(crate) fn chat_usage(usage: &Usage) -> Value {
    json!({
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.input + usage.output,
        "prompt_tokens_details": {
            "cached_tokens": usage.cache_read, "cache_write_tokens": usage.cache_write, "audio_tokens": 0,
        },
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning, "audio_tokens": 0,
            "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0,
        },
    })
}
