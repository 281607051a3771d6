//! Random requests and stream frames, valid in shape and odd in content.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Any JSON value, shallow.
pub fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e6f64..1e6).prop_map(Value::from),
        words().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z$]{1,6}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// Text with escapes, line separators, and letters of several scripts.
pub fn words() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        "[a-zA-Z ]{1,12}",
        Just("line\nbreak\t\"quoted\" \\ back".to_owned()),
        Just("\u{2028}\u{2029}\u{85}\u{0}\u{1f600}é漢字".to_owned()),
        Just("igx.anthropic.s.m.payload".to_owned()),
        Just("{\"$ref\": \"#/x\"}".to_owned()),
        any::<String>(),
    ]
}

fn object(members: Vec<(&'static str, Option<Value>)>) -> Value {
    members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect::<Map<_, _>>().into()
}

fn sometimes(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Option<Value>> {
    prop::option::weighted(0.3, value)
}

fn schema() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(
            json!({"type": "object", "properties": {"city": {"type": "string", "description": "Where"}}, "required": ["city"]})
        ),
        Just(json!({"type": "object", "properties": {}})),
        Just(
            json!({"$defs": {"n": {"type": ["string", "null"]}}, "type": "object", "properties": {"a": {"$ref": "#/$defs/n"}}})
        ),
        Just(
            json!({"type": "object", "properties": {"v": {"oneOf": [{"type": "integer"}, {"const": "x"}]}}, "additionalProperties": false})
        ),
        value(),
    ]
}

