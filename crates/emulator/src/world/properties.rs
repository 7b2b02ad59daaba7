//! The properties of a resource in a world file. Unlike in a PUT, where the service ignores what it does not know, a
//! field that nobody reads is refused, and one that has no default must be there.

use anyhow::{anyhow, bail, ensure};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::forms::{guid, id};
use crate::path::{ArmPath, Kind, Scope};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OfScopeConnection {
    tenant_id: String,
    resource_id: String,
    #[serde(default, rename = "description")]
    _description: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OfManagerConnection {
    network_manager_id: String,
    #[serde(default, rename = "description")]
    _description: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OfStaticMember {
    resource_id: String,
}

/// Checks the properties of what the path names. Whether the ids in them exist is left to Azure's rules: a half that
/// names the wrong thing is a world worth testing with.
pub(super) fn check(path: &ArmPath, properties: &Map<String, Value>) -> anyhow::Result<()> {
    match path.kind() {
        Kind::ScopeConnection => {
            let it: OfScopeConnection = read(properties)?;
            guid("properties.tenantId", &it.tenant_id)?;
            let scope = id("properties.resourceId", &it.resource_id)
                .ok()
                .filter(|path| path.kind() == Kind::Container && path.resource_group.is_none());
            ensure!(
                scope.is_some_and(|path| path.scope != Scope::Tenant),
                "properties.resourceId: {:?} is not the id of a subscription or management group",
                it.resource_id
            );
        }
        Kind::NetworkManagerConnection => {
            let it: OfManagerConnection = read(properties)?;
            ensure!(
                is(&it.network_manager_id, &[Kind::NetworkManager]),
                "properties.networkManagerId: {:?} is not the id of a network manager",
                it.network_manager_id
            );
        }
        Kind::StaticMember => {
            let it: OfStaticMember = read(properties)?;
            ensure!(
                is(&it.resource_id, &[Kind::VirtualNetwork, Kind::Subnet]),
                "properties.resourceId: {:?} is not the id of a virtual network or subnet",
                it.resource_id
            );
        }
        _ => bail!(
            "id: is not one of a scope connection, network manager connection or static member; managers, \
             networkGroups and virtualNetworks have lists of their own"
        ),
    }
    Ok(())
}

fn read<T: DeserializeOwned>(properties: &Map<String, Value>) -> anyhow::Result<T> {
    serde_path_to_error::deserialize(Value::Object(properties.clone())).map_err(|error| {
        // A field that is missing or too many has no place of its own: the path is then a lone dot.
        match error.path().to_string().as_str() {
            "." => anyhow!("properties: {}", error.inner()),
            path => anyhow!("properties.{path}: {}", error.inner()),
        }
    })
}

fn is(id: &str, kinds: &[Kind]) -> bool {
    self::id("", id).is_ok_and(|path| kinds.contains(&path.kind()))
}
