//! How a connection fills in what the lifecycle leaves to kinds.

use avnm_api::CrossTenantConnectionStatus;
use avnm_terms::{ConnectionState, Fault, Reading};
use jiff::Timestamp;

use super::{
    connection::{Connection, Step},
    half::Half,
    recreate, report, state,
};
use crate::{
    finding::Finding,
    item::{Effect, Move},
    lifecycle::{At, Before, Common, Kind, Object, Plan, View},
    reason::Reason,
    status::Wanted,
};

impl Kind for Connection {
    type Status = CrossTenantConnectionStatus;
    type Step = Step;
    type Memory = ();
    const THINGS: &'static str = "our halves";
    const DEPENDENTS: &'static str = "StaticMember(s) that name this connection still hold a member in Azure";
    const CONDITIONS: &'static [&'static str] = &["Connected", "Synced"];

    fn first(view: View<'_, Self>) -> Option<Plan<Step>> {
        recreate::recreation(view)
    }

    /// One half is made again: the other one, if it is not Connected, is sent once more (assumed to help).
    fn further(
        view: View<'_, Self>,
        moves: &[Option<Move>],
        effects: &mut Vec<(At, Effect)>,
    ) -> Option<Step> {
        for made in Half::BOTH {
            let other = made.other();
            let sent = |half: Half| {
                effects.iter().any(|(at, effect)| *at == half.at() && matches!(effect, Effect::Put { .. }))
            };
            let item = view.item(other.at());
            let helps = item.found().and_then(|seen| seen.connection()).is_some_and(|state| {
                !matches!(state, ConnectionState::Connected | ConnectionState::Conflict)
            });
            if view.item(made.at()).remade()
                && sent(made)
                && !sent(other)
                && moves[other.at()] == Some(Move::Settled)
                && item.write_fault().is_none()
                && item.may_write(&view.facts(other.at()))
                && helps
            {
                effects.push((other.at(), item.again()));
                break;
            }
        }
        None
    }

    fn state(view: View<'_, Self>, at: At, _: Option<Move>, findings: &mut Vec<Finding>) {
        state::state(view, Half::of(at), findings);
    }

    fn whole(view: View<'_, Self>, findings: &mut Vec<Finding>) {
        if findings.iter().all(|finding| finding.reason > Reason::AwaitingScope) {
            state::connected(view, findings);
        }
    }

    fn faults(view: View<'_, Self>) -> Vec<&Fault> {
        view.object.own.listed.as_ref().and_then(Reading::fault).into_iter().collect()
    }

    fn since(view: View<'_, Self>, plan: &Plan<Step>) -> Option<Timestamp> {
        report::revoked_since(view, plan)
    }

    fn status(view: View<'_, Self>, plan: &Plan<Step>, common: Common) -> CrossTenantConnectionStatus {
        report::status(view, plan, common)
    }

    fn conditions(
        view: View<'_, Self>,
        plan: &Plan<Step>,
        status: &CrossTenantConnectionStatus,
    ) -> Vec<Wanted> {
        vec![report::connected(view, status), report::synced(view, plan)]
    }

    fn shown(status: &mut CrossTenantConnectionStatus) -> (&mut Option<i64>, &mut Vec<avnm_api::Condition>) {
        (&mut status.observed_generation, &mut status.conditions)
    }

    fn before(status: &CrossTenantConnectionStatus) -> Before {
        Before {
            conditions: status.conditions.clone(),
            last_failure: status.last_failure.clone(),
            last_handled_reconcile_at: status.last_handled_reconcile_at.clone(),
        }
    }

    fn wrote(&mut self, status: CrossTenantConnectionStatus) {
        self.shown = status;
    }

    fn with_claims(
        object: &Object<Self>,
        status: CrossTenantConnectionStatus,
    ) -> CrossTenantConnectionStatus {
        report::with_claims(object, status)
    }
}
