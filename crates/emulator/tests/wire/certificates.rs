//! Sign-in with the key of a certificate.

use avnm_emulator::{Emulator, Options};
use serde_json::{Value, json};

use super::jwt::{Certificate, KEY, OTHER_KEY, claims, seconds};
use super::support::{APP, CENTRAL, MANAGER, OTHER_APP, SECRET, TARGET, World};

/// What Microsoft's libraries say about themselves.
fn about_itself(world: &World, tenant: &str) -> Value {
    json!({
        "aud": format!("{}/{tenant}/oauth2/v2.0/token", world.emulator.authority()),
        "iss": APP,
        "sub": APP,
        "jti": "22b3bb26-e046-42df-9c96-65dbd72c1c81",
        "nbf": seconds(0),
        "iat": seconds(0),
        "exp": seconds(600),
    })
}

fn header(certificate: &Certificate) -> Value {
    json!({"alg": "PS256", "typ": "JWT", "x5t#S256": certificate.sha256})
}

/// A world whose application has a certificate with this key.
async fn world() -> (World, Certificate) {
    let world = World::instant().await;
    let certificate = KEY.certificate(-1, 30);
    world.edit(json!({"op": "addCertificate", "clientId": APP, "certificate": certificate.pem}));
    (world, certificate)
}

#[tokio::test]
async fn a_certificate_signs_in_wherever_the_application_is() {
    let (world, certificate) = world().await;
    for tenant in [CENTRAL, TARGET] {
        let assertion = KEY.sign(&header(&certificate), &about_itself(&world, tenant));
        let token = world.assert_in(tenant, APP, &assertion).await.ok()["access_token"].clone();
        let token = claims(token.as_str().unwrap());
        assert_eq!((&token["appidacr"], &token["tid"]), (&json!("2"), &json!(tenant)));
    }
    let secret = claims(&world.token(CENTRAL).await);
    assert_eq!(secret["appidacr"], "1");

    // The older form, and the tenant's issuer as audience.
    let mut older = about_itself(&world, CENTRAL);
    older["aud"] = json!(format!("{}/{CENTRAL}/v2.0", world.emulator.authority()));
    // Microsoft's own client for Rust writes the thumbprint in base64's first alphabet.
    let thumbprint = format!("{}=", certificate.sha1.replace('-', "+").replace('_', "/"));
    let assertion = KEY.sign(&json!({"alg": "RS256", "x5t": thumbprint}), &older);
    let token = world.assert_in(CENTRAL, APP, &assertion).await.ok()["access_token"].clone();
    let caller =
        super::support::Caller { world: &world, bearer: token.as_str().unwrap().to_owned(), auxiliary: None };
    caller.get(MANAGER).await.ok();
}

#[tokio::test]
async fn each_fault_of_an_assertion_has_its_code() {
    let (world, certificate) = world().await;
    let (good, about) = (header(&certificate), about_itself(&world, TARGET));
    let with = |field: &str, value: Value| {
        let mut about = about.clone();
        about[field] = value;
        about
    };
    let stranger = OTHER_KEY.certificate(-1, 30);
    let elsewhere = about_itself(&world, CENTRAL)["aud"].clone();
    let cases = [
        ("its key is another", OTHER_KEY.sign(&good, &about), 401, "invalid_client", 700_027),
        (
            "its certificate is unknown",
            OTHER_KEY.sign(&header(&stranger), &about),
            401,
            "invalid_client",
            700_027,
        ),
        ("its tenant is another", KEY.sign(&good, &with("aud", elsewhere)), 401, "invalid_client", 700_023),
        ("it is old", KEY.sign(&good, &with("exp", json!(seconds(-1)))), 401, "invalid_client", 700_024),
        (
            "it is for later",
            KEY.sign(&good, &with("nbf", json!(seconds(900)))),
            401,
            "invalid_client",
            700_024,
        ),
        (
            "its iss is another",
            KEY.sign(&good, &with("iss", json!(OTHER_APP))),
            401,
            "invalid_client",
            700_021,
        ),
        (
            "its sub is another",
            KEY.sign(&good, &with("sub", json!(OTHER_APP))),
            401,
            "invalid_client",
            700_021,
        ),
        (
            "its audiences are two",
            KEY.sign(&good, &with("aud", json!(["a", "b"]))),
            400,
            "invalid_request",
            50_027,
        ),
        (
            "it names no certificate",
            KEY.sign(&json!({"alg": "PS256"}), &about),
            400,
            "invalid_request",
            50_027,
        ),
        ("it is no token", "nonsense".to_owned(), 400, "invalid_request", 50_027),
        (
            "its algorithm is none",
            KEY.sign(&json!({"alg": "none"}), &about),
            400,
            "invalid_request",
            5_002_730,
        ),
    ];
    for (what, assertion, status, error, code) in cases {
        let answer = world.assert_in(TARGET, APP, &assertion).await;
        assert_eq!(answer.refusal(), (status, error.to_owned(), code), "{what}");
    }
    // What one application may sign with is not another's.
    let other = json!({"aud": about["aud"], "iss": OTHER_APP, "sub": OTHER_APP, "exp": seconds(600)});
    let answer = world.assert_in(TARGET, OTHER_APP, &KEY.sign(&good, &other)).await;
    assert_eq!(answer.refusal(), (401, "invalid_client".into(), 700_027));
}

