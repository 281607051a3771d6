//! Answers against the schemas that the vendors publish, where that folder is at hand.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::{get, ok, post, with};
use crate::{anthropic, gemini, openai};

/// The folder with the published schemas: `IRONGATE_SCHEMAS`, else beside the repository.
fn published(file: &str) -> Option<Value> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/schemas");
    let folder = std::env::var_os("IRONGATE_SCHEMAS").map_or_else(beside, PathBuf::from);
    let Ok(text) = std::fs::read_to_string(folder.join(file)) else {
        eprintln!("skipped: no {file} in {}", folder.display());
        return None;
    };
    Some(serde_json::from_str(&text).unwrap())
}

/// The part of JSON Schema that the published files use to say what an answer looks like.
struct Validator {
    root: Value,
}

impl Validator {
    fn check(&self, component: &str, value: &Value) {
        let schema = json!({"$ref": format!("#/components/schemas/{component}")});
        let errors = self.errors(&schema, value, "");
        assert!(errors.is_empty(), "{component}: {errors:?} in {value}");
    }

    fn errors(&self, schema: &Value, value: &Value, path: &str) -> Vec<String> {
        // OpenAI sends nulls that its own description does not allow.
        if value.is_null() || schema["nullable"] == true && value.is_null() {
            return Vec::new();
        }
        if let Some(reference) = schema["$ref"].as_str() {
            let target = self.root.pointer(reference.strip_prefix('#').unwrap());
            return self.errors(target.unwrap_or_else(|| panic!("{reference}")), value, path);
        }
        let mut errors = Vec::new();
        for key in ["anyOf", "oneOf"] {
            let Some(options) = schema[key].as_array() else { continue };
            let results = options.iter().map(|option| self.errors(option, value, path));
            // The branch that got furthest explains best.
            if let Some(best) = results.min_by_key(Vec::len) {
                errors.extend(best);
            }
        }
        for part in schema["allOf"].as_array().into_iter().flatten() {
            errors.extend(self.errors(part, value, path));
        }
        if schema["enum"].as_array().is_some_and(|members| !members.contains(value))
            || schema.get("const").is_some_and(|only| only != value)
        {
            errors.push(format!("{path}: {value} is not a member"));
        }
        let fits = |name: &str| match name {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            "boolean" => value.is_boolean(),
            _ => false,
        };
        let matches = match &schema["type"] {
            Value::String(name) => fits(name),
            Value::Array(names) => names.iter().any(|name| fits(name.as_str().unwrap())),
            _ => true,
        };
        if !matches {
            errors.push(format!("{path}: {value} is not {}", schema["type"]));
        }
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if value.is_object() && value.get(name).is_none() {
                errors.push(format!("{path}: {name} is missing"));
            }
        }
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            if let Some(field) = value.get(name) {
                errors.extend(self.errors(property, field, &format!("{path}.{name}")));
            }
        }
        if let (Some(items), Some(elements)) = (schema.get("items"), value.as_array()) {
            for element in elements {
                errors.extend(self.errors(items, element, &format!("{path}[]")));
            }
        }
        errors
    }
}

