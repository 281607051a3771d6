//! The single-purpose endpoints: completions, embeddings, images, audio, moderations, videos, models.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};

use super::chat_request::{model, stops};
use super::{chat::frame, chat_usage};
use crate::answer::{CREATED, Reply, Stop};
use crate::failure::Failure;
use crate::fields::{boolean, missing, present, text, whole, wrong_type};
use crate::prompt::Prompt;
use crate::script::Script;
use crate::signature::fingerprint;

/// A checked `/v1/completions` request.
pub(crate) struct CompletionRequest {
    pub(crate) prompt: Prompt,
    pub(crate) stream: bool,
    include_usage: bool,
}

/// Reads a completions body; a list of prompts is taken as one.
pub(crate) fn completion(body: &Value) -> Result<CompletionRequest, Failure> {
    let mut prompt = Prompt { model: model(body, None)?, ..Prompt::default() };
    match present(body, "prompt") {
        None => prompt.add_user_text("<|endoftext|>"),
        Some(Value::String(said)) => prompt.add_user_text(said),
        Some(Value::Array(list)) => {
            for one in list {
                match one {
                    Value::String(said) => prompt.add_user_text(said),
                    Value::Number(token) => prompt.add_user_text(&format!("token{token}")),
                    Value::Array(tokens) => prompt.add_user_text(&format!("{} tokens", tokens.len())),
                    other => return Err(wrong_type("prompt", "a string or an array", other)),
                }
            }
        }
        Some(other) => return Err(wrong_type("prompt", "a string or an array", other)),
    }
    prompt.stops = stops(body)?;
    prompt.max_tokens = Some(whole(body, "max_tokens", 1)?.unwrap_or(16));
    prompt.candidates = whole(body, "n", 1)?.and_then(|n| usize::try_from(n).ok()).unwrap_or(1);
    let options = present(body, "stream_options").cloned().unwrap_or_default();
    Ok(CompletionRequest {
        prompt,
        stream: boolean(body, "stream")?,
        include_usage: boolean(&options, "include_usage")?,
    })
}

/// The whole completion.
pub(crate) fn completion_whole(request: &CompletionRequest, reply: &Reply, with_usage: bool) -> Value {
    let choices: Vec<Value> = reply
        .answers
        .iter()
        .enumerate()
        .map(|(index, answer)| completion_choice(index, &answer.text.concat(), Some(&answer.stop)))
        .collect();
    completion_body(request, reply, choices, with_usage.then(|| chat_usage(&reply.usage)))
}

/// The completion as chunks.
pub(crate) fn completion_stream(request: &CompletionRequest, reply: &Reply, with_usage: bool) -> Script {
    let mut frames = Vec::new();
    for (index, answer) in reply.answers.iter().enumerate() {
        for piece in &answer.text {
            frames.push(frame(&completion_body(request, reply, vec![completion_choice(index, piece, None)], None)));
        }
        let last = completion_choice(index, "", Some(&answer.stop));
        frames.push(frame(&completion_body(request, reply, vec![last], None)));
    }
    if request.include_usage && with_usage {
        frames.push(frame(&completion_body(request, reply, Vec::new(), Some(chat_usage(&reply.usage)))));
    }
    frames.push(Bytes::from_static(b"data: [DONE]\n\n"));
    Script::sse(frames)
}

fn completion_choice(index: usize, text: &str, stop: Option<&Stop>) -> Value {
    let reason = stop.map(|stop| if *stop == Stop::MaxTokens { "length" } else { "stop" });
    json!({"index": index, "text": text, "logprobs": null, "finish_reason": reason})
}

fn completion_body(request: &CompletionRequest, reply: &Reply, choices: Vec<Value>, usage: Option<Value>) -> Value {
    let mut body = json!({
        "id": format!("cmpl-{}", reply.id), "object": "text_completion", "created": reply.created,
        "model": request.prompt.model, "choices": choices, "system_fingerprint": "fp_mock",
    });
    if let (Some(fields), Some(usage)) = (body.as_object_mut(), usage) {
        fields.insert("usage".to_owned(), usage);
    }
    body
}

/// A unit vector made from `text`; equal texts have equal vectors.
pub(crate) fn embedding(text: &str, dimensions: usize) -> Vec<f32> {
    let mut state = fingerprint(&[text]) | 1;
    let raw: Vec<f32> = (0..dimensions)
        .map(|_| {
            // xorshift64: enough to look like an embedding.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 40) as f32 / 8_388_608.0 - 1.0
        })
        .collect();
    let length = raw.iter().map(|value| value * value).sum::<f32>().sqrt().max(f32::EPSILON);
    raw.into_iter().map(|value| value / length).collect()
}

