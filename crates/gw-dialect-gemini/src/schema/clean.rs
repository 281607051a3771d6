//! JSON Schema reduced to the keywords that Gemini's JSON Schema fields accept. What is removed is described in words
//! for the model and reported; nothing that is accepted changes.

use std::collections::BTreeSet;

use gw_core::LossClass;

use super::tree::{Node, describe, find, set, take};
use super::{DESCRIBED, DROPPED, Losses};

/// Keywords that stay as they are.
const ACCEPTED: &[&str] = &[
    "$id",
    "$defs",
    "$ref",
    "$anchor",
    "type",
    "format",
    "title",
    "description",
    "enum",
    "items",
    "prefixItems",
    "minItems",
    "maxItems",
    "minimum",
    "maximum",
    "anyOf",
    "properties",
    "additionalProperties",
    "required",
    "propertyOrdering",
];

/// Annotations: words for readers, no constraint.
const ANNOTATIONS: &[&str] =
    &["default", "example", "examples", "deprecated", "readOnly", "writeOnly", "contentMediaType"];

/// Says nothing about the data.
const BOOKKEEPING: &[&str] = &["$schema", "$comment", "$vocabulary", "discriminator", "xml", "externalDocs"];

pub(super) fn clean(mut root: Node, losses: &mut Losses) -> Node {
    if let Node::Object(members) = &mut root {
        hoist_definitions(members);
    }
    let mut names = BTreeSet::new();
    if let Some(Node::Object(definitions)) = root.get("$defs") {
        names.extend(definitions.iter().map(|(name, _)| name.clone()));
    }
    let mut cleaner = Cleaner { definitions: names, losses };
    cleaner.node(root)
}

/// `definitions` (draft 4) and `components.schemas` (OpenAPI) become `$defs`.
fn hoist_definitions(members: &mut Vec<(String, Node)>) {
    let older = take(members, "definitions");
    let components = match find(members, "components").and_then(|components| components.get("schemas")) {
        Some(schemas) => {
            let schemas = schemas.clone();
            take(members, "components");
            Some(schemas)
        }
        None => None,
    };
    for moved in [older, components].into_iter().flatten() {
        let Node::Object(moved) = moved else { continue };
        match members.iter_mut().find(|(name, _)| name == "$defs") {
            Some((_, Node::Object(known))) => {
                for (name, schema) in moved {
                    if find(known, &name).is_none() {
                        known.push((name, schema));
                    }
                }
            }
            _ => set(members, "$defs", Node::Object(moved)),
        }
    }
}

struct Cleaner<'l> {
    definitions: BTreeSet<String>,
    losses: &'l mut Losses,
}

