//! The reading side: from the segments to the store.
//!
//! Records are read back from the files, so memory stays bounded however far the store is behind. No cursor is kept on
//! disk: after a restart at most the remaining segments are read again, and the store knows each attempt.

use std::fs::File;
use std::future::Future;
use std::os::unix::fs::FileExt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use gw_store::{UsageRecord, UsageSink};

use crate::codec;
use crate::error::{DrainError, JournalError};
use crate::frame::{self, HEADER_BYTES, MAX_FRAME_BYTES, Parsed};
use crate::journal::{Journal, Segment, io_error};
use crate::stats::add;

/// Bytes read at once; holds any record.
const READ_BYTES: u64 = 256 * 1024;
const _: () = assert!(READ_BYTES as usize >= MAX_FRAME_BYTES);

/// Records handed to the store at once.
const BATCH_RECORDS: usize = 512;

/// Longest pause between attempts while the store fails.
const MAX_PAUSE: Duration = Duration::from_secs(5);

/// What one pass moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Drained {
    /// Records that the store took.
    pub records: u64,
    /// Of those, records that it did not have yet.
    pub new: u64,
}

/// The one reader of a [`Journal`].
#[derive(Debug)]
pub struct Drain {
    journal: Arc<Journal>,
    position: Position,
}

/// Everything before it is in the store.
#[derive(Debug, Clone, Copy, Default)]
struct Position {
    sequence: u64,
    offset: u64,
}

#[derive(Debug)]
struct Batch {
    records: Vec<UsageRecord>,
    next: Position,
}

impl Drain {
    pub(crate) fn new(journal: Arc<Journal>) -> Self {
        Self { journal, position: Position::default() }
    }

    /// Hands everything to `sink` that is in the journal, oldest first, and removes the segments that are finished. At
    /// start this is the replay.
    ///
    /// # Errors
    /// The store or the files failed. What the store has taken is not handed over again by this `Drain`; calling again
    /// continues with the rest.
    pub async fn drain(&mut self, sink: &dyn UsageSink) -> Result<Drained, DrainError> {
        let mut drained = Drained::default();
        loop {
            let batch = self.next_batch().await.map_err(|error| self.failed(error.into()))?;
            if batch.records.is_empty() {
                return Ok(drained);
            }
            let records = batch.records.len() as u64;
            let new = sink.append_batch(&batch.records).await.map_err(|error| self.failed(error.into()))? as u64;
            self.position = batch.next;
            add(&self.journal.counters.drained_records, records);
            add(&self.journal.counters.stored_records, new);
            drained.records += records;
            drained.new += new;
        }
    }

    /// Closes the current segment, drains, and so leaves no segment behind: the end of an orderly shutdown. Records
    /// appended afterwards go to a new segment and are replayed at the next start.
    ///
    /// # Errors
    /// As [`Drain::drain`]; what is left is replayed at the next start.
    pub async fn finish(mut self, sink: &dyn UsageSink) -> Result<Drained, DrainError> {
        self.journal.seal();
        self.drain(sink).await
    }

    /// Drains every `interval` (200 ms is usual) until `shutdown` is ready, then [finishes](Drain::finish). While the
    /// store fails, the pause doubles up to five seconds; requests go on, and the journal grows up to its limit. The
    /// caller spawns it, and completes `shutdown` after the last request has settled.
    ///
    /// # Errors
    /// The last drain failed; what is left is replayed at the next start.
    pub async fn run(
        mut self,
        sink: Arc<dyn UsageSink>,
        interval: Duration,
        shutdown: impl Future<Output = ()> + Send,
    ) -> Result<(), DrainError> {
        let mut shutdown = pin!(shutdown);
        let mut pause = interval;
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                () = tokio::time::sleep(pause) => {}
            }
            match self.drain(sink.as_ref()).await {
                Ok(_) if pause > interval => {
                    tracing::info!("the store takes usage records again");
                    pause = interval;
                }
                Ok(_) => {}
                Err(error) => {
                    pause = (pause * 2).min(MAX_PAUSE.max(interval));
                    tracing::warn!(%error, "usage records stay in the journal for now");
                }
            }
        }
        self.finish(sink.as_ref()).await.map(drop)
    }

    fn failed(&self, error: DrainError) -> DrainError {
        add(&self.journal.counters.drain_errors, 1);
        error
    }

    async fn next_batch(&self) -> Result<Batch, JournalError> {
        let (journal, position) = (Arc::clone(&self.journal), self.position);
        match tokio::task::spawn_blocking(move || read_batch(&journal, position)).await {
            Ok(batch) => batch,
            Err(error) => Err(io_error("reading", &self.journal.path_of(position.sequence), error.into())),
        }
    }
}

/// The records behind `position`, removing the segments that lie wholly before it. Empty when there are none.
fn read_batch(journal: &Journal, mut position: Position) -> Result<Batch, JournalError> {
    while let Some(segment) = journal.segment_from(position.sequence) {
        if segment.sequence != position.sequence {
            position = Position { sequence: segment.sequence, offset: HEADER_BYTES };
        }
        if position.offset < segment.committed {
            let batch = read_records(journal, segment, position)?;
            if !batch.records.is_empty() {
                return Ok(batch);
            }
            // Damage right here: the segment now ends before it.
            continue;
        }
        if !segment.sealed {
            break;
        }
        journal.retire(segment)?;
        position = Position { sequence: segment.sequence + 1, offset: HEADER_BYTES };
    }
    Ok(Batch { records: Vec::new(), next: position })
}

fn read_records(journal: &Journal, segment: Segment, position: Position) -> Result<Batch, JournalError> {
    let path = journal.path_of(segment.sequence);
    let length = (segment.committed - position.offset).min(READ_BYTES);
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
    File::open(&path)
        .and_then(|file| file.read_exact_at(&mut bytes, position.offset))
        .map_err(|source| io_error("reading", &path, source))?;
    let mut batch = Batch { records: Vec::new(), next: position };
    let mut rest = bytes.as_slice();
    while batch.records.len() < BATCH_RECORDS && !rest.is_empty() {
        let Parsed::Frame { payload, bytes } = frame::parse(rest) else { break };
        let Ok(record) = codec::decode(payload) else { break };
        batch.records.push(record);
        batch.next.offset += bytes as u64;
        rest = rest.get(bytes..).unwrap_or_default();
    }
    // The buffer holds the longest frame, so a read that yields nothing has met damage, not the buffer's end.
    if batch.records.is_empty() {
        tracing::error!(file = %path.display(), offset = position.offset, "journal segment was damaged while in use");
        journal.mark_corrupt(segment.sequence, position.offset);
    }
    Ok(batch)
}
