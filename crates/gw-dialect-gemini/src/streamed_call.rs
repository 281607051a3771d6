//! Function calls whose arguments arrive in pieces (`partialArgs`), as Vertex streams them when asked to.

use gw_core::OpaqueState;
use gw_wire::{Json, JsonWriter};

use crate::schema::tree::{Node, find, set};

/// A call under construction.
#[derive(Debug)]
pub(crate) struct StreamedCall {
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) state: Option<OpaqueState>,
    arguments: Node,
}

/// Whether the pieces so far are all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    More,
    Complete,
}

enum Step {
    Key(String),
    Index(usize),
}

impl StreamedCall {
    pub(crate) fn new(name: String, id: String, state: Option<OpaqueState>) -> Self {
        Self { name, id, state, arguments: Node::Object(Vec::new()) }
    }

    /// Takes the next `functionCall` object.
    pub(crate) fn take(&mut self, call: Json<'_>) -> Progress {
        for piece in call.get("partialArgs").into_iter().flat_map(|list| list.items()) {
            let Some(path) = piece.get("jsonPath").and_then(|path| path.string()) else { continue };
            let value = if let Some(text) = piece.get("stringValue").and_then(|text| text.str()) {
                Node::string(&text)
            } else if let Some(number) = piece.get("numberValue") {
                Node::Scalar(number.raw().to_owned())
            } else if let Some(flag) = piece.get("boolValue") {
                Node::Scalar(flag.raw().to_owned())
            } else if piece.get("nullValue").is_some() {
                Node::Scalar("null".to_owned())
            } else {
                continue;
            };
            put(&mut self.arguments, &steps(&path), value);
        }
        if let Some(args) = call.get("args") {
            self.arguments = Node::read(args);
        }
        let more = call.get("willContinue").and_then(|flag| flag.bool()).unwrap_or(false);
        if more { Progress::More } else { Progress::Complete }
    }

    /// The arguments so far as JSON text.
    pub(crate) fn arguments(&self) -> String {
        let mut writer = JsonWriter::new();
        self.arguments.write(&mut writer);
        String::from_utf8(writer.finish()).unwrap_or_default()
    }
}

/// `$.a.b[0]['c']` as steps; what is not understood is part of a name.
fn steps(path: &str) -> Vec<Step> {
    let mut out = Vec::new();
    let mut rest = path.strip_prefix('$').unwrap_or(path);
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let (step, after) = inner.split_once(']').unwrap_or((inner, ""));
            let name = step.trim_matches(['\'', '"']);
            match step.parse::<usize>() {
                Ok(index) => out.push(Step::Index(index)),
                Err(_) => out.push(Step::Key(name.to_owned())),
            }
            rest = after;
            continue;
        }
        let tail = rest.strip_prefix('.').unwrap_or(rest);
        let end = tail.find(['.', '[']).unwrap_or(tail.len());
        let (name, after) = tail.split_at(end);
        if !name.is_empty() {
            out.push(Step::Key(name.to_owned()));
        }
        rest = after;
    }
    out
}

/// Sets the value at a path; text that is already there is continued.
fn put(node: &mut Node, path: &[Step], value: Node) {
    let Some((first, rest)) = path.split_first() else {
        *node = match (node.text(), value.text()) {
            (Some(known), Some(more)) => Node::string(&format!("{known}{more}")),
            _ => value,
        };
        return;
    };
    let empty = || if rest.is_empty() { Node::Scalar("null".to_owned()) } else { Node::Object(Vec::new()) };
    match first {
        Step::Key(name) => {
            if !matches!(node, Node::Object(_)) {
                *node = Node::Object(Vec::new());
            }
            let Node::Object(members) = node else { return };
            if find(members, name).is_none() {
                set(members, name, empty());
            }
            if let Some((_, slot)) = members.iter_mut().find(|(known, _)| known == name) {
                put(slot, rest, value);
            }
        }
        Step::Index(index) => {
            if !matches!(node, Node::Array(_)) {
                *node = Node::Array(Vec::new());
            }
            let Node::Array(items) = node else { return };
            // An index far behind the end would be a way to ask for memory.
            let index = (*index).min(items.len());
            if index == items.len() {
                items.push(empty());
            }
            if let Some(slot) = items.get_mut(index) {
                put(slot, rest, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Progress, StreamedCall};
    use gw_wire::{Document, Limits};

    #[test]
    fn pieces_become_one_object() {
        let mut call = StreamedCall::new("f".into(), String::new(), None);
        for (text, progress) in [
            (r#"{"name":"f","willContinue":true}"#, Progress::More),
            (
                r#"{"partialArgs":[{"jsonPath":"$.a.b","stringValue":"Bo","willContinue":true}],"willContinue":true}"#,
                Progress::More,
            ),
            (
                r#"{"partialArgs":[{"jsonPath":"$.a.b","stringValue":"ston"},{"jsonPath":"$.l[0]","numberValue":1.0},{"jsonPath":"$.l[9]","boolValue":true}],"willContinue":true}"#,
                Progress::More,
            ),
            ("{}", Progress::Complete),
        ] {
            let document = Document::parse(text, Limits::default()).unwrap();
            assert_eq!(call.take(document.root()), progress);
        }
        assert_eq!(call.arguments(), r#"{"a":{"b":"Boston"},"l":[1.0,true]}"#);
    }
}
