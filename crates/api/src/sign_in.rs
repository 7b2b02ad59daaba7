//! What both kinds of credential share: ways to sign in, where a credential may be used, and their status.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{LastFailure, SecretKeyRef, conditions::conditions_schema, ids};

/// A GUID as Azure writes it. No check of variant or version: the how-to's own are no RFC 4122 ones.
pub(crate) const GUID: &str = "self.matches('^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$')";
/// What a tenant's id must look like.
pub(crate) const TENANT_SAYS: &str = "write the tenant's GUID: 8-4-4-4-12 hexadecimal digits";
/// What an application's id must look like.
pub(crate) const CLIENT_SAYS: &str =
    "write the application's client id, a GUID: 8-4-4-4-12 hexadecimal digits";
/// `allowedScopes` is not empty.
pub(crate) const SCOPES_SOME: &str = "self.size() > 0";
/// Why not.
pub(crate) const SCOPES_SOME_SAYS: &str = "leave allowedScopes out to restrict nothing, or list at least one ARM id: an empty list would allow nothing";

/// A client secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClientSecret {
    /// Where the secret is. The operator needs a Role in that namespace that lets it get this Secret.
    pub secret_ref: SecretKeyRef,
}

/// A certificate with its private key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClientCertificate {
    /// Where it is. The operator needs a Role in that namespace that lets it get this Secret.
    pub secret_ref: CertificateRef,
}

/// A Secret that holds a certificate and its RSA key, both in PEM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct CertificateRef {
    /// The Secret's metadata.name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// The key in the Secret's data that holds both. Absent: tls.crt and tls.key, as in a Secret of type kubernetes.io/tls.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub key: Option<String>,
}

/// A Kubernetes ServiceAccount as a federated credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServiceAccountSource {
    /// The ServiceAccount's metadata.name. The operator needs a Role that lets it create this ServiceAccount's tokens.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}

/// The token that is projected into the operator's own pod.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct WorkloadIdentity {}

/// A user-assigned managed identity as a federated credential of the application: exactly one of its ids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.clientId) != has(self.resourceId)").message("name the managed identity by exactly one of clientId and resourceId"))]
pub struct ManagedIdentity {
    /// The identity's client id, a GUID.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 36))]
    #[x_kube(validation = Rule::new(GUID).message("write the managed identity's client id, a GUID: 8-4-4-4-12 hexadecimal digits"))]
    pub client_id: Option<String>,
    /// The identity's ARM id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    #[x_kube(validation = ids::characters())]
    #[x_kube(validation = ids::resource("write the managed identity's ARM id: /subscriptions/GUID/resourceGroups/NAME/providers/Microsoft.ManagedIdentity/userAssignedIdentities/NAME"))]
    pub resource_id: Option<String>,
}

/// The namespaces that a credential is lent to: those named and those selected. Absent or empty: none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct AllowedNamespaces {
    /// By name, exactly.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256), inner(length(max = 63)))]
    #[x_kube(validation = Rule::new("self.all(name, name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$'))").message("write each namespace's name, or leave names out: an empty item lends to nobody"))]
    pub names: Vec<String>,
    /// By labels. An empty selector selects every namespace, as everywhere in Kubernetes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selector: Option<NamespaceSelector>,
}

/// A label selector, with bounds: all of it must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct NamespaceSelector {
    /// Labels with exactly these values.
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 64))]
    pub match_labels: std::collections::BTreeMap<String, LabelValue>,
    /// Conditions on labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub match_expressions: Vec<SelectorExpression>,
}

/// A label's value.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct LabelValue(#[schemars(length(max = 63))] pub String);

/// One condition on one label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("(self.operator in ['In', 'NotIn']) == (has(self.values) && self.values.size() > 0)").message("give values with In and NotIn, and none with Exists and DoesNotExist"))]
pub struct SelectorExpression {
    /// The label's name.
    #[schemars(length(min = 1, max = 317))]
    pub key: String,
    /// In, NotIn, Exists or DoesNotExist.
    pub operator: SelectorOperator,
    /// The values of In and NotIn.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(max = 63)))]
    pub values: Vec<String>,
}

/// How a label is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SelectorOperator {
    /// The label has one of the values.
    In,
    /// The label is absent or has none of the values.
    NotIn,
    /// The label is there.
    Exists,
    /// The label is absent.
    DoesNotExist,
}

/// Whether the credential works.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("default" = {"observedGeneration": -1}))]
pub struct CredentialStatus {
    /// The metadata.generation that this status is about; -1 until the operator has seen the object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Ready; Reconciling and Stalled only while True.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "conditions_schema")]
    pub conditions: Vec<Condition>,
    /// The tenant that it signed in to last: that of the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub tenant_id: Option<String>,
    /// The first failure of the current streak.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_failure: Option<LastFailure>,
    /// The last value of the annotation reconcile.avnm.dev/requestedAt that was handled.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub last_handled_reconcile_at: Option<String>,
}

/// A way to sign in, as either kind declares it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignInMethod<'a> {
    /// A client secret.
    ClientSecret(&'a SecretKeyRef),
    /// A certificate.
    ClientCertificate(&'a CertificateRef),
    /// A ServiceAccount of the credential's namespace; of the operator's for the cluster kind.
    ServiceAccount(&'a str),
    /// The operator's own projected token.
    WorkloadIdentity,
    /// A managed identity of the machine.
    ManagedIdentity(&'a ManagedIdentity),
}

/// What the two kinds of credential have in common.
pub trait CredentialSpec {
    /// The Entra tenant.
    fn tenant_id(&self) -> &str;
    /// The application.
    fn client_id(&self) -> &str;
    /// Where it may be used; None restricts nothing.
    fn allowed_scopes(&self) -> Option<&[String]>;
    /// The way to sign in; None where none or more than one is declared, which the schema refuses.
    fn method(&self) -> Option<SignInMethod<'_>>;
}
