//! What Azure's resources say, as plain values. How they look on the wire is the business of the client alone.

use crate::{ArmId, ConnectionState, CrossTenantScopes, ProvisioningState, TenantId};

/// A scope connection that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeConnection {
    /// Its id, casing as Azure gave it.
    pub id: ArmId,
    /// The tenant that it names, if that is a GUID.
    pub tenant: Option<TenantId>,
    /// The scope that it names, as sent by whoever made it; Azure does not check it.
    pub scope: String,
    /// Its description, `""` where Azure has none.
    pub description: String,
    /// Azure's word.
    pub state: ConnectionState,
    /// Who changed it last, as Azure tells; `None` where it does not.
    pub changed_by: Option<String>,
}

/// A network manager connection that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManagerConnection {
    /// Its id, casing as Azure gave it.
    pub id: ArmId,
    /// The manager that it names; `""` was recorded.
    pub manager: String,
    /// Its description, `""` where Azure has none.
    pub description: String,
    /// Azure's word.
    pub state: ConnectionState,
    /// Who changed it last, as Azure tells; `None` where it does not.
    pub changed_by: Option<String>,
}

/// A static member that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its id, casing as Azure gave it.
    pub id: ArmId,
    /// The network that it names, casing of whoever made it.
    pub resource: String,
    /// Azure's word.
    pub provisioning: ProvisioningState,
    /// Region of the network, `""` while unknown.
    pub location: String,
    /// Who changed it last, as Azure tells; `None` where it does not.
    pub changed_by: Option<String>,
}

/// A network manager that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manager {
    /// Its id.
    pub id: ArmId,
    /// The scopes of other tenants that it manages.
    pub cross_tenant_scopes: CrossTenantScopes,
    /// What it may configure: Connectivity, SecurityAdmin, Routing, ...
    pub accesses: Vec<String>,
}

impl Manager {
    /// Whether it may configure routing, which subnet members need.
    pub fn has_routing(&self) -> bool {
        self.accesses.iter().any(|access| access.eq_ignore_ascii_case("Routing"))
    }
}

/// Whether a text that Azure holds is that id: without case, with or without the leading slash.
pub(crate) fn same_id(text: &str, id: &ArmId) -> bool {
    ArmId::parse(text).is_ok_and(|text| text == *id)
}

impl ScopeConnection {
    /// Whether it names that scope.
    pub fn names(&self, scope: &ArmId) -> bool {
        same_id(&self.scope, scope)
    }
}

impl ManagerConnection {
    /// Whether it names that manager. An empty `networkManagerId` names none.
    pub fn names(&self, manager: &ArmId) -> bool {
        same_id(&self.manager, manager)
    }
}

impl Member {
    /// Whether it names that network.
    pub fn names(&self, network: &ArmId) -> bool {
        same_id(&self.resource, network)
    }
}

/// What kind of member a network group takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MemberType {
    /// Virtual networks; also what an absent word means.
    VirtualNetwork,
    /// Subnets.
    Subnet,
    /// A word that this version does not know.
    Other(String),
}

/// A network group that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its id.
    pub id: ArmId,
    /// What kind of member it takes.
    pub member_type: MemberType,
}

/// A virtual network or subnet that was read, only to learn whether it exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VirtualNetwork {
    /// Its id.
    pub id: ArmId,
    /// Its region; `""` for a subnet.
    pub location: String,
}
