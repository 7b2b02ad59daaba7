//! The floor: what the calls alone take that a member needs, by a client that decides nothing. It runs as a process of its own
//! in the operator's place, with the operator's account, so that the same is counted of both.

mod client;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use avnm_launcher::child::Child;

use super::programs;
use super::stage::Stage;

/// Where Azure is; Kubernetes is where KUBECONFIG says.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The emulated Azure.
    #[arg(long)]
    arm: String,
    /// Whom to trust there.
    #[arg(long)]
    ca_file: PathBuf,
    /// A file that is written once it watches.
    #[arg(long)]
    ready_file: PathBuf,
}

/// The program.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    // Several libraries choose TLS by it, as in the operator.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = tokio::runtime::Runtime::new().context("start the runtime of the floor")?;
    runtime.block_on(client::run(&args.arm, &args.ca_file, &args.ready_file))?;
    Ok(ExitCode::SUCCESS)
}

/// A running one. It ends when this is dropped.
pub(crate) struct Floor(Child);

impl Floor {
    /// Ends the operator of a stage, and starts the floor there.
    pub(crate) async fn instead_of_operator(stage: &mut Stage) -> Result<Self> {
        stage.operator.stop().await.context("stop the operator for the floor")?;
        let ready = stage.dir.join("floor-ready");
        let shown = |path: &Path| path.display().to_string();
        let args = [
            "floor".to_owned(),
            format!("--arm={}", stage.emulator.arm()),
            format!("--ca-file={}", shown(stage.emulator.ca_file())),
            format!("--ready-file={}", shown(&ready)),
        ];
        let env = [("KUBECONFIG".to_owned(), shown(&stage.kubeconfig))];
        let mut child = Child::start("floor", &programs::bench(), &args, &env, &stage.dir.join("floor.log"))?;
        while !ready.exists() {
            child.must_run().context("start the floor")?;
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        Ok(Self(child))
    }

    pub(crate) fn pid(&self) -> u32 {
        self.0.pid()
    }

    /// Returns once it has ended, with why: a call that was refused, most likely.
    pub(crate) async fn ended(&mut self) -> anyhow::Error {
        loop {
            if let Err(error) = self.0.must_run() {
                return error;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    }
}
