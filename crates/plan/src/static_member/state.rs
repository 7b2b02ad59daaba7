//! What Azure's word for a member means.

use avnm_terms::{Actor, ProvisioningState, Reading};

use super::member::{FAILED_TRIES, MEMBER, Member};
use crate::{
    finding::Finding,
    item::Move,
    lifecycle::View,
    reason::{Companion, Reason, UPDATING},
    status as conditions,
};

/// Adds what is to be said of a member that was read.
pub(super) fn state(view: View<'_, Member>, step: Option<Move>, findings: &mut Vec<Finding>) {
    let item = view.item(MEMBER);
    // Why it may not be written, or what it waits for, was said.
    if item.signer.is_none() || matches!(step, Some(Move::Frozen | Move::WouldWrite)) {
        return;
    }
    let Some(seen) = item.found() else {
        if findings.is_empty() {
            findings.push(Finding::new(Reason::Progressing, "the member is not there yet"));
        }
        return;
    };
    if step == Some(Move::Correct) {
        findings.push(Finding::new(Reason::Progressing, "the member is being replaced"));
        return;
    }
    if let Some(word) = seen.provisioning() {
        provisioning(view, word, findings);
    }
}

fn provisioning(view: View<'_, Member>, state: &ProvisioningState, findings: &mut Vec<Finding>) {
    match state {
        ProvisioningState::Succeeded => {
            if findings.is_empty() {
                findings.push(Finding::new(Reason::Succeeded, "the network is in the group"));
            }
        }
        ProvisioningState::Updating | ProvisioningState::Deleting => {
            let since = view.object.own.memory.updating_since;
            let late = since.is_some_and(|since| since.until(view.now.steady) >= UPDATING);
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

fn failed(view: View<'_, Member>) -> Finding {
    let (own, admin) = (&view.object.own, Actor::TargetTenantAdmin);
    if let Some(Reading::Absent) = &own.network_seen {
        return Finding::new(
            Reason::TargetMissing,
            format!(
                "Azure says Failed, and {} is not there: create it, or delete this object ({admin})",
                own.network
            ),
        )
        .with_failure("get virtualNetwork", own.network.arm().as_str(), "NotFound", admin);
    }
    // After a restart the old status tells that a person was called, for the same generation.
    let called = conditions::find(&view.object.before.conditions, "Stalled").is_some_and(|stalled| {
        stalled.reason == Reason::Failed.word()
            && stalled.observed_generation == Some(view.object.meta.generation)
    });
    let id = view.item(MEMBER).id().map(ToString::to_string).unwrap_or_default();
    let check = match (&own.network_seen, &own.reader) {
        (Some(Reading::Found(())), Some(_)) => "the network is there; check that it".to_owned(),
        (Some(Reading::Unread(fault)), _) => {
            format!("the network could not be read ({}); check that it exists,", fault.code)
        }
        (None | Some(_), _) => "check that the network exists,".to_owned(),
    };
    let mut finding = Finding::new(
        Reason::Failed,
        format!(
            "Azure says Failed for the member and does not tell why: {check} is not locked and that the manager's region supports it. It is sent again after a minute, then each 15 minutes ({admin})"
        ),
    )
    .with_failure(crate::side::Resource::Member.put_operation(), &id, "Failed", admin);
    if own.memory.retried.len() >= FAILED_TRIES || called {
        finding.companion = Some(Companion::Stalled);
    }
    finding
}
