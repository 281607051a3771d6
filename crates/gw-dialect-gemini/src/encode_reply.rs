//! A finished answer for a client.

use bytes::Bytes;
use gw_core::{Candidate, ChatReply, Extra, PartBody, Stop};
use gw_spi::ReplyContext;
use gw_wire::JsonWriter;

use crate::citations::Grounding;
use crate::{ID, logprobs, reply_parts, stop, usage};

/// `GenerateContentResponse`.
pub(crate) fn encode(reply: &ChatReply, context: &ReplyContext) -> Bytes {
    let blocked = blocked(&reply.candidates);
    let mut writer = JsonWriter::new();
    writer.object(|writer| {
        if blocked.is_none() {
            writer.field_array("candidates", |writer| {
                for candidate in &reply.candidates {
                    write_candidate(writer, candidate, context);
                }
            });
        }
        prompt_feedback(writer, blocked, &reply.extras);
        if let Some(counted) = &reply.usage {
            usage::write(writer, counted);
        }
        identity(writer, &reply.id, context);
        top_extras(writer, &reply.extras);
    });
    writer.into_bytes()
}

/// The reason when the prompt was refused before any output.
fn blocked(candidates: &[Candidate]) -> Option<&str> {
    match candidates {
        [Candidate { stop: Stop::PromptBlocked(reason), parts, .. }] if parts.is_empty() => Some(reason),
        _ => None,
    }
}

/// `promptFeedback`: the provider's own when it is known, else the reason alone.
pub(crate) fn prompt_feedback(writer: &mut JsonWriter, blocked: Option<&str>, extras: &[Extra]) {
    let own = extras.iter().find(|extra| extra.dialect == ID && extra.name == "promptFeedback");
    match (own, blocked) {
        (Some(extra), _) => writer.field_raw("promptFeedback", &extra.value),
        (None, Some(reason)) => {
            writer.field_object("promptFeedback", |writer| {
                writer.field_str("blockReason", stop::block_reason(reason));
            });
        }
        (None, None) => {}
    }
}

/// Model as the client knows it, and an id: the provider's own when it is of this format.
pub(crate) fn identity(writer: &mut JsonWriter, id: &str, context: &ReplyContext) {
    writer.field_str("modelVersion", &context.client_model);
    let own = context.vendor == crate::VENDOR && !id.is_empty();
    writer.field_str("responseId", if own { id } else { &context.id_base });
}

/// Own unknown fields of the answer.
pub(crate) fn top_extras(writer: &mut JsonWriter, extras: &[Extra]) {
    for extra in extras.iter().filter(|extra| extra.dialect == ID && extra.name != "promptFeedback") {
        writer.field_raw(&extra.name, &extra.value);
    }
}

fn write_candidate(writer: &mut JsonWriter, candidate: &Candidate, context: &ReplyContext) {
    let mut grounding = Grounding::default();
    writer.object(|writer| {
        writer.field_object("content", |writer| {
            if !candidate.parts.is_empty() {
                writer.field_array("parts", |writer| {
                    candidate.parts.iter().for_each(|part| reply_parts::write(writer, part, context));
                });
            }
            writer.field_str("role", "model");
        });
        writer.field_str("finishReason", stop::encode(&candidate.stop));
        writer.field_u64("index", u64::from(candidate.index));
        for (at, part) in candidate.parts.iter().enumerate() {
            if let PartBody::Text { text, citations } = &part.body {
                grounding.add(at, text, citations);
            }
        }
        candidate_extras(writer, &candidate.extras, &grounding, candidate.logprobs.as_ref(), &candidate.stop);
    });
}

/// Own candidate fields, and what stands for citations, log-probabilities and the words of a refusal.
pub(crate) fn candidate_extras(
    writer: &mut JsonWriter,
    extras: &[Extra],
    grounding: &Grounding,
    items: Option<&gw_core::RawJson>,
    stopped: &Stop,
) {
    let own = |name: &str| extras.iter().any(|extra| extra.dialect == ID && extra.name == name);
    if let Some(result) = items.and_then(logprobs::encode) {
        writer.field_raw("logprobsResult", &result);
    }
    if let Some(metadata) = grounding.metadata().filter(|_| !own("groundingMetadata") && !own("citationMetadata")) {
        writer.field_raw("groundingMetadata", &metadata);
    }
    match stopped {
        Stop::Refusal { explanation: Some(words), .. } if !own("finishMessage") => {
            writer.field_str("finishMessage", words);
        }
        Stop::Continuation(Some(token)) => writer.field_str("continuationToken", token),
        _ => {}
    }
    for extra in extras.iter().filter(|extra| extra.dialect == ID) {
        writer.field_raw(&extra.name, &extra.value);
    }
}
