//! When the two halves of a handshake meet.
//!
//! Each half looks at the other by itself, later and separately, and so does the manager for its list of
//! crossTenantScopes: the three change in any order. A look decides by the first of these that holds:
//!
//! 1. the target is in this manager's own networkManagerScopes: Connected;
//! 2. another manager holds exactly this scope, with an access in common: Conflict, until the half is made again;
//! 3. both halves are there and name each other: Connected (out of Revoked only as the setting says);
//! 4. this half was Connected before: Revoked;
//! 5. otherwise Pending.
//!
//! Of two halves that say the same thing only the older one counts.

use jiff::Timestamp;

use crate::evidence::{Evidence, documents};
use crate::path::scope_key;
use crate::settings::{Pairing, Reconnect};
use crate::state::State;
use crate::world::agenda::Event;
use crate::world::resources::{
    ConnectionState, CrossTenantScope, Half, Manager, ManagerConnection, ScopeConnection,
};
use crate::world::{World, under};

/// What this is built on.
pub const EVIDENCE: &[Evidence] = &[
    Evidence::recording(
        "a target in the manager's own scopes: Connected without the other half",
        "cli-scope-connection@2024-06-05",
    ),
    Evidence::recording(
        "lastModifiedAt does not move when the state does",
        "cli-connection-subscription@2023-08-29",
    ),
    Evidence::recording(
        "Conflict is an ordinary 200 with that word",
        "cli-connection-management-group@2022-08-23",
    ),
    Evidence::report(
        "a connection deleted and made again may be in Conflict still",
        "MicrosoftDocs/azure-docs#111856",
    ),
    Evidence::specification(
        "Connected needs both halves with the same scope; Revoked, Conflict and the way out",
        &documents::CROSS_TENANT,
    ),
    Evidence::assumed(
        "the order in which the halves and crossTenantScopes change, and how long it takes; no write is needed \
         (setting)",
        "both halves made in two tenants, and all three read each second",
    ),
    Evidence::specification(
        "only a manager that holds exactly this scope, with an access in common, is a rival: a parent and its child may \
         have different managers",
        &documents::MANAGER_SCOPE,
    ),
    Evidence::assumed(
        "a manager without any access is nobody's rival",
        "two managers without accesses and one scope",
    ),
    Evidence::assumed(
        "a target in the manager's own scopes is not in crossTenantScopes",
        "a GET of a manager after a connection to one of its own scopes",
    ),
    Evidence::assumed(
        "a manager that is deleted leaves the target's half Revoked",
        "a Connected half in the target's tenant, read after the manager was deleted",
    ),
    Evidence::assumed(
        "no half becomes Rejected by itself (it can be forced)",
        "any half in Rejected, and what was done before: no document says what leads there",
    ),
    Evidence::assumed(
        "a second connection to the same thing stays Pending; the older one counts",
        "two scope connections of one manager to one scope",
    ),
    Evidence::assumed(
        "Revoked becomes Connected again when both halves match (setting)",
        "one half of a Connected pair deleted and made again",
    ),
];

/// Every look that a change of this scope in this tenant may be of interest to is planned anew.
pub fn touch(state: &mut State, tenant: &str, scope: &str, now: Timestamp) {
    let scope = scope_key(scope);
    let mut events = Vec::new();
    let mut managers = Vec::new();
    for (key, it) in &state.world.scope_connections {
        if it.tenant_id == tenant && scope_key(&it.resource_id) == scope {
            events.push(Event::ScopeConnection(key.clone()));
            managers.push(it.manager.clone());
        }
    }
    for (key, it) in under(&state.world.manager_connections, &connections_prefix(tenant, &scope)) {
        events.push(Event::ManagerConnection(key.clone()));
        managers.push(scope_key(&it.network_manager_id));
    }
    for (key, manager) in &state.world.managers {
        if manager.cross_tenant_scopes.iter().any(|it| it.tenant == tenant && scope_key(&it.scope) == scope) {
            managers.push(key.clone());
        }
    }
    managers.sort();
    managers.dedup();
    for manager in managers {
        events.push(Event::CrossTenantScope { manager, tenant: tenant.to_owned(), scope: scope.clone() });
    }
    for event in events {
        let delay = state.settings.pairing_delay_ms.draw(&mut state.rng);
        state.world.agenda.add(now, delay, event, &mut state.rng);
    }
}

