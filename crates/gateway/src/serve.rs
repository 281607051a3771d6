//! `irongate serve`: everything that can fail fails before the port is bound; then serving, then an orderly end.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use arc_swap::ArcSwap;
use gw_config::{Config, Loaded};
use gw_core::Secret;
use gw_edge::{Edge, Hooks, ListenSettings, Server};
use gw_identity::KeyDirectory;
use gw_ledger::{Journal, JournalConfig};
use gw_pipeline::{EnvelopeSealer, Gateway, GatewayParts, Transport, TransportSettings};
use gw_store::{KeyRepo as _, UsageSink};
use gw_telemetry::{
    BuildInfo, JournalReadings, LogFormat, LogSink, METRICS_CONTENT_TYPE, Metrics, RequestLog, RequestLogSettings,
};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Mutex, Notify};
use tokio_util::sync::CancellationToken;

use crate::cli::{self, ServeArgs};
use crate::discovery::Discovery;
use crate::mock::MockPool;
use crate::observer::Recorder;
use crate::reload::{Reloader, edge_settings};
use crate::{admin, keys, process, registry, snapshot};

/// File that a first run writes.
const CONFIG_FILE: &str = "irongate.yaml";
/// How often journaled records are brought to the database.
const DRAIN_EVERY: Duration = Duration::from_millis(200);
/// How long new connections are still taken after readiness has flipped.
const READINESS_LEAD: Duration = Duration::from_millis(500);
/// After streams were cut, connections get this long to take the goodbye.
const CUT_WAIT: Duration = Duration::from_secs(5);

/// Runs the gateway until it is told to stop.
pub(crate) async fn run(mut args: ServeArgs) -> anyhow::Result<()> {
    let started = now();
    let providers = process::providers()?;
    let types = process::types(&providers);
    first_run(&mut args)?;
    let (loaded, path) = process::load(&args, &types)?;
    let config = &loaded.config;
    snapshot::check(config, &providers)?;
    let (sink, level, format) = logging(config)?;
    let metrics = Arc::new(Metrics::new(BuildInfo { version: cli::VERSION, revision: "" }, started));
    let counted = Arc::clone(&metrics);
    gw_telemetry::install_panic_hook(format, sink.clone(), move || counted.panicked());
    log_warnings(&loaded);

    std::fs::create_dir_all(&config.data_dir)
        .with_context(|| format!("cannot create the data directory {}", config.data_dir.display()))?;
    let store = keys::open(config).await?;
    let (journal, mut drain) =
        Journal::open(JournalConfig::in_data_dir(&config.data_dir)).context("cannot open the usage journal")?;
    let replayed = drain.drain(&store).await.context("the usage journal could not be replayed")?;
    tracing::info!(records = replayed.records, new = replayed.new, "the usage journal is replayed");

    let mut mocks = MockPool::default();
    let compiled = snapshot::compile(config, &providers, &mut mocks).await?;
    metrics.expect_models(compiled.catalogue().iter().map(|card| card.id.as_str()));
    let known_keys = store.revision().await.context("the keys could not be read")?;
    let directory = Arc::new(KeyDirectory::new(keys::index(config, &store).await?));
    let settings = RequestLogSettings { level, format, ..RequestLogSettings::default() };
    let (log, log_writer) = RequestLog::start(settings, sink).context("the request log could not start")?;
    metrics.observe_request_log(log.clone());
    observe_journal(&metrics, &journal);
    let journal_failing = Arc::new(AtomicBool::new(false));
    let recorder = Recorder {
        journal: Arc::clone(&journal),
        metrics: Arc::clone(&metrics),
        log,
        journal_failing: Arc::clone(&journal_failing),
    };
    let transport = Transport::new(transport(config));
    let gateway = Arc::new(Gateway::new(GatewayParts {
        dialects: registry::dialects(),
        snapshot: Arc::new(compiled),
        keys: Arc::clone(&directory),
        transport: transport.clone(),
        observer: Arc::new(recorder),
        sealer: Arc::new(sealer(&config.data_dir)?),
        discovered: Arc::new(Discovery::new(transport)),
    }));
    let draining = Arc::new(AtomicBool::new(false));
    let keys_changed = Arc::new(Notify::new());
    let published = Arc::new(ArcSwap::from_pointee(config.clone()));
    let reloads = Arc::new(AtomicU64::new(1));
    let admin = admin::service(admin::Parts {
        store: store.clone(),
        config: Arc::clone(&published),
        source: path.clone(),
        reloads: Arc::clone(&reloads),
        keys: Arc::clone(&directory),
        keys_changed: Arc::clone(&keys_changed),
        journal: Arc::clone(&journal),
        started,
    });
    let ready = Readiness { draining: Arc::clone(&draining), journal_failing };
    let hooks = hooks(&gateway, &metrics, ready, admin);
    let edge = Arc::new(Edge::new(Arc::clone(&gateway), hooks, edge_settings(config)));
    let (mut signals, hangup) = (StopSignals::catch()?, catch(SignalKind::hangup())?);
    let server = bind(config).await?;
    greet(&server, config, path.as_deref(), directory.snapshot().is_empty())?;

    let (drain_timeout, fsync) = (config.drain_timeout, config.ledger_fsync);
    let stopped = CancellationToken::new();
    let syncing = Arc::clone(&journal).run_sync(fsync, stopped.clone().cancelled_owned());
    let sink: Arc<dyn UsageSink> = Arc::new(store.clone());
    let draining_journal = drain.run(sink, DRAIN_EVERY, stopped.clone().cancelled_owned());
    let reloader = Arc::new(Reloader {
        args,
        types,
        registry: providers,
        mocks: Mutex::new(mocks),
        loaded: Mutex::new(loaded),
        gateway: Arc::clone(&gateway),
        edge: Arc::clone(&edge),
        keys: directory,
        store: store.clone(),
        metrics,
        keys_changed,
        published,
        reloads,
    });
    let (syncing, drained) = (spawn(syncing), spawn(draining_journal));
    let watchers = [
        spawn({
            let reloader = Arc::clone(&reloader);
            async move { reloader.watch_keys(known_keys).await }
        }),
        spawn({
            let reloader = Arc::clone(&reloader);
            async move { reloader.watch_config(hangup).await }
        }),
    ];

    let stop = async {
        signals.recv().await;
        // Readiness first: balancers get a moment to look elsewhere before new connections are refused.
        draining.store(true, Ordering::Relaxed);
        tokio::time::sleep(READINESS_LEAD.min(drain_timeout)).await;
    };
    let draining_server = server.serve(edge, stop).await;
    tracing::info!(seconds = drain_timeout.as_secs(), "stopping: open requests may finish");
    let mut finishing = Box::pin(draining_server.finish());
    if tokio::time::timeout(drain_timeout, &mut finishing).await.is_err() {
        tracing::warn!("open requests did not finish in time and are ended");
        gateway.begin_shutdown();
        gateway.cut_streams();
        let _ = tokio::time::timeout(CUT_WAIT, &mut finishing).await;
    }
    drop(finishing);
    watchers.into_iter().for_each(|watcher| watcher.abort());
    stopped.cancel();
    let _ = syncing.await;
    if let Ok(Err(fault)) = drained.await {
        tracing::error!(error = %fault, "usage records stay in the journal and are replayed at the next start");
    }
    store.close().await;
    tracing::info!("stopped");
    drop((reloader, gateway));
    log_writer.finish();
    Ok(())
}

