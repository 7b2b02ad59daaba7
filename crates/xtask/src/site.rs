//! `cargo xtask site`: the documentation as a site, built by the pinned mdBook into `target/site`, and whether every link
//! in it leads somewhere. No network but to build mdBook itself, once.

mod links;
#[cfg(test)]
mod pages;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, ensure};

/// Builds and checks.
pub(crate) fn run() -> Result<ExitCode> {
    let site = build()?;
    let found = links::check(&site)?;
    for dead in &found.dead {
        eprintln!("site: {dead}");
    }
    if !found.dead.is_empty() {
        eprintln!("site: {} links lead nowhere", found.dead.len());
        return Ok(ExitCode::FAILURE);
    }
    println!("site: {} pages, {} links inside, all of them lead somewhere", found.pages, found.links);
    let index = site.join("index.html");
    println!("site: open {}", index.canonicalize().unwrap_or(index).display());
    Ok(ExitCode::SUCCESS)
}

fn build() -> Result<PathBuf> {
    let mdbook = Command::new(top().join("tools/crate.sh"))
        .arg("mdbook")
        .stderr(std::process::Stdio::inherit())
        .output()
        .context("run tools/crate.sh mdbook")?;
    ensure!(mdbook.status.success(), "tools/crate.sh mdbook ended with {}", mdbook.status);
    let mdbook = String::from_utf8(mdbook.stdout).context("read the path of mdbook")?;
    let output = Command::new(mdbook.trim())
        .args(["build"])
        .arg(top())
        .env("MDBOOK_LOG", "warn")
        .output()
        .with_context(|| format!("run {}", mdbook.trim()))?;
    let said = String::from_utf8_lossy(&output.stderr);
    // It warns of what a reader would stumble over, such as a placeholder in angle brackets that is taken for HTML.
    ensure!(output.status.success() && said.trim().is_empty(), "mdbook build: {}\n{said}", output.status);
    Ok(top().join("target/site"))
}

/// The workspace's folder.
fn top() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}
