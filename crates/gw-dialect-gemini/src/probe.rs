//! What settlement needs from relayed bytes: usage, model, completeness. Only the top level of a frame is indexed.

use gw_core::Usage;
use gw_spi::{FrameSignal, Probe, ProbeReport};
use gw_wire::{Document, Frame, Json, Limits};

use crate::fault;
use crate::usage::{Counters, searches};

/// Reads one relayed stream.
#[derive(Default)]
pub(crate) struct StreamProbe {
    counters: Counters,
    counted: bool,
    searches: u64,
    model: Option<String>,
    content_bytes: u64,
    /// Candidates seen and whether each has finished.
    candidates: Vec<(u64, bool)>,
    blocked: bool,
}

impl StreamProbe {
    fn chunk(&mut self, root: Json<'_>) -> FrameSignal {
        if root.get_some("error").is_some() {
            // The envelope does not index below the top level; errors are rare enough to index again.
            let error = Document::parse(root.raw(), Limits::default()).map(|whole| fault::in_stream(whole.root()));
            if let Ok(error) = error {
                return FrameSignal::Fault(Box::new(error));
            }
        }
        if self.model.is_none() {
            self.model = root.get("modelVersion").and_then(|model| model.string());
        }
        if let Some(usage) = root.get("usageMetadata")
            && let Ok(usage) = Document::parse(usage.raw(), Limits::default())
        {
            self.counted |= self.counters.absorb(usage.root());
        }
        if let Some(feedback) = root.get("promptFeedback") {
            self.blocked |= feedback.raw().contains("\"blockReason\"");
        }
        let mut content = false;
        if let Some(candidates) = root.get("candidates") {
            content = candidates.raw().contains("\"parts\"");
            if let Ok(candidates) = Document::parse(candidates.raw(), Limits::default()) {
                for (at, candidate) in (0u64..).zip(candidates.root().items()) {
                    self.candidate(at, candidate);
                }
            }
        }
        if self.complete() {
            return FrameSignal::Terminal;
        }
        if content { FrameSignal::Content } else { FrameSignal::Preamble }
    }

    fn candidate(&mut self, at: u64, candidate: Json<'_>) {
        let index = candidate.get("index").and_then(|index| index.u64()).unwrap_or(at);
        let finished = candidate.get_some("finishReason").is_some();
        match self.candidates.iter_mut().find(|(known, _)| *known == index) {
            Some((_, slot)) => *slot |= finished,
            None => self.candidates.push((index, finished)),
        }
        if let Some(grounding) = candidate.get("groundingMetadata") {
            self.searches = self.searches.max(searches(grounding));
        }
        let parts = candidate.get("content").and_then(|content| content.get("parts"));
        for part in parts.into_iter().flat_map(|parts| parts.items()) {
            let text = part.get("text").and_then(|text| text.str()).map_or(0, |text| text.len());
            let call = part.get("functionCall").map_or(0, |call| call.raw().len());
            self.content_bytes = self.content_bytes.saturating_add(u64::try_from(text + call).unwrap_or(0));
        }
    }

    fn complete(&self) -> bool {
        self.blocked || (!self.candidates.is_empty() && self.candidates.iter().all(|(_, finished)| *finished))
    }

    fn usage(&self) -> Option<Usage> {
        self.counted.then(|| self.counters.usage(self.searches))
    }
}

impl Probe for StreamProbe {
    fn observe(&mut self, frame: &Frame) -> FrameSignal {
        let Ok(text) = std::str::from_utf8(&frame.data) else { return FrameSignal::Preamble };
        match Document::envelope(text, Limits::default()) {
            Ok(document) => match document.root().items().next() {
                // An error may come as an array of one.
                Some(_) => {
                    let mut signal = FrameSignal::Preamble;
                    for item in document.root().items() {
                        if let Ok(item) = Document::envelope(item.raw(), Limits::default()) {
                            signal = self.chunk(item.root());
                        }
                    }
                    signal
                }
                None => self.chunk(document.root()),
            },
            Err(_) => FrameSignal::Preamble,
        }
    }

    fn report(&self) -> ProbeReport {
        ProbeReport {
            usage: self.usage(),
            complete: self.complete(),
            model: self.model.clone(),
            content_bytes: self.content_bytes,
        }
    }

    /// Usage comes unasked.
    fn is_requested_usage(&self, _frame: &Frame) -> bool {
        false
    }
}

/// Reads a relayed, finished answer.
pub(crate) fn reply(body: &[u8]) -> ProbeReport {
    let mut probe = StreamProbe::default();
    let data = bytes::Bytes::copy_from_slice(body);
    let signal = probe.observe(&Frame { data, ..Frame::default() });
    let mut report = probe.report();
    report.complete = !matches!(signal, FrameSignal::Fault(_)) && (report.complete || !probe.candidates.is_empty());
    report
}
