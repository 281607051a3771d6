//! Messages as alternating turns.

use std::collections::HashSet;

use gw_core::{
    ChatRequest, Extras, Field, GatewayError, Loss, LossAction, LossClass, Message, Part, PartBody, Place, Role,
};
use gw_spi::{Capabilities, Group, GroupRole, group};

use super::Purpose;
use crate::ID;

/// Who speaks in a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TurnRole {
    /// Instructions.
    System,
    /// The user and tool results.
    User,
    /// The model.
    Assistant,
}

impl TurnRole {
    /// The role word.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

/// A part in a turn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item<'r> {
    /// Where it stands in the request.
    pub(super) place: Place,
    /// Where it stands inside a tool result.
    pub(super) inner: Option<u32>,
    /// The part.
    pub(super) part: &'r Part,
    /// Instructions given as marked user text.
    pub(super) wrapped: bool,
}

/// Consecutive parts of one speaker.
#[derive(Debug)]
pub(super) struct Turn<'r> {
    /// Who speaks.
    pub(super) role: TurnRole,
    /// Parts; in a user turn all tool results come first.
    pub(super) items: Vec<Item<'r>>,
    /// Unknown fields of the messages it was made of.
    pub(super) extras: Vec<&'r Extras>,
    /// Whether one of those messages names its speaker.
    pub(super) named: bool,
}

/// Splits the request into leading instructions and turns.
pub(super) fn turns<'r>(
    request: &'r ChatRequest,
    capabilities: &Capabilities,
    losses: &mut Vec<Loss>,
) -> (Vec<Item<'r>>, Vec<Turn<'r>>) {
    turnless_messages(request, losses);
    let (system, groups) = group(request);
    let system = system.into_iter().map(|(place, part)| item(place, part)).collect();
    let mut turns: Vec<Turn<'r>> = Vec::new();
    for (index, group) in groups.iter().enumerate() {
        let role = match group.role {
            GroupRole::User => TurnRole::User,
            GroupRole::Assistant => TurnRole::Assistant,
            GroupRole::InlineSystem if capabilities.inline_system && !splits_results(&turns, groups.get(index + 1)) => {
                TurnRole::System
            }
            GroupRole::InlineSystem => TurnRole::User,
        };
        let wrapped = group.role == GroupRole::InlineSystem && role == TurnRole::User;
        if wrapped {
            let place = group.parts.first().map_or_else(Place::default, |(place, _)| *place);
            let note = "instructions after the first message sent as marked user text";
            let loss = Loss::new(Field::SystemPosition, LossClass::Approximated, LossAction::Approximated, note);
            losses.push(loss.at(place));
        }
        let items = group.parts.iter().map(|(place, part)| Item { wrapped, ..item(*place, part) });
        match turns.last_mut() {
            Some(last) if last.role == role => last.items.extend(items),
            _ => turns.push(Turn { role, items: items.collect(), extras: Vec::new(), named: false }),
        }
    }
    for turn in &mut turns {
        if turn.role == TurnRole::User {
            turn.items.sort_by_key(|item| !matches!(item.part.body, PartBody::ToolResult { .. }));
        }
        describe(turn, &request.messages);
    }
    (system, turns)
}

/// Leading instructions and messages without content are no turns; what else they hold is told.
fn turnless_messages(request: &ChatRequest, losses: &mut Vec<Loss>) {
    let mut leading = true;
    for (at, message) in (0u32..).zip(&request.messages) {
        leading &= matches!(message.role, Role::System | Role::Developer) || message.parts.is_empty();
        if !leading && !message.parts.is_empty() {
            continue;
        }
        let place = Place { message: Some(at), ..Place::default() };
        let mut lose = |field, note: String| {
            losses.push(Loss::new(field, LossClass::Approximated, LossAction::Dropped, note).at(place));
        };
        if message.name.is_some() {
            lose(Field::Name, "the message is no turn of its own".to_owned());
        }
        for extra in &message.extras {
            lose(Field::Unknown, format!("message field '{}'", extra.name));
        }
    }
}

