//! Where log lines go: a console stream, a file, or both, one writer at a time.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

/// How long the report of a panic waits for a writer that may be the very one that panicked.
const PANIC_WAIT: Duration = Duration::from_secs(1);

/// A shared place for log lines. Clones write to the same place; no two of them mix bytes within a line.
#[derive(Clone)]
pub struct LogSink {
    outputs: Arc<Mutex<Vec<Box<dyn Write + Send>>>>,
}

impl LogSink {
    /// Lines go to standard output.
    #[must_use]
    pub fn stdout() -> Self {
        Self::to(Box::new(io::stdout()))
    }

    /// Lines go to standard error.
    #[must_use]
    pub fn stderr() -> Self {
        Self::to(Box::new(io::stderr()))
    }

    /// Lines go to this writer; for tests and for writers that this crate does not know.
    #[must_use]
    pub fn to(writer: Box<dyn Write + Send>) -> Self {
        Self { outputs: Arc::new(Mutex::new(vec![writer])) }
    }

    /// Lines go to this file as well; for every clone of the sink. The file is appended to, its directory is created,
    /// and on Unix only its owner may read it.
    ///
    /// # Errors
    /// The directory cannot be created or the file cannot be opened for appending.
    pub fn add_file(&self, path: &Path) -> io::Result<()> {
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            std::fs::create_dir_all(parent)?;
        }
        let file = open_append(path)?;
        self.outputs.lock().push(Box::new(file));
        Ok(())
    }

    /// Writes whole lines with one write per output. A log that cannot be written has nowhere to complain, so errors are
    /// dropped.
    pub(crate) fn write(&self, lines: &[u8]) {
        write_all(&mut self.outputs.lock(), lines);
    }

    /// Like `write`, but gives up when another writer holds the sink for long.
    pub(crate) fn write_in_panic(&self, lines: &[u8]) {
        if let Some(mut outputs) = self.outputs.try_lock_for(PANIC_WAIT) {
            write_all(&mut outputs, lines);
        }
    }
}

fn write_all(outputs: &mut [Box<dyn Write + Send>], lines: &[u8]) {
    for output in outputs {
        if output.write_all(lines).is_ok() {
            let _ = output.flush();
        }
    }
}

fn open_append(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
