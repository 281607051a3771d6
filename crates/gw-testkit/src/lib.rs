//! Tests only: recorded traffic, contexts, stream drivers, client-side validators, coverage of canonical fields, and
//! generators. Nothing here ships in the binary; a broken expectation panics with what was expected.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "this crate is compiled into tests only"
)]

pub mod context;
pub mod corpus;
pub mod coverage;
pub mod dialect;
pub mod drive;
pub mod generate;
pub mod json;
pub mod oracle;
pub mod validate;
