#![doc = include_str!("../README.md")]

mod carrier;
mod citations;
mod decode;
mod decode_count;
mod decode_stream;
mod egress;
mod encode;
mod encode_reply;
mod encode_stream;
mod errors;
mod fault;
mod ingress;
mod logprobs;
mod mint;
mod models;
mod parts;
mod pointer;
mod probe;
mod reply_parts;
mod route;
mod schema;
mod splices;
mod stop;
mod streamed_call;
mod usage;
mod view;

#[cfg(test)]
mod tests;

use gw_core::DialectId;

pub use egress::Egress;
pub use ingress::Ingress;

/// Name of this wire format.
pub const ID: DialectId = DialectId("gemini");

/// Who mints the opaque state of this format.
pub(crate) const VENDOR: &str = "gemini";
