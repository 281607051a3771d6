//! A finished reply for a client of this format.

use bytes::Bytes;
use gw_core::{
    Candidate, ChatReply, Citation, CitationSource, Extra, OpaqueState, Part, PartBody, Source, Stop, ToolKind,
};
use gw_spi::ReplyContext;
use gw_wire::JsonWriter;

use crate::assemble::MESSAGE;
use crate::carrier::{carry, carry_google, write_details, write_google_signature};
use crate::media::to_data_url;
use crate::{ID, stop, usage};

/// Encodes a finished reply; see [`gw_spi::Ingress::encode_reply`].
pub(crate) fn encode(reply: &ChatReply, context: &ReplyContext) -> Bytes {
    let mut writer = JsonWriter::new();
    writer.object(|root| {
        root.field_str("id", &reply_id(context));
        root.field_str("object", "chat.completion");
        root.key("created").i64(reply.created.unwrap_or(context.created));
        root.field_str("model", &context.client_model);
        root.field_array("choices", |choices| {
            for candidate in &reply.candidates {
                choices.object(|choice| write_choice(choice, candidate, context));
            }
        });
        if let Some(numbers) = &reply.usage {
            usage::write(root.key("usage"), numbers);
        }
        if let Some(tier) = &reply.service_tier {
            root.field_str("service_tier", tier);
        }
        if let Some(fingerprint) = &reply.fingerprint {
            root.field_str("system_fingerprint", fingerprint);
        }
        let written = ["service_tier", "system_fingerprint", "usage"];
        for extra in own(&reply.extras).filter(|extra| !written.contains(&extra.name.as_str())) {
            root.field_raw(&extra.name, &extra.value);
        }
    });
    writer.into_bytes()
}

/// Id of a reply in this format's style.
pub(crate) fn reply_id(context: &ReplyContext) -> String {
    format!("chatcmpl-{}", context.id_base)
}

/// Unknown fields that came from this format.
pub(crate) fn own(extras: &[Extra]) -> impl Iterator<Item = &Extra> {
    extras.iter().filter(|extra| extra.dialect == ID)
}

fn write_choice(choice: &mut JsonWriter, candidate: &Candidate, context: &ReplyContext) {
    choice.key("index").u64(u64::from(candidate.index));
    choice.field_object("message", |message| write_message(message, candidate, context));
    match &candidate.logprobs {
        Some(items) => choice.field_object("logprobs", |logprobs| {
            logprobs.field_raw("content", items);
            logprobs.field_null("refusal");
        }),
        None => choice.field_null("logprobs"),
    }
    choice.field_str("finish_reason", stop::encode(&candidate.stop, context.legacy_functions));
    for extra in own(&candidate.extras).filter(|extra| !extra.name.starts_with(MESSAGE)) {
        choice.field_raw(&extra.name, &extra.value);
    }
}

fn write_message(message: &mut JsonWriter, candidate: &Candidate, context: &ReplyContext) {
    let parts = &candidate.parts;
    message.field_str("role", "assistant");
    let text = joined(parts, |body| match body {
        PartBody::Text { text, .. } => Some(text),
        _ => None,
    });
    let refusal = refusal_text(candidate);
    match text {
        Some(text) => message.field_str("content", &text),
        None if parts.is_empty() && refusal.is_none() => message.field_str("content", ""),
        None => message.field_null("content"),
    }
    match refusal {
        Some(text) => message.field_str("refusal", &text),
        None => message.field_null("refusal"),
    }
    write_reasoning(message, parts, context);
    write_calls(message, parts, context);
    write_annotations(message, parts);
    write_media(message, parts, context);
    let signed = parts.iter().rev().filter(|part| matches!(part.body, PartBody::Text { .. }));
    if let Some(state) = signed.filter_map(|part| part.state.as_ref()).next() {
        write_google_signature(message, &carry_google(state, &*context.sealer));
    }
    for extra in own(&candidate.extras) {
        if let Some(name) = extra.name.strip_prefix(MESSAGE) {
            message.field_raw(name, &extra.value);
        }
    }
}

