//! An object that is being deleted: what it holds is handed over, left, or deleted in Azure, and then it is let go.

use avnm_api::DeletionPolicy;
use avnm_terms::{
    Actor, Fault, KubeFault,
    mutants::{Mutant, broken},
};

use super::{
    kind::Kind,
    object::At,
    plan::{Plan, Step},
    steps::{relinquish, steps},
    view::View,
    waiting::waiting,
};
use crate::{
    event::Event,
    fault::{self, Place},
    finding::{Failure, Finding, Happening},
    item::{Advance, Effect, Goal, Item, Move},
    meta::CrdState,
    pace::Waiting,
    reason::Reason,
};

/// The next steps of a deletion.
pub(super) fn deletion<K: Kind>(view: View<'_, K>) -> Plan<K::Step> {
    let object = view.object;
    let mut plan = Plan::rest(view, Vec::new(), Waiting::Gone);
    if !object.claims() {
        return release(view, plan);
    }
    if !object.meta.held {
        // Let go already, and kept by someone else's finalizer: nothing is written to Azure any more.
        plan.steps.extend(claimed(view).map(|(at, _)| Step::Item(at, Effect::Claim(None))));
        return plan;
    }
    if object.policies.leaves() {
        let why = if object.policies.deletion == DeletionPolicy::Orphan {
            "spec.deletionPolicy is Orphan"
        } else {
            "spec.mode is Observe"
        };
        let told = format!("{why}: Azure keeps {}", K::THINGS);
        plan.steps.push(Step::Tell(Happening::normal(Event::Orphaned, "Release", told)));
        return release(view, plan);
    }
    // A claim of another id is no right to delete what is there under the name that spec has now.
    if let Some(plan) = relinquish(view) {
        return plan;
    }
    if object.policies.suspend {
        let told = format!("spec.suspend is true. Ways out: set it to false, or {}", leave::<K>());
        return blocked(view, &told, "Suspended");
    }
    if let Some(plan) = hand_over(view) {
        return plan;
    }
    if let Some(plan) = hindered(view) {
        return plan;
    }
    items(view, plan)
}

/// What is claimed, with its place.
fn claimed<K>(view: View<'_, K>) -> impl Iterator<Item = (At, &Item)> {
    view.object.items.iter().enumerate().filter(|(_, item)| item.claim().is_some())
}

/// The way out that needs no Azure.
fn leave<K: Kind>() -> String {
    format!("set spec.deletionPolicy: Orphan to leave {} in Azure ({})", K::THINGS, Actor::ClusterOperator)
}

fn release<K: Kind>(view: View<'_, K>, mut plan: Plan<K::Step>) -> Plan<K::Step> {
    if view.object.meta.held {
        plan.steps.push(Step::Release);
    }
    plan.findings.push(Finding::new(Reason::Deleting, "let go: nothing more is done in Azure"));
    plan.waiting = Waiting::Someone;
    plan
}

fn blocked<K: Kind>(view: View<'_, K>, message: &str, code: &str) -> Plan<K::Step> {
    let finding = Finding::new(Reason::DeletionBlocked, message).with_failure(
        "delete",
        K::THINGS,
        code,
        Actor::ClusterOperator,
    );
    again(view, finding)
}

fn again<K: Kind>(view: View<'_, K>, finding: Finding) -> Plan<K::Step> {
    let waiting = Waiting::Retry { streak: view.object.memory.streak, after: None };
    Plan::rest(view, vec![finding], waiting)
}

/// Kubernetes did not say what a deletion has to know.
fn unknown<K: Kind>(view: View<'_, K>, cannot: &str, fault: &KubeFault) -> Plan<K::Step> {
    let finding = Finding {
        reason: Reason::Deleting,
        message: format!("cannot {cannot}: {}", fault.message),
        failure: Some(Failure::of_kubernetes(fault)),
        unread: true,
        companion: None,
    };
    again(view, finding)
}

