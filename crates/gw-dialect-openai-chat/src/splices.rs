//! The declared edits of a relayed body; every other byte stays.

use bytes::Bytes;
use gw_spi::RelayWants;
use gw_wire::{Document, Json, JsonWriter, Kind, Limits, Splice};

/// A top-level member: its name, where it starts (opening quote of the name) and where its value lies.
struct Member<'d> {
    name: String,
    start: usize,
    value: Json<'d>,
    dropped: bool,
}

/// Splices for model name, usage opt-in, and fields the server refuses or calls otherwise.
pub(crate) fn relay(envelope: &Document<'_>, wants: &RelayWants<'_>) -> Vec<Splice> {
    let root = envelope.root();
    if root.kind() != Kind::Object {
        return Vec::new();
    }
    let mut members: Vec<Member<'_>> = root
        .members()
        .map(|(name, value)| Member {
            name: name.into_owned(),
            start: value.member_start().unwrap_or(value.span().start),
            value,
            dropped: false,
        })
        .collect();
    let capabilities = wants.capabilities;
    let mut splices = Vec::new();
    for (from, to) in &capabilities.rename_fields {
        let taken = members.iter().any(|member| member.name == *to);
        for member in members.iter_mut().filter(|member| member.name == *from) {
            if taken {
                member.dropped = true;
            } else if let Some(end) = name_end(envelope.text(), member.start) {
                splices.push(Splice { range: member.start..end, with: json_string(to) });
            }
        }
    }
    for member in &mut members {
        member.dropped |= capabilities.drop_fields.contains(&member.name);
    }

    let mut inserted = Vec::new();
    match members.iter().find(|member| member.name == "model") {
        Some(member) if member.value.str().as_deref() == Some(wants.model) => {}
        Some(member) => splices.push(Splice { range: member.value.span(), with: json_string(wants.model) }),
        None => inserted.push(member_text("model", &json_string(wants.model))),
    }
    let refused = capabilities.drop_fields.iter().any(|name| name == "stream_options");
    if wants.usage && wants.stream && capabilities.stream_usage_option && !refused {
        match members.iter().find(|member| member.name == "stream_options") {
            Some(member) => splices.extend(usage_option(member.value)),
            None => inserted.push(member_text("stream_options", b"{\"include_usage\":true}")),
        }
    }
    splices.extend(removals(&members));
    if !inserted.is_empty() {
        let mut with = inserted.join(&b","[..]);
        if members.iter().any(|member| !member.dropped) {
            with.push(b',');
        }
        let at = root.span().start + 1;
        splices.push(Splice { range: at..at, with: Bytes::from(with) });
    }
    splices
}

/// Deletions of runs of dropped members with the commas that go with them.
fn removals(members: &[Member<'_>]) -> Vec<Splice> {
    let mut splices = Vec::new();
    let mut run_start: Option<usize> = None;
    let mut last_kept_end: Option<usize> = None;
    for member in members {
        if member.dropped {
            run_start.get_or_insert(member.start);
            continue;
        }
        if let Some(start) = run_start.take() {
            splices.push(Splice { range: start..member.start, with: Bytes::new() });
        }
        last_kept_end = Some(member.value.span().end);
    }
    if let (Some(start), Some(last)) = (run_start, members.last()) {
        let from = last_kept_end.unwrap_or(start);
        splices.push(Splice { range: from..last.value.span().end, with: Bytes::new() });
    }
    splices
}

/// Makes an existing `stream_options` ask for usage.
fn usage_option(value: Json<'_>) -> Option<Splice> {
    let span = value.span();
    let whole = Bytes::from_static(b"{\"include_usage\":true}");
    if value.kind() != Kind::Object {
        return Some(Splice { range: span, with: whole });
    }
    // The envelope records top-level values only, so the object is read on its own.
    let inner = Document::parse(value.raw(), Limits::default()).ok()?;
    match inner.root().get("include_usage") {
        Some(flag) if flag.bool() == Some(true) => None,
        Some(flag) => {
            let at = flag.span();
            Some(Splice { range: span.start + at.start..span.start + at.end, with: Bytes::from_static(b"true") })
        }
        None => {
            let empty = inner.root().members().next().is_none();
            let with: &[u8] = if empty { b"\"include_usage\":true" } else { b"\"include_usage\":true," };
            Some(Splice { range: span.start + 1..span.start + 1, with: Bytes::from_static(with) })
        }
    }
}

/// End of a member name (after its closing quote) that starts at `start`.
fn name_end(text: &str, start: usize) -> Option<usize> {
    let inner = text.get(start + 1..)?.bytes();
    let mut escaped = false;
    for (at, byte) in inner.enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(start + at + 2),
            _ => {}
        }
    }
    None
}

fn json_string(text: &str) -> Bytes {
    let mut writer = JsonWriter::new();
    writer.string(text);
    writer.into_bytes()
}

fn member_text(name: &str, value: &[u8]) -> Vec<u8> {
    let mut text = format!("\"{name}\":").into_bytes();
    text.extend_from_slice(value);
    text
}
