//! Nothing is compared that cannot fail: a fixture with one thing wrong in it is found out, and so is a wrong answer.

use avnm_conformance::decode::Decoded;
use avnm_conformance::recording::Recording;
use avnm_conformance::replay::{Played, play_spoiled};
use avnm_conformance::stage::Seen;
use rstest::rstest;
use serde_json::{Value, json};

fn fixture(name: &str) -> Value {
    let path = avnm_conformance::fixtures().join(format!("{name}.json"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// What is not explained: the exchange, and what it says.
fn unexplained(played: &Played) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (index, outcome) in played.outcomes.iter().enumerate() {
        if let Decoded::Lost(lost) = &outcome.decoded {
            found.extend(lost.iter().map(|lost| (index, format!("decoding {lost}"))));
        }
        let bare = outcome.differences.iter().filter(|it| it.explanation.is_none());
        found.extend(bare.map(|it| (index, it.difference.to_string())));
    }
    found
}

fn play(name: &str, file: &Value) -> Vec<(usize, String)> {
    let recording = Recording::parse(name, &file.to_string()).unwrap();
    unexplained(&avnm_conformance::play(&recording).unwrap())
}

/// Sets, or with `None` removes, what a pointer names.
fn change(file: &mut Value, pointer: &str, value: Option<Value>) {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let name = name.replace("~1", "/");
    let parent = file.pointer_mut(parent).unwrap_or_else(|| panic!("{pointer}"));
    match (parent, value) {
        (Value::Object(fields), Some(value)) => drop(fields.insert(name, value)),
        (Value::Object(fields), None) => drop(fields.remove(&name).unwrap_or_else(|| panic!("{pointer}"))),
        (Value::Array(items), Some(value)) => items[name.parse::<usize>().unwrap()] = value,
        (Value::Array(items), None) => drop(items.remove(name.parse::<usize>().unwrap())),
        _ => panic!("{pointer}"),
    }
}

const CONNECTION: &str = "cli-connection-subscription@2024-06-05";
const SCOPE: &str = "cli-scope-connection@2024-06-05";
const MEMBER: &str = "cli-static-member@2025-09-30";
const GROUP: &str = "cli-group@2025-09-30";

#[rstest]
// Names: missing, new, misspelt.
#[case(GROUP, "/exchanges/2/response_body/properties/memberType", None, "properties.memberType")]
#[case(GROUP, "/exchanges/2/response_body/properties/displayName", Some(json!("")), "properties.displayName")]
#[case(SCOPE, "/exchanges/2/response_body/etag", Some(json!("")), "etag")]
#[case(CONNECTION, "/exchanges/2/response_body/location", Some(json!("")), "location")]
#[case(CONNECTION, "/exchanges/2/response_body/systemData", None, "systemData")]
#[case(MEMBER, "/exchanges/3/response_body/properties/location", None, "properties.location")]
#[case(MEMBER, "/exchanges/3/response_body/properties/region", Some(json!("eastus2")), "properties.region")]
// Null, absent and empty are three things.
#[case(GROUP, "/exchanges/2/response_body/properties/description", Some(Value::Null), "another type")]
#[case(GROUP, "/exchanges/2/response_body/properties/description", Some(json!("")), "properties.description")]
#[case(GROUP, "/exchanges/0/response_body/tags", Some(Value::Null), "tags")]
#[case(GROUP, "/exchanges/0/response_body/tags", None, "tags")]
#[case(GROUP, "/exchanges/5/response_body/nextLink", Some(Value::Null), "nextLink")]
#[case(GROUP, "/exchanges/5/response_body/nextLink", None, "nextLink")]
// Types.
#[case(GROUP, "/exchanges/0/response_body/properties/networkManagerScopeAccesses", Some(json!("Connectivity")), "another type")]
#[case(GROUP, "/exchanges/2/response_body/properties/resourceGuid", Some(json!(7)), "another type")]
#[case(GROUP, "/exchanges/5/response_body/value", Some(json!([])), "value")]
// Ids and types in their casing.
#[case(GROUP, "/exchanges/2/response_body/type", Some(json!("Microsoft.Network/networkmanagers/networkGroups")), "type")]
#[case(GROUP, "/exchanges/2/response_body/id", Some(json!("/subscriptions/00000000-0000-0000-0000-000000000000/resourcegroups/test_network_manager_group000001/providers/Microsoft.Network/networkManagers/TestNetworkManager/networkGroups/TestNetworkGroup")), "id")]
#[case(GROUP, "/exchanges/2/response_body/name", Some(json!("testnetworkgroup")), "name")]
// Forms of what Azure invents.
#[case(GROUP, "/exchanges/2/response_body/etag", Some(json!("6d02e18c-0000-0200-0000-68d9c46a0000")), "etag")]
#[case(GROUP, "/exchanges/2/response_body/etag", Some(json!("")), "etag")]
#[case(GROUP, "/exchanges/1/response_body/etag", Some(json!("\"6d02e18c-0000-0200-0000-68d9c46a0000\"")), "etag")]
#[case(GROUP, "/exchanges/5/response_body/value/0/etag", Some(json!("")), "etag")]
#[case(GROUP, "/exchanges/2/response_body/systemData/createdAt", Some(json!("2025-09-28T23:27:38Z")), "createdAt")]
#[case(GROUP, "/exchanges/2/response_body/systemData/createdAt", Some(json!("2025-09-28T23:27:38.188632Z")), "createdAt")]
#[case(GROUP, "/exchanges/2/response_body/systemData/createdAt", Some(json!("2025-09-28T23:27:38.1886320+00:00")), "createdAt")]
#[case(GROUP, "/exchanges/2/response_body/systemData/createdByType", Some(json!("Human")), "createdByType")]
// What stays and what moves.
#[case(GROUP, "/exchanges/4/response_body/systemData/createdAt", Some(json!("2025-09-28T23:27:39.0000001Z")), "createdAt")]
#[case(GROUP, "/exchanges/4/response_body/properties/resourceGuid", Some(json!("ffffffff-7f36-421b-b2ca-e8a8ea5e45d0")), "resourceGuid")]
// Status and headers.
#[case(GROUP, "/exchanges/1/status", Some(json!(201)), "status")]
#[case(GROUP, "/exchanges/6/status", Some(json!(404)), "status")]
#[case(GROUP, "/exchanges/6/response_headers/content-type", Some(json!("application/json; charset=utf-8")), "content-type")]
#[case(GROUP, "/exchanges/2/response_headers/content-type", Some(json!("application/json")), "content-type")]
#[case(GROUP, "/exchanges/2/response_headers/etag", Some(json!("\"x\"")), "header etag")]
#[case(GROUP, "/exchanges/2/response_headers/x-ms-new", Some(json!("1")), "header x-ms-new")]
#[case(GROUP, "/exchanges/2/response_headers/x-ms-failure-cause", Some(json!("gateway")), "header x-ms-failure-cause")]
#[case(
    GROUP,
    "/exchanges/1/response_headers/x-ms-ratelimit-remaining-subscription-writes",
    None,
    "subscription-writes"
)]
#[case(GROUP, "/exchanges/1/response_headers/x-ms-ratelimit-remaining-tenant-writes", Some(json!("799")), "tenant-writes")]
#[case(GROUP, "/exchanges/1/response_headers/azure-asyncoperation", Some(json!("https://management.azure.com/x")), "azure-asyncoperation")]
#[case(MEMBER, "/exchanges/6/response_headers/retry-after", Some(json!("30")), "retry-after")]
#[case(MEMBER, "/exchanges/6/response_headers/location", None, "location")]
#[case(MEMBER, "/exchanges/6/status", Some(json!(200)), "status")]
#[case(MEMBER, "/exchanges/8/status", Some(json!(200)), "status")]
#[case("cli-static-member@2024-06-05", "/exchanges/6/response_headers/etag", Some(json!("\"x\"")), "header etag")]
#[case("cli-other-404-envelopes@2025-09-30", "/exchanges/1/response_body/code", Some(Value::Null), "code")]
#[case("cli-network-manager@2022-06-27", "/exchanges/0/response_body/properties/displayName", Some(json!("x")), "displayName")]
// States that cannot be.
#[case(SCOPE, "/exchanges/2/response_body/properties/connectionState", Some(json!("Paused")), "connectionState")]
#[case(SCOPE, "/exchanges/1/response_body/properties/connectionState", Some(json!("connected")), "connectionState")]
#[case(SCOPE, "/exchanges/4/response_body/value/0/properties/connectionState", Some(json!("Pending")), "connectionState")]
#[case(MEMBER, "/exchanges/2/response_body/properties/provisioningState", Some(json!("Succeeded")), "provisioningState")]
#[case(MEMBER, "/exchanges/3/response_body/properties/provisioningState", Some(json!("Succeeding")), "provisioningState")]
#[case(MEMBER, "/exchanges/3/response_body/properties/location", Some(json!("eastus")), "properties.location")]
// Values that were sent come back.
#[case(MEMBER, "/exchanges/3/response_body/properties/resourceId", Some(json!("/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/test_network_manager_static_member000001/providers/Microsoft.Network/virtualNetworks/clitest.vn000002")), "resourceId")]
#[case(GROUP, "/exchanges/0/response_body/properties/networkManagerScopes/crossTenantScopes", Some(json!([{}])), "crossTenantScopes")]
fn one_thing_wrong_is_found(
    #[case] name: &str,
    #[case] pointer: &str,
    #[case] value: Option<Value>,
    #[case] wanted: &str,
) {
    let mut file = fixture(name);
    assert!(play(name, &file).is_empty(), "the fixture is good");
    change(&mut file, pointer, value);
    let index: usize = pointer.split('/').nth(2).unwrap().parse().unwrap();
    let found = play(name, &file);
    assert!(found.iter().any(|(at, text)| *at == index && text.contains(wanted)), "{found:#?}");
}

