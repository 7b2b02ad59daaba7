//! Sign-in with the word of an issuer that the application trusts.

use avnm_emulator::{Edit, Emulator, Options};
use serde_json::{Value, json};

use super::jwt::{KEY, OTHER_KEY, claims, seconds};
use super::support::{APP, CENTRAL, TARGET, World};

const ISSUER: &str = "https://kubernetes.default.svc.cluster.local";
const SUBJECT: &str = "system:serviceaccount:avnm:operator";
const AUDIENCE: &str = "api://AzureADTokenExchange";

/// What a kube-apiserver says of a service account.
fn about_the_account() -> Value {
    json!({
        "aud": [AUDIENCE],
        "iss": ISSUER,
        "sub": SUBJECT,
        "nbf": seconds(0),
        "iat": seconds(0),
        "exp": seconds(3600),
        "kubernetes.io": {"namespace": "avnm", "serviceaccount": {"name": "operator", "uid": "u"}},
    })
}

fn signed(about: &Value) -> String {
    KEY.sign(&json!({"alg": "RS256", "kid": "cluster"}), about)
}

fn trust() -> Value {
    json!({"op": "addFederatedCredential", "clientId": APP, "issuer": ISSUER, "subject": SUBJECT})
}

fn set_issuer(jwks: &Value) -> Value {
    json!({"op": "setIssuer", "issuer": ISSUER, "jwks": jwks})
}

/// A world whose application trusts the cluster's account, and that knows the cluster's key.
async fn world() -> World {
    let world = World::instant().await;
    world.edit(trust());
    world.edit(set_issuer(&KEY.jwks("cluster")));
    world
}

#[tokio::test]
async fn one_token_of_a_cluster_is_good_in_every_tenant() {
    let world = world().await;
    let assertion = signed(&about_the_account());
    for tenant in [CENTRAL, TARGET] {
        let token = world.assert_in(tenant, APP, &assertion).await.ok()["access_token"].clone();
        let token = claims(token.as_str().unwrap());
        assert_eq!(
            (&token["appidacr"], &token["tid"], &token["appid"]),
            (&json!("2"), &json!(tenant), &json!(APP))
        );
    }
    let ledger = json!(world.emulator.control().ledger(0));
    assert_eq!(ledger[0]["proof"], "federated");
    assert_eq!(
        (&ledger[0]["federatedIssuer"], &ledger[0]["federatedSubject"]),
        (&json!(ISSUER), &json!(SUBJECT))
    );
    assert_eq!(ledger[0]["assertionFingerprint"], ledger[1]["assertionFingerprint"]);
    let text = ledger.to_string();
    assert!(assertion.split('.').all(|part| !text.contains(part)), "{text}");
}

#[tokio::test]
async fn each_fault_of_a_token_has_its_code() {
    let world = world().await;
    let with = |field: &str, value: Value| {
        let mut about = about_the_account();
        about[field] = value;
        about
    };
    let client = |code| (401, "invalid_client".to_owned(), code);
    let header = json!({"alg": "RS256", "kid": "cluster"});
    let cases = [
        ("another issuer", signed(&with("iss", json!(format!("{ISSUER}/")))), client(700_211)),
        (
            "another subject",
            signed(&with("sub", json!("system:serviceaccount:avnm:default"))),
            client(700_213),
        ),
        (
            "another case",
            signed(&with("sub", json!("system:serviceaccount:avnm:Operator"))),
            client(7_002_138),
        ),
        ("another audience", signed(&with("aud", json!("https://kubernetes.default.svc"))), client(700_212)),
        ("two audiences", signed(&with("aud", json!([AUDIENCE, "else"]))), client(700_212)),
        ("another key", OTHER_KEY.sign(&header, &about_the_account()), client(700_027)),
        (
            "a key never published",
            KEY.sign(&json!({"alg": "RS256", "kid": "old"}), &about_the_account()),
            client(7_000_272),
        ),
        ("an old token", signed(&with("exp", json!(seconds(-1)))), client(700_024)),
        (
            "another algorithm",
            KEY.sign(&json!({"alg": "PS256", "kid": "cluster"}), &about_the_account()),
            (400, "invalid_request".into(), 5_002_730),
        ),
        (
            "half a token",
            signed(&about_the_account())[..40].to_owned(),
            (400, "invalid_request".into(), 50_027),
        ),
    ];
    for (what, assertion, refusal) in cases {
        assert_eq!(world.assert_in(TARGET, APP, &assertion).await.refusal(), refusal, "{what}");
    }
}

