//! Compiles the checked configuration into the snapshot that requests read.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use gw_config::{Config, Fidelity};
use gw_core::{Mode, Secret};
use gw_pipeline::{ModelEntry, ProviderEntry, Settings, Snapshot, SnapshotParts, Timeouts};
use gw_providers::{ProviderSettings, Registry};
use gw_spi::ModelCard;
use gw_wire::Limits;

use crate::mock::MockPool;

const YEAR: Duration = Duration::from_secs(365 * 24 * 3_600);

/// Kind whose providers are answered inside the gateway.
const MOCK: &str = "mock";

/// Builds every provider once, to find settings that cannot work before anything starts.
pub(crate) fn check(config: &Config, registry: &Registry) -> anyhow::Result<()> {
    if config.https.is_some() {
        bail!("server.https: serving TLS is not built in yet; put a TLS proxy in front and set 'enabled: false'");
    }
    for provider in config.providers.iter().filter(|provider| provider.enabled) {
        let mut settings = settings_of(provider);
        if provider.provider_type == MOCK {
            settings.base_url.get_or_insert_with(|| "http://127.0.0.1:1".to_owned());
            settings.options_json = None;
        }
        registry.build(&settings)?;
    }
    Ok(())
}

/// Compiles a snapshot.
pub(crate) async fn compile(config: &Config, registry: &Registry, mocks: &mut MockPool) -> anyhow::Result<Snapshot> {
    let mut providers = Vec::new();
    for provider in config.providers.iter().filter(|provider| provider.enabled || config.mock_mode) {
        let mut settings = settings_of(provider);
        let simulated = provider.provider_type == MOCK;
        if simulated || config.mock_mode {
            let options = simulated.then_some(&provider.options).into_iter().flatten();
            let url = mocks.url(options).await.with_context(|| format!("providers.{}", provider.name))?;
            if config.mock_mode || settings.base_url.is_none() {
                settings.base_url = Some(url);
            }
            settings.api_key = Some(Secret::new("mock"));
            settings.options_json = None;
        }
        let built = registry.build(&settings)?;
        providers.push(Arc::new(ProviderEntry {
            name: provider.name.as_str().into(),
            provider: built,
            default_model: provider.default_model.clone(),
            allowed_models: provider.allowed_models.clone(),
            timeouts: Timeouts {
                first_byte: provider.timeouts.first_byte,
                idle: provider.timeouts.idle,
                total: provider.timeouts.total,
            },
        }));
    }
    if config.mock_mode {
        simulate_vendors(&mut providers, registry, mocks).await?;
    }
    let by_name: HashMap<&str, &Arc<ProviderEntry>> =
        providers.iter().map(|provider| (provider.name.as_ref(), provider)).collect();
    let default_provider = config.default_provider.as_deref().and_then(|name| by_name.get(name));
    let models = models(config, &providers, &by_name);
    let parts = SnapshotParts {
        default_provider: default_provider.map(|provider| Arc::clone(provider)),
        default_model: config.default_model.clone(),
        aliases: config.aliases.iter().map(|alias| (alias.name.clone(), alias.target.clone())).collect(),
        settings: settings(config),
        catalogue: Vec::new(),
        models,
        providers,
    };
    let cards = catalogue(config, &parts);
    Ok(Snapshot::new(SnapshotParts { catalogue: cards, ..parts }))
}

/// Vendors that mock mode offers besides what is configured, each in its own format, with a model to try.
const SIMULATED: [(&str, &str); 3] =
    [("openai", "gpt-4o"), ("anthropic", "claude-sonnet-4-5"), ("gemini", "gemini-2.5-flash")];

/// In mock mode `openai/...`, `anthropic/...` and `gemini/...` answer even when nothing is configured, so that every
/// translation can be tried without a key.
async fn simulate_vendors(
    providers: &mut Vec<Arc<ProviderEntry>>,
    registry: &Registry,
    mocks: &mut MockPool,
) -> anyhow::Result<()> {
    for (kind, model) in SIMULATED {
        if providers.iter().any(|provider| provider.name.as_ref() == kind) {
            continue;
        }
        let settings = ProviderSettings {
            name: kind.to_owned(),
            kind: kind.to_owned(),
            base_url: Some(mocks.url(None).await?),
            api_key: Some(Secret::new("mock")),
            ..ProviderSettings::default()
        };
        providers.push(Arc::new(ProviderEntry {
            name: kind.into(),
            provider: registry.build(&settings)?,
            default_model: Some(model.to_owned()),
            allowed_models: Vec::new(),
            timeouts: Timeouts::default(),
        }));
    }
    Ok(())
}

