//! What is not sent: behind a closed gate, or without the lease.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use avnm_arm::{VerbClass, WriteGuard};
use avnm_terms::{AzureName, FaultKind, ScopeConnectionId};

use crate::{
    body, connection, manager, member,
    stage::{CENTRAL, Reply, Stage, credential},
};

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
    assert!(arm.gate_closed_until(&one, connection().arm(), VerbClass::Write).is_some());
    assert!(arm.gate_closed_until(&one, connection().arm(), VerbClass::Read).is_none());
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

/// One thing that fails says nothing about others; five different ones do.
#[tokio::test]
async fn five_failing_resources_stop_the_rest_for_a_while() {
    let stage =
        Stage::start(|seen, _| (!seen.is_sign_in()).then(|| Reply::error(500, "InternalServerError"))).await;
    let (arm, central) = (stage.arm(), credential("a", CENTRAL));
    let put = async |name: &str| {
        let id = ScopeConnectionId::new(&manager(), &AzureName::parse(name).unwrap());
        arm.put_scope_connection(&central, &id, &body()).await.unwrap_err().kind
    };
    for name in ["a", "a", "a", "a", "a", "b", "c", "d", "e"] {
        assert_eq!(put(name).await, FaultKind::Server);
    }
    assert_eq!(put("f").await, FaultKind::GateClosed);
    assert_eq!(stage.calls().len(), 9);
    let closed = arm.closed_gates();
    assert_eq!((closed.len(), closed[0].code.as_str()), (1, "InternalServerError"));
}
