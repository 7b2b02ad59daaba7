//! What is around a resource on the wire, and how it is taken off: one thing, or a page of a list.

use avnm_terms::{ArmId, text};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use thiserror::Error;

/// A success that is useless. Of serde's words only the kind is kept: they may quote the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Undecodable {
    /// Not JSON at all.
    #[error("is not JSON")]
    NotJson,
    /// JSON that is no such resource.
    #[error("is JSON of another form")]
    OtherForm,
    /// An item of a list that cannot be named.
    #[error("has an item with neither id nor name")]
    Nameless,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part<T> {
    /// The items whose names are possible ids.
    pub items: Vec<T>,
    /// How many items were left out because what they have for a name can be none.
    pub skipped: usize,
    /// Where the list goes on, as it was written; `""` was recorded for the end.
    pub next_link: Option<String>,
}

/// What every resource is wrapped in.
///
/// `properties` must be there: a 200 without them is not this type, and must not read as an empty one.
#[derive(Debug, Deserialize)]
pub(crate) struct Envelope<P> {
    id: Option<String>,
    name: Option<String>,
    pub(crate) location: Option<String>,
    #[serde(rename = "systemData")]
    system_data: Option<Value>,
    pub(crate) properties: P,
}

/// One page of a list. `value` must be there: a 200 without it must not read as an empty list.
#[derive(Debug, Deserialize)]
pub(crate) struct Page<P> {
    pub(crate) value: Vec<Envelope<P>>,
    #[serde(rename = "nextLink")]
    pub(crate) next_link: Option<String>,
}

/// Longest name of who changed a thing that is kept, in characters.
const NAME_MAX: usize = 128;

impl<P> Envelope<P> {
    /// Who changed it last: a user's e-mail or an application's GUID was recorded. It is told to people and decides nothing, so
    /// that one of another form is none.
    pub(crate) fn changed_by(&self) -> Option<String> {
        let by = self.system_data.as_ref()?.get("lastModifiedBy")?.as_str()?;
        (!by.is_empty()).then(|| text::bounded(by, NAME_MAX))
    }

    /// The id with Azure's casing if it is the one that was asked for, else the one that was asked for: in examples
    /// of the specification the answer to a PUT has a shortened id.
    pub(crate) fn id_or(&self, asked: &ArmId) -> ArmId {
        let given = self.id.as_deref().and_then(|id| ArmId::parse(id).ok());
        given.filter(|given| given == asked).unwrap_or_else(|| asked.clone())
    }

    /// The id of an item of a collection, also where its name is none that we would give; `None` if it can be no name at all.
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
            Some(name) => Ok(ArmId::of_someone(collection, name)),
        }
    }
}

/// Reads one thing.
pub(crate) fn one<P: DeserializeOwned, T>(
    asked: &ArmId,
    body: &[u8],
    read: impl FnOnce(ArmId, Envelope<P>) -> T,
) -> Result<T, Undecodable> {
    let envelope: Envelope<P> = json(body)?;
    Ok(read(envelope.id_or(asked), envelope))
}

/// Reads one page of a list.
pub(crate) fn page<P: DeserializeOwned, T>(
    collection: &str,
    body: &[u8],
    read: impl Fn(ArmId, Envelope<P>) -> T,
) -> Result<Part<T>, Undecodable> {
    let page: Page<P> = json(body)?;
    let mut part = Part { items: Vec::new(), skipped: 0, next_link: page.next_link };
    for item in page.value {
        match item.id_in(collection) {
            Ok(Some(id)) => part.items.push(read(id, item)),
            // It cannot be one of ours.
            Ok(None) => part.skipped += 1,
            Err(_) => return Err(Undecodable::Nameless),
        }
    }
    Ok(part)
}

fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Undecodable> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    serde_json::from_slice(body).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => Undecodable::OtherForm,
        _ => Undecodable::NotJson,
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Properties {}

    const COLLECTION: &str = "/subscriptions/s/x/scopeConnections";

    fn envelope(id: Option<&str>, name: Option<&str>) -> Envelope<()> {
        Envelope {
            id: id.map(str::to_owned),
            name: name.map(str::to_owned),
            location: None,
            system_data: None,
            properties: (),
        }
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
    #[case(
        Some("/subscriptions/s/x/scopeConnections/my name"),
        Some("my name"),
        Some("/subscriptions/s/x/scopeConnections/my name")
    )]
    #[case(
        Some("/subscriptions/s/x/scopeConnections/my name"),
        None,
        Some("/subscriptions/s/x/scopeConnections/my name")
    )]
    // What can be no name at all.
    #[case(None, Some("a/b"), None)]
    #[case(None, Some("a\nb"), None)]
    fn ids_of_items(#[case] id: Option<&str>, #[case] name: Option<&str>, #[case] wanted: Option<&str>) {
        let found = envelope(id, name).id_in(COLLECTION).unwrap();
        assert_eq!(found.as_ref().map(ArmId::as_str), wanted);
    }

    #[test]
    fn an_item_without_id_and_name_spoils_the_list() {
        assert!(envelope(None, None).id_in(COLLECTION).is_err());
        assert!(envelope(Some(""), Some("")).id_in(COLLECTION).is_err());
    }

    #[rstest]
    #[case(
        r#"{"lastModifiedBy":"ops@fabrikam.example","lastModifiedByType":"User"}"#,
        Some("ops@fabrikam.example")
    )]
    #[case(
        r#"{"lastModifiedBy":"a0a0a0a0-1111-2222-3333-444444444444","lastModifiedByType":"Application"}"#,
        Some("a0a0a0a0-1111-2222-3333-444444444444")
    )]
    #[case(r#"{"lastModifiedBy":"a\nb"}"#, Some("a b"))]
    #[case(r#"{"lastModifiedBy":""}"#, None)]
    #[case(r#"{"lastModifiedBy":1}"#, None)]
    #[case(r#"{"createdBy":"x"}"#, None)]
    #[case("[]", None)]
    #[case("null", None)]
    fn who_changed_it(#[case] system_data: &str, #[case] wanted: Option<&str>) {
        let body = format!(r#"{{"systemData":{system_data},"properties":{{}}}}"#);
        let envelope: Envelope<Properties> = serde_json::from_str(&body).unwrap();
        assert_eq!(envelope.changed_by().as_deref(), wanted);
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
