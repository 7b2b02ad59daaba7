//! From a finished plan to status, events and the time of the next look.

use avnm_api::{CrossTenantConnectionStatus, HalfStatus, PlannedStep};
use avnm_terms::{ConnectionState, Reading};

use super::{
    Half, Role,
    decide::{Plan, View},
};
use crate::{
    finding::{Finding, Happening, worst},
    item::Move,
    pace,
    reason::Reason,
    status::{self as conditions, After, Past, Wanted, kept, transition, whole},
};

/// What becomes of a pass.
#[derive(Debug, Clone, PartialEq)]
pub struct Reported {
    /// The status to be written, if it differs.
    pub status: CrossTenantConnectionStatus,
    /// Events of transitions.
    pub happenings: Vec<Happening>,
    /// What the process remembers for pacing.
    pub after: After,
}

/// The status without a pass: for a spec that cannot be read.
pub fn invalid(
    view_status: &CrossTenantConnectionStatus,
    finding: &Finding,
    past: &Past<'_>,
) -> CrossTenantConnectionStatus {
    let shown = conditions::summary(finding, past);
    CrossTenantConnectionStatus {
        observed_generation: Some(past.generation),
        conditions: conditions::merge(&view_status.conditions, shown.wanted, past.now),
        ..view_status.clone()
    }
}

/// The status of a pass that is over.
pub fn report(view: View<'_>, plan: &Plan) -> Reported {
    let (inputs, old, now) = (view.inputs, &view.inputs.status, view.now);
    let finding = worst(plan.findings.clone())
        .unwrap_or_else(|| Finding::new(Reason::Progressing, "nothing is known yet"));
    let halves = halves(view, plan);
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
    // Without a failure (Revoked), the grace counts from when that state was read.
    let revoked = || {
        let halves = halves.iter().filter(|(_, half)| half.state.as_deref() == Some("Revoked"));
        halves.filter_map(|(_, half)| half.state_since.as_ref().map(|time| time.0)).min()
    };
    past.since = last_failure.as_ref().map(|failure| failure.since.0).or_else(revoked).unwrap_or(now);
    let shown = conditions::summary(&finding, &past);

    let mut status = CrossTenantConnectionStatus {
        observed_generation: Some(inputs.meta.generation),
        connection_state: halves
            .iter()
            .filter_map(|(_, half)| half.state.clone())
            .max_by_key(|word| badness(word)),
        pending_since: halves
            .iter()
            .filter(|(_, half)| half.state.as_deref() == Some("Pending"))
            .filter_map(|(_, half)| half.state_since.clone())
            .min(),
        recreate: view.standing.recreate.clone(),
        plan: plan
            .would
            .iter()
            .map(|(verb, half, why)| PlannedStep {
                verb: (*verb).to_owned(),
                id: view.desired.halves.get(*half).id.as_ref().map(ToString::to_string).unwrap_or_default(),
                why: avnm_terms::text::bounded(why, 500),
            })
            .collect(),
        last_failure,
        last_handled_reconcile_at: inputs
            .meta
            .requested_at
            .clone()
            .or_else(|| old.last_handled_reconcile_at.clone()),
        ..CrossTenantConnectionStatus::default()
    };
    for (half, value) in halves {
        let value = (value != HalfStatus::default()).then_some(value);
        match half {
            Half::Scope => status.scope_connection = value,
            Half::Target => status.network_manager_connection = value,
        }
    }
    let mut next_change = shown.next_change;
    if keeps {
        status.conditions.clone_from(&old.conditions);
        next_change = past.sticky_until();
    } else {
        let mut wanted = shown.wanted;
        if finding.reason == Reason::Suspended {
            wanted.extend(kept(&old.conditions, &["Connected", "Synced"]));
            wanted.push(Wanted {
                type_: "Suspended",
                status: "True",
                reason: "Suspended".to_owned(),
                message: finding.message.clone(),
                generation: inputs.meta.generation,
            });
        } else {
            wanted.push(connected(view, &status));
            wanted.push(synced(view, plan));
        }
        status.conditions = conditions::merge(&old.conditions, wanted, now);
    }
    let look = pace::next(plan.waiting, view.waits, next_change, now);
    let happenings = transition(&old.conditions, &status.conditions);
    let failed = matches!(plan.waiting, pace::Waiting::Retry { .. });
    let after = After {
        look,
        reason: finding.reason,
        unread: finding.unread,
        failed,
        settling: matches!(plan.waiting, pace::Waiting::Settling(_)),
    };
    Reported { status, happenings, after }
}

