//! Client request to canonical request. Tolerant of legacy and de-facto fields; errors name the caller's own field.

mod messages;
mod options;
mod parts;
mod reasoning;
pub(crate) mod tools;

use gw_core::{ChatRequest, Field, GatewayError, Loss, LossAction, LossClass, Place};
use gw_spi::{DecodeContext, Fields, StateSealer};
use gw_wire::Document;

use crate::ID;

/// Top-level fields that have a canonical home.
const KNOWN: &[&str] = &[
    "model",
    "messages",
    "stream",
    "stream_options",
    "max_tokens",
    "max_completion_tokens",
    "min_tokens",
    "stop",
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "seed",
    "random_seed",
    "frequency_penalty",
    "presence_penalty",
    "repetition_penalty",
    "logit_bias",
    "logprobs",
    "top_logprobs",
    "n",
    "response_format",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "functions",
    "function_call",
    "reasoning_effort",
    "reasoning",
    "thinking",
    "enable_thinking",
    "thinking_budget",
    "verbosity",
    "modalities",
    "audio",
    "image_config",
    "prediction",
    "web_search_options",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "cache_control",
    "store",
    "metadata",
    "user",
    "safety_identifier",
    "service_tier",
    "moderation",
    "safe_prompt",
];

/// What every part of the decoder is given.
pub(crate) struct Reader<'a> {
    /// Opens state envelopes.
    pub(crate) sealer: &'a dyn StateSealer,
    /// What could not be understood fully.
    pub(crate) losses: Vec<Loss>,
}

impl Reader<'_> {
    /// An envelope in history that this gateway cannot open.
    pub(crate) fn unreadable_state(&mut self, message: u32) {
        self.losses.push(
            Loss::new(
                Field::ReasoningState,
                LossClass::Approximated,
                LossAction::Dropped,
                "a state envelope could not be opened and was left out",
            )
            .at(Place { message: Some(message), ..Place::default() }),
        );
    }
}

/// Decodes a chat request; see [`gw_spi::Ingress::decode`].
pub(crate) fn request(
    body: &Document<'_>,
    context: &DecodeContext<'_>,
) -> Result<(ChatRequest, Vec<Loss>), GatewayError> {
    let fields = Fields::new(body.root(), "")?;
    let named = fields.string("model")?;
    let model = context.path_model.map(str::to_owned).or(named).unwrap_or_default();
    let mut request = ChatRequest::new(crate::ID, model);
    let mut reader = Reader { sealer: context.sealer, losses: Vec::new() };
    request.stream = context.path_stream.or(fields.bool("stream")?).unwrap_or(false);
    if let Some(options) = fields.object("stream_options")? {
        request.include_usage = options.bool("include_usage")?.unwrap_or(false);
        for extra in options.unknown(&["include_usage"], ID) {
            let note = format!("stream_options.{} is not passed on", extra.name);
            reader.losses.push(Loss::new(Field::StreamOptions, LossClass::Advisory, LossAction::Dropped, note));
        }
    }
    request.messages = messages::decode(&fields, &mut reader)?;
    tools::decode(&fields, &mut request)?;
    options::decode(&fields, &mut request)?;
    request.extras.extend(fields.unknown(KNOWN, ID));
    Ok((request, reader.losses))
}
