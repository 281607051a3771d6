//! What is known about models, one line per fact that has cost somebody an error answer.

use gw_core::Effort;
use gw_spi::{Capabilities, ForcedChoice, Provider as _, ReasoningStyle, Sampled, Structured, TokenParam};

use crate::{build, settings};

/// Kind, model, reasoning style, effort words, whether reasoning can be off, sampling, largest output.
type Row = (&'static str, &'static str, ReasoningStyle, &'static str, bool, Sampled, Option<u64>);

use ReasoningStyle as Style;
use Sampled::{Always, Never, WithoutReasoning};

const ROWS: &[Row] = &[
    ("openai", "gpt-3.5-turbo-0125", Style::None, "", true, Always, Some(4096)),
    ("openai", "gpt-4-0613", Style::None, "", true, Always, Some(8192)),
    ("openai", "gpt-4-turbo", Style::None, "", true, Always, Some(4096)),
    ("openai", "gpt-4o", Style::None, "", true, Always, Some(16384)),
    ("openai", "ft:gpt-4o-mini-2024-07-18:org::id", Style::None, "", true, Always, Some(16384)),
    ("openai", "gpt-4.1-nano", Style::None, "", true, Always, Some(32768)),
    ("openai", "o1-mini", Style::None, "", false, Never, Some(65536)),
    ("openai", "o3-mini", Style::Effort, "low medium high", false, Never, Some(100_000)),
    ("openai", "o4-mini-2025-04-16", Style::Effort, "low medium high", false, Never, Some(100_000)),
    ("openai", "gpt-5", Style::Effort, "minimal low medium high", false, Never, Some(128_000)),
    ("openai", "gpt-5-nano-2025-08-07", Style::Effort, "minimal low medium high", false, Never, Some(128_000)),
    ("openai", "gpt-5-pro", Style::Effort, "high", false, Never, Some(128_000)),
    ("openai", "gpt-5-chat-latest", Style::None, "", false, Always, Some(16384)),
    ("openai", "gpt-5.1", Style::Effort, "none low medium high", true, WithoutReasoning, Some(128_000)),
    ("openai", "gpt-5.2", Style::Effort, "none low medium high xhigh", true, WithoutReasoning, Some(128_000)),
    ("openai", "gpt-5.6-sol", Style::Effort, "none low medium high xhigh", true, WithoutReasoning, Some(128_000)),
    ("openai", "gpt-6", Style::Effort, "none low medium high xhigh", true, WithoutReasoning, None),
    ("openai", "gpt-6-astra", Style::Effort, "low medium high xhigh", false, Never, None),
    ("openai", "gpt-6.1-sol", Style::Effort, "low medium high xhigh", false, Never, None),
    ("openai", "gpt-9", Style::Effort, "none low medium high xhigh", true, WithoutReasoning, None),
    ("anthropic", "claude-2.1", Style::None, "", true, Always, Some(4096)),
    ("anthropic", "claude-3-opus-20240229", Style::None, "", true, Always, Some(4096)),
    ("anthropic", "claude-3-5-sonnet-20241022", Style::None, "", true, Always, Some(8192)),
    ("anthropic", "claude-3-7-sonnet-20250219", Style::Budget, "", true, WithoutReasoning, Some(64000)),
    ("anthropic", "claude-sonnet-4-20250514", Style::Budget, "", true, WithoutReasoning, Some(64000)),
    ("anthropic", "claude-opus-4-1-20250805", Style::Budget, "", true, WithoutReasoning, Some(32000)),
    ("anthropic", "claude-sonnet-4-5-20250929", Style::Budget, "", true, WithoutReasoning, Some(64000)),
    ("anthropic", "claude-haiku-4-5", Style::Budget, "", true, WithoutReasoning, Some(64000)),
    ("anthropic", "claude-opus-4-5-20251101", Style::Budget, "low medium high", true, WithoutReasoning, Some(64000)),
    ("anthropic", "claude-opus-4-6", Style::Adaptive, "low medium high max", true, WithoutReasoning, Some(128_000)),
    ("anthropic", "claude-sonnet-4-6", Style::Adaptive, "low medium high max", true, WithoutReasoning, Some(128_000)),
    ("anthropic", "claude-opus-4-7", Style::Adaptive, "low medium high xhigh max", true, Never, Some(128_000)),
    ("anthropic", "claude-sonnet-5", Style::Adaptive, "low medium high xhigh max", true, Never, Some(128_000)),
    ("anthropic", "claude-opus-5-5", Style::Adaptive, "low medium high xhigh max", false, Never, Some(128_000)),
    ("anthropic", "claude-fable-5", Style::Adaptive, "low medium high xhigh max", false, Never, Some(128_000)),
    ("anthropic", "claude-nova-7", Style::Adaptive, "low medium high xhigh max", false, Never, Some(128_000)),
    ("gemini", "gemini-2.0-flash", Style::None, "", true, Always, Some(8192)),
    ("gemini", "models/gemini-2.5-pro", Style::Budget, "", false, Always, Some(65536)),
    ("gemini", "gemini-2.5-flash", Style::Budget, "", true, Always, Some(65536)),
    ("gemini", "gemini-3-flash-preview", Style::Level, "minimal low medium high", false, Always, Some(65536)),
    ("gemini", "gemini-3-pro-preview", Style::Level, "low high", false, Always, Some(65536)),
    ("gemini", "gemini-3.1-pro-preview", Style::Level, "low medium high", false, Always, Some(65536)),
    ("gemini", "gemini-3.7-flash", Style::Level, "low medium high", false, Always, Some(65536)),
    ("gemini", "gemini-4-argon", Style::Level, "low medium high", false, Always, Some(65536)),
    ("deepseek", "deepseek-v4-flash", Style::ThinkingToggle, "low high max", true, WithoutReasoning, Some(384_000)),
    ("deepseek", "deepseek-chat", Style::ThinkingToggle, "low high max", true, Always, None),
    ("deepseek", "deepseek-reasoner", Style::ThinkingToggle, "low high max", false, Never, None),
    ("mistral", "mistral-small-latest", Style::Effort, "none high", true, Always, None),
    ("mistral", "mistral-large-latest", Style::None, "", true, Always, None),
    ("qwen", "qwen-plus", Style::EnableThinking, "", true, Always, Some(32768)),
    ("ollama", "llama3.2", Style::None, "", true, Always, None),
    ("ollama", "qwen3:14b", Style::Effort, "none low medium high max", true, Always, None),
    ("ollama", "gpt-oss:120b", Style::Effort, "low medium high", false, Always, None),
];

fn record(kind: &str, model: &str) -> Capabilities {
    Capabilities::clone(&build(&settings(kind)).capabilities(model))
}

#[test]
fn reasoning_sampling_and_limits() {
    for (kind, model, style, efforts, can_disable, sampling, max_output) in ROWS {
        let record = record(kind, model);
        let words: Vec<&str> = record.efforts.iter().map(Effort::as_str).collect();
        assert_eq!(words.join(" "), *efforts, "{model}");
        assert_eq!(record.reasoning, *style, "{model}");
        assert_eq!(record.can_disable_reasoning, *can_disable, "{model}");
        assert_eq!(record.sampling, *sampling, "{model}");
        assert_eq!(record.max_output, *max_output, "{model}");
    }
}

#[test]
fn data_does_not_contradict_itself() {
    let registry = crate::registry();
    let mut seen = 0;
    for (kind, model) in ROWS.iter().map(|row| (row.0, row.1)).chain(registry.kinds().map(|kind| (kind, "unknown"))) {
        let record = record(kind, model);
        if record.efforts.contains(&Effort::None) {
            assert!(record.can_disable_reasoning, "{kind} {model}: `none` is an effort, so reasoning can be off");
        }
        assert!(record.reasoning != Style::None || record.efforts.is_empty(), "{kind} {model}");
        assert!(record.sampling != Never || kind != "anthropic" || !record.top_k, "{model}: top_k is sampling too");
        assert!(record.budget_range.0 <= record.budget_range.1, "{kind} {model}");
        assert!(record.tool_choice || record.forced_tool_choice == ForcedChoice::No, "{kind} {model}");
        assert!(record.max_candidates >= 1, "{kind} {model}");
        seen += 1;
    }
    assert!(seen > 60);
}

#[test]
fn forced_tool_choice() {
    for (kind, model, forced) in [
        ("openai", "gpt-4o", ForcedChoice::Yes),
        ("anthropic", "claude-sonnet-4-5", ForcedChoice::NotWithThinking),
        ("anthropic", "claude-opus-4-6", ForcedChoice::Yes),
        ("anthropic", "claude-opus-5", ForcedChoice::Yes),
        ("anthropic", "claude-opus-5-5", ForcedChoice::No),
        ("anthropic", "claude-sonnet-5-5", ForcedChoice::No),
        ("anthropic", "claude-fable-5-20260301", ForcedChoice::Yes),
        ("anthropic", "claude-fable-5-1", ForcedChoice::No),
        ("anthropic", "claude-mythos-5-2", ForcedChoice::No),
        ("deepseek", "deepseek-v4-pro", ForcedChoice::NotWithThinking),
        ("deepseek", "deepseek-chat", ForcedChoice::Yes),
        ("ollama", "llama3.2", ForcedChoice::No),
        ("mistral", "mistral-large-latest", ForcedChoice::Yes),
    ] {
        assert_eq!(record(kind, model).forced_tool_choice, forced, "{model}");
    }
}

#[test]
fn system_messages_in_the_middle_are_honoured_by_few_claudes() {
    let honours = |model: &str| record("anthropic", model).inline_system;
    for model in ["claude-fable-5", "claude-mythos-5", "claude-opus-4-8", "claude-opus-5", "claude-opus-5-20260801"] {
        assert!(honours(model), "{model}");
    }
    for model in ["claude-sonnet-5", "claude-opus-5-5", "claude-fable-5-1", "claude-opus-4-7", "claude-x", "glm-4.6"] {
        assert!(!honours(model), "{model}");
    }
}

#[test]
fn quirks_of_services() {
    let openai = record("openai", "gpt-4o");
    assert_eq!(openai.token_param, TokenParam::MaxCompletionTokens);
    assert!(openai.developer_role && openai.store && openai.stream_usage_option);
    assert_eq!(record("openai", "o4-mini").max_stops, 0);
    assert!(!record("openai", "gpt-5.4").cache_marks && record("openai", "gpt-5.6").cache_marks);
    assert!(!record("openai", "o1-preview").developer_role);

    let mistral = record("mistral", "mistral-large-latest");
    assert_eq!((mistral.call_id_length, mistral.seed_name.as_deref()), (Some(9), Some("random_seed")));
    assert!(mistral.strict_fields && !mistral.developer_role && !mistral.stream_usage_option);
    assert!(mistral.rename_fields.contains(&("seed".to_owned(), "random_seed".to_owned())));

    let deepseek = record("deepseek", "deepseek-v4-flash");
    assert!(deepseek.reasoning_replay_required && !deepseek.developer_role);
    assert_eq!((deepseek.structured, deepseek.token_param), (Structured::Object, TokenParam::MaxTokens));

    let old_gemini = record("gemini", "gemini-2.5-flash");
    let new_gemini = record("gemini", "gemini-3-flash-preview");
    assert!(!old_gemini.schema_with_tools && new_gemini.schema_with_tools);
    assert!(!old_gemini.media_in_tool_results && new_gemini.media_in_tool_results);
    assert!(!record("gemini", "gemini-1.5-pro").json_schema_fields && new_gemini.json_schema_fields);
    assert_eq!(record("gemini", "gemini-2.5-pro").budget_range, (128, 32768));

    let claude = record("anthropic", "claude-opus-4-8");
    assert!((claude.max_temperature - 1.0).abs() < f64::EPSILON && claude.cache_marks && claude.image_urls);
    assert_eq!((claude.max_candidates, claude.structured), (1, Structured::SchemaOnly));
    assert!(record("anthropic", "claude-haiku-4-5").prefill && !record("anthropic", "claude-sonnet-4-6").prefill);
    // Another service that speaks this format is not a Claude.
    let stranger = record("anthropic", "glm-4.6");
    assert_eq!((stranger.sampling, stranger.max_output), (Always, None), "an unknown limit must not cut the caller's");

    assert!(!record("ollama", "llama3.2").tool_choice);
    assert_eq!(record("lmstudio", "any").structured, Structured::SchemaOnly);
    assert!(record("qwen", "qwen3-vl-plus").image_input && !record("qwen", "qwen-plus").image_input);
    assert!(record("mock", "any").video_input);
}

#[test]
fn efforts_snap_to_what_the_model_takes() {
    let snapped = |kind: &str, model: &str, wanted: Effort| {
        record(kind, model).snap_effort(&wanted).map(|effort| effort.as_str().to_owned())
    };
    assert_eq!(snapped("openai", "gpt-5.6", Effort::Minimal).as_deref(), Some("low"));
    assert_eq!(snapped("openai", "o3", Effort::XHigh).as_deref(), Some("high"));
    assert_eq!(snapped("openai", "gpt-5-pro", Effort::Low).as_deref(), Some("high"));
    assert_eq!(snapped("anthropic", "claude-opus-4-5", Effort::Max).as_deref(), Some("high"));
    assert_eq!(snapped("anthropic", "claude-opus-4-6", Effort::XHigh).as_deref(), Some("max"));
    assert_eq!(snapped("deepseek", "deepseek-v4-pro", Effort::Medium).as_deref(), Some("high"));
    assert_eq!(snapped("openai", "gpt-4o", Effort::High), None);
}
