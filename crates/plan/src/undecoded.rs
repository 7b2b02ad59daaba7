//! What is read of an object that does not decode: a word of an enum, say, that only a newer version knows. It must not
//! stop the others, so what it holds and refers to is read without its types.

use avnm_api::{ClaimPhase, CredentialKind, CredentialRef};
use avnm_terms::{ArmId, TenantId};
use jiff::Timestamp;
use serde_json::Value;

use crate::{cross_tenant_connection::id_key, item::Key};

/// Where in status each claim stands: the field of a half, or status itself for a member.
const PLACES: [&[&str]; 3] =
    [&["scopeConnection", "claim"], &["networkManagerConnection", "claim"], &["claim"]];

/// A claim, read without its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The field of its half; `claim` for a member.
    pub place: &'static str,
    /// The uid of the object that claims.
    pub uid: String,
    /// The key under which others want the same id, if the id can be read.
    pub key: Option<Key>,
    /// A phase that is not known counts as Held.
    pub phase: ClaimPhase,
    /// Since when; a time that cannot be read is the oldest there is.
    pub since: Timestamp,
    /// The credential that it was last read or written with, if that can be read.
    pub credential: Option<CredentialRef>,
}

fn text<'a>(value: &'a Value, path: &[&str]) -> Option<&'a str> {
    path.iter().try_fold(value, |value, part| value.get(part))?.as_str()
}

fn credential(claim: &Value) -> Option<CredentialRef> {
    let kind = match text(claim, &["credentialRef", "kind"])? {
        "TenantCredential" => CredentialKind::TenantCredential,
        "ClusterTenantCredential" => CredentialKind::ClusterTenantCredential,
        _ => return None,
    };
    Some(CredentialRef { kind, name: text(claim, &["credentialRef", "name"])?.to_owned() })
}

/// The claims that status has, of this very object.
pub fn claims(object: &Value, uid: &str) -> Vec<Claim> {
    let tenant = text(object, &["spec", "target", "tenantId"]).and_then(|text| TenantId::parse(text).ok());
    let status = &object["status"];
    let read = |path: &&'static [&'static str]| {
        let claim = path.iter().try_fold(status, |value, part| value.get(part))?;
        let beside = path.iter().rev().skip(1).rev().try_fold(status, |value, part| value.get(part))?;
        let id = text(claim, &["id"]).or_else(|| text(beside, &["id"])).and_then(|id| ArmId::parse(id).ok());
        let key = id.map(|id| match &tenant {
            Some(tenant) => id_key(tenant, &id),
            None => Key::of(id.key()),
        });
        Some(Claim {
            place: path.first().copied().unwrap_or_default(),
            uid: text(claim, &["uid"])?.to_owned(),
            key,
            phase: if text(claim, &["phase"]) == Some("Intended") {
                ClaimPhase::Intended
            } else {
                ClaimPhase::Held
            },
            since: text(claim, &["since"]).and_then(|text| text.parse().ok()).unwrap_or_default(),
            credential: credential(claim),
        })
    };
    PLACES.iter().filter_map(read).filter(|claim| claim.uid == uid).collect()
}

/// Whether its deletion leaves Azure as it is.
pub fn leaves(object: &Value) -> bool {
    text(object, &["spec", "deletionPolicy"]) == Some("Orphan")
        || text(object, &["spec", "mode"]) == Some("Observe")
}

/// The connection that a member names.
pub fn connection(object: &Value) -> Option<&str> {
    text(object, &["spec", "connectionRef", "name"])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const HALF: &str = "/subscriptions/13579864-1234-5678-abcd-0987654321ab/resourceGroups/RG/providers/Microsoft.Network/networkManagers/NM/scopeConnections/one";

    #[test]
    fn what_it_holds_is_read_without_its_types() {
        let object = json!({
            "spec": {"deletionPolicy": "Keep", "target": {"tenantId": "12345678-12a3-4abc-5cde-678909876543"}},
            "status": {
                "scopeConnection": {"id": HALF, "claim": {"uid": "u", "phase": "Frozen", "since": "2027-01-15T08:00:00Z",
                    "credentialRef": {"kind": "TenantCredential", "name": "central"}}},
                "networkManagerConnection": {"claim": {"uid": "other", "phase": "Held"}},
            },
        });
        let claims = claims(&object, "u");
        assert_eq!(claims.len(), 1, "a claim of another uid is none: {claims:?}");
        assert_eq!(claims[0].key, Some(Key::of(&HALF.to_lowercase())));
        assert_eq!(claims[0].phase, ClaimPhase::Held, "a phase that is not known may hold something");
        assert_eq!(claims[0].credential.as_ref().map(|named| named.name.as_str()), Some("central"));
        assert!(!leaves(&object));
        assert!(leaves(&json!({"spec": {"deletionPolicy": "Orphan", "adoptionPolicy": "Sometimes"}})));
    }

    #[test]
    fn nothing_in_it_is_taken_for_granted() {
        for object in [json!(null), json!({}), json!({"status": 1}), json!({"status": {"claim": {"uid": 7}}})]
        {
            assert_eq!(claims(&object, "u"), []);
            assert!(!leaves(&object) && connection(&object).is_none());
        }
    }
}
