//! Where a thing lies in Azure, and what is declared of it.

use avnm_terms::{
    ArmId, AzureName, GroupId, ManagerConnectionId, ManagerId, MemberId, NetworkId, ScopeConnectionId,
    ScopeId, TenantId,
};

use super::{body::Body, key::Key};

/// Where a thing lies in Azure, and what it connects: all that a call needs beside credential and description.
#[derive(Debug, Clone, PartialEq)]
pub enum Address {
    /// A scope connection on a manager.
    ScopeConnection {
        /// Its id.
        id: ScopeConnectionId,
        /// The manager that it is on.
        manager: ManagerId,
        /// The tenant that it names.
        tenant: TenantId,
        /// The scope that it names.
        scope: ScopeId,
    },
    /// A network manager connection on a scope.
    ManagerConnection {
        /// Its id.
        id: ManagerConnectionId,
        /// The scope that it is on.
        scope: ScopeId,
        /// The manager that it names.
        manager: ManagerId,
    },
    /// A static member in a group.
    Member {
        /// Its id.
        id: MemberId,
        /// The group that it is in.
        group: GroupId,
        /// The network that it names.
        network: NetworkId,
    },
}

impl Address {
    /// A scope connection of that name.
    pub fn scope_connection(
        manager: &ManagerId,
        tenant: &TenantId,
        scope: &ScopeId,
        name: &AzureName,
    ) -> Self {
        let (manager, tenant, scope) = (manager.clone(), tenant.clone(), scope.clone());
        Self::ScopeConnection { id: ScopeConnectionId::new(&manager, name), manager, tenant, scope }
    }

    /// A network manager connection of that name.
    pub fn manager_connection(scope: &ScopeId, manager: &ManagerId, name: &AzureName) -> Self {
        let (manager, scope) = (manager.clone(), scope.clone());
        Self::ManagerConnection { id: ManagerConnectionId::new(&scope, name), scope, manager }
    }

    /// A static member of that name.
    pub fn member(group: &GroupId, network: &NetworkId, name: &AzureName) -> Self {
        let (group, network) = (group.clone(), network.clone());
        Self::Member { id: MemberId::new(&group, name), group, network }
    }

    /// Its id.
    pub fn id(&self) -> &ArmId {
        match self {
            Self::ScopeConnection { id, .. } => id.arm(),
            Self::ManagerConnection { id, .. } => id.arm(),
            Self::Member { id, .. } => id.arm(),
        }
    }

    /// What it lies on: credentials are checked against it.
    pub fn parent(&self) -> &ArmId {
        match self {
            Self::ScopeConnection { manager, .. } => manager.arm(),
            Self::ManagerConnection { scope, .. } => scope.arm(),
            Self::Member { group, .. } => group.arm(),
        }
    }
}

/// What is declared of a thing that is ours.
#[derive(Debug, Clone, PartialEq)]
pub struct Wish {
    /// Where it lies.
    pub address: Address,
    /// What it shall say.
    pub body: Body,
    /// The description that spec declares; `None` is not compared.
    pub description: Option<String>,
    /// What no two objects may both have: its id first, then what it connects.
    pub keys: Vec<Key>,
}
