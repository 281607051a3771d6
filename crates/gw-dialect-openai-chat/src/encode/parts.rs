//! Content parts for a server: what it takes, in the shape it takes it.

use gw_core::{CacheMark, Extra, Field, LossClass, Part, PartBody, Place, RawJson, Role, Source};
use gw_wire::JsonWriter;

use super::{Plan, own_extras};
use crate::ID;
use crate::media::{audio_format, default_filename, to_data_url};
use crate::target::CacheStyle;

/// A part ready to write.
#[derive(Debug)]
pub(super) struct Planned {
    body: Body,
    /// Prompt-cache mark in the server's own lifetime words.
    pub(super) mark: Option<CacheMark>,
    style: CacheStyle,
    extras: Vec<Extra>,
}

#[derive(Debug)]
enum Body {
    Text(String),
    Image { url: String, detail: Option<String> },
    Audio { data: String, format: String },
    Video { url: String },
    File { data: Option<String>, filename: Option<String>, id: Option<String> },
    DocumentUrl { url: String, name: Option<String> },
    Raw(RawJson),
}

impl Planned {
    /// Plain text.
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self { body: Body::Text(text.into()), mark: None, style: CacheStyle::Control, extras: Vec::new() }
    }

    /// The text, when it is nothing else.
    pub(super) fn as_text(&self) -> Option<&str> {
        match &self.body {
            Body::Text(text) if self.extras.is_empty() => Some(text),
            _ => None,
        }
    }
}

/// What goes with a part that is left out.
fn left_out(plan: &mut Plan<'_>, place: Place, part: &Part) {
    if let Some(mark) = &part.cache {
        planned_mark(plan, mark, place, false);
    }
    if part.state.is_some() {
        plan.drop_at(place, Field::ReasoningState, LossClass::Approximated, "the part's state was left out");
    }
    for extra in &part.extras {
        let note = format!("'{}' was left out with its part", extra.name);
        plan.drop_at(place, Field::Unknown, LossClass::Approximated, note);
    }
}

/// Plans the parts of a system, user or tool message, reporting what the server does not take.
pub(super) fn plan(plan: &mut Plan<'_>, parts: &[(Place, &Part)]) -> Vec<Planned> {
    let mut planned = Vec::new();
    for (place, part) in parts {
        let Some(body) = plan_body(plan, *place, part) else {
            left_out(plan, *place, part);
            continue;
        };
        // State on assistant text has a carrier of its own and was seen to there.
        let assistant =
            place.message.and_then(|at| plan.request.messages.get(usize::try_from(at).unwrap_or(usize::MAX)));
        let assistant = assistant.is_some_and(|message| message.role == Role::Assistant);
        if part.state.is_some() && !(assistant && matches!(part.body, PartBody::Text { .. })) {
            plan.drop_at(*place, Field::ReasoningState, LossClass::Approximated, "the part's state was left out");
        }
        let mark = part.cache.as_ref().and_then(|mark| planned_mark(plan, mark, *place, true));
        let extras = own_extras(plan, &part.extras, *place).into_iter().cloned().collect();
        planned.push(Planned { body, mark, style: plan.target.cache, extras });
    }
    planned
}

fn plan_body(plan: &mut Plan<'_>, place: Place, part: &Part) -> Option<Body> {
    match &part.body {
        PartBody::Text { text, citations } => {
            if !citations.is_empty() {
                plan.drop_at(place, Field::Citations, LossClass::Approximated, "citations are not sent back");
            }
            (!text.is_empty()).then(|| Body::Text(text.clone()))
        }
        PartBody::Refusal(text) => {
            plan.approximate_at(place, Field::Refusal, "sent as text");
            Some(Body::Text(text.clone()))
        }
        PartBody::Image { source, detail } => image(plan, place, source, detail.as_deref()),
        PartBody::Audio { source, format } => audio(plan, place, source, format.as_deref()),
        PartBody::Video { source, metadata } => {
            if metadata.is_some() {
                plan.drop_at(place, Field::Video, LossClass::Approximated, "offsets and frame rate are not sent");
            }
            video(plan, place, source)
        }
        PartBody::File { source, filename, context, citations } => {
            if context.is_some() {
                plan.drop_at(place, Field::File, LossClass::Approximated, "the document's context is not sent");
            }
            if *citations {
                plan.drop_at(place, Field::Citations, LossClass::Approximated, "the target does not cite documents");
            }
            file(plan, place, source, filename.as_deref())
        }
        PartBody::SearchResult { text, .. } => {
            plan.approximate_at(place, Field::SearchResult, "sent as text");
            Some(Body::Text(text.clone()))
        }
        PartBody::Opaque { dialect, raw, .. } if *dialect == ID && plan.target.own => Some(Body::Raw(raw.clone())),
        PartBody::Opaque { type_name, .. } => {
            let note = format!("the target does not know '{type_name}' blocks");
            plan.drop_at(place, Field::ServerToolHistory, LossClass::Semantic, note);
            None
        }
        PartBody::Reasoning { .. } => {
            plan.drop_at(
                place,
                Field::ReasoningText,
                LossClass::Approximated,
                "only assistant messages hold reasoning",
            );
            None
        }
        PartBody::ToolCall { .. } => {
            plan.drop_at(place, Field::ToolCallArguments, LossClass::Semantic, "only assistant messages hold calls");
            None
        }
        PartBody::ToolResult { content, .. } => {
            plan.approximate_at(place, Field::PartOrder, "a result inside other content is sent as text");
            let texts = content.iter().filter_map(|inner| match &inner.body {
                PartBody::Text { text, .. } => Some(text.as_str()),
                _ => None,
            });
            Some(Body::Text(texts.collect::<Vec<_>>().join("\n")))
        }
    }
}

