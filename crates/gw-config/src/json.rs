//! Free-form YAML as JSON text, for options that only a provider type understands.

use crate::yaml::{Content, Node, Scalar, ScalarKind};

/// `node` as JSON; plain numbers stay as written when JSON can say them, everything else becomes a string.
pub(crate) fn text(node: &Node) -> String {
    let mut output = String::new();
    write(node, &mut output);
    output
}

fn write(node: &Node, output: &mut String) {
    match &node.content {
        Content::Null => output.push_str("null"),
        Content::Scalar(scalar) => output.push_str(&scalar_text(scalar)),
        Content::List(items) => {
            output.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    output.push(',');
                }
                write(item, output);
            }
            output.push(']');
        }
        Content::Map(entries) => {
            output.push('{');
            for (index, entry) in entries.iter().enumerate() {
                if index > 0 {
                    output.push(',');
                }
                output.push_str(&quoted(&entry.key));
                output.push(':');
                write(&entry.node, output);
            }
            output.push('}');
        }
    }
}

fn scalar_text(scalar: &Scalar) -> String {
    match scalar.kind {
        ScalarKind::Text => quoted(&scalar.text),
        ScalarKind::Boolean => {
            let truthy = matches!(scalar.text.to_ascii_lowercase().as_str(), "true" | "yes" | "on" | "y");
            truthy.to_string()
        }
        ScalarKind::Number if is_json_number(&scalar.text) => scalar.text.clone(),
        ScalarKind::Number => quoted(&scalar.text),
    }
}

fn is_json_number(text: &str) -> bool {
    text.starts_with(|c: char| c == '-' || c.is_ascii_digit())
        && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
