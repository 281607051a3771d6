//! Tells whether files have changed, by their contents, so that a reload happens exactly when it should.

use std::path::{Path, PathBuf};

/// Fingerprint of the contents of `files`; a missing or unreadable file has one as well. Compare it with
/// [`Loaded::fingerprint`](crate::Loaded::fingerprint) after passing [`Loaded::files`](crate::Loaded::files).
pub fn fingerprint(files: &[PathBuf]) -> u64 {
    let mut watch = Watch::default();
    for file in files {
        // The outcome is part of the fingerprint; there is nobody to tell here.
        let _ = watch.read(file);
    }
    watch.fingerprint()
}

/// Reads files and remembers what it saw.
#[derive(Default)]
pub(crate) struct Watch {
    seen: Vec<(PathBuf, u64)>,
}

impl Watch {
    pub(crate) fn read(&mut self, path: &Path) -> std::io::Result<Vec<u8>> {
        let result = std::fs::read(path);
        let state = match &result {
            Ok(bytes) => mix(mix(OFFSET, b"present"), bytes),
            Err(_) => mix(OFFSET, b"absent"),
        };
        if !self.seen.iter().any(|(known, _)| known == path) {
            self.seen.push((path.to_owned(), state));
        }
        result
    }

    pub(crate) fn files(&self) -> Vec<PathBuf> {
        self.seen.iter().map(|(path, _)| path.clone()).collect()
    }

    pub(crate) fn fingerprint(&self) -> u64 {
        self.seen.iter().fold(OFFSET, |state, (path, contents)| {
            mix(mix(state, path.as_os_str().as_encoded_bytes()), &contents.to_le_bytes())
        })
    }
}

/// FNV-1a: stable across runs and good enough to notice an edit.
const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;

fn mix(state: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(state, |state, byte| (state ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}
