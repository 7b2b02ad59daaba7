//! A manager deleted too soon after one of its connections (azure-rest-api-specs#23188).

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::support::{
    APP, CENTRAL, CENTRAL_SUBSCRIPTION, Caller, MANAGER, TARGET, TARGET_SUBSCRIPTION, World, connection_of,
    scope_connection,
};

async fn owner(world: &World) -> Caller<'_> {
    world.edit(json!({"op": "addRole", "clientId": APP, "tenant": CENTRAL, "scope": CENTRAL_SUBSCRIPTION,
        "role": "Owner"}));
    world.caller(CENTRAL).await
}

fn manager() -> Value {
    json!({"location": "eastus2", "properties": {"networkManagerScopes": {"subscriptions": [CENTRAL_SUBSCRIPTION]}}})
}

/// A connection is made and deleted, and so many milliseconds later its manager.
async fn delete_both(world: &World, caller: &Caller<'_>, apart: u64) {
    let id = scope_connection("x");
    caller.put(&id, json!({"tenantId": TARGET, "resourceId": TARGET_SUBSCRIPTION})).await.ok();
    assert_eq!(caller.delete(&id).await.status, 200);
    tokio::time::sleep(Duration::from_millis(apart)).await;
    assert_eq!(caller.delete(&format!("{MANAGER}?force=true")).await.status, 200);
    assert!(world.emulator.control().get(MANAGER, None).unwrap().is_none());
}

#[tokio::test]
async fn too_soon_and_no_new_manager_can_have_the_scope() {
    let world = World::instant().await;
    let caller = owner(&world).await;
    delete_both(&world, &caller, 0).await;
    let refused = caller.call(Method::PUT, &format!("{MANAGER}2"), Some(&manager())).await;
    assert_eq!(refused.error(), (400, "BadRequest".into()));
    let free = json!({"location": "eastus2", "properties": {"networkManagerScopes": {"subscriptions": []}}});
    caller.call(Method::PUT, &format!("{MANAGER}2"), Some(&free)).await.ok();
    let stuck = world.emulator.control().state()["stuckScopes"].to_string();
    assert!(stuck.contains(&CENTRAL_SUBSCRIPTION.to_lowercase()), "{stuck}");
}

#[tokio::test]
async fn late_enough_and_nothing_is_stuck() {
    let world = World::instant().await;
    world.set(&json!({"stuckWindowMs": 100}));
    let caller = owner(&world).await;
    delete_both(&world, &caller, 150).await;
    caller.call(Method::PUT, &format!("{MANAGER}2"), Some(&manager())).await.ok();
}

fn with(scopes: &[&str]) -> Value {
    json!({"location": "eastus2", "properties": {"networkManagerScopes": {"subscriptions": scopes}}})
}

#[tokio::test]
async fn a_manager_that_was_there_before_is_given_it_no_more_than_a_new_one() {
    let world = World::instant().await;
    let caller = owner(&world).await;
    let (bare, holder) = (format!("{MANAGER}2"), format!("{MANAGER}3"));
    caller.call(Method::PUT, &bare, Some(&with(&[]))).await.ok();
    caller.call(Method::PUT, &holder, Some(&manager())).await.ok();
    delete_both(&world, &caller, 0).await;
    let refused = caller.call(Method::PUT, &bare, Some(&manager())).await;
    assert_eq!(refused.error(), (400, "BadRequest".into()));
    let still = caller.get(&bare).await.ok();
    assert_eq!(still["properties"]["networkManagerScopes"]["subscriptions"], json!([]));
    // Who holds it keeps it, until it lets go.
    caller.call(Method::PUT, &holder, Some(&manager())).await.ok();
    caller.call(Method::PUT, &holder, Some(&with(&[]))).await.ok();
    assert_eq!(caller.call(Method::PUT, &holder, Some(&manager())).await.error().0, 400);
}

/// The report names both kinds of connection, and it is the target's half that lies in another tenant.
#[tokio::test]
async fn a_connection_of_the_targets_side_does_the_same() {
    let world = World::instant().await;
    let (caller, target) = (owner(&world).await, world.caller(TARGET).await);
    let theirs = connection_of(TARGET_SUBSCRIPTION, "theirs");
    target.put(&theirs, json!({"networkManagerId": MANAGER})).await.ok();
    assert_eq!(target.delete(&theirs).await.status, 200);
    assert_eq!(caller.delete(&format!("{MANAGER}?force=true")).await.status, 200);
    let refused = caller.call(Method::PUT, &format!("{MANAGER}2"), Some(&manager())).await;
    assert_eq!(refused.error(), (400, "BadRequest".into()));
    // The target's own administrator finds the subscription as stuck as the manager's.
    world.edit(json!({"op": "addRole", "clientId": APP, "tenant": TARGET, "scope": TARGET_SUBSCRIPTION,
        "role": "Owner"}));
    let id =
        format!("{TARGET_SUBSCRIPTION}/resourceGroups/temp/providers/Microsoft.Network/networkManagers/own");
    let refused = target.call(Method::PUT, &id, Some(&with(&[TARGET_SUBSCRIPTION]))).await;
    assert_eq!(refused.error(), (400, "BadRequest".into()));
}
