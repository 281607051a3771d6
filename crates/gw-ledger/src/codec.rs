//! A usage record as compact bytes.
//!
//! Layout 1: the version byte; flags; end reason; provenance; the record's own version; nine strings; numbers; the
//! non-zero parts of the usage vector as (tag, value); losses; delivered counts. Numbers are LEB128 varints, signed ones
//! zigzag; strings are a length and UTF-8. A change of the layout is a new version byte, and the old one stays readable.

use gw_store::{EndReason, UsageProvenance, UsageRecord, UsageTokens};

use crate::JournalError;

/// The layout that this program writes, and the newest that it reads.
pub(crate) const VERSION: u8 = 1;

/// Longer strings are cut: some come from clients, and no settlement may fail or swell for their length.
const MAX_TEXT_BYTES: usize = 512;
const MAX_ATTEMPT_ID_BYTES: usize = 128;
const MAX_LOSSES: usize = 64;

const HAS_FIRST_BYTE: u8 = 1;
const HAS_UPSTREAM_STATUS: u8 = 2;
const HAS_ERROR_CODE: u8 = 4;
const STREAMING: u8 = 8;

fn put_number(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    let text = text.get(..text.floor_char_boundary(MAX_TEXT_BYTES)).unwrap_or("");
    put_number(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

/// Appends the record to `out`.
///
/// # Errors
/// An attempt id that is empty or longer than 128 bytes: cut, it could be that of another attempt.
pub(crate) fn encode(record: &UsageRecord, out: &mut Vec<u8>) -> Result<(), JournalError> {
    if record.attempt_id.is_empty() {
        return Err(JournalError::InvalidRecord("attempt_id is empty"));
    }
    if record.attempt_id.len() > MAX_ATTEMPT_ID_BYTES {
        return Err(JournalError::InvalidRecord("attempt_id is longer than 128 bytes"));
    }
    let flag = |set: bool, bit: u8| if set { bit } else { 0 };
    out.push(VERSION);
    out.push(
        flag(record.first_byte_ms.is_some(), HAS_FIRST_BYTE)
            | flag(record.upstream_status.is_some(), HAS_UPSTREAM_STATUS)
            | flag(record.error_code.is_some(), HAS_ERROR_CODE)
            | flag(record.streaming, STREAMING),
    );
    out.push(record.end.code());
    out.push(record.usage_provenance.code());
    put_number(out, u64::from(record.v));
    for text in [
        &record.attempt_id,
        &record.request_id,
        &record.key_id,
        &record.key_name,
        &record.ingress,
        &record.operation,
        &record.requested_model,
        &record.provider,
        &record.upstream_model,
    ] {
        put_text(out, text);
    }
    put_number(out, ((record.at_ms << 1) ^ (record.at_ms >> 63)).cast_unsigned());
    put_number(out, record.duration_ms);
    if let Some(first_byte_ms) = record.first_byte_ms {
        put_number(out, first_byte_ms);
    }
    put_number(out, u64::from(record.status));
    if let Some(upstream_status) = record.upstream_status {
        put_number(out, u64::from(upstream_status));
    }
    if let Some(error_code) = &record.error_code {
        put_text(out, error_code);
    }
    let usage = record.usage.to_array();
    put_number(out, usage.iter().filter(|value| **value != 0).count() as u64);
    for (tag, value) in (0_u8..).zip(usage).filter(|(_, value)| *value != 0) {
        out.push(tag);
        put_number(out, value);
    }
    put_losses(out, &record.losses);
    put_number(out, record.events_delivered);
    put_number(out, record.bytes_delivered);
    Ok(())
}

/// Beyond the limit the last entry says how many are missing, so that the list never looks complete when it is not.
fn put_losses(out: &mut Vec<u8>, losses: &[String]) {
    if losses.len() <= MAX_LOSSES {
        put_number(out, losses.len() as u64);
        losses.iter().for_each(|loss| put_text(out, loss));
        return;
    }
    put_number(out, MAX_LOSSES as u64);
    losses.iter().take(MAX_LOSSES - 1).for_each(|loss| put_text(out, loss));
    put_text(out, &format!("and {} more", losses.len() - (MAX_LOSSES - 1)));
}

/// The bytes are not what [`encode`] writes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn byte(&mut self) -> Result<u8, Malformed> {
        let (byte, rest) = self.0.split_first().ok_or(Malformed)?;
        self.0 = rest;
        Ok(*byte)
    }

    fn number(&mut self) -> Result<u64, Malformed> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if (bits << shift) >> shift != bits {
                return Err(Malformed);
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Malformed)
    }

    fn small<T: TryFrom<u64>>(&mut self) -> Result<T, Malformed> {
        T::try_from(self.number()?).map_err(|_| Malformed)
    }

    fn text(&mut self) -> Result<String, Malformed> {
        let length = self.small::<usize>()?;
        let (bytes, rest): (&'a [u8], &'a [u8]) = self.0.split_at_checked(length).ok_or(Malformed)?;
        self.0 = rest;
        std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| Malformed)
    }
}

/// The inverse of [`encode`]; the version byte must have been checked.
pub(crate) fn decode(payload: &[u8]) -> Result<UsageRecord, Malformed> {
    let mut input = Input(payload);
    if input.byte()? != VERSION {
        return Err(Malformed);
    }
    let flags = input.byte()?;
    let end = EndReason::from_code(input.byte()?).ok_or(Malformed)?;
    let usage_provenance = UsageProvenance::from_code(input.byte()?).ok_or(Malformed)?;
    let mut record = UsageRecord {
        v: input.small()?,
        attempt_id: input.text()?,
        request_id: input.text()?,
        key_id: input.text()?,
        key_name: input.text()?,
        ingress: input.text()?,
        operation: input.text()?,
        requested_model: input.text()?,
        provider: input.text()?,
        upstream_model: input.text()?,
        streaming: flags & STREAMING != 0,
        end,
        usage_provenance,
        ..UsageRecord::default()
    };
    let at = input.number()?;
    record.at_ms = (at >> 1).cast_signed() ^ -(at & 1).cast_signed();
    record.duration_ms = input.number()?;
    if flags & HAS_FIRST_BYTE != 0 {
        record.first_byte_ms = Some(input.number()?);
    }
    record.status = input.small()?;
    if flags & HAS_UPSTREAM_STATUS != 0 {
        record.upstream_status = Some(input.small()?);
    }
    if flags & HAS_ERROR_CODE != 0 {
        record.error_code = Some(input.text()?);
    }
    let mut usage = [0; UsageTokens::COUNT];
    for _ in 0..input.number()? {
        let slot = usage.get_mut(usize::from(input.byte()?)).ok_or(Malformed)?;
        *slot = input.number()?;
    }
    record.usage = UsageTokens::from_array(usage);
    for _ in 0..input.number()? {
        record.losses.push(input.text()?);
    }
    record.events_delivered = input.number()?;
    record.bytes_delivered = input.number()?;
    if input.0.is_empty() && !record.attempt_id.is_empty() { Ok(record) } else { Err(Malformed) }
}

#[cfg(test)]
mod tests;
