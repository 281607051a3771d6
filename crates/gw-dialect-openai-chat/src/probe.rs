//! Reads what settlement needs from relayed traffic, parsing as little as possible.

use gw_core::Usage;
use gw_spi::{FrameSignal, Probe, ProbeReport};
use gw_wire::{Document, Frame, Json, Kind, Limits};
use memchr::memmem;

use crate::{fault, stop, usage};

/// What the member names of a chunk tell without parsing it.
#[derive(Debug, Default)]
struct Marks {
    /// Bytes of generated text.
    text_bytes: u64,
    /// There is content of any kind.
    content: bool,
    finish: bool,
    usage: bool,
    error: bool,
}

/// Probe of one relayed stream.
#[derive(Debug, Default)]
pub(crate) struct StreamProbe {
    usage: Option<Usage>,
    model: Option<String>,
    choices: Vec<(u64, bool)>,
    done: bool,
    looked: bool,
    content_bytes: u64,
}

impl Probe for StreamProbe {
    fn observe(&mut self, frame: &Frame) -> FrameSignal {
        let data = frame.data.trim_ascii();
        if data == b"[DONE]" {
            self.done = true;
            return FrameSignal::Terminal;
        }
        let Marks { text_bytes, content, finish, usage, error } = scan(data);
        self.content_bytes = self.content_bytes.saturating_add(text_bytes);
        let error = error || frame.event.as_ref() == b"error";
        let first = !self.looked;
        if (first || finish || usage || error)
            && let Ok(document) = Document::from_bytes(data, Limits::default())
        {
            let root = document.root();
            let root = if root.kind() == Kind::Array { root.items().next().unwrap_or(root) } else { root };
            if let Some(signal) = self.read(root, frame) {
                return signal;
            }
        }
        if content { FrameSignal::Content } else { FrameSignal::Preamble }
    }

    fn report(&self) -> ProbeReport {
        let finished = !self.choices.is_empty() && self.choices.iter().all(|(_, finished)| *finished);
        ProbeReport {
            usage: self.usage.clone(),
            complete: self.done || finished,
            model: self.model.clone(),
            content_bytes: self.content_bytes,
        }
    }

    fn is_requested_usage(&self, frame: &Frame) -> bool {
        let data = frame.data.trim_ascii();
        if memmem::find(data, b"\"usage\"").is_none() || !scan(data).usage {
            return false;
        }
        let Ok(document) = Document::from_bytes(data, Limits::default()) else { return false };
        let choices = document.root().get_some("choices");
        choices.is_none_or(|choices| choices.items().next().is_none()) && document.root().get_some("usage").is_some()
    }
}

impl StreamProbe {
    /// Reads a parsed chunk; returns the fault it holds.
    fn read(&mut self, root: Json<'_>, frame: &Frame) -> Option<FrameSignal> {
        if let Some(model) = root.get_some("model").and_then(|model| model.string()).filter(|model| !model.is_empty()) {
            self.model = Some(model);
            self.looked = true;
        }
        let choices: Vec<Json<'_>> = root.get_some("choices").map(|list| list.items().collect()).unwrap_or_default();
        for choice in &choices {
            let index = choice.get_some("index").and_then(|index| index.u64()).unwrap_or(0);
            let word = choice.get_some("finish_reason").and_then(|word| word.str());
            let finished = word.is_some_and(|word| stop::decode(&word).is_some());
            match self.choices.iter_mut().find(|(known, _)| *known == index) {
                Some((_, known)) => *known |= finished,
                None => self.choices.push((index, finished)),
            }
        }
        let numbers = root
            .get_some("usage")
            .or_else(|| root.get_some("x_groq").and_then(|groq| groq.get_some("usage")))
            .or_else(|| choices.iter().find_map(|choice| choice.get_some("usage")))
            .and_then(usage::decode);
        if let Some(numbers) = numbers {
            match &mut self.usage {
                Some(known) => known.absorb(&numbers),
                None => self.usage = Some(numbers),
            }
        }
        let inside = choices.iter().find_map(|choice| choice.get_some("error").map(|error| (error, *choice)));
        let named = root.get_some("error").map(|error| (error, root)).or(inside);
        let whole = (frame.event.as_ref() == b"error" && named.is_none()).then_some((root, root));
        let (error, holder) = named.or(whole)?;
        if matches!(error.raw(), "\"\"" | "{}" | "false") {
            return None;
        }
        Some(FrameSignal::Fault(Box::new(fault::decode_inline(error, holder))))
    }
}

/// Reads what settlement needs from a finished answer.
pub(crate) fn reply(body: &[u8]) -> ProbeReport {
    let Ok(document) = Document::from_bytes(body, Limits::default()) else { return ProbeReport::default() };
    let root = document.root();
    let content_bytes = scan(body).text_bytes;
    ProbeReport {
        usage: root.get_some("usage").and_then(usage::decode),
        complete: root.get_some("error").is_none(),
        model: root.get_some("model").and_then(|model| model.string()),
        content_bytes,
    }
}

/// Walks the strings of a chunk once; a string that a colon follows is a member name, whatever its depth.
fn scan(data: &[u8]) -> Marks {
    let mut marks = Marks::default();
    let mut rest = data;
    while let Some(open) = memchr::memchr(b'"', rest) {
        let inner = rest.get(open + 1..).unwrap_or_default();
        let length = string_length(inner);
        let name = inner.get(..length).unwrap_or_default();
        rest = inner.get(length + 1..).unwrap_or_default();
        if let Some(value) = after_colon(rest) {
            marks.member(name, value);
        }
    }
    marks.content |= marks.text_bytes > 0;
    marks
}

impl Marks {
    fn member(&mut self, name: &[u8], value: &[u8]) {
        let begins = value.first();
        match name {
            b"content" | b"reasoning_content" | b"reasoning" | b"arguments" | b"refusal" | b"text"
                if begins == Some(&b'"') =>
            {
                let length = string_length(value.get(1..).unwrap_or_default());
                self.text_bytes = self.text_bytes.saturating_add(length as u64);
            }
            // Content even without text in it.
            b"tool_calls" | b"function_call" | b"audio" | b"images" | b"reasoning_details" | b"annotations" => {
                self.content |= !value.starts_with(b"null") && !value.starts_with(b"[]");
            }
            b"finish_reason" => self.finish |= begins == Some(&b'"'),
            b"usage" => self.usage |= begins == Some(&b'{'),
            b"error" => self.error |= matches!(begins, Some(b'{' | b'"')),
            _ => {}
        }
    }
}

/// Length of a JSON string's inner text up to its closing quote.
fn string_length(inner: &[u8]) -> usize {
    let mut at = 0;
    while let Some(found) = memchr::memchr2(b'"', b'\\', inner.get(at..).unwrap_or_default()) {
        at += found;
        if inner.get(at) == Some(&b'"') {
            return at;
        }
        at += 2;
    }
    inner.len()
}

fn after_colon(tail: &[u8]) -> Option<&[u8]> {
    tail.trim_ascii_start().strip_prefix(b":").map(<[u8]>::trim_ascii_start)
}
