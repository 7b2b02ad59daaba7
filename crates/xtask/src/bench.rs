//! `cargo xtask bench`: figures of the shipped programs, beside the budget of each.
//!
//! Whole processes of the release build, a real API server, Azure emulated without delays, and all of it on this one
//! machine: the API server, the emulator and the bench share its cores with what is measured. It judges nothing and
//! is no test, since a busy machine gives other figures; what it counts (calls, writes) is the same everywhere.
//!
//! The emulator alone first: where it is slow, nothing else is worth measuring. Then three stages, each with a control
//! plane, an emulator and an operator of its own: [`connect`], and members twice.

mod calls;
mod connect;
mod emulator;
mod load;
mod members;
mod process;
mod stage;
mod table;
mod world;

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use avnm_launcher::clock::Stopwatch;
use avnm_launcher::{run, told_to_stop};

use crate::prepare::{self, Profile};
use table::Table;

/// The program of the release build.
fn program(name: &str) -> std::path::PathBuf {
    run::target_dir().join("release").join(name)
}

/// What to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only the emulator: needs no Kubernetes program.
    #[arg(long, conflicts_with = "members")]
    emulator: bool,
    /// Only so many members in one group, instead of all
    #[arg(long)]
    members: Option<usize>,
}

/// Builds, measures, prints.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let watch = Stopwatch::start();
    if args.emulator {
        prepare::emulator()?;
    } else {
        prepare::build(Profile::Release)?;
    }
    let runtime = tokio::runtime::Runtime::new().context("start the runtime of the bench")?;
    runtime.block_on(async {
        tokio::select! {
            measured = measure(args) => {
                println!("\n{}", measured?);
                println!("measured in {:.0} s", watch.elapsed().as_secs_f64());
                Ok(ExitCode::SUCCESS)
            }
            () = told_to_stop() => Ok(ExitCode::from(130)),
        }
    })
}

async fn measure(args: &Args) -> Result<Table> {
    let mut table = Table::default();
    if let Some(count) = args.members {
        members::many(&mut table, count).await.with_context(|| format!("measure {count} members"))?;
        return Ok(table);
    }
    emulator::measure(&mut table).await.context("measure the emulator")?;
    if args.emulator {
        return Ok(table);
    }
    binary(&mut table)?;
    connect::measure(&mut table).await.context("measure connections")?;
    members::at_rest(&mut table).await.context("measure a few members")?;
    members::many(&mut table, members::MANY).await.context("measure many members")?;
    Ok(table)
}

fn binary(table: &mut Table) -> Result<()> {
    let file = program("avnm-operator");
    let size = std::fs::metadata(&file).with_context(|| format!("look at {}", file.display()))?.len();
    table.section("the program");
    table.row("avnm-operator, stripped", table::mega_bytes(size), "9 MB");
    Ok(())
}
