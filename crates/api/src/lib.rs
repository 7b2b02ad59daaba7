//! The custom resources of `avnm.dev/v1alpha1`: spec, status, validation rules and columns. One kind, one file.
//!
//! Pure: it decides nothing and talks to nobody. What a field means to a user is its doc comment (`kubectl explain`
//! shows it); what the controller does about it is in `avnm-plan`.

// Attributes of derives repeat by nature, and their output is public where its module is not.
#![allow(clippy::duplicated_attributes, unreachable_pub)]

mod annotations;
mod claim;
mod cluster_tenant_credential;
mod common;
mod conditions;
mod cross_tenant_connection;
mod failure;
mod ids;
mod schema;
mod sign_in;
mod static_member;
mod tenant_credential;

pub use annotations::{CONFIRM_DELETE, FINALIZER_AZURE, FINALIZER_IN_USE, RECREATE, REQUESTED_AT};
pub use claim::{Claim, ClaimOrigin, ClaimPhase};
pub use cluster_tenant_credential::{ClusterTenantCredential, ClusterTenantCredentialSpec};
pub use common::{
    AdoptionPolicy, ConnectionRef, CredentialKind, CredentialRef, DeletionPolicy, Mode, Policies,
    SecretKeyRef,
};
pub use cross_tenant_connection::{
    ConnectionHalf, CrossTenantConnection, CrossTenantConnectionSpec, CrossTenantConnectionStatus,
    HalfStatus, PlannedStep, RecreatePhase, RecreateStatus, TargetSpec,
};
pub use failure::LastFailure;
pub use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
pub use schema::{crds, crds_yaml_values};
pub use sign_in::{
    AllowedNamespaces, CertificateRef, ClientCertificate, ClientSecret, CredentialSpec, CredentialStatus,
    LabelValue, ManagedIdentity, NamespaceSelector, SelectorExpression, SelectorOperator,
    ServiceAccountSource, SignInMethod, WorkloadIdentity,
};
pub use static_member::{StaticMember, StaticMemberSpec, StaticMemberStatus};
pub use tenant_credential::{TenantCredential, TenantCredentialSpec};

/// The API group of every kind.
pub const GROUP: &str = "avnm.dev";
/// The version of every kind.
pub const VERSION: &str = "v1alpha1";
