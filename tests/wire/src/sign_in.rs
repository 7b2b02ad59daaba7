//! Signing in: what is asked of Entra, what its refusals mean, and how long a token serves.

use std::time::Duration;

use avnm_arm::Credential;
use avnm_emulator::Options;
use avnm_terms::{FaultKind, SignInFault};
use rstest::rstest;
use serde_json::{Value, json};

use crate::world::{
    APP, CENTRAL, SECRET, TARGET, World, central, credential, found, group, manager, scope_connection,
    target, to_target, unread,
};

const REFUSED: FaultKind = FaultKind::SignIn(SignInFault::Refused);
const UNREACHABLE: FaultKind = FaultKind::SignIn(SignInFault::Unreachable);

#[tokio::test]
async fn one_application_signs_in_to_both_tenants() {
    let world = World::instant().await;
    for credential in [central(), target()] {
        let info = world.arm.tokens().check(&credential, false).await.unwrap();
        assert_eq!(info.tenant, credential.tenant);
        let life = info.expires.duration_since(avnm_arm::clock::now()).as_secs();
        assert!((3_590..=3_599).contains(&life), "{life} s");
    }
    let asked: Vec<_> = world.sign_ins(0);
    let of = |n: usize| (asked[n].tenant.as_deref().unwrap(), asked[n].client_id.as_deref().unwrap());
    assert_eq!((of(0), of(1), asked.len()), ((CENTRAL, APP), (TARGET, APP), 2));
    assert_eq!(asked[0].secret_fingerprint, asked[1].secret_fingerprint);
}

/// Each as the administrator of the tenant would cause it, and with the number that one finds in Entra's reference.
#[rstest]
#[case::unknown_tenant("AADSTS90002", central_with("00000000-0000-0000-0000-000000000001", SECRET), json!(null))]
#[case::wrong_secret("AADSTS7000215", central_with(CENTRAL, "wrong"), json!(null))]
#[case::expired_secret("AADSTS7000222", central(), json!({"op": "expireSecrets", "clientId": APP}))]
#[case::no_service_principal("AADSTS700016", target(), json!({"op": "removeServicePrincipal", "clientId": APP, "tenant": TARGET}))]
#[case::disabled_in_the_tenant("AADSTS7000112", target(), json!({"op": "setServicePrincipalDisabled", "clientId": APP, "tenant": TARGET, "disabled": true}))]
#[case::disabled_at_home("AADSTS7000112", target(), json!({"op": "setAppDisabled", "clientId": APP, "disabled": true}))]
#[tokio::test]
async fn a_refusal_is_told_with_entras_number(
    #[case] code: &str,
    #[case] credential: Credential,
    #[case] edit: Value,
) {
    let world = World::instant().await;
    if !edit.is_null() {
        world.edit(edit);
    }
    let fault = world.arm.tokens().check(&credential, false).await.unwrap_err();
    assert_eq!((&fault.kind, fault.code.as_str()), (&REFUSED, code));
    assert!(fault.correlation_id.is_some() && fault.message.starts_with(code), "{fault}");
    assert!(!fault.message.contains("Trace ID") && !fault.message.contains("Timestamp"), "{}", fault.message);
    // A call says the same, and nothing reaches ARM.
    let call = unread(world.arm.get_manager(&credential, &manager()).await);
    assert_eq!((&call.kind, &call.code), (&fault.kind, &fault.code));
    assert!(world.calls(0).is_empty());
}

fn central_with(tenant: &str, secret: &str) -> Credential {
    credential("central", APP, secret, tenant)
}

#[tokio::test]
async fn the_other_number_for_a_missing_service_principal_is_a_refusal_too() {
    let world = World::instant().await;
    world.set(&json!({"missingServicePrincipal": "7000229"}));
    world.edit(json!({"op": "removeServicePrincipal", "clientId": APP, "tenant": TARGET}));
    let fault = world.arm.tokens().check(&target(), false).await.unwrap_err();
    assert_eq!((fault.kind, fault.code.as_str()), (REFUSED, "AADSTS7000229"));
}

#[tokio::test]
async fn an_empty_secret_is_not_sent() {
    let world = World::instant().await;
    let fault = world.arm.tokens().check(&central_with(CENTRAL, ""), false).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::SignIn(SignInFault::SourceMissing));
    assert!(world.sign_ins(0).is_empty());
}

/// A refusal is not remembered: what an administrator repairs works at the next try.
#[tokio::test]
async fn consent_that_comes_later_is_noticed() {
    let world = World::instant().await;
    world.edit(
        json!({"op": "setServicePrincipalDisabled", "clientId": APP, "tenant": CENTRAL, "disabled": true}),
    );
    assert_eq!(unread(world.arm.get_manager(&central(), &manager()).await).kind, REFUSED);
    world.edit(
        json!({"op": "setServicePrincipalDisabled", "clientId": APP, "tenant": CENTRAL, "disabled": false}),
    );
    found(world.arm.get_manager(&central(), &manager()).await);
}

