//! What goes wrong by script, as a client meets it.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::support::{CENTRAL, Caller, MANAGER, TARGET, TARGET_SUBSCRIPTION, World, scope_connection};
use super::watch::{Watch, until};

fn body() -> Value {
    json!({"properties": {"tenantId": TARGET, "resourceId": TARGET_SUBSCRIPTION}})
}

/// A PUT of a scope connection that may get no answer.
async fn put(caller: &Caller<'_>) -> reqwest::Result<(u16, String)> {
    let world = caller.world;
    let url = format!("{}{}?api-version=2024-05-01", world.emulator.url(), scope_connection("x"));
    let bearer = format!("Bearer {}", caller.bearer);
    let response = world.try_send(Method::PUT, &url, &[("authorization", &bearer)], Some(&body())).await?;
    let status = response.status().as_u16();
    Ok((status, response.text().await?))
}

fn exists(world: &World) -> bool {
    world.emulator.control().get(&scope_connection("x"), None).unwrap().is_some()
}

fn last_call(world: &World) -> Value {
    json!(world.emulator.control().ledger(0).last().unwrap())
}

#[tokio::test]
async fn an_answer_by_script_has_no_effect() {
    let world = World::instant().await;
    let caller = world.caller(CENTRAL).await;
    let id = world.fault(json!({
        "match": {"method": "PUT", "nth": 1},
        "action": {"status": 429, "code": "TooManyRequests", "message": "slow down", "headers": {"Retry-After": "7"}},
    }));
    let answer = caller.call(Method::PUT, &scope_connection("x"), Some(&body())).await;
    assert_eq!(answer.error(), (429, "TooManyRequests".into()));
    assert_eq!(answer.header("retry-after"), Some("7"));
    assert!(answer.header("x-ms-correlation-request-id").is_some());
    assert!(!exists(&world));
    let call = last_call(&world);
    assert_eq!((&call["status"], &call["fault"]), (&json!(429), &json!(id)));
    caller.call(Method::PUT, &scope_connection("x"), Some(&body())).await.ok();
    assert!(exists(&world));
}

#[tokio::test]
async fn a_cut_connection_may_or_may_not_have_had_its_effect() {
    for (action, happened) in [(json!({"cutBefore": true}), false), (json!({"cutAfter": true}), true)] {
        let world = World::instant().await;
        let caller = world.caller(CENTRAL).await;
        let before = world.emulator.control().last_call();
        world.fault(json!({"match": {"method": "PUT"}, "action": action}));
        assert!(put(&caller).await.is_err());
        assert_eq!(exists(&world), happened, "{action}");
        let calls = world.emulator.control().ledger(before);
        assert_eq!(calls.len(), 1, "the client did not send it twice");
        assert_eq!((calls[0].status, calls[0].effect), (None, happened.then_some(200)));
        assert_eq!(calls[0].bearer_tenant.as_deref(), Some(CENTRAL));
    }
}

#[tokio::test]
async fn an_effect_can_come_late() {
    let world = World::instant().await;
    let caller = world.caller(CENTRAL).await;
    world.fault(json!({"match": {"method": "PUT"}, "action": {"lateEffect": {"ms": 2_000}}}));
    let watch = Watch::start();
    assert!(put(&caller).await.is_err());
    assert!(watch.elapsed() < Duration::from_millis(1_500), "cut at once");
    assert!(!exists(&world));
    until(|| exists(&world)).await;
    assert!(watch.elapsed() >= Duration::from_secs(2));
    assert_eq!(last_call(&world)["effect"], 200);
}

#[tokio::test]
async fn a_delay_holds_back_the_effect_too() {
    let world = World::instant().await;
    let caller = world.caller(CENTRAL).await;
    world.fault(json!({"match": {"method": "PUT"}, "action": {"delayMs": 200}}));
    let watch = Watch::start();
    assert_eq!(put(&caller).await.unwrap().0, 200);
    assert!(watch.elapsed() >= Duration::from_millis(200));
}

#[tokio::test]
async fn gateways_answer_with_html() {
    let world = World::instant().await;
    let caller = world.caller(CENTRAL).await;
    for (action, status) in [(json!({"html": true}), 502), (json!({"html": true, "status": 404}), 404)] {
        let id = world.fault(json!({"match": {"kind": "arm"}, "action": action}));
        let answer = caller.get(MANAGER).await;
        assert_eq!((answer.status, answer.header("content-type")), (status, Some("text/html")));
        assert!(answer.text.starts_with("<html>"));
        world.emulator.control().remove_faults(Some(id));
    }
}

#[tokio::test]
async fn a_body_can_end_early_or_hardly_at_all() {
    let world = World::instant().await;
    let caller = world.caller(CENTRAL).await;
    let id = world.fault(json!({"match": {"method": "PUT"}, "action": {"truncated": true}}));
    let url = format!("{}{}?api-version=2024-05-01", world.emulator.url(), scope_connection("x"));
    let bearer = format!("Bearer {}", caller.bearer);
    let headers = [("authorization", bearer.as_str())];
    let response = world.try_send(Method::PUT, &url, &headers, Some(&body())).await.unwrap();
    assert_eq!(response.status(), 200, "the head arrives");
    assert!(response.text().await.is_err());
    assert!(exists(&world));
    world.emulator.control().remove_faults(Some(id));

    world.fault(json!({"action": {"giant": true, "bytes": 5_000_000}}));
    let answer = caller.get(MANAGER).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.text.len(), 5_000_000);
    let entry = world.emulator.control().ledger(0).pop().unwrap();
    assert_eq!((entry.status, entry.bytes), (Some(200), 5_000_000));
}

#[tokio::test]
async fn a_redirect_leads_away() {
    let world = World::instant().await;
    let caller = world.caller(CENTRAL).await;
    world.fault(json!({"match": {"method": "GET"}, "action": {"redirect": "https://elsewhere.example/"}}));
    let answer = caller.get(MANAGER).await;
    assert_eq!((answer.status, answer.header("location")), (307, Some("https://elsewhere.example/")));
}

#[tokio::test]
async fn entra_has_faults_of_its_own() {
    let world = World::instant().await;
    let action = json!({"status": 503, "code": "temporarily_unavailable", "message": "AADSTS90033: later"});
    world.fault(json!({"match": {"kind": "token", "pathGlob": format!("/{TARGET}/*")}, "action": action}));
    let caller = world.caller(CENTRAL).await;
    caller.get(MANAGER).await.ok();
    let answer = world.sign_in(TARGET, &[]).await;
    assert_eq!((answer.status, &answer.json()["error"]), (503, &json!("temporarily_unavailable")));
}

#[tokio::test]
async fn an_answer_can_be_dressed_badly() {
    let world = World::instant().await;
    let caller = world.caller(CENTRAL).await;
    let id = world.fault(json!({"action": {"bom": true}}));
    let answer = caller.get(MANAGER).await;
    assert_eq!((answer.status, answer.text.starts_with('\u{feff}')), (200, true));
    world.emulator.control().remove_faults(Some(id));
    world.fault(json!({"action": {"contentType": "text/plain"}}));
    let answer = caller.get(MANAGER).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/plain")));
    answer.json();
}
