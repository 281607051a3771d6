//! The validating pass (RFC 8259) that builds the index.

use memchr::memchr2;

use super::value::{Json, Kind};
use crate::Limits;

/// Where and why a text is not acceptable JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason} at byte {offset}")]
pub struct JsonFault {
    /// Byte offset of the fault.
    pub offset: usize,
    /// What is wrong.
    pub reason: &'static str,
}

/// An indexed document. The root is node 0.
#[derive(Debug)]
pub struct Document<'t> {
    pub(super) text: &'t str,
    pub(super) nodes: Vec<Node>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    pub(super) start: u32,
    pub(super) end: u32,
    /// Index of the next sibling, or of whatever follows the subtree.
    pub(super) next: u32,
    /// Start of the key's inner text; `key_end` 0 means no key (a key can never end at offset 0).
    pub(super) key_start: u32,
    pub(super) key_end: u32,
    pub(super) kind: Kind,
    /// Whether the string value contains a backslash.
    pub(super) escaped: bool,
    pub(super) key_escaped: bool,
}

impl<'t> Document<'t> {
    /// Validates the whole text and indexes every value.
    ///
    /// # Errors
    /// The first fault, or a passed limit.
    pub fn parse(text: &'t str, limits: Limits) -> Result<Self, JsonFault> {
        Self::build(text, limits, u32::MAX)
    }

    /// Validates the whole text and indexes only the root and its direct members: what a relay needs.
    ///
    /// # Errors
    /// The first fault, or a passed limit.
    pub fn envelope(text: &'t str, limits: Limits) -> Result<Self, JsonFault> {
        Self::build(text, limits, 1)
    }

    /// Checks that bytes are UTF-8 and indexes them.
    ///
    /// # Errors
    /// The first fault, or a passed limit.
    pub fn from_bytes(bytes: &'t [u8], limits: Limits) -> Result<Self, JsonFault> {
        let text = std::str::from_utf8(bytes)
            .map_err(|fault| JsonFault { offset: fault.valid_up_to(), reason: "the body is not valid UTF-8" })?;
        Self::parse(text, limits)
    }

    /// The root value.
    #[must_use]
    pub fn root(&self) -> Json<'_> {
        Json { document: self, at: 0 }
    }

    /// The whole text.
    #[must_use]
    pub fn text(&self) -> &'t str {
        self.text
    }

    fn build(text: &'t str, limits: Limits, record_depth: u32) -> Result<Self, JsonFault> {
        if text.len() >= u32::MAX as usize {
            return Err(JsonFault { offset: 0, reason: "the document is larger than 4 GB" });
        }
        let estimate = if record_depth == 1 { 24 } else { text.len() / 24 + 8 };
        let mut scanner = Scanner {
            bytes: text.as_bytes(),
            at: 0,
            limits,
            record_depth,
            nodes: Vec::with_capacity(estimate.min(limits.nodes)),
        };
        scanner.space();
        scanner.value(0, 0, 0, false)?;
        scanner.space();
        if scanner.at < scanner.bytes.len() {
            return Err(scanner.fault("unexpected text after the JSON value"));
        }
        Ok(Self { text, nodes: scanner.nodes })
    }
}

struct Scanner<'b> {
    bytes: &'b [u8],
    at: usize,
    limits: Limits,
    record_depth: u32,
    nodes: Vec<Node>,
}