#[tokio::test]
async fn openai_answers_fit_the_published_description() {
    let Some(root) = published("openai.openapi.json") else { return };
    let schema = Validator { root };
    let wrong = json!({"id": 1, "choices": [{"finish_reason": "done"}]});
    let reference = json!({"$ref": "#/components/schemas/CreateChatCompletionResponse"});
    assert!(schema.errors(&reference, &wrong, "").len() > 3, "the validator must see mistakes");
    for body in openai::requests() {
        schema.check("CreateChatCompletionResponse", &ok(openai::CHAT, &body).await);
        for chunk in post(openai::CHAT, &with(&body, "stream", json!(true))).await.data() {
            // The description of chunks knows no custom tools, though the service streams their calls.
            if chunk.pointer("/choices/0/delta/tool_calls/0/custom").is_some() {
                continue;
            }
            schema.check("CreateChatCompletionStreamResponse", &chunk);
        }
    }
    let tool = json!([{"type": "function", "name": "w", "parameters": {"type": "object"}, "strict": false}]);
    let body = json!({"model": "m", "input": "narrate parallel", "tools": tool,
        "reasoning": {"effort": "low", "summary": "auto"}, "include": ["reasoning.encrypted_content"]});
    schema.check("Response", &ok("/v1/responses", &body).await);
    for event in post("/v1/responses", &with(&body, "stream", json!(true))).await.data() {
        schema.check("ResponseStreamEvent", &event);
    }
    let single = [
        ("/v1/embeddings", json!({"model": "m", "input": "x"}), "CreateEmbeddingResponse"),
        ("/v1/completions", json!({"model": "m", "prompt": "x"}), "CreateCompletionResponse"),
        ("/v1/images/generations", json!({"model": "m", "prompt": "x"}), "ImagesResponse"),
        ("/v1/moderations", json!({"input": "x"}), "CreateModerationResponse"),
        ("/v1/videos", json!({"model": "sora-2", "prompt": "x"}), "VideoResource"),
    ];
    for (path, body, component) in single {
        schema.check(component, &ok(path, &body).await);
    }
    schema.check("ListModelsResponse", &get("/v1/models", &[]).await.json());
    schema.check("ErrorResponse", &post(openai::CHAT, &json!({})).await.json());
}

#[tokio::test]
async fn anthropic_answers_fit_the_published_description() {
    let Some(root) = published("anthropic.openapi.json") else { return };
    let schema = Validator { root };
    for body in anthropic::requests() {
        schema.check("Message", &ok(anthropic::MESSAGES, &body).await);
        let events = post(anthropic::MESSAGES, &with(&body, "stream", json!(true))).await.data();
        for event in events.iter().filter(|event| event["type"] != "ping") {
            schema.check("MessageStreamEvent", event);
        }
    }
    schema.check("ErrorResponse", &post(anthropic::MESSAGES, &json!({})).await.json());
    schema.check("CountMessageTokensResponse", &ok("/v1/messages/count_tokens", &anthropic::requests()[0]).await);
}

/// Fields, enumerations and references of a discovery document.
fn unknown(schemas: &Value, name: &str, value: &Value, path: &str, found: &mut Vec<String>) {
    for (key, field) in value.as_object().into_iter().flatten() {
        // Sent by the service (recorded), younger than the published document.
        if key == "serviceTier" {
            continue;
        }
        let property = &schemas[name]["properties"][key];
        let inner = if property["type"] == "array" { &property["items"] } else { property };
        let path = format!("{path}.{key}");
        if property.is_null() {
            found.push(path);
            continue;
        }
        let elements = field.as_array().map_or_else(|| std::slice::from_ref(field), Vec::as_slice);
        for element in elements {
            if let Some(reference) = inner["$ref"].as_str() {
                unknown(schemas, reference, element, &path, found);
            } else if inner["enum"].as_array().is_some_and(|members| !members.contains(element)) {
                found.push(format!("{path}={element}"));
            }
        }
    }
}

#[tokio::test]
async fn gemini_answers_use_only_published_fields() {
    let Some(root) = published("gemini.v1beta.discovery.json") else { return };
    let mut found = Vec::new();
    for body in gemini::requests() {
        let whole = ok("/v1beta/models/gemini-3-pro:generateContent", &body).await;
        unknown(&root["schemas"], "GenerateContentResponse", &whole, "", &mut found);
    }
    unknown(&root["schemas"], "ListModelsResponse", &get("/v1beta/models", &[]).await.json(), "", &mut found);
    assert_eq!(found, Vec::<String>::new());
    unknown(&root["schemas"], "GenerateContentResponse", &json!({"candidates": [{"finish": 1}]}), "", &mut found);
    assert_eq!(found, [".candidates.finish"], "the check must see mistakes");
}
