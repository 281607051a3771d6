//! What the tests share: a sink that remembers every hand-over, and looks at journal directories.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use gw_ledger::{Drain, Drained, Journal, JournalConfig};
use gw_store::{StoreError, UsageRecord, UsageSink};

/// Keeps every record handed over, repetitions included, and fails when told to.
#[derive(Default)]
pub(crate) struct RawSink {
    pub(crate) records: Mutex<Vec<UsageRecord>>,
    pub(crate) failures_left: Mutex<u32>,
}

#[async_trait]
impl UsageSink for RawSink {
    async fn append_batch(&self, records: &[UsageRecord]) -> Result<usize, StoreError> {
        let mut failures = self.failures_left.lock().unwrap();
        if *failures > 0 {
            *failures -= 1;
            return Err(StoreError::Unavailable { action: "storing", detail: "told to fail".into() });
        }
        self.records.lock().unwrap().extend_from_slice(records);
        Ok(records.len())
    }
}

impl RawSink {
    pub(crate) fn taken(&self) -> Vec<UsageRecord> {
        self.records.lock().unwrap().clone()
    }
}

pub(crate) fn config(directory: &Path, segment_bytes: u64) -> JournalConfig {
    JournalConfig { segment_bytes, ..JournalConfig::in_data_dir(directory) }
}

pub(crate) fn open(directory: &Path) -> (Arc<Journal>, Drain) {
    Journal::open(config(directory, 1 << 20)).unwrap()
}

/// Opens, drains and returns what came, as after a crash.
pub(crate) async fn replay(directory: &Path) -> (Arc<Journal>, Vec<UsageRecord>) {
    let (journal, mut drain) = open(directory);
    let sink = RawSink::default();
    let drained = drain.drain(&sink).await.unwrap();
    let taken = sink.taken();
    assert_eq!(drained, Drained { records: taken.len() as u64, new: taken.len() as u64 });
    (journal, taken)
}

/// Files in the journal directory except the lock, sorted.
pub(crate) fn files(directory: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(directory.join("journal"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().is_some_and(|name| name != "lock"))
        .collect();
    files.sort();
    files
}
