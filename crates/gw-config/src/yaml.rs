//! YAML text to a small tree of located nodes; the only module that knows the YAML library.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Location, NonFiniteFloatPolicy, Spanned};
use std::fmt;

/// Deep enough for any configuration; the library needs some 40 KiB of stack per level in a debug build.
const MAX_DEPTH: usize = 20;

/// One value with its place; scalars keep the text as written, so `0123` and `1e5` stay what the operator typed.
pub(crate) struct Node {
    pub(crate) content: Content,
    pub(crate) line: u32,
    pub(crate) column: u32,
}

/// Shape of a node.
pub(crate) enum Content {
    Null,
    Scalar(Scalar),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A scalar as text.
pub(crate) struct Scalar {
    pub(crate) text: String,
    pub(crate) kind: ScalarKind,
    /// The text contains an interpolated value and must not be echoed.
    pub(crate) interpolated: bool,
}

/// What YAML takes a plain scalar for; only free-form options care.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScalarKind {
    Text,
    Boolean,
    Number,
}

/// One key of a mapping.
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) node: Node,
}

/// Why the text is not YAML.
pub(crate) struct SyntaxError {
    pub(crate) message: String,
    pub(crate) line: u32,
    pub(crate) column: u32,
}

/// Parses one YAML document; an empty one is `Null`.
pub(crate) fn parse(text: &str) -> Result<Node, SyntaxError> {
    let options = serde_saphyr::options! {
        with_snippet: false,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        budget: serde_saphyr::budget! { max_depth: MAX_DEPTH, flow_nesting_limit: MAX_DEPTH },
    };
    match serde_saphyr::from_str_with_options::<Parsed>(text, options) {
        Ok(parsed) => Ok(parsed.into_node(text)),
        Err(error) => {
            let (line, column) = error.location().map_or((0, 0), |location| place(&location));
            Err(SyntaxError { message: describe(&error), line, column })
        }
    }
}

/// The library's words without its own "at line ..." suffix, which the origin already carries.
fn describe(error: &serde_saphyr::Error) -> String {
    let text = error.to_string();
    if let Some(rest) = text.strip_prefix("duplicate mapping key: ") {
        let key = rest.split(',').next().unwrap_or(rest);
        return format!("field `{key}` is given twice");
    }
    if matches!(error.without_snippet(), serde_saphyr::Error::MultipleDocuments { .. }) {
        return "the file contains more than one YAML document".to_owned();
    }
    if text.contains("budget") || text.contains("nesting") {
        return format!("the file is too large for a configuration, or nested deeper than {MAX_DEPTH} levels");
    }
    let text = text.split(" at line ").next().unwrap_or(&text);
    format!("the file is not valid YAML: {}", text.lines().next().unwrap_or("unknown error"))
}

fn place(location: &Location) -> (u32, u32) {
    let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    (small(location.line()), small(location.column()))
}

struct Parsed(Spanned<Shape>);

enum Shape {
    Null,
    Boolean(bool),
    Number(String),
    Text(String),
    List(Vec<Parsed>),
    Map(Vec<(Spanned<String>, Parsed)>),
}

impl Parsed {
    fn into_node(self, source: &str) -> Node {
        let (line, column) = place(&self.0.referenced);
        let span = self.0.defined.span();
        let raw = span
            .byte_offset()
            .zip(span.byte_len())
            .and_then(|(offset, length)| {
                let start = usize::try_from(offset).ok()?;
                source.get(start..start.checked_add(usize::try_from(length).ok()?)?)
            })
            .map(str::trim)
            .filter(|raw| !raw.is_empty());
        let scalar = |text: String, kind| Content::Scalar(Scalar { text, kind, interpolated: false });
        let content = match self.0.value {
            Shape::Null => Content::Null,
            Shape::Boolean(value) => scalar(raw.map_or_else(|| value.to_string(), str::to_owned), ScalarKind::Boolean),
            Shape::Number(value) => scalar(raw.map_or(value, str::to_owned), ScalarKind::Number),
            Shape::Text(value) => scalar(value, ScalarKind::Text),
            Shape::List(items) => Content::List(items.into_iter().map(|item| item.into_node(source)).collect()),
            Shape::Map(entries) => Content::Map(
                entries
                    .into_iter()
                    .map(|(key, value)| {
                        let (line, column) = place(&key.referenced);
                        Entry { key: key.value, line, column, node: value.into_node(source) }
                    })
                    .collect(),
            ),
        };
        Node { content, line, column }
    }
}

impl<'de> Deserialize<'de> for Parsed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Spanned::<Shape>::deserialize(deserializer).map(Parsed)
    }
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ShapeVisitor)
    }
}

struct ShapeVisitor;

impl<'de> Visitor<'de> for ShapeVisitor {
    type Value = Shape;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Shape, E> {
        Ok(Shape::Null)
    }

    fn visit_none<E>(self) -> Result<Shape, E> {
        Ok(Shape::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Shape, D::Error> {
        Shape::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Shape, E> {
        Ok(Shape::Boolean(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Shape, E> {
        Ok(Shape::Number(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Shape, E> {
        Ok(Shape::Number(value.to_string()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Shape, E> {
        Ok(Shape::Number(value.to_string()))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Shape, E> {
        Ok(Shape::Number(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Shape, E> {
        Ok(Shape::Number(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Shape, E> {
        Ok(Shape::Text(value.to_owned()))
    }

    fn visit_bytes<E>(self, value: &[u8]) -> Result<Shape, E> {
        Ok(Shape::Text(String::from_utf8_lossy(value).into_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Shape, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Shape::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Shape, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = access.next_entry()? {
            entries.push(entry);
        }
        Ok(Shape::Map(entries))
    }
}
