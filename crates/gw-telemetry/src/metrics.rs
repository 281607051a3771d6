//! Metrics of the request path and of the process, rendered for Prometheus.

mod labels;
mod process;
mod readings;
mod route;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use parking_lot::RwLock;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use labels::{
    ActiveLabels, ErrorLabels, NONE, OTHER, RequestLabels, ResultLabels, RouteLabels, TokenLabels, label_text,
};
use readings::Readings;

pub use readings::{JournalReadings, Read};
pub use route::{Outcome, RouteMetrics, TokenCounts};

/// The content type of [`Metrics::render`]. The text ends in `# EOF` and types counters without their `_total`, so it
/// must not be served as the older `text/plain; version=0.0.4`.
pub const METRICS_CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Model names from requests that get a label of their own; further ones share `other`.
const MAX_MODELS: usize = 1000;
/// The same for providers, which come from the configuration.
const MAX_PROVIDERS: usize = 500;
/// Upper bounds in seconds, fixed by the interface.
const DURATION_BUCKETS: [f64; 9] = [0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0];

/// What `irongate_build_info` says.
#[derive(Debug, Clone, Copy)]
pub struct BuildInfo {
    /// Version of the program.
    pub version: &'static str,
    /// Revision of the source, or empty.
    pub revision: &'static str,
}

type DurationFamily = Family<RouteLabels, Histogram, fn() -> Histogram>;

/// The counters behind the handles.
#[derive(Clone)]
pub(crate) struct Families {
    requests: Family<RequestLabels, Counter>,
    durations: DurationFamily,
    errors: Family<ErrorLabels, Counter>,
    tokens: Family<TokenLabels, Counter>,
    usage_missing: Counter,
}

/// By provider, then by model, so that a lookup needs no owned key.
type Routes = HashMap<&'static str, HashMap<Box<str>, HashMap<Box<str>, Arc<RouteMetrics>>>>;

/// All metrics of the process. Share it in an `Arc`; every method takes `&self`.
pub struct Metrics {
    registry: Registry,
    families: Families,
    active: Family<ActiveLabels, Gauge>,
    active_cache: RwLock<HashMap<&'static str, HashMap<Box<str>, Gauge>>>,
    routes: RwLock<Routes>,
    names: RwLock<Names>,
    reloads: Family<ResultLabels, Counter>,
    panics: Counter,
    connections: Gauge,
    readings: Arc<Readings>,
}

#[derive(Default)]
struct Names {
    models: HashSet<Box<str>>,
    admitted_by_request: usize,
    providers: HashSet<Box<str>>,
}

impl Metrics {
    /// Registers everything; the uptime counts from `started_at`.
    #[must_use]
    pub fn new(build: BuildInfo, started_at: Instant) -> Self {
        let families = Families {
            requests: Family::default(),
            durations: DurationFamily::new_with_constructor(new_duration_histogram),
            errors: Family::default(),
            tokens: Family::default(),
            usage_missing: Counter::default(),
        };
        let metrics = Self {
            registry: Registry::default(),
            families,
            active: Family::default(),
            active_cache: RwLock::default(),
            routes: RwLock::default(),
            names: RwLock::default(),
            reloads: Family::default(),
            panics: Counter::default(),
            connections: Gauge::default(),
            readings: Arc::new(Readings::default()),
        };
        metrics.with_process_readings(started_at).registered(build)
    }

    fn with_process_readings(self, started_at: Instant) -> Self {
        self.add_gauge(
            "irongate_uptime_seconds",
            "Seconds since the process started",
            Box::new(move || started_at.elapsed().as_secs_f64()),
        );
        self.add_gauge(
            "irongate_resident_memory_bytes",
            "Resident memory of the process",
            Box::new(|| process::resident_memory_bytes().unwrap_or(f64::NAN)),
        );
        self.add_gauge(
            "irongate_open_fds",
            "Open file descriptors of the process",
            Box::new(|| process::open_file_descriptors().unwrap_or(f64::NAN)),
        );
        self
    }

    /// The client library appends `_total` to counters and `_info` to infos, so the names here come without.
    fn registered(mut self, build: BuildInfo) -> Self {
        let registry = &mut self.registry;
        let families = &self.families;
        registry.register("proxy_requests", "Requests by outcome", families.requests.clone());
        registry.register(
            "proxy_request_duration_seconds",
            "Time from the request's arrival to its end",
            families.durations.clone(),
        );
        registry.register("proxy_errors", "Failed requests by kind of error", families.errors.clone());
        registry.register("proxy_active_requests", "Requests at a provider now", self.active.clone());
        registry.register(
            "irongate_tokens",
            "Tokens by kind; the kinds are disjoint and add up to the provider's total",
            families.tokens.clone(),
        );
        registry.register(
            "irongate_usage_missing",
            "Completed requests for which the provider reported no usage",
            families.usage_missing.clone(),
        );
        registry.register("irongate_config_reloads", "Configuration reloads by result", self.reloads.clone());
        registry.register("irongate_panics", "Panics that were caught", self.panics.clone());
        registry.register("irongate_open_connections", "Open client connections", self.connections.clone());
        let info = vec![("version", build.version), ("revision", build.revision)];
        registry.register("irongate_build", "What is running", Info::new(info));
        registry.register_collector(Box::new(Arc::clone(&self.readings)));
        for result in ["success", "error"] {
            // Present from the start, so that an alert on their increase sees the first one.
            let _ = self.reloads.get_or_create(&ResultLabels { result });
        }
        self
    }

