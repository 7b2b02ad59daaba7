//! Names that are no ids.

use avnm_api::{CrossTenantConnectionStatus, StaticMemberStatus};
use avnm_plan::{
    cross_tenant_connection::{self as connection, HalfInput, Halves},
    static_member as member,
};
use serde_json::json;

use crate::*;

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
    let good = (
        format!("{MANAGER}/networkGroups/g"),
        format!("{SCOPE}/resourceGroups/r/providers/Microsoft.Network/virtualNetworks/v"),
    );
    // Nothing else stands in the way.
    assert!(is_connection(MANAGER, SCOPE) && is_member(&good.0, &good.1));
    for id in hostile {
        assert!(!is_connection(id, SCOPE), "{id:?} was read as the id of a manager");
        assert!(!is_connection(MANAGER, id), "{id:?} was read as a scope");
        assert!(!is_member(id, &good.1), "{id:?} was read as the id of a group");
        assert!(!is_member(&good.0, id), "{id:?} was read as the id of a network");
    }
}

/// Whether a connection of these is one that could be signed for.
fn is_connection(manager: &str, scope: &str) -> bool {
    let spec = json!({
        "networkManagerId": manager,
        "target": {"tenantId": TARGET, "scope": scope},
        "scopeConnection": {"credentialRef": {"kind": "TenantCredential", "name": "a"}},
        "networkManagerConnection": {"credentialRef": {"kind": "TenantCredential", "name": "b"}},
    });
    let fixed = |tenant| {
        let spec = Some(CredentialInput::Usable(usable(tenant, None)));
        HalfInput { spec, claim: None }
    };
    let inputs = connection::Inputs {
        meta: meta(0),
        spec: serde_json::from_value(spec).unwrap(),
        status: CrossTenantConnectionStatus::default(),
        credentials: Halves { scope: fixed(CENTRAL), target: fixed(TARGET) },
    };
    connection::desire(&inputs).is_ok_and(|desired| desired.items.iter().all(|half| half.signer.is_some()))
}

/// The same of a member.
fn is_member(group: &str, network: &str) -> bool {
    let fixed = |tenant| CredentialInput::Usable(usable(tenant, None));
    let spec = json!({
        "networkGroupId": group, "resourceId": network,
        "credentialRef": {"kind": "TenantCredential", "name": "a"},
    });
    let inputs = member::Inputs {
        meta: meta(0),
        spec: serde_json::from_value(spec).unwrap(),
        status: StaticMemberStatus::default(),
        connection: None,
        manager: vec![fixed(CENTRAL)],
        resource: Some(fixed(TARGET)),
    };
    member::desire(&inputs)
        .is_ok_and(|desired| desired.items[member::MEMBER].signer.is_some() && desired.refused.is_none())
}
