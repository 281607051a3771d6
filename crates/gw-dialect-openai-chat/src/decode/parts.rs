//! Content parts of a client request.

use gw_core::{CacheMark, Field, GatewayError, Loss, LossAction, LossClass, Part, PartBody, Place, Source, StateKind};
use gw_spi::Fields;
use gw_wire::Kind;

use super::Reader;
use crate::ID;
use crate::carrier::{Carried, open, thinking_chunk};
use crate::media::{MediaKind, Read, audio_mime, read_base64, read_url};

/// Decodes `content`: a string, an array of parts, or nothing.
pub(super) fn content(fields: &Fields<'_>, at: u32, reader: &mut Reader<'_>) -> Result<Vec<Part>, GatewayError> {
    let Some(content) = fields.get("content") else { return Ok(Vec::new()) };
    match content.kind() {
        Kind::String => {
            let text = content.string().unwrap_or_default();
            Ok(if text.is_empty() { Vec::new() } else { vec![Part::text(text)] })
        }
        Kind::Array => content
            .items()
            .enumerate()
            .map(|(part_at, item)| {
                let path = format!("{}[{part_at}]", fields.param("content"));
                match item.str() {
                    Some(text) => Ok(Part::text(text)),
                    None => part(&Fields::new(item, path)?, at, reader),
                }
            })
            .collect(),
        _ => Err(fields.wrong("content", "a string or an array of parts")),
    }
}

/// Decodes one part.
pub(super) fn part(fields: &Fields<'_>, at: u32, reader: &mut Reader<'_>) -> Result<Part, GatewayError> {
    let type_name = fields.required_string("type")?;
    let (body, known): (PartBody, &[&str]) = match type_name.as_str() {
        "text" | "input_text" | "output_text" => {
            let text = fields.string("text")?.ok_or_else(|| fields.missing("text"))?;
            (PartBody::Text { text, citations: Vec::new() }, &["text", "annotations"])
        }
        "refusal" => (PartBody::Refusal(fields.required_string("refusal")?), &["refusal"]),
        "image_url" => (image(fields, at, reader)?, &["image_url"]),
        "input_audio" => (audio(fields)?, &["input_audio"]),
        "video_url" => (video(fields)?, &["video_url"]),
        "file" => (file(fields, at, reader)?, &["file"]),
        "document_url" => (document_url(fields)?, &["document_url", "document_name"]),
        "thinking" => return thinking(fields, at, reader),
        _ => {
            let raw = fields.json().to_raw();
            let body = PartBody::Opaque { dialect: ID, type_name, raw };
            return Ok(Part { cache: cache_mark(fields)?, ..Part::new(body) });
        }
    };
    let mut part = Part::new(body);
    part.cache = cache_mark(fields)?;
    part.extras = fields
        .unknown(known, ID)
        .into_iter()
        .filter(|extra| !matches!(extra.name.as_str(), "type" | "cache_control" | "prompt_cache_breakpoint"))
        .collect();
    Ok(part)
}

/// `cache_control` or `prompt_cache_breakpoint`.
pub(super) fn cache_mark(fields: &Fields<'_>) -> Result<Option<CacheMark>, GatewayError> {
    for name in ["cache_control", "prompt_cache_breakpoint"] {
        if let Some(mark) = fields.object(name)? {
            return Ok(Some(CacheMark { ttl: mark.string("ttl")? }));
        }
    }
    Ok(None)
}

fn image(fields: &Fields<'_>, at: u32, reader: &mut Reader<'_>) -> Result<PartBody, GatewayError> {
    let holder = fields.get("image_url").ok_or_else(|| fields.missing("image_url"))?;
    let (url, detail) = match holder.str() {
        Some(url) => (url.into_owned(), fields.string("detail")?),
        None => {
            let image = Fields::new(holder, fields.param("image_url"))?;
            (image.required_string("url")?, image.string("detail")?)
        }
    };
    let Read { source, kind, corrected } = read_url(&url, "").checked(fields.param("image_url"))?;
    if corrected {
        let note = "the MIME type was corrected from the first bytes of the data";
        let loss = Loss::new(Field::Image, LossClass::Advisory, LossAction::Approximated, note);
        reader.losses.push(loss.at(Place { message: Some(at), ..Place::default() }));
    }
    Ok(match kind {
        Some(MediaKind::File) => PartBody::File { source, filename: None, context: None, citations: false },
        Some(MediaKind::Audio) => PartBody::Audio { source, format: None },
        Some(MediaKind::Video) => PartBody::Video { source, metadata: None },
        Some(MediaKind::Image) | None => PartBody::Image { source, detail },
    })
}

