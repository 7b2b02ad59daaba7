//! The roles of docs/examples/azure: with them every call of the operator is let through, and without any single action
//! exactly the calls that need it are refused.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use super::support::{
    APP, CENTRAL, CENTRAL_SUBSCRIPTION, MANAGER, SHARED_GROUP, TARGET, TARGET_NETWORK, TARGET_SUBSCRIPTION,
    World, connection_of, group, member, scope_connection,
};

const MANAGER_ROLE: &str = include_str!("../../../../docs/examples/azure/manager-role.json");
const TARGET_ROLE: &str = include_str!("../../../../docs/examples/azure/target-role.json");
const NETWORK_ROLE: &str = include_str!("../../../../docs/examples/azure/network-role.json");

/// The actions of a role's file.
fn actions(role: &str) -> Vec<String> {
    let role: Value = serde_json::from_str(role).unwrap();
    serde_json::from_value(role["Actions"].clone()).unwrap()
}

/// One call of the operator.
struct Call {
    method: Method,
    /// The tenant of its token.
    tenant: &'static str,
    /// Whether it carries the target's token, too.
    second: bool,
    id: String,
    properties: Option<Value>,
    /// The actions that it needs, without their common beginning.
    needs: &'static [&'static str],
}

fn own_network() -> String {
    format!(
        "{CENTRAL_SUBSCRIPTION}/resourceGroups/myAVNMResourceGroup/providers/Microsoft.Network/virtualNetworks/centralVnet01"
    )
}

/// Every kind of call that the operator sends, in an order in which all succeed.
fn calls() -> Vec<Call> {
    let mut all = Vec::new();
    let mut say = |method: Method, tenant, id: String, properties: Option<Value>, needs| {
        let second = properties
            .as_ref()
            .is_some_and(|it| it["resourceId"].as_str().is_some_and(|id| id.starts_with(TARGET_NETWORK)));
        all.push(Call { method, tenant, second, id, properties, needs });
    };
    let subnet = format!("{TARGET_NETWORK}/subnets/app");
    let in_subnets = format!("{}/staticMembers/s", group("subnetGroup"));
    let above = |id: &str| id.rsplit_once('/').unwrap().0.to_owned();

    say(Method::GET, CENTRAL, MANAGER.into(), None, &["networkManagers/read"]);
    let half = json!({"tenantId": TARGET, "resourceId": TARGET_SUBSCRIPTION});
    let id = scope_connection("c");
    say(Method::PUT, CENTRAL, id.clone(), Some(half), &["networkManagers/scopeConnections/write"]);
    say(Method::GET, CENTRAL, id.clone(), None, &["networkManagers/scopeConnections/read"]);
    say(Method::GET, CENTRAL, above(&id), None, &["networkManagers/scopeConnections/read"]);
    for scope in [TARGET_SUBSCRIPTION, SHARED_GROUP] {
        let half = json!({"networkManagerId": MANAGER});
        let id = connection_of(scope, "c");
        say(Method::PUT, TARGET, id.clone(), Some(half), &["networkManagerConnections/write"]);
        say(Method::GET, TARGET, id.clone(), None, &["networkManagerConnections/read"]);
        say(Method::GET, TARGET, above(&id), None, &["networkManagerConnections/read"]);
    }

    say(
        Method::GET,
        CENTRAL,
        group("containsCrossTenantResources"),
        None,
        &["networkManagers/networkGroups/read"],
    );
    say(Method::GET, TARGET, TARGET_NETWORK.into(), None, &["virtualNetworks/read"]);
    say(Method::GET, TARGET, subnet.clone(), None, &["virtualNetworks/subnets/read"]);
    let of_network: &[&str] = &["networkManagers/networkGroups/staticMembers/write", "virtualNetworks/write"];
    let of_subnet: &[&str] =
        &["networkManagers/networkGroups/staticMembers/write", "virtualNetworks/subnets/write"];
    let read: &[&str] = &["networkManagers/networkGroups/staticMembers/read"];
    for (id, resource, needs) in [
        (member("m"), TARGET_NETWORK.to_owned(), of_network),
        (member("own"), own_network(), of_network),
        (in_subnets, subnet, of_subnet),
    ] {
        say(Method::PUT, CENTRAL, id.clone(), Some(json!({"resourceId": resource})), needs);
        say(Method::GET, CENTRAL, id.clone(), None, read);
        say(Method::GET, CENTRAL, above(&id), None, read);
        say(Method::DELETE, CENTRAL, id, None, &["networkManagers/networkGroups/staticMembers/delete"]);
    }
    say(Method::DELETE, CENTRAL, scope_connection("c"), None, &["networkManagers/scopeConnections/delete"]);
    for scope in [TARGET_SUBSCRIPTION, SHARED_GROUP] {
        say(Method::DELETE, TARGET, connection_of(scope, "c"), None, &["networkManagerConnections/delete"]);
    }
    all
}

/// Assigns the three roles as the guide says, without one action, and sends every call. Says what was refused.
async fn refused(world: &World, without: Option<&str>) -> Vec<bool> {
    let role = |scope: &str, role: &str| {
        let mut actions = actions(role);
        actions.retain(|action| Some(action.as_str()) != without);
        json!({"scope": scope, "actions": actions})
    };
    let central = [role(MANAGER, MANAGER_ROLE), role(&own_network(), NETWORK_ROLE)];
    let target = [
        role(TARGET_SUBSCRIPTION, TARGET_ROLE),
        role(SHARED_GROUP, TARGET_ROLE),
        role(TARGET_NETWORK, NETWORK_ROLE),
    ];
    for (tenant, roles) in [(CENTRAL, &central[..]), (TARGET, &target[..])] {
        world.edit(json!({"op": "removeServicePrincipal", "clientId": APP, "tenant": tenant}));
        world.edit(json!({"op": "addServicePrincipal", "clientId": APP, "tenant": tenant, "roles": roles}));
    }
    let second = world.token(TARGET).await;
    let mut refused = Vec::new();
    for call in calls() {
        let mut caller = world.caller(call.tenant).await;
        if call.second {
            caller = caller.with(&[&second]);
        }
        let body = call.properties.map(|properties| json!({"properties": properties}));
        let answer = caller.call(call.method.clone(), &call.id, body.as_ref()).await;
        if without.is_none() {
            assert!((200..300).contains(&answer.status), "{} {}: {answer:?}", call.method, call.id);
        }
        refused.push(answer.status == 403);
    }
    refused
}

#[tokio::test]
async fn the_roles_of_the_guide_hold_what_is_needed_and_no_more() {
    let granted: BTreeSet<String> =
        [MANAGER_ROLE, TARGET_ROLE, NETWORK_ROLE].into_iter().flat_map(actions).collect();
    let needed: BTreeSet<String> = calls()
        .iter()
        .flat_map(|call| call.needs.iter().map(|need| format!("Microsoft.Network/{need}")))
        .collect();
    assert_eq!(granted, needed, "granted (left), needed (right)");

    let world = World::instant().await;
    assert!(refused(&world, None).await.into_iter().all(|refused| !refused));
    for action in &granted {
        let answers = refused(&world, Some(action)).await;
        for (call, refused) in calls().iter().zip(answers) {
            let needs = call.needs.iter().any(|need| action == &format!("Microsoft.Network/{need}"));
            assert_eq!(refused, needs, "without {action}: {} {}", call.method, call.id);
        }
    }
}
