//! Resources behind the callers' backs: made, shown and deleted without any check of rights.

use anyhow::{Context, bail, ensure};
use jiff::Timestamp;
use serde_json::Value;

use super::{
    manager_connections, network_groups, network_managers, networks, scope_connections, static_members,
};
use crate::path::{ArmPath, Kind, Scope, is_group_name};
use crate::state::State;
use crate::world::resources::Author;
use crate::world::view::{self, In};

/// Why a resource can be neither made nor deleted behind the scenes.
const NOT_KEPT: &str = "is not the id of a network manager, network group, static member, scope connection, network \
                        manager connection or virtual network; only those can be made and deleted";

/// Makes or changes a resource without any check of rights: behind the callers' backs, or before the world starts.
pub(crate) fn put(
    state: &mut State,
    id: &str,
    tenant: Option<&str>,
    body: &Value,
    now: Timestamp,
) -> anyhow::Result<Value> {
    let (path, tenant) = locate(state, id, tenant)?;
    state.world.resource_groups.extend(path.resource_group_key());
    let author = Author::somebody();
    let invalid = || format!("the body does not fit {id}");
    let parent = path.parent().key();
    match path.kind() {
        Kind::NetworkManager => {
            let sent = serde_json::from_value(body.clone()).with_context(invalid)?;
            network_managers::store(state, &path, &tenant, sent, &author, now);
        }
        Kind::ScopeConnection => {
            ensure!(state.world.managers.contains_key(&parent), "there is no {parent}");
            let sent = serde_json::from_value(body.clone()).with_context(invalid)?;
            scope_connections::store(state, &path, sent, &author, now);
        }
        Kind::NetworkGroup => {
            ensure!(state.world.managers.contains_key(&parent), "there is no {parent}");
            let sent = serde_json::from_value(body.clone()).with_context(invalid)?;
            network_groups::store(state, &path, sent, &author, now);
        }
        Kind::StaticMember => {
            ensure!(state.world.groups.contains_key(&parent), "there is no {parent}");
            let sent = serde_json::from_value(body.clone()).with_context(invalid)?;
            static_members::store(state, &path, sent, &author, now, false);
        }
        Kind::NetworkManagerConnection => {
            let sent = serde_json::from_value(body.clone()).with_context(invalid)?;
            manager_connections::store(state, &path, &tenant, sent, &author, now);
        }
        Kind::VirtualNetwork => {
            let sent = serde_json::from_value(body.clone()).with_context(invalid)?;
            networks::store(state, &path, sent);
        }
        _ => bail!("{id} {NOT_KEPT}"),
    }
    show(state, &path, &tenant).with_context(|| format!("{id} did not stay"))
}

/// Deletes a resource, and what lies in it, without any check of rights. Says whether it was there.
pub(crate) fn delete(
    state: &mut State,
    id: &str,
    tenant: Option<&str>,
    now: Timestamp,
) -> anyhow::Result<bool> {
    let (path, tenant) = locate(state, id, tenant)?;
    let key = state.world.key(&path, &tenant);
    Ok(match path.kind() {
        Kind::NetworkManager => network_managers::remove(state, &key, now),
        Kind::ScopeConnection => scope_connections::remove(state, &key, now),
        Kind::NetworkGroup => network_groups::remove(state, &key).is_some(),
        Kind::StaticMember => state.world.members.remove(&key).is_some(),
        Kind::NetworkManagerConnection => manager_connections::remove(state, &key, now),
        Kind::VirtualNetwork => networks::remove(state, &key, now),
        _ => bail!("{id} {NOT_KEPT}"),
    })
}

/// A resource as a GET would show it, without any check of rights.
pub(crate) fn show(state: &State, path: &ArmPath, tenant: &str) -> Option<Value> {
    let world = &state.world;
    let key = world.key(path, tenant);
    let shown = match path.kind() {
        Kind::NetworkManager => serde_json::to_value(view::manager(world.managers.get(&key)?, In::Read)),
        Kind::ScopeConnection => {
            serde_json::to_value(view::scope_connection(world.scope_connections.get(&key)?))
        }
        Kind::NetworkGroup => serde_json::to_value(view::network_group(world.groups.get(&key)?, In::Read)),
        Kind::StaticMember => serde_json::to_value(view::static_member(world.members.get(&key)?, In::Read)),
        Kind::NetworkManagerConnection => {
            serde_json::to_value(view::manager_connection(world.manager_connections.get(&key)?))
        }
        Kind::VirtualNetwork => serde_json::to_value(view::network(world.networks.get(&key)?)),
        _ => return None,
    };
    shown.ok()
}

/// The path of an id, and the tenant that it lies in; for a management group's name in several tenants that must
/// be told.
pub(crate) fn locate(state: &State, id: &str, tenant: Option<&str>) -> anyhow::Result<(ArmPath, String)> {
    let path = ArmPath::from_id(id).with_context(|| format!("{id} is not an id"))?;
    ensure!(!path.is_collection(), "{id} names a list");
    let group = path.resource_group.as_deref();
    ensure!(
        group.is_none_or(is_group_name),
        "{id} is in a resource group that Azure does not let be called so"
    );
    let owner = match &path.scope {
        Scope::Subscription(subscription) => {
            let owner = state.world.tenant_of_subscription(subscription);
            owner.with_context(|| format!("subscription {subscription} is not known"))?.to_owned()
        }
        Scope::ManagementGroup(name) => {
            let name = name.to_ascii_lowercase();
            let owners: Vec<&String> = state
                .world
                .management_groups
                .keys()
                .filter(|(owner, known)| {
                    *known == name && tenant.is_none_or(|t| t.eq_ignore_ascii_case(owner))
                })
                .map(|(owner, _)| owner)
                .collect();
            match owners.as_slice() {
                [one] => (*one).clone(),
                [] => bail!("management group {name} is not known"),
                _ => bail!("management group {name} exists in several tenants: say which"),
            }
        }
        Scope::Tenant => bail!("{id} lies in no subscription or management group"),
    };
    Ok((path, owner))
}
