//! Assertions: signed statements of who we are, for an application that trusts their issuer.

use std::fmt;

use async_trait::async_trait;
use avnm_terms::Fault;
use azure_core::http::ClientMethodOptions;
use azure_identity::ClientAssertion;
use secrecy::{ExposeSecret, SecretString};

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
