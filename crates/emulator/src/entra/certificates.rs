//! Certificates of applications, and the assertions that are signed with their keys.

use anyhow::{Context, bail, ensure};
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::{Value, json};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;
use x509_parser::public_key::PublicKey;

use super::assertion::{Assertion, Header, Refused};
use super::keys::{Algorithm, RsaKey};
use crate::rules::{Evidence, documents};

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

/// A certificate's public part, as registered on an application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    key: RsaKey,
    sha1: String,
    sha256: String,
    not_before: Timestamp,
    not_after: Timestamp,
}

impl Certificate {
    /// Reads the first certificate of a PEM text. What else is in the text is passed over, also a key.
    pub fn parse(pem: &str) -> anyhow::Result<Self> {
        let der = CertificateDer::from_pem_slice(pem.as_bytes())
            .map_err(|error| anyhow::anyhow!("no certificate in the PEM text: {error}"))?;
        let (_, parsed) = X509Certificate::from_der(&der).context("parse the certificate")?;
        let Ok(PublicKey::RSA(key)) = parsed.public_key().parsed() else {
            bail!("the certificate's key is not RSA, which the algorithms of assertions need")
        };
        let key = RsaKey::new(key.modulus, key.exponent).context("the certificate's key")?;
        let (not_before, not_after) = (parsed.validity().not_before, parsed.validity().not_after);
        ensure!(not_before <= not_after, "the certificate ends before it begins");
        let at = |time: x509_parser::time::ASN1Time| Timestamp::from_second(time.timestamp());
        Ok(Self {
            key,
            sha1: URL_SAFE_NO_PAD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, &der)),
            sha256: URL_SAFE_NO_PAD.encode(digest(&SHA256, &der)),
            not_before: at(not_before).context("notBefore")?,
            // RFC 5280's "no end" lies beyond what Timestamp holds.
            not_after: at(not_after).unwrap_or(Timestamp::MAX),
        })
    }

    /// What may be seen of it: thumbprints as in a token's header, and its validity.
    pub fn shown(&self) -> Value {
        json!({
            "x5t#S256": self.sha256,
            "x5t": self.sha1,
            "notBefore": self.not_before,
            "notAfter": self.not_after,
        })
    }

    fn is_meant_by(&self, header: &Header) -> bool {
        // Both alphabets of base64 are in use.
        let same = |known: &str, named: &str| {
            named.trim_end_matches('=').replace('+', "-").replace('/', "_") == known
        };
        match (&header.x5t_s256, &header.x5t) {
            (Some(named), _) => same(&self.sha256, named),
            (None, Some(named)) => same(&self.sha1, named),
            (None, None) => false,
        }
    }
}

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
    let certificate = certificates.iter().find(|it| it.is_meant_by(header));
    let certificate = certificate.ok_or_else(|| unfit("The key was not found."))?;
    if !assertion.is_signed_by(&certificate.key, algorithm) {
        return Err(unfit("The provided signature value did not match the expected signature value."));
    }
    if now < certificate.not_before || now > certificate.not_after {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_used_is_named() {
        let error = Certificate::parse("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
        assert!(error.unwrap_err().to_string().starts_with("no certificate in the PEM text"));
        let key = rcgen::KeyPair::generate().unwrap();
        let ec = rcgen::CertificateParams::default().self_signed(&key).unwrap().pem();
        assert!(Certificate::parse(&ec).unwrap_err().to_string().contains("not RSA"));
    }
}
