//! Everything of a request besides its messages.

use gw_core::{ChatRequest, Effort, Extra, GatewayError, OutputFormat, Toggle, Tool, ToolChoice, ToolKind, Visibility};
use gw_spi::Fields;
use gw_wire::{Json, Kind};

use super::blocks::{cache_mark, leftover};
use crate::ID;
use crate::raw::object_without;

/// Fields that hold or change server-side state.
const STATE: &[&str] = &["container", "context_management", "mcp_servers", "thread", "compaction", "fallbacks"];

/// Reads limits, sampling, tools, reasoning, output and the rest.
pub(super) fn read(root: &Fields<'_>, request: &mut ChatRequest) -> Result<(), GatewayError> {
    request.limits.max_output_tokens = root.u64("max_tokens")?;
    request.limits.stop = stops(root)?;
    request.sampling.temperature = root.number("temperature")?;
    request.sampling.top_p = root.number("top_p")?;
    request.sampling.top_k = root.number("top_k")?;
    if let Some(tools) = root.array("tools")? {
        request.tools = tools.items().enumerate().map(|(index, item)| tool(item, index)).collect::<Result<_, _>>()?;
    }
    tool_choice(root, request)?;
    thinking(root, request)?;
    output(root, request)?;
    metadata(root, request)?;
    request.service.tier = root.string("service_tier")?;
    request.service.speed = root.string("speed")?;
    request.service.geo = root.string("inference_geo")?;
    request.cache.auto_last = cache_mark(root)?;
    for name in STATE {
        let Some(value) = root.get(name) else { continue };
        let extra = Extra { dialect: ID, name: (*name).to_owned(), value: value.to_raw() };
        if *name == "context_management" && only_clears_thinking(value) {
            request.extras.push(extra);
        } else {
            request.state.fields.push(extra);
        }
    }
    Ok(())
}

/// Edits of thinking blocks change nothing for a target that never sees those blocks.
fn only_clears_thinking(value: Json<'_>) -> bool {
    let edits = value.get_some("edits");
    let kinds = edits.iter().flat_map(|edits| edits.items()).map(|edit| edit.get_some("type"));
    value.members().all(|(name, _)| name == "edits")
        && kinds
            .map(|kind| kind.and_then(|kind| kind.str()))
            .all(|kind| kind.is_some_and(|kind| kind.starts_with("clear_thinking")))
}

fn stops(root: &Fields<'_>) -> Result<Vec<String>, GatewayError> {
    let Some(list) = root.array("stop_sequences")? else { return Ok(Vec::new()) };
    list.items()
        .enumerate()
        .map(|(index, item)| {
            item.string().ok_or_else(|| {
                let param = format!("stop_sequences[{index}]");
                let message = format!("'{param}' must be a string, not {}", item.kind().described());
                GatewayError::bad_field(param, message)
            })
        })
        .collect()
}

fn tool(item: Json<'_>, index: usize) -> Result<Tool, GatewayError> {
    let fields = Fields::new(item, format!("tools[{index}]"))?;
    let cache = cache_mark(&fields)?;
    let type_name = fields.string("type")?.filter(|name| name != "custom");
    if let Some(type_name) = type_name {
        let raw = object_without(item, &["cache_control"]);
        let name = fields.string("name")?.unwrap_or_default();
        return Ok(Tool { name, kind: ToolKind::Hosted { type_name, raw }, cache, ..Tool::default() });
    }
    let parameters = match fields.get("input_schema") {
        None => None,
        Some(schema) if schema.kind() == Kind::Object => Some(schema.to_raw()),
        Some(_) => return Err(fields.wrong("input_schema", "an object")),
    };
    Ok(Tool {
        name: fields.required_string("name")?,
        description: fields.string("description")?,
        parameters,
        response: None,
        strict: fields.bool("strict")?,
        kind: ToolKind::Function,
        cache,
        extras: fields.unknown(&["type", "name", "description", "input_schema", "strict", "cache_control"], ID),
    })
}