    /// The counters of a route, registered on first use. A known route is found without allocation. An empty model or
    /// provider is labelled `none`.
    ///
    /// At most 1000 model names that only requests mention get a label, and only when a provider was found for them;
    /// others share `other`. See [`Metrics::expect_models`].
    #[must_use]
    pub fn route(&self, format: &'static str, model: &str, provider: &str) -> Arc<RouteMetrics> {
        let provider = self.provider_label(provider);
        let model = if model.is_empty() { NONE } else { model };
        if let Some(route) = self.known_route(format, provider, model) {
            return route;
        }
        let clean = label_text(model);
        let model = if clean == NONE || self.admit_model(&clean, provider != NONE) { clean.as_ref() } else { OTHER };
        if let Some(route) = self.known_route(format, provider, model) {
            return route;
        }
        let mut routes = self.routes.write();
        let models = routes.entry(format).or_default().entry(provider.into()).or_default();
        let create = || Arc::new(RouteMetrics::new(&self.families, format, model, provider));
        Arc::clone(models.entry(model.into()).or_insert_with(create))
    }

    /// Gives these model names a label of their own whatever requests mention: those of the configuration.
    pub fn expect_models<'a>(&self, models: impl IntoIterator<Item = &'a str>) {
        let mut names = self.names.write();
        names.models.extend(models.into_iter().map(|model| label_text(model).into()));
    }

    /// A request goes to a provider. The caller pairs it with `finished` with `was_started`.
    pub fn started(&self, format: &'static str, provider: &str) {
        self.active_gauge(format, provider).inc();
    }

    /// A request is over. `was_started` tells whether `started` was called for it.
    pub fn finished(&self, format: &'static str, model: &str, provider: &str, was_started: bool, outcome: &Outcome) {
        if was_started {
            self.active_gauge(format, provider).dec();
        }
        self.route(format, model, provider).record(outcome);
    }

    /// Counts a configuration reload.
    pub fn config_reloaded(&self, success: bool) {
        self.reloads.get_or_create(&ResultLabels { result: if success { "success" } else { "error" } }).inc();
    }

    /// Counts a panic.
    pub fn panicked(&self) {
        self.panics.inc();
    }

    /// A client connected.
    pub fn connection_opened(&self) {
        self.connections.inc();
    }

    /// A client connection is closed.
    pub fn connection_closed(&self) {
        self.connections.dec();
    }

    /// Adds a gauge that is read at each rendering; NaN leaves it out. Replaces one of the same name.
    pub fn add_gauge(&self, name: &'static str, help: &'static str, read: Read) {
        self.readings.add(name, help, readings::Kind::Gauge, read);
    }

    /// Adds a counter that is read at each rendering; the exposed name is `name` plus `_total`.
    pub fn add_counter(&self, name: &'static str, help: &'static str, read: Read) {
        self.readings.add(name, help, readings::Kind::Counter, read);
    }

    /// Shows the numbers of the usage journal.
    pub fn observe_journal(&self, journal: JournalReadings) {
        self.add_counter("irongate_journal_appended", "Usage records appended to the journal", journal.appended);
        self.add_counter("irongate_journal_failed", "Usage records that could not be appended", journal.failed);
        self.add_gauge("irongate_journal_pending", "Usage records not yet in the database", journal.pending);
    }

    /// Shows how many request log lines were dropped.
    pub fn observe_request_log(&self, log: crate::RequestLog) {
        #[expect(clippy::cast_precision_loss, reason = "a counter beyond 2^53 lines is not a case")]
        let read = move || log.dropped() as f64;
        self.add_counter("irongate_log_lines_dropped", "Request log lines dropped", Box::new(read));
    }

    /// All metrics as OpenMetrics text, to be served as [`METRICS_CONTENT_TYPE`].
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = String::with_capacity(16 * 1024);
        // Writing to a string cannot fail.
        let _ = prometheus_client::encoding::text::encode(&mut text, &self.registry);
        text
    }

    fn known_route(&self, format: &str, provider: &str, model: &str) -> Option<Arc<RouteMetrics>> {
        self.routes.read().get(format)?.get(provider)?.get(model).cloned()
    }

    /// Whether this model name gets a label.
    fn admit_model(&self, model: &str, has_provider: bool) -> bool {
        if self.names.read().models.contains(model) {
            return true;
        }
        if !has_provider {
            // Nobody serves it: the name is the client's invention.
            return false;
        }
        let mut names = self.names.write();
        if names.models.contains(model) {
            return true;
        }
        if names.admitted_by_request >= MAX_MODELS {
            return false;
        }
        names.admitted_by_request += 1;
        names.models.insert(model.into())
    }

    fn provider_label<'a>(&self, provider: &'a str) -> &'a str {
        if provider.is_empty() {
            return NONE;
        }
        if self.names.read().providers.contains(provider) {
            return provider;
        }
        let mut names = self.names.write();
        if names.providers.len() >= MAX_PROVIDERS && !names.providers.contains(provider) {
            return OTHER;
        }
        names.providers.insert(provider.into());
        provider
    }

    fn active_gauge(&self, format: &'static str, provider: &str) -> Gauge {
        let provider = self.provider_label(provider);
        if let Some(gauge) = self.active_cache.read().get(format).and_then(|gauges| gauges.get(provider)) {
            return gauge.clone();
        }
        let gauge = self.active.get_or_create_owned(&ActiveLabels { format, provider: provider.into() });
        self.active_cache.write().entry(format).or_default().insert(provider.into(), gauge.clone());
        gauge
    }
}

fn new_duration_histogram() -> Histogram {
    Histogram::new(DURATION_BUCKETS)
}

#[cfg(test)]
mod tests;
