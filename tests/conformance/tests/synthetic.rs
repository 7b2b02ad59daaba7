//! Families of traffic that no fixture has, made up after what is known of them: PowerShell's recordings with every
//! header, things made outside of the file, refusals, pages, other child types.

use avnm_conformance::recording::Recording;
use avnm_conformance::replay::Played;
use avnm_conformance::report::{Counts, report};
use serde_json::{Value, json};

const S: &str = "/subscriptions/11111111-2222-4333-8444-555555555555";
const TENANT: &str = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee";
const GUID: &str = "0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d";

fn manager() -> String {
    format!("{S}/resourceGroups/ps1234/providers/Microsoft.Network/networkManagers/nm")
}

fn group_of_management() -> String {
    "/providers/Microsoft.Management/managementGroups/PowerShellGroup".into()
}

/// Times of one file: each asks for the second after the first.
fn times(created: u32, modified: u32) -> Value {
    json!({
        "createdBy": GUID, "createdByType": "Application", "createdAt": format!("2024-10-18T05:00:{created:02}.0456618Z"),
        "lastModifiedBy": GUID, "lastModifiedByType": "Application", "lastModifiedAt": format!("2024-10-18T05:00:{modified:02}.0456618Z"),
    })
}

const ETAG: &str = "\"1200b5a5-0000-3300-0000-6711f48c0000\"";

fn manager_body(etag: &str, accesses: &[&str], state: &str, tags: &Value, times: &Value) -> Value {
    json!({
        "name": "nm", "id": manager(), "location": "centraluseuap", "type": "Microsoft.Network/networkManagers",
        "tags": tags, "etag": etag,
        "properties": {
            "description": "", "networkManagerScopes": {"managementGroups": [], "subscriptions": [S], "crossTenantScopes": []},
            "provisioningState": state, "networkManagerScopeAccesses": accesses, "resourceGuid": GUID,
        },
        "systemData": times,
    })
}

fn put_manager(accesses: &[&str]) -> Value {
    json!({"location": "centraluseuap", "properties": {"networkManagerScopes": {"subscriptions": [S]}, "networkManagerScopeAccesses": accesses}})
}

fn group_body(etag: &str, times: &Value) -> Value {
    json!({
        "name": "g", "id": format!("{}/networkGroups/g", manager()), "type": "Microsoft.Network/networkManagers/networkGroups",
        "etag": etag,
        "properties": {"description": "", "provisioningState": "Succeeded", "memberType": "VirtualNetwork", "resourceGuid": "1a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d"},
        "systemData": times,
    })
}

fn member_body(name: &str, etag: &str, state: &str, location: &str, times: &Value) -> Value {
    json!({
        "name": name, "id": format!("{}/networkGroups/g/staticMembers/{name}", manager()),
        "type": "Microsoft.Network/networkManagers/networkGroups/staticMembers", "etag": etag,
        "properties": {"resourceId": network(), "provisioningState": state, "location": location},
        "systemData": times,
    })
}

fn network() -> String {
    format!("{S}/resourceGroups/ps1234/providers/Microsoft.Network/virtualnetworks/v")
}

fn scope_connection_body(state: &str, description: &str, times: &Value) -> Value {
    json!({
        "id": format!("{}/scopeConnections/c", manager()), "name": "c", "type": "Microsoft.Network/networkManagers/scopeConnections",
        "properties": {"tenantId": TENANT, "resourceId": S, "connectionState": state, "description": description},
        "systemData": times,
    })
}

fn connection_body(scope: &str, name: &str, manager: &str, state: &str, times: &Value) -> Value {
    json!({
        "id": format!("{scope}/providers/Microsoft.Network/networkManagerConnections/{name}"), "name": name,
        "type": "Microsoft.Network/networkManagerConnections",
        "properties": {"networkManagerId": manager, "connectionState": state, "description": ""},
        "systemData": times,
    })
}

fn values_first(items: &[Value]) -> Value {
    json!({"value": items, "nextLink": ""})
}

fn links_first(items: &[Value]) -> Value {
    json!({"nextLink": "", "value": items})
}

fn not_found(id: &str) -> Value {
    json!({"error": {"message": format!("Resource [{id}] does not exist or has been deleted"), "code": "NotFound"}})
}

