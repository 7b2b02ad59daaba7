//! The documents by which clients find their way: a cloud's endpoints, Entra's discovery of instances and of OpenID.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::refusals;
use crate::answer::{Answer, Answered};
use crate::evidence::{Evidence, documents};
use crate::request::Request;
use crate::state::State;
use crate::token;

/// What this is built on.
pub const EVIDENCE: &[Evidence] = &[
    Evidence::report_in("/metadata/endpoints in its three forms, by api-version", &documents::GO_METADATA),
    Evidence::specification("OpenID discovery, v1 and v2", &documents::OPENID_CONNECT),
    Evidence::assumed(
        "discovery of instances answers for this one authority, in the form that MSAL reads",
        "a GET of /common/discovery/instance",
    ),
];

/// The cloud's endpoints. Needs no token.
pub fn endpoints(request: &Request) -> Answer {
    let version = url::form_urlencoded::parse(request.query.as_bytes())
        .find(|(name, _)| name.eq_ignore_ascii_case("api-version"))
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default();
    let origin = &request.origin;
    let authentication = json!({
        "loginEndpoint": origin,
        "audiences": ["https://management.core.windows.net", "https://management.azure.com", origin],
        "tenant": "common",
        "identityProvider": "AAD",
    });
    let whole = json!({
        "name": "AvnmEmulator",
        "portal": origin,
        "authentication": authentication,
        "resourceManager": origin,
        "graphAudience": "https://graph.windows.net",
        "microsoftGraphResourceId": "https://graph.microsoft.com",
        "suffixes": {},
    });
    match version.as_str() {
        "" => Answer::gateway(
            400,
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        ),
        // The oldest names only this; the next give a list of clouds; the newest, one cloud.
        v if v < "2018" => Answer::json(
            200,
            &json!({
                "galleryEndpoint": "",
                "graphEndpoint": "https://graph.windows.net/",
                "portalEndpoint": origin,
                "authentication": authentication,
            }),
        ),
        v if v < "2022" => Answer::json(200, &json!([whole])),
        _ => Answer::json(200, &whole),
    }
}

/// Which names the authority has: only its own.
pub fn instances(request: &Request) -> Answer {
    let origin = &request.origin;
    let host = origin.trim_start_matches("https://");
    Answer::json(
        200,
        &json!({
            "tenant_discovery_endpoint": format!("{origin}/common/v2.0/.well-known/openid-configuration"),
            "api-version": "1.1",
            "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
        }),
    )
}

/// A tenant's OpenID document; `v2` or the one before.
pub fn openid(state: &mut State, tenant: &str, request: &Request, now: Timestamp, v2: bool) -> Answered {
    let tenant = match tenant {
        // Clients ask for these to learn the endpoints' form; they are no tenants to sign in to.
        "common" | "organizations" => tenant.to_owned(),
        _ => refusals::known_tenant(state, tenant, now)?,
    };
    let origin = &request.origin;
    let part = if v2 { "/v2.0" } else { "" };
    let body: Value = json!({
        "token_endpoint": format!("{origin}/{tenant}/oauth2{part}/token"),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
        "jwks_uri": format!("{origin}/{tenant}/discovery{part}/keys"),
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": if v2 { format!("{origin}/{tenant}/v2.0") } else { token::issuer(&tenant) },
        "authorization_endpoint": format!("{origin}/{tenant}/oauth2{part}/authorize"),
        "tenant_region_scope": "NA",
        "cloud_instance_name": origin.trim_start_matches("https://"),
    });
    Ok(Answer::json(200, &body))
}
