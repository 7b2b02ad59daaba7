//! Where and of what figures were measured: without that, they are compared with what they cannot be.

use std::fs;
use std::path::Path;
use std::process::Command;

use avnm_launcher::{clock, run};
use serde_json::{Value, json};

/// What stands with all figures.
#[derive(Debug, Clone)]
pub(crate) struct Machine {
    cpu: String,
    cores: usize,
    memory_bytes: u64,
    kernel: String,
    commit: String,
    changed: bool,
    date: String,
    profile: String,
}

impl Machine {
    /// This one, now. `programs` is where the programs lie, if they are not of the release build.
    pub(crate) fn here(programs: Option<&Path>) -> Self {
        Self {
            cpu: cpu_model(&fs::read_to_string("/proc/cpuinfo").unwrap_or_default()),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_bytes: memory(&fs::read_to_string("/proc/meminfo").unwrap_or_default()),
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned(),
            commit: git(&["rev-parse", "--short=12", "HEAD"]).unwrap_or_else(|| "unknown".into()),
            changed: git(&["status", "--porcelain", "--untracked-files=no"])
                .is_some_and(|out| !out.is_empty()),
            date: clock::now().strftime("%Y-%m-%d %H:%M UTC").to_string(),
            profile: programs.map_or_else(
                || profile(|name| std::env::var(name).ok()),
                |folder| {
                    let workspace = run::workspace_dir();
                    format!("the programs of {}", folder.strip_prefix(workspace).unwrap_or(folder).display())
                },
            ),
        }
    }

    /// In one line.
    pub(crate) fn line(&self) -> String {
        let Self { cpu, cores, memory_bytes, kernel, commit, changed, date, profile } = self;
        let changed = if *changed { " with changes that are not committed" } else { "" };
        let gigabytes = memory_bytes / 1_000_000_000;
        format!(
            "{date}; {cpu}, {cores} cores, {gigabytes} GB, Linux {kernel}; commit {commit}{changed}; {profile}; API server, \
             etcd, emulator, operator and bench share the machine"
        )
    }

    /// For the file.
    pub(crate) fn json(&self) -> Value {
        json!({
            "cpu": self.cpu,
            "cores": self.cores,
            "memoryBytes": self.memory_bytes,
            "kernel": self.kernel,
            "commit": self.commit,
            "uncommittedChanges": self.changed,
            "date": self.date,
            "profile": self.profile,
        })
    }
}

fn git(args: &[&str]) -> Option<String> {
    let output = Command::new("git").args(args).current_dir(run::workspace_dir()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The profile of the build, with what the environment has changed of it.
fn profile(variable: impl Fn(&str) -> Option<String>) -> String {
    let changed: Vec<String> =
        [("LTO", "lto"), ("CODEGEN_UNITS", "codegen-units"), ("OPT_LEVEL", "opt-level")]
            .into_iter()
            .filter_map(|(name, key)| {
                variable(&format!("CARGO_PROFILE_RELEASE_{name}")).map(|value| format!("{key}={value}"))
            })
            .collect();
    if changed.is_empty() {
        "release profile".into()
    } else {
        format!("release profile but {}", changed.join(", "))
    }
}

fn cpu_model(cpuinfo: &str) -> String {
    let named = |line: &str| line.split_once(':').map(|(_, value)| value.trim().to_owned());
    cpuinfo
        .lines()
        .find(|line| line.starts_with("model name"))
        .and_then(named)
        .unwrap_or_else(|| "unknown CPU".into())
}

fn memory(meminfo: &str) -> u64 {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kilo_bytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilo_bytes.unwrap_or_default() * 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_words_are_read() {
        assert_eq!(cpu_model("processor\t: 0\nmodel name\t: A CPU @ 2 GHz\n"), "A CPU @ 2 GHz");
        assert_eq!(cpu_model(""), "unknown CPU");
        assert_eq!(memory("MemTotal:        2 kB\nMemFree: 1 kB\n"), 2048);
    }

    #[test]
    fn a_build_that_is_not_the_shipped_one_is_told() {
        assert_eq!(profile(|_| None), "release profile");
        let lto = profile(|name| (name == "CARGO_PROFILE_RELEASE_LTO").then(|| "off".into()));
        assert_eq!(lto, "release profile but lto=off");
    }
}
