//! The world file: which tenants there are, what they own, and who may do what.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::directory::{Lock, ManagedIdentity};
use super::resources::Subnet;
use crate::entra::federation::FederatedCredential;

/// The world that is used when none is given.
pub const DEFAULT_WORLD: &str = include_str!("default.yaml");

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
    /// Ids of resource groups; those of the resources below exist anyway.
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
    /// Its id.
    pub id: String,
    /// A name for people.
    #[serde(default)]
    pub name: String,
}

/// A subscription.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SubscriptionEntry {
    /// Its id.
    pub id: String,
    /// The owning tenant.
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
    /// Its name.
    pub name: String,
    /// The owning tenant.
    pub tenant: String,
    /// The management group above.
    pub parent: Option<String>,
    /// Whether Microsoft.Network is registered at it.
    #[serde(default = "yes")]
    pub registered: bool,
}

/// An application.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AppEntry {
    /// Its client id.
    pub client_id: String,
    /// The tenant that it is registered in.
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
    /// The tenant that it lives in.
    pub tenant: String,
    /// Its object id; drawn where absent.
    pub object_id: Option<String>,
    /// What it may do there.
    #[serde(default)]
    pub roles: Vec<RoleEntry>,
}

/// A role assignment: a built-in role by name, or actions.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RoleEntry {
    /// Where.
    pub scope: String,
    /// Exactly these actions.
    pub actions: Option<Vec<String>>,
    /// `Owner`, `Contributor`, `Network Contributor` or `Reader`.
    pub role: Option<String>,
}

/// The scopes of a network manager.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ScopesEntry {
    /// Ids of management groups.
    pub management_groups: Vec<String>,
    /// Ids of subscriptions.
    pub subscriptions: Vec<String>,
}

/// A network manager.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ManagerEntry {
    /// Its id.
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
    pub network_manager_scope_accesses: Vec<String>,
}

/// A network group.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NetworkGroupEntry {
    /// Its id.
    pub id: String,
    /// `VirtualNetwork` (default) or `Subnet`.
    pub member_type: Option<String>,
    /// Free text.
    #[serde(default)]
    pub description: String,
}

/// A virtual network.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NetworkEntry {
    /// Its id.
    pub id: String,
    /// The region.
    #[serde(default)]
    pub location: Option<String>,
    /// Tags.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// Address space; one is made up where absent.
    #[serde(default)]
    pub address_prefixes: Vec<String>,
    /// Subnets, by name or with their prefix.
    #[serde(default)]
    pub subnets: Vec<SubnetEntry>,
}

/// A subnet, by name or with its prefix.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum SubnetEntry {
    /// Only a name.
    Name(String),
    /// Name and prefix.
    Full(Subnet),
}

impl From<SubnetEntry> for Subnet {
    fn from(entry: SubnetEntry) -> Self {
        match entry {
            SubnetEntry::Name(name) => Self { name, address_prefix: String::new() },
            SubnetEntry::Full(subnet) => subnet,
        }
    }
}

/// A resource as one would PUT it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResourceEntry {
    /// Its id.
    pub id: String,
    /// The tenant, needed only where a management group's name exists in several.
    pub tenant: Option<String>,
    /// Its properties.
    pub properties: serde_json::Value,
}

impl WorldFile {
    /// Reads a world file.
    pub fn parse(yaml: &str) -> anyhow::Result<Self> {
        serde_saphyr::from_str(yaml).map_err(|error| anyhow::anyhow!("world file: {error}"))
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
