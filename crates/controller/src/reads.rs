//! The live reads that objects share, by kind.

use std::collections::BTreeMap;

use avnm_api::{ClusterTenantCredential, CrossTenantConnection, TenantCredential};

use crate::joined::Joined;

/// The labels of a namespace.
pub(crate) type Labels = BTreeMap<String, String>;

/// Those that are under way.
#[derive(Default)]
pub(crate) struct Reads {
    pub(crate) connections: Joined<CrossTenantConnection>,
    pub(crate) credentials: Joined<TenantCredential>,
    pub(crate) cluster_credentials: Joined<ClusterTenantCredential>,
    pub(crate) namespaces: Joined<Labels>,
}
