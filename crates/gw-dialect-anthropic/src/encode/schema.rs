//! Views of a client's JSON schema for a target that takes less: the client's own text is never changed.

use std::collections::BTreeSet;

use gw_core::RawJson;
use gw_wire::{Json, JsonWriter, Kind};

use crate::raw::with_parsed;

/// What the view is for.
#[derive(Debug, Clone, Copy)]
pub(super) enum View<'v> {
    /// Arguments of a tool that are not enforced: references are normalised, nothing is removed.
    Tool,
    /// An enforced schema: closed objects, no bounds.
    Enforced {
        /// Name of the schema, kept as its title.
        title: Option<&'v str>,
        /// Description, where the schema has none.
        description: Option<&'v str>,
    },
}

/// String formats that are enforced.
const FORMATS: &[&str] = &["date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"];

/// Keywords that an enforced schema cannot have.
const UNENFORCED: &[&str] = &[
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "maxItems",
    "uniqueItems",
    "contains",
    "minContains",
    "maxContains",
    "minProperties",
    "maxProperties",
    "patternProperties",
    "propertyNames",
    "dependentRequired",
    "dependentSchemas",
    "unevaluatedProperties",
    "unevaluatedItems",
    "not",
    "if",
    "then",
    "else",
];

/// Deepest schema that is rewritten; what lies below is copied.
const DEEPEST: u32 = 64;

struct Rewriter {
    enforced: bool,
    removed: BTreeSet<String>,
}

/// The view and the keywords that it lost; `None` when the schema is not an object.
pub(super) fn view(schema: &RawJson, view: View<'_>) -> Option<(RawJson, Vec<String>)> {
    with_parsed(schema.as_str(), |json| {
        if json.kind() != Kind::Object {
            return None;
        }
        let enforced = matches!(view, View::Enforced { .. });
        let mut rewriter = Rewriter { enforced, removed: BTreeSet::new() };
        let mut writer = JsonWriter::new();
        rewriter.root(&mut writer, json, view);
        Some((writer.into_raw(), rewriter.removed.into_iter().collect()))
    })
    .flatten()
}

impl Rewriter {
    fn root(&mut self, w: &mut JsonWriter, json: Json<'_>, view: View<'_>) {
        w.object(|w| {
            let is_object = json.get_some("type").is_none() && json.get_some("$ref").is_none();
            if is_object && (!self.enforced || json.get_some("properties").is_some()) {
                w.field_str("type", "object");
            }
            let (title, described) = match view {
                View::Tool => (None, None),
                View::Enforced { title, description } => (title, description),
            };
            if let Some(title) = title.filter(|_| json.get_some("title").is_none()) {
                w.field_str("title", title);
            }
            self.definitions(w, json);
            let moved = ["$defs", "definitions", "components"];
            self.members(w, json, &moved, 0, described);
        });
    }

    /// The three places of shared definitions become one.
    fn definitions(&mut self, w: &mut JsonWriter, json: Json<'_>) {
        let components = json.get_some("components").and_then(|components| components.get_some("schemas"));
        let sources = [json.get_some("$defs"), json.get_some("definitions"), components];
        if sources.iter().flatten().next().is_none() {
            return;
        }
        let mut seen = BTreeSet::new();
        w.field_object("$defs", |w| {
            for (name, value) in sources.iter().flatten().flat_map(|source| source.members()) {
                if seen.insert(name.to_string()) {
                    w.key(&name);
                    self.schema(w, value, 1);
                }
            }
        });
    }

    fn schema(&mut self, w: &mut JsonWriter, json: Json<'_>, depth: u32) {
        if json.kind() == Kind::Object && depth < DEEPEST {
            w.object(|w| self.members(w, json, &[], depth, None));
        } else {
            w.raw(json.raw());
        }
    }

    /// `described` stands in for a description that the schema does not have.
    fn members(&mut self, w: &mut JsonWriter, json: Json<'_>, skipped: &[&str], depth: u32, described: Option<&str>) {
        let mut notes: Vec<String> = Vec::new();
        let description = json.get_some("description").and_then(|text| text.string());
        let description = description.or_else(|| described.map(str::to_owned));
        for (name, value) in json.members().filter(|(name, _)| !skipped.contains(&name.as_ref())) {
            if self.enforced && self.unenforced(&name, value) {
                notes.push(format!("{name}: {}", value.raw()));
                self.removed.insert(name.into_owned());
                continue;
            }
            match name.as_ref() {
                "$schema" if self.enforced => {}
                "description" if self.enforced => {}
                "additionalProperties" if self.enforced => {
                    if value.bool() != Some(false) || !is_object(json) {
                        self.removed.insert(name.into_owned());
                    }
                }
                "$ref" => w.key("$ref").string(&reference(&value.string().unwrap_or_default())),
                "properties" | "$defs" | "definitions" | "patternProperties" | "dependentSchemas" => {
                    self.map(w, &name, value, depth);
                }
                "prefixItems" | "anyOf" | "allOf" | "oneOf" => {
                    let renamed = name == "oneOf" && self.enforced && json.get_some("anyOf").is_none();
                    if renamed {
                        self.removed.insert("oneOf".to_owned());
                    }
                    self.list(w, if renamed { "anyOf" } else { &name }, value, depth);
                }
                "items" if value.kind() == Kind::Array => self.list(w, "items", value, depth),
                "items" | "additionalProperties" | "not" | "contains" | "if" | "then" | "else" | "propertyNames" => {
                    w.key(&name);
                    self.schema(w, value, depth + 1);
                }
                _ => w.key(&name).raw(value.raw()),
            }
        }
        if !self.enforced {
            return;
        }
        if is_object(json) {
            w.field_bool("additionalProperties", false);
        }
        match (description, notes.is_empty()) {
            (Some(text), true) => w.field_str("description", &text),
            (Some(text), false) => w.field_str("description", &format!("{text}\n({})", notes.join(", "))),
            (None, false) => w.field_str("description", &format!("({})", notes.join(", "))),
            (None, true) => {}
        }
    }

