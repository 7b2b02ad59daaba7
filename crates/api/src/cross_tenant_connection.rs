//! `CrossTenantConnection`: the two-sided handshake between a network manager and a scope of another tenant.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    AdoptionPolicy, Claim, CredentialRef, DeletionPolicy, LastFailure, Mode, Policies,
    conditions::conditions_schema, ids,
};

/// Connects a network manager with a subscription or management group of another Entra tenant.
///
/// Azure wants the same handshake from both sides: a scope connection on the manager and a network manager
/// connection on the target. Either half may be left to the other party.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, CustomResource, KubeSchema)]
#[kube(
    group = "avnm.dev",
    version = "v1alpha1",
    kind = "CrossTenantConnection",
    plural = "crosstenantconnections",
    shortname = "ctc",
    category = "avnm",
    namespaced,
    status = "CrossTenantConnectionStatus",
    derive = "PartialEq",
    doc = "Connects a network manager with a subscription or management group of another Entra tenant.",
    printcolumn(name = "Ready", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].status"#),
    printcolumn(name = "State", type_ = "string", json_path = ".status.connectionState"),
    printcolumn(name = "Reason", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].reason"#),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Tenant", type_ = "string", json_path = ".spec.target.tenantId", priority = 1),
    printcolumn(name = "Scope", type_ = "string", json_path = ".spec.target.scope", priority = 1),
    printcolumn(name = "Manager", type_ = "string", json_path = ".spec.networkManagerId", priority = 1),
    printcolumn(name = "Message", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].message"#, priority = 1),
    validation = Rule::new("!has(self.spec.scopeConnection) || (has(self.spec.scopeConnection.external) && self.spec.scopeConnection.external) || has(self.spec.scopeConnection.name) || self.metadata.name.matches('^[0-9A-Za-z][0-9A-Za-z_.-]{0,63}$')").message("metadata.name is too long for a name in Azure (64 characters): set spec.scopeConnection.name"),
    validation = Rule::new("!has(self.spec.networkManagerConnection) || (has(self.spec.networkManagerConnection.external) && self.spec.networkManagerConnection.external) || has(self.spec.networkManagerConnection.name) || self.metadata.name.matches('^[0-9A-Za-z][0-9A-Za-z_.-]{0,63}$')").message("metadata.name is too long for a name in Azure (64 characters): set spec.networkManagerConnection.name"),
    validation = Rule::new("!has(self.spec.scopeConnection) || !has(oldSelf.spec.scopeConnection) || (has(self.spec.scopeConnection.external) && self.spec.scopeConnection.external) || (has(oldSelf.spec.scopeConnection.external) && oldSelf.spec.scopeConnection.external) || (has(self.spec.scopeConnection.name) ? self.spec.scopeConnection.name : self.metadata.name).lowerAscii() == (has(oldSelf.spec.scopeConnection.name) ? oldSelf.spec.scopeConnection.name : oldSelf.metadata.name).lowerAscii()").message("spec.scopeConnection.name is immutable: create another CrossTenantConnection and delete this one"),
    validation = Rule::new("!has(self.spec.networkManagerConnection) || !has(oldSelf.spec.networkManagerConnection) || (has(self.spec.networkManagerConnection.external) && self.spec.networkManagerConnection.external) || (has(oldSelf.spec.networkManagerConnection.external) && oldSelf.spec.networkManagerConnection.external) || (has(self.spec.networkManagerConnection.name) ? self.spec.networkManagerConnection.name : self.metadata.name).lowerAscii() == (has(oldSelf.spec.networkManagerConnection.name) ? oldSelf.spec.networkManagerConnection.name : oldSelf.metadata.name).lowerAscii()").message("spec.networkManagerConnection.name is immutable: create another CrossTenantConnection and delete this one")
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.scopeConnection) || has(self.networkManagerConnection)").message("declare at least one half: spec.scopeConnection, spec.networkManagerConnection, or both"))]
pub struct CrossTenantConnectionSpec {
    /// The network manager, as /subscriptions/GUID/resourceGroups/NAME/providers/Microsoft.Network/networkManagers/NAME. Immutable.
    #[schemars(length(max = 512))]
    #[x_kube(validation = ids::characters())]
    #[x_kube(validation = ids::manager())]
    #[x_kube(validation = ids::same("networkManagerId is immutable: create another CrossTenantConnection and delete this one"))]
    pub network_manager_id: String,
    /// What the manager shall manage.
    pub target: TargetSpec,
    /// The half in the manager's tenant: a scope connection on the manager. Absent: it is not even read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope_connection: Option<ConnectionHalf>,
    /// The half in the target tenant: a network manager connection on the target scope. Absent: it is not even read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_manager_connection: Option<ConnectionHalf>,
    /// Enforce (default) makes Azure match; Observe never writes to Azure and says what it would do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// Delete (default) deletes our halves in Azure with this object; Orphan leaves them; Confirm deletes them once the annotation avnm.dev/confirm-delete is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
    /// IfIdentical (default), Always or Never: whether something that is already there is taken over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adoption_policy: Option<AdoptionPolicy>,
    /// true leaves everything as it is until it is false again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
}

