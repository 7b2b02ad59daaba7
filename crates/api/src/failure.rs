//! The first failure of a streak, kept until something succeeds.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// What failed, since when, and who can do something about it. Repeats change nothing here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct LastFailure {
    /// What was tried.
    #[schemars(length(max = 64))]
    pub operation: String,
    /// On what: an ARM id, or an application and tenant.
    #[schemars(length(max = 1024))]
    pub target: String,
    /// The error code that Azure gave.
    #[schemars(length(max = 128))]
    pub code: String,
    /// The action that Azure says is lacking, such as Microsoft.Network/networkManagers/read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub action: Option<String>,
    /// What Azure said, without what changes with every try: ids of the one request, times, what is left to wait.
    #[schemars(length(max = 1100))]
    pub message: String,
    /// The correlation id that Azure gave; support asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub correlation_id: Option<String>,
    /// ClusterOperator, ManagerTenantAdmin, TargetTenantAdmin or Azure.
    #[schemars(length(max = 32))]
    pub actor: String,
    /// When the streak began.
    pub since: Time,
}
