//! Pre-rendered answers for load tests: nothing is parsed, nothing is formatted.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Response};
use memchr::memmem;

use crate::behaviour::Behaviour;
use crate::body::{MockBody, Step};
use crate::journal::Ticket;

/// How the pre-rendered answers are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bench {
    /// Content chunks of a stream.
    pub chunks: usize,
    /// The pause between two chunks.
    pub chunk_delay: Duration,
}

impl Default for Bench {
    /// 100 chunks without pause.
    fn default() -> Self {
        Self { chunks: 100, chunk_delay: Duration::ZERO }
    }
}

impl Bench {
    /// Takes `chunks` and `chunk_delay` from a behaviour.
    pub(crate) fn overlaid(self, behaviour: &Behaviour) -> Self {
        let delay = behaviour.chunk_delay;
        Self {
            chunks: behaviour.tokens.unwrap_or(self.chunks),
            chunk_delay: if delay.is_zero() { self.chunk_delay } else { delay },
        }
    }
}

/// The answers of the three dialects, rendered once.
#[derive(Debug)]
pub(crate) struct Rendered {
    openai: Dialect,
    anthropic: Dialect,
    gemini: Dialect,
}

#[derive(Debug)]
struct Dialect {
    whole: Bytes,
    head: Bytes,
    chunk: Bytes,
    tail: Bytes,
    /// The tail if the client asked for usage.
    usage_tail: Bytes,
}

impl Rendered {
    pub(crate) fn new() -> Self {
        Self { openai: openai(), anthropic: anthropic(), gemini: gemini() }
    }

    /// Answers if `path` is one of the generating endpoints, else gives the ticket back.
    pub(crate) fn respond(
        &self,
        path: &str,
        body: &[u8],
        bench: Bench,
        ticket: Ticket,
    ) -> Result<Response<MockBody>, Ticket> {
        let (dialect, stream) = if path.ends_with("/chat/completions") {
            (&self.openai, asks(body, b"\"stream\""))
        } else if path.ends_with("/messages") {
            (&self.anthropic, asks(body, b"\"stream\""))
        } else if path.ends_with(":generateContent") {
            (&self.gemini, false)
        } else if path.ends_with(":streamGenerateContent") {
            (&self.gemini, true)
        } else {
            return Err(ticket);
        };
        if !stream {
            let mut response = Response::new(MockBody::whole(dialect.whole.clone(), ticket));
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            return Ok(response);
        }
        let usage = asks(body, b"\"include_usage\"");
        let tail = if usage { dialect.usage_tail.clone() } else { dialect.tail.clone() };
        let mut steps = VecDeque::with_capacity(3);
        if !dialect.head.is_empty() {
            steps.push_back(Step::Send(dialect.head.clone()));
        }
        steps.push_back(Step::Repeat(dialect.chunk.clone(), bench.chunks));
        steps.push_back(Step::Send(tail));
        let mut response = Response::new(MockBody::stream(steps, bench.chunk_delay, ticket));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        Ok(response)
    }
}

/// Whether `key` is followed by `true`, wherever it stands; good enough for requests made by a load generator.
fn asks(body: &[u8], key: &[u8]) -> bool {
    let Some(at) = memmem::find(body, key) else { return false };
    let rest = body.get(at + key.len()..).unwrap_or_default();
    let mut rest = rest.iter().skip_while(|byte| byte.is_ascii_whitespace() || **byte == b':');
    rest.next() == Some(&b't')
}

/// Filler that makes a whole answer about 1 kB with its envelope of `around` bytes.
fn filler(around: usize) -> String {
    "The quick brown fox jumps over the lazy dog. ".repeat(24).chars().take(1024_usize.saturating_sub(around)).collect()
}

