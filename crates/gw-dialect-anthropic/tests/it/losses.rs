//! Nothing of a request disappears silently.

use gw_core::{
    CacheMark, ChatRequest, Citation, CitationSource, DialectId, Effort, Extra, Field, LossClass, Message, Number,
    OpaqueState, OutputFormat, Part, PartBody, RawJson, Role, Source, StateKind, Toggle, Tool, ToolKind, Visibility,
};
use gw_dialect_anthropic::Ingress;
use gw_spi::Ingress as _;

use crate::encoding::foreign;
use crate::support::{capabilities, encode};

const FOREIGN: DialectId = DialectId("other");

fn raw(text: &str) -> RawJson {
    RawJson::from_valid(text)
}

fn number() -> Option<Number> {
    Some(Number::from_valid("0.25"))
}

fn extra() -> Extra {
    Extra { dialect: FOREIGN, name: "odd".into(), value: raw("1") }
}

fn state() -> Option<OpaqueState> {
    Some(OpaqueState { vendor: "other".into(), model: None, kind: StateKind::Signature, payload: "TAG".into() })
}

/// A change to a request, and either the text that must then be sent or the loss that must be reported.
type Case = (fn(&mut ChatRequest), Result<&'static str, (Field, LossClass)>);

fn part(request: &mut ChatRequest, body: PartBody) {
    request.messages[0].parts.push(Part::new(body));
}

fn source() -> Source {
    Source::Base64 { mime: "image/png".into(), data: "iVBORw0KGgo=".into() }
}

const APPROXIMATED: LossClass = LossClass::Approximated;
const SEMANTIC: LossClass = LossClass::Semantic;

const SAMPLING: &[Case] = &[
    (|r| r.sampling.temperature = number(), Ok("\"temperature\":0.25")),
    (|r| r.sampling.top_p = number(), Ok("\"top_p\":0.25")),
    (|r| r.sampling.top_k = number(), Ok("\"top_k\":0.25")),
    (|r| r.sampling.min_p = number(), Err((Field::MinP, APPROXIMATED))),
    (|r| r.sampling.seed = number(), Err((Field::Seed, APPROXIMATED))),
    (|r| r.sampling.frequency_penalty = number(), Err((Field::FrequencyPenalty, APPROXIMATED))),
    (|r| r.sampling.presence_penalty = number(), Err((Field::PresencePenalty, APPROXIMATED))),
    (|r| r.sampling.repetition_penalty = number(), Err((Field::RepetitionPenalty, APPROXIMATED))),
    (|r| r.sampling.logit_bias = Some(raw("{}")), Err((Field::LogitBias, SEMANTIC))),
    (|r| r.sampling.logprobs = Some(true), Err((Field::Logprobs, APPROXIMATED))),
    (|r| r.sampling.top_logprobs = Some(3), Err((Field::TopLogprobs, APPROXIMATED))),
    (|r| r.limits.max_output_tokens = Some(77), Ok("\"max_tokens\":77")),
    (|r| r.limits.max_output_tokens = Some(77_000), Err((Field::MaxOutputTokens, APPROXIMATED))),
    (|r| r.limits.min_tokens = Some(7), Err((Field::MinTokens, APPROXIMATED))),
    (|r| r.limits.stop = vec!["TAG".into()], Ok("\"stop_sequences\":[\"TAG\"]")),
    (|r| r.limits.stop = vec![" ".into()], Err((Field::Stop, LossClass::Emulated))),
];

const OUTPUT: &[Case] = &[
    (|r| r.output.format = OutputFormat::JsonObject, Err((Field::ResponseFormat, LossClass::Emulated))),
    (
        |r| r.output.format = OutputFormat::Mime { mime: "text/x.enum".into(), schema: None },
        Err((Field::ResponseFormat, SEMANTIC)),
    ),
    (|r| r.output.candidates = Some(2), Err((Field::Candidates, LossClass::Emulated))),
    (|r| r.output.modalities = vec!["audio".into()], Err((Field::Modalities, SEMANTIC))),
    (|r| r.output.verbosity = Some("low".into()), Err((Field::Verbosity, LossClass::Advisory))),
    (|r| r.output.audio = Some((FOREIGN, raw("{}"))), Err((Field::AudioOutput, SEMANTIC))),
    (|r| r.output.image = Some((FOREIGN, raw("{}"))), Err((Field::ImageOutput, SEMANTIC))),
    (|r| r.output.prediction = Some(raw("{}")), Err((Field::Prediction, LossClass::Advisory))),
    (|r| r.output.media_resolution = Some("low".into()), Err((Field::MediaResolution, LossClass::Advisory))),
    (|r| r.reasoning.toggle = Toggle::Adaptive, Ok("\"thinking\":{\"type\":\"adaptive\"}")),
    (|r| r.reasoning.effort = Some(Effort::High), Ok("\"effort\":\"high\"")),
    (|r| r.reasoning.effort = Some(Effort::Other("ultra".into())), Err((Field::ReasoningEffort, APPROXIMATED))),
    (|r| r.reasoning.budget_tokens = Some(5_000), Err((Field::ReasoningBudget, APPROXIMATED))),
    (|r| r.reasoning.visibility = Visibility::Summary, Ok("\"display\":\"summarized\"")),
    (|r| r.reasoning.visibility = Visibility::Full, Err((Field::ReasoningVisibility, APPROXIMATED))),
];

const REST: &[Case] = &[
    (|r| r.cache.key = Some("k".into()), Err((Field::CacheKey, LossClass::Performance))),
    (|r| r.cache.options = Some((FOREIGN, raw("{}"))), Err((Field::CacheKey, LossClass::Performance))),
    (|r| r.cache.retention = Some("24h".into()), Err((Field::CacheKey, LossClass::Performance))),
    (|r| r.cache.handle = Some("h".into()), Err((Field::CacheHandle, SEMANTIC))),
    (|r| r.cache.auto_last = Some(CacheMark::default()), Ok("\"cache_control\":{\"type\":\"ephemeral\"}")),
    (|r| r.state.store = Some(true), Err((Field::Store, SEMANTIC))),
    (|r| r.state.fields = vec![extra()], Err((Field::ServerState, SEMANTIC))),
    (|r| r.safety = vec![(FOREIGN, raw("{}"), true)], Err((Field::Safety, LossClass::Safety))),
    (|r| r.safety = vec![(FOREIGN, raw("{}"), false)], Err((Field::Safety, APPROXIMATED))),
    (|r| r.identity.end_user = Some("TAG".into()), Ok("\"user_id\":\"TAG\"")),
    (|r| r.identity.safety_identifier = Some("TAG".into()), Ok("\"user_id\":\"TAG\"")),
    (|r| r.identity.metadata = Some(raw("{}")), Err((Field::Metadata, LossClass::Identity))),
    (|r| r.service.tier = Some("default".into()), Ok("\"service_tier\":\"standard_only\"")),
    (|r| r.service.tier = Some("flex".into()), Err((Field::ServiceTier, APPROXIMATED))),
    (|r| r.service.tier = Some("priority".into()), Err((Field::ServiceTier, APPROXIMATED))),
    (|r| r.service.speed = Some("TAG".into()), Ok("\"speed\":\"TAG\"")),
    (|r| r.service.geo = Some("TAG".into()), Ok("\"inference_geo\":\"TAG\"")),
    (|r| r.extras = vec![extra()], Err((Field::Unknown, APPROXIMATED))),
    (|r| r.messages[0].extras = vec![extra()], Err((Field::Unknown, APPROXIMATED))),
    (|r| r.messages[0].name = Some("n".into()), Err((Field::Name, LossClass::Advisory))),
    (
        |r| r.messages.insert(1, Message::new(Role::Assistant, vec![Part::new(PartBody::Refusal("TAG".into()))])),
        Err((Field::Prefill, SEMANTIC)),
    ),
];

const PARTS: &[Case] = &[
    (|r| part(r, PartBody::Text { text: "TAG".into(), citations: Vec::new() }), Ok("TAG")),
    (|r| part(r, PartBody::Refusal("TAG".into())), Ok("TAG")),
    (
        |r| {
            let source = CitationSource::Other;
            let citation = Citation { span: None, source, cited_text: None, raw: Some((FOREIGN, raw("{}"))) };
            part(r, PartBody::Text { text: "x".into(), citations: vec![citation] });
        },
        Err((Field::Citations, APPROXIMATED)),
    ),
    (|r| r.messages[0].parts[0].state = state(), Err((Field::ReasoningState, APPROXIMATED))),
    (|r| r.messages[0].parts[0].extras = vec![extra()], Err((Field::Unknown, APPROXIMATED))),
    (|r| r.messages[0].parts[0].cache = Some(CacheMark::default()), Ok("cache_control")),
    (|r| part(r, PartBody::Image { source: source(), detail: None }), Ok("image/png")),
    (
        |r| part(r, PartBody::Image { source: source(), detail: Some("low".into()) }),
        Err((Field::ImageDetail, LossClass::Advisory)),
    ),
    (|r| part(r, PartBody::Audio { source: source(), format: None }), Err((Field::Audio, SEMANTIC))),
    (|r| part(r, PartBody::Video { source: source(), metadata: None }), Err((Field::Video, SEMANTIC))),
    (
        |r| {
            let source = Source::Text { mime: "text/plain".into(), text: "TAG".into() };
            part(r, PartBody::File { source, filename: None, context: None, citations: false });
        },
        Ok("TAG"),
    ),
    (
        |r| part(r, PartBody::SearchResult { raw: raw("{}"), text: "TAG".into() }),
        Err((Field::SearchResult, APPROXIMATED)),
    ),
    (|r| part(r, PartBody::Reasoning { text: "t".into(), summary: false }), Err((Field::ReasoningText, APPROXIMATED))),
    (
        |r| part(r, PartBody::Opaque { dialect: FOREIGN, type_name: "x".into(), raw: raw("{}") }),
        Err((Field::ServerToolHistory, SEMANTIC)),
    ),
    (
        |r| {
            r.messages.insert(
                0,
                Message::new(Role::System, vec![Part::new(PartBody::Audio { source: source(), format: None })]),
            )
        },
        Err((Field::Audio, SEMANTIC)),
    ),
];

const TOOLS: &[Case] = &[
    (|r| r.tools = vec![tool()], Ok("\"name\":\"TAG\"")),
    (|r| r.tools = vec![Tool { description: Some("WORDS".into()), ..tool() }], Ok("WORDS")),
    (|r| r.tools = vec![Tool { strict: Some(true), ..tool() }], Ok("\"strict\":true")),
    (|r| r.tools = vec![Tool { cache: Some(CacheMark::default()), ..tool() }], Ok("cache_control")),
    (|r| r.tools = vec![Tool { response: Some(raw("{}")), ..tool() }], Err((Field::ToolSchema, LossClass::Advisory))),
    (|r| r.tools = vec![Tool { extras: vec![extra()], ..tool() }], Err((Field::Unknown, APPROXIMATED))),
    (
        |r| r.tools = vec![Tool { kind: ToolKind::Custom { grammar: None }, ..tool() }],
        Err((Field::Tools, APPROXIMATED)),
    ),
    (
        |r| r.tools = vec![Tool { kind: ToolKind::Hosted { type_name: "x".into(), raw: raw("{}") }, ..tool() }],
        Err((Field::HostedTool, SEMANTIC)),
    ),
];

fn tool() -> Tool {
    Tool { name: "TAG".into(), ..Tool::default() }
}

#[test]
fn every_field_is_sent_or_reported() {
    for (index, (change, expected)) in [SAMPLING, OUTPUT, REST, PARTS, TOOLS].concat().iter().enumerate() {
        let mut request = foreign();
        change(&mut request);
        let (_, encoded) = encode(&request);
        let text = String::from_utf8(encoded.body.bytes.to_vec()).unwrap();
        match expected {
            Ok(sent) => assert!(text.contains(sent), "case {index}: {sent} not in {text}"),
            Err((field, class)) => {
                let found = encoded.losses.iter().any(|loss| loss.field == *field && loss.class == *class);
                assert!(found, "case {index}: no {field:?} {class:?} in {:?}", encoded.losses);
            }
        }
        // Notes never hold what the client wrote.
        assert!(encoded.losses.iter().all(|loss| !loss.note.contains("TAG")), "case {index}");
        for loss in &encoded.losses {
            let pointer = Ingress.pointer(loss);
            assert!(pointer.is_empty() || pointer.starts_with('/'));
        }
    }
    assert!(encode(&foreign()).1.losses.is_empty() && capabilities().cache_marks);
}

#[test]
fn pointers_are_of_this_format() {
    let pointer = |change: fn(&mut ChatRequest)| {
        let mut request = foreign();
        change(&mut request);
        Ingress.pointer(&encode(&request).1.losses[0])
    };
    assert_eq!(pointer(|r| r.limits.stop = vec![" ".into()]), "/stop_sequences");
    assert_eq!(pointer(|r| r.sampling.temperature = Some(Number::from_valid("2"))), "/temperature");
    assert_eq!(
        pointer(|r| r.tools = vec![tool(), Tool { response: Some(raw("{}")), ..tool() }]),
        "/tools/1/input_schema"
    );
    assert_eq!(pointer(|r| r.messages[0].parts[0].state = state()), "/messages");
    assert_eq!(pointer(|r| r.sampling.seed = number()), "");
}
