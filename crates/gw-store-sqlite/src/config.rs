//! Configuration documents in SQLite.

use async_trait::async_trait;
use gw_store::{ConfigDocument, ConfigRepo, StoreError};
use sqlx::Row;

use crate::SqliteStore;
use crate::errors::store_error;
use crate::keys::revision;

#[async_trait]
impl ConfigRepo for SqliteStore {
    async fn get(&self, name: &str) -> Result<Option<ConfigDocument>, StoreError> {
        let failed = |error: sqlx::Error| store_error(&self.path, "reading a configuration document", &error);
        let row = sqlx::query("SELECT body, revision, updated_at_ms FROM config_documents WHERE name = $1")
            .bind(name)
            .fetch_optional(&self.readers)
            .await
            .map_err(failed)?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(ConfigDocument {
            name: name.to_owned(),
            body: row.try_get("body").map_err(failed)?,
            revision: row.try_get::<i64, _>("revision").map_err(failed)?.cast_unsigned(),
            updated_at_ms: row.try_get("updated_at_ms").map_err(failed)?,
        }))
    }

    async fn put(
        &self,
        name: &str,
        body: &str,
        expected_revision: Option<u64>,
        now_ms: i64,
    ) -> Result<u64, StoreError> {
        let failed = |error: sqlx::Error| store_error(&self.path, "storing a configuration document", &error);
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        let found: Option<i64> = sqlx::query_scalar("SELECT revision FROM config_documents WHERE name = $1")
            .bind(name)
            .fetch_optional(&mut *transaction)
            .await
            .map_err(failed)?;
        let found = found.unwrap_or(0).cast_unsigned();
        if let Some(expected) = expected_revision.filter(|expected| *expected != found) {
            return Err(StoreError::RevisionMismatch { name: name.to_owned(), expected, found });
        }
        let revision = found + 1;
        sqlx::query(
            "INSERT INTO config_documents (name, body, revision, updated_at_ms) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (name) DO UPDATE SET body = $2, revision = $3, updated_at_ms = $4",
        )
        .bind(name)
        .bind(body)
        .bind(revision.cast_signed())
        .bind(now_ms)
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
        Ok(revision)
    }

    async fn config_revision(&self) -> Result<u64, StoreError> {
        revision(&self.readers, "config").await.map_err(|error| store_error(&self.path, "reading the revision", &error))
    }
}
