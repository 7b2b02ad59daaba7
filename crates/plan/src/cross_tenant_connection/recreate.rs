//! The annotation that deletes our halves and makes them again.

use avnm_api::{RecreatePhase, RecreateStatus};
use avnm_terms::ConnectionState;

use super::{
    connection::{Connection, Role, Step},
    half::Half,
};
use crate::{
    event::Event,
    finding::{Finding, Happening},
    item::{Effect, Goal, Item, Move},
    lifecycle::{self, Plan, View, waiting},
    pace::Waiting,
    reason::Reason,
};

/// The way out of Conflict, Revoked, Rejected and ReplaceNeeded: once per value of the annotation.
pub(super) fn recreation(view: View<'_, Connection>) -> Option<Plan<Step>> {
    // Under Observe the annotation is left for when it is over, as it is while suspended.
    // A half that another object holds is not ours to make again.
    let beaten = view.object.items.iter().any(|item| item.standing.beaten_by.is_some());
    if !view.enforces() || beaten {
        return None;
    }
    match &view.object.own.recreate {
        Some(running) if running.phase == RecreatePhase::Deleting => Some(go_on(view, running)),
        handled => begin(view, handled.as_ref()),
    }
}

/// Our claimed halves.
fn claimed(view: View<'_, Connection>) -> impl Iterator<Item = (Half, &Item)> {
    Half::BOTH
        .into_iter()
        .map(move |half| (half, view.item(half.at())))
        .filter(|(_, item)| item.is_ours() && item.claim().is_some())
}

fn go_on(view: View<'_, Connection>, running: &RecreateStatus) -> Plan<Step> {
    let mut plan = Plan::rest(view, Vec::new(), Waiting::Nothing);
    let mut effects = Vec::new();
    let mut all_gone = true;
    for (half, item) in claimed(view) {
        let facts = view.facts_for(Goal::Gone);
        let advance = item.advance(&facts);
        plan.moves[half.at()] = Some(advance.step);
        all_gone &= advance.step == Move::DropClaim;
        if advance.step == Move::Delete {
            effects.extend(advance.effects.into_iter().map(|effect| (half.at(), effect)));
        }
    }
    if all_gone {
        // Not let go, but intended again: whoever wants it too stays second.
        plan.steps = claimed(view)
            .map(|(half, item)| {
                lifecycle::Step::Item(half.at(), Effect::Claim(item.intended(&view.facts(half.at()))))
            })
            .collect();
        let done = RecreateStatus { value: running.value.clone(), phase: RecreatePhase::Done };
        plan.steps.push(lifecycle::Step::Own(Step::Recreate(done)));
        plan.steps.push(lifecycle::Step::Persist);
        return plan;
    }
    plan.steps = effects.into_iter().map(|(at, effect)| lifecycle::Step::Item(at, effect)).collect();
    if plan.steps.is_empty() {
        // What stands in the way is said before what is under way.
        let items = &view.object.items;
        let mut findings: Vec<Finding> = items
            .iter()
            .filter_map(|item| {
                let fault = item.fault()?;
                Some(crate::fault::finding(fault, item.place(fault), item.resource))
            })
            .collect();
        findings.extend(items.iter().filter_map(|item| item.blocked.clone()));
        findings.push(Finding::new(
            Reason::Progressing,
            "recreating: our halves are being deleted and will be made again",
        ));
        plan.waiting = waiting(view, &findings, Waiting::Gone);
        plan.findings = findings;
    }
    plan
}

fn begin(view: View<'_, Connection>, handled: Option<&RecreateStatus>) -> Option<Plan<Step>> {
    let value = view.object.meta.recreate.as_ref()?;
    if handled.is_some_and(|handled| handled.value == *value) {
        return None;
    }
    // Both halves must have been read before it is known whether this is a state to leave.
    let unread = |half: Half| {
        let item = view.item(half.at());
        *view.object.own.roles.get(half) != Role::Absent
            && (item.signer.is_none() || item.reading().fault().is_some())
    };
    if Half::BOTH.into_iter().any(unread) {
        return None;
    }
    let first_pass = view.object.before.conditions.is_empty();
    let stuck = view.object.items.iter().any(|item| {
        matches!(
            item.found().and_then(|seen| seen.connection()),
            Some(ConnectionState::Conflict | ConnectionState::Revoked | ConnectionState::Rejected)
        )
    }) || view.replace_was_needed();
    let begins = stuck && !first_pass && view.object.claims();
    let phase = if begins { RecreatePhase::Deleting } else { RecreatePhase::Done };
    let mut plan = Plan::rest(view, Vec::new(), Waiting::Nothing);
    let step = Step::Recreate(RecreateStatus { value: value.clone(), phase });
    plan.steps.push(lifecycle::Step::Own(step));
    if begins {
        plan.steps.push(lifecycle::Step::Persist);
        plan.steps.push(lifecycle::Step::Tell(Happening::normal(
            Event::Recreating,
            "Recreate",
            "annotation avnm.dev/recreate: our halves are deleted and made again",
        )));
    }
    Some(plan)
}
