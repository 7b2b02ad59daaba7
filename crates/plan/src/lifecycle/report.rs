//! From a finished plan to status, events and the time of the next look.

use avnm_api::{Condition, PlannedStep};
use avnm_terms::Now;

use super::{common::Common, kind::Kind, object::Object, plan::Plan, view::View};
use crate::{
    finding::{Finding, Happening, worst},
    pace::{self, Waits},
    reason::Reason,
    status::{self as conditions, After, Past, Wanted, kept, transition},
};

/// Longest reason of a planned step, in characters.
const WHY_MAX: usize = 500;

/// What becomes of a pass.
#[derive(Debug, Clone, PartialEq)]
pub struct Reported<S> {
    /// The status to be written, if it differs.
    pub status: S,
    /// Events of transitions.
    pub happenings: Vec<Happening>,
    /// What the loop needs to know.
    pub after: After,
}

/// The status without a pass, for a spec that cannot be read.
pub fn invalid<K: Kind>(
    mut status: K::Status,
    generation: i64,
    finding: &Finding,
    waits: &Waits,
    now: Now,
) -> K::Status {
    let (observed, held) = K::shown(&mut status);
    *observed = Some(generation);
    let past = Past {
        conditions: held,
        generation,
        since: now.wall,
        unread_since: None,
        sweep: waits.sweep,
        now: now.wall,
    };
    let shown = conditions::summary(finding, &past);
    *held = conditions::merge(held, shown.wanted, now.wall);
    status
}

/// The status of a pass that is over.
pub fn report<K: Kind>(view: View<'_, K>, plan: &Plan<K::Step>) -> Reported<K::Status> {
    let (object, before, now) = (view.object, &view.object.before, view.now.wall);
    let finding = worst(plan.findings.clone())
        .unwrap_or_else(|| Finding::new(Reason::Progressing, "nothing is known yet"));
    let mut past = Past {
        conditions: &before.conditions,
        generation: object.meta.generation,
        since: now,
        unread_since: object.memory.unread_since,
        sweep: view.waits.sweep,
        now,
    };
    let keeps = conditions::keeps_ready(&finding, &past);
    let last_failure = conditions::last_failure(before.last_failure.as_ref(), &finding, now);
    let failing = last_failure.as_ref().map(|failure| failure.since.0);
    past.since = failing.or_else(|| K::since(view, plan)).unwrap_or(now);
    let shown = conditions::summary(&finding, &past);
    let common = Common {
        observed_generation: Some(object.meta.generation),
        plan: would(object, plan),
        last_failure,
        last_handled_reconcile_at: object
            .meta
            .requested_at
            .clone()
            .or_else(|| before.last_handled_reconcile_at.clone()),
    };
    let mut status = K::status(view, plan, common);
    let next_change = if keeps { past.sticky_until() } else { shown.next_change };
    let new: Vec<Condition> = if keeps {
        before.conditions.clone()
    } else {
        let mut wanted = shown.wanted;
        if finding.reason == Reason::Suspended {
            wanted.extend(kept(&before.conditions, K::CONDITIONS));
            wanted.push(Wanted {
                type_: "Suspended",
                status: "True",
                reason: "Suspended".to_owned(),
                message: finding.message.clone(),
                generation: object.meta.generation,
            });
        } else {
            wanted.extend(K::conditions(view, plan, &status));
        }
        conditions::merge(&before.conditions, wanted, now)
    };
    K::shown(&mut status).1.clone_from(&new);
    let after = After {
        look: pace::next(plan.waiting, view.waits, next_change, now),
        reason: finding.reason,
        unread: finding.unread,
        // Azure's own Failed has a count of its own.
        failed: matches!(plan.waiting, pace::Waiting::Retry { .. }) && finding.reason != Reason::Failed,
        settling: matches!(plan.waiting, pace::Waiting::Settling(_)),
    };
    Reported { status, happenings: transition(&before.conditions, &new), after }
}

fn would<K, S>(object: &Object<K>, plan: &Plan<S>) -> Vec<PlannedStep> {
    let steps = plan.would.iter().map(|(verb, at, why)| PlannedStep {
        verb: (*verb).to_owned(),
        id: object.items[*at].id().map(ToString::to_string).unwrap_or_default(),
        why: avnm_terms::text::bounded(why, WHY_MAX),
    });
    steps.collect()
}
