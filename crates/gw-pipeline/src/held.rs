//! Forwarding a stream without the one event that exists only because the gateway asked for usage.

use bytes::{Bytes, BytesMut};
use gw_wire::Frame;
use memchr::memmem;

/// Bytes received but not forwarded yet: an incomplete event might turn out to be the one to leave out.
#[derive(Debug, Default)]
pub(crate) struct Held {
    bytes: BytesMut,
}

impl Held {
    /// Takes a chunk after the framer saw it. `pending` is the length of the incomplete event at the end; `skip` are the
    /// completed events to leave out. Returns what can be forwarded.
    pub(crate) fn pass(&mut self, chunk: &Bytes, pending: usize, skip: &[&Frame]) -> Bytes {
        if self.bytes.is_empty() && pending == 0 && skip.is_empty() {
            return chunk.clone();
        }
        self.bytes.extend_from_slice(chunk);
        let complete = self.bytes.len().saturating_sub(pending);
        let mut ready = self.bytes.split_to(complete).freeze();
        for frame in skip {
            if let Some(at) = memmem::rfind(&ready, &frame.raw) {
                let mut rest = BytesMut::with_capacity(ready.len());
                rest.extend_from_slice(&ready.slice(..at));
                rest.extend_from_slice(&ready.slice(at + frame.raw.len()..));
                ready = rest.freeze();
            }
        }
        ready
    }

    /// What is left at the end of the stream.
    pub(crate) fn rest(&mut self) -> Bytes {
        self.bytes.split().freeze()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use bytes::Bytes;
    use gw_wire::SseFramer;

    use super::Held;

    #[test]
    fn only_the_marked_event_is_left_out_wherever_the_stream_is_cut() {
        let stream = b"data: 1\n\n: note\n\ndata: usage\n\ndata: [DONE]\n\n";
        for size in 1..stream.len() {
            let (mut framer, mut held, mut out) = (SseFramer::new(1_000), Held::default(), Vec::new());
            for chunk in stream.chunks(size) {
                let chunk = Bytes::copy_from_slice(chunk);
                let mut frames = Vec::new();
                framer.push(chunk.clone(), &mut frames).unwrap();
                let skip: Vec<_> = frames.iter().filter(|frame| frame.data == "usage").collect();
                out.extend_from_slice(&held.pass(&chunk, framer.pending_len(), &skip));
            }
            out.extend_from_slice(&held.rest());
            assert_eq!(out, b"data: 1\n\n: note\n\ndata: [DONE]\n\n", "chunks of {size}");
        }
    }
}
