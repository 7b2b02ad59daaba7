//! Keys, certificates and signed tokens as clients and issuers make them. It shares nothing with the emulator.

use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use rcgen::{CertificateParams, PKCS_RSA_SHA256};
use rustls::pki_types::PrivatePkcs8KeyDer;
use serde_json::{Value, json};

/// Two keys: making one takes a while.
pub(crate) static KEY: LazyLock<Key> = LazyLock::new(Key::generate);
pub(crate) static OTHER_KEY: LazyLock<Key> = LazyLock::new(Key::generate);

/// An RSA key.
pub(crate) struct Key(RsaKeyPair);

/// A certificate: PEM, and its thumbprints as headers name them.
pub(crate) struct Certificate {
    pub(crate) pem: String,
    pub(crate) sha1: String,
    pub(crate) sha256: String,
}

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The claims of a token.
pub(crate) fn claims(token: &str) -> Value {
    let part = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// The wall clock's seconds, moved.
pub(crate) fn seconds(moved: i64) -> i64 {
    let millis = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis();
    i64::try_from(millis / 1000).unwrap() + moved
}

impl Key {
    fn generate() -> Self {
        Self(RsaKeyPair::generate(KeySize::Rsa2048).unwrap())
    }

    /// A token with this header and these claims; the header's `alg` says how it is signed.
    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        let signed = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
        let algorithm = if header["alg"] == "PS256" { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0.sign(algorithm, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
        format!("{signed}.{}", encode(signature))
    }

    /// The set with this key. The numbers are taken out of PKCS#1: two integers in a sequence.
    pub(crate) fn jwks(&self, kid: &str) -> Value {
        let der = self.0.public_key().as_ref();
        let modulus = &der[9..9 + 256];
        assert_eq!(der[8], 0, "a modulus of 2048 bits begins with a one");
        json!({"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid, "n": encode(modulus), "e": "AQAB"}]})
    }

    /// A self-signed certificate that is good from so many days on to so many days on.
    pub(crate) fn certificate(&self, from: i64, until: i64) -> Certificate {
        let der: Pkcs8V1Der<'_> = self.0.as_der().unwrap();
        let der = PrivatePkcs8KeyDer::from(der.as_ref().to_vec());
        let key = rcgen::KeyPair::from_pkcs8_der_and_sign_algo(&der, &PKCS_RSA_SHA256).unwrap();
        let mut parameters = CertificateParams::default();
        let date = |days: i64| {
            let at = Timestamp::from_second(seconds(0)).unwrap() + SignedDuration::from_hours(24 * days);
            let date = at.to_zoned(jiff::tz::TimeZone::UTC).date();
            let part = |number: i8| u8::try_from(number).unwrap();
            rcgen::date_time_ymd(date.year().into(), part(date.month()), part(date.day()))
        };
        (parameters.not_before, parameters.not_after) = (date(from), date(until));
        let certificate = parameters.self_signed(&key).unwrap();
        Certificate {
            pem: certificate.pem(),
            sha1: encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, certificate.der())),
            sha256: encode(digest(&SHA256, certificate.der())),
        }
    }
}
