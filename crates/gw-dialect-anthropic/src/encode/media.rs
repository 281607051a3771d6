//! Images and documents.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gw_core::{Field, LossClass, PartBody, Source};
use gw_wire::{JsonWriter, data_url};

use super::Encoder;
use super::turns::{Item, TurnRole};
use crate::{ID, VENDOR};

/// Image types that the target takes.
const IMAGES: &[&str] = &["image/jpeg", "image/png", "image/gif", "image/webp"];

/// A source in a shape that the target takes.
enum Sent<'s> {
    Base64 { mime: &'s str, data: &'s str },
    Url(&'s str),
    File(&'s str),
    Text(String),
}

impl Sent<'_> {
    fn write(&self, w: &mut JsonWriter) {
        w.object(|w| match self {
            Self::Base64 { mime, data } => {
                w.field_str("type", "base64");
                w.field_str("media_type", mime);
                w.field_str("data", data);
            }
            Self::Url(url) => {
                w.field_str("type", "url");
                w.field_str("url", url);
            }
            Self::File(id) => {
                w.field_str("type", "file");
                w.field_str("file_id", id);
            }
            Self::Text(text) => {
                w.field_str("type", "text");
                w.field_str("media_type", "text/plain");
                w.field_str("data", text);
            }
        });
    }
}

impl<'r> Encoder<'r> {
    pub(super) fn image(
        &mut self,
        w: &mut JsonWriter,
        item: &Item<'r>,
        source: &'r Source,
        detail: Option<&str>,
        role: TurnRole,
    ) -> bool {
        if detail.is_some_and(|detail| detail != "auto") {
            self.lose_at(Field::ImageDetail, LossClass::Advisory, item.place, "the target has no image detail");
        }
        let parsed = inline(source);
        if parsed.as_ref().is_some_and(|(mime, _)| mime == "application/pdf") {
            // Some clients put documents where images belong.
            return self.document(w, item, role);
        }
        let capabilities = self.context.capabilities;
        let sent = match (source, &parsed) {
            _ if !capabilities.image_input => Err("the model takes no images"),
            _ if role != TurnRole::User && !self.own => Err("the target takes images only from the user"),
            (_, Some((mime, data))) if IMAGES.contains(&mime.as_str()) => Ok(Sent::Base64 { mime, data }),
            (_, Some(_)) => Err("the target takes JPEG, PNG, GIF and WebP images"),
            (Source::Url { url, .. }, None) if capabilities.image_urls => Ok(Sent::Url(url)),
            (Source::Url { .. }, None) => Err("the target fetches no image URLs"),
            (Source::VendorFile { dialect, id, .. }, None) if *dialect == ID => Ok(Sent::File(id)),
            (Source::VendorFile { .. }, None) => Err("a file stored at another vendor cannot be used"),
            (Source::Base64 { .. } | Source::Text { .. }, None) => Err("the image has no usable source"),
        };
        self.media(w, item, "image", Field::Image, sent)
    }

    pub(super) fn document(&mut self, w: &mut JsonWriter, item: &Item<'r>, role: TurnRole) -> bool {
        let (PartBody::File { source, .. } | PartBody::Image { source, .. }) = &item.part.body else { return false };
        let parsed = inline(source);
        let mime = parsed.as_ref().map_or("", |(mime, _)| mime.as_str());
        if mime.starts_with("image/") {
            return self.image(w, item, source, None, role);
        }
        let own_source = item.part.extras.iter().any(|extra| extra.dialect == ID && extra.name == "source");
        let capabilities = self.context.capabilities;
        let sent = match (source, &parsed) {
            _ if role != TurnRole::User && !self.own => Err("the target takes documents only from the user"),
            (Source::Text { text, .. }, _) if !text.is_empty() || own_source => Ok(Sent::Text(text.clone())),
            (_, Some((mime, data))) if is_text(mime) => match decoded(data) {
                Some(text) => Ok(Sent::Text(text)),
                None => Err("the document is said to be text, but is not UTF-8 in base64"),
            },
            _ if !capabilities.file_input => Err("the model takes no documents"),
            (_, Some((mime, data))) if mime == "application/pdf" => Ok(Sent::Base64 { mime, data }),
            (_, Some(_)) => Err("the target takes PDF and text documents"),
            (Source::Url { url, .. }, None) if capabilities.file_urls => Ok(Sent::Url(url)),
            (Source::Url { .. }, None) => Err("the target fetches no document URLs"),
            (Source::VendorFile { dialect, id, .. }, None) if *dialect == ID => Ok(Sent::File(id)),
            (Source::VendorFile { .. }, None) => Err("a file stored at another vendor cannot be used"),
            (Source::Base64 { .. } | Source::Text { .. }, None) => Err("the document is empty"),
        };
        self.media(w, item, "document", Field::File, sent)
    }

    fn media(
        &mut self,
        w: &mut JsonWriter,
        item: &Item<'r>,
        kind: &str,
        field: Field,
        sent: Result<Sent<'_>, &'static str>,
    ) -> bool {
        let sent = match sent {
            Ok(sent) => sent,
            Err(note) => {
                self.lose_at(field, LossClass::Semantic, item.place, note);
                return false;
            }
        };
        if matches!(sent, Sent::File(_)) && self.context.vendor == VENDOR {
            self.betas.insert("files-api-2025-04-14");
        }
        let raw_source = item.part.extras.iter().find(|extra| extra.dialect == ID && extra.name == "source");
        w.object(|w| {
            w.field_str("type", kind);
            match raw_source {
                Some(raw) if kind == "document" => w.field_raw("source", &raw.value),
                Some(_) | None => sent.write(w.key("source")),
            }
            if let PartBody::File { filename, context, citations, .. } = &item.part.body
                && kind == "document"
            {
                if let Some(title) = filename.as_deref().filter(|title| !title.is_empty()) {
                    w.field_str("title", title);
                }
                if let Some(context) = context.as_deref().filter(|context| !context.is_empty()) {
                    w.field_str("context", context);
                }
                if *citations {
                    w.field_object("citations", |w| w.field_bool("enabled", true));
                }
            }
            self.trailer(w, item);
        });
        true
    }
}

/// MIME type and base64 data of an inline source, the type corrected by what the data begins like.
fn inline(source: &Source) -> Option<(String, &str)> {
    let (mime, data) = match source {
        Source::Base64 { mime, data } => (mime.to_ascii_lowercase(), data.as_str()),
        Source::Url { url, .. } => {
            let parsed = data_url::parse(url).filter(|parsed| parsed.base64)?;
            (parsed.mime, parsed.payload)
        }
        Source::VendorFile { .. } | Source::Text { .. } => return None,
    };
    let sniffed = data_url::sniff_base64(data).map(str::to_owned);
    let mime = if mime == "image/jpg" { "image/jpeg".to_owned() } else { mime };
    (!data.is_empty()).then(|| (sniffed.unwrap_or(mime), data))
}

fn is_text(mime: &str) -> bool {
    mime.starts_with("text/")
        || matches!(mime, "application/json" | "application/xml" | "application/x-yaml" | "application/javascript")
}

fn decoded(data: &str) -> Option<String> {
    String::from_utf8(STANDARD.decode(data).ok()?).ok()
}
