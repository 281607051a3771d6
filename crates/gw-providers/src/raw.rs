//! Shapes of `profile.toml`, as written. Everything is optional so that one layer can lie over another.

use std::collections::BTreeMap;

use gw_core::Operation;
use gw_spi::Framing;
use serde::Deserialize;

use crate::capability_patch::CapabilityPatch;

/// A profile as written. Field meanings: see the README, "Profile".
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawProfile {
    pub(crate) kind: String,
    pub(crate) aliases: Vec<String>,
    pub(crate) extends: Option<String>,
    pub(crate) display_name: Option<String>,
    pub(crate) vendor: Option<String>,
    pub(crate) base_url: Option<String>,
    pub(crate) base_url_env: Vec<String>,
    pub(crate) key_env: Vec<String>,
    pub(crate) own_hosts: Vec<String>,
    pub(crate) needs_key: Option<bool>,
    pub(crate) auth: Option<RawAuth>,
    pub(crate) organization_header: Option<String>,
    pub(crate) project_header: Option<String>,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) model_prefixes: Option<Vec<String>>,
    pub(crate) speaks: Option<Vec<String>>,
    pub(crate) dialects: BTreeMap<String, RawEndpoint>,
    pub(crate) capabilities: CapabilityPatch,
    pub(crate) models: BTreeMap<String, CapabilityPatch>,
}

/// How one format is reached, as written.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawEndpoint {
    pub(crate) framing: Option<RawFraming>,
    pub(crate) root: Option<String>,
    pub(crate) base_has_version: Option<bool>,
    pub(crate) offered: Option<Offered>,
    pub(crate) auth: Option<RawAuth>,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) version: Option<RawVersion>,
    pub(crate) operations: Option<Vec<RawOperation>>,
    pub(crate) paths: RawPaths,
}

/// Paths below the root. `{model}` stands for the model as one segment, `{resource}` for `models/<model>`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawPaths {
    pub(crate) chat: Option<String>,
    pub(crate) stream: Option<String>,
    pub(crate) count_tokens: Option<String>,
    pub(crate) list_models: Option<String>,
    pub(crate) get_model: Option<String>,
    pub(crate) native: Option<String>,
}

/// Where the credential goes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, tag = "style", rename_all = "snake_case")]
pub(crate) enum RawAuth {
    /// `authorization: Bearer <key>`.
    Bearer,
    /// The key alone in a header.
    Header { name: String },
    /// The key as a query parameter. Addresses end up in logs of proxies: only where nothing else works.
    Query { name: String },
    /// Nowhere.
    None,
}

/// Where the interface version goes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawVersion {
    pub(crate) place: VersionPlace,
    /// Header or query parameter.
    #[serde(default)]
    pub(crate) name: String,
    pub(crate) default: Option<String>,
}

/// Where the interface version goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum VersionPlace {
    Header,
    Query,
    /// `{version}` in the root.
    Path,
}

/// When a format is offered at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Offered {
    /// Wherever the base URL points.
    #[default]
    Always,
    /// Only on the vendor's own hosts: what else stands behind another address is not known.
    OwnHosts,
    /// Only when the options list it.
    OptIn,
}

/// Framing of streamed answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RawFraming {
    #[default]
    Sse,
    JsonArray,
    Json,
}

/// Names of operations, as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RawOperation {
    Chat,
    CountTokens,
    ListModels,
    GetModel,
    Native,
}

impl RawProfile {
    /// Fills what is absent from the profile that this one extends. Names, addresses and key variables stay its own.
    pub(crate) fn over(mut self, parent: &Self) -> Self {
        self.needs_key = self.needs_key.or(parent.needs_key);
        self.auth = self.auth.or_else(|| parent.auth.clone());
        self.organization_header = self.organization_header.or_else(|| parent.organization_header.clone());
        self.project_header = self.project_header.or_else(|| parent.project_header.clone());
        self.model_prefixes = self.model_prefixes.or_else(|| parent.model_prefixes.clone());
        self.speaks = self.speaks.or_else(|| parent.speaks.clone());
        fill(&mut self.headers, &parent.headers);
        for (dialect, theirs) in &parent.dialects {
            let own = self.dialects.remove(dialect).unwrap_or_default();
            self.dialects.insert(dialect.clone(), own.over(theirs));
        }
        self.capabilities = self.capabilities.over(&parent.capabilities);
        for (pattern, theirs) in &parent.models {
            let own = self.models.remove(pattern).unwrap_or_default();
            self.models.insert(pattern.clone(), own.over(theirs));
        }
        self
    }
}

impl RawEndpoint {
    /// Fills what is absent from the layer below.
    pub(crate) fn over(mut self, below: &Self) -> Self {
        fill(&mut self.headers, &below.headers);
        Self {
            framing: self.framing.or(below.framing),
            root: self.root.or_else(|| below.root.clone()),
            base_has_version: self.base_has_version.or(below.base_has_version),
            offered: self.offered.or(below.offered),
            auth: self.auth.or_else(|| below.auth.clone()),
            headers: self.headers,
            version: self.version.or_else(|| below.version.clone()),
            operations: self.operations.or_else(|| below.operations.clone()),
            paths: self.paths.over(&below.paths),
        }
    }
}

impl RawPaths {
    /// Fills what is absent from the layer below. A layer that moves `chat` moves `stream` with it.
    pub(crate) fn over(self, below: &Self) -> Self {
        let stream = match (&self.stream, &self.chat) {
            (Some(stream), _) => Some(stream.clone()),
            (None, Some(_)) => None,
            (None, None) => below.stream.clone(),
        };
        Self {
            stream,
            chat: self.chat.or_else(|| below.chat.clone()),
            count_tokens: self.count_tokens.or_else(|| below.count_tokens.clone()),
            list_models: self.list_models.or_else(|| below.list_models.clone()),
            get_model: self.get_model.or_else(|| below.get_model.clone()),
            native: self.native.or_else(|| below.native.clone()),
        }
    }
}

impl From<RawFraming> for Framing {
    fn from(raw: RawFraming) -> Self {
        match raw {
            RawFraming::Sse => Self::Sse,
            RawFraming::JsonArray => Self::JsonArray,
            RawFraming::Json => Self::Json,
        }
    }
}

impl From<RawOperation> for Operation {
    fn from(raw: RawOperation) -> Self {
        match raw {
            RawOperation::Chat => Self::Chat,
            RawOperation::CountTokens => Self::CountTokens,
            RawOperation::ListModels => Self::ListModels,
            RawOperation::GetModel => Self::GetModel,
            RawOperation::Native => Self::Native,
        }
    }
}

fn fill(own: &mut BTreeMap<String, String>, below: &BTreeMap<String, String>) {
    for (name, value) in below {
        own.entry(name.clone()).or_insert_with(|| value.clone());
    }
}
