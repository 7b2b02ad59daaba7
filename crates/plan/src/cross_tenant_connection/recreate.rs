//! The annotation that deletes our halves and makes them again.

use avnm_api::{ClaimOrigin, ClaimPhase, Mode, RecreatePhase, RecreateStatus};
use avnm_terms::ConnectionState;

use super::{
    Half, Role,
    decide::{Plan, Step, View, deleted_lately, new_claim, replace_was_needed, situation, waiting_for},
};
use crate::{
    fault,
    finding::{Finding, Happening},
    item::{self, Goal, Move, Situation},
    pace::Waiting,
    reason::Reason,
};

/// The way out of Conflict, Revoked, Rejected and ReplaceNeeded: once per value of the annotation.
pub(super) fn recreation(view: View<'_>) -> Option<Plan> {
    // Under Observe the annotation is left for when it is over, as it is while suspended.
    // A half that another object holds is not ours to make again.
    let beaten = Half::BOTH.into_iter().any(|half| view.inputs.beaten_by.get(half).is_some());
    if view.desired.policies.mode == Mode::Observe || beaten {
        return None;
    }
    let mut plan = Plan::rest(Vec::new(), Waiting::Nothing);
    if let Some(running) =
        view.standing.recreate.as_ref().filter(|recreate| recreate.phase == RecreatePhase::Deleting)
    {
        let mut all_gone = true;
        for half in Half::BOTH {
            let (desire, observed) = (view.desired.halves.get(half), view.observed.halves.get(half));
            if view.standing.claims.get(half).is_none() || desire.role != Role::Ours {
                continue;
            }
            let step = item::next(&Situation { goal: Goal::Gone, ..situation(view, half) });
            *plan.moves.get_mut(half) = Some(step);
            match step {
                Move::DropClaim => {}
                Move::Delete if observed.write.is_none() && !deleted_lately(view, half) => {
                    all_gone = false;
                    plan.steps.push(Step::Delete(half));
                }
                _ => all_gone = false,
            }
        }
        if all_gone {
            for half in Half::BOTH {
                let desire = view.desired.halves.get(half);
                if view.standing.claims.get(half).is_some() && desire.role == Role::Ours {
                    let hash = desire.want.as_ref().map(crate::item::Body::hash).unwrap_or_default();
                    let claim = new_claim(view, half, ClaimPhase::Intended, ClaimOrigin::Created, hash);
                    plan.steps.push(Step::SetClaim(half, claim));
                }
            }
            plan.steps.push(Step::SetRecreate(RecreateStatus {
                value: running.value.clone(),
                phase: RecreatePhase::Done,
            }));
            plan.steps.push(Step::Persist);
            return Some(plan);
        }
        if plan.steps.is_empty() {
            // What stands in the way is said before what is under way.
            let mut findings = write_faults(view);
            let halves = view.desired.halves.each();
            findings.extend(halves.into_iter().filter_map(|(_, desire)| desire.blocked.clone()));
            findings.push(Finding::new(
                Reason::Progressing,
                "recreating: our halves are being deleted and will be made again",
            ));
            plan.waiting = waiting_for(view, &findings, Waiting::Gone);
            plan.findings = findings;
        }
        return Some(plan);
    }
    let value = view.inputs.meta.recreate.as_ref()?;
    if view.standing.recreate.as_ref().is_some_and(|handled| handled.value == *value) {
        return None;
    }
    // Both halves must have been read before it is known whether this is a state to leave.
    let unread = |half: Half| {
        let desire = view.desired.halves.get(half);
        desire.role != Role::Absent
            && (desire.signer.is_none() || view.observed.halves.get(half).reading.fault().is_some())
    };
    if Half::BOTH.into_iter().any(unread) {
        return None;
    }
    let first_pass = view.inputs.status.conditions.is_empty();
    let stuck = Half::BOTH.into_iter().any(|half| {
        let state = view.observed.halves.get(half).reading.found().map(|found| &found.state);
        matches!(
            state,
            Some(ConnectionState::Conflict | ConnectionState::Revoked | ConnectionState::Rejected)
        )
    }) || replace_was_needed(view);
    let begins = stuck && !first_pass && view.standing.any();
    let phase = if begins { RecreatePhase::Deleting } else { RecreatePhase::Done };
    plan.steps.push(Step::SetRecreate(RecreateStatus { value: value.clone(), phase }));
    if begins {
        plan.steps.push(Step::Persist);
        plan.steps.push(Step::Tell(Happening::normal(
            "Recreating",
            "Recreate",
            "annotation avnm.dev/recreate: our halves are deleted and made again",
        )));
    }
    Some(plan)
}

fn write_faults(view: View<'_>) -> Vec<Finding> {
    Half::BOTH
        .into_iter()
        .filter_map(|half| {
            let observed = view.observed.halves.get(half);
            let fault = observed.write.as_ref().or(observed.reading.fault())?;
            Some(fault::finding(fault, half.side(), half.resource()))
        })
        .collect()
}
