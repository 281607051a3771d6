//! What settlement needs from relayed bytes, with as little parsing as possible.

use gw_spi::{FrameSignal, Probe, ProbeReport};
use gw_wire::{Document, Frame, Limits};
use memchr::memmem;

use crate::usage::UsageReader;
use crate::{fault, stop};

/// Keys whose string is generated text.
const CONTENT_KEYS: &[&[u8]] = &[b"\"text\":", b"\"partial_json\":", b"\"thinking\":"];

/// Watches one stream.
#[derive(Debug, Default)]
pub(crate) struct StreamProbe {
    usage: UsageReader,
    complete: bool,
    model: Option<String>,
    content_bytes: u64,
}

impl StreamProbe {
    /// Reads usage, model and stop reason of the two events that have them.
    fn read(&mut self, data: &[u8]) {
        let Ok(document) = Document::from_bytes(data, Limits::default()) else { return };
        let root = document.root();
        let message = root.get_some("message");
        if let Some(model) = message.and_then(|message| message.get_some("model")).and_then(|model| model.string()) {
            self.model = Some(model);
        }
        if let Some(usage) = message.unwrap_or(root).get_some("usage") {
            self.usage.absorb(usage);
        }
        self.complete |= root.get_some("delta").and_then(stop::read).is_some();
    }
}

impl Probe for StreamProbe {
    fn observe(&mut self, frame: &Frame) -> FrameSignal {
        let kind = if frame.event.is_empty() { type_of(&frame.data) } else { &frame.event[..] };
        match kind {
            b"content_block_delta" => {
                self.content_bytes = self.content_bytes.saturating_add(content_length(&frame.data));
                FrameSignal::Content
            }
            b"content_block_start" => {
                // An empty text or thinking block is no content yet.
                let plain = [
                    &b"\"type\":\"text\""[..],
                    b"\"type\":\"thinking\"",
                    b"\"type\": \"text\"",
                    b"\"type\": \"thinking\"",
                ];
                match plain.iter().any(|needle| memmem::find(&frame.data, needle).is_some()) {
                    true => FrameSignal::Preamble,
                    false => FrameSignal::Content,
                }
            }
            b"message_start" => {
                self.read(&frame.data);
                FrameSignal::Preamble
            }
            b"message_delta" => {
                self.read(&frame.data);
                FrameSignal::Content
            }
            b"message_stop" => {
                self.complete = true;
                FrameSignal::Terminal
            }
            b"error" => match Document::from_bytes(&frame.data, Limits::default()) {
                Ok(document) => FrameSignal::Fault(Box::new(fault::in_stream(document.root()))),
                Err(_) => FrameSignal::Fault(Box::new(gw_core::GatewayError::new(
                    gw_core::Code::UpstreamError,
                    "the provider reported an error that could not be understood",
                ))),
            },
            b"content_block_stop" => FrameSignal::Content,
            _ => FrameSignal::Preamble,
        }
    }

    fn report(&self) -> ProbeReport {
        ProbeReport {
            usage: self.usage.usage(),
            complete: self.complete,
            model: self.model.clone(),
            content_bytes: self.content_bytes,
        }
    }

    fn is_requested_usage(&self, _frame: &Frame) -> bool {
        false
    }
}

/// Reads a finished answer.
pub(crate) fn reply(body: &[u8]) -> ProbeReport {
    let mut report = ProbeReport::default();
    if memmem::find(body, b"\"usage\"").is_none() {
        return report;
    }
    let Ok(text) = std::str::from_utf8(body) else { return report };
    let Ok(document) = Document::envelope(text, Limits::default()) else { return report };
    let root = document.root();
    report.model = root.get_some("model").and_then(|model| model.string());
    report.complete = root.get_some("content").is_some();
    report.content_bytes = root.get_some("content").map_or(0, |content| content.span().len() as u64);
    if let Some(usage) = root.get_some("usage") {
        let mut reader = UsageReader::default();
        crate::raw::with_parsed(usage.raw(), |usage| reader.absorb(usage));
        report.usage = reader.usage();
    }
    report
}

/// The value of the first `"type"` member, which leads every event of this format.
fn type_of(data: &[u8]) -> &[u8] {
    let Some(at) = memmem::find(data, b"\"type\"") else { return b"" };
    let rest = data.get(at + 6..).unwrap_or_default();
    let mut quoted = rest.splitn(3, |byte| *byte == b'"');
    quoted.nth(1).unwrap_or_default()
}

/// Length of the generated text in a delta, escapes included.
fn content_length(data: &[u8]) -> u64 {
    for key in CONTENT_KEYS {
        if let Some(at) = memmem::find(data, key) {
            let value = data.get(at + key.len()..).unwrap_or_default().trim_ascii();
            let end = value.iter().rposition(|byte| *byte == b'"').unwrap_or(0);
            return (end as u64).saturating_sub(1);
        }
    }
    0
}
