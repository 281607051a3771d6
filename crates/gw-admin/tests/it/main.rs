//! The admin API as its clients see it, over the memory store.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod access;
mod keys;
mod reading;
mod support;
