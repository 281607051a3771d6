//! An admin API with a clock to set, a configuration to exchange and everything that it was told to do.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use argon2::password_hash::PasswordHasher as _;
use argon2::{Algorithm, Argon2, Params, Version};
use axum::Router;
use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gw_admin::{AdminState, JournalFacts, ProviderFacts, RequestContext, StatusFacts};
use gw_config::{CliOverrides, Config, ProviderType, Secret, Sources, TypeCatalog};
use gw_store::MemoryStore;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower_service::Service as _;

pub(crate) const PASSWORD: &str = "canary-admin-password";
pub(crate) const NOW_MS: i64 = 1_732_086_000_000;

pub(crate) struct Api {
    router: Router,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) config: Arc<Mutex<Arc<Config>>>,
    pub(crate) now_ms: Arc<AtomicI64>,
    pub(crate) changes: Arc<AtomicU64>,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub(crate) fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap().to_owned()
    }
}

/// A hash that costs next to nothing to check.
pub(crate) fn cheap_hash(password: &str) -> Secret {
    let params = Params::new(8, 1, 1, None).unwrap();
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    Secret::new(argon2.hash_password_with_salt(password.as_bytes(), b"canary-salt-0123").unwrap().to_string())
}

fn config() -> Config {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("irongate.yaml");
    let text = r#"
version: "1.0"
admin: {username: root, session_secret: canary-session-secret-0123456789abcdef}
providers:
  main: {type: openai, api_key: canary-provider-key, headers: {x-extra: canary-header}}
  off: {type: openai, api_key: canary-provider-key-2, enabled: false}
models:
  - {name: gpt-4o, provider: main, description: The big one}
aliases: {big: gpt-4o}
default_provider: main
keys:
  - {name: file, key: canary-static-key-0123456789abcdef}
"#;
    std::fs::write(&path, text).unwrap();
    let openai = ProviderType { name: "openai".into(), needs_key: true, needs_base_url: false };
    let types = TypeCatalog::new([openai]);
    let sources = Sources {
        config_path: Some(path),
        env_file: None,
        environment: Vec::new(),
        overrides: CliOverrides::default(),
        types: &types,
    };
    let mut config = gw_config::load(&sources).unwrap_or_else(|errors| panic!("{errors}")).config;
    config.admin.password_hash = Some(cheap_hash(PASSWORD));
    config
}

impl Api {
    pub(crate) fn new() -> Self {
        let store = Arc::new(MemoryStore::new());
        let config = Arc::new(Mutex::new(Arc::new(config())));
        let now_ms = Arc::new(AtomicI64::new(NOW_MS));
        let changes = Arc::new(AtomicU64::new(0));
        let (given, clock, counted) = (Arc::clone(&config), Arc::clone(&now_ms), Arc::clone(&changes));
        let shown = Arc::clone(&config);
        let status = move || StatusFacts {
            version: "1.2.3".into(),
            uptime_seconds: 7,
            config_revision: 2,
            config_source: "irongate.yaml".into(),
            providers: ProviderFacts::of(&shown.lock().unwrap()),
            keys: 1,
            journal: JournalFacts { appended: 3, failed: 0, pending: 1 },
            database_bytes: Some(4096),
        };
        let router = gw_admin::router(AdminState {
            keys: Arc::clone(&store) as _,
            usage: Arc::clone(&store) as _,
            config: Arc::new(move || Arc::clone(&given.lock().unwrap())),
            status: Arc::new(status),
            keys_changed: Arc::new(move || {
                counted.fetch_add(1, Ordering::SeqCst);
            }),
            now_ms: Arc::new(move || clock.load(Ordering::SeqCst)),
        });
        Self { router, store, config, now_ms, changes }
    }

    pub(crate) fn edit_config(&self, edit: impl FnOnce(&mut Config)) {
        let mut current = self.config.lock().unwrap();
        let mut config = Config::clone(&current);
        edit(&mut config);
        *current = Arc::new(config);
    }

    pub(crate) async fn send(&self, mut request: Request<Body>, client: Option<IpAddr>) -> Answer {
        request.extensions_mut().insert(RequestContext { request_id: "req-test".into(), client });
        let (head, body) = self.router.clone().call(request).await.unwrap().into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Answer { status: head.status, headers: head.headers, text: String::from_utf8(bytes.to_vec()).unwrap() }
    }

    /// As the administrator.
    pub(crate) async fn call(&self, method: &str, path: &str, body: &str) -> Answer {
        let request = Request::builder().method(method).uri(path).header("authorization", basic("root", PASSWORD));
        self.send(request.body(Body::from(body.to_owned())).unwrap(), None).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call("GET", path, "").await
    }

    /// `GET /api/v1/status` with this `Authorization`.
    pub(crate) async fn login(&self, authorization: &str, client: &str) -> Answer {
        let request = Request::get("/api/v1/status").header("authorization", authorization);
        self.send(request.body(Body::empty()).unwrap(), Some(client.parse().unwrap())).await
    }
}

pub(crate) fn basic(username: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{username}:{password}")))
}
