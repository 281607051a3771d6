//! Streams and the whole replies that say the same, as each provider sends them.

use super::dialects::{ANTHROPIC, Dialect, GEMINI, OPENAI};

/// One answer in both forms.
pub(crate) struct Sample {
    pub(crate) dialect: Dialect,
    pub(crate) name: &'static str,
    /// `data` of each event, in order.
    pub(crate) events: &'static [&'static str],
    /// The equivalent whole reply.
    pub(crate) reply: &'static str,
}

impl Sample {
    /// One frame's bytes.
    pub(crate) fn frame(&self, data: &str) -> String {
        if self.dialect.id != ANTHROPIC.id {
            return format!("data: {data}\n\n");
        }
        let value: serde_json::Value = serde_json::from_str(data).unwrap();
        format!("event: {}\ndata: {data}\n\n", value["type"].as_str().unwrap())
    }

    /// The whole stream.
    pub(crate) fn stream(&self) -> String {
        self.prefix(self.events.len()) + if self.dialect.id == OPENAI.id { "data: [DONE]\n\n" } else { "" }
    }

    /// The first events only.
    pub(crate) fn prefix(&self, count: usize) -> String {
        self.events.iter().take(count).map(|data| self.frame(data)).collect()
    }

    /// The provider's error in the middle of a stream.
    pub(crate) fn fault(&self) -> String {
        match self.dialect.vendor {
            "openai" => self.frame(r#"{"error":{"message":"overloaded today","type":"server_error","code":"server_is_overloaded","param":null}}"#),
            "anthropic" => self.frame(r#"{"type":"error","error":{"type":"overloaded_error","message":"overloaded today"}}"#),
            _ => self.frame(r#"{"error":{"code":503,"message":"overloaded today","status":"UNAVAILABLE"}}"#),
        }
    }
}

pub(crate) const SAMPLES: &[Sample] = &[
    Sample {
        dialect: OPENAI,
        name: "text",
        events: &[
            r#"{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1790000001,"model":"gpt-x","system_fingerprint":"fp_1","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"usage":null}"#,
            r#"{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1790000001,"model":"gpt-x","system_fingerprint":"fp_1","choices":[{"index":0,"delta":{"content":"Hé"},"finish_reason":null}],"usage":null}"#,
            r#"{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1790000001,"model":"gpt-x","system_fingerprint":"fp_1","choices":[{"index":0,"delta":{"content":"llo\n\"😀\""},"finish_reason":null}],"usage":null}"#,
            r#"{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1790000001,"model":"gpt-x","system_fingerprint":"fp_1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":null}"#,
            r#"{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1790000001,"model":"gpt-x","system_fingerprint":"fp_1","choices":[],"usage":{"prompt_tokens":100,"completion_tokens":7,"total_tokens":107,"prompt_tokens_details":{"cached_tokens":64},"completion_tokens_details":{"reasoning_tokens":3}}}"#,
        ],
        reply: r#"{"id":"chatcmpl-1","object":"chat.completion","created":1790000001,"model":"gpt-x","system_fingerprint":"fp_1","choices":[{"index":0,"message":{"role":"assistant","content":"Héllo\n\"😀\"","refusal":null},"finish_reason":"stop","logprobs":null}],"usage":{"prompt_tokens":100,"completion_tokens":7,"total_tokens":107,"prompt_tokens_details":{"cached_tokens":64},"completion_tokens_details":{"reasoning_tokens":3}}}"#,
    },
    Sample {
        dialect: OPENAI,
        name: "text_and_parallel_tools",
        events: &[
            r#"{"id":"c2","object":"chat.completion.chunk","created":1790000002,"model":"gpt-x","choices":[{"index":0,"delta":{"role":"assistant","content":"Looking"},"finish_reason":null}]}"#,
            r#"{"id":"c2","object":"chat.completion.chunk","created":1790000002,"model":"gpt-x","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_a","type":"function","function":{"name":"get_weather","arguments":""}}]},"finish_reason":null}]}"#,
            r#"{"id":"c2","object":"chat.completion.chunk","created":1790000002,"model":"gpt-x","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"city\":"}}]},"finish_reason":null}]}"#,
            r#"{"id":"c2","object":"chat.completion.chunk","created":1790000002,"model":"gpt-x","choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"id":"call_b","type":"function","function":{"name":"get_time","arguments":""}},{"index":0,"function":{"arguments":"\"Paris\"}"}}]},"finish_reason":null}]}"#,
            r#"{"id":"c2","object":"chat.completion.chunk","created":1790000002,"model":"gpt-x","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}"#,
            r#"{"id":"c2","object":"chat.completion.chunk","created":1790000002,"model":"gpt-x","choices":[],"usage":{"prompt_tokens":10,"completion_tokens":20,"total_tokens":30}}"#,
        ],
        reply: r#"{"id":"c2","object":"chat.completion","created":1790000002,"model":"gpt-x","choices":[{"index":0,"message":{"role":"assistant","content":"Looking","tool_calls":[{"id":"call_a","type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"Paris\"}"}},{"id":"call_b","type":"function","function":{"name":"get_time","arguments":""}}]},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":10,"completion_tokens":20,"total_tokens":30}}"#,
    },
    Sample {
        dialect: OPENAI,
        name: "reasoning",
        events: &[
            r#"{"id":"c3","object":"chat.completion.chunk","created":1790000003,"model":"ds","choices":[{"index":0,"delta":{"role":"assistant","content":null,"reasoning_content":"Let me"},"finish_reason":null}]}"#,
            r#"{"id":"c3","object":"chat.completion.chunk","created":1790000003,"model":"ds","choices":[{"index":0,"delta":{"content":null,"reasoning_content":" think"},"finish_reason":null}]}"#,
            r#"{"id":"c3","object":"chat.completion.chunk","created":1790000003,"model":"ds","choices":[{"index":0,"delta":{"content":"42","reasoning_content":null},"finish_reason":null}]}"#,
            r#"{"id":"c3","object":"chat.completion.chunk","created":1790000003,"model":"ds","choices":[{"index":0,"delta":{"content":"","reasoning_content":null},"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":9,"total_tokens":14,"prompt_cache_hit_tokens":2,"prompt_cache_miss_tokens":3,"completion_tokens_details":{"reasoning_tokens":8}}}"#,
        ],
        reply: r#"{"id":"c3","object":"chat.completion","created":1790000003,"model":"ds","choices":[{"index":0,"message":{"role":"assistant","content":"42","reasoning_content":"Let me think"},"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":9,"total_tokens":14,"prompt_cache_hit_tokens":2,"prompt_cache_miss_tokens":3,"completion_tokens_details":{"reasoning_tokens":8}}}"#,
    },
    Sample {
        dialect: OPENAI,
        name: "refusal",
        events: &[
            r#"{"id":"c4","object":"chat.completion.chunk","created":1790000004,"model":"gpt-x","choices":[{"index":0,"delta":{"role":"assistant","refusal":"I can"},"finish_reason":null}]}"#,
            r#"{"id":"c4","object":"chat.completion.chunk","created":1790000004,"model":"gpt-x","choices":[{"index":0,"delta":{"refusal":"not."},"finish_reason":null}]}"#,
            r#"{"id":"c4","object":"chat.completion.chunk","created":1790000004,"model":"gpt-x","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
        ],
        reply: r#"{"id":"c4","object":"chat.completion","created":1790000004,"model":"gpt-x","choices":[{"index":0,"message":{"role":"assistant","content":null,"refusal":"I cannot."},"finish_reason":"stop"}]}"#,
    },
    Sample {
        dialect: OPENAI,
        name: "limit_in_the_middle_of_a_call",
        events: &[
            r#"{"id":"c5","object":"chat.completion.chunk","created":1790000005,"model":"gpt-x","choices":[{"index":0,"delta":{"role":"assistant","tool_calls":[{"index":0,"id":"call_cut","type":"function","function":{"name":"f","arguments":"{\"a\": \"un"}}]},"finish_reason":null}]}"#,
            r#"{"id":"c5","object":"chat.completion.chunk","created":1790000005,"model":"gpt-x","choices":[{"index":0,"delta":{},"finish_reason":"length"}]}"#,
            r#"{"id":"c5","object":"chat.completion.chunk","created":1790000005,"model":"gpt-x","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":16,"total_tokens":17}}"#,
        ],
        reply: r#"{"id":"c5","object":"chat.completion","created":1790000005,"model":"gpt-x","choices":[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[{"id":"call_cut","type":"function","function":{"name":"f","arguments":"{\"a\": \"un"}}]},"finish_reason":"length"}],"usage":{"prompt_tokens":1,"completion_tokens":16,"total_tokens":17}}"#,
    },
    Sample {
        dialect: OPENAI,
        name: "filtered",
        events: &[
            r#"{"id":"","object":"","created":0,"model":"","choices":[],"prompt_filter_results":[{"prompt_index":0,"content_filter_results":{}}]}"#,
            r#"{"id":"c6","object":"chat.completion.chunk","created":1790000006,"model":"gpt-x","choices":[{"index":0,"delta":{"role":"assistant","content":"Par"},"finish_reason":null}]}"#,
            r#"{"id":"c6","object":"chat.completion.chunk","created":1790000006,"model":"gpt-x","choices":[{"index":0,"delta":{},"finish_reason":"content_filter"}]}"#,
        ],
        reply: r#"{"id":"c6","object":"chat.completion","created":1790000006,"model":"gpt-x","prompt_filter_results":[{"prompt_index":0,"content_filter_results":{}}],"choices":[{"index":0,"message":{"role":"assistant","content":"Par"},"finish_reason":"content_filter"}]}"#,
    },
    Sample {
        dialect: ANTHROPIC,
        name: "text",
        events: &[
            r#"{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":12,"cache_creation_input_tokens":5,"cache_read_input_tokens":90,"cache_creation":{"ephemeral_5m_input_tokens":5,"ephemeral_1h_input_tokens":0},"output_tokens":1,"service_tier":"standard"}}}"#,
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
            r#"{"type":"ping"}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hé"}}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"llo"}}"#,
            r#"{"type":"content_block_stop","index":0}"#,
            r#"{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":9}}"#,
            r#"{"type":"message_stop"}"#,
        ],
        reply: r#"{"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":[{"type":"text","text":"Héllo"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":12,"cache_creation_input_tokens":5,"cache_read_input_tokens":90,"cache_creation":{"ephemeral_5m_input_tokens":5,"ephemeral_1h_input_tokens":0},"output_tokens":9,"service_tier":"standard"}}"#,
    },
    Sample {
        dialect: ANTHROPIC,
        name: "thinking_and_parallel_tools",
        events: &[
            r#"{"type":"message_start","message":{"id":"msg_2","type":"message","role":"assistant","model":"claude-x","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":10,"cache_read_input_tokens":90,"output_tokens":2}}}"#,
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Let me"}}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"U2lnbmF0dXJl"}}"#,
            r#"{"type":"content_block_stop","index":0}"#,
            r#"{"type":"content_block_start","index":1,"content_block":{"type":"redacted_thinking","data":"cmVkYWN0ZWQ="}}"#,
            r#"{"type":"content_block_stop","index":1}"#,
            r#"{"type":"content_block_start","index":2,"content_block":{"type":"text","text":""}}"#,
            r#"{"type":"content_block_delta","index":2,"delta":{"type":"text_delta","text":"Hi"}}"#,
            r#"{"type":"content_block_stop","index":2}"#,
            r#"{"type":"content_block_start","index":3,"content_block":{"type":"tool_use","id":"toolu_a","name":"get_weather","input":{}}}"#,
            r#"{"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":""}}"#,
            r#"{"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":"{\"x\":"}}"#,
            r#"{"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":"1}"}}"#,
            r#"{"type":"content_block_stop","index":3}"#,
            r#"{"type":"content_block_start","index":4,"content_block":{"type":"tool_use","id":"toolu_b","name":"get_time","input":{}}}"#,
            r#"{"type":"content_block_stop","index":4}"#,
            r#"{"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"input_tokens":10,"cache_read_input_tokens":90,"output_tokens":40,"output_tokens_details":{"thinking_tokens":12}}}"#,
            r#"{"type":"message_stop"}"#,
        ],
        reply: r#"{"id":"msg_2","type":"message","role":"assistant","model":"claude-x","content":[{"type":"thinking","thinking":"Let me","signature":"U2lnbmF0dXJl"},{"type":"redacted_thinking","data":"cmVkYWN0ZWQ="},{"type":"text","text":"Hi"},{"type":"tool_use","id":"toolu_a","name":"get_weather","input":{"x":1}},{"type":"tool_use","id":"toolu_b","name":"get_time","input":{}}],"stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":10,"cache_read_input_tokens":90,"output_tokens":40,"output_tokens_details":{"thinking_tokens":12}}}"#,
    },
    Sample {
        dialect: ANTHROPIC,
        name: "signature_only_thinking",
        events: &[
            r#"{"type":"message_start","message":{"id":"msg_3","type":"message","role":"assistant","model":"claude-x","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":1}}}"#,
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"T25seVNpZw"}}"#,
            r#"{"type":"content_block_stop","index":0}"#,
            r#"{"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}"#,
            r#"{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"stop here"}}"#,
            r#"{"type":"content_block_stop","index":1}"#,
            r#"{"type":"message_delta","delta":{"stop_reason":"stop_sequence","stop_sequence":"HALT"},"usage":{"output_tokens":5}}"#,
            r#"{"type":"message_stop"}"#,
        ],
        reply: r#"{"id":"msg_3","type":"message","role":"assistant","model":"claude-x","content":[{"type":"thinking","thinking":"","signature":"T25seVNpZw"},{"type":"text","text":"stop here"}],"stop_reason":"stop_sequence","stop_sequence":"HALT","usage":{"input_tokens":3,"output_tokens":5}}"#,
    },
    Sample {
        dialect: ANTHROPIC,
        name: "server_tool_and_citations",
        events: &[
            r#"{"type":"message_start","message":{"id":"msg_4","type":"message","role":"assistant","model":"claude-x","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":1}}}"#,
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","input":{}}}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\"query\":\"q\"}"}}"#,
            r#"{"type":"content_block_stop","index":0}"#,
            r#"{"type":"content_block_start","index":1,"content_block":{"type":"web_search_tool_result","tool_use_id":"srvtoolu_1","content":[{"type":"web_search_result","url":"https://a.example","title":"A","encrypted_content":"ZW5j"}]}}"#,
            r#"{"type":"content_block_stop","index":1}"#,
            r#"{"type":"content_block_start","index":2,"content_block":{"type":"text","text":"","citations":[]}}"#,
            r#"{"type":"content_block_delta","index":2,"delta":{"type":"citations_delta","citation":{"type":"web_search_result_location","url":"https://a.example","title":"A","encrypted_index":"aWR4","cited_text":"words"}}}"#,
            r#"{"type":"content_block_delta","index":2,"delta":{"type":"text_delta","text":"Found it"}}"#,
            r#"{"type":"content_block_stop","index":2}"#,
            r#"{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":30,"server_tool_use":{"web_search_requests":1}}}"#,
            r#"{"type":"message_stop"}"#,
        ],
        reply: r#"{"id":"msg_4","type":"message","role":"assistant","model":"claude-x","content":[{"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","input":{"query":"q"}},{"type":"web_search_tool_result","tool_use_id":"srvtoolu_1","content":[{"type":"web_search_result","url":"https://a.example","title":"A","encrypted_content":"ZW5j"}]},{"type":"text","text":"Found it","citations":[{"type":"web_search_result_location","url":"https://a.example","title":"A","encrypted_index":"aWR4","cited_text":"words"}]}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":30,"server_tool_use":{"web_search_requests":1}}}"#,
    },
    Sample {
        dialect: ANTHROPIC,
        name: "refusal",
        events: &[
            r#"{"type":"message_start","message":{"id":"msg_5","type":"message","role":"assistant","model":"claude-x","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":1}}}"#,
            r#"{"type":"message_delta","delta":{"stop_reason":"refusal","stop_sequence":null,"stop_details":{"type":"refusal","category":"bio","explanation":"Not this."}},"usage":{"output_tokens":1}}"#,
            r#"{"type":"message_stop"}"#,
        ],
        reply: r#"{"id":"msg_5","type":"message","role":"assistant","model":"claude-x","content":[],"stop_reason":"refusal","stop_sequence":null,"stop_details":{"type":"refusal","category":"bio","explanation":"Not this."},"usage":{"input_tokens":3,"output_tokens":1}}"#,
    },
    Sample {
        dialect: ANTHROPIC,
        name: "limit",
        events: &[
            r#"{"type":"message_start","message":{"id":"msg_6","type":"message","role":"assistant","model":"claude-x","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":1}}}"#,
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Once upon"}}"#,
            r#"{"type":"content_block_stop","index":0}"#,
            r#"{"type":"message_delta","delta":{"stop_reason":"max_tokens","stop_sequence":null},"usage":{"output_tokens":2}}"#,
            r#"{"type":"message_stop"}"#,
        ],
        reply: r#"{"id":"msg_6","type":"message","role":"assistant","model":"claude-x","content":[{"type":"text","text":"Once upon"}],"stop_reason":"max_tokens","stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":2}}"#,
    },
    Sample {
        dialect: GEMINI,
        name: "text",
        events: &[
            r#"{"candidates":[{"content":{"role":"model","parts":[{"text":"Hé"}]},"index":0}],"usageMetadata":{"promptTokenCount":50,"cachedContentTokenCount":20,"totalTokenCount":50},"modelVersion":"gemini-x","responseId":"r1"}"#,
            r#"{"candidates":[{"content":{"role":"model","parts":[{"text":"llo"}]},"index":0}],"usageMetadata":{"promptTokenCount":50,"candidatesTokenCount":2,"totalTokenCount":52},"modelVersion":"gemini-x","responseId":"r1"}"#,
            r#"{"candidates":[{"content":{"role":"model","parts":[{"text":" world"}]},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":50,"cachedContentTokenCount":20,"candidatesTokenCount":4,"thoughtsTokenCount":6,"totalTokenCount":60},"modelVersion":"gemini-x","responseId":"r1"}"#,
        ],
        reply: r#"{"candidates":[{"content":{"role":"model","parts":[{"text":"Héllo world"}]},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":50,"cachedContentTokenCount":20,"candidatesTokenCount":4,"thoughtsTokenCount":6,"totalTokenCount":60},"modelVersion":"gemini-x","responseId":"r1"}"#,
    },
    Sample {
        dialect: GEMINI,
        name: "thoughts_and_parallel_calls",
        events: &[
            r#"{"candidates":[{"content":{"role":"model","parts":[{"text":"Hmm","thought":true}]},"index":0}],"usageMetadata":{"promptTokenCount":9,"totalTokenCount":9},"modelVersion":"gemini-x","responseId":"r2"}"#,
            r#"{"candidates":[{"content":{"role":"model","parts":[{"text":"Looking"},{"functionCall":{"name":"get_weather","args":{"city":"Paris"}},"thoughtSignature":"Z2VtU2ln"}]},"index":0}],"modelVersion":"gemini-x","responseId":"r2"}"#,
            r#"{"candidates":[{"content":{"role":"model","parts":[{"functionCall":{"name":"get_weather","args":{"city":"Rome"}}},{"functionCall":{"name":"now"}}]},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":11,"thoughtsTokenCount":3,"totalTokenCount":23},"modelVersion":"gemini-x","responseId":"r2"}"#,
        ],
        reply: r#"{"candidates":[{"content":{"role":"model","parts":[{"text":"Hmm","thought":true},{"text":"Looking"},{"functionCall":{"name":"get_weather","args":{"city":"Paris"}},"thoughtSignature":"Z2VtU2ln"},{"functionCall":{"name":"get_weather","args":{"city":"Rome"}}},{"functionCall":{"name":"now"}}]},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":11,"thoughtsTokenCount":3,"totalTokenCount":23},"modelVersion":"gemini-x","responseId":"r2"}"#,
    },
    Sample {
        dialect: GEMINI,
        name: "signature_on_an_empty_last_chunk",
        events: &[
            r#"{"candidates":[{"content":{"role":"model","parts":[{"text":"Answer"}]},"index":0}],"modelVersion":"gemini-x","responseId":"r3"}"#,
            r#"{"candidates":[{"content":{"role":"model","parts":[{"text":"","thoughtSignature":"bGFzdFNpZw=="}]},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":4,"candidatesTokenCount":1,"totalTokenCount":5},"modelVersion":"gemini-x","responseId":"r3"}"#,
        ],
        reply: r#"{"candidates":[{"content":{"role":"model","parts":[{"text":"Answer"},{"text":"","thoughtSignature":"bGFzdFNpZw=="}]},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":4,"candidatesTokenCount":1,"totalTokenCount":5},"modelVersion":"gemini-x","responseId":"r3"}"#,
    },
    Sample {
        dialect: GEMINI,
        name: "blocked_prompt",
        events: &[
            r#"{"promptFeedback":{"blockReason":"SAFETY","safetyRatings":[{"category":"HARM_CATEGORY_HARASSMENT","probability":"HIGH"}]},"usageMetadata":{"promptTokenCount":4,"totalTokenCount":4},"modelVersion":"gemini-x","responseId":"r4"}"#,
        ],
        reply: r#"{"promptFeedback":{"blockReason":"SAFETY","safetyRatings":[{"category":"HARM_CATEGORY_HARASSMENT","probability":"HIGH"}]},"usageMetadata":{"promptTokenCount":4,"totalTokenCount":4},"modelVersion":"gemini-x","responseId":"r4"}"#,
    },
    Sample {
        dialect: GEMINI,
        name: "filtered",
        events: &[
            r#"{"candidates":[{"content":{"role":"model","parts":[{"text":"Par"}]},"index":0}],"modelVersion":"gemini-x","responseId":"r5"}"#,
            r#"{"candidates":[{"finishReason":"SAFETY","index":0,"safetyRatings":[{"category":"HARM_CATEGORY_HARASSMENT","probability":"HIGH","blocked":true}]}],"usageMetadata":{"promptTokenCount":4,"candidatesTokenCount":1,"totalTokenCount":5},"modelVersion":"gemini-x","responseId":"r5"}"#,
        ],
        reply: r#"{"candidates":[{"content":{"role":"model","parts":[{"text":"Par"}]},"finishReason":"SAFETY","index":0,"safetyRatings":[{"category":"HARM_CATEGORY_HARASSMENT","probability":"HIGH","blocked":true}]}],"usageMetadata":{"promptTokenCount":4,"candidatesTokenCount":1,"totalTokenCount":5},"modelVersion":"gemini-x","responseId":"r5"}"#,
    },
    Sample {
        dialect: GEMINI,
        name: "code_execution_and_limit",
        events: &[
            r#"{"candidates":[{"content":{"role":"model","parts":[{"executableCode":{"language":"PYTHON","code":"print(1)"}}]},"index":0}],"modelVersion":"gemini-x","responseId":"r6"}"#,
            r#"{"candidates":[{"content":{"role":"model","parts":[{"codeExecutionResult":{"outcome":"OUTCOME_OK","output":"1\n"}},{"text":"One"}]},"index":0}],"modelVersion":"gemini-x","responseId":"r6"}"#,
            r#"{"candidates":[{"content":{"parts":[],"role":"model"},"finishReason":"MAX_TOKENS","index":0}],"usageMetadata":{"promptTokenCount":4,"candidatesTokenCount":8,"toolUsePromptTokenCount":5,"totalTokenCount":17},"modelVersion":"gemini-x","responseId":"r6"}"#,
        ],
        reply: r#"{"candidates":[{"content":{"role":"model","parts":[{"executableCode":{"language":"PYTHON","code":"print(1)"}},{"codeExecutionResult":{"outcome":"OUTCOME_OK","output":"1\n"}},{"text":"One"}]},"finishReason":"MAX_TOKENS","index":0}],"usageMetadata":{"promptTokenCount":4,"candidatesTokenCount":8,"toolUsePromptTokenCount":5,"totalTokenCount":17},"modelVersion":"gemini-x","responseId":"r6"}"#,
    },
];
