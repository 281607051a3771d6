//! The writing side: segments, append, sync.

use std::collections::VecDeque;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::future::Future;
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gw_store::UsageRecord;
use parking_lot::Mutex;
use tokio::time::MissedTickBehavior;

use crate::frame::{self, HEADER, HEADER_BYTES};
use crate::recover::{recover, segment_path};
use crate::stats::{Counters, add, get};
use crate::{Drain, JournalError, JournalStats, Recovery};

/// Where the journal is and how large it may get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalConfig {
    /// Directory of the segments, of nothing else; created with mode 0700 when missing.
    pub directory: PathBuf,
    /// A segment is closed before it grows beyond this many bytes. Default 8 MiB.
    pub segment_bytes: u64,
    /// Appends are refused when all segments together would grow beyond this many bytes, which happens only when the
    /// store takes nothing. Default 4 GiB.
    pub limit_bytes: u64,
}

impl JournalConfig {
    /// The defaults, in `journal` below a data directory.
    #[must_use]
    pub fn in_data_dir(data_dir: &Path) -> Self {
        Self { directory: data_dir.join("journal"), segment_bytes: 8 << 20, limit_bytes: 4 << 30 }
    }
}

/// The write-ahead journal. One per data directory and process; shared by all requests.
#[derive(Debug)]
pub struct Journal {
    config: JournalConfig,
    writer: Mutex<Writer>,
    /// Whether something was appended since the last sync: asked without the lock.
    dirty: AtomicBool,
    pub(crate) counters: Counters,
    recovery: Recovery,
    /// Held as long as the journal is open; the system releases it with the process, however that ends.
    _lock: File,
}

/// A segment file as the journal knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) sequence: u64,
    /// Bytes of header and whole records; what may follow them in the file does not count.
    pub(crate) committed: u64,
    /// No more records will be added.
    pub(crate) sealed: bool,
    /// To be kept for the operator instead of being removed.
    pub(crate) corrupt: bool,
}

#[derive(Debug)]
struct Writer {
    /// Oldest first. Only the last one can be unsealed, and is so exactly when there is an `active` file.
    segments: VecDeque<Segment>,
    active: Option<Arc<File>>,
    next_sequence: u64,
    held_bytes: u64,
    /// Files sealed since the last sync.
    unsynced: Vec<Arc<File>>,
    /// A file was created since the last sync.
    directory_changed: bool,
}

pub(crate) fn io_error(action: &'static str, path: &Path, source: io::Error) -> JournalError {
    JournalError::Io { action, path: path.to_owned(), source }
}

impl Journal {
    /// Opens the journal and examines what an earlier process left: torn ends are cut off, damage is reported. The
    /// second value is the one reader of the journal; [`Drain::drain`] it into the store before serving.
    ///
    /// # Errors
    /// [`JournalError::Locked`], [`JournalError::NewerFormat`] or [`JournalError::Io`].
    pub fn open(config: JournalConfig) -> Result<(Arc<Self>, Drain), JournalError> {
        let directory = &config.directory;
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .map_err(|source| io_error("creating", directory, source))?;
        let lock = lock(directory)?;
        let mut recovery = Recovery::default();
        let (segments, newest) = recover(directory, &mut recovery)?;
        let writer = Writer {
            next_sequence: newest + 1,
            held_bytes: segments.iter().map(|segment| segment.committed).sum(),
            segments: segments.into(),
            active: None,
            unsynced: Vec::new(),
            directory_changed: false,
        };
        let journal = Arc::new(Self {
            config,
            writer: Mutex::new(writer),
            dirty: AtomicBool::new(false),
            counters: Counters::default(),
            recovery,
            _lock: lock,
        });
        Ok((Arc::clone(&journal), Drain::new(journal)))
    }

