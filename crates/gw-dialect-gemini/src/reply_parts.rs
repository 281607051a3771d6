//! Canonical parts of an answer as Google's parts, for both modes.

use gw_core::{Part, PartBody, RawJson, Source};
use gw_spi::ReplyContext;
use gw_wire::JsonWriter;

use crate::ID;
use crate::carrier;
use crate::encode::arguments_object;

/// Writes the parts that stand for one canonical part; nothing for what the format cannot hold.
pub(crate) fn write(writer: &mut JsonWriter, part: &Part, context: &ReplyContext) {
    let signature = part.state.as_ref().map(|state| carrier::to_client(state, context.sealer.as_ref()));
    let signature = signature.as_deref();
    match &part.body {
        PartBody::Text { text, .. } | PartBody::Refusal(text) => {
            if !text.is_empty() || signature.is_some() {
                text_part(writer, text, false, signature);
            }
        }
        PartBody::Reasoning { text, .. } => {
            let shown = if context.hide_reasoning { "" } else { text.as_str() };
            if !shown.is_empty() || signature.is_some() {
                text_part(writer, shown, !shown.is_empty(), signature);
            }
        }
        PartBody::ToolCall { call_id, name, arguments, .. } => call_part(writer, call_id, name, arguments, signature),
        PartBody::Image { source, .. } => media_part(writer, source, "image/png", signature),
        PartBody::Audio { source, format } => {
            let mime = format!("audio/{}", format.as_deref().unwrap_or("wav"));
            media_part(writer, source, &mime, signature);
        }
        PartBody::Video { source, .. } => media_part(writer, source, "video/mp4", signature),
        PartBody::File { source, .. } => media_part(writer, source, "application/octet-stream", signature),
        PartBody::SearchResult { text, .. } => {
            if !text.is_empty() {
                text_part(writer, text, false, signature);
            }
        }
        PartBody::Opaque { dialect, raw, .. } if *dialect == ID => writer.raw(raw.as_str()),
        // Another vendor's server-side tools: the client has no place for them.
        PartBody::Opaque { .. } | PartBody::ToolResult { .. } => {}
    }
}

/// `{text, thought?, thoughtSignature?}`.
pub(crate) fn text_part(writer: &mut JsonWriter, text: &str, thought: bool, signature: Option<&str>) {
    writer.object(|writer| {
        writer.field_str("text", text);
        if thought {
            writer.field_bool("thought", true);
        }
        sign(writer, signature);
    });
}

/// `{functionCall, thoughtSignature?}` with whole arguments.
pub(crate) fn call_part(writer: &mut JsonWriter, id: &str, name: &str, arguments: &str, signature: Option<&str>) {
    let (arguments, _): (RawJson, bool) = arguments_object(arguments);
    writer.object(|writer| {
        writer.field_object("functionCall", |writer| {
            writer.field_str("id", id);
            writer.field_str("name", name);
            writer.field_raw("args", &arguments);
        });
        sign(writer, signature);
    });
}

fn media_part(writer: &mut JsonWriter, source: &Source, assumed: &str, signature: Option<&str>) {
    let or_assumed = |mime: &str| if mime.is_empty() { assumed.to_owned() } else { mime.to_owned() };
    writer.object(|writer| {
        match source {
            Source::Base64 { mime, data } => writer.field_object("inlineData", |writer| {
                writer.field_str("mimeType", &or_assumed(mime));
                writer.field_str("data", data);
            }),
            Source::Text { mime, text } => writer.field_object("inlineData", |writer| {
                writer.field_str("mimeType", &or_assumed(mime));
                writer.field_str("data", &carrier::base64_of(text));
            }),
            Source::Url { url, mime } | Source::VendorFile { id: url, mime, .. } => {
                writer.field_object("fileData", |writer| {
                    if let Some(mime) = mime {
                        writer.field_str("mimeType", mime);
                    }
                    writer.field_str("fileUri", url);
                });
            }
        }
        sign(writer, signature);
    });
}

fn sign(writer: &mut JsonWriter, signature: Option<&str>) {
    if let Some(signature) = signature {
        writer.field_str("thoughtSignature", signature);
    }
}
