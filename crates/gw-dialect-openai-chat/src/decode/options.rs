//! Everything in a client request besides messages and tools.

use gw_core::{CacheMark, ChatRequest, Effort, Extra, GatewayError, OutputFormat, RawJson, Toggle, Visibility};
use gw_spi::Fields;
use gw_wire::{JsonWriter, Kind};

use super::tools::WrongValue;
use crate::ID;

/// Decodes limits, sampling, output, reasoning, cache, state, identity, service and safety.
pub(super) fn decode(body: &Fields<'_>, request: &mut ChatRequest) -> Result<(), GatewayError> {
    limits(body, request)?;
    sampling(body, request)?;
    output(body, request)?;
    response_format(body, request)?;
    reasoning(body, request)?;
    request.cache.key = body.string("prompt_cache_key")?;
    request.cache.options = body.object("prompt_cache_options")?.map(|options| (ID, options.json().to_raw()));
    request.cache.retention = body.string("prompt_cache_retention")?;
    if let Some(mark) = body.object("cache_control")? {
        request.cache.auto_last = Some(CacheMark { ttl: mark.string("ttl")? });
    }
    request.state.store = body.bool("store")?;
    request.identity.end_user = body.string("user")?;
    request.identity.safety_identifier = body.string("safety_identifier")?;
    request.identity.metadata = body.object("metadata")?.map(|metadata| metadata.json().to_raw());
    request.service.tier = body.string("service_tier")?;
    for (name, tightens) in [("moderation", None), ("safe_prompt", body.bool("safe_prompt")?)] {
        if let Some(value) = body.get(name) {
            let mut writer = JsonWriter::new();
            writer.object(|object| object.key(name).raw(value.raw()));
            request.safety.push((ID, writer.into_raw(), tightens.unwrap_or(true)));
        }
    }
    Ok(())
}

fn limits(body: &Fields<'_>, request: &mut ChatRequest) -> Result<(), GatewayError> {
    let (old, new) = (body.u64("max_tokens")?, body.u64("max_completion_tokens")?);
    if let (Some(old), Some(new)) = (old, new)
        && old != new
    {
        let message = "'max_tokens' and 'max_completion_tokens' differ; send one of them";
        return Err(GatewayError::bad_field("max_tokens", message));
    }
    request.limits.max_output_tokens = new.or(old);
    request.limits.min_tokens = body.u64("min_tokens")?;
    let Some(stop) = body.get("stop") else { return Ok(()) };
    match stop.kind() {
        Kind::String => request.limits.stop.extend(stop.string()),
        Kind::Array => {
            for (at, item) in stop.items().enumerate() {
                let text = item.string().ok_or_else(|| {
                    let message = format!("'stop[{at}]' must be a string, not {}", item.kind().described());
                    GatewayError::bad_field(format!("stop[{at}]"), message)
                })?;
                request.limits.stop.push(text);
            }
        }
        _ => return Err(body.wrong("stop", "a string or an array of strings")),
    }
    request.limits.stop.retain(|text| !text.is_empty());
    Ok(())
}

fn sampling(body: &Fields<'_>, request: &mut ChatRequest) -> Result<(), GatewayError> {
    let sampling = &mut request.sampling;
    sampling.temperature = body.number("temperature")?;
    sampling.top_p = body.number("top_p")?;
    sampling.top_k = body.number("top_k")?;
    sampling.min_p = body.number("min_p")?;
    sampling.seed = match body.number("seed")? {
        Some(seed) => Some(seed),
        None => body.number("random_seed")?,
    };
    sampling.frequency_penalty = body.number("frequency_penalty")?;
    sampling.presence_penalty = body.number("presence_penalty")?;
    sampling.repetition_penalty = body.number("repetition_penalty")?;
    sampling.logit_bias = body.object("logit_bias")?.map(|bias| bias.json().to_raw());
    sampling.logprobs = body.bool("logprobs")?;
    sampling.top_logprobs = body.u64("top_logprobs")?.map(|count| u32::try_from(count).unwrap_or(u32::MAX));
    Ok(())
}

