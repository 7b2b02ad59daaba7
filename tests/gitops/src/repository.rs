//! A Git repository on the disk: what a tool is told to bring about.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// A repository with one branch, main.
#[derive(Debug)]
pub(crate) struct Repository {
    dir: PathBuf,
}

impl Repository {
    /// A new one in a folder.
    pub(crate) fn create(dir: &Path) -> Result<Self> {
        fs::create_dir_all(dir).with_context(|| format!("create {}", dir.display()))?;
        let repository = Self { dir: dir.to_owned() };
        repository.git(&["init", "--quiet", "--initial-branch=main"])?;
        Ok(repository)
    }

    /// Its folder.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Its address.
    pub(crate) fn url(&self) -> String {
        format!("file://{}", self.dir.display())
    }

    /// Writes objects to a file. JSON is YAML.
    pub(crate) fn write(&self, path: &str, objects: &[Value]) -> Result<()> {
        let file = self.dir.join(path);
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder).with_context(|| format!("create {}", folder.display()))?;
        }
        let documents: Vec<String> = objects.iter().map(|object| format!("{object:#}\n")).collect();
        fs::write(&file, documents.join("---\n")).with_context(|| format!("write {path}"))
    }

    /// Takes a file or a folder away.
    pub(crate) fn remove(&self, path: &str) -> Result<()> {
        self.git(&["rm", "-r", "--quiet", "--", path]).map(drop)
    }

    /// Commits everything as it is now; gives the commit.
    pub(crate) fn commit(&self, message: &str) -> Result<String> {
        self.git(&["add", "--all"])?;
        self.git(&["commit", "--quiet", "--allow-empty", "-m", message])?;
        self.git(&["rev-parse", "HEAD"])
    }

    fn git(&self, args: &[&str]) -> Result<String> {
        let output = Command::new("git")
            .args(["-c", "user.name=hub", "-c", "user.email=hub@example.com", "-c", "commit.gpgsign=false"])
            .args(args)
            .current_dir(&self.dir)
            // Nobody's own settings or hooks.
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .output()
            .with_context(|| format!("run git {}", args.join(" ")))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("git {} ended with {}: {}", args.join(" "), output.status, said.trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }
}
