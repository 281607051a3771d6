//! Schemas: Google's OpenAPI form to standard JSON Schema, and any schema to what Gemini accepts.

mod clean;
mod openapi;
pub(crate) mod tree;

use gw_core::{Field, Loss, LossAction, LossClass, RawJson};
use gw_wire::{Document, Json, JsonWriter, Limits};

use tree::Node;

/// A schema that the target accepts and what it lost.
pub(crate) struct Fitted {
    /// The schema; `None` when nothing is left to say (a tool without arguments).
    pub(crate) schema: Option<RawJson>,
    /// Keywords that could not stay, without repeats.
    pub(crate) lost: Vec<Lost>,
}

/// A keyword that could not stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lost {
    keyword: String,
    class: LossClass,
    note: &'static str,
}

impl Lost {
    /// As a loss of the given field.
    pub(crate) fn loss(&self, field: Field) -> Loss {
        let action = if self.note == DROPPED { LossAction::Dropped } else { LossAction::Approximated };
        Loss::new(field, self.class, action, format!("schema keyword '{}': {}", self.keyword, self.note))
    }
}

const DROPPED: &str = "left out";
const DESCRIBED: &str = "moved into the description";

/// Collects what is lost.
#[derive(Debug, Default)]
struct Losses(Vec<Lost>);

impl Losses {
    fn add(&mut self, keyword: &str, class: LossClass, note: &'static str) {
        let lost = Lost { keyword: keyword.to_owned(), class, note };
        if !self.0.contains(&lost) {
            self.0.push(lost);
        }
    }
}

/// Google's OpenAPI form as standard JSON Schema: lower-case types, `nullable` as a type array, counts as numbers.
pub(crate) fn from_openapi(schema: Json<'_>) -> RawJson {
    write(&openapi::to_standard(Node::read(schema)))
}

/// The schema as `parametersJsonSchema` / `responseJsonSchema` (`standard`) or `parameters` / `responseSchema` take it.
pub(crate) fn fit(schema: &RawJson, standard: bool) -> Fitted {
    // The text comes from an indexed document, so it parses; the depth was checked there.
    let limits = Limits { depth: 512, ..Limits::default() };
    let Ok(document) = Document::parse(schema.as_str(), limits) else {
        return Fitted { schema: Some(schema.clone()), lost: Vec::new() };
    };
    let mut losses = Losses::default();
    let mut node = clean::clean(Node::read(document.root()), &mut losses);
    if !standard {
        node = openapi::from_standard(node, &mut losses);
    }
    let schema = (!says_nothing(&node)).then(|| write(&node));
    Fitted { schema, lost: losses.0 }
}

/// An object schema without members: Gemini refuses it, a tool without arguments has no schema.
fn says_nothing(node: &Node) -> bool {
    let Node::Object(members) = node else { return false };
    members.iter().all(|(name, value)| match name.as_str() {
        "type" => value.text().is_some_and(|text| text.eq_ignore_ascii_case("object")),
        "properties" | "$defs" => matches!(value, Node::Object(inner) if inner.is_empty()),
        "required" => matches!(value, Node::Array(items) if items.is_empty()),
        "additionalProperties" => matches!(value, Node::Scalar(raw) if raw == "false"),
        "title" | "description" | "$id" => true,
        _ => false,
    })
}

fn write(node: &Node) -> RawJson {
    let mut writer = JsonWriter::new();
    node.write(&mut writer);
    writer.into_raw()
}

#[cfg(test)]
mod tests;
