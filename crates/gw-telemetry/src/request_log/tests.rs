#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::io::Write;
use std::sync::mpsc::{Sender, channel};

use parking_lot::{Condvar, Mutex};
use serde_json::Value;

use super::*;

/// Keeps what was written, one element per write.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<Vec<u8>>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().push(bytes.to_vec());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Kept {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().concat()).unwrap()
    }

    fn json(&self) -> Vec<Value> {
        self.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

fn entry(status_code: u16) -> RequestEntry {
    RequestEntry {
        at_ms: 1_732_086_000_000,
        request_id: "req-1".into(),
        duration_ms: 12,
        status_code,
        format: "openai-chat".into(),
        model: "gpt-4o".into(),
        provider: "openai".into(),
        end: "completed",
        ..RequestEntry::default()
    }
}

fn settings() -> RequestLogSettings {
    RequestLogSettings::default()
}

#[test]
fn a_line_has_the_fields_of_the_interface() {
    let kept = Kept::default();
    let (log, writer) = RequestLog::start(settings(), LogSink::to(Box::new(kept.clone()))).unwrap();
    log.push(entry(200));
    log.push(RequestEntry {
        first_byte_ms: Some(3),
        upstream_model: "gpt-4o-2024".into(),
        streaming: true,
        error_type: Some("timeout"),
        error: Some(format!("slow key=canary {}", "x".repeat(5000))),
        method: "POST".into(),
        path: "/v1/chat/completions".into(),
        key_name: "laptop".into(),
        key_id: "key_1".into(),
        end: "timeout",
        input_tokens: 5,
        output_tokens: 7,
        losses: vec!["top_k:dropped".into()],
        ..entry(504)
    });
    writer.finish();
    let lines = kept.json();
    assert_eq!(
        lines[0],
        serde_json::json!({
            "timestamp": "2024-11-20T07:00:00.000Z", "level": "info", "request_id": "req-1",
            "message": "request completed", "duration_ms": 12, "status_code": 200, "format": "openai-chat",
            "model": "gpt-4o", "provider": "openai", "streaming": false, "end": "completed",
            "input_tokens": 0, "output_tokens": 0,
        })
    );
    let error = lines[1]["error"].as_str().unwrap();
    assert!(error.starts_with("slow key=[redacted] xxx") && error.len() == 2000);
    let mut second = lines[1].clone();
    second["error"] = Value::Null;
    assert_eq!(
        second,
        serde_json::json!({
            "timestamp": "2024-11-20T07:00:00.000Z", "level": "error", "request_id": "req-1",
            "message": "request failed", "duration_ms": 12, "status_code": 504, "format": "openai-chat",
            "model": "gpt-4o", "provider": "openai", "streaming": true, "error_type": "timeout", "method": "POST",
            "path": "/v1/chat/completions", "key_name": "laptop", "key_id": "key_1", "upstream_model": "gpt-4o-2024",
            "end": "timeout", "input_tokens": 5, "output_tokens": 7, "first_byte_ms": 3, "error": null,
            "losses": ["top_k:dropped"],
        })
    );
}

#[test]
fn text_lines_and_levels() {
    let kept = Kept::default();
    let settings = RequestLogSettings { level: Level::WARN, format: LogFormat::Text, ..settings() };
    let (log, writer) = RequestLog::start(settings, LogSink::to(Box::new(kept.clone()))).unwrap();
    log.push(entry(200));
    log.push(RequestEntry { end: "client_cancelled", model: "a\nb".into(), ..entry(499) });
    writer.finish();
    assert_eq!(
        kept.text(),
        "2024-11-20T07:00:00.000Z WARN  request cancelled duration_ms=12 status_code=499 format=openai-chat \
         model=\"a\\nb\" provider=openai streaming=false end=client_cancelled input_tokens=0 output_tokens=0 \
         request_id=req-1\n"
    );
    assert_eq!(log.dropped(), 0, "a line below the level is not a lost line");
}

#[test]
fn levels_follow_the_status() {
    for (status, level) in [(0, Level::INFO), (200, Level::INFO), (399, Level::INFO), (400, Level::WARN)] {
        assert_eq!(request_level(status), level);
    }
    assert_eq!((request_level(499), request_level(500)), (Level::WARN, Level::ERROR));
}

#[test]
fn nothing_is_lost_from_many_threads() {
    let kept = Kept::default();
    let settings = RequestLogSettings { capacity: 10_000, ..settings() };
    let (log, writer) = RequestLog::start(settings, LogSink::to(Box::new(kept.clone()))).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4_u64 {
            let log = log.clone();
            scope.spawn(move || {
                for number in 0..2_000 {
                    log.push(RequestEntry { duration_ms: thread * 2_000 + number, ..entry(200) });
                }
            });
        }
    });
    writer.finish();
    let mut seen: Vec<_> = kept.json().iter().map(|line| line["duration_ms"].as_u64().unwrap()).collect();
    seen.sort_unstable();
    assert_eq!(seen, (0..8_000).collect::<Vec<_>>());
    assert!(kept.0.lock().iter().all(|write| write.ends_with(b"\n")), "a write never ends inside a line");
}

/// Blocks every write until the gate opens, and tells when one has begun.
struct Gate {
    open: Arc<(Mutex<bool>, Condvar)>,
    begun: Sender<()>,
    kept: Kept,
}

impl Write for Gate {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = self.begun.send(());
        let (open, opened) = &*self.open;
        let mut open = open.lock();
        while !*open {
            opened.wait(&mut open);
        }
        self.kept.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a test signal")]
fn a_stuck_sink_drops_lines_and_says_so_instead_of_holding_requests_up() {
    let kept = Kept::default();
    let open = Arc::new((Mutex::new(false), Condvar::new()));
    let (begun, has_begun) = channel();
    let gate = Gate { open: Arc::clone(&open), begun, kept: kept.clone() };
    let settings = RequestLogSettings { capacity: 4, ..settings() };
    let (log, writer) = RequestLog::start(settings, LogSink::to(Box::new(gate))).unwrap();
    log.push(entry(200));
    has_begun.recv().unwrap();
    for _ in 0..10 {
        log.push(entry(200));
    }
    assert_eq!(log.dropped(), 6);
    *open.0.lock() = true;
    open.1.notify_all();
    writer.finish();
    let lines = kept.json();
    assert_eq!(lines.len(), 6);
    assert_eq!((lines[5]["level"].as_str(), lines[5]["dropped"].as_u64()), (Some("warn"), Some(6)));
    log.push(entry(200));
    assert_eq!(log.dropped(), 7);
}
