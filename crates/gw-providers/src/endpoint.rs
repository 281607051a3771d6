//! One format of one provider, layered from data: where its calls go and how they authenticate.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use gw_core::{DialectId, Operation};
use gw_spi::Framing;

use crate::base_url::Root;
use crate::raw::{RawAuth, RawEndpoint, RawPaths, RawVersion, VersionPlace};

/// What every service that speaks a format has in common.
const HABITS: &str = include_str!("dialects.toml");

/// A field and what is wrong with it.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) field: String,
    pub(crate) text: String,
}

impl Problem {
    pub(crate) fn new(field: impl Into<String>, text: impl Into<String>) -> Self {
        Self { field: field.into(), text: text.into() }
    }
}

/// A format with every layer applied.
#[derive(Debug, Clone)]
pub(crate) struct EndpointPlan {
    pub(crate) dialect: DialectId,
    pub(crate) framing: Framing,
    pub(crate) root: String,
    pub(crate) exact_root: bool,
    pub(crate) base_has_version: bool,
    pub(crate) auth: RawAuth,
    pub(crate) headers: BTreeMap<String, String>,
    /// Version parameter in the query.
    pub(crate) query: Option<(String, String)>,
    pub(crate) operations: Vec<Operation>,
    pub(crate) paths: RawPaths,
}

/// What the operator decides about a format.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wishes<'a> {
    /// The root was given: take it as it is.
    pub(crate) exact_root: bool,
    /// Version instead of the default one.
    pub(crate) version: Option<&'a str>,
    /// Where the credential goes when the endpoint does not say.
    pub(crate) auth: &'a RawAuth,
}

/// The common habits of a format; nothing for a format without an entry.
pub(crate) fn habits(dialect: &str) -> RawEndpoint {
    static TABLE: LazyLock<BTreeMap<String, RawEndpoint>> =
        LazyLock::new(|| toml::from_str(HABITS).unwrap_or_default());
    TABLE.get(dialect).cloned().unwrap_or_default()
}

impl EndpointPlan {
    /// Checks the layered data.
    pub(crate) fn new(dialect: DialectId, raw: RawEndpoint, wishes: Wishes<'_>) -> Result<Self, Problem> {
        let field = |name: &str| format!("dialects.{dialect}.{name}");
        let mut headers = raw.headers;
        let mut root = raw.root.unwrap_or_default();
        let mut query = None;
        match (&raw.version, wishes.version) {
            (Some(version), wanted) => {
                if let Some(value) = wanted.or(version.default.as_deref()) {
                    place_version(version, value, &mut headers, &mut root, &mut query)?;
                }
            }
            (None, Some(_)) => return Err(Problem::new("api_version", "has no meaning for this kind; remove it")),
            (None, None) => {}
        }
        let root = root.trim_end_matches('/').to_owned();
        if !(root.is_empty() || root.starts_with('/')) || root.contains(['?', '#', '{', '\\']) {
            return Err(Problem::new(field("root"), "must be empty or a path that begins with `/`"));
        }
        for (name, path) in named_paths(&raw.paths) {
            let fine = path.starts_with('/') || (name == "native" && path.is_empty());
            if !fine || path.contains('#') {
                return Err(Problem::new(field(&format!("paths.{name}")), "must be a path that begins with `/`"));
            }
        }
        let operations = match raw.operations {
            Some(operations) => operations.into_iter().map(Operation::from).collect(),
            None => every_operation(&raw.paths),
        };
        let plan = Self {
            dialect,
            framing: raw.framing.unwrap_or_default().into(),
            root,
            exact_root: wishes.exact_root,
            base_has_version: raw.base_has_version.unwrap_or_default(),
            auth: raw.auth.unwrap_or_else(|| wishes.auth.clone()),
            headers,
            query,
            operations,
            paths: raw.paths,
        };
        if plan.operations.contains(&Operation::Chat) && plan.paths.chat.is_none() {
            return Err(Problem::new(field("paths.chat"), "is missing: say where chat requests go"));
        }
        Ok(plan)
    }

    /// What joining with a base URL needs.
    pub(crate) fn root(&self) -> Root<'_> {
        Root {
            path: &self.root,
            chat: self.paths.chat.as_deref(),
            base_has_version: self.base_has_version,
            exact: self.exact_root,
        }
    }

    /// The path of a call, when there is one.
    pub(crate) fn path(&self, operation: Operation, stream: bool) -> Option<&str> {
        if !self.operations.contains(&operation) {
            return None;
        }
        let paths = &self.paths;
        match operation {
            Operation::Chat if stream => paths.stream.as_deref().or(paths.chat.as_deref()),
            Operation::Chat => paths.chat.as_deref(),
            Operation::CountTokens => paths.count_tokens.as_deref(),
            Operation::ListModels => paths.list_models.as_deref(),
            Operation::GetModel => paths.get_model.as_deref(),
            Operation::Native => Some(paths.native.as_deref().unwrap_or_default()),
        }
    }
}

fn place_version(
    version: &RawVersion,
    value: &str,
    headers: &mut BTreeMap<String, String>,
    root: &mut String,
    query: &mut Option<(String, String)>,
) -> Result<(), Problem> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    if value.is_empty() || value.starts_with('.') || !value.bytes().all(plain) {
        return Err(Problem::new("api_version", "must consist of letters, digits, `-`, `.` and `_`"));
    }
    match version.place {
        VersionPlace::Header => {
            headers.insert(version.name.clone(), value.to_owned());
        }
        VersionPlace::Query => *query = Some((version.name.clone(), value.to_owned())),
        VersionPlace::Path => *root = root.replace("{version}", value),
    }
    Ok(())
}

fn named_paths(paths: &RawPaths) -> impl Iterator<Item = (&'static str, &str)> {
    [
        ("chat", &paths.chat),
        ("stream", &paths.stream),
        ("count_tokens", &paths.count_tokens),
        ("list_models", &paths.list_models),
        ("get_model", &paths.get_model),
        ("native", &paths.native),
    ]
    .into_iter()
    .filter_map(|(name, path)| path.as_deref().map(|path| (name, path)))
}

fn every_operation(paths: &RawPaths) -> Vec<Operation> {
    let with_path = [
        (Operation::Chat, paths.chat.is_some()),
        (Operation::CountTokens, paths.count_tokens.is_some()),
        (Operation::ListModels, paths.list_models.is_some()),
        (Operation::GetModel, paths.get_model.is_some()),
        (Operation::Native, true),
    ];
    with_path.into_iter().filter_map(|(operation, there)| there.then_some(operation)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::HABITS;
    use crate::raw::RawEndpoint;

    #[test]
    fn the_table_of_habits_is_well_formed() {
        let table: BTreeMap<String, RawEndpoint> = toml::from_str(HABITS).unwrap();
        assert_eq!(table.keys().collect::<Vec<_>>(), ["anthropic", "gemini", "openai-chat"]);
        assert!(table.values().all(|habits| habits.paths.chat.is_some()));
    }
}
