//! Ways to have an object of any of our kinds looked at.

use avnm_api::{ClusterTenantCredential, CrossTenantConnection, StaticMember, TenantCredential};

use crate::{guarded::Guarded, wake::Wake};

/// One for each kind. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Wakers {
    pub(crate) connections: Wake<Guarded<CrossTenantConnection>>,
    pub(crate) members: Wake<Guarded<StaticMember>>,
    pub(crate) credentials: Wake<Guarded<TenantCredential>>,
    pub(crate) cluster_credentials: Wake<Guarded<ClusterTenantCredential>>,
}
