//! Nothing disappears silently: every canonical field is in the body or in the losses, for generous and for poor
//! servers, and the losses are of the published classes.

use gw_core::{
    CacheMark, ChatRequest, Citation, CitationSource, DialectId, Effort, Extra, Field, LossClass, Message, Mode,
    Number, OpaqueState, OutputFormat, Part, PartBody, RawJson, Role, Source, StateKind, Toggle, Tool, ToolChoice,
    ToolKind, Visibility,
};
use gw_spi::{Capabilities, ForcedChoice, Ingress as _, ReasoningStyle, Sampled, Structured};
use serde_json::Value;

use super::{encode_with, rich};
use crate::Ingress;

const FOREIGN: DialectId = DialectId("foreign");

fn raw(text: &str) -> RawJson {
    RawJson::from_valid(text)
}

fn extra(name: &str) -> Extra {
    Extra { dialect: FOREIGN, name: name.into(), value: raw("1") }
}

fn base64(mime: &str, data: &str) -> Source {
    Source::Base64 { mime: mime.into(), data: data.into() }
}

fn state(vendor: &str) -> Option<OpaqueState> {
    Some(OpaqueState { vendor: vendor.into(), model: None, kind: StateKind::Signature, payload: "TSTATE".into() })
}

fn user_parts() -> Vec<Part> {
    let url = |url: &str| Source::Url { url: url.into(), mime: None };
    let file = |source, context: Option<&str>| PartBody::File {
        source,
        filename: Some("TFILENAME".into()),
        context: context.map(str::to_owned),
        citations: context.is_some(),
    };
    vec![
        Part { cache: Some(CacheMark { ttl: Some("1h".into()) }), ..Part::text("TUSERTEXT") },
        Part { extras: vec![extra("part_extra")], ..Part::text("TWITHEXTRA") },
        Part::new(PartBody::Image { source: base64("image/png", "TIMAGE"), detail: Some("ULTRA".into()) }),
        Part::new(PartBody::Image { source: url("https://TIMAGEURL"), detail: None }),
        Part::new(PartBody::Audio { source: base64("audio/wav", "TAUDIO"), format: None }),
        Part::new(PartBody::Video { source: base64("video/mp4", "TVIDEO"), metadata: Some(raw("{}")) }),
        Part::new(file(base64("application/pdf", "TPDF"), Some("TCONTEXT"))),
        Part::new(file(url("https://TFILEURL"), None)),
        Part::new(file(Source::Text { mime: "text/plain".into(), text: "TDOCTEXT".into() }, None)),
        Part::new(file(Source::VendorFile { dialect: FOREIGN, id: "TFILEID".into(), mime: None }, None)),
        Part::new(PartBody::SearchResult { raw: raw("{}"), text: "TSEARCH".into() }),
    ]
}

fn assistant_parts() -> Vec<Part> {
    let citation = Citation { span: None, source: CitationSource::Other, cited_text: None, raw: None };
    let call = |id: &str, name: &str, kind| PartBody::ToolCall {
        call_id: id.into(),
        name: name.into(),
        arguments: format!("{{\"T\":\"{id}ARGS\"}}"),
        kind,
    };
    vec![
        Part { state: state("someone"), ..Part::new(PartBody::Reasoning { text: "TREASON".into(), summary: false }) },
        Part::new(PartBody::Text { text: "TANSWER".into(), citations: vec![citation] }),
        Part { state: state("gemini"), ..Part::new(call("TCALL", "bad.name", ToolKind::Function)) },
        Part::new(call("TCUSTOM", "custom", ToolKind::Custom { grammar: None })),
        Part::text("TAFTER"),
        Part::new(PartBody::Refusal("TREFUSAL".into())),
        Part::new(PartBody::Image { source: base64("image/png", "TOUTIMAGE"), detail: None }),
        Part::new(PartBody::Opaque { dialect: FOREIGN, type_name: "server_tool_use".into(), raw: raw("{}") }),
    ]
}

