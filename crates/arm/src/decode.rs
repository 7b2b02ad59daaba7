//! How the bodies of answers are read: from bytes to values of `avnm-terms`, without a call.
//!
//! The client reads its answers with the same functions of `envelope` and `resources`; those that are public here let others
//! hold recorded traffic against that reading.

use avnm_terms::{
    ArmId, FaultKind, Group, Manager, ManagerConnection, Member, ScopeConnection, VirtualNetwork,
};

pub use crate::envelope::{Part, Undecodable};
use crate::{
    envelope::{one, page},
    error::{self, Body},
    resources::{group, manager, manager_connection, member, network, scope_connection},
};

/// An answer that is no success, as it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorAnswer {
    /// What it means.
    pub kind: FaultKind,
    /// The code that is told; `None` where the answer is no error of ARM.
    pub code: Option<String>,
    /// The message, with that of the first detail where the outer code says nothing.
    pub message: String,
}

/// Reads an answer that is no success.
pub fn error(status: u16, body: &[u8]) -> ErrorAnswer {
    let body = Body::parse(body);
    ErrorAnswer {
        kind: error::kind(status, &body, None),
        code: body.told().map(str::to_owned),
        message: body.message,
    }
}

/// Reads a scope connection that was asked for by this id.
pub fn scope_connection(asked: &ArmId, body: &[u8]) -> Result<ScopeConnection, Undecodable> {
    one(asked, body, scope_connection::read)
}

/// Reads a page of the scope connections in this collection.
pub fn scope_connections(collection: &str, body: &[u8]) -> Result<Part<ScopeConnection>, Undecodable> {
    page(collection, body, scope_connection::read)
}

/// Reads a network manager connection that was asked for by this id.
pub fn manager_connection(asked: &ArmId, body: &[u8]) -> Result<ManagerConnection, Undecodable> {
    one(asked, body, manager_connection::read)
}

/// Reads a page of the network manager connections in this collection.
pub fn manager_connections(collection: &str, body: &[u8]) -> Result<Part<ManagerConnection>, Undecodable> {
    page(collection, body, manager_connection::read)
}

/// Reads a static member that was asked for by this id.
pub fn member(asked: &ArmId, body: &[u8]) -> Result<Member, Undecodable> {
    one(asked, body, member::read)
}

/// Reads a page of the static members in this collection.
pub fn members(collection: &str, body: &[u8]) -> Result<Part<Member>, Undecodable> {
    page(collection, body, member::read)
}

/// Reads a network group that was asked for by this id.
pub fn group(asked: &ArmId, body: &[u8]) -> Result<Group, Undecodable> {
    one(asked, body, group::read)
}

/// Reads a page of the network groups in this collection.
pub fn groups(collection: &str, body: &[u8]) -> Result<Part<Group>, Undecodable> {
    page(collection, body, group::read)
}

/// Reads a network manager that was asked for by this id.
pub fn manager(asked: &ArmId, body: &[u8]) -> Result<Manager, Undecodable> {
    one(asked, body, manager::read)
}

/// Reads a page of the network managers in this collection.
pub fn managers(collection: &str, body: &[u8]) -> Result<Part<Manager>, Undecodable> {
    page(collection, body, manager::read)
}

/// Reads a virtual network or subnet that was asked for by this id.
pub fn network(asked: &ArmId, body: &[u8]) -> Result<VirtualNetwork, Undecodable> {
    one(asked, body, network::read)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLLECTION: &str = "/subscriptions/s/x/staticMembers";

    #[test]
    fn a_page_counts_what_it_leaves_out() {
        let body = b"\xef\xbb\xbf{\"nextLink\":\"\",\"value\":[{\"name\":\"m\",\"properties\":{}},{\"name\":\"my name\",\"properties\":{}},{\"name\":\"a/b\",\"properties\":{}}]}";
        let part = members(COLLECTION, body).unwrap();
        assert_eq!(part.items.len(), 2);
        assert_eq!((part.skipped, part.next_link.as_deref()), (1, Some("")));
        let nameless = br#"{"value":[{"properties":{}}]}"#;
        assert_eq!(members(COLLECTION, nameless), Err(Undecodable::Nameless));
    }

    #[test]
    fn another_form_is_told_from_no_json() {
        let id = ArmId::parse("/a/b").unwrap();
        assert_eq!(member(&id, b"{}"), Err(Undecodable::OtherForm));
        assert_eq!(member(&id, b"<html>"), Err(Undecodable::NotJson));
        assert_eq!(member(&id, b""), Err(Undecodable::NotJson));
    }

    #[test]
    fn both_envelopes_of_an_error_are_read() {
        let nested = error(404, br#"{"error":{"message":"gone","code":"NotFound"}}"#);
        let bare = error(404, br#"{"code":"NotFound","message":"gone","target":null}"#);
        assert_eq!(nested, bare);
        assert_eq!((nested.kind, nested.code.as_deref()), (FaultKind::NotFound, Some("NotFound")));
    }
}
