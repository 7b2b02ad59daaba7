//! Network managers.

use reqwest::Method;
use serde_json::json;

use super::support::{
    APP, CENTRAL, CENTRAL_SUBSCRIPTION, MANAGER, TARGET, TARGET_SUBSCRIPTION, World, connection_of,
    field_order, scope_connection,
};

#[tokio::test]
async fn a_manager_lives_and_dies() {
    let world = World::instant().await;
    world.edit(json!({
        "op": "addRole", "clientId": APP, "tenant": CENTRAL, "scope": CENTRAL_SUBSCRIPTION, "role": "Contributor",
    }));
    let caller = world.caller(CENTRAL).await;
    let id = format!("{MANAGER}2");
    let no_place = caller.put(&id, json!({})).await;
    assert_eq!(no_place.error(), (400, "LocationRequired".into()));
    let body = json!({"location": "westeurope", "properties": {"networkManagerScopes": {}}});
    let put = caller.call(Method::PUT, &id, Some(&body)).await;
    let order = "name id location type tags etag properties description networkManagerScopes managementGroups \
                 subscriptions crossTenantScopes provisioningState networkManagerScopeAccesses resourceGuid \
                 systemData createdBy createdByType createdAt lastModifiedBy lastModifiedByType lastModifiedAt";
    assert_eq!(field_order(&put.text).join(" "), order);
    let scopes = json!({"managementGroups": [], "subscriptions": [], "crossTenantScopes": []});
    assert_eq!(put.ok()["properties"]["networkManagerScopes"], scopes);

    let collection = MANAGER.trim_end_matches("/myAVNM");
    let everywhere = format!("{CENTRAL_SUBSCRIPTION}/providers/Microsoft.Network/networkManagers");
    for list in [collection, &everywhere] {
        let page = caller.get(list).await.ok();
        assert_eq!(page["value"].as_array().unwrap().len(), 2, "{list}");
        assert_eq!(page["nextLink"], "");
    }
    assert_eq!(caller.delete(MANAGER).await.error(), (409, "CannotDeleteResource".into()));
    assert_eq!(caller.delete(&id).await.status, 200);
    assert_eq!(caller.delete(&id).await.status, 204);
}

#[tokio::test]
async fn a_manager_takes_its_halves_along() {
    let world = World::instant().await;
    let control = world.emulator.control();
    let (ours, theirs) = (scope_connection("ours"), connection_of(TARGET_SUBSCRIPTION, "theirs"));
    let body = json!({"properties": {"tenantId": TARGET, "resourceId": TARGET_SUBSCRIPTION}});
    control.put(&ours, None, &body).unwrap();
    control.put(&theirs, None, &json!({"properties": {"networkManagerId": MANAGER}})).unwrap();
    assert_eq!(world.state_of(&theirs), "Connected");
    world.edit(json!({
        "op": "addRole", "clientId": APP, "tenant": CENTRAL, "scope": MANAGER, "role": "Owner",
    }));
    let caller = world.caller(CENTRAL).await;
    assert_eq!(caller.delete(&format!("{MANAGER}?force=true")).await.status, 200);
    assert_eq!(control.get(&ours, None).unwrap(), None);
    assert_eq!(world.state_of(&theirs), "Revoked");
}

async fn owner(world: &World) -> super::support::Caller<'_> {
    world.edit(json!({"op": "addRole", "clientId": APP, "tenant": CENTRAL, "scope": CENTRAL_SUBSCRIPTION,
        "role": "Owner"}));
    world.caller(CENTRAL).await
}

#[tokio::test]
async fn a_patch_changes_tags_only() {
    let world = World::instant().await;
    let caller = owner(&world).await;
    let before = caller.get(MANAGER).await.ok();
    let patch = json!({"tags": {"env": "prod"}, "properties": {"description": "not this way"}});
    let patched = caller.call(Method::PATCH, MANAGER, Some(&patch)).await.ok();
    assert_eq!(patched["tags"], json!({"env": "prod"}));
    assert_eq!(patched["properties"], before["properties"]);
    let missing = caller.call(Method::PATCH, &format!("{MANAGER}2"), Some(&patch)).await;
    assert_eq!(missing.error(), (404, "ResourceNotFound".into()));
}

#[tokio::test]
async fn one_more_access_and_it_is_updating_for_a_while() {
    let world = World::instant().await;
    world.set(&json!({"operationDelayMs": {"min": 300, "max": 300}}));
    let caller = owner(&world).await;
    let body = |accesses: &[&str]| json!({"location": "eastus2", "properties": {"networkManagerScopes": {}, "networkManagerScopeAccesses": accesses}});
    let id = format!("{MANAGER}2");
    let state = |answer: serde_json::Value| answer["properties"]["provisioningState"].clone();
    let put = caller.call(Method::PUT, &id, Some(&body(&["Connectivity"]))).await;
    assert_eq!(state(put.ok()), "Succeeded");
    let put = caller.call(Method::PUT, &id, Some(&body(&["Connectivity", "SecurityAdmin"]))).await;
    assert_eq!((put.header("location"), put.header("retry-after")), (None, None));
    assert_eq!(state(put.ok()), "Updating");
    assert_eq!(state(caller.get(&id).await.ok()), "Updating");
    tokio::time::sleep(std::time::Duration::from_millis(350)).await;
    assert_eq!(state(caller.get(&id).await.ok()), "Succeeded");
    let put = caller.call(Method::PUT, &id, Some(&body(&["Connectivity"]))).await;
    assert_eq!(state(put.ok()), "Succeeded", "one less is done at once");
}