    fn unenforced(&self, name: &str, value: Json<'_>) -> bool {
        match name {
            "minItems" => value.u64().is_none_or(|count| count > 1),
            "format" => value.str().is_none_or(|format| !FORMATS.contains(&format.as_ref())),
            _ => UNENFORCED.contains(&name),
        }
    }

    fn map(&mut self, w: &mut JsonWriter, name: &str, value: Json<'_>, depth: u32) {
        w.key(name);
        if value.kind() != Kind::Object {
            w.raw(value.raw());
            return;
        }
        w.object(|w| {
            for (key, schema) in value.members() {
                w.key(&key);
                self.schema(w, schema, depth + 1);
            }
        });
    }

    fn list(&mut self, w: &mut JsonWriter, name: &str, value: Json<'_>, depth: u32) {
        w.key(name);
        if value.kind() != Kind::Array {
            w.raw(value.raw());
            return;
        }
        w.array(|w| value.items().for_each(|item| self.schema(w, item, depth + 1)));
    }
}

/// The target resolves `$defs` only.
fn reference(target: &str) -> String {
    for prefix in ["#/definitions/", "#/components/schemas/"] {
        if let Some(name) = target.strip_prefix(prefix) {
            return format!("#/$defs/{name}");
        }
    }
    target.to_owned()
}

fn is_object(json: Json<'_>) -> bool {
    let is = |kind: Json<'_>| kind.str().is_some_and(|kind| kind == "object");
    match json.get_some("type") {
        Some(kind) if kind.kind() == Kind::Array => kind.items().any(is),
        Some(kind) => is(kind),
        None => json.get_some("properties").is_some(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]
mod tests {
    use super::{View, view};
    use gw_core::RawJson;
    use serde_json::{Value, json};

    fn seen(schema: &Value, as_view: View<'_>) -> (Value, Vec<String>) {
        let (text, removed) = view(&RawJson::from_valid(schema.to_string()), as_view).unwrap();
        (serde_json::from_str(text.as_str()).unwrap(), removed)
    }

    #[test]
    fn tool_views_normalise_references_and_keep_everything() {
        let schema = json!({"properties": {"a": {"$ref": "#/definitions/A"}, "b": {"minimum": 1, "type": "integer"}},
            "definitions": {"A": {"type": "string", "maxLength": 3}}});
        let (out, removed) = seen(&schema, View::Tool);
        assert_eq!(out["type"], "object");
        assert_eq!(out["properties"]["a"]["$ref"], "#/$defs/A");
        assert_eq!(out["$defs"]["A"]["maxLength"], 3);
        assert_eq!(out["properties"]["b"]["minimum"], 1);
        assert!(out.get("definitions").is_none() && removed.is_empty());
    }

    #[test]
    fn enforced_views_close_objects_and_move_bounds_to_the_description() {
        let schema = json!({"$schema": "x", "type": "object", "additionalProperties": true, "properties": {
            "n": {"type": "integer", "minimum": 1, "description": "count"},
            "o": {"type": "object", "properties": {"description": {"type": "string", "format": "color"}}},
            "u": {"oneOf": [{"type": "string"}, {"type": "null"}]},
            "l": {"type": "array", "minItems": 2, "items": {"type": "string", "pattern": "a"}}}});
        let (out, removed) = seen(&schema, View::Enforced { title: Some("name"), description: Some("what") });
        assert_eq!(out["title"], "name");
        assert_eq!(out["description"], "what");
        assert_eq!(out["additionalProperties"], false);
        assert_eq!(out["properties"]["o"]["additionalProperties"], false);
        assert_eq!(out["properties"]["n"], json!({"type": "integer", "description": "count\n(minimum: 1)"}));
        assert_eq!(out["properties"]["o"]["properties"]["description"]["description"], "(format: \"color\")");
        assert_eq!(out["properties"]["u"]["anyOf"][1]["type"], "null");
        assert_eq!(out["properties"]["l"]["items"]["description"], "(pattern: \"a\")");
        assert_eq!(removed, ["additionalProperties", "format", "minItems", "minimum", "oneOf", "pattern"]);
    }

    #[test]
    fn values_that_look_like_schemas_are_left_alone() {
        let schema = json!({"type": "object", "properties": {"minimum": {"type": "string", "enum": ["$ref"],
            "default": {"minimum": 3}}}});
        let (out, removed) = seen(&schema, View::Enforced { title: None, description: None });
        assert_eq!(out["properties"]["minimum"]["default"], json!({"minimum": 3}));
        assert!(removed.is_empty());
    }
}
