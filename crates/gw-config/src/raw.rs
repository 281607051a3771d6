//! The configuration as written: every field optional and located, nothing compared with anything else.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::config::{Fidelity, Http2, LogFormat, LogLevel};
use crate::json;
use crate::kind::{self, Kind};
use crate::problem::{Located, Origin};
use crate::reader::{Context, Section};
use crate::yaml::{Content, Entry, Node};
use gw_core::Secret;

pub(crate) type Written<T> = Option<Located<T>>;

/// The whole file.
#[derive(Default)]
pub(crate) struct RawConfig {
    pub(crate) version: Written<String>,
    pub(crate) listen: Written<String>,
    pub(crate) server: RawServer,
    pub(crate) data_dir: Written<String>,
    pub(crate) database_path: Written<String>,
    pub(crate) logging: RawLogging,
    pub(crate) admin: RawAdmin,
    pub(crate) providers: Vec<RawProvider>,
    /// Present as soon as `models:` is written, even if it is empty.
    pub(crate) models: Written<Vec<RawModel>>,
    pub(crate) default_provider: Written<String>,
    pub(crate) default_model: Written<String>,
    pub(crate) timeout: Written<Duration>,
    pub(crate) aliases: Vec<RawAlias>,
    pub(crate) keys: Vec<RawKey>,
    pub(crate) key_prefix: Written<String>,
    pub(crate) streaming: RawStreaming,
    pub(crate) limits: RawLimits,
    pub(crate) fidelity: Written<Fidelity>,
    pub(crate) native_full_proxy: Written<bool>,
    pub(crate) native_paths: Written<Vec<String>>,
    pub(crate) defaults: Option<RawDefaults>,
    pub(crate) ledger_fsync: Written<Duration>,
    pub(crate) upstream: RawUpstream,
}

#[derive(Default)]
pub(crate) struct RawServer {
    pub(crate) host: Written<String>,
    pub(crate) port: Written<u16>,
    pub(crate) https_enabled: Written<bool>,
    pub(crate) cert_file: Written<String>,
    pub(crate) key_file: Written<String>,
    pub(crate) body_limit: Written<u64>,
    pub(crate) origins: Written<Vec<String>>,
    pub(crate) methods: Written<Vec<String>>,
    pub(crate) headers: Written<Vec<String>>,
    pub(crate) credentials: Written<bool>,
    pub(crate) drain_timeout: Written<Duration>,
}

#[derive(Default)]
pub(crate) struct RawLogging {
    pub(crate) level: Written<LogLevel>,
    pub(crate) format: Written<LogFormat>,
    pub(crate) file: Written<String>,
    pub(crate) save_bodies: Written<bool>,
}

#[derive(Default)]
pub(crate) struct RawAdmin {
    pub(crate) username: Written<String>,
    pub(crate) password_hash: Written<Secret>,
    pub(crate) session_secret: Written<Secret>,
}

pub(crate) struct RawProvider {
    pub(crate) name: String,
    pub(crate) field: String,
    pub(crate) origin: Origin,
    pub(crate) provider_type: Written<String>,
    pub(crate) enabled: Written<bool>,
    pub(crate) api_key: Written<Secret>,
    pub(crate) base_url: Written<String>,
    pub(crate) organization: Written<String>,
    pub(crate) project: Written<String>,
    pub(crate) api_version: Written<String>,
    pub(crate) default_model: Written<String>,
    pub(crate) allowed_models: Written<Vec<String>>,
    pub(crate) headers: Vec<(String, Located<Secret>)>,
    pub(crate) weight: Written<u32>,
    pub(crate) connect: Written<Duration>,
    pub(crate) first_byte: Written<Duration>,
    pub(crate) idle: Written<Duration>,
    /// `timeout_seconds`, or `total_timeout_seconds`, which says the same.
    pub(crate) total: Written<Duration>,
    pub(crate) options: BTreeMap<String, String>,
}

pub(crate) struct RawModel {
    pub(crate) field: String,
    pub(crate) origin: Origin,
    pub(crate) name: Written<String>,
    pub(crate) provider: Written<String>,
    pub(crate) description: Written<String>,
    pub(crate) target: Written<String>,
    pub(crate) aliases: Written<Vec<String>>,
}

