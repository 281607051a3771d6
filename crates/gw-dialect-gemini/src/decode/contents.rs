//! `contents`: turns, and the pairing of function responses with calls that carry no ids.

use std::collections::BTreeSet;

use gw_core::{
    ChatRequest, Field, GatewayError, Loss, LossAction, LossClass, Message, OpaqueState, Part, PartBody, Place, Role,
};
use gw_spi::DecodeContext;
use gw_wire::Json;

use crate::VENDOR;
use crate::carrier::{Opened, from_client};
use crate::mint::call_id;
use crate::parts::read_part;
use crate::view::View;

pub(super) fn decode(
    view: &View<'_>,
    context: &DecodeContext<'_>,
    request: &mut ChatRequest,
    losses: &mut Vec<Loss>,
) -> Result<(), GatewayError> {
    let turns = view.list("contents")?;
    if turns.is_empty() {
        return Err(view.missing("contents"));
    }
    let mut pairing = Pairing::default();
    for (turn, (item, path)) in turns.into_iter().enumerate() {
        let message_at = u32::try_from(request.messages.len()).unwrap_or(u32::MAX);
        let mut unreadable = false;
        let mut message = content(item, path, context, &mut unreadable)?;
        if unreadable {
            let place = Place { message: Some(message_at), ..Place::default() };
            losses.push(
                Loss::new(
                    Field::ReasoningState,
                    LossClass::Approximated,
                    LossAction::Dropped,
                    "a thoughtSignature was sealed by another gateway or key and was left out",
                )
                .at(place),
            );
        }
        join_sealed_reasoning(&mut message.parts);
        pairing.take(turn, &mut message);
        request.messages.push(message);
    }
    Ok(())
}

fn content(
    item: Json<'_>,
    path: String,
    context: &DecodeContext<'_>,
    unreadable: &mut bool,
) -> Result<Message, GatewayError> {
    if let Some(text) = item.str() {
        return Ok(Message::new(Role::User, vec![Part::text(text)]));
    }
    let view = View::new(item, path)?;
    let role = match view.str("role")?.as_deref() {
        None | Some("" | "user") => Role::User,
        Some("model") => Role::Assistant,
        Some("function" | "tool") => Role::Tool,
        Some(other) => {
            let param = view.param("role");
            let message = format!("'{param}' must be 'user' or 'model', not '{other}'");
            return Err(GatewayError::bad_field(param, message));
        }
    };
    let mut open = |text: &str| match from_client(text, context.sealer) {
        Opened::State(state) => Some(state),
        Opened::Unreadable => {
            *unreadable = true;
            None
        }
    };
    let mut parts = Vec::new();
    for (item, path) in view.list("parts")? {
        let read = read_part(item, path.clone(), &mut open)?;
        for part in &read {
            if let PartBody::ToolCall { name, .. } = &part.body
                && name.is_empty()
            {
                let param = format!("{path}.functionCall.name");
                return Err(GatewayError::bad_field(param.clone(), format!("'{param}' is required")));
            }
        }
        parts.extend(read);
    }
    let mut message = Message::new(role, parts);
    message.extras = view.unknown(&["role", "parts"], "");
    Ok(message)
}

/// Thoughts streamed to the client in pieces come back as several parts, the signature alone at the end. Another
/// vendor signs the whole text, so the pieces are joined again.
fn join_sealed_reasoning(parts: &mut Vec<Part>) {
    let mut joined: Vec<Part> = Vec::with_capacity(parts.len());
    for mut part in parts.drain(..) {
        let sealed = part.state.as_ref().is_some_and(|state: &OpaqueState| state.vendor != VENDOR);
        if let PartBody::Reasoning { text, .. } = &mut part.body
            && sealed
        {
            while let Some(Part { body: PartBody::Reasoning { text: earlier, .. }, state: None, .. }) = joined.last() {
                text.insert_str(0, earlier);
                joined.pop();
            }
        }
        joined.push(part);
    }
    *parts = joined;
}

/// Calls seen so far that have no result yet.
#[derive(Default)]
struct Pairing {
    open: Vec<Open>,
    ids: BTreeSet<String>,
    /// Whether somebody else spoke since the last call: older open calls will not be answered any more.
    interrupted: bool,
}

struct Open {
    id: String,
    name: String,
    written: bool,
}

impl Pairing {
    fn take(&mut self, turn: usize, message: &mut Message) {
        let mut calls = 0usize;
        self.interrupted |= message.role != Role::Assistant;
        for part in &mut message.parts {
            match &mut part.body {
                PartBody::ToolCall { call_id, name, .. } => {
                    if std::mem::take(&mut self.interrupted) {
                        self.open.clear();
                    }
                    let written = !call_id.is_empty();
                    if !written {
                        *call_id = mint(turn, calls, name, &self.ids);
                    }
                    calls += 1;
                    self.ids.insert(call_id.clone());
                    self.open.push(Open { id: call_id.clone(), name: name.clone(), written });
                }
                PartBody::ToolResult { call_id, name, .. } => self.answer(call_id, name.as_deref()),
                _ => {}
            }
        }
    }

    /// By id when one is written and known, else the oldest open call of that name, else the oldest open call.
    fn answer(&mut self, call_id: &mut String, name: Option<&str>) {
        let by_id = self.open.iter().position(|open| !call_id.is_empty() && open.id == *call_id);
        let unwritten = |open: &Open| call_id.is_empty() || !open.written;
        let by_name = || self.open.iter().position(|open| unwritten(open) && Some(open.name.as_str()) == name);
        let by_order = || {
            let nameless = name.is_none_or(str::is_empty);
            self.open.iter().position(|open| nameless && unwritten(open))
        };
        if let Some(at) = by_id.or_else(by_name).or_else(by_order) {
            *call_id = self.open.remove(at).id;
        }
    }
}

fn mint(turn: usize, index: usize, name: &str, taken: &BTreeSet<String>) -> String {
    let (turn, index) = (turn.to_string(), index.to_string());
    let mut id = call_id(&[&turn, &index, name]);
    let mut again = 0u32;
    while taken.contains(&id) {
        again += 1;
        id = call_id(&[&turn, &index, name, &again.to_string()]);
    }
    id
}
