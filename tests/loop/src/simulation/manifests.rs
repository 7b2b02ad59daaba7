//! The objects of the reference lifecycles, in the emulator's default world.

use serde_json::{Value, json};

pub(crate) const MANAGER: &str = "/subscriptions/13579864-1234-5678-abcd-0987654321ab/resourceGroups/myAVNMResourceGroup/providers/Microsoft.Network/networkManagers/myAVNM";
pub(crate) const TARGET: &str = "/subscriptions/87654321-abcd-1234-1def-0987654321ab";
pub(crate) const TARGET_TENANT: &str = "12345678-12a3-4abc-5cde-678909876543";
pub(crate) const CENTRAL_TENANT: &str = "24680975-1234-abcd-56ef-121314ab5643";
const APP: &str = "a0a0a0a0-1111-2222-3333-444444444444";
pub(crate) const SECRET: &str = "emulator-secret-central";
/// The network of the members.
pub(crate) const NETWORK: &str = "/subscriptions/87654321-abcd-1234-1def-0987654321ab/resourceGroups/temp/providers/Microsoft.Network/virtualNetworks/targetVnet01";
/// One that a member could have, too.
pub(crate) const OTHER_NETWORK: &str = "/subscriptions/13579864-1234-5678-abcd-0987654321ab/resourceGroups/myAVNMResourceGroup/providers/Microsoft.Network/virtualNetworks/centralVnet01";
/// The namespace of all objects.
pub(crate) const HUB: &str = "hub";
/// That of what was moved.
pub(crate) const OTHER: &str = "hub-2";
pub(crate) const CONNECTIONS: &str = "crosstenantconnections.avnm.dev";
pub(crate) const MEMBERS: &str = "staticmembers.avnm.dev";

fn reference(name: &str) -> Value {
    json!({"kind": "TenantCredential", "name": name})
}

/// The credential of the cluster.
pub(crate) const SHARED: &str = "shared";

/// A text as a Secret has it.
pub(crate) fn encoded(text: &str) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    STANDARD.encode(text)
}

fn secret(namespace: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "app", "namespace": namespace},
           "data": {"client-secret": encoded(SECRET)}})
}

/// A credential of a namespace.
pub(crate) fn credential(namespace: &str, name: &str, tenant: &str) -> Value {
    json!({"apiVersion": "avnm.dev/v1alpha1", "kind": "TenantCredential",
           "metadata": {"name": name, "namespace": namespace},
           "spec": {"tenantId": tenant, "clientId": APP,
                    "clientSecret": {"secretRef": {"name": "app", "key": "client-secret"}}}})
}

/// A Secret, and a credential of either tenant that it signs in to.
pub(crate) fn credentials(namespace: &str) -> Vec<Value> {
    vec![
        secret(namespace),
        credential(namespace, "central", CENTRAL_TENANT),
        credential(namespace, "target", TARGET_TENANT),
    ]
}

/// A credential of the cluster for the central tenant, lent to the namespaces of a team, and its Secret.
pub(crate) fn shared(team: &str) -> Vec<Value> {
    let mut object = credential("", SHARED, CENTRAL_TENANT);
    object["kind"] = json!("ClusterTenantCredential");
    object["metadata"] = json!({"name": SHARED});
    object["spec"]["allowedNamespaces"] = json!({"selector": {"matchLabels": {"team": team}}});
    vec![secret("avnm-system"), object]
}

/// A connection with both halves ours, under the names `link` in Azure.
pub(crate) fn connection(namespace: &str, name: &str) -> Value {
    let half = |credential: &str| json!({"name": "link", "description": "ours", "credentialRef": reference(credential)});
    json!({
        "apiVersion": "avnm.dev/v1alpha1", "kind": "CrossTenantConnection",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "networkManagerId": MANAGER,
            "target": {"tenantId": TARGET_TENANT, "scope": TARGET},
            "scopeConnection": half("central"),
            "networkManagerConnection": half("target"),
        }
    })
}

/// A scope connection as somebody else makes it: to our target, and described like this.
pub(crate) fn theirs(description: &str) -> Value {
    json!({"properties": {
        "tenantId": TARGET_TENANT, "resourceId": TARGET, "description": description
    }})
}

/// A member of the target's network, through that connection, under the name `vnet01` in Azure.
pub(crate) fn member(namespace: &str, name: &str, connection: &str) -> Value {
    json!({
        "apiVersion": "avnm.dev/v1alpha1", "kind": "StaticMember",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "networkGroupId": format!("{MANAGER}/networkGroups/containsCrossTenantResources"),
            "memberName": "vnet01",
            "resourceId": NETWORK,
            "connectionRef": {"name": connection},
        }
    })
}

/// A member of a network of the manager's own tenant, under its own name in Azure.
pub(crate) fn central_member(namespace: &str, name: &str) -> Value {
    let mut object = member(namespace, name, "");
    object["spec"] = json!({
        "networkGroupId": object["spec"]["networkGroupId"],
        "memberName": name,
        "resourceId": OTHER_NETWORK,
        "credentialRef": reference("central"),
    });
    object
}

/// The id of what stands under another name in the same collection.
pub(crate) fn beside(id: &str, name: &str) -> String {
    id.rsplit_once('/').map(|(collection, _)| format!("{collection}/{name}")).unwrap_or_default()
}

/// The ids in Azure of all that these declare.
pub(crate) fn ids() -> [String; 3] {
    [
        format!("{MANAGER}/scopeConnections/link"),
        format!("{TARGET}/providers/Microsoft.Network/networkManagerConnections/link"),
        format!("{MANAGER}/networkGroups/containsCrossTenantResources/staticMembers/vnet01"),
    ]
}
