//! Where a credential's material comes from: a Secret, a ServiceAccount's token, the operator's own projected token, a
//! managed identity. Each is read by name; there is no watch on Secrets.

use std::sync::Arc;

use async_trait::async_trait;
use avnm_api::{CertificateRef, SecretKeyRef, SignInMethod};
use avnm_arm::{AssertionSource, Certificate, ManagedIdentity, ManagedIdentityId, Material, SecretString};
use avnm_plan::fault::SECRET_NOT_FOUND;
use avnm_terms::{Fault, FaultKind, KubeFault, KubeFaultKind, SignInFault};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use k8s_openapi::api::{
    authentication::v1::{TokenRequest, TokenRequestSpec},
    core::v1::{Secret, ServiceAccount},
};
use kube::{Api, Client, api::PostParams};
use serde_json::Value;

use crate::{kube_io, settings::Surroundings};

/// How long a ServiceAccount's token is asked for, in seconds. It outlives its source for as long: deletions of a
/// namespace that goes away can still sign in.
const TOKEN_LIFE: i64 = 3_600;

/// Largest projected token that is read, in bytes.
const TOKEN_MAX: u64 = 64 * 1024;

/// Reads the material of a way to sign in, from this namespace.
pub(crate) async fn read(
    client: &Client,
    surroundings: &Surroundings,
    namespace: &str,
    method: SignInMethod<'_>,
) -> Result<Material, Fault> {
    match method {
        SignInMethod::ClientSecret(reference) => client_secret(client, namespace, reference).await,
        SignInMethod::ClientCertificate(reference) => certificate(client, namespace, reference).await,
        SignInMethod::ServiceAccount(name) => service_account(client, surroundings, namespace, name).await,
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
    }
}

/// The source is not there, or not as it must be.
pub(crate) fn missing(
    operation: &'static str,
    target: &str,
    code: &str,
    message: impl std::fmt::Display,
) -> Fault {
    let mut fault = Fault::local(operation, target, FaultKind::SignIn(SignInFault::SourceMissing), message);
    code.clone_into(&mut fault.code);
    fault
}

/// Where a source lies in Kubernetes could not be read: what that means for whoever signs in with it. What says nothing of the
/// source stays what it is.
fn unread(fault: KubeFault) -> Fault {
    let kind = match fault.kind {
        KubeFaultKind::NotFound => FaultKind::SignIn(SignInFault::SourceMissing),
        KubeFaultKind::Forbidden => FaultKind::SignIn(SignInFault::SourceForbidden),
        KubeFaultKind::Invalid => FaultKind::Refused,
        KubeFaultKind::Conflict => FaultKind::Busy,
        KubeFaultKind::Throttled => FaultKind::Throttled,
        KubeFaultKind::Server | KubeFaultKind::Restless => FaultKind::Server,
        KubeFaultKind::Unanswered => FaultKind::Network,
        KubeFaultKind::NoLease => FaultKind::NoLease,
    };
    Fault { code: fault.reason, ..Fault::local(fault.operation, fault.target, kind, fault.message) }
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

fn text<'a>(secret: &'a Secret, target: &str, key: &str) -> Result<&'a str, Fault> {
    let wrong = |message: String| missing("read secret", target, SECRET_NOT_FOUND, message);
    let value = secret.data.as_ref().and_then(|data| data.get(key));
    let value = value.ok_or_else(|| wrong(format!("the Secret has no key {key}")))?;
    std::str::from_utf8(&value.0).map_err(|_| wrong(format!("key {key} of the Secret is not text")))
}

async fn client_secret(client: &Client, namespace: &str, at: &SecretKeyRef) -> Result<Material, Fault> {
    let secret = secret(client, namespace, &at.name).await?;
    let value = text(&secret, &format!("{namespace}/{}", at.name), &at.key)?;
    // A trailing newline is the most common way to spoil a Secret, and never part of one.
    let value = value.trim_end_matches(['\r', '\n']);
    if value.is_empty() {
        let (target, why) =
            (format!("{namespace}/{}", at.name), format!("key {} of the Secret is empty", at.key));
        return Err(missing("read secret", &target, SECRET_NOT_FOUND, why));
    }
    Ok(Material::ClientSecret(SecretString::from(value)))
}

