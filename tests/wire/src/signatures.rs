//! Which token signs what: the bearer's tenant and the auxiliary tenants of every call, as the emulator read them.

use avnm_emulator::Entry;
use avnm_terms::FaultKind;
use serde_json::json;

use crate::world::{
    APP, CENTRAL, CENTRAL_NETWORK, OTHER_APP, OTHER_SECRET, TARGET, TARGET_NETWORK, World, central,
    credential, found, group, management_group, manager, manager_connection, member, names, network,
    scope_connection, subscription, target, to_manager, to_target,
};

/// One call in words: `PUT staticMembers/m central + target`.
fn line(call: &Entry) -> String {
    let tenant = |id: &str| match id {
        CENTRAL => "central".to_owned(),
        TARGET => "target".to_owned(),
        other => other.to_owned(),
    };
    let mut tail: Vec<&str> = call.path.rsplit('/').take(2).collect();
    tail.reverse();
    let bearer = call.bearer_tenant.as_deref().map_or("nobody".to_owned(), tenant);
    let tenants: Vec<String> =
        std::iter::once(bearer).chain(call.auxiliary_tenants.iter().map(|id| tenant(id))).collect();
    format!("{} {} {}", call.method, tail.join("/"), tenants.join(" + "))
}

fn lines(world: &World, mark: u64) -> Vec<String> {
    world.calls(mark).iter().map(line).collect()
}

/// The table of the design, row by row.
#[tokio::test]
async fn every_call_is_signed_by_the_tenants_that_it_belongs_to() {
    let world = World::instant().await;
    let (arm, central, target) = (&world.arm, central(), target());
    let ours = scope_connection("c");

    arm.get_manager(&central, &manager()).await;
    arm.get_group(&central, &group()).await;
    arm.put_scope_connection(&central, &ours, &to_target(None)).await.unwrap();
    arm.get_scope_connection(&central, &ours).await;
    arm.list_scope_connections(&central, &manager()).await;
    arm.delete_scope_connection(&central, &ours).await.unwrap();
    let wanted = [
        "GET networkManagers/myAVNM central",
        "GET networkGroups/containsCrossTenantResources central",
        "PUT scopeConnections/c central",
        "GET scopeConnections/c central",
        "GET myAVNM/scopeConnections central",
        "DELETE scopeConnections/c central",
    ];
    assert_eq!(lines(&world, 0), wanted);

    let mark = world.mark();
    for scope in [subscription(), management_group()] {
        let theirs = manager_connection(&scope, "c");
        arm.put_manager_connection(&target, &theirs, &to_manager(None)).await.unwrap();
        arm.get_manager_connection(&target, &theirs).await;
        arm.list_manager_connections(&target, &scope).await;
        arm.delete_manager_connection(&target, &theirs).await.unwrap();
    }
    let of_one_scope = [
        "PUT networkManagerConnections/c target",
        "GET networkManagerConnections/c target",
        "GET Microsoft.Network/networkManagerConnections target",
        "DELETE networkManagerConnections/c target",
    ];
    assert_eq!(lines(&world, mark), [of_one_scope, of_one_scope].concat());

    let mark = world.mark();
    // With both credentials at hand, as the controller has them.
    arm.put_member(&central, Some(&target), &member("theirs"), &names(TARGET_NETWORK)).await.unwrap();
    arm.put_member(&central, Some(&central), &member("own"), &names(CENTRAL_NETWORK)).await.unwrap();
    arm.put_member(&central, None, &member("own"), &names(CENTRAL_NETWORK)).await.unwrap();
    arm.get_member(&central, &member("theirs")).await;
    arm.list_members::<Vec<_>>(&central, &group()).await;
    arm.delete_member(&central, Some(&target), &member("theirs")).await.unwrap();
    arm.get_network(&target, &network(TARGET_NETWORK)).await;
    arm.get_network(&target, &network(&format!("{TARGET_NETWORK}/subnets/app"))).await;
    let wanted = [
        "PUT staticMembers/theirs central + target",
        "PUT staticMembers/own central",
        "PUT staticMembers/own central",
        "GET staticMembers/theirs central",
        "GET containsCrossTenantResources/staticMembers central",
        "DELETE staticMembers/theirs central",
        "GET virtualNetworks/targetVnet01 target",
        "GET subnets/app target",
    ];
    assert_eq!(lines(&world, mark), wanted);

    let calls = world.calls(0);
    assert!(calls.iter().all(|call| call.status == Some(200)), "every call was let through");
    assert!(calls.iter().all(|call| call.principal.as_deref() == Some(APP)));
    assert!(calls.iter().all(|call| call.auxiliary_principals.iter().all(|app| app == APP)));
    assert_eq!(world.sign_ins(0).len(), 2, "one token for each tenant serves them all");
}

