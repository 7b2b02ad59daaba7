//! The token endpoint.

use serde_json::{Value, json};

use super::support::{APP, CENTRAL, MANAGER, SECRET, TARGET, World};

const SCOPE: &str = "https://management.azure.com/.default";

fn form<'a>(client_id: &'a str, secret: &'a str, scope: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("grant_type", "client_credentials"),
        ("client_id", client_id),
        ("client_secret", secret),
        ("scope", scope),
    ]
}

#[tokio::test]
async fn a_token_says_whose_it_is_and_how_long() {
    let world = World::instant().await;
    let answer = world.sign_in(TARGET, &form(APP, SECRET, SCOPE)).await.ok();
    assert_eq!(answer["token_type"], "Bearer");
    assert_eq!(answer["expires_in"], 3_599);
    assert_eq!(answer["ext_expires_in"], 3_599);
    let token = answer["access_token"].as_str().unwrap();
    let claims = token.split('.').nth(1).unwrap();
    let claims = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, claims).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!(claims["iss"], format!("https://sts.windows.net/{TARGET}/"));
    assert_eq!((&claims["tid"], &claims["appid"]), (&json!(TARGET), &json!(APP)));
    assert_eq!(claims["aud"], "https://management.azure.com");
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 3_599);
}

#[tokio::test]
async fn refusals_are_entras() {
    let world = World::instant().await;
    let stranger = "c0c0c0c0-1111-2222-3333-444444444444";
    let unknown = "00000000-0000-0000-0000-000000000001";
    let cases = [
        (TARGET, form(APP, "wrong", SCOPE), 401, "invalid_client", 7_000_215),
        (TARGET, form(APP, "", SCOPE), 401, "invalid_client", 7_000_218),
        (TARGET, form(stranger, SECRET, SCOPE), 400, "unauthorized_client", 700_016),
        (unknown, form(APP, SECRET, SCOPE), 400, "invalid_request", 90_002),
        ("common", form(APP, SECRET, SCOPE), 400, "invalid_request", 9_001_023),
        (TARGET, form(APP, SECRET, "https://management.azure.com"), 400, "invalid_scope", 1_002_012),
        (TARGET, form(APP, SECRET, "https://else.example/.default"), 400, "invalid_resource", 500_011),
        (TARGET, form(APP, SECRET, ""), 400, "invalid_request", 900_144),
        (TARGET, vec![("grant_type", "password")], 400, "unsupported_grant_type", 70_003),
    ];
    for (tenant, fields, status, error, code) in cases {
        let answer = world.sign_in(tenant, &fields).await;
        let body = answer.json();
        assert_eq!((answer.status, body["error"].as_str()), (status, Some(error)), "{body}");
        assert_eq!(body["error_codes"], json!([code]));
        let text = body["error_description"].as_str().unwrap();
        assert!(text.starts_with(&format!("AADSTS{code}: ")), "{text}");
        for field in ["timestamp", "trace_id", "correlation_id", "error_uri"] {
            assert!(body[field].is_string(), "{field} of {body}");
        }
    }
}

#[tokio::test]
async fn consent_and_secrets_change_while_it_runs() {
    let world = World::instant().await;
    let sign_in = async || world.sign_in(TARGET, &form(APP, SECRET, SCOPE)).await.json();
    let error = |body: &Value| body["error_codes"][0].as_u64();

    world.edit(json!({"op": "expireSecrets", "clientId": APP}));
    assert_eq!(error(&sign_in().await), Some(7_000_222));
    world.edit(json!({"op": "setSecret", "clientId": APP, "secret": "new"}));
    assert_eq!(error(&sign_in().await), Some(7_000_222));
    world.edit(json!({"op": "addSecret", "clientId": APP, "secret": SECRET}));
    assert_eq!(error(&sign_in().await), None);

    world.edit(
        json!({"op": "setServicePrincipalDisabled", "clientId": APP, "tenant": TARGET, "disabled": true}),
    );
    assert_eq!(error(&sign_in().await), Some(7_000_112));
    world.edit(json!({"op": "removeServicePrincipal", "clientId": APP, "tenant": TARGET}));
    assert_eq!(error(&sign_in().await), Some(700_016));
    world.set(&json!({"missingServicePrincipal": "7000229"}));
    assert_eq!(error(&sign_in().await), Some(7_000_229));
    world.edit(json!({"op": "addServicePrincipal", "clientId": APP, "tenant": TARGET}));
    assert_eq!(error(&sign_in().await), None);
}

