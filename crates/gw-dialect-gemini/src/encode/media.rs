//! Images, sound, video and documents, in turns and inside tool results.

use gw_core::{Field, LossAction, LossClass, Part, PartBody, Place, RawJson, Source};
use gw_spi::ReasoningStyle;
use gw_wire::{JsonWriter, data_url};

use super::Plan;
use super::contents::{object, own_extras, plain, sign};
use super::under;
use crate::ID;
use crate::carrier::base64_of;
use crate::parts::youtube;

/// What a tool result holds for Gemini.
pub(super) struct Inside {
    /// Its text.
    pub(super) text: String,
    /// Media for `functionResponse.parts`.
    pub(super) media: Vec<RawJson>,
}

impl Plan<'_> {
    /// Writes a media part, or reports why it cannot be sent.
    pub(super) fn media(&mut self, place: Place, part: &Part, signature: Option<&str>, parts: &mut Vec<RawJson>) {
        if let PartBody::SearchResult { text, .. } = &part.body {
            let note = "a search result was sent as plain text";
            self.lose_at(place, Field::SearchResult, LossClass::Approximated, LossAction::Approximated, note);
            if !text.is_empty() {
                parts.push(object(|writer| writer.field_str("text", text)));
            }
            return;
        }
        let Some((field, accepted, urls, fallback)) = self.kind_of(&part.body) else { return };
        if !accepted && !self.own() {
            let note = "the target takes no such media";
            self.lose_at(place, field, LossClass::Semantic, LossAction::Dropped, note);
            return;
        }
        let Some(source) = source_of(&part.body) else { return };
        let Some(carrier) = self.carrier(place, field, source, urls, fallback, part) else { return };
        self.file_losses(place, part, parts);
        let resolution = self.resolution(place, &part.body);
        let own = self.own();
        parts.push(object(|writer| {
            carrier.write(writer, part, own);
            if let PartBody::Video { metadata: Some(metadata), .. } = &part.body {
                writer.field_raw("videoMetadata", metadata);
            }
            if let Some(level) = resolution {
                writer.field_object("mediaResolution", |writer| writer.field_str("level", level));
            }
            sign(writer, signature);
            own_extras(writer, part);
        }));
    }

    /// Field, whether the target takes it, whether it fetches URLs, and the MIME type to assume.
    fn kind_of(&self, body: &PartBody) -> Option<(Field, bool, bool, String)> {
        let capabilities = self.context.capabilities;
        Some(match body {
            PartBody::Image { .. } => {
                (Field::Image, capabilities.image_input, capabilities.image_urls, "image/jpeg".to_owned())
            }
            PartBody::Audio { format, .. } => {
                let mime = format!("audio/{}", format.as_deref().unwrap_or("wav"));
                (Field::Audio, capabilities.audio_input, capabilities.file_urls, mime)
            }
            PartBody::Video { .. } => {
                (Field::Video, capabilities.video_input, capabilities.file_urls, "video/mp4".to_owned())
            }
            PartBody::File { .. } => {
                (Field::File, capabilities.file_input, capabilities.file_urls, "application/pdf".to_owned())
            }
            _ => return None,
        })
    }

    fn carrier(
        &mut self,
        place: Place,
        field: Field,
        source: &Source,
        urls: bool,
        fallback: String,
        part: &Part,
    ) -> Option<Carrier> {
        match source {
            Source::Base64 { mime, data } => {
                let mime = if mime.is_empty() {
                    data_url::sniff_base64(data).map_or(fallback, str::to_owned)
                } else {
                    mime.clone()
                };
                Some(Carrier::Inline { mime, data: data.clone() })
            }
            Source::Text { mime, text } => {
                let mime = if mime.is_empty() { "text/plain".to_owned() } else { mime.clone() };
                Some(Carrier::Inline { mime, data: base64_of(text) })
            }
            Source::Url { url, mime } => {
                let reachable = self.own() || urls || url.starts_with("gs://") || youtube(url);
                if !reachable {
                    let note = "the target does not fetch public URLs; send the bytes instead";
                    self.lose_at(place, field, LossClass::Semantic, LossAction::Dropped, note);
                    return None;
                }
                // An image URL without a stated type is an image all the same.
                let assumed = matches!(part.body, PartBody::Image { .. }) && !self.own();
                let mime =
                    mime.clone().or_else(|| by_extension(url).map(str::to_owned)).or(assumed.then_some(fallback));
                Some(Carrier::File { uri: url.clone(), mime })
            }
            Source::VendorFile { dialect, id, mime } if *dialect == ID => {
                Some(Carrier::File { uri: id.clone(), mime: mime.clone() })
            }
            Source::VendorFile { .. } => {
                let note = "a file stored at another vendor cannot be read by the target";
                self.lose_at(place, field, LossClass::Semantic, LossAction::Dropped, note);
                None
            }
        }
    }

    fn file_losses(&mut self, place: Place, part: &Part, parts: &mut Vec<RawJson>) {
        let PartBody::File { filename, context, citations, .. } = &part.body else { return };
        if filename.is_some() && !self.own() {
            let note = "the file name is not sent";
            self.lose_at(place, Field::File, LossClass::Advisory, LossAction::Dropped, note);
        }
        if let Some(context) = context {
            let note = "the document's context was sent as text before it";
            self.lose_at(place, Field::File, LossClass::Approximated, LossAction::Approximated, note);
            parts.push(object(|writer| writer.field_str("text", context)));
        }
        if *citations {
            let note = "the target does not cite documents";
            self.lose_at(place, Field::Citations, LossClass::Approximated, LossAction::Dropped, note);
        }
    }

    fn resolution(&mut self, place: Place, body: &PartBody) -> Option<&'static str> {
        let PartBody::Image { detail: Some(detail), .. } = body else { return None };
        let level = match detail.as_str() {
            "auto" => return None,
            "low" => Some("MEDIA_RESOLUTION_LOW"),
            "medium" => Some("MEDIA_RESOLUTION_MEDIUM"),
            "high" => Some("MEDIA_RESOLUTION_HIGH"),
            "original" => Some("MEDIA_RESOLUTION_ULTRA_HIGH"),
            _ => None,
        };
        // Per-part resolution came with the models that have thinking levels.
        let taken = self.own() || self.context.capabilities.reasoning == ReasoningStyle::Level;
        if level.is_none() || !taken {
            let note = "the target takes no such image detail";
            self.lose_at(place, Field::ImageDetail, LossClass::Advisory, LossAction::Dropped, note);
            return None;
        }
        level
    }

    /// The content of a tool result. Media that may not stand inside go to `hoisted`, named by a number.
    pub(super) fn result_content(&mut self, place: Place, content: &[Part], hoisted: &mut Vec<RawJson>) -> Inside {
        let mut inside = Inside { text: String::new(), media: Vec::new() };
        let say = |line: &str, text: &mut String| {
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(line);
        };
        for part in content {
            self.inner_losses(place, part);
            if let Some(text) = plain(part) {
                say(text, &mut inside.text);
                continue;
            }
            match &part.body {
                PartBody::SearchResult { text, .. } => {
                    let note = "a search result was sent as plain text";
                    self.lose_at(place, Field::SearchResult, LossClass::Approximated, LossAction::Approximated, note);
                    say(text, &mut inside.text);
                }
                PartBody::Opaque { raw, .. } => {
                    let note = "an unknown block in a tool result was sent as JSON text";
                    self.lose_at(place, Field::Unknown, LossClass::Approximated, LossAction::Approximated, note);
                    say(raw.as_str(), &mut inside.text);
                }
                PartBody::Image { .. } | PartBody::Audio { .. } | PartBody::Video { .. } | PartBody::File { .. } => {
                    let mut written = Vec::new();
                    self.media(place, part, None, &mut written);
                    if written.is_empty() {
                        continue;
                    }
                    if self.context.capabilities.media_in_tool_results || self.own() {
                        inside.media.extend(written);
                        continue;
                    }
                    let label = format!("[attachment {}]", hoisted.len() / 2 + 1);
                    say(&label, &mut inside.text);
                    hoisted.push(object(|writer| writer.field_str("text", &label)));
                    hoisted.extend(written);
                    let note = "media of a tool result were moved behind the results";
                    self.lose_at(
                        place,
                        Field::ToolResultMedia,
                        LossClass::Approximated,
                        LossAction::Approximated,
                        note,
                    );
                }
                _ => {
                    let note = "a tool result cannot hold such a part";
                    self.lose_at(place, Field::Unknown, LossClass::Semantic, LossAction::Dropped, note);
                }
            }
        }
        inside
    }

    fn inner_losses(&mut self, place: Place, part: &Part) {
        if part.cache.is_some() {
            let note = super::MARK_NOTE;
            self.lose_at(place, Field::CacheMark, LossClass::Performance, LossAction::Dropped, note);
        }
        for _ in part.extras.iter().filter(|extra| extra.dialect != ID) {
            self.losses.push(super::unknown(place));
        }
    }
}

