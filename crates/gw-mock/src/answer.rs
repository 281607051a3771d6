//! What the mock says: one deterministic answer per prompt, before any dialect gives it a shape.

use serde_json::Value;

use crate::behaviour::Behaviour;
use crate::prompt::{Choice, Format, Prompt, Tool};
use crate::schema;
use crate::signature::fingerprint;

/// A complete answer; streams send its pieces, other answers join them.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Answer {
    pub(crate) reasoning: Vec<String>,
    pub(crate) text: Vec<String>,
    pub(crate) calls: Vec<Call>,
    pub(crate) stop: Stop,
}

/// One call of a client's tool.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Call {
    /// Unique in the conversation: letters, digits and `_`, 24 characters.
    pub(crate) id: String,
    pub(crate) name: String,
    /// An object, or a string for a custom tool.
    pub(crate) arguments: Value,
    pub(crate) custom: bool,
}

/// Why the answer ends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Stop {
    #[default]
    End,
    Sequence(String),
    MaxTokens,
    Calls,
    Refusal,
}

/// Token counts; `input` contains the cached ones, `output` the reasoning.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) input: u64,
    pub(crate) cache_read: u64,
    pub(crate) cache_write: u64,
    pub(crate) output: u64,
    pub(crate) reasoning: u64,
}

/// Everything a dialect needs to render.
#[derive(Debug)]
pub(crate) struct Reply {
    /// Never empty: one per candidate.
    pub(crate) answers: Vec<Answer>,
    pub(crate) usage: Usage,
    /// 16 hexadecimal digits made from the prompt; the body of all ids.
    pub(crate) id: String,
    /// `created` of the answer: always the same moment, so that answers can be compared.
    pub(crate) created: u64,
}

/// 2026-01-01T00:00:00Z.
pub(crate) const CREATED: u64 = 1_767_225_600;

impl Reply {
    pub(crate) fn first(&self) -> Answer {
        self.answers.first().cloned().unwrap_or_default()
    }
}

impl Call {
    /// The arguments as JSON text (the text itself for a custom tool).
    pub(crate) fn arguments_text(&self) -> String {
        match &self.arguments {
            Value::String(text) => text.clone(),
            arguments => arguments.to_string(),
        }
    }

    /// The arguments in fragments that break inside names and values, as real streams do.
    pub(crate) fn argument_fragments(&self) -> Vec<String> {
        let text: Vec<char> = self.arguments_text().chars().collect();
        text.chunks(7).map(|piece| piece.iter().collect()).collect()
    }

    fn tokens(&self) -> u64 {
        (self.arguments_text().len() as u64).div_ceil(4) + 4
    }
}

/// Answers a prompt.
pub(crate) fn reply(prompt: &Prompt, behaviour: &Behaviour) -> Reply {
    let id = format!("{:016x}", fingerprint(&[&prompt.model, &prompt.text]));
    let count = prompt.candidates.clamp(1, 128);
    let answers: Vec<Answer> = (0..count).map(|index| answer(prompt, behaviour, &id, index)).collect();
    let usage = usage(prompt, &answers);
    Reply { answers, usage, id, created: CREATED }
}

/// Input tokens of a prompt: words, and 85 for an image, 250 for a document, 100 for audio.
pub(crate) fn input_tokens(prompt: &Prompt) -> u64 {
    let words = prompt.text.split_whitespace().count() + prompt.tools.len() * 8;
    let media = prompt.images * 85 + prompt.documents * 250 + prompt.audio * 100;
    (words + media).max(1) as u64
}

fn usage(prompt: &Prompt, answers: &[Answer]) -> Usage {
    let input = input_tokens(prompt);
    let lower = prompt.text.to_ascii_lowercase();
    let cache_read = if lower.contains("cached") { input / 2 } else { 0 };
    let cache_write = if lower.contains("cache_write") { input / 4 } else { 0 };
    let mut usage = Usage { input, cache_read, cache_write, ..Usage::default() };
    for answer in answers {
        let reasoning = answer.reasoning.len() as u64;
        let calls: u64 = answer.calls.iter().map(Call::tokens).sum();
        usage.reasoning += reasoning;
        usage.output += reasoning + answer.text.len() as u64 + calls;
    }
    usage
}