fn image(plan: &mut Plan<'_>, place: Place, source: &Source, detail: Option<&str>) -> Option<Body> {
    if !plan.capabilities.image_input {
        plan.drop_at(place, Field::Image, LossClass::Semantic, "the target takes no images");
        return None;
    }
    let url = match source {
        Source::Base64 { mime, data } => to_data_url(mime, data),
        Source::Url { url, .. } if plan.capabilities.image_urls => url.clone(),
        Source::Url { .. } => {
            plan.drop_at(place, Field::Image, LossClass::Semantic, "the target does not fetch image URLs");
            return None;
        }
        Source::VendorFile { .. } | Source::Text { .. } => {
            plan.drop_at(
                place,
                Field::Image,
                LossClass::Semantic,
                "the image is stored where the target cannot read it",
            );
            return None;
        }
    };
    let known = |word: &str| matches!(word, "auto" | "low" | "high" | "original");
    let detail = detail.filter(|word| {
        let keep = known(word) || plan.target.own;
        if !keep {
            plan.drop_at(place, Field::ImageDetail, LossClass::Advisory, "the target does not know this detail word");
        }
        keep
    });
    Some(Body::Image { url, detail: detail.map(str::to_owned) })
}

fn audio(plan: &mut Plan<'_>, place: Place, source: &Source, format: Option<&str>) -> Option<Body> {
    if !plan.capabilities.audio_input {
        plan.drop_at(place, Field::Audio, LossClass::Semantic, "the target takes no audio");
        return None;
    }
    match source {
        Source::Base64 { mime, data } => {
            let format = format.map_or_else(|| audio_format(mime), |word| audio_format(&format!("audio/{word}")));
            let data = if plan.target.audio_data_url { to_data_url(mime, data) } else { data.clone() };
            Some(Body::Audio { data, format })
        }
        Source::Url { url, .. } if plan.target.own => {
            Some(Body::Audio { data: url.clone(), format: format.unwrap_or("wav").to_owned() })
        }
        Source::Url { .. } | Source::VendorFile { .. } | Source::Text { .. } => {
            plan.drop_at(place, Field::Audio, LossClass::Semantic, "the target takes audio inline only");
            None
        }
    }
}

fn video(plan: &mut Plan<'_>, place: Place, source: &Source) -> Option<Body> {
    match source {
        _ if !plan.capabilities.video_input => {}
        Source::Base64 { mime, data } => return Some(Body::Video { url: to_data_url(mime, data) }),
        Source::Url { url, .. } => return Some(Body::Video { url: url.clone() }),
        Source::VendorFile { .. } | Source::Text { .. } => {}
    }
    plan.drop_at(place, Field::Video, LossClass::Semantic, "the target cannot take this video");
    None
}

fn file(plan: &mut Plan<'_>, place: Place, source: &Source, filename: Option<&str>) -> Option<Body> {
    if let Source::Text { text, .. } = source {
        // Servers take few text types as files, but all of them take text.
        plan.approximate_at(place, Field::File, "a plain-text document is sent as text");
        let title = filename.map(|name| format!("{name}:\n")).unwrap_or_default();
        return Some(Body::Text(format!("{title}{text}")));
    }
    if !plan.capabilities.file_input {
        plan.drop_at(place, Field::File, LossClass::Semantic, "the target takes no documents");
        return None;
    }
    let name = filename.map(str::to_owned);
    match source {
        Source::Base64 { mime, data } => Some(Body::File {
            data: Some(to_data_url(mime, data)),
            filename: Some(name.unwrap_or_else(|| default_filename(mime))),
            id: None,
        }),
        Source::Url { url, .. } if plan.capabilities.file_urls && plan.target.mistral => {
            Some(Body::DocumentUrl { url: url.clone(), name })
        }
        Source::Url { url, .. } if plan.capabilities.file_urls => {
            Some(Body::File { data: Some(url.clone()), filename: name, id: None })
        }
        Source::VendorFile { dialect, id, .. } if *dialect == ID => {
            Some(Body::File { data: None, filename: name, id: Some(id.clone()) })
        }
        Source::Url { .. } => {
            plan.drop_at(place, Field::File, LossClass::Semantic, "the target does not fetch document URLs");
            None
        }
        Source::VendorFile { .. } | Source::Text { .. } => {
            plan.drop_at(
                place,
                Field::File,
                LossClass::Semantic,
                "the document is stored where the target cannot read it",
            );
            None
        }
    }
}

