//! What the journal counts about itself.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::Recovery;

/// A snapshot of the journal's counters; they count from the opening of the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct JournalStats {
    /// Records appended.
    pub appended_records: u64,
    /// Bytes of those records in the files.
    pub appended_bytes: u64,
    /// Appends that failed; the records are not in the journal.
    pub append_errors: u64,
    /// Times that appended records were brought to the disk.
    pub syncs: u64,
    /// Times that this failed.
    pub sync_errors: u64,
    /// Records that the store took, new or known.
    pub drained_records: u64,
    /// Records that were new to the store.
    pub stored_records: u64,
    /// Times that the store or the reading back failed.
    pub drain_errors: u64,
    /// Appended or recovered records that the store has not taken yet. Records lost to damage while the journal was open
    /// (see `damaged_segments`) stay counted here.
    pub pending_records: u64,
    /// Segment files.
    pub segments: u64,
    /// Bytes in all segment files.
    pub held_bytes: u64,
    /// Segments set aside because they were damaged while the journal was open.
    pub damaged_segments: u64,
    /// What was found at the opening.
    pub recovery: Recovery,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) appended_records: AtomicU64,
    pub(crate) appended_bytes: AtomicU64,
    pub(crate) append_errors: AtomicU64,
    pub(crate) syncs: AtomicU64,
    pub(crate) sync_errors: AtomicU64,
    pub(crate) drained_records: AtomicU64,
    pub(crate) stored_records: AtomicU64,
    pub(crate) drain_errors: AtomicU64,
    pub(crate) damaged_segments: AtomicU64,
}

pub(crate) fn add(counter: &AtomicU64, value: u64) {
    counter.fetch_add(value, Ordering::Relaxed);
}

pub(crate) fn get(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}
