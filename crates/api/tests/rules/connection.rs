//! `CrossTenantConnection`.

use serde_json::{Value, json};

use crate::{CHARACTER, Case, GROUPS, Row, STRANGE, changed, made, with};

const KIND: &str = "CrossTenantConnection";
const MANAGER: &str = "/subscriptions/13579864-1234-5678-abcd-0987654321ab/resourceGroups/rg/providers/Microsoft.Network/networkManagers/nm";
const NAME: &str = "write 1 to 64 letters, digits, '_', '.', '-', beginning with a letter or digit; left out, it is metadata.name";
const EXTERNAL: &str = "an external half is someone else's: leave out name and description";

fn half() -> Value {
    json!({"credentialRef": {"kind": "TenantCredential", "name": "c"}})
}

/// Both halves ours, named after the object.
fn object() -> Value {
    json!({
        "apiVersion": "avnm.dev/v1alpha1", "kind": KIND, "metadata": {"name": "link", "namespace": "hub"},
        "spec": {
            "networkManagerId": MANAGER,
            "target": {
                "tenantId": "12345678-12a3-4abc-5cde-678909876543",
                "scope": "/subscriptions/87654321-abcd-1234-1def-0987654321ab",
            },
            "scopeConnection": half(),
            "networkManagerConnection": half(),
        }
    })
}

fn spec(patch: &Value) -> Value {
    with(object(), &json!({"spec": patch}))
}

fn field(path: &str, value: &str) -> Value {
    let patch = path.rsplit('.').fold(json!(value), |inner, name| json!({name: inner}));
    spec(&patch)
}

/// The same with a name that Kubernetes takes and Azure does not.
fn too_long(object: Value) -> Value {
    with(object, &json!({"metadata": {"name": "n".repeat(65)}}))
}

pub(crate) fn rows() -> Vec<Row> {
    let halves = ["scopeConnection", "networkManagerConnection"].into_iter().flat_map(of_half);
    of_the_manager().into_iter().chain(of_the_target()).chain(halves).collect()
}

/// Whether there is a half at all, and the network manager.
fn of_the_manager() -> Vec<Row> {
    vec![
        Row {
            kind: KIND,
            path: "spec",
            says: "declare at least one half: spec.scopeConnection, spec.networkManagerConnection, or both",
            accepts: vec![
                made(object()),
                made(spec(&json!({"scopeConnection": null}))),
                made(spec(&json!({"networkManagerConnection": null}))),
            ],
            refuses: vec![made(spec(&json!({"scopeConnection": null, "networkManagerConnection": null})))],
        },
        Row {
            kind: KIND,
            path: "spec.networkManagerId",
            says: "write the id of a network manager: /subscriptions/GUID/resourceGroups/NAME/providers/Microsoft.Network/networkManagers/NAME",
            accepts: vec![
                made(object()),
                made(field(
                    "networkManagerId",
                    &MANAGER
                        .replace("/subscriptions", "/SUBSCRIPTIONS")
                        .replace("Microsoft.Network", "microsoft.network"),
                )),
                made(field("networkManagerId", &MANAGER.replace("/rg/", "/my_rg(1).a-b/"))),
                made(field("networkManagerId", &MANAGER.replace("/rg/", &format!("/{}/", "ø".repeat(90))))),
            ]
            .into_iter()
            .chain(GROUPS.map(in_group))
            .collect(),
            refuses: [
                "",
                "/subscriptions/x",
                MANAGER.trim_start_matches('/'),
                &format!("{MANAGER}/"),
                &format!("{MANAGER}/networkGroups/g"),
                &format!("{MANAGER}\n"),
                &MANAGER.replace("/rg/", &format!("/{}/", "ø".repeat(91))),
                &MANAGER.replace("/rg/", "/ø./"),
                &MANAGER.replace("/rg/", "//"),
                &MANAGER.replace("/nm", "/nmø"),
                &MANAGER.replace("/rg/", "/../"),
                &MANAGER.replace("/rg/", "/./"),
                // Azure lets no name of a resource group or management group end with a dot, and so no ".." either.
                &MANAGER.replace("/rg/", "/rg./"),
                &MANAGER.replace("13579864", "1357986g"),
            ]
            .map(|id| made(field("networkManagerId", id)))
            .into(),
        },
        Row {
            kind: KIND,
            path: "spec.networkManagerId",
            says: "networkManagerId is immutable: create another CrossTenantConnection and delete this one",
            accepts: vec![
                changed(object(), spec(&json!({"mode": "Observe"}))),
                // Azure's ids have no casing.
                changed(object(), field("networkManagerId", &MANAGER.to_uppercase())),
                changed(
                    object(),
                    field("networkManagerId", &MANAGER.replace("resourceGroups", "resourcegroups")),
                ),
                changed(in_group("Instruktører.(1)").new, in_group("INSTRUKTØRER.(1)").new),
                changed(in_group("ΣΊΣΥΦΟΣ").new, in_group("σίσυφος").new),
            ],
            refuses: vec![
                changed(object(), field("networkManagerId", &format!("{MANAGER}2"))),
                changed(object(), field("networkManagerId", &MANAGER.replace("/rg/", "/rg2/"))),
                // A dot is a dot, and parentheses are parentheses.
                changed(in_group("a.b").new, in_group("axb").new),
                changed(in_group("a(1)").new, in_group("a1").new),
                changed(in_group("Straße").new, in_group("Strasse").new),
                changed(in_group("ø").new, in_group("o").new),
            ],
        },
        Row {
            kind: KIND,
            path: "spec.networkManagerId",
            says: CHARACTER,
            accepts: vec![made(object())],
            refuses: STRANGE
                .map(|it| in_group(&format!("a{it}b")))
                .into_iter()
                .chain([
                    made(field("networkManagerId", &format!("{MANAGER}?x=1"))),
                    made(field("networkManagerId", &format!("https://evil.example{MANAGER}"))),
                ])
                .collect(),
        },
    ]
}