/// An exchange with every header, as PowerShell's recorder keeps them. An error with its code first is ARM's own.
fn full(method: &str, uri: &str, sent: &Value, status: u16, body: &Value) -> Value {
    let class = match method {
        "GET" => "reads",
        "DELETE" => "deletes",
        _ => "writes",
    };
    let id = "3c3e7ea4-7d1f-4c3f-9d65-6f0b4f0a6d3a";
    let mut headers = json!({
        "Cache-Control": "no-cache", "Pragma": "no-cache", "Date": "Fri, 18 Oct 2024 05:00:00 GMT", "Expires": "-1",
        "Strict-Transport-Security": "max-age=31536000; includeSubDomains", "X-Content-Type-Options": "nosniff",
        "X-Cache": "CONFIG_NOCACHE", "X-MSEdge-Ref": "Ref A: 1 Ref B: 2 Ref C: 3",
        "x-ms-request-id": id, "x-ms-correlation-request-id": id,
        "x-ms-routing-request-id": format!("WESTUS2:20241018T050000Z:{id}"),
    });
    let gateway = body["error"].as_object().is_some_and(|error| error.contains_key("gateway"));
    let mut body = body.clone();
    if gateway {
        body["error"].as_object_mut().unwrap().remove("gateway");
        headers["x-ms-failure-cause"] = json!("gateway");
    } else if uri.starts_with("/providers/Microsoft.Management") {
        headers[format!("x-ms-ratelimit-remaining-tenant-{class}")] = json!("799");
    } else {
        headers[format!("x-ms-ratelimit-remaining-subscription-{class}")] = json!("799");
        headers[format!("x-ms-ratelimit-remaining-subscription-global-{class}")] = json!("11999");
    }
    if body.is_null() {
        headers["Content-Length"] = json!("0");
    } else {
        headers["Content-Type"] = json!("application/json; charset=utf-8");
    }
    json!({
        "method": method, "uri": format!("https://management.azure.com{uri}{}api-version=2024-05-01", if uri.contains('?') { "&" } else { "?" }),
        "request_headers": {"x-ms-client-request-id": "9"}, "request_body": sent, "status": status,
        "response_headers": headers, "response_body": body,
    })
}

fn get(uri: &str, status: u16, body: &Value) -> Value {
    full("GET", uri, &Value::Null, status, body)
}

fn play(name: &str, exchanges: &[Value]) -> Played {
    let recording = Recording::parse(name, &json!(exchanges).to_string()).unwrap();
    let played = avnm_conformance::play(&recording).unwrap();
    let (text, _) = report(std::slice::from_ref(&played), true);
    println!("{text}");
    played
}

/// Plays a file of which nothing may be left unexplained, and gives the rules that explained something.
fn good(name: &str, exchanges: &[Value]) -> Vec<&'static str> {
    let played = play(name, exchanges);
    assert_eq!(Counts::of(&played).unexplained, 0, "see the report above");
    let outcomes = played.outcomes.iter().flat_map(|it| &it.differences);
    let mut rules: Vec<&str> = outcomes.filter_map(|it| it.explanation.map(|it| it.name)).collect();
    rules.sort_unstable();
    rules.dedup();
    rules
}

fn bad(name: &str, exchanges: &[Value]) -> String {
    let played = play(name, exchanges);
    let (text, good) = report(&[played], false);
    assert!(!good, "{text}");
    text
}

