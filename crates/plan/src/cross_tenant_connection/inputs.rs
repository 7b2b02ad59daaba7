//! What is read from Kubernetes for a connection.

use avnm_api::{Claim, CrossTenantConnectionSpec, CrossTenantConnectionStatus};

use super::half::{self, Half, Halves};
use crate::{credential::CredentialInput, meta::Meta};

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
}
