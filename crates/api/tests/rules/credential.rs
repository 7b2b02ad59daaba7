//! `TenantCredential`.

use avnm_terms::ArmId;
use serde_json::{Value, json};

use crate::{Row, changed, made, said, with};

const KIND: &str = "TenantCredential";
const SCOPES: &str = "write each scope as an ARM id of whole segments, such as /subscriptions/GUID or /providers/Microsoft.Management/managementGroups/NAME: it begins with '/', does not end with one, and has no '//' and no '..'";

fn object() -> Value {
    json!({
        "apiVersion": "avnm.dev/v1alpha1", "kind": KIND, "metadata": {"name": "central", "namespace": "hub"},
        "spec": {
            "tenantId": "24680975-1234-abcd-56ef-121314ab5643",
            "clientId": "a0a0a0a0-1111-2222-3333-444444444444",
            "clientSecret": {"secretRef": {"name": "app", "key": "client-secret"}},
        }
    })
}

fn spec(patch: &Value) -> Value {
    with(object(), &json!({"spec": patch}))
}

fn scopes(all: &[&str]) -> Value {
    spec(&json!({"allowedScopes": all}))
}

pub(crate) fn rows() -> Vec<Row> {
    let other = "00000000-1234-abcd-56ef-121314ab5643";
    vec![
        Row {
            kind: KIND,
            path: "spec",
            says: "set exactly one way to sign in: clientSecret",
            accepts: vec![made(object())],
            refuses: vec![made(spec(&json!({"clientSecret": null})))],
        },
        Row {
            kind: KIND,
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
            kind: KIND,
            path: "spec.tenantId",
            says: "tenantId is immutable: create another TenantCredential and point the references to it",
            accepts: vec![changed(object(), spec(&json!({"clientSecret": {"secretRef": {"key": "new"}}})))],
            refuses: vec![changed(object(), spec(&json!({"tenantId": other})))],
        },
        Row {
            kind: KIND,
            path: "spec.clientId",
            says: "write the application's client id, a GUID: 8-4-4-4-12 hexadecimal digits",
            accepts: vec![made(object())],
            refuses: ["app", "", "{a0a0a0a0-1111-2222-3333-444444444444}"]
                .map(|id| made(spec(&json!({"clientId": id}))))
                .into(),
        },
        Row {
            kind: KIND,
            path: "spec.clientId",
            says: "clientId is immutable: create another TenantCredential and point the references to it",
            accepts: vec![changed(object(), scopes(&["/subscriptions/x"]))],
            refuses: vec![changed(object(), spec(&json!({"clientId": other})))],
        },
        Row {
            kind: KIND,
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
            kind: KIND,
            path: "spec.allowedScopes",
            says: SCOPES,
            accepts: vec![
                made(scopes(&[
                    "/subscriptions/87654321-abcd-1234-1def-0987654321ab",
                    "/providers/Microsoft.Management/managementGroups/mg",
                ])),
                made(scopes(&["/subscriptions/x/resourceGroups/my_rg(1).a-b..c"])),
                made(scopes(&["/a"; 64])),
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
                made(scopes(&["*"])),
                made(scopes(&["/subscriptions/*"])),
                made(scopes(&["/subscriptions/x?y"])),
                made(scopes(&["/subscriptions/x y"])),
                made(scopes(&["/subscriptions/x\n"])),
            ],
        },
    ]
}

/// A scope that the server takes and the operator cannot read would allow nothing, and nobody would be told.
#[test]
fn a_scope_is_accepted_exactly_if_the_operator_can_read_it() {
    let segments =
        ["", ".", "..", "...", "a", "a.b", ".a", "a..", "(a)", "a b", "a%2f", "ä", "\n", &"a".repeat(261)];
    for it in segments {
        for text in [
            format!("/{it}"),
            format!("/a/{it}"),
            format!("/{it}/a"),
            format!("/a/{it}/a"),
            format!("{it}/a"),
        ] {
            let accepted = said(KIND, &made(scopes(&[&text]))).is_empty();
            assert_eq!(accepted, text.starts_with('/') && ArmId::parse(&text).is_ok(), "{text:?}");
        }
    }
}