fn half_status(status: &CrossTenantConnectionStatus, half: Half) -> Option<&HalfStatus> {
    match half {
        Half::Scope => status.scope_connection.as_ref(),
        Half::Target => status.network_manager_connection.as_ref(),
    }
}

fn halves(view: View<'_>, plan: &Plan) -> [(Half, HalfStatus); 2] {
    Half::BOTH.map(|half| {
        let desire = view.desired.halves.get(half);
        let old = half_status(&view.inputs.status, half).cloned().unwrap_or_default();
        let claim = view.standing.claims.get(half).clone();
        if desire.role == Role::Absent && claim.is_none() {
            return (half, HalfStatus::default());
        }
        let mut new = HalfStatus { claim, ..HalfStatus::default() };
        let untouched = view.desired.policies.suspend
            || view.desired.refused.is_some()
            || view.inputs.beaten_by.get(half).is_some()
            // A deletion that is blocked does not look.
            || (view.inputs.meta.deleting && plan.moves.get(half).is_none());
        match &view.observed.halves.get(half).reading {
            // What was not looked at stays as it was last seen.
            _ if untouched || desire.signer.is_none() => {
                (new.id, new.state, new.state_since) = (old.id, old.state, old.state_since);
            }
            Reading::Unread(_) => {
                (new.id, new.state, new.state_since) = (old.id, old.state, old.state_since);
            }
            Reading::Found(seen) => {
                let word = seen.state.as_str().to_owned();
                new.state_since = if old.state.as_ref() == Some(&word) { old.state_since } else { None }
                    .or_else(|| Some(whole(view.now)));
                new.state = Some(word);
                new.id = Some(seen.id.to_string());
            }
            Reading::Absent => {
                new.id = new.claim.as_ref().and(desire.id.as_ref()).map(ToString::to_string);
            }
        }
        (half, new)
    })
}

/// Worse is larger: Rejected, Conflict, Revoked, unknown, Pending, Connected.
fn badness(word: &str) -> u8 {
    match ConnectionState::parse(word) {
        ConnectionState::Connected => 0,
        ConnectionState::Pending => 1,
        ConnectionState::Other(_) => 2,
        ConnectionState::Revoked => 3,
        ConnectionState::Conflict => 4,
        ConnectionState::Rejected => 5,
    }
}

fn connected(view: View<'_>, status: &CrossTenantConnectionStatus) -> Wanted {
    let make = |status, reason: &str, message: String| Wanted {
        type_: "Connected",
        status,
        reason: reason.to_owned(),
        message,
        generation: view.inputs.meta.generation,
    };
    let unread = Half::BOTH.into_iter().find(|half| {
        let desire = view.desired.halves.get(*half);
        desire.role != Role::Absent
            && (desire.signer.is_none() || view.observed.halves.get(*half).reading.fault().is_some())
    });
    if let Some(half) = unread {
        return make("Unknown", "NotRead", format!("the {} could not be read", half.words()));
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

/// Whether our side is as declared.
fn synced(view: View<'_>, plan: &Plan) -> Wanted {
    let mut worst: (u8, &'static str, &'static str, String) =
        (0, "True", "Synced", "our side is as declared".to_owned());
    for half in Half::BOTH {
        let desire = view.desired.halves.get(half);
        if desire.role != Role::Ours {
            continue;
        }
        let words = half.words();
        let observed = view.observed.halves.get(half);
        let this = if desire.signer.is_none() || observed.reading.fault().is_some() {
            (1, "Unknown", "NotRead", format!("the {words} could not be read"))
        } else {
            match plan.moves.get(half) {
                Some(Move::Foreign | Move::AlreadyExists) => {
                    (4, "False", "Foreign", format!("the {words} is someone else's"))
                }
                None => (1, "Unknown", "NotRead", format!("the {words} was not read")),
                Some(Move::Settled) if observed.reading.found().is_some() => continue,
                _ if observed.reading.is_absent() => {
                    (3, "False", "Missing", format!("the {words} is not there"))
                }
                _ => (2, "False", "Drifted", format!("the {words} differs from what is declared")),
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
        generation: view.inputs.meta.generation,
    }
}
