//! A configured provider: addresses and headers are worked out when it is built, calls only pick them up.

use std::fmt;
use std::sync::Arc;

use bytes::{BufMut as _, Bytes, BytesMut};
use gw_core::{Code, DialectId, GatewayError, Operation, Secret};
use gw_spi::{Capabilities, Framing, Prepared, Provider, Speaks, UpstreamCall};
use http::{HeaderMap, Method, Uri};

use crate::address::{Address, Origin, put_encoded};
use crate::base_url::{BaseUrl, has_dot_segment};
use crate::builtin;
use crate::endpoint::{EndpointPlan, Problem, Wishes, habits};
use crate::headers;
use crate::models::{Facts, ModelTable};
use crate::profile::Profile;
use crate::raw::{Offered, RawAuth, RawEndpoint};
use crate::settings::{Options, ProviderSettings};

/// A provider of any kind: the differences are data.
pub struct ConfiguredProvider {
    name: String,
    kind: String,
    vendor: String,
    default_model: Option<String>,
    origin: Origin,
    endpoints: Vec<Endpoint>,
    /// By operation, see [`slot`].
    speaks: [Vec<Speaks>; OPERATIONS.len()],
    models: ModelTable,
    /// What to tell callers when a credential is needed and there is none.
    missing_key: Option<String>,
}

/// One format, ready for calls.
struct Endpoint {
    dialect: DialectId,
    headers: HeaderMap,
    /// By operation, see [`slot`]; streams of chat are apart.
    addresses: [Option<Address>; OPERATIONS.len()],
    stream: Option<Address>,
    /// Path that native calls are put below, when they are possible.
    native: Option<String>,
    /// Parameters that every address has, without `?`.
    query: Option<String>,
}

const OPERATIONS: [Operation; 5] =
    [Operation::Chat, Operation::CountTokens, Operation::ListModels, Operation::GetModel, Operation::Native];

const fn slot(operation: Operation) -> usize {
    match operation {
        Operation::Chat => 0,
        Operation::CountTokens => 1,
        Operation::ListModels => 2,
        Operation::GetModel => 3,
        Operation::Native => 4,
    }
}

impl fmt::Debug for ConfiguredProvider {
    /// Leaves out addresses and headers: both may hold credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfiguredProvider")
            .field("name", &self.name)
            .field("kind", &self.kind)
            .field("host", &self.origin.authority.as_str())
            .finish_non_exhaustive()
    }
}

impl ConfiguredProvider {
    /// Model for requests that name none.
    #[must_use]
    pub fn default_model(&self) -> Option<&str> {
        self.default_model.as_deref()
    }

    /// Works out everything that does not depend on a call.
    pub(crate) fn new(profile: &Profile, dialects: &[DialectId], settings: &ProviderSettings) -> Result<Self, Problem> {
        let options = Options::parse(settings.options_json.as_deref()).map_err(|text| Problem::new("options", text))?;
        let base = base_url(profile, settings)?;
        let plans = plans(profile, dialects, settings, &options, &base)?;
        let key = usable_key(settings.api_key.as_ref());
        let origin = Origin { scheme: base.scheme.clone(), authority: base.authority.clone() };
        let roots: Vec<_> = plans.iter().map(EndpointPlan::root).collect();
        let mut endpoints = Vec::with_capacity(plans.len());
        for (plan, path) in plans.iter().zip(base.join(&roots)) {
            endpoints.push(Endpoint::new(plan, &path, &origin, profile, settings, key.as_ref())?);
        }
        let models = model_table(profile, &options)?;
        let speaks = OPERATIONS.map(|operation| {
            let able = plans.iter().filter(|plan| plan.path(operation, false).is_some());
            able.map(|plan| Speaks { dialect: plan.dialect, framing: plan.framing }).collect()
        });
        let keyed = plans
            .iter()
            .any(|plan| plan.auth != RawAuth::None && !headers::brings_credential(&plan.auth, &settings.headers));
        let missing_key = (key.is_none() && keyed && profile.needs_key()).then(|| missing_key(profile, settings));
        Ok(Self {
            name: settings.name.clone(),
            kind: profile.kind().to_owned(),
            vendor: profile.vendor().to_owned(),
            default_model: settings.default_model.clone().filter(|model| !model.is_empty()),
            origin,
            endpoints,
            speaks,
            models,
            missing_key,
        })
    }

    fn unsupported(&self, call: &UpstreamCall<'_>) -> GatewayError {
        let operation = call.operation.as_str();
        let message = format!("provider `{}` has no {operation} call in the format {}", self.name, call.dialect);
        GatewayError::new(Code::Unsupported, message)
    }
}

