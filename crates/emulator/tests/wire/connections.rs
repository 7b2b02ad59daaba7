//! The handshake: two halves in two tenants, and the manager's list.

use serde_json::{Value, json};

use super::support::{
    CENTRAL, CENTRAL_SUBSCRIPTION, Caller, MANAGER, SHARED_GROUP, TARGET, TARGET_SUBSCRIPTION, World,
    connection_of, field_order, scope_connection,
};

async fn scope_half(caller: &Caller<'_>, name: &str, scope: &str) -> Value {
    let body = json!({"tenantId": TARGET, "resourceId": scope, "description": "d"});
    caller.put(&scope_connection(name), body).await.ok()
}

async fn target_half(caller: &Caller<'_>, scope: &str) -> Value {
    caller.put(&connection_of(scope, "theirs"), json!({"networkManagerId": MANAGER})).await.ok()
}

/// Both halves of the default world's handshake, Connected.
async fn connected(world: &World) -> (Caller<'_>, Caller<'_>) {
    let (central, target) = (world.caller(CENTRAL).await, world.caller(TARGET).await);
    scope_half(&central, "ours", TARGET_SUBSCRIPTION).await;
    target_half(&target, TARGET_SUBSCRIPTION).await;
    assert_eq!(both(world), ("Connected".into(), "Connected".into()));
    (central, target)
}

fn both(world: &World) -> (String, String) {
    (world.state_of(&scope_connection("ours")), world.state_of(&connection_of(TARGET_SUBSCRIPTION, "theirs")))
}

#[tokio::test]
async fn both_halves_make_a_connection_and_the_manager_lists_it() {
    let world = World::instant().await;
    let (central, target) = (world.caller(CENTRAL).await, world.caller(TARGET).await);
    let put = scope_half(&central, "ours", TARGET_SUBSCRIPTION).await;
    assert_eq!(put["properties"]["connectionState"], "Pending");
    assert_eq!(world.state_of(&scope_connection("ours")), "Pending");
    let put = target_half(&target, TARGET_SUBSCRIPTION).await;
    assert_eq!(put["properties"]["connectionState"], "Pending", "a PUT that makes one never says Connected");
    assert_eq!(put["properties"]["description"], "", "what was not sent comes back empty");
    assert_eq!(both(&world), ("Connected".into(), "Connected".into()));
    let scopes = world.cross_tenant_scopes();
    assert_eq!(
        scopes,
        json!([{"tenantId": TARGET, "managementGroups": [], "subscriptions": [TARGET_SUBSCRIPTION]}])
    );
    let again = scope_half(&central, "ours", TARGET_SUBSCRIPTION).await;
    assert_eq!(again["properties"]["connectionState"], "Connected", "an update says the current state");
}

#[tokio::test]
async fn a_management_group_is_paired_within_the_named_tenant() {
    let world = World::instant().await;
    let (central, target) = (world.caller(CENTRAL).await, world.caller(TARGET).await);
    scope_half(&central, "ours", SHARED_GROUP).await;
    // The group of the same name in the manager's own tenant is none of it.
    let body = json!({"properties": {"networkManagerId": MANAGER}});
    world.emulator.control().put(&connection_of(SHARED_GROUP, "theirs"), Some(CENTRAL), &body).unwrap();
    assert_eq!(world.state_of(&scope_connection("ours")), "Pending");
    target_half(&target, SHARED_GROUP).await;
    assert_eq!(world.state_of(&scope_connection("ours")), "Connected");
    assert_eq!(world.cross_tenant_scopes()[0]["managementGroups"], json!([SHARED_GROUP]));
    let other = world.emulator.control().get(&connection_of(SHARED_GROUP, "theirs"), Some(CENTRAL));
    assert_eq!(other.unwrap().unwrap()["properties"]["connectionState"], "Pending");
}

#[tokio::test]
async fn halves_that_do_not_name_each_other_stay_pending() {
    let world = World::instant().await;
    let (central, target) = (world.caller(CENTRAL).await, world.caller(TARGET).await);
    let wrong_tenant = json!({"tenantId": CENTRAL, "resourceId": TARGET_SUBSCRIPTION});
    central.put(&scope_connection("ours"), wrong_tenant).await.ok();
    let id = connection_of(TARGET_SUBSCRIPTION, "theirs");
    let unknown = json!({"networkManagerId": format!("{MANAGER}2")});
    target.put(&id, unknown).await.ok();
    assert_eq!(both(&world), ("Pending".into(), "Pending".into()));
    target.put(&id, json!({"networkManagerId": MANAGER.to_uppercase()})).await.ok();
    assert_eq!(both(&world), ("Pending".into(), "Pending".into()));
    // The leading slash may be missing, and case does not count.
    let right =
        json!({"tenantId": TARGET.to_uppercase(), "resourceId": TARGET_SUBSCRIPTION.trim_start_matches('/')});
    central.put(&scope_connection("ours"), right).await.ok();
    assert_eq!(both(&world), ("Connected".into(), "Connected".into()));
}

