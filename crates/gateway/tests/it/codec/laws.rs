//! Laws on random input: the stable equivalents of the fuzz targets.

use bytes::Bytes;
use gw_core::{Code, Delta, Event, OpaqueState, PartBody, StateKind};
use gw_spi::{Capabilities, DecodeContext, Framing, NoSealer, RelayWants, ReplyContext, StateSealer};
use gw_testkit::context::reply_context;
use gw_testkit::drive::decode_frames;
use gw_testkit::{generate, oracle};
use gw_wire::{Document, Frame, Limits, splice};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, FileFailurePersistence};
use serde_json::Value;

use super::dialects::{ALL, ANTHROPIC, Dialect, GEMINI, OPENAI};
use super::streams::SAMPLES;

/// Each case runs through three targets and eight capability records; `PROPTEST_CASES` asks for more cases.
fn config() -> Config {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(150);
    Config { cases, failure_persistence: Some(Box::new(FileFailurePersistence::Off)), ..Config::default() }
}

fn holds(rule: Result<(), String>) -> Result<(), TestCaseError> {
    rule.map_err(TestCaseError::fail)
}

fn frame(upstream: Dialect, data: &Value) -> Frame {
    let event = if upstream.id == ANTHROPIC.id { data["type"].as_str().unwrap_or_default() } else { "" };
    let data = Bytes::from(data.to_string());
    Frame { event: Bytes::copy_from_slice(event.as_bytes()), raw: data.clone(), data }
}

fn samples(upstream: Dialect) -> Vec<Value> {
    let ours = SAMPLES.iter().filter(|sample| sample.dialect.id == upstream.id);
    ours.flat_map(|sample| sample.events).map(|data| serde_json::from_str(data).unwrap()).collect()
}

fn replies(upstream: Dialect) -> Vec<Value> {
    let ours = SAMPLES.iter().filter(|sample| sample.dialect.id == upstream.id);
    ours.map(|sample| serde_json::from_str(sample.reply).unwrap()).collect()
}

fn random_frames(upstream: Dialect) -> impl Strategy<Value = Vec<Frame>> {
    let data = prop_oneof![
        4 => generate::mutated(samples(upstream)),
        1 => generate::value(),
    ];
    prop::collection::vec(data, 0..8)
        .prop_map(move |events| events.iter().map(|event| frame(upstream, event)).collect())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn openai_requests(body in generate::openai_request()) {
        holds(oracle::request(&OPENAI, &ALL, body.to_string().as_bytes(), true))?;
    }

    #[test]
    fn anthropic_requests(body in generate::anthropic_request()) {
        holds(oracle::request(&ANTHROPIC, &ALL, body.to_string().as_bytes(), true))?;
    }

    #[test]
    fn gemini_requests(body in generate::gemini_request()) {
        holds(oracle::request(&GEMINI, &ALL, body.to_string().as_bytes(), true))?;
    }

    #[test]
    fn pain_02_openai_streams_of_any_shape(frames in random_frames(OPENAI)) {
        holds(oracle::stream(&OPENAI, &ALL, &frames))?;
    }

    #[test]
    fn anthropic_streams_of_any_shape(frames in random_frames(ANTHROPIC)) {
        holds(oracle::stream(&ANTHROPIC, &ALL, &frames))?;
    }

    #[test]
    fn gemini_streams_of_any_shape(frames in random_frames(GEMINI)) {
        holds(oracle::stream(&GEMINI, &ALL, &frames))?;
    }

    #[test]
    fn openai_replies_of_any_shape(body in generate::mutated(replies(OPENAI))) {
        holds(oracle::reply(&OPENAI, &ALL, body.to_string().as_bytes()))?;
    }

    #[test]
    fn anthropic_replies_of_any_shape(body in generate::mutated(replies(ANTHROPIC))) {
        holds(oracle::reply(&ANTHROPIC, &ALL, body.to_string().as_bytes()))?;
    }

    #[test]
    fn gemini_replies_of_any_shape(body in generate::mutated(replies(GEMINI))) {
        holds(oracle::reply(&GEMINI, &ALL, body.to_string().as_bytes()))?;
    }

    #[test]
    fn a_relayed_body_keeps_every_byte_but_the_model(
        members in prop::collection::vec(("[a-z_]{3,9}", odd_json()), 0..6),
        model in "[a-zA-Z0-9/:._-]{1,20}",
        wanted in "[a-zA-Z0-9/:._-]{1,20}",
        gap in prop_oneof![Just(""), Just(" "), Just("\n  "), Just("\t")],
        at in any::<prop::sample::Index>(),
    ) {
        let model = format!("\"model\"{gap}:{gap}\"{model}\"");
        let mut parts: Vec<String> =
            members.iter().enumerate().map(|(number, (name, value))| format!("\"{name}{number}\"{gap}:{gap}{value}")).collect();
        let without = format!("{{{}}}", parts.join(","));
        parts.insert(at.index(parts.len() + 1), model.clone());
        let text = format!("{gap}{{{gap}{}{gap}}}{gap}", parts.join(&format!("{gap},{gap}")));
        let envelope = Document::envelope(&text, Limits::default()).unwrap();
        let capabilities = Capabilities { stream_usage_option: false, ..Capabilities::default() };
        for dialect in [OPENAI, ANTHROPIC] {
            let wants = RelayWants { model: &wanted, stream: false, usage: false, capabilities: &capabilities };
            let splices = dialect.egress.relay_splices(&envelope, &wants);
            let relayed = splice(&Bytes::from(text.clone()), splices).concat();
            let expected = text.replacen(&model, &format!("\"model\"{gap}:{gap}\"{wanted}\""), 1);
            prop_assert_eq!(String::from_utf8(relayed).unwrap(), expected);
        }
        // Gemini names the model in the path and reports usage unasked.
        let text = without;
        let envelope = Document::envelope(&text, Limits::default()).unwrap();
        let wants = RelayWants { model: &wanted, stream: true, usage: true, capabilities: &capabilities };
        let relayed = splice(&Bytes::from(text.clone()), GEMINI.egress.relay_splices(&envelope, &wants)).concat();
        prop_assert_eq!(String::from_utf8(relayed).unwrap(), text);
    }

    #[test]
    fn usage_opt_in_adds_one_member(members in prop::collection::vec(("[a-z_]{3,9}", odd_json()), 0..4)) {
        let mut text = String::from("{\"model\":\"m\",\"stream\":true");
        for (number, (name, value)) in members.iter().enumerate() {
            text += &format!(",\"{name}{number}\":{value}");
        }
        text.push('}');
        let envelope = Document::envelope(&text, Limits::default()).unwrap();
        let wants = RelayWants { model: "m", stream: true, usage: true, capabilities: &Capabilities::default() };
        let relayed = splice(&Bytes::from(text.clone()), OPENAI.egress.relay_splices(&envelope, &wants)).concat();
        let relayed = String::from_utf8(relayed).unwrap();
        let back = Document::parse(&relayed, Limits::default()).unwrap();
        let options = back.root().get("stream_options").and_then(|options| options.get("include_usage"));
        prop_assert_eq!(options.and_then(|flag| flag.bool()), Some(true));
        for (name, value) in envelope.root().members() {
            prop_assert_eq!(back.root().get(&name).map(|value| value.raw().to_owned()), Some(value.raw().to_owned()));
        }
        prop_assert_eq!(back.root().members().count(), envelope.root().members().count() + 1);
    }

    #[test]
    fn opaque_state_of_another_vendor_comes_back_as_it_was(payload in "[A-Za-z0-9+/=_-]{0,40}", vendor in 0usize..3) {
        let vendor = ["openai", "anthropic", "gemini"][vendor];
        let state = OpaqueState { vendor: vendor.to_owned(), model: None, kind: StateKind::Signature, payload };
        round_trip(&state)?;
    }
}

