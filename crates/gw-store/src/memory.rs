//! Everything in memory: for tests and for running without a data directory. Loses all when it is dropped.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use parking_lot::Mutex;

use crate::{
    ConfigDocument, ConfigRepo, KeyRecord, KeyRepo, StoreError, UsageFilter, UsageRecord, UsageRepo, UsageSink,
    UsageTotals,
};

/// A store of every port in memory.
#[derive(Debug, Default)]
pub struct MemoryStore {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    keys: BTreeMap<String, KeyRecord>,
    key_revision: u64,
    /// By attempt id.
    usage: BTreeMap<String, UsageRecord>,
    /// Start time and attempt id, for ordered reads.
    usage_order: BTreeSet<(i64, String)>,
    documents: BTreeMap<String, ConfigDocument>,
    document_revision: u64,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn change_key(
        &self,
        id: &str,
        change: impl FnOnce(&mut KeyRecord, &BTreeMap<String, KeyRecord>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut state = self.state.lock();
        let mut record =
            state.keys.get(id).cloned().ok_or_else(|| StoreError::NotFound { what: "key", id: id.to_owned() })?;
        change(&mut record, &state.keys)?;
        state.keys.insert(id.to_owned(), record);
        state.key_revision += 1;
        Ok(())
    }
}

#[async_trait]
impl KeyRepo for MemoryStore {
    async fn insert(&self, record: &KeyRecord) -> Result<(), StoreError> {
        let mut state = self.state.lock();
        let conflict = |field| Err(StoreError::Conflict { what: "key", field });
        if state.keys.contains_key(&record.id) {
            return conflict("id");
        }
        if state.keys.values().any(|other| other.name == record.name) {
            return conflict("name");
        }
        if state.keys.values().any(|other| other.hash == record.hash) {
            return conflict("key");
        }
        state.keys.insert(record.id.clone(), record.clone());
        state.key_revision += 1;
        Ok(())
    }

    async fn list(&self) -> Result<Vec<KeyRecord>, StoreError> {
        let mut records: Vec<_> = self.state.lock().keys.values().cloned().collect();
        records.sort_by(|left, right| (left.created_at_ms, &left.id).cmp(&(right.created_at_ms, &right.id)));
        Ok(records)
    }

    async fn get_by_name(&self, name: &str) -> Result<Option<KeyRecord>, StoreError> {
        Ok(self.state.lock().keys.values().find(|record| record.name == name).cloned())
    }

    async fn set_enabled(&self, id: &str, enabled: bool, now_ms: i64) -> Result<(), StoreError> {
        self.change_key(id, |record, _| {
            record.enabled = enabled;
            record.updated_at_ms = now_ms;
            Ok(())
        })
    }

    async fn rotate(&self, id: &str, new_hash: [u8; 32], new_hint: &str, now_ms: i64) -> Result<(), StoreError> {
        self.change_key(id, |record, keys| {
            if keys.values().any(|other| other.id != id && other.hash == new_hash) {
                return Err(StoreError::Conflict { what: "key", field: "key" });
            }
            record.hash = new_hash;
            new_hint.clone_into(&mut record.hint);
            record.updated_at_ms = now_ms;
            Ok(())
        })
    }

    async fn delete(&self, id: &str) -> Result<(), StoreError> {
        let mut state = self.state.lock();
        if state.keys.remove(id).is_none() {
            return Err(StoreError::NotFound { what: "key", id: id.to_owned() });
        }
        state.key_revision += 1;
        Ok(())
    }

    async fn revision(&self) -> Result<u64, StoreError> {
        Ok(self.state.lock().key_revision)
    }
}

#[async_trait]
impl UsageSink for MemoryStore {
    async fn append_batch(&self, records: &[UsageRecord]) -> Result<usize, StoreError> {
        let mut state = self.state.lock();
        let mut new = 0;
        for record in records {
            if state.usage.contains_key(&record.attempt_id) {
                continue;
            }
            state.usage_order.insert((record.at_ms, record.attempt_id.clone()));
            state.usage.insert(record.attempt_id.clone(), record.clone());
            new += 1;
        }
        Ok(new)
    }
}

#[async_trait]
impl UsageRepo for MemoryStore {
    async fn recent(&self, limit: u32, filter: &UsageFilter) -> Result<Vec<UsageRecord>, StoreError> {
        let state = self.state.lock();
        let mut records: Vec<_> = state.usage.values().filter(|record| filter.matches(record)).cloned().collect();
        records.sort_by(|left, right| {
            (Reverse(left.at_ms), Reverse(&left.attempt_id)).cmp(&(Reverse(right.at_ms), Reverse(&right.attempt_id)))
        });
        records.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(records)
    }

    async fn count(&self, filter: &UsageFilter) -> Result<u64, StoreError> {
        let state = self.state.lock();
        Ok(state.usage.values().filter(|record| filter.matches(record)).count() as u64)
    }

    async fn totals(&self, filter: &UsageFilter) -> Result<UsageTotals, StoreError> {
        let state = self.state.lock();
        let mut totals = UsageTotals::default();
        for record in state.usage.values().filter(|record| filter.matches(record)) {
            totals.records += 1;
            totals.usage.add(&record.usage);
            totals.events_delivered = totals.events_delivered.saturating_add(record.events_delivered);
            totals.bytes_delivered = totals.bytes_delivered.saturating_add(record.bytes_delivered);
        }
        Ok(totals)
    }

    async fn delete_before(&self, before_ms: i64, limit: u32) -> Result<u64, StoreError> {
        let mut state = self.state.lock();
        let mut deleted = 0;
        while deleted < u64::from(limit) {
            let Some(oldest) = state.usage_order.first().filter(|(at_ms, _)| *at_ms < before_ms).cloned() else {
                break;
            };
            state.usage.remove(&oldest.1);
            state.usage_order.remove(&oldest);
            deleted += 1;
        }
        Ok(deleted)
    }
}

#[async_trait]
impl ConfigRepo for MemoryStore {
    async fn get(&self, name: &str) -> Result<Option<ConfigDocument>, StoreError> {
        Ok(self.state.lock().documents.get(name).cloned())
    }

    async fn put(
        &self,
        name: &str,
        body: &str,
        expected_revision: Option<u64>,
        now_ms: i64,
    ) -> Result<u64, StoreError> {
        let mut state = self.state.lock();
        let found = state.documents.get(name).map_or(0, |document| document.revision);
        if let Some(expected) = expected_revision.filter(|expected| *expected != found) {
            return Err(StoreError::RevisionMismatch { name: name.to_owned(), expected, found });
        }
        let revision = found + 1;
        let document = ConfigDocument { name: name.to_owned(), body: body.to_owned(), revision, updated_at_ms: now_ms };
        state.documents.insert(name.to_owned(), document);
        state.document_revision += 1;
        Ok(revision)
    }

    async fn config_revision(&self) -> Result<u64, StoreError> {
        Ok(self.state.lock().document_revision)
    }
}
