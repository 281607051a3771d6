//! Deterministic JSON values that satisfy a JSON Schema (or Gemini's OpenAPI view of one).

use serde_json::{Map, Value, json};

const MAX_DEPTH: usize = 12;

/// A value for `schema`: first enum member, smallest legal size, every property that is not part of a cycle.
pub(crate) fn sample(schema: &Value) -> Value {
    Sampler { root: schema }.value(schema, "value", 0)
}

struct Sampler<'a> {
    root: &'a Value,
}

impl Sampler<'_> {
    fn value(&self, schema: &Value, name: &str, depth: usize) -> Value {
        if let Some(fixed) = schema.get("const") {
            return fixed.clone();
        }
        if let Some(first) = schema.get("enum").and_then(Value::as_array).and_then(|members| members.first()) {
            return first.clone();
        }
        if depth > MAX_DEPTH {
            return Value::Null;
        }
        if let Some(target) = schema.get("$ref").and_then(Value::as_str).and_then(|path| self.resolve(path)) {
            return self.value(target, name, depth + 1);
        }
        for keyword in ["anyOf", "oneOf"] {
            if let Some(options) = schema.get(keyword).and_then(Value::as_array) {
                let chosen = options.iter().find(|option| kind(option) != Some("null".to_owned()));
                return chosen.map_or(Value::Null, |option| self.value(option, name, depth + 1));
            }
        }
        if let Some(all) = schema.get("allOf").and_then(Value::as_array) {
            return self.merged(schema, all, name, depth);
        }
        match kind(schema).as_deref() {
            Some("object") => self.object(schema, depth),
            Some("array") => self.array(schema, name, depth),
            Some("integer") => json!(number(schema) as i64),
            Some("number") => number_value(number(schema)),
            Some("boolean") => json!(true),
            Some("null") => Value::Null,
            _ => json!(string(schema, name)),
        }
    }

    /// `allOf`: objects are merged property by property; otherwise the first branch decides.
    fn merged(&self, schema: &Value, all: &[Value], name: &str, depth: usize) -> Value {
        let mut merged = match kind(schema).as_deref() {
            Some("object") => self.object(schema, depth),
            _ => Value::Null,
        };
        for branch in all {
            match (self.value(branch, name, depth + 1), &mut merged) {
                (Value::Object(fields), Value::Object(object)) => object.extend(fields),
                (value, unset @ Value::Null) => *unset = value,
                _ => {}
            }
        }
        merged
    }

    fn object(&self, schema: &Value, depth: usize) -> Value {
        let required: Vec<&str> =
            schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        let mut object = Map::new();
        for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            // Optional properties that lead back to a definition may never end: leave them out below the surface.
            let optional = !required.contains(&name.as_str());
            if optional && depth > 0 && mentions_reference(property, 0) {
                continue;
            }
            object.insert(name.clone(), self.value(property, name, depth + 1));
        }
        for name in required {
            if !object.contains_key(name) {
                object.insert(name.to_owned(), json!(format!("mock {name}")));
            }
        }
        Value::Object(object)
    }

    fn array(&self, schema: &Value, name: &str, depth: usize) -> Value {
        if let Some(prefix) = schema.get("prefixItems").and_then(Value::as_array) {
            return prefix.iter().map(|item| self.value(item, name, depth + 1)).collect();
        }
        let least = count(schema, "minItems").unwrap_or(0);
        let Some(items) = schema.get("items") else {
            return Value::Array((0..least).map(|_| json!(format!("mock {name}"))).collect());
        };
        if least == 0 && depth > 0 && mentions_reference(items, 0) {
            return json!([]);
        }
        let most = count(schema, "maxItems").unwrap_or(usize::MAX);
        let length = least.max(1).min(most).min(100);
        (0..length)
            .map(|index| {
                // Items of a set must differ; only strings and numbers can be told apart without knowing more.
                match self.value(items, name, depth + 1) {
                    Value::String(text) if index > 0 && items.get("enum").is_none() => json!(format!("{text} {index}")),
                    Value::Number(n) if index > 0 && items.get("enum").is_none() => {
                        json!(n.as_i64().unwrap_or(0).saturating_add(index as i64))
                    }
                    value => value,
                }
            })
            .collect()
    }

    fn resolve(&self, path: &str) -> Option<&Value> {
        self.root.pointer(path.strip_prefix('#')?)
    }
}