/// Entra is busy, or something stands before it: nobody of the tenant has to do anything.
#[rstest]
#[case::busy(json!({"status": 503, "code": "temporarily_unavailable", "message": "AADSTS90033: A transient error has occurred."}), "AADSTS90033")]
#[case::gateway(json!({"html": true}), "HTTP502")]
#[case::portal(json!({"html": true, "status": 200}), "SignIn")]
#[case::redirect(json!({"redirect": "https://elsewhere.example/"}), "HTTP307")]
#[case::cut(json!({"cutBefore": true}), "SignIn")]
#[case::endless(json!({"giant": true, "bytes": 9_000_000}), "SignIn")]
#[tokio::test]
async fn entra_out_of_reach_is_no_refusal(#[case] action: Value, #[case] code: &str) {
    let world = World::instant().await;
    world.fault(json!({"match": {"kind": "token"}, "action": action}));
    let fault = world.arm.tokens().check(&central(), false).await.unwrap_err();
    assert_eq!((&fault.kind, fault.code.as_str()), (&UNREACHABLE, code), "{fault}");
    assert_eq!(fault.retry_after, None);
    assert_eq!(world.sign_ins(0).len(), 1, "it is the caller who decides when to try again");
    world.heal();
    world.arm.tokens().check(&central(), false).await.unwrap();
}

/// What Entra asks of an application it asks of all who sign in as it to this tenant, and of nobody else.
#[tokio::test]
async fn a_pause_that_entra_asks_for_is_kept_by_all_of_the_application() {
    let world = World::instant().await;
    world.arm.tokens().check(&central(), false).await.unwrap();
    world.fault(json!({"match": {"kind": "token"}, "action": {"status": 429, "code": "AADSTS90055",
        "message": "AADSTS90055: too many requests by 1.2.3.4", "headers": {"Retry-After": "2"}}}));
    let tokens = world.arm.tokens();
    let fault = tokens.check(&central(), true).await.unwrap_err();
    assert_eq!((&fault.kind, fault.code.as_str()), (&UNREACHABLE, "AADSTS90055"));
    assert_eq!(fault.retry_after, Some(Duration::from_secs(2)));
    assert!(tokens.holds(&central()), "the token in hand is good");
    world.heal();
    let (mark, other) = (world.mark(), credential("other", APP, SECRET, CENTRAL));
    for credential in [central(), other.clone()] {
        let fault = tokens.check(&credential, true).await.unwrap_err();
        assert_eq!((&fault.kind, fault.code.as_str()), (&UNREACHABLE, "AADSTS90055"));
        assert!(fault.retry_after.is_some_and(|left| left <= Duration::from_secs(2)), "{fault:?}");
        assert!(!fault.message.contains("1.2.3.4"), "what another one was told: {}", fault.message);
    }
    assert!(world.sign_ins(mark).is_empty());
    tokens.check(&target(), false).await.unwrap();
    tokio::time::sleep(Duration::from_millis(2_050)).await;
    tokens.check(&other, false).await.unwrap();
}

/// Also one whose token has run out is known to be one of the application's.
#[tokio::test]
async fn a_pause_is_kept_by_all_also_when_no_token_is_in_hand() {
    let world = World::instant().await;
    world.set(&json!({"tokenLifeSeconds": 1}));
    let tokens = world.arm.tokens();
    tokens.check(&central(), false).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    tokens.check(&target(), false).await.unwrap();
    world.fault(
        json!({"match": {"kind": "token", "times": 1}, "action": {"status": 429, "code": "AADSTS90055",
        "message": "AADSTS90055: too many requests", "headers": {"Retry-After": "60"}}}),
    );
    tokens.check(&central(), false).await.unwrap_err();
    let mark = world.mark();
    tokens.check(&credential("other", APP, SECRET, CENTRAL), false).await.unwrap_err();
    assert!(world.sign_ins(mark).is_empty());
}

/// Tenant and client are public: who writes them into a credential of his own, and has Entra throttle that, holds up
/// himself.
#[tokio::test]
async fn who_never_had_a_token_holds_nobody_up() {
    let world = World::instant().await;
    let throttled = json!({"match": {"kind": "token", "times": 1}, "action": {"status": 429, "code": "AADSTS90055",
        "message": "AADSTS90055: too many requests", "headers": {"Retry-After": "3600"}}});
    world.fault(throttled);
    let tokens = world.arm.tokens();
    let forged = credential("forged", APP, "no secret at all", CENTRAL);
    let fault = tokens.check(&forged, false).await.unwrap_err();
    assert_eq!(fault.retry_after, Some(Duration::from_secs(3600)), "told to whoever asks next: not before");
    tokens.check(&central(), false).await.unwrap();
}

