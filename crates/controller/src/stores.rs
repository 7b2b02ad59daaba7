//! The caches of our kinds, and of what namespaces say of themselves.

use std::collections::{BTreeMap, HashSet};

use avnm_api::{
    ClusterTenantCredential, CredentialRef, CrossTenantConnection, StaticMember, TenantCredential,
};
use k8s_openapi::api::core::v1::Namespace;
use kube::{
    Resource,
    core::PartialObjectMeta,
    runtime::reflector::{ObjectRef, Store},
};

use crate::{
    cached::Cached,
    place::named,
    recent::Recent,
    uses::{User, UserKind, Uses, connection_holds_with, member_holds_with},
};

/// The caches. Clones are the same.
#[derive(Clone)]
pub(crate) struct Stores {
    pub(crate) connections: Store<Cached<CrossTenantConnection>>,
    pub(crate) members: Store<Cached<StaticMember>>,
    pub(crate) credentials: Store<Cached<TenantCredential>>,
    pub(crate) cluster_credentials: Store<Cached<ClusterTenantCredential>>,
    /// Metadata only: their labels decide what is lent to them.
    pub(crate) namespaces: Store<PartialObjectMeta<Namespace>>,
    /// What others refer to, decoded.
    pub(crate) decoded: Decoded,
    /// Who of them uses what.
    pub(crate) uses: Uses,
    /// Whether what lies in the cluster is watched, and not only what lies in namespaces.
    pub(crate) is_cluster: bool,
}

/// Objects that others refer to, decoded once for many who ask.
#[derive(Clone, Default)]
pub(crate) struct Decoded {
    pub(crate) connections: Recent<CrossTenantConnection>,
    pub(crate) credentials: Recent<TenantCredential>,
    pub(crate) cluster_credentials: Recent<ClusterTenantCredential>,
}

impl Stores {
    /// The uids of all credentials, of either kind.
    pub(crate) fn credential_uids(&self) -> HashSet<String> {
        let mut all = uids(&self.credentials);
        all.extend(uids(&self.cluster_credentials));
        all
    }

    /// Whether something that a user holds was made with this credential; of one that does not decode that may be.
    pub(crate) fn holds_with(&self, user: &User, credential: &CredentialRef) -> bool {
        match user.kind {
            UserKind::Connection => {
                let found = self.connections.get(&named(&user.namespace, &user.name));
                found.is_some_and(|found| connection_holds_with(&found.object(), credential))
            }
            UserKind::Member => {
                let found = self.members.get(&named(&user.namespace, &user.name));
                found.is_some_and(|found| member_holds_with(&found.object(), credential))
            }
        }
    }

    /// The labels of a namespace; `None` if it was not seen yet, which is not the same as having none.
    pub(crate) fn labels(&self, namespace: &str) -> Option<BTreeMap<String, String>> {
        let found = self.namespaces.get(&ObjectRef::new(namespace))?;
        Some(found.metadata.labels.clone().unwrap_or_default())
    }
}

/// The uids that a cache shows.
pub(crate) fn uids<K>(store: &Store<Cached<K>>) -> HashSet<String>
where
    K: Resource<DynamicType = ()> + Clone + 'static,
{
    store.state().iter().map(|found| found.uid().to_owned()).collect()
}

/// Whether a cache still shows this very object. A pass can outlive its object: what it enters then would stay for ever.
pub(crate) fn stands<K>(store: &Store<Cached<K>>, namespace: &str, name: &str, uid: &str) -> bool
where
    K: Resource<DynamicType = ()> + Clone + 'static,
{
    let key = named::<Cached<K>>(namespace, name);
    store.get(&key).is_some_and(|found| found.uid() == uid)
}
