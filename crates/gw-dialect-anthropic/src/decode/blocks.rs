//! Content blocks of requests.

use gw_core::{
    CacheMark, Citation, Extra, GatewayError, Loss, LossAction, LossClass, OpaqueState, Part, PartBody, Place, Source,
    StateKind, ToolKind,
};
use gw_spi::{Fields, StateSealer};
use gw_wire::{Json, JsonWriter, Kind, data_url};

use crate::raw::object_without;
use crate::{ID, VENDOR, citation};

/// Reads content blocks and collects what had to be left out.
pub(super) struct BlockReader<'a> {
    pub(super) sealer: &'a dyn StateSealer,
    pub(super) losses: Vec<Loss>,
    /// The canonical message being read.
    pub(super) place: Place,
}

/// `cache_control` of an object.
pub(super) fn cache_mark(fields: &Fields<'_>) -> Result<Option<CacheMark>, GatewayError> {
    match fields.object("cache_control")? {
        Some(mark) => Ok(Some(CacheMark { ttl: mark.string("ttl")? })),
        None => Ok(None),
    }
}

impl BlockReader<'_> {
    /// An array of blocks; `path` is the array's own.
    pub(super) fn blocks(&mut self, array: Json<'_>, path: &str) -> Result<Vec<Part>, GatewayError> {
        let mut parts: Vec<Part> = Vec::new();
        for (index, item) in array.items().enumerate() {
            self.place.part = u32::try_from(parts.len()).ok();
            let Some(part) = self.block(item, format!("{path}[{index}]"))? else { continue };
            match parts.last_mut() {
                Some(before) if belongs_to(&part, before) => before.state = part.state,
                _ => parts.push(part),
            }
        }
        Ok(parts)
    }

    /// One block; `None` when nothing of it can be kept.
    fn block(&mut self, value: Json<'_>, path: String) -> Result<Option<Part>, GatewayError> {
        let fields = Fields::new(value, path)?;
        let Some(kind) = fields.str("type")? else { return Err(fields.missing("type")) };
        let mut known: &[&str] = &[];
        let mut part = match kind.as_ref() {
            "text" => {
                known = &["type", "text", "citations", "cache_control"];
                let text = fields.required_string("text")?;
                Part::new(PartBody::Text { text, citations: citations(&fields)? })
            }
            "image" => {
                known = &["type", "source", "cache_control"];
                let source = media(&fields)?;
                Part::new(PartBody::Image { source, detail: None })
            }
            "document" => return self.document(&fields).map(Some),
            "thinking" => {
                known = &["type", "thinking", "signature", "cache_control"];
                let text = fields.string("thinking")?.unwrap_or_default();
                let signature = fields.string("signature")?.unwrap_or_default();
                let mut part = Part::new(PartBody::Reasoning { text, summary: false });
                part.state = self.state(signature, StateKind::Signature);
                part
            }
            "redacted_thinking" => {
                known = &["type", "data", "cache_control"];
                let data = fields.required_string("data")?;
                let Some(state) = self.state(data, StateKind::Redacted) else { return Ok(None) };
                let mut part = Part::new(PartBody::Reasoning { text: String::new(), summary: false });
                part.state = Some(state);
                part
            }
            "tool_use" => {
                known = &["type", "id", "name", "input", "cache_control"];
                Part::new(tool_use(&fields)?)
            }
            "tool_result" => {
                known = &["type", "tool_use_id", "content", "is_error", "cache_control"];
                Part::new(self.tool_result(&fields)?)
            }
            "search_result" => {
                let raw = object_without(value, &["cache_control"]);
                Part::new(PartBody::SearchResult { raw, text: search_text(value) })
            }
            other => {
                let raw = object_without(value, &["cache_control"]);
                Part::new(PartBody::Opaque { dialect: ID, type_name: other.to_owned(), raw })
            }
        };
        part.cache = cache_mark(&fields)?;
        if !known.is_empty() {
            part.extras = fields.unknown(known, ID);
            // The caller of every ordinary call: says nothing.
            part.extras.retain(|extra| extra.name != "caller" || !is_direct(value));
        }
        Ok(Some(part))
    }

    /// Vendor state as the client gave it back: an envelope of this gateway, or the vendor's own value.
    fn state(&mut self, text: String, kind: StateKind) -> Option<OpaqueState> {
        if text.is_empty() {
            return None;
        }
        if let Some(opened) = self.sealer.open(&text) {
            return (!opened.payload.is_empty()).then_some(opened);
        }
        if self.sealer.is_envelope(&text) {
            let note = "a reasoning envelope that this gateway cannot open was left out";
            let loss = Loss::new(gw_core::Field::ReasoningState, LossClass::Approximated, LossAction::Dropped, note);
            self.losses.push(loss.at(self.place));
            return None;
        }
        Some(OpaqueState { vendor: VENDOR.to_owned(), model: None, kind, payload: text })
    }

    fn document(&mut self, fields: &Fields<'_>) -> Result<Part, GatewayError> {
        let source = fields.object("source")?.ok_or_else(|| fields.missing("source"))?;
        let mut extras = fields.unknown(&["type", "source", "title", "context", "citations", "cache_control"], ID);
        let content = match source.str("type")?.as_deref() {
            Some("content") => Some(source.get("content").ok_or_else(|| source.missing("content"))?),
            _ => None,
        };
        let source = match content {
            Some(content) => {
                let Some(text) = plain_text(content) else {
                    // Mixed content has no canonical shape: the block stays the vendor's own.
                    let raw = object_without(fields.json(), &["cache_control"]);
                    let mut part = Part::new(PartBody::Opaque { dialect: ID, type_name: "document".to_owned(), raw });
                    part.cache = cache_mark(fields)?;
                    return Ok(part);
                };
                extras.push(Extra { dialect: ID, name: "source".to_owned(), value: source.json().to_raw() });
                Source::Text { mime: "text/plain".to_owned(), text }
            }
            None => media(fields)?,
        };
        let citations = match fields.object("citations")? {
            Some(citations) => citations.bool("enabled")?.unwrap_or(false),
            None => false,
        };
        let body =
            PartBody::File { source, filename: fields.string("title")?, context: fields.string("context")?, citations };
        Ok(Part { body, cache: cache_mark(fields)?, state: None, extras })
    }

    fn tool_result(&mut self, fields: &Fields<'_>) -> Result<PartBody, GatewayError> {
        let outer = self.place;
        let content = match fields.get("content") {
            None => Vec::new(),
            Some(text) if text.kind() == Kind::String => vec![Part::text(text.string().unwrap_or_default())],
            Some(array) if array.kind() == Kind::Array => self.blocks(array, &fields.param("content"))?,
            Some(_) => return Err(fields.wrong("content", "a string or an array of content blocks")),
        };
        self.place = outer;
        Ok(PartBody::ToolResult {
            call_id: fields.required_string("tool_use_id")?,
            name: None,
            content,
            json: None,
            is_error: fields.bool("is_error")?.unwrap_or(false),
        })
    }
}