#[tokio::test]
async fn what_entra_does_not_know_yet_may_come() {
    let world = World::instant().await;
    let action = json!({"status": 401, "code": "AADSTS700211", "message": "AADSTS700211: No matching federated identity record found"});
    world.fault(json!({"match": {"kind": "token"}, "action": action}));
    let fault = world.arm.tokens().check(&central(), false).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::SignIn(SignInFault::Propagating));
}

#[tokio::test]
async fn many_calls_share_one_sign_in_in_success_and_in_failure() {
    let world = World::instant().await;
    let (arm, central, manager, group) = (&world.arm, central(), manager(), group());
    world.fault(json!({"match": {"kind": "token"}, "action": {"delayMs": 50}}));
    let calls = (0..10).map(|_| arm.get_manager(&central, &manager));
    for reading in futures::future::join_all(calls).await {
        found(reading);
    }
    assert_eq!((world.sign_ins(0).len(), world.calls(0).len()), (1, 10));

    arm.tokens().drop_token(&central);
    world.edit(json!({"op": "setSecret", "clientId": APP, "secret": "rotated"}));
    let mark = world.mark();
    let calls = (0..10).map(|_| arm.get_group(&central, &group));
    for reading in futures::future::join_all(calls).await {
        assert_eq!(unread(reading).code, "AADSTS7000215");
    }
    assert_eq!((world.sign_ins(mark).len(), world.calls(mark).len()), (1, 0));
}

/// Client and tenant ids are public: whoever writes them into a resource of his own must not meet another's token.
#[tokio::test]
async fn a_forged_credential_does_not_meet_a_cached_token() {
    let world = World::instant().await;
    found(world.arm.get_manager(&central(), &manager()).await);
    let forged = credential("mallory", APP, "guessed", CENTRAL);
    assert_eq!(unread(world.arm.get_manager(&forged, &manager()).await).code, "AADSTS7000215");
    // The same name with other material is another source, too.
    assert_eq!(
        unread(world.arm.get_manager(&central_with(CENTRAL, "guessed"), &manager()).await).kind,
        REFUSED
    );
    assert_eq!(world.calls(0).len(), 1);
}

/// A world whose tokens have half of their life behind them: from here on it is time to refresh.
async fn half_a_life_later() -> World {
    let mut options = Options::instant();
    options.settings.token_life_seconds = 8;
    let world = World::start(options).await;
    found(world.arm.get_manager(&central(), &manager()).await);
    tokio::time::sleep(Duration::from_millis(4_100)).await;
    world
}

/// The sign-ins that Entra has answered.
fn given(world: &World) -> usize {
    world.sign_ins(0).iter().filter(|it| it.status == Some(200)).count()
}

#[tokio::test]
async fn no_call_waits_for_the_refresh_of_a_good_token() {
    let world = half_a_life_later().await;
    // Longer than this test.
    world.fault(json!({"match": {"kind": "token"}, "action": {"delayMs": 60_000}}));
    for _ in 0..3 {
        found(world.arm.get_manager(&central(), &manager()).await);
    }
    assert_eq!((given(&world), world.calls(0).len()), (1, 4));
    assert!(world.sign_ins(0).len() <= 2, "one refresh, whoever asks");
}

#[tokio::test]
async fn a_token_is_refreshed_before_its_end() {
    let world = half_a_life_later().await;
    found(world.arm.get_manager(&central(), &manager()).await);
    let begun = avnm_arm::clock::instant();
    while given(&world) < 2 {
        assert!(begun.elapsed() < Duration::from_secs(10), "a call half a life later begins the refresh");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(world.calls(0).iter().all(|call| call.status == Some(200)));
}

#[tokio::test]
async fn a_token_that_azure_refuses_is_dropped_once() {
    let world = World::instant().await;
    let (arm, central) = (&world.arm, central());
    found(arm.get_manager(&central, &manager()).await);
    let expired = json!({"status": 401, "code": "ExpiredAuthenticationToken", "message": "m"});
    world.fault(json!({"match": {"kind": "arm", "nth": 1}, "action": expired}));
    let mark = world.mark();
    // A write, too: a 401 means that nothing happened.
    arm.put_scope_connection(&central, &scope_connection("c"), &to_target(None)).await.unwrap();
    assert_eq!((world.methods(mark).len(), world.sign_ins(mark).len()), (2, 1));
    let mark = world.mark();
    found(arm.get_manager(&central, &manager()).await);
    assert_eq!(world.sign_ins(mark).len(), 0, "the second token is kept");

    // Where Azure takes no token of ours, signing in for each call would help nobody.
    world.fault(json!({"match": {"kind": "arm"}, "action": expired}));
    let mark = world.mark();
    for _ in 0..5 {
        let fault = unread(arm.get_manager(&central, &manager()).await);
        assert_eq!(fault.kind, FaultKind::Unauthenticated, "{fault}");
    }
    assert_eq!((world.calls(mark).len(), world.sign_ins(mark).len()), (5, 0));
}