/// The scope that is to be managed, and the tenant that it lies in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct TargetSpec {
    /// The Entra tenant of the scope, as a GUID. Immutable.
    #[schemars(length(max = 36))]
    #[x_kube(validation = Rule::new("self.matches('^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$')").message("write the tenant's GUID: 8-4-4-4-12 hexadecimal digits"))]
    #[x_kube(validation = ids::same_guid("target.tenantId is immutable: create another CrossTenantConnection and delete this one"))]
    pub tenant_id: String,
    /// /subscriptions/GUID or /providers/Microsoft.Management/managementGroups/NAME. Immutable.
    #[schemars(length(max = 512))]
    #[x_kube(validation = Rule::new("self.matches('^/(?i:subscriptions)/[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$') || self.matches('^/(?i:providers/Microsoft.Management/managementGroups)/[-0-9A-Za-z_.()]{0,89}[-0-9A-Za-z_()]$')").message("write /subscriptions/GUID or /providers/Microsoft.Management/managementGroups/NAME"))]
    #[x_kube(validation = ids::same("target.scope is immutable: create another CrossTenantConnection and delete this one"))]
    pub scope: String,
}

/// One half of the handshake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!(has(self.external) && self.external) || (!has(self.name) && !has(self.description))").message("an external half is someone else's: leave out name and description"))]
pub struct ConnectionHalf {
    /// Its name in Azure. Default: metadata.name. Immutable.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    #[x_kube(validation = Rule::new("self.matches('^[0-9A-Za-z][0-9A-Za-z_.-]{0,63}$')").message("write 1 to 64 letters, digits, '_', '.', '-', beginning with a letter or digit; left out, it is metadata.name"))]
    pub name: Option<String>,
    /// Its description in Azure. Not compared when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4096))]
    pub description: Option<String>,
    /// The credential that reads and writes this half, of the tenant that it lies in.
    pub credential_ref: CredentialRef,
    /// true: someone else's half, read but never written, and found by what it connects, not by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external: Option<bool>,
}

impl ConnectionHalf {
    /// Whether someone else makes this half.
    pub fn is_external(&self) -> bool {
        self.external == Some(true)
    }
}

/// What Azure was read to be, and what the operator holds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("default" = {"observedGeneration": -1}))]
pub struct CrossTenantConnectionStatus {
    /// The metadata.generation that this status is about; -1 until the operator has seen the object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Ready, Connected, Synced; Reconciling, Stalled and Suspended only while True.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "conditions_schema")]
    pub conditions: Vec<Condition>,
    /// Azure's word, the worse of both halves: Connected, Pending, Conflict, Revoked, Rejected.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub connection_state: Option<String>,
    /// Since when a half has been Pending.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending_since: Option<Time>,
    /// The half in the manager's tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope_connection: Option<HalfStatus>,
    /// The half in the target tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_manager_connection: Option<HalfStatus>,
    /// The last value of the annotation avnm.dev/recreate that was handled, and how far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recreate: Option<RecreateStatus>,
    /// Mode Observe only: what Enforce would do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub plan: Vec<PlannedStep>,
    /// The first failure of the current streak.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_failure: Option<LastFailure>,
    /// The last value of the annotation reconcile.avnm.dev/requestedAt that was handled.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub last_handled_reconcile_at: Option<String>,
}

/// One half as Azure has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct HalfStatus {
    /// Its ARM id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub id: Option<String>,
    /// Azure's word for its state.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub state: Option<String>,
    /// Since when the operator has read that state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state_since: Option<Time>,
    /// That this object holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claim: Option<Claim>,
}

/// How far a recreation has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum RecreatePhase {
    /// Our halves are being deleted.
    Deleting,
    /// Handled.
    Done,
}

/// A value of the annotation avnm.dev/recreate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecreateStatus {
    /// The annotation's value.
    #[schemars(length(max = 256))]
    pub value: String,
    /// Deleting, then Done.
    pub phase: RecreatePhase,
}

/// Something that mode Enforce would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlannedStep {
    /// PUT or DELETE.
    #[schemars(length(max = 16))]
    pub verb: String,
    /// On which ARM id.
    #[schemars(length(max = 1024))]
    pub id: String,
    /// Why.
    #[schemars(length(max = 512))]
    pub why: String,
}

impl CrossTenantConnectionSpec {
    /// The policies, defaults filled in.
    pub fn policies(&self) -> Policies {
        Policies {
            mode: self.mode.unwrap_or_default(),
            deletion: self.deletion_policy.unwrap_or_default(),
            adoption: self.adoption_policy.unwrap_or_default(),
            suspend: self.suspend.unwrap_or_default(),
        }
    }
}
