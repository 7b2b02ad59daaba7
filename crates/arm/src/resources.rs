//! The resource types, one file each: how they look on the wire, and the calls on them.
//!
//! What is read is read leniently (recordings differ from the specification, and generations from each other); what
//! is sent holds only what may be written.

pub(crate) mod group;
pub(crate) mod manager;
pub(crate) mod manager_connection;
pub(crate) mod member;
pub(crate) mod network;
pub(crate) mod scope_connection;

use avnm_terms::ArmId;
pub use manager_connection::ManagerConnectionBody;
pub use member::MemberBody;
pub use scope_connection::ScopeConnectionBody;
use serde::Deserialize;

use crate::decode::Undecodable;

/// What every resource is wrapped in.
///
/// `properties` must be there: a 200 without them is not this type, and must not read as an empty one.
#[derive(Debug, Deserialize)]
pub(crate) struct Envelope<P> {
    id: Option<String>,
    name: Option<String>,
    location: Option<String>,
    properties: P,
}

/// One page of a list. `value` must be there: a 200 without it must not read as an empty list.
#[derive(Debug, Deserialize)]
pub(crate) struct Page<P> {
    pub(crate) value: Vec<Envelope<P>>,
    #[serde(rename = "nextLink")]
    pub(crate) next_link: Option<String>,
}

impl<P> Envelope<P> {
    /// The id with Azure's casing if it is the one that was asked for, else the one that was asked for: in examples
    /// of the specification the answer to a PUT has a shortened id.
    pub(crate) fn id_or(&self, asked: &ArmId) -> ArmId {
        let given = self.id.as_deref().and_then(|id| ArmId::parse(id).ok());
        given.filter(|given| given == asked).unwrap_or_else(|| asked.clone())
    }

    /// The id of an item of a collection; `None` if its name has characters that our ids do not have.
    pub(crate) fn id_in(&self, collection: &str) -> Result<Option<ArmId>, Undecodable> {
        if let Some(Ok(id)) = self.id.as_deref().map(ArmId::parse) {
            let own = format!("{collection}/{}", id.name());
            if ArmId::parse(&own).is_ok_and(|own| own == id) {
                return Ok(Some(id));
            }
        }
        let from_id = || self.id.as_deref().and_then(|id| id.rsplit('/').next());
        let name = self.name.as_deref().filter(|name| !name.is_empty()).or_else(from_id);
        match name {
            None | Some("") => Err(Undecodable::Nameless),
            // A name never holds a separator; one that does is not a name.
            Some(name) if name.contains('/') => Ok(None),
            Some(name) => Ok(ArmId::parse(&format!("{collection}/{name}")).ok()),
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Properties {}

    const COLLECTION: &str = "/subscriptions/s/x/scopeConnections";

    fn envelope(id: Option<&str>, name: Option<&str>) -> Envelope<()> {
        Envelope { id: id.map(str::to_owned), name: name.map(str::to_owned), location: None, properties: () }
    }

    #[rstest]
    // Azure's own casing is kept.
    #[case(
        Some("/Subscriptions/S/x/scopeConnections/N"),
        Some("N"),
        Some("/Subscriptions/S/x/scopeConnections/N")
    )]
    // The short form of a management group's connection.
    #[case(Some("/managementGroups/A/y/n"), Some("n"), Some("/subscriptions/s/x/scopeConnections/n"))]
    #[case(Some("/managementGroups/A/y/n"), None, Some("/subscriptions/s/x/scopeConnections/n"))]
    #[case(None, Some("n"), Some("/subscriptions/s/x/scopeConnections/n"))]
    // A name of someone else that is no name of ours.
    #[case(Some("/subscriptions/s/x/scopeConnections/my name"), Some("my name"), None)]
    #[case(None, Some("a/b"), None)]
    fn ids_of_items(#[case] id: Option<&str>, #[case] name: Option<&str>, #[case] wanted: Option<&str>) {
        let found = envelope(id, name).id_in(COLLECTION).unwrap();
        assert_eq!(found.as_ref().map(ArmId::as_str), wanted);
    }

    #[test]
    fn an_item_without_id_and_name_spoils_the_list() {
        assert!(envelope(None, None).id_in(COLLECTION).is_err());
        assert!(envelope(Some(""), Some("")).id_in(COLLECTION).is_err());
    }

    #[test]
    fn a_success_of_another_form_is_not_empty() {
        assert!(serde_json::from_str::<Page<serde_json::Value>>("{}").is_err());
        assert!(serde_json::from_str::<Page<serde_json::Value>>(r#"{"value":null}"#).is_err());
        assert!(serde_json::from_str::<Envelope<Properties>>("{}").is_err());
        assert!(serde_json::from_str::<Envelope<Properties>>(r#"{"properties":null}"#).is_err());
        assert!(serde_json::from_str::<Envelope<Properties>>(r#"{"properties":{"new":1}}"#).is_ok());
    }
}