#[test]
fn a_scope_connection_with_every_header() {
    let one = format!("{}/scopeConnections/c", manager());
    let sent = |text: &str| json!({"properties": {"tenantId": TENANT, "resourceId": S, "description": text}});
    let mut trimmed = scope_connection_body("Connected", "a", &times(5, 5));
    // The recorder took a zero away, here and there.
    let first = json!("2024-10-18T05:00:05.045661Z");
    let mut exchanges = vec![
        full(
            "PUT",
            &manager(),
            &put_manager(&["Connectivity"]),
            200,
            &manager_body("", &["Connectivity"], "Succeeded", &json!({}), &times(1, 1)),
        ),
        full("PUT", &one, &sent("a"), 200, &scope_connection_body("Pending", "a", &times(5, 5))),
        get(&one, 200, &trimmed),
        full("PUT", &one, &sent("b"), 200, &scope_connection_body("Connected", "b", &times(7, 7))),
        get(
            &format!("{}/scopeConnections", manager()),
            200,
            &values_first(&[scope_connection_body("Connected", "b", &times(7, 7))]),
        ),
        full("DELETE", &one, &Value::Null, 200, &Value::Null),
        get(&one, 404, &not_found(&one)),
        full("DELETE", &format!("{}?force=true", manager()), &Value::Null, 200, &Value::Null),
    ];
    assert!(good("ps-scope-connection@2024-10-18", &exchanges).is_empty());
    for name in ["createdAt", "lastModifiedAt"] {
        trimmed["systemData"][name].clone_from(&first);
        let whole = json!("2024-10-18T05:00:05.0456610Z");
        exchanges[1]["response_body"]["systemData"][name] = whole;
        exchanges[2]["response_body"]["systemData"][name].clone_from(&first);
    }
    assert_eq!(good("ps-scope-connection@2024-10-18", &exchanges), ["trimmed-zero"]);
    // createdAt of this type moves with each PUT.
    exchanges[3]["response_body"]["systemData"]["createdAt"] = json!("2024-10-18T05:00:05.0456610Z");
    assert!(bad("ps-scope-connection@2024-10-18", &exchanges).contains("createdAt"));
}

#[test]
fn a_management_group_and_what_others_made_at_it() {
    let scope = group_of_management();
    let list = format!("{scope}/providers/Microsoft.Network/networkManagerConnections");
    let one = format!("{list}/mine");
    let others = [
        connection_body(&scope, "conflicting", "", "Conflict", &times(1, 1)),
        connection_body(&scope, "touched", &manager(), "Connected", &times(1, 2)),
    ];
    let mine = |at| connection_body(&scope, "mine", &manager(), "Pending", &times(at, at));
    let sent = json!({"properties": {"networkManagerId": manager()}});
    let exchanges = [
        full("PUT", &one, &sent, 200, &mine(8)),
        get(&one, 200, &mine(8)),
        get(&list, 200, &values_first(&[others[0].clone(), mine(8), others[1].clone()])),
        // One of the others goes, another becomes something else.
        get(
            &list,
            200,
            &values_first(&[
                mine(8),
                connection_body(&scope, "touched", &manager(), "Revoked", &times(1, 9)),
            ]),
        ),
        full("DELETE", &one, &Value::Null, 200, &Value::Null),
        get(&one, 404, &not_found(&one)),
        full("DELETE", &one, &Value::Null, 204, &Value::Null),
    ];
    assert!(good("ps-connection-management-group@2024-10-18", &exchanges).is_empty());
    // What the file itself made cannot vanish from a list.
    let mut spoiled = exchanges.to_vec();
    spoiled[2]["response_body"] = values_first(&others);
    assert!(bad("ps-connection-management-group@2024-10-18", &spoiled).contains("mine"));
}

#[test]
fn a_manager_that_the_file_never_made() {
    let list = format!("{S}/providers/Microsoft.Network/networkManagerConnections");
    let one = format!("{list}/mine");
    let body = |state: &str| connection_body(S, "mine", &manager(), state, &times(3, 3));
    let sent = json!({"properties": {"networkManagerId": manager(), "connectionState": "Pending"}});
    for state in ["Pending", "Connected", "Conflict", "Revoked"] {
        let exchanges = [
            full("PUT", &one, &sent, 200, &body("Pending")),
            get(&one, 200, &body(state)),
            get(&list, 200, &values_first(&[body(state)])),
        ];
        assert!(good("ps-connection-subscription@2024-10-18", &exchanges).is_empty(), "{state}");
    }
    let backwards = [
        full("PUT", &one, &sent, 200, &body("Pending")),
        get(&one, 200, &body("Connected")),
        get(&one, 200, &body("Pending")),
    ];
    assert!(bad("ps-connection-subscription@2024-10-18", &backwards).contains("connectionState"));
}

