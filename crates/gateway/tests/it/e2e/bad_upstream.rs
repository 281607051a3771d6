//! Providers that fail: before the first byte a status, after it an error event; never a fake end, never silence.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gw_store::EndReason;

use super::dialect::{ALL, Dialect};
use super::gateway::{Gateway, KEY, PROVIDER_KEY, Setup, both, both_with, pairs, together};

/// One call that must fail with a status; returns the message.
async fn fails(gateway: &Gateway, client: Dialect, model: &str, stream: bool, end: EndReason) -> u16 {
    let answer = gateway.send(client.say(model, stream, "hello")).await;
    let what = format!("{client:?} {model} stream={stream}: {} {}", answer.status(), answer.text());
    assert!(answer.status() >= 500, "{what}");
    assert!(answer.whole, "{what}");
    client.error(&answer.json());
    let record = gateway.record(&answer.request_id()).await;
    assert_eq!((record.end, record.status), (end, answer.status()), "{what}: {record:?}");
    assert!(record.error_code.is_some(), "{what}");
    answer.status()
}

#[tokio::test]
async fn pain_18_an_error_as_first_event_becomes_a_status() {
    let (_mock, gateway) = both().await;
    for client in ALL {
        for upstream in ALL {
            let model = format!("{}+error_first=1", upstream.model());
            let status = fails(&gateway, client, &model, true, EndReason::UpstreamError).await;
            assert!(matches!(status, 500 | 502 | 503 | 529), "{status}");
        }
    }
    let requests = gateway.get("/metrics").await.text();
    assert!(
        requests.lines().any(|line| line.starts_with("proxy_requests_total{") && line.contains("status=\"error\""))
    );
    let mut successes = requests
        .lines()
        .filter(|line| line.starts_with("proxy_requests_total{") && line.contains("status=\"success\""));
    assert!(successes.all(|line| line.ends_with(" 0")), "{requests}");
}

#[tokio::test]
async fn upstream_failures_before_the_answer_are_statuses_in_the_callers_dialect() {
    let (_mock, gateway) = both().await;
    let gateway = Arc::new(gateway);
    let failures = ["html=1", "reset=1", "status=500", "status=503", "status=529"];
    let calls = pairs().into_iter().flat_map(|pair| failures.map(|options| (pair, options)));
    together(calls.map(|((client, upstream), options)| {
        let gateway = Arc::clone(&gateway);
        async move {
            let model = format!("{}+{options}", upstream.model());
            for stream in [false, true] {
                fails(&gateway, client, &model, stream, EndReason::UpstreamError).await;
            }
        }
    }))
    .await;
}

#[tokio::test]
async fn an_unreachable_provider_is_a_server_error() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", closed.local_addr().unwrap());
    drop(closed);
    let gateway = Setup::with(&url, "").start().await;
    for client in ALL {
        for stream in [false, true] {
            let status = fails(&gateway, client, client.model(), stream, EndReason::UpstreamError).await;
            assert!(matches!(status, 500 | 502 | 503), "{client:?}: {status}");
        }
    }
}

#[tokio::test]
async fn pain_19_pain_02_streams_that_break_off_end_with_an_error_and_never_with_a_fake_stop() {
    let (_mock, gateway) = both().await;
    let (gateway, begun) = (Arc::new(gateway), Arc::new(AtomicUsize::new(0)));
    let faults = [
        ("cut=9", EndReason::UpstreamTruncated),
        ("eof=9", EndReason::UpstreamTruncated),
        ("error_at=9", EndReason::UpstreamError),
        ("garbage=9", EndReason::UpstreamError),
    ];
    let calls = pairs().into_iter().flat_map(|pair| faults.map(|fault| (pair, fault)));
    together(calls.map(|((client, upstream), (options, end))| {
        let (gateway, begun) = (Arc::clone(&gateway), Arc::clone(&begun));
        async move {
            let model = format!("{}+chunks=30+chunk_delay=20ms+{options}", upstream.model());
            let answer = gateway.send(client.say(&model, true, "hello")).await;
            let (text, what) = (answer.text(), format!("{client:?} to {model}: {} {}", answer.status(), answer.text()));
            assert!(answer.whole, "the connection is not torn: {what}");
            if client == upstream && options == "garbage=9" {
                // What the provider says in the client's own format is passed on, whatever it is.
                return assert!(text.contains("broken") && client.ended(&text), "{what}");
            }
            if answer.status() == 200 {
                begun.fetch_add(1, Ordering::Relaxed);
                assert!(text.contains("Mock"), "{what}");
                client.error_event(&text);
                assert!(!client.ended(&text) || client == Dialect::OpenAi, "a fake end: {what}");
                assert!(!text.contains("\"finish_reason\":\"stop\""), "a fake stop: {what}");
            } else {
                // On a busy machine the fault may have come before the head was out.
                assert!(answer.status() >= 500, "{what}");
                client.error(&answer.json());
            }
            let record = gateway.record(&answer.request_id()).await;
            assert_eq!(record.end, end, "{what}: {record:?}");
            assert!(record.usage.output_total() > 0, "{what}: {record:?}");
        }
    }))
    .await;
    assert!(begun.load(Ordering::Relaxed) > 0, "no stream had begun before its fault");
}

