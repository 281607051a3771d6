//! What can be wrong with a profile or with a provider's settings.

/// A profile that cannot be used. The text names the profile and the place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// The text is not a profile: the parser's own message with line and column.
    #[error("not a provider profile: {0}")]
    Syntax(String),
    /// Two profiles claim one name.
    #[error("provider kind `{kind}`: the name is taken; choose another `kind`")]
    Taken {
        /// The name or alias.
        kind: String,
    },
    /// `extends` names nothing.
    #[error("provider kind `{kind}`: `extends` names `{parent}`, which is not a known kind")]
    UnknownParent {
        /// The profile.
        kind: String,
        /// What it extends.
        parent: String,
    },
    /// A field with a value that cannot work.
    #[error("provider kind `{kind}`: `{field}` {problem}")]
    Field {
        /// The profile.
        kind: String,
        /// The field as written in the profile.
        field: String,
        /// What is wrong and what to do.
        problem: String,
    },
}

/// Settings from which no provider can be built. The text names the provider and the field, never a credential.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// No profile of this kind.
    #[error("provider `{provider}`: `type` is `{kind}`, which is not a known kind{hint}; known kinds: {known}")]
    UnknownKind {
        /// Configured name.
        provider: String,
        /// What was asked for.
        kind: String,
        /// ` (did you mean ...?)`, or empty.
        hint: String,
        /// All kinds, comma-separated.
        known: String,
    },
    /// A field with a value that cannot work.
    #[error("provider `{provider}`: `{field}` {problem}")]
    Field {
        /// Configured name.
        provider: String,
        /// The settings field.
        field: String,
        /// What is wrong and what to do.
        problem: String,
    },
}
