use avnm_terms::{Assertion, ClientId, Details, Named, ObjectId, Policy, TenantId};
use rstest::rstest;

use super::*;
use crate::side::Side;

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
    assert_eq!(said(&of("it was 2020-01-01 10:11:12 "), 100), "it was … at 2021-02-03 04:05Z");
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

const APP: &str = "00001111-aaaa-2222-bbbb-3333cccc4444";
const OBJECT: &str = "55556666-dddd-7777-eeee-8888ffff9999";
const MANAGER: &str = "/subscriptions/13579864-1a2b-4c5d-8e9f-135798642468/resourceGroups/rg(1)/providers/Microsoft.Network/networkManagers/nm";
const NETWORK: &str = "/subscriptions/87654321-abcd-1234-1def-0987654321ab/resourceGroups/temp/providers/Microsoft.Network/virtualNetworks/v";

#[allow(clippy::unnecessary_wraps)] // As the fields that it is for.
fn id(text: &str) -> Option<ArmId> {
    Some(ArmId::parse(text).unwrap())
}

/// A 403 for want of an action somewhere, as Azure tells it.
fn lacking(kind: FaultKind, action: &str, scope: &str) -> Fault {
    fault(kind, "AuthorizationFailed").with_details(Details {
        application: ClientId::parse(APP).ok(),
        object: ObjectId::parse(OBJECT).ok(),
        action: Some(action.to_owned()),
        scope: id(scope),
        scope_may_be_gone: true,
        ..Details::default()
    })
}

fn at(side: Side, before: Before, deleting: bool) -> Place {
    Place { side, before, deleting }
}

