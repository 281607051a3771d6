//! Fields of the request outside its messages.

use gw_core::{ChatRequest, Effort, Field, OutputFormat, Place, Toggle, Tool, ToolChoice, ToolKind, Visibility};

use super::{Evidence, Leaves};

const REASONING: &[Field] =
    &[Field::ReasoningEffort, Field::ReasoningBudget, Field::ReasoningToggle, Field::ReasoningVisibility];
const REASONING_KEYS: &[&str] = &[
    "thinking",
    "thinkingConfig",
    "reasoning_effort",
    "enable_thinking",
    "thinking_budget",
    "output_config",
    "reasoning",
];

pub(super) fn collect(request: &ChatRequest, leaves: &mut Leaves) {
    sampling(request, leaves);
    limits_and_output(request, leaves);
    reasoning(request, leaves);
    tools(request, leaves);
    cache_and_state(request, leaves);
    leaves.extras(&request.extras);
}

fn sampling(request: &ChatRequest, leaves: &mut Leaves) {
    let sampling = &request.sampling;
    let numbers = [
        ("temperature", &sampling.temperature, Field::Temperature),
        ("top_p", &sampling.top_p, Field::TopP),
        ("top_k", &sampling.top_k, Field::TopK),
        ("min_p", &sampling.min_p, Field::MinP),
        ("seed", &sampling.seed, Field::Seed),
        ("frequency_penalty", &sampling.frequency_penalty, Field::FrequencyPenalty),
        ("presence_penalty", &sampling.presence_penalty, Field::PresencePenalty),
        ("repetition_penalty", &sampling.repetition_penalty, Field::RepetitionPenalty),
    ];
    for (what, number, field) in numbers {
        // No penalty is what a target without penalties gives.
        let idle =
            what.ends_with("penalty") && number.as_ref().is_some_and(|number| number.as_str().parse() == Ok(0.0));
        if let Some(number) = number.as_ref().filter(|_| !idle) {
            leaves.add(what, Evidence::Word(number.as_str().to_owned()), &[field]);
        }
    }
    if let Some(bias) = &sampling.logit_bias {
        leaves.json("logit_bias", bias, &[Field::LogitBias]);
    }
    if sampling.logprobs == Some(true) {
        leaves.any("logprobs", &["logprobs", "responseLogprobs"], &[Field::Logprobs]);
    }
    if let Some(top) = sampling.top_logprobs {
        leaves.add("top_logprobs", Evidence::Word(top.to_string()), &[Field::TopLogprobs, Field::Logprobs]);
    }
}

fn limits_and_output(request: &ChatRequest, leaves: &mut Leaves) {
    if let Some(most) = request.limits.max_output_tokens {
        leaves.add("max_output_tokens", Evidence::Word(most.to_string()), &[Field::MaxOutputTokens]);
    }
    if let Some(least) = request.limits.min_tokens {
        leaves.add("min_tokens", Evidence::Word(least.to_string()), &[Field::MinTokens]);
    }
    // An empty sequence stops nothing.
    for stop in request.limits.stop.iter().filter(|stop| !stop.is_empty()) {
        leaves.add("stop", Evidence::Word(stop.clone()), &[Field::Stop]);
    }
    let output = &request.output;
    if let Some(count) = output.candidates.filter(|count| *count > 1) {
        leaves.add("candidates", Evidence::Word(count.to_string()), &[Field::Candidates]);
    }
    for modality in output.modalities.iter().filter(|word| word.as_str() != "text") {
        leaves.add(
            "modality",
            Evidence::Word(modality.clone()),
            &[Field::Modalities, Field::AudioOutput, Field::ImageOutput],
        );
    }
    leaves.maybe("verbosity", output.verbosity.as_deref(), &[Field::Verbosity]);
    leaves.maybe("media_resolution", output.media_resolution.as_deref(), &[Field::MediaResolution]);
    if let Some((_, audio)) = &output.audio {
        leaves.json("audio output", audio, &[Field::AudioOutput, Field::Speech]);
    }
    if let Some((_, image)) = &output.image {
        leaves.json("image output", image, &[Field::ImageOutput]);
    }
    if let Some(prediction) = &output.prediction {
        leaves.json("prediction", prediction, &[Field::Prediction]);
    }
    format(&output.format, leaves);
}

