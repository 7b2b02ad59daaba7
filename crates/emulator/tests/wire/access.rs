//! The order of ARM's checks: token, subscription, action, resource.

use reqwest::Method;
use serde_json::json;

use super::support::{
    APP, CENTRAL, CENTRAL_SUBSCRIPTION, Caller, MANAGER, OTHER_APP, OTHER_SECRET, SHARED_GROUP, TARGET,
    TARGET_SUBSCRIPTION, World, connection_of, scope_connection,
};

#[tokio::test]
async fn without_a_good_token_nothing_is_told() {
    let world = World::instant().await;
    let url = format!("{}{MANAGER}?api-version=2024-05-01", world.emulator.url());
    let none = world.send(Method::GET, &url, &[], None).await;
    assert_eq!(none.error(), (401, "AuthenticationFailed".into()));
    let garbage = world.send(Method::GET, &url, &[("authorization", "Bearer x.y.z")], None).await;
    assert_eq!(garbage.error(), (401, "InvalidAuthenticationToken".into()));
    let basic = world.send(Method::GET, &url, &[("authorization", "Basic x")], None).await;
    assert_eq!(basic.error(), (401, "AuthenticationFailedInvalidHeader".into()));
}

#[tokio::test]
async fn a_token_of_another_tenant_is_named_with_both_issuers() {
    let world = World::instant().await;
    let answer = world.caller(TARGET).await.get(MANAGER).await;
    assert_eq!(answer.error(), (401, "InvalidAuthenticationTokenTenant".into()));
    for tenant in [CENTRAL, TARGET] {
        assert!(answer.text.contains(&format!("'https://sts.windows.net/{tenant}/'")), "{}", answer.text);
    }
}

#[tokio::test]
async fn each_404_says_what_is_missing() {
    let world = World::instant().await;
    let caller = world.caller(CENTRAL).await;
    let error = async |id: &str| caller.get(id).await.error();
    assert_eq!(error("/subscriptions/nowhere/resourceGroups/r").await, (404, "SubscriptionNotFound".into()));
    assert_eq!(error(&scope_connection("x")).await, (404, "NotFound".into()));
    let missing = format!("{MANAGER}?api-version=2001-01-01");
    assert_eq!(error(&missing).await, (404, "InvalidResourceType".into()));
    assert_eq!(error(&format!("{MANAGER}/nonsense/x")).await, (404, "InvalidResourceType".into()));
    let other = MANAGER.replace("Microsoft.Network/", "Microsoft.Nonsense/");
    assert_eq!(error(&other).await, (404, "InvalidResourceNamespace".into()));
    let url = format!("{}{MANAGER}", world.emulator.url());
    let bearer = format!("Bearer {}", caller.bearer);
    let answer = world.send(Method::GET, &url, &[("authorization", &bearer)], None).await;
    assert_eq!(answer.error(), (400, "MissingApiVersionParameter".into()));

    world.edit(json!({
        "op": "addRole", "clientId": APP, "tenant": CENTRAL, "role": "Network Contributor",
        "scope": "/subscriptions/13579864-1234-5678-abcd-0987654321ab",
    }));
    let nowhere = MANAGER.replace("myAVNMResourceGroup", "nowhere");
    assert_eq!(error(&nowhere).await, (404, "ResourceGroupNotFound".into()));
    let missing = format!("{MANAGER}2");
    let answer = caller.get(&missing).await;
    assert_eq!(answer.error(), (404, "ResourceNotFound".into()));
    assert_eq!(answer.header("x-ms-failure-cause"), Some("gateway"));
    assert!(answer.text.contains("The Resource 'Microsoft.Network/networkManagers/myAVNM2' under resource group 'myAVNMResourceGroup' was not found."));
    assert_eq!(error(&format!("{missing}/scopeConnections/x")).await, (404, "ParentResourceNotFound".into()));
}

