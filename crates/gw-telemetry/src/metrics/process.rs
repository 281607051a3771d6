//! What the operating system says about this process; nothing where there is no `/proc`.

/// Resident memory in bytes.
pub(super) fn resident_memory_bytes() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024.0)
}

/// Open file descriptors, the one used for counting not included.
pub(super) fn open_file_descriptors() -> Option<f64> {
    let open = std::fs::read_dir("/proc/self/fd").ok()?.count().saturating_sub(1);
    Some(f64::from(u32::try_from(open).ok()?))
}
