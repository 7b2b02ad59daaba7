//! Answers that are not what they should be.

use avnm_terms::{FaultKind, SignInFault};
use rstest::rstest;

use crate::{
    body, connection, kind, manager,
    stage::{CENTRAL, Reply, Stage, credential},
};

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Stage::start(|_, _| None).await;
    let location = elsewhere.url();
    for status in [301, 302, 307, 308] {
        let location = location.clone();
        let stage = Stage::start(move |seen, _| {
            (!seen.is_sign_in()).then(|| Reply::with(status, &format!("Location: {location}/x\r\n"), ""))
        })
        .await;
        let reading = stage.arm().get_scope_connection(&credential("a", CENTRAL), &connection()).await;
        assert_eq!(kind(&reading), FaultKind::Malformed);
        assert_eq!(stage.methods(), ["GET"]);
    }
    // Nor at sign-in, where the secret would travel.
    let location = elsewhere.url();
    let stage = Stage::start(move |seen, _| {
        seen.is_sign_in().then(|| Reply::with(307, &format!("Location: {location}/x\r\n"), ""))
    })
    .await;
    let reading = stage.arm().get_scope_connection(&credential("a", CENTRAL), &connection()).await;
    assert_eq!(kind(&reading), FaultKind::SignIn(SignInFault::Unreachable));
    assert_eq!((elsewhere.calls().len(), elsewhere.sign_ins()), (0, 0));
}

#[rstest]
#[case::declared(|| Reply::Raw("HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n{".to_owned()))]
#[case::endless(|| Reply::Endless)]
#[tokio::test]
async fn a_giant_answer_is_not_read(#[case] reply: fn() -> Reply) {
    let stage = Stage::start(move |seen, _| (!seen.is_sign_in()).then(reply)).await;
    let arm = stage.arm();
    let reading = arm.get_scope_connection(&credential("a", CENTRAL), &connection()).await;
    assert_eq!(kind(&reading), FaultKind::Malformed);
    assert!(reading.fault().unwrap().message.contains("8 MiB"));
    // A PUT may have had its effect all the same.
    let fault =
        arm.put_scope_connection(&credential("a", CENTRAL), &connection(), &body()).await.unwrap_err();
    assert!(fault.effect_unknown);
    assert_eq!(stage.methods(), ["GET", "PUT"]);
}

#[tokio::test]
async fn a_giant_token_answer_is_not_read() {
    let stage = Stage::start(|seen, _| seen.is_sign_in().then_some(Reply::Endless)).await;
    let fault = stage.arm().tokens().check(&credential("a", CENTRAL), true).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::SignIn(SignInFault::Unreachable));
}

#[rstest]
#[case::html("text/html", "<html>sign in to the hotel network</html>")]
#[case::empty("application/json", "")]
#[case::other("application/json", r#"{"status":"ok"}"#)]
#[case::null("application/json", r#"{"properties":null}"#)]
#[tokio::test]
async fn a_success_of_another_form_is_neither_found_nor_absent(
    #[case] kind: &'static str,
    #[case] text: &'static str,
) {
    let stage = Stage::start(move |seen, _| {
        (!seen.is_sign_in()).then(|| Reply::with(200, &format!("Content-Type: {kind}\r\n"), text))
    })
    .await;
    let (arm, central) = (stage.arm(), credential("a", CENTRAL));
    for fault in [
        arm.get_scope_connection(&central, &connection()).await.fault().unwrap(),
        arm.list_scope_connections(&central, &manager()).await.fault().unwrap(),
        &arm.put_scope_connection(&central, &connection(), &body()).await.unwrap_err(),
    ] {
        assert_eq!(fault.kind, FaultKind::Malformed);
        assert!(!fault.message.contains("hotel"), "{}", fault.message);
        assert_eq!(fault.effect_unknown, fault.operation.starts_with("put"));
    }
}
