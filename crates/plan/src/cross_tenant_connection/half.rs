//! The two halves of a connection.

use avnm_api::{CrossTenantConnectionStatus, HalfStatus};

use crate::{lifecycle::At, side::Resource};

/// One of the two halves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Half {
    /// The scope connection, in the manager's tenant.
    Scope,
    /// The network manager connection, in the target tenant.
    Target,
}

impl Half {
    /// Both, in the order of writes.
    pub const BOTH: [Half; 2] = [Half::Scope, Half::Target];

    /// The other one.
    pub fn other(self) -> Self {
        match self {
            Self::Scope => Self::Target,
            Self::Target => Self::Scope,
        }
    }

    /// What kind of resource it is: that has its words, its field and its side.
    pub fn resource(self) -> Resource {
        match self {
            Self::Scope => Resource::ScopeConnection,
            Self::Target => Resource::ManagerConnection,
        }
    }

    /// Its place among the items of a connection.
    pub fn at(self) -> At {
        match self {
            Self::Scope => 0,
            Self::Target => 1,
        }
    }

    /// The half at a place.
    pub fn of(at: At) -> Self {
        if at == 0 { Self::Scope } else { Self::Target }
    }
}

/// What status says of a half.
pub(super) fn status(status: &CrossTenantConnectionStatus, half: Half) -> Option<&HalfStatus> {
    match half {
        Half::Scope => status.scope_connection.as_ref(),
        Half::Target => status.network_manager_connection.as_ref(),
    }
}

/// Where status speaks of a half.
pub(super) fn status_mut(status: &mut CrossTenantConnectionStatus, half: Half) -> &mut Option<HalfStatus> {
    match half {
        Half::Scope => &mut status.scope_connection,
        Half::Target => &mut status.network_manager_connection,
    }
}

/// One value for each half.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Halves<T> {
    /// For the scope connection.
    pub scope: T,
    /// For the network manager connection.
    pub target: T,
}

impl<T> Halves<T> {
    /// The value of a half.
    pub fn get(&self, half: Half) -> &T {
        match half {
            Half::Scope => &self.scope,
            Half::Target => &self.target,
        }
    }

    /// The value of a half, to be changed.
    pub fn get_mut(&mut self, half: Half) -> &mut T {
        match half {
            Half::Scope => &mut self.scope,
            Half::Target => &mut self.target,
        }
    }
}
