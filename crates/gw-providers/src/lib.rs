#![doc = include_str!("../README.md")]

mod address;
mod base_url;
mod builtin;
mod capability_patch;
mod configured;
mod endpoint;
mod error;
mod headers;
mod models;
mod profile;
mod raw;
mod registry;
mod settings;

pub use configured::ConfiguredProvider;
pub use error::{BuildError, ProfileError};
pub use profile::Profile;
pub use registry::Registry;
pub use settings::ProviderSettings;
