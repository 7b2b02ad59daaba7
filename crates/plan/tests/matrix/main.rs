//! Whose credential signs what: every combination of who asks, what is referred to, whom it is lent to, where it may be
//! used, and what is named, against a relation that is written down here by hand.
//!
//! No combination may sign with a credential that its namespace was not given, in another tenant than the credential's, or
//! outside the credential's allowed scopes; and nothing that is no id may get as far as a signer. The same holds for what
//! is deleted, and for what is borrowed through a connection.

mod connections;
mod deletions;
mod hostile;
mod members;

use std::collections::BTreeMap;

use avnm_api::{
    AllowedNamespaces, Claim, CredentialKind, CredentialRef, LabelValue, NamespaceSelector,
    SelectorExpression, SelectorOperator,
};
use avnm_plan::{
    credential::{Admission, CredentialInput, Found, Owner, UsableCredential, admit, home},
    meta::Meta,
};
use avnm_terms::{ClientId, TenantId};
use serde_json::json;

const CENTRAL: &str = "24680975-1234-abcd-56ef-121314ab5643";
const TARGET: &str = "12345678-12a3-4abc-5cde-678909876543";
const THIRD: &str = "99999999-12a3-4abc-5cde-678909876543";
const APP: &str = "a0a0a0a0-1111-2222-3333-444444444444";
const MANAGER: &str = "/subscriptions/13579864-1234-5678-abcd-0987654321ab/resourceGroups/rg/providers/Microsoft.Network/networkManagers/nm";
const SCOPE: &str = "/subscriptions/87654321-abcd-1234-1def-0987654321ab";

/// Labels, as they were seen; `None` if nobody saw them yet.
type Labels = Option<&'static [(&'static str, &'static str)]>;

/// Who asks: namespaces with labels, and one that was deleted and made again, whose labels were not seen yet.
const USERS: [(&str, Labels); 7] = [
    ("hub", Some(&[])),
    ("hub", Some(&[("team", "a")])),
    ("hub-2", Some(&[("team", "a"), ("env", "prod")])),
    ("hub-2", Some(&[("team", "A")])),
    ("other", Some(&[])),
    ("other", Some(&[("team", "b")])),
    ("hub", None),
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
        own("hub", "1100001"),
        own("hub-2", "0011000"),
        own("other", "0000110"),
        // One of the cluster may have the name of a namespaced one, and is another thing.
        lent("x", names(&["other"]), "0000110"),
        none("nobody", "0000000"),
        lent("empty", AllowedNamespaces::default(), "0000000"),
        lent("named", names(&["hub"]), "1100001"),
        lent("upper", names(&["HUB", "Hub", "OTHER"]), "0000000"),
        lent("prefix", names(&["hub-", "hu", "hub-2/", ""]), "0000000"),
        lent("two", names(&["hub", "other"]), "1100111"),
        lent("label", labels(&[("team", "a")]), "0110000"),
        lent("labels", labels(&[("team", "a"), ("env", "prod")]), "0010000"),
        lent("wrong-label", labels(&[("Team", "a")]), "0000000"),
        lent("in", expression(In, &["a", "A"]), "0111000"),
        lent("not-in", expression(NotIn, &["a"]), "1001110"),
        lent("exists", expression(Exists, &[]), "0111010"),
        lent("absent", expression(DoesNotExist, &[]), "1000100"),
        lent("all", labels(&[]), "1111110"),
        lent("union", union(), "0110110"),
    ]
}

/// Where a reference leads, as a pass finds it: by kind and name, then whether it may be used. Right before a write all of
/// it is asked again, live: that must come to the same.
fn resolve(
    all: &[Credential],
    user: usize,
    reference: &CredentialRef,
    as_is: &UsableCredential,
) -> CredentialInput {
    let (namespace, own) = USERS[user];
    let labels: Option<BTreeMap<String, String>> =
        own.map(|own| own.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect());
    let home = home(reference.kind, namespace);
    let found = all
        .iter()
        .find(|credential| credential.home.unwrap_or("") == home && credential.name == reference.name);
    let Some(found) = found else { return CredentialInput::Missing(reference.clone()) };
    let owner = match found.home {
        Some(home) => Owner::Namespace(home),
        None => Owner::Cluster(found.allowed.as_ref()),
    };
    let live = Found { owner, remade: false, deleting: false, allowed_scopes: None };
    let admitted = admit(owner, namespace, labels.as_ref());
    assert_eq!(live.refuses(namespace, labels.as_ref(), &[]).is_none(), admitted.is_some());
    match admitted {
        Some(admission) => CredentialInput::Usable(UsableCredential {
            credential: reference.clone(),
            admission,
            ..as_is.clone()
        }),
        None => CredentialInput::NotLent(reference.clone()),
    }
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
        uid: "of-the-credential".into(),
        tenant: TenantId::parse(tenant).unwrap(),
        client: ClientId::parse(APP).unwrap(),
        allowed_scopes: scopes,
        terminating: false,
        admission: admission(),
        last_material: false,
        held: true,
    }
}

/// That of a namespace to its own.
fn admission() -> Admission {
    admit(Owner::Namespace("hub"), "hub", None).unwrap()
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

/// A claim of the object in this tenant, made with this credential.
fn claim(tenant: &str, with: &CredentialRef) -> Claim {
    serde_json::from_value(json!({
        "uid": "u", "phase": "Held", "origin": "Created", "tenantId": tenant, "bodyHash": "x",
        "credentialRef": {"kind": with.kind.as_str(), "name": with.name}, "since": "2027-01-15T08:00:00Z",
    }))
    .unwrap()
}

/// A matrix that refuses all would prove nothing.
fn enough(cases: u32, signed: u32) {
    assert!(cases >= 1_000, "{cases} cases");
    assert!(signed >= 100, "{signed} of {cases} may sign");
}
