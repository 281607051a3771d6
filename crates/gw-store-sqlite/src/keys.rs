//! Client keys in SQLite.

use async_trait::async_trait;
use gw_store::{KeyRecord, KeyRepo, StoreError};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqlitePool};

use crate::SqliteStore;
use crate::errors::{store_error, unique_column};

fn invalid(detail: String) -> StoreError {
    StoreError::InvalidRecord { what: "key", detail }
}

fn from_row(row: &SqliteRow) -> Result<KeyRecord, StoreError> {
    let column = |error: sqlx::Error| invalid(error.to_string());
    let hash: Vec<u8> = row.try_get("hash").map_err(column)?;
    let models: Option<String> = row.try_get("allowed_models").map_err(column)?;
    let allowed_models = models
        .map(|json| serde_json::from_str(&json).map_err(|error| invalid(format!("allowed_models: {error}"))))
        .transpose()?;
    Ok(KeyRecord {
        v: row.try_get("v").map_err(column)?,
        id: row.try_get("id").map_err(column)?,
        name: row.try_get("name").map_err(column)?,
        hash: hash.try_into().map_err(|_| invalid("hash: not 32 bytes".to_owned()))?,
        hint: row.try_get("hint").map_err(column)?,
        enabled: row.try_get("enabled").map_err(column)?,
        expires_at_ms: row.try_get("expires_at_ms").map_err(column)?,
        allowed_models,
        created_at_ms: row.try_get("created_at_ms").map_err(column)?,
        updated_at_ms: row.try_get("updated_at_ms").map_err(column)?,
    })
}

impl SqliteStore {
    fn key_error(&self, action: &'static str, error: &sqlx::Error) -> StoreError {
        match unique_column(error, "keys") {
            Some("id") => StoreError::Conflict { what: "key", field: "id" },
            Some("name") => StoreError::Conflict { what: "key", field: "name" },
            Some("hash") => StoreError::Conflict { what: "key", field: "key" },
            _ => store_error(&self.path, action, error),
        }
    }

    fn one_key(id: &str, done: &sqlx::sqlite::SqliteQueryResult) -> Result<(), StoreError> {
        if done.rows_affected() == 0 {
            return Err(StoreError::NotFound { what: "key", id: id.to_owned() });
        }
        Ok(())
    }
}

/// The counter that the triggers of the schema move.
pub(crate) async fn revision(readers: &SqlitePool, kind: &str) -> Result<u64, sqlx::Error> {
    let value: i64 =
        sqlx::query_scalar("SELECT value FROM revisions WHERE kind = $1").bind(kind).fetch_one(readers).await?;
    Ok(value.cast_unsigned())
}

#[async_trait]
impl KeyRepo for SqliteStore {
    async fn insert(&self, record: &KeyRecord) -> Result<(), StoreError> {
        let models = record.allowed_models.as_ref().map(serde_json::to_string).transpose();
        let models = models.map_err(|error| invalid(format!("allowed_models: {error}")))?;
        sqlx::query(
            "INSERT INTO keys (v, id, name, hash, hint, enabled, expires_at_ms, allowed_models, created_at_ms, \
             updated_at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(record.v)
        .bind(&record.id)
        .bind(&record.name)
        .bind(record.hash.as_slice())
        .bind(&record.hint)
        .bind(record.enabled)
        .bind(record.expires_at_ms)
        .bind(models)
        .bind(record.created_at_ms)
        .bind(record.updated_at_ms)
        .execute(&self.writer)
        .await
        .map_err(|error| self.key_error("storing a key", &error))?;
        Ok(())
    }

    async fn list(&self) -> Result<Vec<KeyRecord>, StoreError> {
        let rows = sqlx::query("SELECT * FROM keys ORDER BY created_at_ms, id")
            .fetch_all(&self.readers)
            .await
            .map_err(|error| store_error(&self.path, "listing keys", &error))?;
        rows.iter().map(from_row).collect()
    }

    async fn get_by_name(&self, name: &str) -> Result<Option<KeyRecord>, StoreError> {
        let row = sqlx::query("SELECT * FROM keys WHERE name = $1")
            .bind(name)
            .fetch_optional(&self.readers)
            .await
            .map_err(|error| store_error(&self.path, "reading a key", &error))?;
        row.as_ref().map(from_row).transpose()
    }

    async fn set_enabled(&self, id: &str, enabled: bool, now_ms: i64) -> Result<(), StoreError> {
        let done = sqlx::query("UPDATE keys SET enabled = $1, updated_at_ms = $2 WHERE id = $3")
            .bind(enabled)
            .bind(now_ms)
            .bind(id)
            .execute(&self.writer)
            .await
            .map_err(|error| self.key_error("changing a key", &error))?;
        Self::one_key(id, &done)
    }

    async fn rotate(&self, id: &str, new_hash: [u8; 32], new_hint: &str, now_ms: i64) -> Result<(), StoreError> {
        let done = sqlx::query("UPDATE keys SET hash = $1, hint = $2, updated_at_ms = $3 WHERE id = $4")
            .bind(new_hash.as_slice())
            .bind(new_hint)
            .bind(now_ms)
            .bind(id)
            .execute(&self.writer)
            .await
            .map_err(|error| self.key_error("rotating a key", &error))?;
        Self::one_key(id, &done)
    }

    async fn delete(&self, id: &str) -> Result<(), StoreError> {
        let done = sqlx::query("DELETE FROM keys WHERE id = $1")
            .bind(id)
            .execute(&self.writer)
            .await
            .map_err(|error| self.key_error("deleting a key", &error))?;
        Self::one_key(id, &done)
    }

    async fn revision(&self) -> Result<u64, StoreError> {
        revision(&self.readers, "keys").await.map_err(|error| store_error(&self.path, "reading the revision", &error))
    }
}
