//! From arrival to answer: the stages of a call in the order in which they run.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use arc_swap::ArcSwap;
use bytes::Bytes;
use gw_core::{Code, EndReason, GatewayError, Operation};
use gw_identity::{KeyDirectory, Lookup, Principal};
use gw_spi::{Egress, Ingress, ModelCard, Route, StateSealer, bad_json};
use gw_store::UsageRecord;
use gw_wire::Document;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::attempt::OpenFault;
use crate::body::GatewayBody;
use crate::chat::ChatCall;
use crate::pump::end_of;
use crate::settle::{Observer, Settled, Settlement};
use crate::snapshot::{ModelEntry, Snapshot};
use crate::transport::Transport;
use crate::{clock, native};

/// All dialects in service, in routing order.
#[derive(Clone, Default)]
pub struct Dialects {
    /// Server sides.
    pub ingresses: Vec<Arc<dyn Ingress>>,
    /// Client sides.
    pub egresses: Vec<Arc<dyn Egress>>,
}

/// What a gateway is made of.
pub struct GatewayParts {
    /// Dialects.
    pub dialects: Dialects,
    /// First configuration.
    pub snapshot: Arc<Snapshot>,
    /// Client keys.
    pub keys: Arc<KeyDirectory>,
    /// Client towards providers.
    pub transport: Transport,
    /// Takes settled calls.
    pub observer: Arc<dyn Observer>,
    /// Seals vendor state.
    pub sealer: Arc<dyn StateSealer>,
    /// Knows models of providers whose configuration names none.
    pub discovered: Arc<dyn ModelSource>,
}

/// Models that providers say they have, for those whose configuration names none.
pub trait ModelSource: Send + Sync {
    /// What is known now.
    fn known(&self) -> Arc<Vec<ModelCard>>;

    /// Asks the providers again if that is due; bounded in time. Only listing models waits for it.
    fn refresh<'s>(&'s self, snapshot: &'s Arc<Snapshot>) -> Pin<Box<dyn Future<Output = ()> + Send + 's>>;
}

/// The gateway: shared by all connections.
pub struct Gateway {
    pub(crate) dialects: Dialects,
    pub(crate) snapshot: ArcSwap<Snapshot>,
    keys: Arc<KeyDirectory>,
    pub(crate) transport: Transport,
    observer: Arc<dyn Observer>,
    pub(crate) sealer: Arc<dyn StateSealer>,
    shutting_down: Arc<AtomicBool>,
    pub(crate) cut: CancellationToken,
    attempts: AttemptIds,
    discovered: Arc<dyn ModelSource>,
}

/// Ids that never repeat, whatever request ids clients choose.
struct AttemptIds {
    process: u64,
    next: AtomicU64,
}

impl AttemptIds {
    fn new() -> Self {
        Self { process: rand::random(), next: AtomicU64::new(1) }
    }

    fn next(&self) -> String {
        format!("{:016x}-{:x}", self.process, self.next.fetch_add(1, Ordering::Relaxed))
    }
}

/// A request whose path is known and whose body was read.
pub struct Arrival {
    /// Server side of the caller's dialect.
    pub ingress: Arc<dyn Ingress>,
    /// What the path asks for.
    pub route: Route,
    /// Request id.
    pub request_id: String,
    /// Request method.
    pub method: Method,
    /// Path, dialect prefix removed.
    pub path: String,
    /// Query without `?`.
    pub query: Option<String>,
    /// Request headers.
    pub headers: HeaderMap,
    /// Whole body.
    pub body: Bytes,
    /// Who calls.
    pub principal: Arc<Principal>,
    /// When the request's head was read.
    pub started: Instant,
}

/// A request that is refused before it becomes a call.
#[derive(Clone, Copy)]
pub struct Rejected<'r> {
    /// Whose error format is used.
    pub ingress: &'r Arc<dyn Ingress>,
    /// Request id.
    pub request_id: &'r str,
    /// Request method.
    pub method: &'r Method,
    /// Request path.
    pub path: &'r str,
    /// Who calls, when that is known.
    pub principal: Option<&'r Principal>,
    /// When the request's head was read.
    pub started: Instant,
}

