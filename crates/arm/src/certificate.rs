//! A certificate with its key, and the assertions that it signs: PS256 with the certificate's SHA-256 thumbprint, as
//! Entra's documentation of certificate credentials has it. RSA only, and no OpenSSL.

use std::fmt;

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{RSA_PSS_SHA256, RsaKeyPair},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use secrecy::SecretString;
use serde_json::json;
use sha2::{Digest, Sha256};

/// How long an assertion is good, in seconds: Entra recommends five to ten minutes.
const LIFE: i64 = 600;

/// How far it is dated back, in seconds, so that a clock a little ahead of Entra's does no harm.
const BACK: i64 = 60;

/// Why a certificate cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// There is no certificate in the PEM text.
    #[error("there is no certificate in PEM (BEGIN CERTIFICATE)")]
    NoCertificate,
    /// There is no key in the PEM text.
    #[error("there is no private key in PEM (BEGIN PRIVATE KEY)")]
    NoKey,
    /// The certificate cannot be read.
    #[error("the certificate cannot be read")]
    Certificate,
    /// The key cannot be read, or is no RSA key of 2048 bits or more.
    #[error("the private key is no RSA key of 2048 to 8192 bits that can be read, without a passphrase")]
    Key,
    /// Key and certificate are not one pair.
    #[error("the private key is not that of the certificate")]
    Pair,
}

/// A certificate and its key.
pub struct Certificate {
    key: RsaKeyPair,
    thumbprint: String,
    not_after: Timestamp,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Certificate")
    }
}

impl Certificate {
    /// From PEM: the first certificate of one text and the first key of the other; both may be the same.
    pub fn parse(certificate: &[u8], key: &[u8]) -> Result<Self, CertificateError> {
        use aws_lc_rs::signature::KeyPair as _;
        let der = CertificateDer::from_pem_slice(certificate).map_err(|_| CertificateError::NoCertificate)?;
        let (_, read) =
            x509_parser::parse_x509_certificate(&der).map_err(|_| CertificateError::Certificate)?;
        let not_after = Timestamp::from_second(read.validity().not_after.timestamp())
            .map_err(|_| CertificateError::Certificate)?;
        let key = match PrivateKeyDer::from_pem_slice(key).map_err(|_| CertificateError::NoKey)? {
            PrivateKeyDer::Pkcs8(key) => RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()),
            PrivateKeyDer::Pkcs1(key) => RsaKeyPair::from_der(key.secret_pkcs1_der()),
            _ => return Err(CertificateError::Key),
        };
        let key = key.map_err(|_| CertificateError::Key)?;
        if read.public_key().subject_public_key.data.as_ref() != key.public_key().as_ref() {
            return Err(CertificateError::Pair);
        }
        let thumbprint = URL_SAFE_NO_PAD.encode(Sha256::digest(&der));
        Ok(Self { key, thumbprint, not_after })
    }

    /// When it ends.
    pub fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// What tells it from others: its SHA-256 thumbprint.
    pub(crate) fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// An assertion for one token endpoint, and so for one tenant. `None` if it cannot be signed.
    pub(crate) fn assertion(&self, client: &str, token_url: &str, now: Timestamp) -> Option<SecretString> {
        let second = now.as_second();
        let header = json!({"alg": "PS256", "typ": "JWT", "x5t#S256": self.thumbprint});
        let claims = json!({
            "aud": token_url,
            "iss": client,
            "sub": client,
            "jti": uuid::Uuid::new_v4().to_string(),
            "iat": second,
            "nbf": second - BACK,
            "exp": second + LIFE,
        });
        let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key.sign(&RSA_PSS_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).ok()?;
        Some(SecretString::from(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))))
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};
    use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256};
    use secrecy::ExposeSecret as _;
    use serde_json::Value;

    use super::*;

    fn pair(algorithm: &'static rcgen::SignatureAlgorithm) -> (String, String) {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let certificate = CertificateParams::new(vec!["app".into()]).unwrap().self_signed(&key).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    fn read(part: &str) -> Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    }

    #[test]
    fn an_assertion_is_for_one_tenant_and_signed_with_the_key() {
        let (certificate, key) = pair(&PKCS_RSA_SHA256);
        // Both in one text, as a Secret may have them.
        let both = format!("{certificate}{key}");
        let parsed = Certificate::parse(both.as_bytes(), both.as_bytes()).unwrap();
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let made = parsed.assertion("app-id", "https://login/t/oauth2/v2.0/token", now).unwrap();
        let parts: Vec<&str> = made.expose_secret().split('.').collect();
        let der = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
        let thumbprint = URL_SAFE_NO_PAD.encode(Sha256::digest(&der));
        assert_eq!(read(parts[0]), json!({"alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint}));
        let claims = read(parts[1]);
        assert_eq!(claims["aud"], "https://login/t/oauth2/v2.0/token");
        assert_eq!((&claims["iss"], &claims["sub"]), (&json!("app-id"), &json!("app-id")));
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["nbf"].as_i64().unwrap(), LIFE + BACK);
        let (_, read) = x509_parser::parse_x509_certificate(&der).unwrap();
        let public = read.public_key().subject_public_key.data.to_vec();
        let signature = URL_SAFE_NO_PAD.decode(parts[2]).unwrap();
        let signed = format!("{}.{}", parts[0], parts[1]);
        UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, public)
            .verify(signed.as_bytes(), &signature)
            .unwrap();
        let again = parsed.assertion("app-id", "https://login/t/oauth2/v2.0/token", now).unwrap();
        assert_ne!(made.expose_secret(), again.expose_secret(), "each has an id of its own");
    }

    #[test]
    fn what_is_no_pair_is_told_apart() {
        let (certificate, key) = pair(&PKCS_RSA_SHA256);
        let (_, other) = pair(&PKCS_RSA_SHA256);
        let (elliptic, elliptic_key) = pair(&PKCS_ECDSA_P256_SHA256);
        let parse = |certificate: &str, key: &str| {
            Certificate::parse(certificate.as_bytes(), key.as_bytes()).map(drop).unwrap_err()
        };
        assert_eq!(parse("", &key), CertificateError::NoCertificate);
        assert_eq!(parse(&certificate, ""), CertificateError::NoKey);
        assert_eq!(parse(&certificate, &certificate), CertificateError::NoKey);
        assert_eq!(parse(&certificate, &other), CertificateError::Pair);
        assert_eq!(parse(&elliptic, &elliptic_key), CertificateError::Key);
        let shown = format!("{:?}", Certificate::parse(certificate.as_bytes(), key.as_bytes()).unwrap());
        assert_eq!(shown, "Certificate");
    }
}
