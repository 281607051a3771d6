//! Told to stop: not ready first, running answers finish, and what does not finish in time ends with an error.

use std::time::Duration;

use gw_store::EndReason;

use super::client::{Connection, Request};
use super::dialect::ALL;
use super::gateway::{KEY, PATIENCE, both, both_with};

#[tokio::test]
async fn pain_23_a_running_stream_finishes_while_newcomers_are_sent_away() {
    let (_mock, mut gateway) = both().await;
    for client in ALL {
        let model = format!("{}+chunks=40+chunk_delay=25ms", client.model());
        let mut connection = gateway.connect().await;
        connection.send(&client.say(&model, true, "hello").key(KEY).header("x-request-id", "last")).await;
        assert_eq!(connection.head().await.status, 200);
        let mut text = connection.until("Mock").await;
        gateway.signal("TERM");
        gateway.stdout.wait_for("stopping: open requests may finish").await;
        let ready = gateway.send_bare(Request::get("/health/ready")).await;
        assert_eq!(ready.status(), 503, "{}", ready.text());
        assert_eq!(gateway.send_bare(Request::get("/health/live")).await.status(), 200);
        let newcomer = gateway.send(client.say(client.model(), false, "hello")).await;
        client.assert_error(&newcomer, 503);
        let (rest, whole) = connection.rest().await;
        text.push_str(std::str::from_utf8(&rest).unwrap());
        assert!(whole && client.ended(&text), "{text}");
        assert!(gateway.ended().await.success());
        assert_eq!(gateway.record("last").await.end, EndReason::Completed);
        let setup = gateway.kill();
        std::fs::remove_dir_all(setup.directory().join("data")).unwrap();
        gateway = setup.start_again().await;
    }
}

#[tokio::test]
async fn pain_23_what_does_not_finish_in_time_ends_with_an_error() {
    let (_mock, mut gateway) = both_with("server: {drain_timeout_seconds: 1}").await;
    let mut streams = Vec::new();
    for client in ALL {
        for upstream in ALL {
            let model = format!("{}+chunks=40+stall_at=10", upstream.model());
            let mut connection = gateway.connect().await;
            let id = format!("cut-{}-{}", client.name(), upstream.name());
            connection.send(&client.say(&model, true, "hello").key(KEY).header("x-request-id", &id)).await;
            assert_eq!(connection.head().await.status, 200);
            let text = connection.until("Mock").await;
            streams.push((client, id, connection, text));
        }
    }
    gateway.signal("TERM");
    for (client, id, mut connection, mut text) in streams {
        let (rest, whole) = connection.rest().await;
        text.push_str(std::str::from_utf8(&rest).unwrap());
        assert!(whole, "{id}: the connection is not torn: {text}");
        let message = client.error_event(&text);
        assert!(message.contains("shutting down"), "{id}: {message}");
    }
    assert!(gateway.ended().await.success());
    for record in gateway.records(9).await {
        assert_eq!(record.end, EndReason::Shutdown, "{record:?}");
        assert!(record.usage.output_total() > 0, "{record:?}");
    }
}

#[tokio::test]
async fn idle_connections_do_not_hold_it_up() {
    let (_mock, mut gateway) = both().await;
    let mut connections: Vec<Connection> = Vec::new();
    for _ in 0..20 {
        let mut connection = gateway.connect().await;
        connection.send(&Request::get("/health")).await;
        assert_eq!(connection.answer().await.status(), 200);
        connections.push(connection);
    }
    let stopped = tokio::time::timeout(PATIENCE.min(Duration::from_secs(10)), gateway.stop()).await;
    assert!(stopped.expect("idle connections are closed").success());
    for mut connection in connections {
        assert!(connection.closed().await);
    }
}

#[tokio::test]
async fn an_interrupt_stops_it_too() {
    let (_mock, mut gateway) = both().await;
    gateway.signal("INT");
    assert!(gateway.ended().await.success());
}
