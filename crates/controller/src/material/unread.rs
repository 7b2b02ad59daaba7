//! What it means for whoever signs in with it that a source could not be read.

use avnm_terms::{Fault, FaultKind, KubeFault, KubeFaultKind, SignInFault};

/// The source is not there, or not as it must be.
pub(super) fn missing(
    operation: &'static str,
    target: &str,
    code: &str,
    message: impl std::fmt::Display,
) -> Fault {
    let mut fault = Fault::local(operation, target, FaultKind::SignIn(SignInFault::SourceMissing), message);
    code.clone_into(&mut fault.code);
    fault
}

/// Where a source lies in Kubernetes could not be read: what that means for whoever signs in with it. What says nothing of the
/// source stays what it is.
pub(super) fn unread(fault: KubeFault) -> Fault {
    let kind = match fault.kind {
        KubeFaultKind::NotFound => FaultKind::SignIn(SignInFault::SourceMissing),
        KubeFaultKind::Forbidden => FaultKind::SignIn(SignInFault::SourceForbidden),
        KubeFaultKind::Invalid => FaultKind::Refused,
        KubeFaultKind::Conflict => FaultKind::Busy,
        KubeFaultKind::Throttled => FaultKind::Throttled,
        KubeFaultKind::Server | KubeFaultKind::Restless => FaultKind::Server,
        KubeFaultKind::Unanswered => FaultKind::Network,
        KubeFaultKind::NoLease => FaultKind::NoLease,
    };
    Fault { code: fault.reason, ..Fault::local(fault.operation, fault.target, kind, fault.message) }
}
