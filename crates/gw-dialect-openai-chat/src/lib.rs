#![doc = include_str!("../README.md")]

mod assemble;
mod carrier;
mod decode;
mod decode_reply;
mod decode_stream;
mod egress;
mod encode;
mod encode_reply;
mod encode_stream;
mod errors;
mod fault;
mod ids;
mod ingress;
mod media;
mod pointer;
mod probe;
mod route;
mod splices;
mod stop;
mod target;
mod usage;

use gw_core::DialectId;

pub use egress::Egress;
pub use ingress::Ingress;

/// Name of this format.
pub const ID: DialectId = DialectId("openai-chat");

/// Vendor whose opaque state this format carries as it is.
pub(crate) const VENDOR: &str = "openai";

#[cfg(test)]
mod tests;
