//! Tool definitions and choice for a server.

use std::borrow::Cow;

use gw_core::{Field, Loss, LossAction, LossClass, Place, Tool, ToolChoice, ToolKind};
use gw_spi::{ForcedChoice, ReasoningStyle};
use gw_wire::JsonWriter;

use super::{Body, Plan, own_extras, parts};
use crate::decode::tools::INNER;
use crate::target::CacheStyle;

/// Writes `tools`, `tool_choice`, `parallel_tool_calls` and `web_search_options`.
pub(super) fn encode(plan: &mut Plan<'_>, body: &mut Body) {
    let filter = planned_filter(plan);
    let mut writer = JsonWriter::new();
    let mut written = 0;
    writer.array(|array| {
        for (at, tool) in (0u32..).zip(&plan.request.tools) {
            let place = Place { tool: Some(at), ..Place::default() };
            if let ToolKind::Hosted { type_name, raw } = &tool.kind {
                match type_name.as_str() {
                    _ if !plan.target.own => {
                        let note = format!("the target cannot run the hosted tool '{type_name}'");
                        plan.drop_at(place, Field::HostedTool, LossClass::Semantic, note);
                    }
                    "web_search_options" => body.put("web_search_options", |writer| writer.raw(raw.as_str())),
                    _ => {
                        array.raw(raw.as_str());
                        written += 1;
                    }
                }
                continue;
            }
            if !filter.keeps(&tool.name) {
                continue;
            }
            definition(plan, array, tool, place);
            written += 1;
        }
    });
    if written > 0 {
        body.put_bytes("tools", writer.finish());
    }
    choice(plan, body, written > 0);
    if let Some(parallel) = plan.request.parallel_tools {
        if plan.capabilities.parallel_control && written > 0 {
            body.put("parallel_tool_calls", |writer| writer.bool(parallel));
        } else if !parallel && written > 0 {
            plan.drop(Field::ParallelTools, LossClass::Approximated, "the target decides how many calls it makes");
        } else {
            plan.drop(Field::ParallelTools, LossClass::Advisory, "the target has no such control here");
        }
    }
}

/// Which tools are sent.
enum Filter {
    All,
    Only(Vec<String>),
}

impl Filter {
    fn keeps(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => names.iter().any(|known| known == name),
        }
    }
}

/// A choice among some tools, or of none, is reproduced by sending fewer tools where the server has no word for it.
fn planned_filter(plan: &mut Plan<'_>) -> Filter {
    match &plan.request.tool_choice {
        Some(ToolChoice::Allowed { names, .. }) if !plan.target.openai => {
            plan.emulate(Field::ToolChoice, "only the allowed tools are sent");
            Filter::Only(names.clone())
        }
        Some(ToolChoice::None) if !plan.capabilities.tool_choice => {
            plan.emulate(Field::ToolChoice, "no tools are sent");
            Filter::Only(Vec::new())
        }
        _ => Filter::All,
    }
}

