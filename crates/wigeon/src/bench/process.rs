//! What the operating system says of a process, and what it lets us have.
//!
//! Figures come from `/proc`, so there are none where there is no Linux.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::limits::OTHER_FILES;

/// What `stat` counts blocks in, whatever the file system's own are.
const BLOCK_BYTES: u64 = 512;

/// CPU time of a process, user and system, over all its threads.
///
/// The scheduler's own sum is exact but forgets threads that ended; the process's count forgets nothing but
/// comes in steps of ten milliseconds. The greater of the two is the better.
pub(super) fn cpu(pid: u32) -> Option<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may hold anything.
    let fields: Vec<&str> = stat[stat.rfind(')')? + 2..].split_whitespace().collect();
    let ticks = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    let counted = Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64);
    Some(counted.max(Duration::from_nanos(scheduled_ns(pid))))
}

fn scheduled_ns(pid: u32) -> u64 {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    threads
        .filter_map(|thread| fs::read_to_string(thread.path().join("schedstat")).ok())
        .filter_map(|text| text.split_whitespace().next()?.parse::<u64>().ok())
        .sum()
}

/// Resident memory in KiB.
pub(super) fn rss_kib(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

/// Bytes on the disk below a directory: what is kept there, not how long files say they are.
pub(super) fn disk_bytes(directory: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let about = entry.metadata()?;
        bytes += if about.is_dir() { disk_bytes(&entry.path())? } else { about.blocks() * BLOCK_BYTES };
    }
    Ok(bytes)
}

/// Makes sure that so many connections may be open; the server that we start inherits it.
pub(super) fn allow_connections(connections: usize) -> Result<()> {
    let needed = connections as u64 + OTHER_FILES;
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    let raised = Rlimit { current: Some(maximum.map_or(needed, |maximum| maximum.min(needed))), maximum };
    if maximum.is_none_or(|maximum| maximum >= needed) && setrlimit(Resource::Nofile, raised).is_ok() {
        return Ok(());
    }
    bail!(
        "{connections} connections need {needed} open files, and this shell allows {}\n  hint: ask for fewer, or raise the limit: as root `ulimit -n {needed}`, for good in /etc/security/limits.conf",
        maximum.or(current).unwrap_or(0)
    )
}

/// The processors that a process may run on.
pub(super) type Cpus = Vec<usize>;

/// Reads `0`, `0,2` or `4-7`.
pub(super) fn parse_cpus(text: &str) -> Result<Cpus, String> {
    let number = |text: &str| text.parse::<usize>().ok().filter(|cpu| *cpu < 1024);
    let mut cpus = Cpus::new();
    for part in text.split(',') {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        match (number(from), number(to)) {
            (Some(from), Some(to)) if from <= to => cpus.extend(from..=to),
            _ => return Err("write processors like 0 or 0,2 or 4-7".to_owned()),
        }
    }
    Ok(cpus)
}

/// Runs this thread, and what it starts from now on, on these processors alone. Returns where it ran before.
#[cfg(target_os = "linux")]
pub(super) fn run_on(cpus: &[usize]) -> Result<Cpus> {
    use anyhow::Context;
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
    let before = sched_getaffinity(None).context("cannot tell which processors there are")?;
    let mut set = CpuSet::new();
    for cpu in cpus {
        set.set(*cpu);
    }
    sched_setaffinity(None, &set)
        .with_context(|| format!("this machine has no such processors, or not for us: {}", join(cpus)))?;
    Ok((0..CpuSet::MAX_CPU).filter(|cpu| before.is_set(*cpu)).collect())
}

#[cfg(target_os = "linux")]
fn join(cpus: &[usize]) -> String {
    cpus.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

#[cfg(not(target_os = "linux"))]
pub(super) fn run_on(_: &[usize]) -> Result<Cpus> {
    bail!("choosing processors needs Linux")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processors_are_named_singly_and_by_ranges() {
        assert_eq!(parse_cpus("0"), Ok(vec![0]));
        assert_eq!(parse_cpus("4-6,1"), Ok(vec![4, 5, 6, 1]));
        for bad in ["", "a", "1-", "3-1", "1,,2", "-1", "5000"] {
            assert!(parse_cpus(bad).is_err(), "{bad}");
        }
    }
}
