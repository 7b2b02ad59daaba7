//! Access tokens: they look like Entra's and are signed with a key of this process.
//!
//! Entra signs with RSA. Clients must treat tokens as opaque, so an HMAC is enough here, and cheaper to check.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The claims that matter here, named as Entra's v1 tokens name them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// For whom: the resource.
    pub aud: String,
    /// By whom: the tenant.
    pub iss: String,
    /// Issued at, in seconds since 1970.
    pub iat: i64,
    /// Not before.
    pub nbf: i64,
    /// Good until.
    pub exp: i64,
    /// The client id.
    pub appid: String,
    /// How the application proved itself; 1 is a secret, 2 an assertion.
    pub appidacr: String,
    /// The issuer of the identity.
    pub idp: String,
    /// That no user is behind it.
    pub idtyp: String,
    /// The service principal's object id.
    pub oid: String,
    /// The same again.
    pub sub: String,
    /// The tenant.
    pub tid: String,
    /// Makes each token another one.
    pub uti: String,
    /// The version of this form.
    pub ver: String,
}

/// The issuer of a tenant's tokens.
pub fn issuer(tenant: &str) -> String {
    format!("https://sts.windows.net/{tenant}/")
}

/// Signs tokens and knows its own.
#[derive(Clone)]
pub struct Signer {
    key: [u8; BLOCK],
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signer")
    }
}

/// SHA-256's block, in bytes.
const BLOCK: usize = 64;

impl Signer {
    /// A signer with this key.
    pub fn new(key: [u8; 64]) -> Self {
        Self { key }
    }

    /// The token for these claims.
    pub fn sign(&self, claims: &Claims) -> String {
        let header = URL_SAFE_NO_PAD.encode(br#"{"typ":"JWT","alg":"HS256","kid":"emulator"}"#);
        let claims = URL_SAFE_NO_PAD.encode(serde_json::to_vec(claims).unwrap_or_default());
        let signed = format!("{header}.{claims}");
        let signature = URL_SAFE_NO_PAD.encode(self.hmac(signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    /// The claims of a token that this signer made; whether it is still good is for the caller to say.
    pub fn verify(&self, token: &str) -> Option<Claims> {
        let (signed, signature) = token.rsplit_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        if signature != self.hmac(signed.as_bytes()) {
            return None;
        }
        let (_, claims) = signed.split_once('.')?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
    }

    fn hmac(&self, message: &[u8]) -> [u8; 32] {
        let inner = Sha256::new().chain_update(self.key.map(|b| b ^ 0x36)).chain_update(message).finalize();
        Sha256::new().chain_update(self.key.map(|b| b ^ 0x5c)).chain_update(inner).finalize().into()
    }
}

/// The first digits of a secret's SHA-256: enough to tell secrets apart, too little to guess one.
pub fn fingerprint(secret: &str) -> String {
    let digest = Sha256::digest(secret.as_bytes());
    format!("{:08x}", u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims() -> Claims {
        Claims {
            aud: "https://management.azure.com".into(),
            iss: issuer("t"),
            iat: 1,
            nbf: 1,
            exp: 2,
            appid: "a".into(),
            appidacr: "1".into(),
            idp: issuer("t"),
            idtyp: "app".into(),
            oid: "o".into(),
            sub: "o".into(),
            tid: "t".into(),
            uti: "u".into(),
            ver: "1.0".into(),
        }
    }

    #[test]
    fn hmac_is_the_published_one() {
        // RFC 4231, test case 2: key "Jefe".
        let mut key = [0; 64];
        key[..4].copy_from_slice(b"Jefe");
        let mac = Signer::new(key).hmac(b"what do ya want for nothing?");
        assert_eq!(mac[..8], 0x5bdc_c146_bf60_754e_u64.to_be_bytes());
        assert_eq!(mac[24..], 0x9dec_58b9_64ec_3843_u64.to_be_bytes());
    }

    #[test]
    fn only_its_own_tokens_are_known() {
        let (mine, other) = (Signer::new([1; 64]), Signer::new([2; 64]));
        let token = mine.sign(&claims());
        assert_eq!(token.split('.').count(), 3);
        // By this the scenarios know one wherever it turns up.
        assert!(token.starts_with("eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiIsImtpZCI6ImVtdWxhdG9yIn0."));
        assert_eq!(mine.verify(&token), Some(claims()));
        assert_eq!(other.verify(&token), None);
        assert_eq!(mine.verify("a.b"), None);
        let (head, _) = token.rsplit_once('.').unwrap();
        assert_eq!(mine.verify(&format!("{head}.AAAA")), None);
    }
}
