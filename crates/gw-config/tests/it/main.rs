//! Configuration from real files, as the gateway loads it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod environment;
mod errors;
mod files;
mod first_run;
mod laws;
mod support;
