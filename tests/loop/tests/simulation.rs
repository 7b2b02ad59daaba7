//! The loop, played: every reference lifecycle without a fault, one twice from one seed, samples of single faults and of what
//! seeds generate. `cargo xtask sim` plays more of them, and replays any.

use avnm_loop::simulation::{Fault, Lifecycle, Place, Schedule, play, play_generated, side_by_side};

/// Every so many schedules of a lifecycle are played here: prime, so that each kind of fault comes to its turn.
const EVERY: usize = 97;
/// So many generated lifecycles.
const GENERATED: u64 = 12;

#[test]
fn every_lifecycle_ends_as_it_shall() {
    // A day takes as long as all the others.
    let short: Vec<_> = Lifecycle::ALL.iter().filter(|it| **it != Lifecycle::DayOfRest).collect();
    for (lifecycle, outcome) in
        short.iter().zip(side_by_side(&short, |it| play(**it, 7, &Schedule::default())))
    {
        let name = lifecycle.name();
        assert!(
            outcome.violations.is_empty(),
            "{name}\n{}\n{:#?}",
            outcome.trace.join("\n"),
            outcome.violations
        );
        assert!(outcome.calls.len() > 20, "{name}: {} calls", outcome.calls.len());
    }
}

#[test]
fn one_seed_gives_one_run() {
    let once = play(Lifecycle::Renamed, 42, &Schedule::default());
    let again = play(Lifecycle::Renamed, 42, &Schedule::default());
    assert_eq!(once.trace, again.trace);
}

#[test]
fn single_faults_change_nothing_in_the_end() {
    let mut played = 0;
    for lifecycle in [Lifecycle::Renamed, Lifecycle::Orphaned] {
        let plain = play(lifecycle, 1, &Schedule::default());
        let some: Vec<Schedule> = Schedule::singles(&plain.calls).step_by(EVERY).collect();
        for (schedule, outcome) in
            some.iter().zip(side_by_side(&some, |schedule| play(lifecycle, 1, schedule)))
        {
            let wrong = outcome.beside(&plain);
            assert!(wrong.is_empty(), "{schedule:?}\n{}\n{wrong:#?}", outcome.trace.join("\n"));
            played += 1;
        }
    }
    assert!(played > 30, "{played} schedules");
}

#[test]
fn what_seeds_generate_leaves_nothing_behind() {
    let seeds: Vec<u64> = (1..=GENERATED).collect();
    for (seed, outcome) in seeds.iter().zip(side_by_side(&seeds, |seed| play_generated(*seed))) {
        let trace = outcome.trace.join("\n");
        assert!(outcome.violations.is_empty(), "seed {seed}\n{trace}\n{:#?}", outcome.violations);
    }
}

/// The process that ended is followed by another one.
#[test]
fn a_fault_is_played_where_it_is_scheduled() {
    let outcome = play(Lifecycle::Orphaned, 1, &Schedule::single(30, Fault::CrashBefore));
    let told = outcome.trace.iter().find(|line| line.contains("<- CrashBefore")).cloned().unwrap_or_default();
    assert!(told.trim_start().starts_with("30 operator-0"), "{told}");
    assert!(outcome.trace.iter().any(|line| line.contains("operator-1")), "another process takes over");
    assert!(Place::ALL.iter().all(|place| outcome.calls.contains(place)), "calls of all kinds are counted");
}
