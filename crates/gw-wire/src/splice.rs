//! Declared edits of exact bytes: everything outside the spliced ranges stays as it was.

use std::ops::Range;

use bytes::Bytes;

/// Replace `range` of the original by `with`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Splice {
    /// Byte range of the original; empty to insert.
    pub range: Range<usize>,
    /// New bytes; empty to delete.
    pub with: Bytes,
}

/// Applies splices without copying the original: the result is a sequence of slices. Splices are applied in order of
/// position; one that overlaps an earlier one, or lies outside the original, is skipped.
#[must_use]
pub fn splice(original: &Bytes, mut splices: Vec<Splice>) -> Vec<Bytes> {
    if splices.is_empty() {
        return vec![original.clone()];
    }
    splices.sort_by_key(|splice| (splice.range.start, splice.range.end));
    let mut pieces = Vec::with_capacity(splices.len() * 2 + 1);
    let mut at = 0;
    for Splice { range, with } in splices {
        if range.start < at || range.end < range.start || range.end > original.len() {
            continue;
        }
        if range.start > at {
            pieces.push(original.slice(at..range.start));
        }
        if !with.is_empty() {
            pieces.push(with);
        }
        at = range.end;
    }
    if at < original.len() {
        pieces.push(original.slice(at..));
    }
    pieces
}
