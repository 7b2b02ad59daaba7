//! Whose credential signs what: every combination of who asks, what is referred to, whom it is lent to, where it may be
//! used, and what is named, against a relation that is written down here by hand.
//!
//! No combination may sign with a credential that its namespace was not given, in another tenant than the credential's, or
//! outside the credential's allowed scopes; and nothing that is no id may get as far as a signer.

use std::collections::BTreeMap;

use avnm_api::{
    AllowedNamespaces, CredentialKind, CredentialRef, CrossTenantConnectionStatus, LabelValue,
    NamespaceSelector, SelectorExpression, SelectorOperator, StaticMemberStatus,
};
use avnm_plan::{
    credential::{Owner, may_use},
    cross_tenant_connection::{self as connection, Half, HalfInput, Halves, Standing},
    inputs::{CredentialInput, Meta, UsableCredential},
    static_member as member,
};
use avnm_terms::{ClientId, TenantId};
use serde_json::json;

const CENTRAL: &str = "24680975-1234-abcd-56ef-121314ab5643";
const TARGET: &str = "12345678-12a3-4abc-5cde-678909876543";
const THIRD: &str = "99999999-12a3-4abc-5cde-678909876543";
const APP: &str = "a0a0a0a0-1111-2222-3333-444444444444";
const MANAGER: &str = "/subscriptions/13579864-1234-5678-abcd-0987654321ab/resourceGroups/rg/providers/Microsoft.Network/networkManagers/nm";
const SCOPE: &str = "/subscriptions/87654321-abcd-1234-1def-0987654321ab";

/// Who asks: namespaces with labels.
const USERS: [(&str, &[(&str, &str)]); 6] = [
    ("hub", &[]),
    ("hub", &[("team", "a")]),
    ("hub-2", &[("team", "a"), ("env", "prod")]),
    ("hub-2", &[("team", "A")]),
    ("other", &[]),
    ("other", &[("team", "b")]),
];

/// A credential, and which of [`USERS`] it was given to.
struct Credential {
    home: Option<&'static str>,
    name: &'static str,
    allowed: Option<AllowedNamespaces>,
    given: &'static str,
}

fn names(names: &[&str]) -> AllowedNamespaces {
    let names = names.iter().map(ToString::to_string).collect();
    AllowedNamespaces { names, selector: None }
}

fn labels(pairs: &[(&str, &str)]) -> AllowedNamespaces {
    let match_labels = pairs.iter().map(|(key, value)| ((*key).to_owned(), LabelValue((*value).to_owned())));
    let selector = NamespaceSelector { match_labels: match_labels.collect(), match_expressions: Vec::new() };
    AllowedNamespaces { names: Vec::new(), selector: Some(selector) }
}

fn expression(operator: SelectorOperator, values: &[&str]) -> AllowedNamespaces {
    let values = values.iter().map(ToString::to_string).collect();
    let expression = SelectorExpression { key: "team".into(), operator, values };
    let selector = NamespaceSelector { match_labels: BTreeMap::new(), match_expressions: vec![expression] };
    AllowedNamespaces { names: Vec::new(), selector: Some(selector) }
}

fn union() -> AllowedNamespaces {
    let mut both = labels(&[("team", "a")]);
    both.names.push("other".into());
    both
}

fn credentials() -> Vec<Credential> {
    use SelectorOperator::{DoesNotExist, Exists, In, NotIn};
    let own = |home, given| Credential { home: Some(home), name: "x", allowed: None, given };
    let lent = |name, allowed, given| Credential { home: None, name, allowed: Some(allowed), given };
    let none = |name, given| Credential { home: None, name, allowed: None, given };
    vec![
        own("hub", "110000"),
        own("hub-2", "001100"),
        own("other", "000011"),
        // One of the cluster may have the name of a namespaced one, and is another thing.
        lent("x", names(&["other"]), "000011"),
        none("nobody", "000000"),
        lent("empty", AllowedNamespaces::default(), "000000"),
        lent("named", names(&["hub"]), "110000"),
        lent("upper", names(&["HUB", "Hub", "OTHER"]), "000000"),
        lent("prefix", names(&["hub-", "hu", "hub-2/", ""]), "000000"),
        lent("two", names(&["hub", "other"]), "110011"),
        lent("label", labels(&[("team", "a")]), "011000"),
        lent("labels", labels(&[("team", "a"), ("env", "prod")]), "001000"),
        lent("wrong-label", labels(&[("Team", "a")]), "000000"),
        lent("in", expression(In, &["a", "A"]), "011100"),
        lent("not-in", expression(NotIn, &["a"]), "100111"),
        lent("exists", expression(Exists, &[]), "011101"),
        lent("absent", expression(DoesNotExist, &[]), "100010"),
        lent("all", labels(&[]), "111111"),
        lent("union", union(), "011011"),
    ]
}

