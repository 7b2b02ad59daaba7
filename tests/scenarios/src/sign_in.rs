//! The ways to sign in that are not a client secret: their credentials, and what Entra must know for them.

use anyhow::{Context as _, Result};
use avnm_launcher::clock;
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256};
use serde_json::{Value, json};

use crate::canary;
use crate::context::Ctx;
use crate::world;

/// As the launcher starts the API server.
pub(crate) const ISSUER: &str = "https://kubernetes.default.svc";
const AUDIENCE: &str = "api://AzureADTokenExchange";

/// A credential of the namespace that signs in this way.
pub(crate) fn credential(name: &str, tenant: &str, method: &str, value: &Value) -> Value {
    let mut object = world::credential(name, tenant);
    if let Some(spec) = object["spec"].as_object_mut() {
        spec.remove("clientSecret");
        spec.insert(method.to_owned(), value.clone());
    }
    object
}

/// Entra learns the keys by which the cluster signs its ServiceAccounts' tokens.
pub(crate) async fn know_the_cluster(ctx: &Ctx) -> Result<()> {
    let keys = ctx.cluster().get("/openid/v1/jwks").await.context("read the cluster's keys")?;
    ctx.control().entra(&json!({"op": "setIssuer", "issuer": ISSUER, "jwks": keys})).await.map(drop)
}

/// The application trusts what this issuer says of this subject.
pub(crate) async fn trust(ctx: &Ctx, issuer: &str, subject: &str) -> Result<()> {
    let federated = json!({"op": "addFederatedCredential", "clientId": world::APP,
        "issuer": issuer, "subject": subject, "audience": AUDIENCE});
    ctx.control().entra(&federated).await.map(drop)
}

/// The application trusts this ServiceAccount of the cluster.
pub(crate) async fn trust_account(ctx: &Ctx, namespace: &str, name: &str) -> Result<()> {
    trust(ctx, ISSUER, &format!("system:serviceaccount:{namespace}:{name}")).await
}

/// A certificate for about a year, and its key.
pub(crate) fn certificate_pair() -> Result<(String, String)> {
    let key = KeyPair::generate_for(&PKCS_RSA_SHA256)?;
    let mut params = CertificateParams::new(vec!["avnm".to_owned()])?;
    let end = clock::now().to_zoned(jiff::tz::TimeZone::UTC).date() + jiff::Span::new().weeks(52);
    params.not_after =
        rcgen::date_time_ymd(end.year().into(), end.month().unsigned_abs(), end.day().unsigned_abs());
    let certificate = params.self_signed(&key)?;
    let pem = key.serialize_pem();
    canary::private_key(&pem);
    Ok((certificate.pem(), pem))
}

/// The Secret of a pair, named `avnm`.
pub(crate) fn tls_secret(certificate: &str, key: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "avnm"}, "type": "kubernetes.io/tls",
           "stringData": {"tls.crt": certificate, "tls.key": key}})
}

/// What lets the operator in to the Secret and the ServiceAccount named `avnm` of a namespace, in one line of kubectl or
/// as this.
pub(crate) fn let_in() -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "avnm-credentials"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "avnm-credentials"},
        "subjects": [{"kind": "ServiceAccount", "name": "avnm-operator", "namespace": "avnm-system"}],
    })
}

/// A ServiceAccount named `avnm`.
pub(crate) fn account() -> Value {
    json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "avnm"}})
}
