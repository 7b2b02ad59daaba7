//! `ClusterTenantCredential`: how to sign in to one Entra tenant, lent to namespaces.

use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use crate::ids;
use crate::sign_in::{
    AllowedNamespaces, CLIENT_SAYS, ClientCertificate, ClientSecret, CredentialSpec, CredentialStatus, GUID,
    ManagedIdentity, SCOPES_SOME, SCOPES_SOME_SAYS, ServiceAccountSource, SignInMethod, TENANT_SAYS,
    WorkloadIdentity,
};

/// How objects of the namespaces that it is lent to sign in to one Entra tenant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, CustomResource, KubeSchema)]
#[kube(
    group = "avnm.dev",
    version = "v1alpha1",
    kind = "ClusterTenantCredential",
    plural = "clustertenantcredentials",
    shortname = "avctc",
    category = "avnm",
    status = "CredentialStatus",
    derive = "PartialEq",
    doc = "How objects of the namespaces that it is lent to sign in to one Entra tenant.",
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
#[x_kube(validation = Rule::new("[has(self.serviceAccount), has(self.workloadIdentity), has(self.managedIdentity), has(self.clientSecret), has(self.clientCertificate)].filter(set, set).size() == 1").message("set exactly one way to sign in: serviceAccount, workloadIdentity, managedIdentity, clientSecret or clientCertificate"))]
pub struct ClusterTenantCredentialSpec {
    /// The Entra tenant to sign in to, as a GUID. Immutable.
    #[schemars(length(max = 36))]
    #[x_kube(validation = Rule::new(GUID).message(TENANT_SAYS))]
    #[x_kube(validation = ids::same_guid("tenantId is immutable: create another ClusterTenantCredential and point the references to it"))]
    pub tenant_id: String,
    /// The application's (client) id, as a GUID. Immutable.
    #[schemars(length(max = 36))]
    #[x_kube(validation = Rule::new(GUID).message(CLIENT_SAYS))]
    #[x_kube(validation = ids::same_guid("clientId is immutable: create another ClusterTenantCredential and point the references to it"))]
    pub client_id: String,
    /// ARM ids, whole path segments, below which this credential may be used. Absent: anywhere; an empty list is refused.
    // No minItems and minLength: their messages do not say what to write, and the server skips rules after them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64), inner(length(max = 512)))]
    #[x_kube(validation = Rule::new(SCOPES_SOME).message(SCOPES_SOME_SAYS))]
    #[x_kube(validation = ids::characters_of_all())]
    #[x_kube(validation = ids::scopes())]
    pub allowed_scopes: Option<Vec<String>>,
    /// The namespaces whose objects may refer to it: those named and those selected. Absent or empty: none. Looked at
    /// on every pass, and when labels change; withdrawn lending blocks deletes, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_namespaces: Option<AllowedNamespaces>,
    /// Sign in with tokens of a ServiceAccount of the operator's namespace, as a federated credential of the application.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_account: Option<ServiceAccountSource>,
    /// Sign in with the token that is projected into the operator's own pod (AZURE_FEDERATED_TOKEN_FILE), as a federated
    /// credential of the application.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workload_identity: Option<WorkloadIdentity>,
    /// Sign in with a managed identity of the machine, as a federated credential of the application.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub managed_identity: Option<ManagedIdentity>,
    /// Sign in with a client secret, from a Secret of the operator's namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<ClientSecret>,
    /// Sign in with a certificate, from a Secret of the operator's namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_certificate: Option<ClientCertificate>,
}

impl CredentialSpec for ClusterTenantCredentialSpec {
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
        let all = [
            self.service_account.as_ref().map(|account| SignInMethod::ServiceAccount(&account.name)),
            self.workload_identity.as_ref().map(|_| SignInMethod::WorkloadIdentity),
            self.managed_identity.as_ref().map(SignInMethod::ManagedIdentity),
            self.client_secret.as_ref().map(|secret| SignInMethod::ClientSecret(&secret.secret_ref)),
            self.client_certificate
                .as_ref()
                .map(|certificate| SignInMethod::ClientCertificate(&certificate.secret_ref)),
        ];
        let mut set = all.into_iter().flatten();
        set.next().filter(|_| set.next().is_none())
    }
}
