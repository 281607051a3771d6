//! From what was written to what holds: precedence, defaults, and every rule that spans more than one field.

mod keys;
mod models;
mod providers;
mod server;

use std::path::PathBuf;
use std::time::Duration;

use crate::config::{Config, Fidelity, Http2, Limits, Native, Streaming, Timeouts, Upstream};
use crate::environment::Environment;
use crate::kind;
use crate::load::CliOverrides;
use crate::problem::{Origin, Problems};
use crate::raw::{RawConfig, Written};
use crate::types::TypeCatalog;

/// Everything a rule may look at, and the place for complaints.
pub(crate) struct Check<'a> {
    pub(crate) environment: &'a Environment,
    pub(crate) overrides: &'a CliOverrides,
    pub(crate) types: &'a TypeCatalog,
    pub(crate) problems: &'a mut Problems,
    /// Origin of what nobody wrote: the file when there is one.
    pub(crate) nowhere: Origin,
    pub(crate) mock_mode: bool,
}

/// The checked configuration; only to be used if no error was reported.
pub(crate) fn check(raw: RawConfig, mut check: Check<'_>) -> Config {
    if let Some(version) = &raw.version
        && !matches!(version.value.trim(), "1" | "1.0")
    {
        let message = format!("version {:?} is not supported", crate::environment::shorten(&version.value));
        check.problems.error(&version.origin, "version", message, "write version: \"1.0\"");
    }
    if let Some(defaults) = &raw.defaults {
        check.problems.warn(&defaults.origin, "defaults", "accepted, not yet enforced");
    }
    let timeouts = check.timeouts(&raw);
    let candidates = check.providers(raw.providers, &timeouts);
    let default_provider = check.default_provider(raw.default_provider, &candidates);
    let (candidates, drafts) = check.models(raw.models, candidates, default_provider.as_ref(), &timeouts);
    let providers = check.required_keys(candidates, default_provider.as_ref(), &drafts);
    let (models, aliases) = check.names(drafts, raw.aliases, default_provider.is_some(), &providers);
    let default_model =
        check.default_model(raw.default_model, default_provider.is_some(), &providers, &models, &aliases);
    let data_dir = check.data_dir(raw.data_dir);
    let full_proxy = {
        let fallback = check.environment.typed("OPENAI_FULL_PROXY", &kind::BOOLEAN, check.problems);
        raw.native_full_proxy.or(fallback).is_some_and(|located| located.value)
    };
    Config {
        listen: check.listen(&raw.listen, &raw.server),
        https: check.https(&raw.server),
        body_limit_bytes: raw.server.body_limit.as_ref().map_or(10 << 20, |located| located.value),
        drain_timeout: raw.server.drain_timeout.as_ref().map_or(Duration::from_secs(30), |located| located.value),
        cors: check.cors(raw.server),
        database_path: raw
            .database_path
            .map_or_else(|| data_dir.join("irongate.db"), |located| PathBuf::from(located.value)),
        data_dir,
        logging: check.logging(raw.logging),
        admin: check.admin(raw.admin),
        providers,
        models,
        aliases,
        default_provider: default_provider.map(|located| located.value),
        default_model,
        timeouts,
        keys: check.keys(raw.keys),
        key_prefix: check.key_prefix(raw.key_prefix),
        streaming: Streaming {
            heartbeat: value(raw.streaming.heartbeat, Duration::from_secs(15)),
            head_wait: value(raw.streaming.head_wait, Duration::from_secs(15)),
        },
        limits: Limits {
            max_json_depth: value(raw.limits.max_json_depth, 128),
            max_header_bytes: value(raw.limits.max_header_bytes, 64 << 10),
            header_timeout: value(raw.limits.header_timeout, Duration::from_secs(10)),
            body_timeout: value(raw.limits.body_timeout, Duration::from_secs(60)),
            max_concurrent_requests: raw.limits.max_concurrent_requests.map(|located| located.value).filter(|n| *n > 0),
            max_reply_bytes: value(raw.limits.max_reply_bytes, 64 << 20),
            max_event_bytes: value(raw.limits.max_event_bytes, 16 << 20),
        },
        fidelity: value(raw.fidelity, Fidelity::Default),
        native: Native { full_proxy, paths: value(raw.native_paths, Vec::new()) },
        defaults: raw.defaults.map(|defaults| defaults.values).unwrap_or_default(),
        ledger_fsync: value(raw.ledger_fsync, Duration::from_millis(100)),
        upstream: Upstream {
            pool_max_idle_per_host: value(raw.upstream.pool_max_idle_per_host, 64),
            pool_idle_timeout: value(raw.upstream.pool_idle_timeout, Duration::from_secs(90)),
            http2: value(raw.upstream.http2, Http2::Auto),
        },
        mock_mode: check.mock_mode,
    }
}

impl Check<'_> {
    fn timeouts(&mut self, raw: &RawConfig) -> Timeouts {
        let mut fallback = |written: &Written<Duration>, name: &str| {
            let from_environment = self.environment.typed(name, &kind::TIMEOUT, self.problems);
            written.clone().or(from_environment).map(|located| located.value)
        };
        let connect = fallback(&None, "PROXY_CONNECT_TIMEOUT").unwrap_or(Duration::from_secs(10));
        let idle = fallback(&raw.streaming.idle, "PROXY_READ_TIMEOUT").unwrap_or(Duration::from_secs(120));
        let total = fallback(&raw.timeout, "UPSTREAM_TIMEOUT").unwrap_or(Duration::from_secs(600));
        let first_byte = match &raw.streaming.first_byte {
            Some(located) => located.value,
            None => Duration::from_secs(300).min(total),
        };
        Timeouts { connect, first_byte, idle, total }
    }
}

/// What was written, or the default.
fn value<T>(written: Written<T>, default: T) -> T {
    written.map_or(default, |located| located.value)
}
