//! Precedence between file, `.env`, process and command line, and the documented table.

use gw_config::{CliOverrides, ENVIRONMENT, EnvState, LogLevel, environment_markdown};

use crate::support::Case;

#[test]
fn the_process_wins_over_dotenv_even_when_empty() {
    let key = |case: Case| case.ok().config.provider("openai").and_then(|p| p.api_key.clone());
    let exposed = |case| key(case).map(|secret| secret.expose().to_owned());
    assert_eq!(exposed(Case::empty().dotenv("OPENAI_API_KEY=file")).as_deref(), Some("file"));
    assert_eq!(
        exposed(Case::empty().dotenv("OPENAI_API_KEY=file").env("OPENAI_API_KEY", "process")).as_deref(),
        Some("process")
    );
    assert_eq!(exposed(Case::empty().dotenv("OPENAI_API_KEY=file").env("OPENAI_API_KEY", "")), None);
}

#[test]
fn secrets_of_the_file_win_and_empty_ones_do_not() {
    let with = |key: &str| {
        let yaml = format!("providers: {{openai: {{api_key: {key:?}, base_url: 'http://file'}}}}");
        let case = Case::yaml(yaml).env("OPENAI_API_KEY", "process").env("OPENAI_BASE_URL", "http://process");
        case.ok().config.provider("openai").unwrap().clone()
    };
    assert_eq!(with("file").api_key.unwrap().expose(), "file");
    assert_eq!(with("").api_key.unwrap().expose(), "process");
    assert_eq!(with("").base_url.as_deref(), Some("http://file"));
}

#[test]
fn the_address_is_overridden_in_order() {
    let port = |yaml: &str, env: &[(&str, &str)], overrides: CliOverrides| {
        let case = env.iter().fold(Case::yaml(yaml), |case, (name, value)| case.env(name, value));
        case.overrides(overrides).ok().config.listen.to_string()
    };
    let file = "server: {host: 10.0.0.1, port: 1}";
    let none = CliOverrides::default;
    assert_eq!(port("", &[], none()), "127.0.0.1:8080");
    assert_eq!(port(file, &[], none()), "10.0.0.1:1");
    assert_eq!(port("listen: ':2'\nserver: {host: 10.0.0.1, port: 1}", &[], none()), "0.0.0.0:2");
    assert_eq!(port(file, &[("PORT", "3")], none()), "10.0.0.1:3");
    assert_eq!(port(file, &[("IRONGATE_LISTEN", "localhost:4")], none()), "localhost:4");
    assert_eq!(port(file, &[("IRONGATE_LISTEN", "localhost:4"), ("PORT", "3")], none()), "localhost:3");
    let listen = || CliOverrides { listen: Some("[::]:0".to_owned()), ..none() };
    assert_eq!(port(file, &[("PORT", "3")], listen()), "[::]:0");
    assert_eq!(port(file, &[("PORT", "3")], CliOverrides { port: Some(6), ..listen() }), "[::]:6");
    assert_eq!(port(file, &[("PORT", "3")], CliOverrides { port: Some(6), ..none() }), "10.0.0.1:6");
}

#[test]
fn other_overrides() {
    let yaml = "logging: {level: error, format: json}\ndata_dir: /file\nkey_prefix: file-\ntimeout: 1m";
    let config = Case::yaml(yaml)
        .env("LOG_LEVEL", "warning")
        .env("IRONGATE_DATA_DIR", "/process")
        .env("API_KEY_PREFIX", "process-")
        .env("UPSTREAM_TIMEOUT", "600")
        .ok()
        .config;
    assert_eq!((config.logging.level, config.key_prefix.as_str()), (LogLevel::Warn, "file-"));
    assert_eq!((config.data_dir.to_str(), config.timeouts.total.as_secs()), (Some("/process"), 60));
    assert_eq!(config.database_path.to_str(), Some("/process/irongate.db"));
    let overrides = CliOverrides { data_dir: Some("/flag".into()), verbose: true, ..CliOverrides::default() };
    let config = Case::yaml(yaml).env("IRONGATE_DATA_DIR", "/process").overrides(overrides).ok().config;
    assert_eq!((config.data_dir.to_str(), config.logging.level), (Some("/flag"), LogLevel::Debug));
}

