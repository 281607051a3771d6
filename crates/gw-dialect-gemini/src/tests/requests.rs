//! Requests: both spellings, round trips, pairing, carriers.

use gw_core::{
    DialectId, Effort, Field, LossClass, Message, OpaqueState, Part, PartBody, Role, Source, StateKind, Tool,
    ToolChoice, ToolKind, Visibility,
};
use gw_spi::{Capabilities, ReasoningStyle};
use serde_json::{Value, json};

use super::{capabilities, decode, encode, encode_with};

const RICH: &str = r#"{
  "systemInstruction":{"parts":[{"text":"Be brief."},{"text":"Be kind."}]},
  "contents":[
    {"role":"user","parts":[{"text":"Look"},{"inlineData":{"mimeType":"image/png","data":"iVBORw0KGgo="},"mediaResolution":{"level":"MEDIA_RESOLUTION_LOW"}},
      {"inlineData":{"mimeType":"audio/wav","data":"UklG"}},{"fileData":{"mimeType":"application/pdf","fileUri":"https://generativelanguage.googleapis.com/v1beta/files/x"}},
      {"fileData":{"fileUri":"https://www.youtube.com/watch?v=1"},"videoMetadata":{"startOffset":"1s","fps":0.50}}]},
    {"role":"model","parts":[{"text":"hm","thought":true},{"functionCall":{"id":"c1","name":"f","args":{"n":12345678901234567890,"type":"STRING","a_b":1.0}},"thoughtSignature":"c2ln"},
      {"functionCall":{"id":"c2","name":"g","args":{}}},{"executableCode":{"language":"PYTHON","code":"1"}}]},
    {"role":"user","parts":[{"functionResponse":{"id":"c1","name":"f","response":{"output":"ok","$ref":"x"},"willContinue":false,"parts":[{"inlineData":{"mimeType":"image/png","data":"AA=="}}]}},
      {"functionResponse":{"id":"c2","name":"g","response":{"error":"no"}}},{"text":"go on"}]},
    {"role":"model","parts":[{"text":"done"},{"text":"","thoughtSignature":"ZW5k"}]},
    {"role":"user","parts":[{"text":"more"}]}],
  "tools":[{"functionDeclarations":[{"name":"f","description":"F","parametersJsonSchema":{"type":"object","properties":{"n":{"type":"integer"}}},"responseJsonSchema":{"type":"string"},"behavior":"BLOCKING"},{"name":"g"}]},{"googleSearch":{"timeRangeFilter":{}}},{"codeExecution":{}}],
  "toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["f","g"]},"includeServerSideToolInvocations":true},
  "safetySettings":[{"category":"HARM_CATEGORY_HARASSMENT","threshold":"BLOCK_NONE"}],"modelArmorConfig":{"promptTemplateName":"t"},
  "generationConfig":{"temperature":0.70,"topP":0.9,"topK":40,"seed":7,"presencePenalty":0.1,"frequencyPenalty":0.2,"responseLogprobs":true,"logprobs":3,
    "maxOutputTokens":100,"stopSequences":["a","b"],"candidateCount":2,"responseMimeType":"application/json","responseJsonSchema":{"type":"object","properties":{"x":{"type":"string"}}},
    "responseModalities":["TEXT"],"mediaResolution":"MEDIA_RESOLUTION_HIGH","speechConfig":{"languageCode":"de"},"imageConfig":{"aspectRatio":"1:1"},
    "thinkingConfig":{"includeThoughts":true,"thinkingLevel":"HIGH"},"continuationToken":"t","routingConfig":{"x":1}},
  "cachedContent":"cachedContents/1","serviceTier":"flex","store":false,"futureField":{"deep":[1,2.50]}}"#;

#[test]
fn a_rich_request_comes_back_as_it_was() {
    let (request, losses) = decode(RICH).unwrap();
    assert!(losses.is_empty());
    let (out, losses) = encode(&request);
    assert_eq!(losses, Vec::new());
    assert_eq!(out, serde_json::from_str::<Value>(RICH).unwrap());
    let text = String::from_utf8(encode_with(&request, &capabilities()).unwrap().body.bytes.to_vec()).unwrap();
    assert!(text.contains("12345678901234567890") && text.contains("0.70") && text.contains("2.50"));
}

