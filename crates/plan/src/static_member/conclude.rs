//! What to say of a member for which nothing is left to do in this pass.

use avnm_api::Mode;
use avnm_terms::{Actor, Fault, ProvisioningState, Reading};

use super::{
    FAILED_TRIES,
    decide::{Plan, View, retry_in},
};
use crate::{
    fault,
    finding::{Finding, worst},
    item::Move,
    pace::Waiting,
    reason::{Companion, Reason, UPDATING},
    side::{Resource, Side},
    status as conditions,
};

/// The group that a member shall join is not there.
pub(super) fn group_missing(view: View<'_>) -> Finding {
    let finding = Finding::new(
        Reason::GroupNotFound,
        format!(
            "the network group {} is not there: create it, or correct networkGroupId ({})",
            view.desired.group,
            Actor::ManagerTenantAdmin
        ),
    );
    finding.with_failure(
        "get networkGroup",
        view.desired.group.arm().as_str(),
        "NotFound",
        Actor::ManagerTenantAdmin,
    )
}

/// Adds the findings, what Enforce would do, and what is waited for.
pub(super) fn conclude(view: View<'_>, plan: &mut Plan) {
    let mut findings = view.desired.waits_for.clone();
    if let Some(gone) = &view.observed.sources_gone {
        findings.push(
            Finding::new(
                Reason::DependencyNotReady,
                format!("{gone}: nothing was written ({})", Actor::ClusterOperator),
            )
            .with_failure("read live", gone, "Gone", Actor::ClusterOperator),
        );
    }
    if let Some(fault) = &view.observed.write {
        let mut finding = write_fault(fault);
        finding.unread = false;
        findings.push(finding);
    } else if view.desired.signer.is_some() {
        seen(view, plan, &mut findings);
    }
    if view.desired.policies.mode == Mode::Observe {
        observe(plan, &mut findings);
    }
    plan.waiting = rest(view, plan, &findings);
    plan.findings = findings;
}

/// A refused PUT is the manager's side, unless Azure says that it is about the linked network.
fn write_fault(fault: &Fault) -> Finding {
    let linked = matches!(
        fault.kind,
        avnm_terms::FaultKind::LinkedPermissionDenied | avnm_terms::FaultKind::LinkedTenantDenied
    );
    fault::finding(fault, if linked { Side::Target } else { Side::Manager }, Resource::Member)
}

fn seen(view: View<'_>, plan: &mut Plan, findings: &mut Vec<Finding>) {
    let operator = Actor::ClusterOperator;
    let found = match &view.observed.reading {
        Reading::Unread(fault) => {
            findings.push(fault::finding(fault, Side::Manager, Resource::Member));
            return;
        }
        Reading::Absent => {
            if plan.step == Some(Move::WouldWrite) && view.desired.policies.mode == Mode::Observe {
                plan.would.push(("PUT", "not there".to_owned()));
            } else if plan.step == Some(Move::WouldWrite) && findings.is_empty() {
                findings.push(takes_nothing_new(view));
            } else if plan.step == Some(Move::Frozen) {
                findings.push(frozen(view, "it is not there"));
            } else if plan.step == Some(Move::AlreadyExists) {
                findings.push(elsewhere(view));
            } else if findings.is_empty() {
                findings.push(Finding::new(Reason::Progressing, "the member is not there yet"));
            }
            return;
        }
        Reading::Found(found) => found,
    };
    let differs = || {
        let all: Vec<String> = found
            .body
            .differences(&view.desired.want, &["resourceId"])
            .into_iter()
            .map(|(field, old, new)| {
                format!("{field} is {:?}, declared {new:?}", avnm_terms::text::bounded(&old, 300))
            })
            .collect();
        if all.is_empty() { "it is identical".to_owned() } else { all.join("; ") }
    };
    match plan.step {
        Some(Move::Foreign) => {
            findings.push(Finding::new(
                Reason::Foreign,
                format!(
                    "{} is already there and not ours ({}): it is left alone. Delete it in Azure, choose another memberName, or set spec.adoptionPolicy: Always to take it over ({operator})",
                    view.desired.id, differs()
                ),
            ));
            return;
        }
        Some(Move::AlreadyExists) => {
            findings.push(elsewhere(view));
            return;
        }
        Some(Move::AwaitQuiet) => {
            findings.push(Finding::new(
                Reason::Progressing,
                "waiting until an earlier write of the member, whose answer was not read, can no longer come",
            ));
            return;
        }
        Some(Move::Frozen) => {
            findings.push(frozen(view, &differs()));
            return;
        }
        Some(Move::WouldWrite) if view.desired.policies.mode == Mode::Observe => {
            plan.would.push(("DELETE and PUT", format!("differs: {}", differs())));
            return;
        }
        Some(Move::WouldWrite) if findings.is_empty() => {
            findings.push(takes_nothing_new(view));
            return;
        }
        Some(Move::Correct) => {
            findings.push(Finding::new(Reason::Progressing, "the member is being replaced"));
            return;
        }
        _ => {}
    }
    provisioning(view, &found.provisioning, findings);
}

