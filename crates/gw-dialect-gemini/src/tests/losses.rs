//! Nothing is dropped silently: every canonical field is in the output or among the losses.

use gw_core::{
    CacheMark, ChatRequest, Citation, CitationSource, DialectId, Effort, Extra, Field, Message, Number, OpaqueState,
    OutputFormat, Part, PartBody, RawJson, Role, Source, StateKind, Toggle, Tool, ToolChoice, ToolKind,
};
use gw_spi::{Capabilities, ReasoningStyle, Sampled};

use super::{capabilities, encode_with};

const OTHER: DialectId = DialectId("other");

fn raw(text: &str) -> RawJson {
    RawJson::from_valid(text)
}

fn extra(name: &str) -> Extra {
    Extra { dialect: OTHER, name: name.into(), value: raw("1") }
}

fn base() -> ChatRequest {
    let mut request = ChatRequest::new(OTHER, "m");
    request.messages.push(Message::new(Role::User, vec![Part::text("hi")]));
    request
}

fn tool() -> Tool {
    Tool { name: "tag_tool".into(), ..Tool::default() }
}

/// A name, a change to the request, and what must be seen: a text of the output, or the loss of a field.
type Case = (&'static str, fn(&mut ChatRequest), Result<&'static str, Field>);

fn cases() -> Vec<Case> {
    let mut all = request_cases();
    all.extend(message_cases());
    all.extend(tool_cases());
    all
}