#[test]
fn snake_case_is_read_everywhere_but_in_what_belongs_to_the_client() {
    let text = r#"{"system_instruction":"S","contents":[{"parts":[{"inline_data":{"mime_type":"image/png","data":"AA=="}},{"file_data":{"file_uri":"gs://b/o","mime_type":"video/mp4"},"video_metadata":{"fps":1}}]},
      {"role":"model","parts":[{"function_call":{"id":"1","name":"f","args":{"snake_case":1}},"thought_signature":"c2ln"}]},
      {"role":"function","parts":[{"function_response":{"id":"1","name":"f","response":{"my_output":2}}}]}],
      "tools":{"function_declarations":[{"name":"f","parameters":{"type":"OBJECT","properties":{"snake_case":{"type":"INTEGER"}}}}]},
      "tool_config":{"function_calling_config":{"mode":"any","allowed_function_names":["f"]}},
      "generation_config":{"max_output_tokens":5,"stop_sequences":["x"],"thinking_config":{"include_thoughts":true,"thinking_budget":128},"response_mime_type":"application/json"},
      "safety_settings":[{"category":"C","threshold":"BLOCK_LOW_AND_ABOVE"}],"cached_content":"cachedContents/x"}"#;
    let (request, _) = decode(text).unwrap();
    assert_eq!(request.messages[0].role, Role::System);
    assert!(matches!(&request.messages[1].parts[0].body, PartBody::Image { source: Source::Base64 { .. }, .. }));
    assert!(matches!(&request.messages[1].parts[1].body, PartBody::Video { metadata: Some(_), .. }));
    let call = &request.messages[2].parts[0];
    assert!(matches!(&call.body, PartBody::ToolCall { arguments, .. } if arguments == r#"{"snake_case":1}"#));
    assert_eq!(call.state.as_ref().unwrap().payload, "c2ln");
    assert_eq!(request.messages[3].role, Role::Tool);
    // The result object is given once: other formats render it from there.
    assert!(matches!(&request.messages[3].parts[0].body,
        PartBody::ToolResult { content, json: Some(json), is_error: false, .. }
            if content.is_empty() && json.as_str() == r#"{"my_output":2}"#));
    assert_eq!(
        request.tools[0].parameters.as_ref().unwrap().as_str(),
        r#"{"type":"object","properties":{"snake_case":{"type":"integer"}}}"#
    );
    assert_eq!(request.tool_choice, Some(ToolChoice::Named("f".into())));
    assert_eq!((request.limits.max_output_tokens, request.reasoning.budget_tokens), (Some(5), Some(128)));
    assert_eq!(request.reasoning.visibility, Visibility::Summary);
    assert!(request.safety[0].2);
    assert!(request.extras.is_empty(), "{:?}", request.extras);
}

#[test]
fn errors_name_the_field_as_the_caller_wrote_it() {
    for (text, param) in [
        (r#"{}"#, "contents"),
        (r#"{"contents":[]}"#, "contents"),
        (r#"{"contents":[{"role":"robot","parts":[{"text":"x"}]}]}"#, "contents[0].role"),
        (r#"{"contents":[{"parts":[{"text":5}]}]}"#, "contents[0].parts[0].text"),
        (
            r#"{"contents":[{"parts":[{"inline_data":{"mime_type":"image/png"}}]}]}"#,
            "contents[0].parts[0].inline_data.data",
        ),
        (r#"{"contents":[{"parts":[{"functionCall":{"args":{}}}]}]}"#, "contents[0].parts[0].functionCall.name"),
        (r#"{"contents":[{"parts":[{"text":"x"}]}],"generation_config":{"top_k":"x"}}"#, "generation_config.top_k"),
        (
            r#"{"contents":[{"parts":[{"text":"x"}]}],"tools":[{"functionDeclarations":[{}]}]}"#,
            "tools[0].functionDeclarations[0].name",
        ),
        (
            r#"{"contents":[{"parts":[{"text":"x"}]}],"toolConfig":{"functionCallingConfig":{"mode":"X"}}}"#,
            "toolConfig.functionCallingConfig.mode",
        ),
        (r#"{"contents":[{"parts":[{"text":"x"}]}],"toolConfig":{},"tool_config":{}}"#, "tool_config"),
    ] {
        let error = decode(text).unwrap_err();
        assert_eq!((error.code, error.param.as_deref()), (gw_core::Code::BadRequest, Some(param)), "{text}");
    }
}

#[test]
fn results_without_ids_are_paired_and_ids_are_repeatable() {
    let text = r#"{"contents":[{"parts":[{"text":"q"}]},
      {"role":"model","parts":[{"functionCall":{"name":"f","args":{"a":1}}},{"functionCall":{"name":"g"}},{"functionCall":{"name":"f","args":{"a":2}}}]},
      {"parts":[{"functionResponse":{"name":"g","response":{"r":1}}},{"functionResponse":{"name":"f","response":{"r":2}}},{"functionResponse":{"name":"f","response":{"r":3}}}]},
      {"role":"model","parts":[{"functionCall":{"name":"f"}}]},{"parts":[{"functionResponse":{"name":"f","response":{}}}]}]}"#;
    let ids = |text: &str| -> (Vec<String>, Vec<String>) {
        let (request, _) = decode(text).unwrap();
        let (mut calls, mut results) = (Vec::new(), Vec::new());
        for part in request.messages.iter().flat_map(|message| &message.parts) {
            match &part.body {
                PartBody::ToolCall { call_id, .. } => calls.push(call_id.clone()),
                PartBody::ToolResult { call_id, .. } => results.push(call_id.clone()),
                _ => {}
            }
        }
        (calls, results)
    };
    let (calls, results) = ids(text);
    assert_eq!(results, [calls[1].clone(), calls[0].clone(), calls[2].clone(), calls[3].clone()]);
    let mut unique = calls.clone();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), 4);
    assert!(calls.iter().all(|id| id.starts_with("call_") && id.len() <= 40));
    assert_eq!(ids(text), (calls, results));
}

#[test]
fn an_unanswered_call_does_not_take_a_later_result() {
    let text = r#"{"contents":[{"role":"model","parts":[{"functionCall":{"name":"f"}}]},{"parts":[{"text":"never mind"}]},
      {"role":"model","parts":[{"functionCall":{"name":"f"}}]},{"parts":[{"functionResponse":{"name":"f","response":{}}}]}]}"#;
    let (request, _) = decode(text).unwrap();
    let id = |at: usize| match &request.messages[at].parts[0].body {
        PartBody::ToolCall { call_id, .. } | PartBody::ToolResult { call_id, .. } => call_id.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(id(3), id(2));
    assert_ne!(id(3), id(0));
}

fn foreign(messages: Vec<Message>) -> gw_core::ChatRequest {
    let mut request = gw_core::ChatRequest::new(DialectId("openai-chat"), "m");
    request.messages = messages;
    request
}

fn call(id: &str, arguments: &str) -> Part {
    Part::new(PartBody::ToolCall {
        call_id: id.into(),
        name: "f/x".into(),
        arguments: arguments.into(),
        kind: ToolKind::Function,
    })
}

fn result(id: &str, content: Vec<Part>, is_error: bool) -> Part {
    Part::new(PartBody::ToolResult { call_id: id.into(), name: None, content, json: None, is_error })
}

#[test]
fn foreign_tool_loops_get_names_ids_and_a_placeholder() {
    let image = Part::new(PartBody::Image {
        source: Source::Base64 { mime: "image/png".into(), data: "AA==".into() },
        detail: None,
    });
    let mut request = foreign(vec![
        Message::new(Role::System, vec![Part::text("S")]),
        Message::new(Role::User, vec![Part::text("q")]),
        Message::new(Role::Assistant, vec![call("c1", r#"{"a": 1}"#), call("c2", "not json")]),
        Message::new(Role::Tool, vec![result("c2", vec![Part::text(r##"{"$ref":"#/x"}"##)], false)]),
        Message::new(Role::Tool, vec![result("c1", vec![Part::text("bad"), image], true)]),
        Message::new(Role::Developer, vec![Part::text("now")]),
        Message::new(Role::User, vec![Part::text("and?")]),
    ]);
    request.tools.push(Tool { name: "f/x".into(), ..Tool::default() });
    let mut narrow = capabilities();
    narrow.media_in_tool_results = false;
    let encoded = encode_with(&request, &narrow).unwrap();
    let out: Value = serde_json::from_slice(&encoded.body.bytes).unwrap();
    assert_eq!(out["systemInstruction"], json!({"parts":[{"text":"S"}]}));
    let mark = "skip_thought_signature_validator";
    assert_eq!(
        out["contents"],
        json!([
            {"role":"user","parts":[{"text":"q"}]},
            {"role":"model","parts":[
                {"functionCall":{"id":"c1","name":"f_x","args":{"a":1}},"thoughtSignature":mark},
                {"functionCall":{"id":"c2","name":"f_x","args":{"_raw_arguments":"not json"}}}]},
            {"role":"user","parts":[
                {"functionResponse":{"id":"c2","name":"f_x","response":{"output":"{\"$ref\":\"#/x\"}"}}},
                {"functionResponse":{"id":"c1","name":"f_x","response":{"error":"bad\n[attachment 1]"}}},
                {"text":"[attachment 1]"},{"inlineData":{"mimeType":"image/png","data":"AA=="}},
                {"text":"<system>\nnow\n</system>"},{"text":"and?"}]},
        ])
    );
    assert_eq!(out["tools"], json!([{"functionDeclarations":[{"name":"f_x"}]}]));
    assert_eq!(encoded.renamed_tools, [("f_x".to_owned(), "f/x".to_owned())]);
    let fields: Vec<Field> = encoded.losses.iter().map(|loss| loss.field).collect();
    for field in [Field::ReasoningState, Field::ToolCallArguments, Field::ToolResultMedia, Field::SystemPosition] {
        assert!(fields.contains(&field), "{field:?} in {fields:?}");
    }
}

#[test]
fn signatures_stay_on_their_part_and_foreign_state_is_dropped_with_its_words() {
    let state = |vendor: &str| OpaqueState {
        vendor: vendor.into(),
        model: None,
        kind: StateKind::Signature,
        payload: "S".into(),
    };
    let mut signed = call("c1", "{}");
    signed.state = Some(state("gemini"));
    let mut thought = Part::new(PartBody::Reasoning { text: "secret".into(), summary: false });
    thought.state = Some(state("anthropic"));
    let request = foreign(vec![
        Message::new(Role::User, vec![Part::text("q")]),
        Message::new(Role::Assistant, vec![thought, signed, call("c2", "{}")]),
        Message::new(Role::Tool, vec![result("c1", vec![], false), result("c2", vec![], false)]),
    ]);
    let (out, losses) = encode(&request);
    let parts = &out["contents"][1]["parts"];
    assert_eq!(parts[0]["thoughtSignature"], "S");
    assert!(parts[1].get("thoughtSignature").is_none());
    assert!(!out.to_string().contains("secret"));
    let lost: Vec<_> = losses.iter().filter(|loss| loss.field == Field::ReasoningState).collect();
    assert_eq!((lost.len(), lost[0].class), (1, LossClass::Approximated));
}

#[test]
fn sealed_state_travels_through_the_client_in_either_alphabet() {
    use base64::Engine as _;
    let state =
        OpaqueState { vendor: "anthropic".into(), model: None, kind: StateKind::Signature, payload: "a?>~~".into() };
    let carried = crate::carrier::to_client(&state, &gw_spi::NoSealer);
    let bytes = base64::engine::general_purpose::STANDARD.decode(&carried).unwrap();
    let other = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes);
    for text in [carried, other] {
        let body = json!({"contents":[{"parts":[{"text":"q"}]},{"role":"model","parts":[
            {"text":"one ","thought":true},{"text":"two","thought":true},{"text":"","thought":true,"thoughtSignature":text}]}]});
        let (request, _) = decode(&body.to_string()).unwrap();
        let parts = &request.messages[1].parts;
        assert_eq!(parts.len(), 1);
        assert!(matches!(&parts[0].body, PartBody::Reasoning { text, .. } if text == "one two"));
        assert_eq!(parts[0].state.as_ref().unwrap(), &state);
    }
    // An envelope that does not open is a loss, never a vendor's value.
    let bad = base64::engine::general_purpose::STANDARD.encode("igx.broken");
    let body = json!({"contents":[{"role":"model","parts":[{"functionCall":{"name":"f"},"thoughtSignature":bad}]}]});
    let (request, losses) = decode(&body.to_string()).unwrap();
    assert_eq!(request.messages[0].parts[0].state, None);
    assert_eq!(losses[0].field, Field::ReasoningState);
}

#[test]
fn unpaired_calls_and_empty_requests_are_refused() {
    let user = || Message::new(Role::User, vec![Part::text("q")]);
    let orphan = foreign(vec![user(), Message::new(Role::Tool, vec![result("zz", vec![], false)])]);
    let error = encode_with(&orphan, &capabilities()).unwrap_err();
    assert!(error.message.contains("zz"), "{error}");
    let open = foreign(vec![user(), Message::new(Role::Assistant, vec![call("yy", "{}")]), user()]);
    assert!(encode_with(&open, &capabilities()).unwrap_err().message.contains("yy"));
    let system = foreign(vec![Message::new(Role::System, vec![Part::text("S")])]);
    assert_eq!(encode_with(&system, &capabilities()).unwrap_err().code, gw_core::Code::Unsupported);
}

#[test]
fn reasoning_is_controlled_by_level_or_budget() {
    let thinking = |effort: Option<Effort>, budget: Option<i64>, capabilities: &Capabilities| {
        let mut request = foreign(vec![Message::new(Role::User, vec![Part::text("q")])]);
        request.reasoning.effort = effort;
        request.reasoning.budget_tokens = budget;
        request.reasoning.visibility = Visibility::Hidden;
        let encoded = encode_with(&request, capabilities).unwrap();
        let out: Value = serde_json::from_slice(&encoded.body.bytes).unwrap();
        (out["generationConfig"]["thinkingConfig"].clone(), encoded.losses.len())
    };
    let level = capabilities();
    assert_eq!(thinking(Some(Effort::High), None, &level), (json!({"thinkingLevel":"HIGH"}), 0));
    assert_eq!(thinking(Some(Effort::Minimal), None, &level), (json!({"thinkingLevel":"LOW"}), 1));
    assert_eq!(thinking(Some(Effort::Max), None, &level), (json!({"thinkingLevel":"HIGH"}), 1));
    assert_eq!(thinking(Some(Effort::None), None, &level), (json!({"thinkingLevel":"LOW"}), 1));
    assert_eq!(thinking(None, Some(8_192), &level), (json!({"thinkingLevel":"MEDIUM"}), 1));
    assert_eq!(thinking(None, Some(-1), &level), (Value::Null, 0));
    let budget = Capabilities { reasoning: ReasoningStyle::Budget, budget_range: (128, 24_576), ..capabilities() };
    assert_eq!(thinking(Some(Effort::Low), None, &budget), (json!({"thinkingBudget":4_096}), 1));
    assert_eq!(thinking(None, Some(99_999), &budget), (json!({"thinkingBudget":24_576}), 1));
    assert_eq!(thinking(None, Some(0), &budget), (json!({"thinkingBudget":0}), 0));
    let always = Capabilities { can_disable_reasoning: false, ..budget };
    assert_eq!(thinking(Some(Effort::None), None, &always), (json!({"thinkingBudget":128}), 1));
}

#[test]
fn counting_wraps_what_is_more_than_contents() {
    use gw_spi::Egress as _;
    let capabilities = capabilities();
    let context = gw_spi::EncodeContext { model: "up", stream: false, capabilities: &capabilities, vendor: "gemini" };
    let count = |text: &str| -> Value {
        let (request, _) = decode(text).unwrap();
        let encoded = crate::Egress.encode_count(&request, &context).unwrap().unwrap();
        serde_json::from_slice(&encoded.body.bytes).unwrap()
    };
    let plain = r#"{"contents":[{"role":"user","parts":[{"text":"x"}]}]}"#;
    assert_eq!(count(plain), serde_json::from_str::<Value>(plain).unwrap());
    let wrapped = r#"{"generateContentRequest":{"model":"models/alias","contents":[{"role":"user","parts":[{"text":"x"}]}],"systemInstruction":{"parts":[{"text":"S"}]}}}"#;
    let out = count(wrapped);
    assert_eq!(out["generateContentRequest"]["model"], "models/up");
    assert_eq!(out["generateContentRequest"]["systemInstruction"], json!({"parts":[{"text":"S"}]}));
    assert_eq!(crate::Egress.decode_count(br#"{"totalTokens":31,"promptTokensDetails":[]}"#).unwrap().input_tokens, 31);
    assert!(crate::Egress.decode_count(b"{}").is_err());
}
