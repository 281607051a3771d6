//! Reading request fields with the vendors' complaints when they are missing or wrong.

use serde_json::Value;

use crate::failure::Failure;

/// A non-null field.
pub(crate) fn present<'a>(object: &'a Value, key: &str) -> Option<&'a Value> {
    object.get(key).filter(|value| !value.is_null())
}

/// A field in camel case or snake case, as Gemini accepts both.
pub(crate) fn either<'a>(object: &'a Value, camel: &str, snake: &str) -> Option<&'a Value> {
    present(object, camel).or_else(|| present(object, snake))
}

/// A string field, or "" where it is absent or something else.
pub(crate) fn text<'a>(object: &'a Value, key: &str) -> &'a str {
    object.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The items of an array field; none where it is absent.
pub(crate) fn items<'a>(object: &'a Value, key: &str) -> std::slice::Iter<'a, Value> {
    object.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default().iter()
}

/// An optional boolean.
pub(crate) fn boolean(object: &Value, key: &str) -> Result<bool, Failure> {
    match present(object, key) {
        None => Ok(false),
        Some(Value::Bool(value)) => Ok(*value),
        Some(other) => Err(wrong_type(key, "a boolean", other)),
    }
}

/// An optional whole number of at least `least`.
pub(crate) fn whole(object: &Value, key: &str, least: u64) -> Result<Option<u64>, Failure> {
    let Some(value) = present(object, key) else { return Ok(None) };
    let Some(number) = value.as_u64() else {
        if value.as_i64().is_none() {
            return Err(wrong_type(key, "an integer", value));
        }
        return Err(below(key, value, least));
    };
    if number < least { Err(below(key, value, least)) } else { Ok(Some(number)) }
}

/// Checks an optional number against a closed range.
pub(crate) fn range(object: &Value, key: &str, least: f64, most: f64) -> Result<(), Failure> {
    let Some(value) = present(object, key) else { return Ok(()) };
    let Some(number) = value.as_f64() else { return Err(wrong_type(key, "a decimal", value)) };
    if number < least {
        return Err(Failure::field(
            key,
            "decimal_below_min_value",
            format!(
                "Invalid '{key}': decimal below minimum value. Expected a value >= {least}, but got {value} instead."
            ),
        ));
    }
    if number > most {
        return Err(Failure::field(
            key,
            "decimal_above_max_value",
            format!(
                "Invalid '{key}': decimal above maximum value. Expected a value <= {most}, but got {value} instead."
            ),
        ));
    }
    Ok(())
}

/// Refuses top-level fields that `known` does not list.
pub(crate) fn only(object: &Value, known: &[&str], message: impl Fn(&str) -> String) -> Result<(), Failure> {
    let mut names = object.as_object().into_iter().flat_map(|object| object.keys());
    match names.find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(Failure::field(name.clone(), "unknown_parameter", message(name))),
        None => Ok(()),
    }
}

/// A field of the wrong type, in OpenAI's words.
pub(crate) fn wrong_type(path: &str, expected: &str, got: &Value) -> Failure {
    let got = match got {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    };
    Failure::field(
        path,
        "invalid_type",
        format!("Invalid type for '{path}': expected {expected}, but got {got} instead."),
    )
}

/// A required field that is absent, in OpenAI's words.
pub(crate) fn missing(path: &str) -> Failure {
    Failure::field(path, "missing_required_parameter", format!("Missing required parameter: '{path}'."))
}

/// A value outside an enumeration, in OpenAI's words.
pub(crate) fn not_one_of(path: &str, got: &str, supported: &str) -> Failure {
    Failure::field(path, "invalid_value", format!("Invalid value: '{got}'. Supported values are: {supported}."))
}

fn below(key: &str, value: &Value, least: u64) -> Failure {
    Failure::field(
        key,
        "integer_below_min_value",
        format!("Invalid '{key}': integer below minimum value. Expected a value >= {least}, but got {value} instead."),
    )
}