fn result_parts() -> Vec<Part> {
    let result = |id: &str, content: Vec<Part>, json: Option<&str>, is_error| {
        let json = json.map(raw);
        Part::new(PartBody::ToolResult { call_id: id.into(), name: None, content, json, is_error })
    };
    let image = Part::new(PartBody::Image { source: base64("image/png", "TRESULTIMAGE"), detail: None });
    vec![
        Part::text("TUSERBESIDE"),
        result("TCALL", vec![Part::text("TRESULT"), image], None, true),
        result("TCUSTOM", Vec::new(), Some("{\"k\":\"TJSON\"}"), false),
    ]
}

fn everything() -> ChatRequest {
    let number = |text: &str| Some(Number::from_valid(text));
    let mut request = ChatRequest::new(FOREIGN, "m");
    request.messages = vec![
        Message::new(Role::System, vec![Part::text("TSYSTEM"), Part::text("TSYSTEM2")]),
        Message {
            name: Some("n".into()),
            extras: vec![extra("message_extra")],
            ..Message::new(Role::User, user_parts())
        },
        Message::new(Role::System, vec![Part::text("TINLINE")]),
        Message::new(Role::Assistant, assistant_parts()),
        Message::new(Role::User, result_parts()),
        Message::new(Role::Assistant, vec![Part::text("TPREFILL")]),
    ];
    let tool = |name: &str, kind| Tool { name: name.into(), kind, ..Tool::default() };
    request.tools = vec![
        Tool {
            description: Some("TDESCRIPTION".into()),
            parameters: Some(raw("{\"type\":\"object\",\"title\":\"TSCHEMA\"}")),
            response: Some(raw("{}")),
            strict: Some(true),
            cache: Some(CacheMark::default()),
            extras: vec![extra("tool_extra")],
            ..tool("bad.name", ToolKind::Function)
        },
        tool("custom", ToolKind::Custom { grammar: Some(raw("{\"type\":\"grammar\"}")) }),
        tool("web", ToolKind::Hosted { type_name: "web_search_1".into(), raw: raw("{}") }),
    ];
    request.tool_choice = Some(ToolChoice::Required);
    request.parallel_tools = Some(false);
    request.output.candidates = Some(3);
    request.output.format = OutputFormat::JsonSchema {
        name: None,
        description: Some("TFORMAT".into()),
        schema: raw("{\"title\":\"TOUTSCHEMA\"}"),
        strict: Some(true),
    };
    request.output.modalities = vec!["text".into(), "audio".into()];
    request.output.verbosity = Some("TVERB".into());
    request.output.audio = Some((FOREIGN, raw("{}")));
    request.output.image = Some((FOREIGN, raw("{}")));
    request.output.prediction = Some(raw("\"TPREDICT\""));
    request.output.media_resolution = Some("HIGH".into());
    request.limits.max_output_tokens = Some(123_457);
    request.limits.min_tokens = Some(3);
    request.limits.stop = ["TSTOP1", "TSTOP2", "TSTOP3", "TSTOP4", "TSTOP5"].map(str::to_owned).to_vec();
    let sampling = &mut request.sampling;
    (sampling.temperature, sampling.top_p, sampling.top_k) = (number("0.111"), number("0.222"), number("333"));
    (sampling.min_p, sampling.seed, sampling.frequency_penalty) = (number("0.444"), number("555"), number("0.666"));
    (sampling.presence_penalty, sampling.repetition_penalty) = (number("0.777"), number("0.888"));
    sampling.logit_bias = Some(raw("{\"1\":1}"));
    (sampling.logprobs, sampling.top_logprobs) = (Some(true), Some(9));
    request.reasoning.effort = Some(Effort::XHigh);
    request.reasoning.budget_tokens = Some(5_555);
    request.reasoning.toggle = Toggle::Adaptive;
    request.reasoning.visibility = Visibility::Summary;
    request.cache.key = Some("TKEY".into());
    request.cache.options = Some((FOREIGN, raw("{}")));
    request.cache.retention = Some("TRETENTION".into());
    request.cache.handle = Some("THANDLE".into());
    request.cache.auto_last = Some(CacheMark::default());
    request.state.store = Some(true);
    request.state.fields = vec![extra("container")];
    request.safety = vec![(FOREIGN, raw("[]"), true)];
    request.identity.end_user = Some("TENDUSER".into());
    request.identity.safety_identifier = Some("TSAFEID".into());
    request.identity.metadata = Some(raw("{\"a\":\"TMETA\"}"));
    request.service.tier = Some("TTIER".into());
    request.service.speed = Some("fast".into());
    request.service.geo = Some("eu".into());
    request.extras = vec![extra("top_extra")];
    request
}

