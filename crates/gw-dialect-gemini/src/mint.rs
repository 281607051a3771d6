//! Call ids for calls that came without one: short, legal in every dialect, the same for the same input.

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// `call_` and base 62 digits of a hash of the pieces.
pub(crate) fn call_id(pieces: &[&str]) -> String {
    format!("call_{}", base62(hash(pieces)))
}

/// A short tag of a text, for names that must be told apart.
pub(crate) fn tag(text: &str) -> String {
    base62(u128::from(fnv(text.as_bytes(), 0xcbf2_9ce4_8422_2325)) & 0xffff_ffff)
}

fn hash(pieces: &[&str]) -> u128 {
    let run = |basis: u64| pieces.iter().fold(basis, |hash, piece| fnv(&[0xff], fnv(piece.as_bytes(), hash)));
    (u128::from(run(0xcbf2_9ce4_8422_2325)) << 64) | u128::from(run(0x8422_2325_cbf2_9ce4))
}

/// FNV-1a: stable across builds and platforms, which a random-state hasher is not.
fn fnv(bytes: &[u8], basis: u64) -> u64 {
    bytes.iter().fold(basis, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

fn base62(mut value: u128) -> String {
    let mut out = String::with_capacity(22);
    loop {
        let digit = usize::try_from(value % 62).unwrap_or(0);
        out.push(char::from(ALPHABET.get(digit).copied().unwrap_or(b'0')));
        value /= 62;
        if value == 0 {
            return out;
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn ids_are_legal_everywhere_and_repeatable() {
        let id = super::call_id(&["turn", "1", "0"]);
        assert_eq!(id, super::call_id(&["turn", "1", "0"]));
        assert_ne!(id, super::call_id(&["turn", "10", ""]));
        assert!(id.len() <= 40 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'), "{id}");
    }
}