impl Endpoint {
    fn new(
        plan: &EndpointPlan,
        path: &str,
        origin: &Origin,
        profile: &Profile,
        settings: &ProviderSettings,
        key: Option<&Secret>,
    ) -> Result<Self, Problem> {
        let identity = [
            ("organization", &profile.raw.organization_header, &settings.organization),
            ("project", &profile.raw.project_header, &settings.project),
        ];
        let mut fixed: Vec<(&str, &str)> = Vec::new();
        fixed.extend(profile.raw.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        fixed.extend(plan.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        for (field, header, value) in identity {
            let Some(value) = value.as_deref().filter(|value| !value.is_empty()) else { continue };
            let Some(header) = header else {
                return Err(Problem::new(field, "has no meaning for this kind; remove it"));
            };
            fixed.push((header, value));
        }
        let headers = headers::build(fixed.into_iter(), &plan.auth, key, &settings.headers)?;
        let query = query(plan, key);
        let address = |operation: Operation, stream: bool| -> Result<Option<Address>, Problem> {
            let Some(template) = plan.path(operation, stream) else { return Ok(None) };
            let text = with_query(format!("{path}{template}"), query.as_deref());
            let field = || format!("dialects.{}.paths.{}", plan.dialect, operation.as_str());
            Address::new(origin, &text).map(Some).map_err(|text| Problem::new(field(), text))
        };
        let mut addresses = [const { None }; OPERATIONS.len()];
        for (slot, operation) in addresses.iter_mut().zip(OPERATIONS) {
            if operation != Operation::Native {
                *slot = address(operation, false)?;
            }
        }
        let native = plan.path(Operation::Native, false).map(|below| format!("{path}{below}"));
        let stream = address(Operation::Chat, true)?;
        Ok(Self { dialect: plan.dialect, headers, addresses, stream, native, query })
    }

    fn address(&self, operation: Operation, stream: bool) -> Option<&Address> {
        if stream && operation == Operation::Chat {
            return self.stream.as_ref();
        }
        self.addresses.get(slot(operation))?.as_ref()
    }

    /// The URL of a native call: below the root, and never above it.
    fn native_url(&self, origin: &Origin, path: &str) -> Option<Result<Uri, GatewayError>> {
        let base = self.native.as_ref()?;
        let refused = || GatewayError::new(Code::BadRequest, "the path of the native call is not usable");
        if !path.starts_with('/') || path.starts_with("//") || has_dot_segment(path) || path.contains('\\') {
            return Some(Err(refused()));
        }
        let text = with_query(format!("{base}{path}"), self.query.as_deref());
        Some(origin.at(Bytes::from(text)).map_err(|_| refused()))
    }
}

impl Provider for ConfiguredProvider {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> &str {
        &self.kind
    }

    fn vendor(&self) -> &str {
        &self.vendor
    }

    fn speaks(&self, operation: Operation, _model: &str) -> &[Speaks] {
        self.speaks.get(slot(operation)).map(Vec::as_slice).unwrap_or_default()
    }

    fn capabilities(&self, model: &str) -> Arc<Capabilities> {
        self.models.record(model)
    }

    fn prepare(&self, call: &UpstreamCall<'_>) -> Result<Prepared, GatewayError> {
        let endpoint = self.endpoints.iter().find(|endpoint| endpoint.dialect == call.dialect);
        let Some(endpoint) = endpoint else { return Err(self.unsupported(call)) };
        if let Some(message) = &self.missing_key {
            return Err(GatewayError::new(Code::UpstreamAuth, message.clone()));
        }
        let (method, uri) = match (call.operation, call.native_path) {
            (Operation::Native, Some(path)) => {
                let url = endpoint.native_url(&self.origin, path).ok_or_else(|| self.unsupported(call))?;
                (call.method.clone(), url?)
            }
            (Operation::Native, None) => return Err(self.unsupported(call)),
            (operation, _) => {
                let address = endpoint.address(operation, call.stream).ok_or_else(|| self.unsupported(call))?;
                let uri = address
                    .url(&self.origin, call.model)
                    .map_err(|problem| GatewayError::bad_field("model", problem))?;
                let uri = if call.stream && call.framing == Framing::JsonArray { without_sse(uri)? } else { uri };
                let reads = matches!(operation, Operation::ListModels | Operation::GetModel);
                (if reads { Method::GET } else { Method::POST }, uri)
            }
        };
        Ok(Prepared { method, uri, headers: endpoint.headers.clone() })
    }
}

/// The same call without `alt=sse`: the service then streams a JSON array.
fn without_sse(uri: Uri) -> Result<Uri, GatewayError> {
    let Some(query) = uri.query() else { return Ok(uri) };
    let kept: Vec<&str> = query.split('&').filter(|pair| *pair != "alt=sse").collect();
    let path = if kept.is_empty() { uri.path().to_owned() } else { format!("{}?{}", uri.path(), kept.join("&")) };
    let mut parts = uri.into_parts();
    let bad = |_| GatewayError::bad_field("model", "the model's name cannot be put into a URL");
    parts.path_and_query = Some(path.parse().map_err(bad)?);
    Uri::from_parts(parts)
        .map_err(|_| GatewayError::new(Code::Internal, "the provider's address could not be put together"))
}

fn base_url(profile: &Profile, settings: &ProviderSettings) -> Result<BaseUrl, Problem> {
    let problem = |text: &str| Problem::new("base_url", text);
    let given = settings.base_url.as_deref().map(str::trim).filter(|url| !url.is_empty());
    let Some(text) = given.or_else(|| profile.base_url()) else {
        return Err(problem("is missing: this kind has no address of its own"));
    };
    if text == builtin::IN_PROCESS {
        return Err(problem("stands for the server inside the process, which is not running"));
    }
    BaseUrl::parse(text).map_err(|text| problem(&text))
}

/// The formats to use, preferred first, with profile and options layered.
fn plans(
    profile: &Profile,
    dialects: &[DialectId],
    settings: &ProviderSettings,
    options: &Options,
    base: &BaseUrl,
) -> Result<Vec<EndpointPlan>, Problem> {
    let own_host = profile.owns(base.authority.host());
    let names = options.speaks.as_deref().unwrap_or(profile.dialects());
    let default_auth = profile.raw.auth.clone().unwrap_or(RawAuth::Bearer);
    let mut plans: Vec<EndpointPlan> = Vec::with_capacity(names.len());
    for name in names {
        let known = dialects.iter().copied().find(|dialect| dialect.0 == name.as_str());
        let dialect = known.ok_or_else(|| Problem::new("speaks", unknown_dialect(name, dialects)))?;
        let given = options.dialects.get(name).cloned().unwrap_or_default();
        let preferred = plans.is_empty();
        let mut wanted = RawEndpoint { auth: options.auth.clone(), ..RawEndpoint::default() };
        if preferred {
            wanted.root.clone_from(&options.root);
            wanted.paths = options.paths.clone();
        }
        let wanted = given.over(&wanted);
        let exact_root = wanted.root.is_some();
        let from_profile = profile.raw.dialects.get(name).cloned().unwrap_or_default();
        let raw = wanted.over(&from_profile).over(&habits(name));
        let offered = match raw.offered.unwrap_or_default() {
            Offered::Always => true,
            Offered::OwnHosts => own_host,
            Offered::OptIn => false,
        };
        if !(offered || options.speaks.is_some()) {
            continue;
        }
        let version = settings.api_version.as_deref().filter(|version| preferred && !version.is_empty());
        let plan = EndpointPlan::new(dialect, raw, Wishes { exact_root, version, auth: &default_auth })?;
        if plans.iter().any(|earlier| earlier.dialect == plan.dialect) {
            return Err(Problem::new("speaks", format!("names `{name}` twice")));
        }
        plans.push(plan);
    }
    if plans.is_empty() {
        return Err(Problem::new("speaks", "names no format; name at least one"));
    }
    Ok(plans)
}

fn model_table(profile: &Profile, options: &Options) -> Result<ModelTable, Problem> {
    let layers = [
        Facts { general: &profile.raw.capabilities, models: &profile.raw.models },
        Facts { general: &options.capabilities, models: &options.models },
    ];
    let prefixes = profile.raw.model_prefixes.as_deref().unwrap_or_default();
    ModelTable::new(&layers, prefixes).map_err(|text| Problem::new("models", text))
}

/// Keys come from files and environments, with line ends and spaces around them; an empty one is none.
fn usable_key(key: Option<&Secret>) -> Option<Secret> {
    key.map(|key| Secret::new(key.expose().trim())).filter(|key| !key.is_empty())
}

fn missing_key(profile: &Profile, settings: &ProviderSettings) -> String {
    let variables = profile.key_env().join("` or `");
    let from_environment = if variables.is_empty() { String::new() } else { format!(", or `{variables}`") };
    format!("provider `{}` has no credential; the operator must set its `api_key`{from_environment}", settings.name)
}

fn unknown_dialect(name: &str, dialects: &[DialectId]) -> String {
    let known: Vec<&str> = dialects.iter().map(|dialect| dialect.0).collect();
    format!("names the format `{name}`, which this gateway does not have; formats: {}", known.join(", "))
}

/// Parameters that every address of a format has.
fn query(plan: &EndpointPlan, key: Option<&Secret>) -> Option<String> {
    let mut pairs = Vec::new();
    if let Some((name, value)) = &plan.query {
        pairs.push((name.as_str(), value.as_str()));
    }
    if let (RawAuth::Query { name }, Some(key)) = (&plan.auth, key) {
        pairs.push((name.as_str(), key.expose()));
    }
    let mut text = BytesMut::new();
    for (name, value) in pairs {
        if !text.is_empty() {
            text.put_u8(b'&');
        }
        put_encoded(&mut text, name);
        text.put_u8(b'=');
        put_encoded(&mut text, value);
    }
    (!text.is_empty()).then(|| String::from_utf8_lossy(&text).into_owned())
}

fn with_query(mut path: String, query: Option<&str>) -> String {
    if let Some(query) = query {
        path.push(if path.contains('?') { '&' } else { '?' });
        path.push_str(query);
    }
    path
}
