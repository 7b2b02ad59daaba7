//! Decisions about a `StaticMember`: one member of a network group, and what is its own. What is the same of every kind is
//! in [`crate::lifecycle`].

mod desire;
mod fits;
mod report;
mod state;

pub use desire::{desire, references};

use avnm_api::{Claim, CredentialRef, StaticMemberSpec, StaticMemberStatus};
use avnm_terms::{Fault, Group, GroupId, Moment, NetworkId, ProvisioningState, Reading};
use jiff::SignedDuration;

use crate::{
    credential::{CredentialInput, UsableCredential},
    finding::Finding,
    item::{Answer, Cause, Effect, Move},
    lifecycle::{At, Before, Common, Gate, Kind, Object, Plan, View},
    meta::Meta,
    pace::Waiting,
    reason::Reason,
    status::Wanted,
};

/// What `connectionRef` leads to.
#[derive(Debug, Clone, PartialEq)]
pub enum ConnectionInput {
    /// There is no such connection.
    Missing(String),
    /// There is.
    Found(Box<ConnectionFacts>),
}

/// What a member needs to know of its connection.
#[derive(Debug, Clone, PartialEq)]
pub struct ConnectionFacts {
    /// Its name.
    pub name: String,
    /// Whether it is Ready=True.
    pub ready: bool,
    /// Its own reason.
    pub reason: String,
    /// Whether it is being deleted.
    pub terminating: bool,
    /// Its network manager.
    pub manager: String,
    /// Its target's tenant.
    pub tenant: String,
    /// Its target.
    pub scope: String,
    /// The credential of its scope connection.
    pub manager_credential: Option<CredentialRef>,
    /// The credential of its network manager connection.
    pub target_credential: Option<CredentialRef>,
}

/// Everything read from Kubernetes.
#[derive(Debug, Clone, PartialEq)]
pub struct Inputs {
    /// The object's metadata.
    pub meta: Meta,
    /// Its spec.
    pub spec: StaticMemberSpec,
    /// Its status as it was read.
    pub status: StaticMemberStatus,
    /// The connection that it names.
    pub connection: Option<ConnectionInput>,
    /// Credentials of the manager's side, best first: spec's, the connection's, the claim's.
    pub manager: Vec<CredentialInput>,
    /// The credential of the network's tenant, if something gives one.
    pub resource: Option<CredentialInput>,
}

impl Inputs {
    /// The claim of this very object, as status has it.
    pub fn claim(&self) -> Option<Claim> {
        let mut claim = self.status.claim.clone().filter(|claim| claim.uid == self.meta.uid)?;
        // A claim of an earlier version is of the id beside it.
        claim.id = claim.id.or_else(|| self.status.id.clone());
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

/// What is a member's own.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// Its group.
    pub group: GroupId,
    /// Its network.
    pub network: NetworkId,
    /// The credential that may read the network itself.
    pub reader: Option<UsableCredential>,
    /// Status as it was read.
    pub shown: StaticMemberStatus,
    /// The group; read only while nothing is held.
    pub group_seen: Option<Reading<Group>>,
    /// Whether the manager may configure routing; read only for a Subnet group.
    pub routing: Option<Reading<bool>>,
    /// Whether the network is there; read only for a member that Failed.
    pub network_seen: Option<Reading<()>>,
    /// What passes remember.
    pub memory: Memory,
}

/// What passes remember of a member, beside what they remember of every item.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Memory {
    /// Since when Azure says Updating.
    updating_since: Option<Moment>,
    /// Since when Azure says Failed.
    failed_since: Option<Moment>,
    /// When it was sent again because of that.
    retried: Vec<Moment>,
}

/// A member that Failed is sent again after this long.
pub const FAILED_FIRST: SignedDuration = SignedDuration::from_mins(1);
/// And then each time after this long.
pub const FAILED_NEXT: SignedDuration = SignedDuration::from_mins(15);
/// After so many tries a person is called.
pub const FAILED_TRIES: usize = 3;

/// What only a member does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Read the group, which the first PUT depends on.
    ReadGroup,
    /// Read the network with its own tenant's credential.
    ReadNetwork,
}

/// The member among the items: there is one.
pub const MEMBER: At = 0;

impl Memory {
    /// When a member that Failed is sent again.
    fn retry_at(&self, now: Moment) -> Moment {
        match self.retried.last() {
            Some(last) => last.plus(FAILED_NEXT),
            None => self.failed_since.unwrap_or(now).plus(FAILED_FIRST),
        }
    }

    fn note(&mut self, state: Option<&ProvisioningState>, now: Moment) {
        match state {
            Some(ProvisioningState::Succeeded) => *self = Self::default(),
            Some(ProvisioningState::Failed) => {
                self.updating_since = None;
                self.failed_since = self.failed_since.or(Some(now));
            }
            Some(_) => self.updating_since = self.updating_since.or(Some(now)),
            None => {}
        }
    }
}