fn format(format: &OutputFormat, leaves: &mut Leaves) {
    const FORMAT: &[Field] = &[Field::ResponseFormat];
    match format {
        OutputFormat::Text => {}
        OutputFormat::JsonObject => leaves.any("json_object", &["json_object", "application/json"], FORMAT),
        OutputFormat::JsonSchema { name, description, schema, strict: _ } => {
            if says_something(schema.as_str()) {
                leaves.json("response schema", schema, FORMAT);
            }
            leaves.maybe("response schema name", name.as_deref(), &[Field::ResponseFormat, Field::Name]);
            leaves.maybe("response schema description", description.as_deref(), FORMAT);
        }
        OutputFormat::Mime { mime, schema } => {
            leaves.text("response mime", mime, FORMAT);
            if let Some(schema) = schema {
                leaves.json("response schema", schema, FORMAT);
            }
        }
    }
}

fn reasoning(request: &ChatRequest, leaves: &mut Leaves) {
    let reasoning = &request.reasoning;
    // "The model decides" is what a target does unasked.
    let said = !matches!(reasoning.toggle, Toggle::Default | Toggle::Adaptive);
    if said && reasoning.budget_tokens.is_none() && reasoning.effort.is_none() {
        leaves.any("reasoning toggle", REASONING_KEYS, REASONING);
    }
    if reasoning.effort.as_ref().is_some_and(|effort| *effort != Effort::None) {
        leaves.any("reasoning effort", REASONING_KEYS, REASONING);
    }
    if let Some(budget) = reasoning.budget_tokens.filter(|budget| *budget > 0) {
        leaves.add("reasoning budget", Evidence::Word(budget.to_string()), REASONING);
    }
    // Hidden is what targets without a control do anyway.
    if matches!(reasoning.visibility, Visibility::Summary | Visibility::Full) {
        leaves.any("reasoning visibility", &["includeThoughts", "display", "include_thoughts"], REASONING);
    }
}

fn tools(request: &ChatRequest, leaves: &mut Leaves) {
    for (at, tool) in (0u32..).zip(&request.tools) {
        leaves.place = Place { tool: Some(at), ..Place::default() };
        let before = leaves.found.len();
        tool_definition(tool, leaves);
        // A choice that the target lacks may be emulated by leaving tools out, which is reported as the choice.
        if matches!(request.tool_choice, Some(ToolChoice::None | ToolChoice::Allowed { .. })) {
            leaves.found.iter_mut().skip(before).for_each(|leaf| leaf.fields.push(Field::ToolChoice));
        }
    }
    leaves.place = Place::default();
    const CHOICE: &[Field] = &[Field::ToolChoice];
    match &request.tool_choice {
        // Automatic is what every target does unasked.
        None | Some(ToolChoice::Auto) => {}
        Some(ToolChoice::None) if request.tools.is_empty() => {}
        Some(ToolChoice::None) => leaves.any("tool choice none", &["none"], CHOICE),
        Some(ToolChoice::Required) => leaves.any("tool choice required", &["required", "any"], CHOICE),
        Some(ToolChoice::Validated) => {
            leaves.any("tool choice validated", &["validated"], &[Field::ToolChoice, Field::ToolStrict])
        }
        Some(ToolChoice::Named(name)) => {
            leaves.add("tool choice named", Evidence::Word(name.clone()), CHOICE);
            leaves.any("tool choice named", &["tool_choice", "toolConfig", "function_call"], CHOICE);
        }
        Some(ToolChoice::Allowed { names, .. }) => {
            for name in names {
                leaves.add("allowed tool", Evidence::Word(name.clone()), CHOICE);
            }
            leaves.any("allowed tools", &["allowed_tools", "allowedFunctionNames"], CHOICE);
        }
    }
    if request.parallel_tools == Some(false) && !request.tools.is_empty() {
        leaves.any("parallel tools", &["parallel_tool_calls", "disable_parallel_tool_use"], &[Field::ParallelTools]);
    }
}

