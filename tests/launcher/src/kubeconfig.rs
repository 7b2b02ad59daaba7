//! kubeconfig files. They are written as JSON, which every reader of YAML reads.

use std::path::{Path, PathBuf};

use anyhow::Result;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::pki;

/// Writes a kubeconfig with one cluster, one context and a user who shows a certificate.
pub(crate) fn write(
    dir: &Path,
    name: &str,
    server: &str,
    ca_pem: &str,
    identity: &pki::Identity,
) -> Result<PathBuf> {
    let user = json!({
        "client-certificate-data": STANDARD.encode(&identity.certificate),
        "client-key-data": STANDARD.encode(&identity.key),
    });
    let cluster = json!({ "server": server, "certificate-authority-data": STANDARD.encode(ca_pem) });
    pki::write(dir, name, &document(&cluster, &user).to_string())
}

/// Writes a kubeconfig for the cluster of another one, with a token in place of its user.
pub(crate) fn write_with_token(dir: &Path, name: &str, admin: &Value, token: &str) -> Result<PathBuf> {
    let cluster = &admin["clusters"][0]["cluster"];
    pki::write(dir, name, &document(cluster, &json!({ "token": token })).to_string())
}

fn document(cluster: &Value, user: &Value) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{ "name": "e2e", "cluster": cluster }],
        "users": [{ "name": "e2e", "user": user }],
        "contexts": [{ "name": "e2e", "context": { "cluster": "e2e", "user": "e2e" } }],
        "current-context": "e2e",
    })
}
