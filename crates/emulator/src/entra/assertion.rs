//! Client assertions: how an application proves itself with a signed token in place of a secret.
//!
//! Whose token it is decides what is checked: one that the application issued about itself is signed with one of its
//! certificates ([`super::certificates`]); any other comes from an issuer that it trusts ([`super::federation`]).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::evidence::{Evidence, documents};
use crate::keys::{Algorithm, RsaKey};
use crate::ledger::Proof;
use crate::world::view::seven_digits;

/// What this is built on.
pub const EVIDENCE: &[Evidence] = &[
    Evidence::specification(
        "client_assertion_type and client_assertion in place of client_secret (second and third case)",
        &documents::CLIENT_CREDENTIALS,
    ),
    Evidence::report(
        "50027 (invalid_request) for what is no JWT, or has several audiences",
        "panva/openid-client#348",
    ),
    Evidence::report(
        "5002730 (invalid_request) for a signature by another algorithm",
        "AzureAD/microsoft-authentication-library-for-dotnet#4712",
    ),
    Evidence::report(
        "700024 before nbf or after exp, and its text",
        "AzureAD/microsoft-authentication-library-for-dotnet#4951",
    ),
    Evidence::assumed(
        "700024 is 401 and invalid_client; exp is taken to the second, nbf may lie five minutes ahead",
        "assertions whose times are off by a little",
    ),
    Evidence::assumed(
        "an assertion whose iss or sub is the client id is the application's own, any other is an issuer's",
        "assertions with the client id in one of the two, and a federated subject that is the client id",
    ),
    Evidence::assumed(
        "a missing client_assertion_type is 900144, an unknown one 9002313; a secret beside the assertion wins",
        "token requests with each of them",
    ),
];

/// The only type that is known.
pub const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How far ahead the caller's clock may be.
const AHEAD: SignedDuration = SignedDuration::from_mins(5);

/// Why Entra does not take a proof, in its terms.
#[derive(Debug, PartialEq, Eq)]
pub struct Refused {
    /// The HTTP status.
    pub status: u16,
    /// OAuth's word.
    pub error: &'static str,
    /// The AADSTS number.
    pub code: u32,
    /// The text after it.
    pub text: String,
}

impl Refused {
    /// The caller has not proved itself.
    pub fn client(code: u32, text: impl Into<String>) -> Self {
        Self { status: 401, error: "invalid_client", code, text: text.into() }
    }

    /// The request cannot be worked on.
    pub fn request(code: u32, text: impl Into<String>) -> Self {
        Self { status: 400, error: "invalid_request", code, text: text.into() }
    }
}

/// The parts of a token's header that say how it was signed.
#[derive(Debug, Deserialize)]
pub struct Header {
    /// The algorithm.
    pub alg: String,
    /// The key's id in its issuer's set.
    pub kid: Option<String>,
    /// The certificate's SHA-1, base64url.
    pub x5t: Option<String>,
    /// The certificate's SHA-256, base64url.
    #[serde(rename = "x5t#S256")]
    pub x5t_s256: Option<String>,
}

/// For whom a token is: one, or a list.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Audience {
    /// One.
    One(String),
    /// A list.
    Many(Vec<String>),
}

impl Audience {
    /// The one audience. A list is one only with exactly one item.
    pub fn only(&self) -> Option<&str> {
        match self {
            Self::One(one) => Some(one),
            Self::Many(list) => match list.as_slice() {
                [one] => Some(one),
                _ => None,
            },
        }
    }
}

/// The claims that are looked at.
#[derive(Debug, Deserialize)]
pub struct Claims {
    /// Who says it.
    pub iss: String,
    /// Of whom.
    pub sub: String,
    /// To whom.
    pub aud: Audience,
    /// From when on, in seconds since 1970.
    pub nbf: Option<f64>,
    /// Until when.
    pub exp: f64,
}

