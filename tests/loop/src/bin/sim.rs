//! Plays the loop from a seed, and prints a trace that a person can read.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::ExitCode,
};

use avnm_arm::clock;
use avnm_loop::simulation::{
    Fault, Lifecycle, Outcome, Place, Schedule, kill, play, play_broken, play_crowd, play_generated,
    side_by_side,
};
use avnm_plan::item::{next, row};
use avnm_terms::mutants::{self, Mutant};
use clap::Parser;
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};

/// Plays the operator's loop in this process: its own controller and kube's runtime over an API server and an Azure that are
/// made here, on a clock that stands still while anything is to be done. The same seed gives the same run.
#[derive(Debug, Parser)]
#[command(name = "sim")]
struct Arguments {
    /// All randomness of the run.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The lifecycle; without one all of them. `--list` names them.
    #[arg(long)]
    lifecycle: Option<String>,
    /// Names the lifecycles.
    #[arg(long)]
    list: bool,
    /// Plays these faults, as CALL:FAULT, e.g. `17:CrashAfter` or `17:Status(500)`; the trace tells the calls' numbers. Once for
    /// each fault of one run.
    #[arg(long)]
    fault: Vec<String>,
    /// Plays every fault at every call, so many apart (1: all of them).
    #[arg(long)]
    faults_every: Option<usize>,
    /// Plays so many pairs of faults, drawn from the seed.
    #[arg(long)]
    pairs: Option<usize>,
    /// Plays so many lifecycles that the seed and those after it generate.
    #[arg(long)]
    generated: Option<u64>,
    /// Makes so many members at once, lets them rest, has another process take over, and deletes them at once, without quotas and
    /// under the documented ones, and a tenth of them. Fails where that costs too much, or grows faster than their number.
    #[arg(long)]
    crowd: Option<usize>,
    /// Breaks each rule that can be broken on purpose, one after another, and fails where nothing is told.
    #[arg(long)]
    mutants: bool,
    /// Breaks this rule in the lifecycle, and prints what happens.
    #[arg(long, requires = "lifecycle")]
    mutant: Option<String>,
    /// Prints how many rows of the table of moves were reached, and which were not.
    #[arg(long)]
    rows: bool,
    /// Prints the trace of a run in which all holds, too.
    #[arg(long)]
    trace: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.list {
        let names: Vec<&str> = Lifecycle::ALL.iter().map(|it| it.name()).collect();
        println!("{}", names.join("\n"));
        return ExitCode::SUCCESS;
    }
    let begun = clock::instant();
    let tally = if arguments.mutants {
        mutants(arguments.seed)
    } else if let Some(members) = arguments.crowd {
        crowd(arguments.seed, members)
    } else if let Some(count) = arguments.generated {
        generated(&arguments, count)
    } else {
        match lifecycles(&arguments) {
            Ok(tally) => tally,
            Err(why) => {
                eprintln!("{why}");
                return ExitCode::FAILURE;
            }
        }
    };
    let took = (clock::instant() - begun).as_secs_f64();
    println!("{} in {took:.1} s", tally.words);
    if arguments.rows {
        rows();
    }
    if tally.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn rows() {
    let all: BTreeSet<String> =
        avnm_plan::item::all().map(|situation| row(&situation, next(&situation))).collect();
    let reached = mutants::reached();
    let missed: Vec<&String> = all.difference(&reached).collect();
    for row in &missed {
        println!("not reached: {row}");
    }
    println!("{} of {} rows of the table of moves were reached", all.len() - missed.len(), all.len());
}

/// What many runs came to.
struct Tally {
    failed: usize,
    words: String,
}

impl Tally {
    fn of(runs: usize, failed: usize) -> Self {
        Self { failed, words: format!("{runs} runs, {failed} failed") }
    }
}

/// A run that is to be played, and beside which one.
struct Job<'a> {
    lifecycle: Lifecycle,
    schedule: Schedule,
    plain: &'a Outcome,
}

