//! Citations of text blocks.

use gw_core::{Citation, CitationSource};
use gw_wire::{Json, JsonWriter, Kind};

use crate::ID;

/// Reads one citation object. A web citation without its encrypted index was made by a gateway from another vendor's
/// source: it must not be replayed as the vendor's own, so it keeps no raw form.
pub(crate) fn read(value: Json<'_>) -> Option<Citation> {
    if value.kind() != Kind::Object {
        return None;
    }
    let text = |name: &str| value.get_some(name).and_then(|found| found.string());
    let kind = text("type").unwrap_or_default();
    let mut own = true;
    let source = match kind.as_str() {
        "web_search_result_location" => {
            own = text("encrypted_index").is_some_and(|index| !index.is_empty());
            CitationSource::Url { url: text("url").unwrap_or_default(), title: text("title") }
        }
        "char_location" | "page_location" | "content_block_location" => CitationSource::Document {
            index: value.get_some("document_index").and_then(|index| index.u64()).and_then(|n| u32::try_from(n).ok()),
            title: text("document_title"),
        },
        "search_result_location" => match text("source") {
            Some(url) if url.starts_with("http") => CitationSource::Url { url, title: text("title") },
            _ => CitationSource::Document { index: None, title: text("title") },
        },
        _ => CitationSource::Other,
    };
    Some(Citation { span: None, source, cited_text: text("cited_text"), raw: own.then(|| (ID, value.to_raw())) })
}

/// Writes a citation for a client; `false` when this format has no shape for it.
pub(crate) fn write(w: &mut JsonWriter, citation: &Citation) -> bool {
    if let Some((dialect, raw)) = &citation.raw
        && *dialect == ID
    {
        w.raw(raw.as_str());
        return true;
    }
    let CitationSource::Url { url, title } = &citation.source else { return false };
    w.object(|w| {
        w.field_str("type", "web_search_result_location");
        w.field_str("url", url);
        match title {
            Some(title) => w.field_str("title", title),
            None => w.field_null("title"),
        }
        w.field_str("encrypted_index", "");
        w.field_str("cited_text", citation.cited_text.as_deref().unwrap_or_default());
    });
    true
}

/// Whether [`write`] can express it.
pub(crate) fn expressible(citation: &Citation) -> bool {
    matches!(&citation.raw, Some((dialect, _)) if *dialect == ID)
        || matches!(citation.source, CitationSource::Url { .. })
}
