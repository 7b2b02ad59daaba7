//! What metrics and tests see of every call. No headers, no bodies, no secrets.

use std::time::Duration;

use avnm_terms::SignInFault;

use crate::{CredentialKey, VerbClass};

/// One request that was sent to ARM, or that got no answer.
#[derive(Debug, Clone)]
pub struct CallRecord<'a> {
    /// What was tried: `put staticMember`.
    pub operation: &'static str,
    /// The method: `GET`, `PUT`, `DELETE`.
    pub method: &'static str,
    /// Which of Azure's counts it is in.
    pub verb: VerbClass,
    /// The id that it was about. Not for metric labels.
    pub target: &'a str,
    /// Who signed it.
    pub credential: &'a CredentialKey,
    /// The status of the answer; `None` where none was read.
    pub status: Option<u16>,
    /// Azure's error code, if it refused.
    pub code: Option<&'a str>,
    /// From sending to the last byte of the answer.
    pub elapsed: Duration,
    /// `x-ms-correlation-request-id`.
    pub correlation_id: Option<&'a str>,
    /// Whether a second token was sent along.
    pub auxiliary: bool,
}

/// One sign-in at Entra.
#[derive(Debug, Clone)]
pub struct SignInRecord<'a> {
    /// Whose material was used.
    pub credential: &'a CredentialKey,
    /// The tenant that was signed in to.
    pub tenant: &'a str,
    /// Entra's error code (`AADSTS7000215`), if there was no token.
    pub code: Option<&'a str>,
    /// Why there was none.
    pub cause: Option<SignInFault>,
    /// How long it took.
    pub elapsed: Duration,
}

/// Sees every call. It must return at once: it runs on the path of the call.
pub trait Observer: Send + Sync {
    /// A call to ARM ended.
    fn call(&self, record: &CallRecord<'_>);
    /// A sign-in ended.
    fn sign_in(&self, _record: &SignInRecord<'_>) {}
    /// A gate was closed for that long.
    fn gate_closed(&self, _key: &crate::GateKey, _wait: Duration) {}
    /// So many writes wait for their turn now.
    fn waiting(&self, _count: usize) {}
}

/// Sees nothing.
pub(crate) struct Blind;

impl Observer for Blind {
    fn call(&self, _record: &CallRecord<'_>) {}
}
