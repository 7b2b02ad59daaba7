//! The control endpoint, and how an emulator is started.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use avnm_emulator::{Emulator, Options};
use reqwest::Method;
use serde_json::{Value, json};

use super::support::{
    APP, CENTRAL, MANAGER, SECRET, SHARED_GROUP, TARGET, TARGET_SUBSCRIPTION, World, connection_of,
    scope_connection,
};
use super::watch::Watch;

async fn with_endpoint() -> World {
    let control = Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    World::start(Options { control, ..Options::instant() }).await
}

async fn ask(world: &World, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
    let url = format!("{}{path}", world.emulator.control_url().unwrap());
    let answer = world.send(method, &url, &[], body.as_ref()).await;
    (answer.status, serde_json::from_str(&answer.text).unwrap_or(Value::String(answer.text)))
}

#[tokio::test]
async fn resources_are_edited_behind_everyones_back() {
    let world = with_endpoint().await;
    let arm = |id: &str| format!("/arm?id={id}");
    let ours = scope_connection("ours");
    let body = json!({"properties": {"tenantId": TARGET, "resourceId": TARGET_SUBSCRIPTION}});
    let (status, made) = ask(&world, Method::PUT, &arm(&ours), Some(body)).await;
    assert_eq!((status, &made["id"]), (200, &json!(ours)));
    let (_, state) = ask(&world, Method::GET, "/state", None).await;
    assert_eq!(state["scopeConnections"][0]["id"], ours);
    assert_eq!(state["networkManagers"][0]["id"], MANAGER);
    assert!(!state.to_string().contains(SECRET));

    let force = json!({"id": ours, "state": "Rejected"});
    let (_, forced) = ask(&world, Method::POST, "/connections/state", Some(force)).await;
    assert_eq!(forced["properties"]["connectionState"], "Rejected");
    let clear = json!({"id": ours, "state": null});
    ask(&world, Method::POST, "/connections/state", Some(clear)).await;
    assert_eq!(world.state_of(&ours), "Pending");

    assert_eq!(ask(&world, Method::DELETE, &arm(&ours), None).await, (200, json!({"deleted": true})));
    assert_eq!(ask(&world, Method::DELETE, &arm(&ours), None).await, (200, json!({"deleted": false})));
    assert_eq!(ask(&world, Method::GET, &arm(&ours), None).await.0, 404);
    assert!(world.emulator.control().ledger(0).is_empty(), "nobody called ARM");
}

#[tokio::test]
async fn a_group_name_that_two_tenants_have_asks_which() {
    let world = with_endpoint().await;
    let path = format!("/arm?id={}", connection_of(SHARED_GROUP, "c"));
    let body = json!({"properties": {"networkManagerId": MANAGER}});
    let (status, answer) = ask(&world, Method::PUT, &path, Some(body.clone())).await;
    assert_eq!(status, 400);
    assert!(answer["error"].as_str().unwrap().contains("several tenants"), "{answer}");
    let (status, _) = ask(&world, Method::PUT, &format!("{path}&tenant={TARGET}"), Some(body)).await;
    assert_eq!(status, 200);
    let (_, state) = ask(&world, Method::GET, "/state", None).await;
    assert_eq!(state["networkManagerConnections"][0]["tenant"], TARGET);
}

#[tokio::test]
async fn a_ledger_that_is_not_whole_says_so_and_the_count_goes_on() {
    let world = with_endpoint().await;
    ask(&world, Method::POST, "/settings", Some(json!({"ledgerLimit": 2}))).await;
    let caller = world.caller(CENTRAL).await;
    for _ in 0..3 {
        caller.get(MANAGER).await;
    }
    let (_, last) = ask(&world, Method::GET, "/ledger", None).await;
    assert_eq!(last.as_array().unwrap().iter().map(|it| &it["seq"]).collect::<Vec<_>>(), [3, 4]);
    let (status, refused) = ask(&world, Method::GET, "/ledger?since=1", None).await;
    assert_eq!(status, 410, "call 2 is gone");
    let said = refused["error"].as_str().unwrap();
    assert!(said.contains("calls 2 to 2") && said.contains("ledgerLimit"), "{said}");
    assert_eq!(ask(&world, Method::GET, "/ledger?since=2", None).await.0, 200);
    assert!(world.emulator.control().whole_ledger(1).is_err());
    let (_, state) = ask(&world, Method::GET, "/state", None).await;
    assert_eq!((&state["lastCall"], &state["ledgerDropped"]), (&json!(4), &json!(2)));
    let (_, calls) = ask(&world, Method::GET, "/calls", None).await;
    assert_eq!(calls["arm"]["GET"], json!({"calls": 3, "status": {"200": 3}}));
    assert_eq!(calls["token"]["POST"]["calls"], 1);
}