    /// Adds a record. When this returns, the record survives the death of the process; a power cut can still take it
    /// until the next sync. Costs a few microseconds: one write into the page cache under a short lock.
    ///
    /// # Errors
    /// [`JournalError::InvalidRecord`] for an unusable attempt id, [`JournalError::Full`] at the size limit,
    /// [`JournalError::Io`] when the system refuses (disk full). Nothing of the record is left in the journal then, and
    /// the next append starts clean.
    pub fn append(&self, record: &UsageRecord) -> Result<(), JournalError> {
        let appended = frame::encode(record).and_then(|frame| {
            self.writer.lock().append(&self.config, &frame)?;
            Ok(frame.len() as u64)
        });
        match appended {
            Ok(bytes) => {
                add(&self.counters.appended_records, 1);
                add(&self.counters.appended_bytes, bytes);
                // After the write: a sync that takes the flag down covers this record.
                self.dirty.store(true, Ordering::Release);
                Ok(())
            }
            Err(error) => {
                add(&self.counters.append_errors, 1);
                Err(error)
            }
        }
    }

    /// Brings everything appended so far to the disk. Blocks; `false` when there was nothing to do.
    ///
    /// # Errors
    /// [`JournalError::Io`]. Later records go to a new file then, because the system may report success for the old one
    /// although it has dropped what could not be written.
    pub fn sync(&self) -> Result<bool, JournalError> {
        if !self.dirty.swap(false, Ordering::AcqRel) {
            return Ok(false);
        }
        let (files, directory_changed) = {
            let mut writer = self.writer.lock();
            let mut files = std::mem::take(&mut writer.unsynced);
            files.extend(writer.active.clone());
            (files, std::mem::take(&mut writer.directory_changed))
        };
        let directory = &self.config.directory;
        let synced = files
            .iter()
            .try_for_each(|file| file.sync_data())
            .and_then(|()| if directory_changed { File::open(directory)?.sync_all() } else { Ok(()) });
        match synced {
            Ok(()) => {
                add(&self.counters.syncs, 1);
                Ok(true)
            }
            Err(source) => {
                add(&self.counters.sync_errors, 1);
                self.writer.lock().seal();
                Err(io_error("syncing", directory, source))
            }
        }
    }

    /// Calls [`Journal::sync`] every `interval` (100 ms is usual) while there is something to sync, until `shutdown` is
    /// ready, and once more then. The caller spawns it.
    pub async fn run_sync(self: Arc<Self>, interval: Duration, shutdown: impl Future<Output = ()> + Send) {
        let mut ticks = tokio::time::interval(interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut shutdown = pin!(shutdown);
        let mut running = true;
        while running {
            tokio::select! {
                () = &mut shutdown => running = false,
                _ = ticks.tick() => {}
            }
            if self.dirty.load(Ordering::Relaxed) {
                let journal = Arc::clone(&self);
                match tokio::task::spawn_blocking(move || journal.sync()).await {
                    Ok(Ok(_)) => {}
                    Ok(Err(error)) => tracing::error!(%error, "journal could not be synced"),
                    Err(error) => tracing::error!(%error, "journal sync did not finish"),
                }
            }
        }
    }

    /// The counters.
    #[must_use]
    pub fn stats(&self) -> JournalStats {
        let (segments, held_bytes) = {
            let writer = self.writer.lock();
            (writer.segments.len() as u64, writer.held_bytes)
        };
        let counters = &self.counters;
        let drained_records = get(&counters.drained_records);
        let appended_records = get(&counters.appended_records);
        JournalStats {
            appended_records,
            appended_bytes: get(&counters.appended_bytes),
            append_errors: get(&counters.append_errors),
            syncs: get(&counters.syncs),
            sync_errors: get(&counters.sync_errors),
            drained_records,
            stored_records: get(&counters.stored_records),
            drain_errors: get(&counters.drain_errors),
            pending_records: (self.recovery.records + appended_records).saturating_sub(drained_records),
            segments,
            held_bytes,
            damaged_segments: get(&counters.damaged_segments),
            recovery: self.recovery,
        }
    }

    pub(crate) fn path_of(&self, sequence: u64) -> PathBuf {
        segment_path(&self.config.directory, sequence)
    }

    /// The oldest segment whose number is at least `sequence`.
    pub(crate) fn segment_from(&self, sequence: u64) -> Option<Segment> {
        self.writer.lock().segments.iter().find(|segment| segment.sequence >= sequence).copied()
    }

    /// Closes the current segment; the next append begins another.
    pub(crate) fn seal(&self) {
        self.writer.lock().seal();
    }

    /// Marks a segment as damaged, so that it is kept.
    pub(crate) fn mark_corrupt(&self, sequence: u64, committed: u64) {
        add(&self.counters.damaged_segments, 1);
        let mut writer = self.writer.lock();
        if writer.segments.back().is_some_and(|last| last.sequence == sequence) {
            writer.seal();
        }
        let mut unread = 0;
        if let Some(segment) = writer.segments.iter_mut().find(|segment| segment.sequence == sequence) {
            unread = segment.committed.saturating_sub(committed);
            segment.committed = committed;
            segment.corrupt = true;
        }
        writer.held_bytes = writer.held_bytes.saturating_sub(unread);
    }

    /// Forgets a sealed segment that the store has, and removes its file (or sets it aside when damaged).
    pub(crate) fn retire(&self, segment: Segment) -> Result<(), JournalError> {
        let path = self.path_of(segment.sequence);
        let done = if segment.corrupt {
            let mut kept = path.clone().into_os_string();
            kept.push(".corrupt");
            fs::rename(&path, kept)
        } else {
            fs::remove_file(&path)
        };
        match done {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(io_error("removing", &path, source));
            }
            _ => {}
        }
        let mut writer = self.writer.lock();
        writer.segments.retain(|other| other.sequence != segment.sequence);
        writer.held_bytes = writer.held_bytes.saturating_sub(segment.committed);
        Ok(())
    }
}

