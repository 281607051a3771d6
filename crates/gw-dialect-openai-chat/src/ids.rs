//! Ids and names that must fit a format's rules, derived from their input only, so that the same history always
//! encodes to the same bytes.

use std::collections::BTreeSet;

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Longest tool-call id that servers of this format take.
const LONGEST_CALL_ID: usize = 64;

/// Longest tool name that servers of this format take.
const LONGEST_TOOL_NAME: usize = 64;

/// FNV-1a with a finisher: spreads well, needs no key, and never changes between versions.
fn hash(text: &str, salt: u64) -> u64 {
    let mut state = 0xcbf2_9ce4_8422_2325_u64 ^ salt.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for byte in text.bytes() {
        state = (state ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    state ^= state >> 33;
    state = state.wrapping_mul(0xff51_afd7_ed55_8ccd);
    state ^ (state >> 33)
}

/// `length` letters and digits that depend on the text only.
pub(crate) fn letters(text: &str, length: usize) -> String {
    let mut out = String::with_capacity(length);
    let mut salt = 0;
    let mut left = 0;
    let mut value = 0;
    while out.len() < length {
        if left == 0 {
            salt += 1;
            left = 10;
            value = hash(text, salt);
        }
        let digit = usize::try_from(value % 62).unwrap_or(0);
        out.push(char::from(BASE62.get(digit).copied().unwrap_or(b'0')));
        value /= 62;
        left -= 1;
    }
    out
}

/// The tool-call id that a target accepts: the id itself where it is legal.
pub(crate) fn call_id_for(id: &str, exact_length: Option<usize>) -> String {
    match exact_length {
        Some(length) if id.len() == length && id.bytes().all(|byte| byte.is_ascii_alphanumeric()) => id.to_owned(),
        Some(length) => letters(id, length),
        None if id.len() <= LONGEST_CALL_ID => id.to_owned(),
        None => format!("call_{}", letters(id, 24)),
    }
}

/// A new tool-call id for an answer whose provider gave none: letters, digits and `_`, at most 40 characters.
pub(crate) fn mint_call_id(id_base: &str, number: usize) -> String {
    let base: String = id_base.chars().filter(char::is_ascii_alphanumeric).take(24).collect();
    format!("call_{base}{number}")
}

/// Whether servers of this format take the name as it is.
fn legal_tool_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= LONGEST_TOOL_NAME
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

/// A one-to-one mapping of tool names for one request; names that are legal stay.
#[derive(Debug, Default)]
pub(crate) struct ToolNames {
    /// (name on the wire, the client's name), for changed names only.
    renamed: Vec<(String, String)>,
    taken: BTreeSet<String>,
}

impl ToolNames {
    /// A mapping that leaves these names alone where it can.
    pub(crate) fn new<'n>(names: impl Iterator<Item = &'n str>) -> Self {
        let mut mapping = Self { renamed: Vec::new(), taken: BTreeSet::new() };
        let names: Vec<&str> = names.collect();
        for name in names.iter().filter(|name| legal_tool_name(name)) {
            mapping.taken.insert((*name).to_owned());
        }
        for name in names {
            mapping.add(name);
        }
        mapping
    }

    /// The name on the wire.
    pub(crate) fn wire<'n>(&'n self, name: &'n str) -> &'n str {
        self.renamed.iter().find(|(_, own)| own == name).map_or(name, |(wire, _)| wire.as_str())
    }

    /// Changed names: (on the wire, the client's own).
    pub(crate) fn into_renamed(self) -> Vec<(String, String)> {
        self.renamed
    }

    fn add(&mut self, name: &str) {
        if name.is_empty() || legal_tool_name(name) || self.renamed.iter().any(|(_, own)| own == name) {
            return;
        }
        let mut plain: String = name
            .chars()
            .map(|letter| if letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-') { letter } else { '_' })
            .collect();
        if plain.len() > LONGEST_TOOL_NAME || self.taken.contains(&plain) {
            plain.truncate(LONGEST_TOOL_NAME - 9);
            plain = format!("{plain}_{}", letters(name, 8));
        }
        self.taken.insert(plain.clone());
        self.renamed.push((plain, name.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::{ToolNames, call_id_for, letters, mint_call_id};

    #[test]
    fn ids_fit_the_target_and_depend_on_the_input_only() {
        assert_eq!(call_id_for("abcDEF123", Some(9)), "abcDEF123");
        let mapped = call_id_for("toolu_01ABC", Some(9));
        assert_eq!(mapped.len(), 9);
        assert!(mapped.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert_eq!(mapped, call_id_for("toolu_01ABC", Some(9)));
        assert_ne!(mapped, call_id_for("toolu_01ABD", Some(9)));
        assert_eq!(call_id_for("call_1", None), "call_1");
        assert!(call_id_for(&"x".repeat(100), None).len() <= 64);
        assert!(mint_call_id(&"Z".repeat(80), 12).len() <= 40);
        assert_eq!(letters("a", 30).len(), 30);
    }

    #[test]
    fn tool_names_stay_one_to_one() {
        let names = ToolNames::new(["a_b", "a.b", "a:b", "ok"].into_iter());
        assert_eq!(names.wire("a_b"), "a_b");
        assert_eq!(names.wire("ok"), "ok");
        let (dot, colon) = (names.wire("a.b").to_owned(), names.wire("a:b").to_owned());
        assert_ne!(dot, colon);
        assert_ne!(dot, "a_b");
        assert_eq!(names.into_renamed().len(), 2);
    }
}
