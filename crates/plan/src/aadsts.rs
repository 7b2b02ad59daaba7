//! Entra's refusals by number: who must act, and what to do. The numbers are those of Microsoft's reference of error
//! codes; it warns that they may change, so an unknown one is a refusal like any other.

use avnm_terms::Actor;

use crate::side::Side;

/// Who must act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    /// Whoever writes the credential and what it signs in with.
    Operator,
    /// An administrator of the tenant that is signed in to.
    Admin,
}

/// What one refusal means.
#[derive(Debug, Clone, Copy)]
struct Row {
    codes: &'static [&'static str],
    who: Who,
    next: &'static str,
}

const TABLE: &[Row] = &[
    Row {
        codes: &["AADSTS700016", "AADSTS700011", "AADSTS7000229", "AADSTS65001"],
        who: Who::Admin,
        next: "an administrator of that tenant must consent to the application (this creates its service principal)",
    },
    Row {
        codes: &["AADSTS7000112", "AADSTS70001"],
        who: Who::Admin,
        next: "the application or its service principal is disabled: an administrator of that tenant enables it",
    },
    Row {
        codes: &["AADSTS7000215", "AADSTS70002"],
        who: Who::Operator,
        next: "put the application's current client secret (its value, not its id) into the Secret",
    },
    Row {
        codes: &["AADSTS7000222"],
        who: Who::Operator,
        next: "the client secret has expired: make a new one and put it into the Secret",
    },
    Row {
        codes: &["AADSTS700027", "AADSTS50012"],
        who: Who::Operator,
        next: "register this certificate with the application, or put the registered one and its key into the Secret",
    },
    Row {
        codes: &["AADSTS1000502"],
        who: Who::Operator,
        next: "the certificate has expired: put a new one into the Secret and register it with the application",
    },
    Row {
        codes: &[
            "AADSTS70021",
            "AADSTS70025",
            "AADSTS700211",
            "AADSTS700212",
            "AADSTS700213",
            "AADSTS7002137",
            "AADSTS7002138",
            "AADSTS7000272",
        ],
        who: Who::Operator,
        next: "the application's federated credential must name exactly this issuer, subject and audience, to the letter",
    },
    Row {
        codes: &["AADSTS700024", "AADSTS500133"],
        who: Who::Operator,
        next: "the assertion was outside its validity: check the clocks, and that the projected token is replaced",
    },
    Row {
        codes: &["AADSTS90002", "AADSTS900023"],
        who: Who::Operator,
        next: "correct tenantId: Entra knows no such tenant",
    },
    Row {
        codes: &["AADSTS90038", "AADSTS900432", "AADSTS900382"],
        who: Who::Operator,
        next: "the tenant is in another cloud than the operator's --cloud",
    },
    Row {
        codes: &["AADSTS500011", "AADSTS650052", "AADSTS70011"],
        who: Who::Operator,
        next: "the audience is unknown in that tenant: check the operator's --cloud and --audience",
    },
    Row {
        codes: &["AADSTS53003", "AADSTS530035"],
        who: Who::Admin,
        next: "Conditional Access or security defaults block it: an administrator of that tenant excludes the application",
    },
];

fn row(code: &str) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.codes.contains(&code))
}

/// Who must act on a refusal.
pub(crate) fn actor(code: &str, side: Side) -> Actor {
    match row(code).map(|row| row.who) {
        Some(Who::Operator) => Actor::ClusterOperator,
        Some(Who::Admin) | None => side.admin(),
    }
}

/// Whether it is the assertion that Entra does not take, so that another one may be taken: it came outside of its time, or its
/// issuer may have other keys by now, or another name.
pub(crate) fn is_of_assertion(code: &str) -> bool {
    const ONE_OF_EACH: [&str; 3] = ["AADSTS700024", "AADSTS700027", "AADSTS70021"];
    row(code).is_some_and(|row| ONE_OF_EACH.iter().any(|one| row.codes.contains(one)))
}

/// What to do about a refusal; None for an unknown one.
pub(crate) fn advice(code: &str) -> Option<&'static str> {
    row(code).map(|row| row.next)
}

/// Whether a refusal is about what an assertion says of itself, against what a federated credential names.
pub(crate) fn is_federation(code: &str) -> bool {
    const ONE_OF_THEM: &str = "AADSTS70021";
    row(code).is_some_and(|row| row.codes.contains(&ONE_OF_THEM))
}

/// Every code that is known.
pub fn codes() -> impl Iterator<Item = &'static str> {
    TABLE.iter().flat_map(|row| row.codes.iter().copied())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_code_is_told_twice() {
        let all: Vec<&str> = codes().collect();
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
        assert!(all.iter().all(|code| code.starts_with("AADSTS")));
    }

    #[test]
    fn an_unknown_code_is_the_tenants_administrators() {
        assert_eq!(actor("AADSTS1", Side::Target), Actor::TargetTenantAdmin);
        assert_eq!(advice("AADSTS1"), None);
        assert_eq!(actor("AADSTS7000215", Side::Target), Actor::ClusterOperator);
    }
}
