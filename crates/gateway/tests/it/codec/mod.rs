//! All codecs against each other: a matrix of requests and replies, recorded traffic, and laws on random input.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

mod corpus;
mod dialects;
mod inputs;
mod laws;
mod matrix;
mod pains;
mod replies;
mod streams;