fn answer(prompt: &Prompt, behaviour: &Behaviour, id: &str, index: usize) -> Answer {
    if behaviour.refusal {
        return Answer { text: words("Sorry, I cannot help with that."), stop: Stop::Refusal, ..Answer::default() };
    }
    let mut answer = Answer::default();
    if prompt.thinking {
        answer.reasoning = words(&format!("Thinking about: {}", prompt.last_user));
    }
    let tools = called_tools(prompt);
    if tools.is_empty() {
        answer.text = text(prompt, behaviour, index);
    } else {
        if prompt.says("narrate") {
            let names: Vec<&str> = tools.iter().map(|tool| tool.name.as_str()).collect();
            answer.text = words(&format!("I will call {}.", names.join(" and ")));
        }
        answer.calls = tools.iter().enumerate().map(|(at, tool)| call(tool, id, index, at)).collect();
        answer.stop = Stop::Calls;
    }
    limit(&mut answer, prompt);
    answer
}

/// The tools to call now: none after a tool result, so that loops end.
fn called_tools(prompt: &Prompt) -> Vec<&Tool> {
    let asked = prompt.says("tool") || prompt.says("tools") || prompt.says("parallel");
    let usable: Vec<&Tool> = match &prompt.choice {
        _ if prompt.tool_result.is_some() => Vec::new(),
        Choice::None => Vec::new(),
        Choice::Any => prompt.tools.iter().collect(),
        Choice::Named(names) => prompt.tools.iter().filter(|tool| names.contains(&tool.name)).collect(),
        Choice::Auto if asked => prompt.tools.iter().collect(),
        Choice::Auto => Vec::new(),
    };
    let Some(first) = usable.first() else { return Vec::new() };
    if prompt.says("parallel") && !prompt.single_call {
        return vec![first, usable.get(1).unwrap_or(first)];
    }
    vec![first]
}

fn call(tool: &Tool, id: &str, index: usize, at: usize) -> Call {
    let arguments = if tool.custom {
        Value::String(format!("mock input for {}", tool.name))
    } else {
        match schema::sample(&tool.schema) {
            object @ Value::Object(_) => object,
            _ => Value::Object(serde_json::Map::new()),
        }
    };
    let id = format!("{id}{:04}{:04}", index, at);
    Call { id, name: tool.name.clone(), arguments, custom: tool.custom }
}

fn text(prompt: &Prompt, behaviour: &Behaviour, index: usize) -> Vec<String> {
    let mut text = match &prompt.format {
        Format::Schema(schema) => return words(&schema::sample(schema).to_string()),
        Format::JsonObject => return words(&serde_json::json!({"reply": base_text(prompt)}).to_string()),
        Format::Text => base_text(prompt),
    };
    if index > 0 {
        text.push_str(&format!(" (candidate {index})"));
    }
    match (behaviour.answer_bytes, behaviour.tokens) {
        (None, None) => words(&text),
        (Some(bytes), None) => words(&sized(text, bytes)),
        (Some(bytes), Some(chunks)) => equal_pieces(&sized(text, bytes), chunks),
        (None, Some(chunks)) => {
            let mut pieces = words(&text);
            let more = (pieces.len()..chunks).map(|index| format!(" word{index}"));
            pieces.extend(more);
            pieces.truncate(chunks);
            pieces
        }
    }
}

fn base_text(prompt: &Prompt) -> String {
    let mut text = match &prompt.tool_result {
        Some(result) => format!("Mock reply to tool result: {result}"),
        None => format!("Mock reply to: {}", prompt.last_user),
    };
    if prompt.images + prompt.documents > 0 {
        text.push_str(&format!(". I see {} image(s) and {} document(s)", prompt.images, prompt.documents));
    }
    if prompt.audio > 0 {
        text.push_str(&format!(". I hear {} recording(s)", prompt.audio));
    }
    text
}

/// Fills or cuts `text` to about `bytes` (never inside a character).
fn sized(mut text: String, bytes: usize) -> String {
    while text.len() < bytes {
        text.push_str(" lorem ipsum dolor sit amet");
    }
    text.truncate(text.floor_char_boundary(bytes));
    text
}

fn equal_pieces(text: &str, count: usize) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    chars.chunks(chars.len().div_ceil(count.max(1)).max(1)).map(|piece| piece.iter().collect()).collect()
}

/// Word-like pieces whose concatenation is `text`; white space leads a piece, as with most tokenizers.
fn words(text: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let mut in_word = false;
    for character in text.chars() {
        let space = character.is_whitespace();
        match pieces.last_mut() {
            Some(piece) if !(in_word && space) && piece.len() < 16 => piece.push(character),
            _ => pieces.push(character.to_string()),
        }
        in_word = !space;
    }
    pieces
}

