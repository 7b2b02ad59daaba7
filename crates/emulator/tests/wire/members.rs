//! Static members: two tokens, and a life of their own after the PUT.

use avnm_emulator::{Options, Span};
use serde_json::{Value, json};

use super::support::{
    APP, CENTRAL, CENTRAL_SUBSCRIPTION, Caller, MANAGER, TARGET, TARGET_NETWORK, World, field_order, group,
    member,
};
use super::watch::until;

const WRITE: &str = "Microsoft.Network/virtualNetworks/write";

async fn both_tokens(world: &World) -> Caller<'_> {
    let auxiliary = world.token(TARGET).await;
    world.caller(CENTRAL).await.with(&[&auxiliary])
}

fn names(network: &str) -> Value {
    json!({"resourceId": network})
}

#[tokio::test]
async fn a_network_of_another_tenant_needs_that_tenants_token() {
    let world = World::instant().await;
    let alone = world.caller(CENTRAL).await;
    let answer = alone.put(&member("m"), names(TARGET_NETWORK)).await;
    assert_eq!(answer.error(), (403, "LinkedAuthorizationFailed".into()));
    let subscription = "87654321-abcd-1234-1def-0987654321ab";
    let message = format!(
        "The client has permission to perform action '{WRITE}' on scope '{}', however the current tenant '{CENTRAL}' \
         is not authorized to access linked subscription '{subscription}'.",
        member("m")
    );
    assert_eq!(answer.json()["error"]["message"], message);

    both_tokens(&world).await.put(&member("m"), names(TARGET_NETWORK)).await.ok();
    let call = json!(world.emulator.control().ledger(0).last().unwrap());
    assert_eq!(call["bearerTenant"], CENTRAL);
    assert_eq!(call["auxiliaryTenants"], json!([TARGET]));
    assert_eq!(call["principal"], APP);
    assert_eq!(call["requestBody"]["properties"]["resourceId"], TARGET_NETWORK);

    // Reading and deleting need the manager's side only.
    alone.get(&member("m")).await.ok();
    assert_eq!(alone.delete(&member("m")).await.status, 200);
    assert_eq!(alone.delete(&member("m")).await.status, 204);
}

#[tokio::test]
async fn a_token_without_the_right_is_the_other_refusal() {
    let world = World::instant().await;
    let caller = both_tokens(&world).await;
    world.edit(json!({"op": "removeRole", "clientId": APP, "tenant": TARGET, "actions": [WRITE]}));
    let answer = caller.put(&member("m"), names(TARGET_NETWORK)).await;
    assert_eq!(answer.error(), (403, "LinkedAuthorizationFailed".into()));
    assert!(answer.text.contains("does not have permission to perform action(s)"), "{}", answer.text);
    assert!(answer.text.contains(TARGET_NETWORK));

    // The same right is asked for in the manager's own tenant.
    let own = format!(
        "{CENTRAL_SUBSCRIPTION}/resourceGroups/myAVNMResourceGroup/providers/Microsoft.Network/virtualNetworks/centralVnet01"
    );
    caller.put(&member("own"), names(&own)).await.ok();
    world.edit(json!({"op": "removeRole", "clientId": APP, "tenant": CENTRAL, "actions": [WRITE]}));
    let answer = caller.put(&member("own"), names(&own)).await;
    assert_eq!(answer.error(), (403, "LinkedAuthorizationFailed".into()));
}

