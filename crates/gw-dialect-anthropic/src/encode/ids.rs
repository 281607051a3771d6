//! Tool-call ids that the target takes: `[A-Za-z0-9_-]+`, unique in the conversation.

use std::collections::HashMap;

use gw_core::{ChatRequest, PartBody, Place};

use super::{fingerprint, legal_letters};

/// Longest id that is passed on as it is.
const LONGEST: usize = 128;

/// Wire ids of calls and results by place, for those that differ from the client's.
#[derive(Debug, Default)]
pub(super) struct CallIds {
    changed: HashMap<Place, String>,
}

impl CallIds {
    /// Maps ids in order. A repeated call id is told apart by its occurrence; a result belongs to the latest call with
    /// its id. Requests of this format keep repeated ids: their server judges them.
    pub(super) fn plan(request: &ChatRequest, own: bool) -> Self {
        let mut seen: HashMap<&str, u32> = HashMap::new();
        let mut changed = HashMap::new();
        for (message_at, message) in (0u32..).zip(&request.messages) {
            for (part_at, part) in (0u32..).zip(&message.parts) {
                let (id, count) = match &part.body {
                    PartBody::ToolCall { call_id, .. } => {
                        let count = seen.entry(call_id).or_insert(0);
                        *count += 1;
                        (call_id, *count)
                    }
                    PartBody::ToolResult { call_id, .. } => (call_id, seen.get(call_id.as_str()).copied().unwrap_or(1)),
                    _ => continue,
                };
                let count = if own { 1 } else { count };
                if count > 1 || !legal_letters(id) || id.len() > LONGEST {
                    let place = Place { message: Some(message_at), part: Some(part_at), tool: None };
                    changed.insert(place, mapped(id, count));
                }
            }
        }
        Self { changed }
    }

    /// The wire id of the call or result at a place.
    pub(super) fn wire<'i>(&'i self, place: Place, id: &'i str) -> &'i str {
        self.changed.get(&place).map_or(id, String::as_str)
    }
}

fn mapped(id: &str, occurrence: u32) -> String {
    format!("toolu_{}", fingerprint(id, occurrence))
}

/// A legal id for a client, from whatever id an upstream gave.
pub(crate) fn legal_id(id: &str) -> std::borrow::Cow<'_, str> {
    if legal_letters(id) { id.into() } else { mapped(id, 1).into() }
}
