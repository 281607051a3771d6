#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use super::*;

fn line(format: LogFormat, fill: impl FnOnce(&mut LineBuilder<'_>)) -> String {
    let mut out = Vec::new();
    let at = Timestamp::from_millisecond(1_732_086_000_123).unwrap();
    let mut builder = LineBuilder::begin(&mut out, format, at, Level::WARN);
    fill(&mut builder);
    builder.end();
    String::from_utf8(out).unwrap()
}

#[test]
fn json_keeps_any_text_in_its_field() {
    let text = line(LogFormat::Json, |builder| {
        builder.message("two\nlines \"quoted\" \u{1b}[31m").text("model", "日本").plain("duration_ms", 7);
    });
    assert_eq!(text.matches('\n').count(), 1);
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["timestamp"], "2024-11-20T07:00:00.123Z");
    assert_eq!(value["level"], "warn");
    assert_eq!(value["message"], "two\nlines \"quoted\" \u{1b}[31m");
    assert_eq!(value["model"], "日本");
    assert_eq!(value["duration_ms"], 7);
}

#[test]
fn text_stays_on_its_line() {
    let text = line(LogFormat::Text, |builder| {
        builder.message("a\nb \u{1b}[31m").text("model", "x y").text("path", "/v1").texts("losses", &["a".into()]);
    });
    assert_eq!(text, "2024-11-20T07:00:00.123Z WARN  a\\nb \\u{1b}[31m model=\"x y\" path=/v1 losses=a\n");
}

#[test]
fn long_text_is_cut_at_a_character() {
    let long = "ü".repeat(TEXT_LIMIT);
    let text = line(LogFormat::Json, |builder| {
        builder.message("m").text("error", &long).text("odd", &format!("x{long}"));
    });
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["error"].as_str().unwrap().len(), TEXT_LIMIT);
    assert_eq!(value["odd"].as_str().unwrap().len(), TEXT_LIMIT - 1);
}

#[test]
fn every_text_passes_the_net() {
    for format in [LogFormat::Json, LogFormat::Text] {
        let text = line(format, |builder| {
            builder
                .message("sk-canary-0123456789")
                .text("error", "Bearer canary-0123456789")
                .texts("losses", &["key=canary".into()]);
        });
        assert!(!text.contains("canary"), "{text}");
    }
}
