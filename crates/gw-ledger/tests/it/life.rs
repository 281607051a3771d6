//! A journal in good health.

use std::collections::HashSet;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::Duration;

use gw_ledger::{DrainError, Drained, Journal, JournalConfig, JournalError};
use gw_store::conformance::sample_usage;
use gw_store::{MemoryStore, UsageFilter, UsageRecord, UsageRepo};
use tokio::sync::oneshot;

use crate::support::{RawSink, config, files, open, replay};

#[tokio::test]
async fn records_come_back_whole_and_in_order() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, mut drain) = open(directory.path());
    let records: Vec<_> = (0..2_000).map(sample_usage).collect();
    let sink = RawSink::default();
    for (number, record) in records.iter().enumerate() {
        journal.append(record).unwrap();
        if number == 700 {
            assert_eq!(drain.drain(&sink).await.unwrap().records, 701);
        }
    }
    assert_eq!(journal.stats().pending_records, 1_299);
    drain.drain(&sink).await.unwrap();
    assert_eq!(sink.taken(), records);
    assert_eq!(drain.drain(&sink).await.unwrap(), Drained::default());
    let stats = journal.stats();
    assert_eq!((stats.appended_records, stats.drained_records, stats.pending_records), (2_000, 2_000, 0));
}

#[tokio::test]
async fn finished_segments_go_and_only_those() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, mut drain) = Journal::open(config(directory.path(), 4_096)).unwrap();
    for number in 0..200 {
        journal.append(&sample_usage(number)).unwrap();
    }
    let before = files(directory.path());
    assert!(before.len() > 5, "{before:?}");
    assert_eq!(journal.stats().segments, before.len() as u64);
    for file in &before {
        let metadata = file.metadata().unwrap();
        assert!(metadata.len() <= 4_096, "{} bytes", metadata.len());
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    }
    let sink = RawSink::default();
    *sink.failures_left.lock().unwrap() = 1;
    assert!(matches!(drain.drain(&sink).await, Err(DrainError::Store(_))));
    assert_eq!(files(directory.path()), before, "nothing goes that the store has not taken");
    drain.drain(&sink).await.unwrap();
    assert_eq!(files(directory.path()), before[before.len() - 1..], "the open segment stays");
    assert_eq!(drain.finish(&sink).await.unwrap(), Drained::default());
    assert_eq!(files(directory.path()), Vec::<std::path::PathBuf>::new());
    assert_eq!(journal.stats().held_bytes, 0);
    assert_eq!(sink.taken().len(), 200);
}

#[tokio::test]
async fn replay_into_a_store_is_idempotent() {
    let directory = tempfile::tempdir().unwrap();
    let store = MemoryStore::new();
    let (journal, mut drain) = open(directory.path());
    for number in 0..50 {
        journal.append(&sample_usage(number)).unwrap();
    }
    assert_eq!(drain.drain(&store).await.unwrap(), Drained { records: 50, new: 50 });
    drop((journal, drain));
    for _ in 0..2 {
        let (journal, mut drain) = open(directory.path());
        let fresh = journal.stats().recovery.records;
        assert_eq!(drain.drain(&store).await.unwrap(), Drained { records: fresh, new: 0 });
    }
    assert_eq!(store.count(&UsageFilter::default()).await.unwrap(), 50);
}

#[tokio::test]
async fn threads_append_each_record_exactly_once() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, mut drain) = Journal::open(config(directory.path(), 16_384)).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..8_u64 {
            let journal = &journal;
            scope.spawn(move || {
                (0..500).for_each(|number| journal.append(&sample_usage(thread * 500 + number)).unwrap())
            });
        }
    });
    let sink = RawSink::default();
    drain.drain(&sink).await.unwrap();
    let taken = sink.taken();
    let distinct: HashSet<_> = taken.iter().map(|record| record.attempt_id.clone()).collect();
    assert_eq!((taken.len(), distinct.len()), (4_000, 4_000));
    for thread in 0..8 {
        let own = taken.iter().filter(|record| (record.duration_ms - 1_234) / 500 == thread);
        assert!(own.map(|record| record.duration_ms).is_sorted(), "the order of one thread is kept");
    }
}