fn openai_part() -> impl Strategy<Value = Value> {
    prop_oneof![
        words().prop_map(|text| json!({"type": "text", "text": text})),
        Just(json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo=", "detail": "low"}})),
        Just(json!({"type": "image_url", "image_url": {"url": "https://example.com/a.png"}})),
        Just(json!({"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}})),
        Just(
            json!({"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}})
        ),
        value(),
    ]
}

fn openai_content() -> impl Strategy<Value = Value> {
    prop_oneof![
        words().prop_map(Value::from),
        prop::collection::vec(openai_part(), 0..4).prop_map(Value::from),
        Just(Value::Null)
    ]
}

fn openai_message() -> impl Strategy<Value = Value> {
    let call = (words(), words()).prop_map(
        |(id, arguments)| json!({"id": id, "type": "function", "function": {"name": "f", "arguments": arguments}}),
    );
    prop_oneof![
        (prop_oneof!["system", "developer", "user", "assistant"], openai_content())
            .prop_map(|(role, content)| json!({"role": role, "content": content})),
        (openai_content(), prop::collection::vec(call, 0..3), sometimes(words().prop_map(Value::from))).prop_map(
            |(content, calls, reasoning)| object(vec![
                ("role", Some("assistant".into())),
                ("content", Some(content)),
                ("tool_calls", Some(calls.into())),
                ("reasoning_content", reasoning)
            ])
        ),
        (openai_content(), sometimes(words().prop_map(Value::from)), sometimes(value())).prop_map(
            |(content, name, extra)| {
                object(vec![
                    ("role", Some("user".into())),
                    ("content", Some(content)),
                    ("name", name),
                    ("x_extra", extra),
                ])
            }
        ),
        (words(), openai_content())
            .prop_map(|(id, content)| json!({"role": "tool", "tool_call_id": id, "content": content})),
        value(),
    ]
}

/// An OpenAI Chat Completions request.
pub fn openai_request() -> impl Strategy<Value = Value> {
    let settings = (
        sometimes((0.0f64..2.0).prop_map(Value::from)),
        sometimes((1u32..9999).prop_map(Value::from)),
        sometimes(prop_oneof![Just(json!("END")), Just(json!(["a", "b"])), value()]),
        sometimes(prop_oneof![Just(json!("low")), Just(json!("high")), Just(json!("newest")), value()]),
        sometimes(schema().prop_map(
            |schema| json!({"type": "json_schema", "json_schema": {"name": "n", "schema": schema, "strict": true}}),
        )),
        sometimes(prop_oneof![
            Just(json!("auto")),
            Just(json!("none")),
            Just(json!("required")),
            Just(json!({"type": "function", "function": {"name": "f"}})),
            value()
        ]),
        sometimes(any::<bool>().prop_map(Value::from)),
        sometimes(value()),
    );
    let tools = sometimes(
        prop::collection::vec(
            schema().prop_map(|schema| json!({"type": "function", "function": {"name": "f", "parameters": schema}})),
            0..3,
        )
        .prop_map(Value::from),
    );
    (prop::collection::vec(openai_message(), 0..5), tools, settings).prop_map(|(messages, tools, settings)| {
        let (temperature, tokens, stop, effort, format, choice, parallel, unknown) = settings;
        object(vec![
            ("model", Some("m".into())),
            ("messages", Some(messages.into())),
            ("tools", tools),
            ("temperature", temperature),
            ("max_completion_tokens", tokens),
            ("stop", stop),
            ("reasoning_effort", effort),
            ("response_format", format),
            ("tool_choice", choice),
            ("parallel_tool_calls", parallel),
            ("x_unknown", unknown),
        ])
    })
}

fn anthropic_block() -> impl Strategy<Value = Value> {
    prop_oneof![
        words().prop_map(|text| json!({"type": "text", "text": text})),
        words().prop_map(|text| json!({"type": "text", "text": text, "cache_control": {"type": "ephemeral", "ttl": "1h"}})),
        Just(json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}})),
        Just(json!({"type": "document", "source": {"type": "url", "url": "https://example.com/a.pdf"}, "title": "t", "citations": {"enabled": true}})),
        (words(), words()).prop_map(|(text, signature)| json!({"type": "thinking", "thinking": text, "signature": signature})),
        words().prop_map(|data| json!({"type": "redacted_thinking", "data": data})),
        (words(), value()).prop_map(|(id, input)| json!({"type": "tool_use", "id": id, "name": "f", "input": input})),
        (words(), value(), any::<bool>()).prop_map(|(id, content, error)| json!({"type": "tool_result", "tool_use_id": id, "content": content, "is_error": error})),
        value(),
    ]
}

/// An Anthropic Messages request.
pub fn anthropic_request() -> impl Strategy<Value = Value> {
    let content = || {
        prop_oneof![words().prop_map(Value::from), prop::collection::vec(anthropic_block(), 0..4).prop_map(Value::from)]
    };
    let message = (prop_oneof!["user", "assistant", "system"], content())
        .prop_map(|(role, content)| json!({"role": role, "content": content, "x_extra": role}));
    let settings = (
        sometimes(content()),
        sometimes((0.0f64..1.0).prop_map(Value::from)),
        sometimes(prop_oneof![
            Just(json!({"type": "enabled", "budget_tokens": 2048})),
            Just(json!({"type": "adaptive"})),
            Just(json!({"type": "disabled"})),
            value()
        ]),
        sometimes(prop_oneof![
            Just(json!({"type": "any", "disable_parallel_tool_use": true})),
            Just(json!({"type": "tool", "name": "f"})),
            value()
        ]),
        sometimes(prop::collection::vec(words(), 0..3).prop_map(Value::from)),
        sometimes(value()),
    );
    let tools = sometimes(
        prop::collection::vec(
            schema().prop_map(|schema| json!({"name": "f", "description": "d", "input_schema": schema})),
            0..3,
        )
        .prop_map(Value::from),
    );
    (prop::collection::vec(message, 0..5), tools, settings).prop_map(|(messages, tools, settings)| {
        let (system, temperature, thinking, choice, stops, unknown) = settings;
        object(vec![
            ("model", Some("m".into())),
            ("max_tokens", Some(4096.into())),
            ("messages", Some(messages.into())),
            ("system", system),
            ("tools", tools),
            ("temperature", temperature),
            ("thinking", thinking),
            ("tool_choice", choice),
            ("stop_sequences", stops),
            ("x_unknown", unknown),
        ])
    })
}

fn gemini_part() -> impl Strategy<Value = Value> {
    prop_oneof![
        words().prop_map(|text| json!({"text": text})),
        (words(), words())
            .prop_map(|(text, signature)| json!({"text": text, "thought": true, "thoughtSignature": signature})),
        Just(json!({"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}})),
        Just(json!({"file_data": {"mime_type": "video/mp4", "file_uri": "https://example.com/v"}})),
        (value(), words()).prop_map(
            |(args, signature)| json!({"functionCall": {"name": "f", "args": args}, "thoughtSignature": signature})
        ),
        value().prop_map(|response| json!({"functionResponse": {"name": "f", "response": response}})),
        value(),
    ]
}

/// A Gemini generateContent request.
pub fn gemini_request() -> impl Strategy<Value = Value> {
    let content = || {
        (prop_oneof!["user", "model"], prop::collection::vec(gemini_part(), 0..4))
            .prop_map(|(role, parts)| json!({"role": role, "parts": parts, "xExtra": role}))
    };
    let config = (
        sometimes((0.0f64..2.0).prop_map(Value::from)),
        sometimes((1u32..64).prop_map(Value::from)),
        sometimes(prop_oneof![
            Just(json!({"thinkingBudget": -1})),
            Just(json!({"thinkingLevel": "HIGH", "includeThoughts": true})),
            value()
        ]),
        sometimes(schema()),
        sometimes(prop::collection::vec(words(), 0..3).prop_map(Value::from)),
        sometimes(value()),
    )
        .prop_map(|(temperature, top_k, thinking, schema, stops, unknown)| {
            let mime = schema.is_some().then(|| json!("application/json"));
            object(vec![
                ("temperature", temperature),
                ("topK", top_k),
                ("thinkingConfig", thinking),
                ("responseSchema", schema),
                ("responseMimeType", mime),
                ("stopSequences", stops),
                ("xUnknown", unknown),
            ])
        });
    let tools = sometimes(
        prop::collection::vec(
            schema().prop_map(|schema| json!({"functionDeclarations": [{"name": "f", "parameters": schema}]})),
            0..3,
        )
        .prop_map(Value::from),
    );
    (prop::collection::vec(content(), 0..5), tools, sometimes(config), sometimes(content()), sometimes(value()))
        .prop_map(|(contents, tools, config, system, unknown)| {
            object(vec![
                ("contents", Some(contents.into())),
                ("tools", tools),
                ("generationConfig", config),
                ("systemInstruction", system),
                ("xUnknown", unknown),
            ])
        })
}

/// Frame data in the neighbourhood of real chunks: known shapes with members replaced, dropped or nonsense.
pub fn mutated(samples: Vec<Value>) -> impl Strategy<Value = Value> {
    (prop::sample::select(samples), prop::collection::vec((any::<prop::sample::Index>(), value()), 0..3)).prop_map(
        |(mut sample, edits)| {
            for (at, with) in edits {
                let mut places = Vec::new();
                pointers(&sample, String::new(), &mut places);
                let place = at.get(&places).clone();
                if let Some(slot) = sample.pointer_mut(&place) {
                    *slot = with;
                }
            }
            sample
        },
    )
}

fn pointers(value: &Value, here: String, out: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                pointers(member, format!("{here}/{}", name.replace('~', "~0").replace('/', "~1")), out);
            }
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, item)| pointers(item, format!("{here}/{at}"), out))
        }
        _ => {}
    }
    out.push(here);
}
