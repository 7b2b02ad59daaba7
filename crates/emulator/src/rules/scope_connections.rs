//! `networkManagers/scopeConnections`: the manager's half.

use jiff::Timestamp;
use serde::Deserialize;

use super::call::{Call, verb};
use super::paging::{self, Order};
use super::refusals::{not_found, parent_not_found};
use super::{pairing, stuck};
use crate::answer::{Answer, Answered};
use crate::evidence::Evidence;
use crate::path::{ArmPath, scope_key};
use crate::settings::IdentityChange;
use crate::state::State;
use crate::world::resources::{Author, ConnectionState, Half, ScopeConnection, SystemData};
use crate::world::view;

/// What this is built on.
pub const EVIDENCE: &[Evidence] = &[
    Evidence::recording(
        "PUT is always 200 and answers Pending, or the current state on update",
        "cli-scope-connection@2024-06-05",
    ),
    Evidence::recording("a second PUT resets createdAt", "cli-scope-connection@2024-06-05"),
    Evidence::recording(
        "DELETE is 200 and empty; the 404's code and text",
        "cli-scope-connection@2024-06-05",
    ),
    Evidence::assumed(
        "DELETE of what is not there is 204",
        "a DELETE of a scope connection that does not exist (recorded of a sibling type only: \
         cli-delete-missing-child-204@2022-03-09)",
    ),
    Evidence::assumed(
        "a description is kept as it was sent (setting: tidied, or that of a half that is there already)",
        "a PUT of a description with space around it and line ends of both kinds",
    ),
    Evidence::assumed(
        "tenant and scope are not validated; changing them starts at Pending (setting)",
        "a PUT that names a wrong tenant, and one that changes the tenant of a Connected one",
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
    tenant_id: Option<String>,
    resource_id: Option<String>,
    description: Option<String>,
}

/// GET of one.
pub fn get(state: &State, call: &Call<'_>) -> Answered {
    parent(state, call)?;
    let it = state.world.scope_connections.get(&call.path.key()).ok_or_else(|| not_found(&call.path))?;
    Ok(Answer::json(200, &view::scope_connection(it)))
}

/// GET of the list.
pub fn list(state: &State, call: &Call<'_>) -> Answered {
    parent(state, call)?;
    let prefix = format!("{}/", call.path.key());
    let map = &state.world.scope_connections;
    paging::page(state, call, map, &prefix, Order::ValueFirst, paging::direct_child, view::scope_connection)
}

/// PUT.
pub fn put(state: &mut State, call: &Call<'_>) -> Answered {
    let sent = call.parse()?;
    parent(state, call)?;
    let it = store(state, &call.path, sent, &call.author(), call.now);
    Ok(Answer::json(200, &view::scope_connection(&it)))
}

/// DELETE.
pub fn delete(state: &mut State, call: &Call<'_>) -> Answered {
    parent(state, call)?;
    Ok(Answer::empty(if remove(state, &call.path.key(), call.now) { 200 } else { 204 }))
}

fn parent(state: &State, call: &Call<'_>) -> Answered<()> {
    let known = state.world.managers.contains_key(&call.path.parent().key());
    if known { Ok(()) } else { Err(parent_not_found(&call.path, verb(call.method))) }
}

/// Makes or replaces one.
pub fn store(state: &mut State, path: &ArmPath, sent: Sent, by: &Author, now: Timestamp) -> ScopeConnection {
    let sent = sent.properties.unwrap_or_default();
    let tenant_id = sent.tenant_id.unwrap_or_default().to_ascii_lowercase();
    let resource_id = sent.resource_id.unwrap_or_default();
    let description = sent.description.unwrap_or_default();
    let key = path.key();
    let old = state.world.scope_connections.get(&key).cloned();
    let there = old.as_ref().map(|old| old.half.description.as_str());
    let description = state.settings.descriptions.keep(&description, there);
    let new = match old.clone() {
        Some(mut it) => {
            it.half.description = description;
            // Recorded for this type only: createdAt moves with each PUT.
            it.half.system_data = SystemData::new(by, now);
            it.half.put_at = now;
            it.half.put_serial = state.world.next_serial();
            let same = it.tenant_id == tenant_id && scope_key(&it.resource_id) == scope_key(&resource_id);
            if same || state.settings.identity_change == IdentityChange::Reset {
                (it.tenant_id, it.resource_id) = (tenant_id, resource_id);
            }
            if !same && state.settings.identity_change == IdentityChange::Reset {
                it.half.start_over(state.world.next_serial(), now);
            }
            it
        }
        None => ScopeConnection {
            half: Half::new(path, description, state.world.next_serial(), by, now),
            manager: path.parent().key(),
            tenant_id,
            resource_id,
        },
    };
    state.world.scope_connections.insert(key, new.clone());
    if let Some(old) = old {
        pairing::touch(state, &old.tenant_id, &old.resource_id, now);
    }
    pairing::touch(state, &new.tenant_id, &new.resource_id, now);
    new
}

/// Removes one and says whether it was there.
pub fn remove(state: &mut State, key: &str, now: Timestamp) -> bool {
    let Some(old) = state.world.scope_connections.remove(key) else { return false };
    stuck::connection_gone(state, &old.manager, &old.tenant_id, &old.resource_id, now);
    pairing::touch(state, &old.tenant_id, &old.resource_id, now);
    true
}

impl Half {
    /// A half that was just made.
    pub fn new(path: &ArmPath, description: String, serial: u64, by: &Author, now: Timestamp) -> Self {
        Self {
            id: path.id(),
            name: path.name().to_owned(),
            description,
            serial,
            state: ConnectionState::Pending,
            was_connected: false,
            forced: false,
            state_since: now,
            put_at: now,
            put_serial: serial,
            system_data: SystemData::new(by, now),
        }
    }

    /// The half stands for something else from now on.
    pub fn start_over(&mut self, serial: u64, now: Timestamp) {
        self.serial = serial;
        self.state = ConnectionState::Pending;
        self.was_connected = false;
        self.forced = false;
        self.state_since = now;
    }
}