#[tokio::test]
async fn a_member_is_updating_and_then_succeeded() {
    let mut options = Options::instant();
    options.settings.member_delay_ms = Span::exactly(1_500);
    let world = World::start(options).await;
    let caller = both_tokens(&world).await;
    let odd = TARGET_NETWORK.replace("virtualNetworks", "virtualnetworks");
    let put = caller.put(&member("m"), names(&odd)).await;
    let order = "name id type etag properties resourceId provisioningState location systemData createdBy \
                 createdByType createdAt lastModifiedBy lastModifiedByType lastModifiedAt";
    assert_eq!(field_order(&put.text).join(" "), order);
    let put = put.ok();
    assert_eq!(put["etag"], "");
    assert_eq!(
        put["properties"],
        json!({"resourceId": odd, "provisioningState": "Updating", "location": ""})
    );

    let early = caller.get(&member("m")).await.ok();
    assert_eq!(early["properties"]["provisioningState"], "Updating");
    let shown = || world.emulator.control().get(&member("m"), None).unwrap().unwrap();
    until(|| shown()["properties"]["provisioningState"] != "Updating").await;
    let late = caller.get(&member("m")).await.ok();
    assert_eq!(late["properties"]["provisioningState"], "Succeeded");
    assert_eq!(late["properties"]["location"], "eastus2");
    assert_eq!(late["properties"]["resourceId"], odd, "echoed as sent");
    assert_ne!(early["etag"], late["etag"], "the service's own write moves the etag");
    assert_eq!(early["systemData"], late["systemData"], "and nothing else");
}

#[tokio::test]
async fn a_member_fails_without_its_network_or_by_a_fault() {
    let world = World::instant().await;
    let caller = both_tokens(&world).await;
    let missing = TARGET_NETWORK.replace("targetVnet01", "gone");
    caller.put(&member("a"), names(&missing)).await.ok();
    let fault = world.fault(json!({"match": {"method": "PUT", "pathContains": "/staticMembers/b"}, "action": {"failMember": true}}));
    caller.put(&member("b"), names(TARGET_NETWORK)).await.ok();
    for name in ["a", "b"] {
        let body = caller.get(&member(name)).await.ok();
        assert_eq!(body["properties"]["provisioningState"], "Failed", "{name}");
        assert_eq!(body["properties"]["location"], "", "{name}");
    }
    world.emulator.control().remove_faults(Some(fault));
    caller.put(&member("b"), names(TARGET_NETWORK)).await.ok();
    let healed = caller.get(&member("b")).await.ok();
    assert_eq!(healed["properties"]["provisioningState"], "Succeeded");
}

#[tokio::test]
async fn a_member_that_is_put_with_another_network_stands_for_it_or_stays() {
    let missing = TARGET_NETWORK.replace("targetVnet01", "gone");
    for (setting, wanted, state) in
        [("reset", missing.as_str(), "Failed"), ("ignore", TARGET_NETWORK, "Succeeded")]
    {
        let world = World::instant().await;
        world.set(&json!({"identityChange": setting}));
        let caller = both_tokens(&world).await;
        caller.put(&member("m"), names(TARGET_NETWORK)).await.ok();
        let put = caller.put(&member("m"), names(&missing)).await.ok();
        assert_eq!(put["properties"]["resourceId"], wanted, "{setting}");
        assert_eq!(put["properties"]["provisioningState"], "Updating", "{setting}");
        let read = caller.get(&member("m")).await.ok();
        assert_eq!(read["properties"]["resourceId"], wanted, "{setting}");
        assert_eq!(read["properties"]["provisioningState"], state, "{setting}");
        // Another casing is no other network, and is kept as it was sent.
        let shouted = wanted.replace("virtualNetworks", "VIRTUALNETWORKS");
        let put = caller.put(&member("m"), names(&shouted)).await.ok();
        assert_eq!(put["properties"]["resourceId"], shouted, "{setting}");
    }
}

#[tokio::test]
async fn a_group_takes_one_kind_of_member() {
    let world = World::instant().await;
    let caller = both_tokens(&world).await;
    let subnet = format!("{TARGET_NETWORK}/subnets/app");
    let in_subnets = |name: &str| format!("{}/staticMembers/{name}", group("subnetGroup"));
    caller.put(&in_subnets("s"), names(&subnet)).await.ok();
    let body = caller.get(&in_subnets("s")).await.ok();
    assert_eq!(body["properties"]["provisioningState"], "Succeeded");
    caller.put(&in_subnets("t"), names(&format!("{TARGET_NETWORK}/subnets/none"))).await.ok();
    let body = caller.get(&in_subnets("t")).await.ok();
    assert_eq!(body["properties"]["provisioningState"], "Failed");
    assert_eq!(caller.put(&in_subnets("v"), names(TARGET_NETWORK)).await.error(), (400, "BadRequest".into()));
    assert_eq!(caller.put(&member("s"), names(&subnet)).await.error(), (400, "BadRequest".into()));

    let right = "Microsoft.Network/virtualNetworks/subnets/write";
    world.edit(json!({"op": "removeRole", "clientId": APP, "tenant": TARGET, "actions": [right]}));
    let answer = caller.put(&in_subnets("s"), names(&subnet)).await;
    assert_eq!(answer.error(), (403, "LinkedAuthorizationFailed".into()));
    assert!(answer.text.contains(right), "{}", answer.text);
}