#[tokio::test]
async fn an_application_deleted_at_home_is_found_nowhere() {
    let world = World::instant().await;
    let edit = |deleted| json!({"op": "setAppDeleted", "clientId": APP, "deleted": deleted});
    world.edit(edit(true));
    // Not what a missing service principal may be told: those stay.
    world.set(&json!({"missingServicePrincipal": "7000229"}));
    for tenant in [CENTRAL, TARGET] {
        let refusal = world.sign_in(tenant, &form(APP, SECRET, SCOPE)).await.refusal();
        assert_eq!(refusal, (400, "unauthorized_client".into(), 700_016));
    }
    world.edit(edit(false));
    world.sign_in(TARGET, &form(APP, SECRET, SCOPE)).await.ok();
}

#[tokio::test]
async fn the_ledger_knows_who_asked_and_never_the_secret() {
    let world = World::instant().await;
    world.sign_in(CENTRAL, &form(APP, SECRET, SCOPE)).await.ok();
    world.sign_in(CENTRAL, &form(APP, "another-secret", SCOPE)).await;
    let ledger = json!(world.emulator.control().ledger(0));
    assert_eq!(ledger[0]["kind"], "token");
    assert_eq!((&ledger[0]["clientId"], &ledger[0]["tenant"]), (&json!(APP), &json!(CENTRAL)));
    assert_ne!(ledger[0]["secretFingerprint"], ledger[1]["secretFingerprint"]);
    assert_eq!((&ledger[1]["status"], &ledger[1]["code"]), (&json!(401), &json!("AADSTS7000215")));
    let text = ledger.to_string();
    assert!(!text.contains(SECRET) && !text.contains("another-secret") && !text.contains("access_token"));
}

#[tokio::test]
async fn a_token_ends_and_is_for_one_audience() {
    let world = World::instant().await;
    world.set(&json!({"tokenLifeSeconds": 0}));
    let caller = world.caller(CENTRAL).await;
    let answer = caller.get(MANAGER).await;
    assert_eq!(answer.error(), (401, "ExpiredAuthenticationToken".into()));
    assert!(answer.header("www-authenticate").is_some());

    world.set(&json!({"tokenLifeSeconds": 600}));
    let graph = form(APP, SECRET, "https://graph.microsoft.com/.default");
    let token = world.sign_in(CENTRAL, &graph).await.ok()["access_token"].as_str().unwrap().to_owned();
    let caller = super::support::Caller { bearer: token, ..caller };
    assert_eq!(caller.get(MANAGER).await.error(), (401, "InvalidAuthenticationTokenAudience".into()));

    // ARM under its own address, as a client of a custom cloud may name it.
    let own = format!("{}/.default", world.emulator.url());
    world.sign_in(CENTRAL, &form(APP, SECRET, &own)).await.ok();
}

#[tokio::test]
async fn a_tenant_describes_itself() {
    let world = World::instant().await;
    let url = format!("{}/{TARGET}/v2.0/.well-known/openid-configuration", world.emulator.authority());
    let answer = world.send(reqwest::Method::GET, &url, &[], None).await.ok();
    let token_endpoint = format!("{}/{TARGET}/oauth2/v2.0/token", world.emulator.authority());
    assert_eq!(answer["token_endpoint"], token_endpoint);
}