#[test]
fn a_member_that_fails_and_a_group_that_takes_long() {
    let group = format!("{}/networkGroups/g", manager());
    let one = format!("{group}/staticMembers/m");
    let sent = json!({"properties": {"resourceId": network()}});
    let result = |time: &str| {
        format!(
            "{group}/operationResults/1a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d?t={time}&c=MIIH&s=sig&h={time}hash"
        )
    };
    let mut accepted = full("DELETE", &format!("{group}?force=false"), &Value::Null, 202, &Value::Null);
    let link =
        |time: &str| json!(format!("https://management.azure.com{}&api-version=2024-05-01", result(time)));
    accepted["response_headers"]["Location"] = link("638946981082402242");
    let mut running = get(&result("638946981082402242"), 202, &Value::Null);
    running["response_headers"]["Location"] = link("638946981087414099");
    let absent = json!({"error": {"message": format!("Resource [{group}/staticMembersm] does not exist or has been deleted"), "code": "NotFound"}});
    let exchanges = [
        full(
            "PUT",
            &manager(),
            &put_manager(&["Connectivity"]),
            200,
            &manager_body("", &["Connectivity"], "Succeeded", &json!({}), &times(1, 1)),
        ),
        full("PUT", &group, &json!({"properties": {}}), 200, &group_body("", &times(2, 2))),
        get(&one, 404, &absent),
        full("PUT", &one, &sent, 200, &member_body("m", "", "Updating", "", &times(3, 3))),
        get(&one, 200, &member_body("m", ETAG, "Failed", "", &times(3, 3))),
        full("PUT", &one, &sent, 200, &member_body("m", "", "Updating", "", &times(3, 5))),
        get(&one, 200, &member_body("m", ETAG, "Updating", "centraluseuap", &times(3, 5))),
        get(&one, 200, &member_body("m", ETAG, "Succeeded", "centraluseuap", &times(3, 5))),
        get(
            &format!("{group}/staticMembers"),
            200,
            &links_first(&[
                member_body("m", ETAG, "Succeeded", "centraluseuap", &times(3, 5)),
                member_body("theirs", ETAG, "Failed", "", &times(1, 1)),
            ]),
        ),
        full("DELETE", &one, &Value::Null, 200, &Value::Null),
        get(&one, 404, &absent),
        accepted,
        running,
        get(&result("638946981087414099"), 204, &Value::Null),
        get(&result("638946981087414099"), 204, &Value::Null),
        full("PUT", &group, &json!({"properties": {}}), 200, &{
            let mut again = group_body("", &times(9, 9));
            again["properties"]["resourceGuid"] = json!("2a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d");
            again
        }),
    ];
    assert_eq!(good("ps-static-member@2024-10-18", &exchanges), ["timing-member"]);
}

#[test]
fn polls_of_what_began_before_the_file() {
    let result = format!("{}/networkGroups/g/operationResults/{GUID}?t=1&c=a&s=b&h=c", manager());
    assert_eq!(good("ps-x@2024-10-18", &[get(&result, 204, &Value::Null)]), ["before-file"]);
}

#[test]
fn a_manager_patched_listed_and_changed() {
    let tags = json!({"a": "b"});
    let all = ["Connectivity", "SecurityAdmin"];
    let patched = |etag: &str| manager_body(etag, &["Connectivity"], "Succeeded", &tags, &times(1, 2));
    let mut other = manager_body(ETAG, &["Routing"], "Succeeded", &json!({}), &times(0, 0));
    let other_id = format!("{S}/resourceGroups/elsewhere/providers/Microsoft.Network/networkManagers/other");
    (other["id"], other["name"]) = (json!(other_id), json!("other"));
    other["properties"]["resourceGuid"] = json!("7a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d");
    let exchanges = [
        full(
            "PUT",
            &manager(),
            &put_manager(&["Connectivity"]),
            200,
            &manager_body("", &["Connectivity"], "Succeeded", &json!({}), &times(1, 1)),
        ),
        full("PATCH", &manager(), &json!({"tags": tags}), 200, &patched("")),
        get(&manager(), 200, &patched(ETAG)),
        get(
            &format!("{S}/providers/Microsoft.Network/networkManagers"),
            200,
            &links_first(&[other, patched(ETAG)]),
        ),
        get(
            &format!("{S}/resourceGroups/ps1234/providers/Microsoft.Network/networkManagers"),
            200,
            &links_first(&[patched(ETAG)]),
        ),
        full(
            "PUT",
            &manager(),
            &put_manager(&all),
            200,
            &manager_body("", &all, "Updating", &json!({}), &times(1, 4)),
        ),
        get(&manager(), 200, &manager_body(ETAG, &all, "Updating", &json!({}), &times(1, 4))),
        get(&manager(), 200, &manager_body(ETAG, &all, "Succeeded", &json!({}), &times(1, 4))),
    ];
    assert!(good("ps-network-manager@2024-10-18", &exchanges).is_empty());
}