impl Cleaner<'_> {
    fn node(&mut self, node: Node) -> Node {
        let mut members = match node {
            Node::Object(members) => members,
            // `true` allows anything; `false` nothing, which Gemini cannot say.
            Node::Scalar(raw) => {
                if raw == "false" {
                    self.losses.add("false", LossClass::Approximated, DROPPED);
                }
                return Node::Object(Vec::new());
            }
            Node::Array(_) => return Node::Object(Vec::new()),
        };
        if find(&members, "$ref").is_some() {
            return self.reference(members);
        }
        self.merge_all_of(&mut members);
        one_of(&mut members, self.losses);
        self.constant(&mut members);
        self.bounds(&mut members);
        self.tuple(&mut members);
        self.choices(&mut members);
        let members = self.allowed(members);
        self.split_any_of(members)
    }

    /// A reference stands alone in its node, next to `$` keywords only.
    fn reference(&mut self, members: Vec<(String, Node)>) -> Node {
        let mut out = Vec::new();
        let mut dangling = false;
        for (name, value) in members {
            match name.as_str() {
                "$ref" => match value.text().map(|text| normal_reference(&text)) {
                    Some(target) if target == "#" || self.known(&target) => {
                        out.push((name, Node::string(&target)));
                    }
                    _ => dangling = true,
                },
                "$defs" => out.push((name, self.named(value))),
                "$id" | "$anchor" => out.push((name, value)),
                "title" | "description" => self.losses.add(&name, LossClass::Advisory, "left out beside $ref"),
                _ => self.losses.add(&name, LossClass::Approximated, "left out beside $ref"),
            }
        }
        if dangling {
            self.losses.add("$ref", LossClass::Approximated, "its target does not exist; any value is allowed");
        }
        Node::Object(out)
    }

    fn known(&self, target: &str) -> bool {
        let Some(rest) = target.strip_prefix("#/$defs/") else { return false };
        let name = rest.split('/').next().unwrap_or_default().replace("~1", "/").replace("~0", "~");
        self.definitions.contains(&name)
    }

    /// `allOf` has no equal: its members are merged into the node where they do not collide.
    fn merge_all_of(&mut self, members: &mut Vec<(String, Node)>) {
        let Some(Node::Array(branches)) = take(members, "allOf") else { return };
        let alone = branches.len() == 1 && members.iter().all(|(name, _)| !is_constraint(name));
        for branch in branches {
            let Node::Object(inner) = branch else { continue };
            for (name, value) in inner {
                if name == "$ref" && !alone {
                    describe(members, &format!("also: {}", value.compact()));
                    self.losses.add("allOf", LossClass::Approximated, DESCRIBED);
                    continue;
                }
                match (members.iter_mut().find(|(known, _)| *known == name).map(|(_, known)| known), value) {
                    (None, value) => members.push((name, value)),
                    (Some(Node::Object(known)), Node::Object(more)) if name == "properties" => {
                        for (property, schema) in more {
                            if find(known, &property).is_none() {
                                known.push((property, schema));
                            }
                        }
                    }
                    (Some(Node::Array(known)), Node::Array(more)) if name == "required" => {
                        for item in more {
                            if !known.contains(&item) {
                                known.push(item);
                            }
                        }
                    }
                    (Some(known), value) if *known == value => {}
                    _ => {
                        self.losses.add("allOf", LossClass::Approximated, "merged; where parts differ the first holds")
                    }
                }
            }
        }
    }

    fn constant(&mut self, members: &mut Vec<(String, Node)>) {
        let Some(value) = take(members, "const") else { return };
        if value.text().is_some() || value.is_number() {
            set(members, "enum", Node::Array(vec![value]));
            return;
        }
        describe(members, &format!("always {}", value.compact()));
        self.losses.add("const", LossClass::Approximated, DESCRIBED);
    }

    /// Exclusive bounds become inclusive ones where the type makes that exact.
    fn bounds(&mut self, members: &mut Vec<(String, Node)>) {
        let integer = find(members, "type").and_then(Node::text).is_some_and(|text| text == "integer");
        for (exclusive, inclusive, step) in [("exclusiveMinimum", "minimum", 1), ("exclusiveMaximum", "maximum", -1)] {
            let Some(value) = take(members, exclusive) else { continue };
            if value.is("false") {
                continue;
            }
            // Draft 4 wrote a flag beside the bound.
            let bound = if value.is("true") { find(members, inclusive).cloned() } else { Some(value) };
            let Some(bound) = bound else { continue };
            let whole = bound.compact().parse::<i64>().ok().and_then(|number| number.checked_add(step));
            if let (true, Some(number)) = (integer, whole) {
                set(members, inclusive, Node::Scalar(number.to_string()));
                continue;
            }
            let word = if step > 0 { "greater than" } else { "less than" };
            describe(members, &format!("{word} {}", bound.compact()));
            self.losses.add(exclusive, LossClass::Approximated, DESCRIBED);
        }
    }

    /// Draft 4 tuples: `items` as an array.
    fn tuple(&mut self, members: &mut Vec<(String, Node)>) {
        if !matches!(find(members, "items"), Some(Node::Array(_))) {
            return;
        }
        if let Some(items) = take(members, "items") {
            set(members, "prefixItems", items);
        }
        if let Some(rest) = take(members, "additionalItems") {
            match rest {
                Node::Object(_) => set(members, "items", rest),
                Node::Scalar(raw) if raw == "true" => {}
                _ => self.losses.add("additionalItems", LossClass::Approximated, DROPPED),
            }
        }
    }

    /// Only strings and numbers may be listed.
    fn choices(&mut self, members: &mut Vec<(String, Node)>) {
        let Some(Node::Array(values)) = find(members, "enum").cloned() else { return };
        let nullable = values.iter().any(|value| value.is("null"));
        let kept: Vec<Node> =
            values.iter().filter(|value| value.text().is_some() || value.is_number()).cloned().collect();
        if kept.len() == values.len() {
            return;
        }
        if kept.len() + usize::from(nullable) == values.len() && !kept.is_empty() {
            // Null stays possible by the type, or by saying so.
            if find(members, "type").is_none_or(|kind| matches!(kind, Node::Scalar(_))) {
                describe(members, "or null");
                self.losses.add("enum", LossClass::Approximated, "null moved into the description");
            }
            set(members, "enum", Node::Array(kept));
            return;
        }
        take(members, "enum");
        describe(members, &format!("one of {}", Node::Array(values).compact()));
        self.losses.add("enum", LossClass::Approximated, DESCRIBED);
    }

    fn allowed(&mut self, members: Vec<(String, Node)>) -> Vec<(String, Node)> {
        let mut out = Vec::with_capacity(members.len());
        let mut remarks = Vec::new();
        for (name, value) in members {
            match name.as_str() {
                "properties" | "$defs" => out.push((name, self.named(value))),
                "items" => out.push((name, self.node(value))),
                "anyOf" | "prefixItems" => {
                    if let Node::Array(items) = value {
                        out.push((name, Node::Array(items.into_iter().map(|item| self.node(item)).collect())));
                    }
                }
                "additionalProperties" => {
                    let value = if matches!(value, Node::Object(_)) { self.node(value) } else { value };
                    out.push((name, value));
                }
                known if ACCEPTED.contains(&known) => out.push((name, value)),
                known if BOOKKEEPING.contains(&known) || known.starts_with("x-") => {
                    self.losses.add(known, LossClass::Advisory, DROPPED);
                }
                known => {
                    let class =
                        if ANNOTATIONS.contains(&known) { LossClass::Advisory } else { LossClass::Approximated };
                    self.losses.add(known, class, DESCRIBED);
                    remarks.push(format!("{known}: {}", value.compact()));
                }
            }
        }
        if !remarks.is_empty() {
            describe(&mut out, &remarks.join(", "));
        }
        out
    }

    fn named(&mut self, schemas: Node) -> Node {
        match schemas {
            Node::Object(members) => {
                Node::Object(members.into_iter().map(|(name, schema)| (name, self.node(schema))).collect())
            }
            _ => Node::Object(Vec::new()),
        }
    }

    /// `anyOf` beside other constraints is refused by some hosts: the others move into every branch.
    fn split_any_of(&mut self, members: Vec<(String, Node)>) -> Node {
        if find(&members, "anyOf").is_none() || !members.iter().any(|(name, _)| is_constraint(name)) {
            return Node::Object(members);
        }
        let (shared, mut rest): (Vec<_>, Vec<_>) = members.into_iter().partition(|(name, _)| is_constraint(name));
        if let Some((_, Node::Array(branches))) = rest.iter_mut().find(|(name, _)| name == "anyOf") {
            for branch in branches {
                let Node::Object(inner) = branch else { continue };
                if find(inner, "$ref").is_some() {
                    self.losses.add("anyOf", LossClass::Approximated, "keywords beside it left out of a $ref branch");
                    continue;
                }
                for (name, value) in &shared {
                    match find(inner, name) {
                        None => inner.push((name.clone(), value.clone())),
                        Some(known) if known == value => {}
                        Some(_) => {
                            self.losses.add("anyOf", LossClass::Approximated, "where a branch differs it holds alone");
                        }
                    }
                }
            }
        }
        Node::Object(rest)
    }
}

/// Whether a keyword constrains the value (against naming or describing it).
fn is_constraint(name: &str) -> bool {
    !matches!(name, "anyOf" | "title" | "description") && !name.starts_with('$')
}

/// `oneOf` is read as `anyOf`.
fn one_of(members: &mut Vec<(String, Node)>, losses: &mut Losses) {
    let Some(branches) = take(members, "oneOf") else { return };
    if find(members, "anyOf").is_some() {
        describe(members, &format!("exactly one of {}", branches.compact()));
        losses.add("oneOf", LossClass::Approximated, DESCRIBED);
        return;
    }
    losses.add("oneOf", LossClass::Advisory, "read as anyOf");
    set(members, "anyOf", branches);
}

fn normal_reference(target: &str) -> String {
    for older in ["#/definitions/", "#/components/schemas/"] {
        if let Some(name) = target.strip_prefix(older) {
            return format!("#/$defs/{name}");
        }
    }
    target.to_owned()
}