#[tokio::test]
async fn what_is_no_network_is_refused_by_the_front_door() {
    let world = World::instant().await;
    let caller = both_tokens(&world).await;
    for id in ["", "nonsense", MANAGER, "/subscriptions/87654321-abcd-1234-1def-0987654321ab"] {
        let answer = caller.put(&member("m"), names(id)).await;
        assert_eq!(answer.error(), (400, "LinkedInvalidPropertyId".into()), "{id}");
    }
    let url = format!("{}{}?api-version=2024-05-01", world.emulator.url(), member("m"));
    let bearer = format!("Bearer {}", caller.bearer);
    let headers = [("authorization", bearer.as_str())];
    let answer = world.http.put(url).header(headers[0].0, headers[0].1).body("{").send().await.unwrap();
    assert_eq!(answer.status(), 400);
}

#[tokio::test]
async fn a_missing_member_is_named_without_the_slash() {
    let world = World::instant().await;
    let answer = world.caller(CENTRAL).await.get(&member("m")).await;
    assert_eq!(answer.error(), (404, "NotFound".into()));
    let list = member("");
    let list = list.trim_end_matches('/');
    assert_eq!(
        answer.json()["error"]["message"],
        format!("Resource [{list}m] does not exist or has been deleted")
    );
}

#[tokio::test]
async fn the_network_and_its_subnets_can_be_read() {
    let world = World::instant().await;
    let target = world.caller(TARGET).await;
    let network = target.get(TARGET_NETWORK).await.ok();
    assert_eq!((&network["location"], &network["tags"]), (&json!("eastus2"), &json!({"env": "prod"})));
    assert_eq!(network["properties"]["subnets"][1]["name"], "app");
    let subnet = target.get(&format!("{TARGET_NETWORK}/subnets/APP")).await.ok();
    assert_eq!(subnet["id"], format!("{TARGET_NETWORK}/subnets/app"));
    let missing = target.get(&format!("{TARGET_NETWORK}/subnets/none")).await;
    assert_eq!(missing.error(), (404, "NotFound".into()));
    let missing = target.get(&TARGET_NETWORK.replace("targetVnet01", "none")).await;
    assert_eq!(missing.error(), (404, "ResourceNotFound".into()));
    let all = target
        .get(
            "/subscriptions/87654321-abcd-1234-1def-0987654321ab/providers/Microsoft.Network/virtualNetworks",
        )
        .await
        .ok();
    assert_eq!(all["value"].as_array().unwrap().len(), 1);
    assert!(all.get("nextLink").is_none());
}

#[tokio::test]
async fn what_becomes_of_a_member_whose_network_goes_is_a_setting() {
    for (setting, state) in [("keep", Some("Succeeded")), ("fail", Some("Failed")), ("remove", None)] {
        let world = World::instant().await;
        world.set(&json!({"networkGone": setting}));
        both_tokens(&world).await.put(&member("m"), names(TARGET_NETWORK)).await.ok();
        let control = world.emulator.control();
        assert_eq!(
            control.get(&member("m"), None).unwrap().unwrap()["properties"]["provisioningState"],
            "Succeeded"
        );
        control.delete(TARGET_NETWORK, None).unwrap();
        let after = control.get(&member("m"), None).unwrap();
        let after = after.map(|it| it["properties"]["provisioningState"].as_str().unwrap().to_owned());
        assert_eq!(after.as_deref(), state, "{setting}");
    }
}
