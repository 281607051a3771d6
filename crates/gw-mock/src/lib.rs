#![doc = include_str!("../README.md")]

mod answer;
mod anthropic;
mod behaviour;
mod bench;
mod body;
mod call;
mod endpoint;
mod failure;
mod fields;
mod gemini;
mod journal;
mod openai;
mod prompt;
mod route;
mod schema;
mod script;
mod server;
mod service;
mod signature;

pub use behaviour::{Behaviour, OptionError};
pub use bench::Bench;
pub use body::MockBody;
pub use journal::{Outcome, Recorded};
pub use server::{MockServer, serve};
pub use service::{ConnectionReset, MockService, OPTIONS_HEADER, Settings};