fn in_group(name: &str) -> Case {
    made(field("networkManagerId", &MANAGER.replace("/rg/", &format!("/{name}/"))))
}

fn of_the_target() -> Vec<Row> {
    vec![
        Row {
            kind: KIND,
            path: "spec.target.tenantId",
            says: "write the tenant's GUID: 8-4-4-4-12 hexadecimal digits",
            accepts: vec![
                made(object()),
                made(field("target.tenantId", "12345678-12A3-4ABC-5CDE-678909876543")),
            ],
            // The first is the one that Microsoft's how-to prints.
            refuses: ["24680975-1234-abcd-56fg-121314ab5643", "fabrikam.onmicrosoft.com", "", "common"]
                .map(|id| made(field("target.tenantId", id)))
                .into(),
        },
        Row {
            kind: KIND,
            path: "spec.target.tenantId",
            says: "target.tenantId is immutable: create another CrossTenantConnection and delete this one",
            accepts: vec![
                changed(object(), spec(&json!({"suspend": true}))),
                changed(object(), field("target.tenantId", "12345678-12A3-4ABC-5CDE-678909876543")),
            ],
            refuses: vec![changed(
                object(),
                field("target.tenantId", "00000000-12a3-4abc-5cde-678909876543"),
            )],
        },
        Row {
            kind: KIND,
            path: "spec.target.scope",
            says: "write /subscriptions/GUID or /providers/Microsoft.Management/managementGroups/NAME",
            accepts: vec![
                made(object()),
                made(field("target.scope", "/providers/Microsoft.Management/managementGroups/mg-1_(a).b")),
                made(field("target.scope", "/PROVIDERS/microsoft.management/MANAGEMENTGROUPS/mg")),
            ],
            refuses: [
                "",
                "/subscriptions/../x",
                "/subscriptions/87654321-abcd-1234-1def-0987654321ab/",
                "/subscriptions/87654321-abcd-1234-1def-0987654321ab/resourceGroups/rg",
                "/providers/Microsoft.Management/managementGroups/",
                "/providers/Microsoft.Management/managementGroups/..",
                "/providers/Microsoft.Management/managementGroups/a/b",
                "/providers/Microsoft.Management/managementGroups/a b",
                "87654321-abcd-1234-1def-0987654321ab",
            ]
            .map(|id| made(field("target.scope", id)))
            .into(),
        },
        Row {
            kind: KIND,
            path: "spec.target.scope",
            says: "target.scope is immutable: create another CrossTenantConnection and delete this one",
            accepts: vec![
                changed(object(), spec(&json!({"deletionPolicy": "Orphan"}))),
                changed(
                    object(),
                    field("target.scope", "/Subscriptions/87654321-ABCD-1234-1DEF-0987654321AB"),
                ),
                changed(management_group("mg-1_(a).b"), management_group("MG-1_(A).B")),
            ],
            refuses: vec![
                changed(management_group("mg.1"), management_group("mgx1")),
                changed(
                    object(),
                    field("target.scope", "/providers/Microsoft.Management/managementGroups/mg"),
                ),
            ],
        },
    ]
}

