//! The caches of our kinds, and of what namespaces say of themselves.

use std::collections::{BTreeMap, HashSet};

use avnm_api::{
    ClusterTenantCredential, CredentialRef, CrossTenantConnection, StaticMember, TenantCredential,
};
use k8s_openapi::api::core::v1::Namespace;
use kube::{
    Resource, ResourceExt as _,
    core::PartialObjectMeta,
    runtime::reflector::{ObjectRef, Store},
};

use crate::{
    guarded::Guarded,
    place::named,
    uses::{User, UserKind, Uses, connection_holds_with, member_holds_with},
};

/// The caches. Clones are the same.
#[derive(Clone)]
pub(crate) struct Stores {
    pub(crate) connections: Store<Guarded<CrossTenantConnection>>,
    pub(crate) members: Store<Guarded<StaticMember>>,
    pub(crate) credentials: Store<Guarded<TenantCredential>>,
    pub(crate) cluster_credentials: Store<Guarded<ClusterTenantCredential>>,
    /// Metadata only: their labels decide what is lent to them.
    pub(crate) namespaces: Store<PartialObjectMeta<Namespace>>,
    /// Who of them uses what.
    pub(crate) uses: Uses,
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
                found.is_some_and(|guard| connection_holds_with(&guard, credential))
            }
            UserKind::Member => {
                let found = self.members.get(&named(&user.namespace, &user.name));
                found.is_some_and(|guard| member_holds_with(&guard, credential))
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
pub(crate) fn uids<K>(store: &Store<Guarded<K>>) -> HashSet<String>
where
    K: Resource<DynamicType = ()> + Clone + 'static,
{
    store.state().iter().filter_map(|object| object.uid()).collect()
}

/// Whether a cache still shows this very object. A pass can outlive its object: what it enters then would stay for ever.
pub(crate) fn stands<K>(store: &Store<Guarded<K>>, namespace: &str, name: &str, uid: &str) -> bool
where
    K: Resource<DynamicType = ()> + Clone + 'static,
{
    let key = ObjectRef::<Guarded<K>>::new(name).within(namespace);
    store.get(&key).is_some_and(|found| found.uid().as_deref() == Some(uid))
}
