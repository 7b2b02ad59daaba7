//! Reads that lag behind writes.

use std::time::Duration;

use serde_json::{Value, json};

use super::support::{CENTRAL, MANAGER, TARGET, TARGET_SUBSCRIPTION, World, scope_connection};

fn names(list: &Value) -> Vec<&str> {
    list["value"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect()
}

fn body(description: &str) -> Value {
    json!({"tenantId": TARGET, "resourceId": TARGET_SUBSCRIPTION, "description": description})
}

#[tokio::test]
async fn a_stale_read_shows_what_was_there_before() {
    let world = World::instant().await;
    let caller = world.caller(CENTRAL).await;
    let id = scope_connection("a");
    world.set(&json!({"consistency": {"staleReadMs": {"min": 400, "max": 400}}}));
    caller.put(&id, body("one")).await.ok();
    assert_eq!(caller.get(&id).await.error(), (404, "NotFound".into()));
    tokio::time::sleep(Duration::from_millis(450)).await;
    assert_eq!(caller.get(&id).await.ok()["properties"]["description"], "one");
    caller.put(&id, body("two")).await.ok();
    assert_eq!(caller.get(&id).await.ok()["properties"]["description"], "one");
    tokio::time::sleep(Duration::from_millis(450)).await;
    assert_eq!(caller.get(&id).await.ok()["properties"]["description"], "two");
}

#[tokio::test]
async fn a_list_may_lack_what_was_just_made_and_keep_what_was_just_deleted() {
    let world = World::instant().await;
    let caller = world.caller(CENTRAL).await;
    let list = format!("{MANAGER}/scopeConnections");
    for name in ["a", "b", "c"] {
        caller.put(&scope_connection(name), body(name)).await.ok();
    }
    let ms = json!({"min": 500, "max": 500});
    world.set(&json!({"pageSize": 2, "consistency": {"listLagMs": ms, "lingerMs": ms}}));
    caller.put(&scope_connection("aa"), body("aa")).await.ok();
    assert_eq!(caller.delete(&scope_connection("b")).await.status, 200);
    // Page by page, so that the one that lingers is also the last of a page.
    let first = caller.get(&list).await.ok();
    assert_eq!(names(&first), ["a", "b"]);
    let second = caller.get(first["nextLink"].as_str().unwrap()).await.ok();
    assert_eq!(names(&second), ["c"]);
    assert_eq!(caller.get(&scope_connection("b")).await.ok()["name"], "b");
    assert_eq!(caller.get(&scope_connection("aa")).await.ok()["name"], "aa", "only lists lag");
    tokio::time::sleep(Duration::from_millis(550)).await;
    world.set(&json!({"pageSize": 20}));
    assert_eq!(names(&caller.get(&list).await.ok()), ["a", "aa", "c"]);
    assert_eq!(caller.get(&scope_connection("b")).await.status, 404);
}

#[tokio::test]
async fn what_is_made_again_does_not_linger() {
    let world = World::instant().await;
    let caller = world.caller(CENTRAL).await;
    world.set(&json!({"consistency": {"lingerMs": {"min": 60_000, "max": 60_000}}}));
    let id = scope_connection("a");
    caller.put(&id, body("one")).await.ok();
    caller.delete(&id).await;
    assert_eq!(caller.get(&id).await.ok()["properties"]["description"], "one");
    caller.put(&id, body("two")).await.ok();
    let list = caller.get(&format!("{MANAGER}/scopeConnections")).await.ok();
    assert_eq!(names(&list), ["a"]);
    assert_eq!(list["value"][0]["properties"]["description"], "two");
    assert_eq!(caller.get(&id).await.ok()["properties"]["description"], "two");
}

#[tokio::test]
async fn a_fault_makes_one_read_stale() {
    let world = World::instant().await;
    let caller = world.caller(CENTRAL).await;
    let id = scope_connection("a");
    caller.put(&id, body("one")).await.ok();
    world.fault(
        json!({"match": {"method": "GET", "id": id.to_uppercase(), "nth": 2}, "action": {"stale": true}}),
    );
    caller.put(&id, body("two")).await.ok();
    assert_eq!(caller.get(&id).await.ok()["properties"]["description"], "two");
    assert_eq!(caller.get(&id).await.ok()["properties"]["description"], "one");
    assert_eq!(caller.get(&id).await.ok()["properties"]["description"], "two");
}

#[tokio::test]
async fn a_fault_makes_a_list_the_one_before_the_last_write() {
    let world = World::instant().await;
    let caller = world.caller(CENTRAL).await;
    let list = format!("{MANAGER}/scopeConnections");
    let shown = async || {
        let page = caller.get(&list).await.ok();
        let of = |it: &Value| it["properties"]["description"].as_str().unwrap().to_owned();
        page["value"].as_array().unwrap().iter().map(of).collect::<Vec<_>>()
    };
    caller.put(&scope_connection("a"), body("one")).await.ok();
    let stale = || world.fault(json!({"match": {"pathGlob": list}, "action": {"stale": true}}));
    let id = stale();
    let applied = || json!(world.emulator.control().faults())[0]["applied"].clone();
    assert_eq!(shown().await, ["one"], "nothing was written since");
    assert_eq!(applied(), 0, "and so it was not applied");
    caller.put(&scope_connection("a"), body("two")).await.ok();
    assert_eq!(shown().await, ["one"]);
    caller.put(&scope_connection("b"), body("new")).await.ok();
    assert_eq!(shown().await, ["two"]);
    caller.delete(&scope_connection("a")).await;
    assert_eq!(shown().await, ["two", "new"]);
    assert_eq!(applied(), 3);
    let later = stale();
    assert_eq!(shown().await, ["two", "new"], "the older one goes first");
    world.set(&json!({"pageSize": 1}));
    let first = caller.get(&list).await.ok();
    assert_eq!(names(&first), ["a"]);
    assert_eq!(names(&caller.get(first["nextLink"].as_str().unwrap()).await.ok()), ["b"]);
    world.emulator.control().remove_faults(Some(id));
    world.set(&json!({"pageSize": 20}));
    assert_eq!(shown().await, ["new"], "{later} was added after every write");
}

/// Neither a call that it cannot befall nor one that is refused uses a fault up.
#[tokio::test]
async fn a_fault_counts_only_what_it_befell() {
    let world = World::instant().await;
    let caller = world.caller(CENTRAL).await;
    let id = scope_connection("a");
    world.fault(json!({"match": {"times": 1}, "action": {"stale": true}}));
    world.fault(json!({"match": {"times": 1}, "action": {"failMember": true}}));
    caller.put(&id, body("one")).await.ok();
    let member = super::support::member("m");
    let put = caller.put(&member, json!({"resourceId": super::support::TARGET_NETWORK})).await;
    assert_eq!(put.error(), (403, "LinkedAuthorizationFailed".into()));
    assert_eq!(caller.get(&member).await.status, 404);
    let counts: Vec<_> = world.emulator.control().faults().iter().map(|it| (it.seen, it.applied)).collect();
    assert_eq!(counts, [(1, 0), (1, 0)]);
    assert_eq!(json!(world.emulator.control().ledger(0).last())["fault"], json!(null));
    caller.put(&id, body("two")).await.ok();
    assert_eq!(caller.get(&id).await.ok()["properties"]["description"], "one");
    assert_eq!(caller.get(&id).await.ok()["properties"]["description"], "two");
}
