//! The token endpoint: who may have a token, and what it says.

use jiff::Timestamp;
use serde::Serialize;
use url::form_urlencoded;

use super::asked::Asked;
use super::assertion::{self, Assertion, Refused};
use super::refusals::{known_tenant, refuse};
use super::{certificates, federation};
use crate::answer::{Answer, Answered};
use crate::evidence::{Evidence, documents};
use crate::guid;
use crate::ledger::Proof;
use crate::request::Request;
use crate::settings::MissingPrincipal;
use crate::state::State;
use crate::token::{Claims, fingerprint, issuer};

/// What this is built on.
pub const EVIDENCE: &[Evidence] = &[
    Evidence::specification("token request, answer and error body", &documents::CLIENT_CREDENTIALS),
    Evidence::specification("AADSTS numbers", &documents::ENTRA_ERRORS),
    Evidence::assumed(
        "texts after the AADSTS number, and the order: tenant, application, secret or assertion, scope",
        "token requests that are wrong in two ways at once",
    ),
    Evidence::assumed(
        "an application that was deleted at home is 700016 wherever its service principals stayed",
        "a token request in another tenant after the deletion",
    ),
    Evidence::specification(
        "appidacr is 1 for a secret and 2 for an assertion with a certificate",
        &documents::TOKEN_CLAIMS,
    ),
    Evidence::assumed(
        "appidacr is 2 for a federated credential too",
        "a token got with a federated credential",
    ),
];

#[derive(Serialize)]
struct TokenAnswer {
    token_type: &'static str,
    expires_in: u64,
    ext_expires_in: u64,
    access_token: String,
}

/// Answers a token request.
pub(super) fn token(
    state: &mut State,
    tenant: &str,
    request: &Request,
    now: Timestamp,
    asked: &mut Asked,
) -> Answered {
    let form: Vec<(String, String)> = form_urlencoded::parse(&request.body).into_owned().collect();
    let field =
        |name: &str| form.iter().find(|(n, v)| n == name && !v.is_empty()).map(|(_, value)| value.clone());
    let (client_id, secret, scope) = (field("client_id"), field("client_secret"), field("scope"));
    let assertion = field("client_assertion");
    asked.client_id.clone_from(&client_id);
    if let Some(secret) = &secret {
        asked.secret_fingerprint = Some(fingerprint(secret));
        asked.proof = Some(Proof::Secret);
    } else if let Some(assertion) = &assertion {
        asked.note_assertion(assertion, client_id.as_deref().unwrap_or_default());
    }

    let tenant = known_tenant(state, tenant, now)?;
    let missing = |state: &mut State, name: &str| {
        let text = format!("The request body must contain the following parameter: '{name}'.");
        refuse(state, now, 400, "invalid_request", 900_144, &text)
    };
    let Some(grant) = field("grant_type") else { return Err(missing(state, "grant_type")) };
    if grant != "client_credentials" {
        let text = format!("The app requested an unsupported grant type '{grant}'.");
        return Err(refuse(state, now, 400, "unsupported_grant_type", 70_003, &text));
    }
    let Some(client_id) = client_id else { return Err(missing(state, "client_id")) };
    let Some(scope) = scope else { return Err(missing(state, "scope")) };
    let object_id = known_principal(state, &client_id, &tenant, now)?;
    let appidacr = match (secret, assertion) {
        (Some(secret), _) => {
            check_secret(state, &client_id, &secret, now)?;
            "1"
        }
        (None, Some(assertion)) => {
            let Some(kind) = field("client_assertion_type") else {
                return Err(missing(state, "client_assertion_type"));
            };
            if kind != assertion::TYPE {
                let text = "Invalid request. Request is malformed or invalid.";
                return Err(refuse(state, now, 400, "invalid_request", 9_002_313, text));
            }
            check_assertion(state, &client_id, &tenant, &assertion, request, now)
                .map_err(|it| refuse(state, now, it.status, it.error, it.code, &it.text))?;
            "2"
        }
        (None, None) => {
            let text = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.";
            return Err(refuse(state, now, 401, "invalid_client", 7_000_218, text));
        }
    };
    let audience = audience(state, &scope, &tenant, now)?;

    let seconds = now.as_second();
    let life = state.settings.token_life_seconds;
    let claims = Claims {
        aud: audience,
        iss: issuer(&tenant),
        iat: seconds,
        nbf: seconds,
        exp: seconds.saturating_add(i64::try_from(life).unwrap_or(i64::MAX)),
        appid: client_id.to_ascii_lowercase(),
        appidacr: appidacr.into(),
        idp: issuer(&tenant),
        idtyp: "app".into(),
        sub: object_id.clone(),
        oid: object_id,
        tid: tenant,
        uti: guid::draw(&mut state.rng),
        ver: "1.0".into(),
    };
    let access_token = state.signer.sign(&claims);
    let body = TokenAnswer { token_type: "Bearer", expires_in: life, ext_expires_in: life, access_token };
    Ok(Answer::json(200, &body).with("cache-control", "no-store, no-cache").with("pragma", "no-cache"))
}

