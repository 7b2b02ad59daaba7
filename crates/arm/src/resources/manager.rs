//! Network managers: read only.

use avnm_terms::{ArmId, CrossTenantScopes, Manager, ManagerId, Reading, ScopeList};
use serde::Deserialize;
use serde_json::Value;

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
    /// From the specification only: in every recording the list is empty (assumed). An entry of another form must not make
    /// the manager unreadable.
    cross_tenant_scopes: Option<Vec<Value>>,
}

pub(crate) fn read(id: ArmId, envelope: Envelope<Properties>) -> Manager {
    let properties = envelope.properties;
    let entries = properties.network_manager_scopes.and_then(|scopes| scopes.cross_tenant_scopes);
    let mut cross_tenant_scopes = CrossTenantScopes::default();
    for entry in entries.unwrap_or_default() {
        entry_of(&entry, &mut cross_tenant_scopes);
    }
    Manager {
        id,
        cross_tenant_scopes,
        accesses: properties.network_manager_scope_accesses.unwrap_or_default(),
    }
}

/// One entry: a tenant with its subscriptions and management groups.
fn entry_of(entry: &Value, scopes: &mut CrossTenantScopes) {
    let Some(fields) = entry.as_object() else {
        return scopes.add_unread(None, &entry.to_string());
    };
    let field = |name: &str| {
        let found = fields.iter().find(|(field, _)| field.eq_ignore_ascii_case(name));
        found.map_or(&Value::Null, |(_, value)| value)
    };
    let lists =
        [(ScopeList::Subscriptions, "subscriptions"), (ScopeList::ManagementGroups, "managementGroups")];
    for (list, name) in lists {
        match field(name) {
            Value::Null => {}
            Value::Array(all) => {
                for scope in all {
                    match (field("tenantId").as_str(), scope.as_str()) {
                        (Some(tenant), Some(scope)) => scopes.add(tenant, list, scope),
                        _ => scopes.add_unread(field("tenantId").as_str(), &entry.to_string()),
                    }
                }
            }
            _ => scopes.add_unread(field("tenantId").as_str(), &entry.to_string()),
        }
    }
    // Fields of other names may be what a newer service calls them.
    let known = ["tenantId", "subscriptions", "managementGroups"];
    if !fields.keys().any(|field| known[1..].iter().any(|known| known.eq_ignore_ascii_case(field)))
        && fields.keys().any(|field| !known.iter().any(|known| known.eq_ignore_ascii_case(field)))
    {
        scopes.add_unread(field("tenantId").as_str(), &entry.to_string());
    }
}

impl Arm {
    /// Reads a network manager.
    pub async fn get_manager(&self, credential: &Credential, id: &ManagerId) -> Reading<Manager> {
        let mut region = None;
        let found = self
            .get("get networkManager", credential, id.arm(), |id, envelope| {
                region.clone_from(&envelope.location);
                read(id, envelope)
            })
            .await;
        if let Some(region) = region {
            // Microsoft.Network counts by region.
            self.governor().is_in(id.arm(), &region);
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use avnm_terms::{Listing, ScopeId, TenantId};
    use rstest::rstest;

    use super::*;

    const SUBSCRIPTION: &str = "87654321-abcd-1234-1def-0987654321ab";

    fn manager(properties: &str) -> Manager {
        let body = format!(r#"{{"properties":{properties}}}"#);
        read(ArmId::parse("/a/b").unwrap(), serde_json::from_str(&body).unwrap())
    }

    fn listing(entry: &str, scope: &str) -> Listing {
        let manager = manager(&format!(r#"{{"networkManagerScopes":{{"crossTenantScopes":[{entry}]}}}}"#));
        let tenant = TenantId::parse("12345678-12a3-4abc-5cde-678909876543").unwrap();
        manager.cross_tenant_scopes.listing(&tenant, &ScopeId::parse(scope).unwrap())
    }

    #[test]
    fn cross_tenant_scopes_are_read_and_may_be_missing() {
        let entry = r#"{"tenantId":"12345678-12a3-4abc-5cde-678909876543","subscriptions":["subscriptions/87654321-ABCD-1234-1def-0987654321ab"],
            "managementGroups":["/providers/Microsoft.Management/managementGroups/M", "short"]}"#;
        for scope in [
            format!("/subscriptions/{SUBSCRIPTION}"),
            "/providers/Microsoft.Management/managementGroups/m".to_owned(),
            "/providers/Microsoft.Management/managementGroups/Short".to_owned(),
        ] {
            assert_eq!(listing(entry, &scope), Listing::Listed, "{scope}");
        }
        assert_eq!(listing(entry, "/providers/Microsoft.Management/managementGroups/other"), Listing::Absent);
        assert!(manager(r#"{"networkManagerScopeAccesses":["Connectivity","routing"]}"#).has_routing());
        for bare in [
            "{}",
            r#"{"networkManagerScopes":null,"networkManagerScopeAccesses":null}"#,
            r#"{"networkManagerScopes":{"crossTenantScopes":null}}"#,
            r#"{"networkManagerScopes":{"crossTenantScopes":[{"tenantId":null}]}}"#,
            r#"{"networkManagerScopes":{"crossTenantScopes":[{"tenantId":"t","subscriptions":[],"managementGroups":null}]}}"#,
        ] {
            let manager = manager(bare);
            assert!(!manager.has_routing() && manager.cross_tenant_scopes.is_empty(), "{bare}");
        }
    }

    #[rstest]
    #[case(r#""/subscriptions/87654321-abcd-1234-1def-0987654321ab""#)]
    #[case(r#"{"tenantId":"12345678-12a3-4abc-5cde-678909876543","subscriptions":[{"id":"x"}]}"#)]
    #[case(r#"{"tenantId":"12345678-12a3-4abc-5cde-678909876543","subscriptions":"87654321-abcd-1234-1def-0987654321ab"}"#)]
    #[case(r#"{"tenantId":null,"subscriptions":["87654321-abcd-1234-1def-0987654321ab"]}"#)]
    #[case(r#"{"tenantId":"12345678-12a3-4abc-5cde-678909876543","scopes":["87654321-abcd-1234-1def-0987654321ab"]}"#)]
    #[case("null")]
    fn an_entry_of_another_form_is_unclear_and_not_absent(#[case] entry: &str) {
        let found = listing(entry, &format!("/subscriptions/{SUBSCRIPTION}"));
        assert!(matches!(found, Listing::Unclear(_)), "{found:?}");
    }
}
