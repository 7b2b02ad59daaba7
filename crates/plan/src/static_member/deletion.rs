//! A member that is being deleted: with the manager's token alone.

use avnm_api::{DeletionPolicy, Mode};
use avnm_terms::{Actor, Fault};

use super::decide::{Plan, Step, View, deleted_lately, relinquish, situation};
use crate::{
    credential::CredentialInput,
    credential::unusable,
    fault,
    finding::{Failure, Finding, Happening},
    item::{self, Goal, Move},
    meta::CrdState,
    pace::Waiting,
    reason::Reason,
    side::{Resource, Side},
};

/// The next steps of a deletion.
pub(super) fn deletion(view: View<'_>) -> Plan {
    let View { inputs, desired, observed, claim, memory, .. } = view;
    let policies = desired.policies;
    let operator = Actor::ClusterOperator;
    let mut plan = Plan::rest(Vec::new(), Waiting::Gone);
    let release = |mut plan: Plan| {
        if inputs.meta.held {
            plan.steps.push(Step::Release);
        }
        plan.findings.push(Finding::new(Reason::Deleting, "let go: nothing more is done in Azure"));
        plan.waiting = Waiting::Someone;
        plan
    };
    let Some(claim) = claim else { return release(plan) };
    if !inputs.meta.held {
        // Let go already, and kept by someone else's finalizer: nothing is written to Azure any more.
        plan.steps.push(Step::SetClaim(None));
        return plan;
    }
    if desired.goal == Goal::Left {
        let why = match (policies.deletion, policies.mode) {
            (DeletionPolicy::Orphan, _) => "spec.deletionPolicy is Orphan",
            (_, Mode::Observe) => "spec.mode is Observe",
            _ => "another object holds it",
        };
        plan.steps.push(Step::Tell(Happening::normal(
            "Orphaned",
            "Release",
            format!("{why}: the member stays in Azure"),
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
            "staticMember",
            code,
            operator,
        );
        Plan::rest(vec![finding], Waiting::Retry { streak: memory.streak, after: None })
    };
    if policies.suspend {
        return blocked(
            format!(
                "spec.suspend is true. Ways out: set it to false, or set spec.deletionPolicy: Orphan to leave the member in Azure ({operator})"
            ),
            "Suspended",
        );
    }
    if policies.deletion == DeletionPolicy::Confirm && !inputs.meta.confirm_delete {
        return blocked(
            format!(
                "spec.deletionPolicy is Confirm: nothing is done in Azure before somebody confirms. Ways out: annotate with avnm.dev/confirm-delete=true to delete the member, or set spec.deletionPolicy: Orphan to leave it in Azure ({operator})"
            ),
            "ConfirmationNeeded",
        );
    }
    if let CrdState::Unknown(fault) = &observed.crd
        && !inputs.meta.confirm_delete
    {
        let finding = Finding {
            reason: Reason::Deleting,
            message: format!(
                "cannot read whether the CustomResourceDefinition is being deleted: {}",
                fault.message
            ),
            failure: Some(Failure::of(fault, operator)),
            unread: true,
            companion: None,
        };
        return Plan::rest(vec![finding], Waiting::Retry { streak: memory.streak, after: None });
    }
    if observed.crd == CrdState::Terminating && !inputs.meta.confirm_delete {
        return blocked(
            format!(
                "CRDTerminating: the CustomResourceDefinition is being deleted, which would delete this in Azure. Ways out: annotate with avnm.dev/confirm-delete=true to delete it, or set spec.deletionPolicy: Orphan to leave it ({operator})"
            ),
            "CRDTerminating",
        );
    }
    if desired.signer.is_none() {
        let credential = &claim.credential_ref;
        let named = inputs.manager.iter().find(|input| input.credential() == credential);
        let why = match named {
            Some(CredentialInput::Usable(usable)) if !usable.allows(desired.group.arm()) => {
                Some(format!("has allowedScopes, and none of them holds {}", desired.group.arm()))
            }
            named => named.and_then(unusable::words),
        };
        let why = why.map(|why| format!(" {why}")).unwrap_or_default();
        return blocked(
            format!(
                "the member cannot be deleted: no credential of tenant {} is usable ({} {}{why}). Ways out: restore it, point credentialRef to another one of that tenant, or set spec.deletionPolicy: Orphan to leave it in Azure ({operator})",
                claim.tenant_id,
                credential.kind.as_str(),
                credential.name
            ),
            "CredentialUnusable",
        );
    }
    let step = item::next(&situation(view));
    plan.step = Some(step);
    if let Some(fault) = observed.write.as_ref().or(observed.reading.fault()) {
        plan.findings.push(deletion_fault(fault));
        plan.waiting = super::conclude::waiting(view, Waiting::Gone);
        return plan;
    }
    match step {
        Move::DropClaim => return release(plan),
        Move::Delete if !deleted_lately(view) => {
            plan.steps.push(Step::Delete);
            return plan;
        }
        _ => {}
    }
    plan.findings
        .push(Finding::new(Reason::Deleting, "deleted in Azure and waiting until it is proven gone"));
    if let (Move::AwaitGone | Move::AwaitQuiet, Some(left)) = (step, memory.item.quiet_in(view.steady)) {
        plan.waiting = Waiting::Quiet(left);
    }
    plan
}

fn deletion_fault(fault: &Fault) -> Finding {
    let mut finding = fault::finding(fault, Side::Manager, Resource::Member);
    if fault::blocks_deletion(fault) {
        finding.reason = Reason::DeletionBlocked;
        finding.message = format!(
            "the member cannot be deleted: {}. Ways out: remove the cause, or set spec.deletionPolicy: Orphan to leave it in Azure",
            finding.message
        );
    } else {
        finding.reason = Reason::Deleting;
    }
    finding
}
