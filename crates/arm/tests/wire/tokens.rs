//! Tokens: whose, how many, and for how long.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use avnm_terms::{FaultKind, Reading, SignInFault};

use crate::{
    connection, kind, member,
    stage::{CENTRAL, Reply, Stage, TARGET, credential},
};

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let stage =
        Stage::start(|seen, _| (!seen.is_sign_in()).then(|| Reply::error(401, "ExpiredAuthenticationToken")))
            .await;
    let (arm, central, target) = (stage.arm(), credential("a", CENTRAL), credential("b", TARGET));
    let (id, body) = member();
    let fault = arm.put_member(&central, Some(&target), &id, &body).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unauthenticated);
    assert_eq!((stage.calls().len(), stage.sign_ins()), (2, 4), "both tokens, once each");
    let tokens: Vec<_> = stage.calls().iter().map(|call| call.header("authorization").to_owned()).collect();
    assert_ne!(tokens[0], tokens[1]);
    // The fault is not the tokens': they are not had anew for each call.
    for _ in 0..5 {
        arm.put_member(&central, Some(&target), &id, &body).await.unwrap_err();
    }
    assert_eq!((stage.calls().len(), stage.sign_ins()), (7, 4));
}

#[tokio::test]
async fn a_token_of_another_tenant_is_not_used() {
    let stage = Stage::start(|seen, _| seen.is_sign_in().then(|| Reply::token_of(TARGET, 3600))).await;
    let fault = stage.arm().tokens().check(&credential("a", CENTRAL), false).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::SignIn(SignInFault::Refused));
    assert!(fault.message.contains(TARGET), "{}", fault.message);
    stage.arm().tokens().check(&credential("b", TARGET), false).await.unwrap();
}

#[tokio::test]
async fn a_token_of_the_wrong_tenant_is_not_replaced() {
    let stage = Stage::start(|seen, _| {
        (!seen.is_sign_in()).then(|| Reply::error(401, "InvalidAuthenticationTokenTenant"))
    })
    .await;
    let reading = stage.arm().get_scope_connection(&credential("a", CENTRAL), &connection()).await;
    assert_eq!(kind(&reading), FaultKind::WrongTenant);
    assert_eq!((stage.calls().len(), stage.sign_ins()), (1, 1));
}

#[tokio::test]
async fn one_sign_in_serves_all_who_wait_and_no_other_source() {
    let stage = Stage::start(|_, _| None).await;
    let arm = stage.arm();
    let (one, two) = (credential("one", CENTRAL), credential("two", CENTRAL));
    let id = connection();
    let calls = (0..20).map(|_| arm.get_scope_connection(&one, &id));
    assert!(futures::future::join_all(calls).await.iter().all(Reading::is_absent));
    assert_eq!(stage.sign_ins(), 1);
    // The same tenant and application, from another custom resource: its own sign-in.
    assert!(arm.get_scope_connection(&two, &id).await.is_absent());
    assert_eq!(stage.sign_ins(), 2);
    arm.tokens().drop_token(&one);
    arm.get_scope_connection(&two, &id).await;
    assert_eq!(stage.sign_ins(), 2);
    arm.get_scope_connection(&one, &id).await;
    assert_eq!(stage.sign_ins(), 3);
}

#[tokio::test]
async fn a_sign_in_that_was_forgotten_on_its_way_leaves_no_token() {
    let stage = Stage::start(|_, _| None).await;
    let (arm, one) = (stage.arm(), credential("one", CENTRAL));
    let (tokens, id) = (arm.tokens().clone(), connection());
    let mut call = Box::pin(arm.get_scope_connection(&one, &id));
    // It is under way, and then the credential is gone.
    assert!(futures::poll!(&mut call).is_pending());
    tokens.drop_token(&one);
    assert!(call.await.is_absent(), "whoever waited gets what they waited for");
    assert_eq!((tokens.holds(&one), stage.sign_ins()), (false, 1));
}

#[tokio::test]
async fn a_refused_sign_in_is_shared_but_not_remembered() {
    const REFUSAL: &str = r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided. Trace ID: x","error_codes":[7000215],"correlation_id":"cid"}"#;
    let healed = Arc::new(AtomicBool::new(false));
    let script = Arc::clone(&healed);
    let stage = Stage::start(move |seen, _| {
        (seen.is_sign_in() && !script.load(Ordering::SeqCst)).then(|| Reply::json(401, REFUSAL))
    })
    .await;
    let (arm, central, id) = (stage.arm(), credential("a", CENTRAL), connection());
    let calls = (0..20).map(|_| arm.get_scope_connection(&central, &id));
    for reading in futures::future::join_all(calls).await {
        let fault = reading.fault().unwrap().clone();
        assert_eq!(fault.kind, FaultKind::SignIn(SignInFault::Refused));
        assert_eq!((fault.code.as_str(), fault.correlation_id.as_deref()), ("AADSTS7000215", Some("cid")));
    }
    assert_eq!((stage.sign_ins(), stage.calls().len()), (1, 0));
    healed.store(true, Ordering::SeqCst);
    assert!(arm.get_scope_connection(&central, &id).await.is_absent());
}

#[tokio::test]
async fn a_valid_token_outlives_a_failed_refresh() {
    let stage = Stage::start(|seen, before| match (seen.is_sign_in(), before) {
        (true, 0) => Some(Reply::token(0, 6)),
        (true, _) => Some(Reply::with(500, "", "")),
        _ => None,
    })
    .await;
    let (arm, central) = (stage.arm(), credential("a", CENTRAL));
    arm.tokens().check(&central, false).await.unwrap();
    // Asked for in earnest, it says that Entra fails, and keeps the token.
    let fault = arm.tokens().check(&central, true).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::SignIn(SignInFault::Unreachable));
    assert_eq!(arm.tokens().refused(&central), Some(fault));
    assert!(arm.tokens().holds(&central));
    assert!(arm.get_scope_connection(&central, &connection()).await.is_absent());
    assert_eq!(stage.sign_ins(), 2);
    // Half of its life is over: a refresh is tried beside the call, once, and does not stand in its way.
    tokio::time::sleep(Duration::from_millis(3200)).await;
    for _ in 0..5 {
        assert!(arm.get_scope_connection(&central, &connection()).await.is_absent());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(stage.sign_ins() <= 3, "{} sign-ins", stage.sign_ins());
}
