//! New keys, and what may be shown of a key.

use gw_core::Secret;
use rand::TryRngCore;
use rand::rngs::OsRng;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Characters after the prefix: 32 of 62 are 190 bits.
const KEY_CHARACTERS: usize = 32;

/// Characters of an identifier after `key_`: 16 of 62 are 95 bits.
const ID_CHARACTERS: usize = 16;

const MAX_PREFIX_CHARACTERS: usize = 32;

/// Why no key could be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GenerateError {
    /// The prefix has a character that does not survive a header or a query string.
    #[error("key prefix has the character {found:?}; use letters, digits, `-`, `_` and `.`")]
    PrefixCharacter {
        /// The first such character.
        found: char,
    },
    /// The prefix is too long.
    #[error("key prefix is longer than {MAX_PREFIX_CHARACTERS} characters; choose a shorter one")]
    PrefixTooLong,
    /// The operating system gave no random numbers.
    #[error("the operating system gave no random numbers: {0}")]
    Random(String),
}

/// Makes a key: the prefix as given (such as `ig-` or `sk-virt-`), then 32 characters from the operating system's random
/// numbers, 190 bits.
///
/// # Errors
/// A prefix of more than 32 characters or with others than letters, digits, `-`, `_` and `.`; no random numbers.
pub fn generate(prefix: &str) -> Result<Secret, GenerateError> {
    if let Some(found) = prefix.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))) {
        return Err(GenerateError::PrefixCharacter { found });
    }
    if prefix.len() > MAX_PREFIX_CHARACTERS {
        return Err(GenerateError::PrefixTooLong);
    }
    // Full capacity at once: a growing string would leave copies of its beginning in freed memory.
    let mut text = String::with_capacity(prefix.len() + KEY_CHARACTERS);
    text.push_str(prefix);
    push_random(&mut text, KEY_CHARACTERS)?;
    Ok(Secret::new(text))
}

/// A new identifier for a key record, such as `key_4fQ…`. Not a secret.
///
/// # Errors
/// No random numbers.
pub fn new_key_id() -> Result<String, GenerateError> {
    let mut text = String::from("key_");
    push_random(&mut text, ID_CHARACTERS)?;
    Ok(text)
}

fn push_random(text: &mut String, characters: usize) -> Result<(), GenerateError> {
    let mut missing = characters;
    while missing > 0 {
        let mut bytes = [0_u8; 48];
        OsRng.try_fill_bytes(&mut bytes).map_err(|error| GenerateError::Random(error.to_string()))?;
        // 248 is the largest multiple of 62 in a byte: dropping what is above keeps all characters equally likely.
        for byte in bytes.into_iter().filter(|byte| *byte < 248).take(missing) {
            if let Some(character) = ALPHABET.get(usize::from(byte % 62)) {
                text.push(char::from(*character));
                missing -= 1;
            }
        }
    }
    Ok(())
}

/// What may be shown of a key: its prefix up to the first `-` or `_`, and its last four characters (`ig-…a1b2`). Of a
/// key shorter than 20 characters the end is withheld, of one shorter than 12 the prefix as well.
#[must_use]
pub fn hint(key: &str) -> String {
    let characters = key.chars().count();
    let prefix = match key.char_indices().take(8).find(|(_, c)| matches!(c, '-' | '_')) {
        Some((position, _)) if characters >= 12 => key.get(..=position).unwrap_or(""),
        _ => "",
    };
    let end = match key.char_indices().rev().nth(3) {
        Some((position, _)) if characters >= 20 => key.get(position..).unwrap_or(""),
        _ => "",
    };
    format!("{prefix}…{end}")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn keys_have_their_prefix_and_160_bits() {
        for prefix in ["ig-", "gm_", "sk-", "sk-ant-", "sk-virt-", "gw-", "", "Acme.prod_"] {
            let key = generate(prefix).unwrap();
            let random = key.expose().strip_prefix(prefix).unwrap();
            assert!(random.len() as f64 * 62_f64.log2() >= 160.0);
            assert!(random.bytes().all(|byte| ALPHABET.contains(&byte)));
        }
    }

    #[test]
    fn keys_differ_and_use_the_whole_alphabet() {
        let keys: Vec<_> = (0..500).map(|_| generate("").unwrap()).collect();
        let distinct: HashSet<_> = keys.iter().map(Secret::expose).collect();
        assert_eq!(distinct.len(), 500);
        let used: HashSet<_> = distinct.iter().flat_map(|key| key.bytes()).collect();
        assert_eq!(used.len(), 62);
    }

    #[test]
    fn unusable_prefixes_are_refused() {
        assert!(matches!(generate("a b"), Err(GenerateError::PrefixCharacter { found: ' ' })));
        assert!(matches!(generate("ü"), Err(GenerateError::PrefixCharacter { found: 'ü' })));
        assert!(matches!(generate("k&"), Err(GenerateError::PrefixCharacter { found: '&' })));
        assert!(matches!(generate(&"x".repeat(33)), Err(GenerateError::PrefixTooLong)));
        assert!(generate(&"x".repeat(32)).is_ok());
    }

    #[test]
    fn hints_show_little() {
        assert_eq!(hint("ig-0123456789abcdefghijklmnopqra1b2"), "ig-…a1b2");
        assert_eq!(hint("sk-virt-0123456789abcdef"), "sk-…cdef");
        assert_eq!(hint("0123456789abcdefghij"), "…ghij");
        assert_eq!(hint("sk-test-1234"), "sk-…");
        assert_eq!(hint("sk-secret"), "…");
        assert_eq!(hint(""), "…");
    }

    #[test]
    fn identifiers_differ() {
        assert_ne!(new_key_id().unwrap(), new_key_id().unwrap());
        assert_eq!(new_key_id().unwrap().len(), 20);
    }
}
