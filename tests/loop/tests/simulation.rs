//! The reference lifecycles, played: without a fault, twice from one seed, and with a sample of all single faults.
//! `cargo xtask sim` plays more of them, and replays any.

use avnm_loop::simulation::{Fault, Lifecycle, Place, Schedule, play};

/// Every so many schedules of a lifecycle are played here: prime, so that each kind of fault comes to its turn.
const EVERY: usize = 97;

#[test]
fn every_lifecycle_ends_as_it_shall() {
    for lifecycle in Lifecycle::ALL {
        let outcome = play(lifecycle, 7, &Schedule::default());
        assert!(outcome.violations.is_empty(), "{}\n{:#?}", outcome.trace.join("\n"), outcome.violations);
        assert!(outcome.calls.len() > 50, "{}: {} calls", lifecycle.name(), outcome.calls.len());
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
        let faults =
            plain.calls.iter().enumerate().flat_map(|(at, place)| {
                Fault::all(*place).iter().map(move |fault| Schedule::single(at, *fault))
            });
        for schedule in faults.step_by(EVERY) {
            let outcome = play(lifecycle, 1, &schedule);
            let trace = outcome.trace.join("\n");
            assert!(outcome.violations.is_empty(), "{schedule:?}\n{trace}\n{:#?}", outcome.violations);
            played += 1;
        }
    }
    assert!(played > 30, "{played} schedules");
}

/// The process that ended is followed by another one.
#[test]
fn a_fault_is_played_where_it_is_scheduled() {
    let outcome = play(Lifecycle::Orphaned, 1, &Schedule::single(30, Fault::CrashBefore));
    let told = outcome.trace.iter().find(|line| line.contains("<- CrashBefore")).cloned().unwrap_or_default();
    assert!(told.trim_start().starts_with("30 operator-0"), "{told}");
    assert!(outcome.trace.iter().any(|line| line.contains("operator-1")), "another process takes over");
    assert!(outcome.calls.contains(&Place::Azure) && outcome.calls.contains(&Place::Kubernetes));
}
