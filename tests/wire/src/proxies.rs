//! The way out through a proxy with CONNECT: to Azure and to Entra alike.

use avnm_arm::{Proxy, Transport, TransportOptions};
use avnm_launcher::proxy::{ConnectProxy, ProxyKind};
use avnm_terms::{Fault, FaultKind, SignInFault};
use rstest::rstest;

use crate::world::{World, central, found, manager, unread};

/// A client of this world that goes through a proxy, and trusts the world's authority and perhaps the proxy's.
fn transport(world: &World, url: &str, except: &str, ca_pem: &str) -> Transport {
    let all = [world.emulator.ca_pem(), ca_pem].concat();
    let options = TransportOptions {
        extra_ca_pem: Some(all.into_bytes()),
        proxy: Some(Proxy::named("HTTPS_PROXY", url, except).unwrap()),
        ..TransportOptions::default()
    };
    Transport::new(&options).unwrap()
}

/// Signs in, and reads a manager.
async fn reads(world: &World, transport: Transport) {
    found(world.client_over(transport).get_manager(&central(), &manager()).await);
}

/// Why it cannot sign in.
async fn fails(world: &World, transport: Transport) -> Fault {
    unread(world.client_over(transport).get_manager(&central(), &manager()).await)
}

fn address(url: &str) -> String {
    url.trim_start_matches("https://").trim_end_matches('/').to_owned()
}

#[rstest]
#[case::that_carries(|_: &World| ProxyKind::Carries)]
#[case::over_tls(|_: &World| ProxyKind::OverTls)]
#[case::that_ends_tls(|world: &World| ProxyKind::EndsTls(vec![world.emulator.ca_pem().to_owned()]))]
#[tokio::test]
async fn azure_and_entra_are_reached_through_a_proxy(#[case] kind: fn(&World) -> ProxyKind) {
    let world = World::instant().await;
    let kind = kind(&world);
    let own_ca = !matches!(kind, ProxyKind::Carries);
    let proxy = ConnectProxy::start(kind, None).await.unwrap();
    reads(&world, transport(&world, proxy.url(), "", proxy.ca_pem())).await;
    let azure = [world.emulator.authority(), world.emulator.url()].map(address);
    let seen = proxy.seen();
    assert!(!seen.is_empty() && seen.iter().all(|target| azure.contains(target)), "{seen:?}");
    assert_eq!((world.sign_ins(0).len(), world.methods(0)), (1, vec!["GET".to_owned()]));
    if own_ca {
        let fault = fails(&world, transport(&world, proxy.url(), "", "")).await;
        assert_eq!(fault.kind, FaultKind::SignIn(SignInFault::Unreachable));
        assert!(fault.message.to_lowercase().contains("certificate"), "{}", fault.message);
    }
}

#[tokio::test]
async fn a_proxy_that_asks_who_it_is_gets_user_and_password_and_nobody_else_does() {
    let world = World::instant().await;
    let proxy = ConnectProxy::start(ProxyKind::Carries, Some("user:p@ss")).await.unwrap();
    let at = address(&proxy.url().replace("http://user:p@ss@", ""));
    reads(&world, transport(&world, &format!("http://user:p%40ss@{at}"), "", "")).await;
    assert!(proxy.seen().iter().all(|target| !target.starts_with("refused")), "{:?}", proxy.seen());
    for wrong in [format!("http://{at}"), format!("http://user:never-told@{at}")] {
        let fault = fails(&world, transport(&world, &wrong, "", "")).await;
        assert_eq!(fault.kind, FaultKind::SignIn(SignInFault::Unreachable));
        assert!(fault.message.contains(&format!("through the proxy http://{at}")), "{}", fault.message);
        assert!(!fault.message.contains("never-told"), "{}", fault.message);
    }
    assert_eq!(world.sign_ins(0).len(), 1, "nothing went past it");
}

#[tokio::test]
async fn what_is_excepted_goes_past_the_proxy() {
    let world = World::instant().await;
    let proxy = ConnectProxy::start(ProxyKind::Carries, None).await.unwrap();
    reads(&world, transport(&world, proxy.url(), "10.0.0.0/8,127.0.0.0/8", "")).await;
    assert_eq!(proxy.seen(), Vec::<String>::new());
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_told_as_such() {
    let world = World::instant().await;
    let fault = fails(&world, transport(&world, "http://127.0.0.1:9", "", "")).await;
    assert_eq!(fault.kind, FaultKind::SignIn(SignInFault::Unreachable));
    assert!(fault.message.contains("through the proxy http://127.0.0.1:9"), "{}", fault.message);
}