fn request_cases() -> Vec<Case> {
    vec![
        ("temperature", |r| r.sampling.temperature = Some(Number::from_valid("0.123")), Ok("\"temperature\":0.123")),
        ("hot", |r| r.sampling.temperature = Some(Number::from_valid("3")), Err(Field::Temperature)),
        ("top_p", |r| r.sampling.top_p = Some(Number::from_valid("0.31")), Ok("\"topP\":0.31")),
        ("top_k", |r| r.sampling.top_k = Some(Number::from_valid("17")), Ok("\"topK\":17")),
        ("min_p", |r| r.sampling.min_p = Some(Number::from_valid("0.1")), Err(Field::MinP)),
        ("seed", |r| r.sampling.seed = Some(Number::from_valid("99")), Ok("\"seed\":99")),
        ("big seed", |r| r.sampling.seed = Some(Number::from_valid("99999999999")), Err(Field::Seed)),
        ("freq", |r| r.sampling.frequency_penalty = Some(Number::from_valid("0.4")), Ok("\"frequencyPenalty\":0.4")),
        ("pres", |r| r.sampling.presence_penalty = Some(Number::from_valid("0.5")), Ok("\"presencePenalty\":0.5")),
        ("rep", |r| r.sampling.repetition_penalty = Some(Number::from_valid("1.1")), Err(Field::RepetitionPenalty)),
        ("bias", |r| r.sampling.logit_bias = Some(raw("{\"1\":2}")), Err(Field::LogitBias)),
        ("logprobs", |r| r.sampling.logprobs = Some(true), Ok("\"responseLogprobs\":true")),
        ("top_logprobs alone", |r| r.sampling.top_logprobs = Some(4), Err(Field::TopLogprobs)),
        ("max", |r| r.limits.max_output_tokens = Some(77), Ok("\"maxOutputTokens\":77")),
        ("min tokens", |r| r.limits.min_tokens = Some(3), Err(Field::MinTokens)),
        ("stop", |r| r.limits.stop = vec!["tag_stop".into()], Ok("tag_stop")),
        ("stops", |r| r.limits.stop = (0..9).map(|at| at.to_string()).collect(), Err(Field::Stop)),
        ("n", |r| r.output.candidates = Some(3), Ok("\"candidateCount\":3")),
        ("many", |r| r.output.candidates = Some(300), Err(Field::Candidates)),
        ("json", |r| r.output.format = OutputFormat::JsonObject, Ok("\"responseMimeType\":\"application/json\"")),
        (
            "schema name",
            |r| {
                r.output.format = OutputFormat::JsonSchema {
                    name: Some("n".into()),
                    description: None,
                    schema: raw("{\"type\":\"array\",\"items\":{}}"),
                    strict: Some(true),
                }
            },
            Err(Field::ResponseFormat),
        ),
        (
            "mime",
            |r| {
                r.output.format =
                    OutputFormat::Mime { mime: "text/x.enum".into(), schema: Some(raw("{\"enum\":[\"tag_enum\"]}")) }
            },
            Ok("tag_enum"),
        ),
        ("modalities", |r| r.output.modalities = vec!["text".into(), "image".into()], Ok("[\"TEXT\",\"IMAGE\"]")),
        ("verbosity", |r| r.output.verbosity = Some("low".into()), Err(Field::Verbosity)),
        ("audio", |r| r.output.audio = Some((OTHER, raw("{}"))), Err(Field::AudioOutput)),
        ("image", |r| r.output.image = Some((OTHER, raw("{}"))), Err(Field::ImageOutput)),
        ("prediction", |r| r.output.prediction = Some(raw("{}")), Err(Field::Prediction)),
        ("resolution", |r| r.output.media_resolution = Some("huge".into()), Err(Field::MediaResolution)),
        ("effort", |r| r.reasoning.effort = Some(Effort::High), Ok("\"thinkingLevel\":\"HIGH\"")),
        ("moved effort", |r| r.reasoning.effort = Some(Effort::XHigh), Err(Field::ReasoningEffort)),
        ("budget", |r| r.reasoning.budget_tokens = Some(2_000), Err(Field::ReasoningBudget)),
        ("off", |r| r.reasoning.toggle = Toggle::Off, Err(Field::ReasoningToggle)),
        ("between", |r| r.reasoning.toggle = Toggle::BetweenTools, Err(Field::ReasoningToggle)),
        ("cache key", |r| r.cache.key = Some("k".into()), Err(Field::CacheKey)),
        ("cache options", |r| r.cache.options = Some((OTHER, raw("{}"))), Err(Field::CacheKey)),
        ("retention", |r| r.cache.retention = Some("24h".into()), Err(Field::CacheKey)),
        ("handle", |r| r.cache.handle = Some("h".into()), Err(Field::CacheHandle)),
        ("auto mark", |r| r.cache.auto_last = Some(CacheMark::default()), Err(Field::CacheMark)),
        ("store", |r| r.state.store = Some(true), Err(Field::Store)),
        ("state", |r| r.state.fields = vec![extra("container")], Err(Field::ServerState)),
        ("safety", |r| r.safety = vec![(OTHER, raw("{}"), true)], Err(Field::Safety)),
        ("user", |r| r.identity.end_user = Some("u".into()), Err(Field::EndUser)),
        ("safety id", |r| r.identity.safety_identifier = Some("u".into()), Err(Field::EndUser)),
        ("metadata", |r| r.identity.metadata = Some(raw("{}")), Err(Field::Metadata)),
        ("tier", |r| r.service.tier = Some("priority".into()), Ok("\"serviceTier\":\"priority\"")),
        ("unknown tier", |r| r.service.tier = Some("warp".into()), Err(Field::ServiceTier)),
        ("speed", |r| r.service.speed = Some("fast".into()), Err(Field::ServiceTier)),
        ("geo", |r| r.service.geo = Some("eu".into()), Err(Field::ServiceTier)),
        ("parallel", |r| r.parallel_tools = Some(false), Err(Field::ParallelTools)),
        ("unknown", |r| r.extras = vec![extra("x")], Err(Field::Unknown)),
    ]
}

fn put(request: &mut ChatRequest, part: Part) {
    request.messages[0].parts.push(part);
}

