//! `tools` and `toolConfig`.

use gw_core::{Field, Loss, LossAction, LossClass, Place, RawJson, Toggle, Tool, ToolChoice, ToolKind};
use gw_spi::ForcedChoice;
use gw_wire::JsonWriter;

use super::contents::object;
use super::{MARK_NOTE, Plan, unknown};
use crate::ID;
use crate::schema;

impl Plan<'_> {
    /// All functions in one tool object, each hosted tool in its own.
    pub(super) fn tools(&mut self, writer: &mut JsonWriter) {
        let mut functions: Vec<RawJson> = Vec::new();
        let mut hosted: Vec<RawJson> = Vec::new();
        for (at, tool) in (0u32..).zip(&self.request.tools) {
            let place = Place { tool: Some(at), ..Place::default() };
            self.tool_losses(place, tool);
            match &tool.kind {
                ToolKind::Hosted { type_name, raw } => hosted.extend(self.hosted(place, type_name, raw)),
                ToolKind::Function | ToolKind::Custom { .. } if self.filtered_out(&tool.name) => {}
                ToolKind::Function => functions.push(self.function(place, tool)),
                ToolKind::Custom { grammar } => functions.push(self.custom(place, tool, grammar.is_some())),
            }
        }
        if functions.is_empty() && hosted.is_empty() {
            return;
        }
        writer.field_array("tools", |writer| {
            if !functions.is_empty() {
                writer.object(|writer| {
                    writer.field_array("functionDeclarations", |writer| {
                        functions.iter().for_each(|function| writer.raw(function.as_str()));
                    });
                });
            }
            hosted.iter().for_each(|tool| writer.raw(tool.as_str()));
        });
    }

    fn tool_losses(&mut self, place: Place, tool: &Tool) {
        if tool.cache.is_some() {
            self.lose_at(place, Field::CacheMark, LossClass::Performance, LossAction::Dropped, MARK_NOTE);
        }
        if tool.strict == Some(true) {
            let note = "the target does not enforce the schema of a single tool";
            self.lose_at(place, Field::ToolStrict, LossClass::Approximated, LossAction::Dropped, note);
        }
        for _ in tool.extras.iter().filter(|extra| extra.dialect != ID) {
            self.losses.push(unknown(place));
        }
    }

    /// A subset of tools without obligation is reproduced by leaving the others out.
    fn filtered_out(&self, name: &str) -> bool {
        match &self.request.tool_choice {
            Some(ToolChoice::Allowed { names, required: false }) if !self.own() => {
                !names.iter().any(|allowed| allowed == name)
            }
            _ => false,
        }
    }

    fn function(&mut self, place: Place, tool: &Tool) -> RawJson {
        let standard = self.context.capabilities.json_schema_fields;
        let parameters = tool.parameters.as_ref().and_then(|schema| self.fitted(place, schema, standard));
        let response = tool.response.as_ref().and_then(|schema| self.fitted(place, schema, standard));
        let name = self.names.get(&tool.name);
        object(|writer| {
            writer.field_str("name", name);
            if let Some(description) = &tool.description {
                writer.field_str("description", description);
            }
            if let Some(schema) = &parameters {
                writer.field_raw(if standard { "parametersJsonSchema" } else { "parameters" }, schema);
            }
            if let Some(schema) = &response {
                writer.field_raw(if standard { "responseJsonSchema" } else { "response" }, schema);
            }
            for extra in tool.extras.iter().filter(|extra| extra.dialect == ID) {
                writer.field_raw(&extra.name, &extra.value);
            }
        })
    }

    /// A client of this format wrote for this target: what it wrote stands.
    fn fitted(&mut self, place: Place, schema: &RawJson, standard: bool) -> Option<RawJson> {
        if standard && self.own() {
            return Some(schema.clone());
        }
        let fitted = schema::fit(schema, standard);
        self.losses.extend(fitted.lost.iter().map(|lost| lost.loss(Field::ToolSchema).at(place)));
        fitted.schema
    }

    /// A free-text tool becomes a function with one string.
    fn custom(&mut self, place: Place, tool: &Tool, grammar: bool) -> RawJson {
        let note = "a free-text tool was sent as a function with one string argument 'input'";
        self.lose_at(place, Field::Tools, LossClass::Approximated, LossAction::Approximated, note);
        if grammar {
            let note = "the target cannot enforce a grammar";
            self.lose_at(place, Field::Tools, LossClass::Semantic, LossAction::Dropped, note);
        }
        let name = self.names.get(&tool.name);
        let standard = self.context.capabilities.json_schema_fields;
        let (field, outer, inner) =
            if standard { ("parametersJsonSchema", "object", "string") } else { ("parameters", "OBJECT", "STRING") };
        object(|writer| {
            writer.field_str("name", name);
            if let Some(description) = &tool.description {
                writer.field_str("description", description);
            }
            writer.field_object(field, |writer| {
                writer.field_str("type", outer);
                writer.field_object("properties", |writer| {
                    writer.field_object("input", |writer| writer.field_str("type", inner));
                });
                writer.field_array("required", |writer| writer.string("input"));
            });
        })
    }

    fn hosted(&mut self, place: Place, type_name: &str, raw: &RawJson) -> Option<RawJson> {
        if self.own() {
            return Some(raw.clone());
        }
        if type_name.starts_with("web_search") {
            let note = "web search was sent as googleSearch; its options have no equal";
            self.lose_at(place, Field::HostedTool, LossClass::Approximated, LossAction::Approximated, note);
            return Some(RawJson::from_valid("{\"googleSearch\":{}}"));
        }
        let note = format!("the target has no tool '{type_name}'");
        self.losses.push(Loss::new(Field::HostedTool, LossClass::Semantic, LossAction::Dropped, note).at(place));
        None
    }

    /// `toolConfig`: the choice, and own further fields.
    pub(super) fn tool_config(&mut self, writer: &mut JsonWriter) {
        if self.request.parallel_tools == Some(false) {
            let note = "the target may still make several calls at once";
            self.lose(Field::ParallelTools, LossClass::Approximated, LossAction::Dropped, note);
        }
        let choice = self.choice();
        let calling = self.request_extras_under("toolConfig.functionCallingConfig");
        let others = self.request_extras_under("toolConfig");
        if choice.is_none() && calling.is_empty() && others.is_empty() {
            return;
        }
        writer.field_object("toolConfig", |writer| {
            if choice.is_some() || !calling.is_empty() {
                writer.field_object("functionCallingConfig", |writer| {
                    if let Some((mode, names)) = &choice {
                        writer.field_str("mode", mode);
                        if !names.is_empty() {
                            writer.field_array("allowedFunctionNames", |writer| {
                                names.iter().for_each(|name| writer.string(name));
                            });
                        }
                    }
                    calling.iter().for_each(|(name, extra)| writer.field_raw(name, &extra.value));
                });
            }
            others.iter().for_each(|(name, extra)| writer.field_raw(name, &extra.value));
        });
    }

    fn choice(&mut self) -> Option<(&'static str, Vec<String>)> {
        let choice = self.request.tool_choice.as_ref()?;
        let functions = self.request.tools.iter().any(|tool| !matches!(tool.kind, ToolKind::Hosted { .. }));
        if !functions && !self.own() {
            // Nothing to choose from: the other formats ignore it too, unless a call is demanded.
            if !matches!(choice, ToolChoice::Auto | ToolChoice::None) {
                let note = "there is no function to choose";
                self.lose(Field::ToolChoice, LossClass::Semantic, LossAction::Dropped, note);
            }
            return None;
        }
        let wire = |name: &String| self.names.get(name).to_owned();
        let (mode, names) = match choice {
            ToolChoice::Auto => ("AUTO", Vec::new()),
            ToolChoice::None => ("NONE", Vec::new()),
            ToolChoice::Required => ("ANY", Vec::new()),
            ToolChoice::Named(name) => ("ANY", vec![wire(name)]),
            ToolChoice::Allowed { names, required: true } => ("ANY", names.iter().map(wire).collect()),
            ToolChoice::Allowed { names, required: false } if self.own() => {
                ("VALIDATED", names.iter().map(wire).collect())
            }
            ToolChoice::Allowed { required: false, .. } => {
                let note = "tools that are not allowed were left out";
                self.lose(Field::ToolChoice, LossClass::Emulated, LossAction::Emulated, note);
                ("AUTO", Vec::new())
            }
            ToolChoice::Validated => ("VALIDATED", Vec::new()),
        };
        let capabilities = self.context.capabilities;
        if !capabilities.tool_choice && mode != "AUTO" {
            let note = "the target takes no tool choice";
            self.lose(Field::ToolChoice, LossClass::Semantic, LossAction::Dropped, note);
            return None;
        }
        let thinking = matches!(self.request.reasoning.toggle, Toggle::On | Toggle::Adaptive)
            || self.request.reasoning.effort.is_some();
        let forcible = match capabilities.forced_tool_choice {
            ForcedChoice::Yes => true,
            ForcedChoice::No => false,
            ForcedChoice::NotWithThinking => !thinking,
        };
        if mode == "ANY" && !forcible {
            let note = "the target cannot be forced to call a tool";
            self.lose(Field::ToolChoice, LossClass::Semantic, LossAction::Dropped, note);
            return Some(("AUTO", Vec::new()));
        }
        Some((mode, names))
    }
}
