//! The world file: which tenants there are, what they own, and who may do what.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::anyhow;
use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::directory::{BuiltInRole, Lock, ManagedIdentity};
use super::federated_credential::FederatedCredential;
use super::resources::Subnet;
use crate::guid;

/// The world that is used when none is given.
pub const DEFAULT_WORLD: &str = include_str!("default.yaml");

/// A subscription's id as a path, for the schema.
const SUBSCRIPTION: &str = "^/subscriptions/[0-9a-fA-F-]{36}$";
/// A management group's id, for the schema.
const MANAGEMENT_GROUP: &str = "^/providers/Microsoft\\.Management/managementGroups/[^/]+$";
/// A resource group's id, for the schema.
const RESOURCE_GROUP: &str = "^/subscriptions/[0-9a-fA-F-]{36}/resource[gG]roups/[^/]+$";
/// A network manager's id, for the schema.
const MANAGER: &str = "^/subscriptions/[0-9a-fA-F-]{36}/resource[gG]roups/[^/]+/providers/Microsoft\\.Network/networkManagers/[^/]+$";
/// A network group's id, for the schema.
const NETWORK_GROUP: &str = "^/subscriptions/[0-9a-fA-F-]{36}/resource[gG]roups/[^/]+/providers/Microsoft\\.Network/networkManagers/[^/]+/networkGroups/[^/]+$";
/// A virtual network's id, for the schema.
const NETWORK: &str = "^/subscriptions/[0-9a-fA-F-]{36}/resource[gG]roups/[^/]+/providers/Microsoft\\.Network/virtualNetworks/[^/]+$";

/// A world file. Unknown fields are refused, so that a misspelt one is noticed.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct WorldFile {
    /// Tenants.
    pub tenants: Vec<TenantEntry>,
    /// Subscriptions.
    pub subscriptions: Vec<SubscriptionEntry>,
    /// Management groups.
    pub management_groups: Vec<ManagementGroupEntry>,
    /// Ids of resource groups (`/subscriptions/GUID/resourceGroups/NAME`); those of the resources below exist anyway.
    #[schemars(inner(regex(pattern = RESOURCE_GROUP)))]
    pub resource_groups: Vec<String>,
    /// Management locks.
    pub locks: Vec<Lock>,
    /// Applications.
    pub apps: Vec<AppEntry>,
    /// Issuers that applications may trust, with their keys. The emulator fetches none.
    pub issuers: Vec<IssuerEntry>,
    /// Managed identities, whose tokens the metadata service gives out.
    pub managed_identities: Vec<ManagedIdentity>,
    /// Network managers.
    pub managers: Vec<ManagerEntry>,
    /// Network groups.
    pub network_groups: Vec<NetworkGroupEntry>,
    /// Virtual networks.
    pub virtual_networks: Vec<NetworkEntry>,
    /// Anything else that exists at the start: scope connections, network manager connections, static members.
    pub resources: Vec<ResourceEntry>,
}

/// A tenant.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TenantEntry {
    /// Its id, a GUID.
    #[schemars(extend("pattern" = guid::PATTERN))]
    pub id: String,
    /// A name for people.
    #[serde(default)]
    pub name: String,
}

/// A subscription.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SubscriptionEntry {
    /// Its id, a GUID.
    #[schemars(extend("pattern" = guid::PATTERN))]
    pub id: String,
    /// The owning tenant, one of `tenants`.
    #[schemars(extend("pattern" = guid::PATTERN))]
    pub tenant: String,
    /// The management group of that tenant that it lies in.
    pub management_group: Option<String>,
    /// Whether Microsoft.Network is registered in it.
    #[serde(default = "yes")]
    pub registered: bool,
    /// Preview features that it is not registered for: a manager that asks for an access beyond Connectivity,
    /// SecurityAdmin and Routing is then refused.
    #[serde(default)]
    pub missing_features: Vec<String>,
}

