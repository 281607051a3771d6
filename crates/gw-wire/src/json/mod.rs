//! A JSON document as an index over its own text: one validating pass, then navigation without copying.
//!
//! Values keep their exact text, so numbers such as `1e400` or a 20-digit integer survive, and anything that a codec
//! does not understand can be passed on as it was written.

mod index;
mod text;
mod value;
mod write;

pub use index::{Document, JsonFault};
pub use text::{unescape, write_string};
pub use value::{Json, Kind};
pub use write::JsonWriter;
