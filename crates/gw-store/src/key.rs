//! The stored form of a client key.

use std::fmt;

/// A client key as it is stored: its SHA-256, never the key.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyRecord {
    /// Version of this record's layout, [`KeyRecord::VERSION`] when written by this program.
    pub v: u16,
    /// Stable identifier; survives rotation. Unique.
    pub id: String,
    /// Name chosen by the operator. Unique.
    pub name: String,
    /// SHA-256 of the key. Unique.
    pub hash: [u8; 32],
    /// What may be shown of the key, such as `ig-…a1b2`.
    pub hint: String,
    /// A disabled key is refused at once.
    pub enabled: bool,
    /// Unix milliseconds from which on the key is refused.
    pub expires_at_ms: Option<i64>,
    /// Models that the key may use; `None` means all, an empty list means none.
    pub allowed_models: Option<Vec<String>>,
    /// Unix milliseconds of creation.
    pub created_at_ms: i64,
    /// Unix milliseconds of the last change (enable, disable, rotate).
    pub updated_at_ms: i64,
}

impl KeyRecord {
    /// The layout version that this program writes.
    pub const VERSION: u16 = 1;
}

/// Omits the hash: a custom key of low entropy could be guessed from it offline.
impl fmt::Debug for KeyRecord {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("KeyRecord")
            .field("v", &self.v)
            .field("id", &self.id)
            .field("name", &self.name)
            .field("hint", &self.hint)
            .field("enabled", &self.enabled)
            .field("expires_at_ms", &self.expires_at_ms)
            .field("allowed_models", &self.allowed_models)
            .field("created_at_ms", &self.created_at_ms)
            .field("updated_at_ms", &self.updated_at_ms)
            .finish_non_exhaustive()
    }
}