/// A call that failed before its answer began.
pub(crate) struct Failure {
    pub(crate) error: GatewayError,
    /// The provider's own answer, for a client of the same dialect.
    pub(crate) verbatim: Option<Box<(StatusCode, Bytes)>>,
}

impl From<GatewayError> for Failure {
    fn from(error: GatewayError) -> Self {
        Self { error, verbatim: None }
    }
}

impl Failure {
    /// Keeps a provider's answer only when the client's format is the same, the fault is the client's own, and it is
    /// JSON.
    pub(crate) fn of(fault: OpenFault, relay: bool) -> Self {
        let OpenFault { error, answer } = fault;
        let verbatim = answer.filter(|(status, body)| {
            let clients = matches!(status.as_u16(), 400 | 404 | 409 | 413 | 422 | 429);
            let own = error.code.blame() == gw_core::Blame::Client;
            relay && clients && own && matches!(body.first(), Some(b'{' | b'['))
        });
        let verbatim = verbatim.map(Box::new);
        Self { error, verbatim }
    }
}

impl Gateway {
    /// Puts the parts together.
    #[must_use]
    pub fn new(parts: GatewayParts) -> Self {
        Self {
            dialects: parts.dialects,
            snapshot: ArcSwap::new(parts.snapshot),
            keys: parts.keys,
            transport: parts.transport,
            observer: parts.observer,
            sealer: parts.sealer,
            shutting_down: Arc::new(AtomicBool::new(false)),
            cut: CancellationToken::new(),
            attempts: AttemptIds::new(),
            discovered: parts.discovered,
        }
    }

    /// The configuration in force.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// Swaps the configuration; calls in flight keep theirs.
    pub fn replace_snapshot(&self, snapshot: Arc<Snapshot>) {
        self.snapshot.store(snapshot);
    }

    /// All models that a client can be shown, configured ones first.
    #[must_use]
    pub fn models(&self, snapshot: &Snapshot) -> Vec<ModelCard> {
        let discovered = self.discovered.known();
        let fresh = discovered.iter().filter(|card| !snapshot.catalogue().iter().any(|known| known.id == card.id));
        snapshot.catalogue().iter().chain(fresh).cloned().collect()
    }

    /// Dialects in service.
    #[must_use]
    pub fn dialects(&self) -> &Dialects {
        &self.dialects
    }

    /// From now on a dropped call counts as ended by shutdown.
    pub fn begin_shutdown(&self) {
        self.shutting_down.store(true, Ordering::Relaxed);
    }

    /// Whether shutdown has begun.
    #[must_use]
    pub fn is_shutting_down(&self) -> bool {
        self.shutting_down.load(Ordering::Relaxed)
    }

    /// Ends all streams with a clean error.
    pub fn cut_streams(&self) {
        self.cut.cancel();
    }

    /// Who presents this key.
    ///
    /// # Errors
    /// `unauthenticated` for no, an unknown, a disabled or an expired key.
    pub fn identify(&self, key: Option<&str>) -> Result<Arc<Principal>, GatewayError> {
        let refuse = |message: &'static str| Err(GatewayError::new(Code::Unauthenticated, message));
        let Some(key) = key.filter(|key| !key.is_empty()) else {
            return refuse(
                "no API key: send it as 'Authorization: Bearer <key>', 'x-api-key', 'x-goog-api-key', 'api-key' or '?key='",
            );
        };
        match self.keys.lookup(key, clock::now_ms()) {
            Lookup::Found(principal) => Ok(principal),
            Lookup::Disabled => refuse("this API key is disabled"),
            Lookup::Expired => refuse("this API key has expired"),
            Lookup::Unknown => refuse("this API key is not known here"),
        }
    }

