//! What the configuration serves.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::routing::{MethodFilter, on};
use gw_config::Config;
use serde::Serialize;

use crate::router::{Route, Shared};

#[derive(Serialize)]
struct ModelsDto {
    models: Vec<ModelDto>,
    aliases: Vec<AliasDto>,
    default_provider: Option<String>,
    default_model: Option<String>,
}

#[derive(Serialize)]
struct ModelDto {
    name: String,
    provider: String,
    target: String,
    description: Option<String>,
}

#[derive(Serialize)]
struct AliasDto {
    name: String,
    target: String,
}

pub(super) fn routes() -> Vec<Route> {
    vec![Route { method: MethodFilter::GET, path: "/api/v1/models", handler: |method| on(method, list) }]
}

async fn list(State(shared): State<Arc<Shared>>) -> Json<ModelsDto> {
    Json(ModelsDto::of(&(shared.state.config)()))
}

impl ModelsDto {
    fn of(config: &Config) -> Self {
        let model = |model: &gw_config::Model| ModelDto {
            name: model.name.clone(),
            provider: model.provider.clone(),
            target: model.target.clone(),
            description: model.description.clone(),
        };
        let alias = |alias: &gw_config::Alias| AliasDto { name: alias.name.clone(), target: alias.target.clone() };
        Self {
            models: config.models.iter().map(model).collect(),
            aliases: config.aliases.iter().map(alias).collect(),
            default_provider: config.default_provider.clone(),
            default_model: config.default_model.clone(),
        }
    }
}