/// Values that a parse and print would change.
fn odd_json() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("1e400".to_owned()),
        Just("-0.0".to_owned()),
        Just("0.70".to_owned()),
        Just("123456789012345678901234567890".to_owned()),
        Just("\"caf\\u00e9 \\/ \\ud83d\\ude00\"".to_owned()),
        Just("{\"b\" : 1, \"a\":[ ],\"model\":\"inner\"}".to_owned()),
        Just("{\"x\":1,\"x\":2}".to_owned()),
        Just("[ null , true ]".to_owned()),
        generate::value().prop_map(|value| value.to_string()),
    ]
}

/// A reasoning block shown to a client and sent back by it.
fn round_trip(state: &OpaqueState) -> Result<(), TestCaseError> {
    let context = reply_context(&state.vendor);
    let part = gw_core::Part {
        state: Some(state.clone()),
        ..gw_core::Part::new(PartBody::Reasoning { text: "thought".to_owned(), summary: false })
    };
    let reply = gw_core::ChatReply {
        candidates: vec![gw_core::Candidate {
            index: 0,
            parts: vec![part, gw_core::Part::text("said")],
            stop: gw_core::Stop::End,
            logprobs: None,
            extras: Vec::new(),
        }],
        ..gw_core::ChatReply::default()
    };
    for client in ALL {
        let shown: Value = serde_json::from_slice(&client.ingress.encode_reply(&reply, &context)).unwrap();
        let body = match client.vendor {
            "openai" => {
                serde_json::json!({"model": "m", "messages": [{"role": "user", "content": "q"}, shown["choices"][0]["message"]]})
            }
            "anthropic" => {
                serde_json::json!({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": shown["content"]}]})
            }
            _ => {
                serde_json::json!({"contents": [{"role": "user", "parts": [{"text": "q"}]}, shown["candidates"][0]["content"]]})
            }
        };
        let (request, _) =
            client.decode(body.to_string().as_bytes()).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let states: Vec<_> =
            request.messages.iter().flat_map(|message| &message.parts).filter_map(|part| part.state.as_ref()).collect();
        // A dialect without a place for its own vendor's plain signature may leave it out, but never changes it.
        let same = states.iter().any(|back| back.vendor == state.vendor && back.payload == state.payload);
        prop_assert!(same || state.payload.is_empty(), "{}: {states:?} from {body}", client.id);
    }
    Ok(())
}

/// The generators must not drown in refusals, or the laws above would prove nothing.
#[test]
fn a_good_part_of_the_random_requests_is_accepted() {
    let share = |dialect: Dialect, requests: BoxedStrategy<Value>| {
        let mut runner = proptest::test_runner::TestRunner::deterministic();
        let accepted = (0..400).filter(|_| {
            let body = requests.new_tree(&mut runner).unwrap().current().to_string();
            dialect.decode(body.as_bytes()).is_ok()
        });
        accepted.count()
    };
    for (dialect, requests) in [
        (OPENAI, generate::openai_request().boxed()),
        (ANTHROPIC, generate::anthropic_request().boxed()),
        (GEMINI, generate::gemini_request().boxed()),
    ] {
        let accepted = share(dialect, requests);
        assert!(accepted >= 80, "{}: {accepted} of 400", dialect.id);
    }
}

#[test]
fn a_repeated_key_that_the_gateway_reads_is_refused() {
    let routes = [
        (OPENAI, "/v1/chat/completions", r#"{"model":"a","model":"b","messages":[]}"#),
        (OPENAI, "/v1/chat/completions", r#"{"model":"a","stream":true,"messages":[],"stream":false}"#),
        (ANTHROPIC, "/v1/messages", r#"{"model":"a","max_tokens":1,"messages":[],"mod\u0065l":"b"}"#),
        (ANTHROPIC, "/v1/messages", r#"{"model":"a","stream":true,"max_tokens":1,"messages":[],"stream":false}"#),
    ];
    for (dialect, path, body) in routes {
        let headers = http::HeaderMap::new();
        let route = dialect.ingress.route(&http::Method::POST, path, None, &headers).unwrap();
        let envelope = Document::envelope(body, Limits::default()).unwrap();
        let error = dialect.ingress.peek(&route, &envelope).unwrap_err();
        assert_eq!(error.code, Code::BadRequest, "{body}");
        assert!(error.param.is_some(), "{body}");
    }
    for dialect in ALL {
        let body = r#"{"contents":[],"messages":[],"contents":[],"messages":[],"model":"m","max_tokens":1}"#;
        assert_eq!(dialect.decode(body.as_bytes()).unwrap_err().code, Code::BadRequest, "{}", dialect.id);
    }
}

#[test]
fn an_envelope_that_does_not_open_is_dropped_and_told() {
    /// Knows its envelopes but cannot open any, as after a key change.
    struct Locked;
    impl StateSealer for Locked {
        fn seal(&self, state: &OpaqueState) -> String {
            NoSealer.seal(state)
        }
        fn open(&self, _: &str) -> Option<OpaqueState> {
            None
        }
        fn is_envelope(&self, text: &str) -> bool {
            NoSealer.is_envelope(text)
        }
    }
    let bodies = [
        (
            OPENAI,
            r#"{"model":"m","messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a","reasoning_details":[{"type":"reasoning.text","text":"t","signature":"igx.anthropic.s..X"}]}]}"#,
        ),
        (
            ANTHROPIC,
            r#"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"q"},{"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"igx.gemini.s..X"},{"type":"text","text":"a"}]}]}"#,
        ),
        (
            GEMINI,
            r#"{"contents":[{"role":"user","parts":[{"text":"q"}]},{"role":"model","parts":[{"text":"t","thought":true,"thoughtSignature":"igx.anthropic.s..X"},{"text":"a"}]}]}"#,
        ),
    ];
    for (dialect, body) in bodies {
        let document = Document::parse(body, Limits::default()).unwrap();
        let headers = http::HeaderMap::new();
        let context = DecodeContext {
            limits: Limits::default(),
            sealer: &Locked,
            path_model: Some("m"),
            path_stream: Some(false),
            headers: &headers,
        };
        let (request, losses) = dialect.ingress.decode(&document, &context).unwrap();
        let told = losses.iter().any(|loss| loss.field == gw_core::Field::ReasoningState);
        assert!(told, "{}: {losses:?}", dialect.id);
        let states = request.messages.iter().flat_map(|message| &message.parts).filter(|part| part.state.is_some());
        assert_eq!(states.count(), 0, "{}", dialect.id);
    }
}

#[test]
fn ids_in_a_stream_do_not_depend_on_the_run() {
    for sample in SAMPLES {
        let context = ReplyContext { framing: Framing::Sse, ..reply_context(sample.dialect.vendor) };
        let frames = gw_testkit::drive::frames(sample.stream().as_bytes(), Framing::Sse, 0);
        let run = || decode_frames(sample.dialect.egress, &context, &frames).unwrap().events;
        assert_eq!(format!("{:?}", run()), format!("{:?}", run()), "{}", sample.name);
        for event in run() {
            if let Event::PartDelta { delta: Delta::State(state), .. } = event {
                assert_eq!(state.vendor, sample.dialect.vendor, "{}", sample.name);
            }
        }
    }
}
