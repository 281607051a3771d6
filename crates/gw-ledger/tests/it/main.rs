//! The journal as its users see it: files, crashes, a store that fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod crash;
mod damage;
mod life;
mod support;
