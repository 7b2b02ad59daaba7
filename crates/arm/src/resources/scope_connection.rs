//! Scope connections: the half of a cross-tenant connection on the network manager.

use avnm_terms::{
    ArmId, ConnectionState, Fault, ManagerId, Reading, ScopeConnection, ScopeConnectionId, ScopeId, TenantId,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{Arm, Credential, envelope::Envelope};

/// What a scope connection is to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeConnectionBody {
    /// The tenant of the scope.
    pub tenant: TenantId,
    /// The scope to manage.
    pub scope: ScopeId,
    /// Its description; `None` is not sent, and a PUT replaces everything: Azure then has `""`.
    pub description: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Writable<'a> {
    tenant_id: &'a str,
    resource_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Properties {
    tenant_id: Option<String>,
    resource_id: Option<String>,
    description: Option<String>,
    connection_state: Option<String>,
}

fn body(body: &ScopeConnectionBody) -> serde_json::Value {
    json!({"properties": Writable {
        tenant_id: body.tenant.as_str(),
        resource_id: body.scope.arm().as_str(),
        description: body.description.as_deref(),
    }})
}

pub(crate) fn read(id: ArmId, envelope: Envelope<Properties>) -> ScopeConnection {
    let changed_by = envelope.changed_by();
    let properties = envelope.properties;
    ScopeConnection {
        id,
        changed_by,
        tenant: properties.tenant_id.and_then(|tenant| TenantId::parse(&tenant).ok()),
        scope: properties.resource_id.unwrap_or_default(),
        description: properties.description.unwrap_or_default(),
        state: ConnectionState::parse(&properties.connection_state.unwrap_or_default()),
    }
}

impl Arm {
    /// Reads all scope connections of a manager. `Absent`: the manager is gone.
    pub async fn list_scope_connections(
        &self,
        credential: &Credential,
        manager: &ManagerId,
    ) -> Reading<Vec<ScopeConnection>> {
        self.list("list scopeConnections", credential, manager.arm(), &["scopeConnections"], read).await
    }

    /// Reads a scope connection.
    pub async fn get_scope_connection(
        &self,
        credential: &Credential,
        id: &ScopeConnectionId,
    ) -> Reading<ScopeConnection> {
        self.get("get scopeConnection", credential, id.arm(), read).await
    }

    /// Creates or replaces a scope connection.
    pub async fn put_scope_connection(
        &self,
        credential: &Credential,
        id: &ScopeConnectionId,
        wanted: &ScopeConnectionBody,
    ) -> Result<ScopeConnection, Fault> {
        self.put("put scopeConnection", (credential, None), id.arm(), &body(wanted), read).await
    }

    /// Asks for the end of a scope connection. `Ok` means sent, or proven absent; not gone.
    pub async fn delete_scope_connection(
        &self,
        credential: &Credential,
        id: &ScopeConnectionId,
    ) -> Result<(), Fault> {
        self.delete("delete scopeConnection", (credential, None), id.arm(), false).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_writable_properties_are_sent() {
        let wanted = ScopeConnectionBody {
            tenant: TenantId::parse("12345678-12a3-4abc-5cde-678909876543").unwrap(),
            scope: ScopeId::parse("/subscriptions/87654321-1234-5678-abcd-0987654321ab").unwrap(),
            description: None,
        };
        let bare = r#"{"properties":{"tenantId":"12345678-12a3-4abc-5cde-678909876543","resourceId":"/subscriptions/87654321-1234-5678-abcd-0987654321ab"}}"#;
        assert_eq!(body(&wanted), serde_json::from_str::<serde_json::Value>(bare).unwrap());
        let described = body(&ScopeConnectionBody { description: Some(String::new()), ..wanted });
        assert_eq!(described["properties"]["description"], "");
    }

    #[test]
    fn what_is_missing_or_new_is_tolerated() {
        let id = ArmId::parse("/a/b").unwrap();
        let odd = r#"{"properties":{"tenantId":"not a guid","connectionState":"Paused","etag":1}}"#;
        let read = read(id, serde_json::from_str(odd).unwrap());
        assert_eq!((read.tenant, read.scope.as_str()), (None, ""));
        assert_eq!(read.state, ConnectionState::Other("Paused".to_owned()));
    }
}