/// A token in its parts, not yet believed.
#[derive(Debug)]
pub struct Assertion<'a> {
    /// How it was signed.
    pub header: Header,
    /// What it says.
    pub claims: Claims,
    signed: &'a str,
    signature: Vec<u8>,
}

impl Proof {
    /// Whose word an assertion is: the application's own or an issuer's.
    pub(super) fn of(claims: &Claims, client_id: &str) -> Self {
        let own = [&claims.iss, &claims.sub].into_iter().any(|it| it.eq_ignore_ascii_case(client_id));
        if own { Self::Certificate } else { Self::Federated }
    }
}

impl<'a> Assertion<'a> {
    /// Takes a token apart.
    pub fn parse(token: &'a str) -> Result<Self, Refused> {
        Self::parts(token).ok_or_else(|| Refused::request(50_027, "JWT token is invalid or malformed."))
    }

    fn parts(token: &'a str) -> Option<Self> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let bytes = |part: &str| URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok();
        Some(Self {
            header: serde_json::from_slice(&bytes(header)?).ok()?,
            claims: serde_json::from_slice(&bytes(claims)?).ok()?,
            signed,
            signature: bytes(signature)?,
        })
    }

    /// Which of these algorithms it was signed with.
    pub fn algorithm(&self, known: &[Algorithm]) -> Result<Algorithm, Refused> {
        let algorithm = Algorithm::named(&self.header.alg).filter(|it| known.contains(it));
        algorithm.ok_or_else(|| {
            Refused::request(5_002_730, "Invalid JWT token. Unsupported key for the signing algorithm.")
        })
    }

    /// Whether the holder of this key signed it.
    pub fn is_signed_by(&self, key: &RsaKey, algorithm: Algorithm) -> bool {
        key.verifies(algorithm, self.signed.as_bytes(), &self.signature)
    }

    /// Whether it is good now.
    pub fn check_time(&self, now: Timestamp) -> Result<(), Refused> {
        let at = |seconds: f64| {
            let since = SignedDuration::try_from_secs_f64(seconds).ok();
            since.and_then(|it| Timestamp::UNIX_EPOCH.checked_add(it).ok()).unwrap_or(Timestamp::MAX)
        };
        let (from, until) = (self.claims.nbf.map_or(Timestamp::UNIX_EPOCH, at), at(self.claims.exp));
        let latest = now.saturating_add(AHEAD).unwrap_or(Timestamp::MAX);
        if from <= latest && now < until {
            return Ok(());
        }
        let text = format!(
            "Client assertion is not within its valid time range. Current time: {}, assertion valid from {}, \
             expiry time of assertion {}. Review the documentation at \
             https://learn.microsoft.com/entra/identity-platform/certificate-credentials .",
            seven_digits(now),
            seven_digits(from),
            seven_digits(until)
        );
        Err(Refused::client(700_024, text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn token(claims: &serde_json::Value) -> String {
        let part = |json: &serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
        format!("{}.{}.AAAA", part(&json!({"alg": "RS256"})), part(claims))
    }

    #[test]
    fn what_is_no_token_is_malformed() {
        for text in ["", "a", "a.b.c", "e30.e30.e30", &token(&json!({"iss": "i", "sub": "s", "aud": "a"}))] {
            assert_eq!(Assertion::parse(text).unwrap_err().code, 50_027, "{text}");
        }
    }

    #[test]
    fn times_are_taken_to_the_second() {
        let text = token(&json!({"iss": "i", "sub": "s", "aud": ["a"], "nbf": 1000, "exp": 2000.5}));
        let it = Assertion::parse(&text).unwrap();
        let good = |second| it.check_time(Timestamp::from_second(second).unwrap()).is_ok();
        assert_eq!([699, 700, 2000, 2001].map(good), [false, true, true, false]);
        assert_eq!(it.claims.aud.only(), Some("a"));
        assert_eq!(
            (Proof::of(&it.claims, "S"), Proof::of(&it.claims, "x")),
            (Proof::Certificate, Proof::Federated)
        );
    }
}
