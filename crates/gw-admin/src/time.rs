//! Times on the API: RFC 3339 in UTC outside, Unix milliseconds inside.

use jiff::Timestamp;

use crate::error::ApiError;

/// RFC 3339, or nothing for a time beyond what that can express.
pub(crate) fn text(unix_ms: i64) -> Option<String> {
    Timestamp::from_millisecond(unix_ms).ok().map(|time| time.to_string())
}

/// Reads RFC 3339 or a number of Unix milliseconds.
pub(crate) fn parse(field: &str, text: &str) -> Result<i64, ApiError> {
    if let Ok(unix_ms) = text.parse::<i64>() {
        return Ok(unix_ms);
    }
    text.parse::<Timestamp>().map(Timestamp::as_millisecond).map_err(|_| {
        ApiError::bad_request(format!(
            "`{field}` is not a time; write RFC 3339 such as 2030-01-31T12:00:00Z, or Unix milliseconds"
        ))
    })
}
