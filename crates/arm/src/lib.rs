//! Azure Resource Manager over REST: the client, its tokens, its gates and its errors. Knows no Kubernetes.
//!
//! Reading order: [`Cloud`] says where Azure is, [`Transport`] carries bytes, [`Tokens`] signs in, [`Arm`] makes
//! calls. Every answer becomes a value of `avnm-terms`: what was read, or a `Fault` that says what went wrong.
//! Nothing on a call's way sleeps, and nothing is retried but a refused token and a cut connection, once each.

// A fault is a little above the lint's bound; boxing it would cost every reader of one, and errors are rare here.
#![allow(clippy::result_large_err)]

mod assertion;
mod call;
mod certificate;
mod client;
pub mod clock;
mod cloud;
mod credential;
pub mod decode;
mod entra;
mod envelope;
mod error;
mod gate;
mod governor;
mod guard;
#[cfg(feature = "in-process")]
pub mod in_process;
mod managed_identity;
mod message;
#[cfg(test)]
mod never_told;
mod observe;
mod page;
mod proxy;
mod resources;
mod retry_after;
mod send;
mod token;
mod transport;

pub use assertion::AssertionSource;
pub use certificate::{Certificate, CertificateError};
pub use client::Arm;
pub use cloud::{Cloud, CloudError};
pub use credential::{Credential, CredentialKey, Material};
pub use gate::{ClosedGate, GateKey, GateScope, VerbClass};
pub use governor::{Applicant, CountedBy, Quota, QuotaLeft, Quotas, Wake};
pub use guard::WriteGuard;
pub use managed_identity::{ManagedIdentity, ManagedIdentityId};
pub use observe::{CallRecord, Observer, SignInRecord};
pub use proxy::{Proxy, ProxyError};
pub use resources::{ManagerConnectionBody, MemberBody, ScopeConnectionBody};
pub use secrecy::SecretString;
pub use token::{TokenInfo, Tokens, TokensHeld};
pub use transport::{Transport, TransportError, TransportOptions};
