//! What the kernel says of a process: CPU time used, memory held.

use std::fs;

/// The kernel's clock ticks per second: 100 on every Linux that we meet.
const TICKS_PER_SECOND: u64 = 100;

/// CPU time of all `pids` so far, user and system, in microseconds.
pub fn cpu_micros(pids: &[u32]) -> u64 {
    pids.iter().map(|pid| ticks(*pid) * 1_000_000 / TICKS_PER_SECOND).sum()
}

/// Resident memory of all `pids` in KiB.
pub fn resident_kib(pids: &[u32]) -> u64 {
    pids.iter().map(|pid| resident(*pid)).sum()
}

fn ticks(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name may contain spaces and brackets; fields are counted after its closing one.
    let fields = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum()
}

fn resident(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{cpu_micros, resident_kib};

    #[test]
    fn this_process_is_seen() {
        let pid = [std::process::id()];
        let before = cpu_micros(&pid);
        let mut sum = 0u64;
        while cpu_micros(&pid) < before + 50_000 {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        assert!(resident_kib(&pid) > 500);
    }
}