#[test]
fn an_empty_place_of_a_member_that_succeeded_is_found() {
    let mut file = fixture(MEMBER);
    for name in ["provisioningState", "location"] {
        let value = if name == "location" { "" } else { "Succeeded" };
        change(&mut file, &format!("/exchanges/3/response_body/properties/{name}"), Some(json!(value)));
    }
    let found = play(MEMBER, &file);
    assert!(found.iter().any(|(at, text)| *at == 3 && text.contains("properties.location")), "{found:#?}");
}

#[test]
fn a_link_that_nobody_gave_is_found() {
    let mut file = fixture(MEMBER);
    let uri = file.pointer("/exchanges/8/uri").unwrap().as_str().unwrap().replace("&t=", "&t=1");
    change(&mut file, "/exchanges/8/uri", Some(json!(uri)));
    let found = play(MEMBER, &file);
    assert!(found.iter().any(|(at, text)| *at == 8 && text.contains("was not replayed")), "{found:#?}");
}

#[test]
fn an_older_shape_in_newer_traffic_is_found() {
    // The same file, as if its traffic were of 2025: every older shape in it stands alone.
    let text =
        fixture("cli-connection-subscription@2022-03-09").to_string().replace("2022-03-07T", "2025-03-07T");
    let found = play("cli-connection-subscription@2025-03-09", &serde_json::from_str(&text).unwrap());
    for wanted in ["location", "systemData", "type", "displayName", "multiTenantScopes", "global"] {
        assert!(found.iter().any(|(_, text)| text.contains(wanted)), "{wanted}: {found:#?}");
    }
    let text = fixture("cli-static-member@2024-06-05").to_string().replace("2024-05-21T", "2024-11-21T");
    let found = play("cli-static-member@2024-12-01", &serde_json::from_str(&text).unwrap());
    assert!(
        found.iter().any(|(_, text)| text.contains("status: recorded 200, the emulator has 202")),
        "{found:#?}"
    );
}

