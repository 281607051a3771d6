//! Client keys: generation, hashing, prefixes, lookup index.
//!
//! A key is shown once, when it is made; afterwards only its SHA-256 is known. Nothing here touches a file, a socket or
//! a clock: the time is given by the caller in Unix milliseconds.

mod custom;
mod generate;
mod hash;
mod index;

pub use custom::{KeyRefused, KeyWarning, validate_custom};
pub use generate::{GenerateError, generate, hint, new_key_id};
pub use hash::KeyHash;
pub use index::{DuplicateKey, KeyDirectory, KeyIndex, KeyIndexBuilder, KeySource, Lookup, Principal};
