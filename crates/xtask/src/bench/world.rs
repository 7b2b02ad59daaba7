//! What the bench is about: an Azure with as many subscriptions and networks as it takes, and the objects that name
//! them.

use serde_json::{Value, json};

/// The namespace of every object.
pub(crate) const NAMESPACE: &str = "bench";

/// The manager's tenant.
pub(crate) const CENTRAL: &str = "24680975-1234-abcd-56ef-121314ab5643";
/// The other tenant.
pub(crate) const TARGET: &str = "12345678-12a3-4abc-5cde-678909876543";
/// The application.
pub(crate) const APP: &str = "a0a0a0a0-1111-2222-3333-444444444444";
/// Its secret.
pub(crate) const SECRET: &str = "emulator-secret";
const HUB: &str = "/subscriptions/13579864-1234-5678-abcd-0987654321ab";

/// The network manager.
pub(crate) fn manager() -> String {
    format!("{HUB}/resourceGroups/hub/providers/Microsoft.Network/networkManagers/nm")
}

/// Its group.
pub(crate) fn group() -> String {
    format!("{}/networkGroups/members", manager())
}

/// The nth subscription of the target tenant.
pub(crate) fn subscription(n: usize) -> String {
    format!("/subscriptions/87654321-abcd-1234-1def-{n:012}")
}

/// The nth network, in the first of them.
pub(crate) fn network(n: usize) -> String {
    format!(
        "{}/resourceGroups/spokes/providers/Microsoft.Network/virtualNetworks/spoke{n:05}",
        subscription(0)
    )
}

/// The emulator's world: JSON is YAML, too.
pub(crate) fn azure(subscriptions: usize, networks: usize) -> Value {
    let in_target = |n: usize| json!({"id": subscription(n).rsplit('/').next(), "tenant": TARGET, "managementGroup": "all"});
    let mut all = vec![json!({"id": HUB.rsplit('/').next(), "tenant": CENTRAL})];
    all.extend((0..subscriptions).map(in_target));
    let roles = |scope: &str| json!([{"scope": scope, "role": "Network Contributor"}]);
    json!({
        "tenants": [{"id": CENTRAL, "name": "central"}, {"id": TARGET, "name": "target"}],
        "managementGroups": [{"name": "all", "tenant": TARGET}],
        "subscriptions": all,
        "managers": [{
            "id": manager(),
            "location": "eastus2",
            "networkManagerScopes": {"subscriptions": [HUB]},
            "networkManagerScopeAccesses": ["Connectivity"],
        }],
        "networkGroups": [{"id": group(), "memberType": "VirtualNetwork"}],
        "virtualNetworks": (0..networks).map(|n| json!({"id": network(n), "location": "eastus2"})).collect::<Vec<_>>(),
        "apps": [{
            "clientId": APP,
            "homeTenant": CENTRAL,
            "secrets": [SECRET],
            "servicePrincipals": [
                {"tenant": CENTRAL, "roles": roles(HUB)},
                {"tenant": TARGET, "roles": roles("/providers/Microsoft.Management/managementGroups/all")},
            ],
        }],
    })
}

/// Namespace, secret, the right to read it, and a credential for each tenant: one file for kubectl.
pub(crate) fn before() -> String {
    let rbac = "rbac.authorization.k8s.io";
    let credential = |name: &str, tenant: &str| {
        json!({
            "apiVersion": "avnm.dev/v1alpha1", "kind": "TenantCredential",
            "metadata": {"name": name, "namespace": NAMESPACE},
            "spec": {
                "tenantId": tenant, "clientId": APP,
                "clientSecret": {"secretRef": {"name": "app", "key": "client-secret"}},
            },
        })
    };
    let all = [
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}),
        json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "app", "namespace": NAMESPACE},
            "stringData": {"client-secret": SECRET},
        }),
        json!({
            "apiVersion": format!("{rbac}/v1"), "kind": "Role",
            "metadata": {"name": "secrets", "namespace": NAMESPACE},
            "rules": [{"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["app"], "verbs": ["get"]}],
        }),
        json!({
            "apiVersion": format!("{rbac}/v1"), "kind": "RoleBinding",
            "metadata": {"name": "secrets", "namespace": NAMESPACE},
            "roleRef": {"apiGroup": rbac, "kind": "Role", "name": "secrets"},
            "subjects": [{"kind": "ServiceAccount", "name": "avnm-operator", "namespace": "avnm-system"}],
        }),
        credential("central", CENTRAL),
        credential("target", TARGET),
    ];
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n---\n")
}

/// The connection to the nth subscription, both halves ours.
pub(crate) fn connection(n: usize) -> Value {
    let half = |credential: &str| json!({"credentialRef": {"kind": "TenantCredential", "name": credential}});
    json!({
        "apiVersion": "avnm.dev/v1alpha1", "kind": "CrossTenantConnection",
        "metadata": {"name": connection_name(n), "namespace": NAMESPACE},
        "spec": {
            "networkManagerId": manager(),
            "target": {"tenantId": TARGET, "scope": subscription(n)},
            "scopeConnection": half("central"),
            "networkManagerConnection": half("target"),
        },
    })
}

/// Its name.
pub(crate) fn connection_name(n: usize) -> String {
    format!("link{n:03}")
}

/// The member of the nth network, through the connection to the first subscription.
pub(crate) fn member(n: usize) -> Value {
    json!({
        "apiVersion": "avnm.dev/v1alpha1", "kind": "StaticMember",
        "metadata": {"name": member_name(n), "namespace": NAMESPACE},
        "spec": {
            "networkGroupId": group(),
            "resourceId": network(n),
            "connectionRef": {"name": connection_name(0)},
        },
    })
}

/// Its name.
pub(crate) fn member_name(n: usize) -> String {
    format!("spoke{n:05}")
}
