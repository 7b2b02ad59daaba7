//! `cargo xtask bench`: figures of the shipped programs, beside the budget of each.
//!
//! Whole processes of the release build, a real API server, Azure emulated without delays, and all of it on this one
//! machine: the API server, the emulator and the bench share its cores with what is measured. It judges nothing and
//! is no test, since a busy machine gives other figures; what it counts (calls, writes) is the same everywhere.
//!
//! What is measured has a name ([`case`]). Each run has stages of its own, each with a control plane, an emulator and an
//! operator; cases that follow one another on the same objects share one. Beside each creation stands its floor ([`floor`]).

mod calls;
mod case;
mod connect;
mod create;
mod emulator;
mod figure;
pub(crate) mod floor;
mod hang;
mod life;
mod load;
mod machine;
mod newcomer;
mod process;
mod programs;
mod report;
mod stage;
mod throttled;
mod world;

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result};
use avnm_launcher::clock::Stopwatch;
use avnm_launcher::told_to_stop;

use crate::prepare;
use case::{Case, Kind, Shape};
use figure::Figures;
use machine::Machine;
use report::Report;
use stage::Stage;

/// What to measure.
#[derive(Debug, clap::Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Only these cases, with a comma between two; --list shows the names
    #[arg(long, value_delimiter = ',', conflicts_with_all = ["all", "members", "emulator"])]
    cases: Vec<Case>,
    /// All cases instead of the usual ones: hours
    #[arg(long, conflicts_with_all = ["members", "emulator"])]
    all: bool,
    /// Only so many members in one group: create, restart and hour
    #[arg(long, conflicts_with = "emulator")]
    members: Option<usize>,
    /// Only the emulator: needs no Kubernetes program
    #[arg(long)]
    emulator: bool,
    /// Measures the operator and the emulator of this folder and builds neither, such as the image's of `make image`:
    /// target/image/cargo/x86_64-unknown-linux-musl/release
    #[arg(long, value_name = "FOLDER")]
    programs: Option<PathBuf>,
    /// How often each case is measured
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=100))]
    runs: u16,
    /// Writes the machine, the commit, and every figure of every run to this file, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Prints tables of Markdown, ready to paste
    #[arg(long)]
    markdown: bool,
    /// Shows the cases and ends
    #[arg(long)]
    list: bool,
}

const AFTER_HELP: &str = "\
A case is KIND, or KIND-MEMBERSxGROUPS with -pITEMS where a page of a list has not 20 items; any numbers will do:
  cargo xtask bench --cases create-1000x10,restart-1000x10 --runs 5 --json figures.json
create, restart, drift, hour and delete of one size are measured one after another on the same objects.
docs/guide/performance.md says what each figure means.";

/// Builds, measures, prints.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let cases = cases(args);
    if args.list {
        println!("usual:");
        for case in Case::usual() {
            println!("  {case:<26} {}", case.kind.about());
        }
        println!("with --all, too:");
        for case in Case::all().into_iter().filter(|case| !Case::usual().contains(case)) {
            println!("  {case:<26} {}", case.kind.about());
        }
        return Ok(ExitCode::SUCCESS);
    }
    if cfg!(debug_assertions) {
        // Who measures and the floor are of the same build as what is measured.
        return again_in_release();
    }
    let watch = Stopwatch::start();
    programs::prepare(args.programs.as_deref(), &cases)?;
    let runtime = tokio::runtime::Runtime::new().context("start the runtime of the bench")?;
    runtime.block_on(async {
        let mut report = Report::new(Machine::here(programs::folder()), &cases);
        let ended = tokio::select! {
            measured = measure(&cases, args.runs, &mut report) => measured,
            () = told_to_stop() => return Ok(ExitCode::from(130)),
        };
        // What was measured before something failed is none the worse.
        println!("\n{}", if args.markdown { report.markdown() } else { report.table() });
        if let Some(file) = &args.json {
            let text = format!("{:#}\n", report.json());
            std::fs::write(file, text).with_context(|| format!("write {}", file.display()))?;
        }
        println!("measured in {:.0} s", watch.elapsed().as_secs_f64());
        ended.map(|()| ExitCode::SUCCESS)
    })
}

fn cases(args: &Args) -> Vec<Case> {
    match args.members {
        _ if !args.cases.is_empty() => args.cases.clone(),
        _ if args.all => Case::all(),
        _ if args.emulator => Case::usual().into_iter().filter(|case| case.kind == Kind::Emulator).collect(),
        Some(members) => Case::of_members(members),
        None => Case::usual(),
    }
}

fn again_in_release() -> Result<ExitCode> {
    prepare::xtask_in_release()?;
    let status = Command::new(programs::bench())
        .args(std::env::args_os().skip(1))
        .status()
        .context("run the release build of the bench")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Run after run, so that a machine that becomes busy shows in the spread of all cases and not in the median of one.
async fn measure(cases: &[Case], runs: u16, report: &mut Report) -> Result<()> {
    for number in 1..=runs {
        eprintln!("bench: run {number} of {runs}");
        let mut lives: Vec<Shape> = Vec::new();
        for case in cases {
            let what = || format!("measure {case}");
            match case.shape {
                Some(shape) if case.kind.is_of_a_life() => {
                    if !lives.contains(&shape) {
                        lives.push(shape);
                        life(cases, shape, report)
                            .await
                            .with_context(|| format!("measure members of {shape}"))?;
                    }
                }
                Some(shape) => {
                    let figures = match case.kind {
                        Kind::Throttled => throttled::measure(shape).await,
                        Kind::Newcomer => newcomer::measure(shape).await,
                        _ => hang::measure(shape).await,
                    };
                    report.take(*case, figures.with_context(what)?);
                }
                None => {
                    let figures = match case.kind {
                        Kind::Program => binary(),
                        Kind::Emulator => emulator::measure().await,
                        _ => connect::measure().await,
                    };
                    report.take(*case, figures.with_context(what)?);
                }
            }
        }
    }
    Ok(())
}

/// The cases of one size that follow one another, as far as they are asked for; the creation is what all of them need.
async fn life(cases: &[Case], shape: Shape, report: &mut Report) -> Result<()> {
    let wanted =
        |kind: Kind| cases.iter().copied().find(|case| case.kind == kind && case.shape == Some(shape));
    let mut stage = Stage::connected(&shape.setup("members")).await?;
    let (mut figures, wall) = create::measure(&stage, shape).await.context("create")?;
    if let Some(case) = wanted(Kind::Restart) {
        report.take(case, life::restart(&mut stage, shape).await.context("restart")?);
    }
    if let Some(case) = wanted(Kind::Drift) {
        report.take(case, life::drift(&mut stage, shape).await.context("drift")?);
    }
    if let Some(case) = wanted(Kind::Hour) {
        report.take(case, life::hour(&mut stage, shape).await.context("hour")?);
    }
    if let Some(case) = wanted(Kind::Delete) {
        report.take(case, life::delete(&mut stage, shape).await.context("delete")?);
    }
    // Its machine is its own.
    drop(stage);
    if let Some(case) = wanted(Kind::Create) {
        let floor = create::floor(shape, wall, &mut figures).await.context("the floor");
        // What the operator took is known, whatever became of the floor.
        report.take(case, figures);
        floor?;
    }
    Ok(())
}

fn binary() -> Result<Figures> {
    let file = programs::operator();
    let size = std::fs::metadata(&file).with_context(|| format!("look at {}", file.display()))?.len();
    let mut figures = Figures::default();
    figures.bytes("avnm-operator, stripped", size, "9 MB");
    Ok(figures)
}
