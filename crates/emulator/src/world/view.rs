//! The resources as Azure shows them: fields, casing and order of properties as recorded.

use std::hash::{DefaultHasher, Hash, Hasher};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use super::resources::{
    Manager, ManagerConnection, Network, NetworkGroup, ScopeConnection, StaticMember, SystemData,
};

/// Which answer a body goes into: the etag is empty in a PUT's and filled in all others (recorded).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum In {
    /// The answer to a PUT.
    Put,
    /// The answer to a GET, or an item of a list.
    Read,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SystemDataBody<'a> {
    created_by: &'a str,
    created_by_type: &'a str,
    created_at: String,
    last_modified_by: &'a str,
    last_modified_by_type: &'a str,
    last_modified_at: String,
}

impl<'a> From<&'a SystemData> for SystemDataBody<'a> {
    fn from(data: &'a SystemData) -> Self {
        Self {
            created_by: &data.created_by,
            created_by_type: data.created_by_type,
            created_at: seven_digits(data.created_at),
            last_modified_by: &data.last_modified_by,
            last_modified_by_type: data.last_modified_by_type,
            last_modified_at: seven_digits(data.last_modified_at),
        }
    }
}

/// A time as .NET writes it: UTC, seven digits of a second, trailing zeros kept.
pub fn seven_digits(at: Timestamp) -> String {
    format!("{}.{:07}Z", at.strftime("%Y-%m-%dT%H:%M:%S"), at.subsec_nanosecond() / 100)
}

/// The etag of a thing that the service last wrote at this time.
pub fn etag(id: &str, written_at: Timestamp) -> String {
    let mut hasher = DefaultHasher::new();
    (id, written_at.as_nanosecond()).hash(&mut hasher);
    let first = hasher.finish() >> 32;
    format!("\"{first:08x}-0000-0200-0000-{:08x}0000\"", written_at.as_second())
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ConnectionBody<'a, P> {
    id: &'a str,
    name: &'a str,
    r#type: &'a str,
    properties: P,
    system_data: SystemDataBody<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ScopeConnectionProperties<'a> {
    tenant_id: &'a str,
    resource_id: &'a str,
    connection_state: &'a str,
    description: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ManagerConnectionProperties<'a> {
    network_manager_id: &'a str,
    connection_state: &'a str,
    description: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NamedBody<'a, P> {
    name: &'a str,
    id: &'a str,
    r#type: &'a str,
    etag: String,
    properties: P,
    system_data: SystemDataBody<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StaticMemberProperties<'a> {
    resource_id: &'a str,
    provisioning_state: &'a str,
    // The specification says `region`; every recording says `location`.
    location: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NetworkGroupProperties<'a> {
    description: &'a str,
    provisioning_state: &'a str,
    member_type: &'a str,
    resource_guid: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ManagerBody<'a> {
    name: &'a str,
    id: &'a str,
    location: &'a str,
    r#type: &'a str,
    tags: &'a Map<String, Value>,
    etag: String,
    properties: ManagerProperties<'a>,
    system_data: SystemDataBody<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ManagerProperties<'a> {
    description: &'a str,
    network_manager_scopes: ManagerScopes<'a>,
    provisioning_state: &'a str,
    network_manager_scope_accesses: &'a [String],
    resource_guid: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ManagerScopes<'a> {
    management_groups: &'a [String],
    subscriptions: &'a [String],
    cross_tenant_scopes: Vec<CrossTenantScopes<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CrossTenantScopes<'a> {
    tenant_id: &'a str,
    management_groups: Vec<&'a str>,
    subscriptions: Vec<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NetworkBody<'a> {
    name: &'a str,
    id: &'a str,
    etag: String,
    r#type: &'a str,
    location: &'a str,
    tags: &'a Map<String, Value>,
    properties: NetworkProperties<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NetworkProperties<'a> {
    provisioning_state: &'a str,
    resource_guid: &'a str,
    address_space: AddressSpace<'a>,
    subnets: Vec<SubnetBody<'a>>,
    virtual_network_peerings: [(); 0],
    enable_ddos_protection: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AddressSpace<'a> {
    address_prefixes: &'a [String],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SubnetBody<'a> {
    name: &'a str,
    id: String,
    etag: String,
    properties: SubnetProperties<'a>,
    r#type: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SubnetProperties<'a> {
    provisioning_state: &'a str,
    address_prefix: &'a str,
    delegations: [(); 0],
}

/// The id of a subnet of this network.
pub fn subnet_id(network: &Network, subnet: &str) -> String {
    format!("{}/subnets/{subnet}", network.id)
}

/// A scope connection. It has no etag, no location and no provisioningState (recorded).
pub fn scope_connection(it: &ScopeConnection) -> impl Serialize {
    ConnectionBody {
        id: &it.half.id,
        name: &it.half.name,
        r#type: "Microsoft.Network/networkManagers/scopeConnections",
        properties: ScopeConnectionProperties {
            tenant_id: &it.tenant_id,
            resource_id: &it.resource_id,
            connection_state: it.half.state.as_str(),
            description: &it.half.description,
        },
        system_data: (&it.half.system_data).into(),
    }
}

/// A network manager connection.
pub fn manager_connection(it: &ManagerConnection) -> impl Serialize {
    ConnectionBody {
        id: &it.half.id,
        name: &it.half.name,
        r#type: "Microsoft.Network/networkManagerConnections",
        properties: ManagerConnectionProperties {
            network_manager_id: &it.network_manager_id,
            connection_state: it.half.state.as_str(),
            description: &it.half.description,
        },
        system_data: (&it.half.system_data).into(),
    }
}

/// A static member.
pub fn static_member(it: &StaticMember, within: In) -> impl Serialize {
    NamedBody {
        name: &it.name,
        id: &it.id,
        r#type: "Microsoft.Network/networkManagers/networkGroups/staticMembers",
        etag: etag_in(within, &it.id, it.written_at),
        properties: StaticMemberProperties {
            resource_id: &it.resource_id,
            provisioning_state: it.provisioning_state,
            location: &it.location,
        },
        system_data: (&it.system_data).into(),
    }
}

/// A network group.
pub fn network_group(it: &NetworkGroup, within: In) -> impl Serialize {
    NamedBody {
        name: &it.name,
        id: &it.id,
        r#type: "Microsoft.Network/networkManagers/networkGroups",
        etag: etag_in(within, &it.id, it.system_data.last_modified_at),
        properties: NetworkGroupProperties {
            description: &it.description,
            provisioning_state: "Succeeded",
            member_type: &it.member_type,
            resource_guid: &it.resource_guid,
        },
        system_data: (&it.system_data).into(),
    }
}

/// A network manager. The form of an item of crossTenantScopes is the specification's; how Azure groups them by
/// tenant is assumed.
pub fn manager(it: &Manager, within: In) -> impl Serialize {
    let mut foreign: Vec<CrossTenantScopes<'_>> = Vec::new();
    for entry in &it.cross_tenant_scopes {
        let at = foreign.iter().position(|f| f.tenant_id == entry.tenant).unwrap_or_else(|| {
            foreign.push(CrossTenantScopes {
                tenant_id: &entry.tenant,
                management_groups: Vec::new(),
                subscriptions: Vec::new(),
            });
            foreign.len() - 1
        });
        if entry.scope.trim_start_matches('/').to_ascii_lowercase().starts_with("subscriptions/") {
            foreign[at].subscriptions.push(&entry.scope);
        } else {
            foreign[at].management_groups.push(&entry.scope);
        }
    }
    ManagerBody {
        name: &it.name,
        id: &it.id,
        location: &it.location,
        r#type: "Microsoft.Network/networkManagers",
        tags: &it.tags,
        etag: etag_in(within, &it.id, it.system_data.last_modified_at),
        properties: ManagerProperties {
            description: &it.description,
            network_manager_scopes: ManagerScopes {
                management_groups: &it.management_groups,
                subscriptions: &it.subscriptions,
                cross_tenant_scopes: foreign,
            },
            provisioning_state: it.provisioning_state,
            network_manager_scope_accesses: &it.accesses,
            resource_guid: &it.resource_guid,
        },
        system_data: (&it.system_data).into(),
    }
}

/// A virtual network (the specification's form; no recording).
pub fn network(it: &Network) -> impl Serialize {
    NetworkBody {
        name: &it.name,
        id: &it.id,
        etag: weak_etag(it),
        r#type: "Microsoft.Network/virtualNetworks",
        location: &it.location,
        tags: &it.tags,
        properties: NetworkProperties {
            provisioning_state: "Succeeded",
            resource_guid: &it.resource_guid,
            address_space: AddressSpace { address_prefixes: &it.address_prefixes },
            subnets: it.subnets.iter().map(|s| subnet_body(it, &s.name, &s.address_prefix)).collect(),
            virtual_network_peerings: [],
            enable_ddos_protection: false,
        },
    }
}

/// A subnet of a network, if it has one of this name.
pub fn subnet<'a>(it: &'a Network, name: &str) -> Option<impl Serialize + use<'a>> {
    let subnet = it.subnets.iter().find(|subnet| subnet.name.eq_ignore_ascii_case(name))?;
    Some(subnet_body(it, &subnet.name, &subnet.address_prefix))
}

