//! The dialect through its two ports.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    reason = "tests"
)]

mod corpus;
mod encoding;
mod losses;
mod relay;
mod replies;
mod requests;
mod streams;
mod support;
