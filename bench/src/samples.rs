//! Requests that are sent and answers that the upstream gives, in the three dialects, with marks that a check can find.

/// Stands at the very end of an answer's text, so that a cut answer lacks it.
pub const MARK: &str = "bench-mark-end";
/// Stands in every chunk of a stream once.
pub const TOKEN: &str = "tk01";
/// Input tokens that the upstream reports, found again in every whole answer.
pub const INPUT_TOKENS: &str = "4711";

/// A wire format, on either side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    OpenAi,
    Anthropic,
    Gemini,
}

impl Dialect {
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "openai" => Some(Self::OpenAi),
            "anthropic" => Some(Self::Anthropic),
            "gemini" => Some(Self::Gemini),
            _ => None,
        }
    }

    /// The dialect whose endpoint `path` is.
    pub fn from_path(path: &str) -> Option<Self> {
        if path.contains("chat/completions") {
            Some(Self::OpenAi)
        } else if path.contains("/messages") {
            Some(Self::Anthropic)
        } else if path.contains("enerateContent") {
            Some(Self::Gemini)
        } else {
            None
        }
    }

    /// What only an answer of this dialect contains.
    pub fn shape(self) -> &'static str {
        match self {
            Self::OpenAi => "\"choices\"",
            Self::Anthropic => "\"stop_reason\"",
            Self::Gemini => "\"candidates\"",
        }
    }

    /// What only the last event of a whole stream contains.
    pub fn terminal(self) -> &'static str {
        match self {
            Self::OpenAi => "data: [DONE]",
            Self::Anthropic => "\"message_stop\"",
            Self::Gemini => "\"STOP\"",
        }
    }
}