fn poor() -> Capabilities {
    Capabilities {
        sampling: Sampled::Never,
        efforts: Vec::new(),
        reasoning: ReasoningStyle::None,
        forced_tool_choice: ForcedChoice::No,
        tool_choice: false,
        parallel_control: false,
        inline_system: false,
        structured: Structured::None,
        strict_tools: false,
        image_input: false,
        audio_input: false,
        file_input: false,
        max_stops: 0,
        max_candidates: 1,
        seed: false,
        penalties: false,
        logit_bias: false,
        logprobs: false,
        strict_fields: true,
        end_user: false,
        call_id_length: Some(9),
        ..Capabilities::default()
    }
}

/// (what must be in the body, or the field that must be among the losses)
const CARRIED: &[(&str, Field)] = &[
    ("TSYSTEM2", Field::Text),
    ("TUSERTEXT", Field::Text),
    ("TWITHEXTRA", Field::Text),
    ("TIMAGE", Field::Image),
    ("TIMAGEURL", Field::Image),
    ("ULTRA", Field::ImageDetail),
    ("TAUDIO", Field::Audio),
    ("TVIDEO", Field::Video),
    ("TPDF", Field::File),
    ("TFILENAME", Field::File),
    ("TFILEURL", Field::File),
    ("TDOCTEXT", Field::File),
    ("TSEARCH", Field::SearchResult),
    ("TINLINE", Field::SystemPosition),
    ("TREASON", Field::ReasoningText),
    ("TANSWER", Field::Text),
    ("TCALLARGS", Field::ToolCallArguments),
    ("TCUSTOMARGS", Field::ToolCallArguments),
    ("TAFTER", Field::Text),
    ("TREFUSAL", Field::Refusal),
    ("TOUTIMAGE", Field::Image),
    ("TUSERBESIDE", Field::Text),
    ("TRESULT", Field::Text),
    ("TRESULTIMAGE", Field::Image),
    ("TJSON", Field::Text),
    ("TPREFILL", Field::Text),
    ("TDESCRIPTION", Field::Tools),
    ("TSCHEMA", Field::Tools),
    ("TFORMAT", Field::ResponseFormat),
    ("TOUTSCHEMA", Field::ResponseFormat),
    ("\"cache_control\"", Field::CacheMark),
    ("TVERB", Field::Verbosity),
    ("TPREDICT", Field::Prediction),
    ("123457", Field::MaxOutputTokens),
    ("TSTOP1", Field::Stop),
    ("TSTOP5", Field::Stop),
    ("0.111", Field::Temperature),
    ("0.222", Field::TopP),
    ("333", Field::TopK),
    ("0.444", Field::MinP),
    ("555", Field::Seed),
    ("0.666", Field::FrequencyPenalty),
    ("0.777", Field::PresencePenalty),
    ("0.888", Field::RepetitionPenalty),
    ("\"top_logprobs\":9", Field::TopLogprobs),
    ("\"logprobs\":true", Field::Logprobs),
    ("xhigh", Field::ReasoningEffort),
    ("5555", Field::ReasoningBudget),
    ("TKEY", Field::CacheKey),
    ("TRETENTION", Field::CacheKey),
    ("TENDUSER", Field::EndUser),
    ("TSAFEID", Field::EndUser),
    ("TMETA", Field::Metadata),
    ("TTIER", Field::ServiceTier),
    ("\"tool_choice\":\"required\"", Field::ToolChoice),
    ("\"parallel_tool_calls\":false", Field::ParallelTools),
    ("\"n\":3", Field::Candidates),
    ("\"strict\":true", Field::ToolStrict),
    ("\"store\":true", Field::Store),
];

