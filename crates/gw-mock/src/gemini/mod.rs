//! Gemini generateContent, whole, as SSE and as a JSON array; token counts and embeddings.

mod request;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::answer::{Answer, Reply, Stop};
use crate::failure::Failure;
use crate::fields::{either, items};
use crate::script::{Framing, Script};
use crate::signature;

pub(crate) use request::{CALL, GenerateRequest, TEXT, parse};

/// The whole answer.
pub(crate) fn whole(request: &GenerateRequest, reply: &Reply, with_usage: bool) -> Value {
    let candidates: Vec<Value> = reply
        .answers
        .iter()
        .enumerate()
        .map(|(index, answer)| candidate(index, parts(request, answer), Some(answer)))
        .collect();
    response(request, reply, candidates, with_usage)
}

/// The same answer in chunks: text in fragments, calls whole, the finish reason on the last chunk of a candidate.
pub(crate) fn stream(request: &GenerateRequest, reply: &Reply, with_usage: bool, framing: Framing) -> Script {
    let mut chunks = Vec::new();
    for (index, answer) in reply.answers.iter().enumerate() {
        let mut pieces = fragments(request, answer);
        let last = pieces.pop().unwrap_or_else(|| vec![json!({"text": ""})]);
        for parts in pieces {
            chunks.push(response(request, reply, vec![candidate(index, parts, None)], with_usage));
        }
        chunks.push(response(request, reply, vec![candidate(index, last, Some(answer))], with_usage));
    }
    frame(&chunks, framing)
}

/// The answer to a blocked prompt: no candidates.
pub(crate) fn blocked(request: &GenerateRequest, reply: &Reply) -> Value {
    let mut body = response(request, reply, Vec::new(), true);
    if let Some(fields) = body.as_object_mut() {
        fields.remove("candidates");
        fields.insert("promptFeedback".to_owned(), json!({"blockReason": "SAFETY"}));
    }
    body
}

/// Puts chunks into the framing that the client chose.
pub(crate) fn frame(chunks: &[Value], framing: Framing) -> Script {
    let mut events: Vec<Bytes> = Vec::with_capacity(chunks.len() + 1);
    for (index, chunk) in chunks.iter().enumerate() {
        events.push(Bytes::from(match framing {
            Framing::Sse | Framing::Responses => format!("data: {chunk}\n\n"),
            Framing::JsonArray => format!("{}{chunk}", if index == 0 { "[" } else { ",\n" }),
        }));
    }
    if framing == Framing::JsonArray {
        events.push(Bytes::from_static(b"\n]"));
    }
    Script { events, framing }
}

