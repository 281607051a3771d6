//! Clients that leave: the provider is let go, and what was delivered is on record.

use gw_store::EndReason;

use super::dialect::ALL;
use super::gateway::{KEY, both, both_with, soon};

#[tokio::test]
async fn pain_20_pain_21_a_client_that_leaves_a_stream_ends_the_upstream_call() {
    let (mock, gateway) = both().await;
    for client in ALL {
        for upstream in ALL {
            let pair = format!("{client:?} to {upstream:?}");
            let model = format!("{}+chunks=50+stall_at=20", upstream.model());
            let aborted = mock.service().aborted();
            let mut connection = gateway.connect().await;
            let id = format!("abort-{}-{}", client.name(), upstream.name());
            connection.send(&client.say(&model, true, "hello").key(KEY).header("x-request-id", &id)).await;
            assert_eq!(connection.head().await.status, 200);
            connection.until(" hello").await;
            drop(connection);
            soon("the upstream is let go", mock.service().wait_aborted(aborted + 1)).await;
            let record = gateway.record(&id).await;
            assert_eq!((record.end, record.status), (EndReason::ClientCancelled, 499), "{pair}: {record:?}");
            assert!(record.events_delivered > 0 && record.bytes_delivered > 0, "{pair}: {record:?}");
            assert!(record.usage.output_total() > 1, "{pair}: {record:?}");
            assert!(record.usage.input_total() > 0, "{pair}: {record:?}");
            assert_eq!(record.provider, upstream.name());
        }
    }
    assert_eq!(mock.service().in_flight(), 0);
}

#[tokio::test]
async fn pain_20_a_client_that_leaves_before_the_answer_ends_the_upstream_call() {
    let (mock, gateway) = both().await;
    for client in ALL {
        for (options, stream) in [
            ("+delay=60s", false),
            ("+delay=60s+early_head=1", false),
            ("+delay=60s", true),
            ("+delay=60s+early_head=1", true),
        ] {
            let model = format!("{}{options}", ALL[usize::from(client == ALL[0])].model());
            let (started, aborted) = (mock.service().started(), mock.service().aborted());
            let mut connection = gateway.connect().await;
            let id = format!("early-{}-{stream}-{}", client.name(), options.len());
            connection.send(&client.say(&model, stream, "hello").key(KEY).header("x-request-id", &id)).await;
            soon("the upstream is asked", mock.service().wait_started(started + 1)).await;
            drop(connection);
            soon("the upstream is let go", mock.service().wait_aborted(aborted + 1)).await;
            let record = gateway.record(&id).await;
            assert_eq!((record.end, record.status), (EndReason::ClientCancelled, 499), "{record:?}");
        }
    }
    let active: Vec<String> = gateway
        .get("/metrics")
        .await
        .text()
        .lines()
        .filter(|line| line.starts_with("proxy_active_requests{"))
        .map(str::to_owned)
        .collect();
    assert!(active.iter().all(|line| line.ends_with(" 0")), "{active:?}");
}

#[tokio::test]
async fn a_client_that_leaves_during_heartbeats_ends_the_upstream_call() {
    let more = "streaming: {heartbeat_seconds: 50ms, head_wait_seconds: 50ms}";
    let (mock, gateway) = both_with(more).await;
    for client in ALL {
        let model = format!("{}+delay=60s", client.model());
        let aborted = mock.service().aborted();
        let mut connection = gateway.connect().await;
        connection.send(&client.say(&model, true, "hello").key(KEY)).await;
        assert_eq!(connection.head().await.status, 200);
        assert!(connection.piece().await.unwrap().is_some());
        drop(connection);
        soon("the upstream is let go", mock.service().wait_aborted(aborted + 1)).await;
    }
}
