//! The ports: what the gateway asks of a store, as small object-safe traits.

use async_trait::async_trait;

use crate::{EndReason, KeyRecord, StoreError, UsageRecord, UsageTokens};

/// Client keys. All writes are visible to the next read through the same or another adapter on the same store.
#[async_trait]
pub trait KeyRepo: Send + Sync {
    /// Stores a new key.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when its id, name or hash exists.
    async fn insert(&self, record: &KeyRecord) -> Result<(), StoreError>;

    /// All keys, ordered by creation time, then id.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::InvalidRecord`].
    async fn list(&self) -> Result<Vec<KeyRecord>, StoreError>;

    /// The key of this name, if there is one.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::InvalidRecord`].
    async fn get_by_name(&self, name: &str) -> Result<Option<KeyRecord>, StoreError>;

    /// Enables or disables a key.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when no key has this id.
    async fn set_enabled(&self, id: &str, enabled: bool, now_ms: i64) -> Result<(), StoreError>;

    /// Replaces the hash and hint of a key; the old key stops being known.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when no key has this id, [`StoreError::Conflict`] when another has this hash.
    async fn rotate(&self, id: &str, new_hash: [u8; 32], new_hint: &str, now_ms: i64) -> Result<(), StoreError>;

    /// Removes a key.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when no key has this id.
    async fn delete(&self, id: &str) -> Result<(), StoreError>;

    /// A number that is different after any change of any key, also one made by another process. Cheap enough to be
    /// asked several times a second.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn revision(&self) -> Result<u64, StoreError>;
}

/// Takes settlement records.
#[async_trait]
pub trait UsageSink: Send + Sync {
    /// Stores every record whose `attempt_id` is not stored yet, all or none, and returns how many were new. When it
    /// returns, the records survive a power cut.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; nothing of the batch is stored then, and the same batch can be handed over again.
    async fn append_batch(&self, records: &[UsageRecord]) -> Result<usize, StoreError>;
}

/// Reads settlement records.
#[async_trait]
pub trait UsageRepo: Send + Sync {
    /// The latest records that match, newest first (by start time, then attempt id), at most `limit`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::InvalidRecord`].
    async fn recent(&self, limit: u32, filter: &UsageFilter) -> Result<Vec<UsageRecord>, StoreError>;

    /// How many records match.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn count(&self, filter: &UsageFilter) -> Result<u64, StoreError>;

    /// The sums over all records that match.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn totals(&self, filter: &UsageFilter) -> Result<UsageTotals, StoreError>;

    /// Removes up to `limit` of the oldest records that started before `before_ms` and returns how many went. The limit
    /// keeps each write short; call it again until it returns less than `limit`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn delete_before(&self, before_ms: i64, limit: u32) -> Result<u64, StoreError>;
}

/// Named configuration documents.
#[async_trait]
pub trait ConfigRepo: Send + Sync {
    /// The document of this name, if there is one.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::InvalidRecord`].
    async fn get(&self, name: &str) -> Result<Option<ConfigDocument>, StoreError>;

    /// Stores a document and returns its new revision. With `expected_revision` the write happens only if the document
    /// still has that revision (0 = it does not exist yet).
    ///
    /// # Errors
    /// [`StoreError::RevisionMismatch`] when it has another revision.
    async fn put(&self, name: &str, body: &str, expected_revision: Option<u64>, now_ms: i64)
    -> Result<u64, StoreError>;

    /// A number that is different after any change of any document, also one made by another process.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn config_revision(&self) -> Result<u64, StoreError>;
}

/// A configuration document as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigDocument {
    /// Its name.
    pub name: String,
    /// Its text, in a format that the store does not know.
    pub body: String,
    /// 1 for the first write, one more for each later one.
    pub revision: u64,
    /// Unix milliseconds of the last write.
    pub updated_at_ms: i64,
}

/// Which usage records: all given conditions must hold; the default matches every record.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UsageFilter {
    /// Identifier of the client key.
    pub key_id: Option<String>,
    /// Name of the provider.
    pub provider: Option<String>,
    /// Model name as the client wrote it.
    pub requested_model: Option<String>,
    /// Identifier of the client's request.
    pub request_id: Option<String>,
    /// HTTP status that the client saw.
    pub status: Option<u16>,
    /// How the attempt ended.
    pub end: Option<EndReason>,
    /// Start at or after this Unix time in milliseconds.
    pub from_ms: Option<i64>,
    /// Start before this Unix time in milliseconds.
    pub until_ms: Option<i64>,
}

impl UsageFilter {
    /// Whether a record meets every condition.
    #[must_use]
    pub fn matches(&self, record: &UsageRecord) -> bool {
        let text = |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|wanted| wanted == found);
        text(&self.key_id, &record.key_id)
            && text(&self.provider, &record.provider)
            && text(&self.requested_model, &record.requested_model)
            && text(&self.request_id, &record.request_id)
            && self.status.is_none_or(|status| status == record.status)
            && self.end.is_none_or(|end| end == record.end)
            && self.from_ms.is_none_or(|from| record.at_ms >= from)
            && self.until_ms.is_none_or(|until| record.at_ms < until)
    }
}

/// Sums over usage records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UsageTotals {
    /// Number of records.
    pub records: u64,
    /// Field-by-field sum of their vectors.
    pub usage: UsageTokens,
    /// Sum of `events_delivered`.
    pub events_delivered: u64,
    /// Sum of `bytes_delivered`.
    pub bytes_delivered: u64,
}
