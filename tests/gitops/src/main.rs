//! Runs a GitOps tool, as it is, against a real API server, the emulated Azure and the operator, on the objects of
//! docs/examples/quickstart: what it waits for, what it deletes, and that it never finds a difference that nobody made.

mod argocd;
mod flux;
mod hub;
mod program;
mod repository;
mod stage;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, ValueEnum};

use crate::stage::Stage;

/// Runs a GitOps tool against a real API server, the emulated Azure and the operator.
#[derive(Debug, Parser)]
struct Args {
    /// The tool; it is built first, unless it was.
    tool: Tool,
    /// The parts to run, all without any: waves, steady, guarded of Argo CD; order, stalled, guarded of Flux.
    #[arg(value_parser = ["waves", "steady", "order", "stalled", "guarded"])]
    parts: Vec<String>,
    /// Leave everything up after a failure, or at the end, until Ctrl-C.
    #[arg(long)]
    keep: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Tool {
    /// Argo CD's application controller and repo server.
    Argocd,
    /// Flux's kustomize-controller.
    Flux,
}

/// Which parts of a tool's run are wanted.
struct Parts<'a>(&'a [String]);

impl Parts<'_> {
    /// Whether a part is wanted.
    fn has(&self, part: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|wanted| wanted == part)
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    tokio::select! {
        result = run(&args) => match result {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("failed: {error:?}");
                ExitCode::FAILURE
            }
        },
        () = avnm_launcher::told_to_stop() => ExitCode::from(130),
    }
}

async fn run(args: &Args) -> Result<()> {
    let stage = Stage::start().await?;
    let parts = Parts(&args.parts);
    let result = match args.tool {
        Tool::Argocd => argocd::run(&stage, &parts).await,
        Tool::Flux => flux::run(&stage, &parts).await,
    };
    if let Err(error) = &result {
        eprintln!("failed: {error:?}");
        stage.show().await;
    }
    if args.keep {
        eprintln!("kept up until Ctrl-C; export KUBECONFIG={}", stage.kubectl().kubeconfig().display());
        avnm_launcher::told_to_stop().await;
    }
    result
}
