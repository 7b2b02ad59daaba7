//! `TenantCredential` and `ClusterTenantCredential`.

use avnm_terms::ArmId;
use serde_json::{Value, json};

use crate::{CHARACTER, GROUPS, Row, STRANGE, changed, made, said, with};

const NAMESPACED: &str = "TenantCredential";
const CLUSTER: &str = "ClusterTenantCredential";
const SCOPES: &str = "write each scope as an ARM id of whole segments, such as /subscriptions/GUID or /providers/Microsoft.Management/managementGroups/NAME: it begins with '/', does not end with one, and has no '//' and no '..'";

fn object(kind: &str) -> Value {
    json!({
        "apiVersion": "avnm.dev/v1alpha1", "kind": kind, "metadata": {"name": "central", "namespace": "hub"},
        "spec": {
            "tenantId": "24680975-1234-abcd-56ef-121314ab5643",
            "clientId": "a0a0a0a0-1111-2222-3333-444444444444",
            "clientSecret": {"secretRef": {"name": "app", "key": "client-secret"}},
        }
    })
}

pub(crate) fn rows() -> Vec<Row> {
    let of_both =
        |kind| [of_signing_in(kind), of_ids(kind), of_scopes(kind)].into_iter().flatten().collect::<Vec<_>>();
    [NAMESPACED, CLUSTER].into_iter().flat_map(of_both).chain(of_the_cluster_kind()).collect()
}

fn of_signing_in(kind: &'static str) -> Vec<Row> {
    let object = || object(kind);
    let spec = |patch: &Value| with(object(), &json!({"spec": patch}));
    let by = |method: &str, value: Value| spec(&json!({"clientSecret": null, method: value}));
    let account = json!({"name": "avnm"});
    let certificate = json!({"secretRef": {"name": "tls"}});
    vec![Row {
        kind,
        path: "spec",
        says: if kind == CLUSTER {
            "set exactly one way to sign in: serviceAccount, workloadIdentity, managedIdentity, clientSecret or clientCertificate"
        } else {
            "set exactly one way to sign in: serviceAccount, clientSecret or clientCertificate"
        },
        accepts: vec![
            made(object()),
            made(by("serviceAccount", account.clone())),
            made(by("clientCertificate", certificate.clone())),
            made(by("clientCertificate", json!({"secretRef": {"name": "pem", "key": "both.pem"}}))),
            changed(object(), by("serviceAccount", account.clone())),
        ],
        refuses: vec![
            made(spec(&json!({"clientSecret": null}))),
            made(spec(&json!({"serviceAccount": account}))),
            made(spec(&json!({"clientCertificate": certificate}))),
        ],
    }]
}

/// Whom it signs in as, and where.
fn of_ids(kind: &'static str) -> Vec<Row> {
    let other = "00000000-1234-abcd-56ef-121314ab5643";
    let object = || object(kind);
    let spec = |patch: &Value| with(object(), &json!({"spec": patch}));
    let immutable = |field: &str| -> &'static str {
        match (field, kind) {
            ("tenantId", NAMESPACED) => {
                "tenantId is immutable: create another TenantCredential and point the references to it"
            }
            ("tenantId", _) => {
                "tenantId is immutable: create another ClusterTenantCredential and point the references to it"
            }
            (_, NAMESPACED) => {
                "clientId is immutable: create another TenantCredential and point the references to it"
            }
            _ => {
                "clientId is immutable: create another ClusterTenantCredential and point the references to it"
            }
        }
    };
    vec![
        Row {
            kind,
            path: "spec.tenantId",
            says: "write the tenant's GUID: 8-4-4-4-12 hexadecimal digits",
            accepts: vec![
                made(object()),
                made(spec(&json!({"tenantId": "24680975-1234-ABCD-56EF-121314AB5643"}))),
            ],
            refuses: [
                "fabrikam.com",
                "24680975-1234-abcd-56fg-121314ab5643",
                "24680975-1234-abcd-56ef-121314ab564",
            ]
            .map(|id| made(spec(&json!({"tenantId": id}))))
            .into(),
        },
        Row {
            kind,
            path: "spec.tenantId",
            says: immutable("tenantId"),
            accepts: vec![
                changed(object(), spec(&json!({"clientSecret": {"secretRef": {"key": "new"}}}))),
                changed(object(), spec(&json!({"tenantId": "24680975-1234-ABCD-56EF-121314AB5643"}))),
            ],
            refuses: vec![changed(object(), spec(&json!({"tenantId": other})))],
        },
        Row {
            kind,
            path: "spec.clientId",
            says: "write the application's client id, a GUID: 8-4-4-4-12 hexadecimal digits",
            accepts: vec![made(object())],
            refuses: ["app", "", "{a0a0a0a0-1111-2222-3333-444444444444}"]
                .map(|id| made(spec(&json!({"clientId": id}))))
                .into(),
        },
        Row {
            kind,
            path: "spec.clientId",
            says: immutable("clientId"),
            accepts: vec![
                changed(object(), spec(&json!({"allowedScopes": ["/subscriptions/x"]}))),
                changed(object(), spec(&json!({"clientId": "A0A0A0A0-1111-2222-3333-444444444444"}))),
            ],
            refuses: vec![changed(object(), spec(&json!({"clientId": other})))],
        },
    ]
}

