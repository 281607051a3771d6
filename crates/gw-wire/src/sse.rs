//! Server-sent events, split without copying where an event lies inside one received chunk.

use bytes::{Bytes, BytesMut};
use memchr::{memchr2, memchr2_iter};

/// One event. `data` joins several data lines with `\n`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frame {
    /// Value of the last `event:` line; empty when there is none.
    pub event: Bytes,
    /// Joined `data:` lines.
    pub data: Bytes,
    /// The event's own bytes with its blank line, for forwarding as it came.
    pub raw: Bytes,
}

/// An event is larger than allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a stream event is larger than {limit} bytes")]
pub struct FrameTooLarge {
    /// The limit in bytes.
    pub limit: usize,
}

/// Splits a byte stream into events. Accepts LF, CRLF and CR line ends, a BOM, comments, and cuts anywhere; the result
/// does not depend on where the stream was cut.
#[derive(Debug)]
pub struct SseFramer {
    pending: BytesMut,
    /// Bytes of `pending` already searched for line ends.
    searched: usize,
    /// Start of the current line in `pending`.
    line_start: usize,
    /// The last byte was a CR that ended a line: a following LF belongs to it.
    after_cr: bool,
    at_start: bool,
    limit: usize,
}

impl SseFramer {
    /// A framer that refuses events larger than `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { pending: BytesMut::new(), searched: 0, line_start: 0, after_cr: false, at_start: true, limit }
    }

    /// Takes a chunk and appends the events that it completes.
    ///
    /// # Errors
    /// When an event exceeds the limit; the stream cannot be continued.
    pub fn push(&mut self, chunk: Bytes, out: &mut Vec<Frame>) -> Result<(), FrameTooLarge> {
        if chunk.is_empty() {
            return Ok(());
        }
        let whole = if self.pending.is_empty() {
            chunk
        } else {
            self.pending.extend_from_slice(&chunk);
            self.pending.split().freeze()
        };
        let rest = self.split(whole, out);
        if rest.len() > self.limit {
            return Err(FrameTooLarge { limit: self.limit });
        }
        // Cheap when the buffer is not shared any more; otherwise copies only the incomplete event.
        self.pending = match rest.try_into_mut() {
            Ok(owned) => owned,
            Err(shared) => BytesMut::from(&shared[..]),
        };
        Ok(())
    }

    /// Takes what is left at the end of the stream: an event without its blank line still counts.
    pub fn finish(&mut self, out: &mut Vec<Frame>) {
        let rest = self.pending.split().freeze();
        if let Some(frame) = parse(rest) {
            out.push(frame);
        }
        *self = Self::new(self.limit);
    }

    /// Whether bytes of an incomplete event are waiting.
    #[must_use]
    pub fn has_pending(&self) -> bool {
        self.pending.iter().any(|byte| !byte.is_ascii_whitespace())
    }

    /// Length of the incomplete event that is waiting.
    #[must_use]
    pub fn pending_len(&self) -> usize {
        self.pending.len()
    }

    fn split(&mut self, whole: Bytes, out: &mut Vec<Frame>) -> Bytes {
        let mut begin = 0;
        let mut search = self.searched;
        let mut line = self.line_start;
        if self.at_start {
            let bom = [0xef, 0xbb, 0xbf];
            let head = whole.get(..3.min(whole.len())).unwrap_or_default();
            if head == bom {
                (begin, search, line) = (3, 3, 3);
                self.at_start = false;
            } else if bom.starts_with(head) && whole.len() < 3 {
                return whole;
            } else {
                self.at_start = false;
            }
        }
        loop {
            if self.after_cr && search < whole.len() {
                self.after_cr = false;
                if whole.get(search) == Some(&b'\n') {
                    // The LF of a CRLF whose CR already ended the line.
                    if begin == search {
                        begin += 1;
                    }
                    search += 1;
                    line = search;
                }
            }
            let Some(found) = memchr2(b'\n', b'\r', whole.get(search..).unwrap_or_default()) else { break };
            let end = search + found;
            let blank = end == line;
            self.after_cr = whole.get(end) == Some(&b'\r');
            search = end + 1;
            if blank {
                let mut stop = search;
                if self.after_cr && whole.get(search) == Some(&b'\n') {
                    stop += 1;
                    search += 1;
                    self.after_cr = false;
                }
                if let Some(frame) = parse(whole.slice(begin..stop)) {
                    out.push(frame);
                }
                begin = stop;
            }
            line = search;
        }
        self.searched = whole.len() - begin;
        self.line_start = line.saturating_sub(begin);
        whole.slice(begin..)
    }
}

