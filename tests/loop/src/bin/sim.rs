//! Plays the loop from a seed, and prints a trace that a person can read.

use std::process::ExitCode;

use avnm_loop::simulation::{Fault, Lifecycle, Place, Schedule, play, play_broken};
use avnm_plan::mutants::Mutant;
use clap::Parser;

/// Plays the operator's loop in this process: its own controller and kube's runtime over an API server and an Azure that are
/// made here, on a clock that stands still while anything is to be done. The same seed gives the same run.
#[derive(Debug, Parser)]
#[command(name = "sim")]
struct Arguments {
    /// All randomness of the run.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The lifecycle; without one all of them: made-and-deleted, edited, renamed, orphaned, put-back,
    /// foreign, namespace-ends.
    #[arg(long)]
    lifecycle: Option<String>,
    /// Plays this fault alone, as CALL:FAULT, e.g. `17:CrashAfter` or `17:Status(500)`; the trace tells the calls' numbers.
    #[arg(long)]
    fault: Option<String>,
    /// Plays every fault at every call, so many apart (1: all of them).
    #[arg(long)]
    faults_every: Option<usize>,
    /// Breaks each rule that can be broken on purpose, one after another, and fails where nothing is told.
    #[arg(long)]
    mutants: bool,
    /// Prints the trace of a run in which all holds, too.
    #[arg(long)]
    trace: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.mutants {
        return mutants(arguments.seed);
    }
    let chosen = |it: &Lifecycle| arguments.lifecycle.as_deref().is_none_or(|name| name == it.name());
    let lifecycles: Vec<Lifecycle> = Lifecycle::ALL.into_iter().filter(chosen).collect();
    if lifecycles.is_empty() {
        eprintln!("no lifecycle has that name; --help lists them");
        return ExitCode::FAILURE;
    }
    let (mut runs, mut failed) = (0_usize, 0_usize);
    for lifecycle in lifecycles {
        let single = match arguments.fault.as_deref().map(parse) {
            Some(None) => {
                eprintln!("--fault is CALL:FAULT, e.g. 17:CrashAfter");
                return ExitCode::FAILURE;
            }
            Some(Some(schedule)) => schedule,
            None => Schedule::default(),
        };
        let plain = play(lifecycle, arguments.seed, &single);
        runs += 1;
        failed += usize::from(!tell(lifecycle, &single, &plain.violations));
        if arguments.trace || !plain.violations.is_empty() {
            println!("{}", plain.trace.join("\n"));
        }
        println!("{}: {} calls", lifecycle.name(), plain.calls.len());
        let Some(every) = arguments.faults_every.filter(|_| lifecycle.outlives_faults()) else { continue };
        let faults =
            plain.calls.iter().enumerate().flat_map(|(at, place)| {
                Fault::all(*place).iter().map(move |fault| Schedule::single(at, *fault))
            });
        for schedule in faults.step_by(every.max(1)) {
            let outcome = play(lifecycle, arguments.seed, &schedule);
            runs += 1;
            failed += usize::from(!tell(lifecycle, &schedule, &outcome.violations));
        }
    }
    println!("{runs} runs, {failed} failed");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A mutant that lives means that no oracle looks there.
fn mutants(seed: u64) -> ExitCode {
    let mut killed = 0_usize;
    for mutant in Mutant::ALL {
        let told = Lifecycle::ALL.into_iter().find_map(|lifecycle| {
            let outcome = play_broken(lifecycle, seed, &Schedule::default(), Some(mutant));
            outcome.violations.first().map(|why| format!("is killed in {}: {why}", lifecycle.name()))
        });
        killed += usize::from(told.is_some());
        println!("{mutant:?} {}", told.unwrap_or_else(|| "LIVES".to_owned()));
    }
    println!("{killed} of {} mutants killed", Mutant::ALL.len());
    if killed == Mutant::ALL.len() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn tell(lifecycle: Lifecycle, schedule: &Schedule, violations: &[String]) -> bool {
    for violation in violations {
        println!("{} {:?}: {violation}", lifecycle.name(), schedule.0);
    }
    violations.is_empty()
}

fn parse(text: &str) -> Option<Schedule> {
    let (at, word) = text.split_once(':')?;
    let all = Fault::all(Place::Kubernetes).iter().chain(Fault::all(Place::Azure));
    let fault = all.copied().find(|fault| format!("{fault:?}") == word)?;
    Some(Schedule::single(at.parse().ok()?, fault))
}