fn of_scopes(kind: &'static str) -> Vec<Row> {
    let object = || object(kind);
    let scopes = |all: &[&str]| with(object(), &json!({"spec": {"allowedScopes": all}}));
    vec![
        Row {
            kind,
            path: "spec.allowedScopes",
            says: "leave allowedScopes out to restrict nothing, or list at least one ARM id: an empty list would allow nothing",
            accepts: vec![
                made(object()),
                made(scopes(&["/subscriptions/x"])),
                changed(scopes(&["/a"]), object()),
            ],
            refuses: vec![made(scopes(&[])), changed(object(), scopes(&[]))],
        },
        Row {
            kind,
            path: "spec.allowedScopes",
            says: SCOPES,
            accepts: vec![
                made(scopes(&[
                    "/subscriptions/87654321-abcd-1234-1def-0987654321ab",
                    "/providers/Microsoft.Management/managementGroups/mg",
                ])),
                made(scopes(&["/subscriptions/x/resourceGroups/my_rg(1).a-b..c"])),
                made(scopes(&["/a"; 64])),
                made(scopes(
                    &GROUPS
                        .map(|it| format!("/subscriptions/x/resourceGroups/{it}"))
                        .each_ref()
                        .map(String::as_str),
                )),
            ],
            refuses: vec![
                made(scopes(&["subscriptions/x"])),
                made(scopes(&["/subscriptions/x", "/subscriptions/y/"])),
                made(scopes(&["/subscriptions//x"])),
                made(scopes(&["/subscriptions/../x"])),
                made(scopes(&["/subscriptions/x/.."])),
                made(scopes(&["/./x"])),
                made(scopes(&["/"])),
                made(scopes(&[""])),
                made(scopes(&["/subscriptions/x\n"])),
            ],
        },
        Row {
            kind,
            path: "spec.allowedScopes",
            says: CHARACTER,
            accepts: vec![made(object())],
            refuses: STRANGE
                .map(|it| made(scopes(&["/a", &format!("/subscriptions/x/resourceGroups/a{it}")])))
                .into_iter()
                .chain(["*", "/subscriptions/*", "/subscriptions/x?y"].map(|it| made(scopes(&[it]))))
                .collect(),
        },
    ]
}

