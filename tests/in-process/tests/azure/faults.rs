//! What goes wrong, as the client sees it and as Azure knows it.

use std::time::Duration;

use avnm_arm::TransportOptions;
use avnm_terms::{FaultKind, SignInFault};
use rstest::rstest;
use serde_json::{Value, json};

use crate::stage::{
    Stage, central, client, found, manager, manager_connection, scope_connection, target, to_manager,
    to_target, unread,
};

/// For a read it is the same whether the cut came before or after: it is tried once more.
#[rstest]
#[case::before(json!({"cutBefore": true}), false)]
#[case::after(json!({"cutAfter": true}), true)]
#[case::within_the_answer(json!({"truncated": true}), true)]
#[tokio::test(start_paused = true)]
async fn a_cut_connection(#[case] action: Value, #[case] happened: bool) {
    let stage = Stage::instant();
    let id = scope_connection("c");
    stage.fault(json!({"match": {"kind": "arm", "nth": 1}, "action": action}));
    found(stage.arm.get_manager(&central(), &manager()).await);
    stage.heal();
    stage.fault(json!({"match": {"method": "PUT"}, "action": action}));
    let fault = stage.arm.put_scope_connection(&central(), &id, &to_target()).await.unwrap_err();
    assert_eq!((fault.kind, fault.effect_unknown), (FaultKind::Network, true));
    assert_eq!(stage.exists(&id), happened);
    assert_eq!(stage.methods(), ["GET", "GET", "PUT"]);
    assert_eq!(stage.elapsed(), Duration::ZERO);
}

/// Nobody stays on the line for the effect: it is not there, and it does not come later.
#[tokio::test(start_paused = true)]
async fn a_hang_ends_with_the_clients_own_time() {
    let stage = Stage::instant();
    let id = scope_connection("c");
    stage.fault(json!({"match": {"method": "PUT"}, "action": {"delayMs": 600_000}}));
    let fault = stage.arm.put_scope_connection(&central(), &id, &to_target()).await.unwrap_err();
    assert_eq!((fault.kind, fault.effect_unknown), (FaultKind::Network, true));
    assert_eq!(fault.message, "no answer in time");
    assert_eq!(stage.elapsed(), Duration::from_secs(65));
    tokio::time::sleep(Duration::from_secs(1000)).await;
    assert!(!stage.exists(&id));
    // Signing in has a bound of its own.
    stage.fault(json!({"match": {"kind": "token"}, "action": {"delayMs": 600_000}}));
    let before = stage.elapsed();
    let put = stage.arm.put_manager_connection(&target(), &manager_connection("c"), &to_manager()).await;
    assert_eq!(put.unwrap_err().kind, FaultKind::SignIn(SignInFault::Unreachable));
    assert_eq!(stage.elapsed(), before + Duration::from_secs(30));
}

#[tokio::test(start_paused = true)]
async fn the_effect_of_a_cut_put_comes_to_the_millisecond() {
    let stage = Stage::instant();
    let id = scope_connection("c");
    stage.fault(json!({"match": {"method": "PUT"}, "action": {"lateEffect": {"ms": 90_000}}}));
    let fault = stage.arm.put_scope_connection(&central(), &id, &to_target()).await.unwrap_err();
    assert!(fault.effect_unknown);
    tokio::time::sleep(Duration::from_millis(89_999)).await;
    assert!(stage.arm.get_scope_connection(&central(), &id).await.is_absent());
    tokio::time::sleep(Duration::from_millis(1)).await;
    found(stage.arm.get_scope_connection(&central(), &id).await);
}

/// The gate is closed to the second, and nothing is sent meanwhile.
#[rstest]
#[case::throttled(json!({"status": 429, "code": "TooManyRequests", "headers": {"Retry-After": "17"}}), FaultKind::Throttled)]
#[case::unavailable(json!({"status": 503, "code": "ServerBusy", "headers": {"Retry-After": "17"}}), FaultKind::Unavailable)]
#[tokio::test(start_paused = true)]
async fn a_wish_to_wait(#[case] action: Value, #[case] kind: FaultKind) {
    let stage = Stage::instant();
    stage.fault(json!({"match": {"kind": "arm", "nth": 1}, "action": action}));
    let fault = unread(stage.arm.get_manager(&central(), &manager()).await);
    assert_eq!((fault.kind, fault.retry_after), (kind, Some(Duration::from_secs(17))));
    tokio::time::sleep(Duration::from_millis(16_999)).await;
    assert_eq!(unread(stage.arm.get_manager(&central(), &manager()).await).kind, FaultKind::GateClosed);
    tokio::time::sleep(Duration::from_millis(1)).await;
    found(stage.arm.get_manager(&central(), &manager()).await);
    assert_eq!(stage.methods(), ["GET", "GET"]);
}

#[rstest]
#[case::html(json!({"html": true}), FaultKind::Server, "HTTP502")]
#[case::too_large(json!({"giant": true, "bytes": 9_000_000}), FaultKind::Malformed, "Malformed")]
#[case::redirect(json!({"redirect": "https://elsewhere.invalid/"}), FaultKind::Malformed, "HTTP307")]
#[case::unavailable(json!({"status": 503}), FaultKind::Server, "HTTP503")]
#[tokio::test(start_paused = true)]
async fn an_answer_that_is_none(#[case] action: Value, #[case] kind: FaultKind, #[case] code: &str) {
    let stage = Stage::instant();
    stage.fault(json!({"match": {"kind": "arm"}, "action": action}));
    let fault = unread(stage.arm.get_manager(&central(), &manager()).await);
    assert_eq!((fault.kind, fault.code.as_str()), (kind, code), "{}", fault.message);
}

#[tokio::test(start_paused = true)]
async fn a_stale_read() {
    let stage = Stage::instant();
    let id = scope_connection("c");
    stage.fault(json!({"match": {"method": "GET", "nth": 1}, "action": {"stale": true}}));
    stage.arm.put_scope_connection(&central(), &id, &to_target()).await.unwrap();
    assert!(stage.arm.get_scope_connection(&central(), &id).await.is_absent(), "as before the PUT");
    found(stage.arm.get_scope_connection(&central(), &id).await);
}

/// What is not the emulated Azure is nowhere: no token and no secret can leave the process.
#[tokio::test(start_paused = true)]
async fn elsewhere_there_is_nobody() {
    let stage = Stage::instant();
    let cloud = stage.azure.cloud().unwrap().with_arm_endpoint("https://elsewhere.invalid").unwrap();
    let arm = client(cloud, stage.azure.transport_with(&TransportOptions::default()));
    let put = arm.put_scope_connection(&central(), &scope_connection("c"), &to_target()).await;
    let fault = put.unwrap_err();
    assert_eq!((fault.kind, fault.effect_unknown), (FaultKind::Network, false), "nothing was sent");
    assert_eq!((stage.sign_ins(), stage.methods().len()), (1, 0));
}
