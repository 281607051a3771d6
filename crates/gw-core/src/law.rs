//! Checks every decoder's stream against the grammar.

use std::collections::BTreeMap;

use crate::{Delta, Event, PartOpening, PartRef};

/// Which law a stream broke.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("event law broken: {0}")]
pub struct LawBroken(pub String);

/// Watches one stream.
#[derive(Debug, Default)]
pub struct LawChecker {
    started: bool,
    ended: bool,
    next_part: PartRef,
    open: BTreeMap<PartRef, (u32, Shape)>,
    finished: Vec<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Text,
    Reasoning,
    Call,
    Whole,
}

impl LawChecker {
    /// Looks at the next event.
    ///
    /// # Errors
    /// The law that the event breaks.
    pub fn observe(&mut self, event: &Event) -> Result<(), LawBroken> {
        if self.ended {
            return broken("an event after the terminal event");
        }
        match event {
            Event::Fault(_) => {
                self.ended = true;
                return Ok(());
            }
            Event::Ping => return Ok(()),
            Event::Start(_) if self.started => return broken("a second Start"),
            Event::Start(_) => {
                self.started = true;
                return Ok(());
            }
            _ if !self.started => return broken("an event before Start"),
            _ => {}
        }
        match event {
            Event::PartStart { candidate, part, opening } => self.open_part(*candidate, *part, opening),
            Event::PartDelta { part, delta } => self.check_delta(*part, delta),
            Event::PartEnd { part } => match self.open.remove(part) {
                Some(_) => Ok(()),
                None => broken("PartEnd of a part that is not open"),
            },
            Event::Finish { candidate, .. } => self.finish(*candidate),
            Event::End => {
                self.ended = true;
                if self.open.is_empty() { Ok(()) } else { broken("End with an open part") }
            }
            Event::Usage(_)
            | Event::Logprobs { .. }
            | Event::Vendor { .. }
            | Event::Ping
            | Event::Start(_)
            | Event::Fault(_) => Ok(()),
        }
    }

    /// Looks at the end of the stream.
    ///
    /// # Errors
    /// When no terminal event came.
    pub fn finish_stream(&self) -> Result<(), LawBroken> {
        if self.ended { Ok(()) } else { broken("the stream has no terminal event") }
    }

    fn open_part(&mut self, candidate: u32, part: PartRef, opening: &PartOpening) -> Result<(), LawBroken> {
        if self.finished.contains(&candidate) {
            return broken("PartStart after the candidate finished");
        }
        if part < self.next_part {
            return broken("part numbers must rise");
        }
        self.next_part = part.saturating_add(1);
        let shape = match opening {
            PartOpening::Text | PartOpening::Refusal => Shape::Text,
            PartOpening::Reasoning { .. } => Shape::Reasoning,
            PartOpening::ToolCall { call_id, .. } if call_id.is_empty() => return broken("a tool call without id"),
            PartOpening::ToolCall { .. } => Shape::Call,
            PartOpening::Whole(_) => Shape::Whole,
        };
        self.open.insert(part, (candidate, shape));
        Ok(())
    }

    fn check_delta(&self, part: PartRef, delta: &Delta) -> Result<(), LawBroken> {
        let Some((_, shape)) = self.open.get(&part) else {
            return broken("PartDelta of a part that is not open");
        };
        match (delta, shape) {
            (Delta::State(_), _)
            | (Delta::Text(_), Shape::Text | Shape::Reasoning)
            | (Delta::Arguments(_), Shape::Call)
            | (Delta::Citation(_), Shape::Text) => Ok(()),
            (Delta::Text(_) | Delta::Arguments(_) | Delta::Citation(_), _) => {
                broken("a delta of the wrong kind for its part")
            }
        }
    }

    fn finish(&mut self, candidate: u32) -> Result<(), LawBroken> {
        if self.finished.contains(&candidate) {
            return broken("a candidate finished twice");
        }
        if self.open.values().any(|(owner, _)| *owner == candidate) {
            return broken("Finish with an open part");
        }
        self.finished.push(candidate);
        Ok(())
    }
}

fn broken(law: &str) -> Result<(), LawBroken> {
    Err(LawBroken(law.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::LawChecker;
    use crate::{Delta, Event, PartOpening, Start, Stop};

    fn run(events: &[Event]) -> Result<(), super::LawBroken> {
        let mut checker = LawChecker::default();
        for event in events {
            checker.observe(event)?;
        }
        checker.finish_stream()
    }

    fn start() -> Event {
        Event::Start(Start::default())
    }

    fn open(part: u32) -> Event {
        Event::PartStart { candidate: 0, part, opening: PartOpening::Text }
    }

    #[test]
    fn a_lawful_stream_passes() {
        let delta = Event::PartDelta { part: 0, delta: Delta::Text("hi".into()) };
        let finish = Event::Finish { candidate: 0, stop: Stop::End };
        run(&[start(), open(0), delta, Event::PartEnd { part: 0 }, finish, Event::End]).unwrap();
    }

    #[test]
    fn each_law_can_be_broken() {
        let finish = || Event::Finish { candidate: 0, stop: Stop::End };
        for events in [
            vec![open(0)],
            vec![start(), start()],
            vec![start(), Event::PartDelta { part: 0, delta: Delta::Text("x".into()) }],
            vec![start(), open(0), Event::PartDelta { part: 0, delta: Delta::Arguments("x".into()) }],
            vec![start(), open(0), finish()],
            vec![start(), finish(), finish()],
            vec![start(), finish(), open(0)],
            vec![start(), open(1), Event::PartEnd { part: 1 }, open(0)],
            vec![start(), Event::End, Event::Ping],
            vec![start()],
        ] {
            assert!(run(&events).is_err(), "{events:?}");
        }
    }
}
