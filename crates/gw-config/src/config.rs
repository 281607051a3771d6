//! The checked configuration: every value typed, every reference resolved, every secret unprintable.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use gw_core::Secret;

/// The whole checked configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Where the gateway accepts clients; default `127.0.0.1:8080`.
    pub listen: ListenAddress,
    /// Certificate and key when the gateway itself serves HTTPS.
    pub https: Option<Https>,
    /// Largest accepted request body; default 10 MiB.
    pub body_limit_bytes: u64,
    /// Cross-origin policy; `None` sends no CORS headers.
    pub cors: Option<Cors>,
    /// How long in-flight requests may finish after a stop signal; default 30 s.
    pub drain_timeout: Duration,
    /// Directory for database, journal and generated files; default `./data`.
    pub data_dir: PathBuf,
    /// SQLite file; default `irongate.db` in `data_dir`.
    pub database_path: PathBuf,
    /// What is logged, how and where.
    pub logging: Logging,
    /// Administrator account.
    pub admin: Admin,
    /// Upstream providers in file order, then those that only the environment names.
    pub providers: Vec<Provider>,
    /// Published model names in file order.
    pub models: Vec<Model>,
    /// Other names for models; includes `models[].aliases`.
    pub aliases: Vec<Alias>,
    /// Name of the provider that gets every model nobody else claims.
    pub default_provider: Option<String>,
    /// Model of a request that names none.
    pub default_model: Option<String>,
    /// Deadlines for providers that set none of their own.
    pub timeouts: Timeouts,
    /// Client keys from the file and `GATEWAY_API_KEYS`.
    pub keys: Vec<StaticKey>,
    /// What generated client keys start with; default `ig-`.
    pub key_prefix: String,
    /// Stream behaviour.
    pub streaming: Streaming,
    /// Bounds on what a client may send and an upstream may answer.
    pub limits: Limits,
    /// How strictly losses in translation are treated.
    pub fidelity: Fidelity,
    /// Paths passed through untouched.
    pub native: Native,
    /// Default rate limits and quotas; accepted, not yet enforced.
    pub defaults: Defaults,
    /// How often the usage journal is forced to disk; default 100 ms.
    pub ledger_fsync: Duration,
    /// Connection pool towards upstreams.
    pub upstream: Upstream,
    /// Everything is answered by the provider of type `mock`.
    pub mock_mode: bool,
}

/// Host and port to listen on; the host may be a name and is resolved when the socket is bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenAddress {
    /// Address or name without brackets.
    pub host: String,
    /// Port; 0 lets the system choose.
    pub port: u16,
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// PEM files for serving HTTPS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Https {
    /// Certificate chain.
    pub cert_file: PathBuf,
    /// Private key.
    pub key_file: PathBuf,
}

/// Cross-origin policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cors {
    /// Allowed origins; `*` allows any.
    pub origins: Vec<String>,
    /// Allowed methods, upper case.
    pub methods: Vec<String>,
    /// Allowed request headers; `*` allows any.
    pub headers: Vec<String>,
    /// Whether cookies and authorization may be sent; never together with `*` in `origins`.
    pub credentials: bool,
}

/// Logging.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logging {
    /// Least important level that is written.
    pub level: LogLevel,
    /// Line format.
    pub format: LogFormat,
    /// File to write in addition to standard output.
    pub file: Option<PathBuf>,
    /// Whether request and reply bodies are recorded; off unless asked for.
    pub save_bodies: bool,
}

/// Importance of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// Something failed.
    Error,
    /// Something is odd.
    Warn,
    /// Normal operation.
    Info,
    /// For finding faults.
    Debug,
    /// Everything.
    Trace,
}

impl LogLevel {
    /// Lower-case name as log libraries spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// Shape of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object per line.
    Json,
    /// For human eyes.
    Text,
}

/// Administrator account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admin {
    /// Login name; default `admin`.
    pub username: String,
    /// Password hash as written; `None` means that one has to be generated.
    pub password_hash: Option<Secret>,
    /// Secret that signs sessions; `None` means that one has to be generated.
    pub session_secret: Option<Secret>,
}

/// One upstream provider.
#[derive(Clone, PartialEq)]
pub struct Provider {
    /// Name that models and `provider/model` refer to.
    pub name: String,
    /// A type of the catalog.
    pub provider_type: String,
    /// Whether it may be used; a provider without a needed key is loaded as disabled.
    pub enabled: bool,
    /// Key sent upstream.
    pub api_key: Option<Secret>,
    /// Address without trailing slash; `None` means the default of the type.
    pub base_url: Option<String>,
    /// Organization identifier, for vendors that have one.
    pub organization: Option<String>,
    /// Project identifier, for vendors that have one.
    pub project: Option<String>,
    /// Version of the vendor's API, for vendors that want one.
    pub api_version: Option<String>,
    /// Model of a request that names none.
    pub default_model: Option<String>,
    /// The only models offered; empty means all.
    pub allowed_models: Vec<String>,
    /// Additional request headers in file order; values may be credentials.
    pub headers: Vec<(String, Secret)>,
    /// Share among equals; default 1.
    pub weight: u32,
    /// Deadlines, global ones filled in.
    pub timeouts: Timeouts,
    /// Settings only the type understands: name to JSON text. Values may be credentials.
    pub options: BTreeMap<String, String>,
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider")
            .field("name", &self.name)
            .field("provider_type", &self.provider_type)
            .field("enabled", &self.enabled)
            .field("api_key", &self.api_key)
            .field("base_url", &self.base_url)
            .field("organization", &self.organization)
            .field("project", &self.project)
            .field("api_version", &self.api_version)
            .field("default_model", &self.default_model)
            .field("allowed_models", &self.allowed_models)
            .field("headers", &self.headers)
            .field("weight", &self.weight)
            .field("timeouts", &self.timeouts)
            .field("options", &self.options.keys().collect::<Vec<_>>())
            .finish()
    }
}