fn openai() -> Dialect {
    let usage = r#""usage":{"prompt_tokens":90,"completion_tokens":160,"total_tokens":250,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}"#;
    let text = filler(560);
    let whole = format!(
        r#"{{"id":"chatcmpl-mockbench0000","object":"chat.completion","created":1767225600,"model":"mock","choices":[{{"index":0,"message":{{"role":"assistant","content":"{text}","refusal":null,"annotations":[]}},"logprobs":null,"finish_reason":"stop"}}],{usage},"service_tier":"default","system_fingerprint":"fp_mock"}}"#
    );
    let chunk = |choices: &str| {
        format!(
            "data: {{\"id\":\"chatcmpl-mockbench0000\",\"object\":\"chat.completion.chunk\",\"created\":1767225600,\"model\":\"mock\",\"service_tier\":\"default\",\"system_fingerprint\":\"fp_mock\",\"choices\":[{choices}]"
        )
    };
    let delta = |delta: &str, reason: &str| {
        let choice = format!(r#"{{"index":0,"delta":{delta},"logprobs":null,"finish_reason":{reason}}}"#);
        format!("{}}}\n\n", chunk(&choice))
    };
    let finish = delta("{}", "\"stop\"");
    Dialect {
        whole: Bytes::from(whole),
        head: Bytes::from(delta(r#"{"role":"assistant","content":"","refusal":null}"#, "null")),
        chunk: Bytes::from(delta(r#"{"content":" quick brown fox"}"#, "null")),
        tail: Bytes::from(format!("{finish}data: [DONE]\n\n")),
        usage_tail: Bytes::from(format!("{finish}{},{usage}}}\n\ndata: [DONE]\n\n", chunk(""))),
    }
}

fn anthropic() -> Dialect {
    let usage = r#"{"input_tokens":90,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"output_tokens":160,"service_tier":"standard","inference_geo":"not_available"}"#;
    let text = filler(460);
    let whole = format!(
        r#"{{"model":"mock","id":"msg_mockbench0000","type":"message","role":"assistant","content":[{{"type":"text","text":"{text}"}}],"stop_reason":"end_turn","stop_sequence":null,"stop_details":null,"usage":{usage}}}"#
    );
    let start = usage.replace("\"output_tokens\":160", "\"output_tokens\":1");
    let head = format!(
        "event: message_start\ndata: {{\"type\":\"message_start\",\"message\":{{\"model\":\"mock\",\"id\":\"msg_mockbench0000\",\"type\":\"message\",\"role\":\"assistant\",\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,\"stop_details\":null,\"usage\":{start}}}}}\n\nevent: content_block_start\ndata: {{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{{\"type\":\"text\",\"text\":\"\"}}}}\n\nevent: ping\ndata: {{\"type\": \"ping\"}}\n\n"
    );
    let chunk = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\" quick brown fox\"}}\n\n";
    let tail = "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\nevent: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\",\"stop_sequence\":null,\"stop_details\":null},\"usage\":{\"input_tokens\":90,\"cache_creation_input_tokens\":0,\"cache_read_input_tokens\":0,\"output_tokens\":160}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
    let tail = Bytes::from_static(tail.as_bytes());
    Dialect {
        whole: Bytes::from(whole),
        head: Bytes::from(head),
        chunk: Bytes::from_static(chunk.as_bytes()),
        tail: tail.clone(),
        usage_tail: tail,
    }
}

fn gemini() -> Dialect {
    let usage = r#""usageMetadata":{"promptTokenCount":90,"candidatesTokenCount":160,"totalTokenCount":250,"promptTokensDetails":[{"modality":"TEXT","tokenCount":90}],"serviceTier":"standard"},"modelVersion":"mock","responseId":"mockbench0000""#;
    let text = filler(340);
    let body = |text: &str, finish: &str| {
        format!(
            r#"{{"candidates":[{{"content":{{"parts":[{{"text":"{text}"}}],"role":"model"}},{finish}"index":0}}],{usage}}}"#
        )
    };
    let stop = "\"finishReason\":\"STOP\",";
    let tail = Bytes::from(format!("data: {}\n\n", body("", stop)));
    Dialect {
        whole: Bytes::from(body(&text, stop)),
        head: Bytes::new(),
        chunk: Bytes::from(format!("data: {}\n\n", body(" quick brown fox", ""))),
        tail: tail.clone(),
        usage_tail: tail,
    }
}
