//! The seams: what a dialect and a provider must offer, and what they are given.
//!
//! Everything here is sans-IO: no runtime, socket, clock or file. Time, ids and keys come in through contexts.

mod capabilities;
mod codec;
mod context;
mod egress;
mod grouping;
mod ingress;
mod provider;
mod read;
mod sealer;

pub use capabilities::{Capabilities, ForcedChoice, ReasoningStyle, Sampled, Structured, TokenParam};
pub use codec::{EventDecoder, EventEncoder, FrameSignal, Framing, Probe, ProbeReport, Verdict};
pub use context::{DecodeContext, EncodeContext, ReplyContext};
pub use egress::{CountReply, Egress, Encoded, RelayWants, RequestBody, UpstreamFault};
pub use grouping::{Group, GroupRole, group};
pub use ingress::{ErrorReply, Ingress, ModelCard, Peek, Route};
pub use provider::{Prepared, Provider, Speaks, UpstreamCall};
pub use read::{Fields, bad_json, text_or};
pub use sealer::{NoSealer, StateSealer};
