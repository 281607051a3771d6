//! The only form in which a key is kept.

use std::fmt;

use aws_lc_rs::digest;

/// SHA-256 of a key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KeyHash(pub [u8; 32]);

impl KeyHash {
    /// Hashes a key as the client presents it. Never allocates.
    #[must_use]
    pub fn of(key: &str) -> Self {
        let mut bytes = [0; 32];
        // SHA-256 is 32 bytes by definition, so the zip covers both sides wholly.
        for (slot, byte) in bytes.iter_mut().zip(digest::digest(&digest::SHA256, key.as_bytes()).as_ref()) {
            *slot = *byte;
        }
        Self(bytes)
    }

    /// The first eight bytes as a number. They are uniform already, so they serve as the hash of a map.
    pub(crate) fn leading(&self) -> u64 {
        self.0.first_chunk().map_or(0, |chunk| u64::from_le_bytes(*chunk))
    }
}

/// Shows nothing of the value: a custom key of low entropy could be guessed from its hash offline.
impl fmt::Debug for KeyHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("KeyHash([redacted])")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn is_sha256() {
        // FIPS 180-2, appendix B.1.
        let hash = KeyHash::of("abc");
        assert_eq!(hash.0[..8], [0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea]);
        assert_eq!(hash.0[24..], [0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad]);
        assert_eq!(hash.leading(), 0xeacf_018f_bf16_78ba);
    }

    #[test]
    fn is_not_shown() {
        assert_eq!(format!("{:?}", KeyHash::of("abc")), "KeyHash([redacted])");
    }
}
