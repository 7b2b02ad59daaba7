//! What a write would say, as a hash: the one place that says when two bodies are the same.
//!
//! Ids count without case and leading slash; a description that is absent, null or empty is the same description, as is
//! one with other line ends or with space around it; one that spec leaves out is not compared at all. Read-only fields, etag, location and region never count.

use avnm_terms::{ArmId, Member, NetworkId, ScopeId, TenantId};
use sha2::{Digest, Sha256};

use super::key::Key;

/// The hash of a body: 32 hexadecimal digits.
pub type BodyHash = String;

fn hash(parts: &[&str]) -> BodyHash {
    let mut sha = Sha256::new();
    for part in parts {
        // Lengths keep two parts from running into one.
        sha.update((part.len() as u64).to_be_bytes());
        sha.update(part.as_bytes());
    }
    sha.finalize().iter().take(16).fold(String::new(), |mut text, byte| {
        use std::fmt::Write as _;
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn id_text(text: &str) -> String {
    ArmId::parse(text).map_or_else(|_| avnm_terms::fold(text), |id| id.key().to_owned())
}

/// A description as it is compared. What YAML puts at the end of a text, and what a service or a browser makes of line ends,
/// is nobody's wish.
fn described(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n").trim().to_owned()
}

/// A body as it is compared with others, by hashes: of ten thousand bodies that are only compared the texts are not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Likeness {
    identity: Key,
    description: Option<Key>,
}

impl Likeness {
    /// Whether a body like this one is what `wanted` declares.
    pub fn is_what(&self, wanted: &Self) -> bool {
        let described = |is: &Self| is.description.unwrap_or_else(|| Key::of(""));
        self.identity == wanted.identity
            && (wanted.description.is_none() || described(self) == described(wanted))
    }
}

/// The body of a half or member, in the form in which bodies are compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    identity: Vec<String>,
    description: Option<String>,
}

impl Body {
    /// The body of a scope connection.
    pub fn scope_connection(tenant: &TenantId, scope: &ScopeId, description: Option<&str>) -> Self {
        Self {
            identity: vec![tenant.as_str().to_owned(), scope.key().to_owned()],
            description: description.map(described),
        }
    }

    /// The body of a scope connection as Azure has it.
    pub fn scope_connection_seen(seen: &avnm_terms::ScopeConnection) -> Self {
        Self {
            identity: vec![
                seen.tenant.as_ref().map(|tenant| tenant.as_str().to_owned()).unwrap_or_default(),
                id_text(&seen.scope),
            ],
            description: Some(described(&seen.description)),
        }
    }

    /// The body of a network manager connection.
    pub fn manager_connection(manager: &ArmId, description: Option<&str>) -> Self {
        Self { identity: vec![manager.key().to_owned()], description: description.map(described) }
    }

    /// The body of a network manager connection as Azure has it.
    pub fn manager_connection_seen(seen: &avnm_terms::ManagerConnection) -> Self {
        Self { identity: vec![id_text(&seen.manager)], description: Some(described(&seen.description)) }
    }

    /// The body of a static member.
    pub fn member(network: &NetworkId) -> Self {
        Self { identity: vec![network.arm().key().to_owned()], description: None }
    }

    /// The body of a static member as Azure has it.
    pub fn member_seen(seen: &Member) -> Self {
        Self { identity: vec![id_text(&seen.resource)], description: None }
    }

    /// It, to be compared with others.
    pub fn likeness(&self) -> Likeness {
        // No part of an id has a line end.
        let identity = Key::of(&self.identity.join("\n"));
        Likeness { identity, description: self.description.as_deref().map(Key::of) }
    }

    /// The hash that a claim records.
    pub fn hash(&self) -> BodyHash {
        let mut parts: Vec<&str> = self.identity.iter().map(String::as_str).collect();
        match &self.description {
            None => parts.push("uncompared"),
            Some(description) => {
                parts.push("description");
                parts.push(description);
            }
        }
        hash(&parts)
    }

    /// Whether this body, as read, is what `wanted` declares.
    pub fn is_what(&self, wanted: &Body) -> bool {
        self.identity == wanted.identity
            && wanted
                .description
                .as_ref()
                .is_none_or(|wanted| wanted == self.description.as_deref().unwrap_or_default())
    }

    /// Whether this body, as read, connects what `wanted` declares, and only describes it otherwise.
    pub fn is_only_described_otherwise(&self, wanted: &Body) -> bool {
        self.identity == wanted.identity && !self.is_what(wanted)
    }

    /// Whether this body, as read, is what a claim recorded: with the description, or with it left out.
    pub fn is_claimed_as(&self, recorded: &str) -> bool {
        let with = Self {
            identity: self.identity.clone(),
            description: Some(self.description.clone().unwrap_or_default()),
        };
        let without = Self { identity: self.identity.clone(), description: None };
        recorded == with.hash() || recorded == without.hash()
    }

    /// The parts that differ from what is wanted: field, what is there, what is wanted.
    pub fn differences(&self, wanted: &Body, fields: &[&'static str]) -> Vec<(&'static str, String, String)> {
        let mut found = Vec::new();
        for ((field, old), new) in fields.iter().zip(&self.identity).zip(&wanted.identity) {
            if old != new {
                found.push((*field, old.clone(), new.clone()));
            }
        }
        if let Some(new) = &wanted.description {
            let old = self.description.clone().unwrap_or_default();
            if old != *new {
                found.push(("description", old, new.clone()));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use avnm_terms::ConnectionState;

    use super::*;

    const TENANT: &str = "12345678-12a3-4abc-5cde-678909876543";
    const SCOPE: &str = "/subscriptions/87654321-abcd-1234-1def-0987654321ab";

    fn wanted(description: Option<&str>) -> Body {
        Body::scope_connection(
            &TenantId::parse(TENANT).unwrap(),
            &ScopeId::parse(SCOPE).unwrap(),
            description,
        )
    }

    fn seen(scope: &str, description: &str) -> Body {
        Body::scope_connection_seen(&avnm_terms::ScopeConnection {
            id: ArmId::parse("/x/y").unwrap(),
            tenant: TenantId::parse(&TENANT.to_uppercase()).ok(),
            scope: scope.to_owned(),
            description: description.to_owned(),
            state: ConnectionState::Pending,
            changed_by: None,
        })
    }

    #[test]
    fn ids_compare_as_azure_compares() {
        assert!(seen(&SCOPE[1..].to_uppercase(), "").is_what(&wanted(Some(""))));
        assert!(!seen("/subscriptions/00000000-abcd-1234-1def-0987654321ab", "").is_what(&wanted(None)));
        assert!(!seen("", "").is_what(&wanted(None)), "an empty id differs");
    }

    #[test]
    fn a_description_left_out_is_not_compared() {
        assert!(seen(SCOPE, "anything").is_what(&wanted(None)));
        assert!(!seen(SCOPE, "anything").is_what(&wanted(Some(""))));
        assert!(seen(SCOPE, "x").is_claimed_as(&wanted(None).hash()));
        assert!(seen(SCOPE, "x").is_claimed_as(&wanted(Some("x")).hash()));
        assert!(!seen(SCOPE, "x").is_claimed_as(&wanted(Some("y")).hash()));
    }

    #[test]
    fn line_ends_and_space_around_are_no_other_description() {
        for (declared, kept) in [
            ("one\ntwo\n", "one\r\ntwo"),
            ("one\r\ntwo", "one\ntwo"),
            ("one\rtwo", "one\ntwo"),
            ("  ours ", "ours"),
            ("ours", "ours\n"),
            (" \n", ""),
        ] {
            let (wanted, seen) = (wanted(Some(declared)), seen(SCOPE, kept));
            assert!(seen.is_what(&wanted), "{declared:?} {kept:?}");
            assert!(seen.is_claimed_as(&wanted.hash()), "{declared:?} {kept:?}");
            assert_eq!(seen.differences(&wanted, &["tenantId", "resourceId"]), [], "{declared:?} {kept:?}");
        }
        for (declared, kept) in
            [("one two", "onetwo"), ("Ours", "ours"), ("one\n\ntwo", "one\ntwo"), ("a  b", "a b")]
        {
            let (wanted, seen) = (wanted(Some(declared)), seen(SCOPE, kept));
            assert!(seen.is_only_described_otherwise(&wanted), "{declared:?} {kept:?}");
            assert!(!seen.is_claimed_as(&wanted.hash()), "{declared:?} {kept:?}");
        }
        let elsewhere = seen("/subscriptions/00000000-abcd-1234-1def-0987654321ab", "ours");
        assert!(!elsewhere.is_only_described_otherwise(&wanted(Some("other"))));
        assert!(!seen(SCOPE, "ours").is_only_described_otherwise(&wanted(None)));
    }

    #[test]
    fn differences_name_the_field() {
        let found = seen(SCOPE, "old").differences(&wanted(Some("new")), &["tenantId", "resourceId"]);
        assert_eq!(found, [("description", "old".to_owned(), "new".to_owned())]);
    }
}
