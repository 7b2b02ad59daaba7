//! Refusals: of which kind each is, and that it is told with Azure's code and correlation id.

use avnm_terms::{FaultKind, Reading};
use serde_json::json;

use crate::world::{
    APP, CENTRAL, MANAGER, SHARED_GROUP, TARGET, TARGET_NETWORK, TARGET_SUBSCRIPTION, World, central, found,
    group, management_group, manager, manager_connection, member, names, network, scope_connection,
    subscription, target, to_manager, to_target, unread,
};

/// A subscription that is not of the token's tenant: a fault of the spec. A fresh token would be no better.
#[tokio::test]
async fn a_token_of_the_wrong_tenant_is_not_had_anew() {
    let world = World::instant().await;
    let fault = unread(world.arm.get_manager(&target(), &manager()).await);
    assert_eq!(
        (fault.kind, fault.code.as_str()),
        (FaultKind::WrongTenant, "InvalidAuthenticationTokenTenant")
    );
    let fault = unread(world.arm.list_manager_connections(&central(), &subscription()).await);
    assert_eq!(fault.kind, FaultKind::WrongTenant);
    assert!(fault.message.contains(TARGET), "the message names the right tenant: {}", fault.message);
    assert_eq!((world.calls(0).len(), world.sign_ins(0).len()), (2, 2));
}

#[tokio::test]
async fn a_missing_role_is_permission_denied_in_either_tenant() {
    let world = World::instant().await;
    let (arm, central, target) = (&world.arm, central(), target());
    let take = |tenant: &str, actions: &[&str]| {
        world.edit(json!({"op": "removeRole", "clientId": APP, "tenant": tenant, "actions": actions}));
    };
    let (ours, theirs) = (scope_connection("c"), manager_connection(&subscription(), "c"));
    take(CENTRAL, &["Microsoft.Network/networkManagers/scopeConnections/write"]);
    take(TARGET, &["Microsoft.Network/networkManagerConnections/write"]);
    for fault in [
        arm.put_scope_connection(&central, &ours, &to_target(None)).await.unwrap_err(),
        arm.put_manager_connection(&target, &theirs, &to_manager(None)).await.unwrap_err(),
    ] {
        assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::PermissionDenied, "AuthorizationFailed"));
        assert!(fault.message.contains("/write"), "the message names the action: {}", fault.message);
        assert!(!fault.effect_unknown);
    }
    // Reading is a right of its own.
    assert!(arm.get_scope_connection(&central, &ours).await.is_absent());
    assert!(arm.get_manager_connection(&target, &theirs).await.is_absent());

    take(
        CENTRAL,
        &["Microsoft.Network/networkManagers/read", "Microsoft.Network/networkManagers/networkGroups/read"],
    );
    take(TARGET, &["Microsoft.Network/virtualNetworks/read"]);
    for fault in [
        unread(arm.get_manager(&central, &manager()).await),
        unread(arm.get_group(&central, &group()).await),
        unread(arm.get_network(&target, &network(TARGET_NETWORK)).await),
        // A foreign management group is a 403 too, and not a 404 (assumed).
        unread(arm.get_manager_connection(&central, &manager_connection(&management_group(), "c")).await),
    ] {
        assert_eq!(fault.kind, FaultKind::PermissionDenied, "{fault}");
    }
}

/// All that somebody needs to assign the role, of which only Azure knows the object id.
#[tokio::test]
async fn a_missing_role_is_told_with_all_that_assigns_it() {
    let world = World::instant().await;
    let action = "Microsoft.Network/virtualNetworks/write";
    world.edit(json!({"op": "removeRole", "clientId": APP, "tenant": TARGET, "actions": [action]}));
    let (central, target) = (central(), target());
    let put = world.arm.put_member(&central, Some(&target), &member("m"), &names(TARGET_NETWORK)).await;
    let read = "Microsoft.Network/networkManagers/read";
    world.edit(json!({"op": "removeRole", "clientId": APP, "tenant": CENTRAL, "actions": [read]}));
    let get = unread(world.arm.get_manager(&central, &manager()).await);
    for (fault, action, scope) in
        [(put.unwrap_err(), action, network(TARGET_NETWORK).to_string()), (get, read, manager().to_string())]
    {
        let details = fault.details();
        assert_eq!(details.application.as_ref().map(ToString::to_string).as_deref(), Some(APP), "{fault}");
        assert!(details.object.is_some(), "{fault}");
        assert_eq!(details.action.as_deref(), Some(action), "{fault}");
        assert_eq!(details.scope.as_ref().map(ToString::to_string), Some(scope), "{fault}");
        assert!(details.scope_may_be_gone, "{fault}");
    }
}

/// The owner of a subscription is told by Azure itself.
#[tokio::test]
async fn whose_a_subscription_is_is_told() {
    let world = World::instant().await;
    let fault = unread(world.arm.list_manager_connections(&central(), &subscription()).await);
    let tenants: Vec<String> = fault.details().tenants.iter().map(ToString::to_string).collect();
    assert_eq!(tenants, [TARGET]);
}

