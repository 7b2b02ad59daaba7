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