#[tokio::test]
async fn a_delete_may_be_accepted_and_ends_in_a_404() {
    let world = World::instant().await;
    world.set(&json!({"managerDelete": "accepted", "operationDelayMs": {"min": 400, "max": 400}}));
    let caller = owner(&world).await;
    let accepted = caller.delete(&format!("{MANAGER}?force=true")).await;
    assert_eq!((accepted.status, accepted.header("retry-after")), (202, None));
    let location = accepted.header("location").unwrap().to_owned();
    for part in ["/operationResults/", "api-version=", "&t=", "&c=", "&s=", "&h="] {
        assert!(location.contains(part), "{part}");
    }
    assert!(location.len() > 3_000, "as long as Azure's");
    let again = json!({"location": "eastus2", "properties": {"networkManagerScopes": {}}});
    let busy = caller.call(Method::PUT, MANAGER, Some(&again)).await;
    assert_eq!(busy.error(), (409, "AnotherOperationInProgress".into()));
    assert_eq!(caller.get(&location).await.status, 202);
    tokio::time::sleep(std::time::Duration::from_millis(450)).await;
    assert_eq!(caller.get(&location).await.error(), (404, "ResourceNotFound".into()));
    caller.call(Method::PUT, MANAGER, Some(&again)).await.ok();
}

#[tokio::test]
async fn an_access_may_need_a_feature_that_the_subscription_lacks() {
    let world = avnm_emulator::world::file::DEFAULT_WORLD.replacen(
        "tenant: 24680975-1234-abcd-56ef-121314ab5643}\n  - {id: 87654321",
        "tenant: 24680975-1234-abcd-56ef-121314ab5643, missingFeatures: [AllowAVNMPreviewJuly2022]}\n  - {id: 87654321",
        1,
    );
    assert!(world.contains("missingFeatures"));
    let options = avnm_emulator::Options { world: Some(world), ..avnm_emulator::Options::instant() };
    let world = World::start(options).await;
    let caller = owner(&world).await;
    let body = |access: &str| json!({"location": "eastus2", "properties": {"networkManagerScopes": {}, "networkManagerScopeAccesses": [access]}});
    let refused = caller.call(Method::PUT, &format!("{MANAGER}2"), Some(&body("SecurityUser"))).await;
    assert_eq!(refused.error(), (400, "BadRequest".into()));
    assert!(
        refused.text.contains("is not registered for feature: AllowAVNMPreviewJuly2022"),
        "{}",
        refused.text
    );
    caller.call(Method::PUT, &format!("{MANAGER}2"), Some(&body("Connectivity"))).await.ok();
}

#[tokio::test]
async fn a_management_group_in_a_managers_scope_must_be_registered() {
    let world = World::instant().await;
    let caller = owner(&world).await;
    let group = "/providers/Microsoft.Management/managementGroups/mg-shared";
    let body =
        json!({"location": "eastus2", "properties": {"networkManagerScopes": {"managementGroups": [group]}}});
    world.emulator.control().register(group, Some(CENTRAL), false).unwrap();
    let refused = caller.call(Method::PUT, &format!("{MANAGER}2"), Some(&body)).await;
    assert_eq!(refused.error(), (400, "BadRequest".into()));
    assert!(refused.text.contains("is not within tenant"), "{}", refused.text);
    world.emulator.control().register(group, Some(CENTRAL), true).unwrap();
    caller.call(Method::PUT, &format!("{MANAGER}2"), Some(&body)).await.ok();
}

#[tokio::test]
async fn children_that_the_emulator_does_not_keep_are_never_there() {
    let world = World::instant().await;
    let caller = owner(&world).await;
    let pool = caller.get(&format!("{MANAGER}/ipamPools/p")).await;
    assert_eq!(
        (pool.status, &pool.json()["code"], &pool.json()["target"]),
        (404, &json!("NotFound"), &json!(null))
    );
    let rule = format!("{MANAGER}/securityAdminConfigurations/c");
    assert_eq!(caller.get(&rule).await.error(), (404, "NotFound".into()));
    assert_eq!(caller.delete(&rule).await.status, 204);
    assert_eq!(caller.get(&format!("{MANAGER}/routingConfigurations")).await.ok()["value"], json!([]));
    assert_eq!(caller.put(&rule, json!({})).await.status, 405);
}