enum Carrier {
    Inline { mime: String, data: String },
    File { uri: String, mime: Option<String> },
}

impl Carrier {
    /// `own`: only a request of this format can have named a blob; other names were reported as lost.
    fn write(&self, writer: &mut JsonWriter, part: &Part, own: bool) {
        let name = match &part.body {
            PartBody::File { filename: Some(name), .. } => Some(name),
            _ => None,
        };
        match self {
            Self::Inline { mime, data } => writer.field_object("inlineData", |writer| {
                writer.field_str("mimeType", mime);
                writer.field_str("data", data);
                named(writer, name.filter(|_| own));
                under(&part.extras, "inlineData").iter().for_each(|(name, extra)| writer.field_raw(name, &extra.value));
            }),
            Self::File { uri, mime } => writer.field_object("fileData", |writer| {
                if let Some(mime) = mime {
                    writer.field_str("mimeType", mime);
                }
                writer.field_str("fileUri", uri);
                named(writer, name.filter(|_| own));
                under(&part.extras, "fileData").iter().for_each(|(name, extra)| writer.field_raw(name, &extra.value));
            }),
        }
    }
}

fn named(writer: &mut JsonWriter, name: Option<&String>) {
    if let Some(name) = name {
        writer.field_str("displayName", name);
    }
}

fn source_of(body: &PartBody) -> Option<&Source> {
    match body {
        PartBody::Image { source, .. }
        | PartBody::Audio { source, .. }
        | PartBody::Video { source, .. }
        | PartBody::File { source, .. } => Some(source),
        _ => None,
    }
}

fn by_extension(url: &str) -> Option<&'static str> {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    let extension = path.rsplit_once('.')?.1.to_ascii_lowercase();
    Some(match extension.as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "gif" => "image/gif",
        "heic" => "image/heic",
        "pdf" => "application/pdf",
        "txt" => "text/plain",
        "mp3" => "audio/mp3",
        "wav" => "audio/wav",
        "mp4" => "video/mp4",
        "webm" => "video/webm",
        "mov" => "video/quicktime",
        _ => return None,
    })
}
