//! Management locks, and where the provider is not registered.

use serde_json::json;

use super::support::{
    CENTRAL, CENTRAL_SUBSCRIPTION, MANAGER, SHARED_GROUP, TARGET, TARGET_SUBSCRIPTION, World, connection_of,
    scope_connection,
};

#[tokio::test]
async fn a_lock_keeps_from_deleting_and_a_stricter_one_from_writing() {
    let world = World::instant().await;
    let caller = world.caller(CENTRAL).await;
    let id = scope_connection("locked");
    let body = json!({"tenantId": TARGET, "resourceId": TARGET_SUBSCRIPTION});
    caller.put(&id, body.clone()).await.ok();
    let control = world.emulator.control();
    control
        .lock(serde_json::from_value(json!({"scope": MANAGER, "level": "CanNotDelete"})).unwrap())
        .unwrap();
    caller.put(&id, body.clone()).await.ok();
    let answer = caller.delete(&id).await;
    assert_eq!(answer.error(), (409, "ScopeLocked".into()));
    let text = answer.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(text.contains(&id) && text.contains(MANAGER), "{text}");
    // A stricter lock takes the place of the one at the same scope.
    control.lock(serde_json::from_value(json!({"scope": MANAGER, "level": "ReadOnly"})).unwrap()).unwrap();
    assert_eq!(caller.put(&id, body.clone()).await.error(), (409, "ScopeLocked".into()));
    caller.get(&id).await.ok();
    assert_eq!(control.unlock(Some(MANAGER)), 1);
    assert_eq!(caller.delete(&id).await.status, 200);
}

#[tokio::test]
async fn a_lock_below_keeps_what_is_above() {
    let world = World::instant().await;
    world.edit(json!({"op": "addRole", "clientId": super::support::APP, "tenant": CENTRAL,
        "scope": CENTRAL_SUBSCRIPTION, "role": "Network Contributor"}));
    let caller = world.caller(CENTRAL).await;
    let group = super::support::group("subnetGroup");
    let lock = json!({"scope": group, "level": "CanNotDelete"});
    world.emulator.control().lock(serde_json::from_value(lock).unwrap()).unwrap();
    assert_eq!(caller.delete(&format!("{MANAGER}?force=true")).await.error(), (409, "ScopeLocked".into()));
}

#[tokio::test]
async fn where_the_provider_is_not_registered_nothing_is_written() {
    let world = World::instant().await;
    let caller = world.caller(TARGET).await;
    let control = world.emulator.control();
    let body = json!({"networkManagerId": MANAGER});
    let id = connection_of(TARGET_SUBSCRIPTION, "a");
    control.register(TARGET_SUBSCRIPTION, None, false).unwrap();
    let refused = caller.put(&id, body.clone()).await;
    assert_eq!(refused.error(), (409, "MissingSubscriptionRegistration".into()));
    assert_eq!(caller.get(&id).await.status, 404);
    control.register(TARGET_SUBSCRIPTION, None, true).unwrap();
    caller.put(&id, body.clone()).await.ok();

    let id = connection_of(SHARED_GROUP, "a");
    control.register(SHARED_GROUP, Some(TARGET), false).unwrap();
    let refused = caller.put(&id, body.clone()).await;
    assert_eq!(refused.error(), (400, "BadRequest".into()));
    let text = refused.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(
        text.contains(SHARED_GROUP) && text.contains("is not within tenant") && text.contains(TARGET),
        "{text}"
    );
    control.register(SHARED_GROUP, Some(TARGET), true).unwrap();
    caller.put(&id, body).await.ok();
    assert!(control.register(MANAGER, None, false).is_err(), "only what can be registered can be");
}

#[tokio::test]
async fn a_provider_is_registered_over_the_wire_and_that_takes_a_while() {
    let world = World::instant().await;
    world.set(&json!({"operationDelayMs": {"min": 300, "max": 300}}));
    world.edit(json!({"op": "addRole", "clientId": super::support::APP, "tenant": TARGET,
        "scope": TARGET_SUBSCRIPTION, "role": "Contributor"}));
    let caller = world.caller(TARGET).await;
    world.emulator.control().register(TARGET_SUBSCRIPTION, None, false).unwrap();
    let provider = format!("{TARGET_SUBSCRIPTION}/providers/Microsoft.Network");
    let at = "api-version=2016-02-01";
    let state = async || caller.get(&format!("{provider}?{at}")).await.ok()["registrationState"].clone();
    assert_eq!(state().await, "NotRegistered");
    let answer = caller.call(reqwest::Method::POST, &format!("{provider}/register?{at}"), None).await.ok();
    assert_eq!(answer["registrationState"], "Registering");
    tokio::time::sleep(std::time::Duration::from_millis(350)).await;
    assert_eq!(state().await, "Registered");
    caller.put(&connection_of(TARGET_SUBSCRIPTION, "a"), json!({"networkManagerId": MANAGER})).await.ok();
    // Who may only keep connections may not register.
    let poor = World::instant().await;
    let refused = poor
        .caller(TARGET)
        .await
        .call(reqwest::Method::POST, &format!("{provider}/register?{at}"), None)
        .await;
    assert_eq!(refused.error(), (403, "AuthorizationFailed".into()));
}
