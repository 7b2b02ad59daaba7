//! Buckets: whose they are, and what an empty one answers.

use avnm_emulator::Settings;
use avnm_emulator::settings::{NetworkQuotas, Quotas};
use serde_json::json;

use super::support::{
    CENTRAL, Caller, MANAGER, OTHER_APP, OTHER_SECRET, SHARED_GROUP, TARGET, World, connection_of,
};

async fn other<'a>(world: &'a World, tenant: &str) -> Caller<'a> {
    Caller { world, bearer: world.token_of(OTHER_APP, OTHER_SECRET, tenant).await, auxiliary: None }
}

#[tokio::test]
async fn each_principal_has_a_bucket_and_all_share_a_larger_one() {
    let world = World::instant().await;
    let (one, two) = (world.caller(CENTRAL).await, other(&world, CENTRAL).await);
    world.set(&json!({"quotas": {"reads": {"size": 2.0, "refillPerSecond": 0.1}}}));
    assert_eq!(one.get(MANAGER).await.header("x-ms-ratelimit-remaining-subscription-reads"), Some("1"));
    assert_eq!(one.get(MANAGER).await.status, 200);
    let refused = one.get(MANAGER).await;
    assert_eq!(refused.error(), (429, "SubscriptionRequestsThrottled".into()));
    assert_eq!(refused.header("retry-after"), Some("10"));
    assert_eq!(two.get(MANAGER).await.status, 200, "another principal, another bucket");
}

#[tokio::test]
async fn the_global_header_tells_of_the_bucket_that_all_share() {
    let world = World::instant().await;
    let (one, two) = (world.caller(CENTRAL).await, other(&world, CENTRAL).await);
    let global = "x-ms-ratelimit-remaining-subscription-global-reads";
    assert_eq!(one.get(MANAGER).await.header(global), Some("16499"), "as recorded, while there is no quota");
    world.set(&json!({"quotas": {"reads": {"size": 2.0, "refillPerSecond": 0.001}}}));
    for (caller, own, shared) in [(&one, "1", "29"), (&two, "1", "28"), (&one, "0", "27")] {
        let answer = caller.get(MANAGER).await;
        assert_eq!(answer.header("x-ms-ratelimit-remaining-subscription-reads"), Some(own));
        assert_eq!(answer.header(global), Some(shared));
    }
}

/// Resource Graph has a quota of its own, whatever is left of ARM's.
#[tokio::test]
async fn a_query_of_resource_graph_leaves_arms_buckets_alone() {
    let world = World::instant().await;
    let caller = world.caller(TARGET).await;
    let one = json!({"size": 1.0, "refillPerSecond": 0.001});
    world.set(&json!({"quotas": {"reads": one, "writes": one}, "graphQuota": {"size": 2.0, "refillPerSecond": 0.001}}));
    let id = "/providers/Microsoft.ResourceGraph/resources?api-version=2024-04-01";
    let body = json!({"query": "Resources"});
    let ask = async || caller.call(reqwest::Method::POST, id, Some(&body)).await.status;
    assert_eq!([ask().await, ask().await, ask().await], [200, 200, 429]);
    assert_eq!(caller.get(&connection_of(SHARED_GROUP, "x")).await.status, 404, "a read is left");
}