fn tool_definition(tool: &Tool, leaves: &mut Leaves) {
    const ANY: &[Field] = &[Field::Tools, Field::HostedTool, Field::ToolSchema];
    match &tool.kind {
        ToolKind::Hosted { raw, .. } => leaves.json("hosted tool", raw, &[Field::HostedTool]),
        ToolKind::Custom { grammar: Some(grammar) } => leaves.json("custom tool grammar", grammar, ANY),
        ToolKind::Custom { grammar: None } | ToolKind::Function => {}
    }
    if !matches!(tool.kind, ToolKind::Hosted { .. }) {
        leaves.add("tool name", Evidence::Word(tool.name.clone()), &[Field::ToolName, Field::Tools, Field::HostedTool]);
        leaves.maybe("tool description", tool.description.as_deref(), ANY);
    }
    if let Some(parameters) = tool.parameters.as_ref().filter(|schema| says_something(schema.as_str())) {
        leaves.json("tool parameters", parameters, &[Field::ToolSchema]);
    }
    if let Some(response) = &tool.response {
        leaves.json("tool response schema", response, &[Field::ToolSchema, Field::Tools]);
    }
    if tool.strict == Some(true) {
        leaves.any("tool strict", &["strict", "validated"], &[Field::ToolStrict]);
    }
    if tool.cache.is_some() {
        leaves.any("tool cache mark", &["cache_control", "prompt_cache_breakpoint"], &[Field::CacheMark]);
    }
    leaves.extras(&tool.extras);
}

fn cache_and_state(request: &ChatRequest, leaves: &mut Leaves) {
    let cache = &request.cache;
    leaves.maybe("cache key", cache.key.as_deref(), &[Field::CacheKey]);
    leaves.maybe("cache retention", cache.retention.as_deref(), &[Field::CacheKey]);
    leaves.maybe("cache handle", cache.handle.as_deref(), &[Field::CacheHandle]);
    if let Some((_, options)) = &cache.options {
        leaves.json("cache options", options, &[Field::CacheKey]);
    }
    if cache.auto_last.is_some() {
        leaves.any("automatic cache mark", &["cache_control"], &[Field::CacheMark, Field::CacheKey]);
    }
    if request.state.store == Some(true) {
        leaves.any("store", &["store"], &[Field::Store]);
    }
    for field in &request.state.fields {
        leaves.json(&format!("state {}", field.name), &field.value, &[Field::ServerState]);
    }
    for (_, safety, _) in &request.safety {
        leaves.json("safety", safety, &[Field::Safety]);
    }
    let identity = &request.identity;
    leaves.maybe("end user", identity.end_user.as_deref(), &[Field::EndUser]);
    leaves.maybe("safety identifier", identity.safety_identifier.as_deref(), &[Field::EndUser]);
    if let Some(metadata) = &identity.metadata {
        leaves.json("metadata", metadata, &[Field::Metadata]);
    }
    let service = &request.service;
    // The standard tier is what a target without tiers gives.
    let standard = ["auto", "default", "standard", "standard_only", "on_demand"];
    for (what, word) in [("service tier", &service.tier), ("speed", &service.speed), ("geo", &service.geo)] {
        if let Some(word) = word.as_ref().filter(|word| !standard.contains(&word.as_str())) {
            leaves.add(what, Evidence::Word(word.clone()), &[Field::ServiceTier]);
        }
    }
}

/// Whether a schema says more than "an object", which a target may express by its absence.
fn says_something(schema: &str) -> bool {
    let empty = ["type", "object", "OBJECT", "properties", "required", "additionalProperties", "false"];
    crate::json::leaves(schema).iter().any(|leaf| !empty.contains(&leaf.as_str()))
}
