//! Processes that die or cannot write. The children are this very test program, started again for one ignored test.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gw_ledger::{Journal, JournalError};
use gw_store::conformance::sample_usage;
use gw_store::{StoreError, UsageRecord, UsageSink};

use crate::support::{RawSink, config, files, open, replay};

const DIRECTORY: &str = "JOURNAL_TEST_DIRECTORY";
const MARK: &str = "appended ";

/// Takes records into a file of attempt ids: outlives the process, and shows repetitions.
struct FileSink(PathBuf);

#[async_trait]
impl UsageSink for FileSink {
    async fn append_batch(&self, records: &[UsageRecord]) -> Result<usize, StoreError> {
        let lines: String = records.iter().map(|record| format!("{}\n", record.attempt_id)).collect();
        let file = std::fs::OpenOptions::new().append(true).create(true).open(&self.0);
        file.unwrap().write_all(lines.as_bytes()).unwrap();
        Ok(records.len())
    }
}

fn child_directory() -> PathBuf {
    std::env::var_os(DIRECTORY).expect("started by its parent test only").into()
}

/// Four threads append for ever and report each attempt after it was appended.
fn append_and_report(journal: &Arc<Journal>) {
    std::thread::scope(|scope| {
        for thread in 0..4_u64 {
            scope.spawn(move || {
                for number in 0.. {
                    let record = UsageRecord { attempt_id: format!("{thread}-{number}"), ..sample_usage(number) };
                    journal.append(&record).unwrap();
                    let line = format!("{MARK}{}\n", record.attempt_id);
                    // Fails when the parent is gone: then this process has no purpose any more.
                    if std::io::stdout().write_all(line.as_bytes()).is_err() {
                        std::process::exit(1);
                    }
                }
            });
        }
    });
}

#[test]
#[ignore = "child of a_killed_process_has_kept_every_reported_record"]
fn child_appends() {
    let (journal, _drain) = Journal::open(config(&child_directory(), 16_384)).unwrap();
    append_and_report(&journal);
}

#[test]
#[ignore = "child of a_process_killed_while_draining_loses_nothing"]
fn child_appends_and_drains() {
    let directory = child_directory();
    let (journal, drain) = Journal::open(config(&directory, 16_384)).unwrap();
    let sink = Arc::new(FileSink(directory.join("stored")));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let drained = runtime.spawn(drain.run(sink, Duration::from_millis(2), std::future::pending()));
    append_and_report(&journal);
    drop(drained);
}

fn start(test: &str, directory: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", test])
        .env(DIRECTORY, directory)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Starts the child, kills it after it has reported `reports` records, and returns all that it reported.
fn kill_after(test: &str, directory: &Path, reports: usize) -> Vec<String> {
    let mut child = start(test, directory);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut reported = Vec::new();
    // Lines cut by the kill are not reports: `lines` gives the last one without saying whether it was whole, so the
    // very last line is left out.
    let mut take = |line: String| {
        if let Some((_, id)) = line.split_once(MARK) {
            reported.push(id.to_owned());
        }
        reported.len()
    };
    while take(lines.next().expect("the child runs until it is killed").unwrap()) < reports {}
    child.kill().unwrap();
    let mut rest: Vec<_> = lines.map_while(Result::ok).collect();
    rest.pop();
    for line in rest {
        take(line);
    }
    child.wait().unwrap();
    reported
}

fn times_seen(records: &[UsageRecord]) -> HashMap<&str, u32> {
    let mut times = HashMap::new();
    for record in records {
        *times.entry(record.attempt_id.as_str()).or_default() += 1;
    }
    times
}

#[tokio::test]
async fn a_killed_process_has_kept_every_reported_record() {
    for reports in [1, 2, 17, 100, 333, 1_000, 4_000] {
        let directory = tempfile::tempdir().unwrap();
        let reported = kill_after("crash::child_appends", directory.path(), reports);
        assert!(reported.len() >= reports);
        let (journal, records) = replay(directory.path()).await;
        let times = times_seen(&records);
        for id in &reported {
            assert_eq!(times.get(id.as_str()), Some(&1), "{id}");
        }
        assert!(times.values().all(|times| *times == 1), "no record twice");
        assert_eq!(journal.stats().recovery.corrupt_segments, 0);
    }
}

#[tokio::test]
async fn a_process_killed_while_draining_loses_nothing() {
    for reports in [50, 500, 2_500, 6_000] {
        let directory = tempfile::tempdir().unwrap();
        let mut reported = kill_after("crash::child_appends_and_drains", directory.path(), reports);
        let (_journal, records) = replay(directory.path()).await;
        let stored = std::fs::read_to_string(directory.path().join("stored")).unwrap_or_default();
        let mut known: Vec<_> = stored.lines().map(str::to_owned).collect();
        known.extend(records.into_iter().map(|record| record.attempt_id));
        known.sort();
        reported.retain(|id| known.binary_search(id).is_err());
        assert_eq!(reported, Vec::<String>::new(), "reported, but neither stored nor in the journal");
    }
}

/// Runs under a limit on the size of files: a write that reaches it is short, the next one fails.
#[test]
#[ignore = "child of a_full_disk_refuses_records_and_hides_none"]
fn child_meets_the_limit() {
    let directory = child_directory();
    let (journal, mut drain) = open(&directory);
    let mut kept = Vec::new();
    let mut refused = 0;
    for number in 0..400 {
        match journal.append(&sample_usage(number)) {
            Ok(()) => kept.push(sample_usage(number)),
            Err(JournalError::Io { .. }) => refused += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert!(refused > 100, "{refused}");
    let stats = journal.stats();
    assert_eq!((stats.append_errors, stats.appended_records), (refused, kept.len() as u64));
    let file = files(&directory).remove(0);
    assert_eq!(file.metadata().unwrap().len(), stats.held_bytes, "no half record is left");
    // A shorter record still fits where a longer one did not.
    let small = UsageRecord { attempt_id: "s".into(), ..UsageRecord::default() };
    journal.append(&small).unwrap();
    kept.push(small);
    let sink = RawSink::default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(drain.drain(&sink)).unwrap();
    assert_eq!(sink.taken(), kept);
}

#[tokio::test]
async fn a_full_disk_refuses_records_and_hides_none() {
    let directory = tempfile::tempdir().unwrap();
    let program = std::env::current_exe().unwrap();
    // The signal is ignored so that the limit is an error of `write`, as a full disk is.
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 32; exec \"$0\" \"$@\""])
        .arg(program)
        .args(["--ignored", "--exact", "--nocapture", "crash::child_meets_the_limit"])
        .env(DIRECTORY, directory.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("1 passed"), "the child has run: {text}");
    let (journal, records) = replay(directory.path()).await;
    assert_eq!(records.last().map(|record| record.attempt_id.as_str()), Some("s"));
    assert_eq!(journal.stats().recovery.torn_tails, 0);
}
