//! A JSON array whose elements arrive one after the other, as Gemini streams without `alt=sse`.

use bytes::{Bytes, BytesMut};

use crate::{Frame, FrameTooLarge};

/// Splits a streamed JSON array (or a plain sequence of JSON objects) into its elements.
#[derive(Debug)]
pub struct JsonArrayFramer {
    pending: BytesMut,
    searched: usize,
    depth: u32,
    in_string: bool,
    escaped: bool,
    limit: usize,
    closed: bool,
}

impl JsonArrayFramer {
    /// A framer that refuses elements larger than `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { pending: BytesMut::new(), searched: 0, depth: 0, in_string: false, escaped: false, limit, closed: false }
    }

    /// Takes a chunk and appends the elements that it completes, each as the `data` of a frame.
    ///
    /// # Errors
    /// When an element exceeds the limit.
    pub fn push(&mut self, chunk: &Bytes, out: &mut Vec<Frame>) -> Result<(), FrameTooLarge> {
        self.pending.extend_from_slice(chunk);
        while let Some(byte) = self.pending.get(self.searched).copied() {
            self.searched += 1;
            if self.in_string {
                match (self.escaped, byte) {
                    (true, _) => self.escaped = false,
                    (false, b'\\') => self.escaped = true,
                    (false, b'"') => self.in_string = false,
                    (false, _) => {}
                }
                continue;
            }
            match byte {
                b'"' => self.in_string = true,
                b'{' => {
                    if self.depth == 0 {
                        // Drop the separators before the element.
                        let _ = self.pending.split_to(self.searched - 1);
                        self.searched = 1;
                    }
                    self.depth += 1;
                }
                b'[' if self.depth > 0 => self.depth += 1,
                b'}' | b']' if self.depth > 0 => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        let data = self.pending.split_to(self.searched).freeze();
                        self.searched = 0;
                        out.push(Frame { event: Bytes::new(), raw: data.clone(), data });
                    }
                }
                b']' => self.closed = true,
                _ => {}
            }
        }
        if self.pending.len() > self.limit {
            return Err(FrameTooLarge { limit: self.limit });
        }
        Ok(())
    }

    /// Whether the closing bracket of the array was seen.
    #[must_use]
    pub fn closed(&self) -> bool {
        self.closed
    }
}
