//! What to say of an object for which nothing is left to do in this pass.

use avnm_terms::Actor;

use super::{kind::Kind, object::At, plan::Plan, view::View, waiting::waiting};
use crate::{
    finding::{Finding, worst},
    item::Move,
    pace::Waiting,
    reason::Reason,
};

/// Adds the findings, what Enforce would do, and what is waited for.
pub(super) fn conclude<K: Kind>(view: View<'_, K>, plan: &mut Plan<K::Step>) {
    let mut findings = view.object.waits_for.clone();
    for at in 0..view.object.items.len() {
        of_item(view, plan, at, &mut findings);
    }
    K::whole(view, &mut findings);
    if !view.enforces() {
        observe(view, plan, &mut findings);
    }
    let quiet = plan
        .moves
        .iter()
        .zip(&view.object.items)
        .filter(|(step, _)| **step == Some(Move::AwaitQuiet))
        .filter_map(|(_, item)| item.history().quiet_in(view.now.steady))
        .max();
    let reason = worst(findings.clone()).map(|finding| finding.reason);
    let otherwise = match (quiet, reason) {
        (Some(left), _) => Waiting::Quiet(left),
        (None, Some(reason)) => K::waits(view, reason).unwrap_or_else(|| of_reason(view, reason)),
        (None, None) => Waiting::Someone,
    };
    plan.waiting = waiting(view, &findings, otherwise);
    plan.findings = findings;
}

fn of_item<K: Kind>(view: View<'_, K>, plan: &mut Plan<K::Step>, at: At, findings: &mut Vec<Finding>) {
    let item = view.item(at);
    if let Some(blocked) = &item.blocked {
        findings.push(blocked.clone());
        return;
    }
    if let Some(winner) = &item.standing.beaten_by {
        // Who cannot sign in learns nothing about who else is there.
        if view.object.waits_for.is_empty() {
            findings.push(beaten(item.resource, winner));
        }
        return;
    }
    let step = plan.moves[at];
    if let Some(step) = step {
        findings.extend(item.findings(step, &view.facts(at)));
    } else if let Some(fault) = item.fault() {
        // Someone else's is read, and never moved.
        findings.push(crate::fault::finding(fault, item.place(fault), item.resource));
    }
    if item.fault().is_some() || matches!(step, Some(Move::Foreign | Move::AlreadyExists | Move::AwaitQuiet))
    {
        return;
    }
    if step == Some(Move::WouldWrite) && !view.enforces() {
        let (verb, why) = match item.found() {
            Some(_) if item.resource.is_replaced() => {
                ("DELETE and PUT", format!("differs: {}", item.differences()))
            }
            Some(_) => ("PUT", format!("differs: {}", item.differences())),
            None => ("PUT", "not there".to_owned()),
        };
        plan.would.push((verb, at, why));
    }
    K::state(view, at, step, findings);
}

fn beaten(resource: crate::side::Resource, winner: &str) -> Finding {
    let (words, operator) = (resource.words(), Actor::ClusterOperator);
    let out = if resource.is_half() { ", or take this half out" } else { "" };
    Finding::new(
        Reason::ClaimedByOther,
        format!("{winner} claims the same {words} and was first: delete one of the two{out} ({operator})"),
    )
}

/// Mode Observe: says what Enforce would do, or that it would do nothing.
fn observe<K: Kind>(view: View<'_, K>, plan: &Plan<K::Step>, findings: &mut Vec<Finding>) {
    let ready =
        |reason| matches!(reason, Reason::Connected | Reason::ConnectedAsSeenFromTarget | Reason::Succeeded);
    if !plan.would.is_empty() {
        let list: Vec<String> = plan
            .would
            .iter()
            .map(|(verb, at, why)| format!("{verb} the {} ({why})", view.item(*at).resource.words()))
            .collect();
        findings.retain(|finding| finding.reason < Reason::Progressing || finding.unread);
        findings.push(Finding::new(
            Reason::WouldChange,
            format!("spec.mode is Observe: Enforce would {}", list.join(", then ")),
        ));
    } else if let Some(ready) = findings.iter_mut().find(|finding| ready(finding.reason)) {
        ready.reason = Reason::Observed;
        ready.message = format!("spec.mode is Observe, and there is nothing to do: {}", ready.message);
    }
}

fn of_reason<K>(view: View<'_, K>, reason: Reason) -> Waiting {
    match reason {
        Reason::Progressing
        | Reason::Activating
        | Reason::PendingTooLong
        | Reason::AwaitingScope
        | Reason::PendingRemoteConnection
        | Reason::Revoked
        | Reason::Updating
        | Reason::UpdatingTooLong
        | Reason::UnknownState => Waiting::Settling(view.object.memory.looks),
        Reason::Connected | Reason::ConnectedAsSeenFromTarget | Reason::Succeeded | Reason::Observed => {
            Waiting::Nothing
        }
        Reason::Deleting
        | Reason::DeletionBlocked
        | Reason::Suspended
        | Reason::InvalidSpec
        | Reason::SameTenant
        | Reason::TenantMismatch
        | Reason::ManagerMismatch
        | Reason::ScopeMismatch
        | Reason::CredentialMismatch
        | Reason::CredentialMissing
        | Reason::MemberTypeMismatch
        | Reason::RoutingNotEnabled
        | Reason::ScopeNotAllowed
        | Reason::NamespaceNotAllowed
        | Reason::DependencyNotReady
        | Reason::CredentialNotReady
        | Reason::ConnectionNotReady
        | Reason::ClaimedByOther
        | Reason::Foreign
        | Reason::AlreadyExistsAs
        | Reason::ManagerNotFound
        | Reason::GroupNotFound
        | Reason::TargetMissing
        | Reason::PermissionDenied
        | Reason::AzureRefused
        | Reason::Contended
        | Reason::ProgressingWithRetry
        | Reason::ScopeMismatched
        | Reason::Rejected
        | Reason::Conflict
        | Reason::ReplaceNeeded
        | Reason::Failed
        | Reason::WouldChange
        | Reason::TokenAcquired
        | Reason::SecretNotFound
        | Reason::SourceNotFound
        | Reason::SourceForbidden
        | Reason::SignInRefused
        | Reason::Propagating
        | Reason::Unreachable => Waiting::Someone,
    }
}