/// Deadlines of one upstream call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeouts {
    /// Until the connection stands; default 10 s.
    pub connect: Duration,
    /// Until the first byte of the reply; default 5 min, never above `total` unless set explicitly.
    pub first_byte: Duration,
    /// Between two bytes of a reply; default 2 min.
    pub idle: Duration,
    /// For a whole reply that is not streamed; default 10 min. An active stream is never cut by it.
    pub total: Duration,
}

/// A published model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// Name that clients use; unique.
    pub name: String,
    /// Name of the provider that serves it; exists.
    pub provider: String,
    /// Text for people.
    pub description: Option<String>,
    /// Name the upstream knows it by; the same as `name` unless written.
    pub target: String,
}

/// Another name for a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    /// Name that clients use; unique among models and aliases.
    pub name: String,
    /// A model name, another alias, `provider/model` or anything that the default provider knows.
    pub target: String,
}

/// A client key that the configuration defines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaticKey {
    /// Name for logs and statistics; unique among the keys of the configuration.
    pub name: String,
    /// The key or its hash.
    pub material: KeyMaterial,
    /// Visible start of the key, for recognising it.
    pub prefix: Option<String>,
    /// Whether it is accepted.
    pub enabled: bool,
}

/// How a client key is written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyMaterial {
    /// The key itself.
    Plain(Secret),
    /// 64 lower-case hexadecimal digits: SHA-256 of the key.
    Sha256(String),
}

/// Stream behaviour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Streaming {
    /// Silence after which the client gets a heartbeat; zero turns heartbeats off; default 15 s.
    pub heartbeat: Duration,
    /// How long the reply head is withheld for the first meaningful event before heartbeats start; default 15 s.
    pub head_wait: Duration,
}

/// Bounds on what is accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Nesting of a JSON body; default 128.
    pub max_json_depth: u32,
    /// All request headers together; default 64 KiB.
    pub max_header_bytes: u64,
    /// Until a client has sent its headers; default 10 s.
    pub header_timeout: Duration,
    /// Until a client has sent its body; default 60 s.
    pub body_timeout: Duration,
    /// Requests served at a time; `None` means no bound.
    pub max_concurrent_requests: Option<u64>,
    /// Largest upstream reply that is buffered; default 64 MiB.
    pub max_reply_bytes: u64,
    /// Largest single event of an upstream stream; default 16 MiB.
    pub max_event_bytes: u64,
}

/// How strictly losses in translation are treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fidelity {
    /// Refuse what would change the meaning, report the rest.
    Default,
    /// Refuse every loss.
    Strict,
    /// Report losses, refuse none.
    Lenient,
}

/// Paths passed through untouched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Native {
    /// Forward every path of a provider's API.
    pub full_proxy: bool,
    /// Forward these paths.
    pub paths: Vec<String>,
}

/// Defaults for client keys; accepted, not yet enforced.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Defaults {
    /// Requests per minute.
    pub requests_per_minute: Option<u64>,
    /// Requests per hour.
    pub requests_per_hour: Option<u64>,
    /// Requests per day, as a rate limit.
    pub requests_per_day: Option<u64>,
    /// Input tokens per day.
    pub max_input_tokens_per_day: Option<u64>,
    /// Output tokens per day.
    pub max_output_tokens_per_day: Option<u64>,
    /// Requests per day, as a quota.
    pub max_requests_per_day: Option<u64>,
    /// Input tokens of one request.
    pub max_input_tokens: Option<u64>,
    /// Output tokens of one request.
    pub max_output_tokens: Option<u64>,
}

/// Connection pool towards upstreams.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// Idle connections kept per host; default 64.
    pub pool_max_idle_per_host: u64,
    /// How long an idle connection is kept; default 90 s.
    pub pool_idle_timeout: Duration,
    /// Whether HTTP/2 may be used.
    pub http2: Http2,
}

/// Whether HTTP/2 may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Http2 {
    /// When the upstream offers it.
    Auto,
    /// HTTP/1.1 only.
    Never,
}

impl Config {
    /// The provider called `name`.
    pub fn provider(&self, name: &str) -> Option<&Provider> {
        self.providers.iter().find(|provider| provider.name == name)
    }

    /// A few lines for the start-up log that contain no secret.
    pub fn redacted_summary(&self) -> String {
        let mut lines = vec![
            format!("listen {}{}", self.listen, if self.https.is_some() { " (https)" } else { "" }),
            format!("data {} database {}", self.data_dir.display(), self.database_path.display()),
        ];
        if self.mock_mode {
            lines.push("mock mode: every request is answered locally".to_owned());
        }
        for provider in &self.providers {
            lines.push(format!(
                "provider {} type {} {} key {} base {}",
                provider.name,
                provider.provider_type,
                if provider.enabled { "enabled" } else { "disabled" },
                if provider.api_key.is_some() { "set" } else { "none" },
                provider.base_url.as_deref().unwrap_or("default"),
            ));
        }
        lines.push(format!(
            "models {} aliases {} keys {} default provider {} default model {}",
            self.models.len(),
            self.aliases.len(),
            self.keys.len(),
            self.default_provider.as_deref().unwrap_or("none"),
            self.default_model.as_deref().unwrap_or("none"),
        ));
        lines.join("\n")
    }
}
