//! Regrouping messages for targets that want alternating turns with tool results in user turns.

use gw_core::{ChatRequest, Part, PartBody, Place, Role};

/// Who speaks in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupRole {
    /// System or developer text that stands after the first other message.
    InlineSystem,
    /// User content, tool results first.
    User,
    /// Model content.
    Assistant,
}

/// Consecutive parts of one speaker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group<'r> {
    /// Who speaks.
    pub role: GroupRole,
    /// Parts in order; in a user group all tool results come first.
    pub parts: Vec<(Place, &'r Part)>,
}

/// Splits a request into its leading system parts and alternating groups. Adjacent messages of one speaker are merged;
/// roles `tool` and `user` are one speaker.
#[must_use]
pub fn group(request: &ChatRequest) -> (Vec<(Place, &Part)>, Vec<Group<'_>>) {
    let mut system = Vec::new();
    let mut groups: Vec<Group<'_>> = Vec::new();
    for (message_at, message) in (0u32..).zip(&request.messages) {
        let parts = (0u32..)
            .zip(&message.parts)
            .map(|(part_at, part)| (Place { message: Some(message_at), part: Some(part_at), tool: None }, part));
        let role = match message.role {
            Role::System | Role::Developer if groups.is_empty() => {
                system.extend(parts);
                continue;
            }
            Role::System | Role::Developer => GroupRole::InlineSystem,
            Role::User | Role::Tool => GroupRole::User,
            Role::Assistant => GroupRole::Assistant,
        };
        match groups.last_mut() {
            Some(last) if last.role == role => last.parts.extend(parts),
            _ => groups.push(Group { role, parts: parts.collect() }),
        }
    }
    for group in groups.iter_mut().filter(|group| group.role == GroupRole::User) {
        // A stable sort keeps the order inside each kind.
        group.parts.sort_by_key(|(_, part)| !matches!(part.body, PartBody::ToolResult { .. }));
    }
    (system, groups)
}
