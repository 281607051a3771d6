//! The canonical request becomes a Messages body for a provider.

mod blocks;
mod ids;
mod media;
mod names;
mod output;
mod params;
mod reasoning;
mod results;
mod schema;
mod tools;
mod turns;

use std::borrow::Cow;
use std::collections::BTreeSet;

use gw_core::{ChatRequest, Field, GatewayError, Loss, LossAction, LossClass, PartBody, Place, RawJson};
use gw_spi::{EncodeContext, Encoded, RequestBody};
use gw_wire::JsonWriter;

use crate::ID;
use crate::marks::Marks;
use ids::CallIds;
use names::Names;
use reasoning::Thinking;

pub(crate) use blocks::client_input;
pub(crate) use ids::legal_id;
use turns::{Turn, TurnRole};

/// What is asked of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// An answer.
    Answer,
    /// The number of input tokens.
    Count,
}

/// State of one encoding.
struct Encoder<'r> {
    request: &'r ChatRequest,
    context: &'r EncodeContext<'r>,
    /// The request was written in this format.
    own: bool,
    losses: Vec<Loss>,
    betas: BTreeSet<&'static str>,
    marks: Marks,
    names: Names,
    ids: CallIds,
    thinking: Thinking,
    /// Text appended to the instructions for an output shape that the target does not enforce.
    output_instruction: Option<String>,
    emulate_stops: Vec<String>,
    emulate_candidates: u32,
    has_messages: bool,
}

/// Encodes a request.
pub(crate) fn encode(
    request: &ChatRequest,
    context: &EncodeContext<'_>,
    purpose: Purpose,
) -> Result<Encoded, GatewayError> {
    let own = request.origin == ID;
    if !own {
        turns::refuse_orphans(request)?;
    }
    let mut losses = Vec::new();
    let (system, mut turns) = turns::turns(request, context.capabilities, &mut losses);
    if !turns.iter().any(|turn| turn.role == TurnRole::User) {
        let message = "the target needs at least one user message";
        return Err(GatewayError::bad_field("messages", message));
    }
    turns::judge_prefill(&mut turns, context.capabilities, purpose, &mut losses);
    let marks = Marks::plan(request, context.capabilities, &mut losses);
    let mut encoder = Encoder {
        request,
        context,
        own,
        losses,
        betas: BTreeSet::new(),
        marks,
        names: Names::plan(request),
        ids: CallIds::plan(request, own),
        thinking: Thinking::default(),
        output_instruction: None,
        emulate_stops: Vec::new(),
        emulate_candidates: 0,
        has_messages: false,
    };
    encoder.thinking = reasoning::plan(&mut encoder, &turns);
    let bytes = encoder.body(&system, &turns, purpose);
    let explained = encoder.losses.iter().any(|loss| loss.class >= LossClass::Semantic);
    if !encoder.has_messages && !explained {
        return Err(GatewayError::bad_field("messages", "no message has any content; at least one needs text"));
    }
    let mut headers = Vec::new();
    if !encoder.betas.is_empty() {
        let list: Vec<&str> = encoder.betas.iter().copied().collect();
        headers.push(("anthropic-beta", list.join(",")));
    }
    Ok(Encoded {
        body: RequestBody { bytes: bytes.into(), headers },
        losses: encoder.losses,
        emulate_stops: encoder.emulate_stops,
        emulate_candidates: encoder.emulate_candidates,
        renamed_tools: encoder.names.renamed(),
    })
}

impl<'r> Encoder<'r> {
    fn body(&mut self, system: &[turns::Item<'r>], turns: &[Turn<'r>], purpose: Purpose) -> Vec<u8> {
        let output_config = self.plan_output(purpose);
        let mut writer = JsonWriter::new();
        writer.object(|w| {
            if self.top(w, "model") {
                w.string(self.context.model);
            }
            if purpose == Purpose::Answer {
                self.max_tokens(w);
                if self.context.stream && self.top(w, "stream") {
                    w.bool(true);
                }
            }
            self.system(w, system);
            if self.top(w, "messages") {
                w.array(|w| {
                    for turn in turns {
                        self.has_messages |= self.turn(w, turn);
                    }
                });
            }
            self.tools(w);
            self.write_thinking(w);
            if let Some(config) = output_config
                && self.top(w, "output_config")
            {
                w.raw(config.as_str());
            }
            self.cache(w);
            if purpose == Purpose::Answer {
                self.sampling(w);
                self.stops(w);
                self.identity(w);
                self.service(w);
                self.candidates();
                self.losses_of_request();
            }
            self.state(w, purpose);
            self.extras(w, purpose);
        });
        writer.finish()
    }

