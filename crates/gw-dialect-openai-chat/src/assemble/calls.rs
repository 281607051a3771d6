//! Tool calls of an answer, whatever way a server numbers and cuts them.

use std::borrow::Cow;

use gw_core::{Delta, Event, OpaqueState, PartOpening, PartRef, StateKind, ToolKind};
use gw_wire::{Json, Kind};

use super::Assembler;
use crate::carrier::google_signature;
use crate::ids::mint_call_id;

/// Key of legacy calls, which have no index.
const LEGACY: i64 = i64::MIN;

/// One call.
#[derive(Debug)]
pub(super) struct Call {
    /// `tool_calls[].index` as sent; `None` when the server sends none.
    key: Option<i64>,
    /// Id as sent; empty when the server sends none.
    id: String,
    name: String,
    custom: bool,
    /// Arguments that came before the name.
    waiting: String,
    state: Option<OpaqueState>,
    part: Option<PartRef>,
    closed: bool,
    balance: Balance,
}

/// Whether argument text is one complete JSON value.
#[derive(Debug, Default, Clone, Copy)]
struct Balance {
    depth: u32,
    in_string: bool,
    escaped: bool,
    complete: bool,
}

impl Balance {
    fn feed(&mut self, text: &str) {
        for byte in text.bytes() {
            if self.in_string {
                match (self.escaped, byte) {
                    (true, _) => self.escaped = false,
                    (false, b'\\') => self.escaped = true,
                    (false, b'"') => self.in_string = false,
                    (false, _) => {}
                }
                continue;
            }
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => {
                    self.depth = self.depth.saturating_add(1);
                    self.complete = false;
                }
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    self.complete = self.depth == 0;
                }
                _ => {}
            }
        }
    }
}

/// A fragment of a call.
struct Fragment<'d> {
    key: Option<i64>,
    id: Cow<'d, str>,
    name: Cow<'d, str>,
    arguments: Cow<'d, str>,
    custom: bool,
}

impl<'d> Fragment<'d> {
    fn read(call: Json<'d>) -> Self {
        let text = |holder: Option<Json<'d>>, name: &str| match holder.and_then(|holder| holder.get_some(name)) {
            Some(value) if value.kind() == Kind::String => value.str().unwrap_or_default(),
            // Arguments as an object instead of its text.
            Some(value) => Cow::Borrowed(value.raw()),
            None => Cow::Borrowed(""),
        };
        let (function, custom) = (call.get_some("function"), call.get_some("custom"));
        let said_custom = call.get_some("type").and_then(|name| name.str()).as_deref() == Some("custom");
        let is_custom = custom.is_some() && (said_custom || function.is_none());
        let (holder, arguments) = if is_custom { (custom, "input") } else { (function, "arguments") };
        Self {
            key: call.get_some("index").and_then(|index| index.i64()).filter(|index| *index >= 0),
            id: text(Some(call), "id"),
            name: text(holder, "name"),
            arguments: text(holder, arguments),
            custom: is_custom,
        }
    }
}

impl Assembler {
    /// Takes an item of `tool_calls`.
    pub(super) fn tool_call(&mut self, at: usize, call: Json<'_>, out: &mut Vec<Event>) {
        let fragment = Fragment::read(call);
        let signature = google_signature(call);
        let state = signature.map(|signature| self.state(StateKind::Signature, &signature, None));
        self.fragment(at, &fragment, state, out);
    }

    /// Takes a legacy `function_call`.
    pub(super) fn function_call(&mut self, at: usize, call: Json<'_>, out: &mut Vec<Event>) {
        let text = |name: &str| call.get_some(name).and_then(|value| value.str()).unwrap_or_default();
        let (name, arguments) = (text("name"), text("arguments"));
        let fragment = Fragment { key: Some(LEGACY), id: Cow::Borrowed(""), name, arguments, custom: false };
        self.fragment(at, &fragment, None, out);
    }

