//! `networkManagerConnections`: the target's half, on a subscription or management group.

use jiff::Timestamp;
use serde::Deserialize;

use super::call::Call;
use super::paging::{self, Order};
use super::refusals::not_found;
use super::{pairing, stuck};
use crate::answer::{Answer, Answered};
use crate::evidence::Evidence;
use crate::path::{ArmPath, scope_key};
use crate::settings::IdentityChange;
use crate::state::State;
use crate::world::resources::{Author, Half, ManagerConnection};
use crate::world::view;

/// What this is built on.
pub const EVIDENCE: &[Evidence] = &[
    Evidence::recording(
        "PUT is always 200 and answers Pending, or the current state on update",
        "cli-connection-subscription@2024-06-05",
    ),
    Evidence::recording(
        "a description that was not sent comes back as \"\"; createdAt stays",
        "cli-connection-management-group@2023-08-29",
    ),
    Evidence::recording(
        "DELETE is 200 and empty; the 404's code and text",
        "cli-connection-subscription@2024-06-05",
    ),
    Evidence::assumed(
        "DELETE of what is not there is 204",
        "a DELETE of a network manager connection that does not exist (recorded of another type only: \
         cli-delete-missing-child-204@2022-03-09)",
    ),
    Evidence::assumed(
        "the manager need not exist; naming another one starts at Pending (setting)",
        "a PUT that names no manager that exists, and one that names another",
    ),
];

/// What a PUT may carry. Everything else is ignored, as the service does.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Sent {
    properties: Option<Properties>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Properties {
    network_manager_id: Option<String>,
    description: Option<String>,
}

/// GET of one.
pub fn get(state: &State, call: &Call<'_>) -> Answered {
    let key = state.world.key(&call.path, &call.caller.bearer.tid);
    let it = state.world.manager_connections.get(&key).ok_or_else(|| not_found(&call.path))?;
    Ok(Answer::json(200, &view::manager_connection(it)))
}

/// GET of the list.
pub fn list(state: &State, call: &Call<'_>) -> Answered {
    let prefix = format!("{}/", state.world.key(&call.path, &call.caller.bearer.tid));
    let map = &state.world.manager_connections;
    paging::page(state, call, map, &prefix, Order::ValueFirst, paging::direct_child, view::manager_connection)
}

/// PUT.
pub fn put(state: &mut State, call: &Call<'_>) -> Answered {
    let sent = call.parse()?;
    let it = store(state, &call.path, &call.caller.bearer.tid, sent, &call.author(), call.now);
    Ok(Answer::json(200, &view::manager_connection(&it)))
}

/// DELETE.
pub fn delete(state: &mut State, call: &Call<'_>) -> Answered {
    let key = state.world.key(&call.path, &call.caller.bearer.tid);
    Ok(Answer::empty(if remove(state, &key, call.now) { 200 } else { 204 }))
}

/// Makes or replaces one.
pub fn store(
    state: &mut State,
    path: &ArmPath,
    tenant: &str,
    sent: Sent,
    by: &Author,
    now: Timestamp,
) -> ManagerConnection {
    let sent = sent.properties.unwrap_or_default();
    let network_manager_id = sent.network_manager_id.unwrap_or_default();
    let description = sent.description.unwrap_or_default();
    let key = state.world.key(path, tenant);
    let old = state.world.manager_connections.get(&key).cloned();
    let there = old.as_ref().map(|old| old.half.description.as_str());
    let description = state.settings.descriptions.keep(&description, there);
    let new = match old {
        Some(mut it) => {
            it.half.description = description;
            it.half.system_data = it.half.system_data.touched(by, now);
            it.half.put_at = now;
            it.half.put_serial = state.world.next_serial();
            let same = scope_key(&it.network_manager_id) == scope_key(&network_manager_id);
            if same || state.settings.identity_change == IdentityChange::Reset {
                it.network_manager_id = network_manager_id;
            }
            if !same && state.settings.identity_change == IdentityChange::Reset {
                it.half.start_over(state.world.next_serial(), now);
            }
            it
        }
        None => ManagerConnection {
            half: Half::new(path, description, state.world.next_serial(), by, now),
            tenant: tenant.to_owned(),
            scope: scope_key(&path.scope_id()),
            network_manager_id,
        },
    };
    state.world.manager_connections.insert(key, new.clone());
    pairing::touch(state, tenant, &new.scope, now);
    new
}

/// Removes one and says whether it was there.
pub fn remove(state: &mut State, key: &str, now: Timestamp) -> bool {
    let Some(old) = state.world.manager_connections.remove(key) else { return false };
    stuck::connection_gone(state, &scope_key(&old.network_manager_id), &old.tenant, &old.scope, now);
    pairing::touch(state, &old.tenant, &old.scope, now);
    true
}