#[test]
fn headers_that_the_cli_strips_count_elsewhere() {
    let found = play("ps-group@2025-09-30", &fixture(GROUP));
    for wanted in ["x-ms-request-id", "x-ms-routing-request-id", "subscription-reads"] {
        assert!(found.iter().any(|(_, text)| text.contains(wanted)), "{wanted}: {found:#?}");
    }
}

/// A conversion may have dropped the header that tells the front end, whoever recorded; where it is kept, it counts.
#[test]
fn a_global_count_is_missed_where_front_ends_are_told() {
    let global = |file: &Value| {
        let found = play("ps-group@2025-09-30", file);
        found.into_iter().filter(|(_, text)| text.contains("-global-")).map(|(at, _)| at).collect::<Vec<_>>()
    };
    let mut file = fixture(GROUP);
    for index in 0..8 {
        let headers = file.pointer_mut(&format!("/exchanges/{index}/response_headers")).unwrap();
        headers.as_object_mut().unwrap().retain(|name, _| !name.contains("-global-"));
    }
    assert_eq!(global(&file), [] as [usize; 0]);
    let name = "x-ms-throttling-version";
    change(&mut file, &format!("/exchanges/2/response_headers/{name}"), Some(json!("v2")));
    let found = global(&file);
    assert!(!found.contains(&2) && found.len() == 7, "{found:?}");
}

/// Changes to what the emulator says, instead of to what was recorded.
#[rstest]
#[case(GROUP, 2, |seen: &mut Seen| { seen.body.as_mut().unwrap()["properties"]["memberType"].take(); }, "memberType")]
#[case(GROUP, 2, |seen: &mut Seen| { seen.body.as_mut().unwrap()["etag"] = json!("x"); }, "etag")]
#[case(GROUP, 2, |seen: &mut Seen| { seen.headers.insert("retry-after-ms".into(), "1".into()); }, "retry-after-ms")]
#[case(GROUP, 2, |seen: &mut Seen| { seen.headers.clear(); }, "content-type")]
#[case(GROUP, 2, |seen: &mut Seen| { seen.body = None; }, "body")]
#[case(GROUP, 6, |seen: &mut Seen| { seen.body = Some(json!({})); }, "body")]
#[case(GROUP, 1, |seen: &mut Seen| { seen.status = 201; }, "status")]
#[case(MEMBER, 6, |seen: &mut Seen| { seen.headers.remove("location"); }, "location")]
#[case(MEMBER, 6, |seen: &mut Seen| { let it = seen.headers.get_mut("location").unwrap(); *it = it.replace("&s=", "&z="); }, "parameter")]
fn a_wrong_answer_of_the_emulator_is_found(
    #[case] name: &str,
    #[case] index: usize,
    #[case] spoil: fn(&mut Seen),
    #[case] wanted: &str,
) {
    let recording = Recording::parse(name, &fixture(name).to_string()).unwrap();
    let spoil = |at: usize, seen: &mut Seen| {
        if at == index {
            spoil(seen);
        }
    };
    let played = avnm_conformance::on_paused_clock(play_spoiled(&recording, &spoil)).unwrap();
    let found = unexplained(&played);
    assert!(found.iter().any(|(at, text)| *at == index && text.contains(wanted)), "{found:#?}");
}
