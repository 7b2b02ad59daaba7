//! What rules are specified in, or taken from: each document once, with where it is found.
//!
//! What is kept in a repository is named at the commit that was read, so that the page still says what it said then.

/// A document, or a file of another project.
#[derive(Debug)]
pub struct Document {
    /// Its title, or what in it is meant.
    pub title: &'static str,
    /// Where it is.
    pub link: &'static str,
}

const fn document(title: &'static str, link: &'static str) -> Document {
    Document { title, link }
}

/// Azure's specification of network managers and what lies in them.
pub const NETWORK_MANAGER: Document = document(
    "networkManager.json 2026-01-01",
    "https://github.com/Azure/azure-rest-api-specs/blob/251668cb/specification/network/resource-manager/Microsoft.Network/Network/stable/2026-01-01/networkManager.json",
);

/// Azure's specification of virtual networks.
pub const VIRTUAL_NETWORK: Document = document(
    "VirtualNetwork.tsp",
    "https://github.com/Azure/azure-rest-api-specs/blob/4aa39418/specification/network/resource-manager/Microsoft.Network/Network/Common/VirtualNetwork.tsp",
);

/// Azure's specification of Resource Graph.
pub const RESOURCE_GRAPH: Document = document(
    "resourcegraph.json 2024-04-01",
    "https://github.com/Azure/azure-rest-api-specs/blob/423203f7/specification/resourcegraph/resource-manager/Microsoft.ResourceGraph/stable/2024-04-01/resourcegraph.json",
);

/// The contract between ARM and its providers.
pub const ARM_RPC: Document = document(
    "Azure resource manager RPC: common API details",
    "https://github.com/Azure/azure-resource-manager-rpc/blob/69e229f0/v1.0/common-api-details.md",
);

/// What the states of a connection mean.
pub const CROSS_TENANT: Document = document(
    "Cross-tenant connections in Azure Virtual Network Manager",
    "https://github.com/MicrosoftDocs/azure-docs/blob/667b8087/articles/virtual-network-manager/concept-cross-tenant.md",
);

/// What a manager's scope is, and who may share one.
pub const MANAGER_SCOPE: Document = document(
    "Azure Virtual Network Manager: network manager scopes",
    "https://github.com/MicrosoftDocs/azure-docs/blob/c8b8f53a/articles/virtual-network-manager/concept-network-manager-scope.md",
);

/// ARM's error codes.
pub const DEPLOYMENT_ERRORS: Document = document(
    "Troubleshoot common Azure deployment errors",
    "https://github.com/MicrosoftDocs/azure-docs/blob/0af0f2ef/articles/azure-resource-manager/troubleshooting/common-deployment-errors.md",
);

/// ARM's 404s.
pub const NOT_FOUND: Document = document(
    "Resolve resource not found errors",
    "https://github.com/MicrosoftDocs/azure-docs/blob/ac0390f7d477c306949adccbf640fd9146568062/articles/azure-resource-manager/troubleshooting/error-not-found.md",
);

/// Providers that are not registered.
pub const REGISTRATION: Document = document(
    "Resolve errors for resource provider registration",
    "https://learn.microsoft.com/azure/azure-resource-manager/templates/error-register-resource-provider",
);

/// Locks.
pub const LOCKS: Document = document(
    "Lock your resources to protect your infrastructure",
    "https://github.com/MicrosoftDocs/azure-docs/blob/221a7c6bc08b54d3e8290225fa02021da93d3fdf/articles/azure-resource-manager/management/lock-resources.md",
);

/// Auxiliary tokens.
pub const ACROSS_TENANTS: Document = document(
    "Authenticate requests across tenants",
    "https://github.com/MicrosoftDocs/azure-docs/blob/40f02c5e/articles/azure-resource-manager/management/authenticate-multi-tenant.md",
);

/// ARM's quotas since 2024.
pub const REQUEST_LIMITS: Document = document(
    "Azure Resource Manager request limits",
    "https://learn.microsoft.com/en-us/azure/azure-resource-manager/management/request-limits-and-throttling",
);

/// The same page before, with the network provider's own quota.
pub const NETWORK_LIMITS: Document = document(
    "Azure Resource Manager request limits: network throttling",
    "https://github.com/MicrosoftDocs/azure-docs/blob/03dc0074/articles/azure-resource-manager/management/request-limits-and-throttling.md",
);

/// The actions that roles give.
pub const ACTIONS: Document = document(
    "Azure resource provider operations: Microsoft.Network",
    "https://github.com/MicrosoftDocs/azure-docs/blob/d6526ee229f5820f70fb4831495cc9eb5a7fad76/articles/role-based-access-control/resource-provider-operations.md",
);

/// What ARM says where a role is missing, and how long a new one takes.
pub const RBAC_TROUBLESHOOTING: Document = document(
    "Troubleshoot Azure RBAC",
    "https://github.com/MicrosoftDocs/azure-docs/blob/012ad308/articles/role-based-access-control/troubleshooting.md",
);

/// Pages of Resource Graph.
pub const GRAPH_DATA_SETS: Document = document(
    "Work with large Azure resource data sets",
    "https://github.com/MicrosoftDocs/azure-docs/blob/091a8999/articles/governance/resource-graph/concepts/work-with-data.md",
);

/// Quotas of Resource Graph.
pub const GRAPH_THROTTLING: Document = document(
    "Guidance for throttled requests in Azure Resource Graph",
    "https://github.com/MicrosoftDocs/azure-docs/blob/03adcc30/articles/governance/resource-graph/concepts/guidance-for-throttled-requests.md",
);

