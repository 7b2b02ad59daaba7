//! Parts that several kinds share: references and policies.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use kube::KubeSchema;

/// Kinds of credential that can be referred to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum CredentialKind {
    /// A credential of the object's own namespace.
    TenantCredential,
    /// A credential of the cluster, lent to namespaces.
    ClusterTenantCredential,
}

impl CredentialKind {
    /// The kind's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TenantCredential => "TenantCredential",
            Self::ClusterTenantCredential => "ClusterTenantCredential",
        }
    }
}

/// A credential: never one of another namespace, which is why there is no namespace here.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct CredentialRef {
    /// TenantCredential (of this object's namespace) or ClusterTenantCredential.
    pub kind: CredentialKind,
    /// The credential's metadata.name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}

/// A CrossTenantConnection of the same namespace.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionRef {
    /// The connection's metadata.name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}

/// A key of a Secret of the credential's own namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretKeyRef {
    /// The Secret's metadata.name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// The key in the Secret's data.
    #[schemars(length(min = 1, max = 253))]
    pub key: String,
}

/// Enforce (default): Azure is made to match. Observe: Azure is only read, and status says what Enforce would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum Mode {
    /// Azure is made to match.
    #[default]
    Enforce,
    /// Azure is only read; status says what would be done.
    Observe,
}

/// What becomes of what the object holds in Azure when it is deleted. Delete (default): it is deleted, too. Orphan: it
/// stays, and no working credential is needed. Confirm: as Delete, once the annotation avnm.dev/confirm-delete is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum DeletionPolicy {
    /// What the object holds is deleted in Azure.
    #[default]
    Delete,
    /// Azure is left as it is. Always works, also with broken credentials.
    Orphan,
    /// As Delete, once the object is annotated with avnm.dev/confirm-delete; until then nothing is done in Azure.
    Confirm,
}

/// What becomes of something that is there already under this name. IfIdentical (default): it is taken over if it is
/// exactly what is declared, and else left alone. Always: it is taken over, and changed. Never: it is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum AdoptionPolicy {
    /// It is taken over if it is exactly what is declared, and left alone otherwise.
    #[default]
    IfIdentical,
    /// It is taken over and changed to what is declared.
    Always,
    /// It is left alone.
    Never,
}

/// The four policies with their defaults filled in.
///
/// The schema has no defaults, so that what a user applies is what the API server stores and no GitOps tool sees a
/// difference; the defaults live here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policies {
    /// Whether the operator writes to Azure.
    pub mode: Mode,
    /// What happens in Azure when the object is deleted.
    pub deletion: DeletionPolicy,
    /// What happens when something is already there.
    pub adoption: AdoptionPolicy,
    /// Whether the object is left alone for now.
    pub suspend: bool,
}

impl Policies {
    /// Whether a deletion leaves Azure as it is: then it needs no credential and no call.
    pub fn leaves(&self) -> bool {
        self.deletion == DeletionPolicy::Orphan || self.mode == Mode::Observe
    }
}