    fn fragment(&mut self, at: usize, fragment: &Fragment<'_>, state: Option<OpaqueState>, out: &mut Vec<Event>) {
        let Some(choice) = self.choices.get_mut(at) else { return };
        let empty = fragment.id.is_empty() && fragment.name.is_empty() && fragment.arguments.is_empty();
        let call_at = match target(&choice.calls, fragment) {
            Some(call_at) => call_at,
            // Placeholders that some servers send beside real content.
            None if empty => return,
            None => {
                choice.calls.push(Call {
                    key: fragment.key,
                    id: String::new(),
                    name: String::new(),
                    custom: fragment.custom,
                    waiting: String::new(),
                    state: None,
                    part: None,
                    closed: false,
                    balance: Balance::default(),
                });
                choice.calls.len() - 1
            }
        };
        let Some(call) = choice.calls.get_mut(call_at) else { return };
        if call.id.is_empty() && call.part.is_none() {
            call.id = fragment.id.clone().into_owned();
        }
        if call.name.is_empty() || call.part.is_none() {
            // A repeated name replaces; it is never appended.
            if !fragment.name.is_empty() {
                call.name = fragment.name.clone().into_owned();
            }
        }
        call.balance.feed(&fragment.arguments);
        if call.closed {
            return;
        }
        match call.part {
            Some(part) => {
                if !fragment.arguments.is_empty() {
                    let delta = Delta::Arguments(fragment.arguments.clone().into_owned());
                    out.push(Event::PartDelta { part, delta });
                }
                if let Some(state) = state {
                    out.push(Event::PartDelta { part, delta: Delta::State(state) });
                }
            }
            None => {
                call.waiting.push_str(&fragment.arguments);
                call.state = state.or(call.state.take());
                if !call.name.is_empty() {
                    self.start_call(at, call_at, out);
                }
            }
        }
    }

    /// Opens the part of a call and gives it what has waited.
    fn start_call(&mut self, at: usize, call_at: usize, out: &mut Vec<Event>) {
        self.close_open(at, out);
        self.close_complete_calls(at, out);
        let part = self.number();
        let minted = self.minted;
        let Some(choice) = self.choices.get_mut(at) else { return };
        choice.any_calls = true;
        let Some(call) = choice.calls.get_mut(call_at) else { return };
        let call_id = if call.id.is_empty() || self.used_ids.contains(&call.id) {
            self.minted += 1;
            mint_call_id(&self.id_base, minted)
        } else {
            call.id.clone()
        };
        self.used_ids.push(call_id.clone());
        call.part = Some(part);
        let kind = if call.custom { ToolKind::Custom { grammar: None } } else { ToolKind::Function };
        let opening = PartOpening::ToolCall { call_id, name: call.name.clone(), kind };
        out.push(Event::PartStart { candidate: choice.index, part, opening });
        let waiting = std::mem::take(&mut call.waiting);
        if !waiting.is_empty() {
            out.push(Event::PartDelta { part, delta: Delta::Arguments(waiting) });
        }
        if let Some(state) = call.state.take() {
            out.push(Event::PartDelta { part, delta: Delta::State(state) });
        }
    }

    /// Closes calls whose arguments are complete, so that clients with sequential blocks need not wait.
    pub(super) fn close_complete_calls(&mut self, at: usize, out: &mut Vec<Event>) {
        let Some(choice) = self.choices.get_mut(at) else { return };
        for call in choice.calls.iter_mut().filter(|call| !call.closed && !call.custom && call.balance.complete) {
            if let Some(part) = call.part {
                call.closed = true;
                out.push(Event::PartEnd { part });
            }
        }
    }

    /// Closes all calls; one that never got a name is given out as it is.
    pub(super) fn close_all_calls(&mut self, at: usize, out: &mut Vec<Event>) {
        let count = self.choices.get(at).map_or(0, |choice| choice.calls.len());
        for call_at in 0..count {
            let call = self.choices.get(at).and_then(|choice| choice.calls.get(call_at));
            if call.is_some_and(|call| call.part.is_none()) {
                self.start_call(at, call_at, out);
            }
            let call = self.choices.get_mut(at).and_then(|choice| choice.calls.get_mut(call_at));
            if let Some(call) = call.filter(|call| !call.closed)
                && let Some(part) = call.part
            {
                call.closed = true;
                out.push(Event::PartEnd { part });
            }
        }
    }
}

/// The call that a fragment continues; `None` when it begins a new one.
fn target(calls: &[Call], fragment: &Fragment<'_>) -> Option<usize> {
    let Some(key) = fragment.key else {
        if !fragment.id.is_empty() {
            let known = calls.iter().rposition(|call| call.id == fragment.id);
            return known.or_else(|| calls.iter().rposition(|call| call.id.is_empty() && call.part.is_none()));
        }
        let last = calls.len().checked_sub(1)?;
        let continues = fragment.name.is_empty()
            || calls.get(last).is_some_and(|call| call.name == fragment.name && !call.balance.complete);
        return continues.then_some(last);
    };
    let known = calls.iter().rposition(|call| call.key == Some(key))?;
    let call = calls.get(known)?;
    if !fragment.id.is_empty() && !call.id.is_empty() {
        if call.id == fragment.id {
            return Some(known);
        }
        // Broken servers number every call 0: the id tells them apart, also when an earlier one goes on.
        return calls.iter().rposition(|call| call.key == Some(key) && call.id == fragment.id);
    }
    let whole_again = !fragment.name.is_empty() && !fragment.arguments.is_empty() && call.balance.complete;
    (!whole_again).then_some(known)
}
