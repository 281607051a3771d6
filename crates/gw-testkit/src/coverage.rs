//! Nothing disappears silently: every canonical field is in the encoded body or in the losses.

mod content;
mod settings;

use gw_core::{ChatRequest, Field, Loss, LossAction, Place, RawJson, Toggle};
use gw_spi::{Capabilities, Encoded, ReasoningStyle};
use gw_wire::{Document, Limits};

use crate::corpus::decode_base64;
use crate::json::{Haystack, encode_base64, leaves};

/// How the presence of a field in a body is recognised.
#[derive(Debug, Clone)]
enum Evidence {
    /// Some scalar contains the text.
    Text(String),
    /// Some scalar equals the word, letter case aside.
    Word(String),
    /// Some scalar equals one of the words, letter case aside.
    OneOf(Vec<String>),
    /// All of these appear, each as a scalar or a member name.
    All(Vec<String>),
    /// One of these member names, or scalars, appears.
    AnyOf(&'static [&'static str]),
}

/// One field of a request.
#[derive(Debug, Clone)]
struct Leaf {
    what: String,
    evidence: Evidence,
    fields: Vec<Field>,
    place: Place,
    /// Losses of the content that this leaf belongs to: dropped content takes it along.
    with: Vec<Field>,
}

/// Collects the fields of a request.
#[derive(Debug, Default)]
struct Leaves {
    found: Vec<Leaf>,
    place: Place,
}

impl Leaves {
    fn add(&mut self, what: impl Into<String>, evidence: Evidence, fields: &[Field]) {
        self.found.push(Leaf {
            what: what.into(),
            evidence,
            fields: fields.to_vec(),
            place: self.place,
            with: Vec::new(),
        });
    }

    fn text(&mut self, what: &str, text: &str, fields: &[Field]) {
        if !text.trim().is_empty() {
            self.add(what, Evidence::Text(text.to_owned()), fields);
        }
    }

    fn maybe(&mut self, what: &str, text: Option<&str>, fields: &[Field]) {
        if let Some(text) = text {
            self.text(what, text, fields);
        }
    }

    fn json(&mut self, what: &str, json: &RawJson, fields: &[Field]) {
        self.add(what, Evidence::All(leaves(json.as_str())), fields);
    }

    fn any(&mut self, what: &str, names: &'static [&'static str], fields: &[Field]) {
        self.add(what, Evidence::AnyOf(names), fields);
    }

    fn extras(&mut self, extras: &gw_core::Extras) {
        for extra in extras {
            let mut wanted = leaves(extra.value.as_str());
            // A name with a dot says in which inner object the field stood.
            wanted.push(extra.name.rsplit('.').next().unwrap_or_default().to_owned());
            self.add(format!("extra {}", extra.name), Evidence::All(wanted), &[Field::Unknown, Field::ServerState]);
        }
    }
}

/// Fields of the request that are neither in the encoded body nor in the losses; empty when all is accounted for.
///
/// # Panics
/// When the encoded body is not valid JSON.
#[must_use]
pub fn unaccounted(request: &ChatRequest, encoded: &Encoded, capabilities: &Capabilities) -> Vec<String> {
    let body = std::str::from_utf8(&encoded.body.bytes).expect("a JSON body is UTF-8");
    let hay = Haystack::of(body);
    let mut leaves = Leaves::default();
    settings::collect(request, &mut leaves);
    content::collect(request, &mut leaves);
    if capabilities.reasoning == ReasoningStyle::None && request.reasoning.toggle == Toggle::Off {
        // A target without reasoning has it off already.
        leaves.found.retain(|leaf| !leaf.what.starts_with("reasoning "));
    }
    let covered = |leaf: &Leaf| is_present(leaf, &hay, encoded) || encoded.losses.iter().any(|loss| covers(loss, leaf));
    leaves.found.iter().filter(|leaf| !covered(leaf)).map(describe).collect()
}

fn describe(leaf: &Leaf) -> String {
    let wanted: String = format!("{:?}", leaf.evidence).chars().take(200).collect();
    format!("{} at {:?} (wanted {wanted}, or a loss of {:?})", leaf.what, leaf.place, leaf.fields)
}

fn is_present(leaf: &Leaf, hay: &Haystack, encoded: &Encoded) -> bool {
    let elsewhere = |text: &str| {
        encoded.renamed_tools.iter().any(|(_, original)| original == text)
            || encoded.emulate_stops.iter().any(|stop| stop == text)
            || encoded.body.headers.iter().any(|(_, value)| value.contains(text))
    };
    match &leaf.evidence {
        Evidence::Text(text) => {
            let lines = || text.lines().filter(|line| !line.trim().is_empty()).all(|line| hay.contains(line));
            let plain = || decode_base64(text).and_then(|bytes| String::from_utf8(bytes).ok());
            let recoded = || hay.contains(&encode_base64(text)) || plain().is_some_and(|plain| hay.contains(&plain));
            hay.contains(text) || elsewhere(text) || lines() || same_json(text, hay) || recoded()
        }
        Evidence::Word(word) => hay.has_word(word) || elsewhere(word),
        Evidence::OneOf(words) => words.iter().any(|word| hay.has_word(word)),
        // Gemini writes type names in capitals.
        Evidence::All(wanted) => {
            // A type that may be null is written with the keyword `nullable` by some.
            let nullable = |text: &str| text == "null" && hay.keys.contains("nullable");
            wanted
                .iter()
                .all(|text| hay.contains(text) || hay.keys.contains(text) || hay.has_word(text) || nullable(text))
        }
        Evidence::AnyOf(names) => names.iter().any(|name| hay.keys.contains(*name) || hay.has_word(name)),
    }
}

/// A text that is JSON may be written as the JSON value itself.
fn same_json(text: &str, hay: &Haystack) -> bool {
    let opens = text.trim_start().starts_with(['{', '[']);
    opens
        && Document::parse(text, Limits::default()).is_ok()
        && leaves(text).iter().all(|leaf| hay.contains(leaf) || hay.keys.contains(leaf))
}

fn covers(loss: &Loss, leaf: &Leaf) -> bool {
    let same = |loss: Option<u32>, leaf: Option<u32>| loss.is_none() || leaf.is_none() || loss == leaf;
    let taken_along = loss.action == LossAction::Dropped
        && loss.place.part.is_some()
        && loss.place == leaf.place
        && leaf.with.contains(&loss.field);
    (taken_along || leaf.fields.contains(&loss.field))
        && same(loss.place.message, leaf.place.message)
        && same(loss.place.part, leaf.place.part)
        && same(loss.place.tool, leaf.place.tool)
}