    /// Answers a call. Never fails: errors are rendered in the caller's dialect.
    pub async fn execute(&self, arrival: Arrival) -> Response<GatewayBody> {
        let mut settlement = self.settlement(&arrival);
        let snapshot = self.snapshot.load_full();
        let answered = self.run(&arrival, &snapshot, &mut settlement).await;
        let mut response = match answered {
            Ok(response) => response,
            Err(failure) => {
                let error = &failure.error;
                let reply = arrival.ingress.encode_error(error, &arrival.request_id);
                let mut response = match failure.verbatim.map(|answer| *answer) {
                    Some((status, body)) => json(status, body),
                    None => json(reply.status, reply.body),
                };
                response.headers_mut().extend(reply.headers);
                settlement.finish(end_of_failure(error), response.status().as_u16(), Some(error));
                response
            }
        };
        self.decorate(&mut response, &arrival);
        response
    }

    /// Answers a request that never became a call (no key, no such path, unreadable body), and puts it on record.
    pub fn reject(&self, rejected: Rejected<'_>, error: &GatewayError) -> Response<GatewayBody> {
        let reply = rejected.ingress.encode_error(error, rejected.request_id);
        let (key_id, key_name) =
            rejected.principal.map(|who| (who.key_id.clone(), who.name.clone())).unwrap_or_default();
        let record = UsageRecord {
            attempt_id: self.attempts.next(),
            request_id: rejected.request_id.to_owned(),
            key_id,
            key_name,
            at_ms: clock::now_ms(),
            ingress: rejected.ingress.id().0.to_owned(),
            ..UsageRecord::default()
        };
        let settled = Settled {
            record,
            format: rejected.ingress.label(),
            error_family: None,
            error_message: None,
            method: rejected.method.as_str().to_owned(),
            path: bounded(rejected.path),
            reached_provider: false,
            duration: std::time::Duration::ZERO,
            billable: false,
        };
        let stopping = Arc::clone(&self.shutting_down);
        Settlement::new(settled, Arc::clone(&self.observer), rejected.started, stopping).finish(
            EndReason::Refused,
            reply.status.as_u16(),
            Some(error),
        );
        let mut response = json(reply.status, reply.body);
        response.headers_mut().extend(reply.headers);
        response
    }

    async fn run(
        &self,
        arrival: &Arrival,
        snapshot: &Arc<Snapshot>,
        settlement: &mut Settlement,
    ) -> Result<Response<GatewayBody>, Failure> {
        match arrival.route.operation {
            Operation::ListModels => {
                self.discovered.refresh(snapshot).await;
                Ok(self.list(arrival, snapshot, settlement))
            }
            Operation::GetModel => {
                self.discovered.refresh(snapshot).await;
                Ok(self.model(arrival, snapshot, settlement)?)
            }
            // Boxed: a rare call must not make the future of every open stream larger.
            Operation::Native => Box::pin(native::call(self, arrival, snapshot, settlement)).await,
            Operation::Chat | Operation::CountTokens => {
                let text = std::str::from_utf8(&arrival.body).map_err(|fault| {
                    let message = format!("the request body is not valid UTF-8 (byte {})", fault.valid_up_to());
                    GatewayError::new(Code::BadRequest, message)
                })?;
                let envelope =
                    Document::envelope(text, snapshot.settings().limits).map_err(|fault| bad_json(&fault))?;
                if let Some(name) = envelope.root().duplicate_key() {
                    let name = bounded(&name);
                    let message = format!("'{name}' appears more than once; send it once");
                    return Err(GatewayError::bad_field(name, message).into());
                }
                let peek = arrival.ingress.peek(&arrival.route, &envelope)?;
                let requested = arrival.route.model.as_deref().or(peek.model.as_deref());
                let entry = self.target(arrival, snapshot, requested, settlement)?;
                let call = ChatCall { gateway: self, arrival, snapshot, entry: &entry, peek: &peek, text };
                settlement.record(|record| record.streaming = peek.stream);
                settlement.request_bytes(arrival.body.len() as u64);
                if arrival.route.operation == Operation::CountTokens {
                    return Box::pin(call.count(settlement)).await;
                }
                call.answer(&envelope, settlement).await
            }
        }
    }