/// What another object takes over needs no key, no members gone, and no Azure. What only waits for its heir does not hold back
/// what has none.
fn hand_over<K: Kind>(view: View<'_, K>) -> Option<Plan<K::Step>> {
    let mut effects = Vec::new();
    for (at, item) in claimed(view).filter(|(_, item)| item.standing.yields) {
        effects.extend(item.advance(&view.facts(at)).effects.into_iter().map(|effect| (at, effect)));
    }
    if !effects.is_empty() {
        let mut plan = Plan::rest(view, Vec::new(), Waiting::Gone);
        plan.steps = let_go(view, effects);
        return Some(plan);
    }
    let heirs: Vec<&str> = claimed(view)
        .map(|(at, item)| {
            let awaits = item.advance(&view.facts(at)).step == Move::AwaitHeir;
            item.standing.heir.as_deref().filter(|_| awaits)
        })
        .collect::<Option<_>>()?;
    let message = format!(
        "{} wants the same: it takes over {}, and nothing is deleted in Azure",
        heirs.first()?,
        K::THINGS
    );
    // The heir's claim wakes this object.
    Some(Plan::rest(view, vec![Finding::new(Reason::Deleting, message)], Waiting::Settling(2)))
}

/// What has to be there, or gone, before anything is deleted in Azure.
fn hindered<K: Kind>(view: View<'_, K>) -> Option<Plan<K::Step>> {
    let object = view.object;
    let confirmed = object.meta.confirm_delete;
    let annotate = "annotate with avnm.dev/confirm-delete=true to delete";
    if object.policies.deletion == DeletionPolicy::Confirm && !confirmed && !broken(Mutant::ConfirmIgnored) {
        let told = format!(
            "spec.deletionPolicy is Confirm: nothing is done in Azure before somebody confirms. Ways out: {annotate} {}, or {}",
            K::THINGS,
            leave::<K>()
        );
        return Some(blocked(view, &told, "ConfirmationNeeded"));
    }
    match &object.crd {
        _ if broken(Mutant::CrdIgnored) => {}
        CrdState::Unknown(fault) if !confirmed => {
            let cannot = "read whether the CustomResourceDefinition is being deleted";
            return Some(unknown(view, cannot, fault));
        }
        CrdState::Terminating if !confirmed => {
            let told = format!(
                "CRDTerminating: the CustomResourceDefinition is being deleted, which would delete this in Azure. Ways out: {annotate} {}, or {}",
                K::THINGS,
                leave::<K>()
            );
            return Some(blocked(view, &told, "CRDTerminating"));
        }
        CrdState::Unknown(_) | CrdState::Terminating | CrdState::Standing => {}
    }
    match &object.dependents {
        Ok(_) if broken(Mutant::MembersIgnored) => None,
        Err(fault) => Some(unknown(view, "list what depends on it", fault)),
        Ok(members) if !members.is_empty() => {
            let names: Vec<&str> = members.iter().take(3).map(|member| member.name.as_str()).collect();
            let named = format!("{} {} ({})", members.len(), K::DEPENDENTS, names.join(", "));
            if members.iter().all(|member| member.deleting) {
                let finding =
                    Finding::new(Reason::Deleting, format!("{named}; they are being deleted first"));
                return Some(Plan::rest(view, vec![finding], Waiting::Settling(2)));
            }
            let told = format!("{named}. Ways out: delete them, or {}", leave::<K>());
            Some(blocked(view, &told, "MembersRemain"))
        }
        Ok(_) => None,
    }
}

/// Whether what an item claims would be deleted if it is there: asked for before it is read, as nothing is read for a write that
/// cannot go out.
pub fn asks_before_look<K: Kind>(view: View<'_, K>, at: At) -> bool {
    let item = view.item(at);
    let goes = view.object.meta.deleting && view.object.meta.held && item.claim().is_some();
    goes && view.facts(at).goal == Goal::Gone
        && item.standing.heir.is_none()
        && !item.standing.yields
        // What was sent is looked for.
        && !item.history().is_going()
        && hindered(view).is_none()
}

