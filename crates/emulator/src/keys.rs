//! RSA keys that others sign with, and the sets of them that an issuer publishes.

use anyhow::{Context, ensure};
use aws_lc_rs::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaParameters, RsaPublicKeyComponents,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Value, json};

/// The shortest modulus, in bytes: 2048 bits.
const MODULUS_MIN: usize = 256;

/// How a signature is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
}

impl Algorithm {
    /// By its name in a token's header.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "PS256" => Some(Self::Ps256),
            "RS256" => Some(Self::Rs256),
            _ => None,
        }
    }

    fn parameters(self) -> &'static RsaParameters {
        match self {
            Self::Ps256 => &RSA_PSS_2048_8192_SHA256,
            Self::Rs256 => &RSA_PKCS1_2048_8192_SHA256,
        }
    }
}

/// A public RSA key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RsaKey {
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

impl RsaKey {
    /// A key from its big-endian numbers; zeros in front do not count.
    pub fn new(modulus: &[u8], exponent: &[u8]) -> anyhow::Result<Self> {
        let bare = |number: &[u8]| {
            let zeros = number.iter().take_while(|byte| **byte == 0).count();
            number[zeros..].to_vec()
        };
        let (modulus, exponent) = (bare(modulus), bare(exponent));
        ensure!(modulus.len() >= MODULUS_MIN, "an RSA key of less than 2048 bits");
        ensure!(!exponent.is_empty(), "an RSA key without an exponent");
        Ok(Self { modulus, exponent })
    }

    /// Whether the holder of this key signed this message.
    pub fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let key = RsaPublicKeyComponents { n: &self.modulus, e: &self.exponent };
        key.verify(algorithm.parameters(), message, signature).is_ok()
    }

    /// The key as an item of a JSON Web Key Set.
    pub fn to_jwk(&self, kid: &str) -> Value {
        json!({
            "kty": "RSA",
            "use": "sig",
            "kid": kid,
            "n": URL_SAFE_NO_PAD.encode(&self.modulus),
            "e": URL_SAFE_NO_PAD.encode(&self.exponent),
        })
    }
}

/// The keys that an issuer publishes.
#[derive(Clone, Debug, Default)]
pub struct Keys(Vec<(Option<String>, RsaKey)>);

#[derive(Deserialize)]
struct Jwks {
    keys: Vec<Jwk>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    #[serde(default)]
    n: String,
    #[serde(default)]
    e: String,
}

impl Keys {
    /// Reads a JSON Web Key Set. Keys that are not RSA's are passed over, as Entra cannot use them.
    pub fn parse(jwks: &Value) -> anyhow::Result<Self> {
        let jwks: Jwks = serde_json::from_value(jwks.clone()).context("jwks")?;
        let number = |text: &str| {
            let number = URL_SAFE_NO_PAD.decode(text.trim_end_matches('='));
            number.ok().context("n or e is not base64url")
        };
        let mut keys = Vec::new();
        for jwk in jwks.keys.into_iter().filter(|jwk| jwk.kty == "RSA") {
            let key = || RsaKey::new(&number(&jwk.n)?, &number(&jwk.e)?);
            let key = key().with_context(|| format!("key {:?}", jwk.kid.as_deref().unwrap_or_default()))?;
            keys.push((jwk.kid, key));
        }
        Ok(Self(keys))
    }

    /// The only key, with its id.
    pub fn one(kid: &str, key: RsaKey) -> Self {
        Self(vec![(Some(kid.to_owned()), key)])
    }

    /// The key of this id; for a token that names none, the only key there is.
    pub fn find(&self, kid: Option<&str>) -> Option<&RsaKey> {
        match (kid, self.0.as_slice()) {
            (None, [(_, key)]) => Some(key),
            (None, _) => None,
            (Some(kid), keys) => keys.iter().find(|(id, _)| id.as_deref() == Some(kid)).map(|(_, key)| key),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_keeps_the_keys_that_can_be_used() {
        let modulus = URL_SAFE_NO_PAD.encode([0xc5; MODULUS_MIN]);
        let set = json!({"keys": [
            {"kty": "EC", "kid": "ec", "crv": "P-256", "x": "AQ", "y": "AQ"},
            {"kty": "RSA", "kid": "rsa", "n": modulus, "e": "AQAB"},
        ]});
        let keys = Keys::parse(&set).unwrap();
        assert!(keys.find(Some("rsa")).is_some() && keys.find(None).is_some());
        assert!(keys.find(Some("ec")).is_none());
        assert_eq!(keys.find(None).unwrap().to_jwk("rsa")["n"], json!(modulus));
    }

    #[test]
    fn what_is_no_key_is_named() {
        let short = json!({"keys": [{"kty": "RSA", "kid": "a", "n": "AQAB", "e": "AQAB"}]});
        let error = format!("{:#}", Keys::parse(&short).unwrap_err());
        assert_eq!(error, "key \"a\": an RSA key of less than 2048 bits");
        let text = json!({"keys": [{"kty": "RSA", "kid": "a", "n": "!", "e": "AQAB"}]});
        let error = format!("{:#}", Keys::parse(&text).unwrap_err());
        assert_eq!(error, "key \"a\": n or e is not base64url");
        assert!(format!("{:#}", Keys::parse(&json!([])).unwrap_err()).starts_with("jwks"));
    }
}
