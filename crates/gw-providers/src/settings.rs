//! What an operator says about one provider, and the JSON options in it.

use std::collections::BTreeMap;

use gw_core::Secret;
use serde::Deserialize;

use crate::capability_patch::CapabilityPatch;
use crate::raw::{RawAuth, RawEndpoint, RawPaths};

/// One configured provider. Everything but `name` and `kind` has a default in the profile of the kind.
#[derive(Debug, Clone, Default)]
pub struct ProviderSettings {
    /// Name that routes use.
    pub name: String,
    /// Kind or one of its aliases, for example `openai`.
    pub kind: String,
    /// Address; with or without the version segment (`/v1`).
    pub base_url: Option<String>,
    /// Credential.
    pub api_key: Option<Secret>,
    /// Organization id, for kinds that have one.
    pub organization: Option<String>,
    /// Project id, for kinds that have one.
    pub project: Option<String>,
    /// Headers added to every call; they win over the profile's own.
    pub headers: Vec<(String, String)>,
    /// Model for requests that name none.
    pub default_model: Option<String>,
    /// Version of the service's interface, for kinds that have one (`anthropic-version`, `v1beta`, `api-version`).
    pub api_version: Option<String>,
    /// JSON object that overrides parts of the profile: see the README, "Options".
    pub options_json: Option<String>,
}

/// Overrides of a profile for one provider.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Options {
    /// Formats to use, preferred first.
    pub(crate) speaks: Option<Vec<String>>,
    /// Path between base URL and calls of the preferred format, taken as it is.
    pub(crate) root: Option<String>,
    /// Paths of the preferred format.
    pub(crate) paths: RawPaths,
    /// Where the credential goes, for all formats.
    pub(crate) auth: Option<RawAuth>,
    /// Per format: everything that a profile can say about it.
    pub(crate) dialects: BTreeMap<String, RawEndpoint>,
    /// For every model.
    pub(crate) capabilities: CapabilityPatch,
    /// By model pattern.
    pub(crate) models: BTreeMap<String, CapabilityPatch>,
}

impl Options {
    /// Reads the JSON; an empty text means no options.
    pub(crate) fn parse(text: Option<&str>) -> Result<Self, String> {
        match text.map(str::trim) {
            None | Some("") => Ok(Self::default()),
            // A derived reader would take an array for the fields in order.
            Some(text) if !text.starts_with('{') => Err("is not usable: it must be a JSON object".to_owned()),
            Some(text) => serde_json::from_str(text).map_err(|error| format!("is not usable: {error}")),
        }
    }
}