pub(crate) struct RawAlias {
    pub(crate) field: String,
    pub(crate) name: String,
    pub(crate) target: Located<String>,
}

pub(crate) struct RawKey {
    pub(crate) field: String,
    pub(crate) origin: Origin,
    pub(crate) name: Written<String>,
    pub(crate) key: Written<Secret>,
    pub(crate) key_hash: Written<String>,
    pub(crate) prefix: Written<String>,
    pub(crate) enabled: Written<bool>,
}

#[derive(Default)]
pub(crate) struct RawStreaming {
    pub(crate) heartbeat: Written<Duration>,
    pub(crate) head_wait: Written<Duration>,
    pub(crate) first_byte: Written<Duration>,
    pub(crate) idle: Written<Duration>,
}

#[derive(Default)]
pub(crate) struct RawLimits {
    pub(crate) max_json_depth: Written<u32>,
    pub(crate) max_header_bytes: Written<u64>,
    pub(crate) header_timeout: Written<Duration>,
    pub(crate) body_timeout: Written<Duration>,
    pub(crate) max_concurrent_requests: Written<u64>,
    pub(crate) max_reply_bytes: Written<u64>,
    pub(crate) max_event_bytes: Written<u64>,
}

pub(crate) struct RawDefaults {
    pub(crate) origin: Origin,
    pub(crate) values: crate::config::Defaults,
}

#[derive(Default)]
pub(crate) struct RawUpstream {
    pub(crate) pool_max_idle_per_host: Written<u64>,
    pub(crate) pool_idle_timeout: Written<Duration>,
    pub(crate) http2: Written<Http2>,
}

/// Reads the whole tree; what is wrong with its shape ends up in the context's problems.
pub(crate) fn read(context: &Context, root: &Node) -> RawConfig {
    let Some(mut top) = Section::open(context, root, String::new()) else { return RawConfig::default() };
    let mut raw = RawConfig {
        version: top.text("version"),
        listen: top.text("listen"),
        server: top.section("server").map(server).unwrap_or_default(),
        data_dir: top.text("data_dir"),
        database_path: top.section("database").and_then(|section| single(section, "path", &kind::TEXT)),
        logging: top.section("logging").map(logging).unwrap_or_default(),
        admin: top.section("admin").map(admin).unwrap_or_default(),
        providers: top
            .table("providers")
            .into_iter()
            .filter_map(|(entry, field)| provider(context, &entry.key, &entry.node, field))
            .collect(),
        models: models(&mut top),
        default_provider: top.text("default_provider"),
        default_model: top.text("default_model"),
        timeout: top.typed("timeout", &kind::TIMEOUT),
        aliases: top.table("aliases").into_iter().filter_map(|entry| alias(context, entry)).collect(),
        keys: top.sections("keys").into_iter().map(key).collect(),
        key_prefix: top.text("key_prefix"),
        streaming: top.section("streaming").map(streaming).unwrap_or_default(),
        limits: top.section("limits").map(limits).unwrap_or_default(),
        fidelity: top.typed("fidelity", &kind::FIDELITY),
        native_full_proxy: None,
        native_paths: None,
        defaults: top.section("defaults").map(defaults),
        ledger_fsync: top.section("ledger").and_then(|section| single(section, "fsync_ms", &kind::MILLISECONDS)),
        upstream: top.section("upstream").map(upstream).unwrap_or_default(),
    };
    if let Some(mut native) = top.section("native") {
        raw.native_full_proxy = native.typed("full_proxy", &kind::BOOLEAN);
        raw.native_paths = native.texts("paths");
        native.finish();
    }
    migrate_gemini(&mut top, &mut raw);
    top.finish();
    raw
}

