//! Ownership claims: written to status before the first write to Azure.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::CredentialRef;

/// How far a claim has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum ClaimPhase {
    /// About to be created; it may or may not be in Azure.
    Intended,
    /// It is in Azure and ours.
    Held,
}

/// Where a held thing came from. Information only: both are corrected and deleted alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum ClaimOrigin {
    /// The operator made it.
    Created,
    /// It was there, and the adoption policy let the operator take it.
    Adopted,
}

/// That one object of this cluster holds one thing in Azure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Claim {
    /// The ARM id that is claimed: a claim vouches for no other. Absent in claims of earlier versions, which are of the id
    /// beside them in status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub id: Option<String>,
    /// metadata.uid of the object that claims. A claim of another uid (a restored or copied status) counts as none.
    #[schemars(length(max = 64))]
    pub uid: String,
    /// Intended, then Held.
    pub phase: ClaimPhase,
    /// Created or Adopted.
    pub origin: ClaimOrigin,
    /// The tenant in which it lies.
    #[schemars(length(max = 36))]
    pub tenant_id: String,
    /// The credential that it was last read or written with.
    pub credential_ref: CredentialRef,
    /// Hash over what was, or is about to be, written.
    #[schemars(length(max = 64))]
    pub body_hash: String,
    /// When it was claimed.
    pub since: Time,
}