fn output(body: &Fields<'_>, request: &mut ChatRequest) -> Result<(), GatewayError> {
    request.output.candidates = match body.u64("n")? {
        Some(0) => return Err(body.wrong_value("n", "at least 1")),
        count => count.map(|count| u32::try_from(count).unwrap_or(u32::MAX)),
    };
    request.output.verbosity = body.string("verbosity")?;
    if let Some(modalities) = body.array("modalities")? {
        for item in modalities.items() {
            let word = item.str().ok_or_else(|| body.wrong("modalities", "an array of strings"))?;
            request.output.modalities.push(word.to_ascii_lowercase());
        }
    }
    request.output.audio = body.object("audio")?.map(|audio| (ID, audio.json().to_raw()));
    request.output.image = body.object("image_config")?.map(|image| (ID, image.json().to_raw()));
    request.output.prediction = body.object("prediction")?.map(|prediction| prediction.json().to_raw());
    Ok(())
}

fn response_format(body: &Fields<'_>, request: &mut ChatRequest) -> Result<(), GatewayError> {
    let Some(format) = body.object("response_format")? else { return Ok(()) };
    match format.required_string("type")?.as_str() {
        "text" => {}
        "json_object" => request.output.format = OutputFormat::JsonObject,
        "json_schema" => {
            let inner = format.object("json_schema")?.ok_or_else(|| format.missing("json_schema"))?;
            let schema = inner.object("schema")?.map(|schema| schema.json().to_raw());
            request.output.format = OutputFormat::JsonSchema {
                name: inner.string("name")?,
                description: inner.string("description")?,
                schema: schema.unwrap_or_else(|| RawJson::from_valid("{}")),
                strict: inner.bool("strict")?,
            };
        }
        // Grammars and the like: only a server of this format can know them.
        _ => request.extras.push(Extra {
            dialect: ID,
            name: "response_format".to_owned(),
            value: format.json().to_raw(),
        }),
    }
    Ok(())
}

fn reasoning(body: &Fields<'_>, request: &mut ChatRequest) -> Result<(), GatewayError> {
    let reasoning = &mut request.reasoning;
    if let Some(object) = body.object("reasoning")? {
        reasoning.effort = object.str("effort")?.map(|word| Effort::parse(&word));
        reasoning.budget_tokens = object.i64("max_tokens")?;
        reasoning.toggle = match object.bool("enabled")? {
            Some(true) => Toggle::On,
            Some(false) => Toggle::Off,
            None => Toggle::Default,
        };
        if object.bool("exclude")? == Some(true) {
            reasoning.visibility = Visibility::Hidden;
        } else if object.str("summary")?.is_some() {
            reasoning.visibility = Visibility::Summary;
        }
    }
    if let Some(thinking) = body.object("thinking")? {
        reasoning.toggle = match thinking.str("type")?.as_deref() {
            Some("disabled") => Toggle::Off,
            Some("adaptive" | "auto") => Toggle::Adaptive,
            Some("between_tools") => Toggle::BetweenTools,
            Some(_) => Toggle::On,
            None => reasoning.toggle,
        };
        // Other members are a vendor's own refinements; the object then also travels as it is.
        if !thinking.unknown(&["type", "budget_tokens"], ID).is_empty() {
            let value = thinking.json().to_raw();
            request.extras.push(Extra { dialect: ID, name: "thinking".to_owned(), value });
        }
        reasoning.budget_tokens = thinking.i64("budget_tokens")?.or(reasoning.budget_tokens);
    }
    match body.bool("enable_thinking")? {
        Some(true) => reasoning.toggle = Toggle::On,
        Some(false) => reasoning.toggle = Toggle::Off,
        None => {}
    }
    reasoning.budget_tokens = body.i64("thinking_budget")?.or(reasoning.budget_tokens);
    if let Some(word) = body.str("reasoning_effort")? {
        reasoning.effort = Some(Effort::parse(&word));
    }
    Ok(())
}
