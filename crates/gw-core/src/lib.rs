//! Vocabulary of the gateway: chat model, event grammar, usage, losses, errors, secrets.
//!
//! This crate must not know any wire format, socket, clock or database. Nothing in it implements serde, so that no
//! domain type can become a wire shape or a table by accident; dialects, stores and APIs own their shapes.

mod error;
mod event;
mod fold;
mod ids;
mod json;
mod law;
mod loss;
mod message;
mod reply;
mod request;
mod secret;
mod settle;
mod stop;
mod tool;
mod usage;

pub use error::{Blame, Code, GatewayError, Retry};
pub use event::{Delta, Event, PartOpening, PartRef, Start};
pub use fold::{Fold, unfold};
pub use ids::{DialectId, Operation};
pub use json::{Number, RawJson};
pub use law::{LawBroken, LawChecker};
pub use loss::{Field, Loss, LossAction, LossClass, Mode, Place};
pub use message::{
    CacheMark, Citation, CitationSource, Extra, Extras, Message, OpaqueState, Part, PartBody, Role, Source, StateKind,
};
pub use reply::{Candidate, ChatReply};
pub use request::{
    Cache, ChatRequest, Effort, Identity, Limits, Output, OutputFormat, Reasoning, Sampling, Service, State, Toggle,
    Visibility,
};
pub use secret::Secret;
pub use settle::EndReason;
pub use stop::Stop;
pub use tool::{Tool, ToolChoice, ToolKind};
pub use usage::{Provenance, Usage};