#[tokio::test]
async fn trust_and_keys_come_and_go_while_it_runs() {
    let world = World::instant().await;
    let sign_in = async |key: &super::jwt::Key, kid: &str| {
        let assertion = key.sign(&json!({"alg": "RS256", "kid": kid}), &about_the_account());
        world.assert_in(TARGET, APP, &assertion).await.json()["error_codes"][0].as_u64()
    };
    assert_eq!(sign_in(&KEY, "cluster").await, Some(70_025));
    world.edit(trust());
    assert_eq!(sign_in(&KEY, "cluster").await, Some(90_061));
    world.edit(set_issuer(&KEY.jwks("cluster")));
    assert_eq!(sign_in(&KEY, "cluster").await, None);
    // The cluster's key is rotated.
    world.edit(set_issuer(&OTHER_KEY.jwks("next")));
    assert_eq!((sign_in(&KEY, "cluster").await, sign_in(&OTHER_KEY, "next").await), (Some(7_000_272), None));
    world.edit(set_issuer(&Value::Null));
    assert_eq!(sign_in(&OTHER_KEY, "next").await, Some(90_061));
    world.edit(set_issuer(&KEY.jwks("cluster")));
    world.edit(
        json!({"op": "removeFederatedCredential", "clientId": APP, "issuer": ISSUER, "subject": SUBJECT}),
    );
    assert_eq!(sign_in(&KEY, "cluster").await, Some(70_025));
}

#[tokio::test]
async fn a_new_credential_takes_its_time_and_a_removed_one_none() {
    let world = World::instant().await;
    world.edit(set_issuer(&KEY.jwks("cluster")));
    world.set(&json!({"federationDelayMs": {"min": 60_000, "max": 60_000}}));
    world.edit(trust());
    let assertion = signed(&about_the_account());
    let refusal = world.assert_in(TARGET, APP, &assertion).await.refusal();
    assert_eq!(refusal, (400, "invalid_request".into(), 70_021));
    let gone =
        json!({"op": "removeFederatedCredential", "clientId": APP, "issuer": ISSUER, "subject": SUBJECT});
    world.edit(gone.clone());
    world.set(&json!({"federationDelayMs": {"min": 50, "max": 50}}));
    world.edit(trust());
    assert_eq!(world.assert_in(TARGET, APP, &assertion).await.refusal().2, 70_021);
    tokio::time::sleep(std::time::Duration::from_millis(60)).await;
    world.assert_in(TARGET, APP, &assertion).await.ok();
    world.edit(gone);
    assert_eq!(world.assert_in(TARGET, APP, &assertion).await.refusal().2, 70_025);
}

#[tokio::test]
async fn an_application_trusts_at_most_twenty() {
    let world = World::instant().await;
    let trust = |number: usize| -> Edit {
        let subject = format!("system:serviceaccount:avnm:{number}");
        let edit =
            json!({"op": "addFederatedCredential", "clientId": APP, "issuer": ISSUER, "subject": subject});
        serde_json::from_value(edit).unwrap()
    };
    for number in 0..20 {
        world.emulator.control().entra(trust(number)).unwrap();
    }
    let error = world.emulator.control().entra(trust(20)).unwrap_err().to_string();
    assert_eq!(error, "an application has at most 20 federated credentials");

    let credentials: Vec<Value> =
        (0..21).map(|number| json!({"issuer": ISSUER, "subject": number.to_string()})).collect();
    let text = json!({
        "tenants": [{"id": TARGET}],
        "apps": [{"clientId": APP, "homeTenant": TARGET, "federatedCredentials": credentials}],
    });
    let error =
        Emulator::start(Options { world: Some(text.to_string()), ..Options::instant() }).await.unwrap_err();
    assert_eq!(
        format!("{error:#}"),
        format!("world file: apps[0] ({APP}): an application has at most 20 federated credentials")
    );
}

#[tokio::test]
async fn a_world_file_declares_issuers_and_trust() {
    let text = json!({
        "tenants": [{"id": TARGET}],
        "issuers": [{"issuer": ISSUER, "jwks": KEY.jwks("cluster")}],
        "apps": [{
            "clientId": APP,
            "homeTenant": TARGET,
            "federatedCredentials": [{"issuer": ISSUER, "subject": SUBJECT, "audience": AUDIENCE}],
            "servicePrincipals": [{"tenant": TARGET}],
        }],
    });
    let world = World::start(Options { world: Some(text.to_string()), ..Options::instant() }).await;
    world.assert_in(TARGET, APP, &signed(&about_the_account())).await.ok();
    let state = world.emulator.control().state();
    assert_eq!(state["issuers"], json!([ISSUER]));
    assert_eq!(state["apps"][0]["federatedCredentials"][0]["subject"], SUBJECT);
}
