//! Fields of messages and their parts.

use gw_core::{ChatRequest, Citation, CitationSource, Field, Part, PartBody, Place, Role, Source, ToolKind};

use super::{Evidence, Leaves};
use crate::json::Haystack;

pub(super) fn collect(request: &ChatRequest, leaves: &mut Leaves) {
    for (message_at, message) in (0u32..).zip(&request.messages) {
        leaves.place = Place { message: Some(message_at), ..Place::default() };
        leaves.maybe("message name", message.name.as_deref(), &[Field::Name]);
        leaves.extras(&message.extras);
        if message.role == Role::Assistant {
            // A prefill that is left out takes its fields along.
            let of_message = |leaf: &&mut super::Leaf| leaf.place == leaves.place;
            leaves.found.iter_mut().filter(of_message).for_each(|leaf| leaf.fields.push(Field::Prefill));
        }
        for (part_at, part) in (0u32..).zip(&message.parts) {
            leaves.place = Place { message: Some(message_at), part: Some(part_at), tool: None };
            let before = leaves.found.len();
            collect_part(part, leaves, false);
            // What a role cannot hold is reported as the role or as its position.
            let misplaced: &[Field] = match message.role {
                Role::System | Role::Developer => &[Field::SystemPosition, Field::Role],
                Role::Assistant => &[Field::Prefill],
                Role::User | Role::Tool => &[Field::Role],
            };
            leaves.found.iter_mut().skip(before).for_each(|leaf| leaf.fields.extend(misplaced));
        }
    }
    leaves.place = Place::default();
}

fn collect_part(part: &Part, leaves: &mut Leaves, in_result: bool) {
    match &part.body {
        PartBody::Text { text, citations } => {
            leaves.text("text", text, &[Field::Text, Field::Prefill, Field::SystemPosition]);
            citations.iter().for_each(|citation| collect_citation(citation, leaves));
        }
        PartBody::Refusal(text) => leaves.text("refusal", text, &[Field::Refusal]),
        PartBody::Image { source, detail } => {
            collect_source(source, leaves, Field::Image, in_result);
            if let Some(detail) = detail.as_deref().filter(|word| *word != "auto") {
                let level = format!("MEDIA_RESOLUTION_{}", detail.to_uppercase());
                leaves.add(
                    "image detail",
                    Evidence::OneOf(vec![detail.to_owned(), level]),
                    &[Field::ImageDetail, Field::Image],
                );
            }
        }
        PartBody::Audio { source, format } => {
            collect_source(source, leaves, Field::Audio, in_result);
            if format.is_some() {
                leaves.add("audio format", Evidence::Text("audio".to_owned()), &[Field::Audio, Field::ToolResultMedia]);
            }
        }
        PartBody::Video { source, metadata } => {
            collect_source(source, leaves, Field::Video, in_result);
            if let Some(metadata) = metadata {
                leaves.json("video metadata", metadata, &[Field::Video]);
            }
        }
        PartBody::File { source, filename, context, citations } => {
            collect_source(source, leaves, Field::File, in_result);
            leaves.maybe("file name", filename.as_deref(), &[Field::File, Field::Name]);
            leaves.maybe("file context", context.as_deref(), &[Field::File]);
            if *citations {
                leaves.any("citations wanted", &["citations"], &[Field::Citations, Field::File]);
            }
        }
        PartBody::SearchResult { text, .. } => leaves.text("search result", text, &[Field::SearchResult]),
        PartBody::Reasoning { text, .. } => {
            leaves.text("reasoning", text, &[Field::ReasoningText, Field::ReasoningState]);
        }
        PartBody::ToolCall { call_id, name, arguments, kind } => {
            // A call that is left out is reported once, as its arguments.
            let fields = [Field::ToolCallArguments, Field::HostedTool, Field::ServerToolHistory];
            if is_portable(call_id) {
                leaves.text("call id", call_id, &[&fields[..], &[Field::ToolCallId]].concat());
            }
            leaves.add("call name", Evidence::Word(name.clone()), &[&fields[..], &[Field::ToolName]].concat());
            leaves.text("call arguments", arguments, &fields);
            if let ToolKind::Hosted { raw, .. } = kind {
                leaves.json("hosted call", raw, &fields);
            }
        }
        PartBody::ToolResult { call_id, content, json, is_error, .. } => {
            let result = leaves.found.len();
            if is_portable(call_id) {
                leaves.text("result id", call_id, &[Field::ToolCallId]);
            }
            content.iter().for_each(|part| collect_part(part, leaves, true));
            if let Some(json) = json {
                // One member `output` or `result` may be unwrapped to its value.
                let values = Haystack::of(json.as_str()).scalars;
                leaves.add("result", Evidence::All(values), &[Field::Text, Field::ToolResultMedia]);
            }
            if *is_error {
                leaves.any("result error", &["is_error", "error"], &[Field::ToolResultError]);
            }
            leaves.found.iter_mut().skip(result).for_each(|leaf| leaf.with.push(Field::ToolResultMedia));
        }
        PartBody::Opaque { raw, .. } => {
            leaves.json("vendor block", raw, &[Field::ServerToolHistory, Field::Unknown, Field::ReasoningState]);
        }
    }
    let satellites = leaves.found.len();
    if let Some(state) = &part.state {
        leaves.text("opaque state", &state.payload, &[Field::ReasoningState]);
    }
    if part.cache.is_some() {
        leaves.any("cache mark", &["cache_control", "prompt_cache_breakpoint"], &[Field::CacheMark]);
    }
    leaves.extras(&part.extras);
    let content = content_fields(&part.body);
    leaves.found.iter_mut().skip(satellites).for_each(|leaf| leaf.with.extend(content));
}

