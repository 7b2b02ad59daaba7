//! Why something could not be read or done, as data.

use std::{fmt, sync::LazyLock, time::Duration};

use jiff::Timestamp;

use crate::Details;

/// Who can do something about it. A word of status: never renamed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Actor {
    /// Whoever runs the operator and writes the custom resources.
    ClusterOperator,
    /// An administrator of the tenant that holds the network manager.
    ManagerTenantAdmin,
    /// An administrator of the tenant that is managed.
    TargetTenantAdmin,
    /// Azure itself: waiting is all one can do.
    Azure,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ClusterOperator => "ClusterOperator",
            Self::ManagerTenantAdmin => "ManagerTenantAdmin",
            Self::TargetTenantAdmin => "TargetTenantAdmin",
            Self::Azure => "Azure",
        })
    }
}

/// Why a token could not be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SignInFault {
    /// The Secret, or its key, is not there.
    SourceMissing,
    /// The operator may not read the Secret.
    SourceForbidden,
    /// Entra refused: wrong secret, application not in the tenant, consent missing.
    Refused,
    /// Entra does not know it yet, and may soon.
    Propagating,
    /// Entra could not be reached, or answered that it is busy.
    Unreachable,
}

/// What kind of failure it was. It says whether time heals it, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// No token could be had.
    SignIn(SignInFault),
    /// 401 with a fresh token.
    Unauthenticated,
    /// 401: the token is of another tenant than the subscription. A fault of the spec, not of the token.
    WrongTenant,
    /// 403: the principal lacks the action on the URL.
    PermissionDenied,
    /// 403: the auxiliary token is missing or of another tenant than the linked resource.
    LinkedTenantDenied,
    /// 403: the principal lacks the action on the linked resource.
    LinkedPermissionDenied,
    /// 404 in parsed JSON with a code that proves that the resource, or what holds it, is not there.
    NotFound,
    /// Any other 404: it proves nothing.
    UnprovenNotFound,
    /// 400, policy, unregistered provider: Azure will not take it as it is.
    Refused,
    /// The api-version of the call is not offered there.
    VersionNotOffered,
    /// What it links to is in Failed state: it has to be repaired first.
    NotProvisioned,
    /// A lock forbids it.
    Locked,
    /// Quota is used up: the gate of this principal, scope and verb is closed.
    Throttled,
    /// Another operation is in progress, or Azure asks to try again: this resource alone.
    Busy,
    /// 5xx.
    Server,
    /// 503 with Retry-After: closes the gate as quota does.
    Unavailable,
    /// The connection failed or was cut, or no answer came in time.
    Network,
    /// The answer was not what this type answers: no JSON, a redirect, too large, fields missing.
    Malformed,
    /// No call was made: the gate is closed by an earlier answer.
    GateClosed,
    /// No call was made: the lease does not last long enough.
    NoLease,
    /// No call was made: this credential may not be used for it now.
    SourceGone,
}

/// A failure of one operation on one thing. What Azure said is bounded and cleaned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{operation} {target}: {code}: {message}")]
pub struct Fault {
    /// What was tried: `list scopeConnections`, `put staticMember`, `sign in`.
    pub operation: &'static str,
    /// On what: an ARM id, or a tenant and application.
    pub target: String,
    /// What kind of failure it was.
    pub kind: FaultKind,
    /// Azure's own code (the inner one where the outer is generic), or `HTTP503`, or a word of ours.
    pub code: String,
    /// Azure's message, at most 1,024 characters, without control characters.
    pub message: String,
    /// `x-ms-correlation-request-id`, or Entra's correlation id.
    pub correlation_id: Option<String>,
    /// How long Azure asked to wait.
    pub retry_after: Option<Duration>,
    /// Whether the effect of a write may still come: no answer was read.
    pub effect_unknown: bool,
    /// When what should have proved us expired, where that is known. Apart from the message, out of which times are taken
    /// before it is shown: they would make every retry look new.
    pub expired: Option<Timestamp>,
    /// What else is known of it.
    pub details: Option<Box<Details>>,
}

impl Fault {
    /// Longest message kept, in characters.
    pub const MESSAGE_MAX: usize = 1024;

    /// A failure without an answer of Azure.
    pub fn local(
        operation: &'static str,
        target: impl Into<String>,
        kind: FaultKind,
        message: impl fmt::Display,
    ) -> Self {
        let code = match &kind {
            FaultKind::SignIn(_) => "SignIn",
            FaultKind::Network => "NoAnswer",
            FaultKind::Malformed => "Malformed",
            FaultKind::GateClosed => "GateClosed",
            FaultKind::NoLease => "NoLease",
            FaultKind::SourceGone => "SourceGone",
            _ => "Local",
        };
        Self {
            operation,
            target: target.into(),
            kind,
            code: code.to_owned(),
            message: crate::text::bounded(&message.to_string(), Self::MESSAGE_MAX),
            correlation_id: None,
            retry_after: None,
            effect_unknown: false,
            expired: None,
            details: None,
        }
    }

    /// What else is known of it; nothing where nothing is.
    pub fn details(&self) -> &Details {
        static NOTHING: LazyLock<Details> = LazyLock::new(Details::default);
        self.details.as_deref().unwrap_or(&NOTHING)
    }

    /// The same, with what else is known of it.
    #[must_use]
    pub fn with_details(self, details: Details) -> Self {
        let details = (details != Details::default()).then(|| Box::new(details));
        Self { details, ..self }
    }

    /// Whether waiting alone may heal it. What does not is still read again, slowly: Azure's errors are never final.
    pub fn heals_by_itself(&self) -> bool {
        matches!(
            self.kind,
            FaultKind::Throttled
                | FaultKind::Busy
                | FaultKind::Server
                | FaultKind::Unavailable
                | FaultKind::Network
                | FaultKind::Malformed
                | FaultKind::GateClosed
                | FaultKind::NoLease
                | FaultKind::SignIn(SignInFault::Unreachable | SignInFault::Propagating)
        )
    }

    /// Whether the failure says nothing about the resource, only that the call was not made or not answered now.
    pub fn is_passing(&self) -> bool {
        self.heals_by_itself() && !matches!(self.kind, FaultKind::SignIn(_))
    }
}
