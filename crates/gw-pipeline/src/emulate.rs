//! Stop sequences for targets that have none: the output is watched and cut before the first match.

use gw_core::{ChatReply, Delta, Event, Fold, GatewayError, PartBody, PartOpening, PartRef, Stop, unfold};

/// Watches the text of candidates. Text is held back only as far as a stop sequence could still begin in it.
pub(crate) struct StopWatch {
    stops: Vec<String>,
    texts: Vec<Text>,
    cut: Vec<u32>,
}

struct Text {
    candidate: u32,
    part: PartRef,
    held: String,
}

impl StopWatch {
    /// `None` when there is nothing to watch for.
    pub(crate) fn new(stops: &[String]) -> Option<Self> {
        let stops: Vec<String> = stops.iter().filter(|stop| !stop.is_empty()).cloned().collect();
        (!stops.is_empty()).then_some(Self { stops, texts: Vec::new(), cut: Vec::new() })
    }

    /// Passes an event on, changed where needed. Returns true when every open candidate has been cut, so that the
    /// upstream is of no more use; `End` was emitted then.
    pub(crate) fn pass(&mut self, event: Event, out: &mut Vec<Event>) -> bool {
        match event {
            Event::PartStart { candidate, .. } | Event::Finish { candidate, .. } if self.cut.contains(&candidate) => {}
            Event::PartStart { candidate, part, opening } => {
                if opening == PartOpening::Text {
                    self.texts.push(Text { candidate, part, held: String::new() });
                }
                out.push(Event::PartStart { candidate, part, opening });
            }
            Event::PartDelta { part, delta: Delta::Text(more) } if self.watches(part) => {
                return self.text(part, &more, out);
            }
            Event::PartEnd { part } if self.watches(part) => {
                self.release(part, out);
                out.push(Event::PartEnd { part });
            }
            other => out.push(other),
        }
        false
    }

    fn watches(&self, part: PartRef) -> bool {
        self.texts.iter().any(|text| text.part == part)
    }

    fn text(&mut self, part: PartRef, more: &str, out: &mut Vec<Event>) -> bool {
        let Some(text) = self.texts.iter_mut().find(|text| text.part == part) else { return false };
        text.held.push_str(more);
        let found = self.stops.iter().filter_map(|stop| text.held.find(stop.as_str()).map(|at| (at, stop))).min();
        if let Some((at, stop)) = found {
            let (stop, candidate) = (stop.clone(), text.candidate);
            text.held.truncate(at);
            self.release(part, out);
            out.push(Event::PartEnd { part });
            out.push(Event::Finish { candidate, stop: Stop::StopSequence(Some(stop)) });
            out.push(Event::End);
            self.cut.push(candidate);
            return true;
        }
        let keep = self.stops.iter().map(|stop| overlap(&text.held, stop)).max().unwrap_or(0);
        let release = text.held.len() - keep;
        if release > 0 {
            let rest = text.held.split_off(release);
            let ready = std::mem::replace(&mut text.held, rest);
            out.push(Event::PartDelta { part, delta: Delta::Text(ready) });
        }
        false
    }

    fn release(&mut self, part: PartRef, out: &mut Vec<Event>) {
        let Some(at) = self.texts.iter().position(|text| text.part == part) else { return };
        let text = self.texts.swap_remove(at);
        if !text.held.is_empty() {
            out.push(Event::PartDelta { part, delta: Delta::Text(text.held) });
        }
    }
}

/// Bytes at the end of `text` that could be the beginning of `stop`.
fn overlap(text: &str, stop: &str) -> usize {
    let longest = stop.len().saturating_sub(1).min(text.len());
    (1..=longest)
        .rev()
        .find(|length| {
            let at = text.len() - length;
            text.is_char_boundary(at) && stop.as_bytes().starts_with(text.as_bytes().get(at..).unwrap_or_default())
        })
        .unwrap_or(0)
}

/// Applies stop sequences to a finished reply. Only the first candidate of a reply can be cut this way; targets
/// without stop sequences give one candidate.
pub(crate) fn cut_reply(reply: ChatReply, stops: &[String]) -> Result<ChatReply, GatewayError> {
    let Some(mut watch) = StopWatch::new(stops) else { return Ok(reply) };
    let usage = reply.usage.clone();
    let mut fold = Fold::default();
    for event in unfold(reply) {
        let mut passed = Vec::new();
        let cut = watch.pass(event, &mut passed);
        passed.into_iter().for_each(|event| fold.push(event));
        if cut {
            break;
        }
    }
    let mut reply = fold.finish()?;
    reply.usage = usage;
    Ok(reply)
}

/// Bytes of generated text and arguments in a finished reply, for estimates.
pub(crate) fn content_bytes(reply: &ChatReply) -> u64 {
    let parts = reply.candidates.iter().flat_map(|candidate| &candidate.parts);
    let lengths = parts.map(|part| match &part.body {
        PartBody::Text { text, .. } | PartBody::Reasoning { text, .. } | PartBody::Refusal(text) => text.len(),
        PartBody::ToolCall { arguments, .. } => arguments.len(),
        _ => 0,
    });
    lengths.map(|length| length as u64).sum()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use gw_core::{Candidate, ChatReply, Delta, Event, Part, PartBody, PartOpening, Start, Stop};

    use super::{StopWatch, cut_reply};

    fn streamed(pieces: &[&str], stops: &[&str]) -> (String, bool) {
        let stops: Vec<String> = stops.iter().map(|stop| (*stop).to_owned()).collect();
        let mut watch = StopWatch::new(&stops).unwrap();
        let mut out = Vec::new();
        watch.pass(Event::Start(Start::default()), &mut out);
        watch.pass(Event::PartStart { candidate: 0, part: 0, opening: PartOpening::Text }, &mut out);
        let mut cut = false;
        for piece in pieces {
            cut = watch.pass(Event::PartDelta { part: 0, delta: Delta::Text((*piece).to_owned()) }, &mut out);
            if cut {
                break;
            }
        }
        if !cut {
            watch.pass(Event::PartEnd { part: 0 }, &mut out);
        }
        let text = out
            .iter()
            .filter_map(|event| match event {
                Event::PartDelta { delta: Delta::Text(text), .. } => Some(text.as_str()),
                _ => None,
            })
            .collect();
        (text, cut)
    }

    #[test]
    fn text_is_cut_before_the_first_match_however_it_is_split() {
        assert_eq!(streamed(&["ab", "cEN", "Dxyz"], &["END"]), ("abc".into(), true));
        assert_eq!(streamed(&["E", "N", "E", "N", "D"], &["END"]), ("EN".into(), true));
        assert_eq!(streamed(&["abcEN"], &["END"]), ("abcEN".into(), false));
        assert_eq!(streamed(&["é", "ü!"], &["ü"]), ("é".into(), true));
    }

    #[test]
    fn a_finished_reply_is_cut_the_same_way() {
        let candidate = Candidate {
            index: 0,
            parts: vec![Part::text("one STOP two")],
            stop: Stop::End,
            logprobs: None,
            extras: Vec::new(),
        };
        let reply = ChatReply { candidates: vec![candidate], ..ChatReply::default() };
        let cut = cut_reply(reply, &["STOP".into()]).unwrap();
        assert_eq!(cut.candidates[0].stop, Stop::StopSequence(Some("STOP".into())));
        assert!(matches!(&cut.candidates[0].parts[0].body, PartBody::Text { text, .. } if text == "one "));
    }
}
