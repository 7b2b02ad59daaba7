//! What a 404 proves. Only some of them mean that the thing is not there; on the others nothing may be decided.

use avnm_terms::{AzureName, Fault, FaultKind, ManagerId, ScopeConnectionId};
use serde_json::json;

use crate::world::{
    APP, CENTRAL, CENTRAL_SUBSCRIPTION, MANAGER, TARGET_NETWORK, World, central, manager, network,
    scope_connection, target, to_target, unread,
};

fn below(manager: &str) -> (ManagerId, ScopeConnectionId) {
    let manager = ManagerId::parse(manager).unwrap();
    let id = ScopeConnectionId::new(&manager, &AzureName::parse("c").unwrap());
    (manager, id)
}

/// The code with which the emulator really answered the last call.
fn last_code(world: &World) -> String {
    let calls = world.calls(0);
    let last = calls.last().expect("a call was made");
    assert_eq!(last.status, Some(404), "{last:?}");
    last.code.clone().unwrap_or_default()
}

fn unproven(fault: &Fault, code: &str) {
    assert_eq!((&fault.kind, fault.code.as_str()), (&FaultKind::UnprovenNotFound, code), "{fault}");
}

/// It is of the version of the call, and no absence either.
fn not_offered(fault: &Fault, code: &str) {
    assert_eq!((&fault.kind, fault.code.as_str()), (&FaultKind::VersionNotOffered, code), "{fault}");
}

#[tokio::test]
async fn a_404_of_the_thing_or_of_what_holds_it_is_absence() {
    let world = World::instant().await;
    // Rights come before existence: without them a manager that is not there is a 403.
    world.edit(json!({
        "op": "addRole", "clientId": APP, "tenant": CENTRAL, "scope": CENTRAL_SUBSCRIPTION, "role": "Network Contributor",
    }));
    let (arm, central, target) = (&world.arm, central(), target());
    assert!(arm.get_scope_connection(&central, &scope_connection("none")).await.is_absent());
    assert_eq!(last_code(&world), "NotFound");

    let (gone, below_gone) = below(&format!("{MANAGER}2"));
    assert!(arm.get_manager(&central, &gone).await.is_absent());
    assert_eq!(last_code(&world), "ResourceNotFound");
    assert!(arm.get_scope_connection(&central, &below_gone).await.is_absent());
    assert_eq!(last_code(&world), "ParentResourceNotFound");
    assert!(arm.list_scope_connections(&central, &gone).await.is_absent());
    assert_eq!(last_code(&world), "ParentResourceNotFound");
    arm.delete_scope_connection(&central, &below_gone).await.expect("it is not there");
    assert_eq!(last_code(&world), "ParentResourceNotFound");

    let (nowhere, below_nowhere) = below(&MANAGER.replace("myAVNMResourceGroup", "nowhere"));
    assert!(arm.get_manager(&central, &nowhere).await.is_absent());
    assert_eq!(last_code(&world), "ResourceGroupNotFound");
    assert!(arm.get_scope_connection(&central, &below_nowhere).await.is_absent());
    assert_eq!(last_code(&world), "ResourceGroupNotFound");
    let lost = network(&TARGET_NETWORK.replace("/temp/", "/nowhere/"));
    assert!(arm.get_network(&target, &lost).await.is_absent());
    assert_eq!(last_code(&world), "ResourceGroupNotFound");

    // A write into what is not there is no success, whatever a read of it would mean.
    let fault = arm.put_scope_connection(&central, &below_gone, &to_target(None)).await.unwrap_err();
    assert_eq!((fault.kind, fault.effect_unknown), (FaultKind::NotFound, false));
}

/// It also means that we may not look.
#[tokio::test]
async fn an_unknown_subscription_proves_nothing() {
    let world = World::instant().await;
    let (arm, central) = (&world.arm, central());
    let (unknown, below_unknown) = below(&MANAGER.replace("13579864", "00000000"));
    unproven(&unread(arm.get_manager(&central, &unknown).await), "SubscriptionNotFound");
    unproven(&unread(arm.get_scope_connection(&central, &below_unknown).await), "SubscriptionNotFound");
    unproven(&unread(arm.list_scope_connections(&central, &unknown).await), "SubscriptionNotFound");
    unproven(
        &arm.delete_scope_connection(&central, &below_unknown).await.unwrap_err(),
        "SubscriptionNotFound",
    );
    assert_eq!(last_code(&world), "SubscriptionNotFound");
}

/// A typo in a flag must not delete the world.
#[tokio::test]
async fn a_wrong_api_version_proves_nothing() {
    let world = World::instant().await;
    world.arm.put_scope_connection(&central(), &scope_connection("c"), &to_target(None)).await.unwrap();
    let arm = world.client(|cloud| cloud.with_api_version("2001-01-01").unwrap());
    not_offered(
        &unread(arm.get_scope_connection(&central(), &scope_connection("c")).await),
        "InvalidResourceType",
    );
    not_offered(&unread(arm.list_scope_connections(&central(), &manager()).await), "InvalidResourceType");
    let deleted = arm.delete_scope_connection(&central(), &scope_connection("c")).await;
    not_offered(&deleted.unwrap_err(), "InvalidResourceType");
    assert!(world.exists(scope_connection("c").arm().as_str()));
}

#[tokio::test]
async fn a_404_that_azure_did_not_write_proves_nothing() {
    let world = World::instant().await;
    let (arm, central, id) = (&world.arm, central(), scope_connection("c"));
    arm.put_scope_connection(&central, &id, &to_target(None)).await.unwrap();
    for action in [json!({"html": true, "status": 404}), json!({"status": 404})] {
        world.fault(json!({"match": {"kind": "arm"}, "action": action}));
        unproven(&unread(arm.get_scope_connection(&central, &id).await), "HTTP404");
        unproven(&unread(arm.list_scope_connections(&central, &manager()).await), "HTTP404");
        unproven(&arm.delete_scope_connection(&central, &id).await.unwrap_err(), "HTTP404");
        world.heal();
    }
    assert!(world.exists(id.arm().as_str()));
}