/// Where a reference leads, as a pass finds it: by kind and name, then whether it may be used.
fn resolve(
    all: &[Credential],
    user: usize,
    reference: &CredentialRef,
    as_is: &UsableCredential,
) -> CredentialInput {
    let (namespace, own) = USERS[user];
    let labels: BTreeMap<String, String> =
        own.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let home = match reference.kind {
        CredentialKind::TenantCredential => Some(namespace),
        CredentialKind::ClusterTenantCredential => None,
    };
    let found = all.iter().find(|credential| credential.home == home && credential.name == reference.name);
    let Some(found) = found else { return CredentialInput::Missing(reference.clone()) };
    let owner = match found.home {
        Some(home) => Owner::Namespace(home),
        None => Owner::Cluster(found.allowed.as_ref()),
    };
    if !may_use(owner, namespace, Some(&labels)) {
        return CredentialInput::NotLent(reference.clone());
    }
    CredentialInput::Usable(UsableCredential { credential: reference.clone(), ..as_is.clone() })
}

/// Whether the relation gives this user what the reference names.
fn given(all: &[Credential], user: usize, reference: &CredentialRef) -> bool {
    let of_cluster = reference.kind == CredentialKind::ClusterTenantCredential;
    all.iter().any(|credential| {
        credential.name == reference.name
            && credential.home.is_none() == of_cluster
            && credential.home.is_none_or(|home| home == USERS[user].0)
            && credential.given.as_bytes()[user] == b'1'
    })
}

/// Whether an id lies in one of the scopes, by whole segments without case; written otherwise than the decision.
fn within(id: &str, scopes: Option<&[String]>) -> bool {
    let parts = |text: &str| text.to_lowercase().split('/').map(str::to_owned).collect::<Vec<_>>();
    scopes.is_none_or(|scopes| scopes.iter().any(|scope| parts(id).starts_with(&parts(scope))))
}

fn usable(tenant: &str, scopes: Option<Vec<String>>) -> UsableCredential {
    UsableCredential {
        credential: CredentialRef { kind: CredentialKind::TenantCredential, name: "fixed".into() },
        tenant: TenantId::parse(tenant).unwrap(),
        client: ClientId::parse(APP).unwrap(),
        allowed_scopes: scopes,
        terminating: false,
        last_material: false,
        held: true,
    }
}

fn meta(user: usize) -> Meta {
    Meta {
        uid: "u".into(),
        namespace: USERS[user].0.into(),
        name: "object".into(),
        generation: 1,
        created: None,
        deleting: false,
        held: true,
        recreate: None,
        requested_at: None,
        confirm_delete: false,
    }
}

/// Every reference that anyone could write: each name under both kinds, and names that differ by case.
fn references(all: &[Credential]) -> Vec<CredentialRef> {
    let mut names: Vec<String> = all.iter().map(|credential| credential.name.to_owned()).collect();
    names.extend(["X", "Named", "hub/x", "../hub/x", "x%2fy", "none"].map(str::to_owned));
    names.sort();
    names.dedup();
    let kinds = [CredentialKind::TenantCredential, CredentialKind::ClusterTenantCredential];
    kinds
        .into_iter()
        .flat_map(|kind| names.iter().map(move |name| CredentialRef { kind, name: name.clone() }))
        .collect()
}

/// Scopes that a credential may be narrowed to, for the id that it is used on.
fn scopes(id: &str) -> Vec<Option<Vec<String>>> {
    let parent = id.rsplit_once('/').map(|(parent, _)| parent.to_owned()).unwrap_or_default();
    [
        None,
        Some(vec![id.to_owned()]),
        Some(vec![id.to_uppercase()]),
        Some(vec![parent]),
        Some(vec![format!("{id}0")]),
        Some(vec![id[..id.len() - 1].to_owned()]),
        Some(vec!["/subscriptions/00000000-0000-0000-0000-000000000000".to_owned(), format!("{id}/below")]),
    ]
    .into()
}

