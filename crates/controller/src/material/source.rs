//! Where a credential's material comes from: a Secret, the operator's own projected token, a managed identity, and by
//! `account` a ServiceAccount. Each is read by name; there is no watch on Secrets.

use std::sync::Arc;

use avnm_api::{CertificateRef, SecretKeyRef, SignInMethod};
use avnm_arm::{Certificate, ManagedIdentity, ManagedIdentityId, Material, SecretString};
use avnm_plan::fault::{CERTIFICATE_UNUSABLE, SECRET_NOT_FOUND};
use avnm_terms::{Fault, KubeFaultKind};
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client};

use super::{
    account::{self, Account},
    held::Held,
    unread::{missing, unread},
};
use crate::{kube_io, settings::Surroundings};

/// Largest projected token that is read, in bytes.
const TOKEN_MAX: u64 = 64 * 1024;

/// What was read.
#[derive(Debug)]
pub(super) enum Found {
    /// A token of a ServiceAccount.
    Account(Arc<Account>),
    /// Anything else.
    Other(Material),
}

impl Found {
    /// What is signed in with.
    pub(super) fn material(&self) -> Material {
        match self {
            Self::Account(account) => account.material(),
            Self::Other(material) => material.clone(),
        }
    }
}

/// Reads the material of a way to sign in, from this namespace. A ServiceAccount's token that may stay in hand does, as
/// long as the ServiceAccount is there.
pub(super) async fn read(
    client: &Client,
    surroundings: &Surroundings,
    namespace: &str,
    method: SignInMethod<'_>,
    keep: Option<Arc<Account>>,
) -> Result<Found, Fault> {
    let material = match method {
        SignInMethod::ServiceAccount(name) => {
            let audience = surroundings.cloud.federation_audience();
            return account::read(client, audience, namespace, name, keep).await.map(Found::Account);
        }
        SignInMethod::ClientSecret(reference) => client_secret(client, namespace, reference).await,
        SignInMethod::ClientCertificate(reference) => certificate(client, namespace, reference).await,
        SignInMethod::WorkloadIdentity => projected(surroundings).await,
        SignInMethod::ManagedIdentity(identity) => {
            let id = match (&identity.client_id, &identity.resource_id) {
                (Some(id), None) => ManagedIdentityId::Client(id.clone()),
                (None, Some(id)) => ManagedIdentityId::Resource(id.clone()),
                _ => {
                    let why = "name it by exactly one of clientId and resourceId";
                    return Err(missing("read credential", "spec.managedIdentity", "InvalidSpec", why));
                }
            };
            let endpoint = surroundings.metadata_endpoint.clone();
            Ok(Material::Assertion(Arc::new(ManagedIdentity::new(id, &surroundings.cloud, endpoint)?)))
        }
    };
    material.map(Found::Other)
}

async fn secret(client: &Client, namespace: &str, name: &str) -> Result<Secret, Fault> {
    let api: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let target = format!("{namespace}/{name}");
    kube_io::call("read secret", &target, api.get(name)).await.map_err(|fault| {
        let kind = fault.kind;
        let mut fault = unread(fault);
        match kind {
            KubeFaultKind::NotFound => SECRET_NOT_FOUND.clone_into(&mut fault.code),
            KubeFaultKind::Forbidden => {
                fault.message = format!(
                    "apply a Role with apiGroups [\"\"], resources [secrets], resourceNames [{name}], verbs [get], and a RoleBinding to the operator's ServiceAccount, in namespace {namespace}"
                );
            }
            _ => {}
        }
        fault
    })
}

fn value<'a>(secret: &'a Secret, target: &str, key: &str) -> Result<&'a [u8], Fault> {
    let value = secret.data.as_ref().and_then(|data| data.get(key)).map(|value| &value.0[..]);
    value.ok_or_else(|| {
        missing("read secret", target, SECRET_NOT_FOUND, format!("the Secret has no key {key}"))
    })
}

async fn client_secret(client: &Client, namespace: &str, at: &SecretKeyRef) -> Result<Material, Fault> {
    let secret = secret(client, namespace, &at.name).await?;
    let target = format!("{namespace}/{}", at.name);
    let wrong = |message: String| missing("read secret", &target, SECRET_NOT_FOUND, message);
    let value = std::str::from_utf8(value(&secret, &target, &at.key)?)
        .map_err(|_| wrong(format!("key {} of the Secret is not text", at.key)))?;
    // A trailing newline is the most common way to spoil a Secret, and never part of one.
    let value = value.trim_end_matches(['\r', '\n']);
    if value.is_empty() {
        return Err(wrong(format!("key {} of the Secret is empty", at.key)));
    }
    Ok(Material::ClientSecret(SecretString::from(value)))
}

async fn certificate(client: &Client, namespace: &str, at: &CertificateRef) -> Result<Material, Fault> {
    let secret = secret(client, namespace, &at.name).await?;
    let target = format!("{namespace}/{}", at.name);
    let (certificate, key) = match &at.key {
        Some(both) => {
            let both = value(&secret, &target, both)?;
            (both, both)
        }
        None => (value(&secret, &target, "tls.crt")?, value(&secret, &target, "tls.key")?),
    };
    let certificate = Certificate::parse(certificate, key)
        .map_err(|why| missing("read certificate", &target, CERTIFICATE_UNUSABLE, why))?;
    Ok(Material::Certificate(Arc::new(certificate)))
}

async fn projected(surroundings: &Surroundings) -> Result<Material, Fault> {
    const OPERATION: &str = "read projected token";
    let Some(file) = &surroundings.federated_token_file else {
        let why = "the operator's pod has no projected token: set AZURE_FEDERATED_TOKEN_FILE, or label the pod \
                   azure.workload.identity/use: \"true\" where the workload identity webhook runs";
        return Err(missing(OPERATION, "AZURE_FEDERATED_TOKEN_FILE", "NotSet", why));
    };
    let target = file.display().to_string();
    let unread = |why: &dyn std::fmt::Display| missing(OPERATION, &target, "NotReadable", why);
    // Read anew each time: the kubelet replaces it long before it ends.
    let length = tokio::fs::metadata(file).await.map_err(|error| unread(&error))?.len();
    if length > TOKEN_MAX {
        return Err(unread(&format!("it has {length} bytes and is no token")));
    }
    let token = tokio::fs::read_to_string(file).await.map_err(|error| unread(&error))?;
    let token = token.trim();
    if token.is_empty() {
        return Err(unread(&"it is empty"));
    }
    let identity = "the operator's projected token".to_owned();
    Ok(Material::Assertion(Arc::new(Held { token: SecretString::from(token), identity })))
}
