//! What is sent, and what is told about it.

use std::sync::{Arc, Mutex};

use avnm_arm::{CallRecord, Observer};
use avnm_terms::FaultKind;

use crate::{
    FOUND, MEMBER, body, connection, member,
    stage::{CENTRAL, Reply, Stage, TARGET, credential},
};

#[tokio::test]
async fn the_second_token_goes_only_where_it_belongs() {
    const AUXILIARY: &str = "x-ms-authorization-auxiliary";
    let stage = Stage::start(|seen, _| match seen.method.as_str() {
        "PUT" => Some(Reply::json(200, MEMBER)),
        "DELETE" if seen.header(AUXILIARY).is_empty() => Some(Reply::error(403, "LinkedAuthorizationFailed")),
        "DELETE" => Some(Reply::with(200, "", "")),
        _ => None,
    })
    .await;
    let arm = stage.arm();
    let (central, target, same) =
        (credential("a", CENTRAL), credential("b", TARGET), credential("c", CENTRAL));
    let (id, wanted) = member();
    arm.put_member(&central, Some(&target), &id, &wanted).await.unwrap();
    arm.put_member(&central, Some(&same), &id, &wanted).await.unwrap();
    arm.put_member(&central, None, &id, &wanted).await.unwrap();
    assert!(arm.get_member(&central, &id).await.is_absent());
    let refused = arm.delete_member(&central, None, &id).await.unwrap_err();
    assert_eq!(refused.kind, FaultKind::LinkedPermissionDenied);
    arm.delete_member(&central, Some(&target), &id).await.unwrap();

    let calls = stage.calls();
    let auxiliary: Vec<_> =
        calls.iter().map(|call| (call.method.as_str(), !call.header(AUXILIARY).is_empty())).collect();
    let wanted = [
        ("PUT", true),
        ("PUT", false),
        ("PUT", false),
        ("GET", false),
        ("DELETE", false),
        ("DELETE", false),
        ("DELETE", true),
    ];
    assert_eq!(auxiliary, wanted);
    assert!(calls[0].header(AUXILIARY).starts_with("Bearer token"));
    assert_ne!(calls[0].header(AUXILIARY), calls[0].header("authorization"));
}

#[tokio::test]
async fn what_a_put_sends() {
    let stage = Stage::start(|seen, _| (!seen.is_sign_in()).then(|| Reply::json(201, FOUND))).await;
    let arm = stage.arm();
    for _ in 0..2 {
        arm.put_scope_connection(&credential("a", CENTRAL), &connection(), &body()).await.unwrap();
    }
    let calls = stage.calls();
    assert_eq!(calls[0].path, format!("{}?api-version=2024-05-01", connection()));
    assert_eq!(
        calls[0].body,
        r#"{"properties":{"resourceId":"/subscriptions/87654321-1234-5678-abcd-0987654321ab","tenantId":"12345678-12a3-4abc-5cde-678909876543"}}"#
    );
    assert!(calls[0].header("content-type").starts_with("application/json"));
    assert!(calls[0].header("user-agent").starts_with("avnm-operator/"));
    assert_eq!(calls[0].header("accept-encoding"), "");
    let ids: Vec<_> = calls.iter().map(|call| call.header("x-ms-client-request-id")).collect();
    assert!(ids[0].len() == 36 && ids[0] != ids[1], "{ids:?}");
    assert_eq!(stage.sign_ins(), 1);
}

#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl Observer for Notes {
    fn call(&self, record: &CallRecord<'_>) {
        let CallRecord { operation, method, status, code, correlation_id, auxiliary, .. } = record;
        let note = format!("{operation} {method} {status:?} {code:?} {correlation_id:?} {auxiliary}");
        self.0.lock().unwrap().push(note);
    }
}

#[tokio::test]
async fn every_attempt_is_observed() {
    let stage = Stage::start(|seen, before| match (seen.is_sign_in(), before) {
        (false, 0) => Some(Reply::Cut),
        (false, 1) => Some(Reply::with(
            404,
            "x-ms-correlation-request-id: cid\r\n",
            r#"{"error":{"code":"ResourceNotFound"}}"#,
        )),
        (false, _) => Some(Reply::json(200, MEMBER)),
        _ => None,
    })
    .await;
    let notes = Arc::new(Notes::default());
    let arm = stage.arm().with_observer(notes.clone());
    let (central, target) = (credential("a", CENTRAL), credential("b", TARGET));
    let (id, wanted) = member();
    assert!(arm.get_member(&central, &id).await.is_absent());
    arm.put_member(&central, Some(&target), &id, &wanted).await.unwrap();
    let wanted = [
        "get staticMember GET None None None false",
        r#"get staticMember GET Some(404) Some("ResourceNotFound") Some("cid") false"#,
        "put staticMember PUT Some(200) None None true",
    ];
    assert_eq!(*notes.0.lock().unwrap(), wanted);
}
