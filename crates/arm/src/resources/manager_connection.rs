//! Network manager connections: the half of a cross-tenant connection on the target subscription or management
//! group.

use avnm_terms::{
    ArmId, ConnectionState, Fault, ManagerConnection, ManagerConnectionId, ManagerId, Reading, ScopeId,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{Arm, Credential, envelope::Envelope};

/// What a network manager connection is to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManagerConnectionBody {
    /// The manager that may manage the scope.
    pub manager: ManagerId,
    /// Its description; `None` is not sent, and a PUT replaces everything: Azure then has `""`.
    pub description: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Writable<'a> {
    network_manager_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Properties {
    network_manager_id: Option<String>,
    description: Option<String>,
    connection_state: Option<String>,
}

fn body(body: &ManagerConnectionBody) -> serde_json::Value {
    json!({"properties": Writable {
        network_manager_id: body.manager.arm().as_str(),
        description: body.description.as_deref(),
    }})
}

pub(crate) fn read(id: ArmId, envelope: Envelope<Properties>) -> ManagerConnection {
    let changed_by = envelope.changed_by();
    let properties = envelope.properties;
    ManagerConnection {
        id,
        changed_by,
        manager: properties.network_manager_id.unwrap_or_default(),
        description: properties.description.unwrap_or_default(),
        state: ConnectionState::parse(&properties.connection_state.unwrap_or_default()),
    }
}

impl Arm {
    /// Reads all network manager connections of a scope. `Absent`: the scope is proven to be gone.
    pub async fn list_manager_connections(
        &self,
        credential: &Credential,
        scope: &ScopeId,
    ) -> Reading<Vec<ManagerConnection>> {
        let collection = ["providers", "Microsoft.Network", "networkManagerConnections"];
        self.list("list networkManagerConnections", credential, scope.arm(), &collection, read).await
    }

    /// Reads a network manager connection.
    pub async fn get_manager_connection(
        &self,
        credential: &Credential,
        id: &ManagerConnectionId,
    ) -> Reading<ManagerConnection> {
        self.get("get networkManagerConnection", credential, id.arm(), read).await
    }

    /// Creates or replaces a network manager connection.
    pub async fn put_manager_connection(
        &self,
        credential: &Credential,
        id: &ManagerConnectionId,
        wanted: &ManagerConnectionBody,
    ) -> Result<ManagerConnection, Fault> {
        self.put("put networkManagerConnection", (credential, None), id.arm(), &body(wanted), read).await
    }

    /// Asks for the end of a network manager connection. `Ok` means sent, or proven absent; not gone.
    pub async fn delete_manager_connection(
        &self,
        credential: &Credential,
        id: &ManagerConnectionId,
    ) -> Result<(), Fault> {
        self.delete("delete networkManagerConnection", (credential, None), id.arm(), false).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_writable_properties_are_sent() {
        let manager = "/subscriptions/13579864-1234-5678-abcd-0987654321ab/resourceGroups/RG/providers/Microsoft.Network/networkManagers/NM";
        let wanted = ManagerConnectionBody {
            manager: ManagerId::parse(manager).unwrap(),
            description: Some("d".to_owned()),
        };
        assert_eq!(body(&wanted), json!({"properties": {"networkManagerId": manager, "description": "d"}}));
        let bare = body(&ManagerConnectionBody { description: None, ..wanted });
        assert_eq!(bare, json!({"properties": {"networkManagerId": manager}}));
    }

    #[test]
    fn an_empty_manager_id_was_recorded() {
        let body = r#"{"location":"","properties":{"networkManagerId":"","connectionState":"Conflict","description":null}}"#;
        let read = read(ArmId::parse("/a/b").unwrap(), serde_json::from_str(body).unwrap());
        assert_eq!((read.manager.as_str(), read.description.as_str()), ("", ""));
        assert_eq!(read.state, ConnectionState::Conflict);
    }
}
