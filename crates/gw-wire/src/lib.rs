//! Sans-IO bytes: JSON index and writer, splices, stream framers.
//!
//! This crate must not know any dialect or provider, nor sockets, clocks or runtimes. Everything is bounded: depth,
//! frame sizes and counts are limits given by the caller.

pub mod data_url;
mod json;
mod json_array;
mod limits;
mod splice;
mod sse;

pub use json::{Document, Json, JsonFault, JsonWriter, Kind, unescape, write_string};
pub use json_array::JsonArrayFramer;
pub use limits::Limits;
pub use splice::{Splice, splice};
pub use sse::{Frame, FrameTooLarge, SseFramer, one_line};

#[cfg(test)]
mod tests;
