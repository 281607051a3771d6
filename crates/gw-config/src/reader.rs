//! Reads the sections of the parsed file field by field and reports what is unknown or of the wrong shape.

use std::cell::RefCell;
use std::path::PathBuf;

use crate::environment::shorten;
use crate::kind::{self, Kind};
use crate::problem::{Located, Origin, Problems};
use crate::suggest;
use crate::yaml::{Content, Entry, Node, Scalar};
use gw_core::Secret;

/// What all readers of one file share.
pub(crate) struct Context {
    pub(crate) path: PathBuf,
    pub(crate) problems: RefCell<Problems>,
}

impl Context {
    pub(crate) fn origin(&self, node: &Node) -> Origin {
        Origin::File { path: self.path.clone(), line: node.line, column: node.column }
    }

    pub(crate) fn error(&self, origin: &Origin, field: &str, message: String, remedy: &str) {
        self.problems.borrow_mut().error(origin, field, message, remedy);
    }

    /// The text of a scalar; anything else is reported. `Null` has no text and is no error.
    pub(crate) fn scalar<'n>(&self, node: &'n Node, field: &str) -> Option<&'n Scalar> {
        match &node.content {
            Content::Scalar(scalar) => Some(scalar),
            Content::Null => None,
            Content::List(_) | Content::Map(_) => {
                let message = format!("expected a single value, found {}", shape(node));
                self.error(&self.origin(node), field, message, "write the value on the same line");
                None
            }
        }
    }

    pub(crate) fn typed<T>(&self, node: &Node, field: &str, kind: &Kind<T>) -> Option<Located<T>> {
        let scalar = self.scalar(node, field)?;
        match (kind.parse)(&scalar.text) {
            Some(value) => Some(Located::new(value, self.origin(node))),
            None => {
                // What was interpolated may be a secret that ended up in the wrong field.
                let shown = if scalar.interpolated {
                    "the interpolated value".to_owned()
                } else {
                    format!("{:?}", shorten(&scalar.text))
                };
                self.error(&self.origin(node), field, format!("{shown} is not {}", kind.expected), kind.remedy);
                None
            }
        }
    }
}

/// Name of a node's shape for messages.
fn shape(node: &Node) -> &'static str {
    match node.content {
        Content::Null => "nothing",
        Content::Scalar(_) => "a single value",
        Content::List(_) => "a list",
        Content::Map(_) => "a section",
    }
}

/// One mapping of the file; remembers which fields were asked for, so that the others can be called unknown.
pub(crate) struct Section<'a> {
    context: &'a Context,
    entries: &'a [Entry],
    pub(crate) origin: Origin,
    pub(crate) path: String,
    known: Vec<&'static str>,
}

impl<'a> Section<'a> {
    /// Opens `node` as a section; `Null` is an empty one, any other shape an error.
    pub(crate) fn open(context: &'a Context, node: &'a Node, path: String) -> Option<Self> {
        let entries = match &node.content {
            Content::Map(entries) => entries.as_slice(),
            Content::Null => &[],
            Content::Scalar(_) | Content::List(_) => {
                let message = format!("expected a section, found {}", shape(node));
                context.error(&context.origin(node), &path, message, "write indented `field: value` lines below it");
                return None;
            }
        };
        Some(Self { context, entries, origin: context.origin(node), path, known: Vec::new() })
    }

    /// Path of the field `key` of this section.
    pub(crate) fn field(&self, key: &str) -> String {
        join(&self.path, key)
    }

    /// Whether the field is written at all, even without a value.
    pub(crate) fn entry(&mut self, key: &'static str) -> Option<&'a Entry> {
        if !self.known.contains(&key) {
            self.known.push(key);
        }
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// The field's value; an empty one counts as absent.
    pub(crate) fn node(&mut self, key: &'static str) -> Option<&'a Node> {
        self.entry(key).map(|entry| &entry.node).filter(|node| !matches!(node.content, Content::Null))
    }

    /// A text; blank ones count as absent.
    pub(crate) fn text(&mut self, key: &'static str) -> Option<Located<String>> {
        self.typed(key, &kind::TEXT)
    }

    pub(crate) fn secret(&mut self, key: &'static str) -> Option<Located<Secret>> {
        self.text(key).map(|located| Located::new(Secret::new(located.value), located.origin))
    }

    /// A scalar of some kind; blank ones count as absent.
    pub(crate) fn typed<T>(&mut self, key: &'static str, kind: &Kind<T>) -> Option<Located<T>> {
        let node = self.node(key)?;
        if let Content::Scalar(scalar) = &node.content
            && scalar.text.trim().is_empty()
        {
            return None;
        }
        self.context.typed(node, &self.field(key), kind)
    }

    /// A list of texts, also accepted as one text with commas.
    pub(crate) fn texts(&mut self, key: &'static str) -> Option<Located<Vec<String>>> {
        let node = self.node(key)?;
        let field = self.field(key);
        let values = match &node.content {
            Content::List(items) => items
                .iter()
                .enumerate()
                .filter_map(|(index, item)| self.context.scalar(item, &format!("{field}[{index}]")))
                .map(|scalar| scalar.text.trim().to_owned())
                .filter(|text| !text.is_empty())
                .collect(),
            _ => split_list(&self.context.scalar(node, &field)?.text),
        };
        Some(Located::new(values, self.context.origin(node)))
    }

    /// A nested section.
    pub(crate) fn section(&mut self, key: &'static str) -> Option<Section<'a>> {
        let node = self.node(key)?;
        Section::open(self.context, node, self.field(key))
    }

    /// The sections of a list.
    pub(crate) fn sections(&mut self, key: &'static str) -> Vec<Section<'a>> {
        let Some(node) = self.node(key) else { return Vec::new() };
        let field = self.field(key);
        let Content::List(items) = &node.content else {
            let message = format!("expected a list, found {}", shape(node));
            self.context.error(&self.context.origin(node), &field, message, "write one `- ` line per element");
            return Vec::new();
        };
        let open = |(index, item)| Section::open(self.context, item, format!("{field}[{index}]"));
        items.iter().enumerate().filter_map(open).collect()
    }

    /// The entries of a section whose keys are free, with their paths.
    pub(crate) fn table(&mut self, key: &'static str) -> Vec<(&'a Entry, String)> {
        let Some(node) = self.node(key) else { return Vec::new() };
        let Some(section) = Section::open(self.context, node, self.field(key)) else { return Vec::new() };
        section.entries.iter().map(|entry| (entry, section.field(&entry.key))).collect()
    }

    /// Reports every field that nobody asked for. Top-level `x-...` fields may hold anchors and are left alone.
    pub(crate) fn finish(self) {
        for entry in self.entries {
            if self.known.contains(&entry.key.as_str()) || (self.path.is_empty() && entry.key.starts_with("x-")) {
                continue;
            }
            let remedy = match suggest::nearest(&entry.key, self.known.iter().copied()) {
                Some(name) => format!("did you mean `{name}`?"),
                None => format!("known fields here: {}", self.known.join(", ")),
            };
            let origin = Origin::File { path: self.context.path.clone(), line: entry.line, column: entry.column };
            self.context.error(&origin, &self.field(&entry.key), "unknown field".to_owned(), &remedy);
        }
    }

    pub(crate) fn context(&self) -> &'a Context {
        self.context
    }
}

/// `section.key`, or just `key` at the top.
pub(crate) fn join(section: &str, key: &str) -> String {
    if section.is_empty() { key.to_owned() } else { format!("{section}.{key}") }
}

/// Splits at commas and drops blanks.
pub(crate) fn split_list(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}
