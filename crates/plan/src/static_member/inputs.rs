//! What is read from Kubernetes for a member.

use avnm_api::{Claim, CredentialRef, StaticMemberSpec, StaticMemberStatus};

use crate::{credential::CredentialInput, meta::Meta};

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
    /// The reason of its Ready condition; `None` while it has none.
    pub reason: Option<String>,
    /// Whether that condition is about what it declares now.
    pub current: bool,
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
}