/// Makes JSON from `from` on fit for one `data:` line. Values passed on as they came may hold line breaks between their
/// tokens, which become spaces, and line separators inside strings (U+2028, U+2029, U+0085), which become escapes.
pub fn one_line(out: &mut Vec<u8>, from: usize) {
    let body = out.get_mut(from..).unwrap_or_default();
    if memchr2(b'\n', b'\r', body).is_some() {
        body.iter_mut().filter(|byte| matches!(byte, b'\n' | b'\r')).for_each(|byte| *byte = b' ');
    }
    if !memchr2_iter(0xe2, 0xc2, body).any(|at| separator(body.get(at..).unwrap_or_default()).is_some()) {
        return;
    }
    let rest = out.split_off(from);
    let mut at = 0;
    while let Some(byte) = rest.get(at).copied() {
        match separator(rest.get(at..).unwrap_or_default()) {
            Some((escape, length)) => {
                out.extend_from_slice(escape);
                at += length;
            }
            None => {
                out.push(byte);
                at += 1;
            }
        }
    }
}

/// The escape of the line separator that the bytes begin with, and its length in UTF-8.
fn separator(bytes: &[u8]) -> Option<(&'static [u8], usize)> {
    match bytes {
        [0xe2, 0x80, 0xa8, ..] => Some((b"\\u2028", 3)),
        [0xe2, 0x80, 0xa9, ..] => Some((b"\\u2029", 3)),
        [0xc2, 0x85, ..] => Some((b"\\u0085", 2)),
        _ => None,
    }
}

/// Reads the fields of one event; `None` when it has no data (comments, lone blank lines).
fn parse(raw: Bytes) -> Option<Frame> {
    let mut frame = Frame::default();
    let mut data: Option<Bytes> = None;
    let mut joined: Option<BytesMut> = None;
    let mut at = 0;
    while at < raw.len() {
        let rest = raw.get(at..).unwrap_or_default();
        let length = memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
        let line = rest.get(..length).unwrap_or_default();
        if let Some(value) = field(line, b"data") {
            let value = raw.slice_ref(value);
            match (&mut joined, data.take()) {
                (Some(joined), _) => {
                    joined.extend_from_slice(b"\n");
                    joined.extend_from_slice(&value);
                }
                (None, None) => data = Some(value),
                (None, Some(first)) => {
                    let mut both = BytesMut::from(&first[..]);
                    both.extend_from_slice(b"\n");
                    both.extend_from_slice(&value);
                    joined = Some(both);
                }
            }
        } else if let Some(value) = field(line, b"event") {
            frame.event = raw.slice_ref(value);
        }
        at += length + 1;
    }
    frame.data = match (joined, data) {
        (Some(joined), _) => joined.freeze(),
        (None, Some(data)) => data,
        (None, None) => return None,
    };
    frame.raw = raw;
    Some(frame)
}

fn field<'l>(line: &'l [u8], name: &[u8]) -> Option<&'l [u8]> {
    let value = line.strip_prefix(name)?;
    match value.split_first() {
        None => Some(value),
        Some((b':', value)) => Some(value.strip_prefix(b" ").unwrap_or(value)),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::one_line;

    #[test]
    fn passed_on_json_stays_on_its_line() {
        let mut out = b"data: {\n \"a\": \"\xe2\x80\xa8\xc2\x85\xc3\xa9\xe2\x82\xac\"\r\n}".to_vec();
        one_line(&mut out, 6);
        assert_eq!(String::from_utf8(out).unwrap(), "data: {  \"a\": \"\\u2028\\u0085é€\"  }");
    }
}
