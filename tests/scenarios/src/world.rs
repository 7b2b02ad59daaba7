//! The objects and ids that the scenarios use: those of the emulator's default world.

// A toolbox: not every tool is in use at every time.
#![allow(dead_code)]

use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::canary;
use crate::context::Ctx;

/// Long enough for what takes a few seconds, on a machine that is busy.
pub(crate) const SOON: Duration = Duration::from_secs(40);

pub(crate) const MANAGER: &str = "/subscriptions/13579864-1234-5678-abcd-0987654321ab/resourceGroups/myAVNMResourceGroup/providers/Microsoft.Network/networkManagers/myAVNM";
pub(crate) const CENTRAL_SUBSCRIPTION: &str = "/subscriptions/13579864-1234-5678-abcd-0987654321ab";
pub(crate) const TARGET: &str = "/subscriptions/87654321-abcd-1234-1def-0987654321ab";
pub(crate) const CENTRAL_TENANT: &str = "24680975-1234-abcd-56ef-121314ab5643";
pub(crate) const TARGET_TENANT: &str = "12345678-12a3-4abc-5cde-678909876543";
pub(crate) const APP: &str = "a0a0a0a0-1111-2222-3333-444444444444";
/// Another application, with the same rights and a secret of its own.
pub(crate) const OTHER_APP: &str = "b0b0b0b0-1111-2222-3333-444444444444";

/// A user-assigned managed identity of the nodes.
pub(crate) struct Identity {
    pub(crate) client_id: &'static str,
    /// The object id of its principal, whom its tokens speak for.
    pub(crate) principal: &'static str,
    pub(crate) resource_id: &'static str,
}

/// Two of them: whoever signs in must say which.
pub(crate) const IDENTITIES: [Identity; 2] = [
    Identity {
        client_id: "c0c0c0c0-1111-2222-3333-444444444444",
        principal: "c1c1c1c1-1111-2222-3333-444444444444",
        resource_id: "/subscriptions/13579864-1234-5678-abcd-0987654321ab/resourceGroups/nodes/providers/Microsoft.ManagedIdentity/userAssignedIdentities/one",
    },
    Identity {
        client_id: "d0d0d0d0-1111-2222-3333-444444444444",
        principal: "d1d1d1d1-1111-2222-3333-444444444444",
        resource_id: "/subscriptions/13579864-1234-5678-abcd-0987654321ab/resourceGroups/nodes/providers/Microsoft.ManagedIdentity/userAssignedIdentities/two",
    },
];

/// The world file of the scenarios' Azure: the emulator's default one, and nodes with managed identities.
pub(crate) fn file_of_azure() -> String {
    let own = IDENTITIES.map(|Identity { client_id, principal, resource_id }| {
        json!({"tenant": CENTRAL_TENANT, "clientId": client_id, "objectId": principal, "resourceId": resource_id})
    });
    // JSON is YAML.
    format!(
        "{}\nmanagedIdentities: {}\n",
        include_str!("../../../crates/emulator/src/world/default.yaml"),
        json!(own)
    )
}

/// The scope connection that [`connection`] declares.
pub(crate) fn scope_connection() -> String {
    format!("{MANAGER}/scopeConnections/link")
}

/// The network manager connection that [`connection`] declares.
pub(crate) fn manager_connection() -> String {
    format!("{TARGET}/providers/Microsoft.Network/networkManagerConnections/link")
}

/// The member that [`member`] declares.
pub(crate) fn member_id() -> String {
    format!("{MANAGER}/networkGroups/containsCrossTenantResources/staticMembers/vnet01")
}

pub(crate) fn network() -> String {
    format!("{TARGET}/resourceGroups/temp/providers/Microsoft.Network/virtualNetworks/targetVnet01")
}

/// The secrets of the world's applications: another one in each run, so that they can be searched for.
pub(crate) fn secrets() -> [(&'static str, String); 2] {
    [(APP, canary::secret("central")), (OTHER_APP, canary::secret("other"))]
}

pub(crate) fn secret() -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "app"},
           "stringData": {"client-secret": canary::secret("central")}})
}

pub(crate) fn role() -> Vec<Value> {
    vec![
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "secrets"},
               "rules": [{"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["app"], "verbs": ["get"]}]}),
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "secrets"},
               "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "secrets"},
               "subjects": [{"kind": "ServiceAccount", "name": "avnm-operator", "namespace": "avnm-system"}]}),
    ]
}

pub(crate) fn credential(name: &str, tenant: &str) -> Value {
    json!({"apiVersion": "avnm.dev/v1alpha1", "kind": "TenantCredential", "metadata": {"name": name},
           "spec": {"tenantId": tenant, "clientId": APP,
                    "clientSecret": {"secretRef": {"name": "app", "key": "client-secret"}}}})
}

