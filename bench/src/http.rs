//! As much HTTP/1.1 as a harness needs: heads, and bodies with a length or in chunks, from bytes that come in any pieces.

/// A parsed response or request head.
#[derive(Debug, PartialEq, Eq)]
pub struct Head {
    /// `POST /path HTTP/1.1` or `HTTP/1.1 200 OK`.
    pub first_line: String,
    pub body: Body,
    /// Bytes of the head, the empty line included.
    pub length: usize,
}

impl Head {
    /// The head at the beginning of `bytes`, or `None` while it is incomplete.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let length = find(bytes, b"\r\n\r\n")? + 4;
        let text = String::from_utf8_lossy(bytes.get(..length)?).into_owned();
        let mut lines = text.split("\r\n");
        let first_line = lines.next().unwrap_or_default().to_owned();
        let mut body = Body::Length(0);
        for line in lines {
            let Some((name, value)) = line.split_once(':') else { continue };
            if name.eq_ignore_ascii_case("content-length") {
                body = Body::Length(value.trim().parse().unwrap_or(0));
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                body = Body::Chunked(Chunk::Size(0));
            }
        }
        Some(Self { first_line, body, length })
    }

    /// Status code of a response head; 0 when it has none.
    pub fn status(&self) -> u16 {
        self.first_line.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0)
    }
}

/// What is still to come of a body.
#[derive(Debug, PartialEq, Eq)]
pub enum Body {
    Length(usize),
    Chunked(Chunk),
    Done,
}

/// Where in the chunked coding we are.
#[derive(Debug, PartialEq, Eq)]
pub enum Chunk {
    Size(usize),
    /// Skipping to the end of the line with the size.
    SizeEnd(usize),
    Data(usize),
    DataEnd,
    /// In the trailer; how many bytes of the line so far.
    Trailer(usize),
}

impl Body {
    /// Hands the payload in `bytes` to `sink` and returns how many bytes belonged to the body.
    pub fn read(&mut self, bytes: &[u8], mut sink: impl FnMut(&[u8])) -> usize {
        let mut used = 0;
        while let Some(rest) = bytes.get(used..).filter(|rest| !rest.is_empty() && !self.is_done()) {
            used += self.step(rest, &mut sink);
        }
        if *self == Self::Length(0) {
            *self = Self::Done;
        }
        used
    }

    pub fn is_done(&self) -> bool {
        matches!(self, Self::Done | Self::Length(0))
    }

    fn step(&mut self, rest: &[u8], sink: &mut impl FnMut(&[u8])) -> usize {
        match self {
            Self::Done => 0,
            Self::Length(left) => {
                let taken = (*left).min(rest.len());
                sink(rest.get(..taken).unwrap_or_default());
                *left -= taken;
                taken
            }
            Self::Chunked(Chunk::Data(left)) => {
                let taken = (*left).min(rest.len());
                sink(rest.get(..taken).unwrap_or_default());
                *self = Self::Chunked(if taken == *left { Chunk::DataEnd } else { Chunk::Data(*left - taken) });
                taken
            }
            Self::Chunked(chunk) => {
                let byte = rest.first().copied().unwrap_or_default();
                *self = chunk.line_byte(byte);
                1
            }
        }
    }
}

impl Chunk {
    fn line_byte(&self, byte: u8) -> Body {
        let next = match (self, byte) {
            (Self::Size(size) | Self::SizeEnd(size), b'\n') if *size == 0 => Self::Trailer(0),
            (Self::Size(size) | Self::SizeEnd(size), b'\n') => Self::Data(*size),
            (Self::Size(size), byte) => match char::from(byte).to_digit(16) {
                Some(digit) => Self::Size(size * 16 + digit as usize),
                None => Self::SizeEnd(*size),
            },
            (Self::SizeEnd(size), _) => Self::SizeEnd(*size),
            (Self::DataEnd | Self::Data(_), b'\n') => Self::Size(0),
            (Self::DataEnd | Self::Data(_), _) => Self::DataEnd,
            (Self::Trailer(0), b'\n') => return Body::Done,
            (Self::Trailer(_), b'\n') => Self::Trailer(0),
            (Self::Trailer(length), b'\r') => Self::Trailer(*length),
            (Self::Trailer(length), _) => Self::Trailer(length + 1),
        };
        Body::Chunked(next)
    }
}

/// Counts a needle in bytes that come in any pieces.
#[derive(Debug)]
pub struct Counter {
    needle: &'static [u8],
    tail: Vec<u8>,
    pub count: usize,
}

impl Counter {
    pub fn new(needle: &'static str) -> Self {
        Self { needle: needle.as_bytes(), tail: Vec::new(), count: 0 }
    }

    pub fn push(&mut self, bytes: &[u8]) {
        let keep = self.needle.len().saturating_sub(1);
        // Only the seam between two pieces is copied.
        let seam_start = self.tail.len();
        self.tail.extend(bytes.iter().take(keep));
        self.count += count(&self.tail, self.needle);
        self.count += count(bytes, self.needle);
        let drop = if bytes.len() >= keep {
            self.tail.clear();
            self.tail.extend_from_slice(bytes.get(bytes.len() - keep..).unwrap_or_default());
            0
        } else {
            debug_assert!(seam_start + bytes.len() == self.tail.len());
            self.tail.len().saturating_sub(keep)
        };
        self.tail.drain(..drop);
    }
}

/// Where `needle` first stands in `bytes`.
pub fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    let first = *needle.first()?;
    let mut from = 0;
    loop {
        let rest = bytes.get(from..)?;
        let hit = from + rest.iter().position(|byte| *byte == first)?;
        if bytes.get(hit..)?.starts_with(needle) {
            return Some(hit);
        }
        from = hit + 1;
    }
}

fn count(bytes: &[u8], needle: &[u8]) -> usize {
    let mut total = 0;
    let mut rest = bytes;
    while let Some(hit) = find(rest, needle) {
        total += 1;
        rest = rest.get(hit + needle.len()..).unwrap_or_default();
    }
    total
}

#[cfg(test)]
mod tests {
    use super::{Body, Counter, Head};

    #[test]
    fn a_chunked_body_is_the_same_in_any_pieces() {
        let wire =
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4;x=y\r\ntk01\r\nA\r\n tk01 tk01\r\n0\r\n\r\nnext";
        for size in 1..wire.len() {
            let mut head = Head::parse(wire).unwrap();
            assert_eq!(head.status(), 200);
            let mut payload = Vec::new();
            let mut counter = Counter::new("tk01");
            let mut left = 0;
            for piece in wire[head.length..].chunks(size) {
                let used = head.body.read(piece, |data| {
                    payload.extend_from_slice(data);
                    counter.push(data);
                });
                left += piece.len() - used;
            }
            assert_eq!(payload, b"tk01 tk01 tk01", "pieces of {size}");
            assert_eq!((counter.count, left, head.body.is_done()), (3, 4, true), "pieces of {size}");
        }
    }

    #[test]
    fn a_body_with_length_ends_there() {
        let mut head = Head::parse(b"POST /x HTTP/1.1\r\ncontent-length: 3\r\n\r\nabcdef").unwrap();
        let mut payload = Vec::new();
        assert_eq!(head.body.read(b"abcdef", |data| payload.extend_from_slice(data)), 3);
        assert_eq!((payload.as_slice(), head.body), (b"abc".as_slice(), Body::Done));
        assert_eq!(Head::parse(b"HTTP/1.1 200 OK\r\n"), None);
    }
}
