//! Where objects of each kind live: in a namespace, or in the cluster.

use std::fmt::Debug;

use avnm_api::{ClusterTenantCredential, CrossTenantConnection, StaticMember, TenantCredential};
use kube::{Api, Client, Resource, runtime::reflector::ObjectRef};
use serde::{Serialize, de::DeserializeOwned};

use crate::guarded::Guarded;

/// A kind of ours.
pub(crate) trait Place:
    Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + Sync + 'static
{
    /// The API of the objects that lie with one of this namespace; for a cluster-wide kind, of all.
    fn api(client: &Client, namespace: &str) -> Api<Self>;
}

macro_rules! namespaced {
    ($($kind:ty),*) => {$(
        impl Place for $kind {
            fn api(client: &Client, namespace: &str) -> Api<Self> {
                Api::namespaced(client.clone(), namespace)
            }
        }

        impl Kind for $kind {
            const NAMESPACED: bool = true;

            fn guarded(client: &Client, namespace: &str) -> Api<Guarded<Self>> {
                Api::namespaced(client.clone(), namespace)
            }
        }
    )*};
}

namespaced!(CrossTenantConnection, StaticMember, TenantCredential);

impl Place for ClusterTenantCredential {
    fn api(client: &Client, _: &str) -> Api<Self> {
        Api::all(client.clone())
    }
}

impl Kind for ClusterTenantCredential {
    const NAMESPACED: bool = false;

    fn guarded(client: &Client, _: &str) -> Api<Guarded<Self>> {
        Api::all(client.clone())
    }
}

/// A kind of ours, whose objects may not decode.
pub(crate) trait Kind: Place + Serialize {
    /// Whether they lie in namespaces.
    const NAMESPACED: bool;

    /// The API of its objects, decoded or not.
    fn guarded(client: &Client, namespace: &str) -> Api<Guarded<Self>>;
}

impl<K: Kind> Place for Guarded<K> {
    fn api(client: &Client, namespace: &str) -> Api<Self> {
        K::guarded(client, namespace)
    }
}

/// A reference to an object, whose namespace is empty for a cluster-wide kind.
pub(crate) fn named<K: Resource<DynamicType = ()>>(namespace: &str, name: &str) -> ObjectRef<K> {
    let reference = ObjectRef::new(name);
    if namespace.is_empty() { reference } else { reference.within(namespace) }
}
