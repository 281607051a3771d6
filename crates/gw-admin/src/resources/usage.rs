//! What was consumed: recent records and their sums.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::routing::{MethodFilter, on};
use gw_store::{EndReason, UsageFilter, UsageRecord, UsageTokens};
use serde::{Deserialize, Serialize};

use crate::error::ApiError;
use crate::router::{Route, Shared};
use crate::time;

const DEFAULT_LIMIT: u32 = 100;
const MAX_LIMIT: u32 = 1000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UsageQuery {
    limit: Option<u32>,
    key_id: Option<String>,
    provider: Option<String>,
    model: Option<String>,
    request_id: Option<String>,
    status: Option<u16>,
    end: Option<String>,
    from: Option<String>,
    to: Option<String>,
}

#[derive(Serialize)]
struct UsageDto {
    records: Vec<RecordDto>,
    totals: TotalsDto,
}

#[derive(Serialize)]
struct RecordDto {
    attempt_id: String,
    request_id: String,
    key_id: String,
    key_name: String,
    at: Option<String>,
    duration_ms: u64,
    first_byte_ms: Option<u64>,
    format: String,
    operation: String,
    model: String,
    provider: String,
    upstream_model: String,
    streaming: bool,
    status: u16,
    upstream_status: Option<u16>,
    end: &'static str,
    input_tokens: u64,
    output_tokens: u64,
    tokens: BTreeMap<&'static str, u64>,
    usage_provenance: &'static str,
    error_code: Option<String>,
    losses: Vec<String>,
    events_delivered: u64,
    bytes_delivered: u64,
}

#[derive(Serialize)]
struct TotalsDto {
    records: u64,
    input_tokens: u64,
    output_tokens: u64,
    tokens: BTreeMap<&'static str, u64>,
    events_delivered: u64,
    bytes_delivered: u64,
}

pub(super) fn routes() -> Vec<Route> {
    vec![Route { method: MethodFilter::GET, path: "/api/v1/usage", handler: |method| on(method, show) }]
}

async fn show(
    State(shared): State<Arc<Shared>>,
    query: Result<Query<UsageQuery>, QueryRejection>,
) -> Result<Json<UsageDto>, ApiError> {
    let Query(query) = query.map_err(|error| ApiError::bad_request(error.body_text()))?;
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    if limit > MAX_LIMIT {
        return Err(ApiError::bad_request(format!(
            "`limit` is above {MAX_LIMIT}; ask for less, or narrow `from` and `to`"
        )));
    }
    let filter = query.into_filter()?;
    let records = shared.state.usage.recent(limit, &filter).await?;
    let totals = shared.state.usage.totals(&filter).await?;
    Ok(Json(UsageDto {
        records: records.into_iter().map(RecordDto::of).collect(),
        totals: TotalsDto {
            records: totals.records,
            input_tokens: totals.usage.input_total(),
            output_tokens: totals.usage.output_total(),
            tokens: by_name(&totals.usage),
            events_delivered: totals.events_delivered,
            bytes_delivered: totals.bytes_delivered,
        },
    }))
}

impl UsageQuery {
    fn into_filter(self) -> Result<UsageFilter, ApiError> {
        let end = |name: String| {
            EndReason::from_name(&name).ok_or_else(|| {
                let names = EndReason::ALL.map(EndReason::as_str).join(", ");
                ApiError::bad_request(format!("`end` is not a known reason; write one of {names}"))
            })
        };
        Ok(UsageFilter {
            key_id: self.key_id,
            provider: self.provider,
            requested_model: self.model,
            request_id: self.request_id,
            status: self.status,
            end: self.end.map(end).transpose()?,
            from_ms: self.from.map(|text| time::parse("from", &text)).transpose()?,
            until_ms: self.to.map(|text| time::parse("to", &text)).transpose()?,
        })
    }
}

impl RecordDto {
    fn of(record: UsageRecord) -> Self {
        Self {
            at: time::text(record.at_ms),
            end: record.end.as_str(),
            input_tokens: record.usage.input_total(),
            output_tokens: record.usage.output_total(),
            tokens: by_name(&record.usage),
            usage_provenance: record.usage_provenance.as_str(),
            attempt_id: record.attempt_id,
            request_id: record.request_id,
            key_id: record.key_id,
            key_name: record.key_name,
            duration_ms: record.duration_ms,
            first_byte_ms: record.first_byte_ms,
            format: record.ingress,
            operation: record.operation,
            model: record.requested_model,
            provider: record.provider,
            upstream_model: record.upstream_model,
            streaming: record.streaming,
            status: record.status,
            upstream_status: record.upstream_status,
            error_code: record.error_code,
            losses: record.losses,
            events_delivered: record.events_delivered,
            bytes_delivered: record.bytes_delivered,
        }
    }
}

/// The fields of the vector that are not zero.
fn by_name(tokens: &UsageTokens) -> BTreeMap<&'static str, u64> {
    UsageTokens::FIELDS.into_iter().zip(tokens.to_array()).filter(|(_, value)| *value != 0).collect()
}
