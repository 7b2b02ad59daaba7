//! On whose side a call was made, and what it was for.

use avnm_terms::Actor;

/// On whose side a call was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// The tenant of the network manager.
    Manager,
    /// The tenant that is managed, or that a member's network lies in.
    Target,
}

impl Side {
    /// Who administers it.
    pub fn admin(self) -> Actor {
        match self {
            Self::Manager => Actor::ManagerTenantAdmin,
            Self::Target => Actor::TargetTenantAdmin,
        }
    }

    /// Its name for users.
    pub(crate) fn tenant_words(self) -> &'static str {
        match self {
            Self::Manager => "the manager's tenant",
            Self::Target => "the target tenant",
        }
    }
}

/// What kind of resource in Azure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Resource {
    /// A scope connection, or the manager that it is on.
    ScopeConnection,
    /// A network manager connection.
    ManagerConnection,
    /// A static member, or its group.
    Member,
    /// The network of a member. Never owned.
    Network,
}

impl Resource {
    /// Its name for users.
    pub fn words(self) -> &'static str {
        match self {
            Self::ScopeConnection => "scope connection",
            Self::ManagerConnection => "network manager connection",
            Self::Member => "member",
            Self::Network => "network",
        }
    }

    /// The field of spec and status that is about it.
    pub fn field(self) -> &'static str {
        match self {
            Self::ScopeConnection => "scopeConnection",
            Self::ManagerConnection => "networkManagerConnection",
            Self::Member => "memberName",
            Self::Network => "resourceId",
        }
    }

    /// The field of spec that names it in Azure.
    pub fn name_field(self) -> &'static str {
        match self {
            Self::ScopeConnection => "scopeConnection.name",
            Self::ManagerConnection => "networkManagerConnection.name",
            Self::Member => "memberName",
            Self::Network => "resourceId",
        }
    }

    /// Whose tenant it lies in.
    pub fn side(self) -> Side {
        match self {
            Self::ScopeConnection | Self::Member => Side::Manager,
            Self::ManagerConnection | Self::Network => Side::Target,
        }
    }

    /// The fields of its body that say what it connects, in the order in which bodies keep them.
    pub fn fields(self) -> &'static [&'static str] {
        match self {
            Self::ScopeConnection => &["tenantId", "resourceId"],
            Self::ManagerConnection => &["networkManagerId"],
            Self::Member | Self::Network => &["resourceId"],
        }
    }

    /// What a PUT of it is called in failures.
    pub fn put_operation(self) -> &'static str {
        match self {
            Self::ScopeConnection => "put scopeConnection",
            Self::ManagerConnection => "put networkManagerConnection",
            Self::Member => "put staticMember",
            Self::Network => "put virtualNetwork",
        }
    }

    /// What deleting it is called.
    pub fn delete_operation(self) -> &'static str {
        match self {
            Self::ScopeConnection => "delete scopeConnection",
            Self::ManagerConnection => "delete networkManagerConnection",
            Self::Member => "delete staticMember",
            Self::Network => "delete virtualNetwork",
        }
    }

    /// How many absences prove that it is gone. Deleting a manager before a half is really gone breaks the subscription
    /// (azure-rest-api-specs#23188).
    pub fn absences(self) -> u32 {
        match self {
            Self::ScopeConnection | Self::ManagerConnection => 3,
            Self::Member | Self::Network => 1,
        }
    }

    /// Whether it is one of the two halves of a connection.
    pub fn is_half(self) -> bool {
        match self {
            Self::ScopeConnection | Self::ManagerConnection => true,
            Self::Member | Self::Network => false,
        }
    }

    /// Whether a difference is corrected by deleting and making it again: a member cannot change its network.
    pub fn is_replaced(self) -> bool {
        self == Self::Member
    }
}
