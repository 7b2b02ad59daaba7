//! Resource Graph: networks found by tag, in the caller's own tenant.

use reqwest::Method;
use serde_json::{Value, json};

use super::support::{Answer, CENTRAL, CENTRAL_SUBSCRIPTION, Caller, TARGET, TARGET_NETWORK, World};

const BY_TAG: &str = "Resources | where type =~ 'microsoft.network/virtualnetworks' and tags['env'] =~ 'PROD' \
                      | project id, name, location, subscriptionId, tags | order by id asc";

async fn ask(caller: &Caller<'_>, body: Value) -> Answer {
    let id = "/providers/Microsoft.ResourceGraph/resources?api-version=2024-04-01";
    caller.call(Method::POST, id, Some(&body)).await
}

#[tokio::test]
async fn a_network_is_found_by_its_tag_and_in_its_own_tenant_only() {
    let world = World::instant().await;
    let answer = ask(&world.caller(TARGET).await, json!({"query": BY_TAG})).await;
    assert_eq!(answer.header("x-ms-user-quota-remaining"), Some("14"));
    let found = answer.ok();
    assert_eq!(found["count"], 1);
    assert_eq!(found["resultTruncated"], "false");
    assert_eq!(found["data"][0]["id"], TARGET_NETWORK);
    assert_eq!(found["data"][0]["tags"], json!({"env": "prod"}));
    assert!(found.get("$skipToken").is_none());
    let central = ask(&world.caller(CENTRAL).await, json!({"query": BY_TAG})).await.ok();
    assert_eq!(central["totalRecords"], 0);
}

/// The same query, each time with the other tenant's token: neither sees what is the other's.
#[tokio::test]
async fn each_tenant_finds_its_own() {
    let world = World::instant().await;
    let own = format!(
        "{CENTRAL_SUBSCRIPTION}/resourceGroups/myAVNMResourceGroup/providers/Microsoft.Network/virtualNetworks/centralVnet01"
    );
    let tagged = json!({"location": "eastus2", "tags": {"env": "prod"}, "properties": {}});
    world.emulator.control().put(&own, None, &tagged).unwrap();
    for (tenant, network) in [(CENTRAL, own.as_str()), (TARGET, TARGET_NETWORK)] {
        let found = ask(&world.caller(tenant).await, json!({"query": BY_TAG})).await.ok();
        assert_eq!(found["totalRecords"], 1, "{tenant}");
        assert_eq!(found["data"][0]["id"], network, "{tenant}");
        let tenants =
            ask(&world.caller(tenant).await, json!({"query": "Resources | project id, tenantId"})).await;
        let tenants = tenants.ok()["data"].as_array().unwrap().clone();
        assert!(!tenants.is_empty() && tenants.iter().all(|row| row["tenantId"] == tenant), "{tenants:?}");
    }
}

#[tokio::test]
async fn the_scope_can_be_narrowed_and_only_what_may_be_read_is_found() {
    let world = World::instant().await;
    let caller = world.caller(TARGET).await;
    let all = "Resources | project id";
    let count = async |body: Value| ask(&caller, body).await.ok()["totalRecords"].clone();
    assert_eq!(count(json!({"query": all})).await, 2);
    let subscription = "11223344-abcd-1234-1def-0987654321ab";
    assert_eq!(count(json!({"query": all, "subscriptions": [subscription]})).await, 1);
    assert_eq!(count(json!({"query": all, "managementGroups": ["MG-shared"]})).await, 1);
    world.edit(json!({"op": "removeRole", "clientId": super::support::APP, "tenant": TARGET,
        "actions": ["Microsoft.Network/virtualNetworks/read"]}));
    assert_eq!(count(json!({"query": all})).await, 0);
}

#[tokio::test]
async fn pages_have_a_token_only_where_the_id_is_shown() {
    let world = World::instant().await;
    let caller = world.caller(TARGET).await;
    let options = json!({"$top": 1});
    let first = ask(&caller, json!({"query": "Resources | project id", "options": options})).await.ok();
    let token = first["$skipToken"].as_str().unwrap();
    let options = json!({"$top": 1, "$skipToken": token});
    let second = ask(&caller, json!({"query": "Resources | project id", "options": options})).await.ok();
    assert_ne!(first["data"][0]["id"], second["data"][0]["id"]);
    assert!(second.get("$skipToken").is_none());
    let nameless =
        ask(&caller, json!({"query": "Resources | project name", "options": {"$top": 1}})).await.ok();
    assert_eq!(nameless["resultTruncated"], "true");
    assert!(nameless.get("$skipToken").is_none());
    let table = json!({"query": "Resources | project id, name", "options": {"resultFormat": "table"}});
    let table = ask(&caller, table).await.ok();
    assert_eq!(table["data"]["columns"][1]["name"], "name");
    assert_eq!(table["data"]["rows"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_bad_query_and_an_empty_bucket_are_refused() {
    let world = World::instant().await;
    let caller = world.caller(TARGET).await;
    let bad = ask(&caller, json!({"query": "Resources | summarize count()"})).await;
    assert_eq!(bad.error(), (400, "BadRequest".into()));
    let details = bad.json()["error"]["details"].to_string();
    assert!(details.contains("InvalidQuery") && details.contains("summarize"), "{details}");
    world.set(&json!({"graphQuota": {"size": 1.0, "refillPerSecond": 0.2}}));
    assert_eq!(ask(&caller, json!({"query": "Resources"})).await.status, 200);
    let refused = ask(&caller, json!({"query": "Resources"})).await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.header("retry-after"), Some("5"));
    assert_eq!(refused.header("x-ms-user-quota-resets-after"), Some("00:00:05"));
}
