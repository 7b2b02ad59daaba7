//! `StaticMember`.

use serde_json::{Value, json};

use crate::{CHARACTER, Case, GROUPS, Row, STRANGE, changed, made, with};

const KIND: &str = "StaticMember";
const GROUP: &str = "/subscriptions/13579864-1234-5678-abcd-0987654321ab/resourceGroups/rg/providers/Microsoft.Network/networkManagers/nm/networkGroups/g";
const NETWORK: &str = "/subscriptions/87654321-abcd-1234-1def-0987654321ab/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v";

/// Named after the object, with the credentials of a connection.
fn object() -> Value {
    json!({
        "apiVersion": "avnm.dev/v1alpha1", "kind": KIND, "metadata": {"name": "vnet", "namespace": "hub"},
        "spec": {"networkGroupId": GROUP, "resourceId": NETWORK, "connectionRef": {"name": "link"}},
    })
}

fn spec(patch: &Value) -> Value {
    with(object(), &json!({"spec": patch}))
}

pub(crate) fn rows() -> Vec<Row> {
    of_the_name().into_iter().chain(of_references()).chain(of_the_network()).collect()
}

fn of_the_name() -> Vec<Row> {
    let named = |name: &str| spec(&json!({"memberName": name}));
    let too_long = |object: Value| with(object, &json!({"metadata": {"name": "n".repeat(65)}}));
    vec![
        Row {
            kind: KIND,
            path: "",
            says: "metadata.name is too long for a name in Azure (64 characters): set spec.memberName",
            accepts: vec![made(object()), made(too_long(named("short")))],
            refuses: vec![made(too_long(object()))],
        },
        Row {
            kind: KIND,
            path: "",
            says: "spec.memberName is immutable: create another StaticMember and delete this one",
            accepts: vec![
                changed(object(), spec(&json!({"adoptionPolicy": "Never"}))),
                changed(object(), named("vnet")),
                changed(named("vnet"), object()),
                changed(object(), named("VNet")),
                changed(named("crossTenantMember"), named("CrosstenantMember")),
            ],
            refuses: vec![
                changed(object(), named("other")),
                changed(named("other"), object()),
                changed(named("a"), named("b")),
            ],
        },
        Row {
            kind: KIND,
            path: "spec.memberName",
            says: "write 1 to 64 letters, digits, '_', '.', '-', beginning with a letter or digit; left out, it is metadata.name",
            accepts: ["a", "crossTenantMember", &"a".repeat(64)].map(|name| made(named(name))).into(),
            refuses: ["", "-a", "a b", "a/b", "..", &"a".repeat(65)].map(|name| made(named(name))).into(),
        },
    ]
}

/// What it refers to beside the network.
fn of_references() -> Vec<Row> {
    let group = |id: &str| spec(&json!({"networkGroupId": id}));
    let credential = json!({"kind": "TenantCredential", "name": "c"});
    vec![
        Row {
            kind: KIND,
            path: "spec",
            says: "set connectionRef (a CrossTenantConnection whose credentials are used) or credentialRef (a credential of the manager's tenant), or both",
            accepts: vec![
                made(object()),
                made(spec(&json!({"credentialRef": credential}))),
                made(spec(&json!({"connectionRef": null, "credentialRef": credential}))),
            ],
            refuses: vec![
                made(spec(&json!({"connectionRef": null}))),
                // That one signs for the network only.
                made(spec(&json!({"connectionRef": null, "resourceCredentialRef": credential}))),
            ],
        },
        Row {
            kind: KIND,
            path: "spec.networkGroupId",
            says: "write the id of a network group: /subscriptions/GUID/resourceGroups/NAME/providers/Microsoft.Network/networkManagers/NAME/networkGroups/NAME",
            accepts: [made(object()), made(group(&GROUP.replace("networkGroups", "NETWORKGROUPS")))]
                .into_iter()
                .chain(GROUPS.map(|it| made(group(&GROUP.replace("/rg/", &format!("/{it}/"))))))
                .collect(),
            refuses: [
                "",
                NETWORK,
                GROUP.trim_end_matches("/networkGroups/g"),
                &format!("{GROUP}/staticMembers/m"),
                &format!("{GROUP}/"),
                &GROUP.replace("networkGroups/g", "networkGroups/.."),
                &GROUP.replace("/rg/", "/../"),
            ]
            .map(|id| made(group(id)))
            .into(),
        },
        Row {
            kind: KIND,
            path: "spec.networkGroupId",
            says: CHARACTER,
            accepts: vec![made(object())],
            refuses: STRANGE.map(|it| made(group(&GROUP.replace("/rg/", &format!("/a{it}b/"))))).into(),
        },
        Row {
            kind: KIND,
            path: "spec.networkGroupId",
            says: "networkGroupId is immutable: create another StaticMember and delete this one",
            accepts: vec![
                changed(object(), group(&GROUP.to_uppercase())),
                changed(
                    group(&GROUP.replace("/rg/", "/Instruktører/")),
                    group(&GROUP.replace("/rg/", "/instruktØrer/")),
                ),
                changed(object(), spec(&json!({"connectionRef": {"name": "other"}}))),
            ],
            refuses: vec![changed(object(), group(&format!("{GROUP}2")))],
        },
    ]
}

/// The network.
fn of_the_network() -> Vec<Row> {
    let network = |id: &str| spec(&json!({"resourceId": id}));
    vec![
        Row {
            kind: KIND,
            path: "spec.resourceId",
            says: "write the id of a virtual network or subnet: /subscriptions/GUID/resourceGroups/NAME/providers/Microsoft.Network/virtualNetworks/NAME[/subnets/NAME]",
            accepts: vec![
                made(object()),
                made(network(&format!("{NETWORK}/subnets/s"))),
                made(network(&NETWORK.replace("virtualNetworks", "virtualnetworks"))),
            ]
            .into_iter()
            .chain(GROUPS.map(in_group))
            .collect(),
            refuses: [
                "",
                GROUP,
                "/subscriptions/x/y",
                &format!("{NETWORK}/subnets"),
                &format!("{NETWORK}/peerings/p"),
                &format!("{NETWORK}/subnets/s/x"),
                &NETWORK.replace("/rg/", "/../"),
            ]
            .map(|id| made(network(id)))
            .into(),
        },
        Row {
            kind: KIND,
            path: "spec.resourceId",
            says: CHARACTER,
            accepts: vec![made(object())],
            refuses: STRANGE.map(|it| made(network(&NETWORK.replace("/rg/", &format!("/a{it}b/"))))).into(),
        },
        Row {
            kind: KIND,
            path: "spec.resourceId",
            says: "resourceId is immutable: create another StaticMember and delete this one",
            accepts: vec![
                changed(object(), network(&NETWORK.to_uppercase())),
                changed(
                    network(&NETWORK.replace("/rg/", "/Instruktører/")),
                    network(&NETWORK.replace("/rg/", "/instruktØrer/")),
                ),
                changed(object(), spec(&json!({"mode": "Observe", "suspend": true}))),
            ],
            refuses: vec![changed(object(), network(&format!("{NETWORK}/subnets/s")))],
        },
    ]
}

/// A member of a network in this resource group.
pub(crate) fn in_group(name: &str) -> Case {
    made(spec(&json!({"resourceId": NETWORK.replace("/rg/", &format!("/{name}/"))})))
}