/// The same for all that a manager has to do with, before and after a change of it.
pub fn touch_manager(state: &mut State, key: &str, now: Timestamp) {
    let mut pairs: Vec<(String, String)> = Vec::new();
    if let Some(manager) = state.world.managers.get(key) {
        for scope in manager.subscriptions.iter().chain(&manager.management_groups) {
            pairs.push((manager.tenant.clone(), scope_key(scope)));
        }
    }
    for (_, it) in under(&state.world.scope_connections, &format!("{key}/")) {
        pairs.push((it.tenant_id.clone(), scope_key(&it.resource_id)));
    }
    for it in state.world.manager_connections.values() {
        if scope_key(&it.network_manager_id) == key {
            pairs.push((it.tenant.clone(), it.scope.clone()));
        }
    }
    pairs.sort();
    pairs.dedup();
    for (tenant, scope) in pairs {
        touch(state, &tenant, &scope, now);
    }
}

/// A scope connection looks at the world.
pub fn look_from_manager(state: &mut State, key: &str, now: Timestamp) {
    let Some(it) = state.world.scope_connections.get(key) else { return };
    let next = next_of_scope_connection(&state.world, it, how(state));
    if let Some(it) = state.world.scope_connections.get_mut(key) {
        settle(&mut it.half, next, now);
    }
}

/// A network manager connection looks at the world.
pub fn look_from_target(state: &mut State, key: &str, now: Timestamp) {
    let Some(it) = state.world.manager_connections.get(key) else { return };
    let next = next_of_manager_connection(&state.world, it, how(state));
    if let Some(it) = state.world.manager_connections.get_mut(key) {
        settle(&mut it.half, next, now);
    }
}

/// A manager looks whether a scope of another tenant is its own.
pub fn look_at_scopes(state: &mut State, manager: &str, tenant: &str, scope: &str) {
    let world = &state.world;
    let Some(this) = world.managers.get(manager) else { return };
    let pair = first_scope_connection(world, manager, tenant, scope)
        .zip(first_manager_connection(world, manager, tenant, scope));
    let how = how(state);
    let entry = pair.filter(|(ours, theirs)| {
        // One's own scope is not a cross-tenant one, even if both halves are there (assumed).
        !holds_itself(world, this, tenant, scope)
            && world.owns(tenant, scope)
            && next_of_scope_connection(world, ours, how) == ConnectionState::Connected
            && next_of_manager_connection(world, theirs, how) == ConnectionState::Connected
    });
    let entry = entry.map(|(ours, _)| CrossTenantScope {
        tenant: tenant.to_owned(),
        scope: format!("/{}", ours.resource_id.trim_matches('/')),
    });
    if let Some(manager) = state.world.managers.get_mut(manager) {
        let listed = &mut manager.cross_tenant_scopes;
        let at = listed.iter().position(|it| it.tenant == tenant && scope_key(&it.scope) == scope);
        match (at, entry) {
            (None, Some(entry)) => listed.push(entry),
            (Some(at), None) => {
                listed.remove(at);
            }
            _ => {}
        }
    }
}

/// The settings that a look depends on.
#[derive(Clone, Copy)]
struct How {
    reconnect: Reconnect,
    pairing: Pairing,
}

fn how(state: &State) -> How {
    How { reconnect: state.settings.reconnect, pairing: state.settings.pairing }
}

fn settle(half: &mut Half, next: ConnectionState, now: Timestamp) {
    if half.state != next {
        half.state = next;
        half.state_since = now;
    }
    half.was_connected |= next == ConnectionState::Connected;
}

