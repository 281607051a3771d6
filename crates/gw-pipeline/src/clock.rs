//! The only place of the pipeline that reads the clocks.

use std::time::{SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// Unix time in milliseconds.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one reader of the wall clock")]
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Monotonic time.
#[must_use]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Milliseconds since `start`.
#[must_use]
pub(crate) fn elapsed_ms(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX)
}
