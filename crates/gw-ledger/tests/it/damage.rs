//! Files that are not as the journal left them.

use std::fs;
use std::path::{Path, PathBuf};

use gw_ledger::{Journal, JournalError, Recovery};
use gw_store::conformance::sample_usage;
use gw_store::{UsageRecord, UsageSink};
use proptest::prelude::*;

use crate::support::{RawSink, config, files, open, replay};

/// A journal of three records in one segment: the directory, the file, and the length after each record.
fn three_records() -> (tempfile::TempDir, PathBuf, Vec<usize>) {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _drain) = open(directory.path());
    let mut lengths = Vec::new();
    for number in 0..3 {
        journal.append(&sample_usage(number)).unwrap();
        lengths.push(usize::try_from(files(directory.path())[0].metadata().unwrap().len()).unwrap());
    }
    let file = files(directory.path()).remove(0);
    (directory, file, lengths)
}

async fn replayed(content: &[u8]) -> (tempfile::TempDir, Vec<UsageRecord>, Recovery) {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("journal")).unwrap();
    fs::write(directory.path().join("journal/0000000000000001.journal"), content).unwrap();
    let (journal, records) = replay(directory.path()).await;
    let recovery = journal.stats().recovery;
    (directory, records, recovery)
}

fn samples(count: u64) -> Vec<UsageRecord> {
    (0..count).map(sample_usage).collect()
}

#[tokio::test]
async fn a_tear_at_every_byte_takes_the_last_record_only() {
    let (_directory, file, lengths) = three_records();
    let whole = fs::read(file).unwrap();
    for length in lengths[1]..lengths[2] {
        let (directory, records, recovery) = replayed(&whole[..length]).await;
        assert_eq!(records, samples(2), "{length}");
        let torn = length - lengths[1];
        assert_eq!((recovery.torn_tails, recovery.torn_bytes), (u64::from(torn > 0), torn as u64));
        assert_eq!(recovery.corrupt_segments, 0, "{length}");
        assert_eq!(files(directory.path()), Vec::<PathBuf>::new(), "{length}: stored, so removed");
    }
}

#[tokio::test]
async fn a_tear_at_every_byte_of_the_file_keeps_all_whole_records() {
    let (_directory, file, lengths) = three_records();
    let whole = fs::read(file).unwrap();
    for length in 0..lengths[1] {
        let (_directory, records, recovery) = replayed(&whole[..length]).await;
        let whole_records = lengths.iter().filter(|end| **end <= length).count() as u64;
        assert_eq!(records, samples(whole_records), "{length}");
        assert_eq!(recovery.corrupt_segments, 0, "{length}");
    }
}

#[tokio::test]
async fn a_tear_is_cut_off_before_anything_is_drained() {
    let (directory, file, lengths) = three_records();
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[..lengths[2] - 1]).unwrap();
    let (journal, drain) = open(directory.path());
    assert_eq!(journal.stats().recovery.torn_tails, 1);
    assert_eq!(file.metadata().unwrap().len(), lengths[1] as u64);
    journal.append(&sample_usage(2)).unwrap();
    drop((journal, drain));
    let (journal, records) = replay(directory.path()).await;
    assert_eq!((records, journal.stats().recovery.torn_tails), (samples(3), 0));
}

#[tokio::test]
async fn a_tail_of_zeros_or_noise_is_a_tear() {
    let (_directory, file, lengths) = three_records();
    let whole = fs::read(file).unwrap();
    for filler in [0_u8, 0xff, 0x41] {
        for extra in [1, 7, 8, 9, 5_000] {
            let mut content = whole[..lengths[1]].to_vec();
            content.resize(lengths[1] + extra, filler);
            let (_directory, records, recovery) = replayed(&content).await;
            assert_eq!(records, samples(2));
            assert_eq!((recovery.torn_tails, recovery.torn_bytes), (1, extra as u64));
        }
    }
}

#[tokio::test]
async fn damage_before_whole_records_stops_there_and_keeps_the_file() {
    let (_directory, file, lengths) = three_records();
    let whole = fs::read(file).unwrap();
    for position in lengths[0]..lengths[1] {
        let mut content = whole.clone();
        content[position] ^= 0x10;
        let (directory, records, recovery) = replayed(&content).await;
        assert_eq!(records, samples(1), "{position}");
        assert_eq!(
            recovery,
            Recovery {
                segments: 1,
                records: 1,
                corrupt_segments: 1,
                corrupt_bytes: (whole.len() - lengths[0]) as u64,
                ..Recovery::default()
            }
        );
        let kept = files(directory.path());
        assert_eq!(kept[0].extension().unwrap(), "corrupt");
        assert_eq!(fs::read(&kept[0]).unwrap(), content, "nothing is cut from evidence");
    }
}

