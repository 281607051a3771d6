//! Regrouping into Gemini's turns: `user` and `model`, function responses first in their turn.

use std::collections::{BTreeMap, BTreeSet};

use gw_core::{ChatRequest, Code, GatewayError, Part, PartBody, Place, Role};
use gw_spi::{GroupRole, group};

use crate::ID;

/// One content of the request.
pub(super) struct Turn<'r> {
    pub(super) model: bool,
    pub(super) items: Vec<Item<'r>>,
}

/// One part of a turn.
pub(super) enum Item<'r> {
    /// A part as it is.
    Part(Place, &'r Part),
    /// A system message that stands between turns.
    System(Place, &'r Part),
}

impl Item<'_> {
    pub(super) fn is_result(&self) -> bool {
        matches!(self, Self::Part(_, Part { body: PartBody::ToolResult { .. }, .. }))
    }

    pub(super) fn is_call(&self) -> bool {
        matches!(self, Self::Part(_, Part { body: PartBody::ToolCall { .. }, .. }))
    }
}

/// Whether the request has a system instruction.
pub(super) fn has_system(request: &ChatRequest) -> bool {
    request.messages.first().is_some_and(|message| matches!(message.role, Role::System | Role::Developer))
}

/// System parts and turns.
pub(super) fn turns(request: &ChatRequest) -> (Vec<(Place, &Part)>, Vec<Turn<'_>>) {
    let (system, groups) = group(request);
    let mut turns: Vec<Turn<'_>> = Vec::new();
    for group in groups {
        let model = group.role == GroupRole::Assistant;
        let inline = group.role == GroupRole::InlineSystem;
        let items = group
            .parts
            .into_iter()
            .map(|(place, part)| if inline { Item::System(place, part) } else { Item::Part(place, part) });
        match turns.last_mut() {
            Some(last) if last.model == model => last.items.extend(items),
            _ => turns.push(Turn { model, items: items.collect() }),
        }
    }
    for turn in turns.iter_mut().filter(|turn| !turn.model) {
        // A stable sort keeps the order inside each kind.
        turn.items.sort_by_key(|item| !item.is_result());
    }
    (system, turns)
}

/// Names of the calls by id, and a check that calls and results belong together. Requests in this format pass as they
/// are: the provider judges them.
///
/// # Errors
/// A result without call, or a call without result, naming the id.
pub(super) fn call_names(request: &ChatRequest) -> Result<BTreeMap<&str, &str>, GatewayError> {
    let mut names: BTreeMap<&str, &str> = BTreeMap::new();
    let mut answered: BTreeSet<&str> = BTreeSet::new();
    let own = request.origin == ID;
    for (at, part) in
        request.messages.iter().enumerate().flat_map(|(at, message)| message.parts.iter().map(move |part| (at, part)))
    {
        match &part.body {
            PartBody::ToolCall { call_id, name, .. } => {
                names.insert(call_id, name);
            }
            PartBody::ToolResult { call_id, .. } => {
                answered.insert(call_id);
                if !own && !names.contains_key(call_id.as_str()) {
                    let message = format!("the tool result for '{call_id}' has no earlier tool call with that id");
                    return Err(GatewayError::new(Code::BadRequest, message).with_param(format!("messages[{at}]")));
                }
            }
            _ => {}
        }
    }
    // Calls of the last message may still be open: then the turn is a prefill, which is reported elsewhere.
    let last = request.messages.len().saturating_sub(1);
    for (at, message) in request.messages.iter().enumerate() {
        for part in &message.parts {
            if let PartBody::ToolCall { call_id, .. } = &part.body
                && !own
                && at < last
                && !answered.contains(call_id.as_str())
            {
                let text = format!("the tool call '{call_id}' has no result; add one or remove the call");
                return Err(GatewayError::new(Code::BadRequest, text).with_param(format!("messages[{at}]")));
            }
        }
    }
    Ok(names)
}