/// `/v1/embeddings`.
pub(crate) fn embeddings(body: &Value) -> Result<Value, Failure> {
    let model = model(body, None)?;
    let inputs: Vec<String> = match present(body, "input") {
        None => return Err(missing("input")),
        Some(Value::String(said)) if said.is_empty() => {
            return Err(Failure::field("input", "invalid_value", "Invalid 'input': input cannot be an empty string."));
        }
        Some(Value::String(said)) => vec![said.clone()],
        Some(Value::Array(list)) if list.is_empty() => {
            return Err(Failure::field("input", "empty_array", "Invalid 'input': input cannot be an empty array."));
        }
        Some(tokens @ Value::Array(list)) if list.iter().all(Value::is_number) => vec![tokens.to_string()],
        Some(Value::Array(list)) => {
            list.iter().map(|one| one.as_str().map_or_else(|| one.to_string(), str::to_owned)).collect()
        }
        Some(other) => return Err(wrong_type("input", "a string or an array", other)),
    };
    let dimensions = whole(body, "dimensions", 1)?.and_then(|count| usize::try_from(count).ok()).unwrap_or(1536);
    if dimensions > 4096 {
        return Err(Failure::field(
            "dimensions",
            "invalid_value",
            "Invalid value for 'dimensions': must be at most 4096.",
        ));
    }
    let base64 = match text(body, "encoding_format") {
        "" | "float" => false,
        "base64" => true,
        other => return Err(crate::fields::not_one_of("encoding_format", other, "'float' and 'base64'")),
    };
    let data: Vec<Value> = inputs
        .iter()
        .enumerate()
        .map(|(index, input)| {
            let vector = embedding(input, dimensions);
            let vector = if base64 {
                let bytes: Vec<u8> = vector.iter().flat_map(|value| value.to_le_bytes()).collect();
                json!(STANDARD.encode(bytes))
            } else {
                json!(vector)
            };
            json!({"object": "embedding", "index": index, "embedding": vector})
        })
        .collect();
    let tokens: usize = inputs.iter().map(|input| input.split_whitespace().count().max(1)).sum();
    Ok(json!({
        "object": "list", "data": data, "model": model, "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }))
}

/// A PNG of one half-transparent blue pixel, base64.
const PIXEL: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";

/// `/v1/images/generations`, `/edits` and `/variations`; multipart bodies arrive as null.
pub(crate) fn images(body: &Value) -> Result<Value, Failure> {
    if body.is_object() && text(body, "prompt").is_empty() {
        return Err(missing("prompt"));
    }
    let count = whole(body, "n", 1)?.unwrap_or(1).min(10);
    let by_url = text(body, "response_format") == "url";
    let data: Vec<Value> = (0..count)
        .map(|index| {
            if by_url {
                json!({"url": format!("https://example.com/mock-{index}.png"), "revised_prompt": text(body, "prompt")})
            } else {
                json!({"b64_json": PIXEL, "revised_prompt": text(body, "prompt")})
            }
        })
        .collect();
    let words = text(body, "prompt").split_whitespace().count().max(1);
    Ok(json!({
        "created": CREATED, "data": data, "background": "transparent", "output_format": "png", "quality": "low", "size": "1024x1024",
        "usage": {
            "input_tokens": words, "output_tokens": 16 * count, "total_tokens": words as u64 + 16 * count,
            "input_tokens_details": {"text_tokens": words, "image_tokens": 0},
        },
    }))
}

/// `/v1/audio/speech`: a tenth of a second of silence as WAV, whatever the format asked for.
pub(crate) fn speech(body: &Value) -> Result<Bytes, Failure> {
    model(body, None)?;
    for field in ["input", "voice"] {
        if present(body, field).is_none() {
            return Err(missing(field));
        }
    }
    const SAMPLES: u32 = 800;
    let mut wav: Vec<u8> = Vec::with_capacity(44 + 2 * SAMPLES as usize);
    wav.extend_from_slice(b"RIFF");
    wav.extend_from_slice(&(36 + 2 * SAMPLES).to_le_bytes());
    wav.extend_from_slice(b"WAVEfmt ");
    wav.extend_from_slice(&16_u32.to_le_bytes());
    // PCM, one channel, 8 kHz, 16 bit.
    wav.extend_from_slice(&[1, 0, 1, 0]);
    wav.extend_from_slice(&8000_u32.to_le_bytes());
    wav.extend_from_slice(&16000_u32.to_le_bytes());
    wav.extend_from_slice(&[2, 0, 16, 0]);
    wav.extend_from_slice(b"data");
    wav.extend_from_slice(&(2 * SAMPLES).to_le_bytes());
    wav.resize(wav.len() + 2 * SAMPLES as usize, 0);
    Ok(Bytes::from(wav))
}

/// `/v1/audio/transcriptions` and `/translations`: `Err` if the multipart body has no file.
pub(crate) fn transcription(body: &[u8]) -> Result<Value, Failure> {
    for field in ["file", "model"] {
        let named = format!("name=\"{field}\"");
        if memchr::memmem::find(body, named.as_bytes()).is_none() {
            return Err(missing(field));
        }
    }
    Ok(json!({"text": "Mock transcription.", "usage": {"type": "duration", "seconds": 1}}))
}

/// `/v1/moderations`: flags texts that contain the word `violence`.
pub(crate) fn moderations(body: &Value) -> Result<Value, Failure> {
    let input = present(body, "input").ok_or_else(|| missing("input"))?;
    let single = [input.clone()];
    let inputs = input.as_array().map_or(single.as_slice(), Vec::as_slice);
    let names = [
        "harassment",
        "harassment/threatening",
        "hate",
        "hate/threatening",
        "illicit",
        "illicit/violent",
        "self-harm",
        "self-harm/instructions",
        "self-harm/intent",
        "sexual",
        "sexual/minors",
        "violence",
        "violence/graphic",
    ];
    let results: Vec<Value> = inputs
        .iter()
        .map(|input| {
            let flagged = input.to_string().to_ascii_lowercase().contains("violence");
            let hit = |name: &str| flagged && name == "violence";
            let map = |value: &dyn Fn(&str) -> Value| -> Value {
                Value::Object(names.iter().map(|name| ((*name).to_owned(), value(name))).collect())
            };
            json!({
                "flagged": flagged,
                "categories": map(&|name| json!(hit(name))),
                "category_scores": map(&|name| json!(if hit(name) { 0.98 } else { 0.001 })),
                "category_applied_input_types": map(&|_| json!(["text"])),
            })
        })
        .collect();
    let id = format!("modr-{:016x}", fingerprint(&[&input.to_string()]));
    let model = if text(body, "model").is_empty() { "omni-moderation-latest" } else { text(body, "model") };
    Ok(json!({"id": id, "model": model, "results": results}))
}

/// `POST /v1/videos` (and `/remix`): a job that is already done.
pub(crate) fn video_job(body: &Value, raw: &[u8]) -> Value {
    let id = format!("video_{:016x}", fingerprint(&[&String::from_utf8_lossy(raw)]));
    let prompt = body.get("prompt").cloned().unwrap_or_default();
    let model = if text(body, "model").is_empty() { "sora-2" } else { text(body, "model") };
    video(&id, model, "queued", 0, prompt)
}

/// `GET /v1/videos/{id}`.
pub(crate) fn video_status(id: &str) -> Value {
    video(id, "sora-2", "completed", 100, Value::Null)
}

fn video(id: &str, model: &str, status: &str, progress: u32, prompt: Value) -> Value {
    json!({
        "id": id, "object": "video", "created_at": CREATED, "completed_at": (progress == 100).then_some(CREATED),
        "expires_at": null, "error": null, "model": model, "status": status, "progress": progress, "prompt": prompt,
        "seconds": "4", "size": "720x1280", "remixed_from_video_id": null,
    })
}

/// `GET /v1/models` as OpenAI lists them.
pub(crate) fn models(names: &[String]) -> Value {
    json!({"object": "list", "data": names.iter().map(|name| model_entry(name)).collect::<Vec<_>>()})
}

/// One entry of the list.
pub(crate) fn model_entry(name: &str) -> Value {
    json!({"id": name, "object": "model", "created": CREATED, "owned_by": "mock"})
}

/// `GET /v1/models` as Anthropic lists them.
pub(crate) fn anthropic_models(names: &[String]) -> Value {
    let data: Vec<Value> = names.iter().map(|name| anthropic_model(name)).collect();
    json!({"data": data, "has_more": false, "first_id": names.first(), "last_id": names.last()})
}

/// One entry of Anthropic's list.
pub(crate) fn anthropic_model(name: &str) -> Value {
    json!({
        "id": name, "type": "model", "display_name": name, "created_at": "2026-01-01T00:00:00Z",
        "max_input_tokens": 200_000, "max_tokens": 64_000, "capabilities": null,
    })
}

/// `/v1/rerank` in the form that Cohere set: documents in the order of shared words.
pub(crate) fn rerank(body: &Value) -> Result<Value, Failure> {
    model(body, None)?;
    let query: Vec<String> = text(body, "query").split_whitespace().map(str::to_lowercase).collect();
    let documents = body.get("documents").and_then(Value::as_array).ok_or_else(|| missing("documents"))?;
    let mut scored: Vec<(usize, f64)> = documents
        .iter()
        .enumerate()
        .map(|(index, document)| {
            let text = document.as_str().map_or_else(|| document.to_string(), str::to_owned).to_lowercase();
            let shared = query.iter().filter(|word| text.contains(word.as_str())).count();
            (index, shared as f64 / query.len().max(1) as f64)
        })
        .collect();
    scored.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let top = whole(body, "top_n", 1)?.and_then(|top| usize::try_from(top).ok()).unwrap_or(usize::MAX);
    let results: Vec<Value> =
        scored.iter().take(top).map(|(index, score)| json!({"index": index, "relevance_score": score})).collect();
    let id = format!("rerank-{:016x}", fingerprint(&[text(body, "query")]));
    Ok(json!({"id": id, "results": results, "meta": {"billed_units": {"search_units": 1}}}))
}