fn yes() -> bool {
    true
}

/// A management group.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ManagementGroupEntry {
    /// Its name, unique in its tenant.
    pub name: String,
    /// The owning tenant, one of `tenants`.
    #[schemars(extend("pattern" = guid::PATTERN))]
    pub tenant: String,
    /// The management group above, by name, in the same tenant.
    pub parent: Option<String>,
    /// Whether Microsoft.Network is registered at it.
    #[serde(default = "yes")]
    pub registered: bool,
}

/// An application.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AppEntry {
    /// Its client id, a GUID.
    #[schemars(extend("pattern" = guid::PATTERN))]
    pub client_id: String,
    /// The tenant that it is registered in, one of `tenants`.
    #[schemars(extend("pattern" = guid::PATTERN))]
    pub home_tenant: String,
    /// Secrets that work.
    #[serde(default)]
    pub secrets: Vec<String>,
    /// Secrets that have expired.
    #[serde(default)]
    pub expired_secrets: Vec<String>,
    /// Certificates whose keys may sign its assertions, PEM. Of each text the first certificate counts.
    #[serde(default)]
    pub certificates: Vec<String>,
    /// Federated credentials, at most 20. The audience is api://AzureADTokenExchange where absent.
    #[serde(default)]
    pub federated_credentials: Vec<FederatedCredential>,
    /// Where it was consented to.
    #[serde(default)]
    pub service_principals: Vec<ServicePrincipalEntry>,
}

/// An issuer of tokens outside this Entra, such as a Kubernetes cluster.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IssuerEntry {
    /// Exactly as in its tokens.
    pub issuer: String,
    /// Its JSON Web Key Set: what a cluster answers at /openid/v1/jwks.
    pub jwks: serde_json::Value,
}

/// A service principal.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServicePrincipalEntry {
    /// The tenant that it lives in, one of `tenants`.
    #[schemars(extend("pattern" = guid::PATTERN))]
    pub tenant: String,
    /// Its object id, a GUID; drawn where absent.
    #[schemars(extend("pattern" = guid::PATTERN))]
    pub object_id: Option<String>,
    /// What it may do there.
    #[serde(default)]
    pub roles: Vec<RoleEntry>,
}

/// A role assignment: a built-in role by name, or actions.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RoleEntry {
    /// Where: the id of a management group, subscription, resource group or resource of the principal's tenant; `/` is
    /// the whole tenant.
    #[schemars(extend("pattern" = "^/"))]
    pub scope: String,
    /// Exactly these actions; `*` stands for any run of characters.
    pub actions: Option<Vec<String>>,
    /// The actions of this role.
    pub role: Option<BuiltInRole>,
}

/// What a network manager may configure: Azure's `ConfigurationType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[allow(missing_docs, reason = "Azure's words, which say what they are")]
pub enum Access {
    Connectivity,
    SecurityAdmin,
    SecurityUser,
    Routing,
}

impl Access {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connectivity => "Connectivity",
            Self::SecurityAdmin => "SecurityAdmin",
            Self::SecurityUser => "SecurityUser",
            Self::Routing => "Routing",
        }
    }
}

/// What the members of a network group are: Azure's `GroupMemberType`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[allow(missing_docs, reason = "Azure's words, which say what they are")]
pub enum MemberType {
    #[default]
    VirtualNetwork,
    Subnet,
}

impl MemberType {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::VirtualNetwork => "VirtualNetwork",
            Self::Subnet => "Subnet",
        }
    }
}

/// The scopes of a network manager.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ScopesEntry {
    /// Ids of management groups (`/providers/Microsoft.Management/managementGroups/NAME`) of the manager's tenant.
    #[schemars(inner(regex(pattern = MANAGEMENT_GROUP)))]
    pub management_groups: Vec<String>,
    /// Ids of subscriptions (`/subscriptions/GUID`) of the manager's tenant.
    #[schemars(inner(regex(pattern = SUBSCRIPTION)))]
    pub subscriptions: Vec<String>,
}

