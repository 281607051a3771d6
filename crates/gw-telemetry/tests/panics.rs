//! The panic hook is one per process, so it has a test program of its own.
#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "tests")]

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use gw_telemetry::{BuildInfo, LogFormat, LogSink, Metrics, RequestEntry, RequestLog, RequestLogSettings};

#[test]
fn everything_of_a_process_lands_in_one_file_in_whole_lines() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("logs-{}", std::process::id()));
    let path = directory.join("deep").join("gateway.log");
    let sink = LogSink::to(Box::new(std::io::sink()));
    sink.add_file(&path).unwrap();
    let metrics = Arc::new(Metrics::new(BuildInfo { version: "1", revision: "" }, Instant::now()));
    let counted = Arc::clone(&metrics);
    gw_telemetry::install_panic_hook(LogFormat::Json, sink.clone(), move || counted.panicked());
    gw_telemetry::init_logging(tracing::Level::INFO, LogFormat::Json, sink.clone()).unwrap();
    assert!(gw_telemetry::init_logging(tracing::Level::INFO, LogFormat::Json, sink.clone()).is_err());
    let (log, writer) = RequestLog::start(RequestLogSettings::default(), sink).unwrap();
    metrics.observe_request_log(log.clone());

    let panicking = std::thread::Builder::new().name("worker".into()).spawn(|| panic!("got sk-canary-01234567"));
    assert!(panicking.unwrap().join().is_err());
    std::thread::scope(|scope| {
        scope.spawn(|| (0..500).for_each(|number| tracing::info!(target: "gw_test", number, "event")));
        scope.spawn(|| (0..500).for_each(|_| log.push(RequestEntry::default())));
    });
    writer.finish();

    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!text.contains("canary"));
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 1001);
    let report = &lines[0];
    assert_eq!((report["level"].as_str(), report["thread"].as_str()), (Some("error"), Some("worker")));
    assert_eq!(report["message"], "panic: got sk-[redacted]");
    assert!(report["location"].as_str().unwrap().contains("panics.rs"));
    assert!(!report["stack"].as_str().unwrap().is_empty());
    let rendered = metrics.render();
    assert!(rendered.contains("\nirongate_panics_total 1\n"));
    assert!(rendered.contains("\nirongate_log_lines_dropped_total 0"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    std::fs::remove_dir_all(&directory).unwrap();
}