fn message_cases() -> Vec<Case> {
    vec![
        ("name", |r| r.messages[0].name = Some("n".into()), Err(Field::Name)),
        ("message extra", |r| r.messages[0].extras = vec![extra("x")], Err(Field::Unknown)),
        ("part extra", |r| r.messages[0].parts[0].extras = vec![extra("x")], Err(Field::Unknown)),
        ("mark", |r| r.messages[0].parts[0].cache = Some(CacheMark::default()), Err(Field::CacheMark)),
        (
            "state",
            |r| {
                r.messages[0].parts[0].state = Some(OpaqueState {
                    vendor: "openai".into(),
                    model: None,
                    kind: StateKind::Encrypted,
                    payload: "p".into(),
                });
            },
            Err(Field::ReasoningState),
        ),
        (
            "citations",
            |r| {
                let source = CitationSource::Other;
                let citation = Citation { span: None, source, cited_text: None, raw: None };
                put(r, Part::new(PartBody::Text { text: "x".into(), citations: vec![citation] }));
            },
            Err(Field::Citations),
        ),
        ("refusal", |r| put(r, Part::new(PartBody::Refusal("tag_refusal".into()))), Ok("tag_refusal")),
        (
            "image url",
            |r| {
                let source = Source::Url { url: "https://h/tag.png".into(), mime: None };
                put(r, Part::new(PartBody::Image { source, detail: Some("high".into()) }));
            },
            Ok(
                "{\"fileData\":{\"mimeType\":\"image/png\",\"fileUri\":\"https://h/tag.png\"},\"mediaResolution\":{\"level\":\"MEDIA_RESOLUTION_HIGH\"}}",
            ),
        ),
        (
            "foreign file",
            |r| {
                let source = Source::VendorFile { dialect: OTHER, id: "f".into(), mime: None };
                put(r, Part::new(PartBody::Image { source, detail: None }));
            },
            Err(Field::Image),
        ),
        (
            "detail",
            |r| {
                let source = Source::Base64 { mime: "image/png".into(), data: "AA==".into() };
                put(r, Part::new(PartBody::Image { source, detail: Some("weird".into()) }));
            },
            Err(Field::ImageDetail),
        ),
        (
            "audio",
            |r| {
                let source = Source::Base64 { mime: String::new(), data: "tagA".into() };
                put(r, Part::new(PartBody::Audio { source, format: Some("mp3".into()) }));
            },
            Ok("{\"mimeType\":\"audio/mp3\",\"data\":\"tagA\"}"),
        ),
        ("document", document, Ok("{\"mimeType\":\"text/plain\",\"data\":\"dGFn\"}")),
        ("document name", document, Err(Field::File)),
        ("document citations", document, Err(Field::Citations)),
        (
            "search result",
            |r| put(r, Part::new(PartBody::SearchResult { raw: raw("{}"), text: "t".into() })),
            Err(Field::SearchResult),
        ),
        (
            "reasoning text",
            |r| put(r, Part::new(PartBody::Reasoning { text: "t".into(), summary: false })),
            Err(Field::ReasoningText),
        ),
        (
            "opaque",
            |r| put(r, Part::new(PartBody::Opaque { dialect: OTHER, type_name: "t".into(), raw: raw("{}") })),
            Err(Field::ServerToolHistory),
        ),
        ("prefill", |r| r.messages.push(Message::new(Role::Assistant, vec![Part::text("x")])), Err(Field::Prefill)),
        (
            "inline system",
            |r| r.messages.push(Message::new(Role::System, vec![Part::text("x")])),
            Err(Field::SystemPosition),
        ),
    ]
}

fn document(request: &mut ChatRequest) {
    put(
        request,
        Part::new(PartBody::File {
            source: Source::Text { mime: "text/plain".into(), text: "tag".into() },
            filename: Some("n".into()),
            context: Some("c".into()),
            citations: true,
        }),
    );
}

