//! The status of a member, and its own condition.

use avnm_api::StaticMemberStatus;
use avnm_terms::{ProvisioningState, Reading};

use super::member::{MEMBER, Member, Step};
use crate::{
    item::Move,
    lifecycle::{Common, Plan, View, unlooked},
    status::Wanted,
};

/// Longest region kept, in characters: a longer one would make the whole status unwritable.
const LOCATION_MAX: usize = 120;

/// What is to be written.
pub(super) fn status(view: View<'_, Member>, plan: &Plan<Step>, common: Common) -> StaticMemberStatus {
    let (item, old) = (view.item(MEMBER), &view.object.own.shown);
    let mut status = StaticMemberStatus {
        observed_generation: common.observed_generation,
        claim: item.claim().cloned(),
        plan: common.plan,
        last_failure: common.last_failure,
        last_handled_reconcile_at: common.last_handled_reconcile_at,
        ..StaticMemberStatus::default()
    };
    match item.reading() {
        Reading::Found(seen) if !unlooked(view, plan, MEMBER) => {
            status.id = Some(seen.id.to_string());
            status.provisioning_state = seen.provisioning().map(|word| word.as_str().to_owned());
            status.location =
                (!seen.location.is_empty()).then(|| avnm_terms::text::bounded(&seen.location, LOCATION_MAX));
        }
        Reading::Absent if !unlooked(view, plan, MEMBER) => {
            status.id = item.claim().and(item.id()).map(ToString::to_string);
        }
        Reading::Found(_) | Reading::Absent | Reading::Unread(_) => {
            status.id.clone_from(&old.id);
            status.provisioning_state.clone_from(&old.provisioning_state);
            status.location.clone_from(&old.location);
        }
    }
    status
}

/// Whether the member is as declared.
pub(super) fn synced(view: View<'_, Member>, plan: &Plan<Step>) -> Wanted {
    let item = view.item(MEMBER);
    let failed = item.found().and_then(|seen| seen.provisioning()) == Some(&ProvisioningState::Failed);
    let (status, reason, message) = if item.signer.is_none() || item.reading().fault().is_some() {
        ("Unknown", "NotRead", "the member could not be read")
    } else {
        match (plan.moves[MEMBER], item.found()) {
            (None, _) => ("Unknown", "NotRead", "the member was not read"),
            (Some(Move::Foreign | Move::AlreadyExists), _) => {
                ("False", "Foreign", "the member is someone else's")
            }
            (_, None) => ("False", "Missing", "the member is not there"),
            (Some(Move::Settled), Some(_)) if failed => {
                ("False", "Drifted", "Azure failed to put the network into the group")
            }
            (Some(Move::Settled), Some(_)) => ("True", "Synced", "the member is as declared"),
            (Some(_), Some(_)) => ("False", "Drifted", "the member differs from what is declared"),
        }
    };
    Wanted {
        type_: "Synced",
        status,
        reason: reason.to_owned(),
        message: message.to_owned(),
        generation: view.object.meta.generation,
    }
}
