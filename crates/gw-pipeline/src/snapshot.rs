//! Everything a call needs to know about the configuration, compiled once and swapped whole.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use gw_core::{Code, GatewayError, Mode};
use gw_spi::{ModelCard, Provider};
use gw_wire::Limits;

/// Deadlines towards one provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Until the first byte of the answer (the first event of a stream).
    pub first_byte: Duration,
    /// Between two bytes of an answer.
    pub idle: Duration,
    /// For a whole answer that is not a stream. Streams are never cut while they are active.
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { first_byte: Duration::from_secs(300), idle: Duration::from_secs(120), total: Duration::from_secs(600) }
    }
}

/// A provider in service.
pub struct ProviderEntry {
    /// Configured name.
    pub name: Arc<str>,
    /// The provider.
    pub provider: Arc<dyn Provider>,
    /// Model for requests that name none.
    pub default_model: Option<String>,
    /// Models that may be asked for; empty means any.
    pub allowed_models: Vec<String>,
    /// Deadlines.
    pub timeouts: Timeouts,
}

/// A model name that clients use.
#[derive(Clone)]
pub struct ModelEntry {
    /// Who serves it.
    pub provider: Arc<ProviderEntry>,
    /// Name that the provider knows.
    pub upstream: String,
}

/// Limits and switches.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Largest request body in bytes.
    pub body_limit: usize,
    /// Largest answer that is not a stream, and largest stream event, in bytes.
    pub reply_limit: usize,
    /// JSON bounds.
    pub limits: Limits,
    /// Strictness about losses unless a request says otherwise.
    pub mode: Mode,
    /// Silence after which a stream gets a heartbeat.
    pub heartbeat: Duration,
    /// How long the response head waits for the first meaningful event.
    pub head_wait: Duration,
    /// Native paths outside the white list are relayed too.
    pub full_proxy: bool,
    /// Further native paths that are relayed.
    pub native_paths: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            body_limit: 10 * 1024 * 1024,
            reply_limit: 64 * 1024 * 1024,
            limits: Limits::default(),
            mode: Mode::Default,
            heartbeat: Duration::from_secs(15),
            head_wait: Duration::from_secs(10),
            full_proxy: false,
            native_paths: Vec::new(),
        }
    }
}

/// What a snapshot is made of.
#[derive(Default)]
pub struct SnapshotParts {
    /// Providers in configured order.
    pub providers: Vec<Arc<ProviderEntry>>,
    /// Client model names.
    pub models: HashMap<String, ModelEntry>,
    /// Alternative names.
    pub aliases: HashMap<String, String>,
    /// Who serves unknown models.
    pub default_provider: Option<Arc<ProviderEntry>>,
    /// Model for requests that name none.
    pub default_model: Option<String>,
    /// Limits and switches.
    pub settings: Settings,
    /// Model list.
    pub catalogue: Vec<ModelCard>,
}

/// One immutable state of the configuration.
pub struct Snapshot {
    parts: SnapshotParts,
    by_name: HashMap<Arc<str>, Arc<ProviderEntry>>,
}

impl Snapshot {
    /// Compiles the parts.
    #[must_use]
    pub fn new(parts: SnapshotParts) -> Self {
        let by_name = parts.providers.iter().map(|entry| (Arc::clone(&entry.name), Arc::clone(entry))).collect();
        Self { parts, by_name }
    }

    /// Limits and switches.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.parts.settings
    }

    /// All models that clients can name.
    #[must_use]
    pub fn catalogue(&self) -> &[ModelCard] {
        &self.parts.catalogue
    }

    /// Providers in service.
    #[must_use]
    pub fn providers(&self) -> &[Arc<ProviderEntry>] {
        &self.parts.providers
    }

    /// Who serves a native call that names no model (polling a task, reading a stored answer): the default provider, or
    /// the only one.
    #[must_use]
    pub fn nameless(&self) -> Option<ModelEntry> {
        let only = || match self.parts.providers.as_slice() {
            [only] => Some(only),
            _ => None,
        };
        let provider = self.parts.default_provider.as_ref().or_else(only)?;
        Some(ModelEntry { provider: Arc::clone(provider), upstream: String::new() })
    }

    /// Who serves a requested model, and under which name.
    ///
    /// Order: a configured model; an alias; `provider/model` (the part after the first `/` is passed on unchanged);
    /// the default provider.
    ///
    /// # Errors
    /// `unknown_model` when none of these applies, `bad_request` when no model is named and there is no default.
    pub fn resolve(&self, requested: Option<&str>) -> Result<ModelEntry, GatewayError> {
        let Some(requested) = requested.filter(|name| !name.is_empty()) else {
            return self.resolve_absent();
        };
        let entry = self.find(requested).ok_or_else(|| unknown(requested))?;
        if !entry.provider.allowed_models.is_empty() && !entry.provider.allowed_models.contains(&entry.upstream) {
            return Err(unknown(requested));
        }
        Ok(entry)
    }

    /// Follows aliases, which the configuration keeps free of circles; the bound is for whoever builds a snapshot by hand.
    fn unaliased<'n>(&'n self, requested: &'n str) -> &'n str {
        let mut name = requested;
        for _ in 0..ALIAS_STEPS {
            match self.parts.aliases.get(name) {
                Some(target) => name = target,
                None => break,
            }
        }
        name
    }

    fn find(&self, requested: &str) -> Option<ModelEntry> {
        let name = self.unaliased(requested);
        if let Some(entry) = self.parts.models.get(name) {
            return Some(entry.clone());
        }
        if let Some((provider, model)) = name.split_once('/')
            && let Some(provider) = self.by_name.get(provider)
            && !model.is_empty()
        {
            return Some(ModelEntry { provider: Arc::clone(provider), upstream: model.to_owned() });
        }
        let provider = self.parts.default_provider.as_ref()?;
        Some(ModelEntry { provider: Arc::clone(provider), upstream: name.to_owned() })
    }

    fn resolve_absent(&self) -> Result<ModelEntry, GatewayError> {
        if let Some(model) = self.parts.default_model.as_deref() {
            return self.find(model).ok_or_else(|| unknown(model));
        }
        let provider = self.parts.default_provider.as_ref();
        match provider.and_then(|provider| provider.default_model.clone().map(|model| (provider, model))) {
            Some((provider, upstream)) => Ok(ModelEntry { provider: Arc::clone(provider), upstream }),
            None => Err(GatewayError::bad_field("model", "'model' is required: no default model is configured")),
        }
    }
}

/// Longest chain of aliases.
const ALIAS_STEPS: usize = 16;

fn unknown(requested: &str) -> GatewayError {
    let shown: String = requested.chars().take(200).collect();
    GatewayError::new(
        Code::UnknownModel,
        format!("no provider serves the model '{shown}'; GET /v1/models lists what this key may use"),
    )
    .with_param("model")
}
