//! The pinned programs of the tools, which `tools/gitops.sh` builds once.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use avnm_launcher::run;

/// The path of a program. Beside it lie the CRDs that it reads.
pub(crate) fn find(name: &str) -> Result<PathBuf> {
    let output = Command::new(run::workspace_dir().join("tools/gitops.sh"))
        .arg(name)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("run tools/gitops.sh for {name}"))?;
    let path = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    if !output.status.success() || !path.is_file() {
        bail!("build {name} with tools/gitops.sh: it ended with {}", output.status);
    }
    Ok(path)
}