/// Both credentials with what they need.
pub(crate) fn credentials() -> Vec<Value> {
    let mut all = vec![secret()];
    all.extend(role());
    all.push(credential("central", CENTRAL_TENANT));
    all.push(credential("target", TARGET_TENANT));
    all
}

fn reference(name: &str) -> Value {
    json!({"kind": "TenantCredential", "name": name})
}

/// A connection with both halves ours, and what the caller adds to its spec.
pub(crate) fn connection(extra: &Value) -> Value {
    let mut object = json!({
        "apiVersion": "avnm.dev/v1alpha1", "kind": "CrossTenantConnection", "metadata": {"name": "link"},
        "spec": {
            "networkManagerId": MANAGER,
            "target": {"tenantId": TARGET_TENANT, "scope": TARGET},
            "scopeConnection": {"description": "ours", "credentialRef": reference("central")},
            "networkManagerConnection": {"description": "ours", "credentialRef": reference("target")},
        }
    });
    merge(&mut object["spec"], extra);
    object
}

/// A member of the target's network, through the connection, and what the caller adds to its spec.
pub(crate) fn member(extra: &Value) -> Value {
    let mut object = json!({
        "apiVersion": "avnm.dev/v1alpha1", "kind": "StaticMember", "metadata": {"name": "vnet01"},
        "spec": {
            "networkGroupId": format!("{MANAGER}/networkGroups/containsCrossTenantResources"),
            "resourceId": network(),
            "connectionRef": {"name": "link"},
        }
    });
    merge(&mut object["spec"], extra);
    object
}

/// `null` takes a field out.
fn merge(into: &mut Value, from: &Value) {
    let (Some(into), Some(from)) = (into.as_object_mut(), from.as_object()) else { return };
    for (key, value) in from {
        if value.is_null() {
            into.remove(key);
        } else {
            into.insert(key.clone(), value.clone());
        }
    }
}

/// The Ready condition's message.
pub(crate) fn message(object: &Value) -> String {
    let ready = crate::look::condition(object, "Ready");
    ready.and_then(|ready| ready["message"].as_str()).unwrap_or_default().to_owned()
}

/// One file of many objects, in this order.
pub(crate) fn file(objects: &[Value]) -> String {
    objects.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n---\n")
}

impl Ctx {
    /// Applies objects in one file.
    pub(crate) async fn apply_all(&self, objects: &[Value]) -> Result<String> {
        self.apply(&file(objects)).await
    }

    /// Calls to ARM since a point of the ledger.
    pub(crate) async fn calls(&self, since: u64) -> Result<Vec<Value>> {
        let ledger = self.control().ledger(since).await?;
        let all = ledger.as_array().cloned().unwrap_or_default();
        Ok(all.into_iter().filter(|call| call["kind"] == "arm").collect())
    }

    /// Writes to ARM since a point of the ledger.
    pub(crate) async fn writes(&self, since: u64) -> Result<Vec<Value>> {
        let calls = self.calls(since).await?;
        Ok(calls.into_iter().filter(|call| call["method"] != "GET").collect())
    }

    /// The point at which the ledger stands.
    pub(crate) async fn mark(&self) -> Result<u64> {
        self.control().state().await?["lastCall"].as_u64().context("read the number of the last call")
    }

    /// Waits until an object is Ready for a reason.
    pub(crate) async fn ready(&self, plural: &str, name: &str, status: &str, reason: &str) -> Result<Value> {
        self.wait_condition(plural, name, ("Ready", status, reason), SOON).await
    }

    /// Waits until an object's Ready has a reason, whatever its status: before the first complete read it is Unknown.
    pub(crate) async fn because(&self, plural: &str, name: &str, reason: &str) -> Result<Value> {
        self.wait_for(plural, name, reason, SOON, |object| {
            crate::look::condition(object, "Ready").is_some_and(|ready| ready["reason"] == reason)
        })
        .await
    }

    /// Waits until Azure has nothing under any of these ids.
    pub(crate) async fn wait_for_gone_in_azure(&self, ids: &[String]) -> Result<()> {
        let look = || async {
            for id in ids {
                if self.azure(id).await?.is_some() {
                    return Ok(avnm_launcher::Look::NotYet(format!("{id} is there")));
                }
            }
            Ok(avnm_launcher::Look::Done(()))
        };
        avnm_launcher::wait_until(SOON, crate::look::POLL, look, "what was deleted to be gone in Azure").await
    }

    /// What Azure has under an id, if anything.
    pub(crate) async fn azure(&self, id: &str) -> Result<Option<Value>> {
        self.control().holds(id).await
    }
}
