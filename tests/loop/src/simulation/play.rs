//! One run: a lifecycle, a seed, and what goes wrong.

use std::sync::Arc;

use avnm_arm::clock::Wall;
use avnm_terms::mutants::{self, Mutant};

use super::{
    act::Act,
    faults::{Place, Schedule},
    lifecycle::Lifecycle,
    perform::Run,
    stage::Stage,
    wire::{Sent, Wire},
};

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// To whom each call of the operator went, by its number.
    pub calls: Vec<Place>,
    /// What was done, a line each.
    pub trace: Vec<String>,
    /// What was broken; empty where all holds.
    pub violations: Vec<String>,
    /// Writes to Azure.
    pub azure_writes: usize,
    /// How it was wherever it had come to rest: the same with faults as without.
    pub states: Vec<String>,
}

impl Outcome {
    /// What is wrong with it beside the same run without faults: it ended otherwise (L6), or took much more (L4).
    pub fn beside(&self, plain: &Self) -> Vec<String> {
        let mut wrong = self.violations.clone();
        if !wrong.is_empty() {
            return wrong;
        }
        for (at, (with, without)) in self.states.iter().zip(&plain.states).enumerate() {
            if with != without {
                wrong.push(format!("L6: at rest {at} it is {with}, and without a fault {without}"));
            }
        }
        let (calls, usual) = (self.calls.len(), plain.calls.len());
        if calls > usual * CALLS_FACTOR + CALLS_MORE {
            wrong.push(format!("L4: {calls} calls, and {usual} without a fault"));
        }
        let (writes, usual) = (self.azure_writes, plain.azure_writes);
        if writes > usual + WRITES_MORE {
            wrong.push(format!("L4: {writes} writes to Azure, and {usual} without a fault"));
        }
        wrong
    }
}

/// A fault costs so many times the calls at most, and some more: what did not answer is asked again, and rest is measured
/// anew.
const CALLS_FACTOR: usize = 2;
const CALLS_MORE: usize = 150;
/// It costs so many writes at most.
const WRITES_MORE: usize = 6;

/// Plays a lifecycle from a seed, on a thread of its own.
pub fn play(lifecycle: Lifecycle, seed: u64, schedule: &Schedule) -> Outcome {
    play_acts(lifecycle.acts(), seed, schedule, None)
}

/// The same with a rule that is broken on purpose: then something has to be told.
pub fn play_broken(lifecycle: Lifecycle, seed: u64, schedule: &Schedule, mutant: Mutant) -> Outcome {
    play_acts(lifecycle.acts(), seed, schedule, Some(mutant))
}

pub(super) fn play_acts(acts: Vec<Act>, seed: u64, schedule: &Schedule, mutant: Option<Mutant>) -> Outcome {
    let schedule = schedule.clone();
    avnm_entropy::repeatable(seed, move || {
        mutants::set(mutant);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        match runtime {
            Ok(runtime) => runtime.block_on(run(acts, seed, schedule)),
            Err(error) => broken(format!("no runtime: {error}")),
        }
    })
}

fn broken(why: String) -> Outcome {
    Outcome {
        calls: Vec::new(),
        trace: Vec::new(),
        violations: vec![why],
        azure_writes: 0,
        states: Vec::new(),
    }
}

async fn run(acts: Vec<Act>, seed: u64, schedule: Schedule) -> Outcome {
    let Ok(at) = "2026-01-31T12:00:00Z".parse::<jiff::Timestamp>() else {
        return broken("no time".to_owned());
    };
    let wall = Wall::start(at);
    let faults = !schedule.0.is_empty();
    let wire = Arc::new(Wire::new(schedule));
    let stage = match Stage::new(seed, at, &wire) {
        Ok(stage) => stage,
        Err(error) => return broken(format!("the stage is not set: {error:#}")),
    };
    let mut run = Run::new(Arc::clone(&wire), stage, wall, faults);
    for act in acts {
        if let Err(why) = run.act(act).await {
            wire.violation(why);
            break;
        }
    }
    let states = run.end();
    let Sent { azure, .. } = wire.sent();
    Outcome {
        calls: wire.places(),
        trace: wire.trace(),
        violations: wire.violations(),
        azure_writes: azure,
        states,
    }
}
