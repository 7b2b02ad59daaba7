//! Decisions about a `StaticMember`.

mod conclude;
mod decide;
mod deletion;
mod desire;
mod report;

pub use decide::{Plan, Step, View, decide};
pub use desire::{Desired, desire, references};
pub use report::{Reported, report};

use avnm_api::{Claim, CredentialRef, StaticMemberSpec, StaticMemberStatus};
use avnm_terms::{ArmId, Fault, Group, ProvisioningState, Reading};
use jiff::{SignedDuration, Timestamp};

use crate::{
    credential::CredentialInput,
    item::{Body, History},
    meta::{CrdState, Meta},
    status::After,
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
    /// Words for the object that claims the same thing and wins, if one does.
    pub beaten_by: Option<String>,
}

/// A member as Azure has it.
#[derive(Debug, Clone, PartialEq)]
pub struct MemberSeen {
    /// Its id.
    pub id: ArmId,
    /// Azure's word.
    pub provisioning: ProvisioningState,
    /// Region, `""` while unknown.
    pub location: String,
    /// Its body, for comparison.
    pub body: Body,
}

/// Everything read from Azure, and what deletion needs from Kubernetes.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed {
    /// The member under our name.
    pub reading: Reading<MemberSeen>,
    /// Whether this pass asked Azure at all.
    pub looked: bool,
    /// The same network in the group under another name, from a complete list.
    pub elsewhere: Option<ArmId>,
    /// The group; read only while nothing is claimed.
    pub group: Option<Reading<Group>>,
    /// Whether the manager may configure routing; read only for a Subnet group.
    pub routing: Option<Reading<bool>>,
    /// Whether the network is there; read only for a member that Failed.
    pub network: Option<Reading<()>>,
    /// What a claim would rest on was read live in this pass, and is there.
    pub vouched: bool,
    /// Whether `reading` began after the claim was durable, and what the claim rests on was then read live.
    pub confirmed: bool,
    /// What went wrong with a write in this pass.
    pub write: Option<Fault>,
    /// What a claim rests on turned out to be gone, or not to serve any more, when it was read live: in words.
    pub sources_gone: Option<String>,
    /// Whether the CRD is being deleted; only read for a deletion.
    pub crd: CrdState,
    /// A write to Kubernetes that failed in this pass.
    pub kube: Option<Fault>,
}

impl Observed {
    /// Whether the member could not be read because the caller may not; `None` where this pass does not tell.
    pub fn denied(&self) -> Option<bool> {
        let asked = self.looked.then(|| self.reading.fault());
        crate::fault::denied(asked.as_slice())
    }
}

impl Default for Observed {
    fn default() -> Self {
        Self {
            reading: Reading::Absent,
            looked: false,
            elsewhere: None,
            group: None,
            routing: None,
            network: None,
            vouched: false,
            confirmed: false,
            write: None,
            sources_gone: None,
            crd: CrdState::Standing,
            kube: None,
        }
    }
}

/// What this process remembers of a member between passes. Lost with the process, and safe to lose.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Memory {
    /// As of a half of a connection.
    pub item: History,
    /// Looks since the last write.
    pub looks: u32,
    /// Passing failures in a row.
    pub streak: u32,
    /// Since when it could not be read.
    pub unread_since: Option<Timestamp>,
    /// Azure or Entra refused the last look: who may not even read would not claim.
    pub denied: bool,
    /// Since when it is Updating.
    pub updating_since: Option<Timestamp>,
    /// When a member that Failed was sent again, and how often.
    pub retried: Vec<Timestamp>,
    /// Since when it is Failed.
    pub failed_since: Option<Timestamp>,
}

/// A member that Failed is sent again after this long.
pub const FAILED_FIRST: SignedDuration = SignedDuration::from_mins(1);
/// And then each time after this long.
pub const FAILED_NEXT: SignedDuration = SignedDuration::from_mins(15);
/// After so many tries a person is called.
pub const FAILED_TRIES: usize = 3;

impl Memory {
    /// Remembers what a pass came to, and what it read.
    pub fn end(&mut self, inputs: &Inputs, observed: &Observed, after: &After, now: Timestamp) {
        self.streak = if after.failed { self.streak.saturating_add(1) } else { 0 };
        self.looks = if after.settling { self.looks.saturating_add(1) } else { 0 };
        self.unread_since = if after.unread { self.unread_since.or(Some(now)) } else { None };
        if inputs.beaten_by.is_none() {
            // Who is beaten does not look: what the last look said stands.
            self.denied = observed.denied().unwrap_or(self.denied);
        }
        match observed.reading.found().map(|found| &found.provisioning) {
            Some(ProvisioningState::Succeeded) => {
                self.updating_since = None;
                self.failed_since = None;
                self.retried.clear();
            }
            Some(ProvisioningState::Failed) => {
                self.updating_since = None;
                self.failed_since = self.failed_since.or(Some(now));
            }
            Some(_) => self.updating_since = self.updating_since.or(Some(now)),
            None => {}
        }
    }

    /// When a member that Failed is sent again.
    pub fn retry_at(&self, now: Timestamp) -> Timestamp {
        let (from, wait) = match self.retried.last() {
            Some(last) => (*last, FAILED_NEXT),
            None => (self.failed_since.unwrap_or(now), FAILED_FIRST),
        };
        from.checked_add(wait).unwrap_or(now)
    }
}

/// The claim of this very object, as status has it.
pub fn standing(inputs: &Inputs) -> Option<Claim> {
    let mut claim = inputs.status.claim.clone().filter(|claim| claim.uid == inputs.meta.uid)?;
    // A claim of an earlier version is of the id beside it.
    claim.id = claim.id.or_else(|| inputs.status.id.clone());
    Some(claim)
}