fn spawn<F>(task: F) -> tokio::task::JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    #[expect(clippy::disallowed_methods, reason = "the composition root owns the background tasks")]
    tokio::spawn(task)
}

#[expect(clippy::disallowed_methods, reason = "the process's start is read once")]
fn now() -> Instant {
    Instant::now()
}

/// Writes a commented configuration when there is none, with a random admin password that is printed once.
fn first_run(args: &mut ServeArgs) -> anyhow::Result<()> {
    let path = match gw_config::resolve_config_path(args.config.as_deref()) {
        Some(path) if path.exists() => return Ok(()),
        Some(path) => path,
        None => PathBuf::from(CONFIG_FILE),
    };
    let password = gw_admin::random_password()?;
    let hash = gw_admin::hash_password(&password)?;
    let session = gw_identity::generate("")?;
    gw_config::first_run(&path, &hash, &session).with_context(|| format!("cannot write {}", path.display()))?;
    cli::note(&format!("first run: wrote {}", path.display()));
    cli::note(&format!("first run: admin password (shown once): {}", password.expose()));
    args.config = Some(path);
    Ok(())
}

fn logging(config: &Config) -> anyhow::Result<(LogSink, tracing::Level, LogFormat)> {
    let level = match config.logging.level {
        gw_config::LogLevel::Error => tracing::Level::ERROR,
        gw_config::LogLevel::Warn => tracing::Level::WARN,
        gw_config::LogLevel::Info => tracing::Level::INFO,
        gw_config::LogLevel::Debug => tracing::Level::DEBUG,
        gw_config::LogLevel::Trace => tracing::Level::TRACE,
    };
    let format = match config.logging.format {
        gw_config::LogFormat::Json => LogFormat::Json,
        gw_config::LogFormat::Text => LogFormat::Text,
    };
    let sink = LogSink::stdout();
    if let Some(file) = &config.logging.file {
        sink.add_file(file).with_context(|| format!("logging.file: cannot open {}", file.display()))?;
    }
    gw_telemetry::init_logging(level, format, sink.clone())?;
    Ok((sink, level, format))
}

/// Puts the configuration's warnings into the log.
pub(crate) fn log_warnings(loaded: &Loaded) {
    for warning in &loaded.warnings {
        tracing::warn!(target: "config", "{warning}");
    }
}

