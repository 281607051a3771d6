//! Rules for providers: those of the file, those the environment brings along, and which of them are usable.

use std::time::Duration;

use super::Check;
use crate::config::{Provider, Timeouts};
use crate::problem::{Located, Origin};
use crate::raw::{RawProvider, Written};
use gw_core::Secret;

/// Variables that describe the provider of the same name and, unless it has its own address, of the same type.
struct Vendor {
    name: &'static str,
    key_variables: &'static [&'static str],
    url_variable: Option<&'static str>,
}

const fn vendor(
    name: &'static str,
    key_variables: &'static [&'static str],
    url_variable: Option<&'static str>,
) -> Vendor {
    Vendor { name, key_variables, url_variable }
}

const VENDORS: &[Vendor] = &[
    vendor("openai", &["OPENAI_API_KEY"], Some("OPENAI_BASE_URL")),
    vendor("anthropic", &["ANTHROPIC_API_KEY"], Some("ANTHROPIC_BASE_URL")),
    vendor("gemini", &["GEMINI_API_KEY", "GOOGLE_API_KEY"], Some("GEMINI_BASE_URL")),
    vendor("mistral", &["MISTRAL_API_KEY"], Some("MISTRAL_BASE_URL")),
    vendor("deepseek", &["DEEPSEEK_API_KEY"], Some("DEEPSEEK_BASE_URL")),
    vendor("qwen", &["QWEN_API_KEY", "DASHSCOPE_API_KEY"], Some("QWEN_BASE_URL")),
    vendor("ollama", &[], Some("OLLAMA_BASE_URL")),
    vendor("lmstudio", &[], Some("LMSTUDIO_BASE_URL")),
];

/// Name and type of the provider that `TARGET_API_URL` describes.
const TARGET: &str = "target";
const TARGET_TYPE: &str = "openai-compatible";
pub(super) const MOCK: &str = "mock";

/// A provider that still knows where it was written.
pub(super) struct Candidate {
    pub(super) provider: Provider,
    pub(super) field: String,
    pub(super) origin: Origin,
    /// Where the address was written: the field or the variable, and its place.
    url_place: Option<Located<String>>,
    /// `enabled: false` was written, so it is meant to rest.
    pub(super) switched_off: bool,
}

