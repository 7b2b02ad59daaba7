//! The resources as the emulator keeps them: what was sent, and what Azure adds.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A word of `ScopeConnectionState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConnectionState {
    /// One half is missing, or nobody has looked yet.
    Pending,
    /// In scope.
    Connected,
    /// It was, and one half went.
    Revoked,
    /// Another manager holds the scope.
    Conflict,
    /// In the specification only; the emulator says it when told to.
    Rejected,
}

impl ConnectionState {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Connected => "Connected",
            Self::Revoked => "Revoked",
            Self::Conflict => "Conflict",
            Self::Rejected => "Rejected",
        }
    }
}

/// Who made and last changed a thing, and when.
#[derive(Clone, Debug)]
pub struct SystemData {
    /// Who made it.
    pub created_by: String,
    /// `User` or `Application`.
    pub created_by_type: &'static str,
    /// When.
    pub created_at: Timestamp,
    /// Who changed it last.
    pub last_modified_by: String,
    /// `User` or `Application`.
    pub last_modified_by_type: &'static str,
    /// When.
    pub last_modified_at: Timestamp,
}

/// Who is writing: a principal of ARM, or someone who needs no rights (the world file, the control endpoint).
#[derive(Clone, Debug)]
pub struct Author {
    name: String,
    kind: &'static str,
}

impl Author {
    /// An application, by client id.
    pub fn application(client_id: &str) -> Self {
        Self { name: client_id.to_owned(), kind: "Application" }
    }

    /// Someone at the portal.
    pub fn somebody() -> Self {
        Self { name: "somebody@example.com".into(), kind: "User" }
    }
}

impl SystemData {
    /// Of a thing made now.
    pub fn new(by: &Author, now: Timestamp) -> Self {
        Self {
            created_by: by.name.clone(),
            created_by_type: by.kind,
            created_at: now,
            last_modified_by: by.name.clone(),
            last_modified_by_type: by.kind,
            last_modified_at: now,
        }
    }

    /// Of a thing changed now.
    pub fn touched(&self, by: &Author, now: Timestamp) -> Self {
        let last = Self::new(by, now);
        Self {
            created_by: self.created_by.clone(),
            created_by_type: self.created_by_type,
            created_at: self.created_at,
            ..last
        }
    }
}

/// What both halves of a handshake have in common.
#[derive(Clone, Debug)]
pub struct Half {
    /// The id as it was first given.
    pub id: String,
    /// Its last segment.
    pub name: String,
    /// Free text.
    pub description: String,
    /// Which came first.
    pub serial: u64,
    /// Azure's word.
    pub state: ConnectionState,
    /// It was Connected since it was made or its identity last changed.
    pub was_connected: bool,
    /// Somebody set the state by hand; it stays until cleared or the thing is made again.
    pub forced: bool,
    /// When the state last changed.
    pub state_since: Timestamp,
    /// When it was last PUT.
    pub put_at: Timestamp,
    /// The order of its last PUT among all that was made and PUT.
    pub put_serial: u64,
    /// Who and when.
    pub system_data: SystemData,
}

/// The manager's half: names a tenant and a scope in it.
#[derive(Clone, Debug)]
pub struct ScopeConnection {
    /// What both halves have.
    pub half: Half,
    /// The key of its manager.
    pub manager: String,
    /// The tenant it names.
    pub tenant_id: String,
    /// The scope it names, as sent.
    pub resource_id: String,
}

/// The other half: on a subscription or management group, names a manager.
#[derive(Clone, Debug)]
pub struct ManagerConnection {
    /// What both halves have.
    pub half: Half,
    /// The tenant that owns the scope it lies on.
    pub tenant: String,
    /// The scope that it lies on, as a scope key.
    pub scope: String,
    /// The manager it names, as sent; may be empty.
    pub network_manager_id: String,
}

/// Scopes of another tenant that a manager has got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrossTenantScope {
    /// The other tenant.
    pub tenant: String,
    /// The scope as the scope connection named it.
    pub scope: String,
}

/// A network manager.
#[derive(Clone, Debug)]
pub struct Manager {
    /// The id as it was first given.
    pub id: String,
    /// Its last segment.
    pub name: String,
    /// The tenant that owns its subscription.
    pub tenant: String,
    /// The region.
    pub location: String,
    /// Tags.
    pub tags: serde_json::Map<String, serde_json::Value>,
    /// Free text.
    pub description: String,
    /// Its own scopes, as sent.
    pub management_groups: Vec<String>,
    /// Its own scopes, as sent.
    pub subscriptions: Vec<String>,
    /// The scopes of other tenants that are connected.
    pub cross_tenant_scopes: Vec<CrossTenantScope>,
    /// What it may configure.
    pub accesses: Vec<String>,
    /// `Succeeded`, or `Updating` after an access was added.
    pub provisioning_state: &'static str,
    /// Azure's own id for it.
    pub resource_guid: String,
    /// Who and when.
    pub system_data: SystemData,
}

/// A network group.
#[derive(Clone, Debug)]
pub struct NetworkGroup {
    /// The id as it was first given.
    pub id: String,
    /// Its last segment.
    pub name: String,
    /// Free text.
    pub description: String,
    /// `VirtualNetwork` or `Subnet`.
    pub member_type: String,
    /// It had a static member once, even if that is gone: its delete is then a 202.
    pub had_members: bool,
    /// Azure's own id for it.
    pub resource_guid: String,
    /// Who and when.
    pub system_data: SystemData,
}

/// A static member of a network group.
#[derive(Clone, Debug)]
pub struct StaticMember {
    /// The id as it was first given.
    pub id: String,
    /// Its last segment.
    pub name: String,
    /// The network or subnet, as sent.
    pub resource_id: String,
    /// `Updating`, `Succeeded` or `Failed`.
    pub provisioning_state: &'static str,
    /// The network's region, once known.
    pub location: String,
    /// A fault decided that this one fails.
    pub fails: bool,
    /// When Azure itself last wrote it; moves the etag.
    pub written_at: Timestamp,
    /// Who and when.
    pub system_data: SystemData,
}

/// A subnet.
#[derive(Clone, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Subnet {
    /// Its name.
    pub name: String,
    /// Its prefix, as `10.0.0.0/24`; one is made up where absent.
    #[serde(default)]
    pub address_prefix: String,
}

/// A virtual network.
#[derive(Clone, Debug)]
pub struct Network {
    /// The id as it was first given.
    pub id: String,
    /// Its last segment.
    pub name: String,
    /// The region.
    pub location: String,
    /// Tags.
    pub tags: serde_json::Map<String, serde_json::Value>,
    /// Address space.
    pub address_prefixes: Vec<String>,
    /// Subnets.
    pub subnets: Vec<Subnet>,
    /// Azure's own id for it.
    pub resource_guid: String,
}

/// A delete that was answered with 202.
#[derive(Clone, Debug)]
pub struct Operation {
    /// The key of what is being deleted.
    pub target: String,
    /// From when on a poll says that it is done.
    pub done_at: Timestamp,
    /// The manager itself was deleted: the last poll finds nothing (recorded), instead of 204.
    pub parent_gone: bool,
    /// How often it was polled; every answer has another Location.
    pub polls: u64,
}