/// The mark in the server's lifetime words; `None` (and a loss) when it cannot be sent.
pub(super) fn planned_mark(plan: &mut Plan<'_>, mark: &CacheMark, place: Place, possible: bool) -> Option<CacheMark> {
    let lose = |plan: &mut Plan<'_>, note: &'static str| {
        plan.drop_at(place, Field::CacheMark, LossClass::Performance, note);
        None
    };
    if !plan.capabilities.cache_marks {
        return lose(plan, "the target takes no cache marks");
    }
    if !possible {
        return lose(plan, "the target takes no cache mark here");
    }
    if plan.marks_over > 0 {
        plan.marks_over -= 1;
        return lose(plan, "the target takes fewer cache marks; the last ones were kept");
    }
    let ttl = mark.ttl.as_deref().map(|ttl| match (plan.target.cache, ttl) {
        (CacheStyle::Breakpoint, "5m") => "30m",
        (CacheStyle::Breakpoint, "1h") => "12h",
        (CacheStyle::Control, "30m" | "12h") => "1h",
        (_, other) => other,
    });
    if ttl != mark.ttl.as_deref() {
        plan.losses.push(
            gw_core::Loss::new(
                Field::CacheMark,
                LossClass::Performance,
                gw_core::LossAction::Approximated,
                format!("the lifetime was sent as {}", ttl.unwrap_or("the default")),
            )
            .at(place),
        );
    }
    Some(CacheMark { ttl: ttl.map(str::to_owned) })
}

/// Writes content: a string where one plain text says it all, else a list. `bare` tells whether nothing may be `""`.
pub(super) fn write_content(writer: &mut JsonWriter, planned: &[Planned], bare: bool) {
    match planned {
        [] => writer.string(""),
        [one] if one.mark.is_none() && one.as_text().is_some() => writer.string(one.as_text().unwrap_or_default()),
        _ if bare || !planned.is_empty() => write_list(writer, planned),
        _ => writer.string(""),
    }
}

/// Writes parts as a list.
pub(super) fn write_list(writer: &mut JsonWriter, planned: &[Planned]) {
    writer.array(|list| {
        for one in planned {
            write_one(list, one);
        }
    });
}

/// Writes one part.
pub(super) fn write_one(list: &mut JsonWriter, planned: &Planned) {
    if let Body::Raw(raw) = &planned.body {
        list.raw(raw.as_str());
        return;
    }
    list.object(|part| {
        match &planned.body {
            Body::Text(text) => {
                part.field_str("type", "text");
                part.field_str("text", text);
            }
            Body::Image { url, detail } => {
                part.field_str("type", "image_url");
                part.field_object("image_url", |image| {
                    image.field_str("url", url);
                    if let Some(detail) = detail {
                        image.field_str("detail", detail);
                    }
                });
            }
            Body::Audio { data, format } => {
                part.field_str("type", "input_audio");
                part.field_object("input_audio", |audio| {
                    audio.field_str("data", data);
                    audio.field_str("format", format);
                });
            }
            Body::Video { url } => {
                part.field_str("type", "video_url");
                part.field_object("video_url", |video| video.field_str("url", url));
            }
            Body::File { data, filename, id } => {
                part.field_str("type", "file");
                part.field_object("file", |file| {
                    for (name, value) in [("filename", filename), ("file_data", data), ("file_id", id)] {
                        if let Some(value) = value {
                            file.field_str(name, value);
                        }
                    }
                });
            }
            Body::DocumentUrl { url, name } => {
                part.field_str("type", "document_url");
                part.field_str("document_url", url);
                if let Some(name) = name {
                    part.field_str("document_name", name);
                }
            }
            Body::Raw(_) => {}
        }
        if let Some(mark) = &planned.mark {
            match planned.style {
                CacheStyle::Control => write_cache_control(part.key("cache_control"), mark),
                CacheStyle::Breakpoint => part.field_object("prompt_cache_breakpoint", |object| {
                    object.field_str("mode", "explicit");
                    if let Some(ttl) = &mark.ttl {
                        object.field_str("ttl", ttl);
                    }
                }),
            }
        }
        for extra in &planned.extras {
            part.field_raw(&extra.name, &extra.value);
        }
    });
}

/// Writes a `cache_control` value.
pub(super) fn write_cache_control(writer: &mut JsonWriter, mark: &CacheMark) {
    writer.object(|object| {
        object.field_str("type", "ephemeral");
        if let Some(ttl) = &mark.ttl {
            object.field_str("ttl", ttl);
        }
    });
}
