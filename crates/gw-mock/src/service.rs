//! The mock as a function from request to response: settings, counters, faults before the answer.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Request, Response};
use serde_json::Value;

use crate::behaviour::Behaviour;
use crate::bench::{Bench, Rendered};
use crate::body::MockBody;
use crate::call::Call;
use crate::endpoint;
use crate::failure::{Failure, Vendor};
use crate::journal::{Journal, Recorded, Ticket};
use crate::route::{Route, Target, route};

/// The header whose `key=value;...` options apply to one request.
pub const OPTIONS_HEADER: &str = "x-mock";

/// How a mock behaves for all requests.
#[derive(Clone)]
pub struct Settings {
    /// The base that options of a request are laid over.
    pub behaviour: Behaviour,
    /// Requests without a key get the vendor's 401.
    pub require_key: bool,
    /// The keys that are accepted; empty accepts any. Implies `require_key`.
    pub accepted_keys: Vec<String>,
    /// What the model lists contain. Any other name is served, too, except those that start with `missing`.
    pub models: Vec<String>,
    /// How many requests the journal keeps; 0 turns recording off.
    pub journal_capacity: usize,
    /// Pre-rendered answers for the generating endpoints, without reading the request.
    pub bench: Option<Bench>,
}

impl Default for Settings {
    fn default() -> Self {
        let models = ["mock-large", "mock-small", "gpt-4o", "claude-sonnet-4-5", "gemini-2.5-flash"];
        Self {
            behaviour: Behaviour::default(),
            require_key: false,
            accepted_keys: Vec::new(),
            models: models.map(str::to_owned).to_vec(),
            journal_capacity: 0,
            bench: None,
        }
    }
}

impl Settings {
    /// Answers at once with about 1 kB and usage, for load tests.
    pub fn fast() -> Self {
        Self { bench: Some(Bench::default()), ..Self::default() }
    }

    /// Records the last 1,000 requests, for tests.
    pub fn recording() -> Self {
        Self { journal_capacity: 1000, ..Self::default() }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Settings")
            .field("behaviour", &self.behaviour)
            .field("require_key", &self.require_key)
            .field("accepted_keys", &self.accepted_keys.len())
            .field("models", &self.models)
            .field("journal_capacity", &self.journal_capacity)
            .field("bench", &self.bench)
            .finish()
    }
}

/// Marks a response that stands for a dropped connection (`reset=1`): a server closes without answering, a caller in
/// the same process treats it as a failed connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionReset;

/// The mock; clones share counters and journal.
#[derive(Clone, Debug)]
pub struct MockService {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    settings: Settings,
    journal: Arc<Journal>,
    rendered: Rendered,
    requests: AtomicU64,
    /// Faults already served, by model name, for `fail_times`.
    failed: Mutex<HashMap<String, u64>>,
}

impl MockService {
    /// A mock with its own counters.
    pub fn new(settings: Settings) -> Self {
        let journal = Arc::new(Journal::new(settings.journal_capacity));
        Self {
            inner: Arc::new(Inner {
                settings,
                journal,
                rendered: Rendered::new(),
                requests: AtomicU64::new(0),
                failed: Mutex::new(HashMap::new()),
            }),
        }
    }

    /// The settings it was made with.
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// Answers one request. Never fails: errors are responses in the vendor's envelope.
    ///
    /// Dropping the future, or the body before its end, counts as an abort by the client. Needs a tokio runtime with
    /// time as soon as a delay is configured.
    pub async fn respond(&self, request: Request<Bytes>) -> Response<MockBody> {
        let ticket = self.inner.journal.open(&request);
        let ticket = match self.bench(&request, ticket) {
            Ok(response) => return response,
            Err(ticket) => ticket,
        };
        Box::pin(self.simulate(request, ticket)).await
    }

    /// The recorded requests, oldest first; empty unless recording is on.
    pub fn journal(&self) -> Vec<Recorded> {
        self.inner.journal.recorded()
    }

    /// Forgets the recorded requests; counters stay.
    pub fn clear_journal(&self) {
        self.inner.journal.clear();
    }

    /// Requests that have arrived.
    pub fn started(&self) -> u64 {
        self.inner.journal.started()
    }

    /// Answers that were taken to their end.
    pub fn completed(&self) -> u64 {
        self.inner.journal.completed()
    }

    /// Answers that the client did not wait for.
    pub fn aborted(&self) -> u64 {
        self.inner.journal.aborted()
    }

    /// Answers in progress.
    pub fn in_flight(&self) -> u64 {
        self.inner.journal.in_flight()
    }

    /// Returns once `count` requests have arrived in total.
    pub async fn wait_started(&self, count: u64) {
        self.inner.journal.wait_until(|journal| journal.started() >= count).await;
    }

    /// Returns once `count` answers in total were aborted.
    pub async fn wait_aborted(&self, count: u64) {
        self.inner.journal.wait_until(|journal| journal.aborted() >= count).await;
    }

    /// Returns once nothing is in progress.
    pub async fn wait_idle(&self) {
        self.inner.journal.wait_until(|journal| journal.in_flight() == 0).await;
    }

