//! The memory adapter against the conformance suite.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use gw_store::{MemoryStore, conformance};

#[tokio::test]
async fn keys() {
    conformance::key_repo(&MemoryStore::new()).await.unwrap();
}

#[tokio::test]
async fn usage() {
    let store = MemoryStore::new();
    conformance::usage(&store, &store).await.unwrap();
}

#[tokio::test]
async fn config() {
    conformance::config_repo(&MemoryStore::new()).await.unwrap();
}
