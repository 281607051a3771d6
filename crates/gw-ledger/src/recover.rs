//! What an earlier process left behind: which bytes of a segment can be trusted.
//!
//! The end of a segment may be torn: the process or the machine died while it wrote the last record, which no client can
//! have seen settled. It is cut off. Damage with whole records behind it is something else: the records before it are
//! used, and the file is kept for the operator. Records behind it are not used although their sums are right, because
//! some bytes of a record come from clients, and a client could have placed a frame inside its model name.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};

use crate::codec;
use crate::error::JournalError;
use crate::frame::{self, FORMAT, HEADER, HEADER_BYTES, MAGIC, Parsed};
use crate::journal::{Segment, io_error};

/// What the opening of a journal found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Recovery {
    /// Segments with records that the store may not have.
    pub segments: u64,
    /// Records in them.
    pub records: u64,
    /// Segments whose last record was torn and cut off.
    pub torn_tails: u64,
    /// Bytes cut off.
    pub torn_bytes: u64,
    /// Damaged segments; each is kept under its name with `.corrupt` appended once its readable part is stored.
    pub corrupt_segments: u64,
    /// Bytes in them behind the damage.
    pub corrupt_bytes: u64,
}

/// What is behind the last trusted record.
#[derive(Debug, PartialEq, Eq)]
enum Tail {
    Clean,
    Torn,
    Corrupt,
}

const SUFFIX: &str = ".journal";

/// Name of a segment; names sort by age.
pub(crate) fn segment_path(directory: &Path, sequence: u64) -> PathBuf {
    directory.join(format!("{sequence:016x}{SUFFIX}"))
}

/// All segments in the directory, oldest first, each reduced to what can be trusted, and the newest sequence in use. A
/// damaged segment that was set aside uses its sequence as well, or a later one could be put in its place.
pub(crate) fn recover(directory: &Path, recovery: &mut Recovery) -> Result<(Vec<Segment>, u64), JournalError> {
    let failed = |source| io_error("listing", directory, source);
    let mut sequences = Vec::new();
    let mut newest = 0;
    for entry in fs::read_dir(directory).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        let Some((digits, suffix)) = name.to_str().and_then(|name| name.split_at_checked(16)) else { continue };
        let Ok(sequence) = u64::from_str_radix(digits, 16) else { continue };
        if suffix.starts_with(SUFFIX) {
            newest = newest.max(sequence);
        }
        if suffix == SUFFIX {
            sequences.push(sequence);
        }
    }
    sequences.sort_unstable();
    let mut segments = Vec::new();
    for sequence in sequences {
        segments.extend(recover_segment(directory, sequence, recovery)?);
    }
    Ok((segments, newest))
}

fn recover_segment(directory: &Path, sequence: u64, recovery: &mut Recovery) -> Result<Option<Segment>, JournalError> {
    let path = segment_path(directory, sequence);
    // Whole, because a segment is bounded by its configured size.
    let bytes = fs::read(&path).map_err(|source| io_error("reading", &path, source))?;
    let (trusted, records, tail) = examine(&path, &bytes)?;
    let behind = (bytes.len() as u64).saturating_sub(trusted);
    match tail {
        Tail::Clean => {}
        Tail::Torn => {
            recovery.torn_tails += 1;
            recovery.torn_bytes += behind;
            tracing::warn!(file = %path.display(), bytes = behind, "journal segment ends in a torn record, cut off");
        }
        Tail::Corrupt => {
            recovery.corrupt_segments += 1;
            recovery.corrupt_bytes += behind;
            tracing::error!(
                file = %path.display(), offset = trusted, records,
                "journal segment is damaged; records before the damage are used, the file is kept as .corrupt"
            );
        }
    }
    let corrupt = tail == Tail::Corrupt;
    if records == 0 && !corrupt {
        fs::remove_file(&path).map_err(|source| io_error("removing", &path, source))?;
        return Ok(None);
    }
    if tail == Tail::Torn {
        truncate(&path, trusted)?;
    }
    recovery.segments += 1;
    recovery.records += records;
    Ok(Some(Segment { sequence, committed: trusted.max(HEADER_BYTES), sealed: true, corrupt }))
}

fn truncate(path: &Path, length: u64) -> Result<(), JournalError> {
    let open = || -> std::io::Result<File> {
        let file = OpenOptions::new().write(true).open(path)?;
        file.set_len(length)?;
        file.sync_all()?;
        Ok(file)
    };
    open().map(drop).map_err(|source| io_error("truncating", path, source))
}

/// Length of the trusted part, records in it, and what follows it.
fn examine(path: &Path, bytes: &[u8]) -> Result<(u64, u64, Tail), JournalError> {
    let Some(mut rest) = bytes.strip_prefix(&HEADER) else {
        return unknown_header(path, bytes).map(|tail| (0, 0, tail));
    };
    let (mut trusted, mut records) = (HEADER_BYTES, 0);
    while let Parsed::Frame { payload, bytes } = frame::parse(rest) {
        match payload.first() {
            Some(version) if *version > codec::VERSION => {
                return Err(JournalError::NewerFormat {
                    path: path.to_owned(),
                    found: *version,
                    supported: codec::VERSION,
                });
            }
            _ => {}
        }
        if codec::decode(payload).is_err() {
            return Ok((trusted, records, Tail::Corrupt));
        }
        trusted += bytes as u64;
        records += 1;
        rest = rest.get(bytes..).unwrap_or_default();
    }
    let tail = match rest {
        [] => Tail::Clean,
        rest if frame::any_frame(rest) => Tail::Corrupt,
        _ => Tail::Torn,
    };
    Ok((trusted, records, tail))
}

/// A file that does not begin with this program's header: cut short at its creation, of a newer program, or damaged.
fn unknown_header(path: &Path, bytes: &[u8]) -> Result<Tail, JournalError> {
    match bytes.strip_prefix(MAGIC).and_then(<[u8]>::first) {
        Some(format) if *format > FORMAT => {
            Err(JournalError::NewerFormat { path: path.to_owned(), found: *format, supported: FORMAT })
        }
        None if HEADER.starts_with(bytes) || bytes.iter().all(|byte| *byte == 0) => Ok(Tail::Torn),
        _ => Ok(Tail::Corrupt),
    }
}