/// Source 003 once had a top-level `gemini:` block; it becomes the provider of that name.
fn migrate_gemini(top: &mut Section<'_>, raw: &mut RawConfig) {
    let context = top.context();
    let Some(entry) = top.entry("gemini") else { return };
    let origin = Origin::File { path: context.path.clone(), line: entry.line, column: entry.column };
    let Some(mut migrated) = provider(context, "gemini", &entry.node, "gemini".to_owned()) else { return };
    if raw.providers.iter().any(|provider| provider.name == "gemini") {
        let remedy = "remove the old `gemini` section";
        context.error(&origin, "gemini", "`providers.gemini` exists as well".to_owned(), remedy);
        return;
    }
    migrated.provider_type.get_or_insert_with(|| Located::new("gemini".to_owned(), origin.clone()));
    context.problems.borrow_mut().warn(&origin, "gemini", "old form, read as `providers.gemini`");
    raw.providers.push(migrated);
}

fn single<T>(mut section: Section<'_>, key: &'static str, kind: &Kind<T>) -> Written<T> {
    let value = section.typed(key, kind);
    section.finish();
    value
}

fn server(mut section: Section<'_>) -> RawServer {
    let mut raw = RawServer {
        host: section.text("host"),
        port: section.typed("port", &kind::PORT),
        body_limit: section.typed("body_limit_bytes", &kind::SIZE),
        drain_timeout: section.typed("drain_timeout_seconds", &kind::DURATION),
        ..RawServer::default()
    };
    let short_form = section.typed("body_limit", &kind::SIZE);
    raw.body_limit = raw.body_limit.or(short_form);
    if let Some(mut https) = section.section("https") {
        raw.https_enabled = https.typed("enabled", &kind::BOOLEAN);
        raw.cert_file = https.text("cert_file");
        raw.key_file = https.text("key_file");
        https.finish();
    }
    if let Some(mut cors) = section.section("cors") {
        raw.origins = cors.texts("origins");
        raw.methods = cors.texts("methods");
        raw.headers = cors.texts("headers");
        raw.credentials = cors.typed("credentials", &kind::BOOLEAN);
        cors.finish();
    }
    section.finish();
    raw
}

fn logging(mut section: Section<'_>) -> RawLogging {
    let raw = RawLogging {
        level: section.typed("level", &kind::LOG_LEVEL),
        format: section.typed("format", &kind::LOG_FORMAT),
        file: section.text("file"),
        save_bodies: section.typed("save_bodies", &kind::BOOLEAN),
    };
    section.finish();
    raw
}

fn admin(mut section: Section<'_>) -> RawAdmin {
    let raw = RawAdmin {
        username: section.text("username"),
        password_hash: section.secret("password_hash"),
        session_secret: section.secret("session_secret"),
    };
    section.finish();
    raw
}

fn provider(context: &Context, name: &str, node: &Node, field: String) -> Option<RawProvider> {
    let mut section = Section::open(context, node, field.clone())?;
    let total = section.typed("total_timeout_seconds", &kind::TIMEOUT);
    let timeout = section.typed("timeout_seconds", &kind::TIMEOUT);
    let raw = RawProvider {
        name: name.to_owned(),
        field,
        origin: section.origin.clone(),
        provider_type: section.text("type"),
        enabled: section.typed("enabled", &kind::BOOLEAN),
        api_key: section.secret("api_key"),
        base_url: section.text("base_url"),
        organization: section.text("organization"),
        project: section.text("project"),
        api_version: section.text("api_version"),
        default_model: section.text("default_model"),
        allowed_models: section.texts("allowed_models"),
        headers: section
            .table("headers")
            .into_iter()
            .filter_map(|(entry, field)| {
                let scalar = context.scalar(&entry.node, &field)?;
                let value = Located::new(Secret::new(scalar.text.clone()), context.origin(&entry.node));
                Some((entry.key.clone(), value))
            })
            .collect(),
        weight: section.typed("weight", &kind::POSITIVE),
        connect: section.typed("connect_timeout_seconds", &kind::TIMEOUT),
        first_byte: section.typed("first_byte_timeout_seconds", &kind::TIMEOUT),
        idle: section.typed("idle_timeout_seconds", &kind::TIMEOUT),
        total: total.or(timeout),
        options: section
            .table("options")
            .into_iter()
            .map(|(entry, _)| (entry.key.clone(), json::text(&entry.node)))
            .collect(),
    };
    section.finish();
    Some(raw)
}

