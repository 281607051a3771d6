//! How records stand in a segment file.
//!
//! A segment is a header of eight bytes, then frames: payload length (u32, little endian), CRC-32 of that length and the
//! payload, payload. The sum covers the length, so that a run of zeros is never a frame.

use gw_store::UsageRecord;

use crate::{JournalError, codec};

/// Seven bytes that no other file begins with, and the format of the segment.
pub(crate) const HEADER: [u8; 8] = *b"IGJRNL\n\x01";
pub(crate) const HEADER_BYTES: u64 = 8;
/// The header without the format.
pub(crate) const MAGIC: &[u8] = b"IGJRNL\n";
pub(crate) const FORMAT: u8 = 1;

/// Upper bound of what the codec makes of any record: a longer length is damage.
pub(crate) const MAX_PAYLOAD_BYTES: usize = 48 * 1024;

const PREFIX_BYTES: usize = 8;

/// The longest frame.
pub(crate) const MAX_FRAME_BYTES: usize = PREFIX_BYTES + MAX_PAYLOAD_BYTES;

fn checksum(length: [u8; 4], payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&length);
    hasher.update(payload);
    hasher.finalize()
}

/// The frame of a record.
///
/// # Errors
/// [`JournalError::InvalidRecord`].
pub(crate) fn encode(record: &UsageRecord) -> Result<Vec<u8>, JournalError> {
    let mut frame = Vec::with_capacity(384);
    frame.extend_from_slice(&[0; PREFIX_BYTES]);
    codec::encode(record, &mut frame)?;
    if let Some((prefix, payload)) = frame.split_first_chunk_mut::<PREFIX_BYTES>() {
        let length = u32::try_from(payload.len()).unwrap_or(u32::MAX).to_le_bytes();
        let sum = checksum(length, payload).to_le_bytes();
        for (slot, byte) in prefix.iter_mut().zip(length.into_iter().chain(sum)) {
            *slot = byte;
        }
    }
    Ok(frame)
}

/// What stands at the beginning of some bytes of a segment.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Parsed<'a> {
    /// A whole frame with a right sum.
    Frame {
        payload: &'a [u8],
        /// Length of the frame.
        bytes: usize,
    },
    /// Anything else.
    Bad,
}

/// Looks at the beginning of `bytes`.
pub(crate) fn parse(bytes: &[u8]) -> Parsed<'_> {
    parse_frame(bytes).unwrap_or(Parsed::Bad)
}

fn parse_frame(bytes: &[u8]) -> Option<Parsed<'_>> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (sum, rest) = rest.split_first_chunk::<4>()?;
    let payload_bytes = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    if payload_bytes == 0 || payload_bytes > MAX_PAYLOAD_BYTES {
        return None;
    }
    let payload = rest.get(..payload_bytes)?;
    let right = checksum(*length, payload) == u32::from_le_bytes(*sum);
    right.then_some(Parsed::Frame { payload, bytes: PREFIX_BYTES + payload_bytes })
}

/// Whether a whole frame stands anywhere in `bytes`.
pub(crate) fn any_frame(bytes: &[u8]) -> bool {
    (0..bytes.len()).any(|start| bytes.get(start..).is_some_and(|tail| parse(tail) != Parsed::Bad))
}
