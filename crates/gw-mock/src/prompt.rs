//! What the mock understands of a request, whatever dialect it came in.

use serde_json::Value;

/// The parts of a request that decide the answer.
#[derive(Debug, Default)]
pub(crate) struct Prompt {
    /// The model name as the client wrote it.
    pub(crate) model: String,
    /// All text of all turns and tools; its words are the input tokens.
    pub(crate) text: String,
    /// The text of the last user turn.
    pub(crate) last_user: String,
    pub(crate) images: usize,
    pub(crate) documents: usize,
    pub(crate) audio: usize,
    /// The text of the tool results, if they are the last turn.
    pub(crate) tool_result: Option<String>,
    pub(crate) tools: Vec<Tool>,
    pub(crate) choice: Choice,
    /// At most one call.
    pub(crate) single_call: bool,
    pub(crate) format: Format,
    /// The client asked for reasoning.
    pub(crate) thinking: bool,
    pub(crate) max_tokens: Option<u64>,
    pub(crate) stops: Vec<String>,
    /// Number of answers wanted; 0 counts as 1.
    pub(crate) candidates: usize,
}

/// A tool that the client offers.
#[derive(Debug)]
pub(crate) struct Tool {
    pub(crate) name: String,
    pub(crate) schema: Value,
    /// Takes free text instead of JSON arguments.
    pub(crate) custom: bool,
}

/// How free the model is to call.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) enum Choice {
    #[default]
    Auto,
    None,
    Any,
    /// One of these, named by the client.
    Named(Vec<String>),
}

/// The form of the text that is asked for.
#[derive(Debug, Default, PartialEq)]
pub(crate) enum Format {
    #[default]
    Text,
    JsonObject,
    Schema(Value),
}

impl Prompt {
    /// Adds text of any turn.
    pub(crate) fn add_text(&mut self, text: &str) {
        if !self.text.is_empty() && !text.is_empty() {
            self.text.push(' ');
        }
        self.text.push_str(text);
    }

    /// A new user turn begins: what the last one said no longer counts as the last.
    pub(crate) fn begin_user(&mut self) {
        self.last_user.clear();
        self.tool_result = None;
    }

    /// Text of the current user turn.
    pub(crate) fn add_user_text(&mut self, text: &str) {
        self.add_text(text);
        if !self.last_user.is_empty() && !text.is_empty() {
            self.last_user.push(' ');
        }
        self.last_user.push_str(text);
    }

    /// A tool result that, so far, is the last turn.
    pub(crate) fn add_tool_result(&mut self, text: &str) {
        self.add_text(text);
        match &mut self.tool_result {
            Some(results) => {
                results.push_str("; ");
                results.push_str(text);
            }
            None => self.tool_result = Some(text.to_owned()),
        }
    }

    /// An offered tool; its definition counts as input.
    pub(crate) fn add_tool(&mut self, name: &str, description: Option<&str>, schema: Value, custom: bool) {
        self.add_text(name);
        self.add_text(description.unwrap_or_default());
        self.tools.push(Tool { name: name.to_owned(), schema, custom });
    }

    /// Counts a `data:` URL or file by its media type.
    pub(crate) fn add_media(&mut self, mime: &str) {
        if mime.starts_with("image/") {
            self.images += 1;
        } else if mime.starts_with("audio/") {
            self.audio += 1;
        } else {
            self.documents += 1;
        }
    }

    /// The media type inside a `data:` URL.
    pub(crate) fn data_url_type(url: &str) -> Option<&str> {
        let (head, _) = url.strip_prefix("data:")?.split_once(',')?;
        head.split(';').next()
    }

    /// Whether the last user turn has this word.
    pub(crate) fn says(&self, word: &str) -> bool {
        let mut words = self.last_user.split(|c: char| !c.is_alphanumeric());
        words.any(|found| found.eq_ignore_ascii_case(word))
    }
}
