//! What runs here.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::routing::{MethodFilter, on};

use crate::router::{Route, Shared};
use crate::state::StatusFacts;

pub(super) fn routes() -> Vec<Route> {
    vec![Route { method: MethodFilter::GET, path: "/api/v1/status", handler: |method| on(method, show) }]
}

async fn show(State(shared): State<Arc<Shared>>) -> Json<StatusFacts> {
    Json((shared.state.status)())
}
