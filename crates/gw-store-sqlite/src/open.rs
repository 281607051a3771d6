//! Opening or creating the database file, and bringing its schema up to date.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use gw_store::StoreError;
use sqlx::migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{SqlSafeStr, SqlitePool};

use crate::errors::store_error;
use crate::{DATABASE_FILE, SqliteStore};

/// How long a write waits for a writer of another process.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
const READERS: u32 = 2;
/// Idle readers are closed: each costs a thread and a page cache.
const READER_IDLE: Duration = Duration::from_secs(30);
const FILE_MAGIC: &[u8; 16] = b"SQLite format 3\0";
const FIRST: &str = include_str!("../../../migrations/sqlite/0001_first.sql");

fn migrator() -> Migrator {
    let first = Migration::new(1, "first".into(), MigrationType::Simple, FIRST.into_sql_str(), false);
    Migrator::with_migrations(vec![first])
}

impl SqliteStore {
    /// [`SqliteStore::open`] of [`DATABASE_FILE`] in a data directory.
    ///
    /// # Errors
    /// As [`SqliteStore::open`].
    pub async fn open_in(data_dir: &Path) -> Result<Self, StoreError> {
        Self::open(&data_dir.join(DATABASE_FILE)).await
    }

    /// Opens the database at `path`, creating it (mode 0600) and its directory (mode 0700) when missing, and applies the
    /// migrations that it lacks.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when the file is no intact database, [`StoreError::NewerSchema`] when a newer program has
    /// written it, [`StoreError::Unavailable`] when it cannot be read or written.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let prepared = path.to_owned();
        // The lock is held until the schema is current, so that two processes never migrate at once.
        let _lock = tokio::task::spawn_blocking(move || prepare_file(&prepared))
            .await
            .map_err(|error| unavailable(path, &error))??;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(false)
            .journal_mode(SqliteJournalMode::Wal)
            // FULL: the journal of settlements is deleted once they are stored here, so a commit has to survive a power
            // cut. It costs one fsync per batch, and nobody waits for it.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY_TIMEOUT)
            .foreign_keys(true);
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(options.clone().optimize_on_close(true, None))
            .await
            .map_err(|error| store_error(path, "opening the database", &error))?;
        if let Err(error) = migrate(path, &writer).await {
            writer.close().await;
            return Err(error);
        }
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .min_connections(0)
            .idle_timeout(READER_IDLE)
            .connect_lazy_with(options.pragma("query_only", "1"));
        Ok(Self { path: path.to_owned(), writer, readers })
    }
}

fn unavailable(path: &Path, error: &dyn std::error::Error) -> StoreError {
    StoreError::Unavailable {
        action: "opening the database",
        detail: format!("{}: {error}; check the path, its permissions and the free space", path.display()),
    }
}

/// Makes directory and file with tight modes before SQLite could make them with loose ones, checks that the file is a
/// database, and returns a lock on the directory.
fn prepare_file(path: &Path) -> Result<File, StoreError> {
    let failed = |error: io::Error| unavailable(path, &error);
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    DirBuilder::new().recursive(true).mode(0o700).create(&directory).map_err(failed)?;
    let lock = File::open(&directory).map_err(failed)?;
    match lock.lock() {
        // A file system without locks: SQLite's own locks still keep the data whole.
        Err(error) if error.kind() != io::ErrorKind::Unsupported => return Err(failed(error)),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if metadata.permissions().mode() & 0o077 != 0 {
        fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(failed)?;
    }
    if metadata.len() > 0 {
        let mut magic = [0; 16];
        let is_database = file.read_exact(&mut magic).is_ok() && magic == *FILE_MAGIC;
        if !is_database {
            return Err(StoreError::Corrupt { path: path.to_owned(), detail: "file is not a SQLite database".into() });
        }
    }
    Ok(lock)
}

async fn migrate(path: &Path, writer: &SqlitePool) -> Result<(), StoreError> {
    let migrator = migrator();
    let supported = migrator.iter().map(|migration| migration.version).max().unwrap_or(0);
    let failed = |error: sqlx::Error| store_error(path, "reading the schema version", &error);
    let mut connection = writer.acquire().await.map_err(failed)?;
    let known: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_master WHERE name = '_sqlx_migrations'")
        .fetch_one(&mut *connection)
        .await
        .map_err(failed)?;
    if known > 0 {
        let applied = connection
            .list_applied_migrations("_sqlx_migrations")
            .await
            .map_err(|error| migration_error(path, supported, error))?;
        let found = applied.iter().map(|migration| migration.version).max().unwrap_or(0);
        if found > supported {
            return Err(StoreError::NewerSchema { path: path.to_owned(), found, supported });
        }
    }
    migrator.run(&mut *connection).await.map_err(|error| migration_error(path, supported, error))
}

fn migration_error(path: &Path, supported: i64, error: MigrateError) -> StoreError {
    let corrupt = |detail: String| StoreError::Corrupt { path: path.to_owned(), detail };
    match error {
        MigrateError::VersionMissing(found) | MigrateError::VersionTooNew(found, _) => {
            StoreError::NewerSchema { path: path.to_owned(), found, supported }
        }
        MigrateError::VersionMismatch(version) => {
            corrupt(format!("schema version {version} was made by a different program"))
        }
        MigrateError::Dirty(version) => corrupt(format!("schema version {version} was applied only in part")),
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
            store_error(path, "updating the schema", &error)
        }
        other => StoreError::Unavailable { action: "updating the schema", detail: other.to_string() },
    }
}