#[test]
fn pages_by_what_is_asked_and_by_themselves() {
    let list = format!("{}/networkGroups/g/staticMembers", manager());
    let item = |name: &str| member_body(name, ETAG, "Succeeded", "westus", &times(1, 1));
    let page = |items: &[Value], link: &str| json!({"nextLink": link, "value": items});
    for (top, name) in [("?$top=2", "asked"), ("", "unasked")] {
        let next = format!("{list}{top}{}$skipToken=2", if top.is_empty() { "?" } else { "&" });
        let link = format!("https://management.azure.com{next}&api-version=2024-05-01");
        // Azure's order is not the emulator's.
        let exchanges = [
            get(&format!("{list}{top}"), 200, &page(&[item("c"), item("a")], &link)),
            get(&next, 200, &page(&[item("b")], "")),
        ];
        assert!(good("ps-pages@2024-10-18", &exchanges).is_empty(), "{name}");
        assert!(good("ps-pages@2024-10-18", &exchanges[..1]).is_empty(), "{name}, cut off");
        assert_eq!(good("ps-pages@2024-10-18", &exchanges[1..]), ["before-file"], "{name}, begun before");
    }
    let relative = [get(&list, 200, &page(&[item("a")], "/x?$skipToken=1"))];
    assert!(bad("ps-pages@2024-10-18", &relative).contains("nextLink"));
}

#[test]
fn other_child_types_and_other_services() {
    let child = |name: &str| format!("{}/{name}", manager());
    let mut graph = get("/v1.0/me", 200, &json!({}));
    graph["uri"] = json!("https://graph.microsoft.com/v1.0/me");
    let exchanges = [
        full(
            "PUT",
            &child("connectivityConfigurations/c"),
            &json!({"properties": {}}),
            201,
            &json!({"properties": {"hubs": []}}),
        ),
        get(&child("securityAdminConfigurations"), 200, &links_first(&[])),
        // Another form than the emulator's: whether this type's 404 has an envelope is not known.
        get(
            &child("routingConfigurations/r"),
            404,
            &json!({"code": "NotFound", "message": "not there", "target": null}),
        ),
        get(
            &child("ipamPools/p"),
            404,
            &json!({"code": "NotFound", "message": format!("Ipam pool '{}' not found.", child("ipamPools/p")), "target": null, "details": null, "additionalInfo": null}),
        ),
        full("DELETE", &child("verifierWorkspaces/w?force=true"), &Value::Null, 204, &Value::Null),
        full("POST", &child("commit"), &json!({}), 202, &Value::Null),
        get(&format!("{S}/providers/Microsoft.Network"), 200, &json!({"namespace": "Microsoft.Network"})),
        get(
            &format!("{S}/providers/Microsoft.Network/locations/westus/operations/{GUID}"),
            200,
            &json!({"status": "Succeeded"}),
        ),
        full(
            "DELETE",
            &manager(),
            &Value::Null,
            409,
            &json!({"error": {"gateway": true, "code": "CannotDeleteResource", "message": "Cannot delete resource while nested resources exist. Some existing nested resource IDs include: 'Microsoft.Network/networkManagers/nm/verifierWorkspaces/W'. Please delete all nested resources before deleting this resource."}}),
        ),
        full("PUT", &format!("{S}/resourceGroups/ps1234"), &json!({"location": "eastus"}), 201, &json!({})),
        full(
            "PUT",
            &network(),
            &json!({"location": "westus"}),
            200,
            &json!({"id": network(), "location": "westus", "properties": {}}),
        ),
        full(
            "PUT",
            &manager(),
            &put_manager(&["Routing"]),
            500,
            &json!({"error": {"message": "An error occurred.", "code": "InternalServerError"}}),
        ),
        graph,
    ];
    let rules = good("ps-neighbours@2024-10-18", &exchanges);
    let wanted = [
        "container",
        "neighbour-body",
        "neighbour-nested",
        "neighbour-type",
        "network-write",
        "other-network-type",
        "other-service",
        "server-fault",
    ];
    assert_eq!(rules, wanted);
    // A misspelt type of ours is no neighbour.
    let misspelt = [get(&child("scopeConnectionz"), 200, &values_first(&[]))];
    assert!(bad("ps-neighbours@2024-10-18", &misspelt).contains("was not replayed"));
}

