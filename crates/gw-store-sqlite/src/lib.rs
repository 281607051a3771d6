//! SQLite adapter of the store ports.
//!
//! One file, one connection that writes, two that read. The file may be open in several processes at once (a server and
//! the command line); each sees the other's writes at its next read.

mod config;
mod errors;
mod keys;
mod open;
mod usage;

use std::path::{Path, PathBuf};

use sqlx::SqlitePool;

/// Name of the database file inside a data directory.
pub const DATABASE_FILE: &str = "irongate.db";

/// Every port over one SQLite file. Cheap to clone; all clones share the connections.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    path: PathBuf,
    /// Exactly one connection, so writers queue here instead of meeting a busy database.
    writer: SqlitePool,
    readers: SqlitePool,
}

impl SqliteStore {
    /// The database file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes everything back into the one file and closes all connections, of clones as well.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}
