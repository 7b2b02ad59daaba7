//! Gates: who was told to wait, waits as long as told, and nobody else does.

use std::time::Duration;

use avnm_arm::{Credential, GateScope, VerbClass, clock};
use avnm_terms::FaultKind;
use serde_json::json;

use crate::world::{
    APP, CENTRAL, OTHER_APP, OTHER_SECRET, SECRET, World, central, credential, found, management_group,
    manager, manager_connection, scope_connection, subscription, target, to_manager, to_target, unread,
};

const fn seconds(number: u64) -> Duration {
    Duration::from_secs(number)
}

#[tokio::test]
async fn a_used_up_quota_closes_the_gate_of_this_principal_subscription_and_verb_alone() {
    let world = World::instant().await;
    world.set(&json!({"quotas": {"writes": {"size": 1, "refillPerSecond": 0.1}}}));
    let (arm, central, target) = (&world.arm, central(), target());
    let put = async |credential: &Credential, name: &str| {
        arm.put_scope_connection(credential, &scope_connection(name), &to_target(None)).await
    };
    put(&central, "a").await.unwrap();
    let fault = put(&central, "b").await.unwrap_err();
    assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::Throttled, "SubscriptionRequestsThrottled"));
    assert_eq!((fault.retry_after, fault.effect_unknown), (Some(seconds(10)), false));

    // Closed for the time that Azure named, and for this key.
    let until = arm.gate_closed_until(&central, scope_connection("b").arm(), VerbClass::Write).unwrap();
    let left = until - clock::instant();
    assert!(left <= seconds(10) && left > seconds(8), "{left:?}");
    let [closed] = arm.closed_gates().try_into().unwrap();
    assert_eq!((closed.key.tenant.as_str(), closed.key.client.as_str()), (CENTRAL, APP));
    assert_eq!((closed.key.scope, closed.key.verb), (GateScope::of(manager().arm()), VerbClass::Write));

    // The application's count is one, whichever custom resource it is used through.
    let mark = world.mark();
    for same in [central.clone(), credential("another", APP, SECRET, CENTRAL)] {
        let fault = put(&same, "c").await.unwrap_err();
        assert_eq!((fault.kind, fault.effect_unknown), (FaultKind::GateClosed, false));
        assert!(fault.retry_after.unwrap() > seconds(8));
    }
    assert!(world.calls(mark).is_empty() && world.sign_ins(mark).is_empty(), "nothing was sent");

    // Reads and deletes, another subscription, and another application go on.
    found(arm.get_scope_connection(&central, &scope_connection("a")).await);
    arm.delete_scope_connection(&central, &scope_connection("a")).await.unwrap();
    let theirs = manager_connection(&subscription(), "c");
    arm.put_manager_connection(&target, &theirs, &to_manager(None)).await.unwrap();
    put(&credential("other", OTHER_APP, OTHER_SECRET, CENTRAL), "d").await.unwrap();
}

#[tokio::test]
async fn a_management_group_counts_against_its_tenant() {
    let world = World::instant().await;
    world.set(&json!({"quotas": {"writes": {"size": 1, "refillPerSecond": 0.1}}}));
    let (arm, target) = (&world.arm, target());
    let in_group = manager_connection(&management_group(), "c");
    arm.put_manager_connection(&target, &in_group, &to_manager(None)).await.unwrap();
    let fault = arm.put_manager_connection(&target, &in_group, &to_manager(None)).await.unwrap_err();
    assert_eq!((fault.kind, fault.retry_after), (FaultKind::Throttled, Some(seconds(10))), "{}", fault.code);
    let fault = arm.put_manager_connection(&target, &in_group, &to_manager(None)).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::GateClosed);
    assert_eq!(arm.closed_gates()[0].key.scope, GateScope::Tenant);
    let in_subscription = manager_connection(&subscription(), "c");
    arm.put_manager_connection(&target, &in_subscription, &to_manager(None)).await.unwrap();
}

/// Asked before something is deleted to be made anew.
#[tokio::test]
async fn whether_a_put_could_go_out_is_known_without_sending_it() {
    let world = World::instant().await;
    let id = scope_connection("a");
    let ask =
        async |credential: &Credential| world.arm.could_put("put x", (credential, None), id.arm()).await;
    ask(&central()).await.unwrap();
    let wrong = ask(&credential("other", APP, "wrong", CENTRAL)).await.unwrap_err();
    assert!(matches!(wrong.kind, FaultKind::SignIn(_)), "{wrong:?}");
    world.set(&json!({"quotas": {"writes": {"size": 0, "refillPerSecond": 0.1}}}));
    world.arm.put_scope_connection(&central(), &id, &to_target(None)).await.unwrap_err();
    let mark = world.mark();
    let closed = ask(&central()).await.unwrap_err();
    assert_eq!((closed.kind, closed.effect_unknown), (FaultKind::GateClosed, false));
    assert!(world.calls(mark).is_empty(), "nothing is sent");
}

