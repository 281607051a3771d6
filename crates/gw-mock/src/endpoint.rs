//! From a routed request to the content of its answer.

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};

use crate::answer::{input_tokens, reply};
use crate::behaviour::Behaviour;
use crate::failure::{Failure, Vendor};
use crate::openai::{chat, responses, single};
use crate::route::{Route, Target};
use crate::script::{Framing, Script};
use crate::{anthropic, gemini};

/// The content of a successful answer.
#[derive(Debug)]
pub(crate) enum Content {
    Json(Value),
    Raw(Bytes, &'static str),
    Stream(Script),
}

/// Answers a routed request; `body` is null where the request has no JSON body.
pub(crate) fn answer(
    route: &Route,
    request: &Request<Bytes>,
    body: &Value,
    behaviour: &Behaviour,
    models: &[String],
) -> Result<Content, Failure> {
    let usage = !behaviour.omit_usage;
    Ok(match &route.target {
        Target::Chat { deployment } => {
            let parsed = chat::parse(body, deployment.as_deref(), behaviour.strict)?;
            let reply = reply(&parsed.prompt, behaviour);
            if parsed.stream {
                Content::Stream(chat::stream(&parsed, &reply, usage))
            } else {
                Content::Json(chat::whole(&parsed, &reply, usage))
            }
        }
        Target::Completions => {
            let parsed = single::completion(body)?;
            let reply = reply(&parsed.prompt, behaviour);
            if parsed.stream {
                Content::Stream(single::completion_stream(&parsed, &reply, usage))
            } else {
                Content::Json(single::completion_whole(&parsed, &reply, usage))
            }
        }
        Target::Responses => {
            let parsed = responses::parse(body, behaviour.strict)?;
            let reply = reply(&parsed.prompt, behaviour);
            if parsed.stream {
                Content::Stream(responses::stream(&parsed, &reply, usage))
            } else {
                Content::Json(responses::whole(&parsed, &reply, usage))
            }
        }
        Target::ResponsesInputTokens => {
            let parsed = responses::parse(body, behaviour.strict)?;
            Content::Json(json!({"object": "response.input_tokens", "input_tokens": input_tokens(&parsed.prompt)}))
        }
        Target::Messages { model, stream } => messages(request, body, behaviour, model.as_deref(), *stream)?,
        Target::CountTokens => {
            let rules = anthropic::Rules { counting: true, strict: behaviour.strict, ..anthropic::Rules::default() };
            let parsed = anthropic::parse(body, rules)?;
            Content::Json(json!({"input_tokens": input_tokens(&parsed.prompt)}))
        }
        Target::Gemini { model, action } => generate(request, body, behaviour, model, action)?,
        Target::Models => Content::Json(match route.vendor {
            Vendor::OpenAi => single::models(models),
            Vendor::Anthropic => single::anthropic_models(models),
            Vendor::Gemini => gemini::models(models),
        }),
        Target::Model(name) => model(route.vendor, name)?,
        other => single_purpose(other, request, body)?,
    })
}

fn single_purpose(target: &Target, request: &Request<Bytes>, body: &Value) -> Result<Content, Failure> {
    Ok(match target {
        Target::Embeddings => Content::Json(single::embeddings(body)?),
        Target::Images => Content::Json(single::images(body)?),
        Target::Speech => Content::Raw(single::speech(body)?, "audio/wav"),
        Target::Transcription => Content::Json(single::transcription(request.body())?),
        Target::Moderations => Content::Json(single::moderations(body)?),
        Target::Rerank => Content::Json(single::rerank(body)?),
        Target::VideoJob => Content::Json(single::video_job(body, request.body())),
        Target::VideoStatus(id) => Content::Json(single::video_status(id)),
        Target::VideoContent => Content::Raw(Bytes::from_static(b"\0\0\0\x10ftypisom\0\0\0\0"), "video/mp4"),
        Target::Token => {
            Content::Json(json!({"access_token": "mock-access-token", "expires_in": 3599, "token_type": "Bearer"}))
        }
        _ => Content::Json(json!({"status": "ok"})),
    })
}

fn messages(
    request: &Request<Bytes>,
    body: &Value,
    behaviour: &Behaviour,
    path_model: Option<&str>,
    stream: Option<bool>,
) -> Result<Content, Failure> {
    let version = request.headers().get("anthropic-version").and_then(|value| value.to_str().ok());
    if version.is_none() && path_model.is_none() {
        return Err(Failure::invalid("anthropic-version: header is required"));
    }
    if let Some(version) = version.filter(|version| !matches!(*version, "2023-06-01" | "2023-01-01" | "2026-10-21")) {
        return Err(Failure::invalid(format!("anthropic-version: \"{version}\" is not a valid version")));
    }
    let no_sampling = version == Some("2026-10-21");
    let rules = anthropic::Rules { path_model, no_sampling, counting: false, strict: behaviour.strict };
    let parsed = anthropic::parse(body, rules)?;
    let reply = reply(&parsed.prompt, behaviour);
    Ok(if stream.unwrap_or(parsed.stream) {
        Content::Stream(anthropic::stream(&parsed, &reply, !behaviour.omit_usage))
    } else {
        Content::Json(anthropic::whole(&parsed, &reply, !behaviour.omit_usage))
    })
}

fn generate(
    request: &Request<Bytes>,
    body: &Value,
    behaviour: &Behaviour,
    model: &str,
    action: &str,
) -> Result<Content, Failure> {
    let usage = !behaviour.omit_usage;
    match action {
        "countTokens" => return gemini::count_tokens(body, model).map(Content::Json),
        "embedContent" => return gemini::embed(body).map(Content::Json),
        "batchEmbedContents" => return gemini::batch_embed(body).map(Content::Json),
        _ => {}
    }
    let parsed = gemini::parse(body, model, behaviour.strict)?;
    let reply = reply(&parsed.prompt, behaviour);
    let mut query = request.uri().query().into_iter().flat_map(|query| query.split('&'));
    let framing = if query.any(|pair| pair == "alt=sse") { Framing::Sse } else { Framing::JsonArray };
    let streams = action == "streamGenerateContent";
    Ok(match (behaviour.blocked, streams) {
        (true, false) => Content::Json(gemini::blocked(&parsed, &reply)),
        (true, true) => Content::Stream(gemini::frame(&[gemini::blocked(&parsed, &reply)], framing)),
        (false, false) => Content::Json(gemini::whole(&parsed, &reply, usage)),
        (false, true) => Content::Stream(gemini::stream(&parsed, &reply, usage, framing)),
    })
}

fn model(vendor: Vendor, name: &str) -> Result<Content, Failure> {
    if name.starts_with("missing") {
        return Err(Failure::new(404, format!("The model '{name}' does not exist")).with_code("model_not_found"));
    }
    Ok(Content::Json(match vendor {
        Vendor::OpenAi => single::model_entry(name),
        Vendor::Anthropic => single::anthropic_model(name),
        Vendor::Gemini => gemini::model(name),
    }))
}
