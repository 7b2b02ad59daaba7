//! Managed identities and the instance metadata service.

use std::net::{Ipv4Addr, SocketAddr};

use avnm_emulator::Options;
use reqwest::Method;
use serde_json::{Value, json};

use super::jwt::claims;
use super::support::{APP, Answer, CENTRAL, TARGET, World};

const RESOURCE: &str = "/subscriptions/13579864-1234-5678-abcd-0987654321ab/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/operator";
const CLIENT: &str = "d0d0d0d0-1111-2222-3333-444444444444";
const OBJECT: &str = "d1d1d1d1-1111-2222-3333-444444444444";
const EXCHANGE: &str = "api://AzureADTokenExchange";

fn identity(number: u32, tenant: &str) -> Value {
    let own = |id: &str| id.replace("4444", &format!("{number:04}"));
    json!({
        "tenant": tenant,
        "clientId": own(CLIENT),
        "objectId": own(OBJECT),
        "resourceId": if number == 4444 { RESOURCE.to_owned() } else { format!("{RESOURCE}{number}") },
    })
}

/// A world with these identities, and an application that is at home in the central tenant.
async fn world(identities: &[Value]) -> World {
    let text = json!({
        "tenants": [{"id": CENTRAL}, {"id": TARGET}],
        "managedIdentities": identities,
        "apps": [{
            "clientId": APP,
            "homeTenant": CENTRAL,
            "servicePrincipals": [{"tenant": CENTRAL}, {"tenant": TARGET}],
        }],
    });
    let imds = Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    World::start(Options { imds, world: Some(text.to_string()), ..Options::instant() }).await
}

async fn ask(world: &World, query: &str) -> Answer {
    let url = format!("{}/metadata/identity/oauth2/token?{query}", world.emulator.imds_url().unwrap());
    world.send(Method::GET, &url, &[("metadata", "true")], None).await
}

#[tokio::test]
async fn a_token_comes_with_numbers_as_strings() {
    let world = world(&[identity(4444, CENTRAL)]).await;
    for version in ["2018-02-01", "2019-08-01"] {
        let answer = ask(&world, &format!("api-version={version}&resource={EXCHANGE}/.default")).await.ok();
        let token = claims(answer["access_token"].as_str().unwrap());
        assert_eq!(token["iss"], format!("{}/{CENTRAL}/v2.0", world.emulator.authority()));
        assert_eq!((&token["sub"], &token["aud"]), (&json!(OBJECT), &json!(EXCHANGE)));
        assert_eq!((&answer["client_id"], &answer["token_type"]), (&json!(CLIENT), &json!("Bearer")));
        assert_eq!((&answer["expires_in"], &answer["ext_expires_in"]), (&json!("86400"), &json!("86400")));
        assert_eq!(answer["expires_on"], token["exp"].to_string());
        assert_eq!(answer["not_before"], token["nbf"].to_string());
    }
    let ledger = json!(world.emulator.control().ledger(0));
    assert_eq!((&ledger[0]["kind"], &ledger[0]["clientId"]), (&json!("imds"), &json!(CLIENT)));
    assert!(!ledger.to_string().contains("eyJ"), "{ledger}");
}

#[tokio::test]
async fn what_does_not_fit_is_refused() {
    let world = world(&[identity(4444, CENTRAL), identity(5, TARGET)]).await;
    let good = format!("api-version=2018-02-01&resource={EXCHANGE}");
    let url = format!("{}/metadata/identity/oauth2/token?{good}", world.emulator.imds_url().unwrap());
    let bare = world.send(Method::GET, &url, &[], None).await;
    assert_eq!((bare.status, &bare.json()["error"]), (400, &json!("bad_request_102")));
    let unlike = world.send(Method::GET, &url, &[("metadata", "True")], None).await;
    assert_eq!(unlike.status, 400);
    assert_eq!(world.send(Method::POST, &url, &[("metadata", "true")], None).await.status, 405);

    let several = ask(&world, &good).await;
    assert!(several.text.contains("Multiple user assigned identities exist"), "{several:?}");
    let unknown = ask(&world, &format!("{good}&client_id={APP}")).await;
    assert_eq!(unknown.status, 400);
    assert_eq!(
        unknown.json(),
        json!({"error": "invalid_request", "error_description": "Identity not found"})
    );
    for wrong in ["api-version=2018-02-01", "resource=x", "api-version=2017-01-01&resource=x"] {
        let answer = ask(&world, wrong).await;
        assert_eq!((answer.status, &answer.json()["error"]), (400, &json!("invalid_request")), "{wrong}");
    }
    for name in
        [format!("client_id={CLIENT}"), format!("object_id={OBJECT}"), format!("msi_res_id={RESOURCE}")]
    {
        assert_eq!(ask(&world, &format!("{good}&{name}")).await.ok()["client_id"], CLIENT, "{name}");
    }
}

#[tokio::test]
async fn a_managed_identity_bridges_to_another_tenant_through_an_application() {
    let world = world(&[identity(4444, CENTRAL), identity(5, TARGET)]).await;
    let trust = |tenant: &str, subject: &Value| {
        let issuer = format!("{}/{tenant}/v2.0", world.emulator.authority());
        world.edit(
            json!({"op": "addFederatedCredential", "clientId": APP, "issuer": issuer, "subject": subject}),
        );
    };
    let token = async |it: &Value| {
        let query = format!(
            "api-version=2019-08-01&resource={EXCHANGE}&client_id={}",
            it["clientId"].as_str().unwrap()
        );
        ask(&world, &query).await.ok()["access_token"].as_str().unwrap().to_owned()
    };
    let (ours, theirs) = (identity(4444, CENTRAL), identity(5, TARGET));
    trust(CENTRAL, &ours["objectId"]);
    let answer = world.assert_in(TARGET, APP, &token(&ours).await).await.ok();
    assert_eq!(claims(answer["access_token"].as_str().unwrap())["tid"], TARGET);
    // An identity of another tenant than the application's is none to trust.
    assert_eq!(world.assert_in(TARGET, APP, &token(&theirs).await).await.refusal().2, 700_211);
    trust(TARGET, &theirs["objectId"]);
    let refusal = world.assert_in(TARGET, APP, &token(&theirs).await).await.refusal();
    assert_eq!(refusal, (401, "invalid_client".into(), 700_236));

    let url = format!("{}/{CENTRAL}/discovery/v2.0/keys", world.emulator.authority());
    let keys = world.send(Method::GET, &url, &[], None).await.ok();
    assert_eq!((&keys["keys"][0]["kty"], &keys["keys"][0]["e"]), (&json!("RSA"), &json!("AQAB")));
}

#[tokio::test]
async fn faults_reach_it_too() {
    let world = world(&[identity(4444, CENTRAL)]).await;
    let action = json!({"status": 429, "code": "too_many_requests", "message": "Too many requests"});
    world.fault(json!({"match": {"kind": "imds", "times": 1}, "action": action}));
    let query = format!("api-version=2018-02-01&resource={EXCHANGE}");
    let answer = ask(&world, &query).await;
    assert_eq!((answer.status, &answer.json()["error"]), (429, &json!("too_many_requests")));
    ask(&world, &query).await.ok();
}

#[tokio::test]
async fn it_is_off_unless_asked_for() {
    assert_eq!(World::instant().await.emulator.imds_url(), None);
}
