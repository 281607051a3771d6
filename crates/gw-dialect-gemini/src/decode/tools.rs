//! `tools` and `toolConfig`.

use gw_core::{ChatRequest, GatewayError, Tool, ToolChoice, ToolKind};
use gw_wire::Kind;

use crate::parts::object_of;
use crate::schema;
use crate::view::{View, camel};

const KNOWN: &[&str] = &["name", "description", "parameters", "parametersJsonSchema", "response", "responseJsonSchema"];

pub(super) fn decode(view: &View<'_>, request: &mut ChatRequest) -> Result<(), GatewayError> {
    for (item, path) in view.list("tools")? {
        let tool = View::new(item, path)?;
        for (item, path) in tool.list("functionDeclarations")? {
            request.tools.push(function(&View::new(item, path)?)?);
        }
        for (name, value) in tool.json().members().filter(|(_, value)| !value.is_null()) {
            let type_name = camel(&name).into_owned();
            if type_name == "functionDeclarations" {
                continue;
            }
            let raw = object_of(&type_name, value.raw());
            let kind = ToolKind::Hosted { type_name: type_name.clone(), raw };
            request.tools.push(Tool { name: type_name, kind, ..Tool::default() });
        }
    }
    let Some(config) = view.view("toolConfig")? else { return Ok(()) };
    if let Some(calling) = config.view("functionCallingConfig")? {
        request.tool_choice = choice(&calling)?;
        request.extras.extend(calling.unknown(&["mode", "allowedFunctionNames"], "toolConfig.functionCallingConfig."));
    }
    request.extras.extend(config.unknown(&["functionCallingConfig"], "toolConfig."));
    Ok(())
}

fn function(view: &View<'_>) -> Result<Tool, GatewayError> {
    let name = view.string("name")?.filter(|name| !name.is_empty()).ok_or_else(|| view.missing("name"))?;
    let parameters = match (view.get("parametersJsonSchema"), view.get("parameters")) {
        (Some(schema), _) => Some(schema.to_raw()),
        (None, Some(schema)) if schema.kind() == Kind::Object => Some(schema::from_openapi(schema)),
        (None, Some(_)) => return Err(view.wrong("parameters", "an object")),
        (None, None) => None,
    };
    let response = match (view.get("responseJsonSchema"), view.get("response")) {
        (Some(schema), _) => Some(schema.to_raw()),
        (None, schema) => schema.map(schema::from_openapi),
    };
    Ok(Tool {
        name,
        description: view.string("description")?,
        parameters,
        response,
        extras: view.unknown(KNOWN, ""),
        ..Tool::default()
    })
}

fn choice(calling: &View<'_>) -> Result<Option<ToolChoice>, GatewayError> {
    let mut names = Vec::new();
    for (item, path) in calling.list("allowedFunctionNames")? {
        let name = item.string().ok_or_else(|| {
            GatewayError::bad_field(path.clone(), format!("'{path}' must be a string, not {}", item.kind().described()))
        })?;
        names.push(name);
    }
    let mode = calling.str("mode")?.map(|mode| mode.to_ascii_uppercase());
    Ok(match (mode.as_deref(), names.as_slice()) {
        (None | Some("" | "MODE_UNSPECIFIED"), []) => None,
        (Some("AUTO"), []) => Some(ToolChoice::Auto),
        (Some("NONE"), _) => Some(ToolChoice::None),
        (Some("ANY"), []) => Some(ToolChoice::Required),
        (Some("ANY"), [name]) => Some(ToolChoice::Named(name.clone())),
        (Some("ANY"), _) => Some(ToolChoice::Allowed { names, required: true }),
        (Some("VALIDATED"), []) => Some(ToolChoice::Validated),
        (None | Some("" | "MODE_UNSPECIFIED" | "AUTO" | "VALIDATED"), _) => {
            Some(ToolChoice::Allowed { names, required: false })
        }
        (Some(other), _) => {
            let param = calling.param("mode");
            let message = format!("'{param}' must be AUTO, ANY, NONE or VALIDATED, not '{other}'");
            return Err(GatewayError::bad_field(param, message));
        }
    })
}