/// A network manager.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ManagerEntry {
    /// Its id, in a subscription of the file.
    #[schemars(extend("pattern" = MANAGER))]
    pub id: String,
    /// The region.
    #[serde(default)]
    pub location: Option<String>,
    /// Tags.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// Free text.
    #[serde(default)]
    pub description: String,
    /// Its own scopes.
    #[serde(default)]
    pub network_manager_scopes: ScopesEntry,
    /// What it may configure.
    #[serde(default)]
    pub network_manager_scope_accesses: Vec<Access>,
}

/// A network group.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NetworkGroupEntry {
    /// Its id, in a subscription of the file.
    #[schemars(extend("pattern" = NETWORK_GROUP))]
    pub id: String,
    /// What its members are.
    #[serde(default)]
    pub member_type: MemberType,
    /// Free text.
    #[serde(default)]
    pub description: String,
}

/// A virtual network.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NetworkEntry {
    /// Its id, in a subscription of the file.
    #[schemars(extend("pattern" = NETWORK))]
    pub id: String,
    /// The region.
    #[serde(default)]
    pub location: Option<String>,
    /// Tags.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// Address space, as `10.0.0.0/16`; one is made up where absent.
    #[serde(default)]
    pub address_prefixes: Vec<String>,
    /// Subnets, by name or with their prefix.
    #[serde(default)]
    pub subnets: Vec<SubnetEntry>,
}

/// A subnet, by name or with its prefix.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(untagged)]
pub enum SubnetEntry {
    /// Only a name.
    Name(String),
    /// Name and prefix.
    Full(Subnet),
}

// By hand: serde's own way of telling the two apart says of neither what does not fit.
impl<'de> Deserialize<'de> for SubnetEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = SubnetEntry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a subnet's name, or {name, addressPrefix}")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<SubnetEntry, E> {
                Ok(SubnetEntry::Name(name.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<SubnetEntry, A::Error> {
                Subnet::deserialize(MapAccessDeserializer::new(map)).map(SubnetEntry::Full)
            }
        }

        deserializer.deserialize_any(Either)
    }
}

impl From<SubnetEntry> for Subnet {
    fn from(entry: SubnetEntry) -> Self {
        match entry {
            SubnetEntry::Name(name) => Self { name, address_prefix: String::new() },
            SubnetEntry::Full(subnet) => subnet,
        }
    }
}

/// A resource as one would PUT it: a scope connection, a network manager connection or a static member.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResourceEntry {
    /// Its id. What it lies in must be in the file too.
    #[schemars(extend("pattern" = "^/(subscriptions|providers)/.+/.+$"))]
    pub id: String,
    /// The tenant, needed only where a management group's name exists in several.
    #[schemars(extend("pattern" = guid::PATTERN))]
    pub tenant: Option<String>,
    /// Its properties: `tenantId` and `resourceId` of a scope connection, `networkManagerId` of a network manager
    /// connection, each with a `description` if wanted; `resourceId` of a static member.
    pub properties: serde_json::Map<String, serde_json::Value>,
}

impl WorldFile {
    /// Reads a world file.
    pub fn parse(yaml: &str) -> anyhow::Result<Self> {
        serde_saphyr::from_str(yaml).map_err(|error| anyhow!("{error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_field_is_named() {
        let error = WorldFile::parse("tenants:\n  - {id: a, nmae: b}\n").unwrap_err().to_string();
        assert!(error.contains("nmae"), "{error}");
    }

    #[test]
    fn the_default_world_reads() {
        let file = WorldFile::parse(DEFAULT_WORLD).unwrap();
        assert_eq!(file.tenants.len(), 2);
        assert_eq!(file.apps[1].service_principals[1].roles[0].actions.as_ref().map(Vec::len), Some(3));
    }
}
