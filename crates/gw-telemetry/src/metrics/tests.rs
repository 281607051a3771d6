#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::disallowed_methods, reason = "tests")]

use std::time::Duration;

use super::*;

fn metrics() -> Metrics {
    Metrics::new(BuildInfo { version: "1.2.3", revision: "abc" }, Instant::now())
}

fn succeeded(milliseconds: u64) -> Outcome {
    Outcome { success: true, duration: Duration::from_millis(milliseconds), ..Outcome::default() }
}

fn lines<'a>(text: &'a str, start: &str) -> Vec<&'a str> {
    text.lines().filter(|line| line.starts_with(start)).collect()
}

#[test]
fn the_four_metrics_have_exactly_their_names_labels_and_buckets() {
    let metrics = metrics();
    metrics.started("openai-chat", "openai");
    metrics.started("openai-chat", "openai");
    metrics.finished("openai-chat", "gpt-4o", "openai", true, &succeeded(700));
    let failed = Outcome { error_type: Some("timeout"), duration: Duration::from_secs(90), ..Outcome::default() };
    metrics.finished("openai-chat", "gpt-4o", "openai", false, &failed);
    let text = metrics.render();
    let route = r#"format="openai-chat",model="gpt-4o",provider="openai""#;
    let mut requests = lines(&text, "proxy_requests_total");
    requests.sort_unstable();
    assert_eq!(
        requests,
        [
            format!("proxy_requests_total{{{route},status=\"error\"}} 1"),
            format!("proxy_requests_total{{{route},status=\"success\"}} 1"),
        ]
    );
    let counts = [("0.1", 0), ("0.5", 0), ("1.0", 1), ("2.0", 1), ("5.0", 1), ("10.0", 1), ("30.0", 1), ("60.0", 1)];
    let mut buckets: Vec<_> = counts.map(|(bound, count)| (bound, count)).into();
    buckets.extend([("120.0", 2), ("+Inf", 2)]);
    let expected: Vec<_> = buckets
        .into_iter()
        .map(|(bound, count)| format!("proxy_request_duration_seconds_bucket{{le=\"{bound}\",{route}}} {count}"))
        .collect();
    assert_eq!(lines(&text, "proxy_request_duration_seconds_bucket"), expected);
    assert_eq!(
        lines(&text, "proxy_request_duration_seconds_count"),
        [format!("proxy_request_duration_seconds_count{{{route}}} 2")]
    );
    assert_eq!(lines(&text, "proxy_errors_total"), [format!("proxy_errors_total{{{route},error_type=\"timeout\"}} 1")]);
    assert_eq!(
        lines(&text, "proxy_active_requests"),
        [r#"proxy_active_requests{format="openai-chat",provider="openai"} 1"#]
    );
}

#[test]
fn the_text_is_openmetrics() {
    let metrics = metrics();
    metrics.finished("f", "quote\" back\\ new\nline", "p", false, &succeeded(1));
    metrics.add_gauge("irongate_example", "An example", Box::new(|| 1.5));
    let text = metrics.render();
    assert!(text.ends_with("# EOF\n"));
    assert!(METRICS_CONTENT_TYPE.starts_with("application/openmetrics-text"));
    assert!(text.contains(r#"model="quote\" back\\ new\nline""#), "{text}");
    let mut families = Vec::new();
    for line in text.lines() {
        if let Some(family) = line.strip_prefix("# TYPE ") {
            families.push(family.split(' ').next().unwrap());
        } else if !line.starts_with('#') {
            let family = *families.last().unwrap();
            assert!(line.starts_with(family), "{line} is not of {family}");
            assert!(line.rsplit(' ').next().unwrap().parse::<f64>().is_ok(), "{line}");
        }
    }
    let distinct: HashSet<_> = families.iter().collect();
    assert_eq!(distinct.len(), families.len(), "{families:?}");
}

#[test]
fn runtime_metrics() {
    let metrics = metrics();
    metrics.connection_opened();
    metrics.connection_opened();
    metrics.connection_closed();
    metrics.panicked();
    metrics.config_reloaded(true);
    let tokens = TokenCounts { input: 3, cache_read: 0, cache_write: 5, output: 7, reasoning: 9 };
    metrics.finished("f", "m", "p", false, &Outcome { tokens, usage_missing: true, ..succeeded(1) });
    metrics.observe_journal(JournalReadings {
        appended: Box::new(|| 10.0),
        failed: Box::new(|| 2.0),
        pending: Box::new(|| 4.0),
    });
    metrics.add_gauge("irongate_replaced", "Old", Box::new(|| 1.0));
    metrics.add_gauge("irongate_replaced", "New", Box::new(|| 2.0));
    metrics.add_gauge("irongate_absent", "Absent", Box::new(|| f64::NAN));
    let text = metrics.render();
    for line in [
        r#"irongate_build_info{version="1.2.3",revision="abc"} 1"#,
        "irongate_open_connections 1",
        "irongate_panics_total 1",
        r#"irongate_config_reloads_total{result="success"} 1"#,
        r#"irongate_config_reloads_total{result="error"} 0"#,
        "irongate_usage_missing_total 1",
        r#"irongate_tokens_total{provider="p",model="m",kind="input"} 3"#,
        r#"irongate_tokens_total{provider="p",model="m",kind="cache_read"} 0"#,
        r#"irongate_tokens_total{provider="p",model="m",kind="cache_write"} 5"#,
        r#"irongate_tokens_total{provider="p",model="m",kind="output"} 7"#,
        r#"irongate_tokens_total{provider="p",model="m",kind="reasoning"} 9"#,
        "irongate_journal_appended_total 10.0",
        "irongate_journal_failed_total 2.0",
        "irongate_journal_pending 4.0",
        "irongate_replaced 2.0",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is missing in\n{text}");
    }
    assert_eq!(lines(&text, "irongate_replaced").len(), 1);
    assert!(!text.contains("irongate_absent"));
    assert_eq!(lines(&text, "irongate_uptime_seconds ").len(), 1);
    if cfg!(target_os = "linux") {
        let number = |name: &str| lines(&text, name)[0].rsplit(' ').next().unwrap().parse::<f64>().unwrap();
        assert!(number("irongate_resident_memory_bytes ") > 1e6);
        assert!(number("irongate_open_fds ") >= 3.0);
    }
}

#[test]
fn a_route_is_registered_once() {
    let metrics = metrics();
    let first = metrics.route("f", "m", "p");
    assert!(Arc::ptr_eq(&first, &metrics.route("f", "m", "p")));
    assert!(!Arc::ptr_eq(&first, &metrics.route("g", "m", "p")));
    first.record(&succeeded(1));
    metrics.finished("g", "m", "p", false, &succeeded(1));
    assert_eq!(lines(&metrics.render(), "proxy_requests_total").len(), 4);
}

#[test]
fn invented_model_names_do_not_grow_the_metrics() {
    let metrics = metrics();
    metrics.expect_models(["configured"]);
    for number in 0..MAX_MODELS + 50 {
        metrics.finished("f", &format!("model-{number}"), "p", false, &succeeded(1));
    }
    let other = metrics.route("f", "model-one-too-many", "p");
    assert!(Arc::ptr_eq(&other, &metrics.route("f", OTHER, "p")));
    metrics.finished("f", "configured", "p", false, &succeeded(1));
    // Nobody serves these: they never get a label, full or not.
    assert!(Arc::ptr_eq(&metrics.route("f", "fantasy", ""), &metrics.route("f", "phantom", "")));
    metrics.finished("f", "", "", false, &succeeded(1));
    let text = metrics.render();
    let models: HashSet<_> = lines(&text, "proxy_request_duration_seconds_count")
        .into_iter()
        .map(|line| line.split("model=\"").nth(1).unwrap().split('"').next().unwrap().to_owned())
        .collect();
    assert_eq!(models.len(), MAX_MODELS + 3, "the bound, plus configured, other and none");
    assert!(["configured", "other", "none"].iter().all(|name| models.contains(*name)));
    let other = r#"proxy_requests_total{format="f",model="other",provider="p",status="success"} 50"#;
    assert!(text.lines().any(|line| line == other));
}

#[test]
fn a_key_sent_as_model_does_not_become_a_label() {
    let metrics = metrics();
    metrics.finished("f", "sk-canary-0123456789", "p", false, &succeeded(1));
    metrics.finished("f", &"x".repeat(5000), "p", false, &succeeded(1));
    let text = metrics.render();
    assert!(!text.contains("canary"), "{text}");
    assert!(text.lines().all(|line| line.len() < 400));
}