fn subnet_body<'a>(it: &'a Network, name: &'a str, prefix: &'a str) -> SubnetBody<'a> {
    SubnetBody {
        name,
        id: subnet_id(it, name),
        etag: weak_etag(it),
        properties: SubnetProperties {
            provisioning_state: "Succeeded",
            address_prefix: prefix,
            delegations: [],
        },
        r#type: "Microsoft.Network/virtualNetworks/subnets",
    }
}

fn weak_etag(it: &Network) -> String {
    format!("W/\"{}\"", it.resource_guid)
}

fn etag_in(within: In, id: &str, written_at: Timestamp) -> String {
    match within {
        In::Put => String::new(),
        In::Read => etag(id, written_at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_keep_their_trailing_zeros() {
        let at: Timestamp = "2024-05-30T09:54:53.04Z".parse().unwrap();
        assert_eq!(seven_digits(at), "2024-05-30T09:54:53.0400000Z");
        let whole: Timestamp = "2024-05-30T09:54:53Z".parse().unwrap();
        assert_eq!(seven_digits(whole), "2024-05-30T09:54:53.0000000Z");
    }

    #[test]
    fn an_etag_ends_in_the_second_it_was_written() {
        let at = Timestamp::from_second(0x68d9_c380).unwrap();
        let tag = etag("/x", at);
        assert!(tag.ends_with("-0000-0200-0000-68d9c3800000\""), "{tag}");
        assert_eq!(tag.len(), "\"6d02777f-0000-0200-0000-68d9c3800000\"".len());
    }
}
