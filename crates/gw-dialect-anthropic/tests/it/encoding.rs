//! Encoding requests of other formats for the provider.

use gw_core::{
    CacheMark, ChatRequest, Code, DialectId, Effort, Field, LossAction, LossClass, Message, Mode, OutputFormat, Part,
    PartBody, RawJson, Role, Source, Toggle, Tool, ToolChoice, ToolKind, Visibility,
};
use gw_dialect_anthropic::Egress;
use gw_spi::{Capabilities, Egress as _, EncodeContext, Encoded, ForcedChoice, ReasoningStyle, Sampled, Structured};
use serde_json::{Value, json};

use crate::support::{capabilities, encode, encode_for, encode_with};

const FOREIGN: DialectId = DialectId("other");

pub(crate) fn foreign() -> ChatRequest {
    let mut request = ChatRequest::new(FOREIGN, "m");
    request.messages = vec![Message::new(Role::User, vec![Part::text("hi")])];
    request
}

fn raw(value: Value) -> RawJson {
    RawJson::from_valid(value.to_string())
}

fn tool(name: &str) -> Tool {
    let parameters = Some(raw(json!({"type": "object", "properties": {"x": {"type": "integer", "minimum": 1}}})));
    Tool { name: name.into(), description: Some("d".into()), parameters, ..Tool::default() }
}

fn call(id: &str, name: &str, arguments: &str) -> Part {
    let kind = ToolKind::Function;
    Part::new(PartBody::ToolCall { call_id: id.into(), name: name.into(), arguments: arguments.into(), kind })
}

fn result(id: &str, content: Vec<Part>) -> Part {
    Part::new(PartBody::ToolResult { call_id: id.into(), name: None, content, json: None, is_error: false })
}

fn fields(encoded: &Encoded) -> Vec<Field> {
    encoded.losses.iter().map(|loss| loss.field).collect()
}

fn class(encoded: &Encoded, field: Field) -> Option<LossClass> {
    encoded.losses.iter().find(|loss| loss.field == field).map(|loss| loss.class)
}

#[test]
fn the_smallest_request() {
    let (body, encoded) = encode(&foreign());
    let content = json!([{"role": "user", "content": [{"type": "text", "text": "hi"}]}]);
    assert_eq!(body, json!({"model": "upstream-model", "max_tokens": 64_000, "messages": content}));
    assert_eq!(encoded.losses, []);
    let unknown = Capabilities { max_output: None, ..capabilities() };
    assert_eq!(encode_with(&foreign(), &unknown).0["max_tokens"], 8_192);
    let context = EncodeContext { model: "x", stream: true, capabilities: &unknown, vendor: "anthropic" };
    let streamed = Egress.encode(&foreign(), &context).unwrap();
    assert!(String::from_utf8(streamed.body.bytes.to_vec()).unwrap().contains("\"stream\":true"));
    let counted = Egress.encode_count(&foreign(), &context).unwrap().unwrap();
    let counted: Value = serde_json::from_slice(&counted.body.bytes).unwrap();
    assert_eq!(counted, json!({"model": "x", "messages": body["messages"]}));
}

