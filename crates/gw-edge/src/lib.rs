//! Data-plane HTTP: listener, entry, built-in endpoints, drain.
//!
//! This crate must not know any dialect or vendor: it finds the ingress that recognises a path and hands the call to the
//! pipeline.

mod body;
mod builtin;
mod cors;
mod entry;
mod key;
mod listener;
mod request_id;

pub use builtin::{AdminCall, AdminService, Hooks};
pub use cors::CorsPolicy;
pub use entry::{Edge, EdgeSettings, ReplyBody};
pub use listener::{Draining, ListenSettings, Server};
