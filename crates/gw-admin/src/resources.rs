//! One module per noun of the API.

pub(crate) mod keys;
mod models;
mod openapi;
mod status;
mod usage;

use crate::router::Route;

/// Every endpoint; the OpenAPI document lists the same.
pub(crate) fn routes() -> Vec<Route> {
    [status::routes(), keys::routes(), usage::routes(), models::routes(), openapi::routes()]
        .into_iter()
        .flatten()
        .collect()
}
