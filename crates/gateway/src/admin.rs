//! The control plane behind the edge: gives it what it needs and adapts its HTTP types.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use arc_swap::ArcSwap;
use gw_admin::{AdminState, JournalFacts, ProviderFacts, RequestContext, StatusFacts};
use gw_config::Config;
use gw_edge::{AdminCall, AdminService, ReplyBody};
use gw_identity::KeyDirectory;
use gw_ledger::Journal;
use gw_pipeline::BodyFault;
use gw_store_sqlite::SqliteStore;
use http::Request;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::sync::Notify;
use tower_service::Service as _;

use crate::cli;

/// What the control plane is made of.
pub(crate) struct Parts {
    pub(crate) store: SqliteStore,
    pub(crate) config: Arc<ArcSwap<Config>>,
    pub(crate) source: Option<PathBuf>,
    pub(crate) reloads: Arc<AtomicU64>,
    pub(crate) keys: Arc<KeyDirectory>,
    pub(crate) keys_changed: Arc<Notify>,
    pub(crate) journal: Arc<Journal>,
    pub(crate) started: Instant,
}

/// The control plane as a service of the edge.
pub(crate) fn service(parts: Parts) -> AdminService {
    let Parts { store, config, source, reloads, keys, keys_changed, journal, started } = parts;
    let current = Arc::clone(&config);
    let database = store.path().to_owned();
    let status = move || {
        let config = config.load_full();
        let stats = journal.stats();
        StatusFacts {
            version: cli::VERSION.to_owned(),
            uptime_seconds: started.elapsed().as_secs(),
            config_revision: reloads.load(Ordering::Relaxed),
            config_source: source.as_ref().map_or_else(String::new, |path| path.display().to_string()),
            providers: ProviderFacts::of(&config),
            keys: keys.snapshot().len() as u64,
            journal: JournalFacts {
                appended: stats.appended_records,
                failed: stats.append_errors,
                pending: stats.pending_records,
            },
            database_bytes: std::fs::metadata(&database).ok().map(|file| file.len()),
        }
    };
    let router = gw_admin::router(AdminState {
        keys: Arc::new(store.clone()),
        usage: Arc::new(store),
        config: Arc::new(move || current.load_full()),
        status: Arc::new(status),
        keys_changed: Arc::new(move || keys_changed.notify_one()),
        now_ms: Arc::new(gw_pipeline::now_ms),
    });
    Arc::new(move |mut request: Request<Incoming>, call: AdminCall| {
        let mut router = router.clone();
        let context = RequestContext { request_id: call.request_id, client: Some(call.peer.ip()) };
        request.extensions_mut().insert(context);
        Box::pin(async move {
            let Ok(response) = router.call(request).await;
            response.map(|body| ReplyBody::Other(Box::pin(body.map_err(|_| BodyFault))))
        })
    })
}