#[test]
fn a_target_address_alone_is_a_configuration() {
    for (url, key) in [("TARGET_API_URL", "TARGET_API_KEY"), ("TARGET_URL", "TARGET_KEY")] {
        let config = Case::empty().env(url, "http://localhost:9/v1").env(key, "k").ok().config;
        assert_eq!(config.default_provider.as_deref(), Some("target"));
        let target = config.provider("target").unwrap();
        assert_eq!(
            (target.provider_type.as_str(), target.base_url.as_deref()),
            ("openai-compatible", Some("http://localhost:9/v1"))
        );
        assert_eq!(target.api_key.as_ref().unwrap().expose(), "k");
    }
    let config = Case::yaml("default_provider: ollama").env("TARGET_API_URL", "http://h").ok().config;
    assert_eq!(config.default_provider.as_deref(), Some("ollama"), "the file has the last word");
}

#[test]
fn mock_mode_needs_no_keys() {
    let config = Case::empty().env("ENABLE_MOCK_MODE", "true").ok().config;
    assert!(config.mock_mode);
    assert_eq!((config.providers.len(), config.default_provider.as_deref()), (1, Some("mock")));
    let yaml = "models: [{name: gpt-4, provider: openai}]";
    let config = Case::yaml(yaml).env("ENABLE_MOCK_MODE", "1").ok().config;
    assert!(config.mock_mode && !config.provider("openai").unwrap().enabled && config.provider("mock").is_some());
    let yaml = "providers: {fake: {type: mock, enabled: false}}";
    let config = Case::yaml(yaml).env("ENABLE_MOCK_MODE", "1").ok().config;
    assert_eq!((config.providers.len(), config.default_provider.as_deref()), (1, Some("fake")));
    assert!(config.providers[0].enabled, "mock mode needs it");
}

