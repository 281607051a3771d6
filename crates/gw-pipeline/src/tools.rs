//! Giving tool calls back as the client defined the tools, where a target made them be changed: names that had to be
//! made legal, and free-text tools that had to travel as functions with one `input` string.

use gw_core::{ChatReply, Delta, Event, PartBody, PartOpening, PartRef, Tool, ToolKind};
use gw_wire::{Document, Limits};

/// What to undo in an answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct ToolNames {
    /// Wire name to client name.
    renamed: Vec<(String, String)>,
    /// Client names of free-text tools.
    custom: Vec<String>,
    /// Calls of free-text tools whose wrapped input is still arriving.
    open: Vec<(PartRef, String)>,
}

impl ToolNames {
    pub(crate) fn new(renamed: Vec<(String, String)>, tools: &[Tool]) -> Self {
        let custom = tools.iter().filter(|tool| matches!(tool.kind, ToolKind::Custom { .. }));
        Self { renamed, custom: custom.map(|tool| tool.name.clone()).collect(), open: Vec::new() }
    }

    fn restore(&self, name: &mut String, kind: &mut ToolKind) -> bool {
        if let Some((_, original)) = self.renamed.iter().find(|(wire, _)| wire == name) {
            name.clone_from(original);
        }
        let wrapped = *kind == ToolKind::Function && self.custom.contains(name);
        if wrapped {
            *kind = ToolKind::Custom { grammar: None };
        }
        wrapped
    }

    /// Passes an event on as the client expects it.
    pub(crate) fn restore_event(&mut self, event: Event, emit: &mut dyn FnMut(Event)) {
        match event {
            Event::PartStart { candidate, part, opening: PartOpening::ToolCall { call_id, mut name, mut kind } } => {
                if self.restore(&mut name, &mut kind) {
                    self.open.push((part, String::new()));
                }
                emit(Event::PartStart { candidate, part, opening: PartOpening::ToolCall { call_id, name, kind } });
            }
            Event::PartDelta { part, delta: Delta::Arguments(more) } => {
                match self.open.iter_mut().find(|(open, _)| *open == part) {
                    Some((_, wrapped)) => wrapped.push_str(&more),
                    None => emit(Event::PartDelta { part, delta: Delta::Arguments(more) }),
                }
            }
            Event::PartEnd { part } => {
                if let Some(at) = self.open.iter().position(|(open, _)| *open == part) {
                    let (_, wrapped) = self.open.swap_remove(at);
                    emit(Event::PartDelta { part, delta: Delta::Arguments(unwrap(wrapped)) });
                }
                emit(Event::PartEnd { part });
            }
            other => emit(other),
        }
    }

    pub(crate) fn restore_reply(&self, mut reply: ChatReply) -> ChatReply {
        for part in reply.candidates.iter_mut().flat_map(|candidate| &mut candidate.parts) {
            if let PartBody::ToolCall { name, kind, arguments, .. } = &mut part.body
                && self.restore(name, kind)
            {
                *arguments = unwrap(std::mem::take(arguments));
            }
        }
        reply
    }
}

/// The free text inside `{"input": "..."}`; anything else stays as it is.
fn unwrap(wrapped: String) -> String {
    let inner = Document::parse(&wrapped, Limits::default())
        .ok()
        .filter(|document| document.root().members().count() == 1)
        .and_then(|document| document.root().get("input").and_then(|input| input.string()));
    inner.unwrap_or(wrapped)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use gw_core::{Candidate, ChatReply, Fold, Part, PartBody, Stop, Tool, ToolKind, unfold};

    use super::ToolNames;

    #[test]
    fn names_and_free_text_come_back_whole_and_streamed() {
        let custom = Tool { name: "a/b".into(), kind: ToolKind::Custom { grammar: None }, ..Tool::default() };
        let tools = ToolNames::new(vec![("a_b_1".into(), "a/b".into())], &[custom]);
        let call = |name: &str, arguments: &str, kind| {
            Part::new(PartBody::ToolCall { call_id: "c".into(), name: name.into(), arguments: arguments.into(), kind })
        };
        let reply = |parts| ChatReply {
            candidates: vec![Candidate { index: 0, parts, stop: Stop::ToolCalls, logprobs: None, extras: Vec::new() }],
            ..ChatReply::default()
        };
        let wire = reply(vec![
            call("a_b_1", r#"{"input":"line \"1\""}"#, ToolKind::Function),
            call("f", r#"{"input":"x"}"#, ToolKind::Function),
        ]);
        let wanted = reply(vec![
            call("a/b", "line \"1\"", ToolKind::Custom { grammar: None }),
            call("f", r#"{"input":"x"}"#, ToolKind::Function),
        ]);
        assert_eq!(tools.restore_reply(wire.clone()), wanted);
        let (mut fold, mut streamed) = (Fold::default(), tools);
        for event in unfold(wire) {
            streamed.restore_event(event, &mut |event| fold.push(event));
        }
        assert_eq!(fold.finish().unwrap(), wanted);
    }
}
