//! Killed without a warning under load: what a client got whole is on record, once.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gw_store::{EndReason, UsageFilter, UsageRecord};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::client::{Connection, Request};
use super::dialect::ALL;
use super::gateway::{KEY, both, records, soon};

/// Asks until the gateway is gone; gives the ids of the answers that came whole.
async fn client(address: SocketAddr, number: usize, count: Arc<(AtomicUsize, Notify)>) -> Vec<String> {
    let mut whole = Vec::new();
    for round in 0.. {
        let (dialect, upstream, stream) = (ALL[number % 3], ALL[(number + round) % 3], round % 2 == 0);
        let id = format!("crash-{number}-{round}");
        let request = dialect.say(upstream.model(), stream, "hello").key(KEY).header("x-request-id", &id);
        let Some(answered) = once(address, &request).await else { break };
        if answered {
            whole.push(id);
            count.0.fetch_add(1, Ordering::Relaxed);
            count.1.notify_one();
        }
    }
    whole
}

/// `None` when nobody listens any more, else whether the answer came whole.
async fn once(address: SocketAddr, request: &Request) -> Option<bool> {
    let stream = tokio::net::TcpStream::connect(address).await.ok()?;
    let mut connection = Connection::over(stream);
    connection.send(request).await;
    let head = connection.try_head().await?;
    assert_eq!(head.status, 200);
    Some(connection.rest().await.1)
}

fn check(found: &[UsageRecord], whole: &[String]) {
    let attempts: HashSet<&str> = found.iter().map(|record| record.attempt_id.as_str()).collect();
    assert_eq!(attempts.len(), found.len(), "an attempt twice");
    let mut by_request: HashMap<&str, Vec<&UsageRecord>> = HashMap::new();
    for record in found {
        by_request.entry(record.request_id.as_str()).or_default().push(record);
    }
    for id in whole {
        let records = by_request.get(id.as_str()).map_or(&[][..], Vec::as_slice);
        assert_eq!(records.len(), 1, "{id} has {} records", records.len());
        assert_eq!(records[0].end, EndReason::Completed, "{id}: {:?}", records[0]);
        assert!(records[0].usage.input_total() > 0 && records[0].usage.output_total() > 0, "{id}: {:?}", records[0]);
    }
}

#[tokio::test]
async fn pain_34_killed_under_load_nothing_is_lost_and_nothing_is_counted_twice() {
    let (_mock, mut gateway) = both().await;
    let mut whole = Vec::new();
    for crash in 0..2_usize {
        let count = Arc::new((AtomicUsize::new(0), Notify::new()));
        let mut clients = JoinSet::new();
        for number in 0..16 {
            clients.spawn(client(gateway.address, crash * 16 + number, Arc::clone(&count)));
        }
        let enough = async {
            while count.0.load(Ordering::Relaxed) < 200 {
                count.1.notified().await;
            }
        };
        soon("two hundred answers", enough).await;
        let setup = gateway.kill();
        while let Some(ids) = clients.join_next().await {
            whole.extend(ids.unwrap());
        }
        gateway = setup.start_again().await;
        // The journal is replayed before the port is bound, so the records are there now.
        let found = records(gateway.directory(), &UsageFilter::default(), whole.len()).await;
        check(&found, &whole);
    }
    assert!(gateway.stop().await.success());
    let found = records(gateway.directory(), &UsageFilter::default(), whole.len()).await;
    check(&found, &whole);
}

#[tokio::test]
async fn pain_34_a_graceful_stop_keeps_every_record() {
    let (_mock, mut gateway) = both().await;
    let mut ids = Vec::new();
    for dialect in ALL {
        for stream in [false, true] {
            ids.push(gateway.send(dialect.say(dialect.model(), stream, "hello")).await.request_id());
        }
    }
    assert!(gateway.stop().await.success());
    check(&records(gateway.directory(), &UsageFilter::default(), ids.len()).await, &ids);
}
