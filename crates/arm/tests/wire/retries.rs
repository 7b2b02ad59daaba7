//! Answers that never come.

use std::{sync::Arc, time::Duration};

use avnm_arm::{Arm, Tokens, Transport, TransportOptions};
use avnm_terms::FaultKind;
use rstest::rstest;

use crate::{
    FOUND, body, connection, kind,
    stage::{Always, CENTRAL, Reply, Stage, credential},
};

#[rstest]
#[case::at_once(|| Reply::Cut)]
#[case::within_the_body(|| Reply::Raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{".to_owned()))]
#[tokio::test]
async fn a_cut_is_retried_once_and_never_for_a_put(#[case] cut: fn() -> Reply) {
    let stage = Stage::start(move |seen, _| (!seen.is_sign_in()).then(cut)).await;
    let (arm, central) = (stage.arm(), credential("a", CENTRAL));
    let put = arm.put_scope_connection(&central, &connection(), &body()).await.unwrap_err();
    assert_eq!((put.kind, put.effect_unknown), (FaultKind::Network, true));
    assert_eq!(stage.methods(), ["PUT"]);

    let get = arm.get_scope_connection(&central, &connection()).await;
    assert_eq!(kind(&get), FaultKind::Network);
    assert!(!get.fault().unwrap().effect_unknown);
    let delete = arm.delete_scope_connection(&central, &connection()).await.unwrap_err();
    assert_eq!((delete.kind, delete.effect_unknown), (FaultKind::Network, true));
    assert_eq!(stage.methods(), ["PUT", "GET", "GET", "DELETE", "DELETE"]);
}

#[tokio::test]
async fn the_retry_of_a_cut_read_counts() {
    let stage = Stage::start(|seen, before| match (seen.is_sign_in(), before) {
        (false, 0) => Some(Reply::Cut),
        (false, _) => Some(Reply::json(200, FOUND)),
        _ => None,
    })
    .await;
    let reading = stage.arm().get_scope_connection(&credential("a", CENTRAL), &connection()).await;
    assert_eq!(reading.found().unwrap().id, *connection().arm());
}

/// The first DELETE may have landed although the second was refused.
#[tokio::test]
async fn a_refusal_after_a_cut_leaves_the_first_in_doubt() {
    let stage = Stage::start(|seen, before| match (seen.is_sign_in(), before) {
        (false, 0) => Some(Reply::Cut),
        (false, _) => Some(Reply::error(403, "AuthorizationFailed")),
        _ => None,
    })
    .await;
    let fault =
        stage.arm().delete_scope_connection(&credential("a", CENTRAL), &connection()).await.unwrap_err();
    assert_eq!((fault.kind, fault.effect_unknown), (FaultKind::PermissionDenied, true));
}

#[tokio::test]
async fn nothing_was_sent_where_nobody_listens_or_nobody_is_trusted() {
    let stage = Stage::start(|_, _| None).await;
    let (arm, central) = (stage.arm(), credential("a", CENTRAL));
    arm.tokens().check(&central, false).await.unwrap();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let stranger = Stage::start(|_, _| None).await;
    for endpoint in [format!("https://localhost:{}", closed.port()), stranger.url()] {
        let cloud = arm.cloud().clone().with_arm_endpoint(&endpoint).unwrap();
        let options =
            TransportOptions { extra_ca_pem: Some(stage.ca.clone().into_bytes()), ..Default::default() };
        let transport = Transport::new(&options).unwrap();
        let lost = Arm::new(cloud, transport, arm.tokens().clone(), Arc::new(Always));
        let fault = lost.put_scope_connection(&central, &connection(), &body()).await.unwrap_err();
        assert_eq!((fault.kind, fault.effect_unknown), (FaultKind::Network, false), "{}", fault.message);
    }
    assert!(stranger.calls().is_empty());
}

/// Who waited for the whole time does not wait for it again.
#[tokio::test]
async fn no_answer_in_time() {
    let stage = Stage::start(|seen, _| (!seen.is_sign_in()).then_some(Reply::Silence)).await;
    let options = TransportOptions {
        extra_ca_pem: Some(stage.ca.clone().into_bytes()),
        request_timeout: Duration::from_millis(500),
        ..Default::default()
    };
    let (cloud, transport) = (stage.arm().cloud().clone(), Transport::new(&options).unwrap());
    let tokens = Tokens::new(cloud.clone(), transport.clone());
    let arm = Arm::new(cloud, transport, tokens, Arc::new(Always));
    let central = credential("a", CENTRAL);
    assert_eq!(kind(&arm.get_scope_connection(&central, &connection()).await), FaultKind::Network);
    let put = arm.put_scope_connection(&central, &connection(), &body()).await.unwrap_err();
    assert_eq!((put.kind, put.effect_unknown), (FaultKind::Network, true));
    assert_eq!(stage.methods(), ["GET", "PUT"]);
}
