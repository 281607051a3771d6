//! Write-ahead journal of settlements: local files that take a record before the client gets the last byte, and give it
//! to the store afterwards.
//!
//! The request path calls [`Journal::append`], which is one `write` into the page cache: a record that was appended
//! survives the death of the process. [`Journal::run_sync`] brings it to the disk within an interval, which bounds what
//! a power cut can take. [`Drain`] reads the files back and hands the records to a [`gw_store::UsageSink`]; a file goes
//! only after the sink has stored all of it. Records may reach the sink more than once, which it answers by storing each
//! attempt once. This crate knows no SQL and asks no clock for the time of day.

mod codec;
mod drain;
mod error;
mod frame;
mod journal;
mod recover;
mod stats;

pub use drain::{Drain, Drained};
pub use error::{DrainError, JournalError};
pub use journal::{Journal, JournalConfig};
pub use recover::Recovery;
pub use stats::JournalStats;