/// Each item by its own tenant's token: one that cannot be deleted does not hold back the others.
fn items<K: Kind>(view: View<'_, K>, mut plan: Plan<K::Step>) -> Plan<K::Step> {
    let mut effects = Vec::new();
    for (at, item) in claimed(view) {
        let Advance { step, effects: takes } = item.advance(&view.facts(at));
        // What is left in Azure needs no read to be let go.
        let deletes = view.facts(at).goal == Goal::Gone && step != Move::AwaitHeir;
        if let (Some(finding), true) = (&item.blocked, deletes) {
            plan.findings.push(finding.clone());
            continue;
        }
        plan.moves[at] = Some(step);
        if let Some(fault) = item.fault().filter(|_| deletes) {
            plan.findings.push(failed(item, fault));
            continue;
        }
        effects.extend(takes.into_iter().map(|effect| (at, effect)));
    }
    plan.steps = let_go(view, effects);
    if plan.steps.is_empty() {
        conclude(view, &mut plan);
    }
    plan
}

/// Claims that are given up must be durably so while others are left; with the last one the finalizer goes.
fn let_go<K, S>(view: View<'_, K>, effects: Vec<(At, Effect)>) -> Vec<Step<S>> {
    let drops = |at: At| effects.iter().any(|(of, effect)| *of == at && *effect == Effect::Claim(None));
    let last = claimed(view).all(|(at, _)| drops(at));
    let mut steps = steps(view, effects);
    steps.retain(|step| !last || !matches!(step, Step::Persist));
    steps
}

fn conclude<K: Kind>(view: View<'_, K>, plan: &mut Plan<K::Step>) {
    let going = |step: Option<Move>| matches!(step, Some(Move::AwaitGone | Move::AwaitQuiet | Move::Delete));
    let moves: Vec<(&Item, Move)> =
        view.object.items.iter().zip(&plan.moves).filter_map(|(item, step)| Some((item, (*step)?))).collect();
    let failed = |item: &Item| item.fault().is_some();
    let waits: Vec<&str> = moves
        .iter()
        .filter(|(item, step)| going(Some(*step)) && !failed(item))
        .map(|(item, _)| item.resource.words())
        .collect();
    if !waits.is_empty() {
        plan.findings.push(Finding::new(
            Reason::Deleting,
            format!("deleted in Azure and waiting until it is proven gone: {}", waits.join(", ")),
        ));
    }
    if moves.iter().any(|(_, step)| *step == Move::AwaitHeir) {
        let told = "another object wants the same, and takes it over";
        plan.findings.push(Finding::new(Reason::Deleting, told));
    }
    // What cannot be deleted does not hide behind what is going.
    let blocked = plan.findings.iter().any(|finding| finding.reason == Reason::DeletionBlocked);
    if blocked {
        plan.findings.retain(|finding| finding.reason == Reason::DeletionBlocked);
    }
    // Absent often enough, or someone else's: only a late write is waited for.
    let quiet = moves
        .iter()
        .filter(|(item, step)| going(Some(*step)) && !failed(item))
        .map(|(item, step)| {
            let proven = item.history().absences() >= item.resource.absences();
            let left = item.history().quiet_in(view.now.steady);
            left.filter(|_| *step == Move::AwaitQuiet || (*step == Move::AwaitGone && proven))
        })
        .collect::<Option<Vec<_>>>()
        .and_then(|lefts| lefts.into_iter().min());
    let counting = quiet.is_none() && moves.iter().any(|(_, step)| *step == Move::AwaitGone);
    let left = waiting(view, &[], quiet.map_or(Waiting::Gone, Waiting::Quiet));
    plan.waiting = if counting {
        Waiting::Gone
    } else if blocked && left == Waiting::Gone {
        Waiting::Retry { streak: view.object.memory.streak, after: None }
    } else {
        left
    };
}

fn failed(item: &Item, fault: &Fault) -> Finding {
    let place = Place { deleting: true, ..item.place(fault) };
    let mut finding = fault::finding(fault, place, item.resource);
    // It says so itself.
    finding.companion = None;
    if fault::blocks_deletion(fault) {
        finding.reason = Reason::DeletionBlocked;
        finding.message = format!(
            "the {} cannot be deleted: {}. Ways out: remove the cause, or set spec.deletionPolicy: Orphan to leave it in Azure",
            item.resource.words(),
            finding.message
        );
    } else {
        finding.reason = Reason::Deleting;
    }
    finding
}
