//! The folder of one run: logs, certificates, kubeconfigs and the data of etcd.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::clock;

/// How many older runs are kept to be looked at.
const KEPT: usize = 5;
/// A run younger than this may still be going on, and is never swept away.
const YOUNG: Duration = Duration::from_secs(60 * 60);

/// One folder per run, `target/e2e/<time>-<process>`. It stays after the run: a failure is read there.
#[derive(Debug, Clone)]
pub struct Run {
    dir: PathBuf,
}

impl Run {
    /// A new folder, with the older ones beyond the last five removed.
    pub fn new() -> Result<Self> {
        Self::under(&target_dir().join("e2e"))
    }

    /// A new folder in `base`.
    pub fn under(base: &Path) -> Result<Self> {
        sweep(base);
        let dir = base.join(format!("{}-{}", clock::stamp(), std::process::id()));
        fs::create_dir_all(&dir).with_context(|| format!("create the run's folder {}", dir.display()))?;
        Ok(Self { dir })
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// A run within this one, for one of several control planes.
    pub fn part(&self, name: &str) -> Result<Self> {
        Ok(Self { dir: self.subdir(name)? })
    }

    /// A folder within it, made if it is not there.
    pub fn subdir(&self, name: &str) -> Result<PathBuf> {
        let dir = self.dir.join(name);
        fs::create_dir_all(&dir).with_context(|| format!("create the folder {}", dir.display()))?;
        Ok(dir)
    }
}

/// The root of the workspace.
pub fn workspace_dir() -> PathBuf {
    // Known when this crate is compiled: tests/launcher is two levels below the root.
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap_or_else(|_| PathBuf::from("."))
}

/// Cargo's target directory: what the environment says, or `target` in the workspace.
pub fn target_dir() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => workspace_dir().join(dir),
        None => workspace_dir().join("target"),
    }
}

/// Best effort: a folder that cannot be removed now is removed by a later run.
fn sweep(base: &Path) {
    let Ok(entries) = fs::read_dir(base) else { return };
    let mut runs: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(|p| p.is_dir()).collect();
    runs.sort();
    runs.truncate(runs.len().saturating_sub(KEPT));
    for run in runs {
        let age = fs::metadata(&run).and_then(|m| m.modified()).ok().and_then(|t| t.elapsed().ok());
        if age.is_some_and(|age| age > YOUNG) {
            let _ = fs::remove_dir_all(run);
        }
    }
}