#[tokio::test]
async fn a_file_set_aside_is_never_overwritten_and_not_read_again() {
    let (_directory, file, lengths) = three_records();
    let mut content = fs::read(file).unwrap();
    content[lengths[0] + 20] ^= 1;
    let (directory, ..) = replayed(&content).await;
    let (journal, drain) = open(directory.path());
    assert_eq!(journal.stats().recovery, Recovery::default());
    journal.append(&sample_usage(0)).unwrap();
    journal.append(&sample_usage(1)).unwrap();
    journal.append(&sample_usage(2)).unwrap();
    drop((journal, drain));
    let second = files(directory.path()).into_iter().find(|path| path.extension().unwrap() == "journal").unwrap();
    let mut again = fs::read(&second).unwrap();
    again[lengths[0] + 21] ^= 1;
    fs::write(&second, again).unwrap();
    assert_eq!(replay(directory.path()).await.1, samples(1));
    assert_eq!(files(directory.path()).len(), 2);
}

#[tokio::test]
async fn damage_while_in_use_is_set_aside_and_later_records_survive() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, mut drain) = open(directory.path());
    let sink = RawSink::default();
    journal.append(&sample_usage(0)).unwrap();
    drain.drain(&sink).await.unwrap();
    let file = files(directory.path()).remove(0);
    let offset = usize::try_from(file.metadata().unwrap().len()).unwrap();
    journal.append(&sample_usage(1)).unwrap();
    let mut content = fs::read(&file).unwrap();
    content[offset + 12] ^= 1;
    // In place: the journal holds the file open.
    write_at(&file, &content);
    drain.drain(&sink).await.unwrap();
    journal.append(&sample_usage(2)).unwrap();
    drain.drain(&sink).await.unwrap();
    assert_eq!(sink.taken(), [sample_usage(0), sample_usage(2)]);
    assert_eq!(journal.stats().damaged_segments, 1);
    assert_eq!(files(directory.path()).iter().filter(|path| path.extension().unwrap() == "corrupt").count(), 1);
}

fn write_at(path: &Path, content: &[u8]) {
    use std::os::unix::fs::FileExt;
    fs::OpenOptions::new().write(true).open(path).unwrap().write_all_at(content, 0).unwrap();
}

#[tokio::test]
async fn a_foreign_file_is_set_aside_and_a_cut_header_removed() {
    let (directory, records, recovery) = replayed(b"this is no journal").await;
    assert_eq!((records.len(), recovery.corrupt_segments), (0, 1));
    assert_eq!(fs::read(&files(directory.path())[0]).unwrap(), b"this is no journal");
    for cut in [&b""[..], b"IGJ", &[0; 4_096]] {
        let (directory, records, recovery) = replayed(cut).await;
        assert_eq!((records.len(), recovery.corrupt_segments, recovery.segments), (0, 0, 0));
        assert_eq!(files(directory.path()).len(), 0);
    }
}

#[test]
fn a_newer_format_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("journal")).unwrap();
    let file = directory.path().join("journal/0000000000000001.journal");
    fs::write(&file, b"IGJRNL\n\x02whatever").unwrap();
    let error = Journal::open(config(directory.path(), 1 << 20)).unwrap_err();
    assert!(matches!(error, JournalError::NewerFormat { found: 2, supported: 1, .. }), "{error}");
    assert_eq!(fs::read(&file).unwrap(), b"IGJRNL\n\x02whatever");
}

#[test]
fn a_frame_inside_a_clients_text_is_never_taken_for_a_record() {
    let (_directory, file, lengths) = three_records();
    let frame = fs::read(file).unwrap()[lengths[0]..lengths[1]].to_vec();
    // A client can send any text, so give it a frame whose bytes are all ASCII or not as they come.
    let hostile = UsageRecord { requested_model: String::from_utf8_lossy(&frame).into_owned(), ..sample_usage(5) };
    let directory = tempfile::tempdir().unwrap();
    let (journal, drain) = open(directory.path());
    journal.append(&hostile).unwrap();
    drop((journal, drain));
    let path = files(directory.path()).remove(0);
    let mut content = fs::read(&path).unwrap();
    content[12] ^= 1;
    content.extend_from_slice(&frame);
    fs::write(&path, content).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert_eq!(runtime.block_on(replay(directory.path())).1, Vec::<UsageRecord>::new());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever happens to a byte, what comes back is a beginning of what was written, unchanged.
    #[test]
    fn any_damage_leaves_a_true_beginning(position in any::<prop::sample::Index>(), flip in 1..=255_u8) {
        let (_directory, file, _) = three_records();
        let mut content = fs::read(file).unwrap();
        let position = position.index(content.len());
        content[position] ^= flip;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("journal")).unwrap();
        fs::write(directory.path().join("journal/0000000000000001.journal"), &content).unwrap();
        match Journal::open(config(directory.path(), 1 << 20)) {
            // The byte that says the format now says a newer one.
            Err(JournalError::NewerFormat { .. }) => prop_assert_eq!(position, 7),
            Err(other) => return Err(TestCaseError::fail(other.to_string())),
            Ok((_journal, mut drain)) => {
                let sink = RawSink::default();
                runtime.block_on(drain.drain(&sink)).unwrap();
                let taken = sink.taken();
                prop_assert!(taken.len() < 3);
                prop_assert_eq!(&taken, &samples(taken.len() as u64));
            }
        }
    }
}

#[tokio::test]
async fn the_test_sink_itself_keeps_repetitions() {
    let sink = RawSink::default();
    sink.append_batch(&[sample_usage(1), sample_usage(1)]).await.unwrap();
    assert_eq!(sink.taken().len(), 2);
}
