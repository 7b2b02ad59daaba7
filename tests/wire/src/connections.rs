//! The two halves of a handshake: made, read, changed, deleted, and what each says about the other.

use avnm_arm::ManagerConnectionBody;
use avnm_terms::{
    ArmId, ConnectionState, Listing, Manager, ManagerId, Reading, ScopeConnectionId, ScopeId, TenantId,
};
use rstest::rstest;
use serde_json::json;

use crate::world::{
    APP, CENTRAL, MANAGER, SHARED_GROUP, TARGET, TARGET_SUBSCRIPTION, World, central, found,
    management_group, manager, manager_connection, scope_connection, subscription, target, to_manager,
    to_target,
};

#[tokio::test]
async fn a_scope_connection_from_its_put_to_its_end() {
    let world = World::instant().await;
    let (arm, central, id) = (&world.arm, central(), scope_connection("c"));
    assert!(arm.get_scope_connection(&central, &id).await.is_absent());

    let made = arm.put_scope_connection(&central, &id, &to_target(Some("first"))).await.unwrap();
    assert_eq!(made.id.as_str(), id.arm().as_str());
    assert_eq!(made.tenant, Some(TenantId::parse(TARGET).unwrap()));
    assert_eq!((made.scope.as_str(), made.description.as_str()), (TARGET_SUBSCRIPTION, "first"));
    assert_eq!(made.state, ConnectionState::Pending);
    assert_eq!(found(arm.get_scope_connection(&central, &id).await), made);

    // A PUT replaces everything: what it leaves out is gone.
    arm.put_scope_connection(&central, &id, &to_target(None)).await.unwrap();
    assert_eq!(found(arm.get_scope_connection(&central, &id).await).description, "");

    arm.delete_scope_connection(&central, &id).await.unwrap();
    assert!(arm.get_scope_connection(&central, &id).await.is_absent());
    assert!(!world.exists(id.arm().as_str()));
    arm.delete_scope_connection(&central, &id).await.expect("what is gone can be deleted again");
}

#[rstest]
#[case::of_a_subscription(subscription())]
#[case::of_a_management_group(management_group())]
#[tokio::test]
async fn a_manager_connection_from_its_put_to_its_end(#[case] scope: ScopeId) {
    let world = World::instant().await;
    let (arm, target, id) = (&world.arm, target(), manager_connection(&scope, "c"));
    assert!(arm.get_manager_connection(&target, &id).await.is_absent());

    let made = arm.put_manager_connection(&target, &id, &to_manager(Some("first"))).await.unwrap();
    assert_eq!(made.id, *id.arm());
    assert_eq!((made.manager.as_str(), made.description.as_str()), (MANAGER, "first"));
    assert_eq!(made.state, ConnectionState::Pending);
    assert_eq!(found(arm.get_manager_connection(&target, &id).await), made);
    assert_eq!(found(arm.list_manager_connections(&target, &scope).await), [made]);

    arm.put_manager_connection(&target, &id, &to_manager(None)).await.unwrap();
    assert_eq!(found(arm.get_manager_connection(&target, &id).await).description, "");

    arm.delete_manager_connection(&target, &id).await.unwrap();
    assert!(arm.get_manager_connection(&target, &id).await.is_absent());
    assert!(found(arm.list_manager_connections(&target, &scope).await).is_empty());
    arm.delete_manager_connection(&target, &id).await.expect("what is gone can be deleted again");
}

#[tokio::test]
async fn two_halves_connect_and_the_manager_lists_the_scope() {
    let world = World::instant().await;
    let (arm, central, target) = (&world.arm, central(), target());
    let (ours, theirs) = (scope_connection("c"), manager_connection(&subscription(), "c"));
    let (tenant, scope) = (TenantId::parse(TARGET).unwrap(), subscription());
    let listing = |manager: &Manager| manager.cross_tenant_scopes.listing(&tenant, &scope);
    assert_eq!(listing(&found(arm.get_manager(&central, &manager()).await)), Listing::Absent);

    arm.put_scope_connection(&central, &ours, &to_target(None)).await.unwrap();
    assert_eq!(found(arm.get_scope_connection(&central, &ours).await).state, ConnectionState::Pending);
    arm.put_manager_connection(&target, &theirs, &to_manager(None)).await.unwrap();
    assert_eq!(found(arm.get_scope_connection(&central, &ours).await).state, ConnectionState::Connected);
    assert_eq!(found(arm.get_manager_connection(&target, &theirs).await).state, ConnectionState::Connected);
    assert_eq!(listing(&found(arm.get_manager(&central, &manager()).await)), Listing::Listed);

    arm.delete_manager_connection(&target, &theirs).await.unwrap();
    assert_eq!(found(arm.get_scope_connection(&central, &ours).await).state, ConnectionState::Revoked);
    assert_eq!(listing(&found(arm.get_manager(&central, &manager()).await)), Listing::Absent);
}

