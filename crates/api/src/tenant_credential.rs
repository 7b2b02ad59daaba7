//! `TenantCredential`: how to sign in to one Entra tenant, for its own namespace.

use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use crate::ids;
use crate::sign_in::{
    CLIENT_SAYS, ClientCertificate, ClientSecret, CredentialSpec, CredentialStatus, GUID, SCOPES_SOME,
    SCOPES_SOME_SAYS, ServiceAccountSource, SignInMethod, TENANT_SAYS,
};

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
    status = "CredentialStatus",
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
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("[has(self.serviceAccount), has(self.clientSecret), has(self.clientCertificate)].filter(set, set).size() == 1").message("set exactly one way to sign in: serviceAccount, clientSecret or clientCertificate"))]
pub struct TenantCredentialSpec {
    /// The Entra tenant to sign in to, as a GUID. Immutable.
    #[schemars(length(max = 36))]
    #[x_kube(validation = Rule::new(GUID).message(TENANT_SAYS))]
    #[x_kube(validation = ids::same_guid("tenantId is immutable: create another TenantCredential and point the references to it"))]
    pub tenant_id: String,
    /// The application's (client) id, as a GUID. Immutable.
    #[schemars(length(max = 36))]
    #[x_kube(validation = Rule::new(GUID).message(CLIENT_SAYS))]
    #[x_kube(validation = ids::same_guid("clientId is immutable: create another TenantCredential and point the references to it"))]
    pub client_id: String,
    /// ARM ids, whole path segments, below which this credential may be used. Absent: anywhere; an empty list is refused.
    // No minItems and minLength: their messages do not say what to write, and the server skips rules after them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64), inner(length(max = 512)))]
    #[x_kube(validation = Rule::new(SCOPES_SOME).message(SCOPES_SOME_SAYS))]
    #[x_kube(validation = ids::characters_of_all())]
    #[x_kube(validation = ids::scopes())]
    pub allowed_scopes: Option<Vec<String>>,
    /// Sign in with tokens of a ServiceAccount of this namespace, as a federated credential of the application.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_account: Option<ServiceAccountSource>,
    /// Sign in with a client secret, from a Secret of this namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<ClientSecret>,
    /// Sign in with a certificate, from a Secret of this namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_certificate: Option<ClientCertificate>,
}

impl CredentialSpec for TenantCredentialSpec {
    fn tenant_id(&self) -> &str {
        &self.tenant_id
    }

    fn client_id(&self) -> &str {
        &self.client_id
    }

    fn allowed_scopes(&self) -> Option<&[String]> {
        self.allowed_scopes.as_deref()
    }

    fn method(&self) -> Option<SignInMethod<'_>> {
        match (&self.service_account, &self.client_secret, &self.client_certificate) {
            (Some(account), None, None) => Some(SignInMethod::ServiceAccount(&account.name)),
            (None, Some(secret), None) => Some(SignInMethod::ClientSecret(&secret.secret_ref)),
            (None, None, Some(certificate)) => Some(SignInMethod::ClientCertificate(&certificate.secret_ref)),
            _ => None,
        }
    }
}