fn management_group(name: &str) -> Value {
    field("target.scope", &format!("/providers/Microsoft.Management/managementGroups/{name}"))
}

/// The rules that both halves have, each on its own field.
fn of_half(name: &'static str) -> Vec<Row> {
    let other = if name == "scopeConnection" { "networkManagerConnection" } else { "scopeConnection" };
    // Only this half, so that the other says nothing.
    let alone = |patch: Value| spec(&json!({name: patch, other: null}));
    let named = |text: &str| alone(json!({"name": text}));
    let external = || alone(json!({"external": true}));
    let [long, immutable, path, name_path] = match name {
        "scopeConnection" => [
            "metadata.name is too long for a name in Azure (64 characters): set spec.scopeConnection.name",
            "spec.scopeConnection.name is immutable: create another CrossTenantConnection and delete this one",
            "spec.scopeConnection",
            "spec.scopeConnection.name",
        ],
        _ => [
            "metadata.name is too long for a name in Azure (64 characters): set spec.networkManagerConnection.name",
            "spec.networkManagerConnection.name is immutable: create another CrossTenantConnection and delete this one",
            "spec.networkManagerConnection",
            "spec.networkManagerConnection.name",
        ],
    };
    vec![
        Row {
            kind: KIND,
            path: "",
            says: long,
            accepts: vec![
                made(object()),
                made(with(alone(json!({})), &json!({"metadata": {"name": "n".repeat(64)}}))),
                made(too_long(named("short"))),
                // Neither has a name of ours in Azure.
                made(too_long(external())),
                made(too_long(spec(&json!({name: null, other: {"name": "short"}})))),
            ],
            refuses: vec![
                made(too_long(alone(json!({})))),
                made(too_long(alone(json!({"external": false})))),
            ],
        },
        Row {
            kind: KIND,
            path: "",
            says: immutable,
            accepts: vec![
                changed(alone(json!({})), alone(json!({"description": "new"}))),
                // The effective name stays.
                changed(alone(json!({})), named("link")),
                // And so does its casing, to Azure.
                changed(alone(json!({})), named("Link")),
                changed(named("a"), named("A")),
                changed(named("link"), alone(json!({}))),
                // A half is added, taken out, or changes hands.
                changed(spec(&json!({name: null})), spec(&json!({name: {"name": "added"}}))),
                changed(spec(&json!({name: {"name": "a"}})), spec(&json!({name: null}))),
                changed(named("a"), external()),
                changed(external(), named("a")),
            ],
            refuses: vec![
                changed(named("a"), named("b")),
                changed(alone(json!({})), named("b")),
                changed(named("a"), alone(json!({}))),
            ],
        },
        Row {
            kind: KIND,
            path,
            says: EXTERNAL,
            accepts: vec![
                made(external()),
                made(alone(json!({"external": false, "name": "a", "description": "d"}))),
            ],
            refuses: vec![
                made(alone(json!({"external": true, "name": "a"}))),
                made(alone(json!({"external": true, "description": "d"}))),
            ],
        },
        Row {
            kind: KIND,
            path: name_path,
            says: NAME,
            accepts: ["a", "0", "To_Target-managed.Tenant", &"a".repeat(64)].map(|it| made(named(it))).into(),
            refuses: ["", "-a", "_a", ".", "..", "a b", "a/b", "ä", "a%2f", "a\n", &"a".repeat(65)]
                .map(|it| made(named(it)))
                .into(),
        },
    ]
}