fn lock(directory: &Path) -> Result<File, JournalError> {
    let path = directory.join("lock");
    let failed = |source| io_error("locking", &path, source);
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(JournalError::Locked(directory.to_owned())),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

impl Writer {
    fn append(&mut self, config: &JournalConfig, frame: &[u8]) -> Result<(), JournalError> {
        let frame_bytes = frame.len() as u64;
        if self.held_bytes + frame_bytes > config.limit_bytes {
            return Err(JournalError::Full { held_bytes: self.held_bytes, limit_bytes: config.limit_bytes });
        }
        if self.segments.back().is_some_and(|last| !last.sealed && last.committed + frame_bytes > config.segment_bytes)
        {
            self.seal();
        }
        let file = match &self.active {
            Some(file) => Arc::clone(file),
            None => self.begin_segment(&config.directory)?,
        };
        let Some(segment) = self.segments.back_mut() else {
            return Err(JournalError::InvalidRecord("journal has no segment"));
        };
        // At the committed end, not at the file's: what a failed write may have left there is written over.
        if let Err(source) = file.write_all_at(frame, segment.committed) {
            let path = segment_path(&config.directory, segment.sequence);
            if file.set_len(segment.committed).is_err() {
                self.seal();
            }
            return Err(io_error("appending to", &path, source));
        }
        segment.committed += frame_bytes;
        self.held_bytes += frame_bytes;
        Ok(())
    }

    fn begin_segment(&mut self, directory: &Path) -> Result<Arc<File>, JournalError> {
        let sequence = self.next_sequence;
        let path = segment_path(directory, sequence);
        let failed = |source| io_error("creating", &path, source);
        let file =
            OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path).map_err(failed)?;
        // Used up even if the header cannot be written: the name is taken.
        self.next_sequence += 1;
        if let Err(source) = file.write_all_at(&HEADER, 0) {
            // An empty or cut header is recognised at the next start as well, so a failure here is harmless.
            let _ = fs::remove_file(&path);
            return Err(failed(source));
        }
        let file = Arc::new(file);
        self.active = Some(Arc::clone(&file));
        self.segments.push_back(Segment { sequence, committed: HEADER_BYTES, sealed: false, corrupt: false });
        self.held_bytes += HEADER_BYTES;
        self.directory_changed = true;
        Ok(file)
    }

    fn seal(&mut self) {
        if let Some(file) = self.active.take() {
            self.unsynced.push(file);
        }
        if let Some(last) = self.segments.back_mut() {
            last.sealed = true;
        }
    }
}
