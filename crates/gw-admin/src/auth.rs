//! HTTP Basic authentication of the administrator.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gw_config::Admin;
use gw_core::Secret;
use gw_identity::KeyHash;
use http::{HeaderMap, Method, header};
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use crate::context::RequestContext;
use crate::error::ApiError;
use crate::password::verify_password;
use crate::router::Shared;
use crate::throttle::Throttle;

/// How long a checked password is not checked again.
const REMEMBERED_MS: i64 = 5 * 60 * 1000;
/// Logins remembered.
const MAX_REMEMBERED: usize = 64;
/// Passwords checked at a time: each takes a processor and 19 MiB.
const PARALLEL_CHECKS: usize = 2;
const MAX_WAIT: Duration = Duration::from_secs(5);

/// Lets the administrator in, and nobody else.
pub(crate) struct Gate {
    /// SHA-256 of what was presented and what it was checked against, until when it counts.
    remembered: Mutex<HashMap<[u8; 32], i64>>,
    throttle: Throttle,
    checks: Semaphore,
}

struct Login {
    username: String,
    password: Secret,
    fingerprint: [u8; 32],
}

pub(crate) async fn layer(
    State(shared): State<Arc<Shared>>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let client = request.extensions().get::<RequestContext>().and_then(|context| context.client);
    let config = (shared.state.config)();
    let authorization = request.headers().get(header::AUTHORIZATION).cloned();
    let presented = authorization.as_ref().and_then(|value| value.to_str().ok());
    shared.gate.admit(&config.admin, presented, client, &*shared.state.now_ms).await?;
    refuse_other_sites(request.method(), request.headers())?;
    Ok(next.run(request).await)
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self { remembered: Mutex::default(), throttle: Throttle::default(), checks: Semaphore::new(PARALLEL_CHECKS) }
    }

    async fn admit(
        &self,
        admin: &Admin,
        presented: Option<&str>,
        client: Option<IpAddr>,
        now_ms: &(dyn Fn() -> i64 + Send + Sync),
    ) -> Result<(), ApiError> {
        let Some(hash) = admin.password_hash.as_ref().filter(|hash| !hash.is_empty()) else {
            return Err(ApiError::unavailable("the administrator has no password; set admin.password_hash"));
        };
        let login = presented.and_then(|text| Login::parse(text, admin, hash)).ok_or_else(ApiError::unauthenticated)?;
        if self.is_remembered(&login.fingerprint, now_ms()) {
            return Ok(());
        }
        // Refused before queueing: a client that guesses must not hold up the administrator.
        self.throttle.check(client, now_ms()).map_err(ApiError::rate_limited)?;
        let Ok(Ok(_permit)) = tokio::time::timeout(MAX_WAIT, self.checks.acquire()).await else {
            return Err(ApiError::unavailable("too many logins at once; try again"));
        };
        // Another request with the same login may have been checked in the meantime.
        if self.is_remembered(&login.fingerprint, now_ms()) {
            return Ok(());
        }
        self.throttle.attempt(client, now_ms()).map_err(ApiError::rate_limited)?;
        if !self.verify(&login, admin, hash).await? {
            tracing::warn!(client = client.map(tracing::field::display), "administrator login failed");
            return Err(ApiError::unauthenticated());
        }
        self.throttle.succeeded(client);
        self.remember(login.fingerprint, now_ms());
        Ok(())
    }

    async fn verify(&self, login: &Login, admin: &Admin, hash: &Secret) -> Result<bool, ApiError> {
        let (password, stored) = (login.password.clone(), hash.clone());
        // Checked for a wrong name as well, so that the time says nothing about the name.
        let matches = tokio::task::spawn_blocking(move || verify_password(&password, &stored))
            .await
            .map_err(|error| ApiError::internal(&error.to_string()))?
            .map_err(|error| {
                tracing::error!(%error, "nobody can log in");
                ApiError::unavailable(error.to_string())
            })?;
        Ok(matches && KeyHash::of(&login.username) == KeyHash::of(&admin.username))
    }

    fn is_remembered(&self, fingerprint: &[u8; 32], now_ms: i64) -> bool {
        self.remembered.lock().get(fingerprint).is_some_and(|until_ms| now_ms < *until_ms)
    }

    fn remember(&self, fingerprint: [u8; 32], now_ms: i64) {
        let mut remembered = self.remembered.lock();
        if remembered.len() >= MAX_REMEMBERED {
            remembered.retain(|_, until_ms| now_ms < *until_ms);
        }
        if remembered.len() >= MAX_REMEMBERED {
            remembered.clear();
        }
        remembered.insert(fingerprint, now_ms.saturating_add(REMEMBERED_MS));
    }
}

impl Login {
    fn parse(header: &str, admin: &Admin, hash: &Secret) -> Option<Self> {
        let (scheme, encoded) = header.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let decoded = Secret::new(String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?);
        let (username, password) = decoded.expose().split_once(':')?;
        // What it is checked against is part of it: another name or password in the configuration ends every login.
        let checked = Secret::new(format!("{}\n{}\n{header}", admin.username, hash.expose()));
        Some(Self {
            username: username.to_owned(),
            password: Secret::new(password),
            fingerprint: KeyHash::of(checked.expose()).0,
        })
    }
}

/// A browser sends the password along with what any page makes it send, so changes are taken from our own pages and from
/// programs only.
fn refuse_other_sites(method: &Method, headers: &HeaderMap) -> Result<(), ApiError> {
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(());
    }
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("unreadable"));
    let same = match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => {
            let host = origin.split_once("://").map(|(_, host)| host);
            host.is_some() && host == text("host")
        }
        (None, None) => true,
    };
    if same { Ok(()) } else { Err(ApiError::forbidden("changes from pages of another site are refused")) }
}
