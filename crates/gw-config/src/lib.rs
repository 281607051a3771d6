//! Configuration: raw files and environment to one checked, typed form.
//!
//! Knows files and variables; must not know dialects, HTTP, sockets or any provider beyond the type names it is given.

mod check;
mod config;
mod dotenv;
mod environment;
mod first_run;
mod interpolate;
mod json;
mod kind;
mod load;
mod problem;
mod raw;
mod reader;
mod suggest;
mod types;
mod watch;
mod yaml;

pub use crate::config::*;
pub use crate::environment::{ENVIRONMENT, EnvState, EnvVar, environment_markdown};
pub use crate::first_run::{TEMPLATE, first_run};
pub use crate::load::{CliOverrides, Loaded, Sources, load, resolve_config_path};
pub use crate::problem::{ConfigError, ConfigErrors, Origin, Warning};

pub use crate::types::{ProviderType, TypeCatalog};
pub use crate::watch::fingerprint;
pub use gw_core::Secret;
