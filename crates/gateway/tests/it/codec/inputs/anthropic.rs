//! Anthropic Messages requests.

use super::Input;

pub const INPUTS: &[Input] = &[
    ("minimal", r#"{"model":"m","max_tokens":777,"messages":[{"role":"user","content":"plainquestion"}]}"#),
    (
        "system_blocks_with_marks",
        r#"{"model":"m","max_tokens":777,"system":[{"type":"text","text":"sysone","cache_control":{"type":"ephemeral","ttl":"1h"}},{"type":"text","text":"systwo"}],"messages":[{"role":"user","content":[{"type":"text","text":"usertext","cache_control":{"type":"ephemeral"}}]}]}"#,
    ),
    ("system_text", r#"{"model":"m","max_tokens":777,"system":"sysonly","messages":[{"role":"user","content":"ask"}]}"#),
    (
        "system_in_the_middle",
        r#"{"model":"m","max_tokens":777,"messages":[{"role":"user","content":"one"},{"role":"assistant","content":"two"},{"role":"system","content":"midsystem"},{"role":"user","content":"three"}]}"#,
    ),
    (
        "images",
        r#"{"model":"m","max_tokens":777,"messages":[{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0KGgoAAAAC"}},{"type":"image","source":{"type":"url","url":"https://images.example/dog.jpg"}},{"type":"image","source":{"type":"file","file_id":"file_img9"}},{"type":"text","text":"describe"}]}]}"#,
    ),
    (
        "documents",
        r#"{"model":"m","max_tokens":777,"messages":[{"role":"user","content":[{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"JVBERi0xLjcK"},"title":"Doctitle","context":"Doccontext","citations":{"enabled":true}},{"type":"document","source":{"type":"text","media_type":"text/plain","data":"plaindocument"}},{"type":"document","source":{"type":"url","url":"https://docs.example/a.pdf"}},{"type":"document","source":{"type":"content","content":[{"type":"text","text":"chunkone"},{"type":"text","text":"chunktwo"}]}},{"type":"text","text":"compare"}]}]}"#,
    ),
    (
        "search_result",
        r#"{"model":"m","max_tokens":777,"messages":[{"role":"user","content":[{"type":"search_result","source":"https://found.example/1","title":"Foundtitle","content":[{"type":"text","text":"foundtext"}],"citations":{"enabled":true}},{"type":"text","text":"cite"}]}]}"#,
    ),
    (
        "tools",
        r##"{"model":"m","max_tokens":777,"messages":[{"role":"user","content":"usetools"}],"tools":[{"name":"get_weather","description":"Weather somewhere","input_schema":{"type":"object","properties":{"place":{"$ref":"#/$defs/place"}},"required":["place"],"$defs":{"place":{"type":"string","pattern":"^[A-Z]"}}},"cache_control":{"type":"ephemeral"}},{"name":"strict_one","strict":true,"input_schema":{"type":"object","properties":{"mode":{"enum":["fastmode",2,null]}},"additionalProperties":false}},{"type":"custom","name":"typed","input_schema":{"type":"object"}}]}"##,
    ),
    (
        "hosted_tools",
        r#"{"model":"m","max_tokens":777,"messages":[{"role":"user","content":"search it"}],"tools":[{"type":"web_search_20250305","name":"web_search","max_uses":3,"allowed_domains":["only.example"]},{"type":"code_execution_20250825","name":"code_execution"}]}"#,
    ),
    (
        "tool_round_trip_parallel",
        r#"{"model":"m","max_tokens":777,"messages":[{"role":"user","content":"cities"},{"role":"assistant","content":[{"type":"text","text":"lookingup"},{"type":"tool_use","id":"toolu_01one","name":"get_weather","input":{"city":"Paris","n":12345678901234567890}},{"type":"tool_use","id":"toolu_01two","name":"get_weather","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_01two","content":"rome sunny"},{"type":"tool_result","tool_use_id":"toolu_01one","is_error":true,"content":[{"type":"text","text":"paris failed"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0KGgoAAAAD"}}]},{"type":"text","text":"and now"}]}],"tools":[{"name":"get_weather","input_schema":{"type":"object","properties":{"city":{"type":"string"}}}}]}"#,
    ),
    (
        "tool_result_empty",
        r#"{"model":"m","max_tokens":777,"messages":[{"role":"user","content":"go"},{"role":"assistant","content":[{"type":"tool_use","id":"toolu_e","name":"f","input":{"k":"kval"}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_e"}]}],"tools":[{"name":"f","input_schema":{"type":"object"}}]}"#,
    ),
    (
        "forced_tool",
        r#"{"model":"m","max_tokens":777,"messages":[{"role":"user","content":"go"}],"tools":[{"name":"f","input_schema":{"type":"object"}},{"name":"g","input_schema":{"type":"object"}}],"tool_choice":{"type":"tool","name":"g","disable_parallel_tool_use":true}}"#,
    ),
    (
        "any_tool",
        r#"{"model":"m","max_tokens":777,"messages":[{"role":"user","content":"go"}],"tools":[{"name":"f","input_schema":{"type":"object"}}],"tool_choice":{"type":"any"}}"#,
    ),
    (
        "no_tool_now",
        r#"{"model":"m","max_tokens":777,"messages":[{"role":"user","content":"go"}],"tools":[{"name":"f","input_schema":{"type":"object"}}],"tool_choice":{"type":"none"}}"#,
    ),
    (
        "structured_output",
        r#"{"model":"m","max_tokens":777,"messages":[{"role":"user","content":"json"}],"output_config":{"format":{"type":"json_schema","schema":{"type":"object","properties":{"verdict":{"type":"string"}},"required":["verdict"],"additionalProperties":false}},"effort":"medium"}}"#,
    ),
    (
        "sampling_and_limits",
        r#"{"model":"m","max_tokens":777,"messages":[{"role":"user","content":"sample"}],"temperature":0.30,"top_p":0.81,"top_k":17,"stop_sequences":["HALT","CEASE"]}"#,
    ),
    (
        "thinking_budget",
        r#"{"model":"m","max_tokens":9000,"messages":[{"role":"user","content":"think"}],"thinking":{"type":"enabled","budget_tokens":5000}}"#,
    ),
    (
        "thinking_adaptive",
        r#"{"model":"m","max_tokens":9000,"messages":[{"role":"user","content":"think"}],"thinking":{"type":"adaptive","display":"omitted"},"output_config":{"effort":"max"}}"#,
    ),
    ("thinking_disabled", r#"{"model":"m","max_tokens":777,"messages":[{"role":"user","content":"fast"}],"thinking":{"type":"disabled"}}"#),
    (
        "thinking_between_tools",
        r#"{"model":"m","max_tokens":777,"messages":[{"role":"user","content":"fast"}],"thinking":{"type":"between_tools"}}"#,
    ),
    (
        "thinking_replay_own",
        r#"{"model":"m","max_tokens":777,"messages":[{"role":"user","content":"q"},{"role":"assistant","content":[{"type":"thinking","thinking":"deepthought","signature":"c2lnb3du"},{"type":"redacted_thinking","data":"cmVkYWN0ZWQ"},{"type":"thinking","thinking":"","signature":"c2lnb25seQ"},{"type":"text","text":"said"},{"type":"tool_use","id":"toolu_t","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_t","content":"done"}]}],"thinking":{"type":"enabled","budget_tokens":2048},"tools":[{"name":"f","input_schema":{"type":"object"}}]}"#,
    ),
    (
        "thinking_replay_foreign",
        r#"{"model":"m","max_tokens":777,"messages":[{"role":"user","content":"q"},{"role":"assistant","content":[{"type":"thinking","thinking":"geminithought","signature":"igx.gemini.s.gemini-3.Z2VtaW5pc2ln"},{"type":"text","text":"said"}]},{"role":"user","content":"next"}]}"#,
    ),
    (
        "broken_envelope",
        r#"{"model":"m","max_tokens":777,"messages":[{"role":"user","content":"q"},{"role":"assistant","content":[{"type":"thinking","thinking":"orphanthought","signature":"igx.broken"},{"type":"text","text":"said"}]},{"role":"user","content":"next"}]}"#,
    ),
    (
        "citations_in_history",
        r#"{"model":"m","max_tokens":777,"messages":[{"role":"user","content":"q"},{"role":"assistant","content":[{"type":"text","text":"supported","citations":[{"type":"web_search_result_location","url":"https://src.example/x","title":"Srctitle","encrypted_index":"ZW5j","cited_text":"quotedwords"}]}]},{"role":"user","content":"next"}]}"#,
    ),
    (
        "server_tool_history",
        r#"{"model":"m","max_tokens":777,"messages":[{"role":"user","content":"q"},{"role":"assistant","content":[{"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","input":{"query":"searchwords"}},{"type":"web_search_tool_result","tool_use_id":"srvtoolu_1","content":[{"type":"web_search_result","url":"https://res.example/y","title":"Restitle","encrypted_content":"b3BhcXVl"}]},{"type":"text","text":"found"}]},{"role":"user","content":"next"}]}"#,
    ),
    (
        "identity_and_service",
        r#"{"model":"m","max_tokens":777,"messages":[{"role":"user","content":"who"}],"metadata":{"user_id":"enduser55"},"service_tier":"standard_only","cache_control":{"type":"ephemeral"}}"#,
    ),
    (
        "server_state",
        r#"{"model":"m","max_tokens":777,"messages":[{"role":"user","content":"state"}],"container":"container_77","context_management":{"edits":[{"type":"clear_tool_uses_20250919"}]},"mcp_servers":[{"type":"url","url":"https://mcp.example","name":"mcpname"}]}"#,
    ),
    (
        "unknown_fields",
        r#"{"model":"m","max_tokens":777,"messages":[{"role":"user","content":[{"type":"text","text":"unk","block_extra":"be1"},{"type":"brand_new_block","payload":{"x":"bn2"}}],"message_extra":"me3"}],"tools":[{"name":"f","input_schema":{"type":"object"},"tool_extra":"te4"}],"top_extra":{"n":1e400}}"#,
    ),
    (
        "unicode_and_escapes",
        r#"{"model":"m","max_tokens":777,"messages":[{"role":"user","content":"caf\u00e9 \ud83d\ude00 \"quoted\" \u2028sep 漢字"}]}"#,
    ),
    (
        "prefill",
        r#"{"model":"m","max_tokens":777,"messages":[{"role":"user","content":"start"},{"role":"assistant","content":"prefillwords"}]}"#,
    ),
    (
        "merged_turns",
        r#"{"model":"m","max_tokens":777,"messages":[{"role":"user","content":"turnone"},{"role":"user","content":[{"type":"text","text":"turntwo"}]},{"role":"assistant","content":"replyone"},{"role":"assistant","content":"replytwo"},{"role":"user","content":"turnthree"}]}"#,
    ),
];
