//! From what is wanted and what was read to the next steps. Looked at again after every step.

use avnm_terms::mutants::{Mutant, broken};

use super::{
    conclude::conclude,
    deletion::deletion,
    kind::{Gate, Kind},
    plan::{Plan, Step},
    steps::{relinquish, steps, unheld},
    view::View,
    waiting::waiting,
};
use crate::{
    event::Event,
    finding::{Finding, Happening},
    pace::Waiting,
    reason::Reason,
};

/// The next steps.
pub fn decide<K: Kind>(view: View<'_, K>) -> Plan<K::Step> {
    let object = view.object;
    if let Some(fault) = &object.kube {
        // A stale writer, or an API server that is away: what is known may be old, so nothing is concluded.
        let finding = Finding::of_kubernetes(fault);
        let waiting = Waiting::Retry { streak: object.memory.streak, after: None };
        return Plan::rest(view, vec![finding], waiting);
    }
    if object.meta.deleting {
        let mut plan = deletion(view);
        // What is being deleted says so at once: no Ready is kept over a read that failed.
        plan.findings.iter_mut().for_each(|finding| finding.unread = false);
        return plan;
    }
    let unseen = broken(Mutant::FinalizerLost) || broken(Mutant::HeldAlways);
    if object.claims() && !object.meta.held && !unseen {
        return hold_again(view);
    }
    if object.policies.suspend {
        let finding = Finding::new(Reason::Suspended, "spec.suspend is true: nothing is read or written");
        return Plan::rest(view, vec![finding], Waiting::Someone);
    }
    if let Some(plan) = relinquish(view) {
        return plan;
    }
    if let Some(refused) = &object.refused {
        return Plan::rest(view, vec![refused.clone()], Waiting::Someone);
    }
    normal(view)
}

/// A claim without its finalizer: someone replaced the object. Nothing else is looked at before it is held again.
fn hold_again<K: Kind>(view: View<'_, K>) -> Plan<K::Step> {
    let mut plan = Plan::rest(view, Vec::new(), Waiting::AtOnce);
    plan.steps.push(Step::Hold(unheld(view, |_| true)));
    plan.steps.push(Step::Tell(Happening::warning(
        Event::FinalizerRestored,
        "Hold",
        "the object holds something in Azure and had lost its finalizer avnm.dev/azure: it is put back",
    )));
    plan
}

fn normal<K: Kind>(view: View<'_, K>) -> Plan<K::Step> {
    if let Some(plan) = K::first(view) {
        return plan;
    }
    let mut plan = Plan::rest(view, Vec::new(), Waiting::Nothing);
    let mut effects = Vec::new();
    for (at, item) in view.object.items.iter().enumerate() {
        // An item that is beaten rests; the others go on.
        if !item.is_ours() || item.standing.beaten_by.is_some() {
            continue;
        }
        let advance = item.advance(&view.facts(at));
        plan.moves[at] = Some(advance.step);
        if advance.effects.is_empty() {
            continue;
        }
        match K::gate(view, at, advance.step) {
            Gate::Open => effects.extend(advance.effects.into_iter().map(|effect| (at, effect))),
            Gate::Ask(step) => {
                plan.steps = vec![Step::Own(step)];
                return plan;
            }
            Gate::Shut(finding) => {
                plan.findings = vec![finding];
                plan.waiting = waiting(view, &plan.findings, Waiting::Someone);
                return plan;
            }
        }
    }
    plan.steps = match K::further(view, &plan.moves, &mut effects) {
        Some(step) => vec![Step::Own(step)],
        None => steps(view, effects),
    };
    if plan.steps.is_empty() {
        conclude(view, &mut plan);
    }
    plan
}