#[tokio::test]
async fn the_type_of_an_assertion_must_be_said() {
    let (world, certificate) = world().await;
    let assertion = KEY.sign(&header(&certificate), &about_itself(&world, TARGET));
    let form = |kind| {
        vec![
            ("grant_type", "client_credentials"),
            ("client_id", APP),
            ("client_assertion", assertion.as_str()),
            ("client_assertion_type", kind),
            ("scope", "https://management.azure.com/.default"),
        ]
    };
    assert_eq!(world.sign_in(TARGET, &form("")).await.refusal().2, 900_144);
    assert_eq!(world.sign_in(TARGET, &form("jwt-bearer")).await.refusal().2, 9_002_313);
}

#[tokio::test]
async fn certificates_end_and_come_and_go() {
    let (world, first) = world().await;
    let sign_in = async |certificate: &Certificate, key: &super::jwt::Key| {
        let assertion = key.sign(&header(certificate), &about_itself(&world, TARGET));
        world.assert_in(TARGET, APP, &assertion).await.json()["error_codes"][0].as_u64()
    };
    for (from, until) in [(-30, -1), (2, 30)] {
        let certificate = KEY.certificate(from, until);
        world.edit(json!({"op": "addCertificate", "clientId": APP, "certificate": certificate.pem}));
        assert_eq!(sign_in(&certificate, &KEY).await, Some(1_000_502));
    }
    let second = OTHER_KEY.certificate(-1, 30);
    world.edit(json!({"op": "addCertificate", "clientId": APP, "certificate": second.pem}));
    assert_eq!((sign_in(&first, &KEY).await, sign_in(&second, &OTHER_KEY).await), (None, None));
    world.edit(json!({"op": "removeCertificates", "clientId": APP, "certificate": first.pem}));
    assert_eq!((sign_in(&first, &KEY).await, sign_in(&second, &OTHER_KEY).await), (Some(700_027), None));
    world.edit(json!({"op": "removeCertificates", "clientId": APP}));
    assert_eq!(sign_in(&second, &OTHER_KEY).await, Some(700_027));
    let ledger = json!(world.emulator.control().ledger(0));
    assert!(ledger.as_array().unwrap().iter().any(|it| it["certificateThumbprint"] == json!(second.sha256)));
}

#[tokio::test]
async fn the_ledger_tells_how_a_caller_proved_itself_and_keeps_no_assertion() {
    let (world, certificate) = world().await;
    let assertion = KEY.sign(&header(&certificate), &about_itself(&world, TARGET));
    world.assert_in(TARGET, APP, &assertion).await.ok();
    world.token_of(APP, SECRET, TARGET).await;
    let ledger = json!(world.emulator.control().ledger(0));
    assert_eq!((&ledger[0]["proof"], &ledger[1]["proof"]), (&json!("certificate"), &json!("secret")));
    assert_eq!(ledger[0]["assertionFingerprint"].as_str().unwrap().len(), 8);
    assert_eq!(
        (&ledger[0]["secretFingerprint"], &ledger[1]["assertionFingerprint"]),
        (&Value::Null, &Value::Null)
    );
    let text = ledger.to_string();
    assert!(assertion.split('.').all(|part| !text.contains(part)), "{text}");
    let state = world.emulator.control().state();
    let app = state["apps"].as_array().unwrap().iter().find(|app| app["clientId"] == APP).unwrap();
    assert_eq!(app["certificates"][0]["x5t#S256"], json!(certificate.sha256));
}

#[tokio::test]
async fn a_world_file_declares_certificates_and_what_is_none_stops_the_start() {
    let certificate = KEY.certificate(-1, 30);
    let world = |pem: &str| {
        let text = json!({
            "tenants": [{"id": TARGET}],
            "apps": [{
                "clientId": APP,
                "homeTenant": TARGET,
                "certificates": [pem],
                "servicePrincipals": [{"tenant": TARGET}],
            }],
        });
        Options { world: Some(text.to_string()), ..Options::instant() }
    };
    let started = World::start(world(&format!("Bag Attributes\n  a: b\n{}", certificate.pem))).await;
    let assertion = KEY.sign(&header(&certificate), &about_itself(&started, TARGET));
    started.assert_in(TARGET, APP, &assertion).await.ok();
    let error = Emulator::start(world("no certificate")).await.unwrap_err();
    assert!(
        format!("{error:#}").starts_with(&format!(
            "world file: apps[0] ({APP}): certificates[0]: no certificate in the PEM text"
        )),
        "{error:#}"
    );
}
