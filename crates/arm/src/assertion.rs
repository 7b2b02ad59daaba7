//! Assertions: signed statements of who we are, for an application that trusts their issuer.

use std::fmt;

use async_trait::async_trait;
use avnm_terms::{Assertion, Fault, text};
use azure_core::http::ClientMethodOptions;
use azure_identity::ClientAssertion;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

/// Longest claim of an assertion kept, in characters.
const CLAIM_MAX: usize = 300;

/// Gives an assertion for each sign-in. It is asked anew each time: what it gives ends within minutes or hours.
#[async_trait]
pub trait AssertionSource: Send + Sync {
    /// An assertion that is good now. A fault says what is missing, and who must act.
    async fn assertion(&self) -> Result<SecretString, Fault>;

    /// What the assertions speak for, such as a ServiceAccount with its UID: another identity is another material.
    fn identity(&self) -> String;
}

/// One assertion, as azure_identity wants it.
pub(crate) struct Fixed(pub(crate) SecretString);

impl fmt::Debug for Fixed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fixed")
    }
}

#[async_trait]
impl ClientAssertion for Fixed {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        Ok(self.0.expose_secret().to_owned())
    }
}

/// What an assertion says of itself; nothing where it cannot be read. Nothing is trusted because of it.
pub(crate) fn claims(assertion: &SecretString) -> Option<Assertion> {
    let claims = assertion.expose_secret().split('.').nth(1)?;
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
    let text = |claim: &str| Some(text::bounded(claims.get(claim)?.as_str()?, CLAIM_MAX));
    let audience = match claims.get("aud")? {
        Value::String(one) => one.clone(),
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
        _ => return None,
    };
    Some(Assertion {
        issuer: text("iss")?,
        subject: text("sub")?,
        audience: text::bounded(&audience, CLAIM_MAX),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed(claims: &str) -> SecretString {
        format!("{}.{}.signature", URL_SAFE_NO_PAD.encode("{}"), URL_SAFE_NO_PAD.encode(claims)).into()
    }

    #[test]
    fn an_assertion_tells_issuer_subject_and_audience() {
        let wanted = |audience: &str| {
            Some(Assertion { issuer: "https://i/".into(), subject: "s:a".into(), audience: audience.into() })
        };
        let of = |aud: &str| {
            claims(&signed(&format!(r#"{{"iss":"https://i/","sub":"s:a","aud":{aud},"jti":"x"}}"#)))
        };
        assert_eq!(of(r#""one""#), wanted("one"));
        assert_eq!(of(r#"["one","two"]"#), wanted("one, two"));
        assert_eq!(of("1"), None);
        for bad in ["", "a.b.c", "no token"] {
            assert_eq!(claims(&bad.to_owned().into()), None, "{bad}");
        }
        assert_eq!(claims(&signed(r#"{"iss":"i"}"#)), None);
    }
}
