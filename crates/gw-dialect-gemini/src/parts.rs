//! One `Part` object to canonical parts: shared by request history and replies.

use gw_core::{Extra, GatewayError, OpaqueState, Part, PartBody, RawJson, Source, ToolKind};
use gw_wire::{Json, JsonWriter, Kind, data_url};

use crate::ID;
use crate::view::View;

const KNOWN: &[&str] = &[
    "text",
    "thought",
    "thoughtSignature",
    "inlineData",
    "fileData",
    "functionCall",
    "functionResponse",
    "executableCode",
    "codeExecutionResult",
    "toolCall",
    "toolResponse",
    "audioTranscription",
    "speechMetadata",
    "videoMetadata",
    "mediaResolution",
];

/// Parts that only this vendor understands: kept whole.
const OPAQUE: &[&str] =
    &["executableCode", "codeExecutionResult", "toolCall", "toolResponse", "audioTranscription", "speechMetadata"];

/// Reads one part. An object may hold several contents (it should not): each becomes a part. `state` makes the opaque
/// state of a signature. Calls and results without id have an empty `call_id`.
///
/// # Errors
/// A member of the wrong type, named in the caller's notation.
pub(crate) fn read_part(
    json: Json<'_>,
    path: String,
    state: &mut dyn FnMut(&str) -> Option<OpaqueState>,
) -> Result<Vec<Part>, GatewayError> {
    if let Some(text) = json.str() {
        return Ok(vec![Part::text(text)]);
    }
    let view = View::new(json, path)?;
    if let Some(name) = OPAQUE.iter().find(|name| view.get(name).is_some()) {
        let body = PartBody::Opaque { dialect: ID, type_name: (*name).to_owned(), raw: json.to_raw() };
        return Ok(vec![Part::new(body)]);
    }
    let thought = view.bool("thought")?.unwrap_or(false);
    let signature = view.str("thoughtSignature")?;
    let mut bodies: Vec<(PartBody, Vec<Extra>)> = Vec::new();
    if let Some(text) = view.string("text")? {
        let body = if thought {
            PartBody::Reasoning { text, summary: true }
        } else if text.is_empty() && signature.is_some() && !has_other_content(&view) {
            // A signature that closes an answer: state without words.
            PartBody::Reasoning { text, summary: false }
        } else {
            PartBody::Text { text, citations: Vec::new() }
        };
        bodies.push((body, Vec::new()));
    }
    if let Some(blob) = view.view("inlineData")? {
        bodies.push(read_blob(&blob, &view, true)?);
    }
    if let Some(file) = view.view("fileData")? {
        bodies.push(read_blob(&file, &view, false)?);
    }
    if let Some(call) = view.view("functionCall")? {
        bodies.push(read_call(&call)?);
    }
    if let Some(response) = view.view("functionResponse")? {
        bodies.push(read_response(&response)?);
    }
    if bodies.is_empty() {
        if signature.is_some() {
            bodies.push((PartBody::Reasoning { text: String::new(), summary: thought }, Vec::new()));
        } else if json.members().next().is_some() {
            let type_name = json.members().next().map(|(name, _)| name.into_owned()).unwrap_or_default();
            let body = PartBody::Opaque { dialect: ID, type_name, raw: json.to_raw() };
            return Ok(vec![Part::new(body)]);
        }
    }
    let opened = signature.as_deref().and_then(state);
    let last = bodies.len().saturating_sub(1);
    let parts = bodies.into_iter().enumerate().map(|(at, (body, extras))| {
        let mut part = Part::new(body);
        part.extras = extras;
        if at == last {
            part.state.clone_from(&opened);
            part.extras.extend(view.unknown(KNOWN, ""));
        }
        part
    });
    Ok(parts.collect())
}

fn has_other_content(view: &View<'_>) -> bool {
    ["inlineData", "fileData", "functionCall", "functionResponse"].iter().any(|name| view.get(name).is_some())
}

