//! Every kind of failure: whether time heals it, which reason it gives, who must act, and what to do.

use avnm_terms::{Fault, FaultKind, SignInFault};

use super::markdown::table;
use avnm_plan::{
    aadsts,
    fault::{CERTIFICATE_UNUSABLE, SECRET_NOT_FOUND, actor, advice, blocks_deletion, reason},
    side::{Resource, Side},
};

pub(super) const INTRODUCTION: &str = "\
A failure is data: it says whether waiting heals it, which reason the object gets, and who must do what. Where the \
reason or the actor depends on what was called for or in which tenant, all are given: *manager* is the network \
manager's tenant, *target* the other one. Codes stand only where one of them makes a difference.";

/// Every kind, with each code that makes a difference. A new kind does not compile until it is here: see [`place`].
fn kinds() -> Vec<(FaultKind, &'static str)> {
    use SignInFault::{Propagating, Refused, SourceForbidden, SourceMissing, Unreachable};
    let mut all: Vec<(FaultKind, &'static str)> = [
        FaultKind::SignIn(SourceMissing),
        FaultKind::SignIn(SourceForbidden),
        FaultKind::SignIn(Propagating),
        FaultKind::SignIn(Unreachable),
        FaultKind::SignIn(Refused),
        FaultKind::Unauthenticated,
        FaultKind::WrongTenant,
        FaultKind::PermissionDenied,
        FaultKind::LinkedTenantDenied,
        FaultKind::LinkedPermissionDenied,
        FaultKind::NotFound,
        FaultKind::UnprovenNotFound,
        FaultKind::VersionNotOffered,
        FaultKind::NotProvisioned,
        FaultKind::Refused,
        FaultKind::Locked,
        FaultKind::Throttled,
        FaultKind::Busy,
        FaultKind::Server,
        FaultKind::Unavailable,
        FaultKind::Network,
        FaultKind::Malformed,
        FaultKind::GateClosed,
        FaultKind::NoLease,
        FaultKind::SourceGone,
    ]
    .map(|kind| (kind, ""))
    .into();
    all.extend(aadsts::codes().map(|code| (FaultKind::SignIn(Refused), code)));
    all.push((FaultKind::SignIn(SourceMissing), SECRET_NOT_FOUND));
    all.push((FaultKind::SignIn(SourceMissing), CERTIFICATE_UNUSABLE));
    all.push((FaultKind::UnprovenNotFound, "SubscriptionNotFound"));
    all.sort_by_key(|(kind, _)| place(kind));
    all
}

/// Where a kind stands in the table.
fn place(kind: &FaultKind) -> usize {
    match kind {
        FaultKind::SignIn(SignInFault::SourceMissing) => 0,
        FaultKind::SignIn(SignInFault::SourceForbidden) => 1,
        FaultKind::SignIn(SignInFault::Refused) => 2,
        FaultKind::SignIn(SignInFault::Propagating) => 3,
        FaultKind::SignIn(SignInFault::Unreachable) => 4,
        FaultKind::SourceGone => 5,
        FaultKind::Unauthenticated => 6,
        FaultKind::WrongTenant => 7,
        FaultKind::PermissionDenied => 8,
        FaultKind::LinkedTenantDenied => 9,
        FaultKind::LinkedPermissionDenied => 10,
        FaultKind::NotFound => 11,
        FaultKind::UnprovenNotFound => 12,
        FaultKind::VersionNotOffered => 13,
        FaultKind::NotProvisioned => 14,
        FaultKind::Refused => 15,
        FaultKind::Locked => 16,
        FaultKind::Throttled => 17,
        FaultKind::Busy => 18,
        FaultKind::Unavailable => 19,
        FaultKind::Server => 20,
        FaultKind::Network => 21,
        FaultKind::Malformed => 22,
        FaultKind::GateClosed => 23,
        FaultKind::NoLease => 24,
    }
}

fn each<T: PartialEq + ToString>(values: &[(&str, T)]) -> String {
    let Some((_, first)) = values.first() else { return String::new() };
    if values.iter().all(|(_, value)| value == first) {
        return first.to_string();
    }
    values.iter().map(|(name, value)| format!("{name}: {}", value.to_string())).collect::<Vec<_>>().join("; ")
}

pub(super) fn body() -> String {
    let yes = |is: bool| if is { "yes" } else { "no" }.to_owned();
    let rows = kinds().into_iter().map(|(kind, code)| {
        let mut fault = Fault::local("call", "/id", kind.clone(), "");
        if !code.is_empty() {
            code.clone_into(&mut fault.code);
        }
        let things = [
            ("scope connection, manager", Resource::ScopeConnection),
            ("network manager connection", Resource::ManagerConnection),
            ("member, group", Resource::Member),
            ("network", Resource::Network),
        ];
        let sides = [("manager", Side::Manager), ("target", Side::Target)];
        let name = match kind {
            FaultKind::SignIn(why) => format!("SignIn: {why:?}"),
            other => format!("{other:?}"),
        };
        vec![
            name,
            code.to_owned(),
            yes(fault.heals_by_itself()),
            yes(blocks_deletion(&fault)),
            each(&things.map(|(name, thing)| (name, format!("`{}`", reason(&fault, thing).word())))),
            each(&sides.map(|(name, side)| (name, actor(&fault, side)))),
            each(&sides.map(|(name, side)| (name, advice(&fault, side)))),
        ]
    });
    table(
        &["kind", "code", "time heals it", "blocks a deletion", "reason", "who must act", "next step"],
        rows,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: usize = 25;

    #[test]
    fn every_kind_has_a_row() {
        let mut places: Vec<usize> = kinds().iter().map(|(kind, _)| place(kind)).collect();
        places.dedup();
        assert_eq!(places, (0..KINDS).collect::<Vec<_>>());
    }

    #[test]
    fn nobody_is_sent_to_azure_for_what_time_does_not_heal() {
        for (kind, code) in kinds() {
            let mut fault = Fault::local("call", "/id", kind, "");
            code.clone_into(&mut fault.code);
            for side in [Side::Manager, Side::Target] {
                if !fault.heals_by_itself() {
                    assert_ne!(actor(&fault, side), avnm_terms::Actor::Azure, "{fault:?}");
                }
            }
        }
    }
}
