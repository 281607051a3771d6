//! Folding a stream into a reply, and a reply into a stream: one accumulator for both modes.

use crate::{
    Candidate, ChatReply, Delta, Event, Extras, GatewayError, Part, PartBody, PartOpening, PartRef, RawJson, Start,
    Stop, Usage,
};

/// Accumulates the events of one stream.
#[derive(Debug, Default)]
pub struct Fold {
    reply: ChatReply,
    open: Vec<(PartRef, u32, usize)>,
    usage: Option<Usage>,
    ended: bool,
    fault: Option<GatewayError>,
}

impl Fold {
    /// Takes the next event.
    pub fn push(&mut self, event: Event) {
        match event {
            Event::Start(start) => self.start(start),
            Event::PartStart { candidate, part, opening } => self.open(candidate, part, opening),
            Event::PartDelta { part, delta } => self.delta(part, delta),
            Event::PartEnd { part } => self.open.retain(|(open, _, _)| *open != part),
            Event::Usage(usage) => match &mut self.usage {
                Some(known) => known.absorb(&usage),
                None => self.usage = Some(usage),
            },
            Event::Finish { candidate, stop } => self.candidate(candidate).stop = stop,
            Event::Logprobs { candidate, items } => {
                let slot = &mut self.candidate(candidate).logprobs;
                *slot = Some(match slot.take() {
                    Some(known) => join_arrays(&known, &items),
                    None => items,
                });
            }
            Event::Vendor { candidate, extra } => {
                let extras = match candidate {
                    Some(index) => &mut self.candidate(index).extras,
                    None => &mut self.reply.extras,
                };
                put_extra(extras, extra);
            }
            Event::Ping => {}
            Event::Fault(fault) => self.fault = Some(*fault),
            Event::End => self.ended = true,
        }
    }

    /// The folded reply.
    ///
    /// # Errors
    /// The stream's fault; or an interruption when no terminal event came.
    pub fn finish(mut self) -> Result<ChatReply, GatewayError> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        if !self.ended {
            return Err(GatewayError::new(
                crate::Code::Interrupted,
                "the provider's stream ended before the answer was complete",
            ));
        }
        self.reply.usage = self.usage;
        self.reply.candidates.sort_by_key(|candidate| candidate.index);
        Ok(self.reply)
    }

    /// The latest usage snapshot.
    #[must_use]
    pub fn usage(&self) -> Option<&Usage> {
        self.usage.as_ref()
    }

    fn start(&mut self, start: Start) {
        self.reply.id = start.id;
        self.reply.model = start.model;
        self.reply.created = start.created;
        self.reply.service_tier = start.service_tier;
        self.reply.fingerprint = start.fingerprint;
    }

    fn candidate(&mut self, index: u32) -> &mut Candidate {
        let at = match self.reply.candidates.iter().position(|candidate| candidate.index == index) {
            Some(at) => at,
            None => {
                self.reply.candidates.push(Candidate {
                    index,
                    parts: Vec::new(),
                    stop: Stop::End,
                    logprobs: None,
                    extras: Vec::new(),
                });
                self.reply.candidates.len() - 1
            }
        };
        // `at` was just found or pushed.
        #[expect(clippy::indexing_slicing, reason = "the index was found or pushed in the lines above")]
        &mut self.reply.candidates[at]
    }

    fn open(&mut self, candidate: u32, part: PartRef, opening: PartOpening) {
        let new = match opening {
            PartOpening::Text => Part::text(""),
            PartOpening::Refusal => Part::new(PartBody::Refusal(String::new())),
            PartOpening::Reasoning { summary } => Part::new(PartBody::Reasoning { text: String::new(), summary }),
            PartOpening::ToolCall { call_id, name, kind } => {
                Part::new(PartBody::ToolCall { call_id, name, arguments: String::new(), kind })
            }
            PartOpening::Whole(whole) => *whole,
        };
        let owner = self.candidate(candidate);
        owner.parts.push(new);
        let at = owner.parts.len() - 1;
        self.open.push((part, candidate, at));
    }

    fn delta(&mut self, part: PartRef, delta: Delta) {
        let Some((_, candidate, at)) = self.open.iter().find(|(open, _, _)| *open == part).copied() else {
            return;
        };
        let Some(target) = self.candidate(candidate).parts.get_mut(at) else { return };
        match (delta, &mut target.body) {
            (Delta::State(state), _) => target.state = Some(state),
            (
                Delta::Text(more),
                PartBody::Text { text, .. } | PartBody::Refusal(text) | PartBody::Reasoning { text, .. },
            )
            | (Delta::Arguments(more), PartBody::ToolCall { arguments: text, .. }) => text.push_str(&more),
            (Delta::Citation(citation), PartBody::Text { citations, .. }) => citations.push(citation),
            _ => {}
        }
    }
}

