//! What the configuration must know about provider types; supplied by the provider registry.

use crate::suggest;

/// One provider type that `providers.*.type` may name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderType {
    /// The value of `type`, such as `openai`.
    pub name: String,
    /// Whether a provider of this type cannot work without an `api_key`.
    pub needs_key: bool,
    /// Whether it has no default address, so that `base_url` must be given.
    pub needs_base_url: bool,
}

/// All provider types of this build.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TypeCatalog {
    types: Vec<ProviderType>,
}

impl TypeCatalog {
    /// A catalog of `types`.
    pub fn new(types: impl IntoIterator<Item = ProviderType>) -> Self {
        Self { types: types.into_iter().collect() }
    }

    /// The type called `name`.
    pub fn find(&self, name: &str) -> Option<&ProviderType> {
        self.types.iter().find(|candidate| candidate.name == name)
    }

    /// Names of all types, in registry order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.types.iter().map(|candidate| candidate.name.as_str())
    }

    /// A sentence for an unknown type: the likely spelling, or all known names.
    pub(crate) fn remedy(&self, unknown: &str) -> String {
        match suggest::nearest(unknown, self.names()) {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("use one of {}", self.names().collect::<Vec<_>>().join(", ")),
        }
    }
}