fn definition(plan: &mut Plan<'_>, array: &mut JsonWriter, tool: &Tool, place: Place) {
    let strict = match tool.strict {
        Some(true) if !plan.capabilities.strict_tools => {
            plan.drop_at(place, Field::ToolStrict, LossClass::Approximated, "the target does not enforce schemas");
            None
        }
        Some(_) if !plan.capabilities.strict_tools => None,
        other => other,
    };
    if tool.response.is_some() {
        plan.drop_at(place, Field::ToolSchema, LossClass::Advisory, "result schemas are not sent");
    }
    let mark = tool.cache.as_ref().and_then(|mark| {
        let native = plan.target.cache == CacheStyle::Control;
        parts::planned_mark(plan, mark, place, native)
    });
    let extras = own_extras(plan, &tool.extras, place);
    let native_custom = plan.target.openai || plan.target.own;
    if let ToolKind::Custom { grammar } = &tool.kind
        && !native_custom
    {
        if grammar.is_some() {
            plan.drop_at(place, Field::ToolSchema, LossClass::Semantic, "the target cannot follow a grammar");
        }
        plan.approximate_at(place, Field::ToolSchema, "sent as a function with one text argument, 'input'");
    }
    let name = plan.names.wire(&tool.name).to_owned();
    if name != tool.name {
        let note = format!("sent as '{name}'");
        plan.losses.push(Loss::new(Field::ToolName, LossClass::Emulated, LossAction::Emulated, note).at(place));
    }
    array.object(|object| {
        let custom = matches!(tool.kind, ToolKind::Custom { .. });
        let holder = if custom && native_custom { "custom" } else { "function" };
        object.field_str("type", holder);
        object.field_object(holder, |inner| {
            inner.field_str("name", &name);
            if let Some(description) = &tool.description {
                inner.field_str("description", description);
            }
            match &tool.kind {
                ToolKind::Custom { grammar } if native_custom => {
                    if let Some(grammar) = grammar {
                        inner.field_raw("format", grammar);
                    }
                }
                ToolKind::Custom { .. } => inner
                    .key("parameters")
                    .raw(r#"{"type":"object","properties":{"input":{"type":"string"}},"required":["input"]}"#),
                ToolKind::Function | ToolKind::Hosted { .. } => {
                    if let Some(parameters) = &tool.parameters {
                        inner.field_raw("parameters", parameters);
                    }
                }
            }
            if let Some(strict) = strict {
                inner.field_bool("strict", strict);
            }
            for extra in &extras {
                if let Some(name) = extra.name.strip_prefix(INNER) {
                    inner.field_raw(name, &extra.value);
                }
            }
        });
        if let Some(mark) = &mark {
            parts::write_cache_control(object.key("cache_control"), mark);
        }
        for extra in extras.iter().filter(|extra| !extra.name.starts_with(INNER)) {
            object.field_raw(&extra.name, &extra.value);
        }
    });
}

/// Why a call cannot be forced, if it cannot.
fn forcing_refused(plan: &Plan<'_>) -> Option<&'static str> {
    if !plan.capabilities.tool_choice {
        return Some("the target has no tool choice");
    }
    match plan.capabilities.forced_tool_choice {
        ForcedChoice::Yes => None,
        ForcedChoice::No => Some("the target cannot be forced to call a tool"),
        ForcedChoice::NotWithThinking => {
            let reasoning = &plan.request.reasoning;
            let off = reasoning.toggle == gw_core::Toggle::Off
                || reasoning.effort == Some(gw_core::Effort::None)
                || plan.capabilities.reasoning == ReasoningStyle::None;
            (!off).then_some("the target cannot be forced to call a tool while it reasons")
        }
    }
}

fn choice(plan: &mut Plan<'_>, body: &mut Body, any_tools: bool) {
    let Some(choice) = &plan.request.tool_choice else { return };
    let forced = match choice {
        ToolChoice::Required | ToolChoice::Named(_) => true,
        ToolChoice::Allowed { required, .. } => *required,
        ToolChoice::Auto | ToolChoice::None | ToolChoice::Validated => false,
    };
    if forced && let Some(note) = forcing_refused(plan) {
        plan.drop(Field::ToolChoice, LossClass::Semantic, note);
        return;
    }
    if *choice == ToolChoice::Validated {
        plan.approximate(Field::ToolStrict, "argument schemas are not enforced for the whole request");
    }
    if !any_tools {
        // Servers refuse a choice without tools; with nothing to choose from, 'auto' and 'none' mean nothing.
        if forced {
            plan.drop(Field::ToolChoice, LossClass::Semantic, "there is no tool to call");
        } else {
            plan.drop(Field::ToolChoice, LossClass::Advisory, "there is no tool to call");
        }
        return;
    }
    if !plan.capabilities.tool_choice {
        if matches!(choice, ToolChoice::Auto) {
            plan.drop(Field::ToolChoice, LossClass::Advisory, "the target always decides itself");
        }
        return;
    }
    let json = choice_json(plan, choice);
    body.put_bytes("tool_choice", json);
}

fn choice_json(plan: &Plan<'_>, choice: &ToolChoice) -> Vec<u8> {
    let mut writer = JsonWriter::new();
    match choice {
        ToolChoice::Auto | ToolChoice::Validated => writer.string("auto"),
        ToolChoice::None => writer.string("none"),
        ToolChoice::Required => writer.string("required"),
        ToolChoice::Named(name) => named(plan, &mut writer, name),
        ToolChoice::Allowed { required, names } if plan.target.openai => writer.object(|object| {
            object.field_str("type", "allowed_tools");
            object.field_object("allowed_tools", |allowed| {
                allowed.field_str("mode", if *required { "required" } else { "auto" });
                allowed.field_array("tools", |tools| {
                    for name in names {
                        named(plan, tools, name);
                    }
                });
            });
        }),
        ToolChoice::Allowed { required, .. } => writer.string(if *required { "required" } else { "auto" }),
    }
    writer.finish()
}

fn named(plan: &Plan<'_>, writer: &mut JsonWriter, name: &str) {
    let kind = plan.request.tools.iter().find(|tool| tool.name == name).map(|tool| &tool.kind);
    let holder: Cow<'_, str> = match kind {
        Some(ToolKind::Custom { .. }) if plan.target.openai || plan.target.own => Cow::Borrowed("custom"),
        Some(ToolKind::Hosted { type_name, .. }) => Cow::Borrowed(type_name.as_str()),
        _ => Cow::Borrowed("function"),
    };
    writer.object(|object| {
        object.field_str("type", &holder);
        if matches!(holder.as_ref(), "custom" | "function") {
            object.field_object(&holder, |inner| inner.field_str("name", plan.names.wire(name)));
        }
    });
}
