//! Ways to have an object of any of our kinds looked at.

use avnm_api::{ClusterTenantCredential, CrossTenantConnection, StaticMember, TenantCredential};

use crate::{cached::Cached, wake::Wake};

/// One for each kind. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Wakers {
    pub(crate) connections: Wake<Cached<CrossTenantConnection>>,
    pub(crate) members: Wake<Cached<StaticMember>>,
    pub(crate) credentials: Wake<Cached<TenantCredential>>,
    pub(crate) cluster_credentials: Wake<Cached<ClusterTenantCredential>>,
}