/// State of another vendor's call or text travels in a block of its own right after it (see the stream encoder).
fn belongs_to(part: &Part, before: &Part) -> bool {
    let PartBody::Reasoning { text, .. } = &part.body else { return false };
    let foreign = part
        .state
        .as_ref()
        .is_some_and(|state| state.kind == StateKind::Signature && state.vendor != VENDOR && text.is_empty());
    foreign && before.state.is_none() && matches!(before.body, PartBody::ToolCall { .. } | PartBody::Text { .. })
}

fn citations(fields: &Fields<'_>) -> Result<Vec<Citation>, GatewayError> {
    let Some(list) = fields.array("citations")? else { return Ok(Vec::new()) };
    let mut citations = Vec::new();
    for (index, item) in list.items().enumerate() {
        match citation::read(item) {
            Some(read) => citations.push(read),
            None => {
                let param = format!("{}[{index}]", fields.param("citations"));
                let message = format!("'{param}' must be an object, not {}", item.kind().described());
                return Err(GatewayError::bad_field(param, message));
            }
        }
    }
    Ok(citations)
}

fn tool_use(fields: &Fields<'_>) -> Result<PartBody, GatewayError> {
    let arguments = match fields.get("input") {
        None => "{}".to_owned(),
        Some(input) if input.kind() == Kind::Object => input.raw().to_owned(),
        Some(_) => return Err(fields.wrong("input", "an object")),
    };
    Ok(PartBody::ToolCall {
        call_id: fields.required_string("id")?,
        name: fields.required_string("name")?,
        arguments,
        kind: ToolKind::Function,
    })
}

