//! From a finished plan to status, events and the time of the next look.

use avnm_api::{PlannedStep, StaticMemberStatus};
use avnm_terms::{ProvisioningState, Reading};

use super::decide::{Plan, View};
use crate::{
    finding::{Finding, Happening, worst},
    item::Move,
    pace,
    reason::Reason,
    status::{self as conditions, After, Past, Wanted, kept, transition},
};

/// Longest region kept, in characters: a longer one would make the whole status unwritable.
const LOCATION_MAX: usize = 120;

/// What becomes of a pass.
#[derive(Debug, Clone, PartialEq)]
pub struct Reported {
    /// The status to be written, if it differs.
    pub status: StaticMemberStatus,
    /// Events of transitions.
    pub happenings: Vec<Happening>,
    /// What the loop needs to know.
    pub after: After,
}

/// The status of a pass that is over.
pub fn report(view: View<'_>, plan: &Plan) -> Reported {
    let (inputs, old, now) = (view.inputs, &view.inputs.status, view.now);
    let finding = worst(plan.findings.clone())
        .unwrap_or_else(|| Finding::new(Reason::Progressing, "nothing is known yet"));
    let mut past = Past {
        conditions: &old.conditions,
        generation: inputs.meta.generation,
        since: now,
        unread_since: view.memory.unread_since,
        sweep: view.waits.sweep,
        now,
    };
    let keeps = conditions::keeps_ready(&finding, &past);
    let last_failure =
        conditions::last_failure(old.last_failure.as_ref(), &finding, &old.conditions, keeps, now);
    past.since = last_failure.as_ref().map_or(now, |failure| failure.since.0);
    let shown = conditions::summary(&finding, &past);
    let mut status = StaticMemberStatus {
        observed_generation: Some(inputs.meta.generation),
        claim: view.claim.cloned(),
        plan: plan
            .would
            .iter()
            .map(|(verb, why)| PlannedStep {
                verb: avnm_terms::text::bounded(verb, 16),
                id: view.desired.id.to_string(),
                why: avnm_terms::text::bounded(why, 500),
            })
            .collect(),
        last_failure,
        last_handled_reconcile_at: inputs
            .meta
            .requested_at
            .clone()
            .or_else(|| old.last_handled_reconcile_at.clone()),
        ..StaticMemberStatus::default()
    };
    let untouched = view.desired.policies.suspend
        || view.desired.refused.is_some()
        || view.desired.signer.is_none()
        || inputs.beaten_by.is_some()
        // A deletion that is blocked does not look.
        || (inputs.meta.deleting && plan.step.is_none());
    match &view.observed.reading {
        Reading::Found(found) if !untouched => {
            status.id = Some(found.id.to_string());
            status.provisioning_state = Some(found.provisioning.as_str().to_owned());
            status.location = (!found.location.is_empty())
                .then(|| avnm_terms::text::bounded(&found.location, LOCATION_MAX));
        }
        Reading::Absent if !untouched => {
            status.id = view.claim.map(|_| view.desired.id.to_string());
        }
        _ => {
            status.id.clone_from(&old.id);
            status.provisioning_state.clone_from(&old.provisioning_state);
            status.location.clone_from(&old.location);
        }
    }
    let mut next_change = shown.next_change;
    if keeps {
        status.conditions.clone_from(&old.conditions);
        next_change = past.sticky_until();
    } else {
        let mut wanted = shown.wanted;
        if finding.reason == Reason::Suspended {
            wanted.extend(kept(&old.conditions, &["Synced"]));
            wanted.push(Wanted {
                type_: "Suspended",
                status: "True",
                reason: "Suspended".to_owned(),
                message: finding.message.clone(),
                generation: inputs.meta.generation,
            });
        } else {
            wanted.push(synced(view, plan));
        }
        status.conditions = conditions::merge(&old.conditions, wanted, now);
    }
    let look = pace::next(plan.waiting, view.waits, next_change, now);
    let happenings = transition(&old.conditions, &status.conditions);
    let after = After {
        look,
        reason: finding.reason,
        unread: finding.unread,
        failed: matches!(plan.waiting, pace::Waiting::Retry { .. }) && finding.reason != Reason::Failed,
        settling: matches!(plan.waiting, pace::Waiting::Settling(_)),
    };
    Reported { status, happenings, after }
}

/// Whether the member is as declared.
fn synced(view: View<'_>, plan: &Plan) -> Wanted {
    let (status, reason, message) =
        if view.desired.signer.is_none() || view.observed.reading.fault().is_some() {
            ("Unknown", "NotRead", "the member could not be read")
        } else {
            match (plan.step, &view.observed.reading) {
                (None, _) => ("Unknown", "NotRead", "the member was not read"),
                (Some(Move::Foreign | Move::AlreadyExists), _) => {
                    ("False", "Foreign", "the member is someone else's")
                }
                (_, Reading::Absent) => ("False", "Missing", "the member is not there"),
                (Some(Move::Settled), Reading::Found(found))
                    if found.provisioning == ProvisioningState::Failed =>
                {
                    ("False", "Drifted", "Azure failed to put the network into the group")
                }
                (Some(Move::Settled), _) => ("True", "Synced", "the member is as declared"),
                _ => ("False", "Drifted", "the member differs from what is declared"),
            }
        };
    Wanted {
        type_: "Synced",
        status,
        reason: reason.to_owned(),
        message: message.to_owned(),
        generation: view.inputs.meta.generation,
    }
}