#[test]
fn refusals_in_other_tenants() {
    let (ours, theirs) = ("bbbbbbbb-0000-4000-8000-000000000001", "cccccccc-0000-4000-8000-000000000001");
    let linked = "dddddddd-0000-4000-8000-000000000001";
    let one = format!("{}/networkGroups/g/staticMembers/m", manager());
    let remote =
        format!("/subscriptions/{linked}/resourceGroups/r/providers/Microsoft.Network/virtualNetworks/v");
    let gateway =
        |code: &str, message: String| json!({"error": {"gateway": true, "code": code, "message": message}});
    let linked_text = format!(
        "The client has permission to perform action 'Microsoft.Network/virtualNetworks/write' on scope '{one}', however the current tenant '{ours}' is not authorized to access linked subscription '{linked}'."
    );
    let issuer = format!(
        "The access token is from the wrong issuer 'https://sts.windows.net/{theirs}/'. It must match the tenant 'https://sts.windows.net/{ours}/' associated with this subscription. Please use the authority (URL) 'https://login.windows.net/{ours}' to get the token. Note, if the subscription is transferred to another tenant there is no impact to the services, but information about new tenant could take time to propagate (up to an hour). If you just transferred your subscription and see this error message, please try back later."
    );
    let unauthorized = format!(
        "The client '{GUID}' with object id '{GUID}' does not have authorization to perform action 'Microsoft.Network/networkManagers/read' over scope '{}' or the scope is invalid. If access was recently granted, please refresh your credentials.",
        manager()
    );
    let mut feature = full(
        "PUT",
        &manager(),
        &put_manager(&["SecurityUser"]),
        400,
        &json!({"error": {
        "message": format!("The subscription: {GUID} is not registered for feature: AllowAVNMPreviewJuly2022"), "code": "BadRequest"}}),
    );
    feature["request_body"]["properties"]["description"] = json!("x");
    let throttled = {
        let text = format!(
            "Number of 'read' requests for subscription '{GUID}' actor '{GUID}' exceeded. Please try again after '10' seconds."
        );
        let mut it = get(&manager(), 429, &gateway("SubscriptionRequestsThrottled", text));
        it["response_headers"]["Retry-After"] = json!("10");
        it
    };
    let exchanges = [
        full(
            "PUT",
            &one,
            &json!({"properties": {"resourceId": remote}}),
            403,
            &gateway("LinkedAuthorizationFailed", linked_text),
        ),
        get(&manager(), 403, &gateway("AuthorizationFailed", unauthorized)),
        feature,
        throttled,
        get(&manager(), 200, &manager_body(ETAG, &["Connectivity"], "Succeeded", &json!({}), &times(1, 1))),
    ];
    assert!(good("ps-refusals@2024-10-18", &exchanges).is_empty());
    let wrong =
        full("GET", &manager(), &Value::Null, 401, &gateway("InvalidAuthenticationTokenTenant", issuer));
    good("ps-refusals@2024-10-18", &[wrong]);
}

