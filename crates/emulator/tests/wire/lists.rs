//! Pages.

use serde_json::{Value, json};

use super::support::{CENTRAL, MANAGER, TARGET_NETWORK, World, group, member};

fn filled(world: &World, count: usize) {
    let body = json!({"properties": {"resourceId": TARGET_NETWORK}});
    for n in 0..count {
        world.emulator.control().put(&member(&format!("m{n:04}")), None, &body).unwrap();
    }
}

fn page_names(page: &Value) -> Vec<String> {
    page["value"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn pages_are_followed_to_the_empty_link() {
    let world = World::instant().await;
    filled(&world, 45);
    let caller = world.caller(CENTRAL).await;
    let mut next = format!("{}/staticMembers", group("containsCrossTenantResources"));
    let (mut all, mut pages) = (Vec::new(), 0);
    while !next.is_empty() {
        let page = caller.get(&next).await.ok();
        all.extend(page_names(&page));
        page["nextLink"].as_str().unwrap().clone_into(&mut next);
        assert!(next.is_empty() || next.starts_with(&format!("{}/", world.emulator.url())), "{next}");
        pages += 1;
    }
    assert_eq!(pages, 3);
    assert_eq!(all, (0..45).map(|n| format!("m{n:04}")).collect::<Vec<_>>());
}

/// A client that counts on 20 to a page would pass with the default and fail with a service that gives more.
#[tokio::test]
async fn pages_may_be_larger_than_azures() {
    let world = World::instant().await;
    filled(&world, 1_001);
    let caller = world.caller(CENTRAL).await;
    for (size, wanted) in [(100, vec![100; 10]), (1_000, vec![1_000])] {
        world.set(&json!({"pageSize": size}));
        let mut next = format!("{}/staticMembers", group("containsCrossTenantResources"));
        let mut sizes = Vec::new();
        while !next.is_empty() {
            let page = caller.get(&next).await.ok();
            sizes.push(page_names(&page).len());
            page["nextLink"].as_str().unwrap().clone_into(&mut next);
        }
        assert_eq!(sizes, [wanted, vec![1]].concat());
    }
}

#[tokio::test]
async fn a_page_of_nothing_is_refused() {
    let world = World::instant().await;
    let error = world.emulator.control().change_settings(&json!({"pageSize": 0})).unwrap_err();
    assert!(error.to_string().contains("pageSize"), "{error}");
    assert_eq!(world.emulator.control().settings().page_size, 20, "and nothing is changed");
}

#[tokio::test]
async fn what_goes_meanwhile_shifts_nothing() {
    let world = World::instant().await;
    world.set(&json!({"pageSize": 2}));
    filled(&world, 5);
    let caller = world.caller(CENTRAL).await;
    let first = caller.get(&format!("{}/staticMembers", group("containsCrossTenantResources"))).await.ok();
    world.emulator.control().delete(&member("m0000"), None).unwrap();
    world.emulator.control().delete(&member("m0001"), None).unwrap();
    let second = caller.get(first["nextLink"].as_str().unwrap()).await.ok();
    assert_eq!(page_names(&second), ["m0002", "m0003"]);
}

#[tokio::test]
async fn top_and_skip_token_are_checked() {
    let world = World::instant().await;
    filled(&world, 3);
    let caller = world.caller(CENTRAL).await;
    let list = format!("{}/staticMembers", group("containsCrossTenantResources"));
    let page = caller.get(&format!("{list}?$top=1")).await.ok();
    assert_eq!(page_names(&page), ["m0000"]);
    assert!(page["nextLink"].as_str().unwrap().contains("$top=1&"), "{page}");
    for bad in ["$top=0", "$top=21", "$top=x", "$skipToken=%20"] {
        assert_eq!(caller.get(&format!("{list}?{bad}")).await.status, 400, "{bad}");
    }
}

#[tokio::test]
async fn the_order_of_a_pages_fields_goes_with_the_type() {
    let world = World::instant().await;
    let caller = world.caller(CENTRAL).await;
    let connections = caller.get(&format!("{MANAGER}/scopeConnections")).await;
    assert_eq!(connections.text, r#"{"value":[],"nextLink":""}"#);
    let members = caller.get(&format!("{}/staticMembers", group("subnetGroup"))).await;
    assert_eq!(members.text, r#"{"nextLink":"","value":[]}"#);
    let groups = caller.get(&format!("{MANAGER}/networkGroups")).await.ok();
    assert_eq!(page_names(&groups), ["containsCrossTenantResources", "subnetGroup"]);
}
