//! The status of a connection, and its own conditions.

use avnm_api::{CrossTenantConnectionStatus, HalfStatus};
use avnm_terms::{ConnectionState, Reading};
use jiff::Timestamp;

use super::{
    candidates::badness,
    connection::{Connection, Role, Step},
    half::{self, Half, status_mut},
};
use crate::{
    item::Move,
    lifecycle::{Common, Object, Plan, View, unlooked},
    status::{DESCRIPTION_NOT_TAKEN, Wanted, description_not_taken, whole},
};

/// What is to be written.
pub(super) fn status(
    view: View<'_, Connection>,
    plan: &Plan<Step>,
    common: Common,
) -> CrossTenantConnectionStatus {
    let halves = halves(view, plan);
    let mut status = CrossTenantConnectionStatus {
        observed_generation: common.observed_generation,
        connection_state: halves
            .iter()
            .filter_map(|(_, half)| half.state.clone())
            .max_by_key(|word| badness(&ConnectionState::parse(word))),
        pending_since: halves
            .iter()
            .filter(|(_, half)| half.state.as_deref() == Some("Pending"))
            .filter_map(|(_, half)| half.state_since.clone())
            .min(),
        recreate: view.object.own.recreate.clone(),
        plan: common.plan,
        last_failure: common.last_failure,
        last_handled_reconcile_at: common.last_handled_reconcile_at,
        ..CrossTenantConnectionStatus::default()
    };
    for (half, value) in halves {
        *status_mut(&mut status, half) = (value != HalfStatus::default()).then_some(value);
    }
    status
}

/// Status with the claims as they stand.
pub(super) fn with_claims(
    object: &Object<Connection>,
    mut status: CrossTenantConnectionStatus,
) -> CrossTenantConnectionStatus {
    status.recreate.clone_from(&object.own.recreate);
    for half in Half::BOTH {
        let item = &object.items[half.at()];
        let slot = status_mut(&mut status, half);
        let claim = item.claim().cloned();
        if claim.is_none() && slot.is_none() {
            continue;
        }
        let mut value = slot.clone().unwrap_or_default();
        if claim.is_some() {
            value.id = item.id().map(ToString::to_string);
        }
        value.claim = claim;
        if value.claim.is_none() && *object.own.roles.get(half) != Role::External {
            value = HalfStatus::default();
        }
        *slot = (value != HalfStatus::default()).then_some(value);
    }
    status
}

/// Since when a half is Revoked: without a failure the grace counts from when that state was read.
pub(super) fn revoked_since(view: View<'_, Connection>, plan: &Plan<Step>) -> Option<Timestamp> {
    let halves = halves(view, plan);
    let revoked = halves.iter().filter(|(_, half)| half.state.as_deref() == Some("Revoked"));
    revoked.filter_map(|(_, half)| half.state_since.as_ref().map(|time| time.0)).min()
}

fn halves(view: View<'_, Connection>, plan: &Plan<Step>) -> [(Half, HalfStatus); 2] {
    Half::BOTH.map(|half| {
        let item = view.item(half.at());
        let old = half::status(&view.object.own.shown, half).cloned().unwrap_or_default();
        let claim = item.claim().cloned();
        if *view.object.own.roles.get(half) == Role::Absent && claim.is_none() {
            return (half, HalfStatus::default());
        }
        let mut new = HalfStatus { claim, ..HalfStatus::default() };
        match item.reading() {
            // What was not looked at stays as it was last seen.
            _ if unlooked(view, plan, half.at()) => {
                (new.id, new.state, new.state_since) = (old.id, old.state, old.state_since);
            }
            Reading::Unread(_) => {
                (new.id, new.state, new.state_since) = (old.id, old.state, old.state_since);
            }
            Reading::Found(seen) => {
                let word = seen.connection().map(|state| state.as_str().to_owned());
                new.state_since = if old.state == word { old.state_since } else { None }
                    .or_else(|| Some(whole(view.now.wall)));
                new.state = word;
                new.id = Some(seen.id.to_string());
            }
            Reading::Absent => {
                new.id = new.claim.as_ref().and(item.id()).map(ToString::to_string);
            }
        }
        (half, new)
    })
}

/// Azure's word.
pub(super) fn connected(view: View<'_, Connection>, status: &CrossTenantConnectionStatus) -> Wanted {
    let make = |status, reason: &str, message: String| Wanted {
        type_: "Connected",
        status,
        reason: reason.to_owned(),
        message,
        generation: view.object.meta.generation,
    };
    let unread = Half::BOTH.into_iter().find(|half| {
        let item = view.item(half.at());
        *view.object.own.roles.get(*half) != Role::Absent
            && (item.signer.is_none() || item.reading().fault().is_some())
    });
    if let Some(half) = unread {
        return make("Unknown", "NotRead", format!("the {} could not be read", half.resource().words()));
    }
    match status.connection_state.as_deref() {
        None => make("False", "NotRead", "no half is there yet".to_owned()),
        Some("Connected") => make("True", "Connected", "Azure says Connected".to_owned()),
        Some(word) => {
            // A word of Azure's that is no valid reason must not break the write.
            let reason: String = word.chars().filter(char::is_ascii_alphanumeric).collect();
            let good = reason.chars().next().is_some_and(|c| c.is_ascii_alphabetic());
            make("False", if good { &reason } else { "UnknownState" }, format!("Azure says {word}"))
        }
    }
}

/// That Azure does not take a description, of each half of which that holds.
fn not_taken(view: View<'_, Connection>) -> String {
    let told = Half::BOTH
        .into_iter()
        .filter(|half| view.item(half.at()).description_is_not_taken(&view.facts(half.at())))
        .map(|half| description_not_taken(half.resource()));
    told.collect::<Vec<_>>().join("; ")
}

/// Whether our side is as declared.
pub(super) fn synced(view: View<'_, Connection>, plan: &Plan<Step>) -> Wanted {
    let mut worst: (u8, &'static str, &'static str, String) =
        (0, "True", "Synced", "our side is as declared".to_owned());
    for half in Half::BOTH {
        let item = view.item(half.at());
        if !item.is_ours() {
            continue;
        }
        let words = half.resource().words();
        let this = if item.signer.is_none() || item.reading().fault().is_some() {
            (1, "Unknown", "NotRead", format!("the {words} could not be read"))
        } else {
            match plan.moves[half.at()] {
                Some(Move::Foreign | Move::AlreadyExists) => {
                    (4, "False", "Foreign", format!("the {words} is someone else's"))
                }
                None => (1, "Unknown", "NotRead", format!("the {words} was not read")),
                Some(_) if item.description_is_not_taken(&view.facts(half.at())) => {
                    (2, "False", DESCRIPTION_NOT_TAKEN, not_taken(view))
                }
                Some(Move::Settled) if item.found().is_some() => continue,
                Some(_) if item.reading().is_absent() => {
                    (3, "False", "Missing", format!("the {words} is not there"))
                }
                Some(_) => (2, "False", "Drifted", format!("the {words} differs from what is declared")),
            }
        };
        if this.0 > worst.0 {
            worst = this;
        }
    }
    Wanted {
        type_: "Synced",
        status: worst.1,
        reason: worst.2.to_owned(),
        message: worst.3,
        generation: view.object.meta.generation,
    }
}