/// Roles go with the service principal, though its tokens live on.
#[tokio::test]
async fn withdrawn_consent_is_permission_denied_while_the_token_lives() {
    let world = World::instant().await;
    found(world.arm.get_manager(&central(), &manager()).await);
    world.edit(json!({"op": "removeServicePrincipal", "clientId": APP, "tenant": CENTRAL}));
    let fault = unread(world.arm.get_manager(&central(), &manager()).await);
    assert_eq!(fault.kind, FaultKind::PermissionDenied);
}

#[tokio::test]
async fn what_no_one_may_do_is_told_apart_from_what_we_may_not() {
    let world = World::instant().await;
    let cases = [
        (409, "ScopeLocked", FaultKind::Locked),
        (403, "RequestDisallowedByPolicy", FaultKind::Refused),
        (409, "MissingSubscriptionRegistration", FaultKind::Refused),
        (400, "InvalidRequestContent", FaultKind::Refused),
        (412, "PreconditionFailed", FaultKind::Busy),
        (409, "AnotherOperationInProgress", FaultKind::Busy),
        (500, "InternalServerError", FaultKind::Server),
        (504, "GatewayTimeout", FaultKind::Server),
    ];
    for (status, code, wanted) in cases {
        let action = json!({"status": status, "code": code, "message": "said so"});
        world.fault(json!({"match": {"method": "PUT", "nth": 1}, "action": action}));
        let put = world.arm.put_scope_connection(&central(), &scope_connection("c"), &to_target(None)).await;
        let fault = put.unwrap_err();
        assert_eq!((fault.kind, fault.code.as_str()), (wanted, code));
        assert_eq!(
            fault.effect_unknown,
            status >= 500,
            "{code}: a gateway may have given up on work that goes on"
        );
        world.heal();
    }
}

/// Azure's support finds a call by this id, so it must be the one of the call that failed.
#[tokio::test]
async fn every_failure_can_be_found_again_at_azure() {
    let world = World::instant().await;
    let (arm, central, target) = (&world.arm, central(), target());
    let faults = [
        unread(arm.get_manager(&target, &manager()).await),
        arm.put_member(&central, None, &member("m"), &names(TARGET_NETWORK)).await.unwrap_err(),
        unread(arm.get_scope_connection(&target, &scope_connection("c")).await),
    ];
    let calls = world.calls(0);
    assert_eq!(calls.len(), 3);
    for (fault, call) in faults.iter().zip(&calls) {
        assert_eq!(fault.correlation_id.as_deref(), Some(call.correlation_id.as_str()));
        assert_eq!(call.code.as_deref(), Some(fault.code.as_str()));
        assert!(fault.target.eq_ignore_ascii_case(&call.path), "{fault} is about {}", call.path);
    }
}

/// The world has what these tests take away from it: else they would pass for another reason.
#[tokio::test]
async fn nothing_is_refused_that_was_granted() {
    let world = World::instant().await;
    let (arm, central, target) = (&world.arm, central(), target());
    assert!(matches!(arm.get_manager(&central, &manager()).await, Reading::Found(_)));
    arm.put_scope_connection(&central, &scope_connection("c"), &to_target(None)).await.unwrap();
    for scope in [TARGET_SUBSCRIPTION, SHARED_GROUP] {
        let id = manager_connection(&avnm_terms::ScopeId::parse(scope).unwrap(), "c");
        arm.put_manager_connection(&target, &id, &to_manager(None)).await.unwrap();
    }
    arm.put_member(&central, Some(&target), &member("m"), &names(TARGET_NETWORK)).await.unwrap();
    assert!(world.exists(MANAGER));
}

/// The same as Azure itself would bring it about, and not by a scripted answer.
#[tokio::test]
async fn locks_and_a_provider_that_is_not_registered_are_told_apart() {
    let world = World::instant().await;
    let (arm, ours, theirs) = (&world.arm, scope_connection("c"), manager_connection(&subscription(), "c"));
    arm.put_scope_connection(&central(), &ours, &to_target(None)).await.unwrap();
    let control = world.emulator.control();
    control
        .lock(serde_json::from_value(json!({"scope": MANAGER, "level": "CanNotDelete"})).unwrap())
        .unwrap();
    let locked = arm.delete_scope_connection(&central(), &ours).await.unwrap_err();
    assert_eq!((locked.kind, locked.code.as_str()), (FaultKind::Locked, "ScopeLocked"));
    assert!(locked.message.contains(MANAGER), "the message names the lock: {}", locked.message);
    control.unlock(None);
    arm.delete_scope_connection(&central(), &ours).await.unwrap();

    control.register(TARGET_SUBSCRIPTION, None, false).unwrap();
    let put = arm.put_manager_connection(&target(), &theirs, &to_manager(None)).await;
    let unregistered = put.unwrap_err();
    assert_eq!(
        (unregistered.kind, unregistered.code.as_str()),
        (FaultKind::Refused, "MissingSubscriptionRegistration")
    );
    control.register(SHARED_GROUP, Some(TARGET), false).unwrap();
    let theirs = manager_connection(&management_group(), "c");
    let put = arm.put_manager_connection(&target(), &theirs, &to_manager(None)).await;
    let refused = put.unwrap_err();
    assert_eq!((refused.kind, refused.code.as_str()), (FaultKind::Refused, "BadRequest"));
    assert!(refused.message.contains("is not within tenant"), "{}", refused.message);
}