#[tokio::test]
async fn faults_settings_and_entra_are_set_and_refused_by_name() {
    let world = with_endpoint().await;
    let fault = json!({"match": {"method": "GET"}, "action": {"status": 500}});
    assert_eq!(ask(&world, Method::POST, "/faults", Some(fault.clone())).await, (200, json!({"id": 1})));
    ask(&world, Method::POST, "/faults", Some(fault)).await;
    assert_eq!(world.caller(CENTRAL).await.get(MANAGER).await.status, 500);
    let (_, list) = ask(&world, Method::GET, "/faults", None).await;
    assert_eq!(
        (&list[0]["applied"], &list[1]["applied"], &list[1]["seen"]),
        (&json!(1), &json!(0), &json!(1))
    );
    assert_eq!(ask(&world, Method::DELETE, "/faults?id=1", None).await.1, json!({"removed": 1}));
    assert_eq!(ask(&world, Method::DELETE, "/faults", None).await.1, json!({"removed": 1}));

    let (_, settings) = ask(&world, Method::POST, "/settings", Some(json!({"pageSize": 3}))).await;
    assert_eq!(settings["pageSize"], 3);
    for (path, bad) in [
        ("/settings", json!({"pagesize": 3})),
        ("/faults", json!({"action": {}})),
        ("/faults", json!({"match": {"verb": "GET"}, "action": {"html": true}})),
        ("/entra", json!({"op": "nonsense"})),
        ("/entra", json!({"op": "setSecret", "clientId": "nobody", "secret": "x"})),
        (
            "/entra",
            json!({"op": "addRole", "clientId": APP, "tenant": CENTRAL, "scope": "garbage", "role": "Reader"}),
        ),
        (
            "/entra",
            json!({"op": "addRole", "clientId": APP, "tenant": CENTRAL, "scope": "/", "role": "Looker"}),
        ),
        ("/connections/state", json!({"id": MANAGER, "state": "Conflict"})),
    ] {
        let (status, answer) = ask(&world, Method::POST, path, Some(bad.clone())).await;
        assert_eq!(status, 400, "{bad}");
        assert!(answer["error"].as_str().is_some_and(|text| !text.is_empty()), "{bad}: {answer}");
    }
    let address = format!(
        "/arm?id={TARGET_SUBSCRIPTION}/resourceGroups/r/providers/Microsoft.Network/publicIPAddresses/x"
    );
    for method in [Method::PUT, Method::DELETE] {
        let (status, answer) = ask(&world, method, &address, Some(json!({}))).await;
        assert_eq!(status, 400);
        assert!(
            answer["error"].as_str().unwrap().contains("is not the id of a network manager, "),
            "{answer}"
        );
    }
    let secret = json!({"op": "setSecret", "clientId": APP, "secret": "new"});
    assert_eq!(ask(&world, Method::POST, "/entra", Some(secret)).await, (200, json!({"done": true})));
    world.token_of(APP, "new", CENTRAL).await;
}

#[tokio::test]
async fn a_fault_can_last_for_a_while() {
    let world = with_endpoint().await;
    let caller = world.caller(CENTRAL).await;
    let fault = json!({"match": {"kind": "arm", "forSeconds": 0.5}, "action": {"status": 503}});
    let watch = Watch::start();
    assert_eq!(ask(&world, Method::POST, "/faults", Some(fault)).await.0, 200);
    let first = caller.get(MANAGER).await.status;
    assert!(first == 503 || watch.elapsed() > Duration::from_millis(500), "{first}");
    tokio::time::sleep(Duration::from_millis(550)).await;
    caller.get(MANAGER).await.ok();
    let (_, faults) = ask(&world, Method::GET, "/faults", None).await;
    assert_eq!(faults[0]["match"]["forSeconds"], 0.5, "it is listed still, with what it did");
    assert_eq!(faults[0]["applied"], u64::from(first == 503));
}

