//! Client keys: listed, made, switched, replaced, deleted.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::routing::{MethodFilter, on};
use gw_core::Secret;
use gw_identity::{KeyHash, generate, hint, new_key_id, validate_custom};
use gw_store::KeyRecord;
use http::StatusCode;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::ApiError;
use crate::router::{Route, Shared};
use crate::time;

const MAX_NAME_CHARACTERS: usize = 100;
const MAX_ALLOWED_MODELS: usize = 1000;

/// A key as it may be seen.
#[derive(Serialize)]
struct KeyDto {
    id: String,
    name: String,
    hint: String,
    enabled: bool,
    expires_at: Option<String>,
    allowed_models: Option<Vec<String>>,
    created_at: Option<String>,
    updated_at: Option<String>,
}

#[derive(Serialize)]
struct KeysDto {
    keys: Vec<KeyDto>,
}

/// A key at the only moment when it is known.
#[derive(Serialize)]
struct ShownKeyDto {
    #[serde(flatten)]
    record: KeyDto,
    key: String,
    warnings: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewKeyDto {
    name: String,
    key: Option<String>,
    expires_at: Option<String>,
    allowed_models: Option<Vec<String>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct RotateDto {
    key: Option<String>,
}

/// A key to be stored, with what the operator should know about it.
struct Material {
    key: Secret,
    warnings: Vec<String>,
}

pub(super) fn routes() -> Vec<Route> {
    const ONE: &str = "/api/v1/keys/{id}";
    vec![
        Route { method: MethodFilter::GET, path: "/api/v1/keys", handler: |method| on(method, list) },
        Route { method: MethodFilter::POST, path: "/api/v1/keys", handler: |method| on(method, create) },
        Route { method: MethodFilter::DELETE, path: ONE, handler: |method| on(method, delete) },
        Route { method: MethodFilter::POST, path: "/api/v1/keys/{id}/enable", handler: |method| on(method, enable) },
        Route { method: MethodFilter::POST, path: "/api/v1/keys/{id}/disable", handler: |method| on(method, disable) },
        Route { method: MethodFilter::POST, path: "/api/v1/keys/{id}/rotate", handler: |method| on(method, rotate) },
    ]
}

async fn list(State(shared): State<Arc<Shared>>) -> Result<Json<KeysDto>, ApiError> {
    let records = shared.state.keys.list().await?;
    Ok(Json(KeysDto { keys: records.into_iter().map(KeyDto::of).collect() }))
}

async fn create(State(shared): State<Arc<Shared>>, body: Bytes) -> Result<(StatusCode, Json<ShownKeyDto>), ApiError> {
    let wanted: NewKeyDto = parse_body(&body)?;
    let now_ms = (shared.state.now_ms)();
    let material = Material::of(&shared, wanted.key)?;
    let record = KeyRecord {
        v: KeyRecord::VERSION,
        id: new_key_id().map_err(|error| ApiError::internal(&error.to_string()))?,
        name: checked_name(&wanted.name)?,
        hash: KeyHash::of(material.key.expose()).0,
        hint: hint(material.key.expose()),
        enabled: true,
        expires_at_ms: checked_expiry(wanted.expires_at.as_deref(), now_ms)?,
        allowed_models: checked_models(wanted.allowed_models)?,
        created_at_ms: now_ms,
        updated_at_ms: now_ms,
    };
    shared.state.keys.insert(&record).await?;
    (shared.state.keys_changed)();
    tracing::info!(key_id = record.id, key_name = record.name, "key created");
    Ok((StatusCode::CREATED, Json(material.shown(record))))
}

async fn delete(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Result<StatusCode, ApiError> {
    shared.state.keys.delete(&id).await?;
    (shared.state.keys_changed)();
    tracing::info!(key_id = id, "key deleted");
    Ok(StatusCode::NO_CONTENT)
}

async fn enable(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Result<Json<KeyDto>, ApiError> {
    switch(&shared, &id, true).await
}

async fn disable(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Result<Json<KeyDto>, ApiError> {
    switch(&shared, &id, false).await
}

async fn switch(shared: &Shared, id: &str, enabled: bool) -> Result<Json<KeyDto>, ApiError> {
    shared.state.keys.set_enabled(id, enabled, (shared.state.now_ms)()).await?;
    (shared.state.keys_changed)();
    tracing::info!(key_id = id, enabled, "key switched");
    Ok(Json(KeyDto::of(find(shared, id).await?)))
}

async fn rotate(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<ShownKeyDto>, ApiError> {
    let wanted: RotateDto = if body.is_empty() { RotateDto::default() } else { parse_body(&body)? };
    let material = Material::of(&shared, wanted.key)?;
    let (hash, hint) = (KeyHash::of(material.key.expose()).0, hint(material.key.expose()));
    shared.state.keys.rotate(&id, hash, &hint, (shared.state.now_ms)()).await?;
    (shared.state.keys_changed)();
    tracing::info!(key_id = id, "key rotated");
    Ok(Json(material.shown(find(&shared, &id).await?)))
}

async fn find(shared: &Shared, id: &str) -> Result<KeyRecord, ApiError> {
    let records = shared.state.keys.list().await?;
    records.into_iter().find(|record| record.id == id).ok_or_else(|| ApiError::not_found("key does not exist"))
}

impl KeyDto {
    fn of(record: KeyRecord) -> Self {
        Self {
            expires_at: record.expires_at_ms.and_then(time::text),
            created_at: time::text(record.created_at_ms),
            updated_at: time::text(record.updated_at_ms),
            id: record.id,
            name: record.name,
            hint: record.hint,
            enabled: record.enabled,
            allowed_models: record.allowed_models,
        }
    }
}

impl Material {
    /// The key that the operator chose, checked, or a new one.
    fn of(shared: &Shared, chosen: Option<String>) -> Result<Self, ApiError> {
        if let Some(key) = chosen.map(Secret::new) {
            let warnings =
                validate_custom(key.expose()).map_err(|error| ApiError::bad_request(format!("`key`: {error}")))?;
            return Ok(Self { key, warnings: warnings.iter().map(ToString::to_string).collect() });
        }
        let key =
            generate(&(shared.state.config)().key_prefix).map_err(|error| ApiError::internal(&error.to_string()))?;
        Ok(Self { key, warnings: Vec::new() })
    }

    fn shown(self, record: KeyRecord) -> ShownKeyDto {
        ShownKeyDto { record: KeyDto::of(record), key: self.key.expose().to_owned(), warnings: self.warnings }
    }
}

fn parse_body<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice(body).map_err(|error| {
        // The parser quotes a value of the wrong type, which may be a key; of such an error only the place is told.
        let what = match error.classify() {
            serde_json::error::Category::Data if error.to_string().starts_with("invalid") => {
                format!("value of the wrong type at line {} column {}", error.line(), error.column())
            }
            _ => error.to_string(),
        };
        ApiError::bad_request(format!("body is not what is expected here: {what}; see /api/v1/openapi.json"))
    })
}

fn checked_name(name: &str) -> Result<String, ApiError> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > MAX_NAME_CHARACTERS || name.chars().any(char::is_control) {
        let message = format!("`name` must have 1 to {MAX_NAME_CHARACTERS} characters and no control characters");
        return Err(ApiError::bad_request(message));
    }
    Ok(name.to_owned())
}

fn checked_expiry(text: Option<&str>, now_ms: i64) -> Result<Option<i64>, ApiError> {
    let expiry = text.map(|text| time::parse("expires_at", text)).transpose()?;
    if expiry.is_some_and(|expiry| expiry <= now_ms) {
        return Err(ApiError::bad_request("`expires_at` is in the past; write a later time or leave it out"));
    }
    Ok(expiry)
}

fn checked_models(models: Option<Vec<String>>) -> Result<Option<Vec<String>>, ApiError> {
    let fits = |models: &Vec<String>| models.len() <= MAX_ALLOWED_MODELS && !models.iter().any(String::is_empty);
    if models.as_ref().is_none_or(fits) {
        return Ok(models);
    }
    Err(ApiError::bad_request(format!("`allowed_models` must be at most {MAX_ALLOWED_MODELS} names, none empty")))
}