/// `inlineData` or `fileData` with the part-level options that belong to media.
fn read_blob(blob: &View<'_>, part: &View<'_>, inline: bool) -> Result<(PartBody, Vec<Extra>), GatewayError> {
    let mime = blob.string("mimeType")?.filter(|mime| !mime.is_empty());
    let source = if inline {
        let data = blob.string("data")?.ok_or_else(|| blob.missing("data"))?;
        if !data_url::is_base64(&data) {
            let param = blob.param("data");
            let message = format!("'{param}' is not valid base64");
            return Err(GatewayError::bad_field(param, message));
        }
        // Google's own clients write the URL alphabet; other targets know the standard one only.
        let data = if data.contains(['-', '_']) { data.replace('-', "+").replace('_', "/") } else { data };
        let mime = mime.clone().or_else(|| data_url::sniff_base64(&data).map(str::to_owned)).unwrap_or_default();
        Source::Base64 { mime, data }
    } else {
        let uri = blob.string("fileUri")?.ok_or_else(|| blob.missing("fileUri"))?;
        if vendor_file(&uri) {
            Source::VendorFile { dialect: ID, id: uri, mime: mime.clone() }
        } else {
            Source::Url { url: uri, mime: mime.clone() }
        }
    };
    let kind = match &source {
        Source::Base64 { mime, .. } => mime.clone(),
        Source::Url { url, .. } if mime.is_none() && youtube(url) => "video/".to_owned(),
        _ => mime.unwrap_or_default(),
    };
    let prefix = if inline { "inlineData." } else { "fileData." };
    let mut extras = blob.unknown(&["mimeType", "data", "fileUri", "displayName"], prefix);
    let filename = blob.string("displayName")?;
    let mut metadata = part.get("videoMetadata").map(|value| value.to_raw());
    let mut resolution = part.get("mediaResolution");
    let body = match kind.split('/').next() {
        Some("image") => {
            let detail = resolution.and_then(detail_of);
            if detail.is_some() {
                resolution = None;
            }
            PartBody::Image { source, detail }
        }
        Some("audio") => {
            let format = kind.split('/').nth(1).and_then(|rest| rest.split(';').next()).map(str::to_owned);
            PartBody::Audio { source, format }
        }
        Some("video") => PartBody::Video { source, metadata: metadata.take() },
        _ => PartBody::File { source, filename: filename.clone(), context: None, citations: false },
    };
    if let (Some(name), false) = (filename, matches!(body, PartBody::File { .. })) {
        let mut writer = JsonWriter::new();
        writer.string(&name);
        extras.push(Extra { dialect: ID, name: format!("{prefix}displayName"), value: writer.into_raw() });
    }
    let rest = [("videoMetadata", metadata), ("mediaResolution", resolution.map(|value| value.to_raw()))];
    for (name, value) in rest {
        extras.extend(value.map(|value| Extra { dialect: ID, name: name.to_owned(), value }));
    }
    Ok((body, extras))
}

/// Whether a URI names a file that only Google can read.
fn vendor_file(uri: &str) -> bool {
    uri.starts_with("gs://")
        || uri.starts_with("https://generativelanguage.googleapis.com/")
        || uri.starts_with("files/")
}

/// Whether a URL names a YouTube video, which Google reads itself.
pub(crate) fn youtube(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).unwrap_or(url);
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    matches!(host, "youtube.com" | "www.youtube.com" | "m.youtube.com" | "youtu.be")
}

/// `mediaResolution` (`{level}` or the word itself) as an image detail; `None` when it has no equal.
fn detail_of(value: Json<'_>) -> Option<String> {
    let only_level = value.kind() == Kind::Object && value.members().count() == 1;
    let word = value.str().or_else(|| value.get("level").filter(|_| only_level).and_then(|level| level.str()))?;
    let detail = match word.as_ref() {
        "MEDIA_RESOLUTION_LOW" => "low",
        "MEDIA_RESOLUTION_MEDIUM" => "medium",
        "MEDIA_RESOLUTION_HIGH" => "high",
        "MEDIA_RESOLUTION_ULTRA_HIGH" => "original",
        _ => return None,
    };
    Some(detail.to_owned())
}

fn read_call(call: &View<'_>) -> Result<(PartBody, Vec<Extra>), GatewayError> {
    let arguments = match call.get("args") {
        Some(args) if args.kind() == Kind::Object => args.raw().to_owned(),
        Some(_) => return Err(call.wrong("args", "an object")),
        None => "{}".to_owned(),
    };
    let body = PartBody::ToolCall {
        call_id: call.string("id")?.unwrap_or_default(),
        name: call.string("name")?.unwrap_or_default(),
        arguments,
        kind: ToolKind::Function,
    };
    Ok((body, call.unknown(&["id", "name", "args"], "functionCall.")))
}

fn read_response(response: &View<'_>) -> Result<(PartBody, Vec<Extra>), GatewayError> {
    let value = response.get("response");
    if value.is_some_and(|value| value.kind() != Kind::Object) {
        return Err(response.wrong("response", "an object"));
    }
    // The object itself is the result; only media stand beside it.
    let mut content: Vec<Part> = Vec::new();
    for (item, path) in response.list("parts")? {
        content.extend(read_part(item, path, &mut |_| None)?);
    }
    let body = PartBody::ToolResult {
        call_id: response.string("id")?.unwrap_or_default(),
        name: response.string("name")?,
        content,
        json: value.map(|value| value.to_raw()),
        is_error: value.is_some_and(failed),
    };
    Ok((body, response.unknown(&["id", "name", "response", "parts"], "functionResponse.")))
}

/// Whether a result object says, by its only member, that the tool failed.
fn failed(value: Json<'_>) -> bool {
    let mut members = value.members();
    matches!((members.next(), members.next()), (Some((name, _)), None) if name == "error")
}

/// A raw object with one member.
pub(crate) fn object_of(name: &str, value: &str) -> RawJson {
    let mut writer = JsonWriter::new();
    writer.object(|writer| writer.key(name).raw(value));
    writer.into_raw()
}
