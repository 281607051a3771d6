//! Reasoning in history: `reasoning_details`, else `thinking_blocks`, else plain text.

use gw_core::{GatewayError, Part, PartBody, StateKind};
use gw_spi::Fields;

use super::Reader;
use crate::carrier::{Carried, Detail, open, thinking_chunk, vendor_of_format};
use crate::{ID, VENDOR};

/// Reasoning parts of an assistant message in order. The richest carrier wins; the others repeat it.
pub(super) fn decode(fields: &Fields<'_>, at: u32, reader: &mut Reader<'_>) -> Result<Vec<Part>, GatewayError> {
    let details = details(fields, at, reader)?;
    if !details.is_empty() {
        return Ok(details);
    }
    let blocks = thinking_blocks(fields, at, reader)?;
    if !blocks.is_empty() {
        return Ok(blocks);
    }
    let text = match fields.string("reasoning_content")? {
        Some(text) if !text.is_empty() => Some(text),
        _ => fields.string("reasoning")?.filter(|text| !text.is_empty()),
    };
    Ok(text.map(|text| Part::new(PartBody::Reasoning { text, summary: false })).into_iter().collect())
}

fn details(fields: &Fields<'_>, at: u32, reader: &mut Reader<'_>) -> Result<Vec<Part>, GatewayError> {
    let Some(list) = fields.array("reasoning_details")? else { return Ok(Vec::new()) };
    let mut parts: Vec<(Option<i64>, Part)> = Vec::new();
    for item in list.items() {
        let Some(detail) = Detail::read(item) else {
            let raw = item.to_raw();
            let opaque = PartBody::Opaque { dialect: ID, type_name: "reasoning_details".to_owned(), raw };
            parts.push((None, Part::new(opaque)));
            continue;
        };
        let vendor = detail.format.as_deref().and_then(vendor_of_format).unwrap_or(VENDOR);
        let mut state = None;
        if let Some((kind, text)) = &detail.state {
            match open(text, vendor, *kind, reader.sealer) {
                Carried::State(found) => state = Some(found),
                Carried::Unreadable => reader.unreadable_state(at),
            }
        }
        let bare = detail.text.is_empty();
        if bare && state.is_none() {
            continue;
        }
        // State alone with the index of the item before it belongs to that item, unless it replaces the text.
        if bare
            && state.as_ref().is_some_and(|state| state.kind != StateKind::Redacted)
            && let Some((index, last)) = parts.last_mut()
            && *index == detail.index
            && last.state.is_none()
            && matches!(last.body, PartBody::Reasoning { .. })
        {
            last.state = state;
            continue;
        }
        let body = PartBody::Reasoning { text: detail.text.into_owned(), summary: detail.summary };
        parts.push((detail.index, Part { state, ..Part::new(body) }));
    }
    Ok(parts.into_iter().map(|(_, part)| part).collect())
}

/// `thinking_blocks`: Claude's own blocks, as one widely used client library keeps them.
fn thinking_blocks(fields: &Fields<'_>, at: u32, reader: &mut Reader<'_>) -> Result<Vec<Part>, GatewayError> {
    let Some(list) = fields.array("thinking_blocks")? else { return Ok(Vec::new()) };
    let mut parts = Vec::new();
    for item in list.items() {
        let (text, signature) = thinking_chunk(item);
        let data = item.get_some("data").and_then(|data| data.str());
        let carried = signature
            .map(|text| (StateKind::Signature, text))
            .or(data.map(|text| (StateKind::Redacted, text)))
            .map(|(kind, text)| open(&text, "anthropic", kind, reader.sealer));
        let state = match carried {
            Some(Carried::State(state)) => Some(state),
            Some(Carried::Unreadable) => {
                reader.unreadable_state(at);
                None
            }
            None => None,
        };
        if !text.is_empty() || state.is_some() {
            parts.push(Part { state, ..Part::new(PartBody::Reasoning { text, summary: false }) });
        }
    }
    Ok(parts)
}