/// A credential that is being deleted, or whose source is gone, serves reads and deletions only.
fn takes_nothing_new(view: View<'_>) -> Finding {
    let credentials = [&view.desired.signer, &view.desired.auxiliary];
    let named = credentials
        .into_iter()
        .flatten()
        .find(|usable| usable.terminating || usable.last_material)
        .map(|usable| format!("{}/{}", usable.credential.kind.as_str(), usable.credential.name))
        .unwrap_or_default();
    Finding::new(
        Reason::DependencyNotReady,
        format!(
            "{named} is being deleted or has lost its source, and takes nothing new: restore it, or refer to another one ({})",
            Actor::ClusterOperator
        ),
    )
    .with_failure("use credential", &named, "Terminating", Actor::ClusterOperator)
}

fn frozen(view: View<'_>, differs: &str) -> Finding {
    if view.observed.reading.is_absent() && view.memory.item.may_lag(view.waits, view.steady) {
        return Finding::new(Reason::Progressing, "the member was sent, and Azure does not show it yet");
    }
    Finding::new(
        Reason::Contended,
        format!(
            "someone else keeps changing or deleting the member ({differs}): find out who, or set spec.mode: Observe. It is corrected once an hour ({})",
            Actor::ManagerTenantAdmin
        ),
    )
}

fn elsewhere(view: View<'_>) -> Finding {
    let id = view.observed.elsewhere.as_ref().map(ToString::to_string).unwrap_or_default();
    Finding::new(
        Reason::AlreadyExistsAs,
        format!(
            "the network is already in the group as {id}: use that memberName (on a new object) to adopt it, or delete it in Azure ({})",
            Actor::ClusterOperator
        ),
    )
}

fn provisioning(view: View<'_>, state: &ProvisioningState, findings: &mut Vec<Finding>) {
    match state {
        ProvisioningState::Succeeded => {
            if findings.is_empty() {
                findings.push(Finding::new(Reason::Succeeded, "the network is in the group"));
            }
        }
        ProvisioningState::Updating | ProvisioningState::Deleting => {
            let late =
                view.memory.updating_since.is_some_and(|since| since.duration_until(view.now) >= UPDATING);
            let (reason, tail) = if late {
                (Reason::UpdatingTooLong, "; this takes longer than it should")
            } else {
                (Reason::Updating, "")
            };
            findings.push(Finding::new(
                reason,
                format!("Azure is putting the network into the group{tail} ({})", Actor::Azure),
            ));
        }
        ProvisioningState::Failed => findings.push(failed(view)),
        ProvisioningState::Other(word) => findings.push(Finding::new(
            Reason::UnknownState,
            format!(
                "Azure says {word:?} for the member, a word that this version does not know ({})",
                Actor::Azure
            ),
        )),
    }
}