fn item(place: Place, part: &Part) -> Item<'_> {
    Item { place, inner: None, part, wrapped: false }
}

/// Whether instructions here would stand between calls and their results, which must be neighbours.
fn splits_results(before: &[Turn<'_>], after: Option<&Group<'_>>) -> bool {
    let calls = before.last().is_some_and(|turn| {
        turn.role == TurnRole::Assistant
            && turn.items.iter().any(|item| matches!(item.part.body, PartBody::ToolCall { .. }))
    });
    let results =
        after.is_some_and(|group| group.parts.iter().any(|(_, part)| matches!(part.body, PartBody::ToolResult { .. })));
    calls && results
}

fn describe<'r>(turn: &mut Turn<'r>, messages: &'r [Message]) {
    let mut indices: Vec<u32> = turn.items.iter().filter_map(|item| item.place.message).collect();
    indices.sort_unstable();
    indices.dedup();
    let sources = indices.iter().filter_map(|index| messages.get(usize::try_from(*index).ok()?));
    for message in sources {
        turn.named |= message.name.is_some();
        if !message.extras.is_empty() {
            turn.extras.push(&message.extras);
        }
    }
}

/// A trailing assistant turn asks for its continuation. Server-side work that is paused is no such turn.
pub(super) fn judge_prefill(
    turns: &mut Vec<Turn<'_>>,
    capabilities: &Capabilities,
    purpose: Purpose,
    losses: &mut Vec<Loss>,
) {
    let Some(last) = turns.last() else { return };
    let paused =
        last.items.iter().any(|item| matches!(&item.part.body, PartBody::Opaque { dialect, .. } if *dialect == ID));
    if last.role != TurnRole::Assistant || capabilities.prefill || paused || purpose == Purpose::Count {
        return;
    }
    // The turn may come from several messages; each is told.
    let mut messages: Vec<Option<u32>> = last.items.iter().map(|item| item.place.message).collect();
    messages.dedup();
    for message in messages {
        let note = "the target does not continue a trailing assistant message";
        let place = Place { message, ..Place::default() };
        losses.push(Loss::new(Field::Prefill, LossClass::Semantic, LossAction::Dropped, note).at(place));
    }
    turns.pop();
}

/// Calls without results, and results without calls, are refused by the target with a less helpful message.
pub(super) fn refuse_orphans(request: &ChatRequest) -> Result<(), GatewayError> {
    let (mut open, mut known): (Vec<&str>, HashSet<&str>) = (Vec::new(), HashSet::new());
    let last = request.messages.len().saturating_sub(1);
    for (index, message) in request.messages.iter().enumerate() {
        for part in &message.parts {
            match &part.body {
                PartBody::ToolCall { call_id, .. } if index == last && message.role == Role::Assistant => {
                    known.insert(call_id);
                }
                PartBody::ToolCall { call_id, .. } => {
                    known.insert(call_id);
                    open.push(call_id);
                }
                PartBody::ToolResult { call_id, .. } => {
                    if !known.contains(call_id.as_str()) {
                        return Err(orphan(&format!("the tool result for call '{call_id}' follows no such call")));
                    }
                    open.retain(|id| id != call_id);
                }
                PartBody::Text { .. }
                | PartBody::Refusal(_)
                | PartBody::Image { .. }
                | PartBody::Audio { .. }
                | PartBody::Video { .. }
                | PartBody::File { .. }
                | PartBody::SearchResult { .. }
                | PartBody::Reasoning { .. }
                | PartBody::Opaque { .. } => {}
            }
        }
    }
    match open.first() {
        Some(id) => Err(orphan(&format!("tool call '{id}' has no tool result; every call needs one"))),
        None => Ok(()),
    }
}

fn orphan(message: &str) -> GatewayError {
    GatewayError::bad_field("messages", message.to_owned())
}