fn input(spec: CredentialInput) -> HalfInput {
    HalfInput { spec: Some(spec), claim: None }
}

#[test]
fn no_connection_signs_with_what_it_was_not_given() {
    let all = credentials();
    let (mut cases, mut signed) = (0_u32, 0_u32);
    for (user, who) in USERS.iter().enumerate() {
        for reference in references(&all) {
            for tenant in [CENTRAL, TARGET, THIRD] {
                for half in Half::BOTH {
                    let id = if half == Half::Scope { MANAGER } else { SCOPE };
                    for scopes in scopes(id) {
                        cases += 1;
                        let tested = resolve(&all, user, &reference, &usable(tenant, scopes.clone()));
                        let (other, other_tenant) = match half {
                            Half::Scope => (Half::Target, TARGET),
                            Half::Target => (Half::Scope, CENTRAL),
                        };
                        let fixed = CredentialInput::Usable(usable(other_tenant, None));
                        let mut credentials = Halves::<HalfInput>::default();
                        *credentials.get_mut(half) = input(tested);
                        *credentials.get_mut(other) = input(fixed);
                        let named = json!({"kind": reference.kind.as_str(), "name": reference.name});
                        let plain = json!({"kind": "TenantCredential", "name": "fixed"});
                        let (ours, theirs) =
                            if half == Half::Scope { (named, plain) } else { (plain, named) };
                        let inputs = connection::Inputs {
                            meta: meta(user),
                            spec: serde_json::from_value(json!({
                                "networkManagerId": MANAGER,
                                "target": {"tenantId": TARGET, "scope": SCOPE},
                                "scopeConnection": {"credentialRef": ours},
                                "networkManagerConnection": {"credentialRef": theirs},
                            }))
                            .unwrap(),
                            status: CrossTenantConnectionStatus::default(),
                            credentials,
                            beaten_by: None,
                            contested: Halves::default(),
                        };
                        let desired = connection::desire(&inputs, &Standing::of(&inputs)).unwrap();
                        let signer = desired.halves.get(half).signer.as_ref();
                        let what = format!("{who:?} {reference:?} {half:?} of {tenant}, {scopes:?}");
                        if !given(&all, user, &reference) {
                            assert!(signer.is_none(), "{what}: it was not given");
                            assert!(desired.halves.get(half).blocked.is_some(), "{what}: nobody is told");
                            continue;
                        }
                        assert_eq!(signer.map(|signer| &signer.credential), Some(&reference), "{what}");
                        let right_tenant =
                            if half == Half::Scope { tenant != TARGET } else { tenant == TARGET };
                        let right = right_tenant && within(id, scopes.as_deref());
                        assert_eq!(desired.refused.is_none(), right, "{what}: {:?}", desired.refused);
                        signed += u32::from(right);
                    }
                }
            }
        }
    }
    assert!(cases >= 1_000, "{cases} cases");
    assert!(signed >= 100, "{signed} of {cases} may sign: a matrix that refuses all would prove nothing");
}

#[test]
fn no_member_signs_with_what_it_was_not_given() {
    let all = credentials();
    let group = format!("{MANAGER}/networkGroups/g");
    let network = format!("{SCOPE}/resourceGroups/r/providers/Microsoft.Network/virtualNetworks/v");
    let (mut cases, mut signed) = (0_u32, 0_u32);
    for (user, who) in USERS.iter().enumerate() {
        for reference in references(&all) {
            for as_manager in [true, false] {
                let id = if as_manager { &group } else { &network };
                for scopes in scopes(id) {
                    cases += 1;
                    let tenant = if as_manager { CENTRAL } else { TARGET };
                    let tested = resolve(&all, user, &reference, &usable(tenant, scopes.clone()));
                    let fixed =
                        CredentialInput::Usable(usable(if as_manager { TARGET } else { CENTRAL }, None));
                    let (manager, resource) = if as_manager { (tested, fixed) } else { (fixed, tested) };
                    let inputs = member::Inputs {
                        meta: meta(user),
                        spec: serde_json::from_value(json!({
                            "networkGroupId": group,
                            "resourceId": network,
                            "credentialRef": {"kind": "TenantCredential", "name": "any"},
                            "resourceCredentialRef": {"kind": "TenantCredential", "name": "any"},
                        }))
                        .unwrap(),
                        status: StaticMemberStatus::default(),
                        connection: None,
                        manager: vec![manager],
                        resource: Some(resource),
                        beaten_by: None,
                    };
                    let desired = member::desire(&inputs, None).unwrap();
                    let used = if as_manager { &desired.signer } else { &desired.auxiliary };
                    let used = used.as_ref().filter(|used| used.credential == reference);
                    let free = desired.refused.is_none() && desired.waits_for.is_empty();
                    let what = format!("{who:?} {reference:?}, {scopes:?}");
                    let right = given(&all, user, &reference) && within(id, scopes.as_deref());
                    assert_eq!(used.is_some() && free, right, "{what}: {desired:?}");
                    if !given(&all, user, &reference) {
                        assert!(used.is_none(), "{what}: it was not given");
                    }
                    signed += u32::from(right);
                }
            }
        }
    }
    assert!(cases >= 1_000 && signed >= 100, "{signed} of {cases}");
}