fn models(top: &mut Section<'_>) -> Written<Vec<RawModel>> {
    let entry = top.entry("models")?;
    let origin = Origin::File { path: top.context().path.clone(), line: entry.line, column: entry.column };
    if !matches!(entry.node.content, Content::List(_) | Content::Null) {
        // Reports the wrong shape; an empty list on top of that would be a second complaint.
        top.sections("models");
        return None;
    }
    let models = top.sections("models").into_iter().map(model).collect();
    Some(Located::new(models, origin))
}

fn model(mut section: Section<'_>) -> RawModel {
    let raw = RawModel {
        field: section.path.clone(),
        origin: section.origin.clone(),
        name: section.text("name"),
        provider: section.text("provider"),
        description: section.text("description"),
        target: section.text("target"),
        aliases: section.texts("aliases"),
    };
    section.finish();
    raw
}

fn alias(context: &Context, (entry, field): (&Entry, String)) -> Option<RawAlias> {
    let target = context.typed(&entry.node, &field, &kind::TEXT)?;
    Some(RawAlias { field, name: entry.key.clone(), target })
}

fn key(mut section: Section<'_>) -> RawKey {
    let raw = RawKey {
        field: section.path.clone(),
        origin: section.origin.clone(),
        name: section.text("name"),
        key: section.secret("key"),
        key_hash: section.text("key_hash"),
        prefix: section.text("prefix"),
        enabled: section.typed("enabled", &kind::BOOLEAN),
    };
    section.finish();
    raw
}

fn streaming(mut section: Section<'_>) -> RawStreaming {
    let raw = RawStreaming {
        heartbeat: section.typed("heartbeat_seconds", &kind::DURATION),
        head_wait: section.typed("head_wait_seconds", &kind::DURATION),
        first_byte: section.typed("first_byte_timeout_seconds", &kind::TIMEOUT),
        idle: section.typed("idle_timeout_seconds", &kind::TIMEOUT),
    };
    section.finish();
    raw
}

fn limits(mut section: Section<'_>) -> RawLimits {
    let raw = RawLimits {
        max_json_depth: section.typed("max_json_depth", &kind::POSITIVE),
        max_header_bytes: section.typed("max_header_bytes", &kind::SIZE),
        header_timeout: section.typed("header_timeout_seconds", &kind::TIMEOUT),
        body_timeout: section.typed("body_timeout_seconds", &kind::TIMEOUT),
        max_concurrent_requests: section.typed("max_concurrent_requests", &kind::COUNT),
        max_reply_bytes: section.typed("max_reply_bytes", &kind::SIZE),
        max_event_bytes: section.typed("max_event_bytes", &kind::SIZE),
    };
    section.finish();
    raw
}

fn defaults(mut section: Section<'_>) -> RawDefaults {
    let mut values = crate::config::Defaults::default();
    let count = |section: &mut Section<'_>, key| section.typed(key, &kind::COUNT).map(|located| located.value);
    if let Some(mut rate) = section.section("rate_limit") {
        values.requests_per_minute = count(&mut rate, "requests_per_minute");
        values.requests_per_hour = count(&mut rate, "requests_per_hour");
        values.requests_per_day = count(&mut rate, "requests_per_day");
        rate.finish();
    }
    if let Some(mut quota) = section.section("quota") {
        values.max_input_tokens_per_day = count(&mut quota, "max_input_tokens_per_day");
        values.max_output_tokens_per_day = count(&mut quota, "max_output_tokens_per_day");
        values.max_requests_per_day = count(&mut quota, "max_requests_per_day");
        values.max_input_tokens = count(&mut quota, "max_input_tokens");
        values.max_output_tokens = count(&mut quota, "max_output_tokens");
        quota.finish();
    }
    let origin = section.origin.clone();
    section.finish();
    RawDefaults { origin, values }
}

fn upstream(mut section: Section<'_>) -> RawUpstream {
    let raw = RawUpstream {
        pool_max_idle_per_host: section.typed("pool_max_idle_per_host", &kind::COUNT),
        pool_idle_timeout: section.typed("pool_idle_timeout_seconds", &kind::TIMEOUT),
        http2: section.typed("http2", &kind::HTTP2),
    };
    section.finish();
    raw
}
