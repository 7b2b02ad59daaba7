//! Network managers: read only.

use avnm_terms::{ArmId, Manager, ManagerId, Reading, ScopeEntry};
use serde::Deserialize;

use crate::{Arm, Credential, envelope::Envelope};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Properties {
    network_manager_scopes: Option<Scopes>,
    network_manager_scope_accesses: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Scopes {
    cross_tenant_scopes: Option<Vec<CrossTenantScope>>,
}

/// From the specification only: in every recording the list is empty (assumed).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CrossTenantScope {
    tenant_id: Option<String>,
    subscriptions: Option<Vec<String>>,
    management_groups: Option<Vec<String>>,
}

pub(crate) fn read(id: ArmId, envelope: Envelope<Properties>) -> Manager {
    let properties = envelope.properties;
    let entries = properties.network_manager_scopes.and_then(|scopes| scopes.cross_tenant_scopes);
    let cross_tenant_scopes = entries
        .unwrap_or_default()
        .into_iter()
        .map(|entry| ScopeEntry {
            tenant: entry.tenant_id.unwrap_or_default(),
            scopes: [entry.subscriptions, entry.management_groups].into_iter().flatten().flatten().collect(),
        })
        .collect();
    Manager {
        id,
        cross_tenant_scopes,
        accesses: properties.network_manager_scope_accesses.unwrap_or_default(),
    }
}

impl Arm {
    /// Reads a network manager.
    pub async fn get_manager(&self, credential: &Credential, id: &ManagerId) -> Reading<Manager> {
        self.get("get networkManager", credential, id.arm(), read).await
    }
}

#[cfg(test)]
mod tests {
    use avnm_terms::TenantId;

    use super::*;

    #[test]
    fn cross_tenant_scopes_are_read_and_may_be_missing() {
        let id = || ArmId::parse("/a/b").unwrap();
        let full = r#"{"properties":{"networkManagerScopes":{"crossTenantScopes":[{"tenantId":"12345678-12a3-4abc-5cde-678909876543",
            "subscriptions":["subscriptions/S"],"managementGroups":["/providers/Microsoft.Management/managementGroups/M"]}]},
            "networkManagerScopeAccesses":["Connectivity","Routing"]}}"#;
        let manager = read(id(), serde_json::from_str(full).unwrap());
        let tenant = TenantId::parse("12345678-12a3-4abc-5cde-678909876543").unwrap();
        assert!(manager.lists(&tenant, &ArmId::parse("/subscriptions/s").unwrap()));
        assert!(
            manager
                .lists(&tenant, &ArmId::parse("/providers/Microsoft.Management/managementGroups/m").unwrap())
        );
        assert!(manager.has_routing());

        for bare in [
            r#"{"properties":{}}"#,
            r#"{"properties":{"networkManagerScopes":null,"networkManagerScopeAccesses":null}}"#,
            r#"{"properties":{"networkManagerScopes":{"crossTenantScopes":[{"tenantId":null}]}}}"#,
        ] {
            let manager = read(id(), serde_json::from_str(bare).unwrap());
            assert!(
                !manager.has_routing()
                    && manager.cross_tenant_scopes.iter().all(|entry| entry.scopes.is_empty())
            );
        }
    }
}
