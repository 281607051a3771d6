//! Giving tool names back as the client wrote them, where a target made them be changed.

use gw_core::{ChatReply, Event, PartBody, PartOpening};

/// Wire name to client name.
#[derive(Debug, Clone, Default)]
pub(crate) struct ToolNames(Vec<(String, String)>);

impl ToolNames {
    pub(crate) fn new(renamed: Vec<(String, String)>) -> Self {
        Self(renamed)
    }

    fn restore(&self, name: &mut String) {
        if let Some((_, original)) = self.0.iter().find(|(wire, _)| wire == name) {
            name.clone_from(original);
        }
    }

    pub(crate) fn restore_event(&self, event: &mut Event) {
        if let Event::PartStart { opening: PartOpening::ToolCall { name, .. }, .. } = event {
            self.restore(name);
        }
    }

    pub(crate) fn restore_reply(&self, reply: &mut ChatReply) {
        if self.0.is_empty() {
            return;
        }
        for part in reply.candidates.iter_mut().flat_map(|candidate| &mut candidate.parts) {
            if let PartBody::ToolCall { name, .. } = &mut part.body {
                self.restore(name);
            }
        }
    }
}