#[tokio::test]
async fn answers_that_break_off_or_are_no_answers_are_statuses() {
    let (_mock, gateway) = both().await;
    for client in ALL {
        for upstream in ALL {
            for (options, end) in [("cut=40", EndReason::UpstreamTruncated)] {
                let answer = gateway.send(client.say(&format!("{}+{options}", upstream.model()), false, "hello")).await;
                let what = format!("{client:?} to {upstream:?} {options}: {} {}", answer.status(), answer.text());
                assert!(answer.status() >= 500, "{what}");
                client.error(&answer.json());
                let record = gateway.record(&answer.request_id()).await;
                assert!(record.end == end || record.end == EndReason::UpstreamError, "{what}: {record:?}");
            }
        }
    }
}

#[tokio::test]
async fn silence_after_the_first_words_ends_at_the_idle_deadline() {
    let more = "streaming: {idle_timeout_seconds: 200ms, heartbeat_seconds: 30s}";
    let (mock, gateway) = both_with(more).await;
    for client in ALL {
        for upstream in ALL {
            let model = format!("{}+chunks=30+stall_at=8", upstream.model());
            let aborted = mock.service().aborted();
            let answer = gateway.send(client.say(&model, true, "hello")).await;
            let what = format!("{client:?} to {upstream:?}: {}", answer.text());
            assert!(answer.status() == 200 && answer.whole, "{what}");
            client.error_event(&answer.text());
            let record = gateway.record(&answer.request_id()).await;
            assert_eq!(record.end, EndReason::Timeout, "{what}: {record:?}");
            super::gateway::soon("the upstream is let go", mock.service().wait_aborted(aborted + 1)).await;
            let whole = gateway.send(client.say(&format!("{}+stall_at=20", upstream.model()), false, "hello")).await;
            assert_eq!(whole.status(), 504, "{}", whole.text());
            client.error(&whole.json());
        }
    }
}

#[tokio::test]
async fn silence_before_the_first_byte_is_a_504() {
    let (mock, gateway) = both_with("streaming: {first_byte_timeout_seconds: 200ms}").await;
    for client in ALL {
        for (options, stream) in [("+delay=60s", false), ("+delay=60s", true), ("+delay=60s+early_head=1", true)] {
            let model = format!("{}{options}", ALL[usize::from(client == ALL[1])].model());
            let aborted = mock.service().aborted();
            let answer = gateway.send(client.say(&model, stream, "hello")).await;
            assert_eq!(answer.status(), 504, "{client:?} {model} {stream}: {}", answer.text());
            client.error(&answer.json());
            let record = gateway.record(&answer.request_id()).await;
            assert_eq!(record.end, EndReason::Timeout);
            super::gateway::soon("the upstream is let go", mock.service().wait_aborted(aborted + 1)).await;
        }
    }
}

#[tokio::test]
async fn silence_before_the_first_byte_after_heartbeats_is_an_error_event() {
    let more = "streaming: {first_byte_timeout_seconds: 1s, heartbeat_seconds: 50ms, head_wait_seconds: 50ms}";
    let (_mock, gateway) = both_with(more).await;
    let gateway = Arc::new(gateway);
    let faults = ["+delay=60s", "+delay=60s+early_head=1", "+delay=500ms+error_first=1", "+delay=500ms+status=503"];
    let calls = pairs().into_iter().flat_map(|pair| faults.map(|fault| (pair, fault)));
    together(calls.map(|((client, upstream), options)| {
        let gateway = Arc::clone(&gateway);
        async move {
            let model = format!("{}{options}", upstream.model());
            let answer = gateway.send(client.say(&model, true, "hello")).await;
            let what = format!("{client:?} to {model}: {} {}", answer.status(), answer.text());
            assert!(answer.status() == 200 && answer.whole, "{what}");
            client.error_event(&answer.text());
            let record = gateway.record(&answer.request_id()).await;
            let expected = if options.contains("60s") { EndReason::Timeout } else { EndReason::UpstreamError };
            assert_eq!(record.end, expected, "{what}: {record:?}");
        }
    }))
    .await;
}

#[tokio::test]
async fn array_streams_stay_valid_json_through_failures() {
    let (_mock, gateway) = both().await;
    let body = serde_json::json!({"contents": [{"role": "user", "parts": [{"text": "hello"}]}]});
    for upstream in ALL {
        for options in ["cut=9", "eof=9", "error_at=9"] {
            let path = format!(
                "/v1beta/models/{}+chunks=30+chunk_delay=3ms+{options}:streamGenerateContent",
                upstream.model()
            );
            let answer = gateway.post(&path, &body).await;
            assert!(answer.status() == 200 && answer.whole, "{}", answer.text());
            let chunks = answer.json();
            let last = chunks.as_array().unwrap().last().unwrap();
            let last = last.as_array().map_or(last, |inner| &inner[0]);
            assert!(last.get("error").is_some(), "{upstream:?} {options}: {chunks}");
        }
    }
}

#[tokio::test]
async fn retry_hints_of_a_provider_reach_the_client() {
    let (_mock, gateway) = both().await;
    for client in ALL {
        for upstream in ALL {
            let model = format!("{}+status=429+retry_after=7", upstream.model());
            let answer = gateway.send(client.say(&model, false, "hello")).await;
            client.assert_error(&answer, 429);
            assert_eq!(answer.header("retry-after"), Some("7"), "{client:?} to {upstream:?}");
        }
    }
}

#[tokio::test]
async fn no_failure_shows_a_key() {
    let (_mock, gateway) = both().await;
    for client in ALL {
        for options in ["status=401", "status=403", "status=400", "html=1", "error_at=3", "reset=1"] {
            for stream in [false, true] {
                let answer = gateway.send(client.say(&format!("{}+{options}", client.model()), stream, "hello")).await;
                assert!(!answer.text().contains(PROVIDER_KEY) && !answer.text().contains(KEY), "{}", answer.text());
            }
        }
    }
}