fn tool_cases() -> Vec<Case> {
    vec![
        ("tool", |r| r.tools = vec![tool()], Ok("tag_tool")),
        ("description", |r| r.tools = vec![Tool { description: Some("tag_d".into()), ..tool() }], Ok("tag_d")),
        ("strict", |r| r.tools = vec![Tool { strict: Some(true), ..tool() }], Err(Field::ToolStrict)),
        ("tool mark", |r| r.tools = vec![Tool { cache: Some(CacheMark::default()), ..tool() }], Err(Field::CacheMark)),
        ("tool extra", |r| r.tools = vec![Tool { extras: vec![extra("x")], ..tool() }], Err(Field::Unknown)),
        (
            "schema",
            |r| {
                let parameters =
                    raw("{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\",\"pattern\":\"x\"}}}");
                r.tools = vec![Tool { parameters: Some(parameters), ..tool() }];
            },
            Err(Field::ToolSchema),
        ),
        ("custom", |r| r.tools = vec![Tool { kind: ToolKind::Custom { grammar: None }, ..tool() }], Err(Field::Tools)),
        ("web", |r| r.tools = vec![hosted("web_search_20250305")], Ok("{\"googleSearch\":{}}")),
        ("hosted", |r| r.tools = vec![hosted("bash")], Err(Field::HostedTool)),
        (
            "allowed",
            |r| {
                r.tools = vec![tool(), Tool { name: "gone".into(), ..Tool::default() }];
                r.tool_choice = Some(ToolChoice::Allowed { names: vec!["tag_tool".into()], required: false });
            },
            Err(Field::ToolChoice),
        ),
        (
            "named",
            |r| {
                r.tools = vec![tool()];
                r.tool_choice = Some(ToolChoice::Named("tag_tool".into()));
            },
            Ok("{\"mode\":\"ANY\",\"allowedFunctionNames\":[\"tag_tool\"]}"),
        ),
        ("choice without tools", |r| r.tool_choice = Some(ToolChoice::Required), Err(Field::ToolChoice)),
    ]
}

fn hosted(type_name: &str) -> Tool {
    let kind = ToolKind::Hosted { type_name: type_name.into(), raw: raw("{}") };
    Tool { name: type_name.into(), kind, ..Tool::default() }
}

#[test]
fn every_field_is_sent_or_reported() {
    for (name, change, wanted) in cases() {
        let mut request = base();
        change(&mut request);
        let encoded = encode_with(&request, &capabilities()).unwrap();
        let out = String::from_utf8(encoded.body.bytes.to_vec()).unwrap();
        match wanted {
            Ok(text) => assert!(out.contains(text), "{name}: {out}"),
            Err(field) => {
                assert!(encoded.losses.iter().any(|loss| loss.field == field), "{name}: {:?}", encoded.losses);
            }
        }
    }
    assert!(encode_with(&base(), &capabilities()).unwrap().losses.is_empty());
}

#[test]
fn a_poor_target_loses_but_never_silently() {
    let poor = Capabilities {
        sampling: Sampled::Never,
        reasoning: ReasoningStyle::None,
        image_input: false,
        seed: false,
        penalties: false,
        top_k: false,
        logprobs: false,
        max_candidates: 1,
        service_tier: false,
        tool_choice: false,
        structured: gw_spi::Structured::None,
        ..capabilities()
    };
    let fields = [
        Field::Temperature,
        Field::TopP,
        Field::TopK,
        Field::Seed,
        Field::FrequencyPenalty,
        Field::PresencePenalty,
        Field::Logprobs,
        Field::TopLogprobs,
        Field::ReasoningEffort,
        Field::Image,
        Field::Candidates,
        Field::ServiceTier,
        Field::ToolChoice,
        Field::ResponseFormat,
    ];
    let mut request = base();
    let number = || Some(Number::from_valid("1"));
    let sampling = &mut request.sampling;
    (sampling.temperature, sampling.top_p, sampling.top_k, sampling.seed) = (number(), number(), number(), number());
    (sampling.frequency_penalty, sampling.presence_penalty) = (number(), number());
    (sampling.logprobs, sampling.top_logprobs) = (Some(true), Some(2));
    request.reasoning.effort = Some(Effort::Low);
    request.output.candidates = Some(2);
    request.output.format = OutputFormat::JsonObject;
    request.service.tier = Some("flex".into());
    request.tools = vec![tool()];
    request.tool_choice = Some(ToolChoice::Required);
    let source = Source::Base64 { mime: "image/png".into(), data: "AA==".into() };
    put(&mut request, Part::new(PartBody::Image { source, detail: None }));
    let encoded = encode_with(&request, &poor).unwrap();
    for field in fields {
        assert!(encoded.losses.iter().any(|loss| loss.field == field), "{field:?}: {:?}", encoded.losses);
    }
    assert_eq!(encoded.emulate_candidates, 2);
}