/// Names of management groups are unique only within a tenant: the same URL is two things, told apart by the token.
#[tokio::test]
async fn one_name_of_a_management_group_in_two_tenants_is_two_things() {
    let world = World::instant().await;
    world.edit(json!({
        "op": "addRole", "clientId": APP, "tenant": CENTRAL, "scope": SHARED_GROUP, "role": "Network Contributor",
    }));
    let (arm, central, target) = (&world.arm, central(), target());
    let id = manager_connection(&management_group(), "c");
    arm.put_manager_connection(&central, &id, &to_manager(Some("central's"))).await.unwrap();
    assert!(arm.get_manager_connection(&target, &id).await.is_absent());
    arm.put_manager_connection(&target, &id, &to_manager(Some("target's"))).await.unwrap();
    for (credential, wanted) in [(&central, "central's"), (&target, "target's")] {
        assert_eq!(found(arm.get_manager_connection(credential, &id).await).description, wanted);
        assert_eq!(found(arm.list_manager_connections(credential, &management_group()).await).len(), 1);
    }
    arm.delete_manager_connection(&central, &id).await.unwrap();
    assert!(arm.get_manager_connection(&central, &id).await.is_absent());
    assert_eq!(found(arm.get_manager_connection(&target, &id).await).description, "target's");
}

#[tokio::test]
async fn every_state_that_azure_has_a_word_for_is_read() {
    let world = World::instant().await;
    let (arm, central, id) = (&world.arm, central(), scope_connection("c"));
    arm.put_scope_connection(&central, &id, &to_target(None)).await.unwrap();
    for word in ["Connected", "Pending", "Conflict", "Revoked", "Rejected"] {
        let forced = serde_json::from_value(json!(word)).unwrap();
        world.emulator.control().force_state(id.arm().as_str(), None, Some(forced)).unwrap();
        assert_eq!(found(arm.get_scope_connection(&central, &id).await).state.as_str(), word);
    }
}

/// Azure compares ids without case and answers in the casing of whoever made the thing.
#[tokio::test]
async fn another_casing_is_the_same_thing() {
    let world = World::instant().await;
    let (arm, central) = (&world.arm, central());
    let made = arm.put_scope_connection(&central, &scope_connection("Link"), &to_target(None)).await.unwrap();
    let shouted = ManagerId::parse(&MANAGER.to_uppercase()).unwrap();
    let id = ScopeConnectionId::new(&shouted, &avnm_terms::AzureName::parse("LINK").unwrap());
    let read = found(arm.get_scope_connection(&central, &id).await);
    assert_eq!((read.id.as_str(), &read), (made.id.as_str(), &made));
    assert_eq!(found(arm.list_scope_connections(&central, &shouted).await).len(), 1);
}

/// A PUT checks nothing beyond its own URL: what it names may be nowhere.
#[tokio::test]
async fn a_manager_that_is_nowhere_is_pending() {
    let world = World::instant().await;
    let (arm, target, id) = (&world.arm, target(), manager_connection(&subscription(), "c"));
    let nowhere = format!("{}2", MANAGER.replace("myAVNMResourceGroup", "nowhere"));
    let body = ManagerConnectionBody { manager: ManagerId::parse(&nowhere).unwrap(), description: None };
    arm.put_manager_connection(&target, &id, &body).await.unwrap();
    let read = found(arm.get_manager_connection(&target, &id).await);
    assert_eq!(read.state, ConnectionState::Pending);
    assert!(read.names(&ArmId::parse(&nowhere).unwrap()) && !read.names(manager().arm()));
    assert!(
        matches!(arm.list_manager_connections(&target, &subscription()).await, Reading::Found(all) if all == [read])
    );
}
