//! What the handlers are given, and what they are told about the running gateway.

use std::sync::Arc;

use gw_config::Config;
use gw_store::{KeyRepo, UsageRepo};
use serde::Serialize;

/// Everything that the admin API works with. The callbacks are called once or more per request and must be quick.
#[derive(Clone)]
pub struct AdminState {
    /// Client keys.
    pub keys: Arc<dyn KeyRepo>,
    /// Settlement records.
    pub usage: Arc<dyn UsageRepo>,
    /// The configuration in force: its administrator, models and key prefix. A changed password counts at once.
    pub config: Arc<dyn Fn() -> Arc<Config> + Send + Sync>,
    /// What `/api/v1/status` says.
    pub status: Arc<dyn Fn() -> StatusFacts + Send + Sync>,
    /// Called after every change of a key, so that the gateway reloads its key index before the answer is sent.
    pub keys_changed: Arc<dyn Fn() + Send + Sync>,
    /// Unix milliseconds.
    pub now_ms: Arc<dyn Fn() -> i64 + Send + Sync>,
}

/// The state of the gateway as `/api/v1/status` shows it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct StatusFacts {
    /// Version of the program.
    pub version: String,
    /// Seconds since the start.
    pub uptime_seconds: u64,
    /// Revision of the configuration in force.
    pub config_revision: u64,
    /// Where it comes from, such as a path.
    pub config_source: String,
    /// All providers of the configuration.
    pub providers: Vec<ProviderFacts>,
    /// Client keys known to the gateway, those of the configuration included.
    pub keys: u64,
    /// The usage journal.
    pub journal: JournalFacts,
    /// Size of the database in bytes, if it is a file.
    pub database_bytes: Option<u64>,
}

/// One provider.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ProviderFacts {
    /// Its name in the configuration.
    pub name: String,
    /// Its type, such as `openai`.
    pub kind: String,
    /// Whether it may be used.
    pub enabled: bool,
}

/// The usage journal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct JournalFacts {
    /// Records appended since the start.
    pub appended: u64,
    /// Records that could not be appended since the start.
    pub failed: u64,
    /// Records that the database has not taken yet.
    pub pending: u64,
}

impl ProviderFacts {
    /// The providers of a configuration, in its order; nothing but names, types and switches.
    #[must_use]
    pub fn of(config: &Config) -> Vec<Self> {
        let facts = |provider: &gw_config::Provider| Self {
            name: provider.name.clone(),
            kind: provider.provider_type.clone(),
            enabled: provider.enabled,
        };
        config.providers.iter().map(facts).collect()
    }
}
