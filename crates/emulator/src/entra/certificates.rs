//! Assertions that are signed with the key of an application's certificate.

use jiff::Timestamp;

use super::assertion::{Assertion, Refused};
use crate::evidence::{Evidence, documents};
use crate::keys::Algorithm;
use crate::world::certificate::Certificate;

/// What this is built on.
pub const EVIDENCE: &[Evidence] = &[
    Evidence::specification(
        "alg PS256, x5t#S256, iss and sub the client id, aud the tenant's token endpoint or its issuer, nbf, exp",
        &documents::CERTIFICATE_CREDENTIALS,
    ),
    Evidence::report_in("RS256 and x5t (SHA-1) are taken too", &documents::GO_CERTIFICATE),
    Evidence::report_in(
        "a thumbprint in the other alphabet of base64, with padding, is taken too",
        &documents::RUST_CERTIFICATE,
    ),
    Evidence::report(
        "700027 (invalid_client) for a thumbprint that no certificate has, or a signature that does not fit",
        "pnp/cli-microsoft365#1621",
    ),
    Evidence::specification(
        "700021 where iss or sub is not the client id; 700023 where the audience is another",
        &documents::SERVICE_PRINCIPALS,
    ),
    Evidence::report(
        "1000502 for a certificate outside its own validity",
        "AzureAD/microsoft-identity-web#2834",
    ),
    Evidence::report(
        "50027 where the header names no thumbprint",
        "AzureAD/microsoft-authentication-library-for-dotnet#124",
    ),
    Evidence::assumed(
        "all of these but 50027 are 401 and invalid_client; the order: form, algorithm, iss and sub, thumbprint, \
         signature, certificate's validity, audience, times",
        "assertions that are wrong in two ways at once",
    ),
    Evidence::assumed(
        "jti is not looked at: an assertion may be used twice",
        "the same assertion sent twice",
    ),
];

/// Checks an application's own assertion. `audiences` are this tenant's token endpoint and issuer.
pub(super) fn check(
    assertion: &Assertion<'_>,
    certificates: &[Certificate],
    client_id: &str,
    audiences: &[String],
    now: Timestamp,
) -> Result<(), Refused> {
    let algorithm = assertion.algorithm(&[Algorithm::Ps256, Algorithm::Rs256])?;
    let (header, claims) = (&assertion.header, &assertion.claims);
    if !claims.iss.eq_ignore_ascii_case(client_id) || !claims.sub.eq_ignore_ascii_case(client_id) {
        let text = "Client assertion application identifier doesn't match 'client_id' parameter. Review the \
                    documentation at https://learn.microsoft.com/entra/identity-platform/certificate-credentials .";
        return Err(Refused::client(700_021, text));
    }
    let Some(thumbprint) = header.x5t_s256.as_ref().or(header.x5t.as_ref()) else {
        let text = "Invalid JWT token. No certificate thumbprint specified in token header.";
        return Err(Refused::request(50_027, text));
    };
    let unfit = |reason: &str| {
        let text = format!(
            "Client assertion contains an invalid signature. [Reason - {reason}, Thumbprint of key used by client: \
             '{thumbprint}', Please visit the Azure Portal, Graph Explorer or directly use MS Graph to see \
             configured keys for app Id '{client_id}'.]"
        );
        Refused::client(700_027, text)
    };
    let certificate =
        certificates.iter().find(|it| it.is_named(header.x5t_s256.as_deref(), header.x5t.as_deref()));
    let certificate = certificate.ok_or_else(|| unfit("The key was not found."))?;
    if !assertion.is_signed_by(certificate.key(), algorithm) {
        return Err(unfit("The provided signature value did not match the expected signature value."));
    }
    if !certificate.is_valid_at(now) {
        let text = "The provided certificate is not within its specified validity period.";
        return Err(Refused::client(1_000_502, text));
    }
    let audience = match &claims.aud {
        super::assertion::Audience::One(one) => one,
        super::assertion::Audience::Many(_) => {
            return Err(Refused::request(50_027, "JWT token is invalid or malformed."));
        }
    };
    if !audiences.iter().any(|known| known.eq_ignore_ascii_case(audience)) {
        let text = "Client assertion audience claim does not match Realm issuer. Review the documentation at \
                    https://learn.microsoft.com/entra/identity-platform/certificate-credentials .";
        return Err(Refused::client(700_023, text));
    }
    assertion.check_time(now)
}
