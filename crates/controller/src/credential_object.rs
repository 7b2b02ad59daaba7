//! What is the same of either kind of credential.

use avnm_api::{
    ClusterTenantCredential, CredentialKind, CredentialRef, CredentialSpec, CredentialStatus,
    TenantCredential,
};
use avnm_plan::credential::{Found, Owner};
use kube::{ResourceExt, runtime::reflector::Store};
use serde::Serialize;

use crate::{cached::Cached, joined::Joined, place::Kind, reads::Reads, recent::Recent, stores::Stores};

/// A kind of credential.
pub(crate) trait CredentialObject: Kind + Serialize {
    /// Which.
    const KIND: CredentialKind;

    /// What it declares.
    fn declared(&self) -> &dyn CredentialSpec;

    /// Its status.
    fn shown(&self) -> Option<&CredentialStatus>;

    /// Whose it is.
    fn owner(&self) -> Owner<'_>;

    /// What decides who may use it, and where; `uid` is of the one that was meant.
    fn found(&self, uid: &str) -> Found<'_> {
        Found {
            remade: self.meta().uid.as_deref() != Some(uid),
            owner: self.owner(),
            deleting: self.meta().deletion_timestamp.is_some(),
            allowed_scopes: self.declared().allowed_scopes(),
        }
    }

    /// Its cache.
    fn store(stores: &Stores) -> &Store<Cached<Self>>;

    /// Those that were decoded for who refers to them.
    fn decoded(stores: &Stores) -> &Recent<Self>;

    /// The live reads of it that are shared.
    fn joined(reads: &Reads) -> &Joined<Self>;

    /// A reference to it.
    fn reference(&self) -> CredentialRef {
        CredentialRef { kind: Self::KIND, name: self.name_any() }
    }

    /// Where its Secret or ServiceAccount lies.
    fn source_namespace(&self, operator: &str) -> String {
        self.namespace().unwrap_or_else(|| operator.to_owned())
    }
}

impl CredentialObject for TenantCredential {
    const KIND: CredentialKind = CredentialKind::TenantCredential;

    fn declared(&self) -> &dyn CredentialSpec {
        &self.spec
    }

    fn shown(&self) -> Option<&CredentialStatus> {
        self.status.as_ref()
    }

    fn owner(&self) -> Owner<'_> {
        Owner::Namespace(self.metadata.namespace.as_deref().unwrap_or_default())
    }

    fn store(stores: &Stores) -> &Store<Cached<Self>> {
        &stores.credentials
    }

    fn decoded(stores: &Stores) -> &Recent<Self> {
        &stores.decoded.credentials
    }

    fn joined(reads: &Reads) -> &Joined<Self> {
        &reads.credentials
    }
}

impl CredentialObject for ClusterTenantCredential {
    const KIND: CredentialKind = CredentialKind::ClusterTenantCredential;

    fn declared(&self) -> &dyn CredentialSpec {
        &self.spec
    }

    fn shown(&self) -> Option<&CredentialStatus> {
        self.status.as_ref()
    }

    fn owner(&self) -> Owner<'_> {
        Owner::Cluster(self.spec.allowed_namespaces.as_ref())
    }

    fn store(stores: &Stores) -> &Store<Cached<Self>> {
        &stores.cluster_credentials
    }

    fn decoded(stores: &Stores) -> &Recent<Self> {
        &stores.decoded.cluster_credentials
    }

    fn joined(reads: &Reads) -> &Joined<Self> {
        &reads.cluster_credentials
    }
}