fn failed(view: View<'_>) -> Finding {
    if let Some(Reading::Absent) = &view.observed.network {
        let finding = Finding::new(
            Reason::TargetMissing,
            format!(
                "Azure says Failed, and {} is not there: create it, or delete this object ({})",
                view.desired.network,
                Actor::TargetTenantAdmin
            ),
        );
        return finding.with_failure(
            "get virtualNetwork",
            view.desired.network.arm().as_str(),
            "NotFound",
            Actor::TargetTenantAdmin,
        );
    }
    // After a restart the old status tells that a person was called, for the same generation.
    let called = conditions::find(&view.inputs.status.conditions, "Stalled").is_some_and(|stalled| {
        stalled.reason == Reason::Failed.word()
            && stalled.observed_generation == Some(view.inputs.meta.generation)
    });
    let tries = view.memory.retried.len();
    let mut finding = Finding::new(
        Reason::Failed,
        format!(
            "Azure says Failed for the member and does not tell why: check that the network exists, is not locked and that the manager's region supports it. It is sent again after a minute, then each 15 minutes ({})",
            Actor::TargetTenantAdmin
        ),
    )
    .with_failure("put staticMember", view.desired.id.arm().as_str(), "Failed", Actor::TargetTenantAdmin);
    if tries >= FAILED_TRIES || called {
        finding.companion = Some(Companion::Stalled);
    }
    finding
}

fn observe(plan: &Plan, findings: &mut Vec<Finding>) {
    if !plan.would.is_empty() {
        let list: Vec<String> =
            plan.would.iter().map(|(verb, why)| format!("{verb} the member ({why})")).collect();
        findings.retain(|finding| finding.reason < Reason::Progressing || finding.unread);
        findings.push(Finding::new(
            Reason::WouldChange,
            format!("spec.mode is Observe: Enforce would {}", list.join(", then ")),
        ));
    } else if let Some(ready) = findings.iter_mut().find(|finding| finding.reason == Reason::Succeeded) {
        ready.reason = Reason::Observed;
        ready.message = format!("spec.mode is Observe, and there is nothing to do: {}", ready.message);
    }
}

/// What is waited for when something failed; otherwise what the caller says.
pub(super) fn waiting(view: View<'_>, otherwise: Waiting) -> Waiting {
    let observed = view.observed;
    let group = observed.group.as_ref().and_then(|group| group.fault());
    let routing = observed.routing.as_ref().and_then(|routing| routing.fault());
    let network = observed.network.as_ref().and_then(|network| network.fault());
    let faults = [observed.write.as_ref(), observed.reading.fault(), group, routing, network];
    faults.into_iter().flatten().next().map_or(otherwise, |fault| Waiting::Retry {
        streak: view.memory.streak,
        after: fault.retry_after.and_then(|after| jiff::SignedDuration::try_from(after).ok()),
    })
}

fn rest(view: View<'_>, plan: &Plan, findings: &[Finding]) -> Waiting {
    if plan.step == Some(Move::AwaitQuiet)
        && let Some(left) = view.memory.item.quiet_in(view.steady)
    {
        return Waiting::Quiet(left);
    }
    let otherwise = match worst(findings.to_vec()).map(|finding| finding.reason) {
        Some(Reason::Progressing | Reason::Updating | Reason::UpdatingTooLong | Reason::UnknownState) => {
            Waiting::Settling(view.memory.looks)
        }
        // Once it is due and cannot be sent (Observe, or the network is missing), a sweep is soon enough.
        Some(Reason::Failed | Reason::TargetMissing) => match retry_in(view) {
            Some(wait) => Waiting::Retry { streak: 0, after: Some(wait.min(view.waits.sweep)) },
            None => Waiting::Someone,
        },
        Some(Reason::Succeeded | Reason::Observed) => Waiting::Nothing,
        _ => Waiting::Someone,
    };
    waiting(view, otherwise)
}