#[tokio::test]
async fn a_half_is_revoked_when_the_other_goes_and_heals_as_set() {
    for (setting, by_itself) in [("always", "Connected"), ("onPut", "Revoked"), ("onRecreate", "Revoked")] {
        let world = World::instant().await;
        world.set(&json!({"reconnect": setting}));
        let (central, target) = connected(&world).await;
        let theirs = connection_of(TARGET_SUBSCRIPTION, "theirs");
        assert_eq!(target.delete(&theirs).await.status, 200);
        assert_eq!(world.state_of(&scope_connection("ours")), "Revoked");
        assert_eq!(world.cross_tenant_scopes(), json!([]));
        target_half(&target, TARGET_SUBSCRIPTION).await;
        assert_eq!(world.state_of(&scope_connection("ours")), by_itself, "{setting}");
        match setting {
            "onPut" => _ = scope_half(&central, "ours", TARGET_SUBSCRIPTION).await,
            "onRecreate" => {
                // Both: with one deleted alone the other is revoked in turn.
                central.delete(&scope_connection("ours")).await;
                target.delete(&theirs).await;
                scope_half(&central, "ours", TARGET_SUBSCRIPTION).await;
                target_half(&target, TARGET_SUBSCRIPTION).await;
            }
            _ => {}
        }
        assert_eq!(world.state_of(&scope_connection("ours")), "Connected", "{setting}");
        assert_eq!(world.cross_tenant_scopes()[0]["tenantId"], TARGET, "{setting}");
    }
}

#[tokio::test]
async fn a_target_in_the_managers_own_scope_needs_no_other_half() {
    let world = World::instant().await;
    let central = world.caller(CENTRAL).await;
    let body = json!({"tenantId": CENTRAL, "resourceId": CENTRAL_SUBSCRIPTION});
    central.put(&scope_connection("ours"), body).await.ok();
    assert_eq!(world.state_of(&scope_connection("ours")), "Connected");
    assert_eq!(world.cross_tenant_scopes(), json!([]));
}

#[tokio::test]
async fn another_manager_on_the_same_scope_is_a_conflict_until_the_half_is_made_again() {
    let world = World::instant().await;
    let control = world.emulator.control();
    let holder = format!(
        "{TARGET_SUBSCRIPTION}/resourceGroups/temp/providers/Microsoft.Network/networkManagers/holder"
    );
    let holding = |accesses: Value| {
        json!({"location": "eastus2", "properties": {
            "networkManagerScopes": {"subscriptions": [TARGET_SUBSCRIPTION]}, "networkManagerScopeAccesses": accesses,
        }})
    };
    control.put(&holder, None, &holding(json!(["Connectivity"]))).unwrap();
    let (central, target) = (world.caller(CENTRAL).await, world.caller(TARGET).await);
    scope_half(&central, "ours", TARGET_SUBSCRIPTION).await;
    target_half(&target, TARGET_SUBSCRIPTION).await;
    assert_eq!(both(&world), ("Conflict".into(), "Conflict".into()));
    assert_eq!(world.cross_tenant_scopes(), json!([]));

    assert!(control.delete(&holder, None).unwrap());
    assert_eq!(both(&world), ("Conflict".into(), "Conflict".into()), "it does not heal by itself");
    central.delete(&scope_connection("ours")).await;
    scope_half(&central, "ours", TARGET_SUBSCRIPTION).await;
    target.delete(&connection_of(TARGET_SUBSCRIPTION, "theirs")).await;
    target_half(&target, TARGET_SUBSCRIPTION).await;
    assert_eq!(both(&world), ("Connected".into(), "Connected".into()));

    // A manager with other accesses is no rival, nor one without any.
    for accesses in [json!(["SecurityUser"]), json!([])] {
        control.put(&holder, None, &holding(accesses)).unwrap();
        assert_eq!(both(&world), ("Connected".into(), "Connected".into()));
    }
}

