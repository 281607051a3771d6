//! Tool definitions and tool choice.

use gw_core::{Field, LossClass, Place, RawJson, Tool, ToolChoice, ToolKind};
use gw_spi::ForcedChoice;
use gw_wire::JsonWriter;

use super::Encoder;
use super::schema::{self, View};
use crate::marks::lifetime_loss;
use crate::raw::{with_parsed, write_with_member};
use crate::{ID, VENDOR};

/// Arguments of a tool that takes free text.
const TEXT_INPUT: &str = r#"{"type":"object","properties":{"input":{"type":"string"}},"required":["input"]}"#;

/// Arguments of a tool that takes none.
const NO_INPUT: &str = r#"{"type":"object","properties":{}}"#;

impl<'r> Encoder<'r> {
    /// `tools` and `tool_choice`.
    pub(super) fn tools(&mut self, w: &mut JsonWriter) {
        let request = self.request;
        let allowed = match &request.tool_choice {
            Some(ToolChoice::Allowed { names, .. }) => {
                self.emulated(Field::ToolChoice, "only the allowed tools are sent");
                Some(names)
            }
            _ => None,
        };
        let mut definitions = JsonWriter::new();
        let mut written = 0_usize;
        definitions.array(|w| {
            for (index, tool) in (0u32..).zip(&request.tools) {
                if allowed.is_none_or(|names| names.contains(&tool.name)) {
                    let place = Place { tool: Some(index), ..Place::default() };
                    written += usize::from(self.tool(w, tool, place));
                }
            }
        });
        if written > 0 && self.top(w, "tools") {
            w.raw(definitions.into_raw().as_str());
        }
        self.tool_choice(w, written > 0);
    }

    fn tool(&mut self, w: &mut JsonWriter, tool: &'r Tool, place: Place) -> bool {
        for extra in tool.extras.iter().filter(|extra| extra.dialect != ID) {
            let note = format!("tool field '{}'", extra.name);
            self.lose_at(Field::Unknown, LossClass::Approximated, place, note);
        }
        if tool.response.is_some() {
            self.lose_at(Field::ToolSchema, LossClass::Advisory, place, "the target has no result schema");
        }
        match &tool.kind {
            ToolKind::Hosted { type_name, raw } => return self.hosted(w, tool, type_name, raw, place),
            ToolKind::Custom { grammar } => {
                self.changed_at(
                    Field::Tools,
                    LossClass::Approximated,
                    place,
                    "a free-text tool is sent as a function with one string",
                );
                if grammar.as_ref().is_some_and(|grammar| !is_plain_text(grammar)) {
                    let note = "the target cannot hold a tool to a grammar";
                    self.lose_at(Field::ToolSchema, LossClass::Semantic, place, note);
                }
            }
            ToolKind::Function => {}
        }
        let strict = self.strict(tool, place);
        let schema = match &tool.kind {
            ToolKind::Custom { .. } => TEXT_INPUT.to_owned(),
            ToolKind::Function | ToolKind::Hosted { .. } => self.input_schema(tool, strict == Some(true), place),
        };
        self.losses.extend(lifetime_loss(self.marks.kept(tool.cache.as_ref(), place, None), place));
        w.object(|w| {
            w.field_str("name", self.names.wire(&tool.name));
            if let Some(description) = tool.description.as_deref().filter(|text| self.own || !text.is_empty()) {
                w.field_str("description", description);
            }
            w.key("input_schema").raw(&schema);
            if let Some(strict) = strict {
                w.field_bool("strict", strict);
            }
            for extra in tool.extras.iter().filter(|extra| extra.dialect == ID) {
                w.field_raw(&extra.name, &extra.value);
            }
            self.marks.write(w, tool.cache.as_ref(), place, None);
        });
        true
    }

    fn strict(&mut self, tool: &Tool, place: Place) -> Option<bool> {
        match tool.strict {
            Some(true) if self.context.capabilities.strict_tools => Some(true),
            Some(true) => {
                let note = "the target does not enforce tool schemas";
                self.lose_at(Field::ToolStrict, LossClass::Approximated, place, note);
                None
            }
            Some(false) if self.own => Some(false),
            Some(false) | None => None,
        }
    }

    fn input_schema(&mut self, tool: &Tool, strict: bool, place: Place) -> String {
        let Some(schema) = &tool.parameters else { return NO_INPUT.to_owned() };
        if self.own {
            return schema.as_str().to_owned();
        }
        let view = if strict { View::Enforced { title: None, description: None } } else { View::Tool };
        let Some((schema, removed)) = schema::view(schema, view) else { return NO_INPUT.to_owned() };
        if !removed.is_empty() {
            let note = format!("schema keywords not enforced: {}", removed.join(", "));
            self.changed_at(Field::ToolSchema, LossClass::Approximated, place, note);
        }
        schema.as_str().to_owned()
    }

