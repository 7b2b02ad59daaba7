//! What the kernel says of a process: `/proc`, and so Linux only.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};

/// What one tick of the kernel's accounts is for programs: a hundredth of a second, on every machine that we build for.
const TICK: Duration = Duration::from_millis(10);

/// Memory in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Memory {
    /// Resident now.
    pub(crate) now: u64,
    /// Of that, what no file stands behind: the rest is the program, which the kernel can take back.
    pub(crate) anonymous: u64,
    /// The most that ever was.
    pub(crate) peak: u64,
}

/// The memory of a process.
pub(crate) fn memory(pid: u32) -> Result<Memory> {
    memory_in(&read(pid, "status")?).with_context(|| format!("read the memory of process {pid}"))
}

/// The CPU time that a process has used, its own and the kernel's for it, to a hundredth of a second.
pub(crate) fn cpu(pid: u32) -> Result<Duration> {
    cpu_in(&read(pid, "stat")?).with_context(|| format!("read the CPU time of process {pid}"))
}

fn read(pid: u32, file: &str) -> Result<String> {
    let path = format!("/proc/{pid}/{file}");
    fs::read_to_string(&path).with_context(|| format!("read {path}"))
}

fn memory_in(status: &str) -> Option<Memory> {
    let field = |name: &str| -> Option<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        let kilo_bytes: u64 = line.trim_start_matches(':').split_whitespace().next()?.parse().ok()?;
        Some(kilo_bytes * 1024)
    };
    Some(Memory { now: field("VmRSS")?, anonymous: field("RssAnon")?, peak: field("VmHWM")? })
}

fn cpu_in(stat: &str) -> Option<Duration> {
    // The name of the program, in parentheses, may hold anything, also spaces and parentheses.
    let (_, rest) = stat.rsplit_once(')')?;
    // Behind it: state is the third field of the whole, utime the fourteenth, stime the fifteenth.
    let mut fields = rest.split_whitespace().skip(11);
    let ticks: u32 = fields.next()?.parse::<u32>().ok()? + fields.next()?.parse::<u32>().ok()?;
    Some(TICK * ticks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_words_are_read() {
        let status =
            "Name:\tx\nVmHWM:\t   13000 kB\nVmRSS:\t   12000 kB\nRssAnon:\t   7000 kB\nThreads:\t3\n";
        let memory = Memory { now: 12_000 * 1024, anonymous: 7_000 * 1024, peak: 13_000 * 1024 };
        assert_eq!(memory_in(status), Some(memory));
        assert_eq!(memory_in("Name:\tx\n"), None);
        let stat = "42 (a) b (c) S 1 42 42 0 -1 4194560 100 0 0 0 7 5 0 0 20 0 3 0 1000 1 1";
        assert_eq!(cpu_in(stat), Some(Duration::from_millis(120)));
    }

    #[test]
    fn this_process_has_used_some() {
        let me = std::process::id();
        let memory = memory(me).unwrap();
        assert!(memory.now > 0 && memory.peak >= memory.now / 2, "{memory:?}");
        assert!(memory.anonymous <= memory.now, "{memory:?}");
        cpu(me).unwrap();
    }
}
