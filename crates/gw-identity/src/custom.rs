//! Keys that an operator made up.

const MIN_CHARACTERS: usize = 8;
const MAX_CHARACTERS: usize = 512;
/// Below this a key is accepted with a warning.
const SHORT_CHARACTERS: usize = 24;
/// Below this a key is accepted with a warning.
const LOW_ENTROPY_BITS: f64 = 80.0;

/// Why a custom key cannot be used. The text never contains the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyRefused {
    /// Fewer than eight characters.
    #[error("key has {found} characters; use at least {MIN_CHARACTERS}, better {SHORT_CHARACTERS} random ones")]
    TooShort {
        /// How many it has.
        found: usize,
    },
    /// More than 512 characters.
    #[error("key has {found} bytes; use at most {MAX_CHARACTERS}")]
    TooLong {
        /// How many it has.
        found: usize,
    },
    /// White space, a control character or a character outside ASCII: it would not survive a header.
    #[error("character {position} of the key is white space, a control character or not ASCII; remove it")]
    Character {
        /// Position of the first such character, counted from 1.
        position: usize,
    },
}

/// Why a custom key is a risk, although it is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyWarning {
    /// Short enough to be guessed.
    #[error(
        "key has only {found} characters; use at least {SHORT_CHARACTERS} random ones, or let the gateway make one"
    )]
    Short {
        /// How many it has.
        found: usize,
    },
    /// Its characters repeat too much.
    #[error("key is easy to guess (about {bits} bits); use random characters, or let the gateway make one")]
    LowEntropy {
        /// Estimate from the frequencies of its characters, rounded down.
        bits: u32,
    },
}

/// Checks a key that an operator chose.
///
/// # Errors
/// Fewer than 8 or more than 512 characters; white space, control characters or characters outside ASCII.
pub fn validate_custom(key: &str) -> Result<Vec<KeyWarning>, KeyRefused> {
    if let Some(position) = key.chars().position(|character| !character.is_ascii_graphic()) {
        return Err(KeyRefused::Character { position: position + 1 });
    }
    let found = key.len();
    if found < MIN_CHARACTERS {
        return Err(KeyRefused::TooShort { found });
    }
    if found > MAX_CHARACTERS {
        return Err(KeyRefused::TooLong { found });
    }
    let mut warnings = Vec::new();
    if found < SHORT_CHARACTERS {
        warnings.push(KeyWarning::Short { found });
    }
    let bits = entropy_bits(key);
    if bits < LOW_ENTROPY_BITS {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 80")]
        warnings.push(KeyWarning::LowEntropy { bits: bits as u32 });
    }
    Ok(warnings)
}

/// Shannon entropy of the character frequencies times the length: an upper bound for a key whose characters were drawn
/// independently, and near zero for `aaaaaaaa`.
fn entropy_bits(key: &str) -> f64 {
    let mut counts = [0_u32; 128];
    for byte in key.bytes() {
        if let Some(count) = counts.get_mut(usize::from(byte)) {
            *count += 1;
        }
    }
    let length = f64::from(counts.iter().sum::<u32>());
    counts.iter().filter(|count| **count > 0).map(|count| f64::from(*count) * (length / f64::from(*count)).log2()).sum()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn unusable_keys_are_refused() {
        assert_eq!(validate_custom(""), Err(KeyRefused::TooShort { found: 0 }));
        assert_eq!(validate_custom("1234567"), Err(KeyRefused::TooShort { found: 7 }));
        assert_eq!(validate_custom(&"a".repeat(513)), Err(KeyRefused::TooLong { found: 513 }));
        for (key, position) in
            [("with space", 5), ("tab\tstop", 4), ("nul\0inside", 4), ("schlüssel", 5), ("line1\nline2", 6)]
        {
            assert_eq!(validate_custom(key), Err(KeyRefused::Character { position }), "{key:?}");
        }
    }

    #[test]
    fn weak_keys_are_accepted_with_a_warning() {
        let warnings = validate_custom("sk-test-123").unwrap();
        assert!(matches!(warnings.as_slice(), [KeyWarning::Short { found: 11 }, KeyWarning::LowEntropy { .. }]));
        assert_eq!(validate_custom(&"a".repeat(40)).unwrap(), [KeyWarning::LowEntropy { bits: 0 }]);
    }

    #[test]
    fn generated_keys_have_no_warning() {
        for _ in 0..100 {
            let key = crate::generate("ig-").unwrap();
            assert_eq!(validate_custom(key.expose()).unwrap(), []);
        }
    }
}
