//! Where a reference to a credential leads.

use avnm_api::CredentialRef;
use avnm_terms::{ArmId, ClientId, TenantId};

use super::lending::{Admission, covers};

/// What a reference to a credential leads to.
#[derive(Debug, Clone, PartialEq)]
pub enum CredentialInput {
    /// There is no such credential, or no such kind yet.
    Missing(CredentialRef),
    /// It is a credential of the cluster that is not lent to the object's namespace.
    NotLent(CredentialRef),
    /// It is there and does not work.
    NotReady {
        /// The reference.
        credential: CredentialRef,
        /// Its own reason.
        reason: String,
        /// Its own message.
        message: String,
    },
    /// It works.
    Usable(UsableCredential),
}

/// A credential that works.
#[derive(Debug, Clone, PartialEq)]
pub struct UsableCredential {
    /// The reference.
    pub credential: CredentialRef,
    /// Its uid: another object of the same name is another source.
    pub uid: String,
    /// Its tenant: the truth about who is in which tenant.
    pub tenant: TenantId,
    /// Its application.
    pub client: ClientId,
    /// Where it may be used; `None` restricts nothing.
    pub allowed_scopes: Option<Vec<String>>,
    /// Whether it is being deleted: then it takes no new claim.
    pub terminating: bool,
    /// That it may be used from where it is.
    pub admission: Admission,
    /// Whether only the last material in memory is left: then it serves GET and DELETE.
    pub last_material: bool,
    /// Whether our finalizer is on it.
    pub held: bool,
}

impl CredentialInput {
    /// The reference.
    pub fn credential(&self) -> &CredentialRef {
        match self {
            Self::Missing(credential) | Self::NotLent(credential) | Self::NotReady { credential, .. } => {
                credential
            }
            Self::Usable(usable) => &usable.credential,
        }
    }

    /// The credential, if it works.
    pub fn usable(&self) -> Option<&UsableCredential> {
        match self {
            Self::Usable(usable) => Some(usable),
            Self::Missing(_) | Self::NotLent(_) | Self::NotReady { .. } => None,
        }
    }
}

impl UsableCredential {
    /// Whether the credential may be used on an id: by whole path segments, without case.
    pub fn allows(&self, id: &ArmId) -> bool {
        covers(self.allowed_scopes.as_deref(), id)
    }
}
