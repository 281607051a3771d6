//! The administrator's password: made, hashed, checked.

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher as _, PasswordVerifier as _};
use gw_core::Secret;

/// 24 characters of 62 are 142 bits.
const PASSWORD_CHARACTERS: usize = 24;
/// Characters of random text used as salt; 22 of 62 are 130 bits.
const SALT_CHARACTERS: usize = 22;

/// Why a password cannot be made, hashed or checked. No text contains a password or a hash.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// The operating system gave no random numbers.
    #[error("the operating system gave no random numbers: {0}")]
    Random(String),
    /// Hashing failed, for want of memory for example.
    #[error("the password could not be hashed: {0}")]
    Hash(String),
    /// The stored hash is not one that this program can check.
    #[error("admin.password_hash is not an argon2 hash ($argon2id$...); write one, or remove it to get a new password")]
    UnknownHash,
}

/// A new random password: 24 letters and digits, 142 bits.
///
/// # Errors
/// [`PasswordError::Random`].
pub fn random_password() -> Result<Secret, PasswordError> {
    random_text(PASSWORD_CHARACTERS)
}

/// The argon2id hash of a password as a PHC string, as it stands in the configuration. Takes tens of milliseconds and
/// 19 MiB; do not call it on an asynchronous thread.
///
/// # Errors
/// [`PasswordError::Random`] or [`PasswordError::Hash`].
pub fn hash_password(password: &Secret) -> Result<Secret, PasswordError> {
    let salt = random_text(SALT_CHARACTERS)?;
    let hash = Argon2::default()
        .hash_password_with_salt(password.expose().as_bytes(), salt.expose().as_bytes())
        .map_err(|error| PasswordError::Hash(error.to_string()))?;
    Ok(Secret::new(hash.to_string()))
}

/// Whether a hash is one that [`verify_password`] understands; for checking a configuration.
///
/// # Errors
/// [`PasswordError::UnknownHash`].
pub fn check_password_hash(hash: &Secret) -> Result<(), PasswordError> {
    parse(hash).map(|_| ())
}

/// Whether a password belongs to a hash. Takes as long as hashing; do not call it on an asynchronous thread.
///
/// # Errors
/// [`PasswordError::UnknownHash`].
pub fn verify_password(password: &Secret, hash: &Secret) -> Result<bool, PasswordError> {
    let hash = parse(hash)?;
    Ok(Argon2::default().verify_password(password.expose().as_bytes(), &hash).is_ok())
}

fn parse(hash: &Secret) -> Result<PasswordHash, PasswordError> {
    let parsed = PasswordHash::new(hash.expose()).map_err(|_| PasswordError::UnknownHash)?;
    let known = parsed.algorithm.as_str().starts_with("argon2") && parsed.hash.is_some() && parsed.salt.is_some();
    if known { Ok(parsed) } else { Err(PasswordError::UnknownHash) }
}

fn random_text(characters: usize) -> Result<Secret, PasswordError> {
    // A generated key is uniform letters and digits, so any part of it is as random as its length.
    let key = gw_identity::generate("").map_err(|error| PasswordError::Random(error.to_string()))?;
    key.expose().get(..characters).map(Secret::new).ok_or_else(|| PasswordError::Random("too few".to_owned()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_password_belongs_to_its_hash_only() {
        let password = random_password().unwrap();
        let hash = hash_password(&password).unwrap();
        assert!(hash.expose().starts_with("$argon2id$v=19$"));
        assert_eq!(check_password_hash(&hash), Ok(()));
        assert_eq!(verify_password(&password, &hash), Ok(true));
        assert_eq!(verify_password(&Secret::new("wrong"), &hash), Ok(false));
        assert_ne!(hash_password(&password).unwrap().expose(), hash.expose(), "each hash has its own salt");
    }

    #[test]
    fn passwords_are_long_and_differ() {
        let (one, other) = (random_password().unwrap(), random_password().unwrap());
        assert_ne!(one.expose(), other.expose());
        assert!(one.expose().len() >= 20 && one.expose().bytes().all(|byte| byte.is_ascii_alphanumeric()));
    }

    #[test]
    fn foreign_hashes_are_refused_without_being_shown() {
        for hash in [
            "",
            "admin",
            "$2a$12$abcdefghijklmnopqrstuv",
            "$argon2id$v=19$m=8,t=1,p=1",
            "$scrypt$ln=1$YWJjZGVmZ2g$YWJjZGVmZ2hpams",
        ] {
            let refused = verify_password(&Secret::new("x"), &Secret::new(hash));
            assert_eq!(refused, Err(PasswordError::UnknownHash), "{hash}");
            assert_eq!(check_password_hash(&Secret::new(hash)), Err(PasswordError::UnknownHash));
        }
        assert!(!PasswordError::UnknownHash.to_string().contains("abcdefgh"));
    }
}
