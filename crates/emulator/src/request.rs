//! A call as it arrived, and which service it is for.

use bytes::Bytes;

use crate::ledger::CallKind;

/// Where a call came in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Door {
    /// The one address of ARM and Entra.
    #[default]
    Azure,
    /// The instance metadata service.
    Imds,
}

/// A call as it arrived.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Where it came in.
    pub door: Door,
    /// The HTTP method.
    pub method: String,
    /// The path, still percent-encoded.
    pub path: String,
    /// The query without its question mark.
    pub query: String,
    /// `https://host:port`, as the caller named it; links in answers begin with it. For the metadata service, where
    /// Entra is.
    pub origin: String,
    /// The Authorization header.
    pub authorization: Option<String>,
    /// The x-ms-authorization-auxiliary header.
    pub auxiliary: Option<String>,
    /// The x-ms-correlation-request-id header.
    pub correlation: Option<String>,
    /// The x-ms-client-request-id header.
    pub client_request_id: Option<String>,
    /// The Metadata header, by which a caller of the metadata service shows that it was not led there.
    pub metadata: Option<String>,
    /// The If-Match header.
    pub if_match: Option<String>,
    /// The body.
    pub body: Bytes,
}

impl Request {
    /// Which service it calls.
    pub fn kind(&self) -> CallKind {
        match self.door {
            Door::Imds => CallKind::Imds,
            Door::Azure if is_entra(&self.path) => CallKind::Token,
            Door::Azure => CallKind::Arm,
        }
    }
}

/// Whether a path is Entra's and not ARM's: everything that begins with neither of ARM's two roots.
fn is_entra(path: &str) -> bool {
    let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    !["subscriptions", "providers", "tenants"].iter().any(|arms| first.eq_ignore_ascii_case(arms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arm_has_two_roots_and_the_rest_is_entras() {
        assert!(!is_entra("/subscriptions/x"));
        assert!(!is_entra("/Providers/Microsoft.Management/managementGroups/x"));
        assert!(is_entra("/24680975-1234-abcd-56ef-121314ab5643/oauth2/v2.0/token"));
    }
}