/// mg-shared of the target's tenant is above one of its subscriptions: each may have a manager of its own.
#[tokio::test]
async fn a_parent_and_its_child_may_have_different_managers() {
    let child = "/subscriptions/11223344-abcd-1234-1def-0987654321ab";
    for (held, asked, scopes) in [
        (SHARED_GROUP, child, json!({"managementGroups": [SHARED_GROUP]})),
        (child, SHARED_GROUP, json!({"subscriptions": [child]})),
    ] {
        let world = World::instant().await;
        let holder =
            format!("{child}/resourceGroups/temp/providers/Microsoft.Network/networkManagers/holder");
        let body = json!({"location": "eastus2", "properties": {
            "networkManagerScopes": scopes, "networkManagerScopeAccesses": ["Connectivity", "SecurityAdmin"],
        }});
        world.emulator.control().put(&holder, None, &body).unwrap();
        let (central, target) = (world.caller(CENTRAL).await, world.caller(TARGET).await);
        for (scope, wanted) in [(asked, "Connected"), (held, "Conflict")] {
            scope_half(&central, "ours", scope).await;
            target_half(&target, scope).await;
            assert_eq!(
                world.state_of(&scope_connection("ours")),
                wanted,
                "{held} is held, {scope} asked for"
            );
            central.delete(&scope_connection("ours")).await;
        }
    }
}

#[tokio::test]
async fn of_two_that_say_the_same_the_older_counts() {
    let world = World::instant().await;
    let (central, _) = connected(&world).await;
    scope_half(&central, "second", TARGET_SUBSCRIPTION).await;
    assert_eq!(world.state_of(&scope_connection("second")), "Pending");
    central.delete(&scope_connection("ours")).await;
    assert_eq!(world.state_of(&scope_connection("second")), "Connected");
    assert_eq!(world.state_of(&connection_of(TARGET_SUBSCRIPTION, "theirs")), "Connected");
}

#[tokio::test]
async fn an_identity_that_changes_starts_over_or_stays() {
    let elsewhere = "/subscriptions/11223344-abcd-1234-1def-0987654321ab";
    let (ours, theirs) = (scope_connection("ours"), connection_of(TARGET_SUBSCRIPTION, "theirs"));
    let changes = [
        (&ours, "resourceId", json!({"tenantId": TARGET, "resourceId": elsewhere})),
        (&ours, "tenantId", json!({"tenantId": CENTRAL, "resourceId": TARGET_SUBSCRIPTION})),
        (&theirs, "networkManagerId", json!({"networkManagerId": format!("{MANAGER}2")})),
    ];
    for (id, field, change) in changes {
        for setting in ["reset", "ignore"] {
            let world = World::instant().await;
            world.set(&json!({"identityChange": setting}));
            let (central, target) = connected(&world).await;
            let caller = if *id == ours { central } else { target };
            let before = caller.get(id).await.ok();
            let put = caller.put(id, change.clone()).await.ok();
            let (wanted, state, other) = match setting {
                "reset" => (&change[field], "Pending", "Revoked"),
                _ => (&before["properties"][field], "Connected", "Connected"),
            };
            assert_eq!(&put["properties"][field], wanted, "{field} {setting}");
            assert_eq!(put["properties"]["connectionState"], state, "{field} {setting}");
            let halves = if *id == ours { (state, other) } else { (other, state) };
            assert_eq!(both(&world), (halves.0.into(), halves.1.into()), "{field} {setting}");
        }
    }
}

#[tokio::test]
async fn a_forced_state_stays_until_cleared_or_made_again() {
    let world = World::instant().await;
    let (central, target) = connected(&world).await;
    let control = world.emulator.control();
    let (ours, theirs) = (scope_connection("ours"), connection_of(TARGET_SUBSCRIPTION, "theirs"));
    for forced in ["Rejected", "Conflict", "Revoked"] {
        control.force_state(&ours, None, Some(serde_json::from_value(json!(forced)).unwrap())).unwrap();
        target_half(&target, TARGET_SUBSCRIPTION).await;
        assert_eq!(world.state_of(&ours), forced);
        assert_eq!(world.cross_tenant_scopes(), json!([]));
        control.force_state(&ours, None, None).unwrap();
        assert_eq!(both(&world), ("Connected".into(), "Connected".into()), "after {forced}");
    }
    let conflict = serde_json::from_value(json!("Conflict")).unwrap();
    control.force_state(&ours, None, Some(conflict)).unwrap();
    central.delete(&ours).await;
    scope_half(&central, "ours", TARGET_SUBSCRIPTION).await;
    assert_eq!(world.state_of(&ours), "Connected");
    assert!(control.force_state(&theirs, None, Some(conflict)).is_ok());
    assert!(control.force_state(MANAGER, None, Some(conflict)).is_err());
}