#[tokio::test]
async fn the_ledger_is_read_from_a_number_on() {
    let world = with_endpoint().await;
    let caller = world.caller(CENTRAL).await;
    let (_, before) = ask(&world, Method::GET, "/ledger", None).await;
    let seq = before.as_array().unwrap().last().unwrap()["seq"].as_u64().unwrap();
    caller.get(&MANAGER.replace("networkManagers", "NETWORKMANAGERS")).await.ok();
    let (_, after) = ask(&world, Method::GET, &format!("/ledger?since={seq}"), None).await;
    assert_eq!(after.as_array().unwrap().len(), 1);
    assert_eq!((&after[0]["path"], &after[0]["status"]), (&json!(MANAGER), &json!(200)));
    assert!(!after.to_string().contains(&caller.bearer));
    let (_, evidence) = ask(&world, Method::GET, "/evidence", None).await;
    assert_eq!(evidence["static_members"][0]["basis"], "recording");
    assert!(ask(&world, Method::GET, "/", None).await.1.as_str().unwrap().contains("/connections/state"));
}

#[tokio::test]
async fn it_is_off_by_default_and_beyond_loopback_only_when_told_so() {
    assert_eq!(World::instant().await.emulator.control_url(), None);
    let control = Some(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)));
    let error = Emulator::start(Options { control, ..Options::instant() }).await.unwrap_err();
    assert!(error.to_string().contains("loopback only"), "{error}");
    let options = Options { control, control_anywhere: true, ..Options::instant() };
    let world = World::start(options).await;
    let url = world.emulator.control_url().unwrap();
    assert!(url.starts_with("http://localhost:"), "{url}");
    assert_eq!(ask(&world, Method::GET, "/settings", None).await.0, 200);
}

#[tokio::test]
async fn a_world_of_ones_own() {
    let yaml = "
tenants: [{id: 24680975-1234-abcd-56ef-121314ab5643}]
subscriptions: [{id: 13579864-1234-5678-abcd-0987654321ab, tenant: 24680975-1234-abcd-56ef-121314ab5643}]
managers:
  - id: &manager /subscriptions/13579864-1234-5678-abcd-0987654321ab/resourceGroups/r/providers/Microsoft.Network/networkManagers/m
    networkManagerScopes: {subscriptions: [/subscriptions/13579864-1234-5678-abcd-0987654321ab]}
resources:
  - id: /subscriptions/13579864-1234-5678-abcd-0987654321ab/providers/Microsoft.Network/networkManagerConnections/c
    properties: {networkManagerId: *manager}
";
    let world = World::start(Options { world: Some(yaml.into()), ..Options::instant() }).await;
    let state = world.emulator.control().state();
    assert_eq!(state["networkManagerConnections"][0]["properties"]["connectionState"], "Connected");

    let error = Emulator::start(Options { world: Some("tenant: []".into()), ..Options::instant() }).await;
    let error = format!("{:#}", error.unwrap_err());
    assert!(error.starts_with("world file: ") && error.contains("tenant"), "{error}");
}

#[tokio::test]
async fn it_stops_when_dropped() {
    let world = World::instant().await;
    let url = format!("{}{MANAGER}", world.emulator.url());
    let (emulator, http) = (world.emulator, world.http);
    drop(emulator);
    tokio::task::yield_now().await;
    assert!(http.get(url).send().await.is_err());
}

#[tokio::test]
async fn people_get_a_page() {
    let world = with_endpoint().await;
    world.caller(CENTRAL).await.get(MANAGER).await.ok();
    let url = format!("{}/", world.emulator.control_url().unwrap());
    let page = world.send(Method::GET, &url, &[("accept", "text/html,*/*")], None).await;
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(page.text.contains(MANAGER) && page.text.contains("Last calls"), "{}", page.text);
    assert!(!page.text.contains(SECRET));
    let help = world.send(Method::GET, &url, &[], None).await;
    assert!(help.text.starts_with("avnm-emulator, behind the scenes"));
}

