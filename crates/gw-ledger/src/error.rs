//! What can go wrong with the journal.

use std::io;
use std::path::PathBuf;

use gw_store::StoreError;

/// Why the journal could not be opened, written or synced.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The record cannot be kept as it is.
    #[error("usage record refused: {0}")]
    InvalidRecord(&'static str),
    /// The journal has reached its size limit because the store takes nothing from it.
    #[error("journal holds {held_bytes} bytes, its limit is {limit_bytes}; make the store take its records")]
    Full {
        /// Bytes in all segments.
        held_bytes: u64,
        /// The configured limit.
        limit_bytes: u64,
    },
    /// Another process has the journal open.
    #[error("journal `{}` is in use by another process; give each process its own data directory", .0.display())]
    Locked(PathBuf),
    /// A newer program has written the journal.
    #[error(
        "journal file `{}` has format {found}, this program reads up to {supported}; start the newer program once to empty the journal",
        path.display()
    )]
    NewerFormat {
        /// The segment.
        path: PathBuf,
        /// Format found.
        found: u8,
        /// Newest format that this program knows.
        supported: u8,
    },
    /// The operating system refused.
    #[error("{action} `{}` failed: {source}; check free space and permissions", path.display())]
    Io {
        /// What was attempted.
        action: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}

/// Why records could not be moved from the journal to the store. They stay in the journal; repeating is safe.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DrainError {
    /// The store did not take them.
    #[error("the store did not take usage records: {0}")]
    Store(#[from] StoreError),
    /// The journal could not be read back.
    #[error(transparent)]
    Journal(#[from] JournalError),
}
