//! Tool definitions and choice.

use crate::{CacheMark, Extras, RawJson};

/// What kind of tool a definition or call is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ToolKind {
    /// A client function with JSON arguments.
    #[default]
    Function,
    /// A client tool with free-text input (OpenAI custom tools); the grammar as JSON when one is required.
    Custom {
        /// `format` object of the source.
        grammar: Option<RawJson>,
    },
    /// A tool that the vendor runs (web search, code execution, ...): the vendor's own definition.
    Hosted {
        /// The vendor's type name, for example `web_search_20250305`.
        type_name: String,
        /// Whole definition.
        raw: RawJson,
    },
}

/// A tool that the model may use.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tool {
    /// Name as the client wrote it.
    pub name: String,
    /// Description for the model.
    pub description: Option<String>,
    /// JSON schema of the arguments, as the client wrote it; `None` means a tool without arguments.
    pub parameters: Option<RawJson>,
    /// JSON schema of the result, where the dialect has one.
    pub response: Option<RawJson>,
    /// Whether the client asked for schema enforcement.
    pub strict: Option<bool>,
    /// Function, custom or hosted.
    pub kind: ToolKind,
    /// Prompt-cache mark on the definition.
    pub cache: Option<CacheMark>,
    /// Unknown fields of the definition.
    pub extras: Extras,
}

/// Which tools the model must or may call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToolChoice {
    /// The model decides.
    Auto,
    /// No tool may be called.
    None,
    /// Some tool must be called.
    Required,
    /// This tool must be called.
    Named(String),
    /// The model decides among these (`required`: it must call one of them).
    Allowed {
        /// Names of the allowed tools.
        names: Vec<String>,
        /// Whether one of them must be called.
        required: bool,
    },
    /// The model decides, arguments are schema-enforced for the whole request (Gemini `VALIDATED`).
    Validated,
}
