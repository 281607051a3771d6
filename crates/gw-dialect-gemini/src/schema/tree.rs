//! A small editable JSON tree: schemas are the one place where a request's JSON is rewritten.

use gw_wire::{Json, JsonWriter, Kind, write_string};

/// A JSON value. Scalars keep their text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Node {
    Object(Vec<(String, Node)>),
    Array(Vec<Node>),
    /// Number, string, boolean or null as exact text.
    Scalar(String),
}

impl Node {
    pub(crate) fn read(json: Json<'_>) -> Self {
        match json.kind() {
            Kind::Object => {
                Self::Object(json.members().map(|(name, value)| (name.into_owned(), Self::read(value))).collect())
            }
            Kind::Array => Self::Array(json.items().map(Self::read).collect()),
            _ => Self::Scalar(json.raw().to_owned()),
        }
    }

    pub(crate) fn write(&self, writer: &mut JsonWriter) {
        match self {
            Self::Object(members) => writer.object(|writer| {
                for (name, value) in members {
                    writer.key(name);
                    value.write(writer);
                }
            }),
            Self::Array(items) => writer.array(|writer| items.iter().for_each(|item| item.write(writer))),
            Self::Scalar(raw) => writer.raw(raw),
        }
    }

    /// A string value.
    pub(crate) fn string(text: &str) -> Self {
        let mut out = Vec::with_capacity(text.len() + 2);
        write_string(text, &mut out);
        Self::Scalar(String::from_utf8(out).unwrap_or_default())
    }

    /// The text of a string value.
    pub(crate) fn text(&self) -> Option<String> {
        let Self::Scalar(raw) = self else { return None };
        let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
        Some(gw_wire::unescape(inner))
    }

    /// Whether it is a number.
    pub(crate) fn is_number(&self) -> bool {
        matches!(self, Self::Scalar(raw) if raw.starts_with(|letter: char| letter == '-' || letter.is_ascii_digit()))
    }

    pub(crate) fn is(&self, literal: &str) -> bool {
        matches!(self, Self::Scalar(raw) if raw == literal)
    }

    /// A member of an object.
    pub(crate) fn get(&self, name: &str) -> Option<&Node> {
        let Self::Object(members) = self else { return None };
        members.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Compact text, for descriptions.
    pub(crate) fn compact(&self) -> String {
        let mut writer = JsonWriter::new();
        self.write(&mut writer);
        String::from_utf8(writer.finish()).unwrap_or_default()
    }
}

/// Sets a member, in place when it exists.
pub(crate) fn set(members: &mut Vec<(String, Node)>, name: &str, value: Node) {
    match members.iter_mut().find(|(known, _)| known == name) {
        Some((_, slot)) => *slot = value,
        None => members.push((name.to_owned(), value)),
    }
}

/// Takes a member out.
pub(crate) fn take(members: &mut Vec<(String, Node)>, name: &str) -> Option<Node> {
    let at = members.iter().position(|(known, _)| known == name)?;
    Some(members.remove(at).1)
}

/// Looks a member up.
pub(crate) fn find<'m>(members: &'m [(String, Node)], name: &str) -> Option<&'m Node> {
    members.iter().find(|(known, _)| known == name).map(|(_, value)| value)
}

/// Adds a remark to the description.
pub(crate) fn describe(members: &mut Vec<(String, Node)>, remark: &str) {
    let text = match find(members, "description").and_then(Node::text) {
        Some(known) if !known.is_empty() => format!("{known} ({remark})"),
        _ => remark.to_owned(),
    };
    set(members, "description", Node::string(&text));
}
