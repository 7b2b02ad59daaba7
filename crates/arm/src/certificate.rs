//! A certificate with its key, and the assertions that it signs: PS256 with the certificate's SHA-256 thumbprint, as
//! Entra's documentation of certificate credentials has it. RSA only, and no OpenSSL.

mod stored;
mod unusable;

use std::fmt;

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{RSA_PSS_SHA256, RsaKeyPair},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::json;
use sha2::{Digest, Sha256};

use self::stored::Stored;
pub use self::unusable::CertificateError;

/// How long an assertion is good, in seconds: Entra recommends five to ten minutes.
const LIFE: i64 = 600;

/// How far it is dated back, in seconds, so that a clock a little ahead of Entra's does no harm.
const BACK: i64 = 60;

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
    /// From two files, which may be the same: the private key, and of all certificates that of the key. Issuers beside it,
    /// in whatever order, are not needed. Of several certificates of one key the one that ends last is taken.
    pub fn parse(certificate: &[u8], key: &[u8]) -> Result<Self, CertificateError> {
        let mut stored = Stored::default();
        stored.add(key);
        if certificate != key {
            stored.add(certificate);
        }
        let Stored { certificates, keys, instead } = stored;
        if keys.is_empty() {
            return Err(instead.unwrap_or(CertificateError::NoKey));
        }
        let read: Vec<Leaf> = certificates.iter().filter_map(|der| Leaf::read(der)).collect();
        let pairs = keys.into_iter().filter_map(|key| {
            let leaf = read.iter().filter(|leaf| leaf.is_of(&key)).max_by_key(|leaf| leaf.not_after)?;
            Some(Self { key, thumbprint: leaf.thumbprint.clone(), not_after: leaf.not_after })
        });
        pairs.max_by_key(|pair| pair.not_after).ok_or_else(|| {
            if certificates.is_empty() {
                instead.unwrap_or(CertificateError::NoCertificate)
            } else if read.len() < certificates.len() {
                CertificateError::Certificate
            } else {
                CertificateError::Pair
            }
        })
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

/// A certificate that may be that of a key.
struct Leaf {
    public_key: Vec<u8>,
    thumbprint: String,
    not_after: Timestamp,
}

impl Leaf {
    /// `None` for one that cannot be read.
    fn read(der: &[u8]) -> Option<Self> {
        let (rest, read) = x509_parser::parse_x509_certificate(der).ok()?;
        // What some tools write behind it is not signed, and no part of it.
        let der = &der[..der.len() - rest.len()];
        Some(Self {
            public_key: read.public_key().subject_public_key.data.to_vec(),
            thumbprint: URL_SAFE_NO_PAD.encode(Sha256::digest(der)),
            not_after: Timestamp::from_second(read.validity().not_after.timestamp()).ok()?,
        })
    }

    fn is_of(&self, key: &RsaKeyPair) -> bool {
        use aws_lc_rs::signature::KeyPair as _;
        self.public_key == key.public_key().as_ref()
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};
    use rcgen::{
        BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256,
    };
    use secrecy::ExposeSecret as _;
    use serde_json::Value;

    use super::*;

    fn pair(algorithm: &'static rcgen::SignatureAlgorithm) -> (String, String) {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let certificate = CertificateParams::new(vec!["app".into()]).unwrap().self_signed(&key).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    fn der(certificate: &str) -> Vec<u8> {
        x509_parser::pem::parse_x509_pem(certificate.as_bytes()).unwrap().1.contents
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
        let der = der(&certificate);
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

    /// A leaf with its key, the certificate that issued it, and the root's.
    fn chain() -> ([String; 3], KeyPair) {
        let ca = |name: &str| {
            let mut params = CertificateParams::new(vec![name.into()]).unwrap();
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            (params, KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap())
        };
        let ((root, root_key), (between, between_key)) = (ca("root"), ca("between"));
        let root_pem = root.self_signed(&root_key).unwrap().pem();
        let between_pem =
            between.signed_by(&between_key, &Issuer::from_params(&root, &root_key)).unwrap().pem();
        let key = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
        let leaf = CertificateParams::new(vec!["app".into()]).unwrap();
        let leaf = leaf.signed_by(&key, &Issuer::from_params(&between, &between_key)).unwrap().pem();
        ([leaf, between_pem, root_pem], key)
    }

    #[test]
    fn of_a_chain_in_any_order_the_certificate_of_the_key_is_taken() {
        let ([leaf, between, root], key) = chain();
        let key = key.serialize_pem();
        let alone = Certificate::parse(leaf.as_bytes(), key.as_bytes()).unwrap();
        for order in [
            [&leaf, &between, &root, &key],
            [&root, &between, &leaf, &key],
            [&between, &leaf, &root, &key],
            [&key, &root, &leaf, &between],
            [&between, &key, &root, &leaf],
        ] {
            let all = order.map(String::as_str).concat();
            let of_one = Certificate::parse(all.as_bytes(), all.as_bytes()).unwrap();
            assert_eq!(of_one.thumbprint(), alone.thumbprint());
            let of_two = Certificate::parse(all.as_bytes(), key.as_bytes()).unwrap();
            assert_eq!(of_two.thumbprint(), alone.thumbprint());
        }
        // Each in the other's place.
        let swapped = Certificate::parse(key.as_bytes(), leaf.as_bytes()).unwrap();
        assert_eq!(swapped.thumbprint(), alone.thumbprint());
        // With the issuers' keys, too, as whoever made them has them in one file.
        let ([other, ..], other_key) = chain();
        let more = [other_key.serialize_pem(), leaf.clone(), key.clone(), between.clone()].concat();
        let found = Certificate::parse(more.as_bytes(), more.as_bytes()).unwrap();
        assert_eq!(found.thumbprint(), alone.thumbprint());
        // Without its leaf there is no pair, however long the chain.
        let without = [root, between, other].concat();
        assert_eq!(
            Certificate::parse(without.as_bytes(), key.as_bytes()).map(drop),
            Err(CertificateError::Pair)
        );
    }

    #[test]
    fn of_two_certificates_of_one_key_the_one_that_ends_last_is_taken() {
        let key = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
        let until = |year: i32| {
            let mut params = CertificateParams::new(vec!["app".into()]).unwrap();
            params.not_after = rcgen::date_time_ymd(year, 1, 1);
            params.self_signed(&key).unwrap().pem()
        };
        let (old, new, key) = (until(2031), until(2032), key.serialize_pem());
        for both in [[old.as_str(), &new].concat(), [new.as_str(), &old].concat()] {
            let taken = Certificate::parse(both.as_bytes(), key.as_bytes()).unwrap();
            assert_eq!(taken.not_after().to_string(), "2032-01-01T00:00:00Z");
        }
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
        assert_eq!(parse("", ""), CertificateError::NoKey);
        assert_eq!(parse(&certificate, &certificate), CertificateError::NoKey);
        assert_eq!(parse(&certificate, &other), CertificateError::Pair);
        assert_eq!(parse(&elliptic, &elliptic_key), CertificateError::Key);
        assert_eq!(parse(&certificate[..certificate.len() / 2], &key), CertificateError::Certificate);
        assert_eq!(parse(&certificate, &key[..key.len() / 2]), CertificateError::Key);
        let shown = format!("{:?}", Certificate::parse(certificate.as_bytes(), key.as_bytes()).unwrap());
        assert_eq!(shown, "Certificate");
    }
}
