//! Asks the server in this process and the real one the same, and tells where their answers differ.
//!
//! The real one is started from the programs that `tools/build.sh` builds, or found as the launcher finds it. With
//! `--bless`, its answers are recorded for `cargo test`.

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use avnm_launcher::{ControlPlane, Run, control_plane};
use avnm_loop::{
    api_server::{self, ApiServer, NoHook, Options},
    same_answers::{self, normalise::normalise, play::play, sequences},
};
use clap::Parser;
use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};

#[derive(Debug, Parser)]
#[command(about)]
struct Arguments {
    /// Record the answers of the real server.
    #[arg(long)]
    bless: bool,
    /// Play only sequences whose name contains one of these.
    only: Vec<String>,
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let run = Run::new()?;
    let plane = ControlPlane::start(&run, &control_plane::Options::default()).await?;
    let real = client(&plane).await?;
    sequences::install(&plane).await?;
    let mut differ = 0_usize;
    for sequence in sequences::all() {
        let chosen = arguments.only.iter().any(|part| sequence.name.contains(part));
        if !arguments.only.is_empty() && !chosen {
            continue;
        }
        let answers = normalise(play(&real, &sequence).await?);
        if arguments.bless {
            same_answers::write(sequence.name, &answers)?;
        }
        // A server of its own for each: what one leaves behind is none of another's.
        let ours = server()?.client("script/1.0");
        let told = same_answers::compare(&answers, &normalise(play(&ours, &sequence).await?));
        println!("{}: {} answers, {} differences", sequence.name, answers.len(), told.len());
        for line in &told {
            println!("  {line}");
        }
        differ = differ.saturating_add(told.len());
    }
    Ok(if differ == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn server() -> Result<ApiServer> {
    let start = "2026-01-01T00:00:00Z".parse().context("read the time to begin at")?;
    let options = Options {
        clock: api_server::going_from(start),
        seed: 1,
        sign: api_server::unsigned(),
        hook: std::sync::Arc::new(NoHook),
    };
    ApiServer::with_our_kinds(options)
        .map_err(|refusal| anyhow::anyhow!("serve our kinds: {}", refusal.message))
}

async fn client(plane: &ControlPlane) -> Result<Client> {
    let kubeconfig = Kubeconfig::read_from(plane.kubeconfig()).context("read the kubeconfig")?;
    let options = KubeConfigOptions::default();
    let mut config =
        Config::from_custom_kubeconfig(kubeconfig, &options).await.context("make a client's config")?;
    // An answer is an answer, also where it asks to try again.
    config.default_retry = false;
    Client::try_from(config).context("make a client")
}
