//! The RSA key with which this process signs the tokens of managed identities.
//!
//! Access tokens for ARM are opaque and have an HMAC ([`super::token::Signer`]). A managed identity's token is to be used as an
//! assertion, so others must be able to check it: RS256, and the key is published.

use std::sync::LazyLock;

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use x509_parser::prelude::FromDer as _;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

use crate::keys::{Keys, RsaKey};

/// One per process and made when first asked for: most emulators never sign with it, and making it takes a while.
static OWN: LazyLock<Option<OwnKey>> = LazyLock::new(OwnKey::generate);

/// The key of this process.
pub struct OwnKey {
    pair: RsaKeyPair,
    kid: String,
    public: RsaKey,
}

/// The key of this process; None, where the system could make none.
pub fn own_key() -> Option<&'static OwnKey> {
    OWN.as_ref()
}

impl OwnKey {
    fn generate() -> Option<Self> {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).ok()?;
        let der: PublicKeyX509Der<'_> = pair.public_key().as_der().ok()?;
        let kid = URL_SAFE_NO_PAD.encode(Sha256::digest(der.as_ref()));
        let public = public_key(der.as_ref())?;
        Some(Self { pair, kid, public })
    }

    /// The token with these claims.
    pub fn sign(&self, claims: &impl Serialize) -> Option<String> {
        let header = json!({"typ": "JWT", "alg": "RS256", "kid": self.kid});
        let encode = |json: Vec<u8>| URL_SAFE_NO_PAD.encode(json);
        let header = encode(serde_json::to_vec(&header).ok()?);
        let signed = format!("{header}.{}", encode(serde_json::to_vec(claims).ok()?));
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).ok()?;
        Some(format!("{signed}.{}", encode(signature)))
    }

    /// The set with which its tokens can be checked.
    pub fn keys(&self) -> Keys {
        Keys::one(&self.kid, self.public.clone())
    }

    /// The same as it is published.
    pub fn jwks(&self) -> Value {
        json!({"keys": [self.public.to_jwk(&self.kid)]})
    }
}

impl std::fmt::Debug for OwnKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OwnKey")
    }
}

/// The RSA key in a SubjectPublicKeyInfo.
fn public_key(der: &[u8]) -> Option<RsaKey> {
    let (_, info) = SubjectPublicKeyInfo::from_der(der).ok()?;
    match info.parsed().ok()? {
        PublicKey::RSA(key) => RsaKey::new(key.modulus, key.exponent).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Algorithm;

    #[test]
    fn what_it_publishes_verifies_what_it_signs() {
        let own = own_key().unwrap();
        let token = own.sign(&json!({"sub": "s"})).unwrap();
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        let published = Keys::parse(&own.jwks()).unwrap();
        let key = published.find(Some(&own.kid)).unwrap();
        assert!(key.verifies(Algorithm::Rs256, signed.as_bytes(), &signature));
        assert!(!key.verifies(Algorithm::Ps256, signed.as_bytes(), &signature));
        assert!(!key.verifies(Algorithm::Rs256, b"else", &signature));
    }
}
