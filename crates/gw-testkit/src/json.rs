//! Looking into JSON that a codec wrote.

use std::collections::BTreeSet;

use gw_wire::{Document, Json, Kind, Limits};

/// Every scalar and every member name of a JSON text, strings that are JSON themselves opened.
#[derive(Debug, Default)]
pub struct Haystack {
    /// Member names.
    pub keys: BTreeSet<String>,
    /// Strings (unescaped), and numbers and literals as written.
    pub scalars: Vec<String>,
}

impl Haystack {
    /// Collects everything in `text`.
    ///
    /// # Panics
    /// When `text` is not valid JSON.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let document = Document::parse(text, Limits::default())
            .unwrap_or_else(|fault| panic!("a codec wrote invalid JSON, {fault}: {text}"));
        let mut hay = Self::default();
        hay.collect(document.root());
        hay
    }

    /// Whether some scalar contains the text.
    #[must_use]
    pub fn contains(&self, needle: &str) -> bool {
        self.scalars.iter().any(|scalar| scalar.contains(needle))
    }

    /// Whether some scalar equals the text, letter case aside.
    #[must_use]
    pub fn has_word(&self, needle: &str) -> bool {
        self.scalars.iter().any(|scalar| scalar.eq_ignore_ascii_case(needle))
    }

    fn collect(&mut self, value: Json<'_>) {
        match value.kind() {
            Kind::Object => {
                for (name, member) in value.members() {
                    self.keys.insert(name.into_owned());
                    self.collect(member);
                }
            }
            Kind::Array => value.items().for_each(|item| self.collect(item)),
            Kind::String => {
                let text = value.string().unwrap_or_default();
                let trimmed = text.trim_start();
                if (trimmed.starts_with('{') || trimmed.starts_with('['))
                    && let Ok(inner) = Document::parse(&text, Limits::default())
                {
                    self.collect(inner.root());
                }
                self.scalars.push(text);
            }
            _ => self.scalars.push(value.raw().to_owned()),
        }
    }
}

/// Whether some object in the text, or in JSON inside its strings, repeats a member name.
#[must_use]
pub fn repeats_a_name(text: &str) -> bool {
    fn visit(value: Json<'_>) -> bool {
        value.duplicate_key().is_some()
            || value.members().any(|(_, member)| visit(member))
            || value.items().any(visit)
            || value.str().is_some_and(|inner| inner.contains('{') && repeats_a_name(&inner))
    }
    Document::parse(text, Limits::default()).is_ok_and(|document| visit(document.root()))
}

/// Scalars and member names of a JSON text that must be found again, without what inlining of references may drop.
///
/// # Panics
/// When `text` is not valid JSON.
#[must_use]
pub fn leaves(text: &str) -> Vec<String> {
    let document = Document::parse(text, Limits::default()).unwrap_or_else(|fault| panic!("{fault}: {text}"));
    let mut out = Vec::new();
    collect_leaves(document.root(), &mut out);
    out.retain(|leaf| !leaf.starts_with("#/"));
    out
}

fn collect_leaves(value: Json<'_>, out: &mut Vec<String>) {
    match value.kind() {
        Kind::Object => {
            for (name, member) in value.members() {
                match name.as_ref() {
                    // Definitions may be inlined where they are referred to: their names go.
                    "$defs" | "definitions" => member.members().for_each(|(_, inner)| collect_leaves(inner, out)),
                    "$ref" => {}
                    _ => {
                        out.push(name.into_owned());
                        collect_leaves(member, out);
                    }
                }
            }
        }
        Kind::Array => value.items().for_each(|item| collect_leaves(item, out)),
        Kind::String => out.extend(value.string()),
        _ => out.push(value.raw().to_owned()),
    }
}

/// Standard base64, as a document's text may be sent.
#[must_use]
pub fn encode_base64(text: &str) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(text.len().div_ceil(3) * 4);
    for chunk in text.as_bytes().chunks(3) {
        let bits = chunk.iter().fold(0u32, |bits, byte| (bits << 8) | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let letter = char::from(LETTERS[(bits >> (18 - 6 * at)) as usize & 63]);
            out.push(if at > chunk.len() { '=' } else { letter });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn base64_is_padded() {
        assert_eq!(super::encode_base64("hello"), "aGVsbG8=");
        assert_eq!(super::encode_base64("hell"), "aGVsbA==");
        assert_eq!(super::encode_base64("hel"), "aGVs");
    }
}
