//! Navigation over an indexed document.

use std::borrow::Cow;
use std::ops::Range;

use gw_core::{Number, RawJson};

use super::index::{Document, Node};
use super::text::unescape;

/// Kind of a JSON value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool,
    /// A number.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

impl Kind {
    /// Word for error messages, with article.
    #[must_use]
    pub const fn described(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool => "a boolean",
            Self::Number => "a number",
            Self::String => "a string",
            Self::Array => "an array",
            Self::Object => "an object",
        }
    }
}

/// One value of a document.
#[derive(Clone, Copy)]
pub struct Json<'d> {
    pub(super) document: &'d Document<'d>,
    pub(super) at: u32,
}

const MISSING: Node = Node {
    start: 0,
    end: 0,
    next: u32::MAX,
    key_start: 0,
    key_end: 0,
    kind: Kind::Null,
    escaped: false,
    key_escaped: false,
};

impl<'d> Json<'d> {
    fn node(&self) -> &'d Node {
        self.document.nodes.get(self.at as usize).unwrap_or(&MISSING)
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.node().kind
    }

    /// Byte range in the document's text.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        let node = self.node();
        node.start as usize..node.end as usize
    }

    /// Its exact text.
    #[must_use]
    pub fn raw(&self) -> &'d str {
        self.document.text.get(self.span()).unwrap_or("null")
    }

    /// Its exact text, owned.
    #[must_use]
    pub fn to_raw(&self) -> RawJson {
        RawJson::from_valid(self.raw())
    }

    /// Whether it is `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.kind() == Kind::Null
    }

    /// The string, unescaped; borrowed when it has no escapes.
    #[must_use]
    pub fn str(&self) -> Option<Cow<'d, str>> {
        let node = self.node();
        if node.kind != Kind::String {
            return None;
        }
        let inner = self.document.text.get(node.start as usize + 1..(node.end as usize).saturating_sub(1))?;
        Some(if node.escaped { Cow::Owned(unescape(inner)) } else { Cow::Borrowed(inner) })
    }

    /// The string, owned.
    #[must_use]
    pub fn string(&self) -> Option<String> {
        self.str().map(Cow::into_owned)
    }

    /// The boolean.
    #[must_use]
    pub fn bool(&self) -> Option<bool> {
        (self.kind() == Kind::Bool).then(|| self.raw() == "true")
    }

    /// The number as exact text.
    #[must_use]
    pub fn number(&self) -> Option<Number> {
        (self.kind() == Kind::Number).then(|| Number::from_valid(self.raw()))
    }

    /// The number as an unsigned integer; `12.0` and `1e3` count as integers.
    #[must_use]
    pub fn u64(&self) -> Option<u64> {
        self.i64()
            .and_then(|value| u64::try_from(value).ok())
            .or_else(|| (self.kind() == Kind::Number).then(|| self.raw().parse::<u64>().ok()).flatten())
    }

    /// The number as a signed integer; `12.0` and `1e3` count as integers.
    #[must_use]
    pub fn i64(&self) -> Option<i64> {
        if self.kind() != Kind::Number {
            return None;
        }
        if let Ok(value) = self.raw().parse::<i64>() {
            return Some(value);
        }
        let value = self.raw().parse::<f64>().ok()?;
        #[expect(clippy::cast_possible_truncation, reason = "checked to be integral and inside the exact range")]
        (value.fract() == 0.0 && value.abs() < 9e15).then_some(value as i64)
    }

    /// The number as a finite double.
    #[must_use]
    pub fn f64(&self) -> Option<f64> {
        (self.kind() == Kind::Number)
            .then(|| self.raw().parse::<f64>().ok())
            .flatten()
            .filter(|value| value.is_finite())
    }

    /// The member of an object with this name; the first one when it is repeated.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Json<'d>> {
        self.members().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// The member with this name unless it is `null`.
    #[must_use]
    pub fn get_some(&self, name: &str) -> Option<Json<'d>> {
        self.get(name).filter(|value| !value.is_null())
    }

    /// Members of an object in source order; nothing for other kinds (and for values below the recorded depth).
    #[must_use]
    pub fn members(&self) -> Members<'d> {
        Members { children: self.children(Kind::Object) }
    }

    /// Items of an array in source order; nothing for other kinds.
    #[must_use]
    pub fn items(&self) -> Items<'d> {
        Items { children: self.children(Kind::Array) }
    }

    /// The name of a member that occurs twice in this object, if any.
    #[must_use]
    pub fn duplicate_key(&self) -> Option<String> {
        let keys: Vec<Cow<'d, str>> = self.members().map(|(key, _)| key).collect();
        if keys.len() < 32 {
            let repeated =
                keys.iter().enumerate().find(|(at, key)| keys.iter().take(*at).any(|earlier| earlier == *key));
            return repeated.map(|(_, key)| key.to_string());
        }
        let mut sorted: Vec<&str> = keys.iter().map(AsRef::as_ref).collect();
        sorted.sort_unstable();
        sorted.windows(2).find_map(|pair| match pair {
            [left, right] if left == right => Some((*left).to_owned()),
            _ => None,
        })
    }

    /// Where the member that holds this value begins (its name's opening quote), for splicing a member out.
    #[must_use]
    pub fn member_start(&self) -> Option<usize> {
        let node = self.node();
        (node.key_end != 0).then(|| (node.key_start as usize).saturating_sub(1))
    }

    fn children(&self, kind: Kind) -> Children<'d> {
        let node = self.node();
        let (at, end) = if node.kind == kind { (self.at + 1, node.next) } else { (0, 0) };
        Children { document: self.document, at, end }
    }
}

impl std::fmt::Debug for Json<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.raw())
    }
}

#[derive(Clone)]
struct Children<'d> {
    document: &'d Document<'d>,
    at: u32,
    end: u32,
}

impl<'d> Iterator for Children<'d> {
    type Item = Json<'d>;

    fn next(&mut self) -> Option<Json<'d>> {
        if self.at >= self.end {
            return None;
        }
        let value = Json { document: self.document, at: self.at };
        self.at = value.node().next;
        Some(value)
    }
}

/// Members of an object.
#[derive(Clone)]
pub struct Members<'d> {
    children: Children<'d>,
}

impl<'d> Iterator for Members<'d> {
    type Item = (Cow<'d, str>, Json<'d>);

    fn next(&mut self) -> Option<Self::Item> {
        let value = self.children.next()?;
        let node = value.node();
        // An empty name is recorded with an end of at least 1; the range below is then empty or reversed.
        let inner = value.document.text.get(node.key_start as usize..node.key_end as usize).unwrap_or("");
        let key = if node.key_escaped { Cow::Owned(unescape(inner)) } else { Cow::Borrowed(inner) };
        Some((key, value))
    }
}

/// Items of an array.
#[derive(Clone)]
pub struct Items<'d> {
    children: Children<'d>,
}

impl<'d> Iterator for Items<'d> {
    type Item = Json<'d>;

    fn next(&mut self) -> Option<Json<'d>> {
        self.children.next()
    }
}
