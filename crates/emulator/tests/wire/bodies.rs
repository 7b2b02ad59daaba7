//! What a PUT may carry: what is read-only is ignored, and what is no object is refused.

use reqwest::Method;
use serde_json::{Value, json};

use super::support::{
    APP, CENTRAL, CENTRAL_SUBSCRIPTION, Caller, MANAGER, SHARED_GROUP, TARGET, TARGET_NETWORK,
    TARGET_SUBSCRIPTION, World, connection_of, group, member, scope_connection,
};

/// One of each type: who may put it, its id, and what must be in its body.
fn each() -> Vec<(&'static str, String, Value)> {
    let connection = json!({"networkManagerId": MANAGER});
    vec![
        (CENTRAL, format!("{MANAGER}2"), json!({"networkManagerScopes": {"subscriptions": []}})),
        (CENTRAL, scope_connection("c"), json!({"tenantId": TARGET, "resourceId": TARGET_SUBSCRIPTION})),
        (CENTRAL, group("g"), json!({"memberType": "VirtualNetwork"})),
        (CENTRAL, member("m"), json!({"resourceId": TARGET_NETWORK})),
        (TARGET, connection_of(TARGET_SUBSCRIPTION, "c"), connection.clone()),
        (TARGET, connection_of(SHARED_GROUP, "c"), connection),
    ]
}

async fn everyone(world: &World) -> (Caller<'_>, Caller<'_>) {
    world.edit(json!({"op": "addRole", "clientId": APP, "tenant": CENTRAL, "scope": CENTRAL_SUBSCRIPTION,
        "role": "Owner"}));
    let (central, target) = (world.caller(CENTRAL).await, world.caller(TARGET).await);
    let token = target.bearer.clone();
    (central.with(&[&token]), target)
}

fn object(value: &mut Value) -> &mut serde_json::Map<String, Value> {
    value.as_object_mut().unwrap()
}

/// What may differ between two worlds, or between two moments of one, is left out.
fn comparable(mut shown: Value) -> Value {
    object(&mut shown["properties"]).remove("resourceGuid");
    let system = object(&mut shown["systemData"]);
    system.retain(|name, _| !name.ends_with("At"));
    object(&mut shown).remove("etag");
    shown
}

#[tokio::test]
async fn what_is_read_only_is_ignored() {
    for (tenant, id, properties) in each() {
        let mut shown = Vec::new();
        for forged in [false, true] {
            let world = World::instant().await;
            let (central, target) = everyone(&world).await;
            let caller = if tenant == CENTRAL { central } else { target };
            let mut body = json!({"location": "eastus2", "properties": properties});
            if forged {
                let system =
                    json!({"createdBy": "me", "createdByType": "User", "createdAt": "2001-01-01T00:00:00Z"});
                object(&mut body).extend([
                    ("id".to_owned(), json!("/subscriptions/x")),
                    ("name".to_owned(), json!("other")),
                    ("type".to_owned(), json!("Microsoft.Network/other")),
                    ("etag".to_owned(), json!("\"mine\"")),
                    ("systemData".to_owned(), system),
                ]);
                object(&mut body["properties"]).extend([
                    ("provisioningState".to_owned(), json!("Deleting")),
                    ("connectionState".to_owned(), json!("Connected")),
                    ("resourceGuid".to_owned(), json!("00000000-0000-0000-0000-000000000000")),
                    ("location".to_owned(), json!("mars")),
                    ("region".to_owned(), json!("mars")),
                ]);
                if let Some(scopes) = body["properties"].get_mut("networkManagerScopes") {
                    scopes["crossTenantScopes"] =
                        json!([{"tenantId": TARGET, "subscriptions": [TARGET_SUBSCRIPTION]}]);
                }
            }
            let put = caller.call(Method::PUT, &id, Some(&body)).await.ok();
            let get = caller.get(&id).await.ok();
            assert!(!put.to_string().contains("00000000-0000"), "{put}");
            assert_ne!(get["etag"], "\"mine\"");
            assert!(!get["systemData"]["createdAt"].as_str().unwrap().starts_with("2001"), "{get}");
            shown.push((comparable(put), comparable(get)));
        }
        assert_eq!(shown[0], shown[1], "{id}");
    }
}

#[tokio::test]
async fn what_is_no_object_is_refused() {
    let world = World::instant().await;
    let (central, target) = everyone(&world).await;
    for (tenant, id, properties) in each() {
        let caller = if tenant == CENTRAL { &central } else { &target };
        for bad in [
            json!([]),
            json!([{"location": "eastus2"}]),
            json!("text"),
            json!(null),
            json!({"location": "eastus2", "properties": []}),
            json!({"location": "eastus2", "properties": [TARGET, TARGET_SUBSCRIPTION]}),
        ] {
            let refused = caller.call(Method::PUT, &id, Some(&bad)).await;
            assert_eq!(refused.error(), (400, "InvalidRequestContent".into()), "{id}: {bad}");
        }
        assert_ne!(caller.get(&id).await.status, 200, "{id}");
        let good = json!({"location": "eastus2", "properties": properties});
        caller.call(Method::PUT, &id, Some(&good)).await.ok();
    }
    let scopes = json!({"location": "eastus2", "properties": {"networkManagerScopes": []}});
    let refused = central.call(Method::PUT, &format!("{MANAGER}3"), Some(&scopes)).await;
    assert_eq!(refused.error(), (400, "InvalidRequestContent".into()));
}