impl Member {
    /// How long until a member that Failed is sent again; `None` if that is due.
    fn retry_in(&self, now: Moment) -> Option<SignedDuration> {
        let wait = now.until(self.memory.retry_at(now));
        (wait > SignedDuration::ZERO).then(|| wait.max(SignedDuration::from_secs(1)))
    }
}

impl Kind for Member {
    type Status = StaticMemberStatus;
    type Step = Step;
    type Memory = Memory;
    const THINGS: &'static str = "the member";
    const CONDITIONS: &'static [&'static str] = &["Synced"];

    /// Nothing is held yet: the group has to take this kind of member.
    fn gate(view: View<'_, Self>, at: At, step: Move) -> Gate<Step> {
        let held = view.item(at).claim().is_some_and(|claim| claim.phase == avnm_api::ClaimPhase::Held);
        if !held && matches!(step, Move::Hold | Move::Claim | Move::Put | Move::Confirm) {
            fits::fits(view)
        } else {
            Gate::Open
        }
    }

    /// What Failed is sent again, if its network is there.
    fn further(
        view: View<'_, Self>,
        moves: &[Option<Move>],
        effects: &mut Vec<(At, Effect)>,
    ) -> Option<Step> {
        let (item, own) = (view.item(MEMBER), &view.object.own);
        let failed = item.found().and_then(|seen| seen.provisioning()) == Some(&ProvisioningState::Failed);
        let due = failed
            && effects.is_empty()
            && moves[MEMBER] == Some(Move::Settled)
            && item.claim().is_some()
            && item.write_fault().is_none()
            && item.may_write(&view.facts(MEMBER))
            && own.retry_in(view.now.steady).is_none();
        match &own.network_seen {
            None if due => return Some(Step::ReadNetwork),
            Some(Reading::Found(())) if due => effects.push((MEMBER, item.put(Cause::Again))),
            None | Some(_) => {}
        }
        None
    }

    fn state(view: View<'_, Self>, _: At, step: Option<Move>, findings: &mut Vec<Finding>) {
        state::state(view, step, findings);
    }

    fn faults(view: View<'_, Self>) -> Vec<&Fault> {
        let own = &view.object.own;
        let group = own.group_seen.as_ref().and_then(Reading::fault);
        let routing = own.routing.as_ref().and_then(Reading::fault);
        let network = own.network_seen.as_ref().and_then(Reading::fault);
        [group, routing, network].into_iter().flatten().collect()
    }

    fn waits(view: View<'_, Self>, reason: Reason) -> Option<Waiting> {
        // Once it is due and cannot be sent (Observe, or the network is missing), a sweep is soon enough.
        matches!(reason, Reason::Failed | Reason::TargetMissing).then(|| {
            match view.object.own.retry_in(view.now.steady) {
                Some(wait) => Waiting::Retry { streak: 0, after: Some(wait.min(view.waits.sweep)) },
                None => Waiting::Someone,
            }
        })
    }

    fn status(view: View<'_, Self>, plan: &Plan<Step>, common: Common) -> StaticMemberStatus {
        report::status(view, plan, common)
    }

    fn conditions(view: View<'_, Self>, plan: &Plan<Step>, _: &StaticMemberStatus) -> Vec<Wanted> {
        vec![report::synced(view, plan)]
    }

    fn shown(status: &mut StaticMemberStatus) -> (&mut Option<i64>, &mut Vec<avnm_api::Condition>) {
        (&mut status.observed_generation, &mut status.conditions)
    }

    fn wrote(&mut self, status: StaticMemberStatus) {
        self.shown = status;
    }

    fn with_claims(object: &Object<Self>, mut status: StaticMemberStatus) -> StaticMemberStatus {
        let item = &object.items[MEMBER];
        status.claim = item.claim().cloned();
        status.id = item.claim().and(item.id()).map(ToString::to_string);
        status
    }

    fn memory(&self) -> Memory {
        self.memory.clone()
    }

    fn remember(&mut self, memory: Memory) {
        self.memory = memory;
    }

    fn answered(&mut self, _: At, answer: &Answer, now: Moment) {
        if let Answer::Put(cause, answer) = answer {
            if *cause == Cause::Again {
                self.memory.retried.push(now);
            }
            if answer.is_ok() {
                self.memory.updating_since = Some(now);
            }
        }
    }

    fn end(object: &mut Object<Self>, now: Moment) {
        let state = object.items[MEMBER].found().and_then(|seen| seen.provisioning()).cloned();
        object.own.memory.note(state.as_ref(), now);
    }
}
