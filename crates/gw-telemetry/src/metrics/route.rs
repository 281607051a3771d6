//! The counters of one route, looked up once and then only incremented.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::histogram::Histogram;

use super::Families;
use super::labels::{ErrorLabels, RequestLabels, RouteLabels, TokenLabels};

/// Tokens of one request by kind. The kinds are disjoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TokenCounts {
    /// Input neither read from nor written to a cache.
    pub input: u64,
    /// Input read from a cache.
    pub cache_read: u64,
    /// Input written to a cache.
    pub cache_write: u64,
    /// Output without reasoning.
    pub output: u64,
    /// Reasoning output.
    pub reasoning: u64,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Outcome {
    /// Whether the client got a whole answer.
    pub success: bool,
    /// Error family, counted when the request failed.
    pub error_type: Option<&'static str>,
    /// Time from arrival to end.
    pub duration: Duration,
    /// What it consumed.
    pub tokens: TokenCounts,
    /// Whether it completed at a provider without the provider reporting usage.
    pub usage_missing: bool,
}

/// Handles of one combination of format, model and provider.
pub struct RouteMetrics {
    families: Families,
    labels: RouteLabels,
    succeeded: Counter,
    failed: Counter,
    duration: Histogram,
    /// In the order of [`TokenCounts`]; made when the route first consumes something.
    tokens: std::sync::OnceLock<[Counter; 5]>,
}

const TOKEN_KINDS: [&str; 5] = ["input", "cache_read", "cache_write", "output", "reasoning"];

impl RouteMetrics {
    pub(super) fn new(families: &Families, format: &'static str, model: &str, provider: &str) -> Self {
        let requests = |status| {
            let labels = RequestLabels { format, model: model.to_owned(), provider: provider.to_owned(), status };
            families.requests.get_or_create_owned(&labels)
        };
        let labels = RouteLabels { format, model: model.to_owned(), provider: provider.to_owned() };
        Self {
            families: families.clone(),
            succeeded: requests("success"),
            failed: requests("error"),
            duration: families.durations.get_or_create_owned(&labels),
            labels,
            tokens: std::sync::OnceLock::new(),
        }
    }

    /// Counts a finished request.
    pub fn record(&self, outcome: &Outcome) {
        self.duration.observe(outcome.duration.as_secs_f64());
        if outcome.success {
            self.succeeded.inc();
        } else {
            self.failed.inc();
            self.error_counter(outcome.error_type.unwrap_or("unknown")).inc();
        }
        if outcome.usage_missing {
            self.families.usage_missing.inc();
        }
        let counts = &outcome.tokens;
        if *counts != TokenCounts::default() {
            let values = [counts.input, counts.cache_read, counts.cache_write, counts.output, counts.reasoning];
            for (counter, value) in self.tokens.get_or_init(|| self.token_counters()).iter().zip(values) {
                counter.inc_by(value);
            }
        }
    }

    /// Errors are rare enough to look their counter up.
    fn error_counter(&self, error_type: &'static str) -> Counter {
        self.families.errors.get_or_create_owned(&ErrorLabels {
            format: self.labels.format,
            model: self.labels.model.clone(),
            provider: self.labels.provider.clone(),
            error_type,
        })
    }

    fn token_counters(&self) -> [Counter; 5] {
        TOKEN_KINDS.map(|kind| {
            self.families.tokens.get_or_create_owned(&TokenLabels {
                provider: self.labels.provider.clone(),
                model: self.labels.model.clone(),
                kind,
            })
        })
    }
}
