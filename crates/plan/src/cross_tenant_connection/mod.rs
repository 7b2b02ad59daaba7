//! Decisions about a `CrossTenantConnection`: two halves of one handshake, and what is its own. What is the same of every
//! kind is in [`crate::lifecycle`].

mod desire;
mod half;
mod recreate;
mod report;
mod state;

pub use desire::{desire, id_key};
pub use half::{Half, Halves};

use avnm_api::{Claim, CrossTenantConnectionSpec, CrossTenantConnectionStatus, RecreateStatus};
use avnm_terms::{ConnectionState, Fault, ManagerId, Reading, ScopeId, TenantId};
use jiff::Timestamp;

use crate::{
    credential::CredentialInput,
    finding::Finding,
    item::{Cause, Effect, Move},
    lifecycle::{At, Before, Common, Kind, Object, Plan, View},
    meta::Meta,
    reason::Reason,
    status::Wanted,
};

/// Where the references of one half lead.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HalfInput {
    /// The credential that spec names.
    pub spec: Option<CredentialInput>,
    /// The credential that the claim recorded.
    pub claim: Option<CredentialInput>,
}

/// Everything read from Kubernetes.
#[derive(Debug, Clone, PartialEq)]
pub struct Inputs {
    /// The object's metadata.
    pub meta: Meta,
    /// Its spec.
    pub spec: CrossTenantConnectionSpec,
    /// Its status as it was read.
    pub status: CrossTenantConnectionStatus,
    /// Its references.
    pub credentials: Halves<HalfInput>,
}

impl Inputs {
    /// The claim of this very object on a half, as status has it.
    pub fn claim(&self, half: Half) -> Option<Claim> {
        let held = half::status(&self.status, half)?;
        let mut claim = held.claim.clone().filter(|claim| claim.uid == self.meta.uid)?;
        // A claim of an earlier version is of the id beside it.
        claim.id = claim.id.or_else(|| held.id.clone());
        Some(claim)
    }

    fn before(&self) -> Before {
        Before {
            conditions: self.status.conditions.clone(),
            last_failure: self.status.last_failure.clone(),
            last_handled_reconcile_at: self.status.last_handled_reconcile_at.clone(),
        }
    }
}

/// Whose a half is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Role {
    /// Ours: made, corrected and deleted.
    Ours,
    /// Someone else's: read only.
    External,
    /// Not even read.
    #[default]
    Absent,
}

/// What is a connection's own.
#[derive(Debug, Clone, PartialEq)]
pub struct Connection {
    /// The network manager.
    pub manager: ManagerId,
    /// The target's tenant.
    pub tenant: TenantId,
    /// The target.
    pub scope: ScopeId,
    /// Whose the halves are.
    pub roles: Halves<Role>,
    /// Status as it was read.
    pub shown: CrossTenantConnectionStatus,
    /// The last handled value of the recreate annotation, before it is written.
    pub recreate: Option<RecreateStatus>,
    /// Whether the manager lists the target among its `crossTenantScopes`; `None` where it need not be read.
    pub listed: Option<Reading<bool>>,
}

/// What only a connection does.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Change how far a recreation has come.
    Recreate(RecreateStatus),
}

impl Kind for Connection {
    type Status = CrossTenantConnectionStatus;
    type Step = Step;
    type Memory = ();
    const THINGS: &'static str = "our halves";
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
                effects.push((other.at(), item.put(Cause::Again)));
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