/// Fields that no server of this format can carry from a foreign request, with their published class.
const ALWAYS_LOST: &[(Field, LossClass)] = &[
    (Field::Unknown, LossClass::Approximated),
    (Field::Name, LossClass::Approximated),
    (Field::Video, LossClass::Semantic),
    (Field::Citations, LossClass::Approximated),
    (Field::ReasoningState, LossClass::Approximated),
    (Field::PartOrder, LossClass::Approximated),
    (Field::ServerToolHistory, LossClass::Semantic),
    (Field::ToolResultError, LossClass::Approximated),
    (Field::ToolResultMedia, LossClass::Approximated),
    (Field::Prefill, LossClass::Semantic),
    (Field::ToolSchema, LossClass::Advisory),
    (Field::ToolName, LossClass::Emulated),
    (Field::HostedTool, LossClass::Semantic),
    (Field::Modalities, LossClass::Semantic),
    (Field::AudioOutput, LossClass::Semantic),
    (Field::ImageOutput, LossClass::Approximated),
    (Field::MediaResolution, LossClass::Advisory),
    (Field::LogitBias, LossClass::Semantic),
    (Field::CacheHandle, LossClass::Semantic),
    (Field::ServerState, LossClass::Semantic),
    (Field::Safety, LossClass::Safety),
    (Field::ReasoningVisibility, LossClass::Approximated),
];

#[test]
fn every_canonical_field_is_sent_or_reported() {
    let request = everything();
    for (capabilities, vendor) in
        [(rich(), "openai"), (poor(), "poor"), (Capabilities::default(), "deepseek"), (rich(), "openrouter")]
    {
        let encoded = encode_with(&request, &capabilities, vendor);
        let body = String::from_utf8(encoded.body.bytes.to_vec()).unwrap();
        super::json(body.as_bytes());
        for (token, field) in CARRIED {
            // The detail word goes with its image.
            let gone_with_it = *token == "ULTRA" && !capabilities.image_input;
            let reported = gone_with_it || encoded.losses.iter().any(|loss| loss.field == *field);
            assert!(body.contains(token) || reported, "{vendor}: {token} vanished\n{body}\n{:#?}", encoded.losses);
        }
        for (field, class) in ALWAYS_LOST {
            let found = encoded.losses.iter().any(|loss| loss.field == *field && loss.class == *class);
            assert!(found, "{vendor}: no loss {field:?} {class:?} in {:#?}", encoded.losses);
        }
        for place in ["part_extra", "message_extra", "tool_extra", "top_extra"] {
            assert!(encoded.losses.iter().any(|loss| loss.note.contains(place)), "{vendor}: {place}");
        }
        assert!(!body.contains("TSTATE"));
        for loss in &encoded.losses {
            let pointer = Ingress.pointer(loss);
            assert!(pointer.is_empty() || pointer.starts_with('/'), "{pointer}");
        }
    }
}