fn next_of_scope_connection(world: &World, it: &ScopeConnection, how: How) -> ConnectionState {
    let (tenant, scope) = (it.tenant_id.as_str(), scope_key(&it.resource_id));
    let first = first_scope_connection(world, &it.manager, tenant, &scope);
    let first = first.is_some_and(|first| first.half.serial == it.half.serial);
    let other = first_manager_connection(world, &it.manager, tenant, &scope).map(|other| other.half.serial);
    next(world, &it.half, &it.manager, tenant, &scope, first, other, how)
}

fn next_of_manager_connection(world: &World, it: &ManagerConnection, how: How) -> ConnectionState {
    let manager = scope_key(&it.network_manager_id);
    let first = first_manager_connection(world, &manager, &it.tenant, &it.scope);
    let first = first.is_some_and(|first| first.half.serial == it.half.serial);
    let other = first_scope_connection(world, &manager, &it.tenant, &it.scope).map(|other| other.half.serial);
    next(world, &it.half, &manager, &it.tenant, &it.scope, first, other, how)
}

#[allow(clippy::too_many_arguments, reason = "one decision over all that it rests on")]
fn next(
    world: &World,
    half: &Half,
    manager: &str,
    tenant: &str,
    scope: &str,
    first: bool,
    other: Option<u64>,
    how: How,
) -> ConnectionState {
    if half.forced {
        return half.state;
    }
    let apart = if half.was_connected { ConnectionState::Revoked } else { ConnectionState::Pending };
    let Some(this) = world.managers.get(manager) else { return apart };
    let owned = world.owns(tenant, scope);
    if first && owned && holds_itself(world, this, tenant, scope) {
        return ConnectionState::Connected;
    }
    let held = || {
        world
            .managers
            .iter()
            .any(|(key, m)| key != manager && share(this, m) && holds(world, key, m, tenant, scope))
    };
    if half.state == ConnectionState::Conflict || (owned && held()) {
        return ConnectionState::Conflict;
    }
    let may = half.state != ConnectionState::Revoked
        || match how.reconnect {
            Reconnect::Always => true,
            Reconnect::OnPut => half.put_at > half.state_since,
            Reconnect::OnRecreate => false,
        };
    let met = other.is_some_and(|made| match how.pairing {
        Pairing::Eventually => true,
        Pairing::OnPut => half.state == ConnectionState::Connected || half.put_serial > made,
    });
    if first && met && owned && may { ConnectionState::Connected } else { apart }
}

/// Whether a manager lists this scope among its own.
fn holds_itself(world: &World, manager: &Manager, tenant: &str, scope: &str) -> bool {
    let mut own = manager.subscriptions.iter().chain(&manager.management_groups);
    manager.tenant == tenant && world.owns(tenant, scope) && own.any(|it| scope_key(it) == scope)
}

/// Whether a manager holds this scope directly: as its own, or by a pair that is Connected.
fn holds(world: &World, key: &str, manager: &Manager, tenant: &str, scope: &str) -> bool {
    let listed =
        || manager.cross_tenant_scopes.iter().any(|it| it.tenant == tenant && scope_key(&it.scope) == scope);
    let paired = || {
        let ours = first_scope_connection(world, key, tenant, scope);
        let theirs = first_manager_connection(world, key, tenant, scope);
        ours.zip(theirs).is_some_and(|(ours, theirs)| {
            [&ours.half, &theirs.half].iter().any(|half| half.state == ConnectionState::Connected)
        })
    };
    holds_itself(world, manager, tenant, scope) || listed() || paired()
}

fn share(one: &Manager, other: &Manager) -> bool {
    one.accesses.iter().any(|access| other.accesses.iter().any(|it| it.eq_ignore_ascii_case(access)))
}