    /// Tools that the vendor runs. Only web search has a counterpart across vendors.
    fn hosted(&mut self, w: &mut JsonWriter, tool: &Tool, type_name: &str, raw: &RawJson, place: Place) -> bool {
        if self.own {
            let mark = self.marks.kept(tool.cache.as_ref(), place, None);
            let done = mark.and_then(|mark| {
                let mut value = JsonWriter::new();
                crate::marks::write_mark(&mut value, mark);
                let value = value.into_raw();
                with_parsed(raw.as_str(), |json| write_with_member(w, json, "cache_control", value.as_str()))
            });
            if done.is_none() {
                w.raw(raw.as_str());
            }
            return true;
        }
        let is_search = ["web_search", "googleSearch", "google_search"].iter().any(|name| type_name.contains(name));
        if !is_search || self.context.vendor != VENDOR {
            let note = format!("the target has no '{type_name}' tool");
            self.lose_at(Field::HostedTool, LossClass::Semantic, place, note);
            return false;
        }
        let note = "web search is run by the target with its own options";
        self.changed_at(Field::HostedTool, LossClass::Approximated, place, note);
        w.object(|w| {
            w.field_str("type", "web_search_20250305");
            w.field_str("name", "web_search");
            with_parsed(raw.as_str(), |json| web_search_options(w, json));
            self.marks.write(w, tool.cache.as_ref(), place, None);
        });
        true
    }

    fn tool_choice(&mut self, w: &mut JsonWriter, has_tools: bool) {
        let class = LossClass::Approximated;
        let choice = self.request.tool_choice.as_ref();
        let forced = matches!(
            choice,
            Some(ToolChoice::Required | ToolChoice::Named(_) | ToolChoice::Allowed { required: true, .. })
        );
        if !has_tools {
            if forced {
                self.lose(Field::ToolChoice, LossClass::Semantic, "no tool can be called: none is sent");
            }
            return;
        }
        let capabilities = self.context.capabilities;
        let single = self.request.parallel_tools == Some(false);
        if !capabilities.tool_choice {
            if forced {
                self.lose(Field::ToolChoice, LossClass::Semantic, "the target takes no tool choice");
            } else if matches!(choice, Some(ToolChoice::None | ToolChoice::Validated)) {
                self.lose(Field::ToolChoice, class, "the target takes no tool choice");
            }
            if single {
                self.lose(Field::ParallelTools, class, "the target takes no tool choice");
            }
            return;
        }
        let can_force = match capabilities.forced_tool_choice {
            ForcedChoice::Yes => true,
            ForcedChoice::No => false,
            ForcedChoice::NotWithThinking => !self.thinking.is_on(),
        };
        if forced && !can_force {
            self.lose(Field::ToolChoice, LossClass::Semantic, "the model cannot be forced to call a tool");
        }
        if single && !capabilities.parallel_control {
            self.lose(Field::ParallelTools, class, "the target may call several tools at once");
        }
        let single = single && capabilities.parallel_control;
        let (word, name) = match choice {
            Some(ToolChoice::None) => ("none", None),
            Some(ToolChoice::Named(name)) if can_force => ("tool", Some(name)),
            Some(ToolChoice::Required | ToolChoice::Allowed { required: true, .. }) if can_force => ("any", None),
            Some(ToolChoice::Validated) => {
                self.changed(Field::ToolChoice, class, "arguments are not enforced for the whole request");
                ("auto", None)
            }
            Some(_) => ("auto", None),
            None if single => ("auto", None),
            None => return,
        };
        if !self.top(w, "tool_choice") {
            return;
        }
        w.object(|w| {
            w.field_str("type", word);
            if let Some(name) = name {
                w.field_str("name", self.names.wire(name));
            }
            match (word, self.request.parallel_tools) {
                ("none", Some(false)) => {
                    let note = "no tool is called at all";
                    self.lose(Field::ParallelTools, LossClass::Advisory, note);
                }
                ("none", _) => {}
                (_, Some(false)) if single => w.field_bool("disable_parallel_tool_use", true),
                (_, Some(true)) if self.own => w.field_bool("disable_parallel_tool_use", false),
                _ => {}
            }
        });
    }
}

fn is_plain_text(format: &RawJson) -> bool {
    with_parsed(format.as_str(), |json| json.get_some("type").and_then(|kind| kind.string()))
        .flatten()
        .is_some_and(|kind| kind == "text")
}

/// Domains and place of another vendor's web search.
fn web_search_options(w: &mut JsonWriter, json: gw_wire::Json<'_>) {
    let domains = json.get_some("filters").and_then(|filters| filters.get_some("allowed_domains"));
    if let Some(domains) = domains {
        w.key("allowed_domains").raw(domains.raw());
    }
    let Some(location) = json.get_some("user_location") else { return };
    let location = location.get_some("approximate").unwrap_or(location);
    w.field_object("user_location", |w| {
        w.field_str("type", "approximate");
        for name in ["city", "region", "country", "timezone"] {
            if let Some(value) = location.get_some(name) {
                w.key(name).raw(value.raw());
            }
        }
    });
}