#[test]
fn a_poor_server_is_emulated_where_it_can_be() {
    let encoded = encode_with(&everything(), &poor(), "poor");
    assert_eq!(encoded.emulate_stops.len(), 5);
    assert_eq!(encoded.emulate_candidates, 3);
    let classes = |field: Field| encoded.losses.iter().find(|loss| loss.field == field).map(|loss| loss.class);
    assert_eq!(classes(Field::Stop), Some(LossClass::Emulated));
    assert_eq!(classes(Field::Candidates), Some(LossClass::Emulated));
    assert_eq!(classes(Field::ToolChoice), Some(LossClass::Semantic));
    assert_eq!(classes(Field::ResponseFormat), Some(LossClass::Semantic));
    assert_eq!(classes(Field::EndUser), Some(LossClass::Identity));
    assert!(encoded.losses.iter().any(|loss| loss.refused_under(Mode::Lenient)), "safety is always refused");
    let body = super::json(&encoded.body.bytes);
    for message in body["messages"].as_array().unwrap() {
        for call in message["tool_calls"].as_array().into_iter().flatten() {
            assert_eq!(call["id"].as_str().unwrap().len(), 9);
        }
    }
}

#[test]
fn foreign_turns_are_regrouped_for_this_format() {
    let encoded = encode_with(&everything(), &rich(), "openai");
    let body: Value = super::json(&encoded.body.bytes);
    let messages = body["messages"].as_array().unwrap();
    let roles: Vec<&str> = messages.iter().map(|message| message["role"].as_str().unwrap()).collect();
    assert_eq!(
        roles,
        ["system", "user", "system", "assistant", "tool", "tool", "user", "user", "assistant"],
        "results first, then hoisted media, then what stood beside them"
    );
    assert_eq!(messages[0]["content"].as_array().unwrap().len(), 2);
    let assistant = &messages[3];
    assert_eq!(assistant["content"], "TANSWERTAFTER");
    assert_eq!(assistant["tool_calls"][0]["function"]["name"], "bad_name");
    assert_eq!(encoded.renamed_tools, [("bad_name".to_owned(), "bad.name".to_owned())]);
    assert_eq!(messages[4]["tool_call_id"], "TCALL");
    assert!(messages[4]["content"].to_string().contains("see the next user message"));
    assert!(messages[6]["content"].to_string().contains("TRESULTIMAGE"));
    assert_eq!(messages[7]["content"], "TUSERBESIDE");
}

fn plain(
    vendor: &str,
    capabilities: &Capabilities,
    change: impl FnOnce(&mut ChatRequest),
) -> (Value, Vec<gw_core::Loss>) {
    let mut request = ChatRequest::new(FOREIGN, "m");
    request.messages = vec![Message::new(Role::User, vec![Part::text("hi")])];
    change(&mut request);
    let encoded = encode_with(&request, capabilities, vendor);
    (super::json(&encoded.body.bytes), encoded.losses)
}

#[test]
fn reasoning_is_spelled_as_the_server_wants_it() {
    let with = |style| Capabilities { reasoning: style, ..Capabilities::default() };
    let off = |request: &mut ChatRequest| request.reasoning.toggle = Toggle::Off;
    let budget = |request: &mut ChatRequest| request.reasoning.budget_tokens = Some(50_000);
    let (body, _) = plain("deepseek", &with(ReasoningStyle::ThinkingToggle), off);
    assert_eq!(body["thinking"]["type"], "disabled");
    let (body, losses) = plain("deepseek", &with(ReasoningStyle::ThinkingToggle), budget);
    assert_eq!((&body["thinking"]["type"], &body["reasoning_effort"]), (&"enabled".into(), &"high".into()));
    assert!(losses.iter().any(|loss| loss.field == Field::ReasoningBudget));
    let (body, _) = plain("qwen", &with(ReasoningStyle::EnableThinking), off);
    assert_eq!(body["enable_thinking"], false);
    let (body, losses) = plain("qwen", &with(ReasoningStyle::EnableThinking), budget);
    assert_eq!(body["thinking_budget"], 32_768);
    assert_eq!(losses.len(), 1);
    let effort = |request: &mut ChatRequest| request.reasoning.effort = Some(Effort::Max);
    let (body, losses) = plain("x", &with(ReasoningStyle::Effort), effort);
    assert_eq!(body["reasoning_effort"], "high");
    assert_eq!(losses[0].class, LossClass::Approximated);
    let (body, losses) = plain("x", &with(ReasoningStyle::None), off);
    assert!(body.get("reasoning_effort").is_none() && losses.is_empty());
}