    /// Writes the name of a top-level member under the target's spelling; `false` when the target refuses the member.
    fn top(&mut self, w: &mut JsonWriter, name: &str) -> bool {
        let capabilities = self.context.capabilities;
        if capabilities.drop_fields.iter().any(|dropped| dropped == name) {
            self.lose(Field::Unknown, LossClass::Approximated, format!("the target refuses '{name}'"));
            return false;
        }
        let renamed = capabilities.rename_fields.iter().find(|(from, _)| from == name);
        w.key(renamed.map_or(name, |(_, to)| to));
        true
    }

    /// Instructions: one block for each part.
    fn system(&mut self, w: &mut JsonWriter, items: &[turns::Item<'r>]) {
        let mut blocks = JsonWriter::new();
        let mut written = 0_usize;
        let instruction = self.output_instruction.take();
        blocks.array(|w| {
            for item in items {
                written += usize::from(self.system_block(w, item));
            }
            if let Some(text) = &instruction {
                written += 1;
                w.object(|w| {
                    w.field_str("type", "text");
                    w.field_str("text", text);
                });
            }
        });
        if written > 0 && self.top(w, "system") {
            w.raw(blocks.into_raw().as_str());
        }
    }

    fn system_block(&mut self, w: &mut JsonWriter, item: &turns::Item<'r>) -> bool {
        match &item.part.body {
            PartBody::Text { .. } | PartBody::Opaque { .. } => self.block(w, item, TurnRole::System),
            PartBody::Refusal(_)
            | PartBody::Image { .. }
            | PartBody::Audio { .. }
            | PartBody::Video { .. }
            | PartBody::File { .. }
            | PartBody::SearchResult { .. }
            | PartBody::Reasoning { .. }
            | PartBody::ToolCall { .. }
            | PartBody::ToolResult { .. } => {
                let note = "instructions hold only text";
                self.lose_at(blocks::field_of(&item.part.body), LossClass::Semantic, item.place, note);
                self.lose_attachments(item);
                false
            }
        }
    }

    /// What a part carries besides its content, when the part is not sent.
    fn lose_attachments(&mut self, item: &turns::Item<'r>) {
        let note = "the part that carries it is not sent";
        self.lose_link(item);
        if item.part.state.is_some() {
            self.lose_at(Field::ReasoningState, LossClass::Approximated, item.place, note);
        }
        if self.marks.kept(item.part.cache.as_ref(), item.place, item.inner).is_some() {
            self.lose_at(Field::CacheMark, LossClass::Performance, item.place, note);
        }
        if item.part.extras.iter().any(|extra| extra.dialect != ID) {
            self.lose_at(Field::Unknown, LossClass::Approximated, item.place, note);
        }
    }

    /// The id of a call or result that is not sent, and the error flag and content of the result.
    fn lose_link(&mut self, item: &turns::Item<'r>) {
        let note = "the part that carries it is not sent";
        if matches!(item.part.body, PartBody::ToolCall { .. } | PartBody::ToolResult { .. }) {
            self.lose_at(Field::ToolCallId, LossClass::Semantic, item.place, note);
        }
        let PartBody::ToolResult { content, is_error, .. } = &item.part.body else { return };
        if *is_error {
            self.lose_at(Field::ToolResultError, LossClass::Semantic, item.place, note);
        }
        for (index, part) in (0u32..).zip(content) {
            self.lose_at(blocks::field_of(&part.body), LossClass::Semantic, item.place, note);
            let inner = turns::Item { place: item.place, inner: Some(index), part, wrapped: false };
            self.lose_attachments(&inner);
        }
    }

    fn turn(&mut self, w: &mut JsonWriter, turn: &Turn<'r>) -> bool {
        let mut blocks = JsonWriter::new();
        let mut written = 0_usize;
        blocks.array(|w| {
            let mut hoisted = Vec::new();
            for item in &turn.items {
                let done = match &item.part.body {
                    PartBody::ToolResult { .. } if turn.role == TurnRole::User => {
                        self.tool_result(w, item, &mut hoisted)
                    }
                    _ => {
                        // Media taken out of results stand after the last result.
                        written += self.hoisted(w, &mut hoisted);
                        self.block(w, item, turn.role)
                    }
                };
                written += usize::from(done);
            }
            written += self.hoisted(w, &mut hoisted);
        });
        self.message_losses(turn);
        let own = self.own_message_extras(turn, written > 0);
        if written == 0 {
            return false;
        }
        w.object(|w| {
            w.field_str("role", turn.role.as_str());
            w.key("content").raw(blocks.into_raw().as_str());
            own.iter().for_each(|extra| w.field_raw(&extra.name, &extra.value));
        });
        true
    }

    /// Unknown fields that the turn keeps. Where several messages became one, the first of each name stays.
    fn own_message_extras(&mut self, turn: &Turn<'r>, kept: bool) -> Vec<&'r gw_core::Extra> {
        let mut own: Vec<&'r gw_core::Extra> = Vec::new();
        for extra in turn.extras.iter().flat_map(|extras| extras.iter()).filter(|extra| extra.dialect == ID) {
            if kept && own.iter().all(|known| known.name != extra.name) {
                own.push(extra);
            } else {
                self.lose(Field::Unknown, LossClass::Approximated, format!("message field '{}'", extra.name));
            }
        }
        own
    }

    fn message_losses(&mut self, turn: &Turn<'r>) {
        for extra in turn.extras.iter().flat_map(|extras| extras.iter()).filter(|extra| extra.dialect != ID) {
            self.lose(Field::Unknown, LossClass::Approximated, format!("message field '{}'", extra.name));
        }
        if turn.named {
            self.lose(Field::Name, LossClass::Advisory, "the target has no participant names");
        }
    }

    fn lose(&mut self, field: Field, class: LossClass, note: impl Into<Cow<'static, str>>) {
        self.losses.push(Loss::new(field, class, LossAction::Dropped, note));
    }

    fn lose_at(&mut self, field: Field, class: LossClass, place: Place, note: impl Into<Cow<'static, str>>) {
        self.losses.push(Loss::new(field, class, LossAction::Dropped, note).at(place));
    }

    fn changed(&mut self, field: Field, class: LossClass, note: impl Into<Cow<'static, str>>) {
        self.losses.push(Loss::new(field, class, LossAction::Approximated, note));
    }

    fn changed_at(&mut self, field: Field, class: LossClass, place: Place, note: impl Into<Cow<'static, str>>) {
        self.losses.push(Loss::new(field, class, LossAction::Approximated, note).at(place));
    }

    fn emulated(&mut self, field: Field, note: impl Into<Cow<'static, str>>) {
        self.losses.push(Loss::new(field, LossClass::Emulated, LossAction::Emulated, note));
    }

    /// An extra of this format that holds the members of `name` which the canonical request has no place for.
    fn own_extra(&self, name: &str) -> Option<&'r RawJson> {
        let extras = &self.request.extras;
        extras.iter().find(|extra| extra.dialect == ID && extra.name == name).map(|extra| &extra.value)
    }
}

/// Whether a name or id uses only the letters that this format takes.
fn legal_letters(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// A deterministic fingerprint in letters and digits (FNV-1a, base 62).
fn fingerprint(text: &str, salt: u32) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut hash: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    for byte in text.bytes().chain(salt.to_le_bytes()) {
        hash ^= u128::from(byte);
        hash = hash.wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
    }
    let mut out = String::with_capacity(16);
    for _ in 0..16 {
        let digit = usize::try_from(hash % 62).unwrap_or(0);
        out.push(char::from(DIGITS.get(digit).copied().unwrap_or(b'0')));
        hash /= 62;
    }
    out
}