#[test]
fn turns_alternate_and_results_come_first() {
    let mut request = foreign();
    let system = |text: &str| Message::new(Role::System, vec![Part::text(text)]);
    request.messages = vec![
        system("one"),
        Message::new(Role::Developer, vec![Part::text("two"), Part::text("  ")]),
        Message::new(Role::User, vec![Part::text("q")]),
        Message::new(Role::Assistant, vec![Part::text("a"), call("c1", "f", ""), call("c2", "f", "{\"x\":1}")]),
        system("inline"),
        Message::new(Role::Tool, vec![result("c1", vec![Part::text("r1")])]),
        Message::new(Role::User, vec![Part::text("and")]),
        Message::new(Role::Tool, vec![result("c2", Vec::new())]),
        Message::new(Role::Assistant, vec![Part::text("done")]),
        system("later"),
        Message::new(Role::User, vec![Part::text("bye")]),
    ];
    let (body, encoded) = encode(&request);
    assert_eq!(body["system"], json!([{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]));
    let turns = body["messages"].as_array().unwrap();
    let roles: Vec<&str> = turns.iter().map(|turn| turn["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["user", "assistant", "user", "assistant", "system", "user"]);
    let kinds: Vec<&str> =
        turns[2]["content"].as_array().unwrap().iter().map(|block| block["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["tool_result", "tool_result", "text", "text"]);
    assert_eq!(turns[1]["content"][1]["input"], json!({}));
    // Instructions between a call and its result cannot stay there.
    assert_eq!(turns[2]["content"][2]["text"], "<system_message>\ninline\n</system_message>");
    assert_eq!(fields(&encoded), [Field::SystemPosition]);
    let without = Capabilities { inline_system: false, ..capabilities() };
    let (body, encoded) = encode_with(&request, &without);
    assert_eq!(body["messages"][4]["content"][0]["text"], "<system_message>\nlater\n</system_message>");
    assert_eq!(body["messages"][4]["content"][1]["text"], "bye");
    assert_eq!(fields(&encoded), [Field::SystemPosition, Field::SystemPosition]);
}

#[test]
fn orphans_prefill_and_system_only_are_judged() {
    let refused = |messages: Vec<Message>| {
        let mut request = foreign();
        request.messages = messages;
        encode_for(&request, &capabilities(), "anthropic").unwrap_err()
    };
    let user = || Message::new(Role::User, vec![Part::text("q")]);
    let error = refused(vec![user(), Message::new(Role::Assistant, vec![call("lost", "f", "")]), user()]);
    assert!(error.message.contains("'lost'") && error.code == Code::BadRequest);
    let error = refused(vec![user(), Message::new(Role::Tool, vec![result("stray", Vec::new())])]);
    assert!(error.message.contains("'stray'"));
    let error = refused(vec![Message::new(Role::System, vec![Part::text("s")])]);
    assert_eq!(error.param.as_deref(), Some("messages"));
    let error = refused(vec![Message::new(Role::User, vec![Part::text(" ")])]);
    assert!(error.message.contains("content"));
    let mut request = foreign();
    request.messages.push(Message::new(Role::Assistant, vec![Part::text("begin")]));
    let (body, encoded) = encode(&request);
    assert_eq!(
        (body["messages"].as_array().unwrap().len(), class(&encoded, Field::Prefill)),
        (1, Some(LossClass::Semantic))
    );
    let (body, encoded) = encode_with(&request, &Capabilities { prefill: true, ..capabilities() });
    assert_eq!((body["messages"].as_array().unwrap().len(), encoded.losses.len()), (2, 0));
}

#[test]
fn names_and_ids_become_legal_everywhere() {
    let mut request = foreign();
    request.tools = vec![tool("a/b"), tool("a_b")];
    request.tool_choice = Some(ToolChoice::Named("a/b".into()));
    request
        .messages
        .push(Message::new(Role::Assistant, vec![call("call.1:x", "a/b", "{}"), call("ok", "gone away", "{}")]));
    request.messages.push(Message::new(Role::Tool, vec![result("call.1:x", Vec::new()), result("ok", Vec::new())]));
    request.messages.push(Message::new(Role::Assistant, vec![call("ok", "a_b", "{}")]));
    request.messages.push(Message::new(Role::Tool, vec![result("ok", Vec::new())]));
    let (body, encoded) = encode(&request);
    let wire = body["tools"][0]["name"].as_str().unwrap();
    assert!(wire != "a_b" && wire.starts_with("a_b_"));
    assert_eq!(body["tool_choice"]["name"], wire);
    assert_eq!(body["messages"][1]["content"][0]["name"], wire);
    assert_eq!(body["messages"][1]["content"][1]["name"], "gone_away");
    assert!(encoded.renamed_tools.contains(&(wire.to_owned(), "a/b".to_owned())));
    assert_eq!(encoded.renamed_tools.len(), 2);
    let id = |turn: usize, block: usize, name: &str| body["messages"][turn]["content"][block][name].clone();
    assert_eq!(id(1, 0, "id"), id(2, 0, "tool_use_id"));
    assert!(id(1, 0, "id").as_str().unwrap().starts_with("toolu_"));
    assert_eq!(id(1, 1, "id"), "ok");
    // The second call with an id gets another one, its result too.
    assert_eq!(id(3, 0, "id"), id(4, 0, "tool_use_id"));
    assert_ne!(id(3, 0, "id"), "ok");
    assert_eq!(encoded.losses, []);
}

#[test]
fn arguments_that_are_no_object_are_wrapped() {
    let mut request = foreign();
    let bad = ["{\"a\":1}{\"b\":2}", "[1]", "{oops", "  "];
    let calls = bad.iter().enumerate().map(|(at, text)| call(&format!("c{at}"), "f", text)).collect();
    request.messages.push(Message::new(Role::Assistant, calls));
    request.messages.push(Message::new(Role::Tool, (0..4).map(|at| result(&format!("c{at}"), Vec::new())).collect()));
    let (body, encoded) = encode(&request);
    let blocks = &body["messages"][1]["content"];
    for (at, text) in bad.iter().enumerate().take(3) {
        assert_eq!(blocks[at]["input"], json!({"_raw_arguments": text}));
    }
    assert_eq!(blocks[3]["input"], json!({}));
    assert_eq!(fields(&encoded), [Field::ToolCallArguments; 3]);
    assert_eq!(encoded.losses[1].place.part, Some(1));
}

#[test]
fn reasoning_by_style() {
    let sent = |style, request: &ChatRequest| {
        let (body, encoded) = encode_with(request, &Capabilities { reasoning: style, ..capabilities() });
        (body["thinking"].clone(), body["output_config"]["effort"].clone(), fields(&encoded))
    };
    let wanting = |change: &dyn Fn(&mut gw_core::Reasoning)| {
        let mut request = foreign();
        request.limits.max_output_tokens = Some(20_000);
        change(&mut request.reasoning);
        request
    };
    let effort = |word: &'static str| wanting(&move |reasoning| reasoning.effort = Some(Effort::parse(word)));
    let budget = |tokens: i64| wanting(&move |reasoning| reasoning.budget_tokens = Some(tokens));
    let adaptive = json!({"type": "adaptive"});
    let (none, disabled) = (Value::Null, json!({"type": "disabled"}));
    let enabled = |tokens: i64| json!({"type": "enabled", "budget_tokens": tokens});
    use ReasoningStyle::{Adaptive, Budget};
    assert_eq!(sent(Adaptive, &foreign()), (none.clone(), none.clone(), vec![]));
    assert_eq!(sent(Adaptive, &effort("medium")), (adaptive.clone(), json!("medium"), vec![]));
    assert_eq!(sent(Adaptive, &effort("minimal")), (adaptive.clone(), json!("low"), vec![Field::ReasoningEffort]));
    assert_eq!(sent(Adaptive, &effort("xhigh")), (adaptive.clone(), json!("max"), vec![Field::ReasoningEffort]));
    assert_eq!(sent(Adaptive, &effort("none")), (disabled.clone(), none.clone(), vec![]));
    assert_eq!(sent(Adaptive, &budget(4_096)), (adaptive.clone(), json!("low"), vec![Field::ReasoningBudget]));
    assert_eq!(sent(Adaptive, &budget(0)), (disabled.clone(), none.clone(), vec![]));
    assert_eq!(sent(Adaptive, &budget(-1)), (adaptive, none.clone(), vec![]));
    assert_eq!(sent(Budget, &effort("high")), (enabled(16_384), none.clone(), vec![Field::ReasoningEffort]));
    assert_eq!(sent(Budget, &budget(2_000)), (enabled(2_000), none.clone(), vec![]));
    assert_eq!(sent(Budget, &budget(100)), (enabled(1_024), none.clone(), vec![Field::ReasoningBudget]));
    assert_eq!(sent(Budget, &budget(500_000)), (enabled(19_999), none.clone(), vec![Field::ReasoningBudget]));
    assert_eq!(sent(Budget, &effort("none")), (disabled, none.clone(), vec![]));
    assert_eq!(sent(Budget, &foreign()), (none.clone(), none.clone(), vec![]));
    assert_eq!(sent(ReasoningStyle::None, &effort("high")), (none.clone(), none.clone(), vec![Field::ReasoningEffort]));
    assert_eq!(sent(ReasoningStyle::None, &effort("none")), (none.clone(), none.clone(), vec![]));
    let mut small = budget(2_000);
    small.limits.max_output_tokens = Some(500);
    assert_eq!(sent(Budget, &small), (none.clone(), none.clone(), vec![Field::ReasoningBudget]));
    let always = Capabilities { can_disable_reasoning: false, ..capabilities() };
    let (body, encoded) = encode_with(&effort("none"), &always);
    assert_eq!((&body["output_config"]["effort"], &body["thinking"]), (&json!("low"), &none));
    assert_eq!(fields(&encoded), [Field::ReasoningToggle]);
    let hidden = wanting(&|reasoning| {
        reasoning.toggle = Toggle::Adaptive;
        reasoning.visibility = Visibility::Hidden;
    });
    assert_eq!(sent(Adaptive, &hidden).0, json!({"type": "adaptive", "display": "omitted"}));
    let between = wanting(&|reasoning| reasoning.toggle = Toggle::BetweenTools);
    assert_eq!(sent(Adaptive, &between).0, json!({"type": "between_tools"}));
}

#[test]
fn budget_thinking_is_off_in_a_tool_loop_without_thinking() {
    let mut request = foreign();
    request.reasoning.budget_tokens = Some(2_000);
    request.messages.push(Message::new(Role::Assistant, vec![call("c", "f", "{}")]));
    request.messages.push(Message::new(Role::Tool, vec![result("c", Vec::new())]));
    let budget = Capabilities { reasoning: ReasoningStyle::Budget, ..capabilities() };
    let (body, encoded) = encode_with(&request, &budget);
    assert_eq!(
        (&body["thinking"], class(&encoded, Field::ReasoningToggle)),
        (&Value::Null, Some(LossClass::Approximated))
    );
}

#[test]
fn sampling_follows_the_model() {
    let mut request = foreign();
    request.sampling.temperature = Some(gw_core::Number::from_valid("1.7"));
    let (body, encoded) = encode(&request);
    assert_eq!((&body["temperature"], fields(&encoded)), (&json!(1), vec![Field::Temperature]));
    request.sampling.temperature = Some(gw_core::Number::from_valid("0.50"));
    request.sampling.top_p = Some(gw_core::Number::from_valid("1.0"));
    let (body, encoded) = encode(&request);
    assert_eq!((&body["temperature"], &body["top_p"], fields(&encoded)), (&json!(0.5), &Value::Null, vec![]));
    assert!(String::from_utf8(encoded.body.bytes.to_vec()).unwrap().contains("0.50"));
    let never = Capabilities { sampling: Sampled::Never, ..capabilities() };
    assert_eq!(fields(&encode_with(&request, &never).1), [Field::Temperature, Field::TopP]);
    let unless = Capabilities { sampling: Sampled::WithoutReasoning, ..capabilities() };
    assert_eq!(encode_with(&request, &unless).0["temperature"], json!(0.5));
    request.reasoning.effort = Some(Effort::High);
    assert!(encode_with(&request, &unless).0.get("temperature").is_none());
}

#[test]
fn stops_that_the_target_refuses_are_watched_for() {
    let mut request = foreign();
    request.limits.stop = vec!["\n\n".into(), "END".into(), String::new(), "2".into()];
    let (body, encoded) = encode_with(&request, &Capabilities { max_stops: 1, ..capabilities() });
    assert_eq!(body["stop_sequences"], json!(["END"]));
    assert_eq!(encoded.emulate_stops, ["\n\n", "2"]);
    assert_eq!(
        encoded.losses.iter().map(|loss| loss.class).collect::<Vec<_>>(),
        [LossClass::Advisory, LossClass::Emulated]
    );
    request.output.candidates = Some(3);
    assert_eq!(encode(&request).1.emulate_candidates, 3);
}

#[test]
fn output_shapes() {
    let mut request = foreign();
    request.output.format = OutputFormat::JsonObject;
    let (body, encoded) = encode(&request);
    assert!(body["system"][0]["text"].as_str().unwrap().contains("JSON object"));
    assert_eq!(
        (class(&encoded, Field::ResponseFormat), encoded.losses[0].action),
        (Some(LossClass::Emulated), LossAction::Emulated)
    );
    request.output.format = OutputFormat::JsonSchema {
        name: Some("person".into()),
        description: Some("who".into()),
        schema: raw(json!({"type": "object", "properties": {"age": {"type": "integer", "minimum": 0}}})),
        strict: Some(true),
    };
    let (body, encoded) = encode(&request);
    let schema = &body["output_config"]["format"]["schema"];
    assert_eq!((&schema["title"], &schema["description"]), (&json!("person"), &json!("who")));
    assert_eq!(schema["additionalProperties"], false);
    assert!(encoded.losses[0].note.contains("minimum"));
    let without = Capabilities { structured: Structured::Object, ..capabilities() };
    let (body, encoded) = encode_with(&request, &without);
    assert!(body["system"][0]["text"].as_str().unwrap().contains("\"minimum\""));
    assert!(!encoded.losses[0].refused_under(Mode::Default) && encoded.losses[0].refused_under(Mode::Strict));
    request.output.format = OutputFormat::Mime { mime: "text/x.enum".into(), schema: None };
    assert_eq!(class(&encode(&request).1, Field::ResponseFormat), Some(LossClass::Semantic));
}

#[test]
fn tool_choices() {
    let choice = |choice: Option<ToolChoice>, parallel, capabilities: &Capabilities| {
        let mut request = foreign();
        request.tools = vec![tool("f"), tool("g")];
        (request.tool_choice, request.parallel_tools) = (choice, parallel);
        let (body, encoded) = encode_with(&request, capabilities);
        let losses: Vec<_> = encoded.losses.iter().map(|loss| loss.class).collect();
        (body["tool_choice"].clone(), body["tools"].as_array().unwrap().len(), losses)
    };
    let yes = capabilities();
    assert_eq!(choice(None, None, &yes), (Value::Null, 2, vec![]));
    assert_eq!(choice(None, Some(true), &yes), (Value::Null, 2, vec![]));
    assert_eq!(choice(None, Some(false), &yes).0, json!({"type": "auto", "disable_parallel_tool_use": true}));
    assert_eq!(choice(Some(ToolChoice::None), Some(false), &yes).0, json!({"type": "none"}));
    assert_eq!(choice(Some(ToolChoice::Required), None, &yes).0, json!({"type": "any"}));
    assert_eq!(choice(Some(ToolChoice::Named("g".into())), None, &yes).0, json!({"type": "tool", "name": "g"}));
    let allowed = |required| Some(ToolChoice::Allowed { names: vec!["g".into()], required });
    assert_eq!(choice(allowed(true), None, &yes), (json!({"type": "any"}), 1, vec![LossClass::Emulated]));
    assert_eq!(choice(allowed(false), None, &yes).0, json!({"type": "auto"}));
    let no = Capabilities { forced_tool_choice: ForcedChoice::No, ..capabilities() };
    assert_eq!(choice(Some(ToolChoice::Required), None, &no), (json!({"type": "auto"}), 2, vec![LossClass::Semantic]));
    let single = Capabilities { parallel_control: false, ..capabilities() };
    assert_eq!(choice(None, Some(false), &single), (Value::Null, 2, vec![LossClass::Approximated]));
    let none = Capabilities { tool_choice: false, ..capabilities() };
    assert_eq!(choice(Some(ToolChoice::Required), None, &none), (Value::Null, 2, vec![LossClass::Semantic]));
}

#[test]
fn tools_of_every_kind() {
    let mut request = foreign();
    let custom = |grammar: Option<Value>| Tool {
        kind: ToolKind::Custom { grammar: grammar.map(raw) },
        parameters: None,
        ..tool("free")
    };
    let hosted = |type_name: &str, value: Value| Tool {
        kind: ToolKind::Hosted { type_name: type_name.into(), raw: raw(value) },
        ..Tool::default()
    };
    request.tools = vec![
        Tool { parameters: None, ..tool("none") },
        Tool { strict: Some(true), ..tool("strict") },
        custom(None),
        custom(Some(json!({"type": "grammar"}))),
        hosted(
            "web_search",
            json!({"user_location": {"approximate": {"city": "Bern"}}, "filters": {"allowed_domains": ["a.b"]}}),
        ),
        hosted("code_interpreter", json!({})),
    ];
    let (body, encoded) = encode(&request);
    let tools = body["tools"].as_array().unwrap();
    assert_eq!(tools.len(), 5);
    assert_eq!(tools[0]["input_schema"], json!({"type": "object", "properties": {}}));
    assert_eq!((&tools[1]["strict"], &tools[1]["input_schema"]["additionalProperties"]), (&json!(true), &json!(false)));
    assert_eq!(tools[2]["input_schema"]["required"], json!(["input"]));
    assert_eq!(
        tools[4],
        json!({"type": "web_search_20250305", "name": "web_search", "allowed_domains": ["a.b"],
        "user_location": {"type": "approximate", "city": "Bern"}})
    );
    let seen: Vec<_> = encoded.losses.iter().map(|loss| (loss.place.tool.unwrap(), loss.class)).collect();
    use LossClass::{Approximated, Semantic};
    assert_eq!(
        seen,
        [(1, Approximated), (2, Approximated), (3, Approximated), (3, Semantic), (4, Approximated), (5, Semantic)]
    );
}

#[test]
fn media_by_type_and_capability() {
    let image = |source: Source| Part::new(PartBody::Image { source, detail: Some("high".into()) });
    let file = |source: Source| {
        Part::new(PartBody::File { source, filename: Some("n".into()), context: None, citations: false })
    };
    let base64 = |mime: &str, data: &str| Source::Base64 { mime: mime.into(), data: data.into() };
    let url = |url: &str| Source::Url { url: url.into(), mime: None };
    let sent = |part: Part, capabilities: &Capabilities| {
        let mut request = foreign();
        request.messages[0].parts.push(part);
        let (body, encoded) = encode_with(&request, capabilities);
        (body["messages"][0]["content"][1].clone(), encoded.losses.iter().map(|loss| loss.class).max())
    };
    let yes = capabilities();
    let png = json!({"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="});
    for source in [
        base64("image/png", "iVBORw0KGgo="),
        base64("application/octet-stream", "iVBORw0KGgo="),
        url("data:image/png;base64,iVBORw0KGgo="),
    ] {
        assert_eq!(
            sent(image(source.clone()), &yes),
            (json!({"type": "image", "source": png}), Some(LossClass::Advisory))
        );
        assert_eq!(sent(file(source), &yes).0["type"], "image");
    }
    let pdf = sent(image(url("data:application/pdf;base64,JVBERi0=")), &yes).0;
    assert_eq!((&pdf["type"], &pdf["source"]["media_type"]), (&json!("document"), &json!("application/pdf")));
    assert_eq!(sent(image(url("https://a/b.png")), &yes).0["source"], json!({"type": "url", "url": "https://a/b.png"}));
    let csv = sent(file(base64("text/csv", "YSxi")), &yes).0;
    assert_eq!(
        csv,
        json!({"type": "document", "title": "n", "source": {"type": "text", "media_type": "text/plain", "data": "a,b"}})
    );
    let semantic = (Value::Null, Some(LossClass::Semantic));
    assert_eq!(sent(image(base64("image/bmp", "AAAA")), &yes), semantic);
    assert_eq!(sent(file(base64("application/zip", "AAAA")), &yes), semantic);
    let foreign_file = Source::VendorFile { dialect: FOREIGN, id: "x".into(), mime: None };
    assert_eq!(sent(file(foreign_file), &yes), semantic);
    let audio = Part::new(PartBody::Audio { source: base64("audio/wav", "AAAA"), format: None });
    assert_eq!(sent(audio, &yes), semantic);
    let blind =
        Capabilities { image_input: false, file_input: false, image_urls: false, file_urls: false, ..capabilities() };
    assert_eq!(sent(image(base64("image/png", "iVBORw0KGgo=")), &blind), semantic);
    assert_eq!(sent(file(base64("application/pdf", "JVBERi0=")), &blind), semantic);
    assert_eq!(sent(file(base64("text/csv", "YSxi")), &blind).0, csv);
}

#[test]
fn media_of_results_are_hoisted_where_they_cannot_stay() {
    let image = Part::new(PartBody::Image {
        source: Source::Base64 { mime: "image/png".into(), data: "iVBORw0KGgo=".into() },
        detail: None,
    });
    let mut request = foreign();
    request.messages.push(Message::new(Role::Assistant, vec![call("a", "f", ""), call("b", "f", "")]));
    request.messages.push(Message::new(Role::Tool, vec![result("a", vec![image]), result("b", vec![Part::text("r")])]));
    request.messages.push(Message::new(Role::User, vec![Part::text("so?")]));
    let (body, encoded) = encode_with(&request, &Capabilities { media_in_tool_results: false, ..capabilities() });
    let blocks = body["messages"][2]["content"].as_array().unwrap();
    let kinds: Vec<&str> = blocks.iter().map(|block| block["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["tool_result", "tool_result", "image", "text"]);
    assert_eq!(blocks[0]["content"][0]["type"], "text");
    assert_eq!(fields(&encoded), [Field::ToolResultMedia]);
    let (body, encoded) = encode(&request);
    assert_eq!((&body["messages"][2]["content"][0]["content"][0]["type"], encoded.losses.len()), (&json!("image"), 0));
}

#[test]
fn json_results_become_text() {
    let mut request = foreign();
    let answer = |id: &str, value: Value| {
        Part::new(PartBody::ToolResult {
            call_id: id.into(),
            name: None,
            content: Vec::new(),
            json: Some(raw(value)),
            is_error: true,
        })
    };
    request.messages.push(Message::new(Role::Assistant, vec![call("a", "f", ""), call("b", "f", "")]));
    request
        .messages
        .push(Message::new(Role::User, vec![answer("a", json!({"output": "plain"})), answer("b", json!({"x": 1}))]));
    let (body, _) = encode(&request);
    let blocks = &body["messages"][2]["content"];
    assert_eq!(
        (&blocks[0]["content"][0]["text"], &blocks[1]["content"][0]["text"]),
        (&json!("plain"), &json!("{\"x\":1}"))
    );
    assert_eq!(blocks[0]["is_error"], true);
}

#[test]
fn surplus_marks_go_earliest_first() {
    let mut request = foreign();
    let marked = |text: &str| Part { cache: Some(CacheMark { ttl: Some("30m".into()) }), ..Part::text(text) };
    request.tools = vec![Tool { cache: Some(CacheMark::default()), ..tool("f") }];
    request.messages = vec![
        Message::new(Role::System, vec![marked("s")]),
        Message::new(Role::User, vec![marked("1"), marked("2"), marked("3")]),
    ];
    let (body, encoded) = encode(&request);
    let blocks = &body["messages"][0]["content"];
    assert!(blocks[0].get("cache_control").is_none());
    assert_eq!(blocks[1]["cache_control"], json!({"type": "ephemeral", "ttl": "1h"}));
    assert_eq!(body["tools"][0]["cache_control"], json!({"type": "ephemeral"}));
    assert!(encoded.losses.iter().all(|loss| loss.class == LossClass::Performance));
    assert_eq!(encoded.losses.iter().filter(|loss| loss.action == LossAction::Dropped).count(), 1);
    let none = Capabilities { cache_marks: false, ..capabilities() };
    let encoded = encode_with(&request, &none).1;
    assert!(!String::from_utf8(encoded.body.bytes.to_vec()).unwrap().contains("cache_control"));
    assert_eq!(encoded.losses.len(), 5);
}

#[test]
fn only_verifiable_thinking_is_replayed() {
    let reasoning = |vendor: &str| Part {
        state: Some(gw_core::OpaqueState {
            vendor: vendor.into(),
            model: None,
            kind: gw_core::StateKind::Signature,
            payload: "S".into(),
        }),
        ..Part::new(PartBody::Reasoning { text: "hidden thought".into(), summary: false })
    };
    let mut request = foreign();
    let bare = Part::new(PartBody::Reasoning { text: "bare thought".into(), summary: true });
    request
        .messages
        .push(Message::new(Role::Assistant, vec![reasoning("anthropic"), reasoning("gemini"), bare, Part::text("a")]));
    request.messages.push(Message::new(Role::User, vec![Part::text("b")]));
    let (body, encoded) = encode(&request);
    assert_eq!(
        body["messages"][1]["content"],
        json!([
        {"type": "thinking", "thinking": "hidden thought", "signature": "S"}, {"type": "text", "text": "a"}])
    );
    assert_eq!(fields(&encoded), [Field::ReasoningState, Field::ReasoningText, Field::ReasoningText]);
    // A server of another vendor that speaks this format and wants its reasoning back.
    let wanting = Capabilities { reasoning_replay_required: true, ..capabilities() };
    let encoded = encode_for(&request, &wanting, "deepseek").unwrap();
    let body: Value = serde_json::from_slice(&encoded.body.bytes).unwrap();
    assert_eq!(body["messages"][1]["content"].as_array().unwrap().len(), 4);
}

#[test]
fn refused_fields_are_left_out_and_reported() {
    let mut request = foreign();
    request.identity.end_user = Some("u".into());
    let picky = Capabilities {
        drop_fields: vec!["metadata".into()],
        rename_fields: vec![("max_tokens".into(), "max_output".into())],
        ..capabilities()
    };
    let (body, encoded) = encode_with(&request, &picky);
    assert!(body.get("metadata").is_none() && body.get("max_output").is_some());
    assert_eq!(fields(&encoded), [Field::Unknown]);
}