/// Whether a call was made by the model itself, not by code that it wrote.
fn is_direct(block: Json<'_>) -> bool {
    let caller = block.get_some("caller").and_then(|caller| caller.get_some("type"));
    caller.and_then(|kind| kind.str()).is_some_and(|kind| kind == "direct")
}

/// `source` of an image or document.
fn media(fields: &Fields<'_>) -> Result<Source, GatewayError> {
    let source = fields.object("source")?.ok_or_else(|| fields.missing("source"))?;
    match source.str("type")?.as_deref() {
        Some("base64") => base64(&source),
        Some("url") => Ok(Source::Url { url: required_text(&source, "url")?, mime: None }),
        Some("file") => Ok(Source::VendorFile { dialect: ID, id: required_text(&source, "file_id")?, mime: None }),
        Some("text") => Ok(Source::Text {
            mime: source.string("media_type")?.unwrap_or_else(|| "text/plain".to_owned()),
            text: source.required_string("data")?,
        }),
        Some(other) => {
            let param = source.param("type");
            let message = format!("'{param}' must be 'base64', 'url', 'file' or 'text', not '{other}'");
            Err(GatewayError::bad_field(param, message))
        }
        None => Err(source.missing("type")),
    }
}

fn base64(source: &Fields<'_>) -> Result<Source, GatewayError> {
    let data = required_text(source, "data")?;
    let mime = source.string("media_type")?;
    // Some clients send a whole data URL where bare base64 is wanted.
    let (data, url_mime) = match data_url::parse(&data) {
        Some(parsed) if parsed.base64 => (parsed.payload.to_owned(), Some(parsed.mime)),
        _ => (data, None),
    };
    if !data_url::is_base64(&data) {
        let param = source.param("data");
        let message = format!("'{param}' is not valid base64");
        return Err(GatewayError::bad_field(param, message));
    }
    let mime = mime.or(url_mime).or_else(|| data_url::sniff_base64(&data).map(str::to_owned));
    let mime = mime.ok_or_else(|| source.missing("media_type"))?;
    Ok(Source::Base64 { mime, data })
}

fn required_text(fields: &Fields<'_>, name: &str) -> Result<String, GatewayError> {
    let text = fields.required_string(name)?;
    if text.is_empty() {
        let param = fields.param(name);
        let message = format!("'{param}' must not be empty");
        return Err(GatewayError::bad_field(param, message));
    }
    Ok(text)
}

/// Joined text of a string or of blocks that are all text; `None` when there is anything else.
fn plain_text(content: Json<'_>) -> Option<String> {
    if let Some(text) = content.string() {
        return Some(text);
    }
    let texts: Option<Vec<String>> = content
        .items()
        .map(|block| {
            let is_text = block.get_some("type").and_then(|kind| kind.str()).is_some_and(|kind| kind == "text");
            is_text.then(|| block.get_some("text").and_then(|text| text.string())).flatten()
        })
        .collect();
    (content.kind() == Kind::Array).then_some(texts).flatten().map(|texts| texts.join("\n"))
}

/// Readable form of a search result: title, source, text.
fn search_text(block: Json<'_>) -> String {
    let mut lines: Vec<String> =
        ["title", "source"].iter().filter_map(|name| block.get_some(name).and_then(|value| value.string())).collect();
    if let Some(content) = block.get_some("content") {
        lines.extend(content.items().filter_map(|item| item.get_some("text").and_then(|text| text.string())));
    }
    lines.join("\n")
}

/// An object with only the members that are not in `known`; `None` when there are none.
pub(super) fn leftover(fields: &Fields<'_>, known: &[&str]) -> Option<gw_core::RawJson> {
    let rest = fields.unknown(known, ID);
    if rest.is_empty() {
        return None;
    }
    let mut writer = JsonWriter::new();
    writer.object(|w| rest.iter().for_each(|extra| w.field_raw(&extra.name, &extra.value)));
    Some(writer.into_raw())
}