fn audio(fields: &Fields<'_>) -> Result<PartBody, GatewayError> {
    let holder = fields.get("input_audio").ok_or_else(|| fields.missing("input_audio"))?;
    let (data, format) = match holder.str() {
        Some(data) => (data.into_owned(), None),
        None => {
            let audio = Fields::new(holder, fields.param("input_audio"))?;
            (audio.required_string("data")?, audio.string("format")?)
        }
    };
    let mime = format.as_deref().map_or_else(|| "audio/wav".to_owned(), audio_mime);
    let read = if data.contains("://") || data.starts_with("data:") {
        read_url(&data, &mime)
    } else {
        read_base64(&data, &mime)
    };
    let read = read.checked(fields.param("input_audio"))?;
    Ok(PartBody::Audio { source: read.source, format })
}

fn video(fields: &Fields<'_>) -> Result<PartBody, GatewayError> {
    let holder = fields.get("video_url").ok_or_else(|| fields.missing("video_url"))?;
    let url = match holder.str() {
        Some(url) => url.into_owned(),
        None => Fields::new(holder, fields.param("video_url"))?.required_string("url")?,
    };
    Ok(PartBody::Video { source: read_url(&url, "video/mp4").source, metadata: None })
}

fn file(fields: &Fields<'_>, at: u32, reader: &mut Reader<'_>) -> Result<PartBody, GatewayError> {
    let file = fields.object("file")?.ok_or_else(|| fields.missing("file"))?;
    let filename = file.string("filename")?;
    if let Some(id) = file.string("file_id")? {
        let source = Source::VendorFile { dialect: ID, id, mime: None };
        return Ok(PartBody::File { source, filename, context: None, citations: false });
    }
    let data = match file.string("file_data")? {
        Some(data) => data,
        None => file.string("file_url")?.ok_or_else(|| file.missing("file_data"))?,
    };
    let read = if data.contains("://") || data.starts_with("data:") {
        read_url(&data, "application/pdf")
    } else {
        read_base64(&data, "application/pdf")
    };
    let read = read.checked(fields.param("file"))?;
    if read.corrected {
        let note = "the MIME type was corrected from the first bytes of the data";
        let loss = Loss::new(Field::File, LossClass::Advisory, LossAction::Approximated, note);
        reader.losses.push(loss.at(Place { message: Some(at), ..Place::default() }));
    }
    Ok(PartBody::File { source: read.source, filename, context: None, citations: false })
}

fn document_url(fields: &Fields<'_>) -> Result<PartBody, GatewayError> {
    let url = fields.required_string("document_url")?;
    let source = read_url(&url, "application/pdf").source;
    Ok(PartBody::File { source, filename: fields.string("document_name")?, context: None, citations: false })
}

fn thinking(fields: &Fields<'_>, at: u32, reader: &mut Reader<'_>) -> Result<Part, GatewayError> {
    let (text, signature) = thinking_chunk(fields.json());
    let mut part = Part::new(PartBody::Reasoning { text, summary: false });
    if let Some(signature) = signature {
        // Only Mistral and Claude-shaped histories write such chunks, and only Mistral's have a list inside.
        let mistral = fields.get("thinking").is_some_and(|inner| inner.kind() == Kind::Array);
        let vendor = if mistral { "mistral" } else { "anthropic" };
        match open(&signature, vendor, StateKind::Signature, reader.sealer) {
            Carried::State(state) => part.state = Some(state),
            Carried::Unreadable => reader.unreadable_state(at),
        }
    }
    part.extras = fields.unknown(&["type", "thinking", "signature", "closed"], ID);
    Ok(part)
}
