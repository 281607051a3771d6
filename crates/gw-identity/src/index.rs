//! The lookup of a presented key: one hash, one map probe, no lock.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::KeyHash;

/// Who owns a key record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeySource {
    /// The configuration file.
    File,
    /// The store, through the command line or the admin API.
    Store,
}

/// Whoever presents a key: everything that a call needs to know about its caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// Stable identifier of the key.
    pub key_id: String,
    /// Name chosen by the operator.
    pub name: String,
    /// What may be shown of the key, such as `ig-…a1b2`.
    pub hint: String,
    /// A disabled key is refused at once.
    pub enabled: bool,
    /// Unix milliseconds from which on the key is refused.
    pub expires_at_ms: Option<i64>,
    /// Models that the key may use, as clients name them; `None` means all, an empty list means none.
    pub allowed_models: Option<Vec<String>>,
    /// Unix milliseconds of creation.
    pub created_at_ms: i64,
    /// Who owns the record.
    pub source: KeySource,
}

impl Principal {
    /// Whether the key may use the model of this name, compared exactly.
    #[must_use]
    pub fn allows_model(&self, model: &str) -> bool {
        self.allowed_models.as_ref().is_none_or(|models| models.iter().any(|allowed| allowed == model))
    }
}

/// What is known about a presented key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// A valid key.
    Found(Arc<Principal>),
    /// A known key that was disabled.
    Disabled,
    /// A known key whose time is over.
    Expired,
    /// Not a known key.
    Unknown,
}

/// Two records with the same key: the first stays, the second is left out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("keys `{kept}` and `{refused}` are the same key; `{refused}` is left out, give it another key or remove it")]
pub struct DuplicateKey {
    /// Name of the record that stays.
    pub kept: String,
    /// Name of the record that was left out.
    pub refused: String,
}

/// Takes the first eight bytes of the key's SHA-256 as they are: hashing a hash again buys nothing.
#[derive(Debug, Clone, Copy, Default)]
struct LeadingBytes;

#[derive(Debug, Default)]
struct LeadingBytesHasher(u64);

impl BuildHasher for LeadingBytes {
    type Hasher = LeadingBytesHasher;

    fn build_hasher(&self) -> Self::Hasher {
        LeadingBytesHasher::default()
    }
}

impl Hasher for LeadingBytesHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}

impl Hash for KeyHash {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.leading());
    }
}

/// All known keys at one moment; immutable.
#[derive(Debug, Default)]
pub struct KeyIndex {
    principals: HashMap<KeyHash, Arc<Principal>, LeadingBytes>,
}

impl KeyIndex {
    /// Starts an index.
    #[must_use]
    pub fn builder() -> KeyIndexBuilder {
        KeyIndexBuilder { index: Self::default() }
    }

    /// Number of keys, disabled and expired ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.principals.len()
    }

    /// Whether no key is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.principals.is_empty()
    }

    /// Looks a presented key up. A key expires at its `expires_at_ms`; a disabled key is disabled whether expired or not.
    #[must_use]
    pub fn lookup(&self, key: &str, now_ms: i64) -> Lookup {
        // Always hashed, also when no key could match, so that the time says nothing about which keys exist.
        match self.principals.get(&KeyHash::of(key)) {
            None => Lookup::Unknown,
            Some(principal) if !principal.enabled => Lookup::Disabled,
            Some(principal) if principal.expires_at_ms.is_some_and(|expiry| now_ms >= expiry) => Lookup::Expired,
            Some(principal) => Lookup::Found(Arc::clone(principal)),
        }
    }
}

/// Collects the keys of an index.
#[derive(Debug)]
pub struct KeyIndexBuilder {
    index: KeyIndex,
}

impl KeyIndexBuilder {
    /// Adds a key.
    ///
    /// # Errors
    /// [`DuplicateKey`] when the key is there already; the index stays as it was and remains usable.
    pub fn insert(&mut self, hash: KeyHash, principal: Principal) -> Result<(), DuplicateKey> {
        match self.index.principals.entry(hash) {
            Entry::Vacant(place) => {
                place.insert(Arc::new(principal));
                Ok(())
            }
            Entry::Occupied(place) => Err(DuplicateKey { kept: place.get().name.clone(), refused: principal.name }),
        }
    }

    /// The finished index.
    #[must_use]
    pub fn build(self) -> KeyIndex {
        self.index
    }
}

/// The index in force. Replaced whole; a lookup sees the old or the new one, never a mixture, and never waits.
#[derive(Debug, Default)]
pub struct KeyDirectory {
    current: ArcSwap<KeyIndex>,
}

impl KeyDirectory {
    /// A directory that starts with this index.
    #[must_use]
    pub fn new(index: KeyIndex) -> Self {
        Self { current: ArcSwap::from_pointee(index) }
    }

    /// Puts another index in force for every lookup that begins afterwards.
    pub fn replace(&self, index: KeyIndex) {
        self.current.store(Arc::new(index));
    }

    /// The index in force, to be kept as long as wanted.
    #[must_use]
    pub fn snapshot(&self) -> Arc<KeyIndex> {
        self.current.load_full()
    }

    /// [`KeyIndex::lookup`] on the index in force. Takes no lock and allocates nothing.
    #[must_use]
    pub fn lookup(&self, key: &str, now_ms: i64) -> Lookup {
        self.current.load().lookup(key, now_ms)
    }
}

#[cfg(test)]
mod tests;
