//! What the bench is about: an Azure with as many subscriptions, groups and networks as it takes, and the objects that
//! name them.

use serde_json::{Value, json};

/// The namespace of nearly every object.
pub(crate) const NAMESPACE: &str = "bench";
/// The namespace of who comes while others are at work.
pub(crate) const OTHER: &str = "other";
/// How many may come there.
const OTHERS: usize = 2;

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

/// The nth of its groups.
pub(crate) fn group(n: usize) -> String {
    format!("{}/networkGroups/members{n:03}", manager())
}

/// The group of who comes while others are at work.
fn other_group() -> String {
    format!("{}/networkGroups/others", manager())
}

/// The nth subscription of the target tenant.
pub(crate) fn subscription(n: usize) -> String {
    format!("/subscriptions/87654321-abcd-1234-1def-{n:012}")
}

/// The nth network, in the first of them.
pub(crate) fn network(n: usize) -> String {
    network_of(0, n)
}

fn network_of(subscription_number: usize, n: usize) -> String {
    format!(
        "{}/resourceGroups/spokes/providers/Microsoft.Network/virtualNetworks/{}",
        subscription(subscription_number),
        member_name(n)
    )
}

/// The emulator's world: JSON is YAML, too. The second subscription, where there is one, has networks, too.
pub(crate) fn azure(subscriptions: usize, networks: usize, groups: usize) -> Value {
    let in_target = |n: usize| json!({"id": subscription(n).rsplit('/').next(), "tenant": TARGET, "managementGroup": "all"});
    let mut all = vec![json!({"id": HUB.rsplit('/').next(), "tenant": CENTRAL})];
    all.extend((0..subscriptions).map(in_target));
    let roles = |scope: &str| json!([{"scope": scope, "role": "Network Contributor"}]);
    let group_ids = (0..groups).map(group).chain([other_group()]);
    let mut network_ids: Vec<String> = (0..networks).map(network).collect();
    if subscriptions > 1 {
        network_ids.extend((0..OTHERS).map(|n| network_of(1, n)));
    }
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
        "networkGroups": group_ids.map(|id| json!({"id": id, "memberType": "VirtualNetwork"})).collect::<Vec<_>>(),
        "virtualNetworks": network_ids.iter().map(|id| json!({"id": id, "location": "eastus2"})).collect::<Vec<_>>(),
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

/// A namespace, its secret, the right to read it, and a credential for each tenant: one file for kubectl.
pub(crate) fn before(namespace: &str) -> String {
    let rbac = "rbac.authorization.k8s.io";
    let credential = |name: &str, tenant: &str| {
        json!({
            "apiVersion": "avnm.dev/v1alpha1", "kind": "TenantCredential",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {
                "tenantId": tenant, "clientId": APP,
                "clientSecret": {"secretRef": {"name": "app", "key": "client-secret"}},
            },
        })
    };
    let all = [
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}),
        json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "app", "namespace": namespace},
            "stringData": {"client-secret": SECRET},
        }),
        json!({
            "apiVersion": format!("{rbac}/v1"), "kind": "Role",
            "metadata": {"name": "secrets", "namespace": namespace},
            "rules": [{"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["app"], "verbs": ["get"]}],
        }),
        json!({
            "apiVersion": format!("{rbac}/v1"), "kind": "RoleBinding",
            "metadata": {"name": "secrets", "namespace": namespace},
            "roleRef": {"apiGroup": rbac, "kind": "Role", "name": "secrets"},
            "subjects": [{"kind": "ServiceAccount", "name": "avnm-operator", "namespace": "avnm-system"}],
        }),
        credential("central", CENTRAL),
        credential("target", TARGET),
    ];
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n---\n")
}

/// The connection to the nth subscription, both halves ours.
pub(crate) fn connection(namespace: &str, n: usize) -> Value {
    let half = |credential: &str| json!({"credentialRef": {"kind": "TenantCredential", "name": credential}});
    json!({
        "apiVersion": "avnm.dev/v1alpha1", "kind": "CrossTenantConnection",
        "metadata": {"name": connection_name(n), "namespace": namespace},
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

fn member_of(namespace: &str, n: usize, (group, network, link): (String, String, usize)) -> Value {
    json!({
        "apiVersion": "avnm.dev/v1alpha1", "kind": "StaticMember",
        "metadata": {"name": member_name(n), "namespace": namespace},
        "spec": {
            "networkGroupId": group,
            "resourceId": network,
            "connectionRef": {"name": connection_name(link)},
        },
    })
}

/// The member of the nth network, through the connection to the first subscription; so many groups take turns.
pub(crate) fn member(n: usize, groups: usize) -> Value {
    member_of(NAMESPACE, n, (group(n % groups), network(n), 0))
}

/// The nth member of another namespace and group, through a connection of its own.
pub(crate) fn other_member(n: usize) -> Value {
    member_of(OTHER, n, (other_group(), network_of(1, n), 1))
}

/// The name of a member.
pub(crate) fn member_name(n: usize) -> String {
    format!("spoke{n:05}")
}

/// The id of the nth member in Azure.
pub(crate) fn member_id(n: usize, groups: usize) -> String {
    format!("{}/staticMembers/{}", group(n % groups), member_name(n))
}
