//! A certificate of an application.

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

use crate::keys::RsaKey;

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

    /// Whether a token's header names it, by its SHA-256 or, where it gives none, by its SHA-1.
    pub(crate) fn is_named(&self, sha256: Option<&str>, sha1: Option<&str>) -> bool {
        // Both alphabets of base64 are in use.
        let same = |known: &str, named: &str| {
            named.trim_end_matches('=').replace('+', "-").replace('/', "_") == known
        };
        match (sha256, sha1) {
            (Some(named), _) => same(&self.sha256, named),
            (None, Some(named)) => same(&self.sha1, named),
            (None, None) => false,
        }
    }

    /// Its key.
    pub(crate) fn key(&self) -> &RsaKey {
        &self.key
    }

    /// Whether it is good at this time.
    pub(crate) fn is_valid_at(&self, now: Timestamp) -> bool {
        self.not_before <= now && now <= self.not_after
    }
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