fn content_fields(body: &PartBody) -> &'static [Field] {
    match body {
        PartBody::Text { .. } => &[Field::Text, Field::SystemPosition],
        PartBody::Refusal(_) => &[Field::Refusal],
        PartBody::Image { .. } => &[Field::Image, Field::SystemPosition],
        PartBody::Audio { .. } => &[Field::Audio, Field::SystemPosition],
        PartBody::Video { .. } => &[Field::Video, Field::SystemPosition],
        PartBody::File { .. } => &[Field::File, Field::SystemPosition],
        PartBody::SearchResult { .. } => &[Field::SearchResult],
        PartBody::Reasoning { .. } => &[Field::ReasoningText, Field::ReasoningState, Field::SystemPosition],
        PartBody::ToolCall { .. } => &[Field::ToolCallArguments, Field::SystemPosition],
        PartBody::ToolResult { .. } => &[Field::ToolResultMedia, Field::SystemPosition],
        PartBody::Opaque { .. } => &[Field::ServerToolHistory],
    }
}

fn collect_source(source: &Source, leaves: &mut Leaves, field: Field, in_result: bool) {
    let fields = if in_result { vec![field, Field::ToolResultMedia] } else { vec![field] };
    match source {
        Source::Base64 { data, .. } => leaves.text("media bytes", data, &fields),
        Source::Url { url, .. } => leaves.text("media url", url, &fields),
        Source::VendorFile { id, .. } => leaves.text("vendor file", id, &[&fields[..], &[Field::File]].concat()),
        Source::Text { text, .. } => leaves.text("document text", text, &fields),
    }
}

fn collect_citation(citation: &Citation, leaves: &mut Leaves) {
    const FIELDS: &[Field] = &[Field::Citations];
    match &citation.source {
        CitationSource::Url { url, title } => {
            leaves.text("citation url", url, FIELDS);
            leaves.maybe("citation title", title.as_deref(), FIELDS);
        }
        CitationSource::Document { title, .. } => leaves.maybe("citation title", title.as_deref(), FIELDS),
        CitationSource::Other => {}
    }
    leaves.maybe("cited text", citation.cited_text.as_deref(), FIELDS);
}

/// Whether every target takes this call id. Others are replaced, the same in call and result, which is no loss.
fn is_portable(id: &str) -> bool {
    id.len() <= 40 && id.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-')
}