#[tokio::test]
async fn exactly_the_granted_actions_are_allowed() {
    let world = World::instant().await;
    let caller = world.caller(CENTRAL).await;
    let answer = caller.put(MANAGER, json!({})).await;
    assert_eq!(answer.error(), (403, "AuthorizationFailed".into()));
    assert!(answer.text.contains("'Microsoft.Network/networkManagers/write'"), "{}", answer.text);
    assert!(answer.text.contains(APP));

    let delete = "Microsoft.Network/networkManagers/scopeConnections/delete";
    world.edit(json!({"op": "removeRole", "clientId": APP, "tenant": CENTRAL, "actions": [delete]}));
    assert_eq!(caller.delete(&scope_connection("x")).await.error(), (403, "AuthorizationFailed".into()));
    assert_eq!(caller.get(&scope_connection("x")).await.error(), (404, "NotFound".into()));

    // A token outlives its service principal, its rights do not.
    world.edit(json!({"op": "removeServicePrincipal", "clientId": APP, "tenant": CENTRAL}));
    assert_eq!(caller.get(MANAGER).await.error(), (403, "AuthorizationFailed".into()));
}

#[tokio::test]
async fn a_management_group_is_looked_up_in_the_bearers_tenant() {
    let world = World::instant().await;
    let id = connection_of(SHARED_GROUP, "c");
    let (central, target) = (world.caller(CENTRAL).await, world.caller(TARGET).await);
    target.put(&id, json!({"networkManagerId": MANAGER})).await.ok();
    assert_eq!(central.get(&id).await.error(), (403, "AuthorizationFailed".into()));
    world.edit(json!({
        "op": "addRole", "clientId": APP, "tenant": CENTRAL, "scope": SHARED_GROUP, "role": "Network Contributor",
    }));
    // The same name, another tenant, another thing.
    assert_eq!(central.get(&id).await.error(), (404, "NotFound".into()));
    let unknown = connection_of("/providers/Microsoft.Management/managementGroups/none", "c");
    assert_eq!(target.get(&unknown).await.error(), (403, "AuthorizationFailed".into()));
}

#[tokio::test]
async fn auxiliary_tokens_are_checked_on_every_call() {
    let world = World::instant().await;
    let caller = world.caller(CENTRAL).await;
    let mine = world.token(TARGET).await;
    let with = |tokens: &[&str]| -> Caller<'_> { caller.clone().with(tokens) };
    with(&[&mine, &mine, &mine]).get(MANAGER).await.ok();
    let four = with(&[&mine, &mine, &mine, &mine]).get(MANAGER).await;
    assert_eq!(four.error(), (401, "InvalidAuxiliaryTokens".into()));
    assert_eq!(with(&["x.y.z"]).get(MANAGER).await.error(), (401, "InvalidAuthenticationToken".into()));

    let other = world.token_of(OTHER_APP, OTHER_SECRET, TARGET).await;
    assert_eq!(with(&[&other]).get(MANAGER).await.error(), (401, "InvalidAuxiliaryTokens".into()));
    world.set(&json!({"allowDifferentApplications": true}));
    with(&[&other]).get(MANAGER).await.ok();

    world.set(&json!({"tokenLifeSeconds": 0}));
    let expired = world.token(TARGET).await;
    let answer = with(&[&expired]).get(MANAGER).await;
    assert_eq!(answer.error(), (401, "ExpiredAuthenticationToken".into()));
    assert!(
        answer.text.contains(APP) && answer.text.contains(TARGET),
        "the guilty one is named: {}",
        answer.text
    );
}

#[tokio::test]
async fn every_answer_can_be_found_again() {
    let world = World::instant().await;
    let caller = world.caller(CENTRAL).await;
    for id in [MANAGER.to_owned(), scope_connection("x"), format!("{MANAGER}?api-version=1")] {
        let answer = caller.get(&id).await;
        let request = answer.header("x-ms-request-id").unwrap();
        assert_eq!(answer.header("x-ms-correlation-request-id"), Some(request));
        assert!(answer.header("x-ms-routing-request-id").unwrap().ends_with(request));
        let ledger = world.emulator.control().ledger(0);
        assert_eq!(ledger.last().unwrap().correlation_id, request);
    }
    let answer = caller.get(MANAGER).await;
    assert_eq!(answer.header("x-ms-ratelimit-remaining-subscription-reads"), Some("1099"));
    assert_eq!(answer.header("x-ms-ratelimit-remaining-subscription-global-reads"), Some("16499"));
    let missing = caller.get(&scope_connection("x")).await;
    assert!(missing.header("x-ms-ratelimit-remaining-subscription-reads").is_some());
    assert_eq!(missing.header("x-ms-failure-cause"), None);
    let target = world.caller(TARGET).await;
    let answer = target.get(&connection_of(SHARED_GROUP, "x")).await;
    assert_eq!(answer.header("x-ms-ratelimit-remaining-tenant-reads"), Some("2199"));
    assert_eq!(answer.header("x-ms-ratelimit-remaining-subscription-global-reads"), None);
}

