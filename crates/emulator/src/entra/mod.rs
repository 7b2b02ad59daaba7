//! Entra: the token endpoint, the documents that describe a tenant, and the registry behind them.
//!
//! An application is registered once, in its home tenant, with its secrets, certificates and federated credentials;
//! every tenant that consented holds a service principal of its own.

pub mod assertion;
pub mod certificates;
pub mod federation;
pub mod keys;
pub mod metadata;
pub mod own_key;
pub mod registry;
pub mod token;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use url::form_urlencoded;

use crate::answer::{Answer, Answered};
use crate::azure::{Request, State};
use crate::ledger::Proof;
use crate::rules::{Evidence, documents};
use crate::settings::MissingPrincipal;
use crate::world::build_guid;
use assertion::{Assertion, Refused};
use own_key::OwnKey;
use token::{Claims, fingerprint, issuer};

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

/// What the ledger learns about a token call. Never the secret or the assertion itself.
#[derive(Debug, Default)]
pub struct Asked {
    /// The tenant in the path.
    pub tenant: Option<String>,
    /// The client id in the form.
    pub client_id: Option<String>,
    /// The secret's fingerprint.
    pub secret_fingerprint: Option<String>,
    /// What the caller proves itself with.
    pub proof: Option<Proof>,
    /// The assertion's fingerprint.
    pub assertion_fingerprint: Option<String>,
    /// The certificate that the assertion names.
    pub certificate_thumbprint: Option<String>,
    /// The issuer of an assertion that is not the application's own.
    pub federated_issuer: Option<String>,
    /// Its subject.
    pub federated_subject: Option<String>,
}

impl Asked {
    fn note_assertion(&mut self, text: &str, client_id: &str) {
        self.assertion_fingerprint = Some(fingerprint(text));
        let Ok(Assertion { header, claims, .. }) = Assertion::parse(text) else { return };
        let proof = Proof::of(&claims, client_id);
        self.proof = Some(proof);
        if proof == Proof::Certificate {
            self.certificate_thumbprint = header.x5t_s256.or(header.x5t);
        } else {
            self.federated_issuer = Some(claims.iss);
            self.federated_subject = Some(claims.sub);
        }
    }
}

/// Whether a path is Entra's and not ARM's: everything that begins with neither of ARM's two roots.
pub fn is_entra(path: &str) -> bool {
    let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    !["subscriptions", "providers", "tenants"].iter().any(|arms| first.eq_ignore_ascii_case(arms))
}

/// Answers a call to Entra.
pub fn answer(state: &mut State, request: &Request, now: Timestamp) -> (Answer, Asked) {
    let segments: Vec<&str> = request.path.trim_matches('/').split('/').collect();
    let mut asked = Asked::default();
    let answer = match (request.method.as_str(), segments.as_slice()) {
        ("POST", [tenant, "oauth2", "v2.0", "token"]) => {
            asked.tenant = Some(tenant.to_ascii_lowercase());
            token(state, tenant, request, now, &mut asked).unwrap_or_else(|refusal| refusal)
        }
        ("GET", ["metadata", "endpoints"]) => metadata::endpoints(request),
        ("GET", [_, "discovery", "instance"]) => metadata::instances(request),
        ("GET", [tenant, "v2.0", ".well-known", "openid-configuration"]) => {
            asked.tenant = Some(tenant.to_ascii_lowercase());
            metadata::openid(state, tenant, request, now, true).unwrap_or_else(|refusal| refusal)
        }
        ("GET", [tenant, ".well-known", "openid-configuration"]) => {
            asked.tenant = Some(tenant.to_ascii_lowercase());
            metadata::openid(state, tenant, request, now, false).unwrap_or_else(|refusal| refusal)
        }
        ("GET", [_, "discovery", "keys"] | [_, "discovery", "v2.0", "keys"]) => {
            Answer::json(200, &own_key::own_key().map_or_else(|| json!({"keys": []}), OwnKey::jwks))
        }
        (method, _) => {
            let text = format!("The emulator does not serve {method} {}.", request.path);
            let mut answer =
                Answer::json(404, &json!({"error": "not_served_by_emulator", "error_description": text}));
            answer.code = Some("not_served_by_emulator".into());
            answer
        }
    };
    (answer, asked)
}

#[derive(Serialize)]
struct TokenAnswer {
    token_type: &'static str,
    expires_in: u64,
    ext_expires_in: u64,
    access_token: String,
}

#[derive(Serialize)]
struct ErrorAnswer<'a> {
    error: &'a str,
    error_description: String,
    error_codes: [u32; 1],
    timestamp: &'a str,
    trace_id: &'a str,
    correlation_id: &'a str,
    error_uri: String,
}

/// A refusal in Entra's form.
fn refuse(state: &mut State, now: Timestamp, status: u16, error: &str, code: u32, text: &str) -> Answer {
    let (trace, correlation) = (build_guid(&mut state.rng), build_guid(&mut state.rng));
    let time = now.strftime("%Y-%m-%d %H:%M:%SZ").to_string();
    let body = ErrorAnswer {
        error,
        error_description: format!(
            "AADSTS{code}: {text} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {time}"
        ),
        error_codes: [code],
        timestamp: &time,
        trace_id: &trace,
        correlation_id: &correlation,
        error_uri: format!("https://login.microsoftonline.com/error?code={code}"),
    };
    let mut answer = Answer::json(status, &body);
    answer.code = Some(format!("AADSTS{code}"));
    answer.with("x-ms-request-id", trace)
}

fn token(state: &mut State, tenant: &str, request: &Request, now: Timestamp, asked: &mut Asked) -> Answered {
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
        uti: build_guid(&mut state.rng),
        ver: "1.0".into(),
    };
    let access_token = state.signer.sign(&claims);
    let body = TokenAnswer { token_type: "Bearer", expires_in: life, ext_expires_in: life, access_token };
    Ok(Answer::json(200, &body).with("cache-control", "no-store, no-cache").with("pragma", "no-cache"))
}

fn known_tenant(state: &mut State, tenant: &str, now: Timestamp) -> Answered<String> {
    let tenant = tenant.to_ascii_lowercase();
    if state.world.tenants.contains_key(&tenant) {
        return Ok(tenant);
    }
    if matches!(tenant.as_str(), "common" | "organizations" | "consumers") {
        let text = "The grant type is not supported over the /common or /consumers endpoints. Please use the \
                    /organizations or tenant-specific endpoint.";
        return Err(refuse(state, now, 400, "invalid_request", 9_001_023, text));
    }
    let text = format!(
        "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the \
         correct cloud. Check with your subscription administrator, this may happen if there are no active \
         subscriptions for the tenant."
    );
    Err(refuse(state, now, 400, "invalid_request", 90_002, &text))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arm_has_two_roots_and_the_rest_is_entras() {
        assert!(!is_entra("/subscriptions/x"));
        assert!(!is_entra("/Providers/Microsoft.Management/managementGroups/x"));
        assert!(is_entra("/24680975-1234-abcd-56ef-121314ab5643/oauth2/v2.0/token"));
    }
}
