//! `StaticMember`: one virtual network or subnet in one network group.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use crate::{
    AdoptionPolicy, Claim, ConnectionRef, CredentialRef, DeletionPolicy, LastFailure, Mode, PlannedStep,
    Policies, conditions::conditions_schema, ids,
};

/// Puts one virtual network or subnet, of the manager's tenant or another, into a network group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, CustomResource, KubeSchema)]
#[kube(
    group = "avnm.dev",
    version = "v1alpha1",
    kind = "StaticMember",
    plural = "staticmembers",
    shortname = "avsm",
    category = "avnm",
    namespaced,
    status = "StaticMemberStatus",
    derive = "PartialEq",
    doc = "Puts one virtual network or subnet, of the manager's tenant or another, into a network group.",
    printcolumn(name = "Ready", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].status"#),
    printcolumn(name = "State", type_ = "string", json_path = ".status.provisioningState"),
    printcolumn(name = "Reason", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].reason"#),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Group", type_ = "string", json_path = ".spec.networkGroupId", priority = 1),
    printcolumn(name = "Resource", type_ = "string", json_path = ".spec.resourceId", priority = 1),
    printcolumn(name = "Message", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].message"#, priority = 1),
    validation = Rule::new("has(self.spec.memberName) || self.metadata.name.matches('^[0-9A-Za-z][0-9A-Za-z_.-]{0,63}$')").message("metadata.name is too long for a name in Azure (64 characters): set spec.memberName"),
    validation = Rule::new("(has(self.spec.memberName) ? self.spec.memberName : self.metadata.name).lowerAscii() == (has(oldSelf.spec.memberName) ? oldSelf.spec.memberName : oldSelf.metadata.name).lowerAscii()").message("spec.memberName is immutable: create another StaticMember and delete this one")
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.connectionRef) || has(self.credentialRef)").message("set connectionRef (a CrossTenantConnection whose credentials are used) or credentialRef (a credential of the manager's tenant), or both"))]
pub struct StaticMemberSpec {
    /// The network group, as …/networkManagers/NAME/networkGroups/NAME. Immutable.
    #[schemars(length(max = 640))]
    #[x_kube(validation = ids::characters())]
    #[x_kube(validation = ids::group())]
    #[x_kube(validation = ids::same("networkGroupId is immutable: create another StaticMember and delete this one"))]
    pub network_group_id: String,
    /// Its name in Azure. Default: metadata.name. Immutable.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    #[x_kube(validation = Rule::new("self.matches('^[0-9A-Za-z][0-9A-Za-z_.-]{0,63}$')").message("write 1 to 64 letters, digits, '_', '.', '-', beginning with a letter or digit; left out, it is metadata.name"))]
    pub member_name: Option<String>,
    /// The virtual network, or …/subnets/NAME of one. Immutable.
    #[schemars(length(max = 640))]
    #[x_kube(validation = ids::characters())]
    #[x_kube(validation = ids::network())]
    #[x_kube(validation = ids::same("resourceId is immutable: create another StaticMember and delete this one"))]
    pub resource_id: String,
    /// A CrossTenantConnection of this namespace: waited for, and its credentials are used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection_ref: Option<ConnectionRef>,
    /// A credential of the manager's tenant: beside or instead of connectionRef.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential_ref: Option<CredentialRef>,
    /// A credential of the tenant of resourceId. Neither this nor connectionRef: the manager's own tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_credential_ref: Option<CredentialRef>,
    /// Enforce (default) makes Azure match; Observe never writes to Azure and says what it would do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// Delete (default) takes the network out of the group with this object; Orphan leaves it; Confirm takes it out once the annotation avnm.dev/confirm-delete is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
    /// IfIdentical (default), Always or Never: whether a member that is already there is taken over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adoption_policy: Option<AdoptionPolicy>,
    /// true leaves everything as it is until it is false again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
}

/// What Azure was read to be, and what the operator holds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("default" = {"observedGeneration": -1}))]
pub struct StaticMemberStatus {
    /// The metadata.generation that this status is about; -1 until the operator has seen the object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Ready and Synced; Reconciling, Stalled and Suspended only while True.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "conditions_schema")]
    pub conditions: Vec<Condition>,
    /// Its ARM id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub id: Option<String>,
    /// Azure's word: Updating, Succeeded, Failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub provisioning_state: Option<String>,
    /// Region of the network, once Azure tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub location: Option<String>,
    /// That this object holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claim: Option<Claim>,
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

impl StaticMemberSpec {
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
