//! What a pass reads from Kubernetes before it looks at Azure: the object's own facts and what it refers to.

use avnm_api::{CredentialRef, FINALIZER_AZURE, RECREATE, REQUESTED_AT};
use avnm_terms::{ArmId, ClientId, Fault, TenantId};
use jiff::Timestamp;
use kube::{Resource, ResourceExt};

use crate::credential::{Admission, covers};

/// Facts of an object's metadata.
#[derive(Debug, Clone, PartialEq)]
pub struct Meta {
    /// Its uid.
    pub uid: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its generation.
    pub generation: i64,
    /// When it was created.
    pub created: Option<Timestamp>,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// Whether our finalizer is on it.
    pub held: bool,
    /// Annotation avnm.dev/recreate.
    pub recreate: Option<String>,
    /// Annotation reconcile.avnm.dev/requestedAt.
    pub requested_at: Option<String>,
    /// Annotation avnm.dev/confirm-delete.
    pub confirm_delete: bool,
}

impl Meta {
    /// Reads the facts of any object.
    pub fn of<K: Resource>(object: &K) -> Self {
        let annotation =
            |key: &str| object.annotations().get(key).map(|value| avnm_terms::text::bounded(value, 200));
        Self {
            uid: object.uid().unwrap_or_default(),
            namespace: object.namespace().unwrap_or_default(),
            name: object.name_any(),
            generation: object.meta().generation.unwrap_or_default(),
            created: object.meta().creation_timestamp.as_ref().map(|time| time.0),
            deleting: object.meta().deletion_timestamp.is_some(),
            held: object.finalizers().iter().any(|finalizer| finalizer == FINALIZER_AZURE),
            recreate: annotation(RECREATE),
            requested_at: annotation(REQUESTED_AT),
            confirm_delete: object.annotations().contains_key(avnm_api::CONFIRM_DELETE),
        }
    }
}

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

/// What a deletion found out about its CRD: while that is being deleted, nothing is deleted in Azure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CrdState {
    /// Not being deleted, or it may not be read.
    Standing,
    /// Being deleted.
    Terminating,
    /// It was not answered now whether it is: nothing is deleted on the strength of that.
    Unknown(Fault),
}

/// A fault, or none, of a call to Kubernetes.
pub type KubeFault = Option<Fault>;
