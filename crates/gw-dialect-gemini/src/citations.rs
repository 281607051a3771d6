//! Grounding supports as citations, and citations as grounding metadata. Google counts bytes, the model characters.

use gw_core::{Citation, CitationSource, RawJson};
use gw_wire::{Json, JsonWriter};

/// A span of the answer and what supports it.
#[derive(Debug, Clone)]
pub(crate) struct Support {
    start: usize,
    end: Option<usize>,
    text: Option<String>,
    sources: Vec<CitationSource>,
}

/// Supports named by `groundingMetadata` and `citationMetadata` of a candidate.
pub(crate) fn supports(candidate: Json<'_>) -> Vec<Support> {
    let mut found = Vec::new();
    if let Some(grounding) = candidate.get("groundingMetadata") {
        let chunks: Vec<Json<'_>> =
            grounding.get("groundingChunks").map(|list| list.items().collect()).unwrap_or_default();
        for support in grounding.get("groundingSupports").into_iter().flat_map(|list| list.items()) {
            let Some(segment) = support.get("segment") else { continue };
            let indices = support.get("groundingChunkIndices").into_iter().flat_map(|list| list.items());
            let sources = indices
                .filter_map(|index| chunks.get(usize::try_from(index.u64()?).ok()?))
                .map(|chunk| source(*chunk))
                .collect();
            found.push(Support {
                start: number(segment, "startIndex").unwrap_or(0),
                end: number(segment, "endIndex"),
                text: segment.get("text").and_then(|text| text.string()).filter(|text| !text.is_empty()),
                sources,
            });
        }
    }
    let recited = candidate
        .get("citationMetadata")
        .and_then(|metadata| metadata.get("citationSources").or_else(|| metadata.get("citations")));
    for citation in recited.into_iter().flat_map(|list| list.items()) {
        let url = citation.get("uri").and_then(|uri| uri.string());
        let title = citation.get("title").and_then(|title| title.string());
        let source = url.map_or(CitationSource::Other, |url| CitationSource::Url { url, title });
        found.push(Support {
            start: number(citation, "startIndex").unwrap_or(0),
            end: number(citation, "endIndex"),
            text: None,
            sources: vec![source],
        });
    }
    found
}

fn number(object: Json<'_>, name: &str) -> Option<usize> {
    object.get(name).and_then(|value| value.u64()).and_then(|value| usize::try_from(value).ok())
}

fn source(chunk: Json<'_>) -> CitationSource {
    let Some((_, inner)) =
        chunk.members().find(|(_, value)| value.get("uri").is_some() || value.get("title").is_some())
    else {
        return match chunk.get("retrievedContext") {
            Some(_) => CitationSource::Document { index: None, title: None },
            None => CitationSource::Other,
        };
    };
    let title = inner.get("title").and_then(|title| title.string());
    match inner.get("uri").and_then(|uri| uri.string()) {
        Some(url) => CitationSource::Url { url, title },
        None => CitationSource::Document { index: None, title },
    }
}

/// Citations for one text part; what was used is taken out of `supports`.
pub(crate) fn cite(text: &str, supports: &mut Vec<Support>) -> Vec<Citation> {
    let mut citations = Vec::new();
    supports.retain(|support| {
        let Some((start, end)) = place(text, support) else { return true };
        let span = (characters(text, start), characters(text, end));
        for source in &support.sources {
            citations.push(Citation { span: Some(span), source: source.clone(), cited_text: None, raw: None });
        }
        false
    });
    citations
}

/// Byte range of a support in this text: as written when the words agree, else where the words stand.
fn place(text: &str, support: &Support) -> Option<(usize, usize)> {
    let end = support.end.unwrap_or(text.len());
    let written = text.get(support.start..end);
    match &support.text {
        None => written.map(|_| (support.start, end)),
        Some(words) if written == Some(words) => Some((support.start, end)),
        Some(words) => text.find(words.as_str()).map(|at| (at, at + words.len())),
    }
}

fn characters(text: &str, byte: usize) -> u32 {
    let count = text.get(..byte).map_or(0, |head| head.chars().count());
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Byte offset of a character index.
fn bytes(text: &str, character: u32) -> usize {
    let wanted = usize::try_from(character).unwrap_or(usize::MAX);
    text.char_indices().nth(wanted).map_or(text.len(), |(at, _)| at)
}

/// Gathers the citations of a candidate for a client.
#[derive(Debug, Default)]
pub(crate) struct Grounding {
    chunks: Vec<(String, Option<String>)>,
    /// Part index, byte range, words, index of the chunk.
    supports: Vec<(usize, usize, usize, String, usize)>,
}

impl Grounding {
    /// Adds a text part with its citations; sources without address have no place in this format.
    pub(crate) fn add(&mut self, part: usize, text: &str, citations: &[Citation]) {
        for citation in citations {
            let CitationSource::Url { url, title } = &citation.source else { continue };
            let entry = (url.clone(), title.clone());
            let chunk = match self.chunks.iter().position(|known| *known == entry) {
                Some(at) => at,
                None => {
                    self.chunks.push(entry);
                    self.chunks.len() - 1
                }
            };
            let (start, end) =
                citation.span.map_or((0, text.len()), |(start, end)| (bytes(text, start), bytes(text, end)));
            let words = text.get(start..end).unwrap_or_default().to_owned();
            self.supports.push((part, start, end, words, chunk));
        }
    }

    /// `groundingMetadata`; `None` when nothing was cited.
    pub(crate) fn metadata(&self) -> Option<RawJson> {
        if self.supports.is_empty() {
            return None;
        }
        let mut writer = JsonWriter::new();
        writer.object(|writer| {
            writer.field_array("groundingChunks", |writer| {
                for (url, title) in &self.chunks {
                    writer.object(|writer| {
                        writer.field_object("web", |writer| {
                            writer.field_str("uri", url);
                            if let Some(title) = title {
                                writer.field_str("title", title);
                            }
                        });
                    });
                }
            });
            writer.field_array("groundingSupports", |writer| {
                for (part, start, end, words, chunk) in &self.supports {
                    writer.object(|writer| {
                        writer.field_object("segment", |writer| {
                            writer.field_u64("partIndex", count(*part));
                            writer.field_u64("startIndex", count(*start));
                            writer.field_u64("endIndex", count(*end));
                            writer.field_str("text", words);
                        });
                        writer.field_array("groundingChunkIndices", |writer| writer.u64(count(*chunk)));
                    });
                }
            });
        });
        Some(writer.into_raw())
    }
}

fn count(value: usize) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}
