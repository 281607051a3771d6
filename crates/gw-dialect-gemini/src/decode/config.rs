//! `generationConfig`.

use gw_core::{ChatRequest, Effort, Extra, GatewayError, OutputFormat, RawJson, Toggle, Visibility};
use gw_wire::{Json, Kind};

use crate::ID;
use crate::schema;
use crate::view::View;

const KNOWN: &[&str] = &[
    "temperature",
    "topP",
    "topK",
    "candidateCount",
    "maxOutputTokens",
    "stopSequences",
    "responseLogprobs",
    "logprobs",
    "presencePenalty",
    "frequencyPenalty",
    "seed",
    "responseMimeType",
    "responseSchema",
    "responseJsonSchema",
    "_responseJsonSchema",
    "responseModalities",
    "mediaResolution",
    "speechConfig",
    "thinkingConfig",
    "imageConfig",
    "continuationToken",
];

pub(super) fn decode(config: &View<'_>, request: &mut ChatRequest) -> Result<(), GatewayError> {
    let sampling = &mut request.sampling;
    sampling.temperature = config.number("temperature")?;
    sampling.top_p = config.number("topP")?;
    sampling.top_k = config.number("topK")?;
    sampling.seed = config.number("seed")?;
    sampling.presence_penalty = config.number("presencePenalty")?;
    sampling.frequency_penalty = config.number("frequencyPenalty")?;
    sampling.logprobs = config.bool("responseLogprobs")?;
    sampling.top_logprobs = config.u32("logprobs")?;
    request.limits.max_output_tokens = config.u64("maxOutputTokens")?;
    request.limits.stop = strings(config, "stopSequences")?;
    request.output.candidates = config.u32("candidateCount")?;
    request.output.modalities =
        strings(config, "responseModalities")?.iter().map(|word| word.to_ascii_lowercase()).collect();
    request.output.media_resolution = config.string("mediaResolution")?;
    request.output.audio = config.get("speechConfig").map(|value| (ID, value.to_raw()));
    request.output.image = config.get("imageConfig").map(|value| (ID, value.to_raw()));
    request.output.format = format(config)?;
    if let Some(thinking) = config.view("thinkingConfig")? {
        reasoning(&thinking, request)?;
    }
    if let Some(token) = config.get("continuationToken") {
        let extra = Extra { dialect: ID, name: "continuationToken".to_owned(), value: token.to_raw() };
        request.state.fields.push(extra);
    }
    request.extras.extend(config.unknown(KNOWN, "generationConfig."));
    Ok(())
}

fn strings(config: &View<'_>, name: &str) -> Result<Vec<String>, GatewayError> {
    let mut out = Vec::new();
    for (item, path) in config.list(name)? {
        let text = item.string().ok_or_else(|| {
            GatewayError::bad_field(path.clone(), format!("'{path}' must be a string, not {}", item.kind().described()))
        })?;
        out.push(text);
    }
    Ok(out)
}

fn format(config: &View<'_>) -> Result<OutputFormat, GatewayError> {
    let mime = config.string("responseMimeType")?;
    let standard = config.get("responseJsonSchema").or_else(|| config.get("_responseJsonSchema"));
    for name in ["responseSchema", "responseJsonSchema", "_responseJsonSchema"] {
        if config.get(name).is_some_and(|schema| !matches!(schema.kind(), Kind::Object | Kind::Bool)) {
            return Err(config.wrong(name, "an object"));
        }
    }
    let schema: Option<RawJson> = standard
        .map(|schema: Json<'_>| schema.to_raw())
        .or_else(|| config.get("responseSchema").map(schema::from_openapi));
    Ok(match (mime.as_deref(), schema) {
        (None | Some("" | "application/json"), Some(schema)) => {
            OutputFormat::JsonSchema { name: None, description: None, schema, strict: None }
        }
        (Some("application/json"), None) => OutputFormat::JsonObject,
        (None | Some("" | "text/plain"), None) => OutputFormat::Text,
        (Some(mime), schema) => OutputFormat::Mime { mime: mime.to_owned(), schema },
    })
}

fn reasoning(thinking: &View<'_>, request: &mut ChatRequest) -> Result<(), GatewayError> {
    let reasoning = &mut request.reasoning;
    reasoning.visibility =
        if thinking.bool("includeThoughts")? == Some(true) { Visibility::Summary } else { Visibility::Hidden };
    reasoning.budget_tokens = thinking.i64("thinkingBudget")?;
    reasoning.toggle = match reasoning.budget_tokens {
        None => Toggle::Default,
        Some(0) => Toggle::Off,
        Some(..=-1) => Toggle::Adaptive,
        Some(_) => Toggle::On,
    };
    reasoning.effort = thinking
        .str("thinkingLevel")?
        .filter(|level| !level.is_empty() && !level.eq_ignore_ascii_case("THINKING_LEVEL_UNSPECIFIED"))
        .map(|level| Effort::parse(&level));
    let known = &["includeThoughts", "thinkingBudget", "thinkingLevel"];
    request.extras.extend(thinking.unknown(known, "generationConfig.thinkingConfig."));
    Ok(())
}