    /// Checks the key's permission and finds who serves the model.
    pub(crate) fn target(
        &self,
        arrival: &Arrival,
        snapshot: &Snapshot,
        requested: Option<&str>,
        settlement: &mut Settlement,
    ) -> Result<ModelEntry, GatewayError> {
        let named = requested.unwrap_or_default();
        settlement.record(|record| record.requested_model = bounded(named));
        if !named.is_empty() && !arrival.principal.allows_model(named) {
            let message = format!("this API key may not use model '{}'", bounded(named));
            return Err(GatewayError::new(Code::Forbidden, message).with_param("model"));
        }
        let entry = snapshot.resolve(requested)?;
        settlement.record(|record| {
            record.provider = entry.provider.name.as_ref().to_owned();
            record.upstream_model = bounded(&entry.upstream);
        });
        Ok(entry)
    }

    fn list(&self, arrival: &Arrival, snapshot: &Snapshot, settlement: &mut Settlement) -> Response<GatewayBody> {
        let mut cards = self.models(snapshot);
        cards.retain(|card| arrival.principal.allows_model(&card.id));
        settlement.finish(EndReason::Completed, 200, None);
        json(StatusCode::OK, arrival.ingress.encode_models(&cards))
    }

    fn model(
        &self,
        arrival: &Arrival,
        snapshot: &Snapshot,
        settlement: &mut Settlement,
    ) -> Result<Response<GatewayBody>, GatewayError> {
        let wanted = arrival.route.model.as_deref().unwrap_or_default();
        let cards = self.models(snapshot);
        let found = cards.iter().find(|card| card.id == wanted && arrival.principal.allows_model(&card.id));
        let Some(card) = found else {
            let message = format!("there is no model '{}' here; GET /v1/models lists them", bounded(wanted));
            return Err(GatewayError::new(Code::NotFound, message).with_param("model"));
        };
        settlement.finish(EndReason::Completed, 200, None);
        Ok(json(StatusCode::OK, arrival.ingress.encode_model(card)))
    }

    fn settlement(&self, arrival: &Arrival) -> Settlement {
        let record = UsageRecord {
            attempt_id: self.attempts.next(),
            request_id: arrival.request_id.clone(),
            key_id: arrival.principal.key_id.clone(),
            key_name: arrival.principal.name.clone(),
            at_ms: clock::now_ms(),
            ingress: arrival.ingress.id().0.to_owned(),
            operation: arrival.route.operation.as_str().to_owned(),
            ..UsageRecord::default()
        };
        let settled = Settled {
            record,
            format: arrival.ingress.label(),
            error_family: None,
            error_message: None,
            method: arrival.method.as_str().to_owned(),
            path: arrival.path.clone(),
            reached_provider: false,
            duration: std::time::Duration::ZERO,
            billable: matches!(arrival.route.operation, Operation::Chat | Operation::Native | Operation::CountTokens),
        };
        Settlement::new(settled, Arc::clone(&self.observer), arrival.started, Arc::clone(&self.shutting_down))
    }

    fn decorate(&self, response: &mut Response<GatewayBody>, arrival: &Arrival) {
        if let Some(name) = arrival.ingress.timing_header()
            && let Ok(value) = HeaderValue::from_str(&clock::elapsed_ms(arrival.started).to_string())
        {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
}

/// A complete JSON answer.
pub(crate) fn json(status: StatusCode, body: Bytes) -> Response<GatewayBody> {
    let mut response = Response::new(GatewayBody::full(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Names in records are bounded: a client writes them.
pub(crate) fn bounded(name: &str) -> String {
    name.chars().take(256).collect()
}

fn end_of_failure(error: &GatewayError) -> EndReason {
    match error.code.blame() {
        gw_core::Blame::Client if error.upstream_status.is_none() => EndReason::Refused,
        _ => end_of(error),
    }
}
