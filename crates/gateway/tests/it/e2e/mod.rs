//! The whole program over real sockets: the built binary as a process, mock providers next to it, clients in front.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod bad_input;
mod bad_upstream;
mod cancel;
mod client;
mod configuration;
mod crash;
mod dialect;
mod gateway;
mod http2;
mod keys;
mod ledger;
mod matrix;
mod mock_mode;
mod models;
mod native;
mod observability;
mod paths;
mod relay;
mod secrets;
mod shutdown;
mod streams;
mod upstream;