fn settings_of(provider: &gw_config::Provider) -> ProviderSettings {
    let options: Vec<String> = provider.options.iter().map(|(name, json)| format!("{}:{json}", quoted(name))).collect();
    ProviderSettings {
        name: provider.name.clone(),
        kind: provider.provider_type.clone(),
        base_url: provider.base_url.clone(),
        api_key: provider.api_key.clone(),
        organization: provider.organization.clone(),
        project: provider.project.clone(),
        headers: provider.headers.iter().map(|(name, value)| (name.clone(), value.expose().to_owned())).collect(),
        default_model: provider.default_model.clone(),
        api_version: provider.api_version.clone(),
        options_json: (!options.is_empty()).then(|| format!("{{{}}}", options.join(","))),
    }
}

fn quoted(text: &str) -> String {
    let mut out = Vec::new();
    gw_wire::write_string(text, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// Configured names first; then each provider's own models under their bare names, first provider first.
fn models(
    config: &Config,
    providers: &[Arc<ProviderEntry>],
    by_name: &HashMap<&str, &Arc<ProviderEntry>>,
) -> HashMap<String, ModelEntry> {
    let mut models = HashMap::new();
    for model in &config.models {
        if let Some(provider) = by_name.get(model.provider.as_str()) {
            let entry = ModelEntry { provider: Arc::clone(provider), upstream: model.target.clone() };
            models.insert(model.name.clone(), entry);
        }
    }
    for provider in providers {
        for name in provider.allowed_models.iter().chain(&provider.default_model) {
            models
                .entry(name.clone())
                .or_insert_with(|| ModelEntry { provider: Arc::clone(provider), upstream: name.clone() });
        }
    }
    models
}

fn catalogue(config: &Config, parts: &SnapshotParts) -> Vec<ModelCard> {
    let created = gw_pipeline::now_ms() / 1_000;
    let card = |name: &str, entry: &ModelEntry| {
        let capabilities = entry.provider.provider.capabilities(&entry.upstream);
        let described = config.models.iter().find(|model| model.name == *name);
        ModelCard {
            id: name.to_owned(),
            owner: entry.provider.name.as_ref().to_owned(),
            display_name: described.and_then(|model| model.description.clone()),
            max_output: capabilities.max_output,
            context: capabilities.context,
            created,
        }
    };
    let mut cards: Vec<ModelCard> = parts.models.iter().map(|(name, entry)| card(name, entry)).collect();
    // An alias is listed where it leads, through other aliases and to `provider/model` alike.
    let whole = Snapshot::new(SnapshotParts {
        providers: parts.providers.clone(),
        models: parts.models.clone(),
        aliases: parts.aliases.clone(),
        ..SnapshotParts::default()
    });
    for alias in parts.aliases.keys() {
        if let Ok(entry) = whole.resolve(Some(alias)) {
            cards.push(card(alias, &entry));
        }
    }
    let mut seen = BTreeSet::new();
    cards.retain(|card| seen.insert(card.id.clone()));
    cards.sort_by(|left, right| left.id.cmp(&right.id));
    cards
}

fn settings(config: &Config) -> Settings {
    let bytes = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
    Settings {
        body_limit: bytes(config.body_limit_bytes),
        reply_limit: bytes(config.limits.max_reply_bytes),
        limits: Limits { depth: config.limits.max_json_depth, ..Limits::default() },
        mode: match config.fidelity {
            Fidelity::Strict => Mode::Strict,
            Fidelity::Default => Mode::Default,
            Fidelity::Lenient => Mode::Lenient,
        },
        // Zero turns heartbeats off: a year of silence ends otherwise first.
        heartbeat: if config.streaming.heartbeat.is_zero() { YEAR } else { config.streaming.heartbeat },
        head_wait: config.streaming.head_wait,
        full_proxy: config.native.full_proxy,
        native_paths: config.native.paths.clone(),
    }
}