#[test]
fn cross_origin_settings_from_the_environment() {
    let cors = |case: Case| case.ok().config.cors;
    assert_eq!(cors(Case::empty().env("CORS_ALLOW_CREDENTIALS", "true")), None);
    for name in ["CORS_ALLOWED_ORIGINS", "CORS_ORIGIN", "CORS_ALLOW_ORIGINS"] {
        let case = Case::empty().env(name, "[\"https://a\", \"https://b\"]").env("CORS_ALLOW_CREDENTIALS", "true");
        let found = cors(case.env("CORS_METHODS", "get,POST").env("CORS_ALLOW_HEADERS", "X-A")).unwrap();
        assert_eq!(found.origins, ["https://a", "https://b"]);
        assert_eq!(
            (found.methods.join(" "), found.headers.join(" "), found.credentials),
            ("GET POST".into(), "X-A".into(), true)
        );
    }
    let wildcard = || Case::empty().env("CORS_ORIGIN", "*").env("CORS_ALLOW_CREDENTIALS", "true");
    assert!(!cors(wildcard()).unwrap().credentials);
    insta::assert_snapshot!(wildcard().warnings(), @r#"environment variable CORS_ALLOW_CREDENTIALS: server.cors.credentials: ignored, because browsers refuse credentials together with origin `*`; list the origins"#);
}

#[test]
fn variables_without_effect_are_called_so() {
    let case = Case::empty()
        .env("RATE_LIMIT_REQUESTS_PER_MINUTE", "60")
        .env("REDIS_HOST", "of the process, nothing to say")
        .env("SOMETHING_ELSE", "x")
        .env("TARGET_API_KEY", "k")
        .dotenv("REDIS_PORT=6379\nDB_HOST=\nCELERY_BROKER=x\nGATEWAY_NAME=y\nCREDITS_AUTO_TOPUP_INTERVAL_SECONDS=1\n");
    insta::assert_snapshot!(case.warnings(), @r#"
    .env:3: CELERY_BROKER: has no effect here: background work runs inside the process
    .env:5: CREDITS_AUTO_TOPUP_INTERVAL_SECONDS: accepted, not yet enforced
    .env:4: GATEWAY_NAME: has no effect here: see `server`, `limits` and `timeout` in the configuration file
    environment variable RATE_LIMIT_REQUESTS_PER_MINUTE: accepted, not yet enforced
    .env:1: REDIS_PORT: has no effect here: one binary; counters and caches live in memory
    environment variable TARGET_API_KEY: has no effect without TARGET_API_URL
    "#);
}

/// What to set a variable to, and what else must be there, so that it makes a difference.
fn effect(name: &str) -> (&'static str, &'static [(&'static str, &'static str)]) {
    match name {
        "IRONGATE_LISTEN" => ("0.0.0.0:1", &[]),
        "PORT" => ("1", &[]),
        "LOG_LEVEL" => ("trace", &[]),
        "LOG_FORMAT" => ("text", &[]),
        "LOG_SAVE_BODY" | "DEBUG_MODE" | "ENABLE_MOCK_MODE" | "OPENAI_FULL_PROXY" => ("true", &[]),
        "PROXY_CONNECT_TIMEOUT" | "PROXY_READ_TIMEOUT" | "UPSTREAM_TIMEOUT" => ("77s", &[]),
        "TARGET_API_KEY" | "TARGET_KEY" => ("k", &[("TARGET_API_URL", "http://h")]),
        "OLLAMA_BASE_URL" | "LMSTUDIO_BASE_URL" | "TARGET_API_URL" | "TARGET_URL" => ("http://h", &[]),
        "CORS_METHODS" | "CORS_HEADERS" | "CORS_ALLOW_METHODS" | "CORS_ALLOW_HEADERS" => ("X", &[("CORS_ORIGIN", "a")]),
        "CORS_ALLOW_CREDENTIALS" => ("true", &[("CORS_ORIGIN", "a")]),
        "OPENAI_BASE_URL" => ("http://h", &[("OPENAI_API_KEY", "k")]),
        "ANTHROPIC_BASE_URL" => ("http://h", &[("ANTHROPIC_API_KEY", "k")]),
        "GEMINI_BASE_URL" => ("http://h", &[("GEMINI_API_KEY", "k")]),
        "MISTRAL_BASE_URL" => ("http://h", &[("MISTRAL_API_KEY", "k")]),
        "DEEPSEEK_BASE_URL" => ("http://h", &[("DEEPSEEK_API_KEY", "k")]),
        "QWEN_BASE_URL" => ("http://h", &[("QWEN_API_KEY", "k")]),
        _ => ("some-text", &[]),
    }
}

#[test]
fn every_variable_documented_as_used_makes_a_difference_and_no_other_does() {
    for variable in ENVIRONMENT {
        let (value, context) = effect(variable.name);
        let base = || context.iter().fold(Case::empty(), |case, (name, value)| case.env(name, value));
        let name = variable.name.replace('*', "X");
        let changed = base().ok().config != base().env(&name, value).ok().config;
        assert_eq!(changed, variable.state == EnvState::Used, "{}", variable.name);
    }
}

/// The names the replaced systems read, as their own documentation lists them.
const SOURCE_NAMES: &str = "
TZ NODE_ENV PORT DOMAIN_NAME DB_HOST DB_PORT DB_NAME DB_USER DB_PASSWORD DB_CHARSET REDIS_HOST REDIS_PORT REDIS_PASSWORD
REDIS_DB API_PREFIX ADMIN_PATH SWAGGER_PATH LOG_LEVEL LOG_DIR CORS_ORIGIN CORS_METHODS CORS_HEADERS WORKER_PROCESSES
WORKER_CONNECTIONS PROXY_READ_TIMEOUT PROXY_CONNECT_TIMEOUT LUA_BODY_PARSE_LIMIT ENABLE_MOCK_MODE LOG_SAVE_BODY JWT_SECRET
ENABLE_DEBUG_STREAM OPENAI_FULL_PROXY TOKEN_REFRESH_INTERVAL TOKEN_EARLY_REFRESH DEBUG_MODE
OPENAI_API_KEY GEMINI_API_KEY ANTHROPIC_API_KEY OPENAI_BASE_URL GEMINI_BASE_URL ANTHROPIC_BASE_URL
TARGET_API_URL TARGET_API_KEY TARGET_URL TARGET_KEY GIN_MODE GATEWAY_API_KEYS LOG_FORMAT RATE_LIMIT_REQUESTS_PER_MINUTE
HEALTH_CHECK_ENABLED CORS_ALLOWED_ORIGINS ENABLE_LOCAL_AUTH TOKEN_EXPIRATION REQUIRE_HTTPS API_KEY_PREFIX
MAX_API_KEYS_PER_USER REDIS_ENABLED REDIS_ADDR REDIS_POOL_SIZE SERVICE_DISCOVERY_ENABLED SERVICE_DISCOVERY_TYPE
SERVICE_DISCOVERY_ENDPOINTS SERVICE_DISCOVERY_NAMESPACE SERVICE_DISCOVERY_REFRESH_RATE PROTOCOL_CONVERSION_ENABLED
HTTPS_TO_RPC_ENABLED GRPC_SUPPORT_ENABLED SUPPORTED_PROTOCOLS RAM_AUTH_ENABLED RAM_AUTH_ACCESS_KEY_ID
RAM_AUTH_ACCESS_KEY_SECRET RAM_AUTH_REGION RAM_AUTH_ROLE_ARN RAM_AUTH_POLICY_DOCUMENT RAM_AUTH_CACHE_EXPIRATION
CLOUD_INTEGRATION_ENABLED CLOUD_INTEGRATION_PROVIDER CLOUD_INTEGRATION_REGION CLOUD_INTEGRATION_ACCESS_KEY_ID
CLOUD_INTEGRATION_ACCESS_KEY_SECRET CLOUD_INTEGRATION_SESSION_TOKEN CLOUD_INTEGRATION_SERVICES AUTO_SCALING_ENABLED
AUTO_SCALING_MIN AUTO_SCALING_MAX AUTO_SCALING_TARGET_CPU AUTO_SCALING_TARGET_QPS AUTO_SCALING_UP_COOLDOWN
AUTO_SCALING_DOWN_COOLDOWN MONITORING_ENABLED LOCAL_MODEL_ENABLED LOCAL_MODEL_HOST LOCAL_MODEL_PORT LOCAL_MODEL_TYPE
LOCAL_MODEL_SIZE LOCAL_MODEL_TIMEOUT LOCAL_MODEL_MAX_TOKENS LOCAL_MODEL_TEMPERATURE LOCAL_MODEL_RETRY
REDIS_URL DATABASE_URL SECRET_KEY AUTO_APPLY_DB_MIGRATIONS ENABLE_AUTO_MIGRATION CORS_ALLOW_ORIGINS CORS_ALLOW_CREDENTIALS
CORS_ALLOW_METHODS CORS_ALLOW_HEADERS APP_ENV ENABLE_SECURITY_MIDDLEWARE DEFAULT_ADMIN_USERNAME DEFAULT_ADMIN_EMAIL
CELERY_BROKER_URL PROVIDER_HEALTH_INTERVAL_SECONDS UPSTREAM_PROXY_ENABLED PROBE_PROMPT API_KEY_CHECK METRICS_BUFFER
OFFLINE_METRICS_ENABLED MAX_SESSIONS_PER_USER LINUXDO_CLIENT_ID GATEWAY_NAME UPSTREAM_TIMEOUT MODELS_CACHE_TTL MASK_AS_BROWSER
ENABLE_CONTENT_MODERATION CONTENT_MODERATION_ACTION CONTENT_MODERATION_MASK_TOKEN CONTENT_MODERATION_MASK_RESPONSE
CONTENT_MODERATION_MASK_STREAM DEFAULT_USER_PRIVATE_PROVIDER_LIMIT MAX_USER_PRIVATE_PROVIDER_LIMIT
REQUIRE_APPROVAL_FOR_SHARED_PROVIDERS ENABLE_CREDIT_CHECK INITIAL_USER_CREDITS STREAMING_MIN_TOKENS
ENABLE_STREAMING_PRECHARGE CREDITS_BASE_PER_1K_TOKENS CREDITS_AUTO_TOPUP_INTERVAL_SECONDS AVATAR_DIR
";

#[test]
fn every_name_of_the_sources_is_documented() {
    let page = environment_markdown();
    for name in SOURCE_NAMES.split_whitespace() {
        let variable = ENVIRONMENT.iter().find(|variable| variable.matches(name));
        let variable = variable.unwrap_or_else(|| panic!("{name} is not documented"));
        assert!(page.contains(&format!("| `{}` |", variable.name)));
    }
    for variable in ENVIRONMENT {
        assert!(
            !variable.meaning.is_empty() && !variable.note.is_empty() || variable.state == EnvState::Used,
            "{}",
            variable.name
        );
        let first = ENVIRONMENT.iter().find(|other| other.matches(variable.name)).unwrap();
        assert_eq!(first.name, variable.name, "a family hides it");
    }
}

#[test]
fn the_example_file_is_read_without_complaint_and_names_known_variables_only() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.env.example");
    let text = std::fs::read_to_string(path).unwrap();
    assert_eq!(Case::empty().dotenv(&text).warnings(), "");
    let uncommented: String = text
        .lines()
        .map(|line| {
            line.strip_prefix('#').filter(|rest| !rest.starts_with([' ', '#']) && !rest.is_empty()).unwrap_or(line)
        })
        .map(|line| format!("{line}\n"))
        .collect();
    assert_eq!(Case::empty().dotenv(&uncommented).warnings(), "");
    let names: Vec<&str> = uncommented
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('=').map(|(name, _)| name))
        .collect();
    assert!(names.len() > 20);
    for name in names {
        let used = ENVIRONMENT.iter().any(|variable| variable.name == name && variable.state == EnvState::Used);
        assert!(used, "{name}");
    }
}