#[tokio::test]
async fn quotas_are_per_verb_and_say_when_to_come_again() {
    let world = World::instant().await;
    let caller = world.caller(TARGET).await;
    world.set(&json!({"quotas": {"writes": {"size": 1, "refillPerSecond": 0.1}}}));
    let id = connection_of(TARGET_SUBSCRIPTION, "c");
    let body = json!({"networkManagerId": MANAGER});
    let first = caller.put(&id, body.clone()).await;
    assert_eq!(first.header("x-ms-ratelimit-remaining-subscription-writes"), Some("0"));
    let second = caller.put(&id, body).await;
    assert_eq!(second.error(), (429, "SubscriptionRequestsThrottled".into()));
    assert_eq!(second.header("retry-after"), Some("10"));
    caller.get(&id).await.ok();
}

#[tokio::test]
async fn a_role_takes_time_unless_the_token_is_newer() {
    let world = World::instant().await;
    world.set(&json!({"roleDelayMs": {"min": 2_500, "max": 2_500}}));
    let old = world.caller(CENTRAL).await;
    world.edit(json!({"op": "addRole", "clientId": APP, "tenant": CENTRAL, "scope": MANAGER,
        "actions": ["Microsoft.Network/networkManagers/networkGroups/write"]}));
    let id = super::support::group("late");
    assert_eq!(old.put(&id, json!({})).await.error(), (403, "AuthorizationFailed".into()));
    // Tokens tell whole seconds, so one of the same second does not count as newer.
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    let new = world.caller(CENTRAL).await;
    world.set(&json!({"newTokenSeesRoles": false}));
    assert_eq!(new.put(&id, json!({})).await.status, 403);
    world.set(&json!({"newTokenSeesRoles": true}));
    new.put(&id, json!({})).await.ok();
    assert_eq!(old.put(&id, json!({})).await.status, 403);
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    old.put(&id, json!({})).await.ok();
}

/// Tools begin with these; they must be told whose fault it is that they get no further.
#[tokio::test]
async fn what_is_not_served_says_so_and_looks_like_nothing_of_azures() {
    let world = World::instant().await;
    let caller = world.caller(CENTRAL).await;
    let group = format!("{CENTRAL_SUBSCRIPTION}/resourceGroups/myAVNMResourceGroup");
    let not_served = (404, "NotServedByEmulator".to_owned());
    for path in [
        "/subscriptions",
        "/tenants",
        CENTRAL_SUBSCRIPTION,
        &format!("{CENTRAL_SUBSCRIPTION}/resourceGroups"),
        &format!("{CENTRAL_SUBSCRIPTION}/providers"),
        &group,
        "/providers/Microsoft.Management/managementGroups/mg-shared",
    ] {
        let answer = caller.get(path).await;
        assert_eq!(answer.error(), not_served, "{path}");
        assert!(answer.text.contains("The emulator does not serve GET /"), "{path}: {}", answer.text);
    }
    assert_eq!(caller.put(&group, json!({})).await.error(), not_served);
    // What Azure checks first stays first.
    let theirs = caller.get(TARGET_SUBSCRIPTION).await;
    assert_eq!(theirs.error(), (401, "InvalidAuthenticationTokenTenant".into()));
    assert_eq!(caller.get("/subscriptions/%zz").await.error(), (400, "InvalidResourceId".into()));

    let url = format!("{}/{CENTRAL}/oauth2/v2.0/devicecode", world.emulator.authority());
    let answer = world.send(Method::POST, &url, &[], None).await;
    assert_eq!((answer.status, &answer.json()["error"]), (404, &json!("not_served_by_emulator")));
}
