//! A connection that is being deleted: members first, then each half by its own tenant's token.

use avnm_api::DeletionPolicy;
use avnm_terms::{Actor, Reading};

use super::{
    Half,
    decide::{Plan, Step, View, deleted_lately, relinquish, situation, waiting_for},
};
use crate::{
    fault,
    finding::{Failure, Finding, Happening},
    item::{self, Goal, Move},
    meta::CrdState,
    pace::Waiting,
    reason::Reason,
};

/// The next steps of a deletion.
pub(super) fn deletion(view: View<'_>) -> Plan {
    let policies = view.desired.policies;
    let mut plan = Plan::rest(Vec::new(), Waiting::Gone);
    let release = |mut plan: Plan| {
        if view.inputs.meta.held {
            plan.steps.push(Step::Release);
        }
        plan.findings.push(Finding::new(Reason::Deleting, "let go: nothing more is done in Azure"));
        plan.waiting = Waiting::Someone;
        plan
    };
    if !view.standing.any() {
        return release(plan);
    }
    if !view.inputs.meta.held {
        // Let go already, and kept by someone else's finalizer: nothing is written to Azure any more.
        let claimed = Half::BOTH.into_iter().filter(|half| view.standing.claims.get(*half).is_some());
        plan.steps.extend(claimed.map(|half| Step::SetClaim(half, None)));
        return plan;
    }
    if policies.leaves() {
        let why = if policies.deletion == DeletionPolicy::Orphan {
            "spec.deletionPolicy is Orphan"
        } else {
            "spec.mode is Observe"
        };
        plan.steps.push(Step::Tell(Happening::normal(
            "Orphaned",
            "Release",
            format!("{why}: our halves stay in Azure"),
        )));
        return release(plan);
    }
    // A claim of another id is no right to delete what is there under the name that spec has now.
    if let Some(plan) = relinquish(view) {
        return plan;
    }
    let blocked = |message: String, code: &str| {
        let finding = Finding::new(Reason::DeletionBlocked, message).with_failure(
            "delete",
            "connection",
            code,
            Actor::ClusterOperator,
        );
        Plan::rest(vec![finding], Waiting::Retry { streak: view.memory.streak, after: None })
    };
    if policies.suspend {
        return blocked(
            format!(
                "spec.suspend is true. Ways out: set it to false, or set spec.deletionPolicy: Orphan to leave both halves in Azure ({})",
                Actor::ClusterOperator
            ),
            "Suspended",
        );
    }
    if policies.deletion == DeletionPolicy::Confirm && !view.inputs.meta.confirm_delete {
        return blocked(
            format!(
                "spec.deletionPolicy is Confirm: nothing is done in Azure before somebody confirms. Ways out: annotate with avnm.dev/confirm-delete=true to delete both halves, or set spec.deletionPolicy: Orphan to leave them in Azure ({})",
                Actor::ClusterOperator
            ),
            "ConfirmationNeeded",
        );
    }
    if let CrdState::Unknown(fault) = &view.observed.crd
        && !view.inputs.meta.confirm_delete
    {
        let finding = Finding {
            reason: Reason::Deleting,
            message: format!(
                "cannot read whether the CustomResourceDefinition is being deleted: {}",
                fault.message
            ),
            failure: Some(Failure::of(fault, Actor::ClusterOperator)),
            unread: true,
            companion: None,
        };
        return Plan::rest(vec![finding], Waiting::Retry { streak: view.memory.streak, after: None });
    }
    if view.observed.crd == CrdState::Terminating && !view.inputs.meta.confirm_delete {
        return blocked(
            format!(
                "CRDTerminating: the CustomResourceDefinition is being deleted, which would delete this in Azure. Ways out: annotate with avnm.dev/confirm-delete=true to delete it, or set spec.deletionPolicy: Orphan to leave it ({})",
                Actor::ClusterOperator
            ),
            "CRDTerminating",
        );
    }
    match &view.observed.dependents {
        Reading::Unread(fault) => {
            let finding = Finding {
                reason: Reason::Deleting,
                message: format!("cannot list the members of this connection: {}", fault.message),
                failure: Some(Failure::of(fault, Actor::ClusterOperator)),
                unread: true,
                companion: None,
            };
            return Plan::rest(vec![finding], Waiting::Retry { streak: view.memory.streak, after: None });
        }
        Reading::Found(members) if !members.is_empty() => {
            let names: Vec<&str> = members.iter().take(3).map(|member| member.name.as_str()).collect();
            let named = format!(
                "{} StaticMember(s) that name this connection still hold a member in Azure ({})",
                members.len(),
                names.join(", ")
            );
            if members.iter().all(|member| member.deleting) {
                let finding =
                    Finding::new(Reason::Deleting, format!("{named}; they are being deleted first"));
                return Plan::rest(vec![finding], Waiting::Settling(2));
            }
            return blocked(
                format!(
                    "{named}. Ways out: delete them, or set spec.deletionPolicy: Orphan here to leave both halves in Azure ({})",
                    Actor::ClusterOperator
                ),
                "MembersRemain",
            );
        }
        Reading::Found(_) | Reading::Absent => {}
    }
    let mut persist = false;
    for half in Half::BOTH {
        if view.standing.claims.get(half).is_none() {
            continue;
        }
        let (desire, observed) = (view.desired.halves.get(half), view.observed.halves.get(half));
        if let (Some(finding), true) = (&desire.blocked, desire.goal == Goal::Gone) {
            plan.findings.push(finding.clone());
            continue;
        }
        let step = item::next(&situation(view, half));
        *plan.moves.get_mut(half) = Some(step);
        let fault = observed.write.as_ref().or(observed.reading.fault());
        // What is left in Azure needs no read to be let go.
        if let Some(fault) = fault.filter(|_| desire.goal == Goal::Gone) {
            plan.findings.push(deletion_fault(half, fault));
            continue;
        }
        match step {
            Move::DropClaim => {
                plan.steps.push(Step::SetClaim(half, None));
                if desire.goal == Goal::Left {
                    plan.steps.push(Step::Tell(Happening::normal(
                        "Orphaned",
                        "Release",
                        format!("another object holds the {}: it stays in Azure", half.words()),
                    )));
                }
                persist = true;
            }
            Move::Delete if !deleted_lately(view, half) => plan.steps.push(Step::Delete(half)),
            _ => {}
        }
    }
    if persist {
        // The finalizer goes only after the claims are durably gone or nothing is left to say.
        let left = Half::BOTH.into_iter().any(|half| {
            view.standing.claims.get(half).is_some()
                && !plan.steps.iter().any(|step| matches!(step, Step::SetClaim(done, None) if *done == half))
        });
        if left {
            plan.steps.push(Step::Persist);
        }
        return plan;
    }
    if plan.steps.is_empty() {
        let waits: Vec<&str> = Half::BOTH
            .into_iter()
            .filter(|half| {
                matches!(plan.moves.get(*half), Some(Move::AwaitGone | Move::AwaitQuiet | Move::Delete))
            })
            .map(Half::words)
            .collect();
        if !waits.is_empty() {
            plan.findings.push(Finding::new(
                Reason::Deleting,
                format!("deleted in Azure and waiting until it is proven gone: {}", waits.join(", ")),
            ));
        }
        // A half that cannot be deleted does not hide behind one that is going.
        plan.findings.sort_by_key(|finding| finding.reason != Reason::DeletionBlocked);
        let blocked = plan.findings.iter().any(|finding| finding.reason == Reason::DeletionBlocked);
        if blocked {
            plan.findings.retain(|finding| finding.reason == Reason::DeletionBlocked);
        }
        let counting =
            plan.moves.scope == Some(Move::AwaitGone) || plan.moves.target == Some(Move::AwaitGone);
        plan.waiting = match waiting_for(view, &[], Waiting::Gone) {
            _ if counting => Waiting::Gone,
            Waiting::Gone if blocked => Waiting::Retry { streak: view.memory.streak, after: None },
            waiting => waiting,
        };
    }
    plan
}

fn deletion_fault(half: Half, fault: &avnm_terms::Fault) -> Finding {
    let mut finding = fault::finding(fault, half.side(), half.resource());
    if fault::blocks_deletion(fault) {
        finding.reason = Reason::DeletionBlocked;
        finding.message = format!(
            "the {} cannot be deleted: {}. Ways out: remove the cause, or set spec.deletionPolicy: Orphan to leave it in Azure",
            half.words(),
            finding.message
        );
    } else {
        finding.reason = Reason::Deleting;
    }
    finding
}
