#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::io::{self, Write};
use std::sync::Arc;

use parking_lot::Mutex;

use super::*;

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn logged(level: Level, format: LogFormat, emit: impl FnOnce()) -> String {
    let kept = Kept::default();
    let subscriber = Registry::default().with(layer(level, format, LogSink::to(Box::new(kept.clone()))));
    tracing::subscriber::with_default(subscriber, emit);
    let bytes = kept.0.lock().clone();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn events_have_the_fields_of_the_request_log() {
    let text = logged(Level::INFO, LogFormat::Json, || {
        let outer = tracing::info_span!("call", request_id = "req-outer", provider = tracing::field::Empty);
        outer.record("provider", "openai");
        let _outer = outer.enter();
        let _inner = tracing::info_span!("attempt", request_id = "req-1").entered();
        tracing::error!(attempts = 3, ratio = 0.5, odd = f64::NAN, ok = false, level = "no", "gave {}", "up");
    });
    let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let timestamp = value["timestamp"].take();
    assert!(timestamp.as_str().unwrap().parse::<Timestamp>().is_ok());
    assert_eq!(
        value,
        serde_json::json!({
            "timestamp": null, "level": "error", "message": "gave up", "target": "gw_telemetry::logging::tests",
            "attempts": 3, "ratio": 0.5, "odd": "NaN", "ok": false, "request_id": "req-1", "provider": "openai",
        })
    );
}

#[test]
fn text_form() {
    let text = logged(Level::INFO, LogFormat::Text, || tracing::warn!(file = "a b", "reload failed"));
    assert!(text.ends_with("Z WARN  reload failed target=gw_telemetry::logging::tests file=\"a b\"\n"), "{text}");
}

#[test]
fn the_level_filters_and_libraries_only_warn() {
    let text = logged(Level::DEBUG, LogFormat::Text, || {
        tracing::trace!("ours-trace");
        tracing::debug!("ours-debug");
        tracing::debug!(target: "hyper::proto", "theirs-debug");
        tracing::info!(target: "sqlx::query", "theirs-info");
        tracing::warn!(target: "rustls", "theirs-warn");
    });
    let seen: Vec<_> = text.lines().map(|line| line.split_whitespace().nth(2).unwrap()).collect();
    assert_eq!(seen, ["ours-debug", "theirs-warn"]);
}

#[test]
fn secrets_in_messages_fields_and_errors_are_masked() {
    let text = logged(Level::INFO, LogFormat::Json, || {
        let error = io::Error::other("GET https://h/?key=canary-1 failed");
        let error: &(dyn std::error::Error + 'static) = &error;
        let _span = tracing::info_span!("call", authorization = "Bearer canary-22222222").entered();
        tracing::info!(error, debug = ?Some("sk-canary-33333333"), "sent x-api-key: canary-4");
    });
    assert!(!text.contains("canary") && text.matches("[redacted]").count() == 4, "{text}");
}
