//! What each fuzz target checks. A broken rule panics, which is how a fuzzer learns of it.

use std::sync::OnceLock;

use bytes::Bytes;
use gw_spi::Framing;
use gw_testkit::dialect::Dialect;
use gw_testkit::drive::frames;
use gw_testkit::oracle;
use gw_wire::{Document, Frame, Json, JsonArrayFramer, Limits, SseFramer, one_line, write_string};

pub const OPENAI: Dialect = Dialect {
    id: gw_dialect_openai_chat::ID,
    vendor: "openai",
    ingress: &gw_dialect_openai_chat::Ingress,
    egress: &gw_dialect_openai_chat::Egress,
};
pub const ANTHROPIC: Dialect = Dialect {
    id: gw_dialect_anthropic::ID,
    vendor: "anthropic",
    ingress: &gw_dialect_anthropic::Ingress,
    egress: &gw_dialect_anthropic::Egress,
};
pub const GEMINI: Dialect = Dialect {
    id: gw_dialect_gemini::ID,
    vendor: "gemini",
    ingress: &gw_dialect_gemini::Ingress,
    egress: &gw_dialect_gemini::Egress,
};
const ALL: [Dialect; 3] = [OPENAI, ANTHROPIC, GEMINI];

fn must(rule: Result<(), String>) {
    if let Err(rule) = rule {
        panic!("{rule}");
    }
}

/// A request of the dialect. `FUZZ_LOSSES=1` also looks for fields that get lost without a word.
pub fn request(source: &Dialect, data: &[u8]) {
    static LOSSES: OnceLock<bool> = OnceLock::new();
    let losses = *LOSSES.get_or_init(|| std::env::var_os("FUZZ_LOSSES").is_some());
    must(oracle::request(source, &ALL, data, losses));
}

/// A stream of the dialect; its bytes are also cut, which must not change the frames.
pub fn stream(upstream: &Dialect, data: &[u8]) {
    let whole = frames(data, Framing::Sse, 0);
    must(oracle::stream(upstream, &ALL, &whole));
}

/// A whole reply of the dialect.
pub fn reply(upstream: &Dialect, data: &[u8]) {
    must(oracle::reply(upstream, &ALL, data));
}

/// The JSON index: every value's text is inside the document, strings survive being written again, and the relay's
/// envelope accepts the same texts.
pub fn json_index(data: &[u8]) {
    let limits = Limits { depth: 64, nodes: 100_000 };
    let Ok(text) = std::str::from_utf8(data) else {
        assert!(Document::from_bytes(data, limits).is_err());
        return;
    };
    let envelope = Document::envelope(text, limits);
    let Ok(document) = Document::parse(text, limits) else {
        return;
    };
    assert!(envelope.is_ok_and(|envelope| envelope.root().members().count() == document.root().members().count()));
    walk(document.root(), text);
}

fn walk(value: Json<'_>, text: &str) {
    assert_eq!(text.get(value.span()), Some(value.raw()));
    let _ = (value.u64(), value.i64(), value.f64(), value.bool(), value.number(), value.duplicate_key());
    if let Some(string) = value.str() {
        let mut out = Vec::new();
        write_string(&string, &mut out);
        let again = String::from_utf8(out).expect("UTF-8");
        let back = Document::parse(&again, Limits::default()).expect("a written string is JSON");
        assert_eq!(back.root().str().as_deref(), Some(&*string));
    }
    for (name, member) in value.members() {
        assert!(value.get(&name).is_some());
        walk(member, text);
    }
    value.items().for_each(|item| walk(item, text));
}

/// The first byte says how the rest is cut; frames must not depend on it.
fn cuts(data: &[u8]) -> Option<(usize, &[u8])> {
    let (cut, rest) = data.split_first()?;
    Some((usize::from(*cut % 32) + 1, rest))
}

/// The event framer.
pub fn sse_framer(data: &[u8]) {
    let Some((cut, rest)) = cuts(data) else { return };
    let run = |cut: usize| {
        let (mut framer, mut out) = (SseFramer::new(1 << 16), Vec::new());
        for chunk in rest.chunks(cut) {
            if framer.push(Bytes::copy_from_slice(chunk), &mut out).is_err() {
                return None;
            }
        }
        framer.finish(&mut out);
        Some(out)
    };
    let strip = |frames: Vec<Frame>| frames.into_iter().map(|frame| (frame.event, frame.data)).collect::<Vec<_>>();
    if let (Some(whole), Some(cut)) = (run(rest.len().max(1)), run(cut)) {
        assert_eq!(strip(whole), strip(cut));
    }
    let mut line = rest.to_vec();
    one_line(&mut line, 0);
    assert!(!line.contains(&b'\n') && !line.contains(&b'\r'));
}

/// The array framer.
pub fn json_array_framer(data: &[u8]) {
    let Some((cut, rest)) = cuts(data) else { return };
    let run = |cut: usize| {
        let (mut framer, mut out) = (JsonArrayFramer::new(1 << 16), Vec::new());
        for chunk in rest.chunks(cut) {
            if framer.push(&Bytes::copy_from_slice(chunk), &mut out).is_err() {
                return None;
            }
        }
        Some((out, framer.closed()))
    };
    if let (Some(whole), Some(cut)) = (run(rest.len().max(1)), run(cut)) {
        assert_eq!(whole, cut);
    }
}