fn tool_choice(root: &Fields<'_>, request: &mut ChatRequest) -> Result<(), GatewayError> {
    let Some(fields) = root.object("tool_choice")? else { return Ok(()) };
    request.tool_choice = Some(match fields.str("type")?.as_deref() {
        Some("auto") => ToolChoice::Auto,
        Some("any") => ToolChoice::Required,
        Some("none") => ToolChoice::None,
        Some("tool") => ToolChoice::Named(fields.required_string("name")?),
        Some(other) => {
            let message = format!("'tool_choice.type' must be 'auto', 'any', 'tool' or 'none', not '{other}'");
            return Err(GatewayError::bad_field("tool_choice.type", message));
        }
        None => return Err(fields.missing("type")),
    });
    request.parallel_tools = fields.bool("disable_parallel_tool_use")?.map(|disabled| !disabled);
    Ok(())
}

fn thinking(root: &Fields<'_>, request: &mut ChatRequest) -> Result<(), GatewayError> {
    let Some(fields) = root.object("thinking")? else { return Ok(()) };
    let reasoning = &mut request.reasoning;
    let mut known = vec!["type", "budget_tokens"];
    reasoning.budget_tokens = fields.i64("budget_tokens")?;
    reasoning.toggle = match fields.str("type")?.as_deref() {
        Some("enabled") if reasoning.budget_tokens.is_none() => return Err(fields.missing("budget_tokens")),
        Some("enabled") => Toggle::On,
        Some("adaptive") => Toggle::Adaptive,
        Some("disabled") => Toggle::Off,
        Some("between_tools") => Toggle::BetweenTools,
        Some(_) => {
            // Newer than this code: only the vendor itself can judge it.
            let value = fields.json().to_raw();
            request.extras.push(Extra { dialect: ID, name: "thinking".to_owned(), value });
            return Ok(());
        }
        None => return Err(fields.missing("type")),
    };
    match fields.str("display")?.as_deref() {
        Some("summarized") => reasoning.visibility = Visibility::Summary,
        Some("omitted") => reasoning.visibility = Visibility::Hidden,
        _ => {}
    }
    if reasoning.visibility != Visibility::Default {
        known.push("display");
    }
    if let Some(value) = leftover(&fields, &known) {
        request.extras.push(Extra { dialect: ID, name: "thinking".to_owned(), value });
    }
    Ok(())
}

fn output(root: &Fields<'_>, request: &mut ChatRequest) -> Result<(), GatewayError> {
    let config = root.object("output_config")?;
    let mut format = root.object("output_format")?;
    if let Some(config) = &config {
        request.reasoning.effort = config.str("effort")?.map(|word| Effort::parse(&word));
        format = config.object("format")?.or(format);
        if let Some(value) = leftover(config, &["effort", "format"]) {
            request.extras.push(Extra { dialect: ID, name: "output_config".to_owned(), value });
        }
    }
    let Some(format) = format else { return Ok(()) };
    match format.str("type")?.as_deref() {
        Some("json_schema") => {
            let schema = format.object("schema")?.ok_or_else(|| format.missing("schema"))?;
            request.output.format = OutputFormat::JsonSchema {
                name: format.string("name")?,
                description: None,
                schema: schema.json().to_raw(),
                strict: None,
            };
        }
        Some("text") => {}
        Some(other) => {
            let param = format.param("type");
            let message = format!("'{param}' must be 'json_schema', not '{other}'");
            return Err(GatewayError::bad_field(param, message));
        }
        None => return Err(format.missing("type")),
    }
    Ok(())
}

fn metadata(root: &Fields<'_>, request: &mut ChatRequest) -> Result<(), GatewayError> {
    let Some(fields) = root.object("metadata")? else { return Ok(()) };
    request.identity.end_user = fields.string("user_id")?;
    if let Some(value) = leftover(&fields, &["user_id"]) {
        request.extras.push(Extra { dialect: ID, name: "metadata".to_owned(), value });
    }
    Ok(())
}
