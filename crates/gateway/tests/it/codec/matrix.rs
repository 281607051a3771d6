//! Every rich request of every client dialect, encoded for every target: nothing panics, nothing is lost silently, and
//! the same conversation always gives the same bytes.

use std::fmt::Write as _;
use std::io::Write as _;

use gw_core::{ChatRequest, Code, Message, Part, PartBody, Role};
use gw_spi::{Capabilities, Encoded};
use gw_testkit::context::{capability_presets, encode_context};
use gw_testkit::coverage::unaccounted;
use gw_wire::{Document, Json, Kind, Limits};

use super::dialects::{ALL, ANTHROPIC, Dialect, GEMINI, OPENAI};
use super::inputs::{self, Input};

fn inputs_of(dialect: Dialect) -> &'static [Input] {
    match dialect.vendor {
        "openai" => inputs::openai::INPUTS,
        "anthropic" => inputs::anthropic::INPUTS,
        _ => inputs::gemini::INPUTS,
    }
}

fn decoded(source: Dialect, name: &str, body: &str) -> ChatRequest {
    let (request, _) = source.decode(body.as_bytes()).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(request.origin, source.id, "{name}");
    request
}

fn encode(target: Dialect, request: &ChatRequest, capabilities: &Capabilities, stream: bool) -> Option<Encoded> {
    let context = encode_context(target.vendor, capabilities, stream);
    match target.egress.encode(request, &context) {
        Ok(encoded) => Some(encoded),
        Err(error) => {
            // A refusal is an answer too, but only of these kinds, and never without a reason.
            assert!(matches!(error.code, Code::Unsupported | Code::BadRequest), "{error}");
            assert!(!error.message.is_empty());
            None
        }
    }
}

/// Appends a body to the file that the schema validator reads, when one is wanted: bodies for the dialect's own vendor
/// that the gateway would send.
pub(crate) fn dump(target: Dialect, preset: &str, name: &str, encoded: &Encoded) {
    let Some(folder) = std::env::var_os("IRONGATE_DUMP") else { return };
    let native = [("openai", "openai-reasoning"), ("anthropic", "anthropic-adaptive"), ("gemini", "gemini-level")];
    let refused = encoded.losses.iter().any(|loss| loss.refused_under(gw_core::Mode::Default));
    if refused || !native.contains(&(target.vendor, preset)) {
        return;
    }
    let path = std::path::Path::new(&folder).join(format!("{}.jsonl", target.id));
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).expect("the dump folder exists");
    let head = format!("{{\"name\":{},\"body\":", serde_json::Value::from(name));
    // One write for each line: tests run side by side.
    file.write_all(&[head.as_bytes(), &encoded.body.bytes, b"}\n"].concat()).expect("the dump is writable");
}

#[test]
fn every_field_of_every_input_reaches_every_target_or_is_reported_lost() {
    let mut faults = Vec::new();
    let (mut encoded_count, mut refused) = (0, 0);
    for source in ALL {
        for (name, body) in inputs_of(source) {
            let request = decoded(source, name, body);
            for target in ALL {
                for (preset, capabilities) in capability_presets() {
                    for stream in [false, true] {
                        let label = format!("{} {name} -> {} ({preset}, stream {stream})", source.id, target.id);
                        let Some(encoded) = encode(target, &request, &capabilities, stream) else {
                            refused += 1;
                            continue;
                        };
                        encoded_count += 1;
                        let again = encode(target, &request, &capabilities, stream).unwrap();
                        assert_eq!(encoded, again, "{label}: not deterministic");
                        faults.extend(
                            unaccounted(&request, &encoded, &capabilities)
                                .into_iter()
                                .map(|fault| format!("{label}: {fault}")),
                        );
                        dump(target, preset, &label, &encoded);
                    }
                }
            }
        }
    }
    println!("matrix: {encoded_count} bodies encoded, {refused} refused");
    faults.dedup();
    assert!(faults.is_empty(), "{} fields lost silently:\n{}", faults.len(), faults.join("\n"));
    assert!(encoded_count > 3_000 && refused * 5 < encoded_count);
}

