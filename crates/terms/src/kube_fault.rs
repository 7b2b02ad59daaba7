//! Why Kubernetes did not do what it was asked, as data. What Azure fails with is another type: other people heal it, in
//! other ways.

use std::fmt;

/// What kind of failure it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KubeFaultKind {
    /// 409: someone wrote the object since it was read.
    Conflict,
    /// 404: the object, or its kind, is not there.
    NotFound,
    /// 403: RBAC, an admission policy, or a namespace that ends.
    Forbidden,
    /// 400, 405, 410, 413, 422 and the like: it will not be taken as it is.
    Invalid,
    /// 429: the API server sheds load.
    Throttled,
    /// 5xx, or an answer that makes no sense.
    Server,
    /// The connection failed, no answer came in time, or the API server did not know us for a moment (401, 408).
    Unanswered,
    /// No call was made: the lease does not last long enough.
    NoLease,
    /// The pass itself did not come to rest. A defect of ours, tried again slowly.
    Restless,
}

impl KubeFaultKind {
    /// The word that status shows where the API server gave none.
    fn word(self) -> &'static str {
        match self {
            Self::Conflict => "Conflict",
            Self::NotFound => "NotFound",
            Self::Forbidden => "Forbidden",
            Self::Invalid => "Invalid",
            Self::Throttled => "TooManyRequests",
            Self::Server => "ServerError",
            // As where Azure does not answer.
            Self::Unanswered => "NoAnswer",
            Self::NoLease => "NoLease",
            Self::Restless => "Restless",
        }
    }
}

/// A failure of one operation on one object of Kubernetes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{operation} {target}: {reason}: {message}")]
pub struct KubeFault {
    /// What was tried: `write status`, `hold`, `read secret`.
    pub operation: &'static str,
    /// On what: `NAMESPACE/NAME`, or a name alone.
    pub target: String,
    /// What kind of failure it was.
    pub kind: KubeFaultKind,
    /// The API server's own word (`Forbidden`, `Invalid`), or a word of ours.
    pub reason: String,
    /// What the API server said, at most 1,024 characters, without control characters.
    pub message: String,
}

impl KubeFault {
    /// Longest message kept, in characters.
    pub const MESSAGE_MAX: usize = 1024;

    /// A failure without an answer of the API server.
    pub fn local(
        operation: &'static str,
        target: impl Into<String>,
        kind: KubeFaultKind,
        message: impl fmt::Display,
    ) -> Self {
        let message = crate::text::bounded(&message.to_string(), Self::MESSAGE_MAX);
        Self { operation, target: target.into(), kind, reason: kind.word().to_owned(), message }
    }

    /// Whether it says only that the call was not made or not answered now: asked again it may go through.
    pub fn is_passing(&self) -> bool {
        match self.kind {
            KubeFaultKind::Conflict
            | KubeFaultKind::Throttled
            | KubeFaultKind::Server
            | KubeFaultKind::Unanswered
            | KubeFaultKind::NoLease
            | KubeFaultKind::Restless => true,
            KubeFaultKind::NotFound | KubeFaultKind::Forbidden | KubeFaultKind::Invalid => false,
        }
    }

    /// Whether someone has to allow it before it goes through: the user is told.
    pub fn is_refusal(&self) -> bool {
        matches!(self.kind, KubeFaultKind::Forbidden | KubeFaultKind::Invalid)
    }

    /// Whether someone wrote the object since it was read: the next pass sees what it is now.
    pub fn is_conflict(&self) -> bool {
        self.kind == KubeFaultKind::Conflict
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_by_itself_is_no_refusal() {
        use KubeFaultKind::{
            Conflict, Forbidden, Invalid, NoLease, NotFound, Restless, Server, Throttled, Unanswered,
        };
        let of = |kind| {
            let fault = KubeFault::local("hold", "a/b", kind, "no");
            (fault.is_passing(), fault.is_refusal(), fault.is_conflict())
        };
        assert_eq!(of(Conflict), (true, false, true));
        for kind in [Throttled, Server, Unanswered, NoLease, Restless] {
            assert_eq!(of(kind), (true, false, false), "{kind:?}");
        }
        for kind in [Forbidden, Invalid] {
            assert_eq!(of(kind), (false, true, false), "{kind:?}");
        }
        assert_eq!(of(NotFound), (false, false, false));
    }

    #[test]
    fn a_failure_names_operation_target_and_reason() {
        let fault = KubeFault::local("read secret", "n/s", KubeFaultKind::Unanswered, "silence\n");
        assert_eq!(fault.to_string(), "read secret n/s: NoAnswer: silence ");
        let long = KubeFault::local("x", "y", KubeFaultKind::Server, "m".repeat(5_000));
        assert_eq!(long.message.chars().count(), KubeFault::MESSAGE_MAX + 1, "and an ellipsis");
    }
}
