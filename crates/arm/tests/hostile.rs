//! What the client does when the other end answers badly: counted in requests, at the wire.

mod stage;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use avnm_arm::{Arm, MemberBody, ScopeConnectionBody, WriteGuard};
use avnm_terms::{
    AzureName, FaultKind, GroupId, ManagerId, MemberId, NetworkId, Reading, ScopeConnectionId, ScopeId,
    SignInFault, TenantId,
};
use rstest::rstest;
use stage::{CENTRAL, Reply, Stage, TARGET, credential};

const FOUND: &str = r#"{"id":"x","name":"c","properties":{"tenantId":"12345678-12a3-4abc-5cde-678909876543","resourceId":"/subscriptions/87654321-1234-5678-abcd-0987654321ab","connectionState":"Pending","description":""}}"#;
const MEMBER: &str = r#"{"name":"m","properties":{"resourceId":"/x","provisioningState":"Updating"}}"#;

fn manager() -> ManagerId {
    ManagerId::parse("/subscriptions/13579864-1234-5678-abcd-0987654321ab/resourceGroups/RG/providers/Microsoft.Network/networkManagers/NM").unwrap()
}

fn connection() -> ScopeConnectionId {
    ScopeConnectionId::new(&manager(), &AzureName::parse("c").unwrap())
}

fn body() -> ScopeConnectionBody {
    ScopeConnectionBody {
        tenant: TenantId::parse(TARGET).unwrap(),
        scope: ScopeId::parse("/subscriptions/87654321-1234-5678-abcd-0987654321ab").unwrap(),
        description: None,
    }
}

fn member() -> (MemberId, MemberBody) {
    let group = GroupId::parse(&format!("{}/networkGroups/G", manager())).unwrap();
    let network = "/subscriptions/87654321-1234-5678-abcd-0987654321ab/resourceGroups/RG/providers/Microsoft.Network/virtualNetworks/V";
    (
        MemberId::new(&group, &AzureName::parse("m").unwrap()),
        MemberBody { resource: NetworkId::parse(network).unwrap() },
    )
}

fn kind<T: std::fmt::Debug>(reading: &Reading<T>) -> FaultKind {
    reading.fault().unwrap_or_else(|| panic!("read {reading:?}")).kind.clone()
}

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
        let options = avnm_arm::TransportOptions {
            extra_ca_pem: Some(stage.ca.clone().into_bytes()),
            ..Default::default()
        };
        let transport = avnm_arm::Transport::new(&options).unwrap();
        let lost = Arm::new(cloud, transport, arm.tokens().clone(), Arc::new(stage::Always));
        let fault = lost.put_scope_connection(&central, &connection(), &body()).await.unwrap_err();
        assert_eq!((fault.kind, fault.effect_unknown), (FaultKind::Network, false), "{}", fault.message);
    }
    assert!(stranger.calls().is_empty());
}

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