/// The events that a finished reply stands for: what a streaming client sees of a non-streaming upstream.
#[must_use]
pub fn unfold(reply: ChatReply) -> Vec<Event> {
    let mut events = vec![Event::Start(Start {
        id: reply.id,
        model: reply.model,
        created: reply.created,
        service_tier: reply.service_tier,
        fingerprint: reply.fingerprint,
    })];
    let mut next: PartRef = 0;
    for extra in reply.extras {
        events.push(Event::Vendor { candidate: None, extra });
    }
    for candidate in reply.candidates {
        let index = candidate.index;
        for part in candidate.parts {
            unfold_part(index, next, part, &mut events);
            next = next.saturating_add(1);
        }
        if let Some(items) = candidate.logprobs {
            events.push(Event::Logprobs { candidate: index, items });
        }
        for extra in candidate.extras {
            events.push(Event::Vendor { candidate: Some(index), extra });
        }
        events.push(Event::Finish { candidate: index, stop: candidate.stop });
    }
    if let Some(usage) = reply.usage {
        events.push(Event::Usage(usage));
    }
    events.push(Event::End);
    events
}

fn unfold_part(candidate: u32, part: PartRef, source: Part, events: &mut Vec<Event>) {
    let Part { body, cache, state, extras } = source;
    let (opening, deltas) = match body {
        PartBody::Text { text, citations } => {
            let mut deltas = text_delta(text);
            deltas.extend(citations.into_iter().map(Delta::Citation));
            (PartOpening::Text, deltas)
        }
        PartBody::Refusal(text) => (PartOpening::Refusal, text_delta(text)),
        PartBody::Reasoning { text, summary } => (PartOpening::Reasoning { summary }, text_delta(text)),
        PartBody::ToolCall { call_id, name, arguments, kind } => {
            let deltas = if arguments.is_empty() { Vec::new() } else { vec![Delta::Arguments(arguments)] };
            (PartOpening::ToolCall { call_id, name, kind }, deltas)
        }
        other => (PartOpening::Whole(Box::new(Part { body: other, cache, state: None, extras })), Vec::new()),
    };
    events.push(Event::PartStart { candidate, part, opening });
    events.extend(deltas.into_iter().map(|delta| Event::PartDelta { part, delta }));
    if let Some(state) = state {
        events.push(Event::PartDelta { part, delta: Delta::State(state) });
    }
    events.push(Event::PartEnd { part });
}

fn text_delta(text: String) -> Vec<Delta> {
    if text.is_empty() { Vec::new() } else { vec![Delta::Text(text)] }
}

fn put_extra(extras: &mut Extras, extra: crate::Extra) {
    match extras.iter_mut().find(|known| known.dialect == extra.dialect && known.name == extra.name) {
        Some(known) => known.value = extra.value,
        None => extras.push(extra),
    }
}

fn join_arrays(first: &RawJson, second: &RawJson) -> RawJson {
    let (left, right) = (inner_array(first), inner_array(second));
    let comma = if left.is_empty() || right.is_empty() { "" } else { "," };
    RawJson::from_valid(format!("[{left}{comma}{right}]"))
}

/// Text between the outer brackets only.
fn inner_array(array: &RawJson) -> &str {
    let text = array.as_str().trim();
    text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).map_or("", str::trim)
}

#[cfg(test)]
mod tests {
    use super::{Fold, unfold};
    use crate::{Candidate, ChatReply, LawChecker, Part, PartBody, RawJson, Stop, ToolKind, Usage};

    #[test]
    fn unfolding_then_folding_gives_the_reply_back_and_obeys_the_laws() {
        let call = Part::new(PartBody::ToolCall {
            call_id: "a".into(),
            name: "f".into(),
            arguments: "{}".into(),
            kind: ToolKind::Function,
        });
        let reply = ChatReply {
            id: "x".into(),
            model: "m".into(),
            candidates: vec![Candidate {
                index: 0,
                parts: vec![Part::text("hi"), call],
                stop: Stop::ToolCalls,
                logprobs: Some(RawJson::from_valid("[[1],[2]]")),
                extras: Vec::new(),
            }],
            usage: Some(Usage { output: 3, ..Usage::default() }),
            ..ChatReply::default()
        };
        let (mut fold, mut law) = (Fold::default(), LawChecker::default());
        for event in unfold(reply.clone()) {
            law.observe(&event).unwrap();
            fold.push(event);
        }
        law.finish_stream().unwrap();
        assert_eq!(fold.finish().unwrap(), reply);
    }

    #[test]
    fn a_stream_without_terminal_event_is_an_error() {
        assert_eq!(Fold::default().finish().unwrap_err().code, crate::Code::Interrupted);
    }
}
