//! OpenAI Chat Completions requests.

use super::Input;

pub(crate) const INPUTS: &[Input] = &[
    ("minimal", r#"{"model":"m","messages":[{"role":"user","content":"plainquestion"}]}"#),
    (
        "system_and_developer",
        r#"{"model":"m","messages":[{"role":"system","content":"sysone"},{"role":"developer","content":[{"type":"text","text":"devtwo"},{"type":"text","text":"devthree"}]},{"role":"user","content":"askfour","name":"alice"}]}"#,
    ),
    (
        "system_in_the_middle",
        r#"{"model":"m","messages":[{"role":"user","content":"firstturn"},{"role":"assistant","content":"secondturn"},{"role":"system","content":"midsystem"},{"role":"user","content":"lastturn"}]}"#,
    ),
    (
        "system_in_the_middle_with_everything",
        r#"{"model":"m","messages":[{"role":"user","content":"firstturn"},{"role":"assistant","content":"secondturn"},{"role":"developer","name":"operatorname","content":[{"type":"text","text":"midsystem","cache_control":{"type":"ephemeral"},"part_extra":"pe7"},{"type":"text","text":"midmore"}],"message_extra":"me8"},{"role":"user","content":"lastturn"}]}"#,
    ),
    (
        "multi_part",
        r#"{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"partone"},{"type":"text","text":"parttwo"},{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgoAAAAB","detail":"high"}},{"type":"image_url","image_url":{"url":"https://images.example/cat.png"}},{"type":"text","text":"partlast"}]}]}"#,
    ),
    (
        "documents_and_audio",
        r#"{"model":"m","messages":[{"role":"user","content":[{"type":"file","file":{"filename":"paper.pdf","file_data":"data:application/pdf;base64,JVBERi0xLjQK"}},{"type":"file","file":{"file_id":"file-abc123"}},{"type":"input_audio","input_audio":{"data":"UklGRiQAAABXQVZF","format":"wav"}},{"type":"text","text":"summarise"}]}]}"#,
    ),
    (
        "tools_with_schemas",
        r##"{"model":"m","messages":[{"role":"user","content":"usetools"}],"tools":[{"type":"function","function":{"name":"get_weather","description":"Weather somewhere","strict":true,"parameters":{"type":"object","properties":{"place":{"$ref":"#/$defs/place"},"unit":{"type":"string","enum":["celsius","fahrenheit"]}},"required":["place","unit"],"additionalProperties":false,"$defs":{"place":{"type":"object","properties":{"city":{"type":"string","minLength":1}},"required":["city"]}}}}},{"type":"function","function":{"name":"pick","parameters":{"type":"object","properties":{"choice":{"oneOf":[{"type":"integer","minimum":3},{"const":"always"}]},"maybe":{"type":["string","null"]}}}}},{"type":"function","function":{"name":"no_arguments"}}],"tool_choice":"auto"}"##,
    ),
    (
        "recursive_schema",
        r##"{"model":"m","messages":[{"role":"user","content":"tree"}],"tools":[{"type":"function","function":{"name":"put_tree","parameters":{"type":"object","properties":{"root":{"$ref":"#/$defs/node"}},"$defs":{"node":{"type":"object","properties":{"label":{"type":"string"},"children":{"type":"array","items":{"$ref":"#/$defs/node"}}}}}}}}]}"##,
    ),
    (
        "tool_round_trip_parallel",
        r#"{"model":"m","messages":[{"role":"user","content":"both cities"},{"role":"assistant","content":"lookingup","tool_calls":[{"id":"call_one","type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"Paris\"}"}},{"id":"call_two","type":"function","function":{"name":"get_weather","arguments":"{ \"city\" : \"Rome\" }"}}]},{"role":"tool","tool_call_id":"call_two","content":"rome sunny"},{"role":"tool","tool_call_id":"call_one","content":[{"type":"text","text":"paris rain"}]},{"role":"user","content":"thanks then"}],"tools":[{"type":"function","function":{"name":"get_weather","parameters":{"type":"object","properties":{"city":{"type":"string"}}}}}],"parallel_tool_calls":false}"#,
    ),
    (
        "odd_arguments",
        r#"{"model":"m","messages":[{"role":"user","content":"odd"},{"role":"assistant","content":null,"tool_calls":[{"id":"call_empty","type":"function","function":{"name":"f","arguments":""}},{"id":"call_bad","type":"function","function":{"name":"f","arguments":"{\"cut\": \"of"}},{"id":"call_list","type":"function","function":{"name":"f","arguments":"[1,2]"}},{"id":"call_big","type":"function","function":{"name":"f","arguments":"{\"n\":12345678901234567890123,\"x\":1.10}"}}]},{"role":"tool","tool_call_id":"call_empty","content":"r1"},{"role":"tool","tool_call_id":"call_bad","content":"r2"},{"role":"tool","tool_call_id":"call_list","content":"r3"},{"role":"tool","tool_call_id":"call_big","content":""}],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}}]}"#,
    ),
    (
        "result_that_looks_like_a_schema",
        r##"{"model":"m","messages":[{"role":"user","content":"schema please"},{"role":"assistant","tool_calls":[{"id":"call_s","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"call_s","content":"{\"$ref\":\"#/$defs/thing\",\"$defs\":{\"thing\":{\"type\":\"string\"}}}"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}}]}"##,
    ),
    (
        "forced_tool",
        r#"{"model":"m","messages":[{"role":"user","content":"force"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}},{"type":"function","function":{"name":"g","parameters":{"type":"object","properties":{}}}}],"tool_choice":{"type":"function","function":{"name":"g"}}}"#,
    ),
    (
        "required_tool",
        r#"{"model":"m","messages":[{"role":"user","content":"must"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}}],"tool_choice":"required"}"#,
    ),
    (
        "no_tool_now",
        r#"{"model":"m","messages":[{"role":"user","content":"mustnot"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}}],"tool_choice":"none"}"#,
    ),
    (
        "allowed_tools",
        r#"{"model":"m","messages":[{"role":"user","content":"some"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}},{"type":"function","function":{"name":"g","parameters":{"type":"object","properties":{}}}}],"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"g"}}]}}}"#,
    ),
    (
        "custom_tool",
        r#"{"model":"m","messages":[{"role":"user","content":"custom"},{"role":"assistant","tool_calls":[{"id":"call_c","type":"custom","custom":{"name":"code","input":"print(12)"}}]},{"role":"tool","tool_call_id":"call_c","content":"twelve"}],"tools":[{"type":"custom","custom":{"name":"code","description":"Runs code","format":{"type":"grammar","grammar":{"syntax":"lark","definition":"start: WORD"}}}}]}"#,
    ),
    (
        "legacy_functions",
        r#"{"model":"m","messages":[{"role":"user","content":"old"},{"role":"assistant","content":null,"function_call":{"name":"oldfn","arguments":"{\"a\":1}"}},{"role":"function","name":"oldfn","content":"oldresult"}],"functions":[{"name":"oldfn","description":"Old one","parameters":{"type":"object","properties":{"a":{"type":"integer"}}}}],"function_call":{"name":"oldfn"}}"#,
    ),
    (
        "structured_output",
        r#"{"model":"m","messages":[{"role":"user","content":"json"}],"response_format":{"type":"json_schema","json_schema":{"name":"answer_shape","description":"Shape of it","strict":true,"schema":{"type":"object","properties":{"verdict":{"type":"string"},"score":{"type":"number","maximum":10}},"required":["verdict","score"],"additionalProperties":false}}}}"#,
    ),
    (
        "json_mode",
        r#"{"model":"m","messages":[{"role":"user","content":"jsonobject"}],"response_format":{"type":"json_object"}}"#,
    ),
    (
        "sampling_and_limits",
        r#"{"model":"m","messages":[{"role":"user","content":"sample"}],"temperature":0.70,"top_p":0.95,"seed":424242,"frequency_penalty":0.25,"presence_penalty":-0.5,"logit_bias":{"50256":-100},"logprobs":true,"top_logprobs":7,"n":3,"stop":["STOPONE","STOPTWO"],"max_completion_tokens":1234,"top_k":41,"min_p":0.05,"repetition_penalty":1.1}"#,
    ),
    (
        "reasoning_effort",
        r#"{"model":"m","messages":[{"role":"user","content":"think"}],"reasoning_effort":"minimal","verbosity":"low","max_tokens":2222}"#,
    ),
    (
        "reasoning_newest_word",
        r#"{"model":"m","messages":[{"role":"user","content":"think"}],"reasoning_effort":"gigantic"}"#,
    ),
    (
        "reasoning_replay",
        r#"{"model":"m","messages":[{"role":"user","content":"loop"},{"role":"assistant","content":"spoken","reasoning_content":"silentthought","tool_calls":[{"id":"call_r","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"call_r","content":"toolsaid"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}}]}"#,
    ),
    (
        "sealed_state_replay",
        r#"{"model":"m","messages":[{"role":"user","content":"loop"},{"role":"assistant","content":"spoken","reasoning_content":"claudethought","reasoning_details":[{"type":"reasoning.text","text":"claudethought","signature":"igx.anthropic.s..c2lnbmF0dXJl","format":"anthropic-claude-v1","index":0}]},{"role":"user","content":"again"}]}"#,
    ),
    (
        "cache_marks",
        r#"{"model":"m","prompt_cache_key":"cachekeyone","prompt_cache_retention":"24h","messages":[{"role":"system","content":[{"type":"text","text":"longprefix","cache_control":{"type":"ephemeral"}}]},{"role":"user","content":[{"type":"text","text":"marked","prompt_cache_breakpoint":{"mode":"explicit"}},{"type":"text","text":"tail"}]}]}"#,
    ),
    (
        "service_and_identity",
        r#"{"model":"m","messages":[{"role":"user","content":"who"}],"user":"enduser77","safety_identifier":"safe88","metadata":{"team":"blue99"},"service_tier":"priority","store":true}"#,
    ),
    (
        "modalities",
        r#"{"model":"m","messages":[{"role":"user","content":"sing"}],"modalities":["text","audio"],"audio":{"voice":"alloy","format":"mp3"}}"#,
    ),
    (
        "prediction_and_search",
        r#"{"model":"m","messages":[{"role":"user","content":"predict"}],"prediction":{"type":"content","content":"predictedtext"},"web_search_options":{"search_context_size":"low","user_location":{"type":"approximate","approximate":{"country":"FR"}}}}"#,
    ),
    (
        "unknown_fields",
        r#"{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"unk","part_extra":"pe1"}],"message_extra":{"deep":["me2"]}}],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}},"fn_extra":"fe3"}}],"top_extra":{"a":12345678901234567890,"b":1e400},"x-dash":"te4"}"#,
    ),
    (
        "unicode_and_escapes",
        r#"{"model":"m","messages":[{"role":"user","content":"caf\u00e9 \ud83d\ude00 \"quoted\" back\\slash tab\t \u2028sep\u2029 \u0001ctl </script>"},{"role":"assistant","content":"漢字"},{"role":"user","content":"مرحبا"}]}"#,
    ),
    (
        "refusal_in_history",
        r#"{"model":"m","messages":[{"role":"user","content":"bad"},{"role":"assistant","content":null,"refusal":"icannothelp"},{"role":"user","content":"fine"}]}"#,
    ),
    (
        "assistant_last",
        r#"{"model":"m","messages":[{"role":"user","content":"start"},{"role":"assistant","content":"prefillwords"}]}"#,
    ),
];
