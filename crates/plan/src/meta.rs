//! What the metadata of an object says to decisions.

use avnm_api::{FINALIZER_AZURE, RECREATE, REQUESTED_AT};
use avnm_terms::KubeFault;
use jiff::Timestamp;
use kube::{Resource, ResourceExt};

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

/// What a deletion found out about its CRD: while that is being deleted, nothing is deleted in Azure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CrdState {
    /// Not being deleted, or it may not be read.
    Standing,
    /// Being deleted.
    Terminating,
    /// Kubernetes did not answer now whether it is: nothing is deleted on the strength of that.
    Unknown(KubeFault),
}
