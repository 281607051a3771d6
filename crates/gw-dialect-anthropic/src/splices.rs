//! The edits that a relayed body needs.

use std::ops::Range;

use bytes::Bytes;
use gw_spi::RelayWants;
use gw_wire::{Document, Splice, write_string};

struct Member {
    name: String,
    start: usize,
    value: Range<usize>,
    dropped: bool,
}

/// Model name, refused and renamed members. Streams of this format always tell usage.
pub(crate) fn splices(envelope: &Document<'_>, wants: &RelayWants<'_>) -> Vec<Splice> {
    let capabilities = wants.capabilities;
    let members: Vec<Member> = envelope
        .root()
        .members()
        .filter_map(|(name, value)| {
            let dropped = capabilities.drop_fields.iter().any(|field| *field == name);
            Some(Member { start: value.member_start()?, value: value.span(), dropped, name: name.into_owned() })
        })
        .collect();
    let mut splices = removals(&members);
    let takes_model = !capabilities.drop_fields.iter().any(|field| field == "model");
    if takes_model && !members.iter().any(|member| member.name == "model") {
        let comma = if members.iter().any(|member| !member.dropped) { "," } else { "" };
        let at = envelope.root().span().start + 1;
        let model = [b"\"model\":", &quoted(wants.model)[..], comma.as_bytes()].concat();
        splices.push(Splice { range: at..at, with: Bytes::from(model) });
    }
    for member in members.iter().filter(|member| !member.dropped) {
        if let Some((_, to)) = capabilities.rename_fields.iter().find(|(from, _)| *from == member.name) {
            let name = envelope.text().get(member.start..member.value.start).unwrap_or_default();
            let length = name.rfind('"').map_or(0, |end| end + 1);
            splices.push(Splice { range: member.start..member.start + length, with: quoted(to) });
        }
        if member.name == "model" {
            let with = quoted(wants.model);
            if envelope.text().as_bytes().get(member.value.clone()) != Some(&with[..]) {
                splices.push(Splice { range: member.value.clone(), with });
            }
        }
    }
    splices
}

/// Removes dropped members with one comma each.
fn removals(members: &[Member]) -> Vec<Splice> {
    let last_kept = members.iter().rposition(|member| !member.dropped);
    let mut splices = Vec::new();
    let head = last_kept.map_or(0, |last| last + 1);
    for pair in members.get(..head).unwrap_or_default().windows(2) {
        if let [dropped, next] = pair
            && dropped.dropped
        {
            splices.push(Splice { range: dropped.start..next.start, with: Bytes::new() });
        }
    }
    let tail = members.get(head..).unwrap_or_default();
    if let (Some(first), Some(last)) = (tail.first(), tail.last()) {
        let from = last_kept.and_then(|at| members.get(at)).map_or(first.start, |kept| kept.value.end);
        splices.push(Splice { range: from..last.value.end, with: Bytes::new() });
    }
    splices
}

fn quoted(text: &str) -> Bytes {
    let mut out = Vec::with_capacity(text.len() + 2);
    write_string(text, &mut out);
    Bytes::from(out)
}