#[test]
fn the_canonical_request_holds_every_word_of_the_input() {
    let mut faults = Vec::new();
    for source in ALL {
        for (name, body) in inputs_of(source) {
            let (request, losses) = source.decode(body.as_bytes()).unwrap_or_else(|error| panic!("{name}: {error}"));
            let known = format!("{request:?}").to_lowercase();
            let document = Document::parse(body, Limits::default()).unwrap();
            let mut words = Vec::new();
            scalars(document.root(), "", &mut words);
            let missing = |word: &&String| !known.contains(&word.to_lowercase());
            for word in words.iter().filter(missing) {
                // A decoder may drop what it cannot use, but says so.
                if losses.is_empty() {
                    faults.push(format!("{} {name}: {word}", source.id));
                }
            }
        }
    }
    assert!(faults.is_empty(), "words lost while decoding:\n{}", faults.join("\n"));
}

/// Words and numbers of a request, without discriminators and constants that become variants.
fn scalars(value: Json<'_>, key: &str, out: &mut Vec<String>) {
    const VARIANTS: &[&str] = &[
        "type",
        "role",
        "mode",
        "format",
        "mime_type",
        "media_type",
        "responseMimeType",
        "display",
        "model",
        "stream",
    ];
    match value.kind() {
        Kind::Object => value.members().for_each(|(name, member)| scalars(member, &name, out)),
        Kind::Array => value.items().for_each(|item| scalars(item, key, out)),
        Kind::String if !VARIANTS.contains(&key) => {
            let text = value.string().unwrap_or_default();
            let words = text.split(|letter: char| !letter.is_ascii_alphanumeric());
            out.extend(words.filter(|word| word.len() > 3).map(str::to_owned));
        }
        Kind::Number => out.push(value.raw().to_owned()),
        _ => {}
    }
}

#[test]
fn a_longer_conversation_has_the_same_prefix() {
    let mut compared = 0;
    for source in ALL {
        for (name, body) in inputs_of(source) {
            let request = decoded(source, name, body);
            if request.cache.auto_last.is_some() {
                continue; // the automatic mark moves with the last block, by contract
            }
            let mut longer = request.clone();
            let more = match request.messages.last().map(|message| message.role) {
                Some(Role::Assistant) => [Role::User, Role::Assistant, Role::User],
                _ => [Role::Assistant, Role::User, Role::Assistant],
            };
            longer.messages.extend(more.map(|role| Message::new(role, vec![Part::text("later words")])));
            if more[2] == Role::Assistant {
                longer.messages.push(Message::new(Role::User, vec![Part::text("last words")]));
            }
            for target in ALL {
                for (preset, capabilities) in capability_presets() {
                    let (Some(short), Some(long)) =
                        (encode(target, &request, &capabilities, false), encode(target, &longer, &capabilities, false))
                    else {
                        continue;
                    };
                    let label = format!("{} {name} -> {} ({preset})", source.id, target.id);
                    same_prefix(&short, &long, &label);
                    compared += 1;
                }
            }
        }
    }
    assert!(compared > 1_500, "{compared}");
}

fn same_prefix(short: &Encoded, long: &Encoded, label: &str) {
    let read = |encoded: &Encoded| -> (Vec<String>, Vec<String>) {
        let text = std::str::from_utf8(&encoded.body.bytes).unwrap();
        let document = Document::parse(text, Limits::default()).unwrap();
        let (mut turns, mut rest) = (Vec::new(), Vec::new());
        for (name, value) in document.root().members() {
            match name.as_ref() {
                "messages" | "contents" => turns = value.items().map(|item| item.raw().to_owned()).collect(),
                _ => rest.push(format!("{name}: {}", value.raw())),
            }
        }
        (turns, rest)
    };
    let ((turns, rest), (longer_turns, longer_rest)) = (read(short), read(long));
    assert_eq!(rest, longer_rest, "{label}: fields outside the conversation changed");
    let common = turns.iter().zip(&longer_turns).take_while(|(left, right)| left == right).count();
    assert_eq!(
        common,
        turns.len(),
        "{label}: turn {common} changed:\n{:?}\n{:?}",
        turns.get(common),
        longer_turns.get(common)
    );
}