#[tokio::test]
async fn the_gate_opens_when_the_time_is_over() {
    let world = World::instant().await;
    world.set(&json!({"quotas": {"reads": {"size": 1, "refillPerSecond": 1.0}}}));
    let (arm, central) = (&world.arm, central());
    found(arm.get_manager(&central, &manager()).await);
    let fault = unread(arm.get_manager(&central, &manager()).await);
    assert_eq!((fault.kind, fault.retry_after), (FaultKind::Throttled, Some(seconds(1))));
    let fault = unread(arm.get_manager(&central, &manager()).await);
    assert_eq!(fault.kind, FaultKind::GateClosed);
    tokio::time::sleep(fault.retry_after.unwrap()).await;
    found(arm.get_manager(&central, &manager()).await);
    assert!(arm.closed_gates().is_empty());
    assert_eq!(world.calls(0).len(), 3, "the call behind the closed gate was never sent");
}

#[tokio::test]
async fn a_503_with_retry_after_closes_the_gate_and_one_without_does_not() {
    let world = World::instant().await;
    let (arm, central) = (&world.arm, central());
    let busy = |headers| {
        let action = json!({"status": 503, "code": "ServiceUnavailable", "message": "m", "headers": headers});
        world.fault(json!({"match": {"method": "GET", "nth": 1}, "action": action}));
    };
    busy(json!({}));
    let fault = unread(arm.get_manager(&central, &manager()).await);
    assert_eq!((fault.kind, fault.retry_after), (FaultKind::Server, None));
    found(arm.get_manager(&central, &manager()).await);

    world.heal();
    busy(json!({"Retry-After": "7"}));
    let fault = unread(arm.get_manager(&central, &manager()).await);
    assert_eq!((fault.kind, fault.retry_after), (FaultKind::Unavailable, Some(seconds(7))));
    let fault = unread(arm.get_scope_connection(&central, &scope_connection("c")).await);
    assert_eq!(fault.kind, FaultKind::GateClosed);
    arm.put_scope_connection(&central, &scope_connection("c"), &to_target(None)).await.unwrap();
    assert!(
        arm.get_manager_connection(&target(), &manager_connection(&subscription(), "c")).await.is_absent()
    );
}

/// These wear the status of a used-up quota, or none of it: Azure is busy with this one resource.
#[tokio::test]
async fn what_is_busy_with_one_resource_delays_only_that() {
    let world = World::instant().await;
    let (arm, central) = (&world.arm, central());
    for (status, code) in [
        (429, "RetryableError"),
        (409, "AnotherOperationInProgress"),
        (400, "ReferencedResourceNotProvisioned"),
    ] {
        let action =
            json!({"status": status, "code": code, "message": "m", "headers": {"Retry-After": "14"}});
        world.fault(json!({"match": {"method": "PUT", "nth": 1}, "action": action}));
        let put =
            async |name| arm.put_scope_connection(&central, &scope_connection(name), &to_target(None)).await;
        let fault = put("a").await.unwrap_err();
        assert_eq!((fault.kind, fault.retry_after), (FaultKind::Busy, Some(seconds(14))), "{code}");
        assert!(arm.closed_gates().is_empty(), "{code}");
        put("b").await.unwrap();
        world.heal();
    }
}

/// The network provider throttles too, in its own envelope: the gate closes for it as for ARM.
#[tokio::test]
async fn the_providers_own_quota_closes_the_gate() {
    let world = World::instant().await;
    world
        .emulator
        .control()
        .change_settings(&json!({"networkQuotas": {"writes": {"size": 1.0, "refillPerSecond": 0.1}}}))
        .unwrap();
    world.arm.put_scope_connection(&central(), &scope_connection("a"), &to_target(None)).await.unwrap();
    let fault = world
        .arm
        .put_scope_connection(&central(), &scope_connection("b"), &to_target(None))
        .await
        .unwrap_err();
    assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::Throttled, "ResourceRequestsThrottled"));
    let mark = world.mark();
    let next = world.arm.put_scope_connection(&central(), &scope_connection("b"), &to_target(None)).await;
    assert_eq!(next.unwrap_err().kind, FaultKind::GateClosed);
    assert!(world.calls(mark).is_empty(), "nothing is sent while it is closed");
}
