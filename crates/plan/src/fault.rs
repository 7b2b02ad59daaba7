//! From a fault to a finding: which reason, who must act, what to do next.

mod advice;
mod place;

use avnm_terms::{Actor, ArmId, Fault, FaultKind, SignInFault};

pub use advice::{CERTIFICATE_UNUSABLE, SECRET_NOT_FOUND, advice};
pub use place::{Before, Place};

use crate::{
    aadsts,
    finding::{Failure, Finding, said},
    reason::{Companion, Reason, TRANSFER},
    side::Resource,
};

/// Longest part of Azure's message that is told, in characters.
const SAID_MAX: usize = 800;

/// What the 404 of a parent means.
fn parent_missing(resource: Resource) -> Reason {
    match resource {
        Resource::ScopeConnection => Reason::ManagerNotFound,
        Resource::ManagerConnection | Resource::Network => Reason::TargetMissing,
        Resource::Member => Reason::GroupNotFound,
    }
}

/// Who can do something about a fault.
pub fn actor(fault: &Fault, at: impl Into<Place>) -> Actor {
    let side = at.into().side;
    match fault.kind {
        FaultKind::SignIn(SignInFault::SourceMissing | SignInFault::SourceForbidden)
        | FaultKind::SourceGone
        | FaultKind::WrongTenant
        | FaultKind::VersionNotOffered
        | FaultKind::UnprovenNotFound => Actor::ClusterOperator,
        FaultKind::NotProvisioned if lies_on(fault) => side.admin(),
        FaultKind::SignIn(SignInFault::Refused) => aadsts::actor(&fault.code, side),
        // An auxiliary token that Azure does not take: the target tenant's consent or a wrong credential.
        FaultKind::NotProvisioned | FaultKind::LinkedTenantDenied | FaultKind::LinkedPermissionDenied => {
            Actor::TargetTenantAdmin
        }
        FaultKind::Unauthenticated
        | FaultKind::PermissionDenied
        | FaultKind::Locked
        | FaultKind::Refused
        | FaultKind::NotFound => side.admin(),
        FaultKind::SignIn(SignInFault::Propagating | SignInFault::Unreachable)
        | FaultKind::Throttled
        | FaultKind::Busy
        | FaultKind::Server
        | FaultKind::Unavailable
        | FaultKind::Network
        | FaultKind::Malformed
        | FaultKind::GateClosed
        | FaultKind::NoLease => Actor::Azure,
    }
}

/// The reason that a fault gives.
pub fn reason(fault: &Fault, resource: Resource) -> Reason {
    match fault.kind {
        FaultKind::SignIn(_) | FaultKind::SourceGone => Reason::CredentialNotReady,
        FaultKind::WrongTenant => Reason::TenantMismatch,
        FaultKind::Unauthenticated
        | FaultKind::PermissionDenied
        | FaultKind::LinkedTenantDenied
        | FaultKind::LinkedPermissionDenied => Reason::PermissionDenied,
        FaultKind::NotFound => parent_missing(resource),
        FaultKind::UnprovenNotFound if fault.code == "SubscriptionNotFound" => parent_missing(resource),
        FaultKind::UnprovenNotFound
        | FaultKind::VersionNotOffered
        | FaultKind::NotProvisioned
        | FaultKind::Refused
        | FaultKind::Locked => Reason::AzureRefused,
        FaultKind::Throttled
        | FaultKind::Busy
        | FaultKind::Server
        | FaultKind::Unavailable
        | FaultKind::Network
        | FaultKind::Malformed
        | FaultKind::GateClosed
        | FaultKind::NoLease => Reason::ProgressingWithRetry,
    }
}

/// Refusals of who asks, or from where, and not of what is asked for.
const OF_THE_SURROUNDINGS: [&str; 6] = [
    "RequestDisallowedByPolicy",
    "MissingSubscriptionRegistration",
    "SubscriptionNotRegistered",
    "InvalidSubscriptionRegistrationState",
    "ReadOnlyDisabledSubscription",
    "NoRegisteredProviderFound",
];

/// Whether Azure refused what was sent for what it says: the same will be refused again, whatever else changes.
pub(crate) fn is_of_the_body(fault: &Fault) -> bool {
    let elsewhere = OF_THE_SURROUNDINGS.iter().any(|code| fault.code.eq_ignore_ascii_case(code));
    fault.kind == FaultKind::Refused && !elsewhere && fault.details().policies.is_empty()
}

/// Whether what is in Failed state is what the target of the call lies on, and not what it links to.
fn lies_on(fault: &Fault) -> bool {
    let target = ArmId::parse(&fault.target);
    fault.details().scope.as_ref().is_some_and(|scope| target.is_ok_and(|target| target.is_under(scope)))
}

/// What a fault says to a user, in one sentence each: what failed, what Azure said, what to do.
pub fn message(fault: &Fault, at: impl Into<Place>) -> String {
    let at = at.into();
    let said = said(fault, SAID_MAX);
    let said = said.trim_end_matches(['.', ' ']);
    let colon = if said.is_empty() { "" } else { ": " };
    format!(
        "cannot {} {}: {}{colon}{said}. Next: {} ({})",
        fault.operation,
        fault.target,
        fault.code,
        advice(fault, at),
        actor(fault, at)
    )
}

/// The finding that a fault gives.
pub fn finding(fault: &Fault, at: impl Into<Place>, resource: Resource) -> Finding {
    let at = at.into();
    // A subscription that moves is no fault of the spec before the move is known everywhere.
    let moves = fault.kind == FaultKind::WrongTenant && at.before != Before::Never;
    Finding {
        reason: reason(fault, resource),
        message: message(fault, at),
        failure: Some(Failure::of(fault, actor(fault, at))),
        unread: true,
        companion: moves.then_some(Companion::StalledAfter(TRANSFER)),
    }
}

/// Whether Azure refused the caller: nothing that it may not even read would be claimed by it. A subscription that is
/// not found is one that the caller does not see.
fn denies(fault: &Fault) -> bool {
    let unseen = fault.kind == FaultKind::UnprovenNotFound && fault.code == "SubscriptionNotFound";
    let refused = [FaultKind::PermissionDenied, FaultKind::Unauthenticated, FaultKind::WrongTenant];
    unseen || refused.contains(&fault.kind)
}

/// Whether all that was asked was refused to the caller; `None` if nothing was asked, or what was answered does not tell:
/// then what the last look said stands. Who is refused must not come into play again by not looking for a while; who may
/// read any part would claim that part.
pub(crate) fn denied(asked: &[Option<&Fault>]) -> Option<bool> {
    if asked.iter().any(Option::is_none) {
        return Some(false);
    }
    (!asked.is_empty() && asked.iter().flatten().all(|fault| denies(fault))).then_some(true)
}

/// Whether the fault stops a deletion until someone acts, as against passing by itself.
pub fn blocks_deletion(fault: &Fault) -> bool {
    !fault.is_passing()
}

#[cfg(test)]
mod tests;
