//! From what is wanted and what was read to the next steps. Looked at again after every step.

use std::collections::BTreeSet;

use avnm_api::CredentialRef;

use super::{At, Gate, Kind, Plan, Step, View, conclude::conclude, deletion::deletion, waiting};
use crate::{
    finding::{Finding, Happening},
    item::{Effect, in_order},
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
    if object.claims() && !object.meta.held {
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
        "FinalizerRestored",
        "Hold",
        "the object holds something in Azure and had lost its finalizer avnm.dev/azure: it is put back",
    )));
    plan
}

/// Gives up the claims of other ids than those that are wanted now: a thing that was taken out, or put back under another
/// name. They vouch for nothing, so nothing else is looked at before they are durably gone.
pub(super) fn relinquish<K: Kind>(view: View<'_, K>) -> Option<Plan<K::Step>> {
    let mut effects = Vec::new();
    for (at, item) in view.object.items.iter().enumerate() {
        if item.claims_another() {
            effects.extend(item.advance(&view.facts(at)).effects.into_iter().map(|effect| (at, effect)));
        }
    }
    let mut plan = Plan::rest(view, Vec::new(), Waiting::AtOnce);
    plan.steps = steps(view, effects);
    (!plan.steps.is_empty()).then_some(plan)
}

/// Credentials of these items that still lack our finalizer, and can get one.
fn unheld<K>(view: View<'_, K>, which: impl Fn(At) -> bool) -> Vec<CredentialRef> {
    let items = view.object.items.iter().enumerate().filter(|(at, item)| item.is_ours() && which(*at));
    let credentials: BTreeSet<CredentialRef> =
        items.flat_map(|(_, item)| item.unheld(&view.object.held_now)).collect();
    credentials.into_iter().collect()
}

/// What the effects of items come to in this round.
pub(super) fn steps<K, S>(view: View<'_, K>, effects: Vec<(At, Effect)>) -> Vec<Step<S>> {
    let holding: BTreeSet<At> =
        effects.iter().filter(|(_, effect)| *effect == Effect::Hold).map(|(at, _)| *at).collect();
    let mut steps = Vec::new();
    if !holding.is_empty() {
        steps.push(Step::Hold(unheld(view, |at| holding.contains(&at))));
    }
    for (at, effect) in in_order(effects) {
        match effect {
            Effect::Hold => {}
            Effect::Persist => steps.push(Step::Persist),
            Effect::Tell(happening) => steps.push(Step::Tell(happening)),
            effect @ (Effect::Claim(_)
            | Effect::Vouch
            | Effect::Confirm
            | Effect::Remake
            | Effect::Put { .. }
            | Effect::Delete) => steps.push(Step::Item(at, effect)),
        }
    }
    steps
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
