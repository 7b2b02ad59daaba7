//! Network groups.

use serde_json::json;

use super::support::{APP, CENTRAL, Caller, MANAGER, TARGET_NETWORK, World, field_order, group, member};

async fn owner(world: &World) -> Caller<'_> {
    let role = "Network Contributor";
    world.edit(json!({"op": "addRole", "clientId": APP, "tenant": CENTRAL, "scope": MANAGER, "role": role}));
    world.caller(CENTRAL).await
}

#[tokio::test]
async fn a_group_has_a_type_of_member_for_life() {
    let world = World::instant().await;
    let caller = owner(&world).await;
    let put = caller.put(&group("new"), json!({"description": "d"})).await;
    let order = "name id type etag properties description provisioningState memberType resourceGuid systemData \
                 createdBy createdByType createdAt lastModifiedBy lastModifiedByType lastModifiedAt";
    assert_eq!(field_order(&put.text).join(" "), order);
    let put = put.ok();
    assert_eq!((&put["etag"], &put["properties"]["memberType"]), (&json!(""), &json!("VirtualNetwork")));
    let get = caller.get(&group("new")).await.ok();
    assert!(get["etag"].as_str().unwrap().starts_with('"'), "{get}");
    assert_eq!(get["properties"], put["properties"]);
    assert_eq!(caller.put(&group("new"), json!({"memberType": "Subnet"})).await.status, 400);
    assert_eq!(caller.delete(&group("new")).await.status, 200, "it never had a member");
    assert_eq!(caller.delete(&group("new")).await.status, 204);
    assert_eq!(caller.get(&group("new")).await.error(), (404, "NotFound".into()));
}

#[tokio::test]
async fn a_group_that_had_a_member_is_deleted_later() {
    let world = World::instant().await;
    let caller = owner(&world).await;
    let body = json!({"properties": {"resourceId": TARGET_NETWORK}});
    world.emulator.control().put(&member("m"), None, &body).unwrap();
    world.emulator.control().delete(&member("m"), None).unwrap();
    world.set(&json!({"operationDelayMs": {"min": 1_500, "max": 1_500}}));
    let accepted = caller.delete(&group("containsCrossTenantResources")).await;
    assert_eq!((accepted.status, accepted.text.as_str()), (202, ""));
    assert_eq!(accepted.header("retry-after"), None);
    let location = accepted.header("location").unwrap().to_owned();
    let running = caller.get(&location).await;
    assert_eq!(running.status, 202);
    assert_ne!(running.header("location"), Some(location.as_str()), "each poll gets another Location");
    // It is gone at once, and cannot be made again before the operation has ended.
    let id = group("containsCrossTenantResources");
    assert_eq!(caller.get(&id).await.error(), (404, "NotFound".into()));
    assert_eq!(caller.delete(&id).await.status, 204);
    let busy = caller.put(&id, json!({})).await;
    assert_eq!(busy.error(), (409, "AnotherOperationInProgress".into()));
    assert!(busy.text.contains(&id), "{}", busy.text);
    assert_eq!(caller.put(&group("other"), json!({})).await.status, 200, "another group is no part of it");
    tokio::time::sleep(std::time::Duration::from_millis(1_600)).await;
    assert_eq!(caller.get(&location).await.status, 204);
    assert_eq!(caller.get(&location).await.status, 204);
    caller.put(&id, json!({})).await.ok();
}

#[tokio::test]
async fn a_group_is_changed_only_as_the_one_that_was_read() {
    let world = World::instant().await;
    let caller = owner(&world).await;
    let id = group("new");
    caller.put(&id, json!({})).await.ok();
    let etag = caller.get(&id).await.ok()["etag"].as_str().unwrap().to_owned();
    let put = async |condition: &str| {
        let url = format!("{}{id}?api-version=2024-05-01", world.emulator.url());
        let bearer = format!("Bearer {}", caller.bearer);
        let headers = [("authorization", bearer.as_str()), ("if-match", condition)];
        let body = json!({"properties": {"description": "d"}});
        world.send(reqwest::Method::PUT, &url, &headers, Some(&body)).await
    };
    assert_eq!(put("\"other\"").await.error(), (412, "PreconditionFailed".into()));
    assert_eq!(put(&etag).await.status, 200);
    assert_eq!(put("*").await.status, 200);
}