/// The second token goes up front: Azure's refusal without it must not be the usual way to learn that it is needed.
#[tokio::test]
async fn a_member_of_another_tenant_costs_one_call() {
    let world = World::instant().await;
    world.arm.put_member(&central(), Some(&target()), &member("m"), &names(TARGET_NETWORK)).await.unwrap();
    assert_eq!(world.methods(0), ["PUT"]);
}

#[tokio::test]
async fn without_the_second_token_the_linked_tenant_is_denied() {
    let world = World::instant().await;
    let put = world.arm.put_member(&central(), None, &member("m"), &names(TARGET_NETWORK)).await;
    let fault = put.unwrap_err();
    assert_eq!(
        (fault.kind, fault.code.as_str()),
        (FaultKind::LinkedTenantDenied, "LinkedAuthorizationFailed")
    );
    assert!(fault.message.contains("is not authorized to access linked subscription"), "{}", fault.message);
    assert!(!world.exists(member("m").arm().as_str()));
}

/// The same code in its other text: the token is there, the role on the network is not.
#[tokio::test]
async fn without_the_role_on_the_network_the_principal_is_denied() {
    let world = World::instant().await;
    let write = "Microsoft.Network/virtualNetworks/write";
    world.edit(json!({"op": "removeRole", "clientId": APP, "tenant": TARGET, "actions": [write]}));
    let put = world.arm.put_member(&central(), Some(&target()), &member("m"), &names(TARGET_NETWORK)).await;
    let fault = put.unwrap_err();
    assert_eq!(
        (fault.kind, fault.code.as_str()),
        (FaultKind::LinkedPermissionDenied, "LinkedAuthorizationFailed")
    );
    assert!(fault.message.contains(write) && fault.message.contains(TARGET_NETWORK), "{}", fault.message);
    // Network and group in one tenant: the same right is asked for there.
    world.edit(json!({"op": "removeRole", "clientId": APP, "tenant": CENTRAL, "actions": [write]}));
    let put = world.arm.put_member(&central(), None, &member("own"), &names(CENTRAL_NETWORK)).await;
    assert_eq!(put.unwrap_err().kind, FaultKind::LinkedPermissionDenied);
}

/// Two tokens of one request must be of one application.
#[tokio::test]
async fn two_applications_are_refused() {
    let world = World::instant().await;
    let other = credential("other", OTHER_APP, OTHER_SECRET, TARGET);
    let put = world.arm.put_member(&central(), Some(&other), &member("m"), &names(TARGET_NETWORK)).await;
    let fault = put.unwrap_err();
    assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::Unauthenticated, "InvalidAuxiliaryTokens"));
    assert!(!fault.effect_unknown);
    // It is a 401, so both tokens were had anew, once.
    assert_eq!((world.calls(0).len(), world.sign_ins(0).len()), (2, 4));
}

/// Members must be able to go when the target's administrator has withdrawn the consent.
#[tokio::test]
async fn a_member_goes_without_the_other_tenants_consent() {
    let world = World::instant().await;
    let (arm, central, target, id) = (&world.arm, central(), target(), member("m"));
    arm.put_member(&central, Some(&target), &id, &names(TARGET_NETWORK)).await.unwrap();
    world.edit(json!({"op": "removeServicePrincipal", "clientId": APP, "tenant": TARGET}));
    arm.tokens().drop_token(&target);
    let mark = world.mark();
    arm.delete_member(&central, Some(&target), &id).await.unwrap();
    assert!(arm.get_member(&central, &id).await.is_absent());
    assert_eq!(
        (world.methods(mark).as_slice(), world.sign_ins(mark).len()),
        (&["DELETE".to_owned(), "GET".to_owned()][..], 0)
    );
}

/// Should Azure check the linked network on DELETE too (assumed not to), it is asked once more with the second token.
#[tokio::test]
async fn a_delete_that_wants_the_second_token_gets_it() {
    let world = World::instant().await;
    let (arm, central, target, id) = (&world.arm, central(), target(), member("m"));
    arm.put_member(&central, Some(&target), &id, &names(TARGET_NETWORK)).await.unwrap();
    let refusal = json!({"status": 403, "code": "LinkedAuthorizationFailed", "message": "the current tenant is not authorized to access linked subscription"});
    world.fault(json!({"match": {"method": "DELETE", "nth": 1}, "action": refusal}));
    let mark = world.mark();
    arm.delete_member(&central, Some(&target), &id).await.unwrap();
    assert_eq!(
        lines(&world, mark),
        ["DELETE staticMembers/m central", "DELETE staticMembers/m central + target"]
    );
    assert!(arm.get_member(&central, &id).await.is_absent());

    arm.put_member(&central, Some(&target), &id, &names(TARGET_NETWORK)).await.unwrap();
    world.fault(json!({"match": {"method": "DELETE"}, "action": refusal}));
    let fault = arm.delete_member(&central, None, &id).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::LinkedTenantDenied);
    assert_eq!(found(arm.get_member(&central, &id).await).resource, TARGET_NETWORK);
}
