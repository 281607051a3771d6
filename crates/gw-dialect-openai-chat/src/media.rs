//! Media as this format writes them: data URLs, base64 with a format name, file objects.

use gw_core::{GatewayError, Source};
use gw_wire::data_url;

/// What a URL holds, judged by its MIME type and first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MediaKind {
    Image,
    Audio,
    Video,
    File,
}

/// A read URL.
#[derive(Debug)]
pub(crate) struct Read {
    /// Where the bytes are.
    pub(crate) source: Source,
    /// What they are, as far as known; `None` for plain URLs.
    pub(crate) kind: Option<MediaKind>,
    /// The written MIME type was wrong and was replaced.
    pub(crate) corrected: bool,
}

impl Read {
    /// Refuses data that cannot be base64; `param` is where it stands in the request.
    pub(crate) fn checked(self, param: String) -> Result<Self, GatewayError> {
        match &self.source {
            Source::Base64 { data, .. } if !data_url::is_base64(data) => {
                let message = format!("'{param}' is not valid base64");
                Err(GatewayError::bad_field(param, message))
            }
            _ => Ok(self),
        }
    }
}

/// Reads a URL, a data URL or bare base64. `hint` is the MIME type that the place suggests.
pub(crate) fn read_url(url: &str, hint: &str) -> Read {
    if let Some(data) = data_url::parse(url) {
        if data.base64 {
            return read_base64(data.payload, &data.mime);
        }
        if data.mime.starts_with("text/") {
            let source = Source::Text { mime: data.mime, text: percent_text(data.payload) };
            return Read { source, kind: Some(MediaKind::File), corrected: false };
        }
        return plain(url);
    }
    if !url.contains("://") && data_url::sniff_base64(url).is_some() {
        return read_base64(url, hint);
    }
    plain(url)
}

/// Reads base64 of a claimed MIME type.
pub(crate) fn read_base64(data: &str, claimed: &str) -> Read {
    let data: String = if data.bytes().any(|byte| byte.is_ascii_whitespace()) {
        data.split_ascii_whitespace().collect()
    } else {
        data.to_owned()
    };
    let (mime, corrected) = match data_url::sniff_base64(&data) {
        Some(found) if found != claimed && !same_type(found, claimed) => (found.to_owned(), !claimed.is_empty()),
        _ => (claimed.to_owned(), false),
    };
    let kind = kind_of(&mime);
    Read { source: Source::Base64 { mime, data }, kind: Some(kind), corrected }
}

fn plain(url: &str) -> Read {
    Read { source: Source::Url { url: url.to_owned(), mime: None }, kind: None, corrected: false }
}

fn same_type(found: &str, claimed: &str) -> bool {
    let plain = |mime: &str| match mime {
        "image/jpg" | "image/pjpeg" => "image/jpeg".to_owned(),
        "audio/x-wav" | "audio/wave" | "audio/vnd.wave" => "audio/wav".to_owned(),
        other => other.to_owned(),
    };
    plain(found) == plain(claimed)
}

fn kind_of(mime: &str) -> MediaKind {
    match mime.split('/').next() {
        Some("image") => MediaKind::Image,
        Some("audio") => MediaKind::Audio,
        Some("video") => MediaKind::Video,
        _ => MediaKind::File,
    }
}

fn percent_text(payload: &str) -> String {
    let mut out = Vec::with_capacity(payload.len());
    let mut bytes = payload.bytes();
    while let Some(byte) = bytes.next() {
        let rest = bytes.as_slice_pair();
        match rest.filter(|_| byte == b'%') {
            Some(value) => {
                out.push(value);
                bytes.next();
                bytes.next();
            }
            None => out.push(byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Reads the next two hexadecimal digits without moving.
trait HexPair {
    fn as_slice_pair(&self) -> Option<u8>;
}

impl HexPair for std::str::Bytes<'_> {
    fn as_slice_pair(&self) -> Option<u8> {
        let mut ahead = self.clone();
        let (high, low) = (char::from(ahead.next()?).to_digit(16)?, char::from(ahead.next()?).to_digit(16)?);
        u8::try_from(high * 16 + low).ok()
    }
}

/// MIME type of an audio container name.
pub(crate) fn audio_mime(format: &str) -> String {
    match format {
        "mp3" => "audio/mpeg".to_owned(),
        "pcm16" => "audio/pcm".to_owned(),
        other => format!("audio/{other}"),
    }
}

/// Container name for an audio MIME type.
pub(crate) fn audio_format(mime: &str) -> String {
    match mime {
        "audio/mpeg" | "audio/mp3" => "mp3".to_owned(),
        "audio/wav" | "audio/x-wav" | "audio/wave" | "audio/vnd.wave" => "wav".to_owned(),
        other => other.strip_prefix("audio/").unwrap_or("wav").to_owned(),
    }
}

/// `data:<mime>;base64,<data>`.
pub(crate) fn to_data_url(mime: &str, data: &str) -> String {
    format!("data:{mime};base64,{data}")
}

/// A file name for servers that require one.
pub(crate) fn default_filename(mime: &str) -> String {
    let extension = match mime {
        "application/pdf" => "pdf",
        "text/csv" => "csv",
        "text/html" => "html",
        "text/markdown" => "md",
        "application/json" => "json",
        mime if mime.starts_with("text/") => "txt",
        _ => "bin",
    };
    format!("document.{extension}")
}

#[cfg(test)]
mod tests {
    use gw_core::Source;

    use super::{MediaKind, read_base64, read_url};

    #[test]
    fn a_pdf_in_an_image_url_becomes_a_file() {
        let read = read_url("data:image/png;base64,JVBERi0xLjQ=", "image/png");
        assert_eq!(read.kind, Some(MediaKind::File));
        assert!(read.corrected);
        assert!(matches!(read.source, Source::Base64 { mime, .. } if mime == "application/pdf"));
    }

    #[test]
    fn data_urls_with_parameters_and_plain_text_are_read() {
        let read = read_url("data:image/jpg;name=a;base64,/9j/4A\nAQ", "");
        assert!(!read.corrected);
        assert_eq!(read.source, Source::Base64 { mime: "image/jpg".into(), data: "/9j/4AAQ".into() });
        let text = read_url("data:text/plain,a%20b%zz", "");
        assert_eq!(text.source, Source::Text { mime: "text/plain".into(), text: "a b%zz".into() });
        assert!(read_url("https://x/y.png", "").kind.is_none());
        assert_eq!(read_base64("iVBORw0KGgo=", "").kind, Some(MediaKind::Image));
    }
}
