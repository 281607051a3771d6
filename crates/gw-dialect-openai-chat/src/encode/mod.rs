//! Canonical request to a request body for any server of this format, with a loss for whatever it cannot carry.

mod assistant;
mod body;
mod messages;
mod options;
mod output;
mod parts;
mod reasoning;
mod results;
mod tools;

use std::borrow::Cow;

use bytes::Bytes;
use gw_core::{ChatRequest, Field, GatewayError, Loss, LossAction, LossClass, PartBody, Place, ToolKind};
use gw_spi::{Capabilities, EncodeContext, Encoded, RequestBody};

use crate::ID;
use crate::ids::{ToolNames, call_id_for};
use crate::target::Target;
use body::Body;

/// What every part of the encoder shares.
pub(crate) struct Plan<'a> {
    pub(crate) request: &'a ChatRequest,
    pub(crate) context: &'a EncodeContext<'a>,
    pub(crate) capabilities: &'a Capabilities,
    pub(crate) target: Target,
    pub(crate) losses: Vec<Loss>,
    pub(crate) names: ToolNames,
    /// Cache marks that must go because the server takes fewer: how many of the first ones.
    pub(crate) marks_over: usize,
    /// Instructions that stand for a schema the server cannot enforce.
    pub(crate) schema_instructions: Option<String>,
    pub(crate) emulate_stops: Vec<String>,
    pub(crate) emulate_candidates: u32,
}

impl Plan<'_> {
    /// Reports a field that is left out.
    pub(crate) fn drop(&mut self, field: Field, class: LossClass, note: impl Into<Cow<'static, str>>) {
        self.losses.push(Loss::new(field, class, LossAction::Dropped, note));
    }

    /// Reports a field that is left out at a place.
    pub(crate) fn drop_at(&mut self, place: Place, field: Field, class: LossClass, note: impl Into<Cow<'static, str>>) {
        self.losses.push(Loss::new(field, class, LossAction::Dropped, note).at(place));
    }

    /// Reports a field for which a close value is sent.
    pub(crate) fn approximate(&mut self, field: Field, note: impl Into<Cow<'static, str>>) {
        self.losses.push(Loss::new(field, LossClass::Approximated, LossAction::Approximated, note));
    }

    /// Reports a close value at a place.
    pub(crate) fn approximate_at(&mut self, place: Place, field: Field, note: impl Into<Cow<'static, str>>) {
        self.losses.push(Loss::new(field, LossClass::Approximated, LossAction::Approximated, note).at(place));
    }

    /// Reports a field whose effect the gateway reproduces.
    pub(crate) fn emulate(&mut self, field: Field, note: impl Into<Cow<'static, str>>) {
        self.losses.push(Loss::new(field, LossClass::Emulated, LossAction::Emulated, note));
    }

    /// The tool-call id on the wire.
    pub(crate) fn call_id(&mut self, id: &str, place: Place) -> String {
        let wire = call_id_for(id, self.capabilities.call_id_length);
        if wire != id {
            let note = "the id was mapped to one that the target accepts";
            self.losses.push(Loss::new(Field::ToolCallId, LossClass::Emulated, LossAction::Emulated, note).at(place));
        }
        wire
    }
}

/// Encodes a chat request; see [`gw_spi::Egress::encode`].
pub(crate) fn request(request: &ChatRequest, context: &EncodeContext<'_>) -> Result<Encoded, GatewayError> {
    let target = Target::new(request, context);
    let capabilities = context.capabilities;
    let marks = count_marks(request);
    let mut plan = Plan {
        request,
        context,
        capabilities,
        target,
        losses: Vec::new(),
        names: if target.own { ToolNames::default() } else { ToolNames::new(tool_names(request)) },
        marks_over: marks.saturating_sub(capabilities.max_cache_marks),
        schema_instructions: None,
        emulate_stops: Vec::new(),
        emulate_candidates: 0,
    };
    let mut body = Body::default();
    body.put("model", |writer| writer.string(context.model));
    // The output format may need instructions among the messages, so it is planned first.
    let mut later = Body::default();
    output::encode(&mut plan, &mut later);
    let messages = messages::encode(&mut plan)?;
    body.put_bytes("messages", messages);
    tools::encode(&mut plan, &mut body);
    options::encode(&mut plan, &mut body);
    body.append(later);
    reasoning::encode(&mut plan, &mut body);
    options::extras(&mut plan, &mut body);
    body.apply_quirks(&mut plan);
    Ok(Encoded {
        body: RequestBody { bytes: Bytes::from(body.finish()), headers: Vec::new() },
        losses: plan.losses,
        emulate_stops: plan.emulate_stops,
        emulate_candidates: plan.emulate_candidates,
        renamed_tools: plan.names.into_renamed(),
    })
}

/// Names of all client tools, defined or only called in history.
fn tool_names(request: &ChatRequest) -> impl Iterator<Item = &str> {
    let defined = request
        .tools
        .iter()
        .filter(|tool| !matches!(tool.kind, ToolKind::Hosted { .. }))
        .map(|tool| tool.name.as_str());
    let called = request.messages.iter().flat_map(|message| &message.parts).filter_map(|part| match &part.body {
        PartBody::ToolCall { name, .. } => Some(name.as_str()),
        _ => None,
    });
    defined.chain(called)
}

fn count_marks(request: &ChatRequest) -> usize {
    let parts = request.messages.iter().flat_map(|message| &message.parts);
    let inner = parts.clone().flat_map(|part| match &part.body {
        PartBody::ToolResult { content, .. } => content.as_slice(),
        _ => &[],
    });
    let tools = request.tools.iter().filter(|tool| tool.cache.is_some()).count();
    tools + parts.chain(inner).filter(|part| part.cache.is_some()).count()
}

/// Reports unknown fields of another format, and of this one where the server refuses what it does not know.
/// Returns those that may be written.
pub(crate) fn own_extras<'e>(
    plan: &mut Plan<'_>,
    extras: &'e [gw_core::Extra],
    place: Place,
) -> Vec<&'e gw_core::Extra> {
    let mut kept = Vec::new();
    for extra in extras {
        if extra.dialect == ID && !plan.capabilities.strict_fields {
            kept.push(extra);
        } else {
            let note = format!("'{}' is not known to the target", extra.name);
            plan.drop_at(place, Field::Unknown, LossClass::Approximated, note);
        }
    }
    kept
}
