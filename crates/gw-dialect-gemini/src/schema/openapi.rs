//! Google's OpenAPI 3.0 form of schemas, both ways.

use gw_core::LossClass;

use super::tree::{Node, describe, find, set, take};
use super::{DESCRIBED, DROPPED, Losses};
use crate::view::camel;

/// Deepest chain of inlined references; recursion ends here.
const MOST_INLINED: u32 = 8;
/// Most nodes that inlining may produce.
const MOST_NODES: u32 = 4_000;

/// Standard JSON Schema: lower-case types, `nullable` as a type array, counts as numbers.
pub(super) fn to_standard(node: Node) -> Node {
    let Node::Object(members) = node else { return node };
    let nullable = find(&members, "nullable").is_some_and(|value| value.is("true"));
    let mut out: Vec<(String, Node)> = Vec::with_capacity(members.len());
    for (name, value) in members {
        let name = camel(&name).into_owned();
        match name.as_str() {
            "nullable" => {}
            "type" => match standard_type(value, nullable) {
                Some(kind) => out.push((name, kind)),
                None => continue,
            },
            "format" if value.text().is_some_and(|text| text == "enum") => {}
            "enum" => match value {
                Node::Array(mut values) => {
                    if nullable && !values.iter().any(|value| value.is("null")) {
                        values.push(Node::Scalar("null".to_owned()));
                    }
                    out.push((name, Node::Array(values)));
                }
                other => out.push((name, other)),
            },
            "properties" | "$defs" | "defs" | "definitions" => {
                let name = if name == "defs" { "$defs".to_owned() } else { name };
                out.push((name, each_member(value, to_standard)));
            }
            "items" | "additionalProperties" => out.push((name, to_standard(value))),
            "anyOf" | "oneOf" | "allOf" | "prefixItems" => {
                let Node::Array(items) = value else { continue };
                let mut items: Vec<Node> = items.into_iter().map(to_standard).collect();
                if nullable && name == "anyOf" {
                    items.push(Node::Object(vec![("type".to_owned(), Node::string("null"))]));
                }
                out.push((name, Node::Array(items)));
            }
            "minItems" | "maxItems" | "minLength" | "maxLength" | "minProperties" | "maxProperties" => {
                let digits = value.text().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
                out.push((name, digits.map_or(value, Node::Scalar)));
            }
            "example" => out.push(("examples".to_owned(), Node::Array(vec![value]))),
            "ref" => out.push(("$ref".to_owned(), value)),
            _ => out.push((name, value)),
        }
    }
    Node::Object(out)
}

fn each_member(node: Node, change: impl Fn(Node) -> Node) -> Node {
    match node {
        Node::Object(members) => Node::Object(members.into_iter().map(|(name, value)| (name, change(value))).collect()),
        other => other,
    }
}

fn standard_type(value: Node, nullable: bool) -> Option<Node> {
    let lower = |value: &Node| value.text().map(|text| text.to_ascii_lowercase());
    let mut kinds: Vec<String> = match &value {
        Node::Array(items) => items.iter().filter_map(lower).collect(),
        _ => lower(&value).into_iter().collect(),
    };
    kinds.retain(|kind| kind != "type_unspecified");
    if nullable && !kinds.is_empty() && !kinds.iter().any(|kind| kind == "null") {
        kinds.push("null".to_owned());
    }
    match kinds.as_slice() {
        [] => None,
        [only] => Some(Node::string(only)),
        several => Some(Node::Array(several.iter().map(|kind| Node::string(kind)).collect())),
    }
}

/// The OpenAPI subset, from a schema already reduced to the accepted keywords.
pub(super) fn from_standard(root: Node, losses: &mut Losses) -> Node {
    let mut root = root;
    let definitions = match &mut root {
        Node::Object(members) => take(members, "$defs"),
        _ => None,
    };
    let definitions = definitions.unwrap_or(Node::Object(Vec::new()));
    let mut subset = Subset { definitions, losses, nodes: 0 };
    subset.node(root, 0)
}

struct Subset<'l> {
    definitions: Node,
    losses: &'l mut Losses,
    nodes: u32,
}