/// `:countTokens`: the body is a generate request, possibly wrapped in `generateContentRequest`.
pub(crate) fn count_tokens(body: &Value, model: &str) -> Result<Value, Failure> {
    let inner = either(body, "generateContentRequest", "generate_content_request").unwrap_or(body);
    let request = parse(inner, model, false)?;
    let tokens = crate::answer::input_tokens(&request.prompt);
    Ok(json!({"totalTokens": tokens, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": tokens}]}))
}

/// `:embedContent`.
pub(crate) fn embed(body: &Value) -> Result<Value, Failure> {
    Ok(json!({"embedding": {"values": vector(body)?}}))
}

/// `:batchEmbedContents`.
pub(crate) fn batch_embed(body: &Value) -> Result<Value, Failure> {
    if items(body, "requests").len() == 0 {
        return Err(Failure::field("requests", "", "* BatchEmbedContentsRequest.requests: contents is not specified"));
    }
    let embeddings: Result<Vec<Value>, Failure> =
        items(body, "requests").map(|one| Ok(json!({"values": vector(one)?}))).collect();
    Ok(json!({"embeddings": embeddings?}))
}

fn vector(body: &Value) -> Result<Vec<f32>, Failure> {
    let Some(content) = body.get("content") else {
        return Err(Failure::field("content", "", "* EmbedContentRequest.content: contents is not specified"));
    };
    let text: Vec<&str> = items(content, "parts").filter_map(|part| part.get("text")?.as_str()).collect();
    let dimensions = either(body, "outputDimensionality", "output_dimensionality")
        .or_else(|| body.pointer("/embedContentConfig/outputDimensionality"))
        .and_then(Value::as_u64)
        .unwrap_or(768);
    let dimensions = usize::try_from(dimensions).unwrap_or(usize::MAX).min(3072);
    Ok(crate::openai::single::embedding(&text.join(" "), dimensions))
}

/// The model list.
pub(crate) fn models(names: &[String]) -> Value {
    json!({"models": names.iter().map(|name| model(name)).collect::<Vec<_>>()})
}

/// One entry of the model list.
pub(crate) fn model(name: &str) -> Value {
    json!({
        "name": format!("models/{name}"), "version": "mock", "displayName": name, "description": "A mock model.",
        "inputTokenLimit": 1_048_576, "outputTokenLimit": 65_536, "thinking": true,
        "supportedGenerationMethods": ["generateContent", "countTokens", "embedContent", "batchEmbedContents"],
        "temperature": 1, "topP": 0.95, "topK": 64, "maxTemperature": 2,
    })
}

/// All parts of an answer, text joined.
fn parts(request: &GenerateRequest, answer: &Answer) -> Vec<Value> {
    let mut parts = Vec::new();
    if request.include_thoughts && !answer.reasoning.is_empty() {
        parts.push(json!({"text": answer.reasoning.concat(), "thought": true}));
    }
    if !answer.text.is_empty() || answer.calls.is_empty() {
        let mut part = json!({"text": answer.text.concat()});
        if answer.calls.is_empty() {
            sign_text(request, answer, &mut part);
        }
        parts.push(part);
    }
    parts.extend(calls(request, answer));
    parts
}

/// The same parts chunk by chunk; a text signature comes on an empty part of its own at the end.
fn fragments(request: &GenerateRequest, answer: &Answer) -> Vec<Vec<Value>> {
    let mut chunks: Vec<Vec<Value>> = Vec::new();
    if request.include_thoughts {
        chunks.extend(answer.reasoning.iter().map(|piece| vec![json!({"text": piece, "thought": true})]));
    }
    chunks.extend(answer.text.iter().map(|piece| vec![json!({"text": piece})]));
    if answer.calls.is_empty() {
        let mut part = json!({"text": ""});
        if sign_text(request, answer, &mut part) {
            chunks.push(vec![part]);
        }
    } else {
        chunks.push(calls(request, answer));
    }
    chunks
}

fn sign_text(request: &GenerateRequest, answer: &Answer, part: &mut Value) -> bool {
    let Some(fields) = part.as_object_mut().filter(|_| request.signs) else { return false };
    fields.insert("thoughtSignature".to_owned(), json!(signature::sign(TEXT, &answer.text.concat())));
    true
}

/// Call parts; the first of parallel calls carries the signature, beside the call.
fn calls(request: &GenerateRequest, answer: &Answer) -> Vec<Value> {
    let calls = answer.calls.iter().enumerate();
    calls
        .map(|(at, call)| {
            let mut part = Map::new();
            part.insert(
                "functionCall".to_owned(),
                json!({"id": format!("fc_{}", call.id), "name": call.name, "args": call.arguments}),
            );
            if at == 0 && request.signs {
                part.insert("thoughtSignature".to_owned(), json!(signature::sign(CALL, &call.name)));
            }
            Value::Object(part)
        })
        .collect()
}

fn candidate(index: usize, parts: Vec<Value>, finished: Option<&Answer>) -> Value {
    let mut candidate = json!({"content": {"parts": parts, "role": "model"}, "index": index});
    if let (Some(answer), Some(fields)) = (finished, candidate.as_object_mut()) {
        let reason = match answer.stop {
            Stop::End | Stop::Sequence(_) | Stop::Calls => "STOP",
            Stop::MaxTokens => "MAX_TOKENS",
            Stop::Refusal => "SAFETY",
        };
        fields.insert("finishReason".to_owned(), json!(reason));
        if answer.stop == Stop::Refusal {
            fields.remove("content");
        }
    }
    candidate
}

fn response(request: &GenerateRequest, reply: &Reply, candidates: Vec<Value>, with_usage: bool) -> Value {
    let mut body = json!({
        "candidates": candidates, "modelVersion": request.prompt.model, "responseId": reply.id,
    });
    if let Some(fields) = body.as_object_mut().filter(|_| with_usage) {
        fields.insert("usageMetadata".to_owned(), usage(reply));
    }
    body
}

fn usage(reply: &Reply) -> Value {
    let usage = &reply.usage;
    let mut body = json!({
        "promptTokenCount": usage.input,
        "candidatesTokenCount": usage.output - usage.reasoning,
        "totalTokenCount": usage.input + usage.output,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": usage.input}],
        "serviceTier": "standard",
    });
    if let Some(fields) = body.as_object_mut() {
        if usage.cache_read > 0 {
            fields.insert("cachedContentTokenCount".to_owned(), json!(usage.cache_read));
            let details = json!([{"modality": "TEXT", "tokenCount": usage.cache_read}]);
            fields.insert("cacheTokensDetails".to_owned(), details);
        }
        if usage.reasoning > 0 {
            fields.insert("thoughtsTokenCount".to_owned(), json!(usage.reasoning));
        }
    }
    body
}
