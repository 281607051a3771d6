//! The description of this API.

use axum::response::IntoResponse;
use axum::routing::{MethodFilter, on};
use http::header;

use crate::router::Route;

const DOCUMENT: &str = include_str!("openapi.json");

pub(super) fn routes() -> Vec<Route> {
    vec![Route { method: MethodFilter::GET, path: "/api/v1/openapi.json", handler: |method| on(method, show) }]
}

async fn show() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_document_lists_the_endpoints_of_the_router() {
        let document: serde_json::Value = serde_json::from_str(DOCUMENT).unwrap();
        let mut described = BTreeSet::new();
        for (path, methods) in document["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                let method = match method.as_str() {
                    "get" => MethodFilter::GET,
                    "post" => MethodFilter::POST,
                    "delete" => MethodFilter::DELETE,
                    other => panic!("{other} of {path}"),
                };
                assert!(operation["summary"].is_string() && operation["responses"].is_object(), "{path}");
                described.insert(format!("{method:?} {path}"));
            }
        }
        let served: BTreeSet<_> =
            super::super::routes().into_iter().map(|route| format!("{:?} {}", route.method, route.path)).collect();
        assert_eq!(described, served);
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document: serde_json::Value = serde_json::from_str(DOCUMENT).unwrap();
        let references: BTreeSet<_> =
            DOCUMENT.split("\"#").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        assert!(references.len() > 3);
        for reference in references {
            assert!(document.pointer(reference).is_some(), "{reference}");
        }
    }
}