    /// The pre-rendered answer if this mock, or the path prefix `/bench[/options]`, asks for it.
    fn bench(&self, request: &Request<Bytes>, ticket: Ticket) -> Result<Response<MockBody>, Ticket> {
        let path = request.uri().path();
        let base = self.inner.settings.bench;
        let Some(rest) = path.strip_prefix("/bench/") else {
            return match base {
                Some(bench) => self.inner.rendered.respond(path, request.body(), bench, ticket),
                None => Err(ticket),
            };
        };
        let bench = base.unwrap_or_default();
        let options = rest.split('/').next().filter(|segment| segment.contains('='));
        let bench = match options.map(Behaviour::parse) {
            Some(Ok(behaviour)) => bench.overlaid(&behaviour),
            // Reported by the ordinary path, which reads the same segment.
            Some(Err(_)) => return Err(ticket),
            None => bench,
        };
        self.inner.rendered.respond(path, request.body(), bench, ticket)
    }

    async fn simulate(&self, request: Request<Bytes>, ticket: Ticket) -> Response<MockBody> {
        let inner = &*self.inner;
        let request_id = format!("req_mock{:012x}", inner.requests.fetch_add(1, Ordering::Relaxed) + 1);
        let found = route(request.method(), request.uri().path(), request.headers());
        let vendor = found.as_ref().map_or_else(|(vendor, _)| *vendor, |route| route.vendor);
        let mut call =
            Call { settings: &inner.settings, behaviour: inner.settings.behaviour.clone(), vendor, request_id };

        let json = is_json(request.headers()).then(|| serde_json::from_slice::<Value>(request.body()));
        let body = json.as_ref().and_then(|json| json.as_ref().ok()).cloned().unwrap_or_default();
        let named = found.as_ref().ok().and_then(|route| model_of(route, &body, request.body()));
        let options = call.options(request.headers(), request.uri().path(), named.as_deref());
        if let Some(times) = call.behaviour.fail_times {
            let mut failed = inner.failed.lock().unwrap_or_else(PoisonError::into_inner);
            let count = failed.entry(named.clone().unwrap_or_default()).or_default();
            *count += 1;
            if *count > times {
                call.behaviour.heal();
            }
        }
        let delay = call.behaviour.first_byte_delay;
        if !delay.is_zero() && !call.behaviour.early_head {
            tokio::time::sleep(delay).await;
        }
        let broken_json = matches!(json, Some(Err(_))) && !request.body().is_empty();
        let outcome = options
            .and_then(|()| call.check_key(&request))
            .and_then(|()| found.map_err(|(_, failure)| failure))
            .and_then(|route| {
                if broken_json {
                    return Err(broken(route.vendor));
                }
                call.demanded()?;
                check_content_type(&route, request.headers())?;
                missing_model(route.vendor, named.as_deref())?;
                endpoint::answer(&route, &request, &body, &call.behaviour, &call.settings.models)
            });
        call.render(outcome, ticket)
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let declared = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("application/json");
    declared.to_ascii_lowercase().contains("json")
}

fn check_content_type(route: &Route, headers: &HeaderMap) -> Result<(), Failure> {
    let free = matches!(
        route.target,
        Target::Transcription
            | Target::Images
            | Target::Token
            | Target::Health
            | Target::VideoJob
            | Target::VideoStatus(_)
            | Target::VideoContent
            | Target::Models
            | Target::Model(_)
    );
    if free || is_json(headers) {
        return Ok(());
    }
    let got = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    Err(Failure::new(
        415,
        format!(
            "Unsupported content type: '{got}'. This API method only accepts 'application/json' requests, but you specified the header 'Content-Type: {got}'."
        ),
    ))
}

fn broken(vendor: Vendor) -> Failure {
    Failure::invalid(match vendor {
        Vendor::OpenAi => {
            "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON.)"
        }
        Vendor::Anthropic => "The request body is not valid JSON.",
        Vendor::Gemini => "Invalid JSON payload received. Unexpected token.",
    })
}

/// The model name in a path, a JSON body or a form.
fn model_of(route: &Route, body: &Value, raw: &[u8]) -> Option<String> {
    let in_path = match &route.target {
        Target::Gemini { model, .. } => Some(model.clone()),
        Target::Messages { model, .. } => model.clone(),
        Target::Chat { deployment } => deployment.clone(),
        _ => None,
    };
    let in_body = || body.get("model").and_then(Value::as_str).map(str::to_owned);
    in_path.or_else(in_body).or_else(|| form_model(raw))
}

/// The `model` field of a multipart form.
fn form_model(raw: &[u8]) -> Option<String> {
    let marker = b"name=\"model\"";
    let start = memchr::memmem::find(raw, marker)? + marker.len();
    let rest = raw.get(start..)?;
    let value = rest.get(memchr::memmem::find(rest, b"\r\n\r\n")? + 4..)?;
    let end = memchr::memmem::find(value, b"\r\n")?;
    std::str::from_utf8(value.get(..end)?).ok().map(str::to_owned)
}

fn missing_model(vendor: Vendor, model: Option<&str>) -> Result<(), Failure> {
    let Some(model) = model.filter(|model| model.rsplit('/').next().is_some_and(|name| name.starts_with("missing")))
    else {
        return Ok(());
    };
    Err(match vendor {
        Vendor::OpenAi => {
            let message = format!("The model `{model}` does not exist or you do not have access to it.");
            Failure::new(404, message).with_code("model_not_found")
        }
        Vendor::Anthropic => Failure::new(404, format!("model: {model}")),
        Vendor::Gemini => Failure::new(
            404,
            format!(
                "models/{model} is not found for API version v1beta, or is not supported for generateContent. Call ListModels to see the list of available models and their supported methods."
            ),
        ),
    })
}
