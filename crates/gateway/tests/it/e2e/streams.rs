//! Streams that behave: token by token, alive in silence, bounded in memory, many at once.

use std::time::Duration;

use gw_store::EndReason;
use tokio::task::JoinSet;

use super::dialect::{ALL, Dialect, events};
use super::gateway::{KEY, both, both_with, pairs, soon, together};

/// Bytes that keep a client's connection alive, as each dialect writes them.
fn is_heartbeat(dialect: Dialect, piece: &str) -> bool {
    match dialect {
        Dialect::Anthropic => piece.contains("event: ping") || piece.starts_with(':'),
        Dialect::OpenAi => piece.starts_with(':'),
        // Google's clients take any line with text in it for data.
        Dialect::Gemini => piece.trim().is_empty(),
    }
}

#[tokio::test]
async fn pain_16_tokens_arrive_while_the_provider_is_still_thinking_of_the_next() {
    let (mock, gateway) = both().await;
    for client in ALL {
        for upstream in ALL {
            // After these events the upstream never says another word: what arrives was not held back for anything.
            let model = format!("{}+chunks=50+stall_at=12", upstream.model());
            let aborted = mock.service().aborted();
            let mut connection = gateway.connect().await;
            connection.send(&client.say(&model, true, "hello").key(KEY)).await;
            let head = connection.head().await;
            assert_eq!(head.status, 200, "{client:?} to {upstream:?}");
            assert!(head.header("content-type").unwrap().starts_with("text/event-stream"));
            connection.until(" hello").await;
            drop(connection);
            soon("the upstream is let go", mock.service().wait_aborted(aborted + 1)).await;
        }
    }
}

#[tokio::test]
async fn pain_17_heartbeats_fill_every_silence_also_before_the_first_byte() {
    let more = "streaming: {heartbeat_seconds: 50ms, head_wait_seconds: 50ms}";
    let (_mock, gateway) = both_with(more).await;
    let address = gateway.address;
    let silences = ["+delay=800ms", "+delay=800ms+early_head=1", "+chunks=6+chunk_delay=200ms"];
    let calls = pairs().into_iter().flat_map(|pair| silences.map(|silence| (pair, silence)));
    together(calls.map(|((client, upstream), options)| async move {
        let model = format!("{}{options}", upstream.model());
        let mut connection = super::client::Connection::open(address).await;
        connection.send(&client.say(&model, true, "hello").key(KEY)).await;
        assert_eq!(connection.head().await.status, 200);
        let (mut body, mut beats) = (String::new(), 0);
        while let Ok(Some(piece)) = connection.piece().await {
            let piece = String::from_utf8(piece).unwrap();
            beats += usize::from(is_heartbeat(client, &piece));
            body.push_str(&piece);
        }
        assert!(beats >= 2, "{client:?} to {upstream:?} {options}: {body}");
        let meaning = client.read(&client.fold(&body));
        assert!(meaning.text.starts_with("Mock reply to: hello"), "{body}");
        assert!(client.ended(&body), "{body}");
    }))
    .await;
}

#[tokio::test]
async fn heartbeats_can_be_turned_off() {
    let (_mock, gateway) = both_with("streaming: {heartbeat_seconds: 0}").await;
    for client in ALL {
        let model = format!("{}+chunks=4+chunk_delay=60ms", Dialect::Gemini.model());
        let answer = gateway.send(client.say(&model, true, "hello")).await;
        assert!(!answer.text().contains("\n:") && !answer.text().starts_with(':'), "{}", answer.text());
        assert!(!answer.text().contains("event: ping"), "{}", answer.text());
    }
}

#[tokio::test]
async fn array_streams_stay_valid_json_through_heartbeats() {
    let more = "streaming: {heartbeat_seconds: 50ms, head_wait_seconds: 50ms}";
    let (_mock, gateway) = both_with(more).await;
    let body = serde_json::json!({"contents": [{"role": "user", "parts": [{"text": "hello"}]}]});
    for upstream in ALL {
        for options in ["+delay=400ms", "+chunks=4+chunk_delay=120ms"] {
            let path = format!("/v1beta/models/{}{options}:streamGenerateContent", upstream.model());
            let answer = gateway.post(&path, &body).await;
            let parsed = answer.ok();
            assert!(parsed.as_array().is_some_and(|chunks| !chunks.is_empty()), "{parsed}");
        }
    }
}