fn lifecycles(arguments: &Arguments) -> Result<Tally, String> {
    let chosen = |it: &&Lifecycle| arguments.lifecycle.as_deref().is_none_or(|name| name == it.name());
    let lifecycles: Vec<Lifecycle> = Lifecycle::ALL.iter().filter(chosen).copied().collect();
    if lifecycles.is_empty() {
        return Err("no lifecycle has that name; --list names them".to_owned());
    }
    let faults: Option<Vec<_>> = arguments.fault.iter().map(|fault| parse(fault)).collect();
    let Some(faults) = faults else { return Err("--fault is CALL:FAULT, e.g. 17:CrashAfter".to_owned()) };
    let schedule = Schedule(faults);
    let named = |name: &String| Mutant::ALL.iter().find(|it| format!("{it:?}") == *name).copied();
    let mutant = arguments.mutant.as_ref().map(|name| named(name).ok_or(format!("no mutant is {name}")));
    let mutant = mutant.transpose()?;
    let plains = side_by_side(&lifecycles, |it| match mutant {
        Some(mutant) => play_broken(*it, arguments.seed, &schedule, mutant),
        None => play(*it, arguments.seed, &schedule),
    });
    let mut failed = 0;
    for (lifecycle, plain) in lifecycles.iter().zip(&plains) {
        failed += usize::from(!tell(*lifecycle, &schedule, &plain.violations));
        if arguments.trace || !plain.violations.is_empty() {
            println!("{}", plain.trace.join("\n"));
        }
        println!("{}: {} calls", lifecycle.name(), plain.calls.len());
    }
    let hardy = || lifecycles.iter().zip(&plains).filter(|(lifecycle, _)| lifecycle.outlives_faults());
    let mut jobs: Vec<Job<'_>> = Vec::new();
    if let Some(every) = arguments.faults_every {
        let all = hardy().flat_map(|(lifecycle, plain)| {
            Schedule::singles(&plain.calls).map(|schedule| Job { lifecycle: *lifecycle, schedule, plain })
        });
        jobs.extend(all.step_by(every.max(1)));
    }
    if let Some(pairs) = arguments.pairs {
        let mut rng = StdRng::seed_from_u64(arguments.seed);
        let hardy: Vec<_> = hardy().collect();
        for _ in 0..pairs {
            let (lifecycle, plain) = hardy[rng.random_range(0..hardy.len())];
            let mut schedule = Schedule::default();
            for _ in 0..2 {
                let at = rng.random_range(0..plain.calls.len());
                let faults = Fault::all(plain.calls[at]);
                schedule.0.push((at, faults[rng.random_range(0..faults.len())]));
            }
            jobs.push(Job { lifecycle: *lifecycle, schedule, plain });
        }
    }
    let mut of_kind: BTreeMap<String, usize> = BTreeMap::new();
    for (_, fault) in jobs.iter().flat_map(|job| &job.schedule.0) {
        *of_kind.entry(format!("{fault:?}")).or_default() += 1;
    }
    let wrong = side_by_side(&jobs, |job| {
        let outcome = play(job.lifecycle, arguments.seed, &job.schedule);
        usize::from(!tell(job.lifecycle, &job.schedule, &outcome.beside(job.plain)))
    });
    if !of_kind.is_empty() {
        let kinds: Vec<String> = of_kind.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
        println!("faults: {}", kinds.join(", "));
    }
    failed += wrong.iter().sum::<usize>();
    Ok(Tally::of(plains.len() + jobs.len(), failed))
}

fn generated(arguments: &Arguments, count: u64) -> Tally {
    let seeds: Vec<u64> = (arguments.seed..arguments.seed.saturating_add(count)).collect();
    let wrong = side_by_side(&seeds, |seed| {
        let outcome = play_generated(*seed);
        for violation in &outcome.violations {
            println!("generated {seed}: {violation}");
        }
        if arguments.trace {
            println!("{}", outcome.trace.join("\n"));
        }
        usize::from(!outcome.violations.is_empty())
    });
    Tally::of(seeds.len(), wrong.iter().sum())
}

/// Without quotas and with them; and a tenth of them, which must not cost less each.
fn crowd(seed: u64, members: usize) -> Tally {
    let plays = [(members, false), (members, true), (members / 10, false)];
    let mut crowds = side_by_side(&plays, |(members, counted)| play_crowd(*members, *counted, seed));
    let few = crowds.pop().unwrap_or_default();
    if let Some(many) = crowds.first_mut() {
        for (many, few) in many.iter_mut().zip(&few) {
            many.violations.extend(many.grows(few));
        }
    }
    let crowds = [crowds.concat(), few].concat();
    for crowd in &crowds {
        println!("{crowd}");
        for violation in &crowd.violations {
            println!("  {violation}");
        }
    }
    Tally::of(crowds.len(), crowds.iter().filter(|crowd| !crowd.violations.is_empty()).count())
}

/// A mutant that lives means that no oracle looks there.
fn mutants(seed: u64) -> Tally {
    let killed = side_by_side(Mutant::ALL, |mutant| {
        let killed = kill(*mutant, seed);
        let told = killed.as_ref().map(|it| format!("is killed in {}: {}", it.lifecycle.name(), it.why));
        println!("{mutant:?} {}", told.as_deref().unwrap_or("LIVES"));
        usize::from(killed.is_some())
    });
    let (all, dead) = (Mutant::ALL.len(), killed.iter().sum::<usize>());
    Tally { failed: all - dead, words: format!("{dead} of {all} mutants killed") }
}

fn tell(lifecycle: Lifecycle, schedule: &Schedule, violations: &[String]) -> bool {
    for violation in violations {
        println!("{} {:?}: {violation}", lifecycle.name(), schedule.0);
    }
    violations.is_empty()
}

fn parse(text: &str) -> Option<(usize, Fault)> {
    let (at, word) = text.split_once(':')?;
    let mut all = Place::ALL.iter().flat_map(|place| Fault::all(*place)).copied();
    let fault = all.find(|fault| format!("{fault:?}") == word)?;
    Some((at.parse().ok()?, fault))
}