fn first_scope_connection<'a>(
    world: &'a World,
    manager: &str,
    tenant: &str,
    scope: &str,
) -> Option<&'a ScopeConnection> {
    let prefix = format!("{manager}/scopeconnections/");
    let all = world.scope_connections.range(prefix.clone()..).take_while(|(key, _)| key.starts_with(&prefix));
    all.map(|(_, it)| it)
        .filter(|it| it.tenant_id == tenant && scope_key(&it.resource_id) == scope)
        .min_by_key(|it| it.half.serial)
}

fn first_manager_connection<'a>(
    world: &'a World,
    manager: &str,
    tenant: &str,
    scope: &str,
) -> Option<&'a ManagerConnection> {
    let prefix = connections_prefix(tenant, scope);
    let all =
        world.manager_connections.range(prefix.clone()..).take_while(|(key, _)| key.starts_with(&prefix));
    all.map(|(_, it)| it)
        .filter(|it| it.tenant == tenant && scope_key(&it.network_manager_id) == manager)
        .min_by_key(|it| it.half.serial)
}

/// What the keys of all network manager connections of a scope begin with.
fn connections_prefix(tenant: &str, scope: &str) -> String {
    let owner = if scope.starts_with("/subscriptions/") { String::new() } else { format!("{tenant}:") };
    format!("{owner}{scope}/providers/microsoft.network/networkmanagerconnections/")
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};
    use rand::SeedableRng;
    use rand::rngs::StdRng;
    use serde_json::json;
    use std::collections::BTreeSet;

    use super::*;
    use crate::rules::testing::{MANAGER, TARGET, TARGET_SUBSCRIPTION, state};
    use crate::rules::unchecked;
    use crate::settings::Span;

    /// A world in which both halves were just made, with delays of up to 50 ms.
    fn just_made(seed: u64) -> State {
        let mut state = state();
        state.rng = StdRng::seed_from_u64(seed);
        state.settings.pairing_delay_ms = Span { min: 0, max: 50 };
        let now = Timestamp::UNIX_EPOCH;
        let ours = json!({"properties": {"tenantId": TARGET, "resourceId": TARGET_SUBSCRIPTION}});
        unchecked::put(&mut state, &format!("{MANAGER}/scopeConnections/x"), None, &ours, now).unwrap();
        let theirs = format!("{TARGET_SUBSCRIPTION}/providers/Microsoft.Network/networkManagerConnections/y");
        let body = json!({"properties": {"networkManagerId": MANAGER}});
        unchecked::put(&mut state, &theirs, None, &body, now).unwrap();
        state
    }

    /// Which of the two halves and the list say Connected.
    fn seen(state: &State) -> [bool; 3] {
        let connected = |half: &Half| half.state == ConnectionState::Connected;
        [
            state.world.scope_connections.values().all(|it| connected(&it.half)),
            state.world.manager_connections.values().all(|it| connected(&it.half)),
            state.world.managers.values().all(|it| !it.cross_tenant_scopes.is_empty()),
        ]
    }

    /// What is seen at each millisecond.
    fn film(seed: u64) -> Vec<[bool; 3]> {
        let mut state = just_made(seed);
        (0..=50)
            .map(|ms| {
                crate::azure::settle(&mut state, Timestamp::UNIX_EPOCH + SignedDuration::from_millis(ms));
                seen(&state)
            })
            .collect()
    }

    #[test]
    fn the_halves_and_the_list_change_in_any_order_and_all_in_the_end() {
        let mut first = BTreeSet::new();
        for seed in 0..100 {
            let film = film(seed);
            first.extend(film.iter().copied().filter(|seen| seen.iter().filter(|it| **it).count() == 1));
            assert_eq!(film.last(), Some(&[true; 3]), "seed {seed}");
        }
        assert_eq!(first.len(), 3, "each of the three is the first at times: {first:?}");
    }

    #[test]
    fn a_seed_always_gives_the_same_order() {
        assert_eq!(film(5), film(5));
        assert!((0..20).any(|seed| film(seed) != film(5)));
    }
}
