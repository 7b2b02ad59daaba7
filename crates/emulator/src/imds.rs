//! The instance metadata service: tokens of managed identities, for whoever reaches the listener.
//!
//! A managed identity has a service principal only in its own tenant, so what it is good for across tenants is its token
//! as a federated credential of an application. Its tokens are therefore real JWTs, and not ones that ARM takes.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use url::form_urlencoded;

use crate::answer::{Answer, Answered};
use crate::entra::Asked;
use crate::entra::own_key::own_key;
use crate::evidence::{Evidence, documents};
use crate::guid;
use crate::request::Request;
use crate::state::State;
use crate::world::directory::ManagedIdentity;

/// What this is built on.
pub const EVIDENCE: &[Evidence] = &[
    Evidence::specification(
        "path, api-version, resource, client_id or object_id or msi_res_id, the Metadata header, numbers as strings",
        &documents::VM_TOKEN,
    ),
    Evidence::specification(
        "400 bad_request_102 without the header Metadata: true, in lower case",
        &documents::VM_TOKEN,
    ),
    Evidence::report("400 invalid_request, Identity not found", "Azure/aad-pod-identity#778"),
    Evidence::assumed(
        "where several exist and none is named: 400 invalid_request, and its text",
        "a token request without an id on a machine with two identities",
    ),
    Evidence::specification(
        "issuer is the tenant's v2.0 issuer, subject the identity's principal id",
        &documents::TRUST_MANAGED_IDENTITY,
    ),
    Evidence::assumed(
        "the audience is the resource as asked for, without /.default; Entra may write the resource's id instead",
        "a token of a managed identity for api://AzureADTokenExchange",
    ),
    Evidence::assumed(
        "tokens live a day and are made anew each time; the platform's cache is left out",
        "two calls right after each other",
    ),
];

/// The path of a token request.
const TOKEN: &str = "/metadata/identity/oauth2/token";
/// The api-versions that are answered.
const API_VERSIONS: [&str; 2] = ["2018-02-01", "2019-08-01"];
/// How long a token lives, in seconds.
const LIFE: i64 = 86_400;

#[derive(Serialize)]
struct TokenAnswer<'a> {
    access_token: String,
    client_id: &'a str,
    expires_in: String,
    expires_on: String,
    ext_expires_in: String,
    not_before: String,
    resource: &'a str,
    token_type: &'static str,
}

#[derive(Serialize)]
struct Claims<'a> {
    aud: &'a str,
    iss: String,
    iat: i64,
    nbf: i64,
    exp: i64,
    azp: &'a str,
    azpacr: &'static str,
    idtyp: &'static str,
    oid: &'a str,
    sub: &'a str,
    tid: &'a str,
    uti: String,
    ver: &'static str,
    xms_mirid: &'a str,
}

/// Answers a call.
pub fn answer(state: &mut State, request: &Request, now: Timestamp) -> (Answer, Asked) {
    let mut asked = Asked::default();
    let answer = match (request.method.as_str(), request.path.trim_end_matches('/')) {
        ("GET", TOKEN) => token(state, request, now, &mut asked).unwrap_or_else(|refusal| refusal),
        (_, TOKEN) => Answer::empty(405),
        _ => Answer::empty(404),
    };
    (answer, asked)
}

fn refuse(status: u16, error: &str, text: &str) -> Answer {
    let mut answer = Answer::json(status, &json!({"error": error, "error_description": text}));
    answer.code = Some(error.into());
    answer
}

fn token(state: &mut State, request: &Request, now: Timestamp, asked: &mut Asked) -> Answered {
    if request.metadata.as_deref() != Some("true") {
        return Err(refuse(400, "bad_request_102", "Required metadata header not specified"));
    }
    let query: Vec<(String, String)> =
        form_urlencoded::parse(request.query.as_bytes()).into_owned().collect();
    let field =
        |name: &str| query.iter().find(|(n, v)| n == name && !v.is_empty()).map(|(_, value)| value.as_str());
    let Some(version) = field("api-version") else {
        return Err(refuse(400, "invalid_request", "Required query variable 'api-version' is missing"));
    };
    if !API_VERSIONS.contains(&version) {
        return Err(refuse(400, "invalid_request", &format!("The api-version '{version}' is not supported")));
    }
    let Some(resource) = field("resource") else {
        return Err(refuse(400, "invalid_request", "Required query variable 'resource' is missing"));
    };
    let uti = guid::draw(&mut state.rng);
    let named = ["client_id", "object_id", "msi_res_id"].map(field);
    let identity = identity(&state.world.managed_identities, named)?;
    asked.tenant = Some(identity.tenant.clone());
    asked.client_id = Some(identity.client_id.clone());
    let seconds = now.as_second();
    let claims = Claims {
        aud: resource.strip_suffix("/.default").unwrap_or(resource),
        // Where Entra listens; what the caller named as host is the metadata service.
        iss: format!("{}/{}/v2.0", request.origin, identity.tenant),
        iat: seconds,
        nbf: seconds,
        exp: seconds.saturating_add(LIFE),
        azp: &identity.client_id,
        azpacr: "2",
        idtyp: "app",
        oid: &identity.object_id,
        sub: &identity.object_id,
        tid: &identity.tenant,
        uti,
        ver: "2.0",
        xms_mirid: &identity.resource_id,
    };
    let Some(access_token) = own_key().and_then(|key| key.sign(&claims)) else {
        return Err(refuse(500, "unknown", "Failed to retrieve token from the Active directory."));
    };
    Ok(Answer::json(
        200,
        &TokenAnswer {
            access_token,
            client_id: &identity.client_id,
            expires_in: LIFE.to_string(),
            expires_on: claims.exp.to_string(),
            ext_expires_in: LIFE.to_string(),
            not_before: claims.nbf.to_string(),
            resource,
            token_type: "Bearer",
        },
    ))
}

/// The identity that all the given names mean; without a name the only one there is.
fn identity<'a>(all: &'a [ManagedIdentity], named: [Option<&str>; 3]) -> Answered<&'a ManagedIdentity> {
    let fits = |it: &&ManagedIdentity| {
        let own = [&it.client_id, &it.object_id, &it.resource_id];
        named.iter().zip(own).all(|(name, own)| name.is_none_or(|name| name.eq_ignore_ascii_case(own)))
    };
    let mut found = all.iter().filter(fits);
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => Err(refuse(400, "invalid_request", "Identity not found")),
        (Some(_), Some(_)) => Err(refuse(
            400,
            "invalid_request",
            "Multiple user assigned identities exist, please specify the clientId / resourceId of the identity in \
             the token request",
        )),
    }
}