/// Applies `max_tokens` (reasoning counts, calls that do not fit are left out) and stop sequences.
fn limit(answer: &mut Answer, prompt: &Prompt) {
    if let Some(most) = prompt.max_tokens {
        let mut left = usize::try_from(most).unwrap_or(usize::MAX);
        for pieces in [&mut answer.reasoning, &mut answer.text] {
            if pieces.len() > left {
                pieces.truncate(left);
                answer.stop = Stop::MaxTokens;
            }
            left -= pieces.len();
        }
        let fitting = answer.calls.iter().take_while(|call| {
            let cost = usize::try_from(call.tokens()).unwrap_or(usize::MAX);
            let fits = cost <= left;
            left = left.saturating_sub(cost);
            fits
        });
        let fitting = fitting.count();
        if fitting < answer.calls.len() {
            answer.calls.truncate(fitting);
            answer.stop = Stop::MaxTokens;
        }
    }
    let text = answer.text.concat();
    let stops = prompt.stops.iter().filter(|stop| !stop.is_empty());
    let found = stops.filter_map(|stop| text.find(stop.as_str()).map(|at| (at, stop))).min_by_key(|(at, _)| *at);
    if let Some((at, stop)) = found {
        answer.text = words(text.get(..at).unwrap_or_default());
        answer.calls.clear();
        answer.stop = Stop::Sequence(stop.clone());
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn pieces_join_to_the_text_and_limits_cut_it() {
        let mut prompt = Prompt::default();
        prompt.add_user_text("count the  words, please");
        let whole = reply(&prompt, &Behaviour::default()).first();
        assert_eq!(whole.text.concat(), "Mock reply to: count the  words, please");
        assert_eq!(whole.stop, Stop::End);

        prompt.max_tokens = Some(2);
        let cut = reply(&prompt, &Behaviour::default());
        assert_eq!(cut.first().text.concat(), "Mock reply");
        assert_eq!(cut.first().stop, Stop::MaxTokens);
        assert_eq!(cut.usage.output, 2);

        prompt.max_tokens = None;
        prompt.stops = vec!["zebra".to_owned(), "the".to_owned()];
        let stopped = reply(&prompt, &Behaviour::default()).first();
        assert_eq!(stopped.text.concat(), "Mock reply to: count ");
        assert_eq!(stopped.stop, Stop::Sequence("the".to_owned()));
    }

    #[test]
    fn size_and_chunks_are_exact() {
        let mut prompt = Prompt::default();
        prompt.add_user_text("größe");
        let behaviour = Behaviour { answer_bytes: Some(2000), tokens: Some(10), ..Behaviour::default() };
        let sized = reply(&prompt, &behaviour).first();
        assert_eq!(sized.text.concat().len(), 2000);
        assert_eq!(sized.text.len(), 10);
        let behaviour = Behaviour { tokens: Some(100), ..Behaviour::default() };
        assert_eq!(reply(&prompt, &behaviour).first().text.len(), 100);
    }

    #[test]
    fn tools_are_called_when_asked_or_forced_and_not_after_a_result() {
        let mut prompt = Prompt::default();
        prompt.add_user_text("please use a tool");
        let schema = serde_json::json!({"type": "object", "properties": {"city": {"type": "string"}}});
        prompt.add_tool("weather", None, schema, false);
        prompt.add_tool("clock", None, Value::Null, false);
        let calls = reply(&prompt, &Behaviour::default()).first().calls;
        assert_eq!(calls.len(), 1);
        assert_eq!(calls[0].arguments_text(), r#"{"city":"mock city"}"#);

        prompt.begin_user();
        prompt.add_user_text("parallel");
        let calls = reply(&prompt, &Behaviour::default()).first().calls;
        assert_eq!(calls.iter().map(|call| call.name.as_str()).collect::<Vec<_>>(), ["weather", "clock"]);
        assert_ne!(calls[0].id, calls[1].id);

        prompt.choice = Choice::Named(vec!["clock".to_owned()]);
        prompt.single_call = true;
        assert_eq!(reply(&prompt, &Behaviour::default()).first().calls[0].name, "clock");

        prompt.add_tool_result("12:00");
        let last = reply(&prompt, &Behaviour::default()).first();
        assert!(last.calls.is_empty());
        assert_eq!(last.text.concat(), "Mock reply to tool result: 12:00");
    }
}
