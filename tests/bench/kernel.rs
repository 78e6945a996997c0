//! What the kernel says of this machine and of a process: memory, processor time, file system.
//! Linux only, as the benchmark is.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};

/// A field of `/proc/PID/status` in KiB, for example `VmRSS`.
pub fn memory_kib(process: u32, field: &str) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    let number = line.and_then(|line| line.split_whitespace().next()).context("no such field")?;
    Ok(number.parse()?)
}

/// Processor time of all threads that the process has now, in nanosecond steps; `None` where the
/// kernel does not count it.
pub fn processor_time(process: u32) -> Option<Duration> {
    let mut nanoseconds = 0;
    for thread in fs::read_dir(format!("/proc/{process}/task")).ok()?.flatten() {
        let counted = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        nanoseconds += counted.split_whitespace().next()?.parse::<u64>().ok()?;
    }
    Some(Duration::from_nanos(nanoseconds))
}

/// The file system that holds `folder`, as `mount` calls it.
pub fn file_system(folder: &Path) -> Result<String> {
    let folder = folder.canonicalize()?;
    let mounts = fs::read_to_string("/proc/self/mountinfo")?;
    let found = mounts.lines().filter_map(|line| {
        let (place, kind) = line.split_once(" - ")?;
        let point = place.split_whitespace().nth(4)?;
        let kind = kind.split_whitespace().next()?;
        folder.starts_with(point).then(|| (point.len(), kind.to_owned()))
    });
    // A later mount on the same point hides the earlier one.
    let (_, kind) = found.max_by_key(|(length, _)| *length).context("on no file system")?;
    Ok(kind)
}

/// Whether writes to this file system end in memory: then nothing is durable and nothing costs an
/// fdatasync.
pub fn is_memory(file_system: &str) -> bool {
    matches!(file_system, "tmpfs" | "ramfs")
}

/// The processors: how many, which, and whether they are a virtual machine's.
pub fn processors() -> String {
    let count = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(':')?.1.trim())
    };
    let model = field("model name").unwrap_or("processor of unknown name");
    let is_virtual =
        field("flags").is_some_and(|flags| flags.split(' ').any(|f| f == "hypervisor"));
    let kind = if is_virtual { ", virtual machine" } else { "" };
    format!("{count} ({model}{kind})")
}

/// The load averages: who else was at work.
pub fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}
