//! Opaque reasoning state: made up deterministically, and recognised when it comes back unchanged.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

const MARK: &str = "mocksig-";

/// FNV-1a: the same on every machine and in every version, which `std`'s hasher does not promise.
pub(crate) fn fingerprint(parts: &[&str]) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for part in parts {
        for byte in part.bytes().chain([0xff]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    hash
}

/// Signs `content`: base64 of `mocksig-<hash of content>-<check>`, so that it also verifies without the content.
pub(crate) fn sign(kind: &str, content: &str) -> String {
    let hash = format!("{:016x}", fingerprint(&[kind, content]));
    let check = format!("{:016x}", fingerprint(&[MARK, kind, &hash]));
    STANDARD.encode(format!("{MARK}{hash}-{check}"))
}

/// Whether `signature` was made by [`sign`] for `kind`, and, if the content is known, for that content.
pub(crate) fn verifies(kind: &str, content: Option<&str>, signature: &str) -> bool {
    // Clients may carry the bytes through the URL-safe alphabet; the length here needs no padding question.
    let standard = signature.replace('-', "+").replace('_', "/");
    let Ok(bytes) = STANDARD.decode(standard) else { return false };
    let Ok(text) = String::from_utf8(bytes) else { return false };
    let Some((hash, check)) = text.strip_prefix(MARK).and_then(|rest| rest.split_once('-')) else { return false };
    if check != format!("{:016x}", fingerprint(&[MARK, kind, hash])) {
        return false;
    }
    content.is_none_or(|content| hash == format!("{:016x}", fingerprint(&[kind, content])))
}

#[cfg(test)]
mod tests {
    use super::{sign, verifies};

    #[test]
    fn only_the_unchanged_signature_of_the_same_content_verifies() {
        let signature = sign("thinking", "Let me see");
        assert!(verifies("thinking", Some("Let me see"), &signature));
        assert!(verifies("thinking", None, &signature));
        assert!(!verifies("thinking", Some("Let me sea"), &signature));
        assert!(!verifies("call", None, &signature));
        assert!(!verifies("thinking", None, &signature.replacen('N', "M", 1)));
        assert!(!verifies("thinking", None, "bm90IG91cnM="));
        assert!(!verifies("thinking", None, ""));
    }
}
