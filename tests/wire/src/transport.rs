//! Connections that end badly, and answers that are none.

use std::time::Duration;

use avnm_terms::FaultKind;
use rstest::rstest;
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    time::timeout,
};

use crate::world::{World, central, found, manager, scope_connection, to_target, unread};

#[rstest]
#[case::before(json!({"cutBefore": true}))]
#[case::after(json!({"cutAfter": true}))]
#[case::within_the_answer(json!({"truncated": true}))]
#[tokio::test]
async fn a_read_whose_connection_is_cut_is_tried_once_more(#[case] action: Value) {
    let world = World::instant().await;
    world.fault(json!({"match": {"kind": "arm", "nth": 1}, "action": action}));
    found(world.arm.get_manager(&central(), &manager()).await);
    assert_eq!(world.methods(0), ["GET", "GET"]);

    world.heal();
    world.fault(json!({"match": {"kind": "arm"}, "action": action}));
    let mark = world.mark();
    let fault = unread(world.arm.get_manager(&central(), &manager()).await);
    assert_eq!((fault.kind, fault.effect_unknown), (FaultKind::Network, false));
    assert_eq!(world.methods(mark), ["GET", "GET"], "and not a third time");
}

/// The first may still land, and what it makes may be someone else's by then.
#[rstest]
#[case::before(json!({"cutBefore": true}), false)]
#[case::after(json!({"cutAfter": true}), true)]
#[case::within_the_answer(json!({"truncated": true}), true)]
#[tokio::test]
async fn a_put_whose_connection_is_cut_is_not_repeated(#[case] action: Value, #[case] happened: bool) {
    let world = World::instant().await;
    world.fault(json!({"match": {"method": "PUT"}, "action": action}));
    let put = world.arm.put_scope_connection(&central(), &scope_connection("c"), &to_target(None)).await;
    let fault = put.unwrap_err();
    assert_eq!((fault.kind, fault.effect_unknown), (FaultKind::Network, true));
    assert_eq!(world.methods(0), ["PUT"]);
    assert_eq!(world.exists(scope_connection("c").arm().as_str()), happened);
}

#[tokio::test]
async fn the_effect_of_a_cut_put_can_come_later() {
    let world = World::instant().await;
    let (arm, central, id) = (&world.arm, central(), scope_connection("c"));
    world.fault(json!({"match": {"method": "PUT"}, "action": {"lateEffect": {"ms": 600}}}));
    let fault = arm.put_scope_connection(&central, &id, &to_target(None)).await.unwrap_err();
    assert!(fault.effect_unknown);
    assert!(arm.get_scope_connection(&central, &id).await.is_absent(), "not yet");
    tokio::time::sleep(Duration::from_millis(650)).await;
    found(arm.get_scope_connection(&central, &id).await);
}

/// A DELETE says the same the second time.
#[tokio::test]
async fn a_delete_whose_connection_is_cut_is_tried_once_more() {
    let world = World::instant().await;
    let (arm, central, id) = (&world.arm, central(), scope_connection("c"));
    arm.put_scope_connection(&central, &id, &to_target(None)).await.unwrap();
    world.fault(json!({"match": {"method": "DELETE", "nth": 1}, "action": {"cutAfter": true}}));
    let mark = world.mark();
    arm.delete_scope_connection(&central, &id).await.unwrap();
    assert_eq!(world.methods(mark), ["DELETE", "DELETE"]);
    assert!(!world.exists(id.arm().as_str()));
}

#[rstest]
#[case::bad_gateway(json!({"html": true}), FaultKind::Server, "HTTP502")]
#[case::forbidden_by_a_proxy(json!({"html": true, "status": 403}), FaultKind::Malformed, "HTTP403")]
#[case::success_of_a_portal(json!({"html": true, "status": 200}), FaultKind::Malformed, "Malformed")]
#[case::too_large(json!({"giant": true, "bytes": 9_000_000}), FaultKind::Malformed, "Malformed")]
#[tokio::test]
async fn an_answer_that_is_not_azures_is_neither_found_nor_absent(
    #[case] action: Value,
    #[case] kind: FaultKind,
    #[case] code: &str,
) {
    let world = World::instant().await;
    let (arm, central, id) = (&world.arm, central(), scope_connection("c"));
    world.fault(json!({"match": {"kind": "arm"}, "action": action}));
    for fault in [
        unread(arm.get_scope_connection(&central, &id).await),
        unread(arm.list_scope_connections(&central, &manager()).await),
        arm.put_scope_connection(&central, &id, &to_target(None)).await.unwrap_err(),
    ] {
        assert_eq!((&fault.kind, fault.code.as_str()), (&kind, code), "{fault}");
        assert!(
            !fault.message.contains("Bad Gateway"),
            "a page of someone else is not quoted: {}",
            fault.message
        );
    }
    assert_eq!(world.methods(0), ["GET", "GET", "PUT"], "each is asked once");
}

/// Whoever answers for Azure may not send our tokens, or the secret, elsewhere: another host is not even connected to.
#[rstest]
#[case::arm("arm", "https")]
#[case::arm_in_the_clear("arm", "http")]
#[case::entra("token", "https")]
#[case::entra_in_the_clear("token", "http")]
#[tokio::test]
async fn a_redirect_is_not_followed(#[case] kind: &str, #[case] scheme: &str) {
    let world = World::instant().await;
    let elsewhere = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = elsewhere.local_addr().unwrap();
    // Another host by name, too, and not only by port.
    let location = format!("{scheme}://localhost:{}/somewhere", address.port());
    world.fault(json!({"match": {"kind": kind}, "action": {"redirect": location}}));
    let fault = unread(world.arm.get_manager(&central(), &manager()).await);
    assert_eq!(fault.code, "HTTP307");
    let knock = timeout(Duration::from_millis(300), elsewhere.accept()).await;
    assert!(knock.is_err(), "somebody knocked there");
    // Who knocks is heard.
    let (heard, _visitor) = tokio::join!(elsewhere.accept(), TcpStream::connect(address));
    heard.unwrap();
}

/// Entra is who it should be, and whoever stands in ARM's place is not: no token goes there.
#[tokio::test]
async fn a_client_trusts_only_whom_it_was_told_to_trust() {
    let (world, stranger) = (World::instant().await, World::instant().await);
    let arm = world.client(|cloud| cloud.with_arm_endpoint(stranger.emulator.url()).unwrap());
    let fault = unread(arm.get_manager(&central(), &manager()).await);
    assert_eq!(fault.kind, FaultKind::Network);
    assert_eq!((stranger.mark(), world.sign_ins(0).len()), (0, 1));
}

/// Gateways add a byte order mark, or lose the content type: what is in the body counts.
#[rstest]
#[case::a_mark_before_it(json!({"bom": true}))]
#[case::another_type(json!({"contentType": "text/plain"}))]
#[tokio::test]
async fn an_answer_that_is_dressed_badly_is_read_all_the_same(#[case] action: Value) {
    let world = World::instant().await;
    world.arm.put_scope_connection(&central(), &scope_connection("c"), &to_target(None)).await.unwrap();
    world.fault(json!({"match": {"kind": "arm"}, "action": action}));
    let read = found(world.arm.get_scope_connection(&central(), &scope_connection("c")).await);
    assert_eq!(read.id.as_str(), scope_connection("c").arm().as_str());
    let list = found(world.arm.list_scope_connections(&central(), &manager()).await);
    assert_eq!(list.len(), 1);
    assert!(world.arm.get_scope_connection(&central(), &scope_connection("d")).await.is_absent());
}