fn transport(config: &Config) -> TransportSettings {
    let connect = config.providers.iter().map(|provider| provider.timeouts.connect).max();
    TransportSettings {
        pool_max_idle_per_host: usize::try_from(config.upstream.pool_max_idle_per_host).unwrap_or(usize::MAX),
        pool_idle_timeout: config.upstream.pool_idle_timeout,
        connect_timeout: connect.unwrap_or(config.timeouts.connect),
        http2: config.upstream.http2 == gw_config::Http2::Auto,
    }
}

/// The key for state envelopes, made on the first start and kept with the data.
fn sealer(data_dir: &Path) -> anyhow::Result<EnvelopeSealer> {
    let path = data_dir.join("envelope.key");
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => Secret::new(text),
        Err(fault) if fault.kind() == std::io::ErrorKind::NotFound => {
            let fresh = gw_identity::generate("")?;
            write_private(&path, fresh.expose()).with_context(|| format!("cannot write {}", path.display()))?;
            fresh
        }
        Err(fault) => return Err(fault).with_context(|| format!("cannot read {}", path.display())),
    };
    let key = gw_identity::KeyHash::of(text.expose().trim()).0;
    EnvelopeSealer::new(&key).context("the envelope key was refused")
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
}

fn observe_journal(metrics: &Metrics, journal: &Arc<Journal>) {
    #[expect(clippy::cast_precision_loss, reason = "counters far below 2^53")]
    let read = |journal: &Arc<Journal>, field: fn(&gw_ledger::JournalStats) -> u64| -> gw_telemetry::Read {
        let journal = Arc::clone(journal);
        Box::new(move || field(&journal.stats()) as f64)
    };
    metrics.observe_journal(JournalReadings {
        appended: read(journal, |stats| stats.appended_records),
        failed: read(journal, |stats| stats.append_errors),
        pending: read(journal, |stats| stats.pending_records),
    });
}

/// Why the process might not be ready.
struct Readiness {
    draining: Arc<AtomicBool>,
    journal_failing: Arc<AtomicBool>,
}

impl Readiness {
    fn not_ready(&self) -> Option<&'static str> {
        if self.draining.load(Ordering::Relaxed) {
            return Some("draining");
        }
        self.journal_failing.load(Ordering::Relaxed).then_some("journal_failing")
    }
}

fn hooks(gateway: &Arc<Gateway>, metrics: &Arc<Metrics>, ready: Readiness, admin: gw_edge::AdminService) -> Hooks {
    let models = Arc::clone(gateway);
    let (rendered, connections, panicked) = (Arc::clone(metrics), Arc::clone(metrics), Arc::clone(metrics));
    Hooks {
        models: Box::new(move || models.models(&models.snapshot()).len()),
        not_ready: Box::new(move || ready.not_ready()),
        metrics: Box::new(move || (METRICS_CONTENT_TYPE, rendered.render())),
        connections: Box::new(move |change| {
            if change > 0 { connections.connection_opened() } else { connections.connection_closed() }
        }),
        panicked: Box::new(move || panicked.panicked()),
        admin: Some(admin),
        version: cli::VERSION,
    }
}

async fn bind(config: &Config) -> anyhow::Result<Server> {
    let wanted = config.listen.to_string();
    let mut addresses: Vec<SocketAddr> = tokio::net::lookup_host((config.listen.host.as_str(), config.listen.port))
        .await
        .with_context(|| format!("cannot resolve the listen address {wanted}"))?
        .collect();
    addresses.sort_by_key(SocketAddr::is_ipv6);
    let Some(address) = addresses.first() else { bail!("the listen address {wanted} resolves to nothing") };
    let settings = ListenSettings {
        head_timeout: config.limits.header_timeout,
        max_head: usize::try_from(config.limits.max_header_bytes).unwrap_or(usize::MAX),
        ..ListenSettings::default()
    };
    Server::bind(*address, settings)
        .with_context(|| format!("cannot listen on {wanted}; choose another address with --listen"))
}

fn greet(server: &Server, config: &Config, path: Option<&Path>, no_keys: bool) -> anyhow::Result<()> {
    let address = server.local_addr()?;
    let file = path.map_or_else(|| "no configuration file".to_owned(), |path| path.display().to_string());
    tracing::info!(%address, config = %file, version = cli::VERSION, "irongate is listening on http://{address}");
    if config.mock_mode {
        tracing::warn!("mock mode: every provider is answered by the built-in mock");
    }
    if no_keys {
        tracing::warn!("there are no client keys yet; create one with: irongate keys create --name first");
    }
    Ok(())
}

/// The signals that end the process in an orderly way; caught from the moment this exists.
struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    fn catch() -> anyhow::Result<Self> {
        Ok(Self { terminate: catch(SignalKind::terminate())?, interrupt: catch(SignalKind::interrupt())? })
    }

    async fn recv(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

fn catch(kind: SignalKind) -> anyhow::Result<Signal> {
    signal(kind).context("signals cannot be caught")
}
