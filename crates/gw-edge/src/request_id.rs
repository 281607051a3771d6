//! Request ids: the client's own when it is usable, else a fresh one.

use http::HeaderMap;

/// Longest id that is taken from a client.
const LONGEST: usize = 128;

/// The id of a request: `X-Request-ID` when it is 1 to 128 letters, digits, `-`, `_`, `.` or `:`, else
/// `req-<unix seconds>-<16 hex digits>`.
pub(crate) fn of(headers: &HeaderMap) -> String {
    let given = headers.get("x-request-id").and_then(|value| value.to_str().ok());
    if let Some(id) = given
        && !id.is_empty()
        && id.len() <= LONGEST
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte))
    {
        return id.to_owned();
    }
    format!("req-{}-{:016x}", gw_pipeline::now_ms() / 1_000, rand::random::<u64>())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use http::{HeaderMap, HeaderValue};

    #[test]
    fn usable_ids_are_kept_and_others_replaced() {
        let with = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("x-request-id", HeaderValue::from_str(text).unwrap());
            super::of(&headers)
        };
        assert_eq!(with("abc-1.2:3_4"), "abc-1.2:3_4");
        for bad in ["", "a b", "a\"b", &"x".repeat(129)] {
            assert!(with(bad).starts_with("req-"), "{bad}");
        }
        assert_ne!(super::of(&HeaderMap::new()), super::of(&HeaderMap::new()));
    }
}
