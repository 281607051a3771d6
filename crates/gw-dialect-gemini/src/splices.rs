//! The edits of a relayed body: the stream flag that Google does not know, the model name, the target's quirks.

use bytes::Bytes;
use gw_spi::RelayWants;
use gw_wire::{Document, Json, JsonWriter, Limits, Splice};

use crate::view::camel;

/// One top-level member.
struct Member<'d> {
    name: String,
    /// Its name's opening quote.
    start: usize,
    value: Json<'d>,
    removed: bool,
}

/// Everything else stays byte for byte.
pub(crate) fn relay(envelope: &Document<'_>, wants: &RelayWants<'_>) -> Vec<Splice> {
    let drops = &wants.capabilities.drop_fields;
    let members: Vec<Member<'_>> = envelope
        .root()
        .members()
        .filter_map(|(name, value)| {
            let start = value.member_start()?;
            let removed = name == "stream" || drops.iter().any(|dropped| *dropped == name || *dropped == camel(&name));
            Some(Member { name: name.into_owned(), start, value, removed })
        })
        .collect();
    let mut splices = removals(&members);
    for member in members.iter().filter(|member| !member.removed) {
        match camel(&member.name).as_ref() {
            "model" => splices.extend(model(&member.value, 0, wants.model)),
            "generateContentRequest" => splices.extend(nested_model(&member.value, wants.model)),
            _ => {}
        }
        let renamed = wants.capabilities.rename_fields.iter().find(|(from, _)| *from == member.name);
        if let Some((_, to)) = renamed {
            let text = envelope.text().get(member.start..member.value.span().start).unwrap_or_default();
            // The name ends at the last quote before the colon.
            if let Some(end) = text.rfind('"') {
                splices.push(Splice { range: member.start..member.start + end + 1, with: quoted(to) });
            }
        }
    }
    splices
}

/// Runs of removed members with one of the commas around them.
fn removals(members: &[Member<'_>]) -> Vec<Splice> {
    let mut splices = Vec::new();
    let mut before: Option<usize> = None;
    let mut run: Option<(usize, usize)> = None;
    for member in members {
        if member.removed {
            let start = run.map_or(member.start, |(start, _)| start);
            run = Some((start, member.value.span().end));
            continue;
        }
        if let Some((start, end)) = run.take() {
            let range = before.map_or(start..member.start, |kept| kept..end);
            splices.push(Splice { range, with: Bytes::new() });
        }
        before = Some(member.value.span().end);
    }
    if let Some((start, end)) = run {
        splices.push(Splice { range: before.unwrap_or(start)..end, with: Bytes::new() });
    }
    splices
}

/// Replaces a model name that differs, keeping the `models/` in front when there is one.
fn model(value: &Json<'_>, offset: usize, wanted: &str) -> Option<Splice> {
    let known = value.str()?;
    let full = match known.strip_prefix("models/") {
        Some(_) => format!("models/{wanted}"),
        None => wanted.to_owned(),
    };
    let span = value.span();
    (known != full).then(|| Splice { range: span.start + offset..span.end + offset, with: quoted(&full) })
}

/// The model inside a wrapped count-tokens request.
fn nested_model(value: &Json<'_>, wanted: &str) -> Option<Splice> {
    let offset = value.span().start;
    let inner = Document::envelope(value.raw(), Limits::default()).ok()?;
    let found = inner.root().get("model")?;
    model(&found, offset, wanted)
}

fn quoted(text: &str) -> Bytes {
    let mut writer = JsonWriter::new();
    writer.string(text);
    writer.into_bytes()
}