#[test]
fn an_older_build_with_every_header() {
    let scope = format!("{S}/providers/Microsoft.Network/networkManagerConnections");
    let one = format!("{scope}/mine");
    let old = |exchange: Value| {
        let text = exchange.to_string().replace("2024-10-18T", "2022-06-10T").replace("11999", "remove");
        let mut exchange: Value = serde_json::from_str(&text).unwrap();
        let headers = exchange["response_headers"].as_object_mut().unwrap();
        headers.retain(|_, value| value != "remove");
        exchange
    };
    let mut body = connection_body(S, "mine", &manager(), "Pending", &Value::Null);
    body.as_object_mut().unwrap().remove("systemData");
    body["location"] = json!("");
    let absent = json!({"error": {"message": format!("Resource  [{one}] does not exist or has been deleted"), "code": "NotFound"}});
    let exchanges: Vec<Value> = [
        full(
            "PUT",
            &one,
            &json!({"properties": {"networkManagerId": manager(), "connectionState": "Pending"}}),
            200,
            &body,
        ),
        get(&scope, 200, &values_first(&[body.clone()])),
        full("DELETE", &one, &Value::Null, 200, &Value::Null),
        get(&one, 404, &absent),
    ]
    .into_iter()
    .map(old)
    .collect();
    let wanted =
        ["older-404-text", "older-connection-location", "older-connection-system-data", "older-rate-limits"];
    assert_eq!(good("ps-connection-subscription@2022-06-10", &exchanges), wanted);
    assert!(bad("ps-connection-subscription@2024-10-18", &exchanges).contains("Resource  ["));
}

#[test]
fn reads_of_what_the_file_never_made() {
    let group = format!("{}/networkGroups/g", manager());
    let lower = manager().replace("resourceGroups", "resourcegroups").replace("/nm", "/gone");
    let gone = json!({"error": {"gateway": true, "code": "ResourceNotFound", "message": "The Resource 'Microsoft.Network/networkManagers/gone' under resource group 'ps1234' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix"}});
    let exchanges = [
        get(&format!("{group}/staticMembers/m"), 200, &member_body("m", ETAG, "Updating", "", &times(1, 1))),
        get(&group, 200, &group_body(ETAG, &times(1, 2))),
        get(
            &manager(),
            200,
            &manager_body(ETAG, &["Connectivity"], "Succeeded", &json!({"x": "y"}), &times(1, 2)),
        ),
        get(
            &format!("{}/scopeConnections/c", manager()),
            200,
            &scope_connection_body("Rejected", "", &times(1, 1)),
        ),
        get(&lower, 404, &gone),
        full("DELETE", &format!("{}/scopeConnections/c", manager()), &Value::Null, 200, &Value::Null),
        full("DELETE", &format!("{}/scopeConnections/never", manager()), &Value::Null, 204, &Value::Null),
    ];
    assert!(good("ps-reads@2024-10-18", &exchanges).is_empty());
}

#[test]
fn what_time_did_before_it_was_asked() {
    let groups = |name: &str, guid: &str, at: u32| {
        let text = group_body("", &times(at, at)).to_string();
        let text = text
            .replace("networkGroups/g\"", &format!("networkGroups/{name}\""))
            .replace("\"g\"", &format!("\"{name}\""));
        serde_json::from_str::<Value>(&text.replace("1a1b2c3d", guid)).unwrap()
    };
    let uri = |name: &str| format!("{}/networkGroups/{name}", manager());
    let result = |name: &str, guid: &str, time: u32| {
        format!("{}/operationResults/{guid}-4e5f-4a6b-8c7d-9e0f1a2b3c4d?t={time}&c=M&s=s&h=h", uri(name))
    };
    let accepted = |name: &str, guid: &str, time: u32, mut exchange: Value| {
        let link = format!("https://management.azure.com{}&api-version=2024-05-01", result(name, guid, time));
        exchange["response_headers"]["Location"] = json!(link);
        exchange
    };
    let half = format!("{}/scopeConnections/c", manager());
    let other = format!("{S}/providers/Microsoft.Network/networkManagerConnections/mine");
    let all = ["Connectivity", "SecurityAdmin"];
    let exchanges = [
        full(
            "PUT",
            &manager(),
            &put_manager(&["Connectivity"]),
            200,
            &manager_body("", &["Connectivity"], "Succeeded", &json!({}), &times(1, 1)),
        ),
        full("PUT", &uri("a"), &json!({}), 200, &groups("a", "aaaaaaaa", 2)),
        full("PUT", &uri("b"), &json!({}), 200, &groups("b", "bbbbbbbb", 3)),
        full(
            "PUT",
            &half,
            &json!({"properties": {"tenantId": TENANT, "resourceId": S}}),
            200,
            &scope_connection_body("Pending", "", &times(4, 4)),
        ),
        full(
            "PUT",
            &other,
            &json!({"properties": {"networkManagerId": manager()}}),
            200,
            &connection_body(S, "mine", &manager(), "Pending", &times(5, 5)),
        ),
        get(&half, 200, &scope_connection_body("Connected", "", &times(4, 4))),
        get(&other, 200, &connection_body(S, "mine", &manager(), "Pending", &times(5, 5))),
        full(
            "PUT",
            &manager(),
            &put_manager(&all),
            200,
            &manager_body("", &all, "Updating", &json!({}), &times(1, 6)),
        ),
        accepted("a", "aaaaaaaa", 1, full("DELETE", &uri("a"), &Value::Null, 202, &Value::Null)),
        accepted("b", "bbbbbbbb", 1, full("DELETE", &uri("b"), &Value::Null, 202, &Value::Null)),
        get(&result("a", "aaaaaaaa", 1), 204, &Value::Null),
        accepted("b", "bbbbbbbb", 2, get(&result("b", "bbbbbbbb", 1), 202, &Value::Null)),
        get(&manager(), 200, &manager_body(ETAG, &all, "Updating", &json!({}), &times(1, 6))),
        // What is running again after it was done did not do so by itself.
        get(&manager(), 200, &manager_body(ETAG, &all, "Succeeded", &json!({}), &times(1, 6))),
    ];
    let wanted = ["timing-connection", "timing-manager", "timing-operation"];
    assert_eq!(good("ps-timing@2024-10-18", &exchanges), wanted);
    let mut backwards = exchanges.to_vec();
    backwards.swap(12, 13);
    assert!(bad("ps-timing@2024-10-18", &backwards).contains("provisioningState"));
}