/// Each fault that the README offers is taken, and answers as it says.
#[tokio::test]
async fn the_readmes_faults_work() {
    let readme = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    let block = readme.split("```json\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let world = World::instant().await;
    let caller = world.caller(CENTRAL).await;
    let mut codes = Vec::new();
    for line in block.lines() {
        let fault: serde_json::Value = serde_json::from_str(line).unwrap();
        let method = fault["match"]["method"].as_str().unwrap().parse().unwrap();
        world.fault(fault);
        let answer = caller.call(method, &super::support::scope_connection("x"), Some(&json!({}))).await;
        assert!(answer.header("retry-after").is_some(), "{line}");
        codes.push(answer.error());
        world.emulator.control().remove_faults(None);
    }
    let codes: Vec<_> = codes.iter().map(|(status, code)| (*status, code.as_str())).collect();
    let retryable = (429, "RetryableError");
    assert_eq!(codes, [(429, "TooManyRequestsReceived"), retryable, retryable, (503, "ServiceUnavailable")]);
}

#[tokio::test]
async fn all_principals_of_a_subscription_share_fifteen_shares() {
    let world = World::instant().await;
    world.set(&json!({"quotas": {"reads": {"size": 1.0, "refillPerSecond": 0.01}}}));
    // Every application has a share of its own; the sixteenth finds the common bucket empty.
    let mut statuses = Vec::new();
    for n in 0..16 {
        let client = format!("c0c0c0c0-0000-0000-0000-{n:012}");
        let role = json!({"scope": "/", "actions": ["*"]});
        world
            .emulator
            .control()
            .add_app(&client, CENTRAL, "s", &[serde_json::from_value(role).unwrap()])
            .unwrap();
        let bearer = world.token_of(&client, "s", CENTRAL).await;
        let caller = Caller { world: &world, bearer, auxiliary: None };
        statuses.push(caller.get(MANAGER).await.status);
    }
    assert_eq!(statuses[..15], [200; 15]);
    assert_eq!(statuses[15], 429);
}

#[tokio::test]
async fn management_groups_count_against_the_tenant() {
    let world = World::instant().await;
    let caller = world.caller(TARGET).await;
    let id = connection_of(SHARED_GROUP, "x");
    assert_eq!(caller.get(&id).await.header("x-ms-ratelimit-remaining-tenant-reads"), Some("2199"));
    world.set(&json!({"quotas": {"reads": {"size": 1.0, "refillPerSecond": 0.5}}}));
    assert_eq!(caller.get(&id).await.status, 404);
    let refused = caller.get(&id).await;
    assert_eq!(refused.error(), (429, "TooManyRequests".into()));
    assert_eq!(refused.header("retry-after"), Some("2"));
}

#[tokio::test]
async fn the_provider_counts_writes_and_deletes_of_all_principals_together() {
    let world = World::instant().await;
    let (one, two) = (world.caller(CENTRAL).await, other(&world, CENTRAL).await);
    world.set(&json!({"networkQuotas": {"writes": {"size": 2.0, "refillPerSecond": 0.25}}}));
    let body = json!({"tenantId": TARGET, "resourceId": "/subscriptions/x"});
    let id = super::support::scope_connection("a");
    one.put(&id, body.clone()).await.ok();
    assert_eq!(two.delete(&id).await.status, 200);
    let refused = one.put(&id, body).await;
    assert_eq!(refused.error(), (429, "ResourceRequestsThrottled".into()));
    assert_eq!(refused.header("retry-after"), Some("4"));
    assert!(refused.header("x-ms-failure-cause").is_none(), "the provider writes this one");
    one.get(MANAGER).await.ok();
}

#[test]
fn the_documented_numbers_are_these_and_off_by_default() {
    let settings = Settings::default();
    assert_eq!(settings.quotas, Quotas::default());
    assert_eq!(settings.network_quotas, NetworkQuotas::default());
    let arm = Quotas::arm();
    assert_eq!(arm.reads.map(|it| (it.size, it.refill_per_second)), Some((250.0, 25.0)));
    assert_eq!(arm.writes.map(|it| (it.size, it.refill_per_second)), Some((200.0, 10.0)));
    assert_eq!(NetworkQuotas::documented().writes.map(|it| it.size), Some(1_000.0));
}

#[tokio::test]
async fn a_429_that_is_no_quota_can_be_scripted_with_its_details() {
    let world = World::instant().await;
    let caller = world.caller(CENTRAL).await;
    let body = json!({"error": {"code": "RetryableError", "message": "A retryable error occurred.", "details": [
        {"code": "RetryableErrorDueToAnotherOperation", "message": "can be retried in 14 seconds"}]}});
    world.fault(json!({"match": {"times": 1}, "action": {"status": 429, "body": body, "headers": {"Retry-After": "14"}}}));
    let answer = caller.get(MANAGER).await;
    assert_eq!(answer.error(), (429, "RetryableError".into()));
    assert_eq!(answer.json()["error"]["details"][0]["code"], "RetryableErrorDueToAnotherOperation");
    assert_eq!(answer.header("retry-after"), Some("14"));
    caller.get(MANAGER).await.ok();
}
