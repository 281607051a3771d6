#![doc = include_str!("../README.md")]

mod blocks_out;
mod citation;
mod decode;
mod decode_reply;
mod decode_stream;
mod egress;
mod encode;
mod encode_reply;
mod encode_stream;
mod errors;
mod fault;
mod ingress;
mod marks;
mod models;
mod pointer;
mod probe;
mod raw;
mod route;
mod splices;
mod stop;
mod usage;

use gw_core::DialectId;

/// Name of this format.
pub const ID: DialectId = DialectId("anthropic");

/// Vendor name on opaque state that this format carries as it is.
const VENDOR: &str = "anthropic";

/// Server side: answers Messages clients.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ingress;

/// Client side: calls servers that speak Messages.
#[derive(Debug, Clone, Copy, Default)]
pub struct Egress;