impl Scanner<'_> {
    fn fault(&self, reason: &'static str) -> JsonFault {
        JsonFault { offset: self.at, reason }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    /// Scans one value; `depth` is its nesting, the key span is that of the member that holds it.
    fn value(&mut self, depth: u32, key_start: usize, key_end: usize, key_escaped: bool) -> Result<(), JsonFault> {
        if depth > self.limits.depth {
            return Err(self.fault("nested too deeply"));
        }
        let slot = (depth <= self.record_depth).then_some(self.nodes.len());
        let start = self.at;
        if slot.is_some() {
            if self.nodes.len() >= self.limits.nodes {
                return Err(self.fault("too many values"));
            }
            self.nodes.push(Node {
                start: narrow(start),
                end: 0,
                next: 0,
                key_start: narrow(key_start),
                key_end: narrow(key_end),
                kind: Kind::Null,
                escaped: false,
                key_escaped,
            });
        }
        let mut escaped = false;
        let kind = match self.peek() {
            Some(b'{') => {
                self.object(depth)?;
                Kind::Object
            }
            Some(b'[') => {
                self.array(depth)?;
                Kind::Array
            }
            Some(b'"') => {
                escaped = self.string()?;
                Kind::String
            }
            Some(b't') => self.literal(b"true", Kind::Bool)?,
            Some(b'f') => self.literal(b"false", Kind::Bool)?,
            Some(b'n') => self.literal(b"null", Kind::Null)?,
            Some(b'-' | b'0'..=b'9') => {
                self.number()?;
                Kind::Number
            }
            Some(_) => return Err(self.fault("expected a JSON value")),
            None => return Err(self.fault("the JSON text ends too early")),
        };
        let (end, next) = (narrow(self.at), narrow(self.nodes.len()));
        if let Some(node) = slot.and_then(|slot| self.nodes.get_mut(slot)) {
            node.end = end;
            node.next = next;
            node.kind = kind;
            node.escaped = escaped;
        }
        Ok(())
    }

    fn object(&mut self, depth: u32) -> Result<(), JsonFault> {
        self.at += 1;
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.fault("expected a member name in double quotes"));
            }
            let key_start = self.at + 1;
            let key_escaped = self.string()?;
            let key_end = self.at - 1;
            self.space();
            if self.peek() != Some(b':') {
                return Err(self.fault("expected ':'"));
            }
            self.at += 1;
            self.space();
            self.value(depth + 1, key_start, key_end.max(1), key_escaped)?;
            self.space();
            match self.peek() {
                Some(b',') => {
                    self.at += 1;
                    self.space();
                }
                Some(b'}') => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return Err(self.fault("expected ',' or '}'")),
            }
        }
    }

    fn array(&mut self, depth: u32) -> Result<(), JsonFault> {
        self.at += 1;
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.value(depth + 1, 0, 0, false)?;
            self.space();
            match self.peek() {
                Some(b',') => {
                    self.at += 1;
                    self.space();
                }
                Some(b']') => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return Err(self.fault("expected ',' or ']'")),
            }
        }
    }

    /// Scans a string; returns whether it has escapes.
    fn string(&mut self) -> Result<bool, JsonFault> {
        self.at += 1;
        let mut escaped = false;
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let Some(found) = memchr2(b'"', b'\\', rest) else {
                self.at = self.bytes.len();
                return Err(self.fault("a string is not closed"));
            };
            let plain = rest.get(..found).unwrap_or_default();
            if plain.iter().fold(false, |bad, byte| bad | (*byte < 0x20)) {
                self.at += plain.iter().position(|byte| *byte < 0x20).unwrap_or(0);
                return Err(self.fault("a control character inside a string must be escaped"));
            }
            self.at += found;
            if self.peek() == Some(b'"') {
                self.at += 1;
                return Ok(escaped);
            }
            escaped = true;
            match self.bytes.get(self.at + 1) {
                Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
                Some(b'u') => {
                    let digits = self.bytes.get(self.at + 2..self.at + 6).unwrap_or_default();
                    if digits.len() != 4 || !digits.iter().all(u8::is_ascii_hexdigit) {
                        return Err(self.fault("\\u needs four hexadecimal digits"));
                    }
                    self.at += 6;
                }
                _ => return Err(self.fault("unknown escape in a string")),
            }
        }
    }

    fn literal(&mut self, word: &[u8], kind: Kind) -> Result<Kind, JsonFault> {
        if !self.bytes.get(self.at..).unwrap_or_default().starts_with(word) {
            return Err(self.fault("expected a JSON value"));
        }
        self.at += word.len();
        Ok(kind)
    }

    fn number(&mut self) -> Result<(), JsonFault> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits(),
            _ => return Err(self.fault("a number needs digits")),
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.some_digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.some_digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) {
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
    }

    fn some_digits(&mut self) -> Result<(), JsonFault> {
        let before = self.at;
        self.digits();
        if self.at == before { Err(self.fault("a number needs digits")) } else { Ok(()) }
    }
}

/// Offsets fit: `build` refuses documents of 4 GB and more.
#[expect(clippy::cast_possible_truncation, reason = "bounded by the size check in build")]
fn narrow(offset: usize) -> u32 {
    offset as u32
}