#[test]
fn calls_and_results_agree_on_their_ids_after_translation() {
    for source in ALL {
        for (name, body) in inputs_of(source) {
            let request = decoded(source, name, body);
            let calls = |request: &ChatRequest| {
                let parts = request.messages.iter().flat_map(|message| &message.parts);
                parts.fold((Vec::new(), Vec::new()), |(mut calls, mut results), part| {
                    match &part.body {
                        PartBody::ToolCall { call_id, .. } => calls.push(call_id.clone()),
                        PartBody::ToolResult { call_id, .. } => results.push(call_id.clone()),
                        _ => {}
                    }
                    (calls, results)
                })
            };
            let (wanted, _) = calls(&request);
            for target in ALL {
                for (preset, capabilities) in capability_presets() {
                    let Some(encoded) = encode(target, &request, &capabilities, false) else { continue };
                    let (back, _) = target
                        .decode(&encoded.body.bytes)
                        .unwrap_or_else(|error| panic!("{name} -> {} ({preset}): {error}", target.id));
                    let (made, answered) = calls(&back);
                    let label = format!("{} {name} -> {} ({preset})", source.id, target.id);
                    assert_eq!(made.len(), wanted.len(), "{label}: calls appeared or vanished");
                    for id in &answered {
                        assert!(made.contains(id), "{label}: result '{id}' has no call among {made:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn translations_read_as_expected() {
    const SHOWN: &[(Dialect, &[&str])] = &[
        (OPENAI, &["multi_part", "tools_with_schemas", "tool_round_trip_parallel", "structured_output", "cache_marks"]),
        (ANTHROPIC, &["system_blocks_with_marks", "tool_round_trip_parallel", "thinking_replay_own", "documents"]),
        (GEMINI, &["tool_round_trip", "thinking_budget", "sampling_and_limits", "response_schema"]),
    ];
    let presets = capability_presets();
    let capabilities = |target: Dialect| {
        let wanted = match target.vendor {
            "openai" => "openai-reasoning",
            "anthropic" => "anthropic-adaptive",
            _ => "gemini-level",
        };
        presets.iter().find(|(name, _)| *name == wanted).map(|(_, capabilities)| capabilities.clone()).unwrap()
    };
    for (source, names) in SHOWN {
        for (name, body) in inputs_of(*source).iter().filter(|(name, _)| names.contains(name)) {
            let request = decoded(*source, name, body);
            for target in ALL.into_iter().filter(|target| target.id != source.id) {
                let mut shown = String::new();
                match encode(target, &request, &capabilities(target), false) {
                    None => shown.push_str("refused\n"),
                    Some(encoded) => {
                        shown.push_str(&readable(std::str::from_utf8(&encoded.body.bytes).unwrap()));
                        for loss in &encoded.losses {
                            let (field, class) = (loss.field.name(), loss.class.as_str());
                            let pointer = source.ingress.pointer(loss);
                            write!(shown, "\nloss: {field} ({class}) {pointer}: {}", loss.note).unwrap();
                        }
                    }
                }
                insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true}, {
                    insta::assert_snapshot!(format!("{}_{name}_to_{}", source.vendor, target.vendor), shown);
                });
            }
        }
    }
}

/// JSON with line breaks in its outer levels; the text between them is exact.
fn readable(json: &str) -> String {
    let (mut out, mut depth, mut in_string, mut escaped) = (String::new(), 0usize, false, false);
    for letter in json.chars() {
        if in_string {
            (in_string, escaped) = (escaped || letter != '"', !escaped && letter == '\\');
            out.push(letter);
            continue;
        }
        let outer = |depth: usize| depth <= 3;
        match letter {
            '{' | '[' => {
                depth += 1;
                out.push(letter);
                if outer(depth) {
                    write!(out, "\n{}", "  ".repeat(depth)).unwrap();
                }
            }
            '}' | ']' => {
                if outer(depth) {
                    write!(out, "\n{}", "  ".repeat(depth - 1)).unwrap();
                }
                depth -= 1;
                out.push(letter);
            }
            ',' if outer(depth) => write!(out, ",\n{}", "  ".repeat(depth)).unwrap(),
            _ => {
                in_string = letter == '"';
                out.push(letter);
            }
        }
    }
    out
}
