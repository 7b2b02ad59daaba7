//! `cargo xtask COMMAND`: the chores of this workspace, one file each.

mod argocd;
mod bench;
mod crds_page;
mod demo;
mod generate;
mod layers;
mod prepare;
mod sim;
mod site;
mod tables;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The chores of this workspace.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measures the shipped programs against the emulator and a real API server, and prints figures beside budgets.
    Bench(bench::Args),
    /// Shows the main job, end to end: a real API server, an emulated Azure, and the operator between them.
    Demo(demo::Args),
    /// What the bench starts in the operator's place.
    #[command(hide = true)]
    Floor(bench::floor::Args),
    /// Writes the generated files.
    Generate,
    /// Checks which crate may see which, that the pure ones stay pure, and which modules are in circles.
    Layers,
    /// Plays the loop in one process from a seed, with faults, and prints a trace; `sim --help` says what can be chosen.
    Sim(sim::Args),
    /// Builds the documentation's site with mdBook, and looks whether every link in it leads somewhere.
    Site,
}

fn main() -> ExitCode {
    let result = match Args::parse().command {
        Command::Bench(args) => bench::run(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Floor(args) => bench::floor::run(&args),
        Command::Generate => generate::run(),
        Command::Layers => layers::run(),
        Command::Sim(args) => sim::run(&args),
        Command::Site => site::run(),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:?}");
            ExitCode::FAILURE
        }
    }
}
