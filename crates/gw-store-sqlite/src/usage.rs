//! Settlement records in SQLite.

use std::sync::Arc;

use async_trait::async_trait;
use gw_store::{
    EndReason, StoreError, UsageFilter, UsageProvenance, UsageRecord, UsageRepo, UsageSink, UsageTokens, UsageTotals,
};
use sqlx::query::Query;
use sqlx::sqlite::{Sqlite, SqliteArguments, SqliteRow};
use sqlx::{AssertSqlSafe, QueryBuilder, Row};

use crate::SqliteStore;
use crate::errors::store_error;

/// Columns before those of [`UsageTokens::FIELDS`], in the order in which [`bind`] binds them.
const COLUMNS: [&str; 22] = [
    "attempt_id",
    "v",
    "request_id",
    "key_id",
    "key_name",
    "at_ms",
    "duration_ms",
    "first_byte_ms",
    "ingress",
    "operation",
    "requested_model",
    "provider",
    "upstream_model",
    "streaming",
    "status",
    "upstream_status",
    "end_reason",
    "usage_provenance",
    "error_code",
    "losses",
    "events_delivered",
    "bytes_delivered",
];

/// Rows per statement, largest first. Few sizes, so that each statement is prepared once and then found in the cache;
/// many rows per statement, because handing a statement to the writer's thread costs more than the insertion.
const ROWS_PER_STATEMENT: [usize; 3] = [64, 8, 1];

type Insert<'q> = Query<'q, Sqlite, SqliteArguments>;

