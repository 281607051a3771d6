//! A stream before it is played: its events, and what its framing calls a ping, an error and garbage.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::behaviour::Behaviour;
use crate::body::Step;
use crate::failure::{Failure, Vendor};

/// How events are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    Sse,
    /// SSE of the Responses API, whose in-stream error has a shape of its own.
    Responses,
    /// Gemini without `alt=sse`: the elements of one JSON array, brackets and commas included in the events.
    JsonArray,
}

/// All events of a stream, each framed.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) events: Vec<Bytes>,
    pub(crate) framing: Framing,
}

impl Script {
    pub(crate) fn sse(events: Vec<Bytes>) -> Self {
        Self { events, framing: Framing::Sse }
    }

    /// The steps that play this script with the faults of `behaviour`.
    ///
    /// The earliest fault wins; garbage and pings are additions and do not count as events.
    pub(crate) fn steps(self, behaviour: &Behaviour, vendor: Vendor, request_id: &str) -> VecDeque<Step> {
        let ending = [
            (behaviour.cut_at, Ending::Break),
            (behaviour.eof_at, Ending::Clean),
            (behaviour.error_at, Ending::Error),
            (behaviour.stall_at, Ending::Stall),
        ];
        let ending = ending.into_iter().filter_map(|(at, ending)| at.map(|at| (at, ending))).min_by_key(|(at, _)| *at);
        let last = ending.map_or(self.events.len(), |(at, _)| at.min(self.events.len()));
        let ping = behaviour.ping.then(|| self.ping(vendor));
        let garbage = self.garbage();
        let framing = self.framing;

        let mut steps = VecDeque::with_capacity(last + 4);
        for (index, event) in self.events.into_iter().take(last).enumerate() {
            if behaviour.garbage_at == Some(index) {
                steps.push_back(Step::Send(garbage.clone()));
            }
            let terminal = event.starts_with(b"data: [DONE]") || event.starts_with(b"event: message_stop");
            steps.push_back(Step::Send(event));
            if let Some(ping) = &ping
                && !terminal
            {
                steps.push_back(Step::Send(ping.clone()));
            }
        }
        if behaviour.garbage_at.is_some_and(|at| at >= last) {
            steps.push_back(Step::Send(garbage));
        }
        match ending {
            None | Some((_, Ending::Clean)) => {}
            Some((_, Ending::Break)) => steps.push_back(Step::Break),
            Some((_, Ending::Stall)) => steps.push_back(Step::Stall),
            Some((_, Ending::Error)) => {
                steps.push_back(Step::Send(error(framing, last, behaviour, vendor, request_id)))
            }
        }
        steps
    }

    fn ping(&self, vendor: Vendor) -> Bytes {
        match (self.framing, vendor) {
            // White space between array elements is all that JSON allows.
            (Framing::JsonArray, _) => Bytes::from_static(b"\n"),
            (_, Vendor::Anthropic) => Bytes::from_static(b"event: ping\ndata: {\"type\": \"ping\"}\n\n"),
            (_, _) => Bytes::from_static(b": keep-alive\n\n"),
        }
    }

    fn garbage(&self) -> Bytes {
        match self.framing {
            Framing::Sse | Framing::Responses => Bytes::from_static(b"data: {\"id\":\"mock\",\"broken\":[1,2\n\n"),
            Framing::JsonArray => Bytes::from_static(b"{\"broken\":[1,2"),
        }
    }
}

#[derive(Clone, Copy)]
enum Ending {
    Break,
    Clean,
    Error,
    Stall,
}

fn error(framing: Framing, position: usize, behaviour: &Behaviour, vendor: Vendor, request_id: &str) -> Bytes {
    let default = if vendor == Vendor::Anthropic { 529 } else { 503 };
    let failure = Failure::of_status(behaviour.error_status.unwrap_or(default), vendor);
    match framing {
        Framing::Responses => crate::openai::responses::error_event(&failure, position),
        Framing::Sse => failure.event(vendor, request_id),
        Framing::JsonArray => {
            let opening = if position == 0 { "[" } else { ",\n" };
            Bytes::from(format!("{opening}{}\n]", failure.body(vendor, request_id)))
        }
    }
}