#[test]
fn reasoning_goes_back_in_the_servers_carrier() {
    let reasoning = Part::new(PartBody::Reasoning { text: "TR".into(), summary: false });
    let history = |request: &mut ChatRequest| {
        let mut signed = reasoning.clone();
        signed.state = state("openrouter");
        request.messages.push(Message::new(Role::Assistant, vec![signed, Part::text("a")]));
        request.messages.push(Message::new(Role::User, vec![Part::text("b")]));
        request.messages.push(Message::new(Role::Assistant, vec![Part::text("c")]));
        request.messages.push(Message::new(Role::User, vec![Part::text("d")]));
    };
    let replay = Capabilities { reasoning_replay_required: true, ..Capabilities::default() };
    let (body, _) = plain("deepseek", &replay, history);
    assert_eq!(body["messages"][1]["reasoning_content"], "TR");
    assert_eq!(body["messages"][3]["reasoning_content"], "");
    let (body, losses) = plain("openrouter", &rich(), history);
    assert_eq!(body["messages"][1]["reasoning_details"][0]["signature"], "TSTATE");
    assert!(losses.is_empty(), "{losses:?}");
    let (body, losses) = plain("mistral", &rich(), history);
    assert_eq!(body["messages"][1]["content"][0]["thinking"][0]["text"], "TR");
    assert_eq!(losses[0].field, Field::ReasoningState);
    let (body, losses) = plain("openai", &rich(), history);
    assert!(!body.to_string().contains("TR"));
    assert_eq!(losses.len(), 2);
}

#[test]
fn schemas_choices_and_quirks_follow_the_record() {
    let schema = |request: &mut ChatRequest| {
        let schema = raw("{\"title\":\"TS\"}");
        request.output.format = OutputFormat::JsonSchema { name: None, description: None, schema, strict: None };
    };
    let object = Capabilities { structured: Structured::Object, ..Capabilities::default() };
    let (body, losses) = plain("deepseek", &object, schema);
    assert_eq!(body["response_format"]["type"], "json_object");
    assert!(body["messages"][0]["content"].as_str().unwrap().contains("TS"));
    assert_eq!(losses[0].class, LossClass::Approximated);
    let (body, _) = plain("openai", &rich(), schema);
    assert_eq!(body["response_format"]["json_schema"]["name"], "output");
    let tools = |request: &mut ChatRequest| {
        request.tools = ["a", "b"].map(|name| Tool { name: name.into(), ..Tool::default() }).to_vec();
        request.tool_choice = Some(ToolChoice::Allowed { names: vec!["b".into()], required: true });
        request.sampling.seed = Some(Number::from(7));
        request.limits.max_output_tokens = Some(5);
    };
    let quirks = Capabilities {
        seed_name: Some("random_seed".into()),
        rename_fields: vec![("max_tokens".into(), "most".into())],
        drop_fields: vec!["tool_choice".into()],
        ..Capabilities::default()
    };
    let (body, losses) = plain("x", &quirks, tools);
    assert_eq!(body["tools"].as_array().unwrap().len(), 1);
    assert_eq!((&body["random_seed"], &body["most"]), (&7.into(), &5.into()));
    assert!(body.get("tool_choice").is_none());
    assert!(losses.iter().any(|loss| loss.field == Field::ToolChoice && loss.class == LossClass::Approximated));
    let thinking = Capabilities { forced_tool_choice: ForcedChoice::NotWithThinking, ..Capabilities::default() };
    let (_, losses) = plain("deepseek", &thinking, tools);
    assert!(losses.iter().any(|loss| loss.field == Field::ToolChoice && loss.class == LossClass::Semantic));
}
