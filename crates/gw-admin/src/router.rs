//! The table of endpoints as an HTTP service.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{MethodFilter, MethodRouter};
use http::StatusCode;

use crate::auth::Gate;
use crate::error::ApiError;
use crate::state::AdminState;
use crate::{auth, context, resources};

/// No request of this API is longer.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// What every handler can reach.
pub(crate) struct Shared {
    pub(crate) state: AdminState,
    pub(crate) gate: Gate,
}

/// One endpoint.
pub(crate) struct Route {
    pub(crate) method: MethodFilter,
    /// With `{id}` for a variable part.
    pub(crate) path: &'static str,
    pub(crate) handler: fn(MethodFilter) -> MethodRouter<Arc<Shared>>,
}

/// The admin API under `/api/v1/`. It expects whole paths, and a [`crate::RequestContext`] in the extensions of each
/// request.
pub fn router(state: AdminState) -> Router {
    let shared = Arc::new(Shared { state, gate: Gate::new() });
    let mut router = Router::new();
    for route in resources::routes() {
        router = router.route(route.path, (route.handler)(route.method));
    }
    router
        .fallback(|| async { ApiError::not_found("no such path; GET /api/v1/openapi.json lists all") })
        .method_not_allowed_fallback(|| async { ApiError::of_status(StatusCode::METHOD_NOT_ALLOWED) })
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(from_fn_with_state(Arc::clone(&shared), auth::layer))
        .layer(from_fn(context::layer))
        .with_state(shared)
}
