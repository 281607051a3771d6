//! Counting tokens locally for targets that have no counter of their own.

use gw_core::{ChatRequest, Part, PartBody, ToolKind};

/// Tokens that chat formats add for each message (OpenAI's published figure for its own format).
const PER_MESSAGE: u64 = 3;
/// Longest piece handed to the tokenizer at once: its worst case grows with the length of unbroken text.
const PIECE: usize = 16 * 1024;

/// Tokens of a request by OpenAI's o200k vocabulary: exact for recent OpenAI text, an estimate for other models and for
/// media, which count nothing here.
pub(crate) fn estimate(request: &ChatRequest) -> u64 {
    let mut total = PER_MESSAGE;
    for message in &request.messages {
        total += PER_MESSAGE + message.parts.iter().map(part).sum::<u64>();
    }
    for tool in &request.tools {
        total += text(&tool.name) + tool.description.as_deref().map_or(0, text);
        total += tool.parameters.as_ref().map_or(0, |schema| text(schema.as_str()));
        if let ToolKind::Hosted { raw, .. } = &tool.kind {
            total += text(raw.as_str());
        }
    }
    total
}

fn part(part: &Part) -> u64 {
    match &part.body {
        PartBody::Text { text: words, .. }
        | PartBody::Refusal(words)
        | PartBody::Reasoning { text: words, .. }
        | PartBody::SearchResult { text: words, .. } => text(words),
        PartBody::ToolCall { name, arguments, .. } => text(name) + text(arguments),
        PartBody::ToolResult { content, json, .. } => {
            let nested: u64 = content.iter().map(self::part).sum();
            json.as_ref().map_or(nested, |json| text(json.as_str()))
        }
        PartBody::File { source: gw_core::Source::Text { text: words, .. }, .. } => text(words),
        PartBody::Opaque { raw, .. } => text(raw.as_str()),
        PartBody::Image { .. } | PartBody::Audio { .. } | PartBody::Video { .. } | PartBody::File { .. } => 0,
    }
}

fn text(words: &str) -> u64 {
    let Some(encoding) = tiktoken::get_encoding("o200k_base") else { return (words.len() as u64).div_ceil(4) };
    let mut total = 0;
    let mut rest = words;
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(boundary(rest, PIECE));
        total += encoding.count(piece) as u64;
        rest = after;
    }
    total
}

/// The last character boundary at or below `at`, never 0 for a non-empty text.
fn boundary(text: &str, at: usize) -> usize {
    if text.len() <= at {
        return text.len();
    }
    (1..=at).rev().find(|index| text.is_char_boundary(*index)).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use gw_core::{ChatRequest, DialectId, Message, Part, Role};

    #[test]
    fn counts_by_vocabulary_not_by_length() {
        let mut request = ChatRequest::new(DialectId("test"), "m");
        request.messages.push(Message::new(Role::User, vec![Part::text("hello world")]));
        // 2 tokens of text, 3 for the message, 3 for the answer's start.
        assert_eq!(super::estimate(&request), 8);
        request.messages.push(Message::new(Role::User, vec![Part::text("é".repeat(40_000))]));
        assert!(super::estimate(&request) > 1_000);
    }
}