/// Where a role goes is not where the call went: what a call makes is not there yet.
#[rstest]
#[case::half(
    "Microsoft.Network/networkManagers/scopeConnections/write",
    format!("{MANAGER}/scopeConnections/c"),
    "'AVNM operator manager'",
    MANAGER
)]
#[case::member(
    "Microsoft.Network/networkManagers/networkGroups/staticMembers/delete",
    format!("{MANAGER}/networkGroups/g/staticMembers/m"),
    "'AVNM operator manager'",
    MANAGER
)]
#[case::target(
    "Microsoft.Network/networkManagerConnections/write",
    "/subscriptions/87654321-abcd-1234-1def-0987654321ab/providers/Microsoft.Network/networkManagerConnections/c".to_owned(),
    "'AVNM operator target'",
    "/subscriptions/87654321-abcd-1234-1def-0987654321ab"
)]
#[case::management_group(
    "Microsoft.Network/networkManagerConnections/read",
    "/providers/Microsoft.Management/managementGroups/mg/providers/Microsoft.Network/networkManagerConnections".to_owned(),
    "'AVNM operator target'",
    "/providers/Microsoft.Management/managementGroups/mg"
)]
#[case::network("Microsoft.Network/virtualNetworks/write", NETWORK.to_owned(), "'AVNM operator network'", NETWORK)]
#[case::subnet(
    "Microsoft.Network/virtualNetworks/subnets/write",
    format!("{NETWORK}/subnets/s"),
    "'AVNM operator network'",
    NETWORK
)]
fn the_role_that_is_lacking_can_be_assigned_by_what_is_said(
    #[case] action: &str,
    #[case] scope: String,
    #[case] role: &str,
    #[case] assigned: &str,
) {
    let said = advice(&lacking(FaultKind::PermissionDenied, action, &scope), Side::Target);
    let command = format!(
        "az role assignment create --assignee-object-id {OBJECT} --assignee-principal-type ServicePrincipal --role {role} --scope '{assigned}'"
    );
    for part in [APP, action, command.as_str()] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn what_azure_did_not_tell_is_not_made_up() {
    let known = Details { application: ClientId::parse(APP).ok(), ..Details::default() };
    let said = advice(&fault(FaultKind::PermissionDenied, "X").with_details(known.clone()), Side::Manager);
    assert!(said.contains(APP) && !said.contains("az role") && !said.contains("object id"), "{said}");
    // Without an object id the application's own finds it.
    let action = Some("Microsoft.Network/networkManagers/read".to_owned());
    let details = Details { action, scope: id(MANAGER), ..known };
    let said = advice(&fault(FaultKind::PermissionDenied, "X").with_details(details), Side::Manager);
    assert!(said.contains(&format!("--assignee {APP} --role")), "{said}");
    // An action that no role of ours has gets no command that would not help.
    let other = lacking(FaultKind::PermissionDenied, "Microsoft.Compute/disks/read", "/subscriptions/s");
    let said = advice(&other, Side::Manager);
    assert!(said.contains("Microsoft.Compute/disks/read") && !said.contains("az role"), "{said}");
}

/// The roles that are named are those of the examples, and have these actions.
#[test]
fn the_roles_that_are_named_are_those_of_the_examples() {
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/examples/azure");
    for (file, scope) in [
        ("manager-role.json", format!("{MANAGER}/x/y")),
        (
            "target-role.json",
            "/subscriptions/s/providers/Microsoft.Network/networkManagerConnections/c".to_owned(),
        ),
        ("network-role.json", NETWORK.to_owned()),
    ] {
        let text = std::fs::read_to_string(format!("{examples}/{file}")).expect("the example is there");
        let role: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let name = role["Name"].as_str().expect("a name");
        for action in role["Actions"].as_array().expect("actions") {
            let action = action.as_str().expect("text");
            let said = advice(&lacking(FaultKind::PermissionDenied, action, &scope), Side::Manager);
            assert!(said.contains(&format!("--role '{name}'")), "{action}: {said}");
        }
    }
}

/// A role that lacks the action is not proposed, a group that is called like a type is no type, and of what is linked the
/// application is named.
#[test]
fn no_command_is_told_that_would_not_help() {
    let join = lacking(FaultKind::PermissionDenied, "Microsoft.Network/virtualNetworks/join/action", NETWORK);
    let said = advice(&join, Side::Target);
    assert!(said.contains("join/action") && !said.contains("az role"), "{said}");
    let manager = MANAGER.replace("/rg(1)/", "/networkManagers/");
    let write = "Microsoft.Network/networkManagers/scopeConnections/write";
    let of = lacking(FaultKind::PermissionDenied, write, &format!("{manager}/scopeConnections/c"));
    let said = advice(&of, Side::Manager);
    assert!(said.contains(&format!("--scope '{manager}'")), "{said}");
    let linked =
        lacking(FaultKind::LinkedPermissionDenied, "Microsoft.Network/virtualNetworks/write", NETWORK);
    let said = advice(&linked, Side::Manager);
    assert!(said.contains(&format!("--assignee {APP} ")) && !said.contains(OBJECT), "{said}");
}

/// "or the scope is invalid": after it worked both causes are named, gone first, and a deletion names its way out.
#[test]
fn what_worked_before_may_be_gone() {
    let of = |kind| {
        lacking(
            kind,
            "Microsoft.Network/networkManagers/scopeConnections/read",
            &format!("{MANAGER}/scopeConnections/c"),
        )
    };
    for kind in [FaultKind::PermissionDenied, FaultKind::LinkedPermissionDenied] {
        let said = |before, deleting| advice(&of(kind.clone()), at(Side::Manager, before, deleting));
        let worked = said(Before::Worked, false);
        let (gone, role) = (worked.find("may be gone").unwrap(), worked.find("az role assignment").unwrap());
        assert!(gone < role && worked.contains(MANAGER) && worked.contains("Orphan"), "{worked}");
        let deleting = said(Before::Worked, true);
        assert!(
            deleting.contains("may be gone") && deleting.contains("set spec.deletionPolicy: Orphan"),
            "{deleting}"
        );
        for before in [Before::Never, Before::Answers] {
            let never = said(before, false);
            assert!(!never.contains("gone"), "{never}");
        }
    }
    let mut plain = of(FaultKind::PermissionDenied);
    plain.details.as_mut().unwrap().scope_may_be_gone = false;
    assert!(
        !advice(&plain, at(Side::Manager, Before::Worked, false)).contains("gone"),
        "Azure did not say so"
    );
}

/// A subscription that moves is waited for; one that never was of this tenant is a fault of the spec.
#[test]
fn whose_the_subscription_is_now_is_told() {
    const OWNER: &str = "12345678-12a3-4abc-5cde-678909876543";
    let tenants = vec![TenantId::parse(OWNER).unwrap()];
    let fault = fault(FaultKind::WrongTenant, "InvalidAuthenticationTokenTenant")
        .with_details(Details { tenants, ..Details::default() });
    let of = |before| finding(&fault, at(Side::Target, before, false), Resource::ManagerConnection);
    let never = of(Before::Never);
    assert_eq!((never.reason, never.companion), (Reason::TenantMismatch, None));
    assert!(never.message.contains(&format!("belongs to tenant {OWNER}: use")), "{}", never.message);
    for before in [Before::Worked, Before::Answers] {
        let moved = of(before);
        assert_eq!(moved.companion, Some(Companion::StalledAfter(TRANSFER)));
        assert!(
            moved.message.contains("worked before") && moved.message.contains(OWNER),
            "{}",
            moved.message
        );
    }
}

#[test]
fn the_policy_that_denies_it_is_named() {
    let named = |name: &str, of: &str| Named { name: name.into(), id: id(of) };
    let policies = vec![
        Policy { assignment: named("No links", "/a/1"), definition: named("", "/d/1") },
        Policy { assignment: Named { name: "only a name".into(), id: None }, definition: Named::default() },
    ];
    let fault = fault(FaultKind::Refused, "RequestDisallowedByPolicy")
        .with_details(Details { policies, ..Details::default() });
    let said = message(&fault, Side::Target);
    for part in
        ["'No links' (/a/1)", "definition /d/1", "'only a name'", "the target tenant", "(TargetTenantAdmin)"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn the_api_versions_that_azure_offers_are_for_whoever_runs_the_operator() {
    let offered =
        |count: u32| (0..count).rev().map(|month| format!("20{month:02}-01-01")).collect::<Vec<_>>();
    let of = |api_versions| {
        fault(FaultKind::VersionNotOffered, "NoRegisteredProviderFound")
            .with_details(Details { api_versions, ..Details::default() })
    };
    let said = message(&of(offered(3)), Side::Target);
    assert!(said.contains("--api-version") && said.contains("2002-01-01, 2001-01-01, 2000-01-01"), "{said}");
    assert!(said.ends_with("(ClusterOperator)") && !said.contains("older"), "{said}");
    assert!(message(&of(offered(70)), Side::Target).contains("and 40 older ones"));
    assert!(message(&of(Vec::new()), Side::Target).contains("--api-version"));
    assert_eq!(reason(&of(Vec::new()), Resource::Member), Reason::AzureRefused);
}

/// A network in Failed state is for its own administrator; the manager, for the manager's.
#[test]
fn what_is_in_failed_state_is_for_whoever_has_it() {
    let of = |scope: &str| {
        let details = Details { scope: id(scope), ..Details::default() };
        let target = format!("{MANAGER}/networkGroups/g/staticMembers/m");
        Fault { target, ..fault(FaultKind::NotProvisioned, "ReferencedResourceNotProvisioned") }
            .with_details(details)
    };
    assert_eq!(actor(&of(NETWORK), Side::Manager), Actor::TargetTenantAdmin);
    assert_eq!(actor(&of(MANAGER), Side::Manager), Actor::ManagerTenantAdmin);
    let shown = finding(&of(NETWORK), Side::Manager, Resource::Member);
    assert_eq!(shown.reason, Reason::AzureRefused, "with its grace");
    assert!(shown.message.contains(&format!("{NETWORK} is in Failed state")), "{}", shown.message);
    assert!(!of(NETWORK).heals_by_itself());
}

/// Of what Entra compares it may name a part only.
#[test]
fn what_was_presented_to_entra_is_told() {
    let of = |code: &str| {
        let assertion =
            Assertion { issuer: "https://i/".into(), subject: "s:a".into(), audience: "api://x".into() };
        let kind = FaultKind::SignIn(SignInFault::Refused);
        fault(kind, code).with_details(Details { assertion: Some(assertion), ..Details::default() })
    };
    let presented = "issuer 'https://i/', subject 's:a', audience 'api://x'";
    for code in
        ["AADSTS70021", "AADSTS700211", "AADSTS700212", "AADSTS700213", "AADSTS7002137", "AADSTS7002138"]
    {
        let worked = advice(&of(code), at(Side::Target, Before::Worked, false));
        assert!(worked.contains(presented) && worked.contains("signed in before"), "{code}: {worked}");
        assert!(!advice(&of(code), Side::Target).contains("signed in before"));
    }
    let other = advice(&of("AADSTS700016"), at(Side::Target, Before::Worked, false));
    assert!(!other.contains("issuer"), "{other}");
}