async fn certificate(client: &Client, namespace: &str, at: &CertificateRef) -> Result<Material, Fault> {
    let secret = secret(client, namespace, &at.name).await?;
    let target = format!("{namespace}/{}", at.name);
    let (certificate, key) = match &at.key {
        Some(both) => {
            let both = text(&secret, &target, both)?;
            (both, both)
        }
        None => (text(&secret, &target, "tls.crt")?, text(&secret, &target, "tls.key")?),
    };
    let certificate = Certificate::parse(certificate.as_bytes(), key.as_bytes())
        .map_err(|why| missing("read certificate", &target, SECRET_NOT_FOUND, why))?;
    Ok(Material::Certificate(Arc::new(certificate)))
}

/// An assertion that was got beforehand. It is got anew with each look at the source.
struct Held {
    token: SecretString,
    identity: String,
}

#[async_trait]
impl AssertionSource for Held {
    async fn assertion(&self) -> Result<SecretString, Fault> {
        Ok(self.token.clone())
    }

    fn identity(&self) -> String {
        self.identity.clone()
    }
}

async fn service_account(
    client: &Client,
    surroundings: &Surroundings,
    namespace: &str,
    name: &str,
) -> Result<Material, Fault> {
    let api: Api<ServiceAccount> = Api::namespaced(client.clone(), namespace);
    let target = format!("{namespace}/{name}");
    let request = TokenRequest {
        spec: TokenRequestSpec {
            audiences: vec![surroundings.cloud.federation_audience().to_owned()],
            expiration_seconds: Some(TOKEN_LIFE),
            bound_object_ref: None,
        },
        ..TokenRequest::default()
    };
    let params = PostParams::default();
    let asked = api.create_token_request(name, &params, &request);
    let answer = kube_io::call("request token", &target, asked).await.map_err(|fault| {
        let kind = fault.kind;
        let mut fault = unread(fault);
        match kind {
            KubeFaultKind::NotFound => {
                "ServiceAccountNotFound".clone_into(&mut fault.code);
                fault.message = format!("ServiceAccount {name} does not exist in namespace {namespace}: create it");
            }
            // A namespace that goes away refuses new tokens, too.
            KubeFaultKind::Forbidden if fault.message.contains("being terminated") => {
                fault.kind = FaultKind::SignIn(SignInFault::SourceMissing);
                "NamespaceTerminating".clone_into(&mut fault.code);
            }
            KubeFaultKind::Forbidden => {
                fault.message = format!(
                    "apply a Role with apiGroups [\"\"], resources [serviceaccounts/token], resourceNames [{name}], verbs [create], and a RoleBinding to the operator's ServiceAccount, in namespace {namespace}"
                );
            }
            _ => {}
        }
        fault
    })?;
    let token = answer.status.map(|status| status.token).unwrap_or_default();
    let uid = uid_of(&token).unwrap_or_default();
    let identity = format!("serviceaccount {target} {uid}");
    Ok(Material::Assertion(Arc::new(Held { token: SecretString::from(token), identity })))
}

/// The UID of the ServiceAccount that a token speaks for: one made again under the same name is another source. Nothing
/// is trusted because of it; who the token speaks for is Entra's to check.
fn uid_of(token: &str) -> Option<String> {
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    claims.pointer("/kubernetes.io/serviceaccount/uid")?.as_str().map(str::to_owned)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_about_a_held_assertion_does_not_tell_it() {
        const TOLD: &str = "never-told-canary";
        let held =
            Held { token: SecretString::from(TOLD), identity: "serviceaccount hub/avnm u-1".to_owned() };
        let material = Material::Assertion(Arc::new(held));
        let about = |shown: &dyn std::fmt::Debug| {
            let panic = std::panic::AssertUnwindSafe(|| panic!("lost: {shown:?}\n{shown:#?}"));
            let payload = std::panic::catch_unwind(panic).unwrap_err();
            payload.downcast_ref::<String>().expect("a formatted panic has its text").clone()
        };
        assert_eq!(about(&material), "lost: Assertion\nAssertion");
        assert!(about(&TOLD).contains(TOLD), "a panic that tells it is noticed");
    }

    #[test]
    fn the_uid_is_read_from_a_tokens_claims() {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let claims = r#"{"kubernetes.io":{"serviceaccount":{"name":"a","uid":"u-1"}}}"#;
        assert_eq!(uid_of(&format!("{}.{}.x", part("{}"), part(claims))), Some("u-1".to_owned()));
        for bad in ["", "a.b.c", &format!("{}.{}.x", part("{}"), part("[]"))] {
            assert_eq!(uid_of(bad), None, "{bad}");
        }
    }
}