/// The object id of the application's service principal in this tenant.
fn known_principal(state: &mut State, client_id: &str, tenant: &str, now: Timestamp) -> Answered<String> {
    let app = state.world.apps.get(&client_id.to_ascii_lowercase());
    let deleted = app.is_some_and(|app| app.deleted);
    let principal = app.filter(|_| !deleted).and_then(|app| app.service_principals.get(tenant));
    if let (Some(app), Some(principal)) = (app, principal) {
        if app.disabled || principal.disabled {
            let text = format!("Application '{client_id}'({client_id}) is disabled.");
            return Err(refuse(state, now, 400, "unauthorized_client", 7_000_112, &text));
        }
        return Ok(principal.object_id.clone());
    }
    let by_name = app.is_some()
        && !deleted
        && state.settings.missing_service_principal == MissingPrincipal::NoServicePrincipal;
    if by_name {
        let text = format!(
            "The client application {client_id} is missing service principal in the tenant {tenant}. See \
             instructions here: https://go.microsoft.com/fwlink/?linkid=2225119"
        );
        return Err(refuse(state, now, 400, "unauthorized_client", 7_000_229, &text));
    }
    let text = format!(
        "Application with identifier '{client_id}' was not found in the directory '{tenant}'. This can happen if \
         the application has not been installed by the administrator of the tenant or consented to by any user in \
         the tenant. You may have sent your authentication request to the wrong tenant."
    );
    Err(refuse(state, now, 400, "unauthorized_client", 700_016, &text))
}

fn check_assertion(
    state: &State,
    client_id: &str,
    tenant: &str,
    text: &str,
    request: &Request,
    now: Timestamp,
) -> Result<(), Refused> {
    let assertion = Assertion::parse(text)?;
    let Some(app) = state.world.apps.get(&client_id.to_ascii_lowercase()) else { return Ok(()) };
    let mut origins = state.own_origins.clone();
    origins.push(request.origin.clone());
    match Proof::of(&assertion.claims, client_id) {
        Proof::Federated => federation::check(&assertion, app, &state.world, &origins, now),
        Proof::Certificate | Proof::Secret => {
            let audiences: Vec<String> = origins
                .iter()
                .flat_map(|origin| {
                    ["oauth2/v2.0/token", "v2.0"].map(|end| format!("{origin}/{tenant}/{end}"))
                })
                .collect();
            certificates::check(&assertion, &app.certificates, client_id, &audiences, now)
        }
    }
}

fn check_secret(state: &mut State, client_id: &str, secret: &str, now: Timestamp) -> Answered<()> {
    let Some(app) = state.world.apps.get(&client_id.to_ascii_lowercase()) else { return Ok(()) };
    if app.secrets.iter().any(|known| known == secret) {
        return Ok(());
    }
    if app.expired_secrets.iter().any(|known| known == secret) {
        let text = format!(
            "The provided client secret keys for app '{client_id}' are expired. Visit the Azure portal to create \
             new keys for your app, or consider using certificate credentials for added security."
        );
        return Err(refuse(state, now, 401, "invalid_client", 7_000_222, &text));
    }
    let text = format!(
        "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, \
         not the client secret ID, for a secret added to app '{client_id}'."
    );
    Err(refuse(state, now, 401, "invalid_client", 7_000_215, &text))
}

/// The resource that a scope names. ARM's audiences are known, and so is Graph, which ARM then refuses.
fn audience(state: &mut State, scope: &str, tenant: &str, now: Timestamp) -> Answered<String> {
    let Some(resource) = scope.strip_suffix("/.default") else {
        let text = format!(
            "The provided value for scope {scope} is not valid. Client credential flows must have a scope value \
             with /.default suffixed to the resource identifier (application ID URI)."
        );
        return Err(refuse(state, now, 400, "invalid_scope", 1_002_012, &text));
    };
    let known = |audience: &str| audience.trim_end_matches('/') == resource.trim_end_matches('/');
    if state.is_audience(resource) || known("https://graph.microsoft.com") {
        return Ok(resource.to_owned());
    }
    let text = format!(
        "The resource principal named {resource} was not found in the tenant named {tenant}. This can happen if \
         the application has not been installed by the administrator of the tenant or consented to by any user in \
         the tenant. You might have sent your authentication request to the wrong tenant."
    );
    Err(refuse(state, now, 400, "invalid_resource", 500_011, &text))
}