#[tokio::test]
async fn locks_and_registrations_are_set_by_the_endpoint() {
    let world = with_endpoint().await;
    let lock = json!({"scope": MANAGER, "level": "CanNotDelete"});
    assert_eq!(ask(&world, Method::POST, "/locks", Some(lock.clone())).await.0, 200);
    let (_, state) = ask(&world, Method::GET, "/state", None).await;
    assert_eq!(state["locks"], json!([lock]));
    let (status, error) =
        ask(&world, Method::POST, "/locks", Some(json!({"scope": "/x", "level": "Open"}))).await;
    assert_eq!(status, 400);
    assert!(error["error"].as_str().unwrap().contains("Open"), "{error}");
    assert_eq!(ask(&world, Method::DELETE, "/locks", None).await.1, json!({"removed": 1}));
    let off = json!({"scope": SHARED_GROUP, "tenant": TARGET, "registered": false});
    assert_eq!(ask(&world, Method::POST, "/registrations", Some(off)).await.0, 200);
    let ambiguous = json!({"scope": SHARED_GROUP, "registered": false});
    assert_eq!(ask(&world, Method::POST, "/registrations", Some(ambiguous)).await.0, 400);
}

#[tokio::test]
async fn every_refusal_is_json_and_says_what_is_wrong() {
    let world = with_endpoint().await;
    let url = world.emulator.control_url().unwrap();
    let json = Some("application/json");
    let cases = [
        ("POST", "/settings", None, "{}", 415, "Content-Type: application/json"),
        ("POST", "/settings", json, "{", 400, "EOF"),
        ("POST", "/settings", json, "[]", 400, "settings are a JSON object"),
        (
            "POST",
            "/faults",
            json,
            r#"{"match": {"nth": "first"}, "action": {"delayMs": 1}}"#,
            400,
            "match.nth: invalid type",
        ),
        (
            "POST",
            "/faults",
            json,
            r#"{"match": {"nth": 0}, "action": {"delayMs": 1}}"#,
            400,
            "match.nth: calls are counted from 1",
        ),
        (
            "POST",
            "/locks",
            json,
            r#"{"scope": "/subscriptions/x", "level": "None"}"#,
            400,
            "level: unknown variant `None`, expected `CanNotDelete` or `ReadOnly`",
        ),
        ("GET", "/arm", None, "", 400, "missing field `id`"),
        ("GET", "/ledger?since=x", None, "", 400, "since"),
        // Taken for all faults, were the parameter ignored.
        ("DELETE", "/faults?ID=3", None, "", 400, "unknown field `ID`"),
        ("DELETE", "/faults/x", None, "", 400, "x"),
        ("DELETE", "/locks?id=/subscriptions/x", None, "", 400, "unknown field `id`"),
        ("GET", "/fault", None, "", 404, "there is no /fault; GET / lists what there is"),
        ("PATCH", "/settings", json, "{}", 405, "/settings takes no PATCH"),
    ];
    for (method, path, kind, body, status, wanted) in cases {
        let mut request = world.http.request(method.parse().unwrap(), format!("{url}{path}")).body(body);
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), status, "{method} {path}");
        assert_eq!(answer.headers()["content-type"], "application/json", "{method} {path}");
        let answer: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert!(answer["error"].as_str().unwrap().contains(wanted), "{method} {path}: {answer}");
    }
}

#[tokio::test]
async fn the_help_names_every_field_of_a_fault() {
    let world = with_endpoint().await;
    let (_, help) = ask(&world, Method::GET, "/", None).await;
    let line = help
        .as_str()
        .unwrap()
        .split("POST   /faults")
        .nth(1)
        .unwrap()
        .split("DELETE")
        .next()
        .unwrap()
        .to_owned();
    // One of each, so that the list grows with the code that reads them.
    let error = ask(&world, Method::POST, "/faults", Some(json!({"action": {"x": 1}}))).await.1;
    let fields: Vec<&str> = error["error"].as_str().unwrap().split('`').skip(3).step_by(2).collect();
    assert!(fields.len() > 10, "{error}");
    for field in fields {
        assert!(line.contains(field), "{field}: {line}");
    }
}
