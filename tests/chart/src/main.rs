//! The chart on a real API server: installed, run, upgraded, rolled back and uninstalled by the real helm.
//!
//! There are no nodes and no controllers of workloads, so what they would do is played: `pod` starts the operator with
//! what the kubelet would give it, and `rollout` writes the status of the Deployment. Everything else is real.

mod accepted;
mod chapters;
mod charts;
mod flags;
mod pod;
mod release;
mod rollout;
mod scraped;
mod stage;

use std::process::ExitCode;

use anyhow::Result;
use avnm_launcher::clock::Stopwatch;
use clap::Parser;

use crate::stage::Stage;

/// Installs the chart on a real API server, runs the operator as it is rendered, upgrades and uninstalls it.
///
/// Takes avnm-operator and avnm-emulator as they lie beside this program; helm and the Kubernetes programs are built if
/// need be.
#[derive(Debug, Parser)]
#[command(name = "chart", version)]
struct Args {}

#[tokio::main]
async fn main() -> ExitCode {
    let Args {} = Args::parse();
    let ended = tokio::select! {
        ended = run() => ended,
        () = avnm_launcher::told_to_stop() => {
            eprintln!("\nstopped; ending what was started");
            return ExitCode::from(130);
        }
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the chart failed: {error:?}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<()> {
    let watch = Stopwatch::start();
    flags::run()?;
    let mut stage = Stage::new().await?;
    accepted::run(&stage).await?;
    let played = chapters::run(&mut stage).await;
    if played.is_err() {
        stage.show();
    }
    played?;
    println!("the chart: all passed ({:.0} s)", watch.elapsed().as_secs_f64());
    Ok(())
}