/// Request path and body of a chat whose prompt has `prompt_bytes` bytes.
pub fn request(dialect: Dialect, model: &str, prompt_bytes: usize, stream: bool) -> (String, String) {
    let sentence = "The quick brown fox jumps over the lazy dog and asks for one more answer. ";
    let prompt: String = sentence.chars().cycle().take(prompt_bytes).collect();
    let flag = if stream { r#""stream":true,"# } else { "" };
    match dialect {
        Dialect::OpenAi => (
            "/v1/chat/completions".to_owned(),
            format!(
                r#"{{"model":"{model}",{flag}"messages":[{{"role":"system","content":"Be brief."}},{{"role":"user","content":"{prompt}"}}],"temperature":0.5,"max_tokens":512}}"#
            ),
        ),
        Dialect::Anthropic => (
            "/v1/messages".to_owned(),
            format!(
                r#"{{"model":"{model}",{flag}"max_tokens":512,"system":"Be brief.","messages":[{{"role":"user","content":"{prompt}"}}],"temperature":0.5}}"#
            ),
        ),
        Dialect::Gemini => {
            let action = if stream { "streamGenerateContent?alt=sse" } else { "generateContent" };
            (
                format!("/v1beta/models/{model}:{action}"),
                format!(
                    r#"{{"systemInstruction":{{"parts":[{{"text":"Be brief."}}]}},"contents":[{{"role":"user","parts":[{{"text":"{prompt}"}}]}}],"generationConfig":{{"temperature":0.5,"maxOutputTokens":512}}}}"#
                ),
            )
        }
    }
}

/// A whole answer of about 1 kB with usage.
pub fn answer(dialect: Dialect) -> String {
    let sentence = "An answer is as long as it needs to be, and this one is long enough to look like one. ";
    let text: String = sentence.chars().cycle().take(700).chain(MARK.chars()).collect();
    match dialect {
        Dialect::OpenAi => format!(
            r#"{{"id":"chatcmpl-bench","object":"chat.completion","created":1760000000,"model":"bench","choices":[{{"index":0,"message":{{"role":"assistant","content":"{text}","refusal":null}},"logprobs":null,"finish_reason":"stop"}}],"usage":{{"prompt_tokens":{INPUT_TOKENS},"completion_tokens":160,"total_tokens":4871}}}}"#
        ),
        Dialect::Anthropic => format!(
            r#"{{"id":"msg_bench","type":"message","role":"assistant","model":"bench","content":[{{"type":"text","text":"{text}"}}],"stop_reason":"end_turn","stop_sequence":null,"usage":{{"input_tokens":{INPUT_TOKENS},"output_tokens":160}}}}"#
        ),
        Dialect::Gemini => format!(
            r#"{{"candidates":[{{"content":{{"parts":[{{"text":"{text}"}}],"role":"model"}},"finishReason":"STOP","index":0}}],"usageMetadata":{{"promptTokenCount":{INPUT_TOKENS},"candidatesTokenCount":160,"totalTokenCount":4871}},"modelVersion":"bench","responseId":"bench"}}"#
        ),
    }
}

/// The events of a stream: what comes before the text, one event of text, and what comes after.
pub struct Events {
    pub before: String,
    pub chunk: String,
    pub after: String,
}

/// Events of a stream in `dialect`, as server-sent events.
pub fn events(dialect: Dialect) -> Events {
    let text = format!("{TOKEN} and some more ");
    match dialect {
        Dialect::OpenAi => {
            let event = |delta: &str, finish: &str, usage: &str| {
                format!(
                    "data: {{\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":1760000000,\"model\":\"bench\",\"choices\":[{{\"index\":0,\"delta\":{delta},\"finish_reason\":{finish}}}]{usage}}}\n\n"
                )
            };
            let usage =
                format!(r#","usage":{{"prompt_tokens":{INPUT_TOKENS},"completion_tokens":160,"total_tokens":4871}}"#);
            Events {
                before: event(r#"{"role":"assistant","content":""}"#, "null", ""),
                chunk: event(&format!(r#"{{"content":"{text}"}}"#), "null", ""),
                after: format!("{}data: [DONE]\n\n", event("{}", "\"stop\"", &usage)),
            }
        }
        Dialect::Anthropic => {
            let event = |name: &str, data: &str| format!("event: {name}\ndata: {data}\n\n");
            Events {
                before: event(
                    "message_start",
                    &format!(
                        r#"{{"type":"message_start","message":{{"id":"msg_bench","type":"message","role":"assistant","model":"bench","content":[],"stop_reason":null,"stop_sequence":null,"usage":{{"input_tokens":{INPUT_TOKENS},"output_tokens":1}}}}}}"#
                    ),
                ) + &event(
                    "content_block_start",
                    r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
                ),
                chunk: event(
                    "content_block_delta",
                    &format!(
                        r#"{{"type":"content_block_delta","index":0,"delta":{{"type":"text_delta","text":"{text}"}}}}"#
                    ),
                ),
                after: event("content_block_stop", r#"{"type":"content_block_stop","index":0}"#)
                    + &event(
                        "message_delta",
                        r#"{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":160}}"#,
                    )
                    + &event("message_stop", r#"{"type":"message_stop"}"#),
            }
        }
        Dialect::Gemini => {
            let event = |parts: &str, end: &str| {
                format!(
                    "data: {{\"candidates\":[{{\"content\":{{\"parts\":[{parts}],\"role\":\"model\"}}{end},\"index\":0}}],\"modelVersion\":\"bench\",\"responseId\":\"bench\"}}\n\n"
                )
            };
            let usage = format!(
                "data: {{\"candidates\":[{{\"content\":{{\"parts\":[{{\"text\":\"\"}}],\"role\":\"model\"}},\"finishReason\":\"STOP\",\"index\":0}}],\"usageMetadata\":{{\"promptTokenCount\":{INPUT_TOKENS},\"candidatesTokenCount\":160,\"totalTokenCount\":4871}},\"modelVersion\":\"bench\",\"responseId\":\"bench\"}}\n\n"
            );
            Events { before: String::new(), chunk: event(&format!(r#"{{"text":"{text}"}}"#), ""), after: usage }
        }
    }
}

/// `bench-c200-p5` asks for 200 chunks with 5 ms between them; found anywhere in a path or body.
pub fn stream_plan(text: &[u8]) -> (usize, u64) {
    let number_after = |mark: &[u8]| {
        let start = text.windows(mark.len()).position(|window| window == mark)? + mark.len();
        let digits: String =
            text.iter().skip(start).take_while(|byte| byte.is_ascii_digit()).map(|byte| char::from(*byte)).collect();
        let rest = start + digits.len();
        Some((digits.parse::<u64>().ok()?, rest))
    };
    let Some((chunks, rest)) = number_after(b"bench-c") else { return (10, 0) };
    let pause = text.get(rest..).and_then(|tail| tail.strip_prefix(b"-p")).map_or(0, |tail| {
        tail.iter().take_while(|byte| byte.is_ascii_digit()).fold(0, |sum, byte| sum * 10 + u64::from(byte - b'0'))
    });
    (usize::try_from(chunks).unwrap_or(usize::MAX), pause)
}

#[cfg(test)]
mod tests {
    use super::{Dialect, MARK, TOKEN, answer, events, stream_plan};

    #[test]
    fn the_plan_is_read_from_the_model_name() {
        assert_eq!(stream_plan(b"{\"model\":\"bench-c200-p5\"}"), (200, 5));
        assert_eq!(stream_plan(b"/v1beta/models/bench-c7:x"), (7, 0));
        assert_eq!(stream_plan(b"{}"), (10, 0));
    }

    #[test]
    fn answers_carry_the_marks_that_the_load_looks_for() {
        for dialect in [Dialect::OpenAi, Dialect::Anthropic, Dialect::Gemini] {
            let answer = answer(dialect);
            assert!(answer.contains(MARK) && answer.contains(dialect.shape()), "{answer}");
            assert!((900..1100).contains(&answer.len()), "{}", answer.len());
            let events = events(dialect);
            assert_eq!(events.chunk.matches(TOKEN).count(), 1);
            assert!(events.after.contains(dialect.terminal()) && !events.chunk.contains(dialect.terminal()));
        }
    }
}
