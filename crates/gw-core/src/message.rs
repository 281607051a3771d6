//! Messages and their parts, in source order.

use crate::{DialectId, RawJson, ToolKind};

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Operator instructions.
    System,
    /// Operator instructions under OpenAI's newer name.
    Developer,
    /// The end user, and tool results in dialects that carry them in user turns.
    User,
    /// The model.
    Assistant,
    /// Tool results in dialects with a role of their own.
    Tool,
}

/// One message of the source, its parts in order. Encoders regroup; nothing is merged when decoding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// Participant name, where the dialect has one.
    pub name: Option<String>,
    /// Content in order.
    pub parts: Vec<Part>,
    /// Unknown fields of the message.
    pub extras: Extras,
}

/// A piece of content with what is common to all kinds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The content.
    pub body: PartBody,
    /// Prompt-cache mark: the reusable prefix ends after this part.
    pub cache: Option<CacheMark>,
    /// Vendor state bound to this part (Gemini `thoughtSignature` on text and calls, reasoning signatures).
    pub state: Option<OpaqueState>,
    /// Unknown fields of the part.
    pub extras: Extras,
}

/// The kinds of content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartBody {
    /// Plain text with optional citations that support it.
    Text {
        /// The text.
        text: String,
        /// Sources; see [`Citation`].
        citations: Vec<Citation>,
    },
    /// A refusal in the model's words.
    Refusal(String),
    /// An image.
    Image {
        /// Where the bytes are.
        source: Source,
        /// `auto`, `low`, `high`, `original` or a vendor value.
        detail: Option<String>,
    },
    /// Sound.
    Audio {
        /// Where the bytes are.
        source: Source,
        /// Container name, for example `wav`.
        format: Option<String>,
    },
    /// A video.
    Video {
        /// Where the bytes are.
        source: Source,
        /// Vendor metadata (offsets, frame rate).
        metadata: Option<RawJson>,
    },
    /// A document.
    File {
        /// Where the bytes are.
        source: Source,
        /// File name or title.
        filename: Option<String>,
        /// Context for the model (Anthropic `context`).
        context: Option<String>,
        /// Whether citations of this document were asked for.
        citations: bool,
    },
    /// A search result given by the client for citation (Anthropic `search_result`): the vendor's own block.
    SearchResult {
        /// Whole block.
        raw: RawJson,
        /// Readable rendering.
        text: String,
    },
    /// The model's reasoning. Its signature or encrypted form is the part's `state`.
    Reasoning {
        /// Readable text; empty when the vendor hides it.
        text: String,
        /// Whether the text is a summary, not the full reasoning.
        summary: bool,
    },
    /// The model calls a client tool.
    ToolCall {
        /// Links call and result.
        call_id: String,
        /// Tool name.
        name: String,
        /// Arguments exactly as the source gave them: the JSON text, or free text for custom tools. May be empty or
        /// invalid when the source is a string.
        arguments: String,
        /// Function or custom.
        kind: ToolKind,
    },
    /// What a client tool answered.
    ToolResult {
        /// Links to the call; empty when the dialect has no ids and none could be paired.
        call_id: String,
        /// Tool name, where known.
        name: Option<String>,
        /// Content parts in order.
        content: Vec<Part>,
        /// The result as a JSON object, when the source carries one (Gemini `response`).
        json: Option<RawJson>,
        /// Whether the tool failed.
        is_error: bool,
    },
    /// A block that only its own vendor understands (server tool calls and results, compaction, unknown types).
    Opaque {
        /// The format it was written in.
        dialect: DialectId,
        /// The vendor's type name.
        type_name: String,
        /// Whole block.
        raw: RawJson,
    },
}

/// Where media bytes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Base64 text, not decoded: most routes pass it on unchanged.
    Base64 {
        /// MIME type.
        mime: String,
        /// Standard base64 without line breaks.
        data: String,
    },
    /// A URL that the model provider (or the gateway) fetches.
    Url {
        /// The URL.
        url: String,
        /// MIME type when the source says it.
        mime: Option<String>,
    },
    /// A file stored at a vendor.
    VendorFile {
        /// Format whose vendor holds the file.
        dialect: DialectId,
        /// File id or URI.
        id: String,
        /// MIME type when the source says it.
        mime: Option<String>,
    },
    /// Plain text given as a document.
    Text {
        /// MIME type, usually `text/plain`.
        mime: String,
        /// The text.
        text: String,
    },
}

/// Prompt-cache mark.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CacheMark {
    /// Lifetime as written, for example `5m` or `1h`.
    pub ttl: Option<String>,
}

/// What an opaque state is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StateKind {
    /// A signature over readable content.
    Signature,
    /// Redacted reasoning that replaces readable text.
    Redacted,
    /// Encrypted reasoning.
    Encrypted,
}

/// Bytes that only their vendor understands and that must be given back unchanged, to that vendor only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpaqueState {
    /// Who minted it: `anthropic`, `gemini`, `openai`, ...
    pub vendor: String,
    /// Model that minted it, where known.
    pub model: Option<String>,
    /// What it is.
    pub kind: StateKind,
    /// The vendor's own text.
    pub payload: String,
}

/// Support for a span of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Citation {
    /// Start and end in characters of the part's text; `None` means the whole part.
    pub span: Option<(u32, u32)>,
    /// What is cited.
    pub source: CitationSource,
    /// The cited words.
    pub cited_text: Option<String>,
    /// The vendor's own object, for same-vendor replay.
    pub raw: Option<(DialectId, RawJson)>,
}

/// What a citation points to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CitationSource {
    /// A web page.
    Url {
        /// Address.
        url: String,
        /// Page title.
        title: Option<String>,
    },
    /// A document of the request.
    Document {
        /// Index among the request's documents.
        index: Option<u32>,
        /// Title or file name.
        title: Option<String>,
    },
    /// Anything else; see the raw object.
    Other,
}

/// An unknown field, re-emitted only to the dialect it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extra {
    /// The format it was written in.
    pub dialect: DialectId,
    /// Field name.
    pub name: String,
    /// Its value.
    pub value: RawJson,
}

/// Unknown fields in source order.
pub type Extras = Vec<Extra>;

impl Part {
    /// A part without mark, state or extras.
    #[must_use]
    pub fn new(body: PartBody) -> Self {
        Self { body, cache: None, state: None, extras: Vec::new() }
    }

    /// Plain text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::new(PartBody::Text { text: text.into(), citations: Vec::new() })
    }
}

impl Message {
    /// A message without name or extras.
    #[must_use]
    pub fn new(role: Role, parts: Vec<Part>) -> Self {
        Self { role, name: None, parts, extras: Vec::new() }
    }
}
