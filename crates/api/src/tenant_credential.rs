//! `TenantCredential`: how to sign in to one Entra tenant, for its own namespace.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use crate::{LastFailure, SecretKeyRef, schema::conditions_schema};

/// How objects of this namespace sign in to one Entra tenant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, CustomResource, KubeSchema)]
#[kube(
    group = "avnm.dev",
    version = "v1alpha1",
    kind = "TenantCredential",
    plural = "tenantcredentials",
    shortname = "avtc",
    category = "avnm",
    namespaced,
    status = "TenantCredentialStatus",
    derive = "PartialEq",
    doc = "How objects of this namespace sign in to one Entra tenant.",
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].status"#
    ),
    printcolumn(name = "Tenant", type_ = "string", json_path = ".spec.tenantId"),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].reason"#
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Application", type_ = "string", json_path = ".spec.clientId", priority = 1),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].message"#,
        priority = 1
    )
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(validation = Rule::new("has(self.clientSecret)").message("set exactly one way to sign in: clientSecret"))]
pub struct TenantCredentialSpec {
    /// The Entra tenant to sign in to, as a GUID. Immutable.
    #[schemars(length(max = 36))]
    #[x_kube(validation = Rule::new("self.matches('^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$')").message("write the tenant's GUID: 8-4-4-4-12 hexadecimal digits"))]
    #[x_kube(validation = Rule::new("self == oldSelf").message("tenantId is immutable: create another TenantCredential and point the references to it"))]
    pub tenant_id: String,
    /// The application's (client) id, as a GUID. Immutable.
    #[schemars(length(max = 36))]
    #[x_kube(validation = Rule::new("self.matches('^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$')").message("write the application's client id, a GUID: 8-4-4-4-12 hexadecimal digits"))]
    #[x_kube(validation = Rule::new("self == oldSelf").message("clientId is immutable: create another TenantCredential and point the references to it"))]
    pub client_id: String,
    /// ARM ids, whole path segments, below which this credential may be used. Absent: anywhere; an empty list is refused.
    // No minItems and minLength: their messages do not say what to write, and the server skips rules after them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64), inner(length(max = 512)))]
    #[x_kube(validation = Rule::new("self.size() > 0").message("leave allowedScopes out to restrict nothing, or list at least one ARM id: an empty list would allow nothing"))]
    #[x_kube(validation = Rule::new("self.all(s, s.matches('^(/[-0-9A-Za-z_.()]{1,260})+$') && !s.matches('/[.]{1,2}(/|$)'))").message("write each scope as an ARM id of whole segments, such as /subscriptions/GUID or /providers/Microsoft.Management/managementGroups/NAME: it begins with '/', does not end with one, and has no '//' and no '..'"))]
    pub allowed_scopes: Option<Vec<String>>,
    /// Sign in with a client secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<ClientSecret>,
}

/// A client secret in a Secret of the same namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClientSecret {
    /// Where the secret is. The operator needs a Role in this namespace that lets it get this Secret.
    pub secret_ref: SecretKeyRef,
}

/// Whether the credential works.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("default" = {"observedGeneration": -1}))]
pub struct TenantCredentialStatus {
    /// The metadata.generation that this status is about; -1 until the operator has seen the object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Ready; Reconciling and Stalled only while True.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "conditions_schema")]
    pub conditions: Vec<Condition>,
    /// The first failure of the current streak.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_failure: Option<LastFailure>,
    /// The last value of the annotation reconcile.avnm.dev/requestedAt that was handled.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub last_handled_reconcile_at: Option<String>,
}
