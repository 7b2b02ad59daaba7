//! One call: what is done to what, and what its failures are named.

use std::fmt;

use avnm_terms::{ArmId, Fault, FaultKind};
use bytes::Bytes;
use reqwest::Method;
use url::Url;

use crate::{
    Credential, GateKey, GateScope, VerbClass, error,
    message::{Answer, NoAnswer},
};

/// What is done to the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Get,
    Put,
    Delete,
}

impl Verb {
    pub(crate) fn method(self) -> Method {
        match self {
            Self::Get => Method::GET,
            Self::Put => Method::PUT,
            Self::Delete => Method::DELETE,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }

    pub(crate) fn class(self) -> VerbClass {
        match self {
            Self::Get => VerbClass::Read,
            Self::Put => VerbClass::Write,
            Self::Delete => VerbClass::Delete,
        }
    }

    pub(crate) fn is_write(self) -> bool {
        self != Self::Get
    }
}

/// One call, before it is signed.
pub(crate) struct Call<'a> {
    pub(crate) operation: &'static str,
    pub(crate) verb: Verb,
    pub(crate) target: &'a ArmId,
    pub(crate) url: Url,
    pub(crate) credential: &'a Credential,
    /// Of the linked resource's tenant. Sent only if that is another one.
    pub(crate) auxiliary: Option<&'a Credential>,
    pub(crate) body: Option<Bytes>,
    /// It reads a whole collection.
    pub(crate) whole: bool,
    /// It was sent in other words a moment ago: what it takes of quotas is owed.
    pub(crate) again: bool,
}

impl Call<'_> {
    /// The gate that it goes through.
    pub(crate) fn gate(&self) -> GateKey {
        GateKey {
            tenant: self.credential.tenant.clone(),
            client: self.credential.client.clone(),
            scope: GateScope::of(self.target),
            verb: self.verb.class(),
        }
    }

    /// A failure without an answer of ARM.
    pub(crate) fn local(&self, kind: FaultKind, message: impl fmt::Display) -> Fault {
        Fault::local(self.operation, self.target.as_str(), kind, message)
    }

    /// An answer that is a success by its status, and useless.
    ///
    /// What a write with such an answer did is unknown.
    pub(crate) fn unusable(&self, answer: &Answer, message: impl fmt::Display) -> Fault {
        Fault {
            correlation_id: error::correlation_id(answer),
            effect_unknown: self.verb.is_write(),
            ..self.local(FaultKind::Malformed, message)
        }
    }

    /// No answer was read.
    pub(crate) fn unanswered(&self, why: &NoAnswer) -> Fault {
        let kind = match why {
            NoAnswer::TooLarge => FaultKind::Malformed,
            NoAnswer::Unconnected(_) | NoAnswer::Cut(_) | NoAnswer::TimedOut => FaultKind::Network,
        };
        Fault { effect_unknown: self.verb.is_write() && why.may_have_effect(), ..self.local(kind, why) }
    }
}