#[tokio::test]
async fn usage_ends_every_stream_in_the_clients_dialect() {
    let (_mock, gateway) = both().await;
    for client in ALL {
        for upstream in ALL {
            let answer = gateway.send(client.say(upstream.model(), true, "hello")).await;
            let text = answer.text();
            assert!(client.ended(&text), "{client:?} to {upstream:?}: {text}");
            let meaning = client.read(&client.fold(&text));
            assert!(meaning.input > 0 && meaning.output > 0, "{client:?} to {upstream:?}: {text}");
            assert_eq!(
                events(&text).iter().filter(|(_, data)| data == "[DONE]").count(),
                usize::from(client == Dialect::OpenAi)
            );
        }
    }
}

#[tokio::test]
async fn a_slow_reader_slows_the_provider() {
    let (mock, gateway) = both().await;
    for (client, upstream) in [(Dialect::OpenAi, Dialect::OpenAi), (Dialect::Gemini, Dialect::OpenAi)] {
        // About 50 MB that nobody reads.
        let model = format!("{}+chunks=200000", upstream.model());
        let mut connection = gateway.connect().await;
        connection.send(&client.say(&model, true, "hello").key(KEY)).await;
        assert_eq!(connection.head().await.status, 200);
        connection.until("Mock").await;
        let seen = mock.service().journal().pop().unwrap();
        // It is settled when nothing more was taken for a while.
        let mut last = 0;
        loop {
            tokio::time::sleep(Duration::from_millis(200)).await;
            let now = seen.bytes_sent();
            if now == last {
                break;
            }
            last = now;
        }
        assert!(
            last < 30_000_000,
            "{client:?} to {upstream:?}: {last} bytes were taken for a client that reads nothing"
        );
        assert_eq!(seen.outcome(), gw_mock::Outcome::InFlight);
    }
}

#[tokio::test]
async fn the_bound_of_calls_in_flight_is_kept_and_given_back() {
    let (mock, gateway) = both_with("limits: {max_concurrent_requests: 1}").await;
    for client in ALL {
        let aborted = mock.service().aborted();
        let mut running = gateway.connect().await;
        let model = format!("{}+chunks=30+stall_at=10", client.model());
        running.send(&client.say(&model, true, "hello").key(KEY)).await;
        assert_eq!(running.head().await.status, 200);
        let refused = gateway.send(client.say(client.model(), false, "hello")).await;
        client.assert_error(&refused, 503);
        assert!(refused.header("retry-after").is_some());
        drop(running);
        soon("the stream is given up", mock.service().wait_aborted(aborted + 1)).await;
        let free = async {
            while gateway.send(client.say(client.model(), false, "hello")).await.status() != 200 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        soon("there is room again", free).await;
    }
}

#[tokio::test]
async fn two_hundred_streams_at_once_do_not_mix() {
    let (mock, gateway) = both().await;
    let address = gateway.address;
    let mut clients = JoinSet::new();
    for number in 0..200_usize {
        let (client, upstream) = (ALL[number % 3], ALL[number / 3 % 3]);
        clients.spawn(async move {
            let model = format!("{}+chunk_delay=5ms", upstream.model());
            let mut connection = super::client::Connection::open(address).await;
            connection.send(&client.say(&model, true, &format!("number {number} please")).key(KEY)).await;
            let answer = connection.answer().await;
            let meaning = client.read(&client.fold(&answer.text()));
            assert_eq!(meaning.text, format!("Mock reply to: number {number} please"));
        });
    }
    while let Some(done) = clients.join_next().await {
        done.unwrap();
    }
    assert_eq!(mock.service().completed(), 200);
    let records = gateway.records(200).await;
    assert_eq!(records.len(), 200);
    assert!(records.iter().all(|record| record.end == EndReason::Completed && record.streaming));
}