impl Check<'_> {
    /// All providers of the file, completed by the environment, then those that only the environment names.
    pub(super) fn providers(&mut self, raw: Vec<RawProvider>, global: &Timeouts) -> Vec<Candidate> {
        let mut candidates: Vec<Candidate> = raw.into_iter().map(|raw| self.provider(raw, global)).collect();
        for vendor in VENDORS {
            let key = self.environment.first(vendor.key_variables);
            let url = vendor.url_variable.and_then(|name| self.environment.get(name));
            let origin = match (&key, &url) {
                (Some(located), _) => located.origin.clone(),
                // An address alone is enough only for vendors that have no key.
                (None, Some(located)) if vendor.key_variables.is_empty() => located.origin.clone(),
                _ => continue,
            };
            if candidates.iter().any(|candidate| candidate.provider.name == vendor.name) {
                continue;
            }
            if self.types.find(vendor.name).is_some() {
                candidates.push(self.implicit(vendor.name, vendor.name, origin, global));
            }
        }
        self.target(&mut candidates, global);
        if self.mock_mode && self.types.find(MOCK).is_some() {
            match candidates.iter_mut().find(|candidate| candidate.provider.provider_type == MOCK) {
                Some(mock) => (mock.provider.enabled, mock.switched_off) = (true, false),
                None => candidates.push(self.implicit(MOCK, MOCK, self.nowhere.clone(), global)),
            }
        }
        for candidate in &mut candidates {
            self.complete(candidate);
        }
        candidates
    }

    /// A provider that nobody wrote down in the file.
    pub(super) fn implicit(&self, name: &str, provider_type: &str, origin: Origin, global: &Timeouts) -> Candidate {
        let provider = Provider {
            name: name.to_owned(),
            provider_type: provider_type.to_owned(),
            enabled: true,
            api_key: None,
            base_url: None,
            organization: None,
            project: None,
            api_version: None,
            default_model: None,
            allowed_models: Vec::new(),
            headers: Vec::new(),
            weight: 1,
            timeouts: global.clone(),
            options: std::collections::BTreeMap::new(),
        };
        Candidate { provider, field: format!("providers.{name}"), origin, url_place: None, switched_off: false }
    }

    /// A faulty provider stays in the list, so that references to it are not called unknown as well.
    fn provider(&mut self, raw: RawProvider, global: &Timeouts) -> Candidate {
        let RawProvider { name, field, origin, .. } = raw;
        if name.is_empty() || name.contains(|c: char| c == '/' || c.is_whitespace() || c.is_control()) {
            let remedy = "use a name without blanks and slashes; it becomes the first part of `provider/model`";
            self.problems.error(&origin, &field, format!("{name:?} is not a provider name"), remedy);
        }
        let provider_type = match raw.provider_type {
            Some(located) if self.types.find(&located.value).is_some() => located.value,
            Some(located) => {
                let message = format!("unknown provider type {:?}", crate::environment::shorten(&located.value));
                let remedy = self.types.remedy(&located.value);
                self.problems.error(&located.origin, format!("{field}.type"), message, remedy);
                located.value
            }
            None if self.types.find(&name).is_some() => name.clone(),
            None => {
                let remedy = format!("add `type:`, one of {}", self.types.names().collect::<Vec<_>>().join(", "));
                self.problems.error(&origin, &field, "the provider has no type", remedy);
                String::new()
            }
        };
        let seconds = |written: Written<Duration>| written.map(|located| located.value);
        let total = seconds(raw.total).unwrap_or(global.total);
        let timeouts = Timeouts {
            connect: seconds(raw.connect).unwrap_or(global.connect),
            first_byte: seconds(raw.first_byte).unwrap_or(global.first_byte.min(total)),
            idle: seconds(raw.idle).unwrap_or(global.idle),
            total,
        };
        let text = |written: Written<String>| written.map(|located| located.value);
        let url_place =
            raw.base_url.as_ref().map(|located| Located::new(format!("{field}.base_url"), located.origin.clone()));
        for (header, Located { value, origin }) in &raw.headers {
            let name_fits = !header.is_empty()
                && header.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b));
            let value_fits =
                value.expose().bytes().all(|byte| byte == b' ' || byte == b'\t' || byte.is_ascii_graphic());
            if !name_fits || !value_fits {
                let message = "the name or the value cannot be sent as a header";
                let remedy = "use letters, digits and `-` in the name, and visible ASCII in the value";
                self.problems.error(origin, format!("{field}.headers.{header}"), message, remedy);
            }
        }
        let enabled = raw.enabled.is_none_or(|located| located.value);
        let provider = Provider {
            name,
            provider_type,
            enabled,
            api_key: raw.api_key.map(|located| located.value),
            base_url: text(raw.base_url),
            organization: text(raw.organization),
            project: text(raw.project),
            api_version: text(raw.api_version),
            default_model: text(raw.default_model),
            allowed_models: raw.allowed_models.map(|located| located.value).unwrap_or_default(),
            headers: raw.headers.into_iter().map(|(name, value)| (name, value.value)).collect(),
            weight: raw.weight.map_or(1, |located| located.value),
            timeouts,
            options: raw.options,
        };
        Candidate { provider, field, origin, url_place, switched_off: !enabled }
    }

    /// A vendor's variables serve the provider of the vendor's name, and those of its type at the default address:
    /// a key must never travel to an address that somebody else wrote down.
    pub(super) fn complete(&mut self, candidate: &mut Candidate) {
        self.fill_from_environment(candidate);
        self.base_url(candidate);
    }

    fn fill_from_environment(&self, candidate: &mut Candidate) {
        let provider = &mut candidate.provider;
        let named = VENDORS.iter().find(|vendor| vendor.name == provider.name && vendor.name == provider.provider_type);
        let typed =
            || VENDORS.iter().find(|vendor| vendor.name == provider.provider_type && provider.base_url.is_none());
        let Some(vendor) = named.or_else(typed) else { return };
        if provider.api_key.is_none() {
            provider.api_key = self.environment.first(vendor.key_variables).map(|located| Secret::new(located.value));
        }
        if provider.base_url.is_none()
            && let Some(variable) = vendor.url_variable
            && let Some(located) = self.environment.get(variable)
        {
            provider.base_url = Some(located.value);
            candidate.url_place = Some(Located::new(variable.to_owned(), located.origin));
        }
    }

    fn target(&mut self, candidates: &mut Vec<Candidate>, global: &Timeouts) {
        let url = self.environment.first(&["TARGET_API_URL", "TARGET_URL"]);
        let key = self.environment.first(&["TARGET_API_KEY", "TARGET_KEY"]);
        let Some(Located { value: url, origin }) = url else {
            if let Some(key) = key {
                self.problems.warn(&key.origin, "TARGET_API_KEY", "has no effect without TARGET_API_URL");
            }
            return;
        };
        if candidates.iter().any(|candidate| candidate.provider.name == TARGET) {
            let message = "has no effect, because the file describes the provider `target`";
            self.problems.warn(&origin, "TARGET_API_URL", message);
            return;
        }
        if self.types.find(TARGET_TYPE).is_none() {
            let message = format!("provider type `{TARGET_TYPE}` is not part of this build");
            self.problems.error(&origin, "TARGET_API_URL", message, "describe the provider in the file instead");
            return;
        }
        let mut candidate = self.implicit(TARGET, TARGET_TYPE, origin.clone(), global);
        candidate.url_place = Some(Located::new("TARGET_API_URL".to_owned(), origin));
        candidate.provider.base_url = Some(url);
        candidate.provider.api_key = key.map(|located| Secret::new(located.value));
        candidates.push(candidate);
    }

    /// Checks the address and drops its trailing slashes.
    fn base_url(&mut self, candidate: &mut Candidate) {
        let field = format!("{}.base_url", candidate.field);
        let Some(url) = candidate.provider.base_url.take() else {
            let kind = self.types.find(&candidate.provider.provider_type);
            if kind.is_some_and(|kind| kind.needs_base_url) && !candidate.switched_off {
                let message = format!("type `{}` has no default address", candidate.provider.provider_type);
                self.problems.error(&candidate.origin, field, message, "add `base_url:`");
            }
            return;
        };
        let url = url.trim().trim_end_matches('/').to_owned();
        // The text is not repeated: whoever puts credentials into an address should not find them in a log.
        if let Some((message, remedy)) = url_fault(&url) {
            let (field, origin) = match &candidate.url_place {
                Some(place) => (place.value.clone(), &place.origin),
                None => (field, &candidate.origin),
            };
            self.problems.error(origin, field, message, remedy);
        }
        candidate.provider.base_url = Some(url);
    }

    pub(super) fn default_provider(
        &mut self,
        written: Written<String>,
        candidates: &[Candidate],
    ) -> Option<Located<String>> {
        let exists = |name: &str| candidates.iter().any(|candidate| candidate.provider.name == name);
        if let Some(located) = written {
            if exists(&located.value) || self.types.find(&located.value).is_some() {
                return Some(located);
            }
            let message = format!("unknown provider {:?}", crate::environment::shorten(&located.value));
            let remedy = self.provider_remedy(&located.value, candidates);
            self.problems.error(&located.origin, "default_provider", message, remedy);
            return None;
        }
        let targeted = self.environment.first(&["TARGET_API_URL", "TARGET_URL"]).is_some();
        let implied = candidates.iter().map(|candidate| &candidate.provider).find(|provider| {
            (targeted && provider.name == TARGET) || (self.mock_mode && provider.provider_type == MOCK)
        })?;
        Some(Located::new(implied.name.clone(), self.nowhere.clone()))
    }

    pub(super) fn provider_remedy(&self, unknown: &str, candidates: &[Candidate]) -> String {
        let configured = candidates.iter().map(|candidate| candidate.provider.name.as_str());
        match crate::suggest::nearest(unknown, configured.chain(self.types.names())) {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("add `providers.{}` or name one of {}", crate::environment::shorten(unknown), {
                let names: Vec<&str> = candidates.iter().map(|candidate| candidate.provider.name.as_str()).collect();
                if names.is_empty() { self.types.names().collect::<Vec<_>>().join(", ") } else { names.join(", ") }
            }),
        }
    }

    /// A provider without the key its type needs is an error where something refers to it, and disabled otherwise.
    pub(super) fn required_keys(
        &mut self,
        mut candidates: Vec<Candidate>,
        default_provider: Option<&Located<String>>,
        models: &[super::models::Draft],
    ) -> Vec<Provider> {
        for candidate in &mut candidates {
            let Candidate { provider, field, origin, switched_off, .. } = candidate;
            let name = provider.name.as_str();
            let by_default = default_provider.filter(|located| located.value == name);
            let by_model = models.iter().find(|draft| draft.model.provider == name);
            let reference = match (by_model, by_default) {
                (Some(draft), _) => Some((draft.field.clone() + ".provider", draft.origin.clone())),
                (None, Some(located)) => Some(("default_provider".to_owned(), located.origin.clone())),
                (None, None) => None,
            };
            if *switched_off {
                if let Some((field, origin)) = reference {
                    self.problems.warn(
                        &origin,
                        field,
                        format!("provider `{name}` is switched off, requests will fail"),
                    );
                }
                continue;
            }
            let needs_key = self.types.find(&provider.provider_type).is_some_and(|kind| kind.needs_key);
            if !needs_key || provider.api_key.is_some() {
                continue;
            }
            let variable = VENDORS
                .iter()
                .find(|vendor| vendor.name == provider.provider_type)
                .and_then(|vendor| vendor.key_variables.first());
            let remedy = match variable {
                Some(variable) => format!("set {field}.api_key in the file or {variable} in the environment or .env"),
                None => format!("set {field}.api_key in the file"),
            };
            match reference {
                Some((reference, place)) if !self.mock_mode => {
                    let message = format!("provider `{name}` has no API key");
                    self.problems.error(&place, reference, message, remedy);
                }
                _ => {
                    let message = format!("provider `{name}` has no API key and is disabled; to use it, {remedy}");
                    self.problems.warn(origin, field.as_str(), message);
                }
            }
            provider.enabled = false;
        }
        candidates.into_iter().map(|candidate| candidate.provider).collect()
    }
}

/// What is wrong with an upstream address and what to do about it.
fn url_fault(url: &str) -> Option<(&'static str, &'static str)> {
    const EXAMPLE: &str = "write something like https://host/v1";
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let Some(rest) = rest else { return Some(("the address does not start with http:// or https://", EXAMPLE)) };
    if rest.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Some(("the address contains blanks", EXAMPLE));
    }
    if rest.contains(['?', '#']) {
        return Some((
            "the address contains a query or fragment",
            "end it with the path; use `api_version` or `headers`",
        ));
    }
    let authority = rest.split('/').next().unwrap_or_default();
    if authority.contains('@') {
        return Some(("the address contains credentials", "use `api_key` or `headers` instead"));
    }
    let after_brackets = authority.rsplit_once(']').map_or(authority, |(_, tail)| tail);
    let host_missing = authority.is_empty() || authority.starts_with(':');
    let port_wrong =
        after_brackets.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().map_or(true, |port| port == 0));
    (host_missing || port_wrong).then_some(("the address has no valid host and port", EXAMPLE))
}
