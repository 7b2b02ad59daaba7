//! Names that are no ids.

use avnm_api::{CrossTenantConnectionStatus, StaticMemberStatus};
use avnm_plan::{
    cross_tenant_connection::{self as connection, HalfInput, Halves, Standing},
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
    let user = 0;
    for id in hostile {
        for (manager, scope) in [(id, SCOPE), (MANAGER, id)] {
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
