//! Ports and versioned records of everything that is stored, with a conformance suite and a memory adapter.
//!
//! A port is a small asynchronous trait; an adapter implements several of them over one backend. Nothing here is on the
//! request path: keys are served from an in-memory index and usage goes through the journal. This crate knows no SQL, no
//! file and no clock; every time is given by the caller in Unix milliseconds.

mod error;
mod key;
mod memory;
mod ports;
mod usage;

pub mod conformance;

pub use error::StoreError;
pub use key::KeyRecord;
pub use memory::MemoryStore;
pub use ports::{ConfigDocument, ConfigRepo, KeyRepo, UsageFilter, UsageRepo, UsageSink, UsageTotals};
pub use usage::{EndReason, UsageProvenance, UsageRecord, UsageTokens};