/// What only the cluster kind has.
fn of_the_cluster_kind() -> Vec<Row> {
    let spec = |patch: &Value| with(object(CLUSTER), &json!({"spec": patch}));
    let identity = |value: Value| spec(&json!({"clientSecret": null, "managedIdentity": value}));
    let id = "a0a0a0a0-1111-2222-3333-444444444444";
    let resource =
        "/subscriptions/x/resourceGroups/r/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i";
    let selected = |expression: Value| {
        spec(
            &json!({"allowedNamespaces": {"names": ["hub"], "selector": {"matchLabels": {"team": "a"}, "matchExpressions": [expression]}}}),
        )
    };
    vec![
        Row {
            kind: CLUSTER,
            path: "spec.managedIdentity",
            says: "name the managed identity by exactly one of clientId and resourceId",
            accepts: vec![
                made(identity(json!({"clientId": id}))),
                made(identity(json!({"resourceId": resource}))),
                made(spec(&json!({"clientSecret": null, "workloadIdentity": {}}))),
            ],
            refuses: vec![
                made(identity(json!({}))),
                made(identity(json!({"clientId": id, "resourceId": resource}))),
            ],
        },
        Row {
            kind: CLUSTER,
            path: "spec.managedIdentity.clientId",
            says: "write the managed identity's client id, a GUID: 8-4-4-4-12 hexadecimal digits",
            accepts: vec![made(identity(json!({"clientId": id})))],
            refuses: vec![made(identity(json!({"clientId": "my-identity"})))],
        },
        Row {
            kind: CLUSTER,
            path: "spec.managedIdentity.resourceId",
            says: "write the managed identity's ARM id: /subscriptions/GUID/resourceGroups/NAME/providers/Microsoft.ManagedIdentity/userAssignedIdentities/NAME",
            accepts: vec![made(identity(json!({"resourceId": resource})))],
            refuses: ["my-identity", "/subscriptions/../x", "/a/", "/a\nb"]
                .map(|id| made(identity(json!({"resourceId": id}))))
                .into(),
        },
        Row {
            kind: CLUSTER,
            path: "spec.managedIdentity.resourceId",
            says: CHARACTER,
            accepts: vec![made(identity(json!({"resourceId": resource.replace("/r/", "/Instruktører/")})))],
            refuses: vec![made(identity(json!({"resourceId": "/a&client_id=b"})))],
        },
        Row {
            kind: CLUSTER,
            path: "spec.allowedNamespaces.names",
            says: "write each namespace's name, or leave names out: an empty item lends to nobody",
            accepts: vec![
                made(spec(&json!({"allowedNamespaces": {"names": ["hub", "a-1", "0"]}}))),
                made(spec(&json!({"allowedNamespaces": {"names": []}}))),
            ],
            refuses: ["", "Hub", "a/b", "*", "-a", "a."]
                .map(|name| made(spec(&json!({"allowedNamespaces": {"names": ["hub", name]}}))))
                .into(),
        },
        Row {
            kind: CLUSTER,
            path: "spec.allowedNamespaces.selector.matchExpressions[0]",
            says: "give values with In and NotIn, and none with Exists and DoesNotExist",
            accepts: vec![
                made(selected(json!({"key": "team", "operator": "In", "values": ["a", "b"]}))),
                made(selected(json!({"key": "team", "operator": "DoesNotExist"}))),
                made(spec(&json!({"allowedNamespaces": {}}))),
                made(spec(&json!({"allowedNamespaces": {"selector": {}}}))),
            ],
            refuses: vec![
                made(selected(json!({"key": "team", "operator": "In"}))),
                made(selected(json!({"key": "team", "operator": "NotIn", "values": []}))),
                made(selected(json!({"key": "team", "operator": "Exists", "values": ["a"]}))),
            ],
        },
    ]
}

/// A scope that the server takes and the operator cannot read would allow nothing, and nobody would be told.
#[test]
fn a_scope_is_accepted_exactly_if_the_operator_can_read_it() {
    let segments = [
        "",
        ".",
        "..",
        "...",
        "a",
        "a.b",
        ".a",
        "a..",
        "(a)",
        "a b",
        "a%2f",
        "ä",
        "½",
        "𝐀",
        "e\u{301}",
        "\n",
        &"a".repeat(261),
        &"ø".repeat(260),
    ];
    for it in segments {
        for text in [
            format!("/{it}"),
            format!("/a/{it}"),
            format!("/{it}/a"),
            format!("/a/{it}/a"),
            format!("{it}/a"),
        ] {
            let object = with(object(NAMESPACED), &json!({"spec": {"allowedScopes": [text]}}));
            let accepted = said(NAMESPACED, &made(object)).is_empty();
            assert_eq!(accepted, text.starts_with('/') && ArmId::parse(&text).is_ok(), "{text:?}");
        }
    }
}