/// Who sees what in Resource Graph.
pub const GRAPH_PERMISSIONS: Document = document(
    "Azure Resource Graph: permissions",
    "https://github.com/MicrosoftDocs/azure-docs/blob/53bdff6281e17c8050fa5ca13e44242568ed0def/articles/governance/resource-graph/overview.md",
);

/// The token request.
pub const CLIENT_CREDENTIALS: Document = document(
    "Entra client credentials flow, v2.0",
    "https://github.com/MicrosoftDocs/entra-docs/blob/03033ebd/docs/identity-platform/v2-oauth2-client-creds-grant-flow.md",
);

/// AADSTS numbers.
pub const ENTRA_ERRORS: Document = document(
    "Entra reference of error codes",
    "https://github.com/MicrosoftDocs/entra-docs/blob/04f65548/docs/identity-platform/reference-error-codes.md",
);

/// Assertions with a certificate.
pub const CERTIFICATE_CREDENTIALS: Document = document(
    "Entra: application authentication certificate credentials",
    "https://github.com/MicrosoftDocs/entra-docs/blob/07bd829d/docs/identity-platform/certificate-credentials.md",
);

/// Claims of an access token.
pub const TOKEN_CLAIMS: Document = document(
    "Access token claims reference",
    "https://github.com/MicrosoftDocs/entra-docs/blob/2ae9700b10ffa2552677c11ecc41d5a1349bc0f8/docs/identity-platform/access-token-claims-reference.md",
);

/// Discovery documents.
pub const OPENID_CONNECT: Document = document(
    "Microsoft identity platform: OpenID Connect",
    "https://github.com/MicrosoftDocs/entra-docs/blob/30d76f4281026767dc2c34b43455a7d1d3464dd2/docs/identity-platform/v2-protocols-oidc.md",
);

/// Federated credentials.
pub const FEDERATION: Document = document(
    "Entra: workload identity federation, considerations",
    "https://github.com/MicrosoftDocs/entra-docs/blob/03ffb81c/docs/workload-id/workload-identity-federation-considerations.md",
);

/// Managed identities as federated credentials.
pub const TRUST_MANAGED_IDENTITY: Document = document(
    "Entra: configure an application to trust a managed identity",
    "https://github.com/MicrosoftDocs/entra-docs/blob/00316808/docs/workload-id/workload-identity-federation-config-app-trust-managed-identity.md",
);

/// The metadata service's tokens.
pub const VM_TOKEN: Document = document(
    "How to use managed identities on a VM to acquire an access token",
    "https://github.com/MicrosoftDocs/entra-docs/blob/f0d8aa7a1e4e2a6de40fc2998d2d89127b1afb52/docs/identity/managed-identities-azure-resources/how-to-use-vm-token.md",
);

/// What Microsoft tells who signs assertions by hand.
pub const SERVICE_PRINCIPALS: Document = document(
    "Azure SDK for Java: troubleshoot service principal authentication",
    "https://learn.microsoft.com/en-us/azure/developer/java/sdk/troubleshooting-authentication-service-principal",
);

/// How Terraform's SDK signs in with a certificate.
pub const GO_CERTIFICATE: Document = document(
    "hashicorp/go-azure-sdk, its sign-in with a client certificate",
    "https://github.com/hashicorp/go-azure-sdk/blob/3e186c74303c519fbde3a1ccfe9916ea2fce764c/sdk/auth/client_certificate_authorizer.go",
);

/// What Terraform's SDK reads of a cloud's metadata.
pub const GO_METADATA: Document = document(
    "hashicorp/go-azure-sdk, sdk/internal/metadata",
    "https://github.com/hashicorp/go-azure-sdk/blob/ed3ba327f737832295eb236f44ca6f563076c41d/sdk/internal/metadata/client.go",
);

/// How the SDK for Rust signs in with a certificate.
pub const RUST_CERTIFICATE: Document = document(
    "Azure/azure-sdk-for-rust, its sign-in with a client certificate",
    "https://github.com/Azure/azure-sdk-for-rust/blob/70321e7b875d7d6aa818c2ebcd8594da8fd7801b/sdk/identity/azure_identity/src/client_certificate_credential.rs",
);

/// How the SDK for Python registers a provider by itself.
pub const PYTHON_REGISTRATION: Document = document(
    "azure-mgmt-core, which registers by itself upon that 409",
    "https://github.com/Azure/azure-sdk-for-python/blob/03750c914f1939f0dbe43356cdd1bf5c1f47c920/sdk/core/azure-mgmt-core/azure/mgmt/core/policies/_base.py",
);

/// An answer of Entra's that a test of another project holds.
pub const ATHENZ_TOKEN_PROVIDER: Document = document(
    "Athenz, the answer that the tests of its Azure token provider hold",
    "https://github.com/AthenZ/athenz/blob/4e0b9c42fe28dc617e1f01c0edf4535360ac7f8c/servers/zts/src/test/java/com/yahoo/athenz/zts/external/azure/AzureAccessTokenProviderTest.java",
);

/// A question about a managed identity of another tenant.
pub const FOREIGN_MANAGED_IDENTITY: Document = document(
    "Microsoft Q&A 2139753",
    "https://learn.microsoft.com/en-us/answers/questions/2139753/aadsts700236-entra-id-tokens-issued-by-issuer-http",
);
