//! Counts failed logins per client address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use parking_lot::Mutex;

/// Failures allowed in a window.
const FAILURES: u32 = 5;
const WINDOW_MS: i64 = 60_000;
/// Addresses remembered; further ones share one count, so that many addresses do not take memory without bound.
const MAX_ADDRESSES: usize = 4096;

/// Shared by clients without a known address and by those beyond the bound.
const SHARED: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

#[derive(Debug, Clone, Copy)]
struct Window {
    started_ms: i64,
    failures: u32,
}

/// Failed logins in the running minute of each address.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    windows: Mutex<HashMap<IpAddr, Window>>,
}

impl Throttle {
    /// Whether the client may try; otherwise in how many seconds it may again.
    pub(crate) fn check(&self, client: Option<IpAddr>, now_ms: i64) -> Result<(), u64> {
        match self.windows.lock().get(&bucket(client)) {
            Some(window) => window.check(now_ms),
            None => Ok(()),
        }
    }

    /// Counts an attempt as failed until `succeeded` takes it back, so that parallel attempts cannot exceed the bound.
    pub(crate) fn attempt(&self, client: Option<IpAddr>, now_ms: i64) -> Result<(), u64> {
        let mut windows = self.windows.lock();
        let mut bucket = bucket(client);
        if windows.len() >= MAX_ADDRESSES && !windows.contains_key(&bucket) {
            windows.retain(|_, window| window.is_open(now_ms));
            if windows.len() >= MAX_ADDRESSES {
                bucket = SHARED;
            }
        }
        let fresh = Window { started_ms: now_ms, failures: 0 };
        let window = windows.entry(bucket).or_insert(fresh);
        if !window.is_open(now_ms) {
            *window = fresh;
        }
        window.check(now_ms)?;
        window.failures += 1;
        Ok(())
    }

    /// The attempt was no failure.
    pub(crate) fn succeeded(&self, client: Option<IpAddr>) {
        if let Some(window) = self.windows.lock().get_mut(&bucket(client)) {
            window.failures = window.failures.saturating_sub(1);
        }
    }
}

impl Window {
    /// A clock that was set back closes the window as well.
    const fn is_open(&self, now_ms: i64) -> bool {
        now_ms >= self.started_ms && now_ms < self.started_ms.saturating_add(WINDOW_MS)
    }

    fn check(&self, now_ms: i64) -> Result<(), u64> {
        if !self.is_open(now_ms) || self.failures < FAILURES {
            return Ok(());
        }
        let left_ms = self.started_ms.saturating_add(WINDOW_MS).saturating_sub(now_ms);
        Err(u64::try_from(left_ms).unwrap_or(0).div_ceil(1000).max(1))
    }
}

/// An IPv6 client has at least a /64 of addresses to try from, so those count as one.
fn bucket(client: Option<IpAddr>) -> IpAddr {
    match client.map(|address| address.to_canonical()) {
        None => SHARED,
        Some(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        Some(address) => address,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn client(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn five_failures_a_minute_per_address() {
        let throttle = Throttle::default();
        for second in 0..5 {
            assert_eq!(throttle.attempt(client("192.0.2.1"), second * 1000), Ok(()));
        }
        assert_eq!(throttle.attempt(client("192.0.2.1"), 5_000), Err(55));
        assert_eq!(throttle.check(client("::ffff:192.0.2.1"), 59_999), Err(1));
        assert_eq!(throttle.check(client("192.0.2.2"), 5_000), Ok(()));
        assert_eq!(throttle.attempt(client("192.0.2.1"), 60_000), Ok(()));
        assert_eq!(throttle.check(client("192.0.2.1"), 60_001), Ok(()));
    }

    #[test]
    fn success_is_no_failure() {
        let throttle = Throttle::default();
        for _ in 0..100 {
            assert_eq!(throttle.attempt(None, 0), Ok(()));
            throttle.succeeded(None);
        }
    }

    #[test]
    fn neighbours_in_a_prefix_count_as_one() {
        let throttle = Throttle::default();
        for host in 0..5 {
            assert_eq!(throttle.attempt(client(&format!("2001:db8:1:2::{host}")), 0), Ok(()));
        }
        assert!(throttle.attempt(client("2001:db8:1:2:ffff::1"), 0).is_err());
        assert!(throttle.attempt(client("2001:db8:1:3::1"), 0).is_ok());
    }

    #[test]
    fn memory_is_bounded_and_stays_closed() {
        let throttle = Throttle::default();
        let address = |number: usize| Some(IpAddr::V4(Ipv4Addr::from(0x0a00_0000 + u32::try_from(number).unwrap())));
        for number in 0..MAX_ADDRESSES {
            assert_eq!(throttle.attempt(address(number), 0), Ok(()));
        }
        for number in 0..5 {
            assert_eq!(throttle.attempt(address(MAX_ADDRESSES + number), 0), Ok(()));
        }
        assert!(throttle.attempt(address(MAX_ADDRESSES + 5), 0).is_err());
        assert!(throttle.windows.lock().len() <= MAX_ADDRESSES + 1);
        assert_eq!(throttle.attempt(address(MAX_ADDRESSES + 5), WINDOW_MS), Ok(()), "old windows make room");
    }
}
