//! What is a connection's own.

use avnm_api::{CrossTenantConnectionStatus, RecreateStatus};
use avnm_terms::{ArmId, ConnectionState, Listing, ManagerId, Reading, ScopeId, TenantId};

use super::half::Halves;

/// Whose a half is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Role {
    /// Ours: made, corrected and deleted.
    Ours,
    /// Someone else's: read only.
    External,
    /// Not even read.
    #[default]
    Absent,
}

/// What is a connection's own.
#[derive(Debug, Clone, PartialEq)]
pub struct Connection {
    /// The network manager.
    pub manager: ManagerId,
    /// The target's tenant.
    pub tenant: TenantId,
    /// The target.
    pub scope: ScopeId,
    /// Whose the halves are.
    pub roles: Halves<Role>,
    /// Status as it was read.
    pub shown: CrossTenantConnectionStatus,
    /// The last handled value of the recreate annotation, before it is written.
    pub recreate: Option<RecreateStatus>,
    /// Whether the manager lists the target among its `crossTenantScopes`; `None` where it need not be read.
    pub listed: Option<Reading<Listing>>,
    /// What else the other party has that connects the same.
    pub others: Halves<Vec<Other>>,
}

/// A half of the other party that connects the same as the one that is looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Other {
    /// Its id.
    pub id: ArmId,
    /// Azure's word for it.
    pub state: ConnectionState,
}

/// What only a connection does.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Change how far a recreation has come.
    Recreate(RecreateStatus),
}
