//! `cargo xtask sim`: plays the loop in one process. It is a program of `tests/loop`, which sees all of the product; this builds
//! and starts it.

use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result};

/// What is handed on.
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Args {
    /// Everything that `sim` takes.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["run", "--quiet", "--package", "avnm-loop", "--bin", "sim", "--"])
        .args(&args.rest)
        .status()
        .context("start sim")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
