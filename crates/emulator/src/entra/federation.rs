//! Assertions of an issuer that an application trusts.

use jiff::Timestamp;

use super::assertion::{Assertion, Refused};
use super::own_key::own_key;
use crate::evidence::{Evidence, documents};
use crate::keys::{Algorithm, Keys};
use crate::world::World;
use crate::world::directory::App;
use crate::world::federated_credential::FederatedCredential;

/// What this is built on.
pub const EVIDENCE: &[Evidence] = &[
    Evidence::specification(
        "at most 20 on an application; issuer and subject together are unique; issuer, subject and audience match \
         exactly; one audience; RS256",
        &documents::FEDERATION,
    ),
    Evidence::assumed(
        "70025 (invalid_client) where the application has none",
        "a token request for an application without federated credentials (guides to pipelines quote the answer, none \
         of them under a link that is known)",
    ),
    Evidence::report(
        "700211 (invalid_client) where none has the issuer",
        "Azure/azure-workload-identity#1200",
    ),
    Evidence::report("700213 where none has the subject", "Azure/login#482"),
    Evidence::report("7002138 where only the case of the subject differs", "Azure/login#515"),
    Evidence::report_in(
        "700212 (invalid_client) where none has the audience",
        &documents::ATHENZ_TOKEN_PROVIDER,
    ),
    Evidence::report("70021 (400, invalid_request), its text", "Azure/azure-workload-identity#616"),
    Evidence::specification(
        "a new one works only after a while, 70021 until then (federationDelayMs)",
        &documents::FEDERATION,
    ),
    Evidence::report(
        "90061 (400, invalid_request) where the issuer's keys cannot be had",
        "Azure/azure-workload-identity#605",
    ),
    Evidence::report(
        "7000272 (invalid_client) where the issuer has no key of this id",
        "Azure/azure-workload-identity#1232",
    ),
    Evidence::specification(
        "a managed identity may be the subject for an application of its own tenant",
        &documents::TRUST_MANAGED_IDENTITY,
    ),
    Evidence::report_in(
        "700236 for a managed identity of another tenant than the application's home",
        &documents::FOREIGN_MANAGED_IDENTITY,
    ),
    Evidence::assumed(
        "that all but 70021 and 90061 are 401; 700027 for a signature that does not fit; the order: algorithm, \
         issuer, subject, audience, propagation, issuer's keys, signature, times",
        "assertions that are wrong in two ways at once",
    ),
    Evidence::assumed(
        "several audiences in a token are 700212; a removed credential fails at once",
        "a token with two audiences; a token request right after the removal",
    ),
];

const SEE: &str = "Check your federated identity credential Subject, Audience and Issuer against the presented \
                   assertion. https://learn.microsoft.com/entra/workload-id/workload-identity-federation";

/// Checks the word of an issuer. `origins` are the addresses under which this Entra issues tokens itself.
pub(super) fn check(
    assertion: &Assertion<'_>,
    app: &App,
    world: &World,
    origins: &[String],
    now: Timestamp,
) -> Result<(), Refused> {
    let algorithm = assertion.algorithm(&[Algorithm::Rs256])?;
    let claims = &assertion.claims;
    if matching(assertion, app)?.works_from.is_some_and(|from| from > now) {
        let text = format!(
            "No matching federated identity record found for presented assertion. Assertion Issuer: '{}'. Assertion \
             Subject: '{}'. Assertion Audience: '{}'. \
             https://learn.microsoft.com/entra/workload-id/workload-identity-federation",
            claims.iss,
            claims.sub,
            claims.aud.only().unwrap_or_default()
        );
        return Err(Refused::request(70_021, text));
    }
    let own = own_tenant(&claims.iss, world, origins);
    if own.is_some_and(|tenant| tenant != app.home_tenant) {
        let text = format!(
            "Entra ID tokens issued by issuer '{}' may not be used for federated identity credential flows for \
             applications or managed identities registered in this tenant.",
            claims.iss
        );
        return Err(Refused::client(700_236, text));
    }
    let ours: Option<Keys> = own.and(own_key()).map(super::own_key::OwnKey::keys);
    let Some(keys) = world.issuers.get(&claims.iss).or(ours.as_ref()) else {
        return Err(Refused::request(90_061, "Request to External OIDC endpoint failed."));
    };
    let kid = assertion.header.kid.as_deref();
    let Some(key) = keys.find(kid) else {
        let text = format!(
            "The certificate with identifier {} used to sign the federated credential could not be found in the \
             metadata of identity provider {}. Please validate that your Identity Provider's metadata exposes the \
             key used to sign the incoming token.",
            kid.unwrap_or_default(),
            claims.iss
        );
        return Err(Refused::client(7_000_272, text));
    };
    if !assertion.is_signed_by(key, algorithm) {
        let text = "Client assertion contains an invalid signature. [Reason - The provided signature value did not \
                    match the expected signature value.]";
        return Err(Refused::client(700_027, text));
    }
    assertion.check_time(now)
}

/// The credential that speaks of this token's issuer, subject and audience.
fn matching<'a>(assertion: &Assertion<'_>, app: &'a App) -> Result<&'a FederatedCredential, Refused> {
    let (claims, all) = (&assertion.claims, &app.federated_credentials);
    let none = |code, what: &str, value: &str, note: &str| {
        let text = format!(
            "No matching federated identity record found for presented assertion {what} '{value}'. {note}{SEE}"
        );
        Refused::client(code, text)
    };
    if all.is_empty() {
        let id = &app.client_id;
        let text = format!("The client '{id}'({id}) has no configured federated identity credentials.");
        return Err(Refused::client(70_025, text));
    }
    if !all.iter().any(|it| it.issuer == claims.iss) {
        return Err(none(700_211, "issuer", &claims.iss, ""));
    }
    let of_issuer = || all.iter().filter(|it| it.issuer == claims.iss);
    // Issuer and subject are unique, so there is at most one.
    let Some(found) = of_issuer().find(|it| it.subject == claims.sub) else {
        if of_issuer().any(|it| it.subject.eq_ignore_ascii_case(&claims.sub)) {
            let note = "The subject matches with case-insensitive comparison, but not with case-sensitive comparison. ";
            return Err(none(7_002_138, "subject", &claims.sub, note));
        }
        return Err(none(700_213, "subject", &claims.sub, ""));
    };
    let audience = claims.aud.only();
    if audience != Some(found.audience.as_str()) {
        return Err(none(700_212, "audience", audience.unwrap_or_default(), ""));
    }
    Ok(found)
}

/// The tenant of this Entra that an issuer is, if it is one.
fn own_tenant<'a>(issuer: &str, world: &'a World, origins: &[String]) -> Option<&'a str> {
    origins.iter().find_map(|origin| {
        let tenant = issuer.strip_prefix(origin.as_str())?.strip_prefix('/')?.strip_suffix("/v2.0")?;
        world.tenants.get(tenant).map(|tenant| tenant.id.as_str())
    })
}