#[test]
fn previews_of_2021() {
    let old = |value: Value| {
        serde_json::from_str::<Value>(
            &value.to_string().replace("2024-10-18T", "2021-09-18T").replace("11999", "0"),
        )
        .unwrap()
    };
    let strip = |mut exchange: Value| {
        exchange["response_headers"]
            .as_object_mut()
            .unwrap()
            .retain(|_, value| value != "0" || value.is_null());
        let properties = exchange["response_body"]["properties"].as_object_mut().unwrap();
        properties.remove("resourceGuid");
        properties.insert("displayName".into(), json!(""));
        exchange
    };
    let mut manager_exchange = full(
        "PUT",
        &manager(),
        &put_manager(&["Connectivity"]),
        200,
        &manager_body("", &["Connectivity"], "Succeeded", &json!({}), &times(1, 1)),
    );
    manager_exchange["response_body"]["properties"]["networkManagerScopes"]
        .as_object_mut()
        .unwrap()
        .remove("crossTenantScopes");
    let sent = json!({"properties": {"memberType": "Microsoft.Network/virtualNetworks", "groupMembers": []}});
    let mut group_exchange =
        full("PUT", &format!("{}/networkGroups/g", manager()), &sent, 200, &group_body("", &times(2, 2)));
    let properties = &mut group_exchange["response_body"]["properties"];
    properties["memberType"] = json!("Microsoft.Network/virtualNetworks");
    properties["groupMembers"] = json!([{"resourceId": network()}]);
    properties["conditionalMembership"] = json!("");
    let exchanges = [strip(old(manager_exchange)), strip(old(group_exchange))];
    let wanted = [
        "older-display-name",
        "older-group-members",
        "older-multi-tenant-scopes",
        "older-rate-limits",
        "older-resource-guid",
    ];
    assert_eq!(good("ps-network-group@2021-09-18", &exchanges), wanted);
}

#[test]
fn a_network_is_there_and_where() {
    let id = network().replace("virtualnetworks", "virtualNetworks");
    let body = |location: &str| {
        json!({"name": "v", "id": id, "etag": format!("W/\"{GUID}\""), "type": "Microsoft.Network/virtualNetworks", "location": location,
        "properties": {"provisioningState": "Succeeded", "resourceGuid": GUID, "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": [], "virtualNetworkPeerings": [], "privateEndpointVNetPolicies": "Disabled"}})
    };
    let exchanges = [get(&id, 200, &body("westus"))];
    good("ps-network@2024-10-18", &exchanges);
    let mut wrong = exchanges.to_vec();
    wrong[0]["response_body"]["location"] = Value::Null;
    assert!(bad("ps-network@2024-10-18", &wrong).contains("location"));
}