#[tokio::test]
async fn appending_and_draining_at_the_same_time_loses_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, drain) = Journal::open(config(directory.path(), 8_192)).unwrap();
    let sink = Arc::new(RawSink::default());
    let (stop_drain, drain_stopped) = oneshot::channel::<()>();
    let (stop_sync, sync_stopped) = oneshot::channel::<()>();
    let writers: Vec<_> = (0..4_u64)
        .map(|thread| {
            let journal = Arc::clone(&journal);
            tokio::task::spawn_blocking(move || {
                (0..1_000).for_each(|number| journal.append(&sample_usage(thread * 1_000 + number)).unwrap());
            })
        })
        .collect();
    let tick = Duration::from_millis(1);
    let (drained, (), ()) = tokio::join!(
        drain.run(sink.clone(), tick, async { drop(drain_stopped.await) }),
        Arc::clone(&journal).run_sync(tick, async { drop(sync_stopped.await) }),
        async {
            for writer in writers {
                writer.await.unwrap();
            }
            stop_sync.send(()).unwrap();
            stop_drain.send(()).unwrap();
        }
    );
    drained.unwrap();
    let taken: Vec<_> = sink.taken().into_iter().map(|record| record.attempt_id).collect();
    let distinct: HashSet<_> = taken.iter().collect();
    assert_eq!((taken.len(), distinct.len()), (4_000, 4_000));
    let stats = journal.stats();
    assert_eq!((stats.segments, stats.pending_records, stats.sync_errors), (0, 0, 0));
    assert!(stats.syncs > 0);
    assert!(!journal.sync().unwrap(), "the last sync left nothing");
}

#[tokio::test]
async fn a_store_that_fails_for_a_while_gets_everything_in_the_end() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, drain) = open(directory.path());
    let sink = Arc::new(RawSink::default());
    *sink.failures_left.lock().unwrap() = 3;
    journal.append(&sample_usage(1)).unwrap();
    let watched = sink.clone();
    let run = drain.run(sink.clone(), Duration::from_millis(1), async move {
        while watched.taken().is_empty() {
            tokio::task::yield_now().await;
        }
    });
    tokio::time::timeout(Duration::from_secs(60), run).await.unwrap().unwrap();
    assert_eq!(sink.taken(), [sample_usage(1)]);
    assert_eq!(journal.stats().drain_errors, 3);
}

#[tokio::test]
async fn the_limit_refuses_and_room_is_made_by_draining() {
    let directory = tempfile::tempdir().unwrap();
    let config = JournalConfig { limit_bytes: 2_000, ..config(directory.path(), 1_000) };
    let (journal, mut drain) = Journal::open(config).unwrap();
    let mut accepted = 0;
    while journal.append(&sample_usage(accepted)).is_ok() {
        accepted += 1;
    }
    assert!(matches!(journal.append(&sample_usage(accepted)), Err(JournalError::Full { limit_bytes: 2_000, .. })));
    assert_eq!(journal.stats().append_errors, 2);
    let sink = RawSink::default();
    assert_eq!(drain.drain(&sink).await.unwrap().records, accepted);
    journal.append(&sample_usage(accepted)).unwrap();
    assert_eq!(drain.drain(&sink).await.unwrap().records, 1);
}

#[tokio::test]
async fn a_refused_record_leaves_no_trace() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, drain) = open(directory.path());
    let nameless = UsageRecord { attempt_id: String::new(), ..sample_usage(1) };
    assert!(matches!(journal.append(&nameless), Err(JournalError::InvalidRecord(_))));
    assert_eq!(journal.stats().append_errors, 1);
    journal.append(&sample_usage(2)).unwrap();
    drop((journal, drain));
    assert_eq!(replay(directory.path()).await.1, [sample_usage(2)]);
}

#[tokio::test]
async fn one_process_at_a_time() {
    let directory = tempfile::tempdir().unwrap();
    let first = open(directory.path());
    assert!(matches!(Journal::open(config(directory.path(), 1 << 20)), Err(JournalError::Locked(_))));
    drop(first);
    open(directory.path());
}
