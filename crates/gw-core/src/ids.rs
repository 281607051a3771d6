//! Names of dialects and operations.

use std::fmt;

/// Name of a wire format, for example `openai-chat`. Defined by the crate that implements the format.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DialectId(pub &'static str);

impl fmt::Debug for DialectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl fmt::Display for DialectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// What a caller asks for, independent of dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operation {
    /// A chat or content generation, streaming or not.
    Chat,
    /// The number of input tokens a chat request would use.
    CountTokens,
    /// The models that the caller may use.
    ListModels,
    /// One model's description.
    GetModel,
    /// A provider-native call relayed with its body untouched (embeddings, images, audio, ...).
    Native,
}

impl Operation {
    /// Stable lower-case name for logs, metrics and records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::CountTokens => "count_tokens",
            Self::ListModels => "list_models",
            Self::GetModel => "get_model",
            Self::Native => "native",
        }
    }
}
