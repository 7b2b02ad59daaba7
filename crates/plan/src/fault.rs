//! From a fault to a finding: which reason, who must act, what to do next.

use avnm_terms::{Actor, Fault, FaultKind, SignInFault};

use crate::{
    aadsts,
    finding::{Failure, Finding, said},
    reason::Reason,
    side::{Resource, Side},
};

/// The code of a fault that says that a Secret, or a key of it, is missing.
pub const SECRET_NOT_FOUND: &str = "SecretNotFound";

/// What the 404 of a parent means.
fn parent_missing(resource: Resource) -> Reason {
    match resource {
        Resource::ScopeConnection => Reason::ManagerNotFound,
        Resource::ManagerConnection | Resource::Network => Reason::TargetMissing,
        Resource::Member => Reason::GroupNotFound,
    }
}

/// Who can do something about a fault.
pub fn actor(fault: &Fault, side: Side) -> Actor {
    match fault.kind {
        FaultKind::SignIn(SignInFault::SourceMissing | SignInFault::SourceForbidden)
        | FaultKind::SourceGone
        | FaultKind::WrongTenant
        | FaultKind::UnprovenNotFound => Actor::ClusterOperator,
        FaultKind::SignIn(SignInFault::Refused) => aadsts::actor(&fault.code, side),
        // An auxiliary token that Azure does not take: the target tenant's consent or a wrong credential.
        FaultKind::LinkedTenantDenied | FaultKind::LinkedPermissionDenied => Actor::TargetTenantAdmin,
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
        FaultKind::UnprovenNotFound | FaultKind::Refused | FaultKind::Locked => Reason::AzureRefused,
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

/// What the one who must act should do.
pub fn advice(fault: &Fault, side: Side) -> String {
    let tenant = side.tenant_words();
    match fault.kind {
        FaultKind::SignIn(SignInFault::SourceMissing) if fault.code == SECRET_NOT_FOUND => {
            "create the Secret that the credential names, with that key".to_owned()
        }
        FaultKind::SignIn(SignInFault::SourceMissing) => {
            "make what the credential signs in with available to the operator".to_owned()
        }
        FaultKind::SignIn(SignInFault::SourceForbidden) => {
            "apply that Role and RoleBinding in that namespace".to_owned()
        }
        FaultKind::SignIn(SignInFault::Refused) => match aadsts::advice(&fault.code) {
            Some(next) => next.to_owned(),
            None => format!("an administrator of {tenant} must allow the application to sign in"),
        },
        FaultKind::SignIn(SignInFault::Propagating) => "Entra may take some minutes to know it".to_owned(),
        FaultKind::SignIn(SignInFault::Unreachable) => "Entra is asked again within a minute, or as soon as it allows".to_owned(),
        FaultKind::SourceGone => "restore the credential and its Secret, or set deletionPolicy: Orphan".to_owned(),
        FaultKind::WrongTenant => {
            "use a credential of the tenant that owns this subscription".to_owned()
        }
        FaultKind::Unauthenticated => format!("Azure does not take the token; check the application in {tenant}"),
        FaultKind::PermissionDenied => {
            format!("an administrator of {tenant} must assign the application a role with this action; a new role takes up to 10 minutes")
        }
        FaultKind::LinkedTenantDenied => {
            "the request needs a token of the network's tenant: check resourceCredentialRef or the connection's networkManagerConnection.credentialRef".to_owned()
        }
        FaultKind::LinkedPermissionDenied => {
            "an administrator of the network's tenant must assign the application a role with Microsoft.Network/virtualNetworks/write on the network".to_owned()
        }
        FaultKind::NotFound => "create it in Azure, or correct the id".to_owned(),
        FaultKind::UnprovenNotFound => {
            "nothing is concluded from this answer; check the id, the subscription's visibility and the api-version".to_owned()
        }
        FaultKind::Refused => "see Azure's message; it is tried again slowly".to_owned(),
        FaultKind::Locked => "remove the lock, or set deletionPolicy: Orphan to leave it in Azure".to_owned(),
        FaultKind::NoLease => "another replica takes over".to_owned(),
        FaultKind::Throttled
        | FaultKind::Busy
        | FaultKind::Server
        | FaultKind::Unavailable
        | FaultKind::Network
        | FaultKind::Malformed
        | FaultKind::GateClosed => "it is retried".to_owned(),
    }
}

/// What a fault says to a user, in one sentence each: what failed, what Azure said, what to do.
pub fn message(fault: &Fault, side: Side) -> String {
    let said = said(fault, 400);
    let said = said.trim_end_matches(['.', ' ']);
    let colon = if said.is_empty() { "" } else { ": " };
    format!(
        "cannot {} {}: {}{colon}{said}. Next: {} ({})",
        fault.operation,
        fault.target,
        fault.code,
        advice(fault, side),
        actor(fault, side)
    )
}

/// The finding that a fault gives.
pub fn finding(fault: &Fault, side: Side, resource: Resource) -> Finding {
    Finding {
        reason: reason(fault, resource),
        message: message(fault, side),
        failure: Some(Failure::of(fault, actor(fault, side))),
        unread: true,
        companion: None,
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
mod tests {
    use super::*;

    fn fault(kind: FaultKind, code: &str) -> Fault {
        Fault { code: code.to_owned(), ..Fault::local("put scopeConnection", "/x/y", kind, "said") }
    }

    #[test]
    fn when_it_expired_is_said_although_times_are_taken_out() {
        let expired = Some("2021-02-03T04:05:06Z".parse().unwrap());
        let of = |message: &str| Fault {
            expired,
            code: "AADSTS1000502".into(),
            ..Fault::local("sign in", "x", FaultKind::SignIn(SignInFault::Refused), message)
        };
        let shown = message(&of("the certificate has expired"), Side::Target);
        assert!(shown.contains(": the certificate has expired at 2021-02-03 04:05Z. Next: "), "{shown}");
        assert_eq!(said(&of("it was 2020-01-01 "), 100), "it was … at 2021-02-03 04:05Z");
    }

    #[test]
    fn who_may_not_read_stays_out_until_a_look_is_answered() {
        let denied = |kind, code: &str| super::denied(&[Some(&fault(kind, code))]);
        for (kind, code) in [
            (FaultKind::PermissionDenied, "AuthorizationFailed"),
            (FaultKind::Unauthenticated, "InvalidAuthenticationToken"),
            (FaultKind::WrongTenant, "InvalidAuthenticationTokenTenant"),
            (FaultKind::UnprovenNotFound, "SubscriptionNotFound"),
        ] {
            assert_eq!(denied(kind.clone(), code), Some(true), "{code}");
            let other = fault(kind, code);
            assert_eq!(
                super::denied(&[None, Some(&other)]),
                Some(false),
                "it would claim the half that it may read"
            );
        }
        // Neither of these says anything about rights.
        for (kind, code) in [
            (FaultKind::UnprovenNotFound, "InvalidResourceType"),
            (FaultKind::Throttled, "TooManyRequests"),
            (FaultKind::NotFound, "ResourceNotFound"),
        ] {
            assert_eq!(denied(kind, code), None, "{code}");
        }
        assert_eq!(super::denied(&[]), None, "suspended, or refused before any call");
        assert_eq!(super::denied(&[None, None]), Some(false));
    }

    #[test]
    fn every_message_says_what_who_and_next() {
        let kinds = [
            FaultKind::SignIn(SignInFault::Refused),
            FaultKind::PermissionDenied,
            FaultKind::LinkedTenantDenied,
            FaultKind::LinkedPermissionDenied,
            FaultKind::NotFound,
            FaultKind::UnprovenNotFound,
            FaultKind::Locked,
            FaultKind::Refused,
            FaultKind::Server,
        ];
        for kind in kinds {
            let fault = fault(kind.clone(), "SomeCode");
            let text = message(&fault, Side::Target);
            assert!(
                text.contains("SomeCode") && text.contains("Next: ") && text.ends_with(')'),
                "{kind:?}: {text}"
            );
        }
    }

    #[test]
    fn unproven_404_is_never_absence() {
        assert_eq!(
            reason(&fault(FaultKind::UnprovenNotFound, "InvalidResourceType"), Resource::Member),
            Reason::AzureRefused
        );
        assert_eq!(
            reason(&fault(FaultKind::UnprovenNotFound, "SubscriptionNotFound"), Resource::ManagerConnection),
            Reason::TargetMissing
        );
    }
}