fn mentions_reference(schema: &Value, depth: usize) -> bool {
    match schema {
        Value::Object(object) => {
            object.contains_key("$ref")
                || (depth < MAX_DEPTH && object.values().any(|value| mentions_reference(value, depth + 1)))
        }
        Value::Array(items) => depth < MAX_DEPTH && items.iter().any(|item| mentions_reference(item, depth + 1)),
        _ => false,
    }
}

/// The type, lower-cased (Gemini writes `STRING`), the first one that is not null of a list, or guessed from keywords.
fn kind(schema: &Value) -> Option<String> {
    let named = match schema.get("type") {
        Some(Value::String(name)) => Some(name.as_str()),
        Some(Value::Array(names)) => {
            let mut names = names.iter().filter_map(Value::as_str);
            names.clone().find(|name| !name.eq_ignore_ascii_case("null")).or_else(|| names.next())
        }
        _ => None,
    };
    match named {
        Some(name) => Some(name.to_ascii_lowercase()),
        None if schema.get("properties").is_some() || schema.get("required").is_some() => Some("object".to_owned()),
        None if schema.get("items").is_some() || schema.get("prefixItems").is_some() => Some("array".to_owned()),
        None => None,
    }
}

/// A count that may be written as a string, as Google's 64-bit integers are.
fn count(schema: &Value, key: &str) -> Option<usize> {
    match schema.get(key)? {
        Value::String(text) => text.parse().ok(),
        value => value.as_u64().and_then(|count| usize::try_from(count).ok()),
    }
}

/// 42 if the bounds allow it, else the nearest number that they do.
fn number(schema: &Value) -> f64 {
    let bound = |key: &str| schema.get(key).and_then(Value::as_f64);
    let step = bound("multipleOf").filter(|step| *step > 0.0);
    let mut value = 42.0_f64;
    if let Some(most) = bound("maximum").or_else(|| bound("exclusiveMaximum").map(|most| most - 1.0)) {
        value = value.min(most);
    }
    if let Some(least) = bound("minimum").or_else(|| bound("exclusiveMinimum").map(|least| least + 1.0)) {
        value = value.max(least);
    }
    match step {
        Some(step) if (value / step).fract() != 0.0 => (value / step).ceil() * step,
        _ => value,
    }
}

fn number_value(value: f64) -> Value {
    if value.fract() == 0.0 { json!(value as i64) } else { json!(value) }
}

fn string(schema: &Value, name: &str) -> String {
    let text = match schema.get("format").and_then(Value::as_str) {
        Some("date-time") => "2026-01-01T12:00:00Z",
        Some("date") => "2026-01-01",
        Some("time") => "12:00:00Z",
        Some("duration") => "PT1H",
        Some("email") => "mock@example.com",
        Some("hostname") => "example.com",
        Some("ipv4") => "192.0.2.1",
        Some("ipv6") => "2001:db8::1",
        Some("uri" | "url") => "https://example.com/mock",
        Some("uuid") => "00000000-0000-4000-8000-000000000000",
        _ => {
            let mut text = format!("mock {name}");
            while text.chars().count() < count(schema, "minLength").unwrap_or(0).min(10_000) {
                text.push('x');
            }
            return text.chars().take(count(schema, "maxLength").unwrap_or(usize::MAX)).collect();
        }
    };
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_follow_types_enums_bounds_and_references() {
        let schema = json!({
            "type": "object",
            "properties": {
                "city": {"type": "string"},
                "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
                "days": {"type": "integer", "minimum": 1, "maximum": 7},
                "tags": {"type": "array", "items": {"type": "string"}, "minItems": 2},
                "when": {"type": ["null", "string"], "format": "date"},
                "place": {"$ref": "#/$defs/place"},
                "either": {"anyOf": [{"type": "null"}, {"type": "boolean"}]},
            },
            "required": ["city", "extra"],
            "$defs": {"place": {"type": "OBJECT", "properties": {
                "lat": {"type": "NUMBER"}, "parent": {"$ref": "#/$defs/place"},
            }}},
        });
        let expected = json!({
            "city": "mock city", "unit": "celsius", "days": 7, "tags": ["mock tags", "mock tags 1"], "when": "2026-01-01",
            "place": {"lat": 42}, "either": true, "extra": "mock extra",
        });
        assert_eq!(sample(&schema), expected);
    }

    #[test]
    fn a_required_cycle_ends() {
        let schema = json!({"type": "object", "properties": {"next": {"$ref": "#"}}, "required": ["next"]});
        assert!(sample(&schema).is_object());
    }
}