#[tokio::test]
async fn bodies_are_as_recorded() {
    let world = World::instant().await;
    let (central, target) = connected(&world).await;
    let ours = central.get(&scope_connection("ours")).await;
    assert_eq!(ours.header("content-type"), Some("application/json; charset=utf-8"));
    assert_eq!(ours.header("etag"), None);
    let order = "id name type properties tenantId resourceId connectionState description systemData createdBy \
                 createdByType createdAt lastModifiedBy lastModifiedByType lastModifiedAt";
    assert_eq!(field_order(&ours.text).join(" "), order);
    let theirs = target.get(&connection_of(TARGET_SUBSCRIPTION, "theirs")).await;
    let order = order.replace("tenantId resourceId", "networkManagerId");
    assert_eq!(field_order(&theirs.text).join(" "), order);

    // A second PUT moves createdAt of a scope connection, and of no other type.
    let (ours, theirs) = (ours.json(), theirs.json());
    let ours_again = scope_half(&central, "ours", TARGET_SUBSCRIPTION).await;
    let theirs_again = target_half(&target, TARGET_SUBSCRIPTION).await;
    let created = |body: &Value| body["systemData"]["createdAt"].as_str().unwrap().to_owned();
    let modified = |body: &Value| body["systemData"]["lastModifiedAt"].as_str().unwrap().to_owned();
    assert!(created(&ours) < created(&ours_again));
    assert_eq!(created(&ours_again), modified(&ours_again));
    assert_eq!(created(&theirs), created(&theirs_again));
    assert!(modified(&theirs) < modified(&theirs_again));
}

#[tokio::test]
async fn what_is_gone_is_gone() {
    let world = World::instant().await;
    let (central, target) = connected(&world).await;
    let (ours, theirs) = (scope_connection("ours"), connection_of(TARGET_SUBSCRIPTION, "theirs"));
    for (caller, id) in [(&central, &ours), (&target, &theirs)] {
        let first = caller.delete(id).await;
        assert_eq!((first.status, first.text.as_str()), (200, ""));
        assert_eq!(first.header("content-type"), None);
        assert_eq!(caller.delete(id).await.status, 204);
        let get = caller.get(id).await;
        let message = format!("Resource [{id}] does not exist or has been deleted");
        assert_eq!(get.text, format!(r#"{{"error":{{"message":"{message}","code":"NotFound"}}}}"#));
        assert_eq!(get.status, 404);
    }
}

#[tokio::test]
async fn ids_are_compared_without_regard_to_case() {
    let world = World::instant().await;
    let (central, _) = connected(&world).await;
    let shouted =
        central.get(&scope_connection("OURS").replace("scopeConnections", "SCOPECONNECTIONS")).await;
    assert_eq!(shouted.ok()["id"], scope_connection("ours"), "the casing of its making");
    scope_half(&central, "Ours", TARGET_SUBSCRIPTION).await;
    let list = central.get(&format!("{MANAGER}/scopeConnections")).await.ok();
    assert_eq!(list["value"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn pairing_may_need_a_write_of_the_half_that_was_first() {
    let world = World::instant().await;
    world.set(&json!({"pairing": "onPut"}));
    let (central, target) = (world.caller(CENTRAL).await, world.caller(TARGET).await);
    let (ours, theirs) = (scope_connection("ours"), connection_of(TARGET_SUBSCRIPTION, "theirs"));
    let body = json!({"tenantId": TARGET, "resourceId": TARGET_SUBSCRIPTION});
    central.put(&ours, body.clone()).await.ok();
    target.put(&theirs, json!({"networkManagerId": MANAGER})).await.ok();
    assert_eq!((world.state_of(&ours), world.state_of(&theirs)), ("Pending".into(), "Connected".into()));
    central.put(&ours, body).await.ok();
    assert_eq!((world.state_of(&ours), world.state_of(&theirs)), ("Connected".into(), "Connected".into()));
    target.delete(&theirs).await;
    assert_eq!(world.state_of(&ours), "Revoked");
}
