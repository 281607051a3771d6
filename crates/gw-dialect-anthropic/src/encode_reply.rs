//! The canonical reply as a message.

use bytes::Bytes;
use gw_core::{ChatReply, Extra, PartBody, Stop};
use gw_spi::ReplyContext;
use gw_wire::JsonWriter;

use crate::{ID, blocks_out, stop, usage};

/// Members of a message that are written from canonical fields.
const WRITTEN: &[&str] =
    &["id", "type", "role", "model", "content", "stop_reason", "stop_sequence", "stop_details", "usage", "container"];

/// The message id that a client sees.
pub(crate) fn message_id(context: &ReplyContext) -> String {
    format!("msg_{}", context.id_base)
}

/// Encodes the first candidate: this format has no place for more.
pub(crate) fn encode(reply: &ChatReply, context: &ReplyContext) -> Bytes {
    let parts = reply.candidates.first().map_or(&[][..], |candidate| candidate.parts.as_slice());
    let stop = reply.candidates.first().map_or(&Stop::End, |candidate| &candidate.stop);
    let refused = parts.iter().any(|part| matches!(part.body, PartBody::Refusal(_)));
    let own = |name: &str| reply.extras.iter().find(|extra| extra.dialect == ID && extra.name == name);
    let mut writer = JsonWriter::new();
    writer.object(|w| {
        w.field_str("id", &message_id(context));
        w.field_str("type", "message");
        w.field_str("role", "assistant");
        w.field_str("model", &context.client_model);
        w.field_array("content", |w| parts.iter().for_each(|part| blocks_out::part(w, part, context)));
        stop::shown(stop, refused, &context.vendor).write(w);
        container(w, own("container"));
        let counted = reply.usage.clone().unwrap_or_default();
        let tier = usage::tier_word(reply.service_tier.as_deref());
        w.field_object("usage", |w| usage::write_message(w, &counted, tier));
        for extra in reply.extras.iter().filter(|extra| extra.dialect == ID) {
            if !WRITTEN.contains(&extra.name.as_str()) {
                w.field_raw(&extra.name, &extra.value);
            }
        }
    });
    writer.into_bytes()
}

/// `container`, null unless the answer has one.
pub(crate) fn container(w: &mut JsonWriter, extra: Option<&Extra>) {
    match extra {
        Some(extra) => w.field_raw("container", &extra.value),
        None => w.field_null("container"),
    }
}
