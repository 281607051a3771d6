//! Gemini generateContent requests.

use super::Input;

pub const INPUTS: &[Input] = &[
    ("minimal", r#"{"contents":[{"role":"user","parts":[{"text":"plainquestion"}]}]}"#),
    ("no_role", r#"{"contents":[{"parts":[{"text":"rolelessquestion"}]}]}"#),
    (
        "system_parts",
        r#"{"systemInstruction":{"parts":[{"text":"sysone"},{"text":"systwo"}]},"contents":[{"role":"user","parts":[{"text":"partone"},{"text":"parttwo"}]}]}"#,
    ),
    (
        "snake_case",
        r#"{"system_instruction":{"parts":[{"text":"snakesys"}]},"contents":[{"role":"user","parts":[{"inline_data":{"mime_type":"image/png","data":"iVBORw0KGgoAAAAE"}},{"text":"snakeask"}]}],"generation_config":{"max_output_tokens":321,"top_p":0.5,"stop_sequences":["SNAKESTOP"]},"safety_settings":[{"category":"HARM_CATEGORY_HARASSMENT","threshold":"BLOCK_NONE"}]}"#,
    ),
    (
        "media",
        r#"{"contents":[{"role":"user","parts":[{"inlineData":{"mimeType":"image/jpeg","data":"/9j/4AAQSkZJRg=="}},{"inlineData":{"mimeType":"application/pdf","data":"JVBERi0xLjUK"}},{"inlineData":{"mimeType":"audio/wav","data":"UklGRiQAAABXQVZFZm10"}},{"fileData":{"mimeType":"video/mp4","fileUri":"https://files.example/v1beta/files/abc"},"videoMetadata":{"startOffset":"3s","fps":2}},{"fileData":{"mimeType":"image/png","fileUri":"https://images.example/owl.png"}},{"text":"describe"}]}]}"#,
    ),
    (
        "tools",
        r#"{"contents":[{"role":"user","parts":[{"text":"usetools"}]}],"tools":[{"functionDeclarations":[{"name":"get_weather","description":"Weather somewhere","parameters":{"type":"OBJECT","properties":{"city":{"type":"STRING","description":"Cityname"},"days":{"type":"INTEGER","format":"int32"}},"required":["city"],"propertyOrdering":["city","days"]}},{"name":"with_json_schema","parametersJsonSchema":{"type":"object","properties":{"v":{"anyOf":[{"type":"string"},{"type":"null"}]}}},"responseJsonSchema":{"type":"object","properties":{"outfield":{"type":"string"}}}},{"name":"bare"}]}]}"#,
    ),
    (
        "hosted_tools",
        r#"{"contents":[{"role":"user","parts":[{"text":"search"}]}],"tools":[{"googleSearch":{}},{"codeExecution":{}},{"urlContext":{}}]}"#,
    ),
    (
        "tool_round_trip",
        r#"{"contents":[{"role":"user","parts":[{"text":"cities"}]},{"role":"model","parts":[{"text":"lookingup"},{"functionCall":{"name":"get_weather","args":{"city":"Paris","n":12345678901234567890}},"thoughtSignature":"c2lnY2FsbA=="},{"functionCall":{"name":"get_weather","args":{"city":"Rome"}}}]},{"role":"user","parts":[{"functionResponse":{"name":"get_weather","response":{"forecast":"rain"}}},{"functionResponse":{"name":"get_weather","response":{"output":"sunny"}}}]}],"tools":[{"functionDeclarations":[{"name":"get_weather","parameters":{"type":"OBJECT","properties":{"city":{"type":"STRING"}}}}]}]}"#,
    ),
    (
        "tool_round_trip_with_ids",
        r#"{"contents":[{"role":"user","parts":[{"text":"go"}]},{"role":"model","parts":[{"functionCall":{"id":"fc_one","name":"f"}},{"functionCall":{"id":"fc_two","name":"g","args":{}}}]},{"role":"user","parts":[{"functionResponse":{"id":"fc_two","name":"g","response":{"error":"broken pipe"}}},{"functionResponse":{"id":"fc_one","name":"f","response":{"result":["r1","r2"]}}}]}],"tools":[{"functionDeclarations":[{"name":"f"},{"name":"g"}]}]}"#,
    ),
    (
        "media_in_function_response",
        r#"{"contents":[{"role":"user","parts":[{"text":"shot"}]},{"role":"model","parts":[{"functionCall":{"id":"fc_m","name":"f","args":{}}}]},{"role":"user","parts":[{"functionResponse":{"id":"fc_m","name":"f","response":{"note":"seeimage"},"parts":[{"inlineData":{"mimeType":"image/png","data":"iVBORw0KGgoAAAAF"}}]}}]}],"tools":[{"functionDeclarations":[{"name":"f"}]}]}"#,
    ),
    (
        "forced_tool",
        r#"{"contents":[{"role":"user","parts":[{"text":"go"}]}],"tools":[{"functionDeclarations":[{"name":"f"},{"name":"g"}]}],"toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["g"]}}}"#,
    ),
    (
        "any_tool",
        r#"{"contents":[{"role":"user","parts":[{"text":"go"}]}],"tools":[{"functionDeclarations":[{"name":"f"}]}],"toolConfig":{"functionCallingConfig":{"mode":"ANY"}}}"#,
    ),
    (
        "no_tool_now",
        r#"{"contents":[{"role":"user","parts":[{"text":"go"}]}],"tools":[{"functionDeclarations":[{"name":"f"}]}],"toolConfig":{"functionCallingConfig":{"mode":"NONE"}}}"#,
    ),
    (
        "validated_tools",
        r#"{"contents":[{"role":"user","parts":[{"text":"go"}]}],"tools":[{"functionDeclarations":[{"name":"f"}]}],"toolConfig":{"functionCallingConfig":{"mode":"VALIDATED"}}}"#,
    ),
    (
        "response_schema",
        r#"{"contents":[{"role":"user","parts":[{"text":"json"}]}],"generationConfig":{"responseMimeType":"application/json","responseSchema":{"type":"OBJECT","properties":{"verdict":{"type":"STRING","nullable":true}},"required":["verdict"]}}}"#,
    ),
    (
        "response_json_schema",
        r#"{"contents":[{"role":"user","parts":[{"text":"json"}]}],"generationConfig":{"responseMimeType":"application/json","responseJsonSchema":{"type":"object","properties":{"verdict":{"type":"string"}},"additionalProperties":false}}}"#,
    ),
    ("json_mode", r#"{"contents":[{"role":"user","parts":[{"text":"json"}]}],"generationConfig":{"responseMimeType":"application/json"}}"#),
    (
        "enum_output",
        r#"{"contents":[{"role":"user","parts":[{"text":"which"}]}],"generationConfig":{"responseMimeType":"text/x.enum","responseSchema":{"type":"STRING","enum":["redword","blueword"]}}}"#,
    ),
    (
        "sampling_and_limits",
        r#"{"contents":[{"role":"user","parts":[{"text":"sample"}]}],"generationConfig":{"temperature":0.40,"topP":0.85,"topK":23,"seed":515151,"candidateCount":2,"maxOutputTokens":888,"stopSequences":["FIN","ENDE"],"presencePenalty":0.125,"frequencyPenalty":0.375,"responseLogprobs":true,"logprobs":4}}"#,
    ),
    (
        "thinking_budget",
        r#"{"contents":[{"role":"user","parts":[{"text":"think"}]}],"generationConfig":{"thinkingConfig":{"thinkingBudget":6000,"includeThoughts":true}}}"#,
    ),
    (
        "thinking_level",
        r#"{"contents":[{"role":"user","parts":[{"text":"think"}]}],"generationConfig":{"thinkingConfig":{"thinkingLevel":"LOW"}}}"#,
    ),
    ("thinking_off", r#"{"contents":[{"role":"user","parts":[{"text":"fast"}]}],"generationConfig":{"thinkingConfig":{"thinkingBudget":0}}}"#),
    (
        "thinking_automatic",
        r#"{"contents":[{"role":"user","parts":[{"text":"think"}]}],"generationConfig":{"thinkingConfig":{"thinkingBudget":-1}}}"#,
    ),
    (
        "thought_replay_own",
        r#"{"contents":[{"role":"user","parts":[{"text":"q"}]},{"role":"model","parts":[{"text":"ownthought","thought":true},{"text":"said","thoughtSignature":"c2lndGV4dA=="},{"functionCall":{"name":"f","args":{}},"thoughtSignature":"c2lnY2FsbDI="}]},{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"output":"ok"}}}]}],"tools":[{"functionDeclarations":[{"name":"f"}]}]}"#,
    ),
    (
        "thought_replay_foreign",
        r#"{"contents":[{"role":"user","parts":[{"text":"q"}]},{"role":"model","parts":[{"text":"claudethought","thought":true,"thoughtSignature":"igx.anthropic.s..Y2xhdWRlc2ln"},{"text":"said"}]},{"role":"user","parts":[{"text":"next"}]}]}"#,
    ),
    (
        "code_execution_history",
        r#"{"contents":[{"role":"user","parts":[{"text":"q"}]},{"role":"model","parts":[{"executableCode":{"language":"PYTHON","code":"codewords"}},{"codeExecutionResult":{"outcome":"OUTCOME_OK","output":"outputwords"}},{"text":"said"}]},{"role":"user","parts":[{"text":"next"}]}]}"#,
    ),
    (
        "safety_and_cache",
        r#"{"contents":[{"role":"user","parts":[{"text":"q"}]}],"safetySettings":[{"category":"HARM_CATEGORY_DANGEROUS_CONTENT","threshold":"BLOCK_LOW_AND_ABOVE"}],"cachedContent":"cachedContents/handle9","labels":{"team":"green3"},"serviceTier":"priority"}"#,
    ),
    (
        "modalities",
        r#"{"contents":[{"role":"user","parts":[{"text":"draw"}]}],"generationConfig":{"responseModalities":["TEXT","IMAGE"],"imageConfig":{"aspectRatio":"16:9"},"mediaResolution":"MEDIA_RESOLUTION_LOW"}}"#,
    ),
    (
        "speech",
        r#"{"contents":[{"role":"user","parts":[{"text":"say"}]}],"generationConfig":{"responseModalities":["AUDIO"],"speechConfig":{"voiceConfig":{"prebuiltVoiceConfig":{"voiceName":"Kore"}}}}}"#,
    ),
    (
        "unknown_fields",
        r#"{"contents":[{"role":"user","parts":[{"text":"unk","partExtra":"pe1"}],"contentExtra":"ce2"}],"generationConfig":{"configExtra":{"d":"ge3"}},"tools":[{"functionDeclarations":[{"name":"f","declExtra":"de4"}]}],"topExtra":{"n":1e400}}"#,
    ),
    (
        "unicode_and_escapes",
        r#"{"contents":[{"role":"user","parts":[{"text":"caf\u00e9 \ud83d\ude00 \"quoted\" \u2028sep 漢字"}]},{"role":"model","parts":[{"text":"réponse"}]},{"role":"user","parts":[{"text":"suite"}]}]}"#,
    ),
];
