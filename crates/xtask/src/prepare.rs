//! Builds what demo and bench run: the Kubernetes programs beside our own, so that a fresh machine waits once.

use std::process::Command;
use std::thread;

use anyhow::{Context as _, Result, anyhow, bail};
use avnm_launcher::assets::Asset;
use avnm_launcher::clock::Stopwatch;
use avnm_launcher::run;

/// How our own programs are built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// As everything else in this workspace.
    Debug,
    /// As they are shipped.
    Release,
}

/// What is started that is not ours.
const TOOLS: [Asset; 3] = [Asset::Etcd, Asset::ApiServer, Asset::Kubectl];

/// Finds or builds them all. Both builds tell their progress on stderr as it comes.
pub(crate) fn build(profile: Profile) -> Result<()> {
    if profile == Profile::Release {
        println!("the first time the release build takes several minutes; every other time a second");
    }
    let watch = Stopwatch::start();
    let tools = thread::spawn(tools);
    let ours = cargo_build(profile);
    let tools = tools.join().map_err(|_| anyhow!("build the Kubernetes programs: the thread panicked"))?;
    // Both ends are awaited before either is judged, so that no build runs on after this has ended.
    ours?;
    tools?;
    println!("built in {:.0} s", watch.elapsed().as_secs_f64());
    Ok(())
}

/// Finds or builds what is not ours, and nothing else.
pub(crate) fn tools() -> Result<()> {
    TOOLS.iter().try_for_each(|asset| asset.find().map(drop))
}

/// Builds the emulator as it is shipped, and nothing else.
pub(crate) fn emulator() -> Result<()> {
    println!("the first time the release build takes several minutes; every other time a second");
    cargo(&["--package", "avnm-emulator", "--release"])
}

/// Builds this program as what it measures is built.
pub(crate) fn xtask_in_release() -> Result<()> {
    println!("the first time the release build takes several minutes; every other time a second");
    cargo(&["--package", "xtask", "--release"])
}

fn cargo_build(profile: Profile) -> Result<()> {
    // Debug: with all the others, as `make` builds them; a smaller set would unify features differently and compile
    // everything once more. Release: nothing else is built so, and only what is measured.
    let what: &[&str] = match profile {
        Profile::Debug => &["--workspace"],
        Profile::Release => &["--package", "avnm-operator", "--package", "avnm-emulator", "--release"],
    };
    cargo(what)
}

fn cargo(what: &[&str]) -> Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--bins"])
        .args(what)
        .current_dir(run::workspace_dir())
        .status()
        .context("run cargo build")?;
    if !status.success() {
        bail!("build our own programs: cargo ended with {status}");
    }
    Ok(())
}
