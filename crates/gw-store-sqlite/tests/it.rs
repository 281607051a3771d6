//! The SQLite adapter: the conformance suite, and what a file adds to it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use gw_store::conformance::{self, sample_key, sample_usage};
use gw_store::{KeyRepo, StoreError, UsageFilter, UsageRepo, UsageSink};
use gw_store_sqlite::SqliteStore;
use sqlx::{Connection, SqliteConnection};

async fn empty_store() -> (tempfile::TempDir, SqliteStore) {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open_in(directory.path()).await.unwrap();
    (directory, store)
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

async fn edit(path: &Path, statement: &'static str) {
    let mut connection = SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.unwrap();
    sqlx::query(statement).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn keys() {
    conformance::key_repo(&empty_store().await.1).await.unwrap();
}

#[tokio::test]
async fn usage() {
    let (_directory, store) = empty_store().await;
    conformance::usage(&store, &store).await.unwrap();
}

#[tokio::test]
async fn config() {
    conformance::config_repo(&empty_store().await.1).await.unwrap();
}

#[tokio::test]
async fn what_is_stored_is_there_after_opening_again() {
    let (directory, store) = empty_store().await;
    store.insert(&sample_key(1)).await.unwrap();
    store.append_batch(&[sample_usage(1)]).await.unwrap();
    store.close().await;
    let again = SqliteStore::open_in(directory.path()).await.unwrap();
    assert_eq!(again.list().await.unwrap(), [sample_key(1)]);
    assert_eq!(again.append_batch(&[sample_usage(1), sample_usage(2)]).await.unwrap(), 1);
}

#[tokio::test]
async fn a_write_by_another_opener_is_noticed_at_once() {
    let (directory, server) = empty_store().await;
    let before = server.revision().await.unwrap();
    let command_line = SqliteStore::open_in(directory.path()).await.unwrap();
    server.append_batch(&[sample_usage(1)]).await.unwrap();
    assert_eq!(server.revision().await.unwrap(), before, "usage is no change of keys");
    command_line.insert(&sample_key(1)).await.unwrap();
    command_line.close().await;
    assert_ne!(server.revision().await.unwrap(), before);
    assert_eq!(server.list().await.unwrap(), [sample_key(1)]);
    let after = server.revision().await.unwrap();
    edit(server.path(), "DELETE FROM keys").await;
    assert_ne!(server.revision().await.unwrap(), after, "an edit by hand is a change too");
}

#[tokio::test]
async fn only_the_owner_may_read_the_files() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("deep/data");
    let store = SqliteStore::open_in(&data).await.unwrap();
    store.insert(&sample_key(1)).await.unwrap();
    assert_eq!(mode(&data), 0o700);
    for entry in std::fs::read_dir(&data).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
    store.close().await;
    std::fs::set_permissions(store.path(), std::fs::Permissions::from_mode(0o644)).unwrap();
    let again = SqliteStore::open_in(&data).await.unwrap();
    assert_eq!(mode(again.path()), 0o600, "a loose mode is tightened");
}

#[tokio::test]
async fn openers_at_the_same_time_do_not_collide() {
    let directory = tempfile::tempdir().unwrap();
    let open = || SqliteStore::open_in(directory.path());
    let (first, second, third, fourth) = tokio::join!(open(), open(), open(), open());
    for (number, store) in (1..).zip([first, second, third, fourth]) {
        store.unwrap().insert(&sample_key(number)).await.unwrap();
    }
}

#[tokio::test]
async fn writers_of_two_openers_wait_for_each_other() {
    let (directory, first) = empty_store().await;
    let second = SqliteStore::open_in(directory.path()).await.unwrap();
    let batches = |store: SqliteStore, range: std::ops::Range<u64>| async move {
        for number in range {
            assert_eq!(store.append_batch(&[sample_usage(number)]).await.unwrap(), 1);
        }
    };
    tokio::join!(batches(first.clone(), 0..50), batches(second, 50..100));
    assert_eq!(first.count(&UsageFilter::default()).await.unwrap(), 100);
}

#[tokio::test]
async fn a_file_that_is_no_database_is_named_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("irongate.db");
    for content in ["short", "models:\n  - name: this is a configuration file\n"] {
        std::fs::write(&path, content).unwrap();
        let error = SqliteStore::open(&path).await.unwrap_err();
        assert!(matches!(&error, StoreError::Corrupt { path: named, .. } if *named == path), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), content);
    }
}

#[tokio::test]
async fn a_damaged_database_is_named() {
    let (directory, store) = empty_store().await;
    store.close().await;
    let path = directory.path().join("irongate.db");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[100..].fill(0xa5);
    std::fs::write(&path, bytes).unwrap();
    let error = SqliteStore::open(&path).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
}

#[tokio::test]
async fn a_newer_or_foreign_schema_is_refused() {
    let (directory, store) = empty_store().await;
    store.close().await;
    edit(
        store.path(),
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (99, 'future', 1, x'00', 0)",
    )
    .await;
    let error = SqliteStore::open_in(directory.path()).await.unwrap_err();
    assert!(matches!(error, StoreError::NewerSchema { found: 99, supported: 1, .. }), "{error}");
    edit(store.path(), "DELETE FROM _sqlx_migrations WHERE version = 99").await;
    edit(store.path(), "UPDATE _sqlx_migrations SET checksum = x'00'").await;
    let error = SqliteStore::open_in(directory.path()).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
}

#[tokio::test]
async fn a_failed_batch_stores_nothing() {
    let (_directory, store) = empty_store().await;
    edit(
        store.path(),
        "CREATE TRIGGER full BEFORE INSERT ON usage_records WHEN NEW.attempt_id = 'attempt-00000070' \
         BEGIN SELECT RAISE(ABORT, 'disk full'); END",
    )
    .await;
    let records: Vec<_> = (0..80).map(sample_usage).collect();
    let error = store.append_batch(&records).await.unwrap_err();
    assert!(error.is_temporary(), "{error}");
    assert_eq!(store.count(&UsageFilter::default()).await.unwrap(), 0);
    edit(store.path(), "DROP TRIGGER full").await;
    assert_eq!(store.append_batch(&records).await.unwrap(), 80);
}