/// Text of all parts of a kind, joined; `None` when there is no such part.
fn joined<'p>(parts: &'p [Part], pick: impl Fn(&'p PartBody) -> Option<&'p String>) -> Option<String> {
    let mut found = parts.iter().filter_map(|part| pick(&part.body)).peekable();
    found.peek()?;
    Some(found.map(String::as_str).collect())
}

/// The refusal's words: the model's, else the explanation that came with the stop.
fn refusal_text(candidate: &Candidate) -> Option<String> {
    let spoken = joined(&candidate.parts, |body| match body {
        PartBody::Refusal(text) => Some(text),
        _ => None,
    });
    spoken.or_else(|| match &candidate.stop {
        Stop::Refusal { explanation, .. } => explanation.clone(),
        _ => None,
    })
}

fn write_reasoning(message: &mut JsonWriter, parts: &[Part], context: &ReplyContext) {
    let show = !context.hide_reasoning;
    let reasoning: Vec<&Part> = parts.iter().filter(|part| matches!(part.body, PartBody::Reasoning { .. })).collect();
    if reasoning.is_empty() {
        return;
    }
    let text: String = reasoning
        .iter()
        .filter_map(|part| match &part.body {
            PartBody::Reasoning { text, .. } => Some(text.as_str()),
            _ => None,
        })
        .collect();
    if show && !text.is_empty() {
        message.field_str("reasoning_content", &text);
    }
    let visible = show && !text.is_empty();
    if !visible && reasoning.iter().all(|part| part.state.is_none()) {
        return;
    }
    message.field_array("reasoning_details", |details| {
        for (index, part) in (0u64..).zip(reasoning) {
            write_details(details, part, index, &context.vendor, show, |state| payload(state, context));
        }
    });
}

/// A state's text for the client.
pub(crate) fn payload(state: &OpaqueState, context: &ReplyContext) -> String {
    carry(state, &*context.sealer).into_owned()
}

/// Arguments as a client may parse them: a call without any has an empty object.
fn full_arguments<'c>(arguments: &'c str, kind: &ToolKind) -> &'c str {
    if arguments.trim().is_empty() && !matches!(kind, ToolKind::Custom { .. }) { "{}" } else { arguments }
}

fn write_calls(message: &mut JsonWriter, parts: &[Part], context: &ReplyContext) {
    let calls = parts.iter().filter_map(|part| match &part.body {
        PartBody::ToolCall { call_id, name, arguments, kind } => Some((part, call_id, name, arguments, kind)),
        _ => None,
    });
    if context.legacy_functions {
        // The legacy form has room for one call.
        if let Some((_, _, name, arguments, kind)) = calls.take(1).next() {
            message.field_object("function_call", |call| {
                call.field_str("name", name);
                call.field_str("arguments", full_arguments(arguments, kind));
            });
        }
        return;
    }
    let mut calls = calls.peekable();
    if calls.peek().is_none() {
        return;
    }
    message.field_array("tool_calls", |list| {
        for (part, call_id, name, arguments, kind) in calls {
            list.object(|call| {
                call.field_str("id", call_id);
                let (holder, field) = call_words(kind);
                call.field_str("type", holder);
                call.field_object(holder, |inner| {
                    inner.field_str("name", name);
                    inner.field_str(field, full_arguments(arguments, kind));
                });
                if let Some(state) = &part.state {
                    write_google_signature(call, &carry_google(state, &*context.sealer));
                }
            });
        }
    });
}

/// Object and argument field of a kind of call.
pub(crate) fn call_words(kind: &ToolKind) -> (&'static str, &'static str) {
    match kind {
        ToolKind::Custom { .. } => ("custom", "input"),
        ToolKind::Function | ToolKind::Hosted { .. } => ("function", "arguments"),
    }
}

