//! A manager that is deleted right after one of its connections leaves its scopes stuck: no manager can be given them.

use jiff::{SignedDuration, Timestamp};

use crate::answer::{Answer, Answered};
use crate::evidence::Evidence;
use crate::path::scope_key;
use crate::state::State;

/// What this is built on.
pub const EVIDENCE: &[Evidence] = &[
    Evidence::report(
        "a manager deleted within a second of one of its connections: its scope can be given to no manager any more",
        "Azure/azure-rest-api-specs#23188",
    ),
    Evidence::assumed(
        "the text and code of that refusal; the connection's scope is stuck too; a manager that holds one keeps it; it \
         lasts for ever",
        "the report repeated, with the answer to the PUT of the new manager",
    ),
];

/// A connection of this manager was deleted.
pub fn connection_gone(state: &mut State, manager: &str, tenant: &str, scope: &str, now: Timestamp) {
    let scope = scope_key(scope);
    state.world.connections_gone.insert((manager.to_owned(), tenant.to_owned(), scope), now);
}

/// A manager is about to be deleted.
pub fn manager_goes(state: &mut State, key: &str, now: Timestamp) {
    let window = i64::try_from(state.settings.stuck_window_ms).unwrap_or(i64::MAX);
    let recent = now.saturating_sub(SignedDuration::from_millis(window)).unwrap_or(Timestamp::MIN);
    let world = &mut state.world;
    let mut stuck: Vec<(String, String)> = world
        .connections_gone
        .iter()
        .filter(|((manager, ..), at)| manager == key && **at > recent)
        .map(|((_, tenant, scope), _)| (tenant.clone(), scope.clone()))
        .collect();
    world.connections_gone.retain(|(manager, ..), _| manager != key);
    if stuck.is_empty() {
        return;
    }
    if let Some(manager) = world.managers.get(key) {
        let own = manager.subscriptions.iter().chain(&manager.management_groups);
        stuck.extend(own.map(|scope| (manager.tenant.clone(), scope_key(scope))));
    }
    world.stuck_scopes.extend(stuck);
}

/// No manager can be given a scope that is stuck; one that holds it already keeps it.
pub fn check(state: &State, manager: &str, tenant: &str, scopes: &[&String]) -> Answered<()> {
    let world = &state.world;
    if world.stuck_scopes.is_empty() {
        return Ok(());
    }
    let held = world.managers.get(manager);
    let own = held.into_iter().flat_map(|it| it.subscriptions.iter().chain(&it.management_groups));
    let own: Vec<String> = own.map(|scope| scope_key(scope)).collect();
    let bad = scopes.iter().find(|scope| {
        let scope = scope_key(scope);
        !own.contains(&scope) && world.stuck_scopes.contains(&(tenant.to_owned(), scope))
    });
    let Some(bad) = bad else { return Ok(()) };
    let text =
        format!("The scope [{bad}] is already managed by another network manager that is being deleted.");
    Err(Answer::provider(400, "BadRequest", &text))
}