/// What is no id never gets as far as a signer: it would become a path.
#[test]
fn nothing_that_is_no_id_is_signed_for() {
    let hostile = [
        "/subscriptions/../providers/Microsoft.Network/networkManagers/nm",
        "/subscriptions/13579864-1234-5678-abcd-0987654321ab/resourceGroups/../providers/Microsoft.Network/networkManagers/nm",
        "/subscriptions/13579864-1234-5678-abcd-0987654321ab/resourceGroups/rg%2f..%2fx/providers/Microsoft.Network/networkManagers/nm",
        "/subscriptions/13579864-1234-5678-abcd-0987654321ab/resourceGroups/rg/providers/Microsoft.Network/networkManagers/nm?x=y",
        "/subscriptions/13579864-1234-5678-abcd-0987654321ab/resourceGroups/rg/providers/Microsoft.Network/networkManagers/nm#x",
        "/subscriptions/13579864-1234-5678-abcd-0987654321ab/resourceGroups/rg/providers/Microsoft.Network/networkManagers/n m",
        "/subscriptions/13579864-1234-5678-abcd-0987654321ab//resourceGroups/rg/providers/Microsoft.Network/networkManagers/nm",
        "//evil.example/subscriptions/x",
        "https://evil.example/subscriptions/x",
        "",
    ];
    let user = 0;
    for id in hostile {
        for (manager, scope) in [(id, SCOPE), (MANAGER, id)] {
            let spec = json!({
                "networkManagerId": manager,
                "target": {"tenantId": TARGET, "scope": scope},
                "scopeConnection": {"credentialRef": {"kind": "TenantCredential", "name": "a"}},
                "networkManagerConnection": {"credentialRef": {"kind": "TenantCredential", "name": "b"}},
            });
            let fixed = |tenant| input(CredentialInput::Usable(usable(tenant, None)));
            let inputs = connection::Inputs {
                meta: meta(user),
                spec: serde_json::from_value(spec).unwrap(),
                status: CrossTenantConnectionStatus::default(),
                credentials: Halves { scope: fixed(CENTRAL), target: fixed(TARGET) },
                beaten_by: None,
                contested: Halves::default(),
            };
            assert!(connection::desire(&inputs, &Standing::of(&inputs)).is_err(), "{id:?} was read as an id");
        }
        for (group, network) in [
            (
                id.to_owned(),
                format!("{SCOPE}/resourceGroups/r/providers/Microsoft.Network/virtualNetworks/v"),
            ),
            (format!("{MANAGER}/networkGroups/g"), id.to_owned()),
        ] {
            let fixed = |tenant| CredentialInput::Usable(usable(tenant, None));
            let inputs = member::Inputs {
                meta: meta(user),
                spec: serde_json::from_value(json!({
                    "networkGroupId": group, "resourceId": network,
                    "credentialRef": {"kind": "TenantCredential", "name": "a"},
                }))
                .unwrap(),
                status: StaticMemberStatus::default(),
                connection: None,
                manager: vec![fixed(CENTRAL)],
                resource: Some(fixed(TARGET)),
                beaten_by: None,
            };
            assert!(member::desire(&inputs, None).is_err(), "{id:?} was read as an id");
        }
    }
}
