//! How reasoning and its opaque state travel in this format: `reasoning_details`, `thinking_blocks`, thinking chunks.

use std::borrow::Cow;

use gw_core::{OpaqueState, Part, PartBody, StateKind};
use gw_spi::{StateSealer, text_or};
use gw_wire::{Json, JsonWriter, Kind};

use crate::VENDOR;

/// Format tags that say whose reasoning it is.
const FORMATS: &[(&str, &str)] = &[
    ("anthropic-claude-v1", "anthropic"),
    ("google-gemini-v1", "gemini"),
    ("openai-responses-v1", "openai"),
    ("azure-openai-responses-v1", "azure"),
    ("xai-responses-v1", "xai"),
];

/// The vendor that a format tag names.
pub(crate) fn vendor_of_format(format: &str) -> Option<&'static str> {
    FORMATS.iter().find(|(tag, _)| *tag == format).map(|(_, vendor)| *vendor)
}

/// The format tag of a vendor.
pub(crate) fn format_of_vendor(vendor: &str) -> Option<&'static str> {
    FORMATS.iter().find(|(_, known)| *known == vendor).map(|(tag, _)| *tag)
}

/// The tag to write for a state, else for the vendor that answered.
pub(crate) fn format_tag<'s>(state: Option<&'s OpaqueState>, vendor: &'s str) -> &'s str {
    // An aggregator's state keeps the tag it came with in `model`.
    let kept = state.and_then(|state| state.model.as_deref()).filter(|model| vendor_of_format(model).is_some());
    let vendor = state.map_or(vendor, |state| state.vendor.as_str());
    kept.or_else(|| format_of_vendor(vendor)).unwrap_or(vendor)
}

/// What text in a state field turned out to be.
pub(crate) enum Carried {
    /// A state.
    State(OpaqueState),
    /// An envelope that this gateway cannot open.
    Unreadable,
}

/// Reads text from a client's state field: an envelope is opened, anything else is the vendor's own value.
pub(crate) fn open(text: &str, vendor: &str, kind: StateKind, sealer: &dyn StateSealer) -> Carried {
    if let Some(state) = sealer.open(text) {
        return Carried::State(state);
    }
    if sealer.is_envelope(text) {
        return Carried::Unreadable;
    }
    Carried::State(OpaqueState { vendor: vendor.to_owned(), model: None, kind, payload: text.to_owned() })
}

/// The text that carries a state to a client of this format.
pub(crate) fn carry<'s>(state: &'s OpaqueState, sealer: &dyn StateSealer) -> Cow<'s, str> {
    if state.vendor == VENDOR { Cow::Borrowed(&state.payload) } else { Cow::Owned(sealer.seal(state)) }
}

/// The text of a signature that stands where Google puts it: raw when it is Google's.
pub(crate) fn carry_google<'s>(state: &'s OpaqueState, sealer: &dyn StateSealer) -> Cow<'s, str> {
    if state.vendor == "gemini" { Cow::Borrowed(&state.payload) } else { Cow::Owned(sealer.seal(state)) }
}

/// `extra_content.google.thought_signature` of a message, delta or tool call.
pub(crate) fn google_signature(holder: Json<'_>) -> Option<Cow<'_, str>> {
    let google = holder.get_some("extra_content")?.get_some("google")?;
    google.get_some("thought_signature")?.str().filter(|text| !text.is_empty())
}

/// Writes `extra_content.google.thought_signature`.
pub(crate) fn write_google_signature(writer: &mut JsonWriter, signature: &str) {
    writer.field_object("extra_content", |extra| {
        extra.field_object("google", |google| google.field_str("thought_signature", signature));
    });
}

/// One item of `reasoning_details`.
#[derive(Debug)]
pub(crate) struct Detail<'d> {
    /// Readable text or summary; empty for encrypted items.
    pub(crate) text: Cow<'d, str>,
    /// Whether the text is a summary.
    pub(crate) summary: bool,
    /// Signature or encrypted data.
    pub(crate) state: Option<(StateKind, Cow<'d, str>)>,
    /// Format tag.
    pub(crate) format: Option<String>,
    /// Index as sent.
    pub(crate) index: Option<i64>,
}

impl<'d> Detail<'d> {
    /// Reads an item; `None` when its type is unknown.
    pub(crate) fn read(item: Json<'d>) -> Option<Self> {
        let text = |name: &str| item.get_some(name).and_then(|value| value.str()).unwrap_or(Cow::Borrowed(""));
        let format = item.get_some("format").and_then(|value| value.string());
        let index = item.get_some("index").and_then(|value| value.i64());
        let (body, summary, state) = match text_or(item.get_some("type"), "reasoning.text").as_ref() {
            "reasoning.text" => (text("text"), false, (StateKind::Signature, text("signature"))),
            "reasoning.summary" => (text("summary"), true, (StateKind::Signature, text("signature"))),
            "reasoning.encrypted" => {
                let claude = format.as_deref().and_then(vendor_of_format) == Some("anthropic");
                let kind = if claude { StateKind::Redacted } else { StateKind::Encrypted };
                (Cow::Borrowed(""), false, (kind, text("data")))
            }
            _ => return None,
        };
        let state = (!state.1.is_empty()).then_some(state);
        Some(Self { text: body, summary, state, format, index })
    }
}

/// Text and signature of a thinking chunk: `{type:"thinking", thinking: [{text}] | "text", signature?}`.
pub(crate) fn thinking_chunk(chunk: Json<'_>) -> (String, Option<Cow<'_, str>>) {
    let text = match chunk.get_some("thinking") {
        Some(inner) if inner.kind() == Kind::Array => inner
            .items()
            .filter_map(|item| item.get_some("text").and_then(|text| text.string()).or_else(|| item.string()))
            .collect(),
        Some(inner) => inner.string().unwrap_or_default(),
        None => String::new(),
    };
    (text, chunk.get_some("signature").and_then(|value| value.str()).filter(|text| !text.is_empty()))
}

/// Writes the items that stand for one reasoning part. `show` tells whether readable text may be written.
pub(crate) fn write_details(
    writer: &mut JsonWriter,
    part: &Part,
    index: u64,
    vendor: &str,
    show: bool,
    payload: impl Fn(&OpaqueState) -> String,
) {
    let PartBody::Reasoning { text, summary } = &part.body else { return };
    let state = part.state.as_ref();
    let signature = state.filter(|state| state.kind == StateKind::Signature);
    let sealed = state.filter(|state| state.kind != StateKind::Signature);
    let visible = show && !text.is_empty();
    if visible || signature.is_some() {
        writer.object(|item| {
            let (kind, name) = if *summary { ("reasoning.summary", "summary") } else { ("reasoning.text", "text") };
            item.field_str("type", kind);
            item.field_str(name, if visible { text } else { "" });
            if let Some(state) = signature {
                item.field_str("signature", &payload(state));
            }
            tail(item, index, format_tag(state, vendor));
        });
    }
    if let Some(state) = sealed {
        writer.object(|item| {
            item.field_str("type", "reasoning.encrypted");
            item.field_str("data", &payload(state));
            tail(item, index, format_tag(Some(state), vendor));
        });
    }
}

fn tail(item: &mut JsonWriter, index: u64, format: &str) {
    item.field_u64("index", index);
    item.field_str("format", format);
}