impl Subset<'_> {
    fn node(&mut self, node: Node, inlined: u32) -> Node {
        let Node::Object(mut members) = node else { return node };
        self.nodes = self.nodes.saturating_add(1);
        if let Some(target) = take(&mut members, "$ref").and_then(|target| target.text()) {
            return self.inline(&target, inlined);
        }
        self.types(&mut members);
        self.literals(&mut members);
        let mut out: Vec<(String, Node)> = Vec::with_capacity(members.len());
        for (name, value) in members {
            match name.as_str() {
                "type" => {
                    let upper = value.text().map(|text| Node::string(&text.to_ascii_uppercase()));
                    out.extend(upper.map(|upper| (name, upper)));
                }
                "properties" => {
                    if let Node::Object(inner) = value
                        && !inner.is_empty()
                    {
                        let inner = inner.into_iter().map(|(key, schema)| (key, self.node(schema, inlined))).collect();
                        out.push((name, Node::Object(inner)));
                    }
                }
                "items" => {
                    let item = self.node(value, inlined);
                    out.push((name, item));
                }
                "anyOf" => {
                    if let Node::Array(items) = value {
                        let items = items.into_iter().map(|item| self.node(item, inlined)).collect();
                        out.push((name, Node::Array(items)));
                    }
                }
                "$id" | "$anchor" | "additionalProperties" => self.losses.add(&name, LossClass::Advisory, DROPPED),
                "prefixItems" => self.losses.add(&name, LossClass::Approximated, DROPPED),
                _ => out.push((name, value)),
            }
        }
        self.finish(&mut out);
        Node::Object(out)
    }

    fn inline(&mut self, target: &str, inlined: u32) -> Node {
        let name = target.strip_prefix("#/$defs/").unwrap_or_default().replace("~1", "/").replace("~0", "~");
        let schema = self.definitions.get(&name).cloned();
        match schema {
            Some(schema) if inlined < MOST_INLINED && self.nodes < MOST_NODES => self.node(schema, inlined + 1),
            _ => {
                self.losses.add("$ref", LossClass::Approximated, "recursion cut off");
                Node::Object(vec![("type".to_owned(), Node::string("OBJECT"))])
            }
        }
    }

    /// One type only; null becomes `nullable`, further types become branches.
    fn types(&mut self, members: &mut Vec<(String, Node)>) {
        let Some(Node::Array(kinds)) = find(members, "type").cloned() else { return };
        let words: Vec<String> = kinds.iter().filter_map(Node::text).collect();
        let others: Vec<&String> = words.iter().filter(|word| *word != "null").collect();
        if others.len() < words.len() {
            set(members, "nullable", Node::Scalar("true".to_owned()));
        }
        match others.as_slice() {
            [] => set(members, "type", Node::string("null")),
            [only] => set(members, "type", Node::string(only)),
            several => {
                let branches =
                    several.iter().map(|word| Node::Object(vec![("type".to_owned(), Node::string(word))])).collect();
                take(members, "type");
                set(members, "anyOf", Node::Array(branches));
                self.losses.add("type", LossClass::Advisory, "several types written as anyOf");
            }
        }
    }

    /// Enumerations hold non-empty strings; formats are few.
    fn literals(&mut self, members: &mut Vec<(String, Node)>) {
        if let Some(Node::Array(values)) = find(members, "enum").cloned() {
            let texts = values.iter().filter(|value| value.text().is_some_and(|text| !text.is_empty())).count();
            if texts != values.len() {
                take(members, "enum");
                describe(members, &format!("one of {}", Node::Array(values).compact()));
                self.losses.add("enum", LossClass::Approximated, DESCRIBED);
            } else if find(members, "type").is_none() {
                set(members, "type", Node::string("string"));
            }
        }
        let Some(format) = find(members, "format").and_then(Node::text) else { return };
        if !matches!(format.as_str(), "enum" | "date-time" | "float" | "double" | "int32" | "int64") {
            take(members, "format");
            describe(members, &format!("format: {format}"));
            self.losses.add("format", LossClass::Approximated, DESCRIBED);
        }
    }

    fn finish(&mut self, out: &mut Vec<(String, Node)>) {
        let kind = find(out, "type").and_then(Node::text);
        if kind.as_deref() == Some("ARRAY") && find(out, "items").is_none() {
            set(out, "items", Node::Object(vec![("type".to_owned(), Node::string("STRING"))]));
            self.losses.add("items", LossClass::Approximated, "a list without item type is a list of strings");
        }
        if let Some(Node::Array(required)) = find(out, "required").cloned() {
            let known: Vec<Node> = required
                .iter()
                .filter(|name| {
                    let name = name.text().unwrap_or_default();
                    find(out, "properties").is_some_and(|properties| properties.get(&name).is_some())
                })
                .cloned()
                .collect();
            if known.len() != required.len() {
                self.losses.add("required", LossClass::Approximated, "names without a property left out");
            }
            if known.is_empty() {
                take(out, "required");
            } else {
                set(out, "required", Node::Array(known));
            }
        }
        // The subset wants `anyOf` alone in its node: the words move into the branches.
        if find(out, "anyOf").is_some()
            && let Some(words) = take(out, "description")
            && let Some((_, Node::Array(branches))) = out.iter_mut().find(|(name, _)| name == "anyOf")
        {
            for branch in branches {
                if let Node::Object(inner) = branch
                    && find(inner, "description").is_none()
                {
                    inner.push(("description".to_owned(), words.clone()));
                }
            }
        }
    }
}
