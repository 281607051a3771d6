//! Taking over changes while serving: configuration by file change or SIGHUP, keys by the store's revision.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use gw_config::{Loaded, TypeCatalog};
use gw_edge::{Edge, EdgeSettings};
use gw_identity::KeyDirectory;
use gw_pipeline::Gateway;
use gw_providers::Registry;
use gw_store::KeyRepo as _;
use gw_store_sqlite::SqliteStore;
use gw_telemetry::Metrics;
use tokio::signal::unix::Signal;
use tokio::sync::{Mutex, Notify};

use crate::cli::ServeArgs;
use crate::mock::MockPool;
use crate::{keys, process, serve, snapshot};

/// A new key must work within a second.
const KEYS_EVERY: Duration = Duration::from_millis(300);
/// Configuration files are compared this often.
const FILES_EVERY: Duration = Duration::from_secs(2);

/// What reloading needs.
pub(crate) struct Reloader {
    pub(crate) args: ServeArgs,
    pub(crate) types: TypeCatalog,
    pub(crate) registry: Registry,
    pub(crate) mocks: Mutex<MockPool>,
    pub(crate) loaded: Mutex<Loaded>,
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) edge: Arc<Edge>,
    pub(crate) keys: Arc<KeyDirectory>,
    pub(crate) store: SqliteStore,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) keys_changed: Arc<Notify>,
    /// The configuration in force, for the control plane.
    pub(crate) published: Arc<ArcSwap<gw_config::Config>>,
    /// Number of configurations since the start.
    pub(crate) reloads: Arc<AtomicU64>,
}

impl Reloader {
    /// Watches the store's keys. Never returns. `known` is the revision before the keys in force were read: a key made
    /// since then is a change.
    pub(crate) async fn watch_keys(&self, known: u64) {
        let mut known = Some(known);
        loop {
            tokio::select! {
                () = tokio::time::sleep(KEYS_EVERY) => {}
                () = self.keys_changed.notified() => {}
            }
            match self.store.revision().await {
                Ok(revision) if known == Some(revision) => {}
                Ok(revision) => {
                    if self.rebuild_keys().await {
                        known = Some(revision);
                    }
                }
                // Keys that are known keep working without the database.
                Err(fault) => tracing::warn!(error = %fault, "the store's keys could not be checked"),
            }
        }
    }

    /// Watches the configuration. Never returns. SIGHUP is caught by whoever starts this, before anyone can know the
    /// process: uncaught it would end it.
    pub(crate) async fn watch_config(&self, mut hangup: Signal) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(FILES_EVERY) => {
                    if self.files_changed().await {
                        self.reload().await;
                    }
                }
                _ = hangup.recv() => self.reload().await,
            }
        }
    }

    async fn files_changed(&self) -> bool {
        let loaded = self.loaded.lock().await;
        let files = loaded.files.clone();
        let known = loaded.fingerprint;
        drop(loaded);
        tokio::task::spawn_blocking(move || gw_config::fingerprint(&files)).await.is_ok_and(|now| now != known)
    }

    /// Loads, compiles and swaps; on any problem the running configuration stays in place and the log says why.
    async fn reload(&self) {
        let fresh = match process::load(&self.args, &self.types) {
            Ok((fresh, _)) => fresh,
            Err(fault) => return self.refuse(&fault).await,
        };
        let compiled = snapshot::compile(&fresh.config, &self.registry, &mut *self.mocks.lock().await).await;
        let snapshot = match compiled {
            Ok(snapshot) => snapshot,
            Err(fault) => return self.refuse(&fault).await,
        };
        serve::log_warnings(&fresh);
        let fixed = fixed_changes(&self.loaded.lock().await.config, &fresh.config);
        if !fixed.is_empty() {
            tracing::warn!(settings = %fixed.join(", "), "these settings change at the next start only");
        }
        self.published.store(Arc::new(fresh.config.clone()));
        self.reloads.fetch_add(1, Ordering::Relaxed);
        self.metrics.expect_models(snapshot.catalogue().iter().map(|card| card.id.as_str()));
        self.gateway.replace_snapshot(Arc::new(snapshot));
        self.edge.replace_settings(edge_settings(&fresh.config));
        *self.loaded.lock().await = fresh;
        self.rebuild_keys().await;
        self.metrics.config_reloaded(true);
        tracing::info!("the configuration was reloaded");
    }

    async fn refuse(&self, fault: &anyhow::Error) {
        self.metrics.config_reloaded(false);
        tracing::error!(error = %format!("{fault:#}"), "the changed configuration was refused; the running one stays");
        // The same bad file is not reported again until it changes.
        let mut loaded = self.loaded.lock().await;
        loaded.fingerprint = gw_config::fingerprint(&loaded.files);
    }

    async fn rebuild_keys(&self) -> bool {
        let config = self.loaded.lock().await.config.clone();
        match keys::index(&config, &self.store).await {
            Ok(index) => {
                self.keys.replace(index);
                true
            }
            Err(fault) => {
                tracing::warn!(error = %format!("{fault:#}"), "the keys could not be reloaded; the known ones stay");
                false
            }
        }
    }
}

/// What the edge takes from the configuration.
pub(crate) fn edge_settings(config: &gw_config::Config) -> EdgeSettings {
    EdgeSettings {
        cors: config.cors.as_ref().map(|cors| gw_edge::CorsPolicy {
            origins: cors.origins.clone(),
            methods: cors.methods.clone(),
            headers: cors.headers.clone(),
            credentials: cors.credentials,
        }),
        body_timeout: config.limits.body_timeout,
        max_in_flight: config.limits.max_concurrent_requests,
    }
}

/// Settings that are read at the start only: a change is named, not ignored.
fn fixed_changes(before: &gw_config::Config, after: &gw_config::Config) -> Vec<&'static str> {
    let pairs = [
        ("listen", before.listen != after.listen),
        ("data_dir", before.data_dir != after.data_dir),
        ("database", before.database_path != after.database_path),
        ("logging", before.logging != after.logging),
        ("upstream", before.upstream != after.upstream),
        ("ledger.fsync_ms", before.ledger_fsync != after.ledger_fsync),
        ("server.drain_timeout_seconds", before.drain_timeout != after.drain_timeout),
    ];
    pairs.into_iter().filter(|(_, changed)| *changed).map(|(name, _)| name).collect()
}