fn write_annotations(message: &mut JsonWriter, parts: &[Part]) {
    let mut annotations: Vec<(u32, u32, &Citation)> = Vec::new();
    let mut chars = 0u32;
    for part in parts {
        let PartBody::Text { text, citations } = &part.body else { continue };
        let length = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
        annotations.extend(citations.iter().map(|citation| (chars, length, citation)));
        chars = chars.saturating_add(length);
    }
    if annotations.iter().any(|(_, _, citation)| expressible(citation)) {
        message.field_array("annotations", |list| {
            for (from, length, citation) in annotations {
                write_annotation(list, citation, from, length);
            }
        });
    }
}

/// Whether this format has a form for the citation.
pub(crate) fn expressible(citation: &Citation) -> bool {
    matches!(citation.source, CitationSource::Url { .. })
        || citation.raw.as_ref().is_some_and(|(dialect, _)| *dialect == ID)
}

/// Writes a citation of a text that begins at character `from` of the content and is `length` characters long.
pub(crate) fn write_annotation(list: &mut JsonWriter, citation: &Citation, from: u32, length: u32) {
    match (&citation.source, &citation.raw) {
        (CitationSource::Url { url, title }, _) => list.object(|annotation| {
            let (start, end) = citation.span.unwrap_or((0, length));
            annotation.field_str("type", "url_citation");
            annotation.field_object("url_citation", |cited| {
                cited.field_str("url", url);
                cited.field_str("title", title.as_deref().unwrap_or_default());
                cited.field_u64("start_index", u64::from(start.saturating_add(from)));
                cited.field_u64("end_index", u64::from(end.saturating_add(from)));
                // Outside the published format, so only where it came in that way.
                if let (Some(text), Some((ID, _))) = (&citation.cited_text, &citation.raw) {
                    cited.field_str("content", text);
                }
            });
        }),
        (_, Some((dialect, raw))) if *dialect == ID => list.raw(raw.as_str()),
        _ => {}
    }
}

fn write_media(message: &mut JsonWriter, parts: &[Part], context: &ReplyContext) {
    let mut images = parts.iter().filter_map(|part| image_url(&part.body)).peekable();
    if images.peek().is_some() {
        message.field_array("images", |list| {
            for url in images {
                write_image(list, &url);
            }
        });
    }
    for part in parts {
        if let Some(audio) = audio_object(&part.body, &context.id_base) {
            message.key("audio").raw(&audio);
            break;
        }
    }
}

/// URL of an image part.
pub(crate) fn image_url(body: &PartBody) -> Option<String> {
    match body {
        PartBody::Image { source: Source::Base64 { mime, data }, .. } => Some(to_data_url(mime, data)),
        PartBody::Image { source: Source::Url { url, .. }, .. } => Some(url.clone()),
        _ => None,
    }
}

/// Writes an item of `images`.
pub(crate) fn write_image(list: &mut JsonWriter, url: &str) {
    list.object(|image| {
        image.field_str("type", "image_url");
        image.field_object("image_url", |holder| holder.field_str("url", url));
    });
}

/// The `audio` object of an audio part.
pub(crate) fn audio_object(body: &PartBody, id_base: &str) -> Option<String> {
    match body {
        PartBody::Opaque { dialect, type_name, raw } if *dialect == ID && type_name == "audio" => {
            Some(raw.as_str().to_owned())
        }
        PartBody::Audio { source: Source::Base64 { data, .. }, .. } => {
            let mut writer = JsonWriter::new();
            writer.object(|audio| {
                audio.field_str("id", &format!("audio_{id_base}"));
                audio.field_str("data", data);
                audio.field_u64("expires_at", 0);
                audio.field_str("transcript", "");
            });
            Some(writer.into_raw().as_str().to_owned())
        }
        _ => None,
    }
}