/// SQLite has signed integers only; a count beyond them is stored as the largest.
fn stored(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn insert_statement(rows: usize) -> String {
    let width = COLUMNS.len() + UsageTokens::COUNT;
    // Bare `?`, not `$1`: the driver looks every parameter's name up, and SQLite finds a name by walking a list.
    let row = format!("({})", vec!["?"; width].join(", "));
    format!(
        "INSERT INTO usage_records ({}, {}) VALUES {} ON CONFLICT (attempt_id) DO NOTHING",
        COLUMNS.join(", "),
        UsageTokens::FIELDS.join(", "),
        vec![row; rows].join(", ")
    )
}

fn bind<'q>(query: Insert<'q>, record: &'q UsageRecord) -> Result<Insert<'q>, StoreError> {
    let losses = if record.losses.is_empty() { None } else { Some(serde_json::to_string(&record.losses)) };
    let losses = losses
        .transpose()
        .map_err(|error| StoreError::InvalidRecord { what: "usage record", detail: format!("losses: {error}") })?;
    let mut query = query
        .bind(&record.attempt_id)
        .bind(record.v)
        .bind(&record.request_id)
        .bind(&record.key_id)
        .bind(&record.key_name)
        .bind(record.at_ms)
        .bind(stored(record.duration_ms))
        .bind(record.first_byte_ms.map(stored))
        .bind(&record.ingress)
        .bind(&record.operation)
        .bind(&record.requested_model)
        .bind(&record.provider)
        .bind(&record.upstream_model)
        .bind(record.streaming)
        .bind(record.status)
        .bind(record.upstream_status)
        .bind(record.end.as_str())
        .bind(record.usage_provenance.as_str())
        .bind(record.error_code.as_deref())
        .bind(losses)
        .bind(stored(record.events_delivered))
        .bind(stored(record.bytes_delivered));
    for value in record.usage.to_array() {
        query = query.bind(stored(value));
    }
    Ok(query)
}

fn invalid(detail: String) -> StoreError {
    StoreError::InvalidRecord { what: "usage record", detail }
}

fn from_row(row: &SqliteRow) -> Result<UsageRecord, StoreError> {
    let column = |error: sqlx::Error| invalid(error.to_string());
    let text = |name: &str| row.try_get::<String, _>(name).map_err(column);
    let count = |name: &str| row.try_get::<i64, _>(name).map(i64::cast_unsigned).map_err(column);
    let mut usage = [0; UsageTokens::COUNT];
    for (value, name) in usage.iter_mut().zip(UsageTokens::FIELDS) {
        *value = count(name)?;
    }
    let end = text("end_reason")?;
    let provenance = text("usage_provenance")?;
    let losses: Option<String> = row.try_get("losses").map_err(column)?;
    let losses = losses.map(|json| serde_json::from_str(&json).map_err(|error| invalid(format!("losses: {error}"))));
    Ok(UsageRecord {
        v: row.try_get("v").map_err(column)?,
        attempt_id: text("attempt_id")?,
        request_id: text("request_id")?,
        key_id: text("key_id")?,
        key_name: text("key_name")?,
        at_ms: row.try_get("at_ms").map_err(column)?,
        duration_ms: count("duration_ms")?,
        first_byte_ms: row.try_get::<Option<i64>, _>("first_byte_ms").map_err(column)?.map(i64::cast_unsigned),
        ingress: text("ingress")?,
        operation: text("operation")?,
        requested_model: text("requested_model")?,
        provider: text("provider")?,
        upstream_model: text("upstream_model")?,
        streaming: row.try_get("streaming").map_err(column)?,
        status: row.try_get("status").map_err(column)?,
        upstream_status: row.try_get("upstream_status").map_err(column)?,
        end: EndReason::from_name(&end).ok_or_else(|| invalid(format!("end_reason: unknown `{end}`")))?,
        usage: UsageTokens::from_array(usage),
        usage_provenance: UsageProvenance::from_name(&provenance)
            .ok_or_else(|| invalid(format!("usage_provenance: unknown `{provenance}`")))?,
        error_code: row.try_get("error_code").map_err(column)?,
        losses: losses.transpose()?.unwrap_or_default(),
        events_delivered: count("events_delivered")?,
        bytes_delivered: count("bytes_delivered")?,
    })
}

fn push_filter(builder: &mut QueryBuilder<Sqlite>, filter: &UsageFilter) {
    builder.push(" WHERE 1 = 1");
    let texts = [
        (" AND key_id = ", filter.key_id.as_deref()),
        (" AND provider = ", filter.provider.as_deref()),
        (" AND requested_model = ", filter.requested_model.as_deref()),
        (" AND request_id = ", filter.request_id.as_deref()),
        (" AND end_reason = ", filter.end.map(EndReason::as_str)),
    ];
    for (condition, value) in texts {
        if let Some(value) = value {
            builder.push(condition).push_bind(value.to_owned());
        }
    }
    let numbers = [
        (" AND status = ", filter.status.map(i64::from)),
        (" AND at_ms >= ", filter.from_ms),
        (" AND at_ms < ", filter.until_ms),
    ];
    for (condition, value) in numbers {
        if let Some(value) = value {
            builder.push(condition).push_bind(value);
        }
    }
}

/// A sum as two halves: SQLite's `sum` fails when it leaves 64 bits, and its `total` is a float.
fn push_sum(builder: &mut QueryBuilder<Sqlite>, column: &str) {
    builder.push(format_args!(", COALESCE(SUM({column} >> 32), 0), COALESCE(SUM({column} & 4294967295), 0)"));
}

fn joined(high: i64, low: i64) -> u64 {
    let sum = (i128::from(high) << 32) + i128::from(low);
    u64::try_from(sum).unwrap_or(u64::MAX)
}

#[async_trait]
impl UsageSink for SqliteStore {
    async fn append_batch(&self, records: &[UsageRecord]) -> Result<usize, StoreError> {
        if records.is_empty() {
            return Ok(0);
        }
        let failed = |error: sqlx::Error| store_error(&self.path, "storing usage records", &error);
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        let mut new = 0;
        let mut rest = records;
        for rows in ROWS_PER_STATEMENT {
            if rest.len() < rows {
                continue;
            }
            let sql = Arc::new(insert_statement(rows));
            while let Some((chunk, after)) = rest.split_at_checked(rows) {
                let mut query = sqlx::query(AssertSqlSafe(Arc::clone(&sql)));
                for record in chunk {
                    query = bind(query, record)?;
                }
                new += query.execute(&mut *transaction).await.map_err(failed)?.rows_affected();
                rest = after;
            }
        }
        transaction.commit().await.map_err(failed)?;
        Ok(usize::try_from(new).unwrap_or(usize::MAX))
    }
}

#[async_trait]
impl UsageRepo for SqliteStore {
    async fn recent(&self, limit: u32, filter: &UsageFilter) -> Result<Vec<UsageRecord>, StoreError> {
        let mut builder = QueryBuilder::new("SELECT * FROM usage_records");
        push_filter(&mut builder, filter);
        builder.push(" ORDER BY at_ms DESC, attempt_id DESC LIMIT ").push_bind(limit);
        let rows = builder
            .build()
            .fetch_all(&self.readers)
            .await
            .map_err(|error| store_error(&self.path, "reading usage records", &error))?;
        rows.iter().map(from_row).collect()
    }

    async fn count(&self, filter: &UsageFilter) -> Result<u64, StoreError> {
        let mut builder = QueryBuilder::new("SELECT count(*) FROM usage_records");
        push_filter(&mut builder, filter);
        let count: i64 = builder
            .build_query_scalar()
            .fetch_one(&self.readers)
            .await
            .map_err(|error| store_error(&self.path, "counting usage records", &error))?;
        Ok(count.cast_unsigned())
    }

    async fn totals(&self, filter: &UsageFilter) -> Result<UsageTotals, StoreError> {
        let failed = |error: sqlx::Error| store_error(&self.path, "summing usage records", &error);
        let mut builder = QueryBuilder::new("SELECT count(*)");
        for column in UsageTokens::FIELDS.into_iter().chain(["events_delivered", "bytes_delivered"]) {
            push_sum(&mut builder, column);
        }
        builder.push(" FROM usage_records");
        push_filter(&mut builder, filter);
        let row = builder.build().fetch_one(&self.readers).await.map_err(failed)?;
        let sum = |position: usize| -> Result<u64, StoreError> {
            let high = row.try_get(1 + 2 * position).map_err(failed)?;
            let low = row.try_get(2 + 2 * position).map_err(failed)?;
            Ok(joined(high, low))
        };
        let mut usage = [0; UsageTokens::COUNT];
        for (position, value) in usage.iter_mut().enumerate() {
            *value = sum(position)?;
        }
        Ok(UsageTotals {
            records: row.try_get::<i64, _>(0).map_err(failed)?.cast_unsigned(),
            usage: UsageTokens::from_array(usage),
            events_delivered: sum(UsageTokens::COUNT)?,
            bytes_delivered: sum(UsageTokens::COUNT + 1)?,
        })
    }

    async fn delete_before(&self, before_ms: i64, limit: u32) -> Result<u64, StoreError> {
        let done = sqlx::query(
            "DELETE FROM usage_records WHERE rowid IN \
             (SELECT rowid FROM usage_records WHERE at_ms < $1 ORDER BY at_ms, attempt_id LIMIT $2)",
        )
        .bind(before_ms)
        .bind(limit)
        .execute(&self.writer)
        .await
        .map_err(|error| store_error(&self.path, "deleting old usage records", &error))?;
        Ok(done.rows_affected())
    }
}