#[tokio::test]
async fn a_list_goes_on_to_its_end_and_nowhere_else() {
    fn page(items: &[&str], next: &str) -> Reply {
        let items: Vec<_> = items
            .iter()
            .map(|name| format!(r#"{{"name":"{name}","properties":{{"connectionState":"Pending"}}}}"#))
            .collect();
        Reply::json(200, &format!(r#"{{"value":[{}],"nextLink":"{next}"}}"#, items.join(",")))
    }
    let elsewhere = Stage::start(|_, _| None).await;
    let trap = elsewhere.url();
    let stage = Stage::start(move |seen, _| {
        let host = seen.header("host").to_owned();
        Some(match seen.path.split_once('?').map(|(path, _)| path.rsplit('/').nth(1).unwrap_or_default()) {
            Some("good") if seen.path.contains("skip=2") => page(&["c"], ""),
            // An empty page is not the end, and the next may have another api-version.
            Some("good") if seen.path.contains("skip=1") => {
                page(&[], &format!("https://{host}/x/good/y?api-version=2021-01-01&skip=2"))
            }
            Some("good") => {
                page(&["a", "b"], &format!("https://{host}/x/good/y?api-version=2021-01-01&skip=1"))
            }
            Some("trap") => page(&["a"], &format!("{trap}/x/y?skip=1")),
            Some("loop") => page(&["a"], &format!("https://{host}/x/loop/y?skip=1")),
            Some("lost") if seen.path.contains("skip=1") => Reply::error(404, "NotFound"),
            Some("lost") => page(&["a"], &format!("https://{host}/x/lost/y?skip=1")),
            _ => return None,
        })
    })
    .await;
    let (arm, central) = (stage.arm(), credential("a", CENTRAL));
    let list = async |name: &str| {
        let manager =
            ManagerId::parse(&format!("{}/{name}", manager().arm().as_str().rsplit_once('/').unwrap().0));
        arm.list_scope_connections(&central, &manager.unwrap()).await
    };
    let names: Vec<_> = list("good").await.found().unwrap().iter().map(|c| c.id.name().to_owned()).collect();
    assert_eq!(names, ["a", "b", "c"]);
    assert!(stage.calls().iter().all(|call| !call.path.contains("top")));
    assert_eq!(kind(&list("trap").await), FaultKind::Malformed);
    assert_eq!(kind(&list("loop").await), FaultKind::Malformed);
    assert_eq!(kind(&list("lost").await), FaultKind::UnprovenNotFound);
    assert!(list("none").await.is_absent());
    assert!(elsewhere.calls().is_empty());
}

#[tokio::test]
async fn used_up_quota_stops_this_kind_of_call_for_everyone_of_the_application() {
    let stage = Stage::start(|seen, _| match seen.method.as_str() {
        "PUT" => Some(Reply::with(
            429,
            "Retry-After: 17\r\nContent-Type: application/json\r\n",
            r#"{"error":{"code":"SubscriptionRequestsThrottled","message":"m"}}"#,
        )),
        _ => None,
    })
    .await;
    let (arm, one, two) = (stage.arm(), credential("one", CENTRAL), credential("two", CENTRAL));
    let fault = arm.put_scope_connection(&one, &connection(), &body()).await.unwrap_err();
    assert_eq!((fault.kind, fault.retry_after), (FaultKind::Throttled, Some(Duration::from_secs(17))));
    let fault = arm.put_scope_connection(&two, &connection(), &body()).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::GateClosed);
    assert!(fault.retry_after.unwrap() > Duration::from_secs(15), "{fault:?}");
    assert!(!fault.effect_unknown);
    assert!(arm.get_scope_connection(&one, &connection()).await.is_absent());
    assert!(arm.gate_closed_until(&one, connection().arm(), avnm_arm::VerbClass::Write).is_some());
    assert!(arm.gate_closed_until(&one, connection().arm(), avnm_arm::VerbClass::Read).is_none());
    assert_eq!(stage.methods(), ["PUT", "GET"]);
}

struct Lease(AtomicBool);

impl WriteGuard for Lease {
    fn allow_write(&self) -> Result<(), String> {
        if self.0.load(Ordering::SeqCst) { Ok(()) } else { Err("the lease ends too soon".to_owned()) }
    }
}

#[tokio::test]
async fn without_the_lease_nothing_is_written() {
    let stage = Stage::start(|_, _| None).await;
    let lease = Arc::new(Lease(AtomicBool::new(false)));
    let (arm, central) = (stage.arm_with(lease.clone()), credential("a", CENTRAL));
    let (id, wanted) = member();
    for fault in [
        arm.put_scope_connection(&central, &connection(), &body()).await.unwrap_err(),
        arm.delete_scope_connection(&central, &connection()).await.unwrap_err(),
        arm.put_member(&central, None, &id, &wanted).await.unwrap_err(),
    ] {
        assert_eq!((fault.kind, fault.effect_unknown), (FaultKind::NoLease, false));
    }
    assert!(arm.get_scope_connection(&central, &connection()).await.is_absent());
    assert_eq!(stage.methods(), ["GET"]);
    lease.0.store(true, Ordering::SeqCst);
    arm.delete_scope_connection(&central, &connection()).await.unwrap();
    assert_eq!(stage.methods(), ["GET", "DELETE"]);
}

/// A lease that ends between the refused token and the second try stops the second try.
#[tokio::test]
async fn the_lease_is_asked_before_every_try() {
    let lease = Arc::new(Lease(AtomicBool::new(true)));
    let script = Arc::clone(&lease);
    let stage = Stage::start(move |seen, _| {
        (!seen.is_sign_in()).then(|| {
            script.0.store(false, Ordering::SeqCst);
            Reply::error(401, "ExpiredAuthenticationToken")
        })
    })
    .await;
    let arm = stage.arm_with(lease);
    let fault =
        arm.put_scope_connection(&credential("a", CENTRAL), &connection(), &body()).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::NoLease);
    assert_eq!(stage.methods(), ["PUT"]);
}

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
