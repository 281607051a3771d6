//! Tool definitions and choice of a client request, legacy functions included.

use gw_core::{ChatRequest, Extras, GatewayError, Tool, ToolChoice, ToolKind};
use gw_spi::Fields;
use gw_wire::{Json, Kind};

use super::parts::cache_mark;
use crate::ID;

/// Prefix of unknown fields that stood inside `function` or `custom`.
pub(crate) const INNER: &str = "function.";

/// Decodes `tools`, `tool_choice`, `parallel_tool_calls`, `functions`, `function_call`, `web_search_options`.
pub(super) fn decode(body: &Fields<'_>, request: &mut ChatRequest) -> Result<(), GatewayError> {
    if let Some(tools) = body.array("tools")? {
        for (at, tool) in tools.items().enumerate() {
            request.tools.push(definition(&Fields::new(tool, format!("tools[{at}]"))?)?);
        }
    }
    if let Some(functions) = body.array("functions")? {
        request.legacy_functions = true;
        for (at, function) in functions.items().enumerate() {
            request.tools.push(function_tool(&Fields::new(function, format!("functions[{at}]"))?)?);
        }
    }
    if let Some(search) = body.object("web_search_options")? {
        request.tools.push(Tool {
            name: "web_search".to_owned(),
            kind: ToolKind::Hosted { type_name: "web_search_options".to_owned(), raw: search.json().to_raw() },
            ..Tool::default()
        });
    }
    request.tool_choice = match body.get("tool_choice") {
        Some(choice) => Some(tool_choice(body, choice)?),
        None => match body.get("function_call") {
            Some(choice) => Some(function_choice(body, choice)?),
            None => None,
        },
    };
    request.parallel_tools = body.bool("parallel_tool_calls")?;
    Ok(())
}

fn definition(tool: &Fields<'_>) -> Result<Tool, GatewayError> {
    let type_name = tool.string("type")?;
    let mut decoded = match type_name.as_deref() {
        Some("function") | None => function_tool(&tool.object("function")?.ok_or_else(|| tool.missing("function"))?)?,
        Some("custom") => {
            let custom = tool.object("custom")?.ok_or_else(|| tool.missing("custom"))?;
            let grammar = custom.object("format")?.map(|format| format.json());
            let grammar = grammar.filter(|format| {
                format.get_some("type").and_then(|name| name.str()).is_some_and(|name| name != "text")
            });
            Tool {
                name: custom.required_string("name")?,
                description: custom.string("description")?,
                kind: ToolKind::Custom { grammar: grammar.map(|format| format.to_raw()) },
                extras: inner_extras(&custom, &["name", "description", "format"]),
                ..Tool::default()
            }
        }
        Some(hosted) => {
            let kind = ToolKind::Hosted { type_name: hosted.to_owned(), raw: tool.json().to_raw() };
            return Ok(Tool {
                name: tool.string("name")?.unwrap_or_else(|| hosted.to_owned()),
                kind,
                ..Tool::default()
            });
        }
    };
    if let Some(mark) = cache_mark(tool)? {
        decoded.cache = Some(mark);
    }
    decoded
        .extras
        .extend(tool.unknown(&["type", "function", "custom", "cache_control", "prompt_cache_breakpoint"], ID));
    Ok(decoded)
}

fn function_tool(function: &Fields<'_>) -> Result<Tool, GatewayError> {
    let parameters = function.object("parameters")?;
    Ok(Tool {
        name: function.required_string("name")?,
        description: function.string("description")?,
        parameters: parameters.map(|schema| schema.json().to_raw()),
        response: None,
        strict: function.bool("strict")?,
        kind: ToolKind::Function,
        cache: cache_mark(function)?,
        extras: inner_extras(function, &["name", "description", "parameters", "strict", "cache_control"]),
    })
}

/// Unknown fields of the inner object, marked as such so that they go back to where they were.
fn inner_extras(inner: &Fields<'_>, known: &[&str]) -> Extras {
    let mut extras = inner.unknown(known, ID);
    for extra in &mut extras {
        extra.name.insert_str(0, INNER);
    }
    extras
}

fn tool_choice(body: &Fields<'_>, choice: Json<'_>) -> Result<ToolChoice, GatewayError> {
    if let Some(word) = choice.str() {
        return match word.as_ref() {
            "auto" => Ok(ToolChoice::Auto),
            "none" => Ok(ToolChoice::None),
            "required" | "any" => Ok(ToolChoice::Required),
            _ => Err(body.wrong_value("tool_choice", "none, auto, required or an object")),
        };
    }
    let choice = Fields::new(choice, "tool_choice")?;
    let type_name = choice.required_string("type")?;
    match type_name.as_str() {
        "auto" => Ok(ToolChoice::Auto),
        "none" => Ok(ToolChoice::None),
        "any" | "required" => Ok(ToolChoice::Required),
        "allowed_tools" => {
            let holder = choice.object("allowed_tools")?.unwrap_or(choice);
            let required = holder.str("mode")?.as_deref() == Some("required");
            let list = holder.array("tools")?.ok_or_else(|| holder.missing("tools"))?;
            let mut names = Vec::new();
            for (at, tool) in list.items().enumerate() {
                names.push(chosen_name(&Fields::new(tool, format!("{}[{at}]", holder.param("tools")))?)?);
            }
            Ok(ToolChoice::Allowed { names, required })
        }
        _ => chosen_name(&choice).map(ToolChoice::Named),
    }
}

/// The name in `{type, function: {name}}`, `{type, custom: {name}}`, `{type, name}`; hosted tools go by their type.
fn chosen_name(choice: &Fields<'_>) -> Result<String, GatewayError> {
    for holder in ["function", "custom"] {
        if let Some(named) = choice.object(holder)? {
            return named.required_string("name");
        }
    }
    if let Some(name) = choice.string("name")? {
        return Ok(name);
    }
    match choice.str("type")?.as_deref() {
        Some("function") | None => Err(choice.missing("function")),
        Some("custom") => Err(choice.missing("custom")),
        Some(hosted) => Ok(hosted.to_owned()),
    }
}

fn function_choice(body: &Fields<'_>, choice: Json<'_>) -> Result<ToolChoice, GatewayError> {
    if choice.kind() == Kind::Object {
        return Fields::new(choice, "function_call")?.required_string("name").map(ToolChoice::Named);
    }
    match choice.str().as_deref() {
        Some("auto") => Ok(ToolChoice::Auto),
        Some("none") => Ok(ToolChoice::None),
        _ => Err(body.wrong_value("function_call", "none, auto or an object with 'name'")),
    }
}

/// Errors for values of the right type that are not in the list of known words.
pub(super) trait WrongValue {
    /// The error that names the field and what it may be.
    fn wrong_value(&self, name: &str, allowed: &str) -> GatewayError;
}

impl WrongValue for Fields<'_> {
    fn wrong_value(&self, name: &str, allowed: &str) -> GatewayError {
        let param = self.param(name);
        GatewayError::bad_field(param.clone(), format!("'{param}' must be {allowed}"))
    }
}
